/* detect/sinkhorn_nms.h: what both ways through a matching share. M proposals, K seeded slots, and
 * columns = K, or K + 1 with the bin, which is the last. */
#ifndef BURL_DETECT_SINKHORN_NMS_H
#define BURL_DETECT_SINKHORN_NMS_H

#include "base/memory.h"

#include <burl/detect_sinkhorn.h>
#include <burl/transport_gradient.h>

struct burl_sinkhorn_nms {
  burl_arena arena;
  burl_sinkhorn_tape *tape;
  size_t most_n, most_slots, d, most_sweeps;
  /* of the last forward */
  int ready;
  size_t n, wanted, slots, columns; /* wanted: slots asked for; slots: those with a seed */
  burl_sinkhorn_nms_options options;
  double farthest;       /* D_max */
  size_t *seeds;         /* (K) */
  uint8_t *open;         /* (K): above the gate */
  double *cost;          /* (M, columns) */
  double *plan;          /* (M, columns) */
  double *cosine;        /* (M,K) */
  double *unit;          /* (M,d): features of length 1, or 0 */
  double *inverse;       /* (M): 1 / length, or 0 */
  double *slot;          /* (K,d): unit features of seeds; backward: gated dfeatures, then sums */
  double *row, *f;       /* (M) */
  double *column, *g;    /* (K + 1) */
  double *score, *box;   /* (K), (K,4): outputs before the gate; backward: gated derivatives */
  double *dplan, *dcost; /* (M, columns) */
};

/* Finite, and no product of a few such numbers overflows. */
int burl_sinkhorn_nms_ordinary(const double *x, size_t count);

/* The distance of proposal j's centre to slot k's, and its parts. */
double burl_sinkhorn_nms_distance(const burl_sinkhorn_nms *self, const double *boxes, size_t j,
                                  size_t k, double *x, double *y);

/* The unit features of the seeds into self->slot. */
void burl_sinkhorn_nms_gather(burl_sinkhorn_nms *self);

#endif
