/* num/magnitude.h: the largest magnitude in an array. */
#ifndef BURL_NUM_MAGNITUDE_H
#define BURL_NUM_MAGNITUDE_H

#include <stddef.h>

/* max |x_i|, 0 for n = 0; infinity where any x_i is infinite, NaN where any is NaN. */
float burl_num_magnitude_float(const float *x, size_t n);
double burl_num_magnitude_double(const double *x, size_t n);

#endif
