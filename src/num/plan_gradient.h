/* num/plan_gradient.h: inner loops of the derivative of a Sinkhorn sweep.
 *
 * All work on one row of e_j = exp(q + p_j - scale c_j), recomputed on the spot. q and p may be
 * -inf, which makes e 0. dC (m) may be NULL; where it is not, it takes part of the gradient of the
 * cost. All sums have a fixed order, the same on every machine.
 */
#ifndef BURL_NUM_PLAN_GRADIENT_H
#define BURL_NUM_PLAN_GRADIENT_H

#include <stddef.h>

/* Sums over one row of x_j, what flows into the scores. */
typedef struct burl_num_flow {
  double sum;  /* sum_j x_j */
  double cost; /* sum_j x_j c_j */
} burl_num_flow;

/* x_j = weight_j e_j; dC_j += scale x_j. */
burl_num_flow burl_num_flow_from_columns(double *dC, const double *weight, double q,
                                         const double *p, const double *c, double scale, size_t m);

/* x_j = weight e_j; dC_j += scale x_j, columns_j -= x_j. */
burl_num_flow burl_num_flow_from_row(double *dC, double *columns, double weight, double q,
                                     const double *p, const double *c, double scale, size_t m);

/* x_j = (dP_j + slope c_j) e_j, dP may be NULL for 0; dC_j += slope e_j - scale x_j,
 * columns_j += x_j. */
burl_num_flow burl_num_flow_from_plan(double *dC, double *columns, const double *dP, double slope,
                                      double q, const double *p, const double *c, double scale,
                                      size_t m);

#endif
