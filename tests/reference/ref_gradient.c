#include "reference/ref_gradient.h"

#include <math.h>

#define MOST REF_GRADIENT_MOST

typedef struct ref_sweeps {
  long double f[MOST], g[MOST];
} ref_sweeps;

static long double log_sum_of(const long double *score, size_t count) {
  long double max = -(long double)INFINITY, sum = 0.0L;
  for (size_t k = 0; k < count; k++)
    max = fmaxl(max, score[k]);
  for (size_t k = 0; k < count; k++)
    sum += expl(score[k] - max);
  return max + logl(sum);
}

static void rows_step(const ref_loss *loss, ref_sweeps *at) {
  long double eps = (long double)loss->eps, score[MOST];
  for (size_t i = 0; i < loss->n; i++) {
    for (size_t j = 0; j < loss->m; j++)
      score[j] = (at->g[j] - (long double)loss->C[i * loss->m + j]) / eps;
    at->f[i] = eps * (logl((long double)loss->a[i]) - log_sum_of(score, loss->m));
  }
}

static void columns_step(const ref_loss *loss, ref_sweeps *at) {
  long double eps = (long double)loss->eps, score[MOST];
  for (size_t j = 0; j < loss->m; j++) {
    for (size_t i = 0; i < loss->n; i++)
      score[i] = (at->f[i] - (long double)loss->C[i * loss->m + j]) / eps;
    at->g[j] = eps * (logl((long double)loss->b[j]) - log_sum_of(score, loss->n));
  }
}

static void begin_sweeps(long double *potential, const double *masses, const double *start,
                         size_t count) {
  for (size_t i = 0; i < count; i++)
    potential[i] = masses[i] <= 0.0 ? -(long double)INFINITY : start ? (long double)start[i] : 0.0L;
}

long double ref_loss_value(const ref_loss *loss) {
  ref_sweeps at;
  begin_sweeps(at.f, loss->a, loss->f0, loss->n);
  begin_sweeps(at.g, loss->b, loss->g0, loss->m);
  for (size_t t = 0; t < loss->sweeps; t++) {
    if (loss->order == BURL_ROW_THEN_COLUMN) rows_step(loss, &at);
    columns_step(loss, &at);
    if (loss->order == BURL_COLUMN_THEN_ROW) rows_step(loss, &at);
  }
  long double value = 0.0L;
  for (size_t i = 0; i < loss->n; i++)
    for (size_t j = 0; j < loss->m; j++) {
      long double c = (long double)loss->C[i * loss->m + j];
      long double P = expl((at.f[i] + at.g[j] - c) / (long double)loss->eps);
      value +=
          P * ((loss->W ? (long double)loss->W[i * loss->m + j] : 0.0L) + (long double)loss->w * c);
    }
  for (size_t i = 0; loss->wf && i < loss->n; i++)
    if (loss->a[i] > 0.0) value += (long double)loss->wf[i] * at.f[i];
  for (size_t j = 0; loss->wg && j < loss->m; j++)
    if (loss->b[j] > 0.0) value += (long double)loss->wg[j] * at.g[j];
  return value;
}

double ref_loss_exchange(ref_loss *loss, double *x, double *y, double step) {
  double x0 = *x, y0 = y ? *y : 0.0, up = x0 + step, down = x0 - step;
  *x = up;
  if (y) *y = y0 - step;
  long double above = ref_loss_value(loss);
  *x = down;
  if (y) *y = y0 + step;
  long double below = ref_loss_value(loss);
  *x = x0;
  if (y) *y = y0;
  return (double)((above - below) / ((long double)up - (long double)down));
}

double ref_loss_derivative(ref_loss *loss, double *x, double step) {
  return ref_loss_exchange(loss, x, NULL, step);
}

static void eliminate(long double A[2 * MOST][2 * MOST + 1], size_t k) {
  for (size_t p = 0; p < k; p++) {
    size_t best = p;
    for (size_t i = p; i < k; i++)
      if (fabsl(A[i][p]) > fabsl(A[best][p])) best = i;
    for (size_t j = 0; j <= k; j++) {
      long double swapped = A[p][j];
      A[p][j] = A[best][j];
      A[best][j] = swapped;
    }
    for (size_t i = 0; i < k; i++) {
      if (i == p) continue;
      long double factor = A[i][p] / A[p][p];
      for (size_t j = p; j <= k; j++)
        A[i][j] -= factor * A[p][j];
    }
  }
}

void ref_multipliers(double *alpha, double *beta, const double *P, const double *r, const double *c,
                     size_t n, size_t m) {
  long double A[2 * MOST][2 * MOST + 1] = {{0}};
  size_t k = n + m - 1;
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < m; j++) {
      long double entry = (long double)P[i * m + j];
      A[i][i] += entry;
      if (j == m - 1) continue;
      A[n + j][n + j] += entry;
      A[i][n + j] = A[n + j][i] = entry;
    }
  for (size_t i = 0; i < n; i++)
    A[i][k] = (long double)r[i];
  for (size_t j = 0; j + 1 < m; j++)
    A[n + j][k] = (long double)c[j];
  eliminate(A, k);
  for (size_t i = 0; i < n; i++)
    alpha[i] = (double)(A[i][k] / A[i][i]);
  for (size_t j = 0; j < m; j++)
    beta[j] = j == m - 1 ? 0.0 : (double)(A[n + j][k] / A[n + j][n + j]);
}
