/* Checks that both ways back share, and the optimal value, whose derivative needs neither: at the
 * optimum the dual
 *     <f,a> + <g,b> - eps sum exp((f_i + g_j - C_ij)/eps)
 * does not change with f and g, so that only what is written in it counts (Danskin's theorem). */
#include "num/log_sum.h"
#include "num/magnitude.h"
#include "transport/gradient_parts.h"

#include <math.h>

static int potentials_are_valid(const double *potential, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (isnan(potential[i]) || (isinf(potential[i]) && potential[i] > 0.0)) return 0;
  return 1;
}

static int rows_are_finite(const double *rows, size_t ld, size_t n, size_t m) {
  for (size_t i = 0; i < n; i++)
    if (!isfinite(burl_num_magnitude_double(rows + i * ld, m))) return 0;
  return 1;
}

burl_status burl_gradient_check_point(const burl_gradient_point *point) {
  if (point->n == 0 || point->m == 0 || point->ldc < point->m || !(point->eps > 0.0) ||
      !isfinite(point->eps) || !isfinite(point->scale))
    return BURL_ERR_ARGUMENT;
  if (!potentials_are_valid(point->f, point->n) || !potentials_are_valid(point->g, point->m) ||
      !rows_are_finite(point->C, point->ldc, point->n, point->m))
    return BURL_ERR_NUMERIC;
  return BURL_OK;
}

static int present_are_finite(const double *values, const double *potential, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (isfinite(potential[i]) && !isfinite(values[i])) return 0;
  return 1;
}

burl_status burl_gradient_check_loss(const burl_gradient_point *point,
                                     const burl_sinkhorn_gradient *gradient,
                                     const burl_sinkhorn_loss *loss) {
  if (!gradient || !loss) return BURL_ERR_ARGUMENT;
  if ((gradient->dC && gradient->lddc < point->m) || (loss->dP && loss->lddp < point->m))
    return BURL_ERR_ARGUMENT;
  if (!isfinite(loss->dtransport) ||
      (loss->dP && !rows_are_finite(loss->dP, loss->lddp, point->n, point->m)) ||
      (loss->df && !present_are_finite(loss->df, point->f, point->n)) ||
      (loss->dg && !present_are_finite(loss->dg, point->g, point->m)))
    return BURL_ERR_NUMERIC;
  return BURL_OK;
}

static double dot_present(const double *values, const double *potential, size_t count) {
  double sum = 0.0;
  for (size_t i = 0; values && i < count; i++)
    if (isfinite(potential[i])) sum += values[i] * potential[i];
  return sum;
}

double burl_gradient_eps_of_potentials(const burl_gradient_point *point,
                                       const burl_sinkhorn_loss *loss) {
  return point->scale *
         (dot_present(loss->df, point->f, point->n) + dot_present(loss->dg, point->g, point->m));
}

static void add_present(double *to, double factor, const double *potential, size_t count) {
  for (size_t i = 0; to && i < count; i++)
    if (isfinite(potential[i])) to[i] += factor * potential[i];
}

/* dC += dvalue P; gives sum P (log P - 1). */
static double add_plan(double *dC, size_t lddc, double dvalue, const burl_gradient_point *point) {
  double sum = 0.0;
  for (size_t i = 0; i < point->n; i++)
    for (size_t j = 0; j < point->m; j++) {
      double score = (point->f[i] + point->g[j] - point->C[i * point->ldc + j]) * point->scale;
      double P = exp(score);
      if (P > 0.0) sum += P * (score - 1.0);
      if (dC) dC[i * lddc + j] += dvalue * P;
    }
  return sum;
}

burl_status burl_sinkhorn_value_backward(const burl_sinkhorn_gradient *gradient, double dvalue,
                                         const double *C, size_t ldc, size_t n, size_t m,
                                         const double *f, const double *g, double eps) {
  burl_gradient_point point = {C, ldc, n, m, f, g, eps, 1.0 / eps};
  burl_sinkhorn_loss loss = {.dtransport = dvalue};
  burl_status status = burl_gradient_check_point(&point);
  if (!status) status = burl_gradient_check_loss(&point, gradient, &loss);
  if (status) return status;
  add_present(gradient->da, dvalue, f, n);
  add_present(gradient->db, dvalue, g, m);
  double entropy = add_plan(gradient->dC, gradient->lddc, dvalue, &point);
  if (gradient->deps) *gradient->deps += dvalue * entropy;
  return BURL_OK;
}
