/* burl/transport_gromov.h: entropic fused Gromov-Wasserstein transport: matches two measures whose
 * points are compared within each, by distances D1 (n,n) and D2 (m,m), and across, by a cost C
 * (n,m).
 *
 *     minimise F(P) = (1 - alpha) <P,C> + alpha E(P) + eps sum P (log P - 1),
 *     E(P) = sum_ijkl (D1_ik - D2_jl)^2 P_ij P_kl,
 * over P >= 0 with P 1 = a, P^T 1 = b. D1 and D2 are symmetric; they need not be distances. F is
 * not convex: what is found is a stationary point, which one depends on the start. Cost of a step:
 * 2 n m (n + m) multiplications and a Sinkhorn solve. Chapter: docs/math/sinkhorn.md.
 * Sources: G. Peyre, M. Cuturi, J. Solomon, Gromov-Wasserstein Averaging of Kernel and Distance
 * Matrices, ICML 2016; T. Vayer et al., Optimal Transport for structured data with application on
 * graphs, ICML 2019; proximal steps: H. Xu et al., Gromov-Wasserstein Learning for Graph Matching
 * and Node Embedding, ICML 2019.
 */
#ifndef BURL_TRANSPORT_GROMOV_H
#define BURL_TRANSPORT_GROMOV_H

#include <burl/transport.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct burl_gromov_options {
  double alpha;     /* 0: C alone, 1: D1 and D2 alone */
  double eps;       /* > 0, in the units of C and of D^2 */
  double proximal;  /* >= 0: weight of KL(P | last P) in a step; 0: full steps, which suffice where
                       F falls; where it does not, the weight is raised by itself */
  size_t max_steps; /* >= 1 */
  double tolerance; /* stop when the change is at or below; 0: never */
  burl_sinkhorn_options sinkhorn; /* of each step; its eps is not read */
} burl_gromov_options;

/* alpha 0.5, eps 0.05, proximal 0, 200 steps, tolerance 1e-9, Sinkhorn's defaults, but column then
 * row and a look after every sweep. */
BURL_API burl_gromov_options burl_gromov_default_options(void);

typedef struct burl_gromov_info {
  size_t steps;    /* taken, rejected ones included */
  size_t rejected; /* after which F had risen: undone, and repeated with twice the weight */
  size_t sweeps;   /* of Sinkhorn, in all steps */
  int converged;   /* 1 if change <= tolerance and the last Sinkhorn converged */
  double change;   /* |P - last P|, Euclidean, in terms of full steps: times (eps + weight) / eps */
  double residual; /* of the last Sinkhorn: error of the marginal not updated last */
  double objective; /* F(P) */
  double transport; /* <P,C>, 0 where C is not read */
  double energy;    /* E(P), 0 where D1 and D2 are not read */
} burl_gromov_info;

/* A solver for problems up to n x m; owns all memory that solving needs: 6 n m doubles and a
 * Sinkhorn solver. */
typedef struct burl_gromov burl_gromov;

/* Errors: BURL_ERR_ARGUMENT (n or m is 0), BURL_ERR_SIZE, BURL_ERR_MEMORY. */
BURL_API burl_status burl_gromov_new(burl_gromov **self, size_t n, size_t m) BURL_MUST_CHECK;
BURL_API void burl_gromov_free(burl_gromov *self);

/* What is to be matched; all borrowed. C is not read with alpha 1, D1 and D2 with alpha 0. */
typedef struct burl_gromov_problem {
  const double *C, *D1, *D2;
  size_t ldc, ldd1, ldd2; /* >= m, n, m */
  size_t n, m;
  const double *a, *b;
} burl_gromov_problem;

/* P (n,m) receives the plan; with `warm` not 0 it is read first as the start (entries >= 0, not all
 * 0), else the start is a b^T over the total. info may be NULL. Allocates nothing of its own (BLAS
 * may); one solver serves one thread at a time. The same bytes with the same number of BLAS threads
 * (burl_blas_set_threads).
 *
 * Errors: BURL_ERR_ARGUMENT (option, a leading dimension too short, a missing matrix, D1 or D2 not
 * symmetric to 1e-9 of its largest entry, negative start, costs that may exceed 1e14 eps; and those
 * of burl_sinkhorn_solve_log), BURL_ERR_NUMERIC (a value that is read is not finite),
 * BURL_ERR_SIZE (larger than _new). */
BURL_API burl_status burl_gromov_solve(burl_gromov *self, double *P, size_t ldp,
                                       const burl_gromov_problem *problem, int warm,
                                       const burl_gromov_options *options,
                                       burl_gromov_info *info) BURL_MUST_CHECK;

/* E of any P (n,m), and its gradient 2 sum_kl (D1_ik - D2_jl)^2 P_kl, which is added to dP (n,m),
 * leading dimension lddp, where dP is not NULL. Reads of `problem` D1, D2 and sizes alone.
 * Errors: BURL_ERR_ARGUMENT (a leading dimension too short, a missing matrix), BURL_ERR_SIZE. */
BURL_API burl_status burl_gromov_energy(burl_gromov *self, double *energy, double *dP, size_t lddp,
                                        const burl_gromov_problem *problem, const double *P,
                                        size_t ldp) BURL_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
