/* burl/evaluate.h: exact metrics of anomaly scores and heat maps against ground truth.
 *
 * Every distinct score is a threshold; tied scores are one threshold (equal to mid-ranks).
 *   AUROC   area under the ROC curve (trapezoid)
 *   AP      sum (R_k - R_{k-1}) P_k over falling thresholds, no interpolation
 *   F1-max  largest 2 TP / (2 TP + FP + FN)
 *   AUPRO   mean overlap per 8-connected ground-truth region against the false positive rate of all
 *           defect-free pixels of all images, trapezoid from (0,0), linear cut at the limit,
 *           divided by it
 *   AU-sPRO the same of regions that are found with a part of their pixels
 *   AUPIMO  mean over defective images of their recall against the mean false positive rate within
 *           good images, over log rate from 1e-5 to 1e-4
 * Source: docs/math/metrics.md. A metric that is not defined is NaN: all without a
 * defect, AUROC and AUPRO with nothing but defects. Infinite scores rank like any other; -0.0 and
 * 0.0 are one score. One evaluator belongs to one thread at a time. 2^32 items or pixels and more
 * are BURL_ERR_SIZE.
 */
#ifndef BURL_EVALUATE_H
#define BURL_EVALUATE_H

#include <burl/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct burl_ranking {
  double auroc, ap;
  double f1_max, f1_threshold; /* positive at score >= f1_threshold */
} burl_ranking;

/* Ranks n scores; labels are 0 for good items and anything else for defective ones.
 * Errors: BURL_ERR_NUMERIC (a score is NaN), BURL_ERR_DATA (n is 0), BURL_ERR_MEMORY,
 * BURL_ERR_SIZE. */
BURL_API burl_status burl_evaluate_ranking(burl_ranking *ranking, const float *scores,
                                           const uint8_t *labels, size_t n) BURL_MUST_CHECK;

/* Pixel metrics over any number of images, added one at a time: 4 bytes a defect-free pixel and 8 a
 * defect pixel are kept, twice as many again while the result is computed, and 4 a defect-free one
 * afterwards. */
typedef struct burl_pixel_evaluator burl_pixel_evaluator;

/* A point of a curve: what calling every pixel with a score >= threshold a defect leads to: false
 * positive rate, true positive rate, precision, and mean overlap per region. Before the highest
 * score threshold is +inf and precision 1. Rates that are not defined are NaN. */
typedef struct burl_curve_point {
  double threshold, fpr, tpr, precision, pro;
} burl_curve_point;

typedef struct burl_pixel_metrics {
  burl_ranking ranking;
  double aupro_030, aupro_005;
  double pro_limit, aupro;               /* the limit that was set, and AUPRO to it */
  double aupimo;                         /* NaN without an image of defect-free pixels alone */
  double auspro_030, auspro_005, auspro; /* NaN unless all defects came with saturations */
  uint64_t pixels, defect_pixels;
  size_t regions; /* 8-connected ground-truth regions over all images */
} burl_pixel_metrics;

BURL_API burl_status burl_pixel_evaluator_new(burl_pixel_evaluator **self) BURL_MUST_CHECK;
BURL_API void burl_pixel_evaluator_free(burl_pixel_evaluator *self);

/* The limit of metrics.aupro, in (0,1]; 0.30 until it is set. Errors: BURL_ERR_ARGUMENT. */
BURL_API burl_status burl_pixel_evaluator_set_limit(burl_pixel_evaluator *self,
                                                    double limit) BURL_MUST_CHECK;

/* Adds a heat map (height, width) and its mask of bytes (0: defect-free). The map is not kept.
 * Errors: BURL_ERR_NUMERIC (NaN in the map), BURL_ERR_SIZE, BURL_ERR_MEMORY; self is then
 * unchanged. */
BURL_API burl_status burl_pixel_evaluator_add(burl_pixel_evaluator *self, const float *heat,
                                              const uint8_t *mask, size_t height,
                                              size_t width) BURL_MUST_CHECK;

/* The same for an image of regions that count as found once `saturation` of their pixels are
 * (AU-sPRO: of a missing thing nobody can say which pixels are to be found). Regions may overlap
 * and need not be connected; a defect pixel is one of any region. Errors: also BURL_ERR_ARGUMENT (a
 * saturation outside 1..the region's pixels). */
typedef struct burl_saturated_region {
  const uint8_t *mask; /* (height, width); 0: not of the region */
  uint64_t saturation;
} burl_saturated_region;
BURL_API burl_status burl_pixel_evaluator_add_saturated(burl_pixel_evaluator *self,
                                                        const float *heat, size_t height,
                                                        size_t width,
                                                        const burl_saturated_region *regions,
                                                        size_t count) BURL_MUST_CHECK;

/* Computes the metrics; more images may be added afterwards. With points > 0, curve (points)
 * receives that many points spread evenly over the false positive rate on a square-root scale (more
 * where it is small), the first at fpr 0 and the last at fpr 1: point i is the lowest threshold
 * whose fpr is at most (i / (points-1))^2. Points repeat where thresholds are fewer than points.
 * Errors: BURL_ERR_MEMORY, BURL_ERR_DATA (no pixel), BURL_ERR_ARGUMENT (points is 1). */
BURL_API burl_status burl_pixel_evaluator_compute(burl_pixel_evaluator *self,
                                                  burl_pixel_metrics *metrics,
                                                  burl_curve_point *curve,
                                                  size_t points) BURL_MUST_CHECK;

/* An 8-connected region of a mask and the heat within: rows top..bottom-1, columns left..right-1.
 */
typedef struct burl_region {
  size_t pixels, found; /* found: pixels with a heat >= the threshold */
  size_t top, left, bottom, right;
  double heat_max, heat_mean;
} burl_region;

/* *regions (*count) in the order in which a row by row scan meets them, freed by the caller with
 * free(). Errors: BURL_ERR_SIZE (2^32 pixels or more), BURL_ERR_MEMORY. */
BURL_API burl_status burl_regions_measure(burl_region **regions, size_t *count, const float *heat,
                                          const uint8_t *mask, size_t height, size_t width,
                                          double threshold) BURL_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
