#include "ref_pradot.h"

#include "base/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct ref_fit {
  const burl_pradot_options *o;
  const float *features;
  size_t rows, cols, patches, d, cells, k;
  double *p, *pi; /* (k,d), (k,2) */
  double divisor, epoch_max;
} ref_fit;

static double *doubles(size_t count) {
  double *values = calloc(count ? count : 1, sizeof *values);
  if (!values) abort();
  return values;
}

static double cosine_cost(const float *x, const double *p, size_t d) {
  double dot = 0.0, xx = 0.0, pp = 0.0;
  for (size_t t = 0; t < d; t++) {
    dot += (double)x[t] * p[t];
    xx += (double)x[t] * (double)x[t];
    pp += p[t] * p[t];
  }
  return xx > 0.0 && pp > 0.0 ? 1.0 - dot / sqrt(xx * pp) : 1.0;
}

static double place_cost(const float *rho, const double *pi) {
  return hypot((double)rho[0] - pi[0], (double)rho[1] - pi[1]);
}

void ref_pradot_costs(double *M, const float *patches, const float *places, size_t n,
                      const double *prototypes, const double *positions, size_t k, size_t d,
                      double alpha, double feature_max, double place_max) {
  double *place = doubles(n * k), feature_largest = 0.0, place_largest = 0.0;
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < k; j++) {
      M[i * k + j] = cosine_cost(patches + i * d, prototypes + j * d, d);
      place[i * k + j] = place_cost(places + 2 * i, positions + 2 * j);
      feature_largest = fmax(feature_largest, M[i * k + j]);
      place_largest = fmax(place_largest, place[i * k + j]);
    }
  if (feature_max > 0.0) feature_largest = feature_max;
  if (place_max > 0.0) place_largest = place_max;
  for (size_t i = 0; i < n * k; i++)
    M[i] = (feature_largest > 0.0 ? (1.0 - alpha) * M[i] / feature_largest : 0.0) +
           (place_largest > 0.0 ? alpha * place[i] / place_largest : 0.0);
  free(place);
}

static double log_sum(const double *M, size_t stride, const double *potential, size_t count,
                      double eps) {
  double max = -(double)INFINITY, sum = 0.0;
  for (size_t i = 0; i < count; i++)
    max = fmax(max, potential[i] - M[i * stride] / eps);
  for (size_t i = 0; i < count; i++)
    sum += exp(potential[i] - M[i * stride] / eps - max);
  return max + log(sum);
}

void ref_pradot_plan(double *P, const double *M, size_t n, size_t k, double eps, size_t sweeps) {
  double *u = doubles(n), *v = doubles(k);
  for (size_t sweep = 0; sweep < sweeps; sweep++) {
    for (size_t j = 0; j < k; j++)
      v[j] = -log((double)k) - log_sum(M + j, k, u, n, eps);
    for (size_t i = 0; i < n; i++)
      u[i] = -log((double)n) - log_sum(M + i * k, 1, v, k, eps);
  }
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < k; j++)
      P[i * k + j] = exp(u[i] + v[j] - M[i * k + j] / eps);
  free(u);
  free(v);
}

static void shuffle(size_t *items, size_t count, uint64_t seed, uint64_t stream) {
  burl_random random = burl_random_start(seed, stream);
  for (size_t i = count; i > 1; i--) {
    size_t other = (size_t)burl_random_below(&random, i), item = items[i - 1];
    items[i - 1] = items[other];
    items[other] = item;
  }
}

static double linear(size_t i, size_t count) {
  return count > 1 ? (double)i / (double)(count - 1) : 0.0;
}

static void place_all(ref_fit *fit, size_t grid_rows, size_t grid_cols) {
  for (size_t j = 0; j < fit->k; j++) {
    size_t cell = j % fit->cells, y = cell / grid_cols, x = cell % grid_cols;
    int coarse = fit->o->per_cell < 1.0;
    fit->pi[2 * j] = coarse ? ((double)y + 0.5) / (double)grid_rows : linear(y, grid_rows);
    fit->pi[2 * j + 1] = coarse ? ((double)x + 0.5) / (double)grid_cols : linear(x, grid_cols);
  }
}

/* Loss of a batch; where `learn`, the update that follows from it. */
static double batch(ref_fit *fit, const size_t *images, size_t count, int learn) {
  size_t n = count * fit->patches, k = fit->k, d = fit->d;
  double *M = doubles(n * k), *P = doubles(n * k), loss = 0.0, ema = fit->o->ema;
  float *x = calloc(n, d * sizeof *x), *rho = calloc(n, 2 * sizeof *rho);
  if (!x || !rho) abort();
  for (size_t i = 0; i < n; i++) {
    size_t cell = i % fit->patches;
    memcpy(x + i * d, fit->features + (images[i / fit->patches] * fit->patches + cell) * d,
           d * sizeof *x);
    rho[2 * i] = (float)linear(cell / fit->cols, fit->rows);
    rho[2 * i + 1] = (float)linear(cell % fit->cols, fit->cols);
  }
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < k; j++)
      fit->epoch_max = fmax(fit->epoch_max, cosine_cost(x + i * d, fit->p + j * d, d));
  ref_pradot_costs(M, x, rho, n, fit->p, fit->pi, k, d, fit->o->alpha, fit->divisor, 0.0);
  ref_pradot_plan(P, M, n, k, fit->o->eps, fit->o->sweeps);
  for (size_t i = 0; i < n * k; i++)
    loss += P[i] * M[i];
  double *where = doubles(2 * fit->cells);
  for (size_t j = 0; learn && j < k; j++) {
    for (size_t t = 0; t < d; t++) {
      double centre = 0.0;
      for (size_t i = 0; i < n; i++)
        centre += (double)k * P[i * k + j] * (double)x[i * d + t];
      fit->p[j * d + t] = ema * fit->p[j * d + t] + (1.0 - ema) * centre;
    }
    for (size_t i = 0; i < n; i++)
      for (size_t t = 0; t < 2; t++)
        where[2 * (j % fit->cells) + t] +=
            (double)fit->cells * P[i * k + j] * (double)rho[2 * i + t];
  }
  for (size_t j = 0; learn && fit->o->learn_positions && j < 2 * k; j++)
    fit->pi[j] = ema * fit->pi[j] + (1.0 - ema) * where[j % (2 * fit->cells)];
  free(M);
  free(P);
  free(x);
  free(rho);
  free(where);
  return loss;
}

static double held_loss(ref_fit *fit, const size_t *images, size_t held, size_t size) {
  double sum = 0.0, largest = fit->epoch_max;
  for (size_t first = 0; first < held; first += size) {
    size_t count = held - first < size ? held - first : size;
    sum += (double)count * batch(fit, images + first, count, 0);
  }
  fit->epoch_max = largest;
  return sum / (double)held;
}

static void all_epochs(ref_fit *fit, double *prototypes, double *positions, double *losses,
                       size_t images) {
  const burl_pradot_options *o = fit->o;
  size_t *order = calloc(2 * images, sizeof *order), *now = order + images, kept = 0;
  if (!order) abort();
  for (size_t i = 0; i < images; i++)
    order[i] = i;
  shuffle(order, images, o->seed, 2);
  size_t held = (size_t)(o->validation * (double)images);
  if (held == 0 && o->validation > 0.0 && images > 1) held = 1;
  size_t train = images - held, size = o->drop_last || o->batch < train ? o->batch : train;
  for (size_t epoch = 0; epoch < o->epochs; epoch++) {
    memcpy(now, order + held, train * sizeof *now);
    shuffle(now, train, o->seed, 4 + epoch);
    double loss = 0.0;
    fit->epoch_max = 0.0;
    for (size_t b = 0; b < train / size; b++)
      loss += batch(fit, now + b * size, size, 1) / (double)(train / size);
    if (o->divisor == BURL_PRADOT_EPOCH_MAX) fit->divisor = fit->epoch_max;
    losses[epoch] = held ? held_loss(fit, order, held, size) : loss;
    if (epoch > 0 && losses[epoch] >= losses[kept]) continue;
    kept = epoch;
    memcpy(prototypes, fit->p, fit->k * fit->d * sizeof *prototypes);
    memcpy(positions, fit->pi, fit->k * 2 * sizeof *positions);
  }
  free(order);
}

size_t ref_pradot_fit(double *prototypes, double *positions, double *losses, const float *features,
                      size_t images, size_t rows, size_t cols, size_t d,
                      const burl_pradot_options *options) {
  double per_cell = options->per_cell;
  size_t grid_rows = per_cell < 1.0 ? (size_t)(per_cell * (double)rows) : rows;
  size_t grid_cols = per_cell < 1.0 ? (size_t)(per_cell * (double)cols) : cols;
  size_t cells = grid_rows * grid_cols, k = per_cell < 1.0 ? cells : cells * (size_t)per_cell;
  if (!prototypes) return k;
  ref_fit fit = {.o = options, .features = features, .rows = rows, .cols = cols, .d = d};
  fit.patches = rows * cols;
  fit.cells = cells;
  fit.k = k;
  fit.p = doubles(k * d);
  fit.pi = doubles(k * 2);
  place_all(&fit, grid_rows, grid_cols);
  burl_random random = burl_random_start(options->seed, 1);
  for (size_t i = 0; i < k * d; i++)
    fit.p[i] = (double)(float)(burl_random_uniform(&random) * (1.0 - 0x1p-25));
  all_epochs(&fit, prototypes, positions, losses, images);
  free(fit.p);
  free(fit.pi);
  return k;
}
