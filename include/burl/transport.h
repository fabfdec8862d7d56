/* burl/transport.h: entropic optimal transport between two discrete measures (Sinkhorn).
 *
 * For a cost C (n,m), marginals a (n), b (m) of equal total mass and eps > 0:
 *     P* = argmin <P,C> + eps sum P (log P - 1)   over P >= 0 with P 1 = a and P^T 1 = b,
 *     P_ij = exp((f_i + g_j - C_ij) / eps),       f, g the dual potentials.
 * Zero entries of a or b give zero rows or columns (potential -inf). Not converging is information,
 * not an error. Chapter with derivations: docs/math/sinkhorn.md.
 * Source: M. Cuturi, Sinkhorn Distances, NeurIPS 2013; log form and absorption: B. Schmitzer,
 * Stabilized Sparse Scaling Algorithms, SIAM J. Sci. Comput. 41(3), 2019.
 */
#ifndef BURL_TRANSPORT_H
#define BURL_TRANSPORT_H

#include <burl/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Which marginal each sweep updates last, and so meets exactly at exit. */
typedef enum burl_sweep_order {
  BURL_ROW_THEN_COLUMN = 0, /* columns exact */
  BURL_COLUMN_THEN_ROW      /* rows exact */
} burl_sweep_order;

typedef struct burl_sinkhorn_options {
  double eps;         /* > 0, in the units of C */
  size_t max_sweeps;  /* >= 1 */
  double tolerance;   /* stop when the residual is at or below; 0: never, and never look */
  size_t check_every; /* sweeps between two looks at the residual, >= 1 */
  burl_sweep_order order;
  int accelerate; /* not 0: quasi-Newton steps where tolerance > 0; 0: plain sweeps */
  int threads;    /* share the rows out, for the same bytes; 0 counts as 1, above 64 as 64 */
  /* eps-scaling, where above eps: BURL_EPS_SWEEPS plain sweeps at this eps, at a quarter of it and
   * so on down to eps, each from the potentials of the one before; max_sweeps counts from there.
   * Helps plain sweeps near assignments (eps far below the differences in C). 0: off. */
  double start_eps;
} burl_sinkhorn_options;

#define BURL_EPS_SWEEPS 20

/* eps 0.05, 1,000 sweeps, tolerance 1e-9, check every 10 sweeps, row then column, accelerated, one
 * thread, no eps-scaling. */
BURL_API burl_sinkhorn_options burl_sinkhorn_default_options(void);

/* All but the first two measured on the plan at exit, in double. */
typedef struct burl_sinkhorn_info {
  size_t sweeps;    /* sweeps run, steps taken back and eps-scaling included */
  int converged;    /* 1 if residual <= tolerance */
  double residual;  /* Euclidean error of the marginal not updated last */
  double transport; /* <P,C> */
  double primal;    /* <P,C> + eps sum P (log P - 1) */
  double dual;      /* <f,a> + <g,b> - eps sum P */
  double gap;       /* primal - dual = <f,P1-a> + <g,P^T1-b>, computed so: nothing cancels */
} burl_sinkhorn_info;

/* A solver for problems up to n x m; owns all memory that solving needs. */
typedef struct burl_sinkhorn burl_sinkhorn;

/* Errors: BURL_ERR_ARGUMENT (n or m is 0), BURL_ERR_SIZE, BURL_ERR_MEMORY. */
BURL_API burl_status burl_sinkhorn_new(burl_sinkhorn **self, size_t n, size_t m) BURL_MUST_CHECK;
BURL_API void burl_sinkhorn_free(burl_sinkhorn *self);

/* Log form, double: exact to rounding for any eps. f (n) and g (m) receive the dual potentials;
 * with `warm` not 0 they are read first as the start (finite where there is mass, as an earlier
 * answer is), else the start is 0. C (n,m) row-major with leading dimension ldc >= m. n and m up to
 * those of _new. info may be NULL, which saves measuring the plan at exit. Allocates nothing; one
 * solver serves one thread at a time.
 *
 * Errors: BURL_ERR_ARGUMENT (option, negative mass, totals that differ by more than 1e-9 relative,
 * zero total, max |C| > 1e14 eps or a start beyond 1e16 eps: rounding would decide the plan),
 * BURL_ERR_NUMERIC (C, a, b, f or g not finite), BURL_ERR_SIZE (larger than _new). */
BURL_API burl_status burl_sinkhorn_solve_log(burl_sinkhorn *self, double *f, double *g,
                                             const double *C, size_t ldc, size_t n, size_t m,
                                             const double *a, const double *b, int warm,
                                             const burl_sinkhorn_options *options,
                                             burl_sinkhorn_info *info) BURL_MUST_CHECK;

/* Scaling form with absorption, float kernel, double potentials: the fast form the learner uses.
 * Same meaning and errors, for any eps, costs and masses; agrees with the log form to float
 * precision of the plan. Where the tolerance asks for more (less than some 5e-7 of the marginal's
 * norm), the last sweeps are those of the log form, at its speed. */
BURL_API burl_status burl_sinkhorn_solve_scaling(burl_sinkhorn *self, double *f, double *g,
                                                 const float *C, size_t ldc, size_t n, size_t m,
                                                 const double *a, const double *b, int warm,
                                                 const burl_sinkhorn_options *options,
                                                 burl_sinkhorn_info *info) BURL_MUST_CHECK;

/* One problem of a batch: what the solve functions take. One of C (log form) and C_float (scaling
 * form) is set, the other NULL; info may be NULL. */
typedef struct burl_sinkhorn_job {
  double *f, *g;
  const double *C;
  const float *C_float;
  size_t ldc, n, m;
  const double *a, *b;
  int warm;
  burl_sinkhorn_info *info;
} burl_sinkhorn_job;

/* Solves jobs 0..count-1, each on one thread (options->threads is not looked at), at most `threads`
 * at a time: solvers (threads) has one for each. The answers are those of single solves. Gives the
 * error of the failed job with the lowest index; after a failure no new jobs are begun. Errors:
 * those of the solve functions, BURL_ERR_ARGUMENT (threads < 1, none or both of the costs). */
BURL_API burl_status
burl_sinkhorn_solve_batch(burl_sinkhorn *const *solvers, int threads, const burl_sinkhorn_job *jobs,
                          size_t count, const burl_sinkhorn_options *options) BURL_MUST_CHECK;

/* The plan of given potentials: P_ij = exp((f_i + g_j - C_ij)/eps), (n,m), leading dimension ldp.
 * P may be C. */
BURL_API void burl_sinkhorn_plan_log(double *P, size_t ldp, const double *C, size_t ldc, size_t n,
                                     size_t m, const double *f, const double *g, double eps);
BURL_API void burl_sinkhorn_plan_scaling(float *P, size_t ldp, const float *C, size_t ldc, size_t n,
                                         size_t m, const double *f, const double *g, double eps);

#ifdef __cplusplus
}
#endif
#endif
