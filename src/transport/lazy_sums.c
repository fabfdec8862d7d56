/* Plans on demand, and sums weighted by them, a block of rows at a time.
 *
 * Division by a marginal happens inside the exponential, f_i - eps log a_i in place of f_i: entries
 * of the plan may be too small for float where their share of a row or column is not. */
#include "num/gemm.h"
#include "num/scaling.h"
#include "transport/lazy_parts.h"

#include <limits.h>
#include <math.h>

static int eps_is_valid(double eps) {
  return isfinite(eps) && eps > 0.0 && isfinite(1.0 / eps);
}

burl_status burl_sinkhorn_lazy_plan(float *P, size_t ldp, burl_cost *cost, size_t first,
                                    size_t count, const double *f, const double *g, double eps) {
  if (!eps_is_valid(eps)) return BURL_ERR_ARGUMENT;
  burl_status status = burl_cost_rows(cost, P, ldp, first, count);
  if (!status)
    burl_sinkhorn_plan_scaling(P, ldp, P, ldp, count, burl_cost_get_m(cost), f + first, g, eps);
  return status;
}

static burl_status check_masses(const double *masses, size_t count) {
  for (size_t i = 0; masses && i < count; i++) {
    if (!isfinite(masses[i])) return BURL_ERR_NUMERIC;
    if (masses[i] < 0.0) return BURL_ERR_ARGUMENT;
  }
  return BURL_OK;
}

static burl_status check(const burl_sinkhorn_lazy *self, const burl_cost *cost, double eps,
                         size_t q) {
  if (q == 0 || !eps_is_valid(eps)) return BURL_ERR_ARGUMENT;
  if (burl_cost_get_n(cost) > self->core->n || burl_cost_get_m(cost) > self->core->m ||
      burl_cost_get_m(cost) > INT_MAX || q > INT_MAX)
    return BURL_ERR_SIZE;
  return BURL_OK;
}

/* The potentials of the plan divided by masses. */
static void divide(double *divided, const double *potential, const double *masses, size_t count,
                   double eps) {
  for (size_t i = 0; i < count; i++)
    divided[i] = !masses           ? potential[i]
                 : masses[i] > 0.0 ? potential[i] - eps * log(masses[i])
                                   : -(double)INFINITY;
}

/* Rows of the plan into the block. */
static void plan_block(burl_sinkhorn_lazy *self, burl_cost *cost, const double *f, const double *g,
                       double eps, size_t first, size_t count) {
  size_t m = burl_cost_get_m(cost);
  burl_cost_whole_block(cost, self->block, m, first);
  burl_sinkhorn_plan_scaling(self->block, m, self->block, m, count, m, f + first, g, eps);
}

burl_status burl_sinkhorn_lazy_project_rows(burl_sinkhorn_lazy *self, float *out, burl_cost *cost,
                                            const double *f, const double *g, double eps,
                                            const float *V, size_t q, const double *a) {
  size_t n = burl_cost_get_n(cost), m = burl_cost_get_m(cost);
  burl_status status = check(self, cost, eps, q);
  if (!status) status = check_masses(a, n);
  if (status) return status;
  divide(self->core->phi, f, a, n, eps);
  for (size_t first = 0; !status && first < n; first += BURL_COST_BLOCK) {
    size_t count = n - first < BURL_COST_BLOCK ? n - first : BURL_COST_BLOCK;
    plan_block(self, cost, self->core->phi, g, eps, first, count);
    status = burl_num_sgemm(out + first * q, q, self->block, m, BURL_NUM_PLAIN, V, q,
                            BURL_NUM_PLAIN, count, q, m, 1.0f, 0.0f);
  }
  return status;
}

burl_status burl_sinkhorn_lazy_project_columns(burl_sinkhorn_lazy *self, float *out,
                                               burl_cost *cost, const double *f, const double *g,
                                               double eps, const float *V, size_t q,
                                               const double *b) {
  size_t n = burl_cost_get_n(cost), m = burl_cost_get_m(cost);
  burl_status status = check(self, cost, eps, q);
  if (!status) status = check_masses(b, m);
  if (status) return status;
  divide(self->core->gamma, g, b, m, eps);
  for (size_t first = 0; !status && first < n; first += BURL_COST_BLOCK) {
    size_t count = n - first < BURL_COST_BLOCK ? n - first : BURL_COST_BLOCK;
    plan_block(self, cost, f, self->core->gamma, eps, first, count);
    status = burl_num_sgemm(out, q, self->block, m, BURL_NUM_TRANSPOSED, V + first * q, q,
                            BURL_NUM_PLAIN, m, q, count, 1.0f, first > 0 ? 1.0f : 0.0f);
  }
  return status;
}
