#include "ref_nearest.h"

static float squared_distance(const float *a, const float *b, size_t d) {
  float sum = 0.0f;
  for (size_t t = 0; t < d; t++)
    sum += (a[t] - b[t]) * (a[t] - b[t]);
  return sum;
}

void ref_distances(float *cost, const float *x, size_t n, const float *points, size_t k, size_t d) {
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < k; j++)
      cost[i * k + j] = squared_distance(x + i * d, points + j * d, d);
}

void ref_nearest(float *squared, uint32_t *nearest, const float *x, size_t n, const float *points,
                 size_t k, size_t d) {
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < k; j++) {
      float distance = squared_distance(x + i * d, points + j * d, d);
      if (j > 0 && distance >= squared[i]) continue;
      squared[i] = distance;
      nearest[i] = (uint32_t)j;
    }
}
