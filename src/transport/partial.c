/* Partial transport of a given mass s, and bins for what a balanced problem leaves over.
 *
 * A step of the rows maximises the dual over f <= 0 and t together, g fixed: with row sums e^tau
 * e^w_i where f_i = 0, it is
 *     sum_i min(a_i, e^(tau + w_i)) = s,     phi_i = min(0, log a_i - w_i - tau),
 * a water level tau. (Steps of f and t in turn would take hundreds of sweeps to fill the last
 * rows.) The level is found by filling: with no row full, tau = log s - log sum e^w; rows over
 * their mass are full, and the rest is shared by the others, which raises tau, until no further row
 * is full. A finite number of rounds, in practice a few, and exact. Columns likewise. With s the
 * total of both sides all are full, and the sweep is that of the balanced problem.
 */
#include "transport/unbalanced_parts.h"

#include <math.h>

#define OVER_TOTAL 1e-9

/* One round: what is left for the entries that are not full at level tau, and log sum of e^w over
 * them; gives the number of full ones. */
static size_t count_full(const burl_unbalanced_side *side, double tau, double *left,
                         double *log_open) {
  size_t full = 0;
  double max = -(double)INFINITY, sum = 0.0;
  for (size_t k = 0; k < side->count; k++) {
    if (side->mass[k] <= 0.0) continue;
    int is_full = side->score[k] + tau >= side->log_mass[k];
    full += (size_t)is_full;
    if (is_full)
      *left -= side->mass[k];
    else
      max = fmax(max, side->score[k]);
  }
  for (size_t k = 0; k < side->count; k++)
    if (side->mass[k] > 0.0 && side->score[k] + tau < side->log_mass[k])
      sum += exp(side->score[k] - max);
  *log_open = max + log(sum);
  return full;
}

static void step(burl_unbalanced_problem *problem, burl_unbalanced_side *side) {
  double tau = -(double)INFINITY;
  for (size_t round = 0, full_before = 0; round <= side->count; round++) {
    double left = problem->mass, log_open;
    size_t full = count_full(side, tau, &left, &log_open);
    /* nothing left: all are full, or what the others get is below rounding */
    if ((round > 0 && full == full_before) || left <= 0.0 || log_open < -1e300) break;
    full_before = full;
    tau = fmax(tau, log(left) - log_open);
  }
  problem->tau = tau;
  for (size_t k = 0; k < side->count; k++)
    if (side->mass[k] > 0.0)
      side->potential[k] = fmin(0.0, side->log_mass[k] - side->score[k] - tau);
}

static double asked(const burl_unbalanced_problem *problem, const burl_unbalanced_side *side,
                    size_t k, double sum) {
  (void)problem;
  return side->potential[k] < 0.0 ? side->mass[k] : fmin(sum, side->mass[k]);
}

static void add_side(const burl_unbalanced_problem *problem, const burl_unbalanced_side *side,
                     burl_unbalanced_info *info) {
  for (size_t k = 0; k < side->count; k++) {
    if (side->mass[k] <= 0.0) continue;
    double potential = problem->eps * side->potential[k];
    info->dual += potential * side->mass[k];
    info->gap += potential * (side->sum[k] - side->mass[k]);
  }
}

static void report(const burl_unbalanced_problem *problem, burl_unbalanced_info *info) {
  info->price = problem->eps * problem->tau;
  info->dual = info->price * problem->mass - problem->eps * info->mass;
  info->gap = info->price * (info->mass - problem->mass);
  add_side(problem, &problem->rows, info);
  add_side(problem, &problem->columns, info);
}

burl_status burl_unbalanced_solve_partial(burl_unbalanced *self, double *f, double *g,
                                          const double *C, size_t ldc, size_t n, size_t m,
                                          const double *a, const double *b, double mass, int warm,
                                          const burl_sinkhorn_options *options,
                                          burl_unbalanced_info *info) {
  static const burl_unbalanced_form form = {NULL, step, asked, report};
  burl_unbalanced_problem problem = {.cost = C,
                                     .ldc = ldc,
                                     .rows = {.mass = a, .count = n},
                                     .columns = {.mass = b, .count = m},
                                     .mass = mass};
  burl_status status = burl_unbalanced_check(self, &problem, f, g, warm, options);
  if (status) return status;
  double most = fmin(problem.rows.total, problem.columns.total);
  if (!(mass > 0.0) || mass > most * (1.0 + OVER_TOTAL)) return BURL_ERR_ARGUMENT;
  problem.mass = fmin(mass, most);
  return burl_unbalanced_run(&problem, f, g, warm, options, info, &form);
}

static burl_status check_bin(const burl_transport_bin *bin, size_t count) {
  if (!bin) return BURL_OK;
  if (!isfinite(bin->mass)) return BURL_ERR_NUMERIC;
  if (bin->mass < 0.0) return BURL_ERR_ARGUMENT;
  if (!bin->cost) return isfinite(bin->constant) ? BURL_OK : BURL_ERR_NUMERIC;
  for (size_t k = 0; k < count; k++)
    if (!isfinite(bin->cost[k])) return BURL_ERR_NUMERIC;
  return BURL_OK;
}

burl_status burl_transport_add_bins(double *C, size_t ldc, size_t n, size_t m, double *a, double *b,
                                    const burl_transport_bin *row, const burl_transport_bin *column,
                                    double corner) {
  if (ldc < m || (column && ldc == m)) return BURL_ERR_ARGUMENT;
  burl_status status = check_bin(row, m);
  if (!status) status = check_bin(column, n);
  if (!status && row && column && !isfinite(corner)) status = BURL_ERR_NUMERIC;
  if (status) return status;
  for (size_t j = 0; row && j < m; j++)
    C[n * ldc + j] = row->cost ? row->cost[j] : row->constant;
  for (size_t i = 0; column && i < n; i++)
    C[i * ldc + m] = column->cost ? column->cost[i] : column->constant;
  if (row) a[n] = row->mass;
  if (column) b[m] = column->mass;
  if (row && column) C[n * ldc + m] = corner;
  return BURL_OK;
}
