/* transport/lazy_parts.h: the workspace of Sinkhorn on a cost that is not stored. */
#ifndef BURL_TRANSPORT_LAZY_PARTS_H
#define BURL_TRANSPORT_LAZY_PARTS_H

#include "transport/cost_parts.h"
#include "transport/sinkhorn_parts.h"

struct burl_sinkhorn_lazy {
  burl_sinkhorn *core;
  burl_cost *cost;    /* of the problem being solved */
  float *block;       /* BURL_COST_BLOCK x m: rows of the cost, or of the plan */
  size_t first, held; /* which rows of the cost they are; none when held is 0 */
  double *passed;     /* n: log r + shift before the row step that was taken ahead */
  int is_ahead;
};

#endif
