/* The exponential of arrays. libm's exp is called for one number at a time and takes several times
 * as long; a table would not vectorise. */
#include "num/vector_math.h"

#include "num/simd.h"

BURL_CLONES static void exp_floats(float *y, const float *x, size_t n) {
  for (size_t i = 0; i < n; i++)
    y[i] = exp_float(x[i]);
}

BURL_CLONES static void exp_doubles(double *y, const double *x, size_t n) {
  for (size_t i = 0; i < n; i++)
    y[i] = exp_double(x[i]);
}

void burl_num_exp_float(float *y, const float *x, size_t n) {
  exp_floats(y, x, n);
}

void burl_num_exp_double(double *y, const double *x, size_t n) {
  exp_doubles(y, x, n);
}
