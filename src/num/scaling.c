/* Four rows share each load of y and of s. The second reading of a row, for the column sums, comes
 * from the first-level cache (from the second for rows above some 3,000 entries). */
#include "num/scaling.h"

#include "num/log_sum.h"
#include "num/simd.h"
#include "num/vector_math.h"

#define LANES 16
#define ROWS 4

size_t burl_num_scaling_padded(size_t m) {
  return (m + BURL_NUM_SCALING_PAD - 1) / BURL_NUM_SCALING_PAD * BURL_NUM_SCALING_PAD;
}

BURL_CLONES
static double largest_score_float(const float *restrict c, const double *restrict p, double scale,
                                  size_t m) {
  double lane[LANES];
  for (size_t l = 0; l < LANES; l++)
    lane[l] = BURL_NUM_LOWEST;
  size_t whole = m - m % LANES;
  for (size_t j = 0; j < whole; j += LANES)
    for (size_t l = 0; l < LANES; l++) {
      double t = p[j + l] - scale * (double)c[j + l];
      lane[l] = t > lane[l] ? t : lane[l];
    }
  for (size_t j = whole; j < m; j++) {
    double t = p[j] - scale * (double)c[j];
    lane[0] = t > lane[0] ? t : lane[0];
  }
  double max = lane[0];
  for (size_t l = 1; l < LANES; l++)
    max = lane[l] > max ? lane[l] : max;
  return max;
}

BURL_CLONES
static void exp_row(float *restrict k, const float *restrict c, const double *restrict p, double q,
                    double scale, size_t m) {
  for (size_t j = 0; j < m; j++)
    k[j] = exp_float((float)(p[j] - scale * (double)c[j] - q));
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

static inline float fold_sum(float lane[LANES]) {
  for (int width = LANES / 2; width > 0; width /= 2)
    for (int l = 0; l < width; l++)
      lane[l] += lane[l + width];
  return lane[0];
}

/* r[q] = sum_j k[q]_j y_j. */
BURL_CLONES
static void dot_rows(float r[ROWS], const float *const k[ROWS], const float *restrict y, size_t m) {
  const float *k0 = k[0], *k1 = k[1], *k2 = k[2], *k3 = k[3];
  float lane[ROWS][LANES] = {{0}};
  for (size_t j = 0; j < m; j += LANES)
    for (size_t l = 0; l < LANES; l++) {
      float v = y[j + l];
      lane[0][l] += k0[j + l] * v;
      lane[1][l] += k1[j + l] * v;
      lane[2][l] += k2[j + l] * v;
      lane[3][l] += k3[j + l] * v;
    }
  for (int q = 0; q < ROWS; q++)
    r[q] = fold_sum(lane[q]);
}

/* s_j += sum_q x[q] k[q]_j. */
BURL_CLONES
static void add_rows(float *restrict s, const float x[ROWS], const float *const k[ROWS], size_t m) {
  const float *restrict k0 = k[0], *restrict k1 = k[1], *restrict k2 = k[2], *restrict k3 = k[3];
  float x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3];
  for (size_t j = 0; j < m; j++)
    s[j] += (x0 * k0[j] + x1 * k1[j]) + (x2 * k2[j] + x3 * k3[j]);
}

/* Rows i.. of K; where there are less than ROWS, the last one stands in for those missing. */
static void point_to_rows(const float *k[ROWS], const float *K, size_t ldk, size_t i, size_t rows) {
  for (size_t q = 0; q < ROWS; q++)
    k[q] = K + (i + q < rows ? i + q : rows - 1) * ldk;
}

void burl_num_scaling_rows(float *r, float *s, const float *K, size_t ldk, size_t rows, size_t m,
                           const float *y, const float *a) {
  size_t padded = burl_num_scaling_padded(m);
  for (size_t i = 0; i < rows; i += ROWS) {
    const float *k[ROWS];
    float sum[ROWS], x[ROWS] = {0};
    point_to_rows(k, K, ldk, i, rows);
    dot_rows(sum, k, y, padded);
    for (size_t q = 0; q < ROWS && i + q < rows; q++) {
      r[i + q] = sum[q];
      x[q] = a[i + q] > 0.0f ? a[i + q] / sum[q] : 0.0f;
    }
    add_rows(s, x, k, padded);
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
