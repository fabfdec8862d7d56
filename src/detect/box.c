/* What two boxes share. */
#include <burl/detect.h>

static float area_of(const burl_box *box) {
  return (box->x1 - box->x0) * (box->y1 - box->y0);
}

float burl_box_iou(const burl_box *a, const burl_box *b) {
  float x0 = a->x0 > b->x0 ? a->x0 : b->x0, x1 = a->x1 < b->x1 ? a->x1 : b->x1;
  float y0 = a->y0 > b->y0 ? a->y0 : b->y0, y1 = a->y1 < b->y1 ? a->y1 : b->y1;
  if (!(x1 > x0 && y1 > y0)) return 0;
  float both = (x1 - x0) * (y1 - y0);
  return both / (area_of(a) + area_of(b) - both);
}
