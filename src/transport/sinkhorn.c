/* Workspace, checks, the frame in which the forms run, and what is measured at exit.
 *
 * The frame knows of no form: it sweeps, looks at the residual now and then, and stops when the
 * plan itself, measured in double, is as good as asked for. Everything is checked before the first
 * sweep, so that no sweep can fail.
 */
#include "num/log_sum.h"
#include "num/magnitude.h"
#include "num/scaling.h"
#include "transport/sinkhorn_parts.h"

#include <math.h>
#include <stdlib.h>

/* Beyond, rounding of f + g - C is no longer small against eps and would decide the plan.
 * Potentials may be some times larger than costs. */
#define LARGEST_COST 1e14
#define LARGEST_POTENTIAL 1e16
#define TOTALS_DIFFER 1e-9

burl_sinkhorn_options burl_sinkhorn_default_options(void) {
  return (burl_sinkhorn_options){.eps = 0.05,
                                 .max_sweeps = 1000,
                                 .tolerance = 1e-9,
                                 .check_every = 10,
                                 .order = BURL_ROW_THEN_COLUMN,
                                 .accelerate = 1,
                                 .threads = 1};
}

/* The arrays of the workspace in order; each is reserved first and taken afterwards. */
static void *claim(burl_arena *arena, int take, size_t count, size_t size) {
  if (take) return burl_arena_take(arena, count, size);
  burl_arena_reserve(arena, count, size);
  return NULL;
}

static void lay_out(burl_sinkhorn *self, int take, size_t n, size_t m, size_t kernel) {
  burl_arena *arena = &self->arena;
  size_t padded = burl_num_scaling_padded(m);
  self->phi = claim(arena, take, n, sizeof(double));
  self->gamma = claim(arena, take, m, sizeof(double));
  self->log_a = claim(arena, take, n, sizeof(double));
  self->log_b = claim(arena, take, m, sizeof(double));
  self->max = claim(arena, take, m, sizeof(double));
  self->sum = claim(arena, take, m, sizeof(double));
  self->measured = claim(arena, take, m, BURL_SINKHORN_CHUNKS * sizeof(double));
  self->wide = claim(arena, take, m, BURL_SINKHORN_CHUNKS * sizeof(double));
  self->block = claim(arena, take, m, BURL_SINKHORN_BLOCK * sizeof(double));
  self->kernel = claim(arena, take, kernel, sizeof(float));
  self->y = claim(arena, take, padded, sizeof(float));
  self->part = claim(arena, take, kernel / BURL_SINKHORN_ROWS + padded, sizeof(float));
  self->r_now = claim(arena, take, n, sizeof(float));
  self->mass = claim(arena, take, n, sizeof(float));
  self->r = claim(arena, take, n, sizeof(float));
  self->r_at_build = claim(arena, take, n, sizeof(float));
  self->shift = claim(arena, take, n, sizeof(double));
  self->y_exact = claim(arena, take, m, sizeof(double));
  self->s = claim(arena, take, m, sizeof(double));
  self->weight = claim(arena, take, m, sizeof(double));
  self->gamma_weighted = claim(arena, take, m, sizeof(double));
  burl_sinkhorn_memory *memory = &self->memory;
  double **vectors[] = {&memory->marginal_before, &memory->point,    &memory->gradient_before,
                        &memory->marginal,        &memory->gradient, &memory->step,
                        &memory->inverse};
  for (size_t k = 0; k < sizeof vectors / sizeof *vectors; k++)
    *vectors[k] = claim(arena, take, m, sizeof(double));
  memory->moves = claim(arena, take, m, BURL_SINKHORN_PAIRS * sizeof(double));
  memory->changes = claim(arena, take, m, BURL_SINKHORN_PAIRS * sizeof(double));
}

burl_status burl_sinkhorn_new(burl_sinkhorn **self, size_t n, size_t m) {
  return burl_sinkhorn_new_kernel(self, n, m, n);
}

burl_status burl_sinkhorn_new_kernel(burl_sinkhorn **self, size_t n, size_t m, size_t rows) {
  size_t kernel, bytes;
  if (n == 0 || m == 0) return BURL_ERR_ARGUMENT;
  if (m > SIZE_MAX - BURL_NUM_SCALING_PAD ||
      !burl_size_mul(&kernel, rows, burl_num_scaling_padded(m)) ||
      !burl_size_mul(&bytes, kernel, sizeof(double)))
    return BURL_ERR_SIZE;
  burl_sinkhorn *made = burl_alloc_zero(1, sizeof *made);
  if (!made) return BURL_ERR_MEMORY;
  made->team.members = 1;
  made->n = n;
  made->m = m;
  lay_out(made, 0, n, m, kernel);
  if (!burl_arena_open(&made->arena)) {
    free(made);
    return BURL_ERR_MEMORY;
  }
  lay_out(made, 1, n, m, kernel);
  *self = made;
  return BURL_OK;
}

void burl_sinkhorn_free(burl_sinkhorn *self) {
  if (!self) return;
  burl_arena_close(&self->arena);
  free(self);
}

static int options_are_valid(const burl_sinkhorn_options *options) {
  return options && isfinite(options->eps) && options->eps > 0.0 && options->max_sweeps >= 1 &&
         options->tolerance >= 0.0 && options->check_every >= 1 && options->threads >= 0 &&
         isfinite(options->start_eps) && options->start_eps >= 0.0 &&
         (options->order == BURL_ROW_THEN_COLUMN || options->order == BURL_COLUMN_THEN_ROW);
}

static burl_status add_up(double *total, const double *masses, size_t count) {
  double sum = 0.0;
  for (size_t i = 0; i < count; i++) {
    if (!isfinite(masses[i])) return BURL_ERR_NUMERIC;
    if (masses[i] < 0.0) return BURL_ERR_ARGUMENT;
    sum += masses[i];
  }
  *total = sum;
  return isfinite(sum) ? BURL_OK : BURL_ERR_NUMERIC;
}

static burl_status check_masses(burl_sinkhorn_problem *problem) {
  double total_b = 0.0;
  burl_status status = add_up(&problem->total, problem->a, problem->n);
  if (!status) status = add_up(&total_b, problem->b, problem->m);
  if (status) return status;
  if (problem->total <= 0.0 || fabs(problem->total - total_b) > TOTALS_DIFFER * problem->total)
    return BURL_ERR_ARGUMENT;
  return BURL_OK;
}

static const float *float_rows(const burl_sinkhorn_problem *problem, size_t first, size_t count) {
  const burl_sinkhorn_source *source = problem->source;
  return source ? source->rows(source->context, first, count)
                : problem->cost_float + first * problem->ldc;
}

static burl_status check_cost(const burl_sinkhorn_problem *problem) {
  double largest = 0.0;
  const burl_sinkhorn_source *source = problem->source;
  if (source && source->bound <= LARGEST_COST * problem->eps) return BURL_OK;
  for (size_t i = 0; i < problem->n; i++) {
    double row = problem->cost
                     ? burl_num_magnitude_double(problem->cost + i * problem->ldc, problem->m)
                     : (double)burl_num_magnitude_float(float_rows(problem, i, 1), problem->m);
    if (!isfinite(row)) return BURL_ERR_NUMERIC;
    largest = row > largest ? row : largest;
  }
  return largest <= LARGEST_COST * problem->eps ? BURL_OK : BURL_ERR_ARGUMENT;
}

/* Potentials of entries without mass do not count. */
static burl_status check_start(const double *potential, const double *masses, size_t count,
                               double eps) {
  for (size_t i = 0; i < count; i++) {
    if (masses[i] <= 0.0) continue;
    if (!isfinite(potential[i])) return BURL_ERR_NUMERIC;
    if (fabs(potential[i]) > LARGEST_POTENTIAL * eps) return BURL_ERR_ARGUMENT;
  }
  return BURL_OK;
}

static burl_status check(const burl_sinkhorn *self, const double *f, const double *g,
                         burl_sinkhorn_problem *problem, int warm,
                         const burl_sinkhorn_options *options) {
  if (!options_are_valid(options) || problem->n == 0 || problem->m == 0 ||
      problem->ldc < problem->m)
    return BURL_ERR_ARGUMENT;
  if (problem->n > self->n || problem->m > self->m) return BURL_ERR_SIZE;
  problem->eps = options->eps;
  problem->scale = 1.0 / options->eps;
  problem->order = options->order;
  if (!isfinite(problem->scale)) return BURL_ERR_ARGUMENT;
  burl_status status = check_masses(problem);
  if (!status) status = check_cost(problem);
  if (!status && warm) status = check_start(f, problem->a, problem->n, problem->eps);
  if (!status && warm) status = check_start(g, problem->b, problem->m, problem->eps);
  return status;
}

/* Logarithms of the masses, and the start of one potential. */
static void prepare(double *log_masses, double *potential, const double *masses,
                    const double *start, size_t count, double scale) {
  for (size_t i = 0; i < count; i++) {
    int present = masses[i] > 0.0;
    log_masses[i] = present ? log(masses[i]) : -(double)INFINITY;
    potential[i] = !present ? -(double)INFINITY : start ? start[i] * scale : 0.0;
  }
}

const double *burl_sinkhorn_cost_rows(burl_sinkhorn *self, const burl_sinkhorn_problem *problem,
                                      size_t first, size_t count, size_t *ld) {
  if (problem->cost) {
    *ld = problem->ldc;
    return problem->cost + first * problem->ldc;
  }
  *ld = problem->m;
  const float *rows = float_rows(problem, first, count);
  for (size_t i = 0; i < count; i++) {
    const float *from = rows + i * problem->ldc;
    for (size_t j = 0; j < problem->m; j++)
      self->block[i * problem->m + j] = (double)from[j];
  }
  return self->block;
}

static double square(double x) {
  return x * x;
}

/* <potential eps, masses>, entries without mass adding nothing. */
static double weigh(const double *potential, const double *masses, size_t count, double eps) {
  double sum = 0.0;
  for (size_t i = 0; i < count; i++)
    if (masses[i] > 0.0) sum += eps * potential[i] * masses[i];
  return sum;
}

typedef struct measurement {
  burl_sinkhorn *self;
  const burl_sinkhorn_problem *problem;
  double mass[BURL_SINKHORN_CHUNKS], cost[BURL_SINKHORN_CHUNKS], entropy[BURL_SINKHORN_CHUNKS];
  double rows[BURL_SINKHORN_CHUNKS]; /* squared errors */
  double gap[BURL_SINKHORN_CHUNKS];  /* <f, P1 - a> */
} measurement;

static const double *wide_row(burl_sinkhorn *self, const burl_sinkhorn_problem *problem, size_t i,
                              size_t chunk) {
  if (problem->cost) return problem->cost + i * problem->ldc;
  double *wide = self->wide + chunk * problem->m;
  const float *row = float_rows(problem, i, 1);
  for (size_t j = 0; j < problem->m; j++)
    wide[j] = (double)row[j];
  return wide;
}

static void measure_chunk(measurement *of, size_t chunk) {
  burl_sinkhorn *self = of->self;
  const burl_sinkhorn_problem *problem = of->problem;
  double *columns = self->measured + chunk * problem->m;
  size_t end = problem->n * (chunk + 1) / BURL_SINKHORN_CHUNKS;
  for (size_t j = 0; j < problem->m; j++)
    columns[j] = 0.0;
  for (size_t i = problem->n * chunk / BURL_SINKHORN_CHUNKS; i < end; i++) {
    if (problem->a[i] <= 0.0) continue;
    const double *c = wide_row(self, problem, i, chunk);
    burl_num_plan_row row =
        burl_num_plan_sums(columns, self->phi[i], self->gamma, c, problem->scale, problem->m);
    of->mass[chunk] += row.mass;
    of->cost[chunk] += row.cost;
    of->entropy[chunk] += row.entropy;
    of->rows[chunk] += square(row.mass - problem->a[i]);
    of->gap[chunk] += problem->eps * self->phi[i] * (row.mass - problem->a[i]);
  }
}

/* A cost that is computed row by row is so by one thread at a time: the first. */
static void do_measure(void *context, int member, int members) {
  measurement *of = context;
  if (of->problem->source && member > 0) return;
  size_t step = of->problem->source ? 1 : (size_t)members;
  for (size_t chunk = (size_t)member; chunk < BURL_SINKHORN_CHUNKS; chunk += step)
    measure_chunk(of, chunk);
}

void burl_sinkhorn_measure(burl_sinkhorn *self, const burl_sinkhorn_problem *problem,
                           burl_sinkhorn_info *info) {
  measurement of = {.self = self, .problem = problem};
  burl_team_run(&self->team, do_measure, &of);
  double mass = 0.0, cost = 0.0, entropy = 0.0, rows = 0.0, columns = 0.0, gap = 0.0;
  for (size_t k = 0; k < BURL_SINKHORN_CHUNKS; k++) {
    mass += of.mass[k];
    cost += of.cost[k];
    entropy += of.entropy[k];
    rows += of.rows[k];
    gap += of.gap[k];
  }
  for (size_t j = 0; j < problem->m; j++) {
    double sum = 0.0;
    for (size_t k = 0; k < BURL_SINKHORN_CHUNKS; k++)
      sum += self->measured[k * problem->m + j];
    columns += square(sum - problem->b[j]);
    if (problem->b[j] > 0.0) gap += problem->eps * self->gamma[j] * (sum - problem->b[j]);
  }
  info->residual = sqrt(problem->order == BURL_ROW_THEN_COLUMN ? rows : columns);
  info->transport = cost;
  info->gap = gap;
  info->primal = cost + problem->eps * (entropy - mass);
  info->dual = weigh(self->phi, problem->a, problem->n, problem->eps) +
               weigh(self->gamma, problem->b, problem->m, problem->eps) - problem->eps * mass;
}

/* Sweeps until the plan is as good as asked for, or the sweeps are used up. Where info is not
 * wanted, the plan is measured only if that can end the sweeps. */
static void iterate(burl_sinkhorn *self, const burl_sinkhorn_problem *problem,
                    const burl_sinkhorn_options *options, burl_sinkhorn_info *info, int wanted,
                    const burl_sinkhorn_form *form) {
  int accelerated = options->accelerate && options->tolerance > 0.0 && problem->parts;
  form->start(self, problem);
  if (accelerated) burl_sinkhorn_accelerate_start(self, problem);
  for (info->sweeps = 1;; info->sweeps++) {
    int last = info->sweeps == options->max_sweeps;
    int look = options->tolerance > 0.0 && info->sweeps % options->check_every == 0;
    if (accelerated)
      look = burl_sinkhorn_accelerated_sweep(self, problem, look, last, options->tolerance);
    else
      form->sweep(self, problem);
    if (!last && !look) continue;
    /* a residual above the tolerance settles it; NaN and one below are settled by the plan */
    if (!last && form->residual(self, problem) > options->tolerance) continue;
    form->finish(self, problem);
    if (last && !wanted) return;
    burl_sinkhorn_measure(self, problem, info);
    info->converged = info->residual <= options->tolerance;
    if (last || info->converged) return;
  }
}

static void set_eps(burl_sinkhorn_problem *problem, double eps) {
  problem->eps = eps;
  problem->scale = 1.0 / eps;
}

/* f and g stay what they are when eps changes; phi and gamma are they in units of eps. */
static void rescale(double *potential, size_t count, double ratio) {
  for (size_t i = 0; i < count; i++)
    potential[i] *= ratio;
}

/* Plain sweeps at falling eps (Schmitzer 2019): with a large eps few sweeps bring the potentials
 * near to where those of the next smaller one lie, from which it needs fewer than from 0. Returns
 * the sweeps. */
static size_t scale_eps(burl_sinkhorn *self, burl_sinkhorn_problem *problem,
                        const burl_sinkhorn_options *options, const burl_sinkhorn_form *form) {
  const double factor = 4.0, eps = problem->eps;
  size_t sweeps = 0;
  double now = options->start_eps;
  if (!(now > eps)) return 0;
  burl_sinkhorn_options stage = *options;
  stage.tolerance = 0.0;
  stage.max_sweeps = BURL_EPS_SWEEPS;
  rescale(self->phi, problem->n, eps / now);
  rescale(self->gamma, problem->m, eps / now);
  while (now > eps) {
    burl_sinkhorn_info info = {0};
    double next = now / factor > eps ? now / factor : eps;
    set_eps(problem, now);
    iterate(self, problem, &stage, &info, 0, form);
    sweeps += info.sweeps;
    rescale(self->phi, problem->n, now / next);
    rescale(self->gamma, problem->m, now / next);
    now = next;
  }
  set_eps(problem, eps);
  return sweeps;
}

burl_status burl_sinkhorn_run(burl_sinkhorn *self, double *f, double *g,
                              burl_sinkhorn_problem *problem, int warm,
                              const burl_sinkhorn_options *options, burl_sinkhorn_info *info,
                              const burl_sinkhorn_form *form) {
  burl_status status = check(self, f, g, problem, warm, options);
  if (status) return status;
  prepare(self->log_a, self->phi, problem->a, warm ? f : NULL, problem->n, problem->scale);
  prepare(self->log_b, self->gamma, problem->b, warm ? g : NULL, problem->m, problem->scale);
  burl_sinkhorn_info found = {0};
  burl_team_open(&self->team, options->threads);
  size_t before = scale_eps(self, problem, options, form);
  iterate(self, problem, options, &found, info != NULL, form);
  found.sweeps += before;
  burl_team_close(&self->team);
  for (size_t i = 0; i < problem->n; i++)
    f[i] = problem->eps * self->phi[i];
  for (size_t j = 0; j < problem->m; j++)
    g[j] = problem->eps * self->gamma[j];
  if (info) *info = found;
  return BURL_OK;
}

void burl_sinkhorn_plan_log(double *P, size_t ldp, const double *C, size_t ldc, size_t n, size_t m,
                            const double *f, const double *g, double eps) {
  for (size_t i = 0; i < n; i++)
    burl_num_plan_row_double(P + i * ldp, f[i], g, C + i * ldc, 1.0 / eps, m);
}

void burl_sinkhorn_plan_scaling(float *P, size_t ldp, const float *C, size_t ldc, size_t n,
                                size_t m, const double *f, const double *g, double eps) {
  for (size_t i = 0; i < n; i++)
    burl_num_plan_row_float(P + i * ldp, f[i], g, C + i * ldc, 1.0 / eps, m);
}
