/* Non-maximum suppression: what all methods share. */
#include "detect/suppress.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

burl_suppress_options burl_suppress_default_options(void) {
  return (burl_suppress_options){
      .method = BURL_SUPPRESS_GREEDY, .iou = 0.5, .sigma = 0.5, .least = 0.001, .most = 100};
}

static burl_status check_options(const burl_suppress_options *o) {
  int good = (unsigned)o->method < BURL_SUPPRESS_COUNT && o->iou >= 0 && o->iou <= 1 &&
             o->sigma > 0 && o->sigma < 1e30 && o->least >= 0 && o->least <= 1 && o->most >= 1;
  return good ? BURL_OK : BURL_ERR_ARGUMENT;
}

static burl_status check_boxes(const burl_box *boxes, const float *scores, size_t n) {
  int finite = 1, ordered = 1;
  for (size_t i = 0; i < n; i++) {
    const burl_box *b = &boxes[i];
    finite &= isfinite(b->x0) && isfinite(b->y0) && isfinite(b->x1) && isfinite(b->y1) &&
              isfinite(scores[i]);
    ordered &= !(b->x1 < b->x0) && !(b->y1 < b->y0);
  }
  return !finite ? BURL_ERR_NUMERIC : ordered ? BURL_OK : BURL_ERR_ARGUMENT;
}

burl_status burl_suppress(burl_kept_box *kept, size_t *count, const burl_box *boxes,
                          const float *scores, size_t n, const burl_suppress_options *options) {
  static burl_status (*const methods[])(const burl_suppress_task *,
                                        size_t *) = {[BURL_SUPPRESS_GREEDY] = burl_suppress_greedy,
                                                     [BURL_SUPPRESS_SOFT] = burl_suppress_soft,
                                                     [BURL_SUPPRESS_EXACT] = burl_suppress_exact};
  burl_status status = check_options(options);
  if (status != BURL_OK) return status;
  if (n > UINT32_MAX - 1) return BURL_ERR_SIZE;
  status = check_boxes(boxes, scores, n);
  if (status != BURL_OK) return status;
  if (n == 0) {
    *count = 0;
    return BURL_OK;
  }
  burl_suppress_task task = {.kept = kept,
                             .boxes = boxes,
                             .scores = scores,
                             .n = n,
                             .most = n < options->most ? n : options->most,
                             .options = options};
  return methods[options->method](&task, count);
}
