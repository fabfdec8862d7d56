/* Unbalanced transport: marginals with a Kullback-Leibler penalty.
 *
 * Setting the dual's gradient in f_i to zero, a_i exp(-f_i/rho) = exp(f_i/eps) sum_j exp((g_j -
 * C_ij)/eps), gives the step of the balanced problem, damped:
 *     phi_i = rho/(rho + eps) (log a_i - w_i),
 * 1 where rho is infinite, 0 where it is 0.
 *
 * f + t, g - t give the same plan, but not the same dual: for rho large against eps, where the
 * damping is close to 1, sweeps move along that line by little more than a factor rho/(rho + eps)
 * each. The best t is known, rho_a <a, exp(-f/rho_a)> exp(-t/rho_a) against the same of b:
 *     t = (log <a, exp(-f/rho_a)> - log <b, exp(-g/rho_b)>) / (1/rho_a + 1/rho_b),
 * and is taken before each sweep, for n + m exponentials. Sweeps then converge as the balanced ones
 * do, and faster with smaller rho.
 */
#include "transport/unbalanced_parts.h"

#include <math.h>

#define RHO_RANGE 1e14
#define TOTALS_DIFFER 1e-9

/* eps/rho: what a potential divided by eps counts for in the marginal asked for. */
static double slope(const burl_unbalanced_problem *problem, const burl_unbalanced_side *side) {
  return isinf(side->rho) ? 0.0 : problem->eps / side->rho;
}

static int is_penalised(const burl_unbalanced_side *side) {
  return side->rho > 0.0 && !isinf(side->rho);
}

static void shift(burl_unbalanced_problem *problem, burl_unbalanced_side *first,
                  burl_unbalanced_side *second) {
  if (first->rho <= 0.0 || second->rho <= 0.0) return;
  double first_slope = slope(problem, first), second_slope = slope(problem, second);
  if (first_slope + second_slope <= 0.0) return;
  double t =
      (burl_unbalanced_log_total(first->log_mass, first->potential, -first_slope, first->count) -
       burl_unbalanced_log_total(second->log_mass, second->potential, -second_slope,
                                 second->count)) /
      (first_slope + second_slope);
  for (size_t k = 0; k < first->count; k++) {
    first->potential[k] += t;
    first->score[k] -= t;
  }
  for (size_t k = 0; k < second->count; k++)
    second->potential[k] -= t;
}

static void step(burl_unbalanced_problem *problem, burl_unbalanced_side *side) {
  double damping = isinf(side->rho) ? 1.0 : side->rho / (side->rho + problem->eps);
  for (size_t k = 0; k < side->count; k++)
    if (side->mass[k] > 0.0)
      side->potential[k] = damping > 0.0 ? damping * (side->log_mass[k] - side->score[k]) : 0.0;
}

static double log_asked(const burl_unbalanced_problem *problem, const burl_unbalanced_side *side,
                        size_t k) {
  return side->log_mass[k] - slope(problem, side) * side->potential[k];
}

static double asked(const burl_unbalanced_problem *problem, const burl_unbalanced_side *side,
                    size_t k, double sum) {
  if (isinf(side->rho)) return side->mass[k];
  return side->rho > 0.0 ? exp(log_asked(problem, side, k)) : sum;
}

/* p log(p/q) - p + q, precise also where p is close to q. */
static double divergence(double p, double log_q) {
  double q = exp(log_q), d = p / q - 1.0;
  if (p <= 0.0) return q;
  if (fabs(d) < 1e-3)
    return q * d * d * (1.0 / 2.0 - d * (1.0 / 6.0 - d * (1.0 / 12.0 - d * (1.0 / 20.0))));
  return p * (log(p) - log_q) - p + q;
}

static void add_side(const burl_unbalanced_problem *problem, const burl_unbalanced_side *side,
                     burl_unbalanced_info *info) {
  double rho = side->rho, eps = problem->eps;
  for (size_t k = 0; k < side->count; k++) {
    if (side->mass[k] <= 0.0) continue;
    if (isinf(rho)) {
      info->dual += eps * side->potential[k] * side->mass[k];
      info->gap += eps * side->potential[k] * (side->sum[k] - side->mass[k]);
    } else if (is_penalised(side)) {
      info->primal += rho * divergence(side->sum[k], side->log_mass[k]);
      info->dual -= rho * side->mass[k] * expm1(-eps / rho * side->potential[k]);
      info->gap += rho * divergence(side->sum[k], log_asked(problem, side, k));
    }
  }
}

static void report(const burl_unbalanced_problem *problem, burl_unbalanced_info *info) {
  info->dual = -problem->eps * info->mass;
  info->gap = 0.0;
  add_side(problem, &problem->rows, info);
  add_side(problem, &problem->columns, info);
}

static int rho_is_valid(double rho, double eps) {
  if (rho == 0.0 || (isinf(rho) && rho > 0.0)) return 1;
  return rho >= eps / RHO_RANGE && rho <= eps * RHO_RANGE;
}

burl_status burl_unbalanced_solve(burl_unbalanced *self, double *f, double *g, const double *C,
                                  size_t ldc, size_t n, size_t m, const double *a, const double *b,
                                  double rho_a, double rho_b, int warm,
                                  const burl_sinkhorn_options *options,
                                  burl_unbalanced_info *info) {
  static const burl_unbalanced_form form = {shift, step, asked, report};
  burl_unbalanced_problem problem = {.cost = C,
                                     .ldc = ldc,
                                     .rows = {.mass = a, .count = n, .rho = rho_a},
                                     .columns = {.mass = b, .count = m, .rho = rho_b}};
  burl_status status = burl_unbalanced_check(self, &problem, f, g, warm, options);
  if (status) return status;
  if (!rho_is_valid(rho_a, options->eps) || !rho_is_valid(rho_b, options->eps))
    return BURL_ERR_ARGUMENT;
  double total = problem.rows.total;
  if (isinf(rho_a) && isinf(rho_b) && fabs(total - problem.columns.total) > TOTALS_DIFFER * total)
    return BURL_ERR_ARGUMENT;
  return burl_unbalanced_run(&problem, f, g, warm, options, info, &form);
}
