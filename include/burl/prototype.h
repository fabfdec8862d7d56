/* burl/prototype.h: banks of prototypes learned from defect-free patch embeddings by optimal
 * transport.
 *
 * Start: greedy coverage (farthest point, but the farthest `start_trim` share of patches is passed
 * over). Then damped barycentre steps: in each, a batch of patches is transported onto the
 * prototypes by entropic optimal transport of the cost d^p, d^2 the mixed squared cost, the dearest
 * `trim` share of the mass is left out, and every prototype moves towards the mean of what it
 * receives, weighted by d^(p-2), which is a step to the barycentre of d^p. Derivation and sources:
 * docs/math/prototypes.md.
 */
#ifndef BURL_PROTOTYPE_H
#define BURL_PROTOTYPE_H

#include <burl/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct burl_bank burl_bank;

typedef struct burl_bank_options {
  size_t prototypes;     /* K >= 1; fewer are kept when there are fewer distinct patches */
  double power;          /* p >= 1 of the transport cost d^p */
  double start_trim;     /* share of the farthest patches that the start never chooses, 0..0.5 */
  double trim;           /* share of the mass left out, 0..0.5 */
  double spatial_weight; /* w in the mixed squared cost (1-w) |x-p|^2 / d + w |rho-pi|^2 * 6,
                            0..0.99 */
  double entropy; /* eps as a multiple of the median cost d^p to the nearest prototype, > 0 */
  size_t sweeps;  /* Sinkhorn sweeps a plan, at most */
  size_t steps;   /* damped barycentre steps (batches) */
  size_t batch;   /* patches a batch */
  double damping; /* 0 < step <= 1 */
} burl_bank_options;

BURL_API burl_bank_options burl_bank_default_options(void);

/* Learns a bank from n patch embeddings (n,d) with positions (n,2) in 0..1 (NULL when
 * spatial_weight is 0). Errors: BURL_ERR_ARGUMENT, BURL_ERR_DATA (n is 0), BURL_ERR_NUMERIC,
 * BURL_ERR_MEMORY. */
BURL_API burl_status burl_bank_fit(burl_bank **bank, const float *patches, const float *positions,
                                   size_t n, size_t d,
                                   const burl_bank_options *options) BURL_MUST_CHECK;
BURL_API void burl_bank_free(burl_bank *bank);

BURL_API size_t burl_bank_get_count(const burl_bank *bank);     /* K */
BURL_API size_t burl_bank_get_dimension(const burl_bank *bank); /* d */
/* Borrowed: prototypes (K,d), positions (K,2) or NULL, mass (K) adding up to 1, radius (K). */
BURL_API const float *burl_bank_get_prototypes(const burl_bank *bank);
BURL_API const float *burl_bank_get_positions(const burl_bank *bank);
BURL_API const float *burl_bank_get_mass(const burl_bank *bank);
BURL_API const float *burl_bank_get_radius(const burl_bank *bank);

/* Distance of each patch to its nearest prototype under the mixed cost: distance (n) is the square
 * root of the mixed squared cost; nearest (n) its index, may be NULL. Allocates nothing. */
BURL_API void burl_bank_score(const burl_bank *bank, float *distance, uint32_t *nearest,
                              const float *patches, const float *positions, size_t n);

#ifdef __cplusplus
}
#endif
#endif
