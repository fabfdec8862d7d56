#include "ref_kmeans.h"

#include "base/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double square_between(const float *a, const float *b, size_t d) {
  double sum = 0.0;
  for (size_t t = 0; t < d; t++)
    sum += pow((double)a[t] - (double)b[t], 2.0);
  return sum;
}

static size_t nearest_centre(const float *x, const float *centres, size_t k, size_t d) {
  size_t best = 0;
  for (size_t j = 1; j < k; j++)
    if (square_between(x, centres + j * d, d) < square_between(x, centres + best * d, d)) best = j;
  return best;
}

static double least_square(const float *x, const float *centres, size_t k, size_t d) {
  return square_between(x, centres + nearest_centre(x, centres, k, d) * d, d);
}

double ref_kmeans_objective(const float *centres, size_t k, const float *points, size_t n,
                            size_t d) {
  double sum = 0.0;
  for (size_t i = 0; i < n; i++)
    sum += least_square(points + i * d, centres, k, d);
  return sum;
}

size_t ref_kmeans_start(float *centres, size_t k, const float *points, size_t n, size_t d,
                        uint64_t seed) {
  burl_random random = burl_random_start(seed, 2);
  size_t pick = (size_t)burl_random_below(&random, n);
  for (size_t made = 0;;) {
    memcpy(centres + made++ * d, points + pick * d, d * sizeof *points);
    double total = ref_kmeans_objective(centres, made, points, n, d), passed = 0.0;
    if (made == k || total == 0.0) return made;
    double target = burl_random_uniform(&random) * total;
    for (size_t i = 0; i < n && passed <= target; i++) {
      double square = least_square(points + i * d, centres, made, d);
      if (square > 0.0) pick = i;
      passed += square;
    }
  }
}

/* The point farthest from the centre of its cluster, unless it is alone there; n: none is off. */
static size_t farthest_point(const float *centres, const float *points, const size_t *at,
                             const size_t *count, size_t n, size_t d) {
  size_t found = n;
  double most = 0.0;
  for (size_t i = 0; i < n; i++) {
    double square = count[at[i]] > 1 ? square_between(points + i * d, centres + at[i] * d, d) : 0.0;
    if (square > most) {
      most = square;
      found = i;
    }
  }
  return found;
}

static void mean_of_cluster(float *centre, const float *points, const size_t *at, size_t j,
                            size_t n, size_t d) {
  for (size_t t = 0; t < d; t++) {
    double sum = 0.0, count = 0.0;
    for (size_t i = 0; i < n; i++) {
      sum += at[i] == j ? (double)points[i * d + t] : 0.0;
      count += at[i] == j;
    }
    if (count > 0.0) centre[t] = (float)(sum / count);
  }
}

size_t ref_kmeans_step(float *centres, size_t k, const float *points, size_t n, size_t d) {
  size_t *at = calloc(n, sizeof *at), *count = calloc(k, sizeof *count), filled = 0;
  float *old = malloc(k * d * sizeof *old);
  memcpy(old, centres, k * d * sizeof *old);
  for (size_t i = 0; i < n; i++)
    count[at[i] = nearest_centre(points + i * d, centres, k, d)]++;
  for (size_t j = 0; j < k; j++) {
    size_t i = count[j] ? n : farthest_point(old, points, at, count, n, d);
    if (i == n) continue;
    count[at[i]]--;
    count[j] = 1;
    at[i] = j;
    memcpy(old + j * d, points + i * d, d * sizeof *old); /* it is at distance 0 from now on */
    filled++;
  }
  for (size_t j = 0; j < k; j++)
    mean_of_cluster(centres + j * d, points, at, j, n, d);
  free(at);
  free(count);
  free(old);
  return filled;
}
