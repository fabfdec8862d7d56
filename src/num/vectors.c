/* Sums in eight lanes that are folded in a fixed order; BLAS would add up in another order on every
 * machine. */
#include "num/vectors.h"

#include "num/simd.h"

#define LANES 8

BURL_CLONES
static double dot_doubles(const double *restrict x, const double *restrict y, size_t n) {
  double lane[LANES] = {0};
  size_t whole = n - n % LANES;
  for (size_t i = 0; i < whole; i += LANES)
    for (size_t l = 0; l < LANES; l++)
      lane[l] += x[i + l] * y[i + l];
  for (size_t i = whole; i < n; i++)
    lane[i - whole] += x[i] * y[i];
  return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

BURL_CLONES
static void add_scaled_doubles(double *restrict y, double alpha, const double *restrict x,
                               size_t n) {
  for (size_t i = 0; i < n; i++)
    y[i] += alpha * x[i];
}

double burl_num_dot(const double *x, const double *y, size_t n) {
  return dot_doubles(x, y, n);
}

void burl_num_add_scaled(double *y, double alpha, const double *x, size_t n) {
  add_scaled_doubles(y, alpha, x, n);
}
