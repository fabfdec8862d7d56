/* prototype/points.h: banks whose distance is that to the nearest of K joint points.
 *
 * The mixed squared cost (1-w)|x-p|^2/d + w s |rho-pi|^2 is (1-w)/d times the squared Euclidean
 * distance of joint points (x, c rho) with c^2 = s w d/(1-w). A place on the image is taken as it
 * is, rho = (y,x), s = 6; a phase (u,v) as two points of circles, rho = (cos 2 pi u, sin 2 pi u,
 * cos 2 pi v, sin 2 pi v), s = 1/2, so that the repeat's edges meet. Both terms are then 2 in the
 * mean for two random patches of whitened features and for two random positions.
 */
#ifndef BURL_PROTOTYPE_POINTS_H
#define BURL_PROTOTYPE_POINTS_H

#include "prototype/bank.h"

#define BURL_JOINT_MAX_DIM 4096

/* How patches become joint points. */
typedef struct burl_joint {
  size_t d;             /* of the features */
  size_t dim;           /* of the joint points: d, d+2 (grid), d+4 (periodic) */
  burl_spatial spatial; /* none where the weight is 0 */
  float weight;         /* c */
  float scale;          /* distance = scale * distance of joint points */
} burl_joint;

burl_joint burl_joint_of(size_t d, burl_spatial spatial, double spatial_weight);
/* joint (n, dim) from patches (n,d) and positions (n,2). */
void burl_joint_points(const burl_joint *self, float *joint, const float *patches,
                       const float *positions, size_t n);

/* A bank of joint prototypes (k, joint->dim). Mass and radius are yet to be measured. Errors:
 * BURL_ERR_SIZE, BURL_ERR_MEMORY. */
burl_status burl_points_new(burl_bank **bank, const float *prototypes, size_t k,
                            const burl_joint *joint, double radius) BURL_MUST_CHECK;
/* After mass and radius are known: distances are divided by relative radii from now on. */
void burl_points_finish(burl_bank *bank);

burl_status burl_points_load(burl_bank **bank, const char *prefix, const burl_bank_options *options,
                             size_t dim, const burl_safetensors *file,
                             burl_diag *diag) BURL_MUST_CHECK;

#endif
