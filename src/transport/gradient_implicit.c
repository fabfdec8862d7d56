/* Implicit differentiation of the fixed point P 1 = a, P^T 1 = b.
 *
 * With x_ij = (dP_ij + dtransport C_ij) P_ij, r = x 1 + eps df, c = x^T 1 + eps dg and the
 * marginals a, b of the plan as it is, the multipliers solve
 *     | diag(a)  P       | |alpha|   |r|
 *     | P^T      diag(b) | |beta | = |c|        singular along (1, -1)
 * and give da = alpha, db = beta, dL/dscore_ij = x_ij - P_ij (alpha_i + beta_j) for the scores
 * (f_i + g_j - C_ij)/eps, from which dC and deps follow.
 *
 * In units of the roots of the masses, y = sqrt(a) alpha, z = sqrt(b) beta and
 * Q_ij = P_ij / sqrt(a_i b_j), whose singular values are at most 1, and 1 for sqrt(b):
 *     (I - Q^T Q + u u^T) z = c/sqrt(b) - Q^T (r/sqrt(a)),   u = sqrt(b) / |sqrt(b)|
 * or the same on the side of the rows, where those are fewer. Adding u u^T fixes the constant
 * without preferring a column, as dropping one would, and leaves the matrix positive definite with
 * eigenvalues 1 - sigma^2: as well conditioned as the problem is. Masses of very different size do
 * no harm: entries of Q, u and the right-hand side fall with the roots of their masses, and
 * Cholesky keeps the relative precision of such a graded system. Missing rows and columns are rows
 * and columns of I.
 */
#include "base/memory.h"
#include "num/log_sum.h"
#include "num/plan_gradient.h"
#include "num/solve.h"
#include "transport/gradient_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_CONDITIONING 1e-12
#define TOTALS_DIFFER 1e-9

struct burl_sinkhorn_implicit {
  burl_arena arena;
  size_t n, m;
  double *Q, *G;                      /* n x m, k x k with k = min(n,m) */
  double *root_a, *root_b;            /* n, m: square roots of the marginals of the plan */
  double *r, *c;                      /* n, m: over the roots */
  double *y, *z;                      /* n, m */
  double *alpha, *beta, *phi, *gamma; /* n, m, n, m */
  double *unit, *scratch;             /* k, 3 k */
  int *marks;                         /* k */
};

static void *claim_part(burl_arena *arena, int take, size_t count, size_t size) {
  if (take) return burl_arena_take(arena, count, size);
  burl_arena_reserve(arena, count, size);
  return NULL;
}

static void lay_out_implicit(burl_sinkhorn_implicit *self, int take, size_t entries) {
  burl_arena *arena = &self->arena;
  size_t n = self->n, m = self->m, k = n < m ? n : m;
  self->Q = claim_part(arena, take, entries, sizeof(double));
  self->G = claim_part(arena, take, k, k * sizeof(double));
  double **of_rows[] = {&self->root_a, &self->r, &self->y, &self->alpha, &self->phi};
  double **of_columns[] = {&self->root_b, &self->c, &self->z, &self->beta, &self->gamma};
  for (size_t i = 0; i < sizeof of_rows / sizeof *of_rows; i++) {
    *of_rows[i] = claim_part(arena, take, n, sizeof(double));
    *of_columns[i] = claim_part(arena, take, m, sizeof(double));
  }
  self->unit = claim_part(arena, take, k, sizeof(double));
  self->scratch = claim_part(arena, take, k, 3 * sizeof(double));
  self->marks = claim_part(arena, take, k, sizeof(int));
}

burl_status burl_sinkhorn_implicit_new(burl_sinkhorn_implicit **self, size_t n, size_t m) {
  size_t entries;
  if (n == 0 || m == 0) return BURL_ERR_ARGUMENT;
  if (!burl_size_mul(&entries, n, m) || entries > SIZE_MAX / sizeof(double)) return BURL_ERR_SIZE;
  burl_sinkhorn_implicit *made = burl_alloc_zero(1, sizeof *made);
  if (!made) return BURL_ERR_MEMORY;
  made->n = n;
  made->m = m;
  lay_out_implicit(made, 0, entries);
  if (!burl_arena_open(&made->arena)) {
    free(made);
    return BURL_ERR_MEMORY;
  }
  lay_out_implicit(made, 1, entries);
  *self = made;
  return BURL_OK;
}

void burl_sinkhorn_implicit_free(burl_sinkhorn_implicit *self) {
  if (!self) return;
  burl_arena_close(&self->arena);
  free(self);
}

/* Roots of the marginals from the marginals; a potential without mass is an error. */
static burl_status take_roots(double *masses, const double *potential, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (isfinite(potential[i]) && !(masses[i] > 0.0 && isfinite(masses[i])))
      return BURL_ERR_NUMERIC;
    masses[i] = sqrt(masses[i]);
  }
  return BURL_OK;
}

/* The plan, its marginals, and Q from it. Entries of rows and columns without mass stay 0. */
static burl_status scale_plan(burl_sinkhorn_implicit *self, const burl_gradient_point *point) {
  size_t n = point->n, m = point->m;
  memset(self->root_b, 0, m * sizeof(double));
  for (size_t i = 0; i < n; i++) {
    double *row = self->Q + i * m, sum = 0.0;
    burl_num_plan_row_double(row, point->f[i], point->g, point->C + i * point->ldc, point->scale,
                             m);
    for (size_t j = 0; j < m; j++) {
      sum += row[j];
      self->root_b[j] += row[j];
    }
    self->root_a[i] = sum;
  }
  burl_status status = take_roots(self->root_a, point->f, n);
  if (!status) status = take_roots(self->root_b, point->g, m);
  if (status) return status;
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < m; j++)
      if (self->Q[i * m + j] > 0.0) self->Q[i * m + j] /= self->root_a[i] * self->root_b[j];
  return BURL_OK;
}

/* df and dg over entries with mass: 0 where their totals are equal as far as rounding can tell. */
static int loss_moves_with_the_constant(const burl_gradient_point *point,
                                        const burl_sinkhorn_loss *loss) {
  double difference = 0.0, magnitude = 0.0;
  for (size_t i = 0; loss->df && i < point->n; i++)
    if (isfinite(point->f[i])) {
      difference += loss->df[i];
      magnitude += fabs(loss->df[i]);
    }
  for (size_t j = 0; loss->dg && j < point->m; j++)
    if (isfinite(point->g[j])) {
      difference -= loss->dg[j];
      magnitude += fabs(loss->dg[j]);
    }
  return !(fabs(difference) <= TOTALS_DIFFER * magnitude);
}

static void over_roots(double *values, const double *extra, double eps, const double *roots,
                       size_t count) {
  for (size_t i = 0; i < count; i++)
    values[i] = roots[i] > 0.0 ? (values[i] + (extra ? eps * extra[i] : 0.0)) / roots[i] : 0.0;
}

/* r and c over the roots; with a gradient also what the plan itself sends to dC and deps. Gives
 * the latter, times eps^2. */
static double from_loss(burl_sinkhorn_implicit *self, const burl_gradient_point *point,
                        const burl_sinkhorn_loss *loss, const burl_sinkhorn_gradient *gradient) {
  double cost = 0.0;
  memset(self->c, 0, point->m * sizeof(double));
  for (size_t i = 0; i < point->n; i++) {
    self->r[i] = 0.0;
    if (self->root_a[i] <= 0.0) continue;
    burl_num_flow flow = burl_num_flow_from_plan(
        gradient ? burl_gradient_row(gradient->dC, i, gradient->lddc) : NULL, self->c,
        burl_gradient_const_row(loss->dP, i, loss->lddp), loss->dtransport, self->phi[i],
        self->gamma, point->C + i * point->ldc, point->scale, point->m);
    self->r[i] = flow.sum;
    cost += flow.cost;
  }
  over_roots(self->r, loss->df, point->eps, self->root_a, point->n);
  over_roots(self->c, loss->dg, point->eps, self->root_b, point->m);
  return cost;
}

/* y = r - Q z, in the units of the roots. */
static void rows_from_columns(burl_sinkhorn_implicit *self, size_t n, size_t m) {
  for (size_t i = 0; i < n; i++) {
    double sum = 0.0;
    for (size_t j = 0; j < m; j++)
      sum += self->Q[i * m + j] * self->z[j];
    self->y[i] = self->r[i] - sum;
  }
}

/* z = c - Q^T y. */
static void columns_from_rows(burl_sinkhorn_implicit *self, size_t n, size_t m) {
  memcpy(self->z, self->c, m * sizeof(double));
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < m; j++)
      self->z[j] -= self->Q[i * m + j] * self->y[i];
}

/* G = I - Gram + u u^T, x less its part along u, u being the roots to length 1. */
static void deflate(double *G, double *x, double *u, const double *roots, size_t k) {
  double squares = 0.0, along = 0.0;
  for (size_t i = 0; i < k; i++)
    squares += roots[i] * roots[i];
  for (size_t i = 0; i < k; i++) {
    u[i] = roots[i] / sqrt(squares);
    along += u[i] * x[i];
  }
  for (size_t i = 0; i < k; i++) {
    x[i] -= along * u[i];
    for (size_t j = i; j < k; j++)
      G[i * k + j] = (i == j ? 1.0 : 0.0) - G[i * k + j] + u[i] * u[j];
  }
}

/* y and z, the reduced system being on the smaller side. */
static burl_status solve_multipliers(burl_sinkhorn_implicit *self, size_t n, size_t m) {
  int by_columns = m <= n;
  size_t k = by_columns ? m : n;
  double *x = by_columns ? self->z : self->y;
  memcpy(by_columns ? self->y : self->z, by_columns ? self->r : self->c,
         (by_columns ? n : m) * sizeof(double));
  if (by_columns)
    columns_from_rows(self, n, m);
  else
    rows_from_columns(self, n, m);
  burl_status status = burl_num_gram(self->G, self->Q, n, m, by_columns);
  if (status) return status;
  deflate(self->G, x, self->unit, by_columns ? self->root_b : self->root_a, k);
  status =
      burl_num_solve_positive(x, self->G, k, self->scratch, self->marks, LEAST_CONDITIONING, NULL);
  if (status) return status;
  if (by_columns)
    rows_from_columns(self, n, m);
  else
    columns_from_rows(self, n, m);
  return BURL_OK;
}

/* alpha and beta, the constant between them chosen such that <alpha,a> = <beta,b>. */
static void fix_constant(burl_sinkhorn_implicit *self, size_t n, size_t m) {
  double rows = 0.0, columns = 0.0, total = 0.0;
  for (size_t i = 0; i < n; i++) {
    rows += self->y[i] * self->root_a[i];
    total += self->root_a[i] * self->root_a[i];
  }
  for (size_t j = 0; j < m; j++)
    columns += self->z[j] * self->root_b[j];
  double shift = 0.5 * (columns - rows) / total;
  for (size_t i = 0; i < n; i++)
    self->alpha[i] = self->root_a[i] > 0.0 ? self->y[i] / self->root_a[i] + shift : 0.0;
  for (size_t j = 0; j < m; j++)
    self->beta[j] = self->root_b[j] > 0.0 ? self->z[j] / self->root_b[j] - shift : 0.0;
}

static void add_multipliers(double *to, const double *multipliers, size_t count) {
  for (size_t i = 0; to && i < count; i++)
    to[i] += multipliers[i];
}

/* Everything is known and nothing can fail any more. */
static void hand_out(burl_sinkhorn_implicit *self, const burl_gradient_point *point,
                     const burl_sinkhorn_loss *loss, const burl_sinkhorn_gradient *gradient) {
  double cost = from_loss(self, point, loss, gradient);
  memset(self->z, 0, point->m * sizeof(double)); /* column sums that nobody asks for */
  for (size_t i = 0; i < point->n; i++) {
    if (self->root_a[i] <= 0.0) continue;
    double *dC = burl_gradient_row(gradient->dC, i, gradient->lddc);
    const double *c = point->C + i * point->ldc;
    cost -= burl_num_flow_from_columns(dC, self->beta, self->phi[i], self->gamma, c, point->scale,
                                       point->m)
                .cost;
    cost -= burl_num_flow_from_row(dC, self->z, self->alpha[i], self->phi[i], self->gamma, c,
                                   point->scale, point->m)
                .cost;
  }
  add_multipliers(gradient->da, self->alpha, point->n);
  add_multipliers(gradient->db, self->beta, point->m);
  if (gradient->deps)
    *gradient->deps +=
        cost * point->scale * point->scale + burl_gradient_eps_of_potentials(point, loss);
}

burl_status burl_sinkhorn_implicit_backward(burl_sinkhorn_implicit *self,
                                            const burl_sinkhorn_gradient *gradient,
                                            const burl_sinkhorn_loss *loss, const double *C,
                                            size_t ldc, size_t n, size_t m, const double *f,
                                            const double *g, double eps) {
  if (n > self->n || m > self->m) return BURL_ERR_SIZE;
  burl_gradient_point point = {C, ldc, n, m, f, g, eps, 1.0 / eps};
  burl_status status = burl_gradient_check_point(&point);
  if (!status) status = burl_gradient_check_loss(&point, gradient, loss);
  if (status) return status;
  if (loss_moves_with_the_constant(&point, loss)) return BURL_ERR_ARGUMENT;
  status = scale_plan(self, &point);
  if (status) return status;
  for (size_t i = 0; i < n; i++)
    self->phi[i] = f[i] * point.scale;
  for (size_t j = 0; j < m; j++)
    self->gamma[j] = g[j] * point.scale;
  from_loss(self, &point, loss, NULL);
  status = solve_multipliers(self, n, m);
  if (status) return status;
  fix_constant(self, n, m);
  hand_out(self, &point, loss, gradient);
  return BURL_OK;
}
