/* Quantiles by sorting. */
#include "evaluate/quantile.h"

#include <stdlib.h>

static int rising(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

double burl_quantile(double *values, size_t n, double share) {
  qsort(values, n, sizeof *values, rising);
  double at = share * (double)(n - 1);
  size_t below = (size_t)at;
  if (below + 1 >= n) return values[n - 1];
  return values[below] + (at - (double)below) * (values[below + 1] - values[below]);
}
