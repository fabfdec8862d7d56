/* The scaling form, with a float kernel and potentials in double.
 *
 * In units of the total mass, with weights w_j = max(b_j, 1e-30) and row maxima
 * shift_i = max_j (gamma_j - C_ij/eps) taken when the kernel is built,
 *     K_ij = exp(gamma_j - log w_j - C_ij/eps - shift_i),      P = diag(x) K diag(y),
 *     x_i = a_i / r_i,  r = K y                                (row step)
 *     y_j = b_j / s_j,  s = K^T x                              (column step)
 * and the potentials stand for phi_i = log x_i - shift_i and gamma_j = gamma_weighted_j + log y_j
 * at any time. Building K is itself a row step in the log domain: it needs gamma alone. In a kernel
 * just built y = w and 1 <= r <= m, so every entry that matters to a row or a column, however small
 * its mass, is far above the smallest float, and none is above 1e30. That holds while y and r stay
 * within a factor DRIFT of where they were; when one has left that range, y is absorbed into gamma
 * and K is built anew. exp(-C/eps) itself, which is 0 in float for small eps, is never formed.
 *
 * A column whose sum is outside float's trustworthy range (its entries are flushed to 0: it is
 * further from every row than float can tell) is not divided by: gamma then comes from a column
 * step of the log form. This happens in the first sweeps of problems with small eps, if at all.
 *
 * Float leaves a residual of some 1e-7 of the norm of the marginal. Once a look finds it below
 * FLOAT_FLOOR, and the sweeps are still to go on, they go on in the log domain from the potentials
 * reached. With a tolerance above that, or none, this never happens.
 *
 * Rows go through the vector kernels BLOCK_ROWS at a time: row sums and column sums in one reading
 * of K, column sums of a block in float, their total in double.
 */
#include "num/log_sum.h"
#include "num/scaling.h"
#include "num/vector_math.h"
#include "transport/sinkhorn_parts.h"

#include <math.h>
#include <string.h>

#define BLOCK_ROWS BURL_SINKHORN_ROWS
#define SMALLEST_WEIGHT 1e-30
#define FLOAT_FLOOR 5e-7
#define DRIFT 4.85e8 /* e^20 */
#define SMALLEST_SUM 1e-25
#define LARGEST_SUM 1e25

static int has_drifted(double now, double before) {
  return !((now <= before * DRIFT) & (now * DRIFT >= before)); /* no branch: it is for vectors */
}

/* Takes gamma as it stands into the kernel to be built: y starts at the weights. */
static void absorb(burl_sinkhorn *self, const burl_sinkhorn_problem *problem) {
  for (size_t j = 0; j < problem->m; j++) {
    self->gamma_weighted[j] = self->gamma[j] - log(self->weight[j]);
    self->y_exact[j] = problem->b[j] > 0.0 ? self->weight[j] : 0.0;
    self->y[j] = (float)self->y_exact[j];
  }
  self->must_build = 1;
}

static void read_gamma(burl_sinkhorn *self, const burl_sinkhorn_problem *problem) {
  for (size_t j = 0; j < problem->m; j++)
    if (problem->b[j] > 0.0) self->gamma[j] = self->gamma_weighted[j] + log(self->y_exact[j]);
}

/* log_a is in the units of the caller here, which makes phi so as well. */
static void read_phi(burl_sinkhorn *self, const burl_sinkhorn_problem *problem) {
  for (size_t i = 0; i < problem->n; i++)
    if (problem->a[i] > 0.0)
      self->phi[i] = self->log_a[i] - log((double)self->r[i]) - self->shift[i];
}

static double norm(const double *masses, size_t count) {
  double squares = 0.0;
  for (size_t i = 0; i < count; i++)
    squares += masses[i] * masses[i];
  return sqrt(squares);
}

static void start(burl_sinkhorn *self, const burl_sinkhorn_problem *problem) {
  size_t m = problem->m, padded = burl_num_scaling_padded(m);
  for (size_t i = 0; i < problem->n; i++)
    self->mass[i] = (float)(problem->a[i] / problem->total);
  for (size_t j = 0; j < m; j++)
    self->weight[j] = fmax(problem->b[j] / problem->total, SMALLEST_WEIGHT);
  memset(self->y, 0, padded * sizeof *self->y);
  self->polish = BURL_SINKHORN_POLISH_NO;
  self->float_floor =
      FLOAT_FLOOR *
      (problem->order == BURL_ROW_THEN_COLUMN ? norm(problem->a, problem->n) : norm(problem->b, m));
  self->sums_in_log = problem->order == BURL_COLUMN_THEN_ROW;
  if (self->sums_in_log) burl_sinkhorn_log_pass(self, problem, 0, 1);
  absorb(self, problem);
}

/* Kernel rows first..first+count-1; rows without mass are 0. */
static void build_rows(burl_sinkhorn *self, const burl_sinkhorn_problem *problem, size_t first,
                       size_t count) {
  size_t padded = burl_num_scaling_padded(problem->m);
  for (size_t i = first; i < first + count; i++) {
    float *k = self->kernel + i * padded;
    if (problem->a[i] > 0.0)
      self->shift[i] =
          burl_num_scaling_build(k, problem->cost_float + i * problem->ldc, self->gamma,
                                 self->gamma_weighted, problem->scale, problem->m);
    else
      memset(k, 0, padded * sizeof *k);
  }
}

typedef struct row_task {
  burl_sinkhorn *self;
  const burl_sinkhorn_problem *problem;
} row_task;

static size_t count_blocks(const burl_sinkhorn_problem *problem) {
  return (problem->n + BLOCK_ROWS - 1) / BLOCK_ROWS;
}

/* Blocks member, member + 1, .. of those that are this member's: a run of neighbours. */
static void share_blocks(size_t *first, size_t *end, size_t blocks, int member, int members) {
  *first = blocks * (size_t)member / (size_t)members;
  *end = blocks * ((size_t)member + 1) / (size_t)members;
}

/* Row step of this member's blocks, each with column sums of its own. */
static void do_rows(void *context, int member, int members) {
  const row_task *task = context;
  burl_sinkhorn *self = task->self;
  size_t n = task->problem->n, m = task->problem->m, padded = burl_num_scaling_padded(m);
  size_t block, end;
  share_blocks(&block, &end, count_blocks(task->problem), member, members);
  for (; block < end; block++) {
    size_t first = block * BLOCK_ROWS, count = n - first < BLOCK_ROWS ? n - first : BLOCK_ROWS;
    float *part = self->part + block * padded;
    if (self->must_build) build_rows(self, task->problem, first, count);
    memset(part, 0, padded * sizeof *part);
    burl_num_scaling_rows(self->r + first, part, self->kernel + first * padded, padded, count, m,
                          self->y, self->mass + first);
  }
}

/* Sums of this member's columns over all blocks, in their order. */
static void do_sums(void *context, int member, int members) {
  const row_task *task = context;
  size_t padded = burl_num_scaling_padded(task->problem->m), first, end;
  share_blocks(&first, &end, padded / BURL_NUM_SCALING_PAD, member, members);
  first *= BURL_NUM_SCALING_PAD;
  end *= BURL_NUM_SCALING_PAD;
  if (end > task->problem->m) end = task->problem->m;
  burl_num_scaling_sum_parts(task->self->s + first, task->self->part + first, padded,
                             count_blocks(task->problem), end - first);
}

/* Row step, and the column sums that follow from it. */
static void rows(burl_sinkhorn *self, const burl_sinkhorn_problem *problem) {
  row_task task = {self, problem};
  burl_team_run(&self->team, do_rows, &task);
  burl_team_run(&self->team, do_sums, &task);
  if (self->must_build) memcpy(self->r_at_build, self->r, problem->n * sizeof *self->r);
  self->must_build = 0;
}

static int sums_are_safe(const burl_sinkhorn *self, const burl_sinkhorn_problem *problem) {
  int unsafe = 0;
  for (size_t j = 0; j < problem->m; j++)
    unsafe |= (problem->b[j] > 0.0) & !((self->s[j] >= SMALLEST_SUM) & (self->s[j] <= LARGEST_SUM));
  return !unsafe;
}

/* Whether y or r have left the range in which the kernel was built. */
static int kernel_is_stale(const burl_sinkhorn *self, const burl_sinkhorn_problem *problem) {
  int stale = 0;
  for (size_t j = 0; j < problem->m; j++)
    stale |= (problem->b[j] > 0.0) & has_drifted(self->y_exact[j], self->weight[j]);
  return stale | burl_num_scaling_has_left(self->r, self->r_at_build, DRIFT, problem->n);
}

static void columns(burl_sinkhorn *self, const burl_sinkhorn_problem *problem) {
  if (!self->sums_in_log && !sums_are_safe(self, problem)) {
    read_phi(self, problem);
    burl_sinkhorn_log_pass(self, problem, 0, 1);
    self->sums_in_log = 1;
  }
  if (self->sums_in_log) {
    burl_sinkhorn_log_columns(self, problem);
    self->sums_in_log = 0;
    absorb(self, problem);
    return;
  }
  for (size_t j = 0; j < problem->m; j++) {
    if (problem->b[j] <= 0.0) continue;
    self->y_exact[j] = problem->b[j] / problem->total / self->s[j];
    self->y[j] = (float)self->y_exact[j];
  }
  if (!kernel_is_stale(self, problem)) return;
  read_gamma(self, problem);
  absorb(self, problem);
}

static void finish(burl_sinkhorn *self, const burl_sinkhorn_problem *problem) {
  if (self->polish == BURL_SINKHORN_POLISH_NOW) return;
  read_phi(self, problem);
  read_gamma(self, problem);
}

static void sweep(burl_sinkhorn *self, const burl_sinkhorn_problem *problem) {
  if (self->polish == BURL_SINKHORN_POLISH_NEXT) {
    finish(self, problem);
    burl_sinkhorn_log_form.start(self, problem);
    self->polish = BURL_SINKHORN_POLISH_NOW;
  }
  if (self->polish == BURL_SINKHORN_POLISH_NOW) {
    burl_sinkhorn_log_form.sweep(self, problem);
    return;
  }
  if (problem->order == BURL_COLUMN_THEN_ROW) columns(self, problem);
  rows(self, problem);
  if (problem->order == BURL_ROW_THEN_COLUMN) columns(self, problem);
}

/* The parts of a sweep by which the form is accelerated; gamma is kept up to date. */
static void accelerated_rows(burl_sinkhorn *self, const burl_sinkhorn_problem *problem) {
  if (self->polish == BURL_SINKHORN_POLISH_NEXT) {
    finish(self, problem);
    self->polish = BURL_SINKHORN_POLISH_NOW;
    self->float_floor = 0.0;
  }
  if (self->polish == BURL_SINKHORN_POLISH_NOW)
    burl_sinkhorn_log_parts.rows(self, problem);
  else
    rows(self, problem);
}

static void accelerated_columns(burl_sinkhorn *self, const burl_sinkhorn_problem *problem) {
  if (self->polish == BURL_SINKHORN_POLISH_NOW) {
    burl_sinkhorn_log_parts.columns(self, problem);
    return;
  }
  columns(self, problem);
  if (!self->must_build) read_gamma(self, problem);
}

static int marginal(burl_sinkhorn *self, const burl_sinkhorn_problem *problem, double *sums) {
  if (self->polish == BURL_SINKHORN_POLISH_NOW)
    return burl_sinkhorn_log_parts.marginal(self, problem, sums);
  if (!sums_are_safe(self, problem)) return 0;
  for (size_t j = 0; j < problem->m; j++)
    sums[j] = problem->total * self->y_exact[j] * self->s[j];
  return 1;
}

static void place(burl_sinkhorn *self, const burl_sinkhorn_problem *problem) {
  if (self->polish == BURL_SINKHORN_POLISH_NOW) return;
  for (size_t j = 0; j < problem->m; j++)
    self->y_exact[j] = problem->b[j] > 0.0 ? self->gamma[j] - self->gamma_weighted[j] : 0.0;
  burl_num_exp_double(self->y_exact, self->y_exact, problem->m);
  for (size_t j = 0; j < problem->m; j++) {
    if (problem->b[j] <= 0.0) self->y_exact[j] = 0.0;
    self->y[j] = (float)self->y_exact[j];
  }
  if (kernel_is_stale(self, problem)) absorb(self, problem);
}

static void do_row_sums(void *context, int member, int members) {
  const row_task *task = context;
  size_t n = task->problem->n, m = task->problem->m, padded = burl_num_scaling_padded(m);
  size_t first, end;
  share_blocks(&first, &end, count_blocks(task->problem), member, members);
  first *= BLOCK_ROWS;
  end = end * BLOCK_ROWS < n ? end * BLOCK_ROWS : n;
  burl_num_scaling_row_sums(task->self->r_now + first, task->self->kernel + first * padded, padded,
                            end - first, m, task->self->y);
}

/* Rows: what the row sums would be after the column step, against what they were before it. */
static double row_residual(burl_sinkhorn *self, const burl_sinkhorn_problem *problem) {
  row_task task = {self, problem};
  burl_team_run(&self->team, do_row_sums, &task);
  double squares = 0.0;
  for (size_t i = 0; i < problem->n; i++) {
    if (problem->a[i] <= 0.0) continue;
    double error = problem->a[i] * ((double)self->r_now[i] / (double)self->r[i] - 1.0);
    squares += error * error;
  }
  return sqrt(squares);
}

static double column_residual(const burl_sinkhorn *self, const burl_sinkhorn_problem *problem) {
  double squares = 0.0;
  for (size_t j = 0; j < problem->m; j++) {
    double error = problem->total * self->y_exact[j] * self->s[j] - problem->b[j];
    squares += error * error;
  }
  return sqrt(squares);
}

/* After an absorption there is no kernel to the potentials yet, and only the plan can tell. */
static double residual(burl_sinkhorn *self, const burl_sinkhorn_problem *problem) {
  if (self->polish == BURL_SINKHORN_POLISH_NOW)
    return burl_sinkhorn_log_form.residual(self, problem);
  int by_columns = problem->order == BURL_COLUMN_THEN_ROW;
  if (!by_columns && self->must_build) return (double)NAN;
  double found = by_columns ? column_residual(self, problem) : row_residual(self, problem);
  if (found <= self->float_floor) self->polish = BURL_SINKHORN_POLISH_NEXT;
  return found;
}

burl_status burl_sinkhorn_solve_scaling(burl_sinkhorn *self, double *f, double *g, const float *C,
                                        size_t ldc, size_t n, size_t m, const double *a,
                                        const double *b, int warm,
                                        const burl_sinkhorn_options *options,
                                        burl_sinkhorn_info *info) {
  static const burl_sinkhorn_form form = {start, sweep, residual, finish};
  static const burl_sinkhorn_parts parts = {accelerated_rows, accelerated_columns, marginal, place};
  burl_sinkhorn_problem problem = {
      .parts = &parts, .cost_float = C, .ldc = ldc, .n = n, .m = m, .a = a, .b = b};
  return burl_sinkhorn_run(self, f, g, &problem, warm, options, info, &form);
}
