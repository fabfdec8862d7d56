/* Pixel metrics over many images.
 *
 * Defect-free pixels, nearly all of them, are kept as bare sort keys (4 bytes); a defect pixel also
 * keeps the size of its region (8 bytes), which is all that the mean overlap per region asks of it.
 * Both go into lists of blocks. Computing copies the blocks into one array each, sorts, and walks
 * down the thresholds.
 */
#include "evaluate/pixel_evaluator.h"

#include "base/memory.h"
#include "base/radix.h"
#include "evaluate/pimo.h"
#include "evaluate/threshold_walk.h"
#include "shape/components.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void store_good(burl_word_list *list, const float *heat, size_t n) {
  for (size_t taken; n > 0; heat += taken, n -= taken) {
    uint32_t *restrict keys = burl_words_take(list, n, &taken);
    for (size_t i = 0; i < taken; i++)
      keys[i] = burl_radix_key(heat[i]);
  }
}

static void store_defect(burl_word_list *list, const float *heat, const uint32_t *labels,
                         const uint32_t *sizes, size_t n) {
  for (size_t i = 0, taken; i < n; i += taken / 2) {
    uint32_t *pairs = burl_words_take(list, 2 * (n - i), &taken);
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

static burl_status reserve_image(burl_pixel_evaluator *self) {
  int grown = burl_grow(&self->images, &self->room, self->count, sizeof *self->images);
  return grown ? BURL_OK : BURL_ERR_MEMORY;
}

static void count_image(burl_pixel_evaluator *self, const burl_pixel_image *image) {
  self->images[self->count++] = *image;
  self->good_count += image->good;
  self->defect_count += image->defect;
  self->regions += image->regions;
}

static burl_status add_mixed(burl_pixel_evaluator *self, const float *heat, const uint8_t *mask,
                             size_t height, size_t width) {
  size_t n = height * width;
  uint32_t *labels = burl_alloc(n, sizeof *labels), *sizes = NULL, regions = 0;
  burl_status status = labels ? BURL_OK : BURL_ERR_MEMORY;
  if (!status) status = measure_regions(labels, &sizes, &regions, mask, height, width);
  if (!status) status = burl_words_reserve(&self->good, sizes[0]);
  if (!status) status = burl_words_reserve(&self->defect, 2 * (n - sizes[0]));
  if (!status) status = reserve_image(self);
  if (!status) {
    store_mixed(self, heat, labels, sizes, n);
    burl_pixel_image image = {
        .good = sizes[0], .defect = (uint32_t)n - sizes[0], .regions = regions};
    count_image(self, &image);
  }
  free(sizes);
  free(labels);
  return status;
}

static burl_status add_good(burl_pixel_evaluator *self, const float *heat, size_t n) {
  burl_status status = burl_words_reserve(&self->good, n);
  if (status == BURL_OK) status = reserve_image(self);
  if (status != BURL_OK) return status;
  store_good(&self->good, heat, n);
  count_image(self, &(burl_pixel_image){.good = (uint32_t)n});
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
  made->pro_limit = 0.3;
  *self = made;
  return BURL_OK;
}

void burl_pixel_evaluator_free(burl_pixel_evaluator *self) {
  if (!self) return;
  burl_words_free(&self->good);
  burl_words_free(&self->defect);
  burl_words_free(&self->saturated);
  free(self->images);
  free(self->sorted);
  free(self);
}

burl_status burl_pixel_evaluator_set_limit(burl_pixel_evaluator *self, double limit) {
  if (!(limit > 0 && limit <= 1)) return BURL_ERR_ARGUMENT;
  self->pro_limit = limit;
  return BURL_OK;
}

burl_status burl_pixel_evaluator_add(burl_pixel_evaluator *self, const float *heat,
                                     const uint8_t *mask, size_t height, size_t width) {
  size_t n;
  if (!burl_size_mul(&n, height, width) || n == 0) return BURL_ERR_SIZE;
  if (n > UINT32_MAX - self->good_count - self->defect_count) return BURL_ERR_SIZE;
  int nan, defect;
  survey(&nan, &defect, heat, mask, n);
  if (nan) return BURL_ERR_NUMERIC;
  if (!defect) return add_good(self, heat, n);
  burl_status status = add_mixed(self, heat, mask, height, width);
  if (status == BURL_OK) self->unsaturated = 1;
  return status;
}

/* The union of the regions, none of which may be empty or wanted beyond its pixels. */
static burl_status unite(uint8_t *mask, uint64_t *kept, const burl_saturated_region *regions,
                         size_t count, size_t n) {
  for (size_t r = 0; r < count; r++) {
    uint64_t pixels = 0;
    for (size_t i = 0; i < n; i++) {
      int set = regions[r].mask[i] != 0;
      pixels += (unsigned)set;
      mask[i] |= (uint8_t)set;
    }
    if (regions[r].saturation < 1 || regions[r].saturation > pixels) return BURL_ERR_ARGUMENT;
    *kept += regions[r].saturation;
  }
  return BURL_OK;
}

/* Of a region only its `saturation` hottest pixels count, a share of 1 / saturation each. */
static void store_saturated(burl_pixel_evaluator *self, const float *heat,
                            const burl_saturated_region *region, uint32_t *keys, size_t n) {
  size_t found = 0, saturation = (size_t)region->saturation;
  for (size_t i = 0; i < n; i++)
    if (region->mask[i]) keys[found++] = burl_radix_key(heat[i]);
  const uint32_t *sorted = burl_radix_sort_keys(keys, keys + n, found);
  for (size_t i = 0, taken; i < saturation; i += taken / 2) {
    uint32_t *pairs = burl_words_take(&self->saturated, 2 * (saturation - i), &taken);
    for (size_t k = 0; k < taken / 2; k++) {
      pairs[2 * k] = sorted[i + k];
      pairs[2 * k + 1] = (uint32_t)saturation;
    }
  }
}

burl_status burl_pixel_evaluator_add_saturated(burl_pixel_evaluator *self, const float *heat,
                                               size_t height, size_t width,
                                               const burl_saturated_region *regions, size_t count) {
  size_t n;
  if (!burl_size_mul(&n, height, width) || n == 0) return BURL_ERR_SIZE;
  if (n > UINT32_MAX - self->good_count - self->defect_count) return BURL_ERR_SIZE;
  uint64_t kept = 0;
  uint8_t *mask = burl_alloc_zero(n, 1);
  uint32_t *keys = burl_alloc(n, 2 * sizeof *keys);
  burl_status status = mask && keys ? unite(mask, &kept, regions, count, n) : BURL_ERR_MEMORY;
  if (!status && kept > UINT32_MAX - self->saturated_count) status = BURL_ERR_SIZE;
  if (!status) status = burl_words_reserve(&self->saturated, 2 * (size_t)kept);
  int before = self->unsaturated;
  if (!status) status = burl_pixel_evaluator_add(self, heat, mask, height, width);
  if (!status) {
    self->unsaturated = before;
    for (size_t r = 0; r < count; r++)
      store_saturated(self, heat, &regions[r], keys, n);
    burl_pixel_image *image = &self->images[self->count - 1];
    image->saturated = (uint32_t)kept;
    image->channels = (uint32_t)count;
    self->saturated_count += kept;
    self->channels += count;
  }
  free(keys);
  free(mask);
  return status;
}

static const burl_radix_pair *sort_pairs(const burl_word_list *list, burl_radix_pair *pairs,
                                         burl_radix_pair *scratch, size_t n) {
  burl_words_gather(&pairs->key, list);
  return burl_radix_sort_pairs(pairs, scratch, n);
}

/* The saturated overlap is a mean of shares of pixels like the plain one, over other pixels. */
static void walk_saturated(burl_pixel_metrics *metrics, const burl_pixel_evaluator *self,
                           burl_sorted_scores sorted, burl_radix_pair *pairs,
                           burl_radix_pair *scratch) {
  burl_pixel_metrics saturated;
  metrics->auspro_030 = metrics->auspro_005 = metrics->auspro = (double)NAN;
  if (self->unsaturated || self->saturated_count == 0) return;
  sorted.defect_count = (size_t)self->saturated_count;
  sorted.defect = sort_pairs(&self->saturated, pairs, scratch, sorted.defect_count);
  sorted.regions = self->channels;
  burl_threshold_walk(&saturated, NULL, 0, &sorted);
  metrics->auspro_030 = saturated.aupro_030;
  metrics->auspro_005 = saturated.aupro_005;
  metrics->auspro = saturated.aupro;
}

static void sort_and_walk(burl_pixel_metrics *metrics, burl_curve_point *curve, size_t points,
                          const burl_pixel_evaluator *self, burl_arena *arena, size_t pairs) {
  size_t goods = (size_t)self->good_count, defects = (size_t)self->defect_count;
  burl_radix_pair *defect = burl_arena_take(arena, pairs, sizeof *defect);
  burl_radix_pair *defect_scratch = burl_arena_take(arena, pairs, sizeof *defect);
  burl_sorted_scores sorted = {
      .good = self->sorted,
      .defect = sort_pairs(&self->defect, defect, defect_scratch, defects),
      .good_count = goods,
      .defect_count = defects,
      .regions = self->regions,
      .pro_limit = self->pro_limit,
  };
  burl_threshold_walk(metrics, curve, points, &sorted);
  walk_saturated(metrics, self, sorted, defect, defect_scratch);
  metrics->pro_limit = self->pro_limit;
  metrics->pixels = self->good_count + self->defect_count;
  metrics->defect_pixels = self->defect_count;
  metrics->regions = self->regions;
}

burl_status burl_pixel_evaluator_sort(burl_pixel_evaluator *self) {
  size_t goods = (size_t)self->good_count;
  if (self->sorted && self->sorted_count == goods) return BURL_OK;
  uint32_t *keys = burl_alloc(goods, sizeof *keys), *scratch = burl_alloc(goods, sizeof *keys);
  if (!keys || !scratch) {
    free(keys);
    free(scratch);
    return BURL_ERR_MEMORY;
  }
  burl_words_gather(keys, &self->good);
  uint32_t *sorted = burl_radix_sort_keys(keys, scratch, goods);
  free(sorted == keys ? scratch : keys);
  free(self->sorted);
  self->sorted = sorted;
  self->sorted_count = goods;
  return BURL_OK;
}

burl_status burl_pixel_evaluator_compute(burl_pixel_evaluator *self, burl_pixel_metrics *metrics,
                                         burl_curve_point *curve, size_t points) {
  if (self->good_count + self->defect_count == 0) return BURL_ERR_DATA;
  if (points == 1) return BURL_ERR_ARGUMENT;
  double aupimo;
  burl_status status = burl_pimo(&aupimo, self);
  if (status == BURL_OK) status = burl_pixel_evaluator_sort(self);
  if (status != BURL_OK) return status;
  burl_arena arena = {0};
  uint64_t most =
      self->defect_count > self->saturated_count ? self->defect_count : self->saturated_count;
  size_t pairs = (size_t)most + 1; /* one, so that there is a pair to point at */
  for (int i = 0; i < 2; i++)
    burl_arena_reserve(&arena, pairs, sizeof(burl_radix_pair));
  if (!burl_arena_open(&arena)) return BURL_ERR_MEMORY;
  sort_and_walk(metrics, curve, points, self, &arena, pairs);
  metrics->aupimo = aupimo;
  burl_arena_close(&arena);
  return BURL_OK;
}
