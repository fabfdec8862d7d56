/* image/resize.h: small pictures of large images, and images of an exact size. */
#ifndef BURL_IMAGE_RESIZE_H
#define BURL_IMAGE_RESIZE_H

#include <burl/image.h>

/* The size of an image brought to at most max_side (>= 1) pixels a side: proportions are kept, no
 * side falls below 1, and an image that is small enough keeps its size. */
void burl_image_fit(size_t *small_height, size_t *small_width, size_t height, size_t width,
                    size_t max_side);

/* Makes `small`, a new 8-bit image of `channels` (1 or 3) and of the size that burl_image_fit
 * gives: every pixel is the mean over the area of the image that it covers. Grey becomes RGB by
 * repetition, RGB grey by the mean of the channels; float values are then clamped to 0..1, NaN
 * to 0. The image is read row by row; memory is one row as float. Unchanged on error.
 * Errors: BURL_ERR_ARGUMENT (channels, max_side 0), BURL_ERR_MEMORY. */
burl_status burl_image_shrink(burl_image *small, const burl_image *image, size_t channels,
                              size_t max_side) BURL_MUST_CHECK;

/* Fills `to`, a float image whose size is what the image is to be brought to, proportions kept or
 * not, and whose channels are those of the image, or 1 for the grey of one in colour. Bilinear;
 * shrinking with a triangle as wide as what becomes one pixel (resample.c). Allocates nothing. */
void burl_image_resize(burl_image *to, const burl_image *image);

#endif
