/* CSV lists: the header says which column is which, every line names a file. What is wrong with the
 * text itself refuses the list; what is wrong with a file it names leaves out the line. */
#include "dataset/list.h"

#include "base/diag.h"
#include "base/file.h"
#include "base/memory.h"
#include "dataset/csv_read.h"
#include "dataset/item_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MISSING_SHOWN ((size_t)10) /* missing files told one by one; the rest are counted */

typedef enum column {
  COLUMN_PATH,
  COLUMN_SPLIT,
  COLUMN_LABEL,
  COLUMN_MASK,
  COLUMN_SOURCE,
  COLUMNS
} column;
static const char *const column_names[COLUMNS] = {"path", "split", "label", "mask", "source"};
static const char header_hint[] = "The first line of a list is: path,split,label,mask";

typedef struct header {
  size_t place[COLUMNS]; /* which field it is; SIZE_MAX: none */
  size_t count;
} header;

static burl_status at_line(burl_diag *diag, int64_t line, burl_status status) {
  if (diag) diag->line = line;
  return status;
}

/* COLUMNS where the name is not known. */
static int find_column(const char *name) {
  int c = 0;
  while (c < COLUMNS && !burl_text_equal_fold(name, column_names[c]))
    c++;
  return c;
}

static void report_unknown(const burl_csv *csv, const char *field, const burl_observer *observer) {
  burl_diag problem;
  burl_fail(&problem, BURL_ERR_DATA, csv->name,
            "The columns that are read are path, split, label, mask and source.",
            "the column '%s' is not known and not read", field);
  problem.line = csv->row_line;
  burl_observe_problem(observer, &problem);
}

static burl_status fail_missing(const header *head, const burl_csv *csv, column missing,
                                burl_diag *diag) {
  int known = 0;
  for (int c = 0; c < COLUMNS; c++)
    known += head->place[c] != SIZE_MAX;
  int joined = csv->count == 1 && strpbrk(csv->fields[0], ";\t");
  const char *hint = joined ? "Separate the columns by commas." : header_hint;
  if (known || joined)
    burl_fail(diag, BURL_ERR_FORMAT, csv->name, hint, "the header has no column '%s'",
              column_names[missing]);
  else
    burl_fail(diag, BURL_ERR_FORMAT, csv->name, hint,
              "is neither a folder nor a list of images: it begins with '%.80s'", csv->fields[0]);
  return at_line(diag, csv->row_line, BURL_ERR_FORMAT);
}

static burl_status read_header(header *head, const burl_csv *csv, const burl_observer *observer,
                               burl_diag *diag) {
  for (int c = 0; c < COLUMNS; c++)
    head->place[c] = SIZE_MAX;
  head->count = csv->count;
  for (size_t i = 0; i < csv->count; i++) {
    int c = find_column(csv->fields[i]);
    if (c < COLUMNS && head->place[c] != SIZE_MAX)
      return at_line(diag, csv->row_line,
                     burl_fail(diag, BURL_ERR_FORMAT, csv->name, header_hint,
                               "the header names the column '%s' twice", column_names[c]));
    if (c < COLUMNS) head->place[c] = i;
  }
  for (int c = 0; c < COLUMN_MASK; c++)
    if (head->place[c] == SIZE_MAX) return fail_missing(head, csv, (column)c, diag);
  for (size_t i = 0; i < csv->count; i++)
    if (csv->fields[i][0] && find_column(csv->fields[i]) == COLUMNS)
      report_unknown(csv, csv->fields[i], observer);
  return BURL_OK;
}

/* The field of a column, "" where the line ends before it. */
static const char *get_field(const burl_csv *csv, const header *head, column c) {
  return head->place[c] < csv->count ? csv->fields[head->place[c]] : "";
}

static burl_status check_label(const burl_csv *csv, const char *label, burl_diag *diag) {
  int fits = label[0] != '.' && strlen(label) < 256;
  for (const char *c = label; *c; c++)
    fits = fits && *c != '/' && (unsigned char)*c >= 0x20 && *c != 0x7F;
  if (fits) return BURL_OK;
  return at_line(diag, csv->row_line,
                 burl_fail(diag, BURL_ERR_FORMAT, csv->name,
                           "A class is named like a folder: no '/', no leading dot, no control "
                           "characters, below 256 bytes.",
                           "the label '%s' cannot name a class", label));
}

static burl_status check_count(const burl_csv *csv, const header *head, burl_diag *diag) {
  for (size_t i = head->count; i < csv->count; i++)
    if (csv->fields[i][0])
      return at_line(diag, csv->row_line,
                     burl_fail(diag, BURL_ERR_FORMAT, csv->name,
                               "Put fields that contain a comma in double quotes.",
                               "has %zu fields where the header has %zu", csv->count, head->count));
  return BURL_OK;
}

static burl_status read_row(burl_list_row *row, const burl_csv *csv, const header *head,
                            burl_diag *diag) {
  burl_status status = check_count(csv, head, diag);
  if (status != BURL_OK) return status;
  for (int c = 0; c < COLUMN_MASK; c++)
    if (!get_field(csv, head, (column)c)[0])
      return at_line(diag, csv->row_line,
                     burl_fail(diag, BURL_ERR_FORMAT, csv->name,
                               c == COLUMN_LABEL ? "Write good, or the name of a defect class."
                                                 : "Every line has a path, a split and a label.",
                               "the column '%s' is empty", column_names[c]));
  const char *split = get_field(csv, head, COLUMN_SPLIT), *mask = get_field(csv, head, COLUMN_MASK);
  const char *source = get_field(csv, head, COLUMN_SOURCE);
  int train = burl_text_equal_fold(split, "train");
  if (!train && !burl_text_equal_fold(split, "test"))
    return at_line(diag, csv->row_line,
                   burl_fail(diag, BURL_ERR_FORMAT, csv->name, "Write train or test.",
                             "the split is '%s'", split));
  *row = (burl_list_row){.path = get_field(csv, head, COLUMN_PATH),
                         .label = get_field(csv, head, COLUMN_LABEL),
                         .mask = mask[0] ? mask : NULL,
                         .source = source[0] ? source : NULL,
                         .split = train ? BURL_SPLIT_TRAIN : BURL_SPLIT_TEST,
                         .line = csv->row_line};
  return check_label(csv, row->label, diag);
}

static burl_status check_text(const char *text, size_t size, const char *name, burl_diag *diag) {
  const char *hint = "Name a folder of images, or a CSV list in UTF-8.";
  if (size >= 2 && (memcmp(text, "\xFF\xFE", 2) == 0 || memcmp(text, "\xFE\xFF", 2) == 0))
    return burl_fail(diag, BURL_ERR_FORMAT, name, "Save it as CSV in UTF-8.",
                     "is a text in UTF-16, which is not read");
  const char *zero = memchr(text, 0, size);
  if (zero)
    return burl_fail_at(diag, BURL_ERR_FORMAT, name, zero - text, hint,
                        "is neither a folder nor a CSV list: it has a zero byte");
  return BURL_OK;
}

static burl_status parse_text(char *text, size_t size, const char *name, burl_list_visit visit,
                              void *context, const burl_observer *observer, burl_diag *diag) {
  burl_csv csv;
  header head = {0};
  int found = 0;
  burl_status status = check_text(text, size, name, diag);
  if (status != BURL_OK) return status;
  burl_csv_open(&csv, text, size, name);
  status = burl_csv_next(&csv, &found, diag);
  if (status == BURL_OK && !found)
    return burl_fail(diag, BURL_ERR_FORMAT, name, header_hint, "the list is empty");
  if (status == BURL_OK) status = read_header(&head, &csv, observer, diag);
  while (status == BURL_OK) {
    burl_list_row row;
    status = burl_csv_next(&csv, &found, diag);
    if (status == BURL_OK && !found) break;
    if (status == BURL_OK) status = read_row(&row, &csv, &head, diag);
    if (status == BURL_OK) status = visit(context, &row, diag);
  }
  return status;
}

burl_status burl_list_parse(const void *bytes, size_t size, const char *name, burl_list_visit visit,
                            void *context, const burl_observer *observer, burl_diag *diag) {
  char *text = size < SIZE_MAX ? burl_alloc(size + 1, 1) : NULL;
  if (!text) return burl_fail_memory(diag, name);
  if (size) memcpy(text, bytes, size);
  burl_status status = parse_text(text, size, name, visit, context, observer, diag);
  free(text);
  return status;
}

void burl_list_get_name(char *name, const char *path) {
  size_t length = 0;
  while (*path) {
    size_t part = strcspn(path, "/");
    if (part == 2 && memcmp(path, "..", 2) == 0) {
      while (length > 0 && name[--length] != '/')
        ;
    } else if (part > 0 && !(part == 1 && path[0] == '.')) {
      if (length > 0) name[length++] = '/';
      memmove(name + length, path, part);
      length += part;
    }
    path += part + (path[part] == '/');
  }
  name[length] = '\0';
}

typedef struct loading {
  burl_item_set set;
  char *folder; /* of the list, "" for the current one */
  size_t lines, missing, others, good_masks, train_defects;
} loading;

/* A line of the list that something is wrong with. The first ten are told one by one. */
static void report_missing(loading *load, const burl_list_row *row, const char *file, int error,
                           const char *what) {
  if (load->missing++ >= MISSING_SHOWN) return;
  burl_diag problem;
  const char *hint = strchr(file, '\\') ? "Separate folders by '/'."
                                        : "Paths are relative to the folder of the list.";
  char text[128] = "is not a .png, .jpg or .jpeg file";
  if (error && strerror_r(error, text, sizeof text) != 0) strcpy(text, "cannot be looked at");
  burl_fail(&problem, BURL_ERR_IO, load->set.path, hint, "'%s': %s; %s", file, text, what);
  problem.line = row->line;
  burl_observe_problem(load->set.observer, &problem);
}

static char *resolve(const loading *load, const char *path) {
  return burl_path_join(path[0] == '/' ? "" : load->folder, path);
}

/* *mask is the path of the row's mask, NULL where it has none to use. */
static burl_status find_mask(char **mask, loading *load, const burl_list_row *row,
                             burl_diag *diag) {
  *mask = NULL;
  if (!row->mask) return BURL_OK;
  if (burl_text_equal_fold(row->label, "good")) {
    load->good_masks++;
    return BURL_OK;
  }
  char *path = resolve(load, row->mask);
  if (!path) return burl_fail_memory(diag, load->set.path);
  burl_file_id id;
  int error;
  burl_entry_kind kind = burl_entry_look(path, &id, &error);
  if (kind == BURL_ENTRY_IMAGE) {
    *mask = path;
    return BURL_OK;
  }
  free(path);
  report_missing(load, row, row->mask, error, "the image is taken as one without a mask");
  return BURL_OK;
}

static burl_status add_row(loading *load, const burl_list_row *row, const char *path,
                           const burl_file_id *id, burl_diag *diag) {
  char *mask = NULL, *name = burl_alloc(strlen(row->path) + 1, 1);
  burl_status status = name ? find_mask(&mask, load, row, diag) : burl_fail_memory(diag, path);
  if (status == BURL_OK) {
    burl_list_get_name(name, row->path);
    const burl_item item = {.path = path,
                            .name = name,
                            .label = row->label,
                            .mask = mask,
                            .source = row->source,
                            .split = row->split};
    status = burl_item_set_add(&load->set, &item, id, row->line, diag);
  }
  free(mask);
  free(name);
  return status;
}

static burl_status take_row(void *context, const burl_list_row *row, burl_diag *diag) {
  loading *load = context;
  load->lines++;
  if (row->split == BURL_SPLIT_TRAIN && !burl_text_equal_fold(row->label, "good")) {
    load->train_defects++;
    return BURL_OK;
  }
  if (!burl_name_is_image(row->path)) {
    load->others++;
    return BURL_OK;
  }
  char *path = resolve(load, row->path);
  if (!path) return burl_fail_memory(diag, load->set.path);
  burl_file_id id;
  int error;
  burl_status status = BURL_OK;
  if (burl_entry_look(path, &id, &error) == BURL_ENTRY_IMAGE) {
    status = add_row(load, row, path, &id, diag);
  } else {
    report_missing(load, row, row->path, error, "the line is left out");
    load->set.lost++;
  }
  free(path);
  return status;
}

static void report_count(const loading *load, size_t count, const char *what) {
  if (count == 0) return;
  burl_diag problem;
  burl_fail(&problem, BURL_ERR_DATA, load->set.path, NULL, "%zu %s", count, what);
  burl_observe_problem(load->set.observer, &problem);
}

static burl_status finish(burl_dataset **dataset, loading *load, burl_diag *diag) {
  size_t hidden = load->missing > MISSING_SHOWN ? load->missing - MISSING_SHOWN : 0;
  report_count(load, hidden, "more files named in the list are not there");
  report_count(load, load->others, "lines name no .png, .jpg or .jpeg file and are left out");
  report_count(load, load->train_defects,
               "training lines are labelled with a defect class and are left out");
  report_count(load, load->good_masks, "good images have a mask, which is not read");
  if (load->set.count == 0)
    return burl_fail(diag, BURL_ERR_DATA, load->set.path,
                     "Paths are relative to the folder of the list.",
                     load->lines ? "none of its %zu lines names an image that can be used"
                                 : "has %zu lines below the header",
                     load->lines);
  return burl_item_set_finish(dataset, &load->set, BURL_LAYOUT_LIST, diag);
}

burl_status burl_list_load(burl_dataset **dataset, const char *path, const burl_observer *observer,
                           burl_diag *diag) {
  unsigned char *bytes = NULL;
  size_t size = 0;
  burl_status status = burl_file_read(&bytes, &size, path, BURL_LIST_MAX_BYTES, diag);
  if (status != BURL_OK) return status;
  loading load = {.set = {.path = path, .observer = observer}, .folder = burl_copy_text(path)};
  if (load.folder) {
    char *slash = strrchr(load.folder, '/');
    load.folder[slash ? slash + 1 - load.folder : 0] = '\0';
    status = burl_list_parse(bytes, size, path, take_row, &load, observer, diag);
  } else {
    status = burl_fail_memory(diag, path);
  }
  free(bytes);
  if (status == BURL_OK) status = finish(dataset, &load, diag);
  burl_item_set_free(&load.set);
  free(load.folder);
  return status;
}
