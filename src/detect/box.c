/* What two boxes share. */
#include "detect/overlap.h"

float burl_box_iou(const burl_box *a, const burl_box *b) {
  return burl_overlap(a, b);
}
