/* Metrics of one score an item: good and defective scores apart, two sorts, one walk. */
#include "base/memory.h"
#include "base/radix.h"
#include "evaluate/threshold_walk.h"

#include <math.h>

static int any_nan(const float *scores, size_t n) {
  int found = 0;
  for (size_t i = 0; i < n; i++)
    found |= isnan(scores[i]) != 0;
  return found;
}

static size_t count_defects(const uint8_t *labels, size_t n) {
  size_t count = 0;
  for (size_t i = 0; i < n; i++)
    count += labels[i] != 0;
  return count;
}

static void split(uint32_t *good, burl_radix_pair *defect, const float *scores,
                  const uint8_t *labels, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (labels[i])
      *defect++ = (burl_radix_pair){.key = burl_radix_key(scores[i]), .payload = 1};
    else
      *good++ = burl_radix_key(scores[i]);
  }
}

burl_status burl_evaluate_ranking(burl_ranking *ranking, const float *scores, const uint8_t *labels,
                                  size_t n) {
  if (n == 0) return BURL_ERR_DATA;
  if (n > UINT32_MAX) return BURL_ERR_SIZE;
  if (any_nan(scores, n)) return BURL_ERR_NUMERIC;
  size_t defects = count_defects(labels, n), goods = n - defects;

  burl_arena arena = {0};
  for (int i = 0; i < 2; i++) {
    burl_arena_reserve(&arena, goods, sizeof(uint32_t));
    burl_arena_reserve(&arena, defects, sizeof(burl_radix_pair));
  }
  if (!burl_arena_open(&arena)) return BURL_ERR_MEMORY;
  uint32_t *good = burl_arena_take(&arena, goods, sizeof *good);
  burl_radix_pair *defect = burl_arena_take(&arena, defects, sizeof *defect);
  uint32_t *good_scratch = burl_arena_take(&arena, goods, sizeof *good);
  burl_radix_pair *defect_scratch = burl_arena_take(&arena, defects, sizeof *defect);

  split(good, defect, scores, labels, n);
  /* every defective item is a region of its own: pro and tpr are then the same */
  burl_sorted_scores sorted = {.good = burl_radix_sort_keys(good, good_scratch, goods),
                               .defect = burl_radix_sort_pairs(defect, defect_scratch, defects),
                               .good_count = goods,
                               .defect_count = defects,
                               .regions = defects};
  burl_pixel_metrics metrics;
  burl_threshold_walk(&metrics, NULL, 0, &sorted);
  *ranking = metrics.ranking;
  burl_arena_close(&arena);
  return BURL_OK;
}
