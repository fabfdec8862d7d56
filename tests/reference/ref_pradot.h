/* ref_pradot.h: local and global prototypes entry by entry in double. */
#ifndef BURL_TESTS_REF_PRADOT_H
#define BURL_TESTS_REF_PRADOT_H

#include "prototype/pradot.h"

/* A whole fit: prototypes (k,d) and positions (k,2) of the epoch with the lowest loss, losses
 * (epochs). Warm starts and starts from features are not known here. Returns k; with prototypes
 * NULL only that. */
size_t ref_pradot_fit(double *prototypes, double *positions, double *losses, const float *features,
                      size_t images, size_t rows, size_t cols, size_t d,
                      const burl_pradot_options *options);

/* Column-then-row Sinkhorn in the log domain with uniform marginals: P (n,k) of M after so many
 * sweeps. */
void ref_pradot_plan(double *P, const double *M, size_t n, size_t k, double eps, size_t sweeps);

/* Mixed costs (n,k) of patches to prototypes, each part over feature_max and place_max, where these
 * are 0 over the largest found. */
void ref_pradot_costs(double *M, const float *patches, const float *places, size_t n,
                      const double *prototypes, const double *positions, size_t k, size_t d,
                      double alpha, double feature_max, double place_max);

#endif
