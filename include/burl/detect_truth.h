/* burl/detect_truth.h: ground truth as boxes, from masks.
 */
#ifndef BURL_DETECT_TRUTH_H
#define BURL_DETECT_TRUTH_H

#include <burl/detect.h>

#ifdef __cplusplus
extern "C" {
#endif

/* *boxes (*count of them, freed by the caller with free(); NULL where there is none): round each
 * 8-connected component of a mask (height, width; 0: good), in the order in which a row by row scan
 * meets them. Errors: BURL_ERR_SIZE (2^32 pixels or more), BURL_ERR_MEMORY. */
BURL_API burl_status burl_boxes_from_mask(burl_box **boxes, size_t *count, const uint8_t *mask,
                                          size_t height, size_t width) BURL_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
