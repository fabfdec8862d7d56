/* The log form, in double:
 *     phi_i   = log a_i - LSE_j(gamma_j - C_ij/eps)      (row step)
 *     gamma_j = log b_j - LSE_i(phi_i   - C_ij/eps)      (column step)
 * LSE(t) = max t + log sum exp(t - max t) neither overflows nor loses everything to underflow,
 * whatever eps. A few rows at a time take their row step and go, still in the cache, into the
 * running log-sum-exp of the columns, so that one sweep reads C once, by rows. For columns first
 * the sweeps are the same with the readings shifted by half a sweep: each ends with the column sums
 * that the next one begins with.
 */
#include "num/log_sum.h"
#include "transport/sinkhorn_parts.h"

#include <math.h>

static size_t block_rows(const burl_sinkhorn_problem *problem, size_t first) {
  size_t left = problem->n - first;
  return left < BURL_SINKHORN_BLOCK ? left : BURL_SINKHORN_BLOCK;
}

static void pass_together(burl_sinkhorn *self, const burl_sinkhorn_problem *problem, int rows,
                          int columns) {
  size_t m = problem->m;
  for (size_t j = 0; columns && j < m; j++) {
    self->max[j] = BURL_NUM_LOWEST;
    self->sum[j] = 0.0;
  }
  for (size_t first = 0; first < problem->n; first += BURL_SINKHORN_BLOCK) {
    size_t ld, count = block_rows(problem, first);
    const double *c = burl_sinkhorn_cost_rows(self, problem, first, count, &ld);
    double *phi = self->phi + first;
    for (size_t i = 0; rows && i < count; i++)
      if (problem->a[first + i] > 0.0)
        phi[i] =
            self->log_a[first + i] - burl_num_log_sum(self->gamma, c + i * ld, problem->scale, m);
    if (columns)
      burl_num_log_sum_columns(self->max, self->sum, phi, c, ld, problem->scale, count, m);
  }
}

typedef struct log_task {
  burl_sinkhorn *self;
  const burl_sinkhorn_problem *problem;
} log_task;

static size_t share(size_t count, int member, int members) {
  return count * (size_t)member / (size_t)members;
}

static void do_rows(void *context, int member, int members) {
  const log_task *task = context;
  const burl_sinkhorn_problem *problem = task->problem;
  burl_sinkhorn *self = task->self;
  size_t end = share(problem->n, member + 1, members);
  for (size_t i = share(problem->n, member, members); i < end; i++)
    if (problem->a[i] > 0.0)
      self->phi[i] =
          self->log_a[i] - burl_num_log_sum(self->gamma, problem->cost + i * problem->ldc,
                                            problem->scale, problem->m);
}

/* Some columns over all rows, by blocks of rows as ever. */
static void do_columns(void *context, int member, int members) {
  const log_task *task = context;
  const burl_sinkhorn_problem *problem = task->problem;
  burl_sinkhorn *self = task->self;
  size_t from = share(problem->m, member, members), end = share(problem->m, member + 1, members);
  for (size_t j = from; j < end; j++) {
    self->max[j] = BURL_NUM_LOWEST;
    self->sum[j] = 0.0;
  }
  for (size_t first = 0; first < problem->n; first += BURL_SINKHORN_BLOCK)
    burl_num_log_sum_columns(self->max + from, self->sum + from, self->phi + first,
                             problem->cost + first * problem->ldc + from, problem->ldc,
                             problem->scale, block_rows(problem, first), end - from);
}

/* A team reads the cost twice: for rows shared out by rows, and for columns by columns. Entries go
 * through the same operations in the same order. Float costs pass through one buffer, and one
 * thread. */
void burl_sinkhorn_log_pass(burl_sinkhorn *self, const burl_sinkhorn_problem *problem, int rows,
                            int columns) {
  if (self->team.members == 1 || !problem->cost) {
    pass_together(self, problem, rows, columns);
    return;
  }
  log_task task = {self, problem};
  if (rows) burl_team_run(&self->team, do_rows, &task);
  if (columns) burl_team_run(&self->team, do_columns, &task);
}

void burl_sinkhorn_log_columns(burl_sinkhorn *self, const burl_sinkhorn_problem *problem) {
  for (size_t j = 0; j < problem->m; j++)
    if (problem->b[j] > 0.0) self->gamma[j] = self->log_b[j] - (self->max[j] + log(self->sum[j]));
}

static void start(burl_sinkhorn *self, const burl_sinkhorn_problem *problem) {
  self->float_floor = 0.0;
  if (problem->order == BURL_COLUMN_THEN_ROW) burl_sinkhorn_log_pass(self, problem, 0, 1);
}

static void sweep(burl_sinkhorn *self, const burl_sinkhorn_problem *problem) {
  if (problem->order == BURL_COLUMN_THEN_ROW) burl_sinkhorn_log_columns(self, problem);
  burl_sinkhorn_log_pass(self, problem, 1, 1);
  if (problem->order == BURL_ROW_THEN_COLUMN) burl_sinkhorn_log_columns(self, problem);
}

static double row_residual(burl_sinkhorn *self, const burl_sinkhorn_problem *problem) {
  double squares = 0.0;
  for (size_t i = 0; i < problem->n; i++) {
    if (problem->a[i] <= 0.0) continue;
    size_t ld;
    const double *c = burl_sinkhorn_cost_rows(self, problem, i, 1, &ld);
    double log_mass = self->phi[i] + burl_num_log_sum(self->gamma, c, problem->scale, problem->m);
    double error = exp(log_mass) - problem->a[i];
    squares += error * error;
  }
  return sqrt(squares);
}

static double column_residual(const burl_sinkhorn *self, const burl_sinkhorn_problem *problem) {
  double squares = 0.0;
  for (size_t j = 0; j < problem->m; j++) {
    if (problem->b[j] <= 0.0) continue;
    double error = exp(self->gamma[j] + self->max[j]) * self->sum[j] - problem->b[j];
    squares += error * error;
  }
  return sqrt(squares);
}

static double residual(burl_sinkhorn *self, const burl_sinkhorn_problem *problem) {
  return problem->order == BURL_ROW_THEN_COLUMN ? row_residual(self, problem)
                                                : column_residual(self, problem);
}

static void rows(burl_sinkhorn *self, const burl_sinkhorn_problem *problem) {
  burl_sinkhorn_log_pass(self, problem, 1, 1);
}

static int marginal(burl_sinkhorn *self, const burl_sinkhorn_problem *problem, double *sums) {
  for (size_t j = 0; j < problem->m; j++)
    sums[j] = problem->b[j] > 0.0 ? exp(self->gamma[j] + self->max[j]) * self->sum[j] : 0.0;
  return 1;
}

/* phi and gamma are where they belong all the time. */
static void finish(burl_sinkhorn *self, const burl_sinkhorn_problem *problem) {
  (void)self;
  (void)problem;
}

const burl_sinkhorn_form burl_sinkhorn_log_form = {start, sweep, residual, finish};
const burl_sinkhorn_parts burl_sinkhorn_log_parts = {rows, burl_sinkhorn_log_columns, marginal,
                                                     finish};

burl_status burl_sinkhorn_solve_log(burl_sinkhorn *self, double *f, double *g, const double *C,
                                    size_t ldc, size_t n, size_t m, const double *a,
                                    const double *b, int warm, const burl_sinkhorn_options *options,
                                    burl_sinkhorn_info *info) {
  burl_sinkhorn_problem problem = {
      .parts = &burl_sinkhorn_log_parts, .cost = C, .ldc = ldc, .n = n, .m = m, .a = a, .b = b};
  return burl_sinkhorn_run(self, f, g, &problem, warm, options, info, &burl_sinkhorn_log_form);
}
