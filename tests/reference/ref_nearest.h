/* Squared distances one by one, and the points that are nearest. */
#ifndef BURL_TESTS_REF_NEAREST_H
#define BURL_TESTS_REF_NEAREST_H

#include <stddef.h>
#include <stdint.h>

/* |a - b|^2 in float, summed over dimensions in order up to 32, above in sixteen sums. */
float ref_square_of(const float *a, const float *b, size_t d);

/* cost (n,k): |x_i - p_j|^2. */
void ref_distances(float *cost, const float *x, size_t n, const float *points, size_t k, size_t d);

/* squared (n) the smallest of them, nearest (n) the first point that has it. */
void ref_nearest(float *squared, uint32_t *nearest, const float *x, size_t n, const float *points,
                 size_t k, size_t d);

#endif
