#include "ref_coverage.h"

#include "ref_nearest.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

static double to_mean(const float *points, size_t n, size_t d, size_t i) {
  double sum = 0.0;
  for (size_t t = 0; t < d; t++) {
    double mean = 0.0;
    for (size_t j = 0; j < n; j++)
      mean += (double)points[j * d + t] / (double)n;
    sum += pow((double)points[i * d + t] - mean, 2.0);
  }
  return sum;
}

static double to_chosen(const float *points, size_t d, size_t i, const size_t *chosen,
                        size_t count) {
  double least = (double)INFINITY;
  for (size_t j = 0; j < count; j++) {
    double sum = 0.0;
    for (size_t t = 0; t < d; t++)
      sum += pow((double)points[i * d + t] - (double)points[chosen[j] * d + t], 2.0);
    least = fmin(least, sum);
  }
  return least;
}

size_t ref_farthest_points(size_t *chosen, const float *points, size_t n, size_t d, size_t k) {
  chosen[0] = 0;
  for (size_t i = 1; i < n; i++)
    if (to_mean(points, n, d, i) < to_mean(points, n, d, chosen[0])) chosen[0] = i;
  for (size_t made = 1; made < k; made++) {
    size_t farthest = 0;
    for (size_t i = 1; i < n; i++)
      if (to_chosen(points, d, i, chosen, made) > to_chosen(points, d, farthest, chosen, made))
        farthest = i;
    if (to_chosen(points, d, farthest, chosen, made) == 0.0) return made;
    chosen[made] = farthest;
  }
  return k;
}

static int falling(const void *left, const void *right) {
  float a = *(const float *)left, b = *(const float *)right;
  return (a < b) - (a > b);
}

size_t ref_coverage(size_t *chosen, const float *points, size_t n, size_t d, size_t k, double trim,
                    size_t first) {
  float *least = malloc(n * sizeof *least), *sorted = malloc(n * sizeof *sorted);
  size_t made = 1;
  if (!least || !sorted) abort();
  for (size_t i = 0; i < n; i++)
    least[i] = FLT_MAX;
  chosen[0] = first;
  for (; made < k; made++) {
    for (size_t i = 0; i < n; i++) {
      float square = ref_square_of(points + i * d, points + chosen[made - 1] * d, d);
      least[i] = square < least[i] ? square : least[i];
      sorted[i] = least[i];
    }
    size_t above = (size_t)(trim * (double)(n - 1));
    if (above > 0) qsort(sorted, n, sizeof *sorted, falling);
    for (size_t i = 1; i < n && above == 0; i++)
      sorted[0] = sorted[i] > sorted[0] ? sorted[i] : sorted[0];
    float value = sorted[above];
    if (value == 0.0f) break;
    chosen[made] = 0;
    while (least[chosen[made]] != value)
      chosen[made]++;
  }
  free(least);
  free(sorted);
  return made;
}
