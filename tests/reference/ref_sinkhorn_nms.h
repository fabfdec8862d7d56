/* Suppression by entropic matching in plain loops and long double, with a linear loss of all that
 * comes out. Seeds and D_max are given, as the gradient takes them for constants. */
#ifndef BURL_TESTS_REF_SINKHORN_NMS_H
#define BURL_TESTS_REF_SINKHORN_NMS_H

#include <burl/detect_sinkhorn.h>

#define REF_NMS_MOST 24 /* proposals, slots and features, at most */

typedef struct ref_nms {
  burl_sinkhorn_nms_input input;
  burl_sinkhorn_nms_options options;
  size_t d;
  const size_t *seeds;
  double farthest; /* 0: found */
  burl_sinkhorn_nms_loss loss;
} ref_nms;

/* The loss; outputs (packed, n >= slots) and the D_max used may be NULL. */
long double ref_nms_value(const ref_nms *nms, double *scores, double *boxes, double *features,
                          double *plan, double *farthest);

#endif
