/* Boxes and masks of defects against ground truth. */
#include "cli_eval_boxes.h"

#include "cli_console.h"

#include <burl/detect_defects.h>
#include <stdlib.h>
#include <string.h>

burl_status burl_cli_boxes_open(cli_boxes *self, const char *path, burl_diag *diag) {
  if (burl_box_evaluator_new(&self->evaluator) != BURL_OK) return burl_cli_no_memory(diag);
  return path ? burl_box_set_load(&self->truth, path, diag) : BURL_OK;
}

void burl_cli_boxes_close(cli_boxes *self) {
  burl_box_evaluator_free(self->evaluator);
  burl_box_set_free(self->truth);
}

/* By the item's whole name, else by what stands after its last '/'. */
static const burl_box *find_boxes(const burl_box_set *set, const char *name, size_t *count) {
  const burl_box *boxes = burl_box_set_find(set, name, count);
  const char *base = strrchr(name, '/');
  return boxes || !base ? boxes : burl_box_set_find(set, base + 1, count);
}

static burl_status add_found(cli_boxes *self, const burl_proposal *found, size_t count,
                             const burl_box *truth, size_t truth_count) {
  burl_box *own = calloc(count + 1, sizeof *own);
  float *scores = calloc(count + 1, sizeof *scores);
  burl_status status = own && scores ? BURL_OK : BURL_ERR_MEMORY;
  for (size_t i = 0; status == BURL_OK && i < count; i++) {
    own[i] = found[i].box;
    scores[i] = (float)found[i].score;
  }
  if (status == BURL_OK)
    status = burl_box_evaluator_add(self->evaluator, own, scores, count, truth, truth_count);
  free(own);
  free(scores);
  return status;
}

static burl_status add_boxes(cli_boxes *self, const burl_item *item, const burl_defects *defects,
                             const uint8_t *mask, size_t height, size_t width) {
  const burl_proposal *found = burl_defects_get(defects);
  size_t count = burl_defects_get_count(defects), truth_count = 0;
  if (self->truth) {
    const burl_box *known = find_boxes(self->truth, item->name, &truth_count);
    if (!known && item->defective) return BURL_OK;
    return add_found(self, found, count, known, truth_count);
  }
  burl_box *truth = NULL;
  if (!mask) return BURL_OK;
  burl_status status = burl_boxes_from_mask(&truth, &truth_count, mask, height, width);
  if (status == BURL_OK) status = add_found(self, found, count, truth, truth_count);
  free(truth);
  return status;
}

burl_status burl_cli_boxes_add(cli_boxes *self, const burl_item *item, const float *heat,
                               const uint8_t *mask, size_t height, size_t width) {
  if (!mask && !self->truth) return BURL_OK;
  burl_detect_options options = burl_detect_default_options();
  burl_defects *defects = NULL;
  burl_status status = burl_defects_new(&defects, heat, height, width, &options);
  if (status != BURL_OK) return status;
  size_t listed = 0;
  const burl_proposal *found = burl_defects_get(defects);
  while (listed < burl_defects_get_count(defects) && found[listed].score >= 1)
    listed++;
  status = add_boxes(self, item, defects, mask, height, width);
  if (status == BURL_OK && mask)
    burl_box_evaluator_add_masks(self->evaluator, found, listed, mask, height, width);
  burl_defects_free(defects);
  return status;
}
