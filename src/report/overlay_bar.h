/* report/overlay_bar.h: the colour bar at the right of an overlay, in a strip of its own. */
#ifndef BURL_REPORT_OVERLAY_BAR_H
#define BURL_REPORT_OVERLAY_BAR_H

#include "report/overlay_paint.h"

#define BURL_BAR_LABELS 5 /* heat 0, 1, 2, 3, 4 */

typedef struct burl_overlay_bar {
  const burl_palette *palette;
  size_t height, width;           /* of the strip, in pixels */
  size_t unit;                    /* pixels a dot of the digits */
  size_t top, length;             /* rows of the bar */
  size_t tick[BURL_BAR_LABELS];   /* row of each label */
  uint8_t shown[BURL_BAR_LABELS]; /* whether its digit has room */
} burl_overlay_bar;

/* Lays the strip out for a picture of `height` rows. */
void burl_overlay_bar_lay(burl_overlay_bar *bar, const burl_palette *palette, size_t height);

/* Paints row y of the strip into rgb (width,3). */
void burl_overlay_bar_paint_row(const burl_overlay_bar *bar, uint8_t *rgb, size_t y);

#endif
