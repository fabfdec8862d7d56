/* num/vectors.h: sums over vectors of doubles, the same bytes on every machine. */
#ifndef BURL_NUM_VECTORS_H
#define BURL_NUM_VECTORS_H

#include <stddef.h>

/* sum_i x_i y_i. */
double burl_num_dot(const double *x, const double *y, size_t n);

/* y_i += alpha x_i. */
void burl_num_add_scaled(double *y, double alpha, const double *x, size_t n);

#endif
