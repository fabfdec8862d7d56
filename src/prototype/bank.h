/* prototype/bank.h: the inside of a bank, shared by learning and scoring. */
#ifndef BURL_PROTOTYPE_BANK_H
#define BURL_PROTOTYPE_BANK_H

#include "base/safetensors.h"
#include <burl/prototype.h>

struct burl_bank {
  size_t count, dim;     /* K, d */
  double spatial_weight; /* of the mixed cost */
  float *prototypes;     /* (K,d) */
  float *positions;      /* (K,2), NULL where spatial_weight is 0 */
  float *mass, *radius;  /* (K) */
  float *packed;         /* the joint points, arranged for num/nearest */
  float scale;           /* distance = scale * distance of joint points */
};

/* The mixed squared cost (1-w)|x-p|^2/d + 6w|rho-pi|^2 is (1-w)/d times the squared Euclidean
 * distance of joint points (x, c rho) with c^2 = 6wd/(1-w). Both terms are 2 on average for two
 * random patches of whitened features and for two random places of the unit square. */
#define BURL_JOINT_MAX_DIM 4096
size_t burl_joint_dimension(size_t d, double spatial_weight);
/* joint (n, burl_joint_dimension) from patches (n,d) and positions (n,2). */
void burl_joint_points(float *joint, const float *patches, const float *positions, size_t n,
                       size_t d, double spatial_weight);

/* A bank without content; packs after prototypes and positions are filled in. */
burl_status burl_bank_new(burl_bank **bank, size_t count, size_t dim,
                          double spatial_weight) BURL_MUST_CHECK;
burl_status burl_bank_pack(burl_bank *bank) BURL_MUST_CHECK;

/* Tensors "<prefix>.prototypes", ".positions", ".mass", ".radius". */
burl_status burl_bank_save(const burl_bank *bank, const char *prefix,
                           burl_safetensors_writer *writer) BURL_MUST_CHECK;
burl_status burl_bank_load(burl_bank **bank, const char *prefix, double spatial_weight, size_t dim,
                           const burl_safetensors *file, burl_diag *diag) BURL_MUST_CHECK;

/* Greedy coverage of joint points (n,d): chosen (k) indices. The first is the point nearest to the
 * mean; each next one is the point at the (1-trim) quantile of the distances to those chosen so
 * far, which for trim 0 is the farthest point; of equals the first. Distances are those of
 * num/nearest.h. Gives how many were chosen: fewer than k when all points are covered. Errors:
 * BURL_ERR_MEMORY. */
burl_status burl_coverage_start(size_t *chosen, size_t *count, const float *points, size_t n,
                                size_t d, size_t k, double trim) BURL_MUST_CHECK;
/* The same from the point `first`; from the one nearest to the mean where first is n. */
burl_status burl_coverage_from(size_t *chosen, size_t *count, const float *points, size_t n,
                               size_t d, size_t k, double trim, size_t first) BURL_MUST_CHECK;

/* Damped barycentre steps on joint prototypes (k,d). */
burl_status burl_barycentre_steps(float *prototypes, size_t k, const float *points, size_t n,
                                  size_t d, const burl_bank_options *options) BURL_MUST_CHECK;

#endif
