/* burl/evaluate_boxes.h: how well boxes and masks of defects meet the ground truth.
 *
 * Average precision as COCO defines it: of each image the best boxes are matched, best first, each
 * to the true box that it shares most with (IoU at least the limit) and that is still free; over
 * all images, best first, precision is made to fall with recall and averaged at recalls 0, 0.01
 * .. 1. Source: docs/math/detect.md, "Measures".
 */
#ifndef BURL_EVALUATE_BOXES_H
#define BURL_EVALUATE_BOXES_H

#include <burl/detect.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BURL_BOXES_AN_IMAGE 100 /* best ones that count */

typedef struct burl_box_metrics {
  double ap50, ap;   /* at IoU 0.5; mean of IoU 0.5, 0.55 .. 0.95 */
  double recall_100; /* share of true boxes found, mean of the same limits */
  double mask_dice;  /* 2 |A and B| / (|A| + |B|) over the pixels of all images */
  size_t images, boxes;
} burl_box_metrics;

typedef struct burl_box_evaluator burl_box_evaluator;
BURL_API burl_status burl_box_evaluator_new(burl_box_evaluator **self) BURL_MUST_CHECK;
BURL_API void burl_box_evaluator_free(burl_box_evaluator *self);

/* Adds an image: boxes found with their scores, of which the best BURL_BOXES_AN_IMAGE count (equal
 * scores in their order), and the true ones. Errors: BURL_ERR_NUMERIC (a score or coordinate that
 * is not finite), BURL_ERR_SIZE, BURL_ERR_MEMORY; self is then unchanged. */
BURL_API burl_status burl_box_evaluator_add(burl_box_evaluator *self, const burl_box *found,
                                            const float *scores, size_t count,
                                            const burl_box *truth,
                                            size_t truth_count) BURL_MUST_CHECK;

/* Adds the masks of an image's defects, which stand apart, and the true mask (height, width; 0:
 * good). */
BURL_API void burl_box_evaluator_add_masks(burl_box_evaluator *self, const burl_proposal *found,
                                           size_t count, const uint8_t *truth, size_t height,
                                           size_t width);

/* Average precision and recall at one limit of IoU, with `most` boxes an image at most; either may
 * be NULL. NaN without a true box. Errors: BURL_ERR_ARGUMENT (iou outside (0,1], most is 0),
 * BURL_ERR_MEMORY. */
BURL_API burl_status burl_box_evaluator_measure(const burl_box_evaluator *self, double iou,
                                                size_t most, double *ap,
                                                double *recall) BURL_MUST_CHECK;

/* All metrics; ap50, ap and recall_100 are NaN without a true box, mask_dice where no mask marks
 * anything. Errors: BURL_ERR_MEMORY. */
BURL_API burl_status burl_box_evaluator_compute(const burl_box_evaluator *self,
                                                burl_box_metrics *metrics) BURL_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
