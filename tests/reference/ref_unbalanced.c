#include "reference/ref_unbalanced.h"

#include <math.h>

#define MOST 256

/* Entry k of one side against all l of the other. */
static long double cost(const ref_unbalanced_problem *p, int rows, size_t k, size_t l) {
  return (long double)(rows ? p->C[k * p->m + l] : p->C[l * p->m + k]);
}

/* log sum over the other side of exp((other_l - C)/eps) */
static long double score(const ref_unbalanced_problem *p, int rows, size_t k, const double *other) {
  size_t count = rows ? p->m : p->n;
  long double max = -(long double)INFINITY, sum = 0.0L, eps = (long double)p->eps;
  for (size_t l = 0; l < count; l++)
    max = fmaxl(max, ((long double)other[l] - cost(p, rows, k, l)) / eps);
  for (size_t l = 0; l < count; l++)
    sum += expl(((long double)other[l] - cost(p, rows, k, l)) / eps - max);
  return max + logl(sum);
}

static void step(const ref_unbalanced_problem *p, int rows, double *mine, const double *other) {
  size_t count = rows ? p->n : p->m;
  double rho = rows ? p->rho_a : p->rho_b;
  const double *mass = rows ? p->a : p->b;
  for (size_t k = 0; k < count; k++) {
    long double plain =
        (long double)p->eps * (logl((long double)mass[k]) - score(p, rows, k, other));
    long double r = (long double)rho;
    mine[k] = (double)(isinf(rho) ? plain : plain * r / (r + (long double)p->eps));
  }
}

static long double asked_total(const double *mass, const double *potential, double rho,
                               size_t count) {
  long double total = 0.0L;
  for (size_t k = 0; k < count; k++)
    total += (long double)mass[k] *
             (isinf(rho) ? 1.0L : expl(-(long double)potential[k] / (long double)rho));
  return total;
}

static void shift(const ref_unbalanced_problem *p, double *f, double *g) {
  if (p->rho_a <= 0.0 || p->rho_b <= 0.0 || (isinf(p->rho_a) && isinf(p->rho_b))) return;
  long double inverse = (isinf(p->rho_a) ? 0.0L : 1.0L / (long double)p->rho_a) +
                        (isinf(p->rho_b) ? 0.0L : 1.0L / (long double)p->rho_b);
  long double t =
      logl(asked_total(p->a, f, p->rho_a, p->n) / asked_total(p->b, g, p->rho_b, p->m)) / inverse;
  for (size_t i = 0; i < p->n; i++)
    f[i] += (double)t;
  for (size_t j = 0; j < p->m; j++)
    g[j] -= (double)t;
}

static void clear(double *f, double *g, const ref_unbalanced_problem *p) {
  for (size_t i = 0; i < p->n; i++)
    f[i] = 0.0;
  for (size_t j = 0; j < p->m; j++)
    g[j] = 0.0;
}

void ref_unbalanced(double *f, double *g, const ref_unbalanced_problem *problem, size_t sweeps,
                    burl_sweep_order order) {
  clear(f, g, problem);
  for (size_t s = 0; s < sweeps; s++) {
    shift(problem, f, g);
    if (order == BURL_ROW_THEN_COLUMN) step(problem, 1, f, g);
    step(problem, 0, g, f);
    if (order == BURL_COLUMN_THEN_ROW) step(problem, 1, f, g);
  }
}

/* rho KL(p | a), and what the potential adds to the dual. */
static void add_side(burl_unbalanced_info *info, double p, double a, double potential, double rho) {
  if (a <= 0.0 || rho <= 0.0) return;
  if (isinf(rho)) {
    info->dual += potential * a;
    return;
  }
  info->primal += rho * ((p > 0.0 ? p * log(p / a) : 0.0) - p + a);
  info->dual -= rho * a * (exp(-potential / rho) - 1.0);
}

burl_unbalanced_info ref_unbalanced_info(const double *f, const double *g,
                                         const ref_unbalanced_problem *p) {
  burl_unbalanced_info info = {0};
  double columns[MOST] = {0};
  for (size_t i = 0; i < p->n; i++) {
    double row = 0.0;
    for (size_t j = 0; j < p->m; j++) {
      double P = exp((f[i] + g[j] - p->C[i * p->m + j]) / p->eps);
      row += P;
      columns[j] += P;
      info.transport += P * p->C[i * p->m + j];
      if (P > 0.0) info.primal += P * p->C[i * p->m + j] + p->eps * P * (log(P) - 1.0);
      info.dual -= p->eps * P;
    }
    info.mass += row;
    add_side(&info, row, p->a[i], f[i], p->rho_a);
  }
  for (size_t j = 0; j < p->m; j++)
    add_side(&info, columns[j], p->b[j], g[j], p->rho_b);
  return info;
}

/* tau with sum_k min(mass_k, exp(tau + score_k)) = s. */
static long double level(const double *mass, const long double *scores, size_t count, double s) {
  long double low = -1e5L, high = 1e5L;
  for (int round = 0; round < 200; round++) {
    long double middle = (low + high) / 2.0L, sum = 0.0L;
    for (size_t k = 0; k < count; k++)
      sum += fminl((long double)mass[k], expl(fminl(middle + scores[k], 1000.0L)));
    if (sum < (long double)s)
      low = middle;
    else
      high = middle;
  }
  return high;
}

static double fill(const ref_unbalanced_problem *p, int rows, double *mine, const double *other) {
  long double scores[MOST];
  size_t count = rows ? p->n : p->m;
  const double *mass = rows ? p->a : p->b;
  for (size_t k = 0; k < count; k++)
    scores[k] = score(p, rows, k, other);
  long double tau = level(mass, scores, count, p->mass);
  for (size_t k = 0; k < count; k++)
    mine[k] =
        (double)((long double)p->eps * fminl(0.0L, logl((long double)mass[k]) - scores[k] - tau));
  return (double)((long double)p->eps * tau);
}

double ref_partial(double *f, double *g, const ref_unbalanced_problem *problem, size_t sweeps,
                   burl_sweep_order order) {
  double price = 0.0;
  clear(f, g, problem);
  for (size_t s = 0; s < sweeps; s++) {
    if (order == BURL_ROW_THEN_COLUMN) fill(problem, 1, f, g);
    price = fill(problem, 0, g, f);
    if (order == BURL_COLUMN_THEN_ROW) price = fill(problem, 1, f, g);
  }
  return price;
}

double ref_gromov_energy(const double *D1, const double *D2, const double *P, size_t n, size_t m) {
  double energy = 0.0;
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < m; j++)
      for (size_t k = 0; k < n; k++)
        for (size_t l = 0; l < m; l++) {
          double off = D1[i * n + k] - D2[j * m + l];
          energy += off * off * P[i * m + j] * P[k * m + l];
        }
  return energy;
}
