/* burl detect: defects are found by the worker threads as images are scored, kept by image, and
 * ranked over all images at the end. The pictures come last, as their numbers are the ranks: only
 * images that are on the list are read again. */
#include "cli_commands.h"
#include "cli_console.h"
#include "cli_paths.h"

#include <burl/detect_defects.h>
#include <burl/model.h>
#include <burl/report_defects.h>
#include <stdio.h>
#include <stdlib.h>

enum { TABLE, RESULTS, LIST_COUNT };
static const char *const list_names[] = {"defects.csv", "detections.json"};
static const char picture_suffix[] = ".defects.png";

typedef struct detect_job {
  const char *folder;
  burl_detect_options options;
  double mm_per_px;
  size_t top; /* 0: all */
  int pictures;
  char *lists[LIST_COUNT];
  char **stems;
  burl_defects **found; /* of each item */
  burl_kind **kinds;    /* of each item: of its defects; NULL where the model names none */
  size_t (*extents)[2]; /* of each item: height, width */
  burl_listed_defect *list;
  size_t count, scored; /* defects on the list; images */
  size_t *items;        /* of each listed defect */
} detect_job;

void burl_cli_preset_detect(cli_values *values) {
  values->option[CLI_NMS].choice = (size_t)burl_detect_default_options().suppress.method;
  values->option[CLI_NMS].preset = 1;
  values->option[CLI_MIN_SCORE].real = 1;
  values->option[CLI_MIN_SCORE].preset = 1;
}

static burl_status name_defects(burl_kind **kinds, const burl_defects *found,
                                const unsigned char *map) {
  size_t count = burl_defects_get_count(found);
  *kinds = calloc(count + 1, sizeof **kinds);
  if (!*kinds) return BURL_ERR_MEMORY;
  for (size_t i = 0; i < count; i++)
    (*kinds)[i] = burl_proposal_get_kind(burl_defects_get(found) + i, map);
  return BURL_OK;
}

/* A worker thread's part. Each image has a place of its own. */
static burl_status find_defects(void *context, const burl_scored *scored, burl_diag *diag) {
  detect_job *job = context;
  const burl_image *image = scored->image;
  job->extents[scored->index][0] = image->height;
  job->extents[scored->index][1] = image->width;
  burl_status status = burl_defects_new(&job->found[scored->index], scored->heat, image->height,
                                        image->width, &job->options);
  if (status == BURL_OK && scored->kinds)
    status = name_defects(&job->kinds[scored->index], job->found[scored->index], scored->kinds);
  return burl_cli_explain_status(diag, status, scored->item->path);
}

static burl_status count_image(void *context, const burl_scored *scored, burl_diag *diag) {
  detect_job *job = context;
  (void)diag;
  (void)scored;
  job->scored++;
  return BURL_OK;
}

/* No output may fall on an image that is read, or on the model. */
static burl_status protect_inputs(const detect_job *job, const burl_dataset *dataset,
                                  const char *model, burl_diag *diag) {
  cli_inputs inputs = {0};
  burl_status status = burl_cli_inputs_collect(&inputs, dataset, &model, 1, diag);
  for (int i = 0; status == BURL_OK && i < LIST_COUNT; i++) {
    status = burl_cli_inputs_protect(&inputs, job->lists[i], diag);
    if (status == BURL_OK) status = burl_cli_check_file(job->lists[i], diag);
  }
  for (size_t i = 0; status == BURL_OK && i < burl_dataset_get_count(dataset); i++)
    status = burl_cli_inputs_protect_made(
        &inputs, burl_cli_join(job->folder, job->stems[i], picture_suffix), diag);
  burl_cli_inputs_free(&inputs);
  return status;
}

static burl_status prepare(detect_job *job, const burl_dataset *dataset, const char *model,
                           burl_diag *diag) {
  size_t count = burl_dataset_get_count(dataset);
  job->found = calloc(count + 1, sizeof *job->found);
  job->kinds = calloc(count + 1, sizeof *job->kinds);
  job->extents = calloc(count + 1, sizeof *job->extents);
  for (int i = 0; i < LIST_COUNT; i++)
    if (!(job->lists[i] = burl_cli_join(job->folder, list_names[i], "")))
      return burl_cli_no_memory(diag);
  if (!job->found || !job->kinds || !job->extents) return burl_cli_no_memory(diag);
  burl_status status = burl_cli_stems_new(&job->stems, dataset, diag);
  if (status == BURL_OK) status = burl_cli_make_folder(job->folder, diag);
  if (status == BURL_OK) status = protect_inputs(job, dataset, model, diag);
  return status;
}

typedef struct entry {
  burl_listed_defect defect;
  size_t item, place;
} entry;

static int by_score(const void *a, const void *b) {
  const entry *x = a, *y = b;
  double p = x->defect.defect->score, q = y->defect.defect->score;
  if (p != q) return p > q ? -1 : 1;
  return x->place < y->place ? -1 : 1;
}

static void collect_entries(const detect_job *job, const burl_dataset *dataset, entry *entries) {
  size_t n = 0;
  for (size_t i = 0; i < burl_dataset_get_count(dataset); i++) {
    size_t count = job->found[i] ? burl_defects_get_count(job->found[i]) : 0;
    for (size_t k = 0; k < count; k++, n++)
      entries[n] = (entry){.defect = {.image = burl_dataset_get_item(dataset, i)->name,
                                      .image_number = i + 1,
                                      .height = job->extents[i][0],
                                      .width = job->extents[i][1],
                                      .defect = burl_defects_get(job->found[i]) + k,
                                      .kind = job->kinds[i] ? job->kinds[i][k] : BURL_KIND_NONE},
                           .item = i,
                           .place = n};
  }
}

/* The list over all images: the worst defect first. */
static burl_status rank(detect_job *job, const burl_dataset *dataset, burl_diag *diag) {
  size_t total = 0;
  for (size_t i = 0; i < burl_dataset_get_count(dataset); i++)
    total += job->found[i] ? burl_defects_get_count(job->found[i]) : 0;
  entry *entries = calloc(total + 1, sizeof *entries);
  job->list = calloc(total + 1, sizeof *job->list);
  job->items = calloc(total + 1, sizeof *job->items);
  if (!entries || !job->list || !job->items) {
    free(entries);
    return burl_cli_no_memory(diag);
  }
  collect_entries(job, dataset, entries);
  qsort(entries, total, sizeof *entries, by_score);
  job->count = job->top > 0 && job->top < total ? job->top : total;
  for (size_t i = 0; i < job->count; i++) {
    job->list[i] = entries[i].defect;
    job->items[i] = entries[i].item;
  }
  free(entries);
  return BURL_OK;
}

/* The listed defects of one image with their ranks; proposals and ranks have room for them all. */
static size_t take_image(const detect_job *job, size_t item, burl_proposal *proposals,
                         size_t *ranks) {
  size_t count = 0;
  for (size_t i = 0; i < job->count; i++) {
    if (job->items[i] != item) continue;
    proposals[count] = *job->list[i].defect;
    ranks[count++] = i + 1;
  }
  return count;
}

static burl_status draw(const detect_job *job, const burl_item *item, size_t number,
                        burl_diag *diag) {
  size_t most = burl_defects_get_count(job->found[number]);
  burl_proposal *proposals = calloc(most + 1, sizeof *proposals);
  size_t *ranks = calloc(most + 1, sizeof *ranks);
  char *path = burl_cli_join(job->folder, job->stems[number], picture_suffix);
  burl_image image = {0};
  burl_status status = proposals && ranks && path ? BURL_OK : burl_cli_no_memory(diag);
  if (status == BURL_OK) {
    size_t count = take_image(job, number, proposals, ranks);
    if (count > 0) status = burl_image_load(&image, item->path, diag);
    if (status == BURL_OK && count > 0)
      status = burl_report_save_boxes(&image, proposals, ranks, count, path, diag);
  }
  burl_image_free(&image);
  free(proposals);
  free(ranks);
  free(path);
  return status;
}

/* A picture that cannot be drawn (its image went away meanwhile) is told; the rest goes on. */
static size_t draw_all(const detect_job *job, const burl_dataset *dataset,
                       const burl_observer *observer) {
  size_t lost = 0, count = burl_dataset_get_count(dataset);
  for (size_t i = 0; i < count; i++) {
    burl_diag diag = {0};
    if (job->found[i] && burl_defects_get_count(job->found[i]) > 0 &&
        draw(job, burl_dataset_get_item(dataset, i), i, &diag) != BURL_OK) {
      observer->problem(observer->context, &diag);
      lost++;
    }
    observer->progress(observer->context, "drawing", i + 1, count);
  }
  return lost;
}

static burl_status save_lists(const detect_job *job, burl_diag *diag) {
  burl_status status =
      burl_report_save_defects(job->list, job->count, job->mm_per_px, job->lists[TABLE], diag);
  if (status == BURL_OK)
    status = burl_report_save_coco(job->list, job->count, job->lists[RESULTS], diag);
  return status;
}

/* A defect of at least the score asked for is what a script wants to hear of first. */
static int finish(const detect_job *job, const cli_values *values, cli_console *console,
                  size_t left_out, size_t total) {
  const cli_value *limit = &values->option[CLI_FAIL_ABOVE];
  if (!console->quiet)
    printf("%zu image%s, %zu defect%s on the list: %s\n", job->scored, burl_cli_plural(job->scored),
           job->count, burl_cli_plural(job->count), job->lists[TABLE]);
  int result = burl_cli_count_left_out(console, left_out, total);
  if (limit->given && job->count > 0 && job->list[0].defect->score >= limit->real) return CLI_FOUND;
  return result;
}

static int detect(detect_job *job, const cli_values *values, cli_console *console,
                  const burl_model *model, const burl_dataset *dataset) {
  burl_observer observer = burl_cli_console_observe(console);
  burl_score_sink sink = {.context = job, .write = find_defects, .collect = count_image};
  burl_score_stats stats = {0};
  burl_diag diag = {0};
  burl_status status = prepare(job, dataset, values->operands[0], &diag);
  if (status == BURL_OK)
    status =
        burl_model_score_dataset(model, dataset, (burl_split)0, &sink,
                                 (int)values->option[CLI_THREADS].whole, &observer, &stats, &diag);
  if (status == BURL_OK) status = rank(job, dataset, &diag);
  if (status == BURL_OK) status = save_lists(job, &diag);
  if (status != BURL_OK) return burl_cli_fail(console, &diag);
  size_t lost = burl_dataset_get_lost(dataset) + stats.failed;
  if (job->pictures) lost += draw_all(job, dataset, &observer);
  return finish(job, values, console, lost,
                burl_dataset_get_count(dataset) + burl_dataset_get_lost(dataset));
}

static void free_job(detect_job *job, size_t count) {
  for (size_t i = 0; job->found && i < count; i++)
    burl_defects_free(job->found[i]);
  for (size_t i = 0; job->kinds && i < count; i++)
    free(job->kinds[i]);
  for (int i = 0; i < LIST_COUNT; i++)
    free(job->lists[i]);
  free(job->found);
  free(job->kinds);
  free(job->extents);
  free(job->list);
  free(job->items);
  if (count > 0) burl_cli_stems_free(job->stems, count);
}

static void take_options(detect_job *job, const cli_values *values) {
  double least = values->option[CLI_MIN_SCORE].real;
  job->folder = values->option[CLI_OUTPUT].text;
  job->top = values->option[CLI_TOP].whole;
  job->mm_per_px = values->option[CLI_MM_PER_PX].real;
  job->pictures = !values->option[CLI_NO_PICTURES].given;
  job->options = burl_detect_default_options();
  job->options.least = least;
  job->options.suppress.method = (burl_suppress_method)values->option[CLI_NMS].choice;
  /* faint defects have outlines at fainter levels */
  double floor = least / 2 < 0.05 ? 0.05 : least / 2;
  if (floor < job->options.proposals.floor) job->options.proposals.floor = floor;
}

int burl_cli_run_detect(const cli_values *values) {
  const cli_value *limit = &values->option[CLI_FAIL_ABOVE];
  if (limit->given && limit->real < values->option[CLI_MIN_SCORE].real)
    return burl_cli_misuse("detect",
                           "--fail-above %g is below --min-score %g: give both, as "
                           "defects between them are not looked for",
                           limit->real, values->option[CLI_MIN_SCORE].real);
  cli_console console;
  burl_cli_console_start(&console, values->option[CLI_QUIET].given);
  burl_observer observer = burl_cli_console_observe(&console);
  burl_diag diag = {0};
  burl_model *model = NULL;
  burl_dataset *dataset = NULL;
  detect_job job = {0};
  take_options(&job, values);
  burl_status status =
      burl_model_load_with(&model, values->operands[0], values->option[CLI_ENCODER].text, &diag);
  if (status == BURL_OK)
    status = burl_dataset_from_paths(&dataset, values->operands + 1, values->operand_count - 1,
                                     &observer, &diag);
  int result = status == BURL_OK ? detect(&job, values, &console, model, dataset)
                                 : burl_cli_fail(&console, &diag);
  free_job(&job, dataset ? burl_dataset_get_count(dataset) : 0);
  burl_dataset_free(dataset);
  burl_model_free(model);
  return result;
}
