/* Banks: coverage, transport steps, scores, and what they refuse. Nothing here depends on how the
 * learner's constants are chosen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "failing.h"
#include "prototype/bank.h"
#include "reference/ref_coverage.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { D = 5 };

static float *floats(size_t count) {
  float *values = malloc(count * sizeof *values);
  assert_non_null(values);
  return values;
}

/* Normal patches, every `outlier`-th (0: none) far away. */
static float *patches_of(size_t n, size_t d, uint64_t seed, size_t outlier) {
  float *patches = floats(n * d);
  burl_random random = burl_random_start(seed, 7);
  for (size_t i = 0; i < n; i++)
    for (size_t t = 0; t < d; t++) {
      double scale = outlier && i % outlier == 0 ? 12.0 : 1.0;
      patches[i * d + t] = (float)(scale * burl_random_normal(&random));
    }
  return patches;
}

static float *positions_of(size_t n, uint64_t seed) {
  float *positions = floats(2 * n);
  burl_random random = burl_random_start(seed, 8);
  for (size_t i = 0; i < 2 * n; i++)
    positions[i] = (float)burl_random_uniform(&random);
  return positions;
}

static burl_bank_options options_of(size_t k, double spatial_weight) {
  burl_bank_options options = burl_bank_default_options();
  options.prototypes = k;
  options.spatial = spatial_weight > 0.0 ? BURL_SPATIAL_GRID : BURL_SPATIAL_NONE;
  options.spatial_weight = spatial_weight > 0.0 ? spatial_weight : 0.3;
  return options;
}

static burl_bank *fit(const float *patches, const float *positions, size_t n, size_t d,
                      const burl_bank_options *options) {
  burl_bank *bank = NULL;
  assert_int_equal(burl_bank_fit(&bank, patches, positions, n, d, options), BURL_OK);
  assert_non_null(bank);
  assert_int_equal(burl_bank_get_dimension(bank), d);
  assert_true(burl_bank_get_count(bank) >= 1);
  assert_true(burl_bank_get_count(bank) <= options->prototypes);
  return bank;
}

static void assert_same_bank(const burl_bank *a, const burl_bank *b) {
  size_t k = burl_bank_get_count(a), d = burl_bank_get_dimension(a);
  assert_int_equal(k, burl_bank_get_count(b));
  assert_memory_equal(burl_bank_get_prototypes(a), burl_bank_get_prototypes(b),
                      k * d * sizeof(float));
  assert_memory_equal(burl_bank_get_mass(a), burl_bank_get_mass(b), k * sizeof(float));
  assert_memory_equal(burl_bank_get_radius(a), burl_bank_get_radius(b), k * sizeof(float));
  if (burl_bank_get_positions(a))
    assert_memory_equal(burl_bank_get_positions(a), burl_bank_get_positions(b),
                        2 * k * sizeof(float));
}

static void test_options_out_of_range(void **state) {
  (void)state;
  float *patches = patches_of(20, D, 1, 0), *positions = positions_of(20, 1);
  burl_bank_options good = options_of(4, 0.5), bad[20];
  size_t count = 0;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    bad[i] = good;
  bad[count++].prototypes = 0;
  bad[count++].power = 0.99;
  bad[count++].power = 1000.0;
  bad[count++].power = (double)NAN;
  bad[count++].trim = -0.01;
  bad[count++].trim = 0.51;
  bad[count++].trim = (double)NAN;
  bad[count++].spatial_weight = -0.1;
  bad[count++].spatial_weight = 1.0;
  bad[count++].spatial_weight = (double)NAN;
  bad[count++].entropy = 0.0;
  bad[count++].entropy = -1.0;
  bad[count++].entropy = (double)NAN;
  bad[count++].entropy = (double)INFINITY;
  bad[count++].sweeps = 0;
  bad[count++].batch = 0;
  bad[count++].damping = 0.0;
  bad[count++].damping = 1.01;
  bad[count++].damping = (double)NAN;
  for (size_t i = 0; i < count; i++) {
    burl_bank *bank = NULL;
    burl_status status = burl_bank_fit(&bank, patches, positions, 20, D, &bad[i]);
    if (status != BURL_ERR_ARGUMENT)
      fail_msg("bad options %zu: %s", i, burl_status_get_name(status));
    assert_null(bank);
  }
  burl_bank *bank = NULL;
  assert_int_equal(burl_bank_fit(&bank, patches, NULL, 20, D, &good), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_bank_fit(&bank, patches, positions, 20, 0, &good), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_bank_fit(&bank, patches, positions, 0, D, &good), BURL_ERR_DATA);
  assert_null(bank);
  free(patches);
  free(positions);
}

static void test_not_finite_is_refused(void **state) {
  (void)state;
  const float odd[] = {NAN, INFINITY, -INFINITY};
  burl_bank_options options = options_of(4, 0.3);
  for (size_t i = 0; i < 3; i++) {
    float *patches = patches_of(20, D, 2, 0), *positions = positions_of(20, 2), kept = patches[61];
    burl_bank *bank = NULL;
    patches[61] = odd[i];
    assert_int_equal(burl_bank_fit(&bank, patches, positions, 20, D, &options), BURL_ERR_NUMERIC);
    patches[61] = kept;
    positions[39] = odd[i];
    assert_int_equal(burl_bank_fit(&bank, patches, positions, 20, D, &options), BURL_ERR_NUMERIC);
    assert_null(bank);
    free(patches);
    free(positions);
  }
}

static void test_coverage_is_farthest_point(void **state) {
  (void)state;
  enum { N = 300, K = 40 };
  for (uint64_t seed = 0; seed < 4; seed++)
    for (size_t d = 1; d <= 13; d += 4) {
      float *points = patches_of(N, d, seed, 25);
      size_t chosen[K], expected[K], count = 0;
      assert_int_equal(burl_coverage_start(chosen, &count, points, N, d, K, 0.0), BURL_OK);
      assert_int_equal(count, ref_farthest_points(expected, points, N, d, K));
      assert_memory_equal(chosen, expected, sizeof chosen);
      free(points);
    }
}

/* With trim, outliers fewer than it are never chosen, as long as others are far enough. */
static void test_trimmed_coverage_leaves_outliers(void **state) {
  (void)state;
  enum { N = 400, K = 20, OUTLIER = 50 };
  float *points = patches_of(N, D, 3, 0);
  for (size_t i = 0; i < N; i += OUTLIER)
    points[i * D] += (i / OUTLIER % 2 ? -500.0f : 500.0f) * (float)(1 + i);
  size_t chosen[K], count = 0, outliers = 0;
  assert_int_equal(burl_coverage_start(chosen, &count, points, N, D, K, 0.05), BURL_OK);
  assert_int_equal(count, K);
  for (size_t j = 0; j < K; j++) {
    assert_true(chosen[j] % OUTLIER != 0);
    for (size_t i = 0; i < j; i++)
      assert_true(chosen[i] != chosen[j]);
  }
  assert_int_equal(burl_coverage_start(chosen, &count, points, N, D, K, 0.0), BURL_OK);
  for (size_t j = 0; j < K; j++)
    outliers += chosen[j] % OUTLIER == 0;
  assert_int_equal(outliers, N / OUTLIER);
  free(points);
}

/* Seven patches, many times over: no more prototypes than that. */
static void test_fewer_distinct_patches_than_prototypes(void **state) {
  (void)state;
  enum { N = 70 };
  float *patches = patches_of(N, D, 4, 0), distance[N];
  for (size_t i = 7; i < N; i++)
    memcpy(patches + i * D, patches + i % 7 * D, D * sizeof *patches);
  burl_bank_options options = options_of(16, 0.0);
  options.trim = 0.0;
  burl_bank *bank = fit(patches, NULL, N, D, &options);
  assert_int_equal(burl_bank_get_count(bank), 7);
  burl_bank_score(bank, distance, NULL, patches, NULL, N);
  for (size_t i = 0; i < N; i++)
    assert_true(distance[i] < 1e-3f);
  burl_bank_free(bank);
  free(patches);
}

static void test_one_patch_and_constant_patches(void **state) {
  (void)state;
  enum { N = 100 };
  float patches[N * D], positions[2 * N], distance[N];
  for (size_t i = 0; i < N * D; i++)
    patches[i] = 0.1f * (float)(i % D);
  for (size_t i = 0; i < 2 * N; i++)
    positions[i] = 0.5f;
  for (int spatial = 0; spatial < 2; spatial++)
    for (size_t n = 1; n <= N; n += N - 1) {
      burl_bank_options options = options_of(8, spatial ? 0.4 : 0.0);
      burl_bank *bank = fit(patches, spatial ? positions : NULL, n, D, &options);
      assert_int_equal(burl_bank_get_count(bank), 1);
      assert_true(burl_bank_get_mass(bank)[0] == 1.0f);
      assert_true(burl_bank_get_radius(bank)[0] < 1e-6f);
      burl_bank_score(bank, distance, NULL, patches, spatial ? positions : NULL, n);
      for (size_t i = 0; i < n; i++)
        assert_true(distance[i] < 1e-6f);
      burl_bank_free(bank);
    }
}

/* Barycentres lie between the patches; mass adds up to 1; radius is what scoring says. */
static void test_prototypes_mass_and_radius(void **state) {
  (void)state;
  enum { N = 900, K = 30 };
  for (int spatial = 0; spatial < 2; spatial++) {
    float *patches = patches_of(N, D, 5, 40), *positions = positions_of(N, 5);
    burl_bank_options options = options_of(K, spatial ? 0.3 : 0.0);
    burl_bank *bank = fit(patches, positions, N, D, &options);
    size_t k = burl_bank_get_count(bank);
    const float *z = burl_bank_get_prototypes(bank), *pi = burl_bank_get_positions(bank);
    for (size_t t = 0; t < D; t++) {
      float low = patches[t], high = patches[t];
      for (size_t i = 0; i < N; i++) {
        low = fminf(low, patches[i * D + t]);
        high = fmaxf(high, patches[i * D + t]);
      }
      for (size_t j = 0; j < k; j++)
        assert_true(z[j * D + t] >= low - 1e-3f && z[j * D + t] <= high + 1e-3f);
    }
    assert_int_equal(pi != NULL, spatial);
    for (size_t j = 0; pi && j < 2 * k; j++)
      assert_true(pi[j] >= -1e-3f && pi[j] <= 1.001f);
    float *distance = floats(N);
    uint32_t nearest[N];
    double mass[K] = {0.0}, squares[K] = {0.0}, total = 0.0;
    burl_bank_score(bank, distance, nearest, patches, positions, N);
    for (size_t i = 0; i < N; i++) {
      mass[nearest[i]] += 1.0 / N;
      squares[nearest[i]] += (double)distance[i] * (double)distance[i] / N;
    }
    for (size_t j = 0; j < k; j++) {
      double radius = mass[j] > 0.0 ? sqrt(squares[j] / mass[j]) : 0.0;
      assert_true(fabs((double)burl_bank_get_mass(bank)[j] - mass[j]) < 1e-6);
      assert_true(fabs((double)burl_bank_get_radius(bank)[j] - radius) < 1e-4);
      total += (double)burl_bank_get_mass(bank)[j];
    }
    assert_true(fabs(total - 1.0) < 1e-5);
    free(distance);
    burl_bank_free(bank);
    free(patches);
    free(positions);
  }
}

/* The mixed squared cost of the header, prototype by prototype. */
static void test_scores_equal_the_mixed_cost(void **state) {
  (void)state;
  enum { N = 203, K = 37 };
  static const double weights[] = {0.0, 0.01, 0.5, 0.99};
  for (size_t w = 0; w < sizeof weights / sizeof *weights; w++)
    for (size_t d = 1; d <= 13; d += 3) {
      float *patches = patches_of(N, d, 6, 0), *positions = positions_of(N, 6), distance[N];
      uint32_t nearest[N];
      burl_bank_options options = options_of(K, weights[w]);
      burl_bank *bank = fit(patches, positions, N, d, &options);
      burl_bank_score(bank, distance, nearest, patches, positions, N);
      const float *z = burl_bank_get_prototypes(bank), *pi = burl_bank_get_positions(bank);
      for (size_t i = 0; i < N; i++) {
        double least = (double)INFINITY, of_nearest = 0.0;
        for (size_t j = 0; j < burl_bank_get_count(bank); j++) {
          double cost = 0.0;
          for (size_t t = 0; t < d; t++)
            cost += (1.0 - weights[w]) / (double)d *
                    pow((double)patches[i * d + t] - (double)z[j * d + t], 2.0);
          for (size_t t = 0; pi && t < 2; t++)
            cost +=
                6.0 * weights[w] * pow((double)positions[2 * i + t] - (double)pi[2 * j + t], 2.0);
          least = fmin(least, cost);
          if (j == nearest[i]) of_nearest = cost;
        }
        assert_true(fabs((double)distance[i] - sqrt(least)) < 1e-4);
        assert_true(fabs(sqrt(of_nearest) - sqrt(least)) < 1e-4);
      }
      burl_bank_free(bank);
      free(patches);
      free(positions);
    }
}

/* Dark patches on the left, light ones on the right: what is normal on one side is not on the
 * other. */
static void test_position_matters_when_it_weighs(void **state) {
  (void)state;
  enum { N = 400 };
  float *patches = patches_of(N, D, 9, 0), *positions = positions_of(N, 9);
  for (size_t i = 0; i < N; i++) {
    for (size_t t = 0; t < D; t++)
      patches[i * D + t] = 0.05f * patches[i * D + t] + (i % 2 ? 1.0f : -1.0f);
    positions[2 * i + 1] = 0.2f * positions[2 * i + 1] + (i % 2 ? 0.8f : 0.0f);
  }
  const float probe[2 * D] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, places[] = {0.5f, 0.9f, 0.5f, 0.1f};
  float distance[2];
  for (int spatial = 0; spatial < 2; spatial++) {
    burl_bank_options options = options_of(20, spatial ? 0.5 : 0.0);
    burl_bank *bank = fit(patches, positions, N, D, &options);
    burl_bank_score(bank, distance, NULL, probe, places, 2);
    if (spatial)
      assert_true(distance[1] > 2.0f * distance[0]);
    else
      assert_true(distance[1] == distance[0]);
    burl_bank_free(bank);
  }
  free(patches);
  free(positions);
}

static void test_same_bytes_again(void **state) {
  (void)state;
  enum { N = 1000 };
  for (int spatial = 0; spatial < 2; spatial++) {
    float *patches = patches_of(N, D, 10, 33), *positions = positions_of(N, 10);
    burl_bank_options options = options_of(24, spatial ? 0.2 : 0.0);
    options.batch = 300;
    burl_bank *a = fit(patches, positions, N, D, &options);
    burl_bank *b = fit(patches, positions, N, D, &options);
    assert_same_bank(a, b);
    burl_bank_free(a);
    burl_bank_free(b);
    free(patches);
    free(positions);
  }
}

/* Mean distance to the nearest prototype of a fresh batch. */
static double cover(const burl_bank *bank, const float *patches, size_t n, double power) {
  float *distance = floats(n);
  double sum = 0.0;
  burl_bank_score(bank, distance, NULL, patches, NULL, n);
  for (size_t i = 0; i < n; i++)
    sum += pow((double)distance[i], power);
  free(distance);
  return sum / (double)n;
}

static void test_order_of_patches_is_not_essential(void **state) {
  (void)state;
  enum { N = 1500 };
  float *patches = patches_of(N, D, 11, 0), *turned = floats(N * D);
  float *fresh = patches_of(800, D, 12, 0);
  for (size_t i = 0; i < N; i++)
    memcpy(turned + (N - 1 - i) * D, patches + i * D, D * sizeof *patches);
  burl_bank_options options = options_of(32, 0.0);
  burl_bank *a = fit(patches, NULL, N, D, &options), *b = fit(turned, NULL, N, D, &options);
  assert_int_equal(burl_bank_get_count(a), burl_bank_get_count(b));
  double first = cover(a, fresh, 800, 2.0), second = cover(b, fresh, 800, 2.0);
  assert_true(fabs(first - second) < 0.02 * first);
  burl_bank_free(a);
  burl_bank_free(b);
  free(patches);
  free(turned);
  free(fresh);
}

/* Steps of transport lower what they are to lower, <P, d^p>, on patches that they have not seen. */
static void test_steps_lower_the_cost(void **state) {
  (void)state;
  enum { N = 4000, FRESH = 2000 };
  static const double powers[] = {1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 9.0, 12.0};
  for (size_t p = 0; p < sizeof powers / sizeof *powers; p++) {
    float *patches = patches_of(N, D, 20 + p, 50), *fresh = patches_of(FRESH, D, 90 + p, 0);
    burl_bank_options options = options_of(48, 0.0), start;
    options.power = powers[p];
    options.start_trim = 0.02; /* every fiftieth patch is an outlier */
    options.trim = 0.03;
    start = options;
    start.steps = 0;
    burl_bank *before = fit(patches, NULL, N, D, &start);
    burl_bank *after = fit(patches, NULL, N, D, &options);
    double was = cover(before, fresh, FRESH, powers[p]), is = cover(after, fresh, FRESH, powers[p]);
    if (!(is < was)) fail_msg("power %g: %g before, %g after", powers[p], was, is);
    burl_bank_free(before);
    burl_bank_free(after);
    free(patches);
    free(fresh);
  }
}

/* Every power that is allowed, on patches some of which equal prototypes and some of which are far
 * off. */
static void test_every_power_is_finite(void **state) {
  (void)state;
  enum { N = 600 };
  static const double powers[] = {1.0, 1.01, 1.7, 2.0, 2.5, 4.0, 8.0, 16.0};
  for (size_t scale = 0; scale < 3; scale++)
    for (size_t p = 0; p < sizeof powers / sizeof *powers; p++) {
      float *patches = patches_of(N, D, 30, 30), distance[N];
      for (size_t i = 0; i < N * D; i++)
        patches[i] *= scale == 0 ? 1.0f : scale == 1 ? 1e-3f : 1e3f;
      burl_bank_options options = options_of(20, 0.0), start = options;
      options.power = powers[p];
      start.steps = 0;
      burl_bank *bank = NULL;
      burl_status status = burl_bank_fit(&bank, patches, NULL, N, D, &options);
      if (status != BURL_OK)
        fail_msg("power %g, scale %zu: %s", powers[p], scale, burl_status_get_name(status));
      burl_bank_score(bank, distance, NULL, patches, NULL, N);
      for (size_t i = 0; i < N; i++)
        assert_true(isfinite(distance[i]));
      burl_bank *first = fit(patches, NULL, N, D, &start);
      assert_memory_not_equal(burl_bank_get_prototypes(bank), burl_bank_get_prototypes(first),
                              D * sizeof(float));
      burl_bank_free(first);
      burl_bank_free(bank);
      free(patches);
    }
}

static void test_scoring_allocates_nothing(void **state) {
  (void)state;
  enum { N = 500 };
  float *patches = patches_of(N, D, 13, 0), *positions = positions_of(N, 13), *distance = floats(N);
  uint32_t nearest[N];
  burl_bank_options options = options_of(9, 0.3);
  burl_bank *bank = fit(patches, positions, N, D, &options);
  fail_allocation_after(-1);
  burl_bank_score(bank, distance, nearest, patches, positions, N);
  assert_int_equal(stop_failing(), 0);
  burl_bank_score(bank, distance, nearest, patches, positions, 0);
  burl_bank_free(bank);
  burl_bank_free(NULL);
  free(patches);
  free(positions);
  free(distance);
}

static void test_without_memory(void **state) {
  (void)state;
  enum { N = 60 };
  float *patches = patches_of(N, D, 14, 0), *positions = positions_of(N, 14);
  burl_bank_options options = options_of(5, 0.3);
  for (long i = 0;; i++) {
    burl_bank *bank = NULL;
    fail_allocation_after(i);
    burl_status status = burl_bank_fit(&bank, patches, positions, N, D, &options);
    long made = stop_failing();
    if (status == BURL_OK && made <= i) {
      assert_true(i > 5);
      burl_bank_free(bank);
      break;
    }
    assert_int_equal(status, BURL_ERR_MEMORY);
    assert_null(bank);
  }
  free(patches);
  free(positions);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_options_out_of_range),
      cmocka_unit_test(test_not_finite_is_refused),
      cmocka_unit_test(test_coverage_is_farthest_point),
      cmocka_unit_test(test_trimmed_coverage_leaves_outliers),
      cmocka_unit_test(test_fewer_distinct_patches_than_prototypes),
      cmocka_unit_test(test_one_patch_and_constant_patches),
      cmocka_unit_test(test_prototypes_mass_and_radius),
      cmocka_unit_test(test_scores_equal_the_mixed_cost),
      cmocka_unit_test(test_position_matters_when_it_weighs),
      cmocka_unit_test(test_same_bytes_again),
      cmocka_unit_test(test_order_of_patches_is_not_essential),
      cmocka_unit_test(test_steps_lower_the_cost),
      cmocka_unit_test(test_every_power_is_finite),
      cmocka_unit_test(test_scoring_allocates_nothing),
      cmocka_unit_test(test_without_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
