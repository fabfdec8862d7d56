/* A box round each component of a mask. */
#include <burl/detect_truth.h>

#include "base/memory.h"
#include "shape/components.h"

#include <stdlib.h>

static void widen(burl_box *box, float x, float y) {
  box->x0 = x < box->x0 ? x : box->x0;
  box->y0 = y < box->y0 ? y : box->y0;
  box->x1 = x + 1 > box->x1 ? x + 1 : box->x1;
  box->y1 = y + 1 > box->y1 ? y + 1 : box->y1;
}

burl_status burl_boxes_from_mask(burl_box **boxes, size_t *count, const uint8_t *mask,
                                 size_t height, size_t width) {
  size_t pixels;
  uint32_t found = 0;
  if (!burl_size_mul(&pixels, height, width)) return BURL_ERR_SIZE;
  uint32_t *labels = burl_alloc(pixels, sizeof *labels);
  burl_status status =
      labels ? burl_components(labels, &found, mask, height, width) : BURL_ERR_MEMORY;
  burl_box *made = NULL;
  if (status == BURL_OK && found > 0 && !(made = burl_alloc(found, sizeof *made)))
    status = BURL_ERR_MEMORY;
  for (size_t i = 0; status == BURL_OK && i < found; i++)
    made[i] = (burl_box){(float)width, (float)height, 0, 0};
  for (size_t i = 0; status == BURL_OK && i < pixels; i++)
    if (labels[i] > 0) widen(&made[labels[i] - 1], (float)(i % width), (float)(i / width));
  free(labels);
  if (status != BURL_OK) return status;
  *boxes = made;
  *count = found;
  return BURL_OK;
}
