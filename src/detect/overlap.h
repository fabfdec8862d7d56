/* detect/overlap.h: burl_box_iou for inner loops. */
#ifndef BURL_DETECT_OVERLAP_H
#define BURL_DETECT_OVERLAP_H

#include <burl/detect.h>

static inline float burl_overlap(const burl_box *a, const burl_box *b) {
  float x0 = a->x0 > b->x0 ? a->x0 : b->x0, x1 = a->x1 < b->x1 ? a->x1 : b->x1;
  float y0 = a->y0 > b->y0 ? a->y0 : b->y0, y1 = a->y1 < b->y1 ? a->y1 : b->y1;
  if (!(x1 > x0 && y1 > y0)) return 0;
  float both = (x1 - x0) * (y1 - y0);
  return both / ((a->x1 - a->x0) * (a->y1 - a->y0) + (b->x1 - b->x0) * (b->y1 - b->y0) - both);
}

#endif
