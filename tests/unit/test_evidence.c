/* Intervals by resampling: limits that can be worked out, groups, threads, failing memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "evaluate/replicates.h"
#include "unit/evidence_case.h"
#include "unit/failing.h"

#include <burl/evaluate_evidence.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

static const burl_resampling options = {.level = 0.95, .seed = 3, .threads = 1};

static void assert_interval(const burl_interval *found, double low, double high, double tolerance) {
  assert_true(fabs(found->low - low) < tolerance && fabs(found->high - high) < tolerance);
}

/* Rates have the beta distribution: quantiles of beta(k, n-k+1/2) and beta(k+1/2, n-k). */
static void test_rates(void **state) {
  (void)state;
  burl_evidence *e = evidence();
  for (int i = 0; i < 7; i++)
    add(e, NULL, 2, 1, 0);
  for (int i = 0; i < 10; i++)
    add(e, NULL, i < 2 ? 1.5 : 0.5, 0, 0);
  assert_int_equal(burl_evidence_finish(e, NULL, NULL), BURL_OK);
  burl_interval intervals[BURL_MEASURE_COUNT];
  burl_resampling many = options;
  many.replicates = 20000;
  assert_int_equal(burl_evidence_intervals(e, intervals, &many), BURL_OK);
  assert_interval(&intervals[BURL_MEASURE_DETECTION], 0.68973, 1, 0.01);
  assert_interval(&intervals[BURL_MEASURE_FALSE_ALARM], 0.02660, 0.52254, 0.01);
  assert_true(burl_evidence_get_value(e, BURL_MEASURE_DETECTION) == 1);
  assert_true(burl_evidence_get_value(e, BURL_MEASURE_FALSE_ALARM) == 0.2);
  assert_true(isnan(intervals[BURL_MEASURE_PIXEL_AP].low));
  burl_evidence_free(e);
}

/* What the bins lose is little beside what resampling moves. */
static void test_bins(void **state) {
  (void)state;
  burl_evidence *e = draw(1, 12, 9, 0.8);
  burl_clusters clusters = {0};
  burl_replicates r = {0};
  assert_int_equal(burl_clusters_make(&clusters, e, NULL, 21), BURL_OK);
  assert_int_equal(burl_replicates_make(&r, e, &clusters.drawing, 100, 1, 1), BURL_OK);
  for (int i = 0; i < BURL_MEASURE_COUNT; i++) {
    double exact = burl_evidence_get_value(e, (burl_measure)i);
    if (i == BURL_MEASURE_AUSPRO) assert_true(isnan(exact) && isnan(r.point[i]));
    double most = i < BURL_MEASURE_PIXEL_AUROC ? 1e-12 : i == BURL_MEASURE_AUPIMO ? 0.05 : 0.004;
    if (i != BURL_MEASURE_AUSPRO) assert_true(fabs(exact - r.point[i]) < most);
  }
  burl_replicates_free(&r);
  burl_clusters_free(&clusters);
  burl_evidence_free(e);
}

static void test_intervals(void **state) {
  (void)state;
  burl_evidence *few = draw(2, 10, 4, 0.5), *many = draw(3, 80, 60, 0.5);
  burl_interval a[BURL_MEASURE_COUNT], b[BURL_MEASURE_COUNT], c[BURL_MEASURE_COUNT];
  burl_resampling two = options;
  two.threads = 3;
  assert_int_equal(burl_evidence_intervals(few, a, &options), BURL_OK);
  assert_int_equal(burl_evidence_intervals(many, b, &options), BURL_OK);
  assert_int_equal(burl_evidence_intervals(few, c, &two), BURL_OK);
  assert_memory_equal(a, c, sizeof a);
  for (int i = 0; i < BURL_MEASURE_COUNT; i++) {
    double exact = burl_evidence_get_value(many, (burl_measure)i);
    if (isnan(exact)) continue;
    assert_true(0 <= b[i].low && b[i].low <= exact && exact <= b[i].high && b[i].high <= 1);
    assert_true(a[i].high - a[i].low > b[i].high - b[i].low);
  }
  burl_evidence_free(few);
  burl_evidence_free(many);
}

/* Twelve photographs cut in ten say less than 120 photographs. */
static void test_groups(void **state) {
  (void)state;
  burl_random random = burl_random_start(4, 0);
  burl_evidence *single = evidence(), *grouped = evidence();
  for (int g = 0; g < 12; g++) {
    char group[8];
    snprintf(group, sizeof group, "g%d", g % 6 + 6 * (g / 6));
    double level = burl_random_normal(&random) + (g >= 6 ? 1.5 : 0);
    for (int i = 0; i < 10; i++) {
      add(single, "", level, g >= 6, 0);
      add(grouped, group, level, g >= 6, 0);
    }
  }
  burl_interval a[BURL_MEASURE_COUNT], b[BURL_MEASURE_COUNT];
  assert_int_equal(burl_evidence_finish(single, NULL, NULL), BURL_OK);
  assert_int_equal(burl_evidence_finish(grouped, NULL, NULL), BURL_OK);
  assert_int_equal(burl_evidence_intervals(single, a, &options), BURL_OK);
  assert_int_equal(burl_evidence_intervals(grouped, b, &options), BURL_OK);
  double narrow = a[0].high - a[0].low, wide = b[0].high - b[0].low;
  assert_true(wide > 1.5 * narrow);
  burl_evidence_free(single);
  burl_evidence_free(grouped);
}

static void test_one_class(void **state) {
  (void)state;
  for (int defective = 0; defective < 2; defective++) {
    burl_evidence *e = draw(6, defective ? 0 : 3, defective ? 1 : 0, 1);
    burl_interval a[BURL_MEASURE_COUNT];
    assert_int_equal(burl_evidence_intervals(e, a, &options), BURL_OK);
    assert_true(isnan(a[BURL_MEASURE_IMAGE_AUROC].low) && isnan(a[BURL_MEASURE_IMAGE_AUROC].high));
    assert_true(isnan(a[BURL_MEASURE_DETECTION].low) == !defective);
    assert_true(isnan(a[BURL_MEASURE_FALSE_ALARM].low) == defective);
    assert_true(isnan(a[BURL_MEASURE_AUPRO_030].low) == !defective);
    burl_evidence_free(e);
  }
}

static void test_refusals(void **state) {
  (void)state;
  burl_evidence *e = evidence();
  const burl_evidence_image nan = {.name = "a", .score = NAN};
  assert_int_equal(burl_evidence_add(e, &nan), BURL_ERR_NUMERIC);
  assert_int_equal(burl_evidence_finish(e, NULL, NULL), BURL_ERR_DATA);
  add(e, NULL, 1, 1, 1);
  assert_int_equal(burl_evidence_finish(e, NULL, NULL), BURL_ERR_ARGUMENT);
  burl_evidence_free(e);
  e = draw(7, 2, 2, 1);
  const burl_resampling wrong[] = {{.level = 1, .threads = 1},
                                   {.level = 0, .threads = 1},
                                   {.level = 0.9, .threads = 0},
                                   {.level = 0.9, .threads = 1, .replicates = 99}};
  burl_interval a[BURL_MEASURE_COUNT];
  for (int i = 0; i < 4; i++)
    assert_int_equal(burl_evidence_intervals(e, a, &wrong[i]), BURL_ERR_ARGUMENT);
  burl_evidence_free(e);
  assert_string_equal(burl_measure_get_key(BURL_MEASURE_AUPRO_005), "aupro_0.05");
  assert_string_equal(burl_measure_get_name(BURL_MEASURE_COUNT), "?");
}

static void test_failing_memory(void **state) {
  (void)state;
  burl_evidence *e = draw(8, 3, 3, 1);
  burl_interval a[BURL_MEASURE_COUNT];
  burl_status status = BURL_ERR_MEMORY;
  for (int after = 0; status != BURL_OK; after++) {
    fail_allocation_after(after);
    status = burl_evidence_intervals(e, a, &options);
    stop_failing();
    assert_true(status == BURL_OK || status == BURL_ERR_MEMORY);
  }
  burl_evidence_free(e);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_rates),          cmocka_unit_test(test_bins),
      cmocka_unit_test(test_intervals),      cmocka_unit_test(test_groups),
      cmocka_unit_test(test_one_class),      cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_failing_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
