/* prototype/baselines.h: the methods that ours is compared with, on the same patches. */
#ifndef BURL_PROTOTYPE_BASELINES_H
#define BURL_PROTOTYPE_BASELINES_H

#include "prototype/bank.h"

/* Greedy k-centre selection from a random first point (K. Roth et al., Towards Total Recall in
 * Industrial Anomaly Detection, CVPR 2022, without their random projection): prototypes (*k,d) are
 * points (n,d); *k falls where all points are covered. */
burl_status burl_coreset(float *prototypes, size_t *k, const float *points, size_t n, size_t d,
                         uint64_t seed) BURL_MUST_CHECK;

/* Lloyd's algorithm from a k-means++ start (D. Arthur, S. Vassilvitskii, SODA 2007). */
burl_status burl_kmeans(float *prototypes, size_t *k, const float *points, size_t n, size_t d,
                        size_t iterations, uint64_t seed) BURL_MUST_CHECK;

/* A Gaussian for all patches (spatial none) or for each cell of a grid of places or phases (T.
 * Defard et al., PaDiM, ICPR 2020 workshops). */
burl_status burl_gaussian_fit(burl_bank **bank, const float *patches, const float *positions,
                              size_t n, size_t d,
                              const burl_bank_options *options) BURL_MUST_CHECK;
burl_status burl_gaussian_load(burl_bank **bank, const char *prefix,
                               const burl_bank_options *options, size_t dim,
                               const burl_safetensors *file, burl_diag *diag) BURL_MUST_CHECK;

#endif
