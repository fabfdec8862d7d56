/* num/nearest.h: squared Euclidean distance to the nearest of many points, without an (n,k) matrix.
 */
#ifndef BURL_NUM_NEAREST_H
#define BURL_NUM_NEAREST_H

#include <stddef.h>
#include <stdint.h>

/* Points (k,d) rearranged for the kernel: blocks of BURL_POINT_BLOCK points, inside a block
 * dimension by dimension: packed[(block*d + t) * BURL_POINT_BLOCK + lane]. The last block is filled
 * up with the last point. k >= 1. */
#define BURL_POINT_BLOCK 16
size_t burl_points_packed_size(size_t k, size_t d); /* floats, a multiple of BURL_POINT_BLOCK */
void burl_points_pack(float *packed, const float *points, size_t k, size_t d);

/* squared (n): min over points of |x_i - p|^2, x (n,d); nearest (n): the first index that attains
 * it, may be NULL. Sums run over dimensions in order, so the result does not depend on the machine.
 * Squares that overflow, and those of a patch that is not finite, count as FLT_MAX; where none is
 * below that, nearest is 0. */
void burl_points_nearest(float *squared, uint32_t *nearest, const float *x, size_t n,
                         const float *packed, size_t k, size_t d);

/* cost (n,k), leading dimension ldc: squared distances. */
void burl_points_distances(float *cost, size_t ldc, const float *x, size_t n, const float *packed,
                           size_t k, size_t d);

#endif
