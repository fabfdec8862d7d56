/* Names of outputs. Everything that can be known before the work starts is found out before. */
#include "cli_paths.h"

#include "cli_console.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *burl_cli_join(const char *folder, const char *name, const char *suffix) {
  size_t n = strlen(folder), room = n + strlen(name) + strlen(suffix) + 2;
  const char *slash = n > 0 && folder[n - 1] == '/' ? "" : "/";
  char *path = malloc(room);
  if (path) snprintf(path, room, "%s%s%s%s", folder, slash, name, suffix);
  return path;
}

int burl_cli_exists(const char *path) {
  struct stat st;
  return lstat(path, &st) == 0;
}

static burl_status fail_errno(burl_diag *diag, const char *path, const char *what) {
  char text[128];
  const char *why = strerror_r(errno, text, sizeof text) == 0 ? text : "unknown reason";
  return burl_cli_diagnose(diag, BURL_ERR_IO, path, "Name another place for the output.", "%s: %s",
                           what, why);
}

static int make_folder(const char *path) {
  struct stat st;
  if (mkdir(path, 0777) == 0) return 1;
  if (errno != EEXIST) return 0;
  if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) return 1;
  errno = ENOTDIR;
  return 0;
}

burl_status burl_cli_make_folder(const char *path, burl_diag *diag) {
  char *part = burl_cli_join(path, "", "");
  if (!part) return burl_cli_no_memory(diag);
  int good = 1;
  for (char *c = part + 1; good && *c; c++) {
    if (*c != '/') continue;
    *c = '\0';
    good = make_folder(part);
    *c = '/';
  }
  if (good) good = access(path, W_OK | X_OK) == 0;
  free(part);
  return good ? BURL_OK : fail_errno(diag, path, "the output folder cannot be used");
}

/* The nearest folder above a file that is not there yet must take new files. */
static int parent_takes_files(char *part) {
  for (;;) {
    char *slash = strrchr(part, '/');
    if (!slash) return access(".", W_OK | X_OK) == 0;
    if (slash == part) return access("/", W_OK | X_OK) == 0;
    *slash = '\0';
    struct stat st;
    if (stat(part, &st) == 0) {
      if (S_ISDIR(st.st_mode)) return access(part, W_OK | X_OK) == 0;
      errno = ENOTDIR;
      return 0;
    }
    if (errno != ENOENT) return 0;
  }
}

burl_status burl_cli_check_file(const char *path, burl_diag *diag) {
  struct stat st;
  if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
    return burl_cli_diagnose(diag, BURL_ERR_IO, path, "Name a file.", "cannot be written: it is %s",
                             S_ISDIR(st.st_mode) ? "a folder" : "not a regular file");
  if (path[strlen(path) - 1] == '/')
    return burl_cli_diagnose(diag, BURL_ERR_IO, path, "Name a file.",
                             "cannot be written: it ends in / like a folder");
  char *part = burl_cli_join(path, "", "");
  if (!part) return burl_cli_no_memory(diag);
  part[strlen(path)] = '\0';
  int good = parent_takes_files(part);
  free(part);
  return good ? BURL_OK : fail_errno(diag, path, "cannot be written");
}

static int by_file(const void *a, const void *b) {
  const struct cli_file *p = a, *q = b;
  if (p->device != q->device) return p->device < q->device ? -1 : 1;
  return (p->inode > q->inode) - (p->inode < q->inode);
}

static void add_input(cli_inputs *self, const char *path) {
  struct stat st;
  if (!path || stat(path, &st) != 0 || !S_ISREG(st.st_mode)) return;
  self->files[self->count++] = (struct cli_file){.device = st.st_dev, .inode = st.st_ino};
}

burl_status burl_cli_inputs_collect(cli_inputs *self, const burl_dataset *dataset,
                                    const char *const *more, size_t more_count, burl_diag *diag) {
  size_t items = dataset ? burl_dataset_get_count(dataset) : 0;
  self->count = 0;
  self->files = calloc(2 * items + more_count + 1, sizeof *self->files);
  if (!self->files) return burl_cli_no_memory(diag);
  for (size_t i = 0; i < items; i++) {
    const burl_item *item = burl_dataset_get_item(dataset, i);
    add_input(self, item->path);
    add_input(self, item->mask);
  }
  for (size_t i = 0; i < more_count; i++)
    add_input(self, more[i]);
  qsort(self->files, self->count, sizeof *self->files, by_file);
  return BURL_OK;
}

void burl_cli_inputs_free(cli_inputs *self) {
  free(self->files);
  *self = (cli_inputs){0};
}

burl_status burl_cli_inputs_protect(const cli_inputs *self, const char *path, burl_diag *diag) {
  struct stat st;
  if (stat(path, &st) != 0) return BURL_OK;
  struct cli_file file = {.device = st.st_dev, .inode = st.st_ino};
  if (!bsearch(&file, self->files, self->count, sizeof file, by_file)) return BURL_OK;
  return burl_cli_diagnose(diag, BURL_ERR_ARGUMENT, path, "Name another place for the output.",
                           "is read by this command and would be overwritten");
}

burl_status burl_cli_inputs_protect_made(const cli_inputs *self, char *path, burl_diag *diag) {
  burl_status status = path ? burl_cli_inputs_protect(self, path, diag) : burl_cli_no_memory(diag);
  free(path);
  return status;
}

burl_status burl_cli_protect_weights(const char *encoders, const char *path, burl_diag *diag) {
  burl_status status = BURL_OK;
  for (const char *at = encoders; at && *at && status == BURL_OK;) {
    char file[4096];
    size_t n = strcspn(at, ",");
    const char *colon = memchr(at, ':', n);
    size_t length = colon ? n - (size_t)(colon + 1 - at) : 0;
    if (length > 0 && length < sizeof file) {
      cli_inputs inputs = {0};
      const char *const name = file;
      memcpy(file, colon + 1, length);
      file[length] = '\0';
      status = burl_cli_inputs_collect(&inputs, NULL, &name, 1, diag);
      if (status == BURL_OK) status = burl_cli_inputs_protect(&inputs, path, diag);
      burl_cli_inputs_free(&inputs);
    }
    at += n + (at[n] == ',');
  }
  return status;
}

/* A set of names by open addressing; the names belong to others. */
typedef struct name_set {
  const char **slots;
  size_t mask;
} name_set;

/* 1 if the name was not there before. */
static int add_name(name_set *set, const char *name) {
  uint64_t hash = 14695981039346656037u; /* FNV-1a */
  for (const char *c = name; *c; c++)
    hash = (hash ^ (unsigned char)*c) * 1099511628211u;
  size_t slot = (size_t)hash & set->mask;
  while (set->slots[slot]) {
    if (strcmp(set->slots[slot], name) == 0) return 0;
    slot = (slot + 1) & set->mask;
  }
  set->slots[slot] = name;
  return 1;
}

static char *new_stem(name_set *set, const char *name) {
  size_t room = strlen(name) + 24;
  char *stem = malloc(room);
  if (!stem) return NULL;
  snprintf(stem, room, "%s", name);
  char *dot = strrchr(stem, '.');
  if (dot && !strchr(dot, '/')) *dot = '\0';
  if (add_name(set, stem)) return stem;
  snprintf(stem, room, "%s", name);
  for (size_t i = 2; !add_name(set, stem); i++)
    snprintf(stem, room, "%s-%zu", name, i);
  return stem;
}

burl_status burl_cli_stems_new(char ***stems, const burl_dataset *dataset, burl_diag *diag) {
  size_t count = burl_dataset_get_count(dataset), slots = 16;
  while (slots < 2 * count)
    slots *= 2;
  name_set set = {.slots = calloc(slots, sizeof *set.slots), .mask = slots - 1};
  char **made = calloc(count + 1, sizeof *made);
  int good = set.slots && made;
  for (size_t i = 0; good && i < count; i++)
    good = (made[i] = new_stem(&set, burl_dataset_get_item(dataset, i)->name)) != NULL;
  free(set.slots);
  if (!good) {
    burl_cli_stems_free(made, count);
    return burl_cli_no_memory(diag);
  }
  *stems = made;
  return BURL_OK;
}

void burl_cli_stems_free(char **stems, size_t count) {
  for (size_t i = 0; stems && i < count; i++)
    free(stems[i]);
  free(stems);
}

size_t burl_cli_count_training(const burl_dataset *dataset) {
  size_t count = 0;
  for (size_t i = 0; i < burl_dataset_get_count(dataset); i++) {
    const burl_item *item = burl_dataset_get_item(dataset, i);
    count += item->split == BURL_SPLIT_TRAIN && !item->defective;
  }
  return count;
}

burl_status burl_cli_check_training(const burl_dataset *dataset, const char *data,
                                    burl_diag *diag) {
  if (burl_cli_count_training(dataset) > 0) return BURL_OK;
  return burl_cli_diagnose(diag, BURL_ERR_DATA, data,
                           "Put them in train/good, or name them in a CSV list.",
                           "has no good training images to learn from");
}
