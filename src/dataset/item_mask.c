/* Ground-truth masks: the first channel, as 8 bits, against a threshold. 16 bits are rounded, so
 * that 128 of 255 and 32768 of 65535 are the same border. */
#include "base/diag.h"
#include "dataset/mask_samples.h"

#include <burl/dataset.h>

#include <string.h>

void burl_mask_get_bytes(uint8_t *bytes, const burl_image *mask, size_t start, size_t count) {
  size_t step = mask->channels, first = start * step;
  if (mask->sample == BURL_U8) {
    const uint8_t *samples = (const uint8_t *)mask->data + first;
    for (size_t i = 0; i < count; i++)
      bytes[i] = samples[i * step];
  } else {
    const uint16_t *samples = (const uint16_t *)mask->data + first;
    for (size_t i = 0; i < count; i++)
      bytes[i] = (uint8_t)((samples[i * step] + 128u) / 257u);
  }
}

burl_status burl_item_load_mask_values(const burl_item *item, uint8_t *values, size_t height,
                                       size_t width, burl_diag *diag) {
  if (!item->mask) {
    memset(values, 0, height * width);
    return BURL_OK;
  }
  burl_image image;
  burl_status status = burl_image_load(&image, item->mask, diag);
  if (status != BURL_OK) return status;
  if (image.height == height && image.width == width)
    burl_mask_get_bytes(values, &image, 0, height * width);
  else
    status = burl_fail(diag, BURL_ERR_SIZE, item->mask, "A mask has the size of its image.",
                       "the mask is %zux%zu pixels, its image %zux%zu (width x height)",
                       image.width, image.height, width, height);
  burl_image_free(&image);
  return status;
}

burl_status burl_item_load_mask(const burl_item *item, uint8_t *mask, size_t height, size_t width,
                                int threshold, burl_diag *diag) {
  if (threshold < 1 || threshold > 255)
    return burl_fail(diag, BURL_ERR_ARGUMENT, item->mask, "It is 1 to 255; 128 is the rule.",
                     "the mask threshold is %d", threshold);
  burl_status status = burl_item_load_mask_values(item, mask, height, width, diag);
  for (size_t i = 0; status == BURL_OK && i < height * width; i++)
    mask[i] = mask[i] >= threshold;
  return status;
}
