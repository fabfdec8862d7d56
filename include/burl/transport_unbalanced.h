/* burl/transport_unbalanced.h: entropic transport between marginals that need not be met: with a
 * penalty for missing them (unbalanced, semi-relaxed), of a given part of the mass (partial), and
 * with a bin for what is left over (balanced).
 *
 * Unbalanced: for a cost C (n,m), masses a (n), b (m) of any totals, eps > 0 and rho_a, rho_b >= 0,
 *     minimise <P,C> + eps sum P (log P - 1) + rho_a KL(P 1 | a) + rho_b KL(P^T 1 | b)  over P >=
 * 0, KL(p | a) = sum p log(p/a) - p + a. rho = INFINITY: that marginal is met exactly; 0: it is
 * free. The dual, to be maximised:
 *     - rho_a <a, exp(-f/rho_a) - 1> - rho_b <b, exp(-g/rho_b) - 1> - eps sum P,
 * with P_ij = exp((f_i + g_j - C_ij)/eps), <f,a> in place of the first term where rho_a is
 * INFINITY, and f = 0 without that term where rho_a is 0; likewise for b. What the potentials ask
 * for is A = a exp(-f/rho_a) (exact: a; free: P 1),  B likewise, and for any potentials primal -
 * dual = rho_a KL(P 1 | A) + rho_b KL(P^T 1 | B) >= 0, an exact marginal adding <f, P 1 - a>, of
 * either sign, a free one nothing.
 *
 * Partial: for a mass s up to the smaller total,
 *     minimise <P,C> + eps sum P (log P - 1)  over P >= 0, P 1 <= a, P^T 1 <= b, sum P = s.
 * Dual: <f,a> + <g,b> + t s - eps sum P, f <= 0, g <= 0, P_ij = exp((f_i + g_j + t - C_ij)/eps).
 *
 * Entries without mass are rows or columns without mass (potential -inf), whatever rho. Chapter:
 * docs/math/sinkhorn.md. Sources: L. Chizat, G. Peyre, B. Schmitzer, F.-X. Vialard, Scaling
 * algorithms for unbalanced optimal transport problems, Math. Comp. 87, 2018; J.-D. Benamou et al.,
 * Iterative Bregman projections for regularized transportation problems, SIAM J. Sci. Comput.
 * 37(2), 2015; the shift between sweeps: T. Sejourne, F.-X. Vialard, G. Peyre, Faster unbalanced
 * optimal transport, AISTATS 2022.
 */
#ifndef BURL_TRANSPORT_UNBALANCED_H
#define BURL_TRANSPORT_UNBALANCED_H

#include <burl/transport.h>

#ifdef __cplusplus
extern "C" {
#endif

/* All but the first two measured on the plan at exit. */
typedef struct burl_unbalanced_info {
  size_t sweeps;
  int converged;    /* 1 if residual <= tolerance */
  double residual;  /* Euclidean norm of the dual's gradient, all of which lies in the potential
                       not updated last: for rows |P 1 - A|; partial: a row counts by its excess
                       over a_i, where f_i < 0 also by what it lacks */
  double mass;      /* sum P */
  double transport; /* <P,C> */
  double primal;    /* what is minimised; an exact marginal adds nothing */
  double dual;
  double gap;   /* primal - dual, from the marginals and so without cancellation */
  double price; /* partial: t, what the next unit of mass costs; unbalanced: 0 */
} burl_unbalanced_info;

/* A solver for problems up to n x m; owns all memory that solving needs, which is O(n + m). */
typedef struct burl_unbalanced burl_unbalanced;

/* Errors: BURL_ERR_ARGUMENT (n or m is 0), BURL_ERR_SIZE, BURL_ERR_MEMORY. */
BURL_API burl_status burl_unbalanced_new(burl_unbalanced **self, size_t n,
                                         size_t m) BURL_MUST_CHECK;
BURL_API void burl_unbalanced_free(burl_unbalanced *self);

/* Log domain, double. Potentials, cost, order, warm start and info as in burl_sinkhorn_solve_log;
 * the plan of f and g is that of burl_sinkhorn_plan_log. With both rho INFINITY this is the
 * balanced problem. Runs on one thread whatever options->threads, plain sweeps whatever
 * options->accelerate. Allocates nothing; one solver serves one thread at a time.
 *
 * Errors: BURL_ERR_ARGUMENT (option; negative mass; a total of 0; rho negative, NaN, or neither 0
 * nor INFINITY nor within a factor 1e14 of eps; both rho INFINITY and totals that differ by more
 * than 1e-9 relative; max |C| > 1e14 eps or a start beyond 1e16 eps), BURL_ERR_NUMERIC (C, a, b, f
 * or g not finite; the plan is beyond double, as exp(-C/eps) may be), BURL_ERR_SIZE. */
BURL_API burl_status burl_unbalanced_solve(burl_unbalanced *self, double *f, double *g,
                                           const double *C, size_t ldc, size_t n, size_t m,
                                           const double *a, const double *b, double rho_a,
                                           double rho_b, int warm,
                                           const burl_sinkhorn_options *options,
                                           burl_unbalanced_info *info) BURL_MUST_CHECK;

/* Partial transport of `mass` = s. The side updated last keeps to its marginal and the total is s
 * exactly (to rounding) after any sweep. f receives f + t, so that burl_sinkhorn_plan_log gives the
 * plan. With equal totals and s equal to them this is the balanced problem.
 *
 * Errors: those of burl_unbalanced_solve that do not speak of rho, BURL_ERR_ARGUMENT (mass not > 0
 * or more than 1e-9 relative above the smaller total). */
BURL_API burl_status burl_unbalanced_solve_partial(burl_unbalanced *self, double *f, double *g,
                                                   const double *C, size_t ldc, size_t n, size_t m,
                                                   const double *a, const double *b, double mass,
                                                   int warm, const burl_sinkhorn_options *options,
                                                   burl_unbalanced_info *info) BURL_MUST_CHECK;

/* A bin that takes in what the others leave. */
typedef struct burl_transport_bin {
  double mass;
  double constant;    /* cost of every entry, where `cost` is NULL */
  const double *cost; /* cost of each entry: (m) for a row, (n) for a column */
} burl_transport_bin;

/* Makes the balanced problem (n + 1 where `row`, m + 1 where `column`) in the place of (n,m):
 * writes row n and column m of C, a[n] and b[m], which the caller has room for, ldc > m where there
 * is a column. row or column may be NULL. `corner` is the cost from bin to bin, read only where
 * there are both. To keep k of n at best cost: a = 1 (n), b = 1 (k), column {n - k, what leaving
 * one out costs, NULL}. Errors: BURL_ERR_ARGUMENT (a negative mass, ldc too short),
 * BURL_ERR_NUMERIC (a mass or cost not finite); nothing is written then. */
BURL_API burl_status burl_transport_add_bins(double *C, size_t ldc, size_t n, size_t m, double *a,
                                             double *b, const burl_transport_bin *row,
                                             const burl_transport_bin *column,
                                             double corner) BURL_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
