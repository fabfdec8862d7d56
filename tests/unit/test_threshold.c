/* Thresholds from good scores: quantiles with many images, a tail beyond the largest with few. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "failing.h"
#include "heat/threshold.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static double *exponential(size_t n, uint64_t seed) {
  double *scores = malloc(n * sizeof *scores);
  assert_non_null(scores);
  burl_random random = burl_random_start(seed, 5);
  for (size_t i = 0; i < n; i++)
    scores[i] = 2.0 - log(1.0 - burl_random_uniform(&random));
  return scores;
}

static burl_threshold estimate(double *scores, size_t n, double false_alarm, uint64_t seed) {
  burl_threshold threshold;
  assert_int_equal(burl_threshold_estimate(&threshold, scores, n, false_alarm, seed), BURL_OK);
  assert_true(isfinite(threshold.value) && isfinite(threshold.low) && isfinite(threshold.high));
  assert_true(threshold.low <= threshold.high);
  return threshold;
}

static void test_one_score(void **state) {
  (void)state;
  double score = 3.5;
  burl_threshold threshold = estimate(&score, 1, 0.01, 1);
  assert_true(threshold.value == 3.5 && threshold.low == 3.5 && threshold.high == 3.5);
}

/* m = 1: u is the smaller score, the mean excess is their difference. */
static void test_two_scores(void **state) {
  (void)state;
  double scores[2] = {5.0, 3.0};
  burl_threshold threshold = estimate(scores, 2, 0.01, 1);
  assert_true(fabs(threshold.value - (3.0 + 2.0 * log(1.0 / 0.02))) < 1e-12);
  assert_true(scores[0] == 3.0 && scores[1] == 5.0);
  assert_true(threshold.low <= threshold.value && threshold.value <= threshold.high);
}

static void test_equal_scores(void **state) {
  (void)state;
  double scores[20];
  for (size_t i = 0; i < 20; i++)
    scores[i] = -1.25;
  burl_threshold threshold = estimate(scores, 20, 0.01, 1);
  assert_true(threshold.value == -1.25 && threshold.low == -1.25 && threshold.high == -1.25);
}

/* By the formula of the header, written out. */
static void test_equals_formula(void **state) {
  (void)state;
  for (size_t n = 2; n <= 60; n += 7) {
    double *scores = exponential(n, n), false_alarm = 0.02, excess = 0.0;
    burl_threshold threshold = estimate(scores, n, false_alarm, 1);
    size_t m = (size_t)ceil(2.0 * sqrt((double)n));
    if (m > n - 1) m = n - 1;
    double u = scores[n - 1 - m];
    for (size_t i = 0; i < n; i++)
      if (i >= n - m) excess += scores[i] - u;
    double expected = u + excess / (double)m * log((double)m / ((double)n * false_alarm));
    assert_true(fabs(threshold.value - expected) < 1e-12 * (1.0 + fabs(expected)));
    free(scores);
  }
}

static void test_falls_with_false_alarm(void **state) {
  (void)state;
  static const size_t sizes[] = {2, 3, 10, 40, 150};
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
    double *scores = exponential(sizes[s], 40 + s), before = (double)INFINITY;
    for (double false_alarm = 1e-4; false_alarm < 0.9; false_alarm *= 1.3) {
      double value = estimate(scores, sizes[s], false_alarm, 1).value;
      assert_true(value <= before);
      before = value;
    }
    free(scores);
  }
}

/* With many images: the score that the wanted share of them reaches. */
static void test_many_scores_give_the_quantile(void **state) {
  (void)state;
  enum { N = 4000 };
  double *scores = exponential(N, 11);
  for (double false_alarm = 0.04; false_alarm < 0.6; false_alarm *= 2.5) {
    double value = estimate(scores, N, false_alarm, 1).value;
    size_t above = 0;
    for (size_t i = 0; i < N; i++)
      above += scores[i] > value;
    assert_true(fabs((double)above / N - false_alarm) < 1e-3);
    assert_true(fabs(value - (2.0 - log(false_alarm))) < 0.2);
  }
  free(scores);
}

/* Exponential tails are what it assumes: thirty scores give the 1 % quantile on average. */
static void test_few_scores_reach_beyond_the_largest(void **state) {
  (void)state;
  enum { N = 30, ROUNDS = 60 };
  double mean = 0.0;
  size_t beyond = 0;
  for (uint64_t round = 0; round < ROUNDS; round++) {
    double *scores = exponential(N, 100 + round);
    burl_threshold threshold = estimate(scores, N, 0.01, 1);
    mean += threshold.value / ROUNDS;
    beyond += threshold.value > scores[N - 1];
    free(scores);
  }
  assert_true(fabs(mean - (2.0 - log(0.01))) < 0.5);
  assert_true(beyond > ROUNDS / 2);
}

static void test_interval_holds_the_value_and_shrinks(void **state) {
  (void)state;
  static const size_t sizes[] = {20, 200, 2000};
  double width[3] = {0.0, 0.0, 0.0};
  for (size_t s = 0; s < 3; s++)
    for (uint64_t round = 0; round < 6; round++) {
      double *scores = exponential(sizes[s], 200 + round);
      burl_threshold threshold = estimate(scores, sizes[s], 0.01, round);
      assert_true(threshold.low <= threshold.value && threshold.value <= threshold.high);
      width[s] += threshold.high - threshold.low;
      free(scores);
    }
  assert_true(width[0] > 1.5 * width[1] && width[1] > 1.5 * width[2] && width[2] > 0.0);
}

/* Same scores in any order, same seed: same bits; another seed moves the interval alone. */
static void test_deterministic(void **state) {
  (void)state;
  enum { N = 25 };
  double *scores = exponential(N, 31), turned[N];
  for (size_t i = 0; i < N; i++)
    turned[i] = scores[N - 1 - i];
  burl_threshold a = estimate(scores, N, 0.01, 9), b = estimate(turned, N, 0.01, 9);
  assert_memory_equal(&a, &b, sizeof a);
  b = estimate(scores, N, 0.01, 10);
  assert_true(a.value == b.value);
  assert_true(a.low != b.low || a.high != b.high);
  free(scores);
}

static void test_without_memory(void **state) {
  (void)state;
  double scores[3] = {1.0, 2.0, 3.0};
  burl_threshold threshold = {1.0, 2.0, 3.0}, before = threshold;
  fail_allocation_after(0);
  burl_status status = burl_threshold_estimate(&threshold, scores, 3, 0.01, 1);
  stop_failing();
  assert_int_equal(status, BURL_ERR_MEMORY);
  assert_memory_equal(&threshold, &before, sizeof before);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_one_score),
      cmocka_unit_test(test_two_scores),
      cmocka_unit_test(test_equal_scores),
      cmocka_unit_test(test_equals_formula),
      cmocka_unit_test(test_falls_with_false_alarm),
      cmocka_unit_test(test_many_scores_give_the_quantile),
      cmocka_unit_test(test_few_scores_reach_beyond_the_largest),
      cmocka_unit_test(test_interval_holds_the_value_and_shrinks),
      cmocka_unit_test(test_deterministic),
      cmocka_unit_test(test_without_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
