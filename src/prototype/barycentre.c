/* Damped barycentre steps through entropic optimal transport.
 *
 * For a batch X (n,d) and prototypes Z (k,d): cost C_ij = |x_i - z_j|^p in units of its median row
 * minimum, plan P = Sinkhorn(C, eps), rows of mass 1/n except that the `trim` share of rows with
 * the dearest row minimum gets none (partial transport). A column's mass is the share of the
 * remaining rows that lie nearest to its prototype: with equal masses (marginals equal) the
 * prototypes of rare patterns would be dragged to the common ones, and what is rare but good would
 * be found defective; without any (marginals relaxed) every row is shared out by its costs alone.
 * Then z_j <- z_j + s (b_j - z_j),   b_j = sum_i P_ij d_ij^(p-2) x_i / sum_i P_ij d_ij^(p-2), the
 * damped fixed-point step of the stationarity condition of <P, d^p>: p = 2 gives the Wasserstein
 * barycentre projection (Cuturi and Doucet, Fast Computation of Wasserstein Barycenters, ICML
 * 2014), large p pulls prototypes towards what is covered worst. */
#include "prototype/bank.h"

#include "base/memory.h"
#include "num/gemm.h"
#include "num/magnitude.h"
#include "num/nearest.h"
#include <burl/transport.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST 1e30f /* cost, in units of the median; its products are still finite */
#define CLOSE 0.1f    /* distance, in units of the median */

typedef struct step {
  size_t n, k, d;         /* batch, prototypes, joint dimension */
  float *cost, *plan;     /* (n,k) */
  float *least, *sorted;  /* (n) row minima */
  uint32_t *nearest;      /* (n) the columns that attain them */
  float *shift;           /* (n) what a row's cost was lowered by */
  float *packed;          /* prototypes arranged for num/nearest */
  float *centre, *weight; /* (k,d), (k) */
  double *a, *b, *f, *g;  /* marginals and potentials (n), (k), (n), (k) */
  burl_sinkhorn *solver;
  burl_arena arena;
} step;

static void *request(burl_arena *arena, size_t count, size_t size) {
  if (arena->block) return burl_arena_take(arena, count, size);
  burl_arena_reserve(arena, count, size);
  return NULL;
}

static void lay_out(step *s) {
  burl_arena *arena = &s->arena;
  s->cost = request(arena, s->n * s->k, sizeof(float));
  s->plan = request(arena, s->n * s->k, sizeof(float));
  s->least = request(arena, s->n, sizeof(float));
  s->sorted = request(arena, s->n, sizeof(float));
  s->nearest = request(arena, s->n, sizeof *s->nearest);
  s->shift = request(arena, s->n, sizeof(float));
  s->packed = request(arena, burl_points_packed_size(s->k, s->d), sizeof(float));
  s->centre = request(arena, s->k * s->d, sizeof(float));
  s->weight = request(arena, s->k, sizeof(float));
  s->a = request(arena, s->n, sizeof(double));
  s->b = request(arena, s->k, sizeof(double));
  s->f = request(arena, s->n, sizeof(double));
  s->g = request(arena, s->k, sizeof(double));
}

static int ascending(const void *left, const void *right) {
  float a = *(const float *)left, b = *(const float *)right;
  return (a > b) - (a < b);
}

/* Squared distances in units of the median to costs; what is past LARGEST counts as LARGEST. */
static void raise_to_cost(float *squared, size_t n, double power) {
  const float half = (float)(0.5 * power);
  int doublings = power == 4.0 ? 1 : power == 8.0 ? 2 : 0;
  for (int k = 0; k < doublings; k++)
    for (size_t i = 0; i < n; i++)
      squared[i] *= squared[i];
  if (!doublings && power != 2.0)
    for (size_t i = 0; i < n; i++)
      squared[i] = powf(squared[i], half);
  for (size_t i = 0; i < n; i++)
    squared[i] = squared[i] < LARGEST ? squared[i] : LARGEST;
}

/* A row of squared distances in units of the median to costs less `least`, its least cost, none of
 * them above `cap`. The plan is the same, since a row's cost may be shifted by a constant and
 * nothing is sent where exp(-cap/eps) is 0; and it stays within the range of the solver. */
static void raise_far_row(float *row, size_t k, float nearest, float least, double power,
                          float cap) {
  const float half = (float)(0.5 * power);
  for (size_t j = 0; j < k; j++) {
    float cost =
        nearest > 0.0f ? least * (powf(row[j] / nearest, half) - 1.0f) : powf(row[j], half);
    row[j] = cost < cap ? cost : cap;
  }
}

/* Median of the row minima of the squared distances; 0 where most patches lie on prototypes. */
static float find_median(step *s) {
  memcpy(s->sorted, s->least, s->n * sizeof *s->least);
  qsort(s->sorted, s->n, sizeof *s->sorted, ascending);
  return s->sorted[s->n / 2];
}

/* Squared distances to costs in units of the median row minimum, row minima likewise. */
static void prepare_cost(step *s, float median, const burl_bank_options *options) {
  const double power = options->power;
  const float cap = (float)fmin(1e12 * options->entropy, (double)LARGEST);
  for (size_t i = 0; i < s->n; i++) {
    float *row = s->cost + i * s->k, nearest = s->least[i] / median;
    for (size_t j = 0; j < s->k; j++)
      row[j] /= median;
    float largest = burl_num_magnitude_float(row, s->k);
    s->least[i] = nearest;
    raise_to_cost(&s->least[i], 1, power);
    raise_to_cost(&largest, 1, power);
    s->shift[i] = largest > cap ? s->least[i] : 0.0f;
    if (largest > cap)
      raise_far_row(row, s->k, nearest, s->least[i], power, cap);
    else
      raise_to_cost(row, s->k, power);
  }
  for (size_t i = 0; i < s->n; i++)
    s->sorted[i] /= median;
  raise_to_cost(s->sorted, s->n, power);
}

/* Row mass: none for the dearest rows. Column mass: that of the rows nearest to it, or equal. */
static void set_marginals(step *s, const burl_bank_options *options) {
  size_t dropped = (size_t)(options->trim * (double)s->n), kept = 0;
  float limit = s->sorted[s->n - 1 - dropped];
  for (size_t i = 0; i < s->n; i++)
    kept += s->least[i] <= limit;
  for (size_t j = 0; j < s->k; j++)
    s->b[j] = 0.0;
  for (size_t i = 0; i < s->n; i++) {
    s->a[i] = s->least[i] <= limit ? 1.0 / (double)kept : 0.0;
    s->b[s->nearest[i]] += s->a[i];
  }
  if (options->marginals == BURL_MARGINALS_EQUAL)
    for (size_t j = 0; j < s->k; j++)
      s->b[j] = 1.0 / (double)s->k;
}

/* Potentials of the semi-relaxed problem, whose columns take what comes: g = 0, and each row's f
 * makes its softmax of -C/eps add up to a. */
static void relax(step *s, double eps) {
  for (size_t j = 0; j < s->k; j++)
    s->g[j] = 0.0;
  for (size_t i = 0; i < s->n; i++) {
    const float *row = s->cost + i * s->k;
    double least = (double)row[s->nearest[i]], sum = 0.0;
    for (size_t j = 0; j < s->k; j++)
      sum += exp((least - (double)row[j]) / eps);
    s->f[i] = least + eps * log(s->a[i] / sum);
  }
}

static burl_status find_plan(step *s, const burl_bank_options *options) {
  burl_sinkhorn_options how = burl_sinkhorn_default_options();
  how.eps = options->entropy;
  how.max_sweeps = options->sweeps;
  how.tolerance = 0.0;
  burl_status status = BURL_OK;
  if (options->marginals == BURL_MARGINALS_RELAXED)
    relax(s, how.eps);
  else
    status = burl_sinkhorn_solve_scaling(s->solver, s->f, s->g, s->cost, s->k, s->n, s->k, s->a,
                                         s->b, 0, &how, NULL);
  if (status != BURL_OK) return status;
  burl_sinkhorn_plan_scaling(s->plan, s->k, s->cost, s->k, s->n, s->k, s->f, s->g, how.eps);
  return BURL_OK;
}

/* plan <- plan * d^(p-2), in the cost's units; weight (k) its column sums. For p < 2, where a patch
 * on a prototype would weigh infinitely much, no distance counts as less than CLOSE (smoothed
 * Weiszfeld). */
static void weigh_plan(step *s, double power) {
  const float exponent = (float)((power - 2.0) / power);
  const float close = power < 2.0 ? powf(CLOSE, (float)power) : 0.0f;
  memset(s->weight, 0, s->k * sizeof *s->weight);
  for (size_t i = 0; i < s->n; i++) {
    float *row = s->plan + i * s->k, shift = s->shift[i];
    const float *cost = s->cost + i * s->k;
    if (power == 4.0)
      for (size_t j = 0; j < s->k; j++)
        row[j] *= sqrtf(cost[j] + shift);
    else if (power == 8.0)
      for (size_t j = 0; j < s->k; j++) {
        float root = sqrtf(cost[j] + shift);
        row[j] *= root * sqrtf(root);
      }
    else if (power != 2.0)
      for (size_t j = 0; j < s->k; j++)
        row[j] *= powf(fmaxf(cost[j] + shift, close), exponent);
    for (size_t j = 0; j < s->k; j++)
      s->weight[j] += row[j];
  }
}

static burl_status take_step(step *s, float *prototypes, const float *batch,
                             const burl_bank_options *options) {
  burl_points_pack(s->packed, prototypes, s->k, s->d);
  burl_points_distances(s->cost, s->k, batch, s->n, s->packed, s->k, s->d);
  for (size_t i = 0; i < s->n; i++) {
    s->nearest[i] = (uint32_t)burl_num_least_float(s->cost + i * s->k, s->k);
    s->least[i] = s->cost[i * s->k + s->nearest[i]];
  }
  float median = find_median(s);
  if (!isfinite(median)) return BURL_ERR_NUMERIC;
  if (median <= 0.0f) return BURL_OK; /* nothing to move */
  prepare_cost(s, median, options);
  set_marginals(s, options);
  burl_status status = find_plan(s, options);
  if (status != BURL_OK) return status;
  weigh_plan(s, options->power);
  status = burl_num_sgemm(s->centre, s->d, s->plan, s->k, BURL_NUM_TRANSPOSED, batch, s->d,
                          BURL_NUM_PLAIN, s->k, s->d, s->n, 1.0f, 0.0f);
  if (status != BURL_OK) return status;
  float damping = (float)options->damping;
  for (size_t j = 0; j < s->k; j++) {
    if (!(s->weight[j] > 1e-20f)) continue;
    for (size_t t = 0; t < s->d; t++) {
      float *z = prototypes + j * s->d + t;
      *z += damping * (s->centre[j * s->d + t] / s->weight[j] - *z);
    }
  }
  return BURL_OK;
}

burl_status burl_barycentre_steps(float *prototypes, size_t k, const float *points, size_t n,
                                  size_t d, const burl_bank_options *options) {
  step s = {.n = n < options->batch ? n : options->batch, .k = k, .d = d};
  lay_out(&s);
  burl_status status = burl_sinkhorn_new(&s.solver, s.n, k);
  if (status != BURL_OK) return status;
  if (!burl_arena_open(&s.arena)) {
    burl_sinkhorn_free(s.solver);
    return BURL_ERR_MEMORY;
  }
  lay_out(&s);
  size_t batches = n / s.n;
  for (size_t i = 0; i < options->steps && status == BURL_OK; i++)
    status = take_step(&s, prototypes, points + i % batches * s.n * d, options);
  burl_arena_close(&s.arena);
  burl_sinkhorn_free(s.solver);
  return status;
}
