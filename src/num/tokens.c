/* Layer normalisation (Ba et al. 2016), the Gaussian error linear unit (Hendrycks and Gimpel 2016)
 * and the exponentials of a softmax.
 *
 * Sums run in sixteen lanes that are folded in a fixed order, so that every machine gives the same
 * bytes.
 *
 * Phi(-a) = exp(-a^2/2) R(t), t = 1/(1 + 0.35 a), for a >= 0: R is smooth and bounded in t, which
 * maps all of a to (0,1]. Its polynomial of degree 7 was fitted for the least largest relative
 * error over a <= 14, which is 3e-7. What is small stays exact relative to its size, as it would
 * not be from 1 + erf. */
#include "num/tokens.h"

#include "num/simd.h"
#include "num/vector_math.h"

#include <math.h>
#include <string.h>

#define LANES 16

typedef float lanes16 __attribute__((vector_size(64), aligned(4), may_alias));

BURL_INLINE float fold(const lanes16 *sum) {
  float lane[LANES];
  memcpy(lane, sum, sizeof lane);
  for (size_t width = LANES / 2; width > 0; width /= 2)
    for (size_t l = 0; l < width; l++)
      lane[l] += lane[l + width];
  return lane[0];
}

BURL_INLINE float sum_of(const float *x, size_t d) {
  lanes16 sum = {0};
  size_t whole = d - d % LANES;
  for (size_t j = 0; j < whole; j += LANES)
    sum += *(const lanes16 *)(x + j);
  float rest = 0.0f;
  for (size_t j = whole; j < d; j++)
    rest += x[j];
  return fold(&sum) + rest;
}

BURL_INLINE float squares_about(const float *x, float mean, size_t d) {
  lanes16 sum = {0};
  size_t whole = d - d % LANES;
  for (size_t j = 0; j < whole; j += LANES) {
    lanes16 off = *(const lanes16 *)(x + j) - mean;
    sum += off * off;
  }
  float rest = 0.0f;
  for (size_t j = whole; j < d; j++)
    rest += (x[j] - mean) * (x[j] - mean);
  return fold(&sum) + rest;
}

BURL_CLONES static void layer_norm(float *y, const float *x, const float *restrict gain,
                                   const float *restrict bias, float eps, size_t n, size_t d) {
  for (size_t i = 0; i < n; i++, x += d, y += d) {
    float mean = sum_of(x, d) / (float)d;
    float scale = 1.0f / sqrtf(squares_about(x, mean, d) / (float)d + eps);
    for (size_t j = 0; j < d; j++)
      y[j] = (x[j] - mean) * scale * gain[j] + bias[j];
  }
}

BURL_INLINE float gelu(float v) {
  float a = fabsf(v);
  float t = 1.0f / (1.0f + 0.35f * a);
  float r = 0.0489424748f;
  r = r * t - 0.2021194f;
  r = r * t + 0.240641002f;
  r = r * t - 0.0170235926f;
  r = r * t + 0.155961562f;
  r = r * t + 0.133355076f;
  r = r * t + 0.140270346f;
  r = r * t - 2.73156907e-05f;
  return 0.5f * (v + a) - a * (r * exp_float(-0.5f * a * a)); /* v - or 0 - what the tail holds */
}

BURL_CLONES static void bias_gelu(float *restrict x, const float *restrict bias, size_t n,
                                  size_t d) {
  for (size_t i = 0; i < n; i++, x += d)
    for (size_t j = 0; j < d; j++)
      x[j] = gelu(x[j] + bias[j]);
}

BURL_CLONES static void add_branch(float *restrict x, const float *restrict y,
                                   const float *restrict gain, const float *restrict bias, size_t n,
                                   size_t d) {
  for (size_t i = 0; i < n; i++, x += d, y += d)
    for (size_t j = 0; j < d; j++)
      x[j] += gain[j] * (y[j] + bias[j]);
}

/* In so many lanes that they are a loop to the compiler, which makes vectors of it. */
#define MAX_LANES 32

BURL_INLINE float largest(const float *x, size_t m) {
  float lane[MAX_LANES];
  for (size_t l = 0; l < MAX_LANES; l++)
    lane[l] = x[0];
  size_t whole = m - m % MAX_LANES;
  for (size_t j = 0; j < whole; j += MAX_LANES)
    for (size_t l = 0; l < MAX_LANES; l++)
      lane[l] = x[j + l] > lane[l] ? x[j + l] : lane[l];
  for (size_t j = whole; j < m; j++)
    lane[j - whole] = x[j] > lane[j - whole] ? x[j] : lane[j - whole];
  for (size_t width = MAX_LANES / 2; width > 0; width /= 2)
    for (size_t l = 0; l < width; l++)
      lane[l] = lane[l] > lane[l + width] ? lane[l] : lane[l + width];
  return lane[0];
}

BURL_CLONES static void exp_rows(float *restrict sums, float *restrict s, size_t ld, size_t n,
                                 size_t m) {
  for (size_t i = 0; i < n; i++, s += ld) {
    float most = largest(s, m);
    for (size_t j = 0; j < m; j++)
      s[j] = exp_float(s[j] - most);
    sums[i] = sum_of(s, m);
  }
}

void burl_num_layer_norm(float *y, const float *x, const float *gain, const float *bias, float eps,
                         size_t n, size_t d) {
  layer_norm(y, x, gain, bias, eps, n, d);
}

void burl_num_bias_gelu(float *x, const float *bias, size_t n, size_t d) {
  bias_gelu(x, bias, n, d);
}

void burl_num_add_branch(float *x, const float *y, const float *gain, const float *bias, size_t n,
                         size_t d) {
  add_branch(x, y, gain, bias, n, d);
}

void burl_num_add_rows(float *x, const float *y, const float *v, size_t n, size_t d) {
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < d; j++)
      x[i * d + j] = y[i * d + j] + v[j];
}

void burl_num_repeat_row(float *rows, const float *v, size_t n, size_t d) {
  for (size_t i = 0; i < n; i++)
    memcpy(rows + i * d, v, d * sizeof *v);
}

void burl_num_exp_rows(float *sums, float *s, size_t ld, size_t n, size_t m) {
  exp_rows(sums, s, ld, n, m);
}
