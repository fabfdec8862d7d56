#include "ref_nearest.h"

static float in_order(const float *a, const float *b, size_t d) {
  float sum = 0.0f;
  for (size_t t = 0; t < d; t++)
    sum += (a[t] - b[t]) * (a[t] - b[t]);
  return sum;
}

/* One sum for each remainder by 16; then halves are added: sum l and sum l + half. */
static float in_sixteen(const float *a, const float *b, size_t d) {
  float sum[16] = {0};
  for (size_t t = 0; t < d; t++)
    sum[t % 16] += (a[t] - b[t]) * (a[t] - b[t]);
  for (size_t half = 8; half > 0; half /= 2)
    for (size_t l = 0; l < half; l++)
      sum[l] += sum[l + half];
  return sum[0];
}

float ref_square_of(const float *a, const float *b, size_t d) {
  return d <= 32 ? in_order(a, b, d) : in_sixteen(a, b, d);
}

void ref_distances(float *cost, const float *x, size_t n, const float *points, size_t k, size_t d) {
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < k; j++)
      cost[i * k + j] = ref_square_of(x + i * d, points + j * d, d);
}

void ref_nearest(float *squared, uint32_t *nearest, const float *x, size_t n, const float *points,
                 size_t k, size_t d) {
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < k; j++) {
      float distance = ref_square_of(x + i * d, points + j * d, d);
      if (j > 0 && distance >= squared[i]) continue;
      squared[i] = distance;
      nearest[i] = (uint32_t)j;
    }
}
