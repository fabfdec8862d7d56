#include "reference/ref_vector_math.h"

#include <math.h>

double ref_log_sum(const double *p, const double *c, double scale, size_t count, size_t step) {
  long double max = -(long double)INFINITY, sum = 0.0L;
  for (size_t k = 0; k < count; k++)
    max = fmaxl(max, (long double)p[k] - (long double)scale * (long double)c[k * step]);
  for (size_t k = 0; k < count; k++)
    sum += expl((long double)p[k] - (long double)scale * (long double)c[k * step] - max);
  return (double)(max + logl(sum));
}
