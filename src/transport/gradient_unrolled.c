/* Back through the sweeps (reverse mode), in phi = f/eps and gamma = g/eps.
 *
 * Going forward, only phi and gamma of each half-step are kept. With rows_i = dL/dphi_i and
 * columns_j = dL/dgamma_j, a column step gamma_j = log b_j - LSE_i(phi_i - C_ij/eps) takes
 *     W_ij = exp(phi_i + gamma_j - log b_j - C_ij/eps)      (columns sum to 1)
 *     rows_i -= sum_j columns_j W_ij,   dC_ij += columns_j W_ij / eps,   db_j += columns_j / b_j
 * and a row step phi_i = log a_i - LSE_j(gamma_j - C_ij/eps) likewise
 *     V_ij = exp(phi_i - log a_i + gamma_j - C_ij/eps)      (rows sum to 1)
 *     columns_j -= sum_i rows_i V_ij,   dC_ij += rows_i V_ij / eps,      da_i += rows_i / a_i.
 * The normalisers of both softmaxes are the potentials that the step gave, which are at hand: one
 * exponential an entry, none above 1, no maxima. What a column step sends to row i is complete
 * within row i, so that the row step before it follows at once: C is read once a sweep. Both orders
 * consist of such pairs; rows last begins with a row step alone and ends with a column step alone.
 * W and V are averages: nothing grows on the way back.
 */
#include "num/plan_gradient.h"
#include "transport/gradient_parts.h"
#include "transport/sinkhorn_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct burl_sinkhorn_tape {
  burl_arena arena;
  burl_sinkhorn *solver;
  size_t most_n, most_m, most_sweeps;
  size_t n, m, sweeps; /* of the last solve; sweeps is 0 before the first */
  double eps;
  burl_sweep_order order;
  double *phi, *gamma;           /* (sweeps + 1) x n, x m: the start, then after each sweep */
  double *a, *b, *log_a, *log_b; /* n, m, n, m */
  double *rows;                  /* n */
  double *columns, *before, *p;  /* m: dL/dgamma of a sweep, of the one before it; scratch */
  double *f, *g;                 /* n, m: potentials at the end */
};

static void *claim_tape(burl_arena *arena, int take, size_t count) {
  if (take) return burl_arena_take(arena, count, sizeof(double));
  burl_arena_reserve(arena, count, sizeof(double));
  return NULL;
}

static void lay_out_tape(burl_sinkhorn_tape *self, int take, size_t phis, size_t gammas) {
  burl_arena *arena = &self->arena;
  size_t n = self->most_n, m = self->most_m;
  self->phi = claim_tape(arena, take, phis);
  self->gamma = claim_tape(arena, take, gammas);
  double **of_rows[] = {&self->a, &self->log_a, &self->rows, &self->f};
  double **of_columns[] = {&self->b,      &self->log_b, &self->columns,
                           &self->before, &self->p,     &self->g};
  for (size_t i = 0; i < sizeof of_rows / sizeof *of_rows; i++)
    *of_rows[i] = claim_tape(arena, take, n);
  for (size_t j = 0; j < sizeof of_columns / sizeof *of_columns; j++)
    *of_columns[j] = claim_tape(arena, take, m);
}

burl_status burl_sinkhorn_tape_new(burl_sinkhorn_tape **self, size_t n, size_t m, size_t sweeps) {
  size_t phis, gammas;
  if (n == 0 || m == 0 || sweeps == 0) return BURL_ERR_ARGUMENT;
  if (sweeps == SIZE_MAX || !burl_size_mul(&phis, sweeps + 1, n) ||
      !burl_size_mul(&gammas, sweeps + 1, m) || phis > SIZE_MAX / sizeof(double) ||
      gammas > SIZE_MAX / sizeof(double))
    return BURL_ERR_SIZE;
  burl_sinkhorn_tape *made = burl_alloc_zero(1, sizeof *made);
  if (!made) return BURL_ERR_MEMORY;
  *made = (burl_sinkhorn_tape){.most_n = n, .most_m = m, .most_sweeps = sweeps};
  burl_status status = burl_sinkhorn_new_kernel(&made->solver, n, m, 1);
  if (!status) {
    lay_out_tape(made, 0, phis, gammas);
    if (!burl_arena_open(&made->arena)) status = BURL_ERR_MEMORY;
  }
  if (status) {
    burl_sinkhorn_tape_free(made);
    return status;
  }
  lay_out_tape(made, 1, phis, gammas);
  *self = made;
  return BURL_OK;
}

void burl_sinkhorn_tape_free(burl_sinkhorn_tape *self) {
  if (!self) return;
  burl_sinkhorn_free(self->solver);
  burl_arena_close(&self->arena);
  free(self);
}

/* The log form with a recorder beside it. The problem comes first, so that a pointer to it is one
 * to the whole. */
typedef struct recorded_problem {
  burl_sinkhorn_problem problem;
  burl_sinkhorn_tape *tape;
} recorded_problem;

static burl_sinkhorn_tape *record(const burl_sinkhorn *solver, const burl_sinkhorn_problem *problem,
                                  size_t at) {
  burl_sinkhorn_tape *tape = ((const recorded_problem *)problem)->tape;
  memcpy(tape->phi + at * problem->n, solver->phi, problem->n * sizeof(double));
  memcpy(tape->gamma + at * problem->m, solver->gamma, problem->m * sizeof(double));
  tape->sweeps = at;
  return tape;
}

/* Everything has been checked when a form starts. */
static void start_recording(burl_sinkhorn *solver, const burl_sinkhorn_problem *problem) {
  burl_sinkhorn_tape *tape = record(solver, problem, 0);
  tape->n = problem->n;
  tape->m = problem->m;
  tape->eps = problem->eps;
  tape->order = problem->order;
  memcpy(tape->a, problem->a, problem->n * sizeof(double));
  memcpy(tape->b, problem->b, problem->m * sizeof(double));
  memcpy(tape->log_a, solver->log_a, problem->n * sizeof(double));
  memcpy(tape->log_b, solver->log_b, problem->m * sizeof(double));
  burl_sinkhorn_log_form.start(solver, problem);
}

static void sweep_and_record(burl_sinkhorn *solver, const burl_sinkhorn_problem *problem) {
  burl_sinkhorn_log_form.sweep(solver, problem);
  record(solver, problem, ((const recorded_problem *)problem)->tape->sweeps + 1);
}

burl_status burl_sinkhorn_tape_solve(burl_sinkhorn_tape *self, double *f, double *g,
                                     const double *C, size_t ldc, size_t n, size_t m,
                                     const double *a, const double *b, int warm,
                                     const burl_sinkhorn_options *options,
                                     burl_sinkhorn_info *info) {
  recorded_problem recorded = {.problem = {.cost = C, .ldc = ldc, .n = n, .m = m, .a = a, .b = b},
                               .tape = self};
  burl_sinkhorn_form form = {start_recording, sweep_and_record, burl_sinkhorn_log_form.residual,
                             burl_sinkhorn_log_form.finish};
  if (options && options->max_sweeps > self->most_sweeps) return BURL_ERR_SIZE;
  if (options && options->start_eps > options->eps) return BURL_ERR_ARGUMENT;
  burl_status status =
      burl_sinkhorn_run(self->solver, f, g, &recorded.problem, warm, options, info, &form);
  if (status) return status;
  memcpy(self->f, f, n * sizeof(double));
  memcpy(self->g, g, m * sizeof(double));
  return BURL_OK;
}

/* The way back as it goes on. */
typedef struct way_back {
  burl_sinkhorn_tape *tape;
  const burl_gradient_point *point;
  const burl_sinkhorn_gradient *gradient;
  double deps; /* times eps^2 */
} way_back;

static const double *phi_after(const burl_sinkhorn_tape *tape, size_t sweep) {
  return tape->phi + sweep * tape->n;
}

static const double *gamma_after(const burl_sinkhorn_tape *tape, size_t sweep) {
  return tape->gamma + sweep * tape->m;
}

/* From the loss to rows and columns at the end of the sweeps. */
static void begin(way_back *way, const burl_sinkhorn_loss *loss) {
  burl_sinkhorn_tape *tape = way->tape;
  const burl_gradient_point *point = way->point;
  const double *phi = phi_after(tape, tape->sweeps), *gamma = gamma_after(tape, tape->sweeps);
  for (size_t j = 0; j < tape->m; j++)
    tape->columns[j] = loss->dg && tape->b[j] > 0.0 ? tape->eps * loss->dg[j] : 0.0;
  for (size_t i = 0; i < tape->n; i++) {
    tape->rows[i] = 0.0;
    if (tape->a[i] <= 0.0) continue;
    burl_num_flow flow = burl_num_flow_from_plan(
        burl_gradient_row(way->gradient->dC, i, way->gradient->lddc), tape->columns,
        burl_gradient_const_row(loss->dP, i, loss->lddp), loss->dtransport, phi[i], gamma,
        point->C + i * point->ldc, point->scale, tape->m);
    tape->rows[i] = flow.sum + (loss->df ? tape->eps * loss->df[i] : 0.0);
    way->deps += flow.cost;
  }
}

/* Before the rows of a column step: its db, and gamma - log b. */
static void open_column_step(way_back *way, const double *gamma) {
  burl_sinkhorn_tape *tape = way->tape;
  double *db = way->gradient->db;
  for (size_t j = 0; j < tape->m; j++) {
    int present = tape->b[j] > 0.0;
    tape->p[j] = present ? gamma[j] - tape->log_b[j] : -(double)INFINITY;
    if (db && present) db[j] += tape->columns[j] / tape->b[j];
  }
}

static void column_step_row(way_back *way, size_t i, const double *phi) {
  burl_sinkhorn_tape *tape = way->tape;
  burl_num_flow flow = burl_num_flow_from_columns(
      burl_gradient_row(way->gradient->dC, i, way->gradient->lddc), tape->columns, phi[i], tape->p,
      way->point->C + i * way->point->ldc, way->point->scale, tape->m);
  tape->rows[i] -= flow.sum;
  way->deps -= flow.cost;
}

/* Sends rows_i on to `columns`, and takes it away. */
static void row_step_row(way_back *way, double *columns, size_t i, const double *phi,
                         const double *gamma) {
  burl_sinkhorn_tape *tape = way->tape;
  double weight = tape->rows[i];
  burl_num_flow flow =
      burl_num_flow_from_row(burl_gradient_row(way->gradient->dC, i, way->gradient->lddc), columns,
                             weight, phi[i] - tape->log_a[i], gamma,
                             way->point->C + i * way->point->ldc, way->point->scale, tape->m);
  way->deps -= flow.cost;
  if (way->gradient->da) way->gradient->da[i] += weight / tape->a[i];
  tape->rows[i] = 0.0;
}

/* The column step that gave gamma from phi, and the row step before it that gave phi from earlier.
 */
static void step_back(way_back *way, const double *gamma, const double *phi,
                      const double *earlier) {
  burl_sinkhorn_tape *tape = way->tape;
  open_column_step(way, gamma);
  memset(tape->before, 0, tape->m * sizeof(double));
  for (size_t i = 0; i < tape->n; i++) {
    if (tape->a[i] <= 0.0) continue;
    column_step_row(way, i, phi);
    row_step_row(way, tape->before, i, phi, earlier);
  }
  double *passed = tape->columns;
  tape->columns = tape->before;
  tape->before = passed;
}

/* The start is constant in the units of C, and so it is not over eps. */
static double start_over_eps(const double *flow, const double *start, const double *masses,
                             size_t count) {
  double sum = 0.0;
  for (size_t i = 0; i < count; i++)
    if (masses[i] > 0.0) sum -= flow[i] * start[i];
  return sum;
}

static void columns_last(way_back *way) {
  burl_sinkhorn_tape *tape = way->tape;
  for (size_t t = tape->sweeps; t > 0; t--)
    step_back(way, gamma_after(tape, t), phi_after(tape, t), gamma_after(tape, t - 1));
  way->deps += tape->eps * start_over_eps(tape->columns, gamma_after(tape, 0), tape->b, tape->m);
}

static void rows_last(way_back *way) {
  burl_sinkhorn_tape *tape = way->tape;
  for (size_t i = 0; i < tape->n; i++)
    if (tape->a[i] > 0.0)
      row_step_row(way, tape->columns, i, phi_after(tape, tape->sweeps),
                   gamma_after(tape, tape->sweeps));
  for (size_t t = tape->sweeps; t > 1; t--)
    step_back(way, gamma_after(tape, t), phi_after(tape, t - 1), gamma_after(tape, t - 1));
  open_column_step(way, gamma_after(tape, 1));
  for (size_t i = 0; i < tape->n; i++)
    if (tape->a[i] > 0.0) column_step_row(way, i, phi_after(tape, 0));
  way->deps += tape->eps * start_over_eps(tape->rows, phi_after(tape, 0), tape->a, tape->n);
}

burl_status burl_sinkhorn_tape_backward(burl_sinkhorn_tape *self,
                                        const burl_sinkhorn_gradient *gradient,
                                        const burl_sinkhorn_loss *loss, const double *C,
                                        size_t ldc) {
  if (self->sweeps == 0) return BURL_ERR_ARGUMENT;
  burl_gradient_point point = {C,       ldc,     self->n,   self->m,
                               self->f, self->g, self->eps, 1.0 / self->eps};
  burl_status status = burl_gradient_check_point(&point);
  if (!status) status = burl_gradient_check_loss(&point, gradient, loss);
  if (status) return status;
  way_back way = {self, &point, gradient, 0.0};
  begin(&way, loss);
  if (self->order == BURL_ROW_THEN_COLUMN)
    columns_last(&way);
  else
    rows_last(&way);
  if (gradient->deps)
    *gradient->deps +=
        way.deps * point.scale * point.scale + burl_gradient_eps_of_potentials(&point, loss);
  return BURL_OK;
}
