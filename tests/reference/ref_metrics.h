/* tests/reference/ref_metrics.h: metrics and components straight from their definitions, quadratic
 * and slow: every threshold counts all pixels anew. */
#ifndef BURL_TESTS_REF_METRICS_H
#define BURL_TESTS_REF_METRICS_H

#include <burl/evaluate.h>

typedef struct ref_image {
  const float *heat;
  const uint8_t *mask;
  size_t height, width;
} ref_image;

/* Components by flood fill, numbered in scan order; returns their number. */
uint32_t ref_components(uint32_t *labels, const uint8_t *mask, size_t height, size_t width);

void ref_ranking(burl_ranking *ranking, const float *scores, const uint8_t *labels, size_t n);

/* Metrics and curve (points, may be 0) of all pixels of `count` images. Returns 0 without memory.
 */
int ref_pixel_metrics(burl_pixel_metrics *metrics, burl_curve_point *curve, size_t points,
                      const ref_image *images, size_t count);

#endif
