#include "ref_gaussian.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double value_of(const ref_gaussian *g, size_t i, size_t t) {
  return (double)g->patches[i * g->d + g->dims[t]];
}

static size_t count_in(const ref_gaussian *g, size_t cell) {
  size_t count = 0;
  for (size_t i = 0; i < g->n; i++)
    count += g->cell[i] == cell;
  return count;
}

/* Mean of dimension t over the patches of a cell; over all patches for cell = cells. */
static double mean_in(const ref_gaussian *g, size_t cell, size_t t) {
  double sum = 0.0, count = 0.0;
  for (size_t i = 0; i < g->n; i++)
    if (cell == g->cells || g->cell[i] == cell) {
      sum += value_of(g, i, t);
      count += 1.0;
    }
  return count > 0.0 ? sum / count : 0.0;
}

/* n_c S_c at (a,b). */
static double scatter_in(const ref_gaussian *g, size_t cell, size_t a, size_t b) {
  double mean_a = mean_in(g, cell, a), mean_b = mean_in(g, cell, b), sum = 0.0;
  for (size_t i = 0; i < g->n; i++)
    if (g->cell[i] == cell) sum += (value_of(g, i, a) - mean_a) * (value_of(g, i, b) - mean_b);
  return sum;
}

static double covariance_at(const ref_gaussian *g, size_t cell, size_t a, size_t b) {
  double n = (double)g->n, count = (double)count_in(g, cell), prior = 2.0 * (double)g->m;
  double within = 0.0, between = 0.0, mu_a = mean_in(g, g->cells, a),
         mu_b = mean_in(g, g->cells, b);
  for (size_t c = 0; c < g->cells; c++) {
    double off_a = mean_in(g, c, a) - mu_a, off_b = mean_in(g, c, b) - mu_b;
    within += scatter_in(g, c, a, b) / n;
    between += (double)count_in(g, c) / n * off_a * off_b;
  }
  return (scatter_in(g, cell, a, b) + prior * within) / (count + prior) + between / (count + 1.0);
}

void ref_gaussian_of_cell(double *mean, double *covariance, const ref_gaussian *g, size_t cell) {
  double count = (double)count_in(g, cell), trace = 0.0;
  for (size_t a = 0; a < g->m; a++) {
    mean[a] = (count * mean_in(g, cell, a) + mean_in(g, g->cells, a)) / (count + 1.0);
    for (size_t b = 0; b < g->m; b++)
      covariance[a * g->m + b] = covariance_at(g, cell, a, b);
    trace += covariance[a * g->m + a];
  }
  for (size_t a = 0; a < g->m; a++)
    covariance[a * g->m + a] += g->shrinkage * trace / (double)g->m;
}

/* Gaussian elimination; a positive definite matrix needs no pivots. */
double ref_gaussian_distance(const double *mean, const double *covariance, const ref_gaussian *g,
                             const float *x) {
  size_t m = g->m;
  double *rest = malloc(m * m * sizeof *rest), *y = malloc(m * sizeof *y), sum = 0.0;
  memcpy(rest, covariance, m * m * sizeof *rest);
  for (size_t t = 0; t < m; t++)
    y[t] = (double)x[g->dims[t]] - mean[t];
  for (size_t r = 0; r < m; r++) { /* y^T C^-1 y = sum of squares of L^-1 y over the pivots */
    sum += y[r] * y[r] / rest[r * m + r];
    for (size_t i = r + 1; i < m; i++) {
      double factor = rest[i * m + r] / rest[r * m + r];
      y[i] -= factor * y[r];
      for (size_t j = r; j < m; j++)
        rest[i * m + j] -= factor * rest[r * m + j];
    }
  }
  free(rest);
  free(y);
  return sqrt(sum / (double)m);
}
