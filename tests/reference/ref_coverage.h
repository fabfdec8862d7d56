/* Farthest-point selection by its definition. */
#ifndef BURL_TESTS_REF_COVERAGE_H
#define BURL_TESTS_REF_COVERAGE_H

#include <stddef.h>

/* chosen (k): the point of (n,d) nearest to the mean, then k-1 times the point farthest from all
 * chosen ones. Returns how many: fewer than k when every point equals a chosen one. */
size_t ref_farthest_points(size_t *chosen, const float *points, size_t n, size_t d, size_t k);

/* The same from the point `first` in float (ref_square_of), with the point at the (1-trim) quantile
 * instead of the farthest, the first of those at the same distance. */
size_t ref_coverage(size_t *chosen, const float *points, size_t n, size_t d, size_t k, double trim,
                    size_t first);

#endif
