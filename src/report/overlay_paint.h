/* report/overlay_paint.h: how heat is painted over grey, for overlay files and the page's pictures.
 */
#ifndef BURL_REPORT_OVERLAY_PAINT_H
#define BURL_REPORT_OVERLAY_PAINT_H

#include <stddef.h>
#include <stdint.h>

#define BURL_PALETTE_SIZE 1024

/* What is left of the grey, and what colour adds to it, for each step of heat (0..BURL_HEAT_SCALE).
 */
typedef struct burl_palette {
  uint8_t keep[BURL_PALETTE_SIZE];
  uint16_t add[BURL_PALETTE_SIZE][3]; /* colour * (255 - keep) */
} burl_palette;

void burl_palette_fill(burl_palette *palette);

/* Grey (0..255) under a heat, blended to rgb (3). */
void burl_palette_blend(const burl_palette *palette, uint8_t rgb[3], uint8_t grey, float heat);

/* Black on bright, white on dark: sets rgb (3) to whichever stands out more. */
void burl_palette_contrast(uint8_t rgb[3]);

/* Paints a row of `width` pixels into rgb (width,3): grey under heat, and the contour of heat 1,
 * drawn on pixels of heat 1 and above with a neighbour below 1. above and below are the rows of
 * heat next to it, NULL at the border. Returns 0 where a heat is not a number. */
int burl_overlay_paint_row(const burl_palette *palette, uint8_t *rgb, const uint8_t *grey,
                           const float *heat, const float *above, const float *below, size_t width);

#endif
