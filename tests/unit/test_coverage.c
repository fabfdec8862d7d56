/* Coverage: the same points as the literal method chooses, to the last one, in few and many
 * dimensions, with pools smaller and larger than the data, with trim, ties, duplicates, outliers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "prototype/bank.h"
#include "reference/ref_coverage.h"
#include "unit/failing.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static float *floats(size_t count) {
  float *values = malloc((count ? count : 1) * sizeof *values);
  assert_non_null(values);
  return values;
}

static float *normal_points(size_t n, size_t d, uint64_t seed) {
  float *points = floats(n * d);
  burl_random random = burl_random_start(seed, 12);
  for (size_t i = 0; i < n * d; i++)
    points[i] = (float)burl_random_normal(&random);
  return points;
}

/* Around `clusters` centres, which are `apart` times as wide as a cluster. */
static float *clustered_points(size_t n, size_t d, size_t clusters, float apart, uint64_t seed) {
  float *points = normal_points(n, d, seed), *centres = normal_points(clusters, d, seed + 1);
  for (size_t i = 0; i < n; i++)
    for (size_t t = 0; t < d; t++)
      points[i * d + t] += apart * centres[i * 7 % clusters * d + t];
  free(centres);
  return points;
}

static void check(const float *points, size_t n, size_t d, size_t k, double trim) {
  size_t *chosen = malloc(k * sizeof *chosen), *expected = malloc(k * sizeof *expected), count;
  assert_non_null(chosen);
  assert_non_null(expected);
  assert_int_equal(burl_coverage_from(chosen, &count, points, n, d, k, trim, n / 2), BURL_OK);
  size_t wanted = ref_coverage(expected, points, n, d, k, trim, n / 2);
  for (size_t j = 0; j < count && j < wanted; j++)
    if (chosen[j] != expected[j])
      fail_msg("n %zu, d %zu, k %zu, trim %g: point %zu is %zu, not %zu", n, d, k, trim, j,
               chosen[j], expected[j]);
  assert_int_equal(count, wanted);
  free(chosen);
  free(expected);
}

static void test_small(void **state) {
  (void)state;
  static const double trims[] = {0.0, 0.002, 0.05, 0.5, 1.0};
  for (size_t t = 0; t < sizeof trims / sizeof *trims; t++) {
    for (size_t n = 1; n <= 40; n += 3) {
      float *points = normal_points(n, 5, n);
      check(points, n, 5, n, trims[t]);
      free(points);
    }
    for (size_t d = 1; d <= 49; d += 4) {
      float *points = clustered_points(500, d, 9, 3.0f, d);
      check(points, 500, d, 60, trims[t]);
      free(points);
    }
  }
}

/* More points than a pool takes, so that bounds go stale and pools are made anew. */
static void test_large(void **state) {
  (void)state;
  static const size_t dims[] = {2, 13, 32, 33, 64};
  for (size_t i = 0; i < sizeof dims / sizeof *dims; i++) {
    float *points = clustered_points(5000, dims[i], 40, 2.0f, i);
    check(points, 5000, dims[i], 150, 0.0);
    check(points, 5000, dims[i], 90, 0.002);
    check(points, 5000, dims[i], 40, 0.3);
    free(points);
  }
  float *points = normal_points(4000, 40, 9);
  check(points, 4000, 40, 700, 0.0);
  free(points);
}

/* A lattice: almost all distances tie, more often than a pool has room. */
static void test_ties(void **state) {
  (void)state;
  static const size_t dims[] = {2, 6, 40};
  for (size_t i = 0; i < sizeof dims / sizeof *dims; i++) {
    size_t n = 4000, d = dims[i];
    float *points = normal_points(n, d, i);
    for (size_t p = 0; p < n * d; p++)
      points[p] = roundf((p % d < 3 ? 2.0f : 0.4f) * points[p]);
    check(points, n, d, 120, 0.0);
    check(points, n, d, 120, 0.01);
    free(points);
  }
}

/* Few different points, each many times: it ends when all are chosen. */
static void test_duplicates(void **state) {
  (void)state;
  static const size_t dims[] = {3, 36};
  for (size_t i = 0; i < sizeof dims / sizeof *dims; i++) {
    size_t n = 3000, d = dims[i], different = 50, count, chosen[100];
    float *points = normal_points(n, d, 4);
    for (size_t p = different; p < n; p++)
      memcpy(points + p * d, points + p % different * d, d * sizeof *points);
    check(points, n, d, 100, 0.0);
    check(points, n, d, 100, 0.1);
    assert_int_equal(burl_coverage_start(chosen, &count, points, n, d, 100, 0.0), BURL_OK);
    assert_int_equal(count, different);
    free(points);
  }
}

/* Distances from those that vanish to those that overflow. */
static void test_scales(void **state) {
  (void)state;
  static const float scales[] = {1e-30f, 1e-21f, 1e-10f, 1e10f, 1e18f, 1e25f};
  for (size_t i = 0; i < sizeof scales / sizeof *scales; i++)
    for (size_t d = 12; d <= 36; d += 24) {
      float *points = clustered_points(1500, d, 30, 5.0f, i);
      for (size_t p = 0; p < 1500 * d; p++)
        points[p] *= p / d % 5 ? scales[i] : 1.0f;
      check(points, 1500, d, 50, 0.0);
      check(points, 1500, d, 50, 0.01);
      free(points);
    }
}

/* Far from the origin squares cancel in products; differences still decide. */
static void test_far_from_the_origin(void **state) {
  (void)state;
  float *points = normal_points(3000, 48, 6);
  for (size_t p = 0; p < 3000 * 48; p++)
    points[p] += 3000.0f * (float)(1 + p % 48);
  check(points, 3000, 48, 80, 0.0);
  free(points);
}

static void test_starts_next_to_the_mean(void **state) {
  (void)state;
  for (size_t d = 1; d <= 41; d += 8) {
    float *points = clustered_points(300, d, 5, 2.0f, d);
    size_t chosen[8], expected[8], count;
    assert_int_equal(burl_coverage_start(chosen, &count, points, 300, d, 8, 0.0), BURL_OK);
    assert_int_equal(count, ref_farthest_points(expected, points, 300, d, 8));
    assert_memory_equal(chosen, expected, sizeof chosen);
    free(points);
  }
}

static void test_failing_memory(void **state) {
  (void)state;
  float *points = normal_points(200, 40, 3);
  size_t chosen[10] = {7}, count = 99;
  fail_allocation_after(0);
  burl_status status = burl_coverage_start(chosen, &count, points, 200, 40, 10, 0.0);
  assert_int_equal(stop_failing(), 1);
  assert_int_equal(status, BURL_ERR_MEMORY);
  assert_true(chosen[0] == 7 && count == 99);
  free(points);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_small),
      cmocka_unit_test(test_large),
      cmocka_unit_test(test_ties),
      cmocka_unit_test(test_duplicates),
      cmocka_unit_test(test_scales),
      cmocka_unit_test(test_far_from_the_origin),
      cmocka_unit_test(test_starts_next_to_the_mean),
      cmocka_unit_test(test_failing_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
