/* Gaussians of cells and Mahalanobis distances from their formulas, in double. */
#ifndef BURL_TESTS_REF_GAUSSIAN_H
#define BURL_TESTS_REF_GAUSSIAN_H

#include <stddef.h>
#include <stdint.h>

typedef struct ref_gaussian {
  const float *patches; /* (n,d) to learn from */
  const size_t *cell;   /* (n) the cell of each, below `cells` */
  size_t n, d, cells;
  const size_t *dims; /* (m) the dimensions compared */
  size_t m;
  double shrinkage;
} ref_gaussian;

/* mean (m) and covariance (m,m) of a cell as docs/math/baselines.md has them. */
void ref_gaussian_of_cell(double *mean, double *covariance, const ref_gaussian *g, size_t cell);

/* sqrt((x - mean)^T covariance^-1 (x - mean) / m), x (d). */
double ref_gaussian_distance(const double *mean, const double *covariance, const ref_gaussian *g,
                             const float *x);

#endif
