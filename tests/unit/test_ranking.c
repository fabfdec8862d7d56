/* Ranking metrics: known values, naive twin, invariances, undefined and bad input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "reference/ref_metrics.h"
#include "unit/failing.h"

#include <burl/evaluate.h>

#include <float.h>
#include <math.h>
#include <string.h>

#define CLOSE 1e-12
#define MOST 300

static void assert_close(double found, double expected) {
  if (isnan(expected))
    assert_true(isnan(found));
  else
    assert_true(fabs(found - expected) <= CLOSE);
}

static void assert_same(const burl_ranking *found, const burl_ranking *expected) {
  assert_close(found->auroc, expected->auroc);
  assert_close(found->ap, expected->ap);
  assert_close(found->f1_max, expected->f1_max);
  assert_true(found->f1_threshold == expected->f1_threshold ||
              (isnan(found->f1_threshold) && isnan(expected->f1_threshold)));
}

static burl_ranking rank(const float *scores, const uint8_t *labels, size_t n) {
  burl_ranking found, expected;
  assert_int_equal(burl_evaluate_ranking(&found, scores, labels, n), BURL_OK);
  ref_ranking(&expected, scores, labels, n);
  assert_same(&found, &expected);
  return found;
}

static void test_by_hand(void **state) {
  (void)state;
  /* .8 beats all three good ones, .4 beats .2, ties with .4 and loses to .6 */
  const float scores[] = {0.4f, 0.2f, 0.8f, 0.4f, 0.6f};
  const uint8_t labels[] = {1, 0, 1, 0, 0};
  burl_ranking r = rank(scores, labels, 5);
  assert_close(r.auroc, (3 + 1.5) / 6);
  assert_close(r.ap, 0.5 + 0.5 * 0.5);
  assert_close(r.f1_max, 2.0 / 3);
  assert_true(r.f1_threshold == (double)0.8f); /* 2/3 at .4 as well: the higher one is given */
}

static void test_perfect_reversed_constant(void **state) {
  (void)state;
  float scores[MOST], reversed[MOST], constant[MOST] = {0};
  uint8_t labels[MOST];
  for (int i = 0; i < MOST; i++) {
    labels[i] = i % 3 == 0;
    scores[i] = labels[i] ? 1.0f + (float)i : -(float)i;
    reversed[i] = -scores[i];
  }
  burl_ranking r = rank(scores, labels, MOST);
  assert_true(r.auroc == 1 && r.ap == 1 && r.f1_max == 1 && r.f1_threshold == 1);
  r = rank(reversed, labels, MOST);
  assert_true(r.auroc == 0);
  r = rank(constant, labels, MOST);
  assert_true(r.auroc == 0.5);
  assert_close(r.ap, 1.0 / 3);
  assert_close(r.f1_max, 0.5);
}

static void test_random_and_tied(void **state) {
  (void)state;
  burl_random random = burl_random_start(11, 2);
  for (int round = 0; round < 300; round++) {
    float scores[MOST];
    uint8_t labels[MOST];
    size_t n = 1 + burl_random_below(&random, MOST);
    uint64_t levels = round % 2 ? 1 + burl_random_below(&random, 12) : 1u << 20;
    uint64_t share = burl_random_below(&random, 101);
    for (size_t i = 0; i < n; i++) {
      labels[i] = burl_random_below(&random, 100) < share;
      scores[i] = (float)burl_random_below(&random, levels) - 3.0f + (labels[i] ? 1.0f : 0.0f);
    }
    rank(scores, labels, n);
  }
}

static void test_one_class(void **state) {
  (void)state;
  const float scores[] = {2.0f, 1.0f, 3.0f};
  const uint8_t good[] = {0, 0, 0}, bad[] = {1, 255, 7};
  burl_ranking r = rank(scores, good, 3);
  assert_true(isnan(r.auroc) && isnan(r.ap) && isnan(r.f1_max) && isnan(r.f1_threshold));
  r = rank(scores, bad, 3);
  assert_true(isnan(r.auroc) && r.ap == 1 && r.f1_max == 1 && r.f1_threshold == 1);
  rank(scores, good, 1);
  rank(scores, bad, 1);
}

static void test_zeros_and_infinities(void **state) {
  (void)state;
  const float zeros[] = {-0.0f, 0.0f, -0.0f, 0.0f};
  const uint8_t labels[] = {1, 0, 0, 1};
  burl_ranking r = rank(zeros, labels, 4);
  assert_true(r.auroc == 0.5 && r.f1_threshold == 0);
  const float wide[] = {INFINITY, -INFINITY, FLT_MAX, -FLT_MAX, INFINITY, 0.0f};
  const uint8_t mixed[] = {1, 0, 1, 0, 0, 1};
  r = rank(wide, mixed, 6);
  assert_close(r.auroc, (2.5 + 2 + 2) / 9);
  const uint8_t lowest[] = {0, 1, 0, 0, 0, 0};
  r = rank(wide, lowest, 6);
  assert_true(r.auroc == 0 && r.f1_threshold == -(double)INFINITY);
}

/* Any rising map of the scores keeps the metrics and carries the threshold along. */
static void test_monotone_maps(void **state) {
  (void)state;
  float scores[MOST], cubed[MOST], shuffled[MOST];
  uint8_t labels[MOST], shuffled_labels[MOST];
  for (size_t i = 0; i < MOST; i++) {
    uint64_t bits = burl_random_at(1, 4, i);
    labels[i] = bits % 4 == 0;
    scores[i] = (float)((int)(bits >> 8 & 63) - 32 + 8 * labels[i]);
    cubed[i] = scores[i] * scores[i] * scores[i] * 0.125f;
    size_t to = i * 7 % MOST; /* 7 and 300 share no factor */
    shuffled[to] = scores[i];
    shuffled_labels[to] = labels[i];
  }
  burl_ranking r = rank(scores, labels, MOST), c = rank(cubed, labels, MOST);
  assert_true(r.auroc == c.auroc && r.ap == c.ap && r.f1_max == c.f1_max);
  assert_true(c.f1_threshold == r.f1_threshold * r.f1_threshold * r.f1_threshold * 0.125);
  burl_ranking s = rank(shuffled, shuffled_labels, MOST);
  assert_memory_equal(&r, &s, sizeof r);
}

static void test_bad_input(void **state) {
  (void)state;
  const float scores[] = {1.0f, 2.0f, NAN}, minus_nan[] = {copysignf(NAN, -1.0f)};
  const uint8_t labels[] = {1, 0, 0};
  burl_ranking r = {1, 2, 3, 4}, before = r;
  assert_int_equal(burl_evaluate_ranking(&r, scores, labels, 3), BURL_ERR_NUMERIC);
  assert_int_equal(burl_evaluate_ranking(&r, minus_nan, labels, 1), BURL_ERR_NUMERIC);
  assert_int_equal(burl_evaluate_ranking(&r, scores, labels, 0), BURL_ERR_DATA);
  assert_int_equal(burl_evaluate_ranking(&r, scores, labels, (size_t)1 << 32), BURL_ERR_SIZE);
  fail_allocation_after(0);
  burl_status status = burl_evaluate_ranking(&r, scores, labels, 2);
  stop_failing();
  assert_int_equal(status, BURL_ERR_MEMORY);
  assert_memory_equal(&r, &before, sizeof r);
  assert_int_equal(burl_evaluate_ranking(&r, scores, labels, 2), BURL_OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_by_hand),
      cmocka_unit_test(test_perfect_reversed_constant),
      cmocka_unit_test(test_random_and_tied),
      cmocka_unit_test(test_one_class),
      cmocka_unit_test(test_zeros_and_infinities),
      cmocka_unit_test(test_monotone_maps),
      cmocka_unit_test(test_bad_input),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
