/* k-means: the twin, the law of its start, and a sum of squares that never rises. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "failing.h"
#include "prototype/baselines.h"
#include "reference/ref_kmeans.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static float *floats(size_t count) {
  float *values = malloc(count * sizeof *values);
  assert_non_null(values);
  return values;
}

static float *normal_points(size_t n, size_t d, uint64_t seed) {
  float *points = floats(n * d);
  burl_random random = burl_random_start(seed, 40);
  for (size_t i = 0; i < n * d; i++)
    points[i] = (float)burl_random_normal(&random);
  return points;
}

/* Whole coordinates below `levels`: many points are equal, many distances are. */
static float *lattice_points(size_t n, size_t d, uint64_t levels, uint64_t seed) {
  float *points = floats(n * d);
  burl_random random = burl_random_start(seed, 41);
  for (size_t i = 0; i < n * d; i++)
    points[i] = (float)burl_random_below(&random, levels);
  return points;
}

static size_t run(float *centres, size_t k, const float *points, size_t n, size_t d,
                  size_t iterations, uint64_t seed) {
  size_t found = k;
  assert_int_equal(burl_kmeans(centres, &found, points, n, d, iterations, seed), BURL_OK);
  assert_true(found >= 1 && found <= k && found <= n);
  return found;
}

static void test_twin(void **state) {
  (void)state;
  enum { N = 160 };
  static const size_t dims[] = {1, 3, 8, 13, 40}, counts[] = {1, 2, 7, 20};
  for (size_t a = 0; a < sizeof dims / sizeof *dims; a++)
    for (size_t b = 0; b < sizeof counts / sizeof *counts; b++)
      for (size_t steps = 0; steps < 5; steps += 2) {
        size_t d = dims[a], k = counts[b];
        float *points = normal_points(N, d, a), *got = floats(k * d), *expected = floats(k * d);
        assert_int_equal(run(got, k, points, N, d, steps, b), k);
        assert_int_equal(ref_kmeans_start(expected, k, points, N, d, b), k);
        for (size_t i = 0; i < steps; i++)
          ref_kmeans_step(expected, k, points, N, d);
        for (size_t i = 0; i < k * d; i++)
          if (fabsf(got[i] - expected[i]) > 1e-5f)
            fail_msg("d %zu, k %zu, %zu steps: %g, not %g", d, k, steps, (double)got[i],
                     (double)expected[i]);
        free(points);
        free(got);
        free(expected);
      }
}

static void test_objective_never_rises(void **state) {
  (void)state;
  enum { N = 300, K = 24 };
  for (uint64_t seed = 0; seed < 12; seed++) {
    size_t d = 1 + (size_t)seed % 6;
    float *points = seed % 2 ? normal_points(N, d, seed) : lattice_points(N, d, 9, seed);
    float centres[K * 6];
    double last = (double)INFINITY;
    for (size_t steps = 0; steps < 12; steps++) {
      size_t k = run(centres, K, points, N, d, steps, seed);
      double now = ref_kmeans_objective(centres, k, points, N, d);
      if (now > last * (1.0 + 1e-6)) fail_msg("step %zu: from %.9g to %.9g", steps, last, now);
      last = now;
    }
    free(points);
  }
}

/* With time every centre is the mean of the points nearest to it. */
static void test_ends_at_a_fixed_point(void **state) {
  (void)state;
  enum { N = 400, K = 15, D = 4 };
  float *points = normal_points(N, D, 3), centres[K * D], moved[K * D], again[K * D];
  size_t k = run(centres, K, points, N, D, 1000, 5);
  memcpy(moved, centres, sizeof moved);
  assert_int_equal(ref_kmeans_step(moved, k, points, N, D), 0);
  for (size_t i = 0; i < K * D; i++)
    assert_true(fabsf(moved[i] - centres[i]) < 1e-6f);
  assert_int_equal(run(again, K, points, N, D, 1000, 5), k);
  assert_memory_equal(again, centres, sizeof centres);
  run(again, K, points, N, D, 1000, 6);
  assert_memory_not_equal(again, centres, sizeof centres);
  free(points);
}

/* Two centres of three points on a line, 0, 1 and 4: each first one is as likely, and the second
 * falls on another point in proportion to the square of its distance. */
static void test_start_draws_by_squared_distance(void **state) {
  (void)state;
  enum { DRAWS = 12000 };
  static const float points[] = {0.0f, 1.0f, 4.0f};
  double drawn[3][3] = {{0.0}};
  for (uint64_t seed = 0; seed < DRAWS; seed++) {
    float centres[2];
    size_t at[2];
    assert_int_equal(run(centres, 2, points, 3, 1, 0, seed), 2);
    for (size_t j = 0; j < 2; j++)
      at[j] = centres[j] == 0.0f ? 0 : centres[j] == 1.0f ? 1 : 2;
    drawn[at[0]][at[1]] += 1.0;
  }
  for (size_t a = 0; a < 3; a++) {
    double total = 0.0;
    for (size_t b = 0; b < 3; b++)
      total += pow((double)points[a] - (double)points[b], 2.0);
    for (size_t b = 0; b < 3; b++) {
      double share = pow((double)points[a] - (double)points[b], 2.0) / total / 3.0;
      double off = fabs(drawn[a][b] - DRAWS * share);
      assert_true(off <= 4.5 * sqrt(DRAWS * share * (1.0 - share)));
    }
  }
}

/* Tight clusters far apart: each gets its centre, at the mean of its points. */
static void test_finds_separated_clusters(void **state) {
  (void)state;
  enum { K = 12, EACH = 30, N = K * EACH, D = 3 };
  for (uint64_t seed = 0; seed < 10; seed++) {
    float *points = normal_points(N, D, seed), centres[K * D];
    double mean[K][D] = {{0.0}};
    for (size_t i = 0; i < N; i++)
      for (size_t t = 0; t < D; t++) {
        float corner = (float)((i % K) >> t & 1) + (t == 0 ? 2.0f * (float)(i % K / 8) : 0.0f);
        points[i * D + t] = 0.001f * points[i * D + t] + 100.0f * corner;
        mean[i % K][t] += (double)points[i * D + t] / EACH;
      }
    assert_int_equal(run(centres, K, points, N, D, 25, seed), K);
    for (size_t c = 0; c < K; c++) {
      double least = (double)INFINITY;
      for (size_t j = 0; j < K; j++) {
        double off = 0.0;
        for (size_t t = 0; t < D; t++)
          off = fmax(off, fabs((double)centres[j * D + t] - mean[c][t]));
        least = fmin(least, off);
      }
      assert_true(least < 1e-4);
    }
    free(points);
  }
}

/* A cluster is left empty in one of these runs; it is filled again, and no run ends with one. */
static void test_empty_clusters_are_filled(void **state) {
  (void)state;
  enum { N = 20, K = 6, D = 2, STEPS = 12 };
  size_t filled = 0;
  for (uint64_t seed = 0; seed < 300; seed++) {
    float *points = lattice_points(N, D, 7, seed), centres[K * D], expected[K * D];
    size_t k = ref_kmeans_start(expected, K, points, N, D, seed);
    for (size_t step = 1; step <= STEPS; step++) {
      if (!ref_kmeans_step(expected, k, points, N, D)) continue;
      filled++;
      assert_int_equal(run(centres, K, points, N, D, step, seed), k);
      for (size_t i = 0; i < k * D; i++)
        assert_true(fabsf(centres[i] - expected[i]) < 1e-5f);
    }
    assert_int_equal(run(centres, K, points, N, D, STEPS, seed), k);
    assert_int_equal(ref_kmeans_step(centres, k, points, N, D), 0);
    free(points);
  }
  assert_true(filled > 0);
}

static void test_few_and_equal_points(void **state) {
  (void)state;
  enum { N = 50, D = 3 };
  float *points = normal_points(N, D, 8), centres[N * D];
  for (size_t i = 4; i < N; i++)
    memcpy(points + i * D, points + i % 4 * D, D * sizeof *points);
  assert_int_equal(run(centres, 20, points, N, D, 10, 1), 4);
  assert_true(ref_kmeans_objective(centres, 4, points, N, D) < 1e-10);
  assert_int_equal(run(centres, 20, points, 1, D, 10, 1), 1);
  assert_memory_equal(centres, points, D * sizeof *points);
  assert_int_equal(run(centres, 20, points, 3, D, 10, 1), 3);
  assert_true(ref_kmeans_objective(centres, 3, points, 3, D) == 0.0);
  for (size_t i = 0; i < N * D; i++)
    points[i] = 2.5f;
  assert_int_equal(run(centres, 7, points, N, D, 10, 1), 1);
  assert_memory_equal(centres, points, D * sizeof *points);
  free(points);
}

/* Squared distances that no float holds, and such that are 0 to it. */
static void test_extreme_sizes(void **state) {
  (void)state;
  enum { N = 80, K = 6, D = 5 };
  static const float scales[] = {1e-30f, 1e-18f, 1e18f, 1e30f, 3e37f};
  for (size_t s = 0; s < sizeof scales / sizeof *scales; s++) {
    float *points = normal_points(N, D, 9), centres[K * D];
    for (size_t i = 0; i < N * D; i++)
      points[i] *= scales[s];
    size_t k = run(centres, K, points, N, D, 25, 1);
    for (size_t i = 0; i < k * D; i++)
      assert_true(isfinite(centres[i]));
    free(points);
  }
}

static void test_without_memory(void **state) {
  (void)state;
  float *points = normal_points(40, 2, 1), centres[10];
  for (long i = 0;; i++) {
    size_t k = 5;
    fail_allocation_after(i);
    burl_status status = burl_kmeans(centres, &k, points, 40, 2, 5, 1);
    stop_failing();
    assert_int_equal(k, 5);
    if (status == BURL_OK) {
      assert_true(i > 0);
      break;
    }
    assert_int_equal(status, BURL_ERR_MEMORY);
  }
  free(points);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_twin),
      cmocka_unit_test(test_objective_never_rises),
      cmocka_unit_test(test_ends_at_a_fixed_point),
      cmocka_unit_test(test_start_draws_by_squared_distance),
      cmocka_unit_test(test_finds_separated_clusters),
      cmocka_unit_test(test_empty_clusters_are_filled),
      cmocka_unit_test(test_few_and_equal_points),
      cmocka_unit_test(test_extreme_sizes),
      cmocka_unit_test(test_without_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
