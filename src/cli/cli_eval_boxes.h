/* cli_eval_boxes.h: the defects that burl eval finds in the maps, against those of the masks. */
#ifndef BURL_CLI_EVAL_BOXES_H
#define BURL_CLI_EVAL_BOXES_H

#include <burl/evaluate_boxes.h>

/* Finds the defects of a map as burl detect does, of any score, and adds them with the mask's
 * boxes; those at the threshold and above are also held against the mask itself. */
burl_status burl_cli_boxes_add(burl_box_evaluator *boxes, const float *heat, const uint8_t *mask,
                               size_t height, size_t width);

/* All metrics; NaN where no truth is known (boxes NULL). */
burl_status burl_cli_boxes_compute(const burl_box_evaluator *boxes, burl_box_metrics *metrics);

#endif
