/* evaluate/quantile.h: a quantile of a list of numbers. */
#ifndef BURL_EVALUATE_QUANTILE_H
#define BURL_EVALUATE_QUANTILE_H

#include <stddef.h>

/* Sorts n (> 0) numbers, none a NaN, and gives the one at share*(n-1) of them, between two
 * neighbours by a straight line. */
double burl_quantile(double *values, size_t n, double share);

#endif
