#include "reference/ref_sinkhorn.h"

#include "base/random.h"

#include <math.h>

static void random_masses(double *masses, size_t count, double total, uint64_t seed,
                          uint64_t stream) {
  burl_random random = burl_random_start(seed, stream);
  double sum = 0.0;
  for (size_t i = 0; i < count; i++)
    sum += masses[i] = 0.1 + burl_random_uniform(&random);
  for (size_t i = 0; i < count; i++)
    masses[i] *= total / sum;
}

void ref_transport_problem(double *C, double *a, double *b, size_t n, size_t m, double largest,
                           double total, uint64_t seed) {
  burl_random random = burl_random_start(seed, 0);
  for (size_t i = 0; i < n * m; i++)
    C[i] = largest * burl_random_uniform(&random);
  random_masses(a, n, total, seed, 1);
  random_masses(b, m, total, seed, 2);
}

/* log sum_k exp((p_k - c_k) / eps), c_k at distance step */
static long double log_sum(const double *p, const double *c, size_t count, size_t step,
                           double eps) {
  long double max = -(long double)INFINITY, sum = 0.0L;
  for (size_t k = 0; k < count; k++)
    max = fmaxl(max, ((long double)p[k] - (long double)c[k * step]) / (long double)eps);
  for (size_t k = 0; k < count; k++)
    sum += expl(((long double)p[k] - (long double)c[k * step]) / (long double)eps - max);
  return max + logl(sum);
}

static void row_step(double *f, const double *g, const double *C, size_t n, size_t m,
                     const double *a, double eps) {
  for (size_t i = 0; i < n; i++)
    f[i] =
        (double)((long double)eps * (logl((long double)a[i]) - log_sum(g, C + i * m, m, 1, eps)));
}

static void column_step(double *g, const double *f, const double *C, size_t n, size_t m,
                        const double *b, double eps) {
  for (size_t j = 0; j < m; j++)
    g[j] = (double)((long double)eps * (logl((long double)b[j]) - log_sum(f, C + j, n, m, eps)));
}

void ref_sinkhorn(double *f, double *g, const double *C, size_t n, size_t m, const double *a,
                  const double *b, double eps, size_t sweeps, burl_sweep_order order) {
  for (size_t i = 0; i < n; i++)
    f[i] = a[i] > 0.0 ? 0.0 : -(double)INFINITY;
  for (size_t j = 0; j < m; j++)
    g[j] = b[j] > 0.0 ? 0.0 : -(double)INFINITY;
  for (size_t s = 0; s < sweeps; s++) {
    if (order == BURL_ROW_THEN_COLUMN) row_step(f, g, C, n, m, a, eps);
    column_step(g, f, C, n, m, b, eps);
    if (order == BURL_COLUMN_THEN_ROW) row_step(f, g, C, n, m, a, eps);
  }
}

burl_sinkhorn_info ref_sinkhorn_info(const double *f, const double *g, const double *C, size_t n,
                                     size_t m, const double *a, const double *b, double eps,
                                     burl_sweep_order order) {
  burl_sinkhorn_info info = {0};
  int by_rows = order == BURL_ROW_THEN_COLUMN;
  size_t lines = by_rows ? n : m, across = by_rows ? m : n;
  for (size_t k = 0; k < lines; k++) {
    double sum = 0.0;
    for (size_t l = 0; l < across; l++) {
      size_t i = by_rows ? k : l, j = by_rows ? l : k;
      double P = exp((f[i] + g[j] - C[i * m + j]) / eps);
      sum += P;
      info.transport += P * C[i * m + j];
      if (P > 0.0) info.primal += P * C[i * m + j] + eps * P * (log(P) - 1.0);
      info.dual -= eps * P;
    }
    double error = sum - (by_rows ? a[k] : b[k]);
    info.residual += error * error;
  }
  info.residual = sqrt(info.residual);
  for (size_t i = 0; i < n; i++)
    if (a[i] > 0.0) info.dual += f[i] * a[i];
  for (size_t j = 0; j < m; j++)
    if (b[j] > 0.0) info.dual += g[j] * b[j];
  return info;
}

/* Best completion of rows i.. with the columns not in `taken`. */
static double assign(const double *C, size_t n, size_t i, unsigned taken) {
  if (i == n) return 0.0;
  double best = (double)INFINITY;
  for (size_t j = 0; j < n; j++)
    if (!(taken & 1U << j)) best = fmin(best, C[i * n + j] + assign(C, n, i + 1, taken | 1U << j));
  return best;
}

double ref_assignment(const double *C, size_t n) {
  return assign(C, n, 0, 0);
}
