/* AU-sPRO of cases made by hand, and AUPIMO against a plain twin. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "unit/failing.h"

#include <burl/evaluate_saturation.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CLOSE 1e-12

static burl_pixel_evaluator *evaluator(void) {
  burl_pixel_evaluator *self = NULL;
  assert_int_equal(burl_pixel_evaluator_new(&self), BURL_OK);
  return self;
}

static burl_pixel_metrics finish(burl_pixel_evaluator *self) {
  burl_pixel_metrics metrics;
  assert_int_equal(burl_pixel_evaluator_compute(self, &metrics, NULL, 0), BURL_OK);
  burl_pixel_evaluator_free(self);
  return metrics;
}

/* Ten good pixels 1..10, a region of four pixels of which two are enough. */
static void test_by_hand(void **state) {
  (void)state;
  const float heat[14] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 9.5f, 8.5f, 0, 0};
  const uint8_t mask[14] = {[10] = 1, [11] = 1, [12] = 1, [13] = 1};
  for (uint64_t saturation = 1; saturation <= 4; saturation++) {
    burl_pixel_evaluator *self = evaluator();
    assert_int_equal(burl_pixel_evaluator_set_limit(self, 1), BURL_OK);
    const burl_saturated_region region = {.mask = mask, .saturation = saturation};
    assert_int_equal(burl_pixel_evaluator_add_saturated(self, heat, 1, 14, &region, 1), BURL_OK);
    burl_pixel_metrics m = finish(self);
    /* fpr .1: the first is found; fpr .2: the second; fpr 1: the others */
    const double overlap[5][3] = {{0}, {1, 1, 1}, {0.5, 1, 1}, {1 / 3., 2 / 3., 1}, {.25, .5, 1}};
    const double *o = overlap[saturation];
    /* (0,0)-(.1,0)|(.1,o0)-(.2,o0)|(.2,o1)-(1,o1)|(1,o2) */
    assert_true(fabs(m.auspro - (0.1 * o[0] + 0.8 * o[1])) < CLOSE);
    assert_true(fabs(m.auspro_030 - (0.1 * o[0] + 0.1 * o[1]) / 0.3) < CLOSE);
    assert_true(m.auspro_005 == 0);
    assert_true(fabs(m.aupro - (0.1 * 0.25 + 0.8 * 0.5)) < CLOSE);
  }
}

/* Overlapping regions of one image, a good image, ties across the saturation. */
static void test_overlapping(void **state) {
  (void)state;
  const float heat[6] = {5, 5, 5, 1, 2, 0}, good[2] = {5, 0};
  const uint8_t a[6] = {1, 1, 1, 0, 0, 0}, b[6] = {0, 0, 1, 1, 0, 0}, none[2] = {0, 0};
  const burl_saturated_region regions[2] = {{a, 2}, {b, 1}};
  burl_pixel_evaluator *self = evaluator();
  assert_int_equal(burl_pixel_evaluator_set_limit(self, 1), BURL_OK);
  assert_int_equal(burl_pixel_evaluator_add_saturated(self, heat, 2, 3, regions, 2), BURL_OK);
  assert_int_equal(burl_pixel_evaluator_add(self, good, none, 1, 2), BURL_OK);
  burl_pixel_metrics m = finish(self);
  assert_int_equal(m.defect_pixels, 4);
  /* good pixels 5 2 0 0: at 5 both are found with fpr 1/4, one slanted step from (0,0) */
  assert_true(fabs(m.auspro - (0.25 * 0.5 + 0.75)) < CLOSE);
}

static void test_refusals(void **state) {
  (void)state;
  const float heat[4] = {1, 2, 3, 4};
  const uint8_t mask[4] = {0, 0, 1, 1}, none[4] = {0};
  burl_pixel_evaluator *self = evaluator();
  const burl_saturated_region wrong[] = {{mask, 0}, {mask, 3}, {none, 1}};
  for (int i = 0; i < 3; i++)
    assert_int_equal(burl_pixel_evaluator_add_saturated(self, heat, 2, 2, &wrong[i], 1),
                     BURL_ERR_ARGUMENT);
  assert_int_equal(burl_pixel_evaluator_set_limit(self, 0), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_pixel_evaluator_set_limit(self, 1.01), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_pixel_evaluator_set_limit(self, (double)NAN), BURL_ERR_ARGUMENT);
  const burl_saturated_region right = {mask, 1};
  burl_status status = BURL_ERR_MEMORY;
  for (int after = 0; status != BURL_OK; after++) {
    fail_allocation_after(after);
    status = burl_pixel_evaluator_add_saturated(self, heat, 2, 2, &right, 1);
    stop_failing();
    assert_true(status == BURL_OK || status == BURL_ERR_MEMORY);
  }
  /* a mask without saturations leaves the metric open */
  assert_int_equal(burl_pixel_evaluator_add(self, heat, mask, 2, 2), BURL_OK);
  burl_pixel_metrics m = finish(self);
  assert_int_equal(m.pixels, 8);
  assert_true(isnan(m.auspro) && isnan(m.auspro_030) && isnan(m.auspro_005));
}

#define SIDE 220
#define IMAGES 6

/* The false positive rate at every defect pixel by counting. */
static double twin(float heat[IMAGES][SIDE * SIDE], uint8_t mask[IMAGES][SIDE * SIDE],
                   const size_t *heights) {
  double total = 0;
  int bad_images = 0, good_images = 0;
  for (int i = 0; i < IMAGES; i++)
    good_images += i % 2 == 0;
  for (int i = 1; i < IMAGES; i += 2) {
    double sum = 0, pixels = 0;
    for (size_t p = 0; p < heights[i] * SIDE; p++) {
      if (!mask[i][p]) continue;
      double rate = 0;
      for (int g = 0; g < IMAGES; g += 2) {
        size_t above = 0, n = heights[g] * SIDE;
        for (size_t q = 0; q < n; q++)
          above += heat[g][q] >= heat[i][p];
        rate += (double)above / (double)n / good_images;
      }
      pixels++;
      sum += fmin(1, fmax(0, log10(1e-4 / fmax(rate, 1e-5))));
    }
    total += sum / pixels;
    bad_images++;
  }
  return total / bad_images;
}

static void test_pimo(void **state) {
  (void)state;
  static float heat[IMAGES][SIDE * SIDE];
  static uint8_t mask[IMAGES][SIDE * SIDE];
  const size_t heights[IMAGES] = {SIDE, SIDE, SIDE / 2, SIDE, SIDE - 3, 40};
  burl_random random = burl_random_start(5, 0);
  burl_pixel_evaluator *self = evaluator();
  for (int i = 0; i < IMAGES; i++) {
    for (size_t p = 0; p < heights[i] * SIDE; p++) {
      mask[i][p] = i % 2 && p % 997 < 3;
      heat[i][p] = (float)burl_random_normal(&random) + (mask[i][p] ? 4.0f : 0.0f);
      if (i % 3 == 0) heat[i][p] = roundf(heat[i][p] * 20) / 20; /* ties */
    }
    assert_int_equal(burl_pixel_evaluator_add(self, heat[i], mask[i], heights[i], SIDE), BURL_OK);
  }
  burl_pixel_metrics m = finish(self);
  double expected = twin(heat, mask, heights);
  assert_true(expected > 0.1 && expected < 0.9);
  assert_true(fabs(m.aupimo - expected) < CLOSE);
}

static void test_pimo_undefined(void **state) {
  (void)state;
  const float heat[4] = {1, 2, 3, 4};
  const uint8_t some[4] = {0, 0, 1, 1}, none[4] = {0};
  burl_pixel_evaluator *self = evaluator();
  assert_int_equal(burl_pixel_evaluator_add(self, heat, some, 2, 2), BURL_OK);
  assert_true(isnan(finish(self).aupimo)); /* no good image */
  self = evaluator();
  assert_int_equal(burl_pixel_evaluator_add(self, heat, none, 2, 2), BURL_OK);
  assert_true(isnan(finish(self).aupimo)); /* no defect */
  self = evaluator();
  assert_int_equal(burl_pixel_evaluator_add(self, heat, none, 2, 2), BURL_OK);
  assert_int_equal(burl_pixel_evaluator_add(self, heat, some, 2, 2), BURL_OK);
  assert_true(finish(self).aupimo == 0); /* the lower of 3 and 4 ties or lies below */
}

static burl_status parse(burl_saturations **rules, const char *text, burl_diag *diag) {
  return burl_saturations_parse(rules, text, strlen(text), "config", diag);
}

#define RULE(value, amount, relative)                                                              \
  "{\"defect_name\":\"a\",\"pixel_value\":" value ",\"saturation_threshold\":" amount              \
  ",\"relative_saturation\":" relative "}"

static void test_rules(void **state) {
  (void)state;
  burl_saturations *rules = NULL;
  assert_int_equal(
      parse(&rules, "[" RULE("255", "0.5", "true") "," RULE("7", "30", "false") "]", NULL),
      BURL_OK);
  assert_int_equal(burl_saturations_get(rules, 255, 9), 4);
  assert_int_equal(burl_saturations_get(rules, 255, 1), 1);
  assert_int_equal(burl_saturations_get(rules, 7, 100), 30);
  assert_int_equal(burl_saturations_get(rules, 7, 20), 20);
  assert_int_equal(burl_saturations_get(rules, 8, 20), 0);
  assert_int_equal(burl_saturations_get(rules, -1, 20) + burl_saturations_get(rules, 256, 20), 0);
  /* two regions by their values, as by hand */
  const float heat[8] = {5, 4, 3, 2, 6, 1, 0, 9};
  const uint8_t values[8] = {255, 255, 0, 0, 7, 7, 255, 0}, wrong[8] = {3};
  const uint8_t a[8] = {1, 1, 0, 0, 0, 0, 1}, b[8] = {0, 0, 0, 0, 1, 1};
  const burl_saturated_region regions[2] = {{b, 2}, {a, 1}};
  burl_pixel_evaluator *one = evaluator(), *two = evaluator();
  int value = 0;
  assert_int_equal(burl_saturations_add(rules, one, heat, values, 2, 4, &value), BURL_OK);
  assert_int_equal(burl_pixel_evaluator_add_saturated(two, heat, 2, 4, regions, 2), BURL_OK);
  assert_int_equal(burl_saturations_add(rules, one, heat, wrong, 2, 4, &value), BURL_ERR_DATA);
  assert_int_equal(value, 3);
  burl_pixel_metrics x = finish(one), y = finish(two);
  assert_true(x.auspro == y.auspro && x.auspro_030 == y.auspro_030 && x.aupro == y.aupro);
  burl_saturations_free(rules);
}

static void test_wrong_rules(void **state) {
  (void)state;
  static const char *const texts[] = {"",
                                      "{}",
                                      "[]",
                                      "[1]",
                                      "[" RULE("0", "1", "true") "]",
                                      "[" RULE("256", "1", "true") "]",
                                      "[" RULE("1", "0", "true") "]",
                                      "[" RULE("1", "1.5", "true") "]",
                                      "[" RULE("1", "1", "1") "]",
                                      "[" RULE("1.5", "1", "true") "]",
                                      "[" RULE("1", "1", "true") "," RULE("1", "1", "true") "]"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    burl_saturations *rules = NULL;
    burl_diag diag = {0};
    assert_int_equal(parse(&rules, texts[i], &diag), BURL_ERR_FORMAT);
    assert_true(!rules && diag.reason[0] && diag.hint[0]);
  }
  burl_saturations *rules = NULL;
  burl_diag diag = {0};
  assert_int_equal(burl_saturations_load(&rules, "/nowhere/config", &diag), BURL_ERR_IO);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_by_hand),        cmocka_unit_test(test_overlapping),
      cmocka_unit_test(test_refusals),       cmocka_unit_test(test_pimo),
      cmocka_unit_test(test_pimo_undefined), cmocka_unit_test(test_rules),
      cmocka_unit_test(test_wrong_rules),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
