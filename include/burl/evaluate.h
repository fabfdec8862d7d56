/* burl/evaluate.h: exact metrics of anomaly scores and heat maps against ground truth.
 *
 * Every distinct score is a threshold; tied scores are one threshold (equal to mid-ranks).
 *   AUROC   area under the ROC curve (trapezoid)
 *   AP      sum (R_k - R_{k-1}) P_k over falling thresholds, no interpolation
 *   F1-max  largest 2 TP / (2 TP + FP + FN)
 *   AUPRO   mean overlap per 8-connected ground-truth region against the false positive rate of all
 *           defect-free pixels of all images, trapezoid from (0,0), linear cut at the limit, divided by it
 * Source: docs/math/metrics.md. A metric that is not defined (no defect, or nothing but defects) is NaN.
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

/* Ranks n scores with labels 0 or 1. scores must not be NaN.
 * Errors: BURL_ERR_NUMERIC (NaN), BURL_ERR_MEMORY, BURL_ERR_SIZE. */
BURL_API burl_status burl_evaluate_ranking(burl_ranking *ranking, const float *scores, const uint8_t *labels,
                                           size_t n) BURL_MUST_CHECK;

/* Pixel metrics over any number of images, added one at a time: 8 bytes a pixel are kept, and as many
 * again while the result is computed. */
typedef struct burl_pixel_evaluator burl_pixel_evaluator;

/* A point of a curve: the false positive rate against true positive rate, precision and mean overlap. */
typedef struct burl_curve_point {
  double threshold, fpr, tpr, precision, pro;
} burl_curve_point;

typedef struct burl_pixel_metrics {
  burl_ranking ranking;
  double aupro_030, aupro_005;
  uint64_t pixels, defect_pixels;
  size_t regions; /* 8-connected ground-truth regions over all images */
} burl_pixel_metrics;

BURL_API burl_status burl_pixel_evaluator_new(burl_pixel_evaluator **self) BURL_MUST_CHECK;
BURL_API void burl_pixel_evaluator_free(burl_pixel_evaluator *self);

/* Adds a heat map (height, width) and its mask of bytes (0: defect-free). The map is not kept.
 * Errors: BURL_ERR_NUMERIC (NaN in the map), BURL_ERR_SIZE, BURL_ERR_MEMORY; self is then unchanged. */
BURL_API burl_status burl_pixel_evaluator_add(burl_pixel_evaluator *self, const float *heat, const uint8_t *mask,
                                              size_t height, size_t width) BURL_MUST_CHECK;

/* Computes the metrics; more images may be added afterwards. With points > 0, curve (points) receives
 * that many points spread evenly over the false positive rate on a square-root scale (more where it is
 * small), the first at fpr 0 and the last at fpr 1. Errors: BURL_ERR_MEMORY, BURL_ERR_DATA (no pixel). */
BURL_API burl_status burl_pixel_evaluator_compute(burl_pixel_evaluator *self, burl_pixel_metrics *metrics,
                                                  burl_curve_point *curve, size_t points) BURL_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
