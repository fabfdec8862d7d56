/* dataset/mask_samples.h: what a mask's samples mean. */
#ifndef BURL_DATASET_MASK_SAMPLES_H
#define BURL_DATASET_MASK_SAMPLES_H

#include <burl/image.h>

/* The first channel of pixels start..start+count-1, row by row, brought to 8 bits.
 * The mask has 8 or 16 bits a sample, as burl_image_load gives it. */
void burl_mask_get_bytes(uint8_t *bytes, const burl_image *mask, size_t start, size_t count);

#endif
