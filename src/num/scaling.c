/* Eight rows share each load of y and of s. The second reading of a row, for the column sums, comes
 * from the first-level cache (from the second for rows above some 3,000 entries). */
#include "num/scaling.h"

#include "num/log_sum.h"
#include "num/simd.h"
#include "num/vector_math.h"

#include <math.h>
#include <string.h>

#define LANES 16
#define MAX_LANES 64
#define ROWS 8
#define SMALLEST_SCORE (-69.0f) /* 1e-30: subnormal products are slow */

size_t burl_num_scaling_padded(size_t m) {
  return (m + BURL_NUM_SCALING_PAD - 1) / BURL_NUM_SCALING_PAD * BURL_NUM_SCALING_PAD;
}

/* In so many lanes that they are a loop to the compiler, which makes vectors of it. */
BURL_CLONES
static double largest_score_float(const float *restrict c, const double *restrict p, double scale,
                                  size_t m) {
  double lane[MAX_LANES];
  for (size_t l = 0; l < MAX_LANES; l++)
    lane[l] = BURL_NUM_LOWEST;
  for (size_t j = 0; j < m; j += MAX_LANES) {
    size_t width = m - j < MAX_LANES ? m - j : MAX_LANES;
    for (size_t l = 0; l < width; l++) {
      double t = p[j + l] - scale * (double)c[j + l];
      lane[l] = t > lane[l] ? t : lane[l];
    }
  }
  for (size_t width = MAX_LANES / 2; width > 0; width /= 2)
    for (size_t l = 0; l < width; l++)
      lane[l] = lane[l] > lane[l + width] ? lane[l] : lane[l + width];
  return lane[0];
}

BURL_CLONES
static void exp_row(float *restrict k, const float *restrict c, const double *restrict p, double q,
                    double scale, size_t m) {
  for (size_t j = 0; j < m; j++) {
    float t = (float)(p[j] - scale * (double)c[j] - q);
    k[j] = exp_float(t < SMALLEST_SCORE ? -INFINITY : t);
  }
}

double burl_num_scaling_build(float *k, const float *c, const double *p, const double *p_weighted,
                              double scale, size_t m) {
  double max = largest_score_float(c, p, scale, m);
  exp_row(k, c, p_weighted, max, scale, m);
  size_t padded = burl_num_scaling_padded(m);
  for (size_t j = m; j < padded; j++)
    k[j] = 0.0f;
  return max;
}

BURL_CLONES
static void plan_floats(float *restrict P, double f, const double *restrict g,
                        const float *restrict c, double scale, size_t m) {
  for (size_t j = 0; j < m; j++)
    P[j] = exp_float((float)((f + g[j] - (double)c[j]) * scale));
}

void burl_num_plan_row_float(float *P, double f, const double *g, const float *c, double scale,
                             size_t m) {
  plan_floats(P, f, g, c, scale, m);
}

/* Lanes added up by halves: l and l + 4, then 2, 1. */
BURL_INLINE float sum_of_lanes(const burl_lanes *v) {
  float a = (*v)[0] + (*v)[4], b = (*v)[1] + (*v)[5], c = (*v)[2] + (*v)[6], d = (*v)[3] + (*v)[7];
  return (a + c) + (b + d);
}

/* r[q] = sum_j k[q]_j y_j for ROWS rows, each in sixteen lanes that are added up by halves, l and
 * l + 8, then 4, 2, 1. A reading of the rows takes one half of the lanes, so that all sums fit into
 * the registers of AVX2: vectors of sixteen floats are taken apart in memory there. */
BURL_CLONES
static void dot_rows(float r[ROWS], const float *const k[ROWS], const float *restrict y, size_t m) {
  const float *k0 = k[0], *k1 = k[1], *k2 = k[2], *k3 = k[3];
  const float *k4 = k[4], *k5 = k[5], *k6 = k[6], *k7 = k[7];
  burl_lanes sum[ROWS] = {{0}};
  for (size_t half = 0; half < LANES; half += BURL_LANES) {
    burl_lanes a0 = {0}, a1 = {0}, a2 = {0}, a3 = {0}, a4 = {0}, a5 = {0}, a6 = {0}, a7 = {0};
    for (size_t j = half; j < m; j += LANES) {
      burl_lanes v = *(const burl_lanes *)(y + j);
      a0 += *(const burl_lanes *)(k0 + j) * v;
      a1 += *(const burl_lanes *)(k1 + j) * v;
      a2 += *(const burl_lanes *)(k2 + j) * v;
      a3 += *(const burl_lanes *)(k3 + j) * v;
      a4 += *(const burl_lanes *)(k4 + j) * v;
      a5 += *(const burl_lanes *)(k5 + j) * v;
      a6 += *(const burl_lanes *)(k6 + j) * v;
      a7 += *(const burl_lanes *)(k7 + j) * v;
    }
    const burl_lanes part[ROWS] = {a0, a1, a2, a3, a4, a5, a6, a7};
    for (size_t q = 0; q < ROWS; q++)
      sum[q] += part[q];
  }
  for (size_t q = 0; q < ROWS; q++)
    r[q] = sum_of_lanes(&sum[q]);
}

/* s_j += sum_q x[q] k[q]_j, four rows and then the other four; meanwhile `next`, the rows that come
 * after, are asked for, so that memory does not wait for arithmetic. */
BURL_CLONES
static void add_rows(float *restrict s, const float x[ROWS], const float *const k[ROWS],
                     const float *const next[ROWS], size_t m) {
  const float *restrict k0 = k[0], *restrict k1 = k[1], *restrict k2 = k[2], *restrict k3 = k[3];
  const float *restrict k4 = k[4], *restrict k5 = k[5], *restrict k6 = k[6], *restrict k7 = k[7];
  float x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3], x4 = x[4], x5 = x[5], x6 = x[6], x7 = x[7];
  for (size_t j = 0; j < m; j += BURL_LANES) {
    if (j % LANES == 0)
      for (size_t q = 0; q < ROWS; q++)
        __builtin_prefetch(next[q] + j);
    burl_lanes sum = *(burl_lanes *)(s + j);
    sum += (x0 * *(const burl_lanes *)(k0 + j) + x1 * *(const burl_lanes *)(k1 + j)) +
           (x2 * *(const burl_lanes *)(k2 + j) + x3 * *(const burl_lanes *)(k3 + j));
    sum += (x4 * *(const burl_lanes *)(k4 + j) + x5 * *(const burl_lanes *)(k5 + j)) +
           (x6 * *(const burl_lanes *)(k6 + j) + x7 * *(const burl_lanes *)(k7 + j));
    *(burl_lanes *)(s + j) = sum;
  }
}

/* Rows i.. of K; where there are less than ROWS, the last one stands in for those missing. */
static void point_to_rows(const float *k[ROWS], const float *K, size_t ldk, size_t i, size_t rows) {
  for (size_t q = 0; q < ROWS; q++)
    k[q] = K + (i + q < rows ? i + q : rows - 1) * ldk;
}

void burl_num_scaling_rows(float *r, float *s, const float *K, size_t ldk, size_t rows, size_t m,
                           const float *y, const float *a) {
  size_t padded = burl_num_scaling_padded(m);
  const float *k[ROWS], *next[ROWS];
  point_to_rows(next, K, ldk, 0, rows);
  for (size_t i = 0; i < rows; i += ROWS) {
    float sum[ROWS], x[ROWS], mass[ROWS] = {0};
    for (size_t q = 0; q < ROWS; q++)
      k[q] = next[q];
    point_to_rows(next, K, ldk, i + ROWS, rows);
    dot_rows(sum, k, y, padded);
    size_t here = rows - i < ROWS ? rows - i : ROWS;
    memcpy(mass, a + i, here * sizeof *mass);
    for (size_t q = 0; q < ROWS; q++) {
      float share = mass[q] / sum[q];
      x[q] = q < here && mass[q] > 0.0f ? share : 0.0f;
    }
    memcpy(r + i, sum, here * sizeof *sum);
    add_rows(s, x, k, next, padded);
  }
}

void burl_num_scaling_row_sums(float *r, const float *K, size_t ldk, size_t rows, size_t m,
                               const float *y) {
  size_t padded = burl_num_scaling_padded(m);
  for (size_t i = 0; i < rows; i += ROWS) {
    const float *k[ROWS];
    float sum[ROWS];
    point_to_rows(k, K, ldk, i, rows);
    dot_rows(sum, k, y, padded);
    for (size_t q = 0; q < ROWS && i + q < rows; q++)
      r[i + q] = sum[q];
  }
}

BURL_CLONES
static void sum_parts(double *restrict s, const float *restrict parts, size_t ld, size_t count,
                      size_t m) {
  for (size_t j = 0; j < m; j++)
    s[j] = 0.0;
  for (size_t b = 0; b < count; b++)
    for (size_t j = 0; j < m; j++)
      s[j] += (double)parts[b * ld + j];
}

void burl_num_scaling_sum_parts(double *s, const float *parts, size_t ld, size_t count, size_t m) {
  sum_parts(s, parts, ld, count, m);
}

BURL_CLONES
static int any_has_left(const float *restrict now, const float *restrict before, double factor,
                        size_t n) {
  int left = 0;
  for (size_t i = 0; i < n; i++) {
    double x = (double)now[i], y = (double)before[i];
    left |= !((x <= y * factor) & (x * factor >= y));
  }
  return left;
}

int burl_num_scaling_has_left(const float *now, const float *before, double factor, size_t n) {
  return any_has_left(now, before, factor, n);
}
