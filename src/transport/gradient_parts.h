/* transport/gradient_parts.h: what the two ways back have in common. */
#ifndef BURL_TRANSPORT_GRADIENT_PARTS_H
#define BURL_TRANSPORT_GRADIENT_PARTS_H

#include <burl/transport_gradient.h>

/* A fixed point as it is handed in, or the end of the sweeps. */
typedef struct burl_gradient_point {
  const double *C;
  size_t ldc, n, m;
  const double *f, *g; /* in the units of C; -inf: no mass */
  double eps, scale;   /* scale = 1 / eps */
} burl_gradient_point;

/* BURL_ERR_ARGUMENT (an empty size, a leading dimension below m, eps), BURL_ERR_NUMERIC. */
burl_status burl_gradient_check_point(const burl_gradient_point *point);
/* Leading dimensions, and that all that comes in is finite where there is mass. */
burl_status burl_gradient_check_loss(const burl_gradient_point *point,
                                     const burl_sinkhorn_gradient *gradient,
                                     const burl_sinkhorn_loss *loss);

/* Row i of an array that may be missing. */
static inline double *burl_gradient_row(double *rows, size_t i, size_t ld) {
  return rows ? rows + i * ld : NULL;
}
static inline const double *burl_gradient_const_row(const double *rows, size_t i, size_t ld) {
  return rows ? rows + i * ld : NULL;
}

/* The derivatives by the potentials with the plan held: sum df f + dg g, over eps. */
double burl_gradient_eps_of_potentials(const burl_gradient_point *point,
                                       const burl_sinkhorn_loss *loss);

#endif
