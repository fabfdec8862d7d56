/* prototype/renewal.h: which prototypes make room for what is new. */
#ifndef BURL_PROTOTYPE_RENEWAL_H
#define BURL_PROTOTYPE_RENEWAL_H

#include <burl/base.h>

/* Joint prototypes with room for `most`; `count` of them are there. */
typedef struct burl_renewal {
  float *prototypes; /* (most, d) */
  double *mass;      /* (most) */
  size_t count, most, d;
  double trim;   /* share of the farthest points that is never chosen */
  double known;  /* points up to this distance are covered */
  int keeps_one; /* of two that become one the heavier stays where it is, not their mean */
} burl_renewal;

/* While the point at the (1 - trim) quantile of the distances to the nearest prototype is farther
 * than `known`, it becomes a prototype: an additional one as long as there is room, then in the
 * place of the closest two, which become one, if these are closer than it is far. Errors:
 * BURL_ERR_MEMORY. */
burl_status burl_renewal_run(burl_renewal *self, const float *points, size_t n) BURL_MUST_CHECK;

#endif
