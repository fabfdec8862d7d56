/* Workspace, checks, and the frame of transport with marginals that need not be met.
 *
 * A half-step of side X looks at the scores w_i = log sum_j exp(gamma_j - C_ij/eps), that is, at
 * what the plan would add up to with potential 0, and sets the potential. A sweep is
 *     step of the first side, scores of the second, step of the second, scores of the first;
 * the last scores serve the next sweep, and tell the residual at no further cost. Two readings of C
 * a sweep, and one exponential an entry in each.
 */
#include "num/log_sum.h"
#include "num/magnitude.h"
#include "transport/unbalanced_parts.h"

#include <math.h>
#include <stdlib.h>

#define LARGEST_COST 1e14
#define LARGEST_POTENTIAL 1e16
#define BLOCK_ROWS 8

static void lay_out(burl_unbalanced *self, int take) {
  for (int k = 0; k < 4; k++) {
    if (take) {
      self->of_rows[k] = burl_arena_take(&self->arena, self->n, sizeof(double));
      self->of_columns[k] = burl_arena_take(&self->arena, self->m, sizeof(double));
    } else {
      burl_arena_reserve(&self->arena, self->n, sizeof(double));
      burl_arena_reserve(&self->arena, self->m, sizeof(double));
    }
  }
  if (take)
    self->max = burl_arena_take(&self->arena, self->m, sizeof(double));
  else
    burl_arena_reserve(&self->arena, self->m, sizeof(double));
}

burl_status burl_unbalanced_new(burl_unbalanced **self, size_t n, size_t m) {
  size_t bytes;
  if (n == 0 || m == 0) return BURL_ERR_ARGUMENT;
  if (!burl_size_mul(&bytes, n, 8 * sizeof(double)) ||
      !burl_size_mul(&bytes, m, 8 * sizeof(double)))
    return BURL_ERR_SIZE;
  burl_unbalanced *made = burl_alloc_zero(1, sizeof *made);
  if (!made) return BURL_ERR_MEMORY;
  made->n = n;
  made->m = m;
  lay_out(made, 0);
  if (!burl_arena_open(&made->arena)) {
    free(made);
    return BURL_ERR_MEMORY;
  }
  lay_out(made, 1);
  *self = made;
  return BURL_OK;
}

void burl_unbalanced_free(burl_unbalanced *self) {
  if (!self) return;
  burl_arena_close(&self->arena);
  free(self);
}

static burl_status check_side(burl_unbalanced_side *side) {
  side->total = 0.0;
  for (size_t k = 0; k < side->count; k++) {
    if (!isfinite(side->mass[k])) return BURL_ERR_NUMERIC;
    if (side->mass[k] < 0.0) return BURL_ERR_ARGUMENT;
    side->total += side->mass[k];
  }
  if (!isfinite(side->total)) return BURL_ERR_NUMERIC;
  return side->total > 0.0 ? BURL_OK : BURL_ERR_ARGUMENT;
}

static burl_status check_cost(const burl_unbalanced_problem *problem) {
  double largest = 0.0;
  for (size_t i = 0; i < problem->rows.count; i++) {
    double row =
        burl_num_magnitude_double(problem->cost + i * problem->ldc, problem->columns.count);
    if (!isfinite(row)) return BURL_ERR_NUMERIC;
    largest = row > largest ? row : largest;
  }
  return largest <= LARGEST_COST * problem->eps ? BURL_OK : BURL_ERR_ARGUMENT;
}

static burl_status check_start(const burl_unbalanced_side *side, const double *potential,
                               double eps) {
  for (size_t k = 0; k < side->count; k++) {
    if (side->mass[k] <= 0.0) continue;
    if (!isfinite(potential[k])) return BURL_ERR_NUMERIC;
    if (fabs(potential[k]) > LARGEST_POTENTIAL * eps) return BURL_ERR_ARGUMENT;
  }
  return BURL_OK;
}

static int options_are_valid(const burl_sinkhorn_options *options) {
  return options && isfinite(options->eps) && options->eps > 0.0 && isfinite(1.0 / options->eps) &&
         options->max_sweeps >= 1 && options->tolerance >= 0.0 && options->check_every >= 1 &&
         options->threads >= 0 &&
         (options->order == BURL_ROW_THEN_COLUMN || options->order == BURL_COLUMN_THEN_ROW);
}

static void give(burl_unbalanced_side *side, double *const arrays[4]) {
  side->potential = arrays[0];
  side->log_mass = arrays[1];
  side->score = arrays[2];
  side->sum = arrays[3];
}

burl_status burl_unbalanced_check(burl_unbalanced *self, burl_unbalanced_problem *problem,
                                  const double *f, const double *g, int warm,
                                  const burl_sinkhorn_options *options) {
  burl_unbalanced_side *rows = &problem->rows, *columns = &problem->columns;
  if (!options_are_valid(options) || rows->count == 0 || columns->count == 0 ||
      problem->ldc < columns->count)
    return BURL_ERR_ARGUMENT;
  if (rows->count > self->n || columns->count > self->m) return BURL_ERR_SIZE;
  problem->self = self;
  problem->eps = options->eps;
  problem->scale = 1.0 / options->eps;
  problem->order = options->order;
  give(rows, self->of_rows);
  give(columns, self->of_columns);
  burl_status status = check_side(rows);
  if (!status) status = check_side(columns);
  if (!status) status = check_cost(problem);
  if (!status && warm) status = check_start(rows, f, options->eps);
  if (!status && warm) status = check_start(columns, g, options->eps);
  return status;
}

double burl_unbalanced_log_total(const double *x, const double *y, double factor, size_t count) {
  double max = BURL_NUM_LOWEST, sum = 0.0;
  for (size_t k = 0; k < count; k++)
    if (isfinite(x[k])) max = fmax(max, x[k] + factor * y[k]);
  for (size_t k = 0; k < count; k++)
    if (isfinite(x[k])) sum += exp(x[k] + factor * y[k] - max);
  return max + log(sum);
}

static void prepare(burl_unbalanced_side *side, const double *start, double scale) {
  for (size_t k = 0; k < side->count; k++) {
    int present = side->mass[k] > 0.0;
    side->log_mass[k] = present ? log(side->mass[k]) : -(double)INFINITY;
    side->potential[k] = !present ? -(double)INFINITY : start ? start[k] * scale : 0.0;
  }
}

static void score_rows(burl_unbalanced_problem *problem) {
  for (size_t i = 0; i < problem->rows.count; i++)
    if (problem->rows.mass[i] > 0.0)
      problem->rows.score[i] =
          burl_num_log_sum(problem->columns.potential, problem->cost + i * problem->ldc,
                           problem->scale, problem->columns.count);
}

static void score_columns(burl_unbalanced_problem *problem) {
  size_t n = problem->rows.count, m = problem->columns.count;
  double *max = problem->self->max, *score = problem->columns.score;
  for (size_t j = 0; j < m; j++) {
    max[j] = BURL_NUM_LOWEST;
    score[j] = 0.0;
  }
  for (size_t i = 0; i < n; i += BLOCK_ROWS)
    burl_num_log_sum_columns(max, score, problem->rows.potential + i,
                             problem->cost + i * problem->ldc, problem->ldc, problem->scale,
                             n - i < BLOCK_ROWS ? n - i : BLOCK_ROWS, m);
  for (size_t j = 0; j < m; j++)
    score[j] = max[j] + log(score[j]);
}

static void score(burl_unbalanced_problem *problem, const burl_unbalanced_side *side) {
  if (side == &problem->rows)
    score_rows(problem);
  else
    score_columns(problem);
}

/* By the scores or, where the plan has been measured, by its sums. */
static double residual(const burl_unbalanced_problem *problem, const burl_unbalanced_side *side,
                       const burl_unbalanced_form *form, int measured) {
  double squares = 0.0;
  for (size_t k = 0; k < side->count; k++) {
    if (side->mass[k] <= 0.0) continue;
    double sum = measured ? side->sum[k] : exp(side->potential[k] + problem->tau + side->score[k]);
    double error = sum - form->asked(problem, side, k, sum);
    squares += error * error;
  }
  return sqrt(squares);
}

static void measure(burl_unbalanced_problem *problem, const burl_unbalanced_side *first,
                    const burl_unbalanced_form *form, burl_unbalanced_info *info) {
  burl_unbalanced_side *rows = &problem->rows, *columns = &problem->columns;
  double entropy = 0.0;
  info->mass = info->transport = info->price = 0.0;
  for (size_t j = 0; j < columns->count; j++)
    columns->sum[j] = 0.0;
  for (size_t i = 0; i < rows->count; i++) {
    rows->sum[i] = 0.0;
    if (rows->mass[i] <= 0.0) continue;
    burl_num_plan_row row =
        burl_num_plan_sums(columns->sum, rows->potential[i] + problem->tau, columns->potential,
                           problem->cost + i * problem->ldc, problem->scale, columns->count);
    rows->sum[i] = row.mass;
    info->mass += row.mass;
    info->transport += row.cost;
    entropy += row.entropy;
  }
  info->residual = residual(problem, first, form, 1);
  info->primal = info->transport + problem->eps * (entropy - info->mass);
  form->report(problem, info);
}

static void iterate(burl_unbalanced_problem *problem, const burl_sinkhorn_options *options,
                    burl_unbalanced_info *info, const burl_unbalanced_form *form) {
  int by_rows = problem->order == BURL_ROW_THEN_COLUMN;
  burl_unbalanced_side *first = by_rows ? &problem->rows : &problem->columns;
  burl_unbalanced_side *second = by_rows ? &problem->columns : &problem->rows;
  score(problem, first);
  for (info->sweeps = 1;; info->sweeps++) {
    if (form->before) form->before(problem, first, second);
    form->step(problem, first);
    score(problem, second);
    form->step(problem, second);
    score(problem, first);
    int last = info->sweeps == options->max_sweeps;
    int look = options->tolerance > 0.0 && info->sweeps % options->check_every == 0;
    if (!last && !(look && residual(problem, first, form, 0) <= options->tolerance)) continue;
    measure(problem, first, form, info);
    info->converged = info->residual <= options->tolerance;
    if (last || info->converged) return;
  }
}

static void write_potential(double *out, const burl_unbalanced_side *side, double shift,
                            double eps) {
  for (size_t k = 0; k < side->count; k++)
    out[k] = eps * (side->potential[k] + shift);
}

burl_status burl_unbalanced_run(burl_unbalanced_problem *problem, double *f, double *g, int warm,
                                const burl_sinkhorn_options *options, burl_unbalanced_info *info,
                                const burl_unbalanced_form *form) {
  burl_unbalanced_info found = {0};
  problem->tau = 0.0;
  prepare(&problem->rows, warm ? f : NULL, problem->scale);
  prepare(&problem->columns, warm ? g : NULL, problem->scale);
  iterate(problem, options, &found, form);
  if (!isfinite(found.primal) || !isfinite(found.dual) || !isfinite(found.mass))
    return BURL_ERR_NUMERIC;
  write_potential(f, &problem->rows, problem->tau, problem->eps);
  write_potential(g, &problem->columns, 0.0, problem->eps);
  if (info) *info = found;
  return BURL_OK;
}
