/* burl/detect_sinkhorn.h: non-maximum suppression by entropic matching, and its gradient.
 *
 * M proposals, each with a score s_j, a box B_j and a feature Z_j, share K slots. Slots are seeded
 * by the K proposals of highest score, whose features mu_k and centres nu_k they take. Matching
 *     C_jk = alpha (1 - s_j) + beta (1 - cos(Z_j, mu_k)) + gamma |c_j - nu_k| / D_max
 * at the temperature tau by a fixed number of Sinkhorn sweeps (rows, then columns) gives a plan P,
 * and each slot becomes the P-weighted sum of scores, boxes and features. All of it can be
 * differentiated, so the weights and tau can be learned. docs/math/detect.md, "Matching".
 * Source: sums and sweeps as in M. Cuturi, Sinkhorn Distances, NeurIPS 2013; cost and slots follow
 * published work on suppression by Sinkhorn matching for fabric defects; the bin is ours.
 */
#ifndef BURL_DETECT_SINKHORN_H
#define BURL_DETECT_SINKHORN_H

#include <burl/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bin: a further column of cost 0 takes M - K proposals, a slot one proposal's worth: what is left
 * over is suppressed. Balanced: the form that was published; every proposal gives K/M, good or bad,
 * and alpha has no influence on the plan. */
typedef enum burl_sinkhorn_nms_form {
  BURL_SINKHORN_NMS_BIN = 0,
  BURL_SINKHORN_NMS_BALANCED
} burl_sinkhorn_nms_form;

typedef struct burl_sinkhorn_nms_options {
  burl_sinkhorn_nms_form form;
  double alpha, beta, gamma; /* any sign */
  double tau;                /* above 0, in units of C */
  size_t sweeps;             /* from 1 to those of _new */
  double gate;               /* slots whose score is not above it come out as zeros */
} burl_sinkhorn_nms_options;

/* bin, alpha = beta = gamma = 1, tau 0.1, 10 sweeps, gate 0.05. */
BURL_API burl_sinkhorn_nms_options burl_sinkhorn_nms_default_options(void);

/* Any scores, of which 0..1 fits the cost; boxes anywhere, in any unit. */
typedef struct burl_sinkhorn_nms_input {
  size_t n;               /* proposals, 0 to those of _new */
  size_t slots;           /* K, 1 to those of _new */
  const double *scores;   /* (n) */
  const double *boxes;    /* (n,4): x0, y0, x1, y1 */
  const double *features; /* (n,d) with the d of _new; not read where d is 0 */
} burl_sinkhorn_nms_input;

/* What comes out; NULL where it is not wanted. Only the first min(n,K) slots have a seed; the
 * others are zeros. */
typedef struct burl_sinkhorn_nms_output {
  double *scores;   /* (K) */
  double *boxes;    /* (K,4) */
  double *features; /* (K,d) */
  double *plan;     /* (n,K), not gated, without the bin: for sums of masks and the like */
  double *entropy;  /* (n) of each row divided by its sum, the bin included: 0 .. log(K+1) */
  size_t *seeds;    /* (K) the proposal that seeded the slot, SIZE_MAX: none */
} burl_sinkhorn_nms_output;

typedef struct burl_sinkhorn_nms_info {
  size_t seeded;    /* slots with a seed: min(n,K) */
  size_t kept;      /* slots above the gate */
  double entropy;   /* mean entropy of the rows in nats, 0 without a proposal */
  double row_error; /* the largest | row sum - what it should be |: 1, or K/M where balanced */
} burl_sinkhorn_nms_info;

/* Derivatives of a loss with respect to the outputs, in; NULL stands for zeros. */
typedef struct burl_sinkhorn_nms_loss {
  const double *dscores, *dboxes, *dfeatures, *dplan; /* shaped as the outputs */
} burl_sinkhorn_nms_loss;

/* Those with respect to inputs and options, out: added to; NULL where not wanted. */
typedef struct burl_sinkhorn_nms_gradient {
  double *dscores, *dboxes, *dfeatures;   /* shaped as the inputs */
  double *dalpha, *dbeta, *dgamma, *dtau; /* one number each */
} burl_sinkhorn_nms_gradient;

/* Memory for up to n proposals, `slots` slots and `sweeps` sweeps, features of d numbers (d 0: no
 * features, the cosine term is left out): some 8 (5 n slots + n d + slots d + sweeps (n + slots))
 * bytes. One object serves one thread at a time. Errors: BURL_ERR_ARGUMENT (n, slots or sweeps
 * is 0), BURL_ERR_SIZE, BURL_ERR_MEMORY. */
typedef struct burl_sinkhorn_nms burl_sinkhorn_nms;
BURL_API burl_status burl_sinkhorn_nms_new(burl_sinkhorn_nms **self, size_t n, size_t slots,
                                           size_t d, size_t sweeps) BURL_MUST_CHECK;
BURL_API void burl_sinkhorn_nms_free(burl_sinkhorn_nms *self);

/* info may be NULL. Of equal scores the lower index seeds first. A feature shorter than 1e-50 has
 * no direction; its cosines are 0. Allocates nothing of its own (BLAS may).
 *
 * Errors: BURL_ERR_ARGUMENT (an option; costs above 1e14 tau), BURL_ERR_SIZE (more than _new has
 * room for), BURL_ERR_NUMERIC (a number that is not finite, or above 1e100). Outputs are then
 * unchanged, and there is nothing to go back through. */
BURL_API burl_status burl_sinkhorn_nms_forward(burl_sinkhorn_nms *self,
                                               const burl_sinkhorn_nms_output *output,
                                               const burl_sinkhorn_nms_input *input,
                                               const burl_sinkhorn_nms_options *options,
                                               burl_sinkhorn_nms_info *info) BURL_MUST_CHECK;

/* Back through the last forward, whose input is given again, unchanged. Any number of times. The
 * choice of seeds, the gate and D_max count as constants; where a distance or a feature is 0, it
 * passes nothing on. What slots got from their seeds goes to the proposals that seeded them.
 * Allocates nothing of its own (BLAS may).
 *
 * Errors: BURL_ERR_ARGUMENT (no forward, or another number of proposals or slots), BURL_ERR_NUMERIC
 * (a derivative that is not finite, or above 1e100); nothing is then added. */
BURL_API burl_status burl_sinkhorn_nms_backward(
    burl_sinkhorn_nms *self, const burl_sinkhorn_nms_gradient *gradient,
    const burl_sinkhorn_nms_loss *loss, const burl_sinkhorn_nms_input *input) BURL_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
