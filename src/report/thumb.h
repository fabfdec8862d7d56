/* report/thumb.h: small pictures of an image, its heat and its mask, for the page. */
#ifndef BURL_REPORT_THUMB_H
#define BURL_REPORT_THUMB_H

#include <burl/image.h>

#define BURL_THUMB_SIDE 224 /* neither side is longer */

typedef struct burl_thumb {
  burl_image grey; /* 8 bits, 1 channel */
  float *heat;     /* the size of grey, owned */
  uint8_t *mask;   /* likewise, 0 or 255; NULL where none is known */
} burl_thumb;

/* Reduces, never enlarges: the mean of grey, and the most of heat and mask, so that a defect of one
 * pixel is still seen and a map below the threshold stays below it. mask may be NULL.
 * Errors: BURL_ERR_MEMORY, BURL_ERR_NUMERIC (a heat is not a number); thumb is then unchanged. */
burl_status burl_thumb_make(burl_thumb *thumb, const burl_image *image, const float *heat,
                            const uint8_t *mask) BURL_MUST_CHECK;

void burl_thumb_free(burl_thumb *thumb);

#endif
