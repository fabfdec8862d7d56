/* Nearest points and all distances in few dimensions: the same bits as the plain loops, whatever
 * the sizes. Many dimensions are in test_panels.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "num/nearest.h"
#include "reference/ref_nearest.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static float *floats(size_t count) {
  float *values = malloc((count ? count : 1) * sizeof *values);
  assert_non_null(values);
  return values;
}

static float *random_floats(size_t count, uint64_t seed) {
  float *values = floats(count);
  burl_random random = burl_random_start(seed, 3);
  for (size_t i = 0; i < count; i++)
    values[i] = (float)burl_random_normal(&random);
  return values;
}

static float *pack(const float *points, size_t k, size_t d) {
  size_t size = burl_points_packed_size(k, d);
  assert_true(size >= k * d && size % BURL_POINT_BLOCK == 0);
  float *packed = floats(size);
  burl_points_pack(packed, points, k, d);
  return packed;
}

static void assert_floats(const float *got, const float *expected, size_t count, const char *what,
                          const size_t sizes[3]) {
  for (size_t i = 0; i < count; i++)
    if (memcmp(&got[i], &expected[i], sizeof *got) != 0)
      fail_msg("%s with n %zu, k %zu, d %zu: %.9g at %zu, not %.9g", what, sizes[0], sizes[1],
               sizes[2], (double)got[i], i, (double)expected[i]);
}

static void check(const float *x, size_t n, const float *points, size_t k, size_t d) {
  const size_t sizes[3] = {n, k, d};
  float *packed = pack(points, k, d), *squared = floats(n), *alone = floats(n);
  float *expected = floats(n), *cost = floats(n * (k + 3)), *all = floats(n * k);
  uint32_t *nearest = calloc(n + 1, sizeof *nearest), *first = calloc(n + 1, sizeof *first);
  assert_non_null(nearest);
  assert_non_null(first);
  burl_points_nearest(squared, nearest, x, n, packed, k, d);
  burl_points_nearest(alone, NULL, x, n, packed, k, d);
  ref_nearest(expected, first, x, n, points, k, d);
  assert_floats(squared, expected, n, "nearest", sizes);
  assert_floats(alone, expected, n, "nearest without index", sizes);
  assert_memory_equal(nearest, first, (n + 1) * sizeof *nearest);
  for (size_t i = 0; i < n * (k + 3); i++)
    cost[i] = -1.0f;
  burl_points_distances(cost, k + 3, x, n, packed, k, d);
  ref_distances(all, x, n, points, k, d);
  for (size_t i = 0; i < n; i++) {
    assert_floats(cost + i * (k + 3), all + i * k, k, "distances", sizes);
    for (size_t j = k; j < k + 3; j++)
      assert_true(cost[i * (k + 3) + j] == -1.0f);
  }
  free(packed);
  free(squared);
  free(alone);
  free(expected);
  free(cost);
  free(all);
  free(nearest);
  free(first);
}

static void check_random(size_t n, size_t k, size_t d) {
  float *x = random_floats(n * d, 10 * n + k), *points = random_floats(k * d, 77 * k + d);
  check(x, n, points, k, d);
  free(x);
  free(points);
}

static void test_every_dimension(void **state) {
  (void)state;
  for (size_t d = 1; d <= BURL_POINT_FEW_DIMENSIONS; d++)
    check_random(7, 21, d);
}

static void test_every_remainder(void **state) {
  (void)state;
  for (size_t k = 1; k <= 50; k++)
    check_random(5, k, 13);
  for (size_t n = 0; n <= 13; n++)
    check_random(n, 37, 3);
  check_random(301, 256, 13);
}

/* Every point several times: the first of them is the nearest. */
static void test_ties_go_to_the_first(void **state) {
  (void)state;
  enum { N = 30, K = 48, D = 4 };
  float *points = random_floats(K * D, 5), *x = random_floats(N * D, 6);
  for (size_t j = 12; j < K; j++)
    memcpy(points + j * D, points + j % 12 * D, D * sizeof *points);
  check(x, N, points, K, D);
  float *packed = pack(points, K, D), squared[N];
  uint32_t nearest[N];
  burl_points_nearest(squared, nearest, x, N, packed, K, D);
  for (size_t i = 0; i < N; i++)
    assert_true(nearest[i] < 12);
  free(packed);
  free(points);
  free(x);
}

/* A patch that equals a point is at distance 0, however large both are. */
static void test_equal_points_are_at_zero(void **state) {
  (void)state;
  enum { K = 35, D = 13 };
  float *points = random_floats(K * D, 9), squared[K];
  for (size_t j = 0; j < K; j++)
    for (size_t t = 0; t < D; t++)
      points[j * D + t] = 1e4f + points[j * D + t];
  float *packed = pack(points, K, D);
  uint32_t nearest[K];
  burl_points_nearest(squared, nearest, points, K, packed, K, D);
  for (size_t j = 0; j < K; j++) {
    assert_true(squared[j] == 0.0f);
    assert_int_equal(nearest[j], j);
  }
  free(packed);
  free(points);
}

/* No padding of the last block comes into play, wherever the patches are. */
static void test_far_from_everything(void **state) {
  (void)state;
  static const float places[] = {1e10f, 1e17f, 1e18f, -1e18f, 5e18f};
  float *points = random_floats(3 * 2, 4);
  for (size_t i = 0; i < sizeof places / sizeof *places; i++)
    check((float[]){places[i], places[i]}, 1, points, 3, 2);
  free(points);
}

static void test_overflow_saturates(void **state) {
  (void)state;
  const float x[] = {3e38f, INFINITY, NAN, 1.0f}, point = 1.0f;
  float *packed = pack(&point, 1, 1), squared[4];
  uint32_t nearest[4];
  burl_points_nearest(squared, nearest, x, 4, packed, 1, 1);
  for (size_t i = 0; i < 3; i++)
    assert_true(squared[i] == FLT_MAX);
  assert_true(squared[3] == 0.0f);
  for (size_t i = 0; i < 4; i++)
    assert_int_equal(nearest[i], 0);
  free(packed);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_dimension),      cmocka_unit_test(test_every_remainder),
      cmocka_unit_test(test_ties_go_to_the_first), cmocka_unit_test(test_equal_points_are_at_zero),
      cmocka_unit_test(test_far_from_everything),  cmocka_unit_test(test_overflow_saturates),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
