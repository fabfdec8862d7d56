/* Boxes and masks of defects against ground truth. */
#include "cli_eval_boxes.h"

#include <burl/detect_defects.h>
#include <burl/detect_truth.h>
#include <math.h>
#include <stdlib.h>

static burl_status add_boxes(burl_box_evaluator *boxes, const burl_proposal *found, size_t count,
                             const burl_box *truth, size_t truth_count) {
  burl_box *own = calloc(count + 1, sizeof *own);
  float *scores = calloc(count + 1, sizeof *scores);
  burl_status status = own && scores ? BURL_OK : BURL_ERR_MEMORY;
  for (size_t i = 0; status == BURL_OK && i < count; i++) {
    own[i] = found[i].box;
    scores[i] = (float)found[i].score;
  }
  if (status == BURL_OK)
    status = burl_box_evaluator_add(boxes, own, scores, count, truth, truth_count);
  free(own);
  free(scores);
  return status;
}

burl_status burl_cli_boxes_add(burl_box_evaluator *boxes, const float *heat, const uint8_t *mask,
                               size_t height, size_t width) {
  burl_detect_options options = burl_detect_default_options();
  burl_defects *defects = NULL;
  burl_box *truth = NULL;
  size_t truth_count, listed = 0;
  burl_status status = burl_defects_new(&defects, heat, height, width, &options);
  if (status != BURL_OK) return status;
  const burl_proposal *found = burl_defects_get(defects);
  size_t count = burl_defects_get_count(defects);
  status = burl_boxes_from_mask(&truth, &truth_count, mask, height, width);
  if (status == BURL_OK) status = add_boxes(boxes, found, count, truth, truth_count);
  while (listed < count && found[listed].score >= 1)
    listed++;
  if (status == BURL_OK) burl_box_evaluator_add_masks(boxes, found, listed, mask, height, width);
  burl_defects_free(defects);
  free(truth);
  return status;
}

burl_status burl_cli_boxes_compute(const burl_box_evaluator *boxes, burl_box_metrics *metrics) {
  const double nan = (double)NAN;
  *metrics = (burl_box_metrics){.ap50 = nan, .ap = nan, .recall_100 = nan, .mask_dice = nan};
  return boxes ? burl_box_evaluator_compute(boxes, metrics) : BURL_OK;
}
