/* Small pictures. For heat and mask output row i covers the input rows [i*H/h, (i+1)*H/h), columns
 * likewise, so every input value belongs to exactly one box. */
#include "report/thumb.h"

#include "base/memory.h"
#include "image/resize.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Takes the most of each box of an input row of `width` into most (w). Returns 0 where a value is
 * not a number. */
static int take_heat(float *most, const float *row, size_t w, size_t width) {
  int numbers = 1;
  for (size_t j = 0; j < w; j++)
    for (size_t x = j * width / w; x < (j + 1) * width / w; x++) {
      numbers &= row[x] == row[x];
      most[j] = row[x] > most[j] ? row[x] : most[j];
    }
  return numbers;
}

static void take_mask(uint8_t *most, const uint8_t *row, size_t w, size_t width) {
  for (size_t j = 0; j < w; j++)
    for (size_t x = j * width / w; x < (j + 1) * width / w; x++)
      most[j] = row[x] ? 255 : most[j];
}

static burl_status reduce_heat(burl_thumb *thumb, const float *heat, size_t height, size_t width) {
  size_t h = thumb->grey.height, w = thumb->grey.width;
  int numbers = 1;
  thumb->heat = burl_alloc(h * w, sizeof *thumb->heat);
  if (!thumb->heat) return BURL_ERR_MEMORY;
  for (size_t i = 0; i < h * w; i++)
    thumb->heat[i] = -INFINITY;
  for (size_t i = 0; i < h; i++)
    for (size_t y = i * height / h; y < (i + 1) * height / h; y++)
      numbers &= take_heat(thumb->heat + i * w, heat + y * width, w, width);
  return numbers ? BURL_OK : BURL_ERR_NUMERIC;
}

static burl_status reduce_mask(burl_thumb *thumb, const uint8_t *mask, size_t height,
                               size_t width) {
  size_t h = thumb->grey.height, w = thumb->grey.width;
  thumb->mask = burl_alloc_zero(h * w, 1);
  if (!thumb->mask) return BURL_ERR_MEMORY;
  for (size_t i = 0; i < h; i++)
    for (size_t y = i * height / h; y < (i + 1) * height / h; y++)
      take_mask(thumb->mask + i * w, mask + y * width, w, width);
  return BURL_OK;
}

burl_status burl_thumb_make(burl_thumb *thumb, const burl_image *image, const float *heat,
                            const uint8_t *mask) {
  burl_thumb made = {0};
  burl_status status = burl_image_shrink(&made.grey, image, 1, BURL_THUMB_SIDE);
  if (status == BURL_OK) status = reduce_heat(&made, heat, image->height, image->width);
  if (status == BURL_OK && mask) status = reduce_mask(&made, mask, image->height, image->width);
  if (status == BURL_OK)
    *thumb = made;
  else
    burl_thumb_free(&made);
  return status;
}

void burl_thumb_free(burl_thumb *thumb) {
  burl_image_free(&thumb->grey);
  free(thumb->heat);
  free(thumb->mask);
  *thumb = (burl_thumb){0};
}
