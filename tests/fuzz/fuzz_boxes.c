/* Boxes of ground truth: whatever the bytes, as COCO and as YOLO, boxes are finite and in order. */
#include <burl/detect_truth.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int promise) {
  if (!promise) abort();
}

static void check(const burl_box *boxes, size_t count, float most) {
  for (size_t i = 0; i < count; i++) {
    const burl_box *b = &boxes[i];
    require(isfinite(b->x0) && isfinite(b->y0) && isfinite(b->x1) && isfinite(b->y1));
    require(b->x0 <= b->x1 && b->y0 <= b->y1);
    require(fabsf(b->x0) <= most && fabsf(b->x1) <= 2 * most);
  }
}

static void try_yolo(const uint8_t *data, size_t size) {
  burl_diag diag = {0};
  burl_box *boxes = NULL;
  size_t count = 0;
  burl_status status = burl_boxes_from_yolo(&boxes, &count, data, size, "a.txt", 100, 200, &diag);
  require(status == BURL_OK || (status == BURL_ERR_FORMAT && diag.line > 0 && diag.reason[0]));
  require((boxes != NULL) == (count > 0));
  check(boxes, count, 200);
  free(boxes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  burl_diag diag = {0};
  burl_box_set *set = NULL;
  try_yolo(data, size);
  burl_status status = burl_box_set_parse(&set, data, size, "a.json", &diag);
  require(status == BURL_OK || (status == BURL_ERR_FORMAT && diag.reason[0] && !set));
  if (status != BURL_OK) return 0;
  size_t count = 0;
  const burl_box *boxes = burl_box_set_find(set, "a.png", &count);
  require(boxes != NULL || count == 0);
  check(boxes, count, 1e9F);
  burl_box_set_free(set);
  return 0;
}
