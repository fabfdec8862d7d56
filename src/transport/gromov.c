/* Entropic fused Gromov-Wasserstein by mirror steps.
 *
 * With p = P 1 and q = P^T 1, half the gradient of the energy is
 *     L_ij = sum_kl (D1_ik - D2_jl)^2 P_kl = (D1^2 p)_i + (D2^2 q)_j - 2 (D1 P D2)_ij,
 * squares being taken by entry: two matrix products instead of four loops, and E = <L,P>.
 *
 * A step makes E linear at the plan P' and keeps the entropy as it is:
 *     P = argmin <P, G(P')> + eps sum P (log P - 1) + w KL(P | P'),   G = (1-alpha) C + 2 alpha L.
 * With P' = diag exp(-K') diag that is Sinkhorn with cost G + w K' and entropy eps + w, and the
 * answer has K = (G + w K') / (eps + w): logarithms of plans are never formed. With w = 0 it is the
 * fixed-point iteration of Peyre, Cuturi and Solomon. Where E is concave on the plans with these
 * marginals (Euclidean distances or their squares), E lies below its linear form, and F falls in
 * every full step. Otherwise F may rise; such a step is undone and w raised: for w large enough F
 * falls, since KL outweighs the curvature of E.
 */
#include "base/memory.h"
#include "num/gemm.h"
#include "num/magnitude.h"
#include <burl/transport_gromov.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST_COST 1e14
#define ASYMMETRY 1e-9
#define LEAST_PLAN 1e-300 /* below, a start is taken as this; its logarithm is still finite */

/* Packed (n,m) but for the vectors; what ends in _next belongs to the step that is being tried. */
struct burl_gromov {
  burl_arena arena;
  size_t n, m;
  burl_sinkhorn *solver;
  double *plan, *plan_next;
  double *gradient, *gradient_next; /* G */
  double *kernel;                   /* K of plan */
  double *cost;                     /* G + w K, which becomes K; also D1 P */
  double *f, *g, *p, *q;
  double *along_rows, *along_columns; /* D1^2 p (n), D2^2 q (m) */
};

typedef struct evaluation {
  double objective, transport, energy;
} evaluation;

burl_gromov_options burl_gromov_default_options(void) {
  burl_gromov_options options = {.alpha = 0.5,
                                 .eps = 0.05,
                                 .max_steps = 200,
                                 .tolerance = 1e-9,
                                 .sinkhorn = burl_sinkhorn_default_options()};
  /* steps start near their end, so that every sweep is worth a look, which is free with rows last
   */
  options.sinkhorn.order = BURL_COLUMN_THEN_ROW;
  options.sinkhorn.check_every = 1;
  return options;
}

static void lay_out(burl_gromov *self, int take) {
  struct {
    double **array;
    size_t rows, columns;
  } all[] = {{&self->plan, self->n, self->m},
             {&self->plan_next, self->n, self->m},
             {&self->gradient, self->n, self->m},
             {&self->gradient_next, self->n, self->m},
             {&self->kernel, self->n, self->m},
             {&self->cost, self->n, self->m},
             {&self->f, self->n, 1},
             {&self->p, self->n, 1},
             {&self->along_rows, self->n, 1},
             {&self->g, 1, self->m},
             {&self->q, 1, self->m},
             {&self->along_columns, 1, self->m}};
  for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
    if (take)
      *all[k].array = burl_arena_take(&self->arena, all[k].rows * all[k].columns, sizeof(double));
    else
      burl_arena_reserve(&self->arena, all[k].rows * all[k].columns, sizeof(double));
  }
}

burl_status burl_gromov_new(burl_gromov **self, size_t n, size_t m) {
  size_t count, bytes;
  if (n == 0 || m == 0) return BURL_ERR_ARGUMENT;
  if (!burl_size_mul(&count, n, m) || !burl_size_mul(&bytes, count, 8 * sizeof(double)))
    return BURL_ERR_SIZE;
  burl_gromov *made = burl_alloc_zero(1, sizeof *made);
  if (!made) return BURL_ERR_MEMORY;
  made->n = n;
  made->m = m;
  lay_out(made, 0);
  burl_status status = burl_sinkhorn_new(&made->solver, n, m);
  if (!status && !burl_arena_open(&made->arena)) status = BURL_ERR_MEMORY;
  if (status) {
    burl_sinkhorn_free(made->solver);
    free(made);
    return status;
  }
  lay_out(made, 1);
  *self = made;
  return BURL_OK;
}

void burl_gromov_free(burl_gromov *self) {
  if (!self) return;
  burl_sinkhorn_free(self->solver);
  burl_arena_close(&self->arena);
  free(self);
}

static int options_are_valid(const burl_gromov_options *options) {
  return options && options->alpha >= 0.0 && options->alpha <= 1.0 && options->eps > 0.0 &&
         isfinite(options->eps) && options->proximal >= 0.0 && isfinite(options->proximal) &&
         options->max_steps >= 1 && options->tolerance >= 0.0;
}

static burl_status check_shape(const burl_gromov *self, const burl_gromov_problem *problem,
                               int linear, int quadratic) {
  if (problem->n == 0 || problem->m == 0) return BURL_ERR_ARGUMENT;
  if (problem->n > self->n || problem->m > self->m) return BURL_ERR_SIZE;
  if (linear && (!problem->C || problem->ldc < problem->m)) return BURL_ERR_ARGUMENT;
  if (quadratic &&
      (!problem->D1 || !problem->D2 || problem->ldd1 < problem->n || problem->ldd2 < problem->m))
    return BURL_ERR_ARGUMENT;
  return BURL_OK;
}

/* The largest magnitude, NaN or infinite where an entry is. */
static double magnitude(const double *x, size_t ld, size_t rows, size_t columns) {
  double largest = 0.0;
  for (size_t i = 0; i < rows; i++) {
    double row = burl_num_magnitude_double(x + i * ld, columns);
    if (!isfinite(row)) return row;
    largest = fmax(largest, row);
  }
  return largest;
}

static int is_symmetric(const double *D, size_t ld, size_t count, double largest) {
  for (size_t i = 0; i < count; i++)
    for (size_t j = 0; j < i; j++)
      if (fabs(D[i * ld + j] - D[j * ld + i]) > ASYMMETRY * largest) return 0;
  return 1;
}

/* Bounds G: |L| <= (max |D1| + max |D2|)^2 times the total, which is 0 where masses are refused
 * later on. */
static burl_status check_values(const burl_gromov_problem *problem,
                                const burl_gromov_options *options) {
  double largest = 0.0, total = 0.0;
  for (size_t i = 0; i < problem->n; i++)
    total += fabs(problem->a[i]);
  if (options->alpha < 1.0)
    largest = (1.0 - options->alpha) * magnitude(problem->C, problem->ldc, problem->n, problem->m);
  if (options->alpha > 0.0) {
    double first = magnitude(problem->D1, problem->ldd1, problem->n, problem->n);
    double second = magnitude(problem->D2, problem->ldd2, problem->m, problem->m);
    if (!isfinite(first) || !isfinite(second)) return BURL_ERR_NUMERIC;
    if (!is_symmetric(problem->D1, problem->ldd1, problem->n, first) ||
        !is_symmetric(problem->D2, problem->ldd2, problem->m, second))
      return BURL_ERR_ARGUMENT;
    largest += 2.0 * options->alpha * (first + second) * (first + second) * total;
  }
  if (isnan(largest) || isinf(total) || isnan(total)) return BURL_ERR_NUMERIC;
  return largest <= LARGEST_COST * options->eps ? BURL_OK : BURL_ERR_ARGUMENT;
}

static burl_status check_start(const double *P, size_t ldp, size_t n, size_t m) {
  double largest = magnitude(P, ldp, n, m);
  if (!isfinite(largest)) return BURL_ERR_NUMERIC;
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < m; j++)
      if (P[i * ldp + j] < 0.0) return BURL_ERR_ARGUMENT;
  return largest > 0.0 ? BURL_OK : BURL_ERR_ARGUMENT;
}

static burl_status check(const burl_gromov *self, const double *P, size_t ldp,
                         const burl_gromov_problem *problem, int warm,
                         const burl_gromov_options *options) {
  if (!options_are_valid(options) || ldp < problem->m) return BURL_ERR_ARGUMENT;
  burl_status status = check_shape(self, problem, options->alpha<1.0, options->alpha> 0.0);
  if (!status) status = check_values(problem, options);
  if (!status && warm) status = check_start(P, ldp, problem->n, problem->m);
  return status;
}

static void add_up(burl_gromov *self, const double *P, size_t ldp, size_t n, size_t m) {
  for (size_t j = 0; j < m; j++)
    self->q[j] = 0.0;
  for (size_t i = 0; i < n; i++) {
    double row = 0.0;
    for (size_t j = 0; j < m; j++) {
      row += P[i * ldp + j];
      self->q[j] += P[i * ldp + j];
    }
    self->p[i] = row;
  }
}

static void square_times(double *out, const double *D, size_t ld, const double *masses,
                         size_t count) {
  for (size_t i = 0; i < count; i++) {
    double sum = 0.0;
    for (size_t k = 0; k < count; k++)
      sum += D[i * ld + k] * D[i * ld + k] * masses[k];
    out[i] = sum;
  }
}

/* L (packed); uses `cost`. */
static burl_status half_gradient(burl_gromov *self, double *L, const burl_gromov_problem *problem,
                                 const double *P, size_t ldp) {
  size_t n = problem->n, m = problem->m;
  add_up(self, P, ldp, n, m);
  square_times(self->along_rows, problem->D1, problem->ldd1, self->p, n);
  square_times(self->along_columns, problem->D2, problem->ldd2, self->q, m);
  burl_status status = burl_num_dgemm(self->cost, m, problem->D1, problem->ldd1, BURL_NUM_PLAIN, P,
                                      ldp, BURL_NUM_PLAIN, n, m, n, 1.0, 0.0);
  if (!status)
    status = burl_num_dgemm(L, m, self->cost, m, BURL_NUM_PLAIN, problem->D2, problem->ldd2,
                            BURL_NUM_PLAIN, n, m, m, -2.0, 0.0);
  for (size_t i = 0; !status && i < n; i++)
    for (size_t j = 0; j < m; j++)
      L[i * m + j] += self->along_rows[i] + self->along_columns[j];
  return status;
}

static double dot(const double *x, size_t ldx, const double *y, size_t ldy, size_t n, size_t m) {
  double sum = 0.0;
  for (size_t i = 0; i < n; i++) {
    double row = 0.0;
    for (size_t j = 0; j < m; j++)
      row += x[i * ldx + j] * y[i * ldy + j];
    sum += row;
  }
  return sum;
}

burl_status burl_gromov_energy(burl_gromov *self, double *energy, double *dP, size_t lddp,
                               const burl_gromov_problem *problem, const double *P, size_t ldp) {
  size_t n = problem->n, m = problem->m;
  burl_status status = check_shape(self, problem, 0, 1);
  if (status) return status;
  if (ldp < m || (dP && lddp < m)) return BURL_ERR_ARGUMENT;
  status = half_gradient(self, self->gradient, problem, P, ldp);
  if (status) return status;
  *energy = dot(self->gradient, m, P, ldp, n, m);
  for (size_t i = 0; dP && i < n; i++)
    for (size_t j = 0; j < m; j++)
      dP[i * lddp + j] += 2.0 * self->gradient[i * m + j];
  return BURL_OK;
}

static double entropy(const double *plan, size_t count) {
  double sum = 0.0;
  for (size_t k = 0; k < count; k++)
    if (plan[k] > 0.0) sum += plan[k] * (log(plan[k]) - 1.0);
  return sum;
}

/* G at a packed plan, and what F is made of there. */
static burl_status evaluate(burl_gromov *self, evaluation *at, double *gradient, const double *plan,
                            const burl_gromov_problem *problem,
                            const burl_gromov_options *options) {
  size_t n = problem->n, m = problem->m;
  double alpha = options->alpha;
  *at = (evaluation){0};
  if (alpha > 0.0) {
    burl_status status = half_gradient(self, gradient, problem, plan, m);
    if (status) return status;
    at->energy = dot(gradient, m, plan, m, n, m);
  } else {
    memset(gradient, 0, n * m * sizeof *gradient);
  }
  if (alpha < 1.0) at->transport = dot(problem->C, problem->ldc, plan, m, n, m);
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < m; j++) {
      double linear = alpha < 1.0 ? (1.0 - alpha) * problem->C[i * problem->ldc + j] : 0.0;
      gradient[i * m + j] = linear + 2.0 * alpha * gradient[i * m + j];
    }
  at->objective =
      (1.0 - alpha) * at->transport + alpha * at->energy + options->eps * entropy(plan, n * m);
  return BURL_OK;
}

static void start(burl_gromov *self, const burl_gromov_problem *problem, const double *P,
                  size_t ldp) {
  size_t n = problem->n, m = problem->m;
  double total = 0.0;
  for (size_t j = 0; j < m; j++)
    total += problem->b[j];
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < m; j++) {
      double at = P ? P[i * ldp + j] : problem->a[i] * (problem->b[j] / total);
      self->plan[i * m + j] = at;
      self->kernel[i * m + j] = P ? -log(fmax(at, LEAST_PLAN)) : 0.0;
    }
}

/* Plan and kernel of one step with weight w, from the potentials of the last (none: the first). */
static burl_status step(burl_gromov *self, const burl_gromov_problem *problem,
                        const burl_gromov_options *options, double weight, int first,
                        burl_sinkhorn_info *found) {
  size_t n = problem->n, m = problem->m;
  burl_sinkhorn_options inner = options->sinkhorn;
  inner.start_eps = 0.0; /* starts from the step before */
  inner.eps = options->eps + weight;
  for (size_t k = 0; k < n * m; k++)
    self->cost[k] = self->gradient[k] + weight * self->kernel[k];
  burl_status status = burl_sinkhorn_solve_log(self->solver, self->f, self->g, self->cost, m, n, m,
                                               problem->a, problem->b, !first, &inner, found);
  if (status) return status;
  burl_sinkhorn_plan_log(self->plan_next, m, self->cost, m, n, m, self->f, self->g, inner.eps);
  return BURL_OK;
}

/* How far F can be off because the marginals are. */
static double slack(const burl_gromov *self, size_t count, double objective, double residuals) {
  double largest = burl_num_magnitude_double(self->gradient, count);
  return 1e-12 * fabs(objective) + sqrt((double)(self->n + self->m)) * largest * residuals;
}

static double distance(const double *x, const double *y, size_t count) {
  double squares = 0.0;
  for (size_t k = 0; k < count; k++)
    squares += (x[k] - y[k]) * (x[k] - y[k]);
  return sqrt(squares);
}

static void swap(double **x, double **y) {
  double *kept = *x;
  *x = *y;
  *y = kept;
}

/* Takes the step that was tried. `kernel` is made anew, since evaluating has used `cost`. */
static void accept(burl_gromov *self, size_t count, double weight, double eps) {
  for (size_t k = 0; k < count; k++)
    self->kernel[k] = (self->gradient[k] + weight * self->kernel[k]) / (eps + weight);
  swap(&self->plan, &self->plan_next);
  swap(&self->gradient, &self->gradient_next);
}

static burl_status iterate(burl_gromov *self, evaluation *at, const burl_gromov_problem *problem,
                           const burl_gromov_options *options, burl_gromov_info *info) {
  size_t count = problem->n * problem->m;
  double weight = options->proximal, residual = 0.0;
  burl_status status = evaluate(self, at, self->gradient, self->plan, problem, options);
  while (!status && !info->converged && info->steps < options->max_steps) {
    burl_sinkhorn_info found;
    evaluation next;
    int first = info->steps == 0;
    status = step(self, problem, options, weight, first, &found);
    if (!status)
      status = evaluate(self, &next, self->gradient_next, self->plan_next, problem, options);
    if (status) break;
    info->steps++;
    info->sweeps += found.sweeps;
    double allowed = slack(self, count, at->objective, residual + found.residual);
    /* the start may not meet the marginals, and then says nothing about F */
    if (!first && next.objective > at->objective + allowed) {
      info->rejected++;
      weight = fmax(2.0 * weight, options->eps);
      continue;
    }
    info->change = distance(self->plan, self->plan_next, count) * (1.0 + weight / options->eps);
    info->converged = info->change <= options->tolerance && found.converged;
    residual = info->residual = found.residual;
    accept(self, count, weight, options->eps);
    *at = next;
  }
  return status;
}

burl_status burl_gromov_solve(burl_gromov *self, double *P, size_t ldp,
                              const burl_gromov_problem *problem, int warm,
                              const burl_gromov_options *options, burl_gromov_info *info) {
  burl_gromov_info found = {0};
  evaluation at;
  burl_status status = check(self, P, ldp, problem, warm, options);
  if (status) return status;
  start(self, problem, warm ? P : NULL, ldp);
  status = iterate(self, &at, problem, options, &found);
  if (status) return status;
  for (size_t i = 0; i < problem->n; i++)
    memcpy(P + i * ldp, self->plan + i * problem->m, problem->m * sizeof *P);
  found.objective = at.objective;
  found.transport = at.transport;
  found.energy = at.energy;
  if (info) *info = found;
  return BURL_OK;
}
