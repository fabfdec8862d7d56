/* Histograms of the pixels of each image over thresholds chosen from all of them.
 *
 * Scores are counted by the upper 20 bits of their keys (2,048 steps in each octave). Of these
 * steps some hundred become thresholds: where the true positive rate passes equal steps, and where
 * the false positive rate passes steps that are equal on a square-root and on a logarithmic scale.
 * A table from the upper bits to bins then makes a histogram in one read.
 */
#include "evaluate/evidence_parts.h"

#include "base/memory.h"
#include "evaluate/pixel_evaluator.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SHIFT 12
#define STEPS ((size_t)1 << (32 - SHIFT))
#define ENTRIES_WANTED ((size_t)1 << 22) /* of all rows: with very many images bins are fewer */

typedef struct sketch {
  uint32_t *good, *defect; /* (STEPS) pixels */
  uint16_t *bin;           /* (STEPS) */
  double *row;             /* (BURL_ROW_KINDS, BURL_MOST_BINS) of one image */
} sketch;

void burl_rows_free(burl_rows *rows) {
  free(rows->start);
  free(rows->bin);
  free(rows->value);
  *rows = (burl_rows){0};
}

static void count_words(uint32_t *counts, const burl_word_list *list, size_t step) {
  for (const burl_word_block *b = list->first; b && b->used; b = b->next)
    for (size_t i = 0; i < b->used; i += step)
      counts[b->words[i] >> SHIFT]++;
}

/* Marks in `cut` the steps at which the count from above reaches each of the rising targets. */
static void cut_at(uint16_t *cut, const uint32_t *counts, const double *targets, size_t n) {
  double sum = 0;
  size_t next = 0;
  for (size_t step = STEPS; step-- > 0 && next < n;) {
    if (counts[step] == 0) continue;
    sum += (double)counts[step];
    if (sum < targets[next]) continue;
    cut[step] = 1;
    while (next < n && targets[next] <= sum)
      next++;
  }
}

static size_t choose_bins(sketch *s, const burl_pixel_evaluator *evaluator) {
  size_t most = ENTRIES_WANTED / (evaluator->count + 1);
  most = most > BURL_MOST_BINS ? BURL_MOST_BINS : most < 64 ? 64 : most;
  size_t n = (most - 1) / 3;
  double targets[BURL_MOST_BINS];
  memset(s->bin, 0, STEPS * sizeof *s->bin);
  for (size_t i = 0; i < n; i++)
    targets[i] = (double)evaluator->defect_count * (double)(i + 1) / (double)n;
  cut_at(s->bin, s->defect, targets, n);
  for (size_t i = 0; i < n; i++)
    targets[i] = (double)evaluator->good_count * pow((double)(i + 1) / (double)n, 2);
  cut_at(s->bin, s->good, targets, n);
  for (size_t i = 0; i < n; i++)
    targets[i] = (double)evaluator->good_count * pow(1e-6, 1 - (double)(i + 1) / (double)n);
  cut_at(s->bin, s->good, targets, n);
  uint16_t bin = 0;
  for (size_t step = STEPS; step-- > 0;) {
    int last = s->bin[step]; /* the bin ends with this step */
    s->bin[step] = bin;
    if (last) bin++;
  }
  return (size_t)bin + 1;
}

static void add_good(double *row, const uint16_t *bin, burl_word_place *place, size_t n) {
  uint32_t counts[BURL_MOST_BINS] = {0};
  for (size_t got; n > 0; n -= got) {
    const uint32_t *keys = burl_words_next(place, n, &got);
    for (size_t i = 0; i < got; i++)
      counts[bin[keys[i] >> SHIFT]]++;
  }
  for (size_t i = 0; i < BURL_MOST_BINS; i++)
    row[i] = (double)counts[i];
}

/* Pairs of a key and a size, each a share 1/size; pixels (may be NULL) are counted as well. */
static void add_pairs(double *pixels, double *shares, const uint16_t *bin, burl_word_place *place,
                      size_t n) {
  for (size_t left = 2 * n, got; left > 0; left -= got) {
    const uint32_t *pairs = burl_words_next(place, left, &got);
    for (size_t i = 0; i < got; i += 2) {
      uint16_t b = bin[pairs[i] >> SHIFT];
      if (pixels) pixels[b]++;
      shares[b] += 1.0 / (double)pairs[i + 1];
    }
  }
}

static burl_status append(burl_rows *rows, const double *row, size_t bins) {
  if (rows->room - rows->count < bins) {
    size_t room = rows->room ? 2 * rows->room : 64 * BURL_MOST_BINS;
    uint16_t *bin = burl_alloc(room, sizeof *bin);
    float *value = burl_alloc(room, sizeof *value);
    if (!bin || !value) {
      free(bin);
      free(value);
      return BURL_ERR_MEMORY;
    }
    if (rows->count) {
      memcpy(bin, rows->bin, rows->count * sizeof *bin);
      memcpy(value, rows->value, rows->count * sizeof *value);
    }
    free(rows->bin);
    free(rows->value);
    rows->bin = bin;
    rows->value = value;
    rows->room = room;
  }
  for (size_t i = 0; i < bins; i++) {
    if (row[i] == 0) continue;
    rows->bin[rows->count] = (uint16_t)i;
    rows->value[rows->count++] = (float)row[i];
  }
  return BURL_OK;
}

static burl_status fill(burl_evidence *self, sketch *s, const burl_pixel_evaluator *evaluator) {
  burl_word_place good = {.block = evaluator->good.first};
  burl_word_place defect = {.block = evaluator->defect.first};
  burl_word_place saturated = {.block = evaluator->saturated.first};
  burl_status status = BURL_OK;
  for (size_t i = 0; status == BURL_OK && i < evaluator->count; i++) {
    const burl_pixel_image *image = &evaluator->images[i];
    double *rows[BURL_ROW_KINDS];
    memset(s->row, 0, BURL_ROW_KINDS * BURL_MOST_BINS * sizeof *s->row);
    for (int k = 0; k < BURL_ROW_KINDS; k++)
      rows[k] = s->row + k * BURL_MOST_BINS;
    add_good(rows[BURL_ROWS_GOOD], s->bin, &good, image->good);
    add_pairs(rows[BURL_ROWS_DEFECT], rows[BURL_ROWS_SHARE], s->bin, &defect, image->defect);
    add_pairs(NULL, rows[BURL_ROWS_SATURATED], s->bin, &saturated, image->saturated);
    self->totals[i] =
        (burl_row_totals){image->good, image->defect, image->regions, image->channels};
    for (int k = 0; status == BURL_OK && k < BURL_ROW_KINDS; k++) {
      status = append(&self->rows[k], rows[k], self->bins);
      self->rows[k].start[i + 1] = (uint32_t)self->rows[k].count;
    }
  }
  return status;
}

burl_status burl_evidence_take_rows(burl_evidence *self, const burl_pixel_evaluator *evaluator) {
  sketch s = {.good = burl_alloc_zero(STEPS, sizeof *s.good),
              .defect = burl_alloc_zero(STEPS, sizeof *s.defect),
              .bin = burl_alloc(STEPS, sizeof *s.bin),
              .row = burl_alloc(BURL_ROW_KINDS * BURL_MOST_BINS, sizeof *s.row)};
  self->totals = burl_alloc(evaluator->count, sizeof *self->totals);
  int fits = s.good && s.defect && s.bin && s.row && self->totals;
  for (int i = 0; i < BURL_ROW_KINDS; i++) {
    self->rows[i].start = burl_alloc_zero(evaluator->count + 1, sizeof *self->rows[i].start);
    fits = fits && self->rows[i].start;
  }
  burl_status status = fits ? BURL_OK : BURL_ERR_MEMORY;
  if (status == BURL_OK) {
    count_words(s.good, &evaluator->good, 1);
    count_words(s.defect, &evaluator->defect, 2);
    self->bins = choose_bins(&s, evaluator);
    status = fill(self, &s, evaluator);
    self->row_count = evaluator->count;
  }
  free(s.good);
  free(s.defect);
  free(s.bin);
  free(s.row);
  return status;
}
