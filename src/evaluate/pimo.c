/* AUPIMO (Bertoldo, Ameln, Vaidya, Akcay, AUPIMO: Redefining Visual Anomaly Detection Benchmarks
 * with High Speed and Low Tolerance, 2024), exact.
 *
 * The false positive rate F(t) is the mean over the good images of their share of pixels with a
 * score >= t. At a rate x the lowest threshold with F(t) <= x is taken, so a pixel of score s is
 * found from x = F(s) on, and what it adds to the integral over log x is known in closed form: no
 * curve is needed. Only the hottest ten-thousandth of the good pixels can matter; a histogram over
 * the upper half of the keys says where it begins.
 */
#include "evaluate/pimo.h"

#include "base/memory.h"
#include "base/radix.h"

#include <math.h>
#include <stdlib.h>

#define COARSE ((size_t)1 << 16)

typedef struct hot_pixels {
  const burl_radix_pair *pairs; /* falling keys; payload: pixels of the image */
  double *share;                /* (count+1) of a defect pixel with i good ones at or above it */
  size_t count;
  uint32_t least; /* colder good pixels are not in; a rate above the limit is reached with those */
} hot_pixels;

double burl_pimo_share(double rate) {
  if (rate <= BURL_PIMO_LOW) return 1;
  if (rate >= BURL_PIMO_HIGH) return 0;
  return log(BURL_PIMO_HIGH / rate) / log(BURL_PIMO_HIGH / BURL_PIMO_LOW);
}

static size_t count_good_images(const burl_pixel_evaluator *self) {
  size_t count = 0;
  for (size_t i = 0; i < self->count; i++)
    count += self->images[i].defect == 0;
  return count;
}

/* Calls `take` with each stretch of the keys of good images; `n` is the image's pixels. */
static void visit_good(const burl_pixel_evaluator *self, void *context,
                       void (*take)(void *context, const uint32_t *keys, size_t count,
                                    uint32_t n)) {
  burl_word_place place = {.block = self->good.first};
  for (size_t i = 0; i < self->count; i++) {
    uint32_t n = self->images[i].good;
    for (size_t left = n, got; left > 0; left -= got) {
      const uint32_t *keys = burl_words_next(&place, left, &got);
      if (self->images[i].defect == 0) take(context, keys, got, n);
    }
  }
}

static void add_coarse(void *context, const uint32_t *keys, size_t count, uint32_t n) {
  double *coarse = context, weight = 1.0 / (double)n;
  for (size_t i = 0; i < count; i++)
    coarse[keys[i] >> 16] += weight;
}

/* The least key such that the keys from it on weigh more than `most`, rounded down. */
static uint32_t find_least(const double *coarse, double most) {
  double sum = 0;
  size_t bin = COARSE;
  while (bin > 0 && sum <= most)
    sum += coarse[--bin];
  return (uint32_t)bin << 16;
}

typedef struct gathering {
  burl_radix_pair *pairs; /* NULL: count only */
  size_t count;
  uint32_t least;
} gathering;

static void gather_hot(void *context, const uint32_t *keys, size_t count, uint32_t n) {
  gathering *g = context;
  for (size_t i = 0; i < count; i++) {
    if (keys[i] < g->least) continue;
    if (g->pairs) g->pairs[g->count] = (burl_radix_pair){.key = keys[i], .payload = n};
    g->count++;
  }
}

static burl_status find_hot(hot_pixels *hot, const burl_pixel_evaluator *self, size_t images,
                            burl_arena *arena) {
  double *coarse = burl_alloc_zero(COARSE, sizeof *coarse);
  if (!coarse) return BURL_ERR_MEMORY;
  visit_good(self, coarse, add_coarse);
  /* a little more than asked for, so that no rounding can leave a pixel out */
  gathering g = {.least = find_least(coarse, 1.001 * BURL_PIMO_HIGH * (double)images)};
  free(coarse);
  visit_good(self, &g, gather_hot);
  size_t count = g.count;
  burl_arena_reserve(arena, count, sizeof *g.pairs);
  burl_arena_reserve(arena, count, sizeof *g.pairs);
  burl_arena_reserve(arena, count + 1, sizeof *hot->share);
  if (!burl_arena_open(arena)) return BURL_ERR_MEMORY;
  g.pairs = burl_arena_take(arena, count, sizeof *g.pairs);
  burl_radix_pair *scratch = burl_arena_take(arena, count, sizeof *g.pairs);
  hot->share = burl_arena_take(arena, count + 1, sizeof *hot->share);
  g.count = 0;
  visit_good(self, &g, gather_hot);
  hot->pairs = burl_radix_sort_pairs(g.pairs, scratch, count);
  hot->count = count;
  hot->least = g.least;
  double sum = 0;
  hot->share[0] = 1;
  for (size_t i = 0; i < count; i++) {
    sum += 1.0 / (double)hot->pairs[i].payload;
    hot->share[i + 1] = burl_pimo_share(sum / (double)images);
  }
  return BURL_OK;
}

static double share_of(const hot_pixels *hot, uint32_t key) {
  if (key < hot->least) return 0;
  size_t low = 0, high = hot->count; /* the first pair below the key */
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (hot->pairs[middle].key >= key)
      low = middle + 1;
    else
      high = middle;
  }
  return hot->share[low];
}

static double mean_over_images(const hot_pixels *hot, const burl_pixel_evaluator *self) {
  burl_word_place place = {.block = self->defect.first};
  double total = 0;
  size_t images = 0;
  for (size_t i = 0; i < self->count; i++) {
    size_t n = self->images[i].defect, got;
    double sum = 0;
    for (size_t left = 2 * n; left > 0; left -= got) {
      const uint32_t *pairs = burl_words_next(&place, left, &got);
      for (size_t k = 0; k < got; k += 2)
        sum += share_of(hot, pairs[k]);
    }
    if (n > 0) total += sum / (double)n;
    images += n > 0;
  }
  return total / (double)images;
}

burl_status burl_pimo(double *aupimo, const burl_pixel_evaluator *self) {
  size_t images = count_good_images(self);
  *aupimo = (double)NAN;
  if (images == 0 || images == self->count) return BURL_OK;
  burl_arena arena = {0};
  hot_pixels hot;
  burl_status status = find_hot(&hot, self, images, &arena);
  if (status == BURL_OK) *aupimo = mean_over_images(&hot, self);
  burl_arena_close(&arena);
  return status;
}
