/* Cropping copies rows; what becomes of the copy is left to image/resize. */
#include "image/crop.h"

#include "image/resize.h"

#include <assert.h>
#include <string.h>

static size_t start_of(size_t length, size_t centre, size_t side) {
  size_t start = centre > side / 2 ? centre - side / 2 : 0;
  return start + side > length ? length - side : start;
}

burl_rect burl_rect_around(size_t height, size_t width, size_t y, size_t x, size_t side) {
  size_t shorter = height < width ? height : width;
  side = side < shorter ? side : shorter;
  return (burl_rect){start_of(height, y, side), start_of(width, x, side), side, side};
}

burl_status burl_image_crop(burl_image *crop, const burl_image *image, burl_rect r) {
  assert(r.y + r.height <= image->height && r.x + r.width <= image->width);
  burl_image made;
  burl_status status = burl_image_new(&made, r.height, r.width, image->channels, image->sample);
  if (status != BURL_OK) return status;
  size_t pixel = image->channels * (size_t)image->sample;
  const unsigned char *from = image->data;
  unsigned char *to = made.data;
  for (size_t i = 0; i < r.height; i++)
    memcpy(to + i * r.width * pixel, from + ((r.y + i) * image->width + r.x) * pixel,
           r.width * pixel);
  *crop = made;
  return BURL_OK;
}

burl_status burl_image_crop_small(burl_image *small, const burl_image *image, size_t y, size_t x,
                                  size_t side, size_t most) {
  burl_image crop;
  burl_rect r = burl_rect_around(image->height, image->width, y, x, side);
  burl_status status = burl_image_crop(&crop, image, r);
  if (status != BURL_OK) return status;
  status = burl_image_shrink(small, &crop, 1, most);
  burl_image_free(&crop);
  return status;
}
