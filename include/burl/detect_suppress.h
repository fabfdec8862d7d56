/* burl/detect_suppress.h: of many boxes for one thing, one: classic non-maximum suppression.
 *
 * Three methods behind one function; docs/math/detect.md, "Suppression".
 *   greedy  the best box is kept, those that share more than `iou` with it go, and so on
 *           (A. Neubeck, L. Van Gool, Efficient non-maximum suppression, ICPR 2006; pruned here)
 *   soft    scores of boxes that overlap a kept one fall by exp(-IoU^2 / sigma) instead
 *           (N. Bodla et al., Soft-NMS, ICCV 2017)
 *   exact   slots, seeded by what greedy keeps, are given a box each at the least cost in all
 *           (burl/transport_assignment.h)
 */
#ifndef BURL_DETECT_SUPPRESS_H
#define BURL_DETECT_SUPPRESS_H

#include <burl/detect.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BURL_SUPPRESS_LIST(X)                                                                      \
  X(BURL_SUPPRESS_GREEDY, "greedy")                                                                \
  X(BURL_SUPPRESS_SOFT, "soft")                                                                    \
  X(BURL_SUPPRESS_EXACT, "exact")

typedef enum burl_suppress_method {
#define BURL_SUPPRESS_ENUM(name, text) name,
  BURL_SUPPRESS_LIST(BURL_SUPPRESS_ENUM)
#undef BURL_SUPPRESS_ENUM
      BURL_SUPPRESS_COUNT
} burl_suppress_method;

typedef struct burl_suppress_options {
  burl_suppress_method method;
  double iou;   /* greedy, exact: boxes that share more than this are one thing: 0..1 */
  double sigma; /* soft: above 0 */
  double least; /* soft: boxes whose score falls below this part of the highest one go: 0..1 */
  size_t most;  /* boxes to keep, from 1 */
} burl_suppress_options;

/* greedy, iou 0.5, sigma 0.5, least 0.001, most 100. */
BURL_API burl_suppress_options burl_suppress_default_options(void);

typedef struct burl_kept_box {
  size_t index; /* of the box */
  float score;  /* its score; soft: what is left of it */
} burl_kept_box;

#define BURL_SUPPRESS_CELLS ((size_t)1 << 26) /* boxes times slots of the exact method, at most */

/* kept (room for the lesser of n and options->most) receives the boxes kept, *count of them, best
 * first; of equal scores the lower index is better. Boxes may lie anywhere; those without area
 * share nothing. n may be 0. Greedy takes time of order n log n where boxes are spread out, soft
 * n * most. Errors: BURL_ERR_ARGUMENT (an option; x1 < x0 or y1 < y0), BURL_ERR_NUMERIC (a
 * coordinate or score that is not finite), BURL_ERR_SIZE (2^32 boxes or more, or too many for
 * exact), BURL_ERR_MEMORY; kept is then unchanged. */
BURL_API burl_status burl_suppress(burl_kept_box *kept, size_t *count, const burl_box *boxes,
                                   const float *scores, size_t n,
                                   const burl_suppress_options *options) BURL_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
