/* num/magnitude.h: the largest magnitude in an array, and the least of what is not negative. */
#ifndef BURL_NUM_MAGNITUDE_H
#define BURL_NUM_MAGNITUDE_H

#include <stddef.h>

/* max |x_i|, 0 for n = 0; infinity where any x_i is infinite, NaN where any is NaN. */
float burl_num_magnitude_float(const float *x, size_t n);
double burl_num_magnitude_double(const double *x, size_t n);

/* The first index of the smallest of x (n), n >= 1, which are not below 0 nor -0; NaN counts as
 * larger than infinity. */
size_t burl_num_least_float(const float *x, size_t n);

#endif
