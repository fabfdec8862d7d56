/* num/nearest.h: squared Euclidean distance to the nearest of many points, without an (n,k) matrix.
 */
#ifndef BURL_NUM_NEAREST_H
#define BURL_NUM_NEAREST_H

#include <stddef.h>
#include <stdint.h>

/* Points (k,d), k >= 1, rearranged for the kernels. Up to BURL_POINT_FEW_DIMENSIONS that is point
 * blocks (below); above, what num/panels.h searches, a copy of the points included. */
#define BURL_POINT_BLOCK 16
#define BURL_POINT_FEW_DIMENSIONS 32
size_t burl_points_packed_size(size_t k, size_t d); /* floats, a multiple of BURL_POINT_BLOCK */
void burl_points_pack(float *packed, const float *points, size_t k, size_t d);

/* squared (n): min over points of |x_i - p|^2, x (n,d); nearest (n): the first index that attains
 * it, may be NULL. Distances are sums of squared differences in float; up to
 * BURL_POINT_FEW_DIMENSIONS over dimensions in order, above as burl_square_of (num/panels.h) adds
 * them. The result depends neither on the machine nor on how rows are split into calls; a patch
 * that equals a point is at 0. Squares that overflow, and those of a patch that is not finite,
 * count as FLT_MAX; where none is below that, nearest is 0. Points that are not finite, or further
 * than 1e18 apart, and d above 4,608 make it slow. Allocates nothing; 270 KiB of stack. */
void burl_points_nearest(float *squared, uint32_t *nearest, const float *x, size_t n,
                         const float *packed, size_t k, size_t d);

/* cost (n,k), leading dimension ldc: squared distances, at least 0. Above BURL_POINT_FEW_DIMENSIONS
 * by products around the mean of the points, by differences where products would cancel; relative
 * errors are then below 1e-5 d, and the last bits depend on the machine. */
void burl_points_distances(float *cost, size_t ldc, const float *x, size_t n, const float *packed,
                           size_t k, size_t d);

/* Point blocks, for differences in any number of dimensions: BURL_POINT_BLOCK points, inside a
 * block dimension by dimension, packed[(block*d + t) * BURL_POINT_BLOCK + lane]. The last block is
 * filled up with the last point. */
size_t burl_point_blocks_size(size_t k, size_t d); /* floats, a multiple of BURL_POINT_BLOCK */
void burl_point_blocks_pack(float *packed, const float *points, size_t k, size_t d);
/* cost (n,k) by differences, summed over dimensions in order. */
void burl_point_blocks_distances(float *cost, size_t ldc, const float *x, size_t n,
                                 const float *packed, size_t k, size_t d);
/* For rows which[0..n) of x (.,d): squared = min(squared, the least of these). */
void burl_point_blocks_lower(float *squared, const float *x, const uint32_t *which, size_t n,
                             const float *packed, size_t k, size_t d);

#endif
