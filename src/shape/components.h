/* shape/components.h: the connected components of a mask.
 *
 * Two pixels are neighbours when they share a side or a corner (8-connectivity).
 */
#ifndef BURL_SHAPE_COMPONENTS_H
#define BURL_SHAPE_COMPONENTS_H

#include <burl/base.h>

/* Writes to labels (height, width) 0 where mask (height, width) is 0, and otherwise the number of
 * the pixel's component: 1..*count, in the order in which a row by row scan meets them first. An
 * image without pixels has no components. Memory: 16 bytes for every run of mask pixels within a
 * row. Errors: BURL_ERR_SIZE (2^32 pixels or more), BURL_ERR_MEMORY; labels and *count are then
 * unchanged. */
burl_status burl_components(uint32_t *labels, uint32_t *count, const uint8_t *mask, size_t height,
                            size_t width) BURL_MUST_CHECK;

#endif
