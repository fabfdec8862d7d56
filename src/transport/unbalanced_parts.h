/* transport/unbalanced_parts.h: what transport with marginals that need not be met shares: the two
 * sides of a problem, the workspace, and the frame in which a form runs. Potentials are kept
 * divided by eps; the plan is P_ij = exp(phi_i + gamma_j + tau - C_ij/eps).
 */
#ifndef BURL_TRANSPORT_UNBALANCED_PARTS_H
#define BURL_TRANSPORT_UNBALANCED_PARTS_H

#include "base/memory.h"
#include <burl/transport_unbalanced.h>

/* The rows or the columns. Entries without mass have potential and log_mass -inf. */
typedef struct burl_unbalanced_side {
  const double *mass;
  double *potential, *log_mass;
  double *score; /* rows: log sum_j exp(gamma_j - C_ij/eps), without tau; columns likewise */
  double *sum;   /* what the plan adds up to, set by measuring */
  size_t count;
  double total;
  double rho; /* unbalanced alone */
} burl_unbalanced_side;

/* Sizes are the largest n and m. */
struct burl_unbalanced {
  burl_arena arena;
  size_t n, m;
  double *of_rows[4], *of_columns[4]; /* potential, log_mass, score, sum */
  double *max;                        /* m: with score, running log-sum-exp */
};

typedef struct burl_unbalanced_problem {
  burl_unbalanced *self;
  burl_unbalanced_side rows, columns;
  const double *cost;
  size_t ldc;
  double eps, scale; /* scale = 1 / eps */
  double mass, tau;  /* partial: s, t / eps; unbalanced: tau is 0 */
  burl_sweep_order order;
} burl_unbalanced_problem;

/* A form: `before` may move both potentials (and the score of the side that comes first) before a
 * sweep, NULL for none; `step` sets the potential of a side from its score; `asked` is the mass
 * that the potentials ask of entry k, whose sum is `sum`; `report` sets primal, dual, gap and
 * price, given in info->primal <P,C> + eps sum P (log P - 1). */
typedef struct burl_unbalanced_form {
  void (*before)(burl_unbalanced_problem *problem, burl_unbalanced_side *first,
                 burl_unbalanced_side *second);
  void (*step)(burl_unbalanced_problem *problem, burl_unbalanced_side *side);
  double (*asked)(const burl_unbalanced_problem *problem, const burl_unbalanced_side *side,
                  size_t k, double sum);
  void (*report)(const burl_unbalanced_problem *problem, burl_unbalanced_info *info);
} burl_unbalanced_form;

/* Fits the workspace to the problem and checks sizes, options, masses, cost and start. The caller
 * has set cost, ldc, and mass and count of both sides. */
burl_status burl_unbalanced_check(burl_unbalanced *self, burl_unbalanced_problem *problem,
                                  const double *f, const double *g, int warm,
                                  const burl_sinkhorn_options *options) BURL_MUST_CHECK;

/* Runs the form on a checked problem. f, g and info are written at the end only.
 * Errors: BURL_ERR_NUMERIC (the plan is beyond double). */
burl_status burl_unbalanced_run(burl_unbalanced_problem *problem, double *f, double *g, int warm,
                                const burl_sinkhorn_options *options, burl_unbalanced_info *info,
                                const burl_unbalanced_form *form) BURL_MUST_CHECK;

/* log sum_k exp(x_k + factor y_k), entries with x_k = -inf left out (y may be -inf there). */
double burl_unbalanced_log_total(const double *x, const double *y, double factor, size_t count);

#endif
