/* A bank fitted to embeddings from one file and asked about those of another, for experiments with
 * features that this library does not compute itself.
 *
 *   bank_npy TRAIN.npy TEST.npy DISTANCES.npy [patches=N] [NAME=VALUE ...]
 *
 * Files hold float32 (n,d) in row order, as numpy writes them. The bank is learned from N patches
 * (48,000 unless told) chosen at random, in random order, with the settings of burl_settings_set;
 * their seed chooses the patches too. DISTANCES (n) are those of burl_bank_score. Prints one JSON
 * object: prototypes kept, patches, seconds of fitting and of scoring. */
#include "bench/timing.h"

#include "base/memory.h"
#include "base/random.h"
#include <burl/prototype.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATCHES 48000
#define ROWS 4096 /* scored at once */

_Noreturn static void fail(const char *what, const char *why) {
  fprintf(stderr, "bank_npy: %s: %s\n", what, why);
  exit(1);
}

static void *need(void *pointer) {
  if (!pointer) fail("memory", "not enough of it");
  return pointer;
}

typedef struct array {
  const char *path;
  FILE *file;
  long start; /* where the numbers begin */
  size_t n, d;
} array;

/* Opens a file of version 1, 2 or 3 of numpy's format. */
static array open_array(const char *path) {
  array a = {.path = path, .file = fopen(path, "rb")};
  unsigned char lead[12] = {0};
  char header[4096] = "";
  if (!a.file) fail(path, "cannot be opened");
  if (fread(lead, 1, 10, a.file) != 10 || memcmp(lead, "\x93NUMPY", 6) != 0)
    fail(path, "is not of numpy's format");
  size_t length = lead[8] + 256u * lead[9];
  if (lead[6] > 1 && fread(lead + 10, 1, 2, a.file) != 2) fail(path, "ends early");
  if (length >= sizeof header || fread(header, 1, length, a.file) != length)
    fail(path, "has a header of an unexpected length");
  const char *shape = strstr(header, "'shape': (");
  if (!strstr(header, "'<f4'") || !strstr(header, "'fortran_order': False") || !shape ||
      sscanf(shape, "'shape': (%zu, %zu)", &a.n, &a.d) != 2 || a.n == 0 || a.d == 0)
    fail(path, "does not hold float32 (n,d) in row order");
  a.start = ftell(a.file);
  return a;
}

static void read_rows(float *rows, const array *a, size_t first, size_t count) {
  if (fseek(a->file, a->start + (long)(first * a->d * sizeof *rows), SEEK_SET) != 0 ||
      fread(rows, a->d * sizeof *rows, count, a->file) != count)
    fail(a->path, "ends early");
}

/* The first *count of a random order of all rows. */
static float *read_sample(const array *a, size_t *count, uint64_t seed) {
  if (*count > a->n) *count = a->n;
  size_t *order = need(burl_alloc(a->n, sizeof *order));
  float *sample = need(burl_alloc(*count * a->d, sizeof *sample));
  burl_random random = burl_random_start(seed, 0);
  for (size_t i = 0; i < a->n; i++)
    order[i] = i;
  for (size_t i = 0; i < *count; i++) {
    size_t j = i + burl_random_below(&random, a->n - i), row = order[j];
    order[j] = order[i];
    read_rows(sample + i * a->d, a, row, 1);
  }
  free(order);
  return sample;
}

static void write_distances(const char *path, const burl_bank *bank, const array *test) {
  FILE *file = fopen(path, "wb");
  char header[118];
  float *rows = need(burl_alloc(ROWS * test->d, sizeof *rows));
  float *distance = need(burl_alloc(ROWS, sizeof *distance));
  if (!file) fail(path, "cannot be written");
  int length = snprintf(header, sizeof header,
                        "{'descr': '<f4', 'fortran_order': False, 'shape': (%zu,), }", test->n);
  int good = fwrite("\x93NUMPY\x01\x00\x76\x00", 1, 10, file) == 10 &&
             fprintf(file, "%s%*s\n", header, 117 - length, "") == 118;
  for (size_t i = 0; i < test->n && good; i += ROWS) {
    size_t count = test->n - i < ROWS ? test->n - i : ROWS;
    read_rows(rows, test, i, count);
    burl_bank_score(bank, distance, NULL, rows, NULL, count);
    good = fwrite(distance, sizeof *distance, count, file) == count;
  }
  if (fclose(file) != 0 || !good) fail(path, "could not be written whole");
  free(rows);
  free(distance);
}

static burl_bank_options read_settings(char **words, int count, size_t *patches) {
  burl_bank_options options = burl_bank_default_options();
  burl_diag diag = {0};
  for (int i = 0; i < count; i++) {
    char *value = strchr(words[i], '=');
    if (!value) fail(words[i], "is not NAME=VALUE");
    *value++ = '\0';
    if (strcmp(words[i], "patches") == 0)
      *patches = (size_t)strtoull(value, NULL, 10);
    else if (burl_settings_set(&options, words[i], value, &diag) != BURL_OK)
      fail(words[i], diag.reason);
  }
  if (*patches == 0) fail("patches", "is not a number above 0");
  return options;
}

int main(int argc, char **argv) {
  if (argc < 4) fail("usage", "bank_npy TRAIN TEST DISTANCES [patches=N] [NAME=VALUE ...]");
  size_t count = PATCHES;
  burl_bank_options options = read_settings(argv + 4, argc - 4, &count);
  array train = open_array(argv[1]), test = open_array(argv[2]);
  if (train.d != test.d) fail(argv[2], "has embeddings of another dimension");
  float *sample = read_sample(&train, &count, options.seed);
  burl_bank *bank = NULL;
  double began = timing_now();
  burl_status status = burl_bank_fit(&bank, sample, NULL, count, train.d, &options);
  double fitted = timing_now();
  if (status != BURL_OK) fail(argv[1], burl_status_get_text(status));
  write_distances(argv[3], bank, &test);
  printf("{\"prototypes\": %zu, \"patches\": %zu, \"fit_s\": %.3f, \"score_s\": %.3f}\n",
         burl_bank_get_count(bank), count, fitted - began, timing_now() - fitted);
  burl_bank_free(bank);
  free(sample);
  fclose(train.file);
  fclose(test.file);
  return 0;
}
