/* The scaling form on a cost that is never stored.
 *
 * Notation of sinkhorn_scaling.c. A sweep goes through the rows by blocks of BURL_COST_BLOCK: the
 * cost of the block by matrix products, its kernel from gamma, row step and column sums from that
 * one block, which is then forgotten. As the kernel is built anew in every sweep, gamma is absorbed
 * in every sweep: y stays at the weights, nothing drifts, and the potentials are
 *     phi_i = log a_i - log r_i - shift_i,     gamma_j += log(b_j / (w_j s_j)).
 * What a column step in float cannot trust, and tolerances that float cannot reach, go through the
 * log form as they do there, whose rows come from the same blocks.
 *
 * The residual of the rows is what the row step of the next sweep finds, so it is taken ahead, and
 * looking costs nothing. */
#include "num/scaling.h"
#include "transport/lazy_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SMALLEST_WEIGHT 1e-30
#define FLOAT_FLOOR 5e-7
#define SMALLEST_SUM 1e-25
#define LARGEST_SUM 1e25
#define SUM_ROWS 64 /* rows whose column sums are added up in float */

/* The context of the forms is the core; the lazy workspace around it is found through the source.
 */
static burl_sinkhorn_lazy *lazy_of(const burl_sinkhorn_problem *problem) {
  return problem->source->context;
}

static const float *hold_block(burl_sinkhorn_lazy *self, size_t first) {
  size_t n = burl_cost_get_n(self->cost);
  if (self->held == 0 || self->first != first) {
    burl_cost_whole_block(self->cost, self->block, burl_cost_get_m(self->cost), first);
    self->first = first;
    self->held = n - first < BURL_COST_BLOCK ? n - first : BURL_COST_BLOCK;
  }
  return self->block;
}

/* Rows asked for lie within one block: BURL_SINKHORN_BLOCK divides BURL_COST_BLOCK. */
_Static_assert(BURL_COST_BLOCK % BURL_SINKHORN_BLOCK == 0, "rows of the log form cross blocks");
static const float *rows_of_source(void *context, size_t first, size_t count) {
  burl_sinkhorn_lazy *self = context;
  (void)count;
  size_t start = first / BURL_COST_BLOCK * BURL_COST_BLOCK;
  return hold_block(self, start) + (first - start) * burl_cost_get_m(self->cost);
}

/* y and kernel weights for gamma as it stands. */
static void absorb(burl_sinkhorn *core, const burl_sinkhorn_problem *problem) {
  for (size_t j = 0; j < problem->m; j++) {
    core->gamma_weighted[j] = core->gamma[j] - log(core->weight[j]);
    core->y[j] = problem->b[j] > 0.0 ? (float)core->weight[j] : 0.0f;
  }
}

static double norm(const double *masses, size_t count) {
  double squares = 0.0;
  for (size_t i = 0; i < count; i++)
    squares += masses[i] * masses[i];
  return sqrt(squares);
}

static void start(burl_sinkhorn *core, const burl_sinkhorn_problem *problem) {
  size_t m = problem->m;
  int columns_last = problem->order == BURL_ROW_THEN_COLUMN;
  for (size_t i = 0; i < problem->n; i++)
    core->mass[i] = (float)(problem->a[i] / problem->total);
  for (size_t j = 0; j < m; j++)
    core->weight[j] = fmax(problem->b[j] / problem->total, SMALLEST_WEIGHT);
  memset(core->y, 0, burl_num_scaling_padded(m) * sizeof *core->y);
  core->polish = BURL_SINKHORN_POLISH_NO;
  core->float_floor =
      FLOAT_FLOOR * (columns_last ? norm(problem->a, problem->n) : norm(problem->b, m));
  core->sums_in_log = !columns_last;
  if (core->sums_in_log) burl_sinkhorn_log_pass(core, problem, 0, 1);
  absorb(core, problem);
  lazy_of(problem)->is_ahead = 0;
}

/* Kernel of rows first..first+count-1, row step and column sums. */
static void step_rows(burl_sinkhorn *core, const burl_sinkhorn_problem *problem, const float *c,
                      size_t first, size_t count) {
  size_t m = problem->m, padded = burl_num_scaling_padded(m);
  for (size_t i = 0; i < count; i++) {
    float *k = core->kernel + i * padded;
    if (problem->a[first + i] > 0.0)
      core->shift[first + i] = burl_num_scaling_build(k, c + i * m, core->gamma,
                                                      core->gamma_weighted, problem->scale, m);
    else
      memset(k, 0, padded * sizeof *k);
  }
  memset(core->part, 0, padded * sizeof *core->part);
  burl_num_scaling_rows(core->r + first, core->part, core->kernel, padded, count, m, core->y,
                        core->mass + first);
  for (size_t j = 0; j < m; j++)
    core->s[j] += (double)core->part[j];
}

static void rows(burl_sinkhorn *core, const burl_sinkhorn_problem *problem) {
  memset(core->s, 0, problem->m * sizeof *core->s);
  for (size_t first = 0; first < problem->n; first += SUM_ROWS) {
    size_t left = problem->n - first, count = left < SUM_ROWS ? left : SUM_ROWS;
    const float *c = rows_of_source(lazy_of(problem), first, count);
    step_rows(core, problem, c, first, count);
  }
}

static void read_phi(burl_sinkhorn *core, const burl_sinkhorn_problem *problem) {
  for (size_t i = 0; i < problem->n; i++)
    if (problem->a[i] > 0.0)
      core->phi[i] = core->log_a[i] - log((double)core->r[i]) - core->shift[i];
}

static int sums_are_safe(const burl_sinkhorn *core, const burl_sinkhorn_problem *problem) {
  for (size_t j = 0; j < problem->m; j++)
    if (problem->b[j] > 0.0 && !(core->s[j] >= SMALLEST_SUM && core->s[j] <= LARGEST_SUM)) return 0;
  return 1;
}

static void columns(burl_sinkhorn *core, const burl_sinkhorn_problem *problem) {
  if (!core->sums_in_log && !sums_are_safe(core, problem)) {
    read_phi(core, problem);
    burl_sinkhorn_log_pass(core, problem, 0, 1);
    core->sums_in_log = 1;
  }
  if (core->sums_in_log)
    burl_sinkhorn_log_columns(core, problem);
  else
    for (size_t j = 0; j < problem->m; j++)
      if (problem->b[j] > 0.0)
        core->gamma[j] = core->gamma_weighted[j] + log(problem->b[j] / problem->total / core->s[j]);
  core->sums_in_log = 0;
  absorb(core, problem);
}

static void finish(burl_sinkhorn *core, const burl_sinkhorn_problem *problem) {
  if (core->polish != BURL_SINKHORN_POLISH_NOW && !lazy_of(problem)->is_ahead)
    read_phi(core, problem);
}

static void sweep(burl_sinkhorn *core, const burl_sinkhorn_problem *problem) {
  burl_sinkhorn_lazy *self = lazy_of(problem);
  if (core->polish == BURL_SINKHORN_POLISH_NEXT) {
    finish(core, problem);
    burl_sinkhorn_log_form.start(core, problem);
    core->polish = BURL_SINKHORN_POLISH_NOW;
  }
  if (core->polish == BURL_SINKHORN_POLISH_NOW) {
    burl_sinkhorn_log_form.sweep(core, problem);
    return;
  }
  if (problem->order == BURL_COLUMN_THEN_ROW) columns(core, problem);
  if (!self->is_ahead) rows(core, problem);
  self->is_ahead = 0;
  if (problem->order == BURL_ROW_THEN_COLUMN) columns(core, problem);
}

/* The parts of a sweep by which the form is accelerated. */
static void accelerated_rows(burl_sinkhorn *core, const burl_sinkhorn_problem *problem) {
  burl_sinkhorn_lazy *self = lazy_of(problem);
  if (core->polish == BURL_SINKHORN_POLISH_NEXT) {
    finish(core, problem);
    core->polish = BURL_SINKHORN_POLISH_NOW;
    core->float_floor = 0.0;
  }
  if (core->polish == BURL_SINKHORN_POLISH_NOW)
    burl_sinkhorn_log_parts.rows(core, problem);
  else if (!self->is_ahead)
    rows(core, problem);
  self->is_ahead = 0;
}

static void accelerated_columns(burl_sinkhorn *core, const burl_sinkhorn_problem *problem) {
  if (core->polish == BURL_SINKHORN_POLISH_NOW)
    burl_sinkhorn_log_parts.columns(core, problem);
  else
    columns(core, problem);
}

static int marginal(burl_sinkhorn *core, const burl_sinkhorn_problem *problem, double *sums) {
  if (core->polish == BURL_SINKHORN_POLISH_NOW)
    return burl_sinkhorn_log_parts.marginal(core, problem, sums);
  if (!sums_are_safe(core, problem)) return 0;
  for (size_t j = 0; j < problem->m; j++)
    sums[j] = problem->b[j] > 0.0 ? problem->total * core->weight[j] * core->s[j] : 0.0;
  return 1;
}

static void place(burl_sinkhorn *core, const burl_sinkhorn_problem *problem) {
  if (core->polish != BURL_SINKHORN_POLISH_NOW) absorb(core, problem);
}

/* Takes the row step of the next sweep; phi stays that of the sweep before. The mass of a row is
 * a_i times the ratio of its new sum to the old one. */
static double row_residual(burl_sinkhorn *core, const burl_sinkhorn_problem *problem) {
  burl_sinkhorn_lazy *self = lazy_of(problem);
  double squares = 0.0;
  read_phi(core, problem);
  for (size_t i = 0; i < problem->n; i++)
    self->passed[i] = problem->a[i] > 0.0 ? log((double)core->r[i]) + core->shift[i] : 0.0;
  rows(core, problem);
  self->is_ahead = 1;
  for (size_t i = 0; i < problem->n; i++) {
    if (problem->a[i] <= 0.0) continue;
    double ratio = exp(log((double)core->r[i]) + core->shift[i] - self->passed[i]);
    double error = problem->a[i] * (ratio - 1.0);
    squares += error * error;
  }
  return sqrt(squares);
}

static double column_residual(const burl_sinkhorn *core, const burl_sinkhorn_problem *problem) {
  double squares = 0.0;
  for (size_t j = 0; j < problem->m; j++) {
    if (problem->b[j] <= 0.0) continue;
    double error = problem->total * core->weight[j] * core->s[j] - problem->b[j];
    squares += error * error;
  }
  return sqrt(squares);
}

static double residual(burl_sinkhorn *core, const burl_sinkhorn_problem *problem) {
  if (core->polish == BURL_SINKHORN_POLISH_NOW)
    return burl_sinkhorn_log_form.residual(core, problem);
  double found = problem->order == BURL_COLUMN_THEN_ROW ? column_residual(core, problem)
                                                        : row_residual(core, problem);
  if (found <= core->float_floor) core->polish = BURL_SINKHORN_POLISH_NEXT;
  return found;
}

burl_status burl_sinkhorn_lazy_new(burl_sinkhorn_lazy **self, size_t n, size_t m) {
  burl_sinkhorn_lazy *made = burl_alloc_zero(1, sizeof *made);
  if (!made) return BURL_ERR_MEMORY;
  burl_status status = burl_sinkhorn_new_kernel(&made->core, n, m, SUM_ROWS);
  if (!status) {
    made->block = burl_alloc(m, BURL_COST_BLOCK * sizeof *made->block);
    made->passed = burl_alloc(n, sizeof *made->passed);
    if (!made->block || !made->passed) status = BURL_ERR_MEMORY;
  }
  if (status)
    burl_sinkhorn_lazy_free(made);
  else
    *self = made;
  return status;
}

void burl_sinkhorn_lazy_free(burl_sinkhorn_lazy *self) {
  if (!self) return;
  burl_sinkhorn_free(self->core);
  free(self->block);
  free(self->passed);
  free(self);
}

burl_status burl_sinkhorn_solve_lazy(burl_sinkhorn_lazy *self, double *f, double *g,
                                     burl_cost *cost, const double *a, const double *b, int warm,
                                     const burl_sinkhorn_options *options,
                                     burl_sinkhorn_info *info) {
  static const burl_sinkhorn_form form = {
      .start = start, .sweep = sweep, .residual = residual, .finish = finish};
  static const burl_sinkhorn_parts parts = {.rows = accelerated_rows,
                                            .columns = accelerated_columns,
                                            .marginal = marginal,
                                            .place = place};
  burl_sinkhorn_source source = {rows_of_source, self, burl_cost_get_bound(cost)};
  size_t n = burl_cost_get_n(cost), m = burl_cost_get_m(cost);
  burl_sinkhorn_problem problem = {
      .parts = &parts, .source = &source, .ldc = m, .n = n, .m = m, .a = a, .b = b};
  if (!options) return BURL_ERR_ARGUMENT;
  burl_sinkhorn_options single = *options;
  if (single.threads > 1) single.threads = 1; /* blocks come one after the other */
  self->cost = cost;
  self->held = 0;
  burl_status status = burl_sinkhorn_run(self->core, f, g, &problem, warm, &single, info, &form);
  self->cost = NULL;
  return status;
}
