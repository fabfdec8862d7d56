/* image/crop.h: a part of an image as an image. */
#ifndef BURL_IMAGE_CROP_H
#define BURL_IMAGE_CROP_H

#include "image/tiles.h"
#include <burl/image.h>

/* The square of `side` pixels about pixel (y,x), moved into an image of height x width where it
 * reaches over the edge, and smaller where the image is. */
burl_rect burl_rect_around(size_t height, size_t width, size_t y, size_t x, size_t side);

/* Makes `crop` of the same kind from the pixels of r, which must lie inside the image (asserted).
 * Unchanged on error. Errors: BURL_ERR_MEMORY. */
burl_status burl_image_crop(burl_image *crop, const burl_image *image, burl_rect r) BURL_MUST_CHECK;

/* The square about (y,x) as 8-bit grey of `most` pixels a side, or of `side` where that is less.
 * Errors: BURL_ERR_MEMORY. */
burl_status burl_image_crop_small(burl_image *small, const burl_image *image, size_t y, size_t x,
                                  size_t side, size_t most) BURL_MUST_CHECK;

#endif
