#include "reference/ref_tokens.h"

#include <math.h>

double ref_gelu(double v) {
  return 0.5 * v * erfc(-v / sqrt(2.0));
}

void ref_layer_norm(double *y, const float *x, const float *gain, const float *bias, double eps,
                    size_t d) {
  double mean = 0.0, variance = 0.0;
  for (size_t j = 0; j < d; j++)
    mean += (double)x[j] / (double)d;
  for (size_t j = 0; j < d; j++)
    variance += ((double)x[j] - mean) * ((double)x[j] - mean) / (double)d;
  for (size_t j = 0; j < d; j++)
    y[j] = ((double)x[j] - mean) / sqrt(variance + eps) * (double)gain[j] + (double)bias[j];
}

/* <q, k> / sqrt(d) of two tokens. */
static double score(const float *q, const float *k, size_t d) {
  double sum = 0.0;
  for (size_t j = 0; j < d; j++)
    sum += (double)q[j] * (double)k[j];
  return sum / sqrt((double)d);
}

void ref_attention(double *out, const float *qkv, size_t n, size_t heads, size_t d) {
  size_t width = heads * d, row = 3 * width;
  for (size_t h = 0; h < heads; h++)
    for (size_t i = 0; i < n; i++) {
      const float *q = qkv + i * row + h * d, *k = qkv + width + h * d, *v = k + width;
      double *o = out + i * width + h * d, most = -(double)INFINITY, sum = 0.0;
      for (size_t t = 0; t < n; t++)
        most = fmax(most, score(q, k + t * row, d));
      for (size_t j = 0; j < d; j++)
        o[j] = 0.0;
      for (size_t t = 0; t < n; t++) {
        double weight = exp(score(q, k + t * row, d) - most);
        sum += weight;
        for (size_t j = 0; j < d; j++)
          o[j] += weight * (double)v[t * row + j];
      }
      for (size_t j = 0; j < d; j++)
        o[j] /= sum;
    }
}
