/* Heat over grey. Opacity is 0 up to heat 0.5, so that good cloth stays the grey picture it is, and
 * rises evenly to its most at heat 2: what nears the threshold shows a tint, what is above it
 * stands out. Blending is (grey*keep + colour*(255-keep)) / 255 in whole numbers, tabulated by
 * heat. */
#include "report/overlay_paint.h"

#include <burl/heat.h>

#include "report/colormap.h"

static const double opaque_from = 0.5, opaque_at = 2.0, opacity_most = 0.85;

void burl_palette_fill(burl_palette *palette) {
  burl_colormap map;
  burl_colormap_fill(&map);
  for (int i = 0; i < BURL_PALETTE_SIZE; i++) {
    double u = i / (BURL_PALETTE_SIZE - 1.0);
    double t = (u * BURL_HEAT_SCALE - opaque_from) / (opaque_at - opaque_from);
    double opacity = opacity_most * (t < 0 ? 0 : t > 1 ? 1 : t);
    int cover = (int)(255 * opacity + 0.5);
    const uint8_t *colour = map.rgb[(int)(u * (BURL_COLORMAP_SIZE - 1) + 0.5)];
    palette->keep[i] = (uint8_t)(255 - cover);
    for (int c = 0; c < 3; c++)
      palette->add[i][c] = (uint16_t)(colour[c] * cover);
  }
}

/* Not a number is treated as 0 here; the callers refuse it. */
static size_t step_of(float heat) {
  const float scale = (float)((BURL_PALETTE_SIZE - 1) / BURL_HEAT_SCALE);
  float at = heat > 0 ? heat * scale + 0.5F : 0;
  return at < BURL_PALETTE_SIZE - 1 ? (size_t)at : BURL_PALETTE_SIZE - 1;
}

void burl_palette_blend(const burl_palette *palette, uint8_t rgb[3], uint8_t grey, float heat) {
  size_t i = step_of(heat);
  unsigned base = (unsigned)grey * palette->keep[i] + 127;
  for (int c = 0; c < 3; c++)
    rgb[c] = (uint8_t)((base + palette->add[i][c]) / 255);
}

void burl_palette_contrast(uint8_t rgb[3]) {
  unsigned brightness = 54U * rgb[0] + 183U * rgb[1] + 19U * rgb[2]; /* 256 * Rec. 709 luma */
  uint8_t value = brightness < 128U * 256U ? 255 : 0;
  rgb[0] = rgb[1] = rgb[2] = value;
}

static void draw_contour(uint8_t *rgb, const float *heat, const float *above, const float *below,
                         size_t width) {
  for (size_t x = 0; x < width; x++) {
    if (!(heat[x] >= 1)) continue;
    int edge = (x > 0 && heat[x - 1] < 1) || (x + 1 < width && heat[x + 1] < 1) ||
               (above && above[x] < 1) || (below && below[x] < 1);
    if (edge) burl_palette_contrast(rgb + 3 * x);
  }
}

int burl_overlay_paint_row(const burl_palette *palette, uint8_t *rgb, const uint8_t *grey,
                           const float *heat, const float *above, const float *below,
                           size_t width) {
  int numbers = 1;
  for (size_t x = 0; x < width; x++) {
    numbers &= heat[x] == heat[x];
    burl_palette_blend(palette, rgb + 3 * x, grey[x], heat[x]);
  }
  draw_contour(rgb, heat, above, below, width);
  return numbers;
}
