/* burl/shape_distance.h: exact Euclidean distances to a mask.
 *
 * Distances are in pixels, between pixel centres. Derivation and sources: docs/math/shape.md.
 */
#ifndef BURL_SHAPE_DISTANCE_H
#define BURL_SHAPE_DISTANCE_H

#include <burl/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Writes to squared (height, width) the square of the distance of each pixel to the nearest pixel
 * where mask (height, width) is not 0: whole numbers, 0 on the mask, +infinity everywhere where the
 * mask is empty. Takes time proportional to the number of pixels, and memory of one row.
 * Felzenszwalb and Huttenlocher 2012. Errors: BURL_ERR_SIZE (a side of 2^30 pixels or more, or an
 * image too large to address), BURL_ERR_MEMORY. */
BURL_API burl_status burl_shape_distance(double *squared, const uint8_t *mask, size_t height,
                                         size_t width) BURL_MUST_CHECK;

/* Writes to distance (height, width) the signed distance to the outline of the mask, which lies
 * half a pixel outside the mask's outermost pixels: outside positive, the distance to the nearest
 * pixel of the mask less 1/2; inside negative, 1/2 less the distance to the nearest pixel that is
 * not mask. So it falls by 1 a pixel straight across an outline. The border of the image is no
 * outline: +infinity everywhere for an empty mask, -infinity for a full one. Memory: one image of
 * doubles and a row. Errors: as burl_shape_distance. */
BURL_API burl_status burl_shape_signed_distance(double *distance, const uint8_t *mask,
                                                size_t height, size_t width) BURL_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
