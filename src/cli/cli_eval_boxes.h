/* cli_eval_boxes.h: the defects that burl eval finds in the maps, against those of the truth. */
#ifndef BURL_CLI_EVAL_BOXES_H
#define BURL_CLI_EVAL_BOXES_H

#include <burl/dataset.h>
#include <burl/detect_truth.h>
#include <burl/evaluate_boxes.h>

typedef struct cli_boxes {
  burl_box_evaluator *evaluator;
  burl_box_set *truth; /* NULL: the masks' components */
} cli_boxes;

/* path: a file of COCO annotations, or NULL. */
burl_status burl_cli_boxes_open(cli_boxes *self, const char *path, burl_diag *diag);
void burl_cli_boxes_close(cli_boxes *self);

/* Finds the defects of a map as burl detect does, of any score, and adds them with the true boxes;
 * those at the threshold and above are also held against the mask. mask may be NULL. A defective
 * image without a known truth is left out, by boxes or by mask. */
burl_status burl_cli_boxes_add(cli_boxes *self, const burl_item *item, const float *heat,
                               const uint8_t *mask, size_t height, size_t width);

#endif
