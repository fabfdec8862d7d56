/* evaluate/threshold_walk.h: all metrics of sorted scores in one walk over the thresholds.
 *
 * The scores come as keys of base/radix.h, those of good and of defective items apart, each
 * sorted so that keys fall.
 */
#ifndef BURL_EVALUATE_THRESHOLD_WALK_H
#define BURL_EVALUATE_THRESHOLD_WALK_H

#include "base/radix.h"

#include <burl/evaluate.h>

/* payload: pixels of the region that the defect pixel belongs to, at least 1. */
typedef struct burl_sorted_scores {
  const uint32_t *good;
  const burl_radix_pair *defect;
  size_t good_count, defect_count; /* together below 2^32 */
  size_t regions;                  /* the sum of 1 / payload over all defect pixels */
  double pro_limit;                /* of metrics.aupro; 0: not wanted */
} burl_sorted_scores;

/* Fills ranking, aupro_030, aupro_005 and aupro of metrics (nothing else), and curve (points;
 * points may be 0) as burl_pixel_evaluator_compute says. */
void burl_threshold_walk(burl_pixel_metrics *metrics, burl_curve_point *curve, size_t points,
                         const burl_sorted_scores *scores);

#endif
