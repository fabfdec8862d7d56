/* k-means by its definition, in double. */
#ifndef BURL_TESTS_REF_KMEANS_H
#define BURL_TESTS_REF_KMEANS_H

#include <stddef.h>
#include <stdint.h>

/* Sum over the points (n,d) of the squared distance to the nearest of centres (k,d). */
double ref_kmeans_objective(const float *centres, size_t k, const float *points, size_t n,
                            size_t d);

/* Draws centres (k,d) as k-means++ does, from the same random numbers as burl_kmeans; returns how
 * many: fewer than k when every point equals one. */
size_t ref_kmeans_start(float *centres, size_t k, const float *points, size_t n, size_t d,
                        uint64_t seed);

/* One step of Lloyd's algorithm; returns how many empty clusters were given a point. */
size_t ref_kmeans_step(float *centres, size_t k, const float *points, size_t n, size_t d);

#endif
