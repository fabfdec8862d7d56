/* Pixel metrics over many images.
 *
 * Defect-free pixels, nearly all of them, are kept as bare sort keys (4 bytes); a defect pixel also
 * keeps the size of its region (8 bytes), which is all that the mean overlap per region asks of it.
 * Both go into lists of blocks of a fixed size, so that memory grows with the pixels and never
 * doubles for a moment. Computing copies the blocks into one array each, sorts, and walks down the
 * thresholds.
 */
#include "base/memory.h"
#include "evaluate/radix.h"
#include "evaluate/threshold_walk.h"
#include "shape/components.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_WORDS ((size_t)1 << 18)

typedef struct block {
  struct block *next;
  size_t used; /* words */
  uint32_t words[BLOCK_WORDS];
} block;

/* Words are written into `current`; the blocks behind it are empty. */
typedef struct block_list {
  block *first, *current, *last;
  size_t used, room; /* words, over all blocks */
} block_list;

struct burl_pixel_evaluator {
  block_list good;   /* keys */
  block_list defect; /* burl_radix_pair: key, pixels of the region */
  uint64_t good_count, defect_count;
  size_t regions;
};

static void free_blocks(block_list *list) {
  for (block *next, *b = list->first; b; b = next) {
    next = b->next;
    free(b);
  }
}

/* Makes room for n more words. On failure the list may have more room, but the same content. */
static burl_status reserve(block_list *list, size_t n) {
  while (list->room < n) {
    block *b = burl_alloc(1, sizeof *b);
    if (!b) return BURL_ERR_MEMORY;
    b->next = NULL;
    b->used = 0;
    if (list->last)
      list->last->next = b;
    else
      list->first = list->current = b;
    list->last = b;
    list->room += BLOCK_WORDS;
  }
  return BURL_OK;
}

/* Takes at most `wanted` reserved words that lie together, at least one, and says how many. */
static uint32_t *take(block_list *list, size_t wanted, size_t *taken) {
  if (list->current->used == BLOCK_WORDS) list->current = list->current->next;
  block *b = list->current;
  *taken = wanted < BLOCK_WORDS - b->used ? wanted : BLOCK_WORDS - b->used;
  uint32_t *words = b->words + b->used;
  b->used += *taken;
  list->used += *taken;
  list->room -= *taken;
  return words;
}

static void store_good(block_list *list, const float *heat, size_t n) {
  for (size_t taken; n > 0; heat += taken, n -= taken) {
    uint32_t *restrict keys = take(list, n, &taken);
    for (size_t i = 0; i < taken; i++)
      keys[i] = burl_radix_key(heat[i]);
  }
}

static void store_defect(block_list *list, const float *heat, const uint32_t *labels,
                         const uint32_t *sizes, size_t n) {
  for (size_t i = 0, taken; i < n; i += taken / 2) {
    uint32_t *pairs = take(list, 2 * (n - i), &taken);
    for (size_t k = 0; k < taken / 2; k++) {
      pairs[2 * k] = burl_radix_key(heat[i + k]);
      pairs[2 * k + 1] = sizes[labels[i + k]];
    }
  }
}

/* Stores an image with defects, stretch by stretch of defect-free and of defect pixels. */
static void store_mixed(burl_pixel_evaluator *self, const float *heat, const uint32_t *labels,
                        const uint32_t *sizes, size_t n) {
  for (size_t begin = 0, end; begin < n; begin = end) {
    int defect = labels[begin] != 0;
    for (end = begin + 1; end < n && (labels[end] != 0) == defect;)
      end++;
    if (defect)
      store_defect(&self->defect, heat + begin, labels + begin, sizes, end - begin);
    else
      store_good(&self->good, heat + begin, end - begin);
  }
}

/* Labels the regions and allocates the table of their sizes, at which sizes[0] has no meaning. */
static burl_status measure_regions(uint32_t *labels, uint32_t **sizes, uint32_t *regions,
                                   const uint8_t *mask, size_t height, size_t width) {
  burl_status status = burl_components(labels, regions, mask, height, width);
  if (status != BURL_OK) return status;
  *sizes = burl_alloc_zero((size_t)*regions + 1, sizeof **sizes);
  if (!*sizes) return BURL_ERR_MEMORY;
  for (size_t i = 0; i < height * width; i++)
    (*sizes)[labels[i]]++;
  return BURL_OK;
}

static burl_status add_mixed(burl_pixel_evaluator *self, const float *heat, const uint8_t *mask,
                             size_t height, size_t width) {
  size_t n = height * width;
  uint32_t *labels = burl_alloc(n, sizeof *labels), *sizes = NULL, regions = 0;
  burl_status status = labels ? BURL_OK : BURL_ERR_MEMORY;
  if (!status) status = measure_regions(labels, &sizes, &regions, mask, height, width);
  if (!status) status = reserve(&self->good, sizes[0]);
  if (!status) status = reserve(&self->defect, 2 * (n - sizes[0]));
  if (!status) {
    store_mixed(self, heat, labels, sizes, n);
    self->good_count += sizes[0];
    self->defect_count += n - sizes[0];
    self->regions += regions;
  }
  free(sizes);
  free(labels);
  return status;
}

static burl_status add_good(burl_pixel_evaluator *self, const float *heat, size_t n) {
  burl_status status = reserve(&self->good, n);
  if (status != BURL_OK) return status;
  store_good(&self->good, heat, n);
  self->good_count += n;
  return BURL_OK;
}

/* What there is in an image of n pixels, in one read without branches. */
static void survey(int *nan, int *defect, const float *heat, const uint8_t *mask, size_t n) {
  int any_nan = 0, any_set = 0;
  for (size_t i = 0; i < n; i++) {
    any_nan |= isnan(heat[i]) != 0;
    any_set |= mask[i];
  }
  *nan = any_nan;
  *defect = any_set != 0;
}

burl_status burl_pixel_evaluator_new(burl_pixel_evaluator **self) {
  burl_pixel_evaluator *made = burl_alloc_zero(1, sizeof *made);
  if (!made) return BURL_ERR_MEMORY;
  *self = made;
  return BURL_OK;
}

void burl_pixel_evaluator_free(burl_pixel_evaluator *self) {
  if (!self) return;
  free_blocks(&self->good);
  free_blocks(&self->defect);
  free(self);
}

burl_status burl_pixel_evaluator_add(burl_pixel_evaluator *self, const float *heat,
                                     const uint8_t *mask, size_t height, size_t width) {
  size_t n;
  if (!burl_size_mul(&n, height, width) || n == 0) return BURL_ERR_SIZE;
  if (n > UINT32_MAX - self->good_count - self->defect_count) return BURL_ERR_SIZE;
  int nan, defect;
  survey(&nan, &defect, heat, mask, n);
  if (nan) return BURL_ERR_NUMERIC;
  return defect ? add_mixed(self, heat, mask, height, width) : add_good(self, heat, n);
}

static void gather(void *words, const block_list *list) {
  unsigned char *to = words;
  for (const block *b = list->first; b && b->used; b = b->next) {
    memcpy(to, b->words, b->used * sizeof *b->words);
    to += b->used * sizeof *b->words;
  }
}

static void sort_and_walk(burl_pixel_metrics *metrics, burl_curve_point *curve, size_t points,
                          const burl_pixel_evaluator *self, burl_arena *arena) {
  size_t goods = (size_t)self->good_count, defects = (size_t)self->defect_count;
  uint32_t *good = burl_arena_take(arena, goods, sizeof *good);
  uint32_t *good_scratch = burl_arena_take(arena, goods, sizeof *good);
  burl_radix_pair *defect = burl_arena_take(arena, defects, sizeof *defect);
  burl_radix_pair *defect_scratch = burl_arena_take(arena, defects, sizeof *defect);
  gather(good, &self->good);
  gather(defect, &self->defect);
  burl_sorted_scores sorted = {.good = burl_radix_sort_keys(good, good_scratch, goods),
                               .defect = burl_radix_sort_pairs(defect, defect_scratch, defects),
                               .good_count = goods,
                               .defect_count = defects,
                               .regions = self->regions};
  burl_threshold_walk(metrics, curve, points, &sorted);
  metrics->pixels = self->good_count + self->defect_count;
  metrics->defect_pixels = self->defect_count;
  metrics->regions = self->regions;
}

burl_status burl_pixel_evaluator_compute(const burl_pixel_evaluator *self,
                                         burl_pixel_metrics *metrics, burl_curve_point *curve,
                                         size_t points) {
  if (self->good_count + self->defect_count == 0) return BURL_ERR_DATA;
  if (points == 1) return BURL_ERR_ARGUMENT;
  burl_arena arena = {0};
  for (int i = 0; i < 2; i++) {
    burl_arena_reserve(&arena, (size_t)self->good_count, sizeof(uint32_t));
    burl_arena_reserve(&arena, (size_t)self->defect_count, sizeof(burl_radix_pair));
  }
  if (!burl_arena_open(&arena)) return BURL_ERR_MEMORY;
  sort_and_walk(metrics, curve, points, self, &arena);
  burl_arena_close(&arena);
  return BURL_OK;
}
