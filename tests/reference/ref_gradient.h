/* Losses of Sinkhorn sweeps in long double, their derivatives by central differences, and the
 * implicit derivative by elimination on the whole system. */
#ifndef BURL_TESTS_REF_GRADIENT_H
#define BURL_TESTS_REF_GRADIENT_H

#include <burl/transport_gradient.h>

#define REF_GRADIENT_MOST 24

/* L = <W,P> + <wf,f> + <wg,g> + w <P,C> after so many sweeps. Arrays are packed; entries without
 * mass have no part in wf and wg. */
typedef struct ref_loss {
  size_t n, m, sweeps;
  burl_sweep_order order;
  double *C, *a, *b, eps;
  const double *W, *wf, *wg;
  double w;
  const double *f0, *g0; /* start, NULL for 0 */
} ref_loss;

long double ref_loss_value(const ref_loss *loss);

/* dL/dx by central differences of step `step`, x being a number that the loss points to. */
double ref_loss_derivative(ref_loss *loss, double *x, double step);
/* The same with *x going up and *y going down by the step: dL/dx - dL/dy. */
double ref_loss_exchange(ref_loss *loss, double *x, double *y, double step);

/* Multipliers alpha (n), beta (m) of the fixed point P (n,m) for r, c, the last beta being 0:
 * Gaussian elimination with pivots on all n + m - 1 unknowns. */
void ref_multipliers(double *alpha, double *beta, const double *P, const double *r, const double *c,
                     size_t n, size_t m);

#endif
