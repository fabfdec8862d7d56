/* Defects of a map: one for each thing, apart, ranked; and the same whatever the bad input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/failing.h"

#include <burl/detect_defects.h>

#include <math.h>
#include <string.h>

#define SIDE 128

static void add_spot(float *heat, double x, double y, double r, double peak) {
  for (size_t i = 0; i < SIDE * SIDE; i++) {
    double dx = (double)(i % SIDE) - x, dy = (double)(i / SIDE) - y;
    heat[i] += (float)(peak * exp(-log(2.0) * (dx * dx + dy * dy) / (r * r)));
  }
}

/* A broad spot, a narrow one, and a faint one below the threshold. */
static void draw(float *heat) {
  memset(heat, 0, SIDE * SIDE * sizeof *heat);
  add_spot(heat, 30, 40, 12, 4);
  add_spot(heat, 90, 100, 2, 2);
  add_spot(heat, 100, 20, 5, 0.8);
}

static void test_one_for_each(void **state) {
  (void)state;
  static float heat[SIDE * SIDE];
  draw(heat);
  for (int method = 0; method < BURL_SUPPRESS_COUNT; method++) {
    burl_detect_options options = burl_detect_default_options();
    options.suppress.method = (burl_suppress_method)method;
    burl_defects *d = NULL;
    assert_int_equal(burl_defects_new(&d, heat, SIDE, SIDE, &options), BURL_OK);
    assert_int_equal(burl_defects_get_count(d), 3);
    const burl_proposal *found = burl_defects_get(d);
    static const float at[3][2] = {{30, 40}, {90, 100}, {100, 20}};
    for (size_t i = 0; i < 3; i++) {
      assert_true(found[i].box.x0 <= at[i][0] && found[i].box.x1 > at[i][0]);
      assert_true(found[i].box.y0 <= at[i][1] && found[i].box.y1 > at[i][1]);
      size_t area = 0;
      for (size_t k = 0; k < found[i].span_count; k++)
        area += found[i].spans[k].end - found[i].spans[k].begin;
      assert_int_equal(area, found[i].area);
    }
    assert_true(fabs(found[0].score - 4) < 0.01 && fabs(found[1].score - 2) < 0.01);
    burl_defects_free(d);
  }
}

static void test_least(void **state) {
  (void)state;
  static float heat[SIDE * SIDE];
  draw(heat);
  burl_detect_options options = burl_detect_default_options();
  static const struct {
    double least;
    size_t count;
  } cases[] = {{0.5, 3}, {1, 2}, {2.5, 1}, {5, 0}};
  for (size_t i = 0; i < 4; i++) {
    burl_defects *d = NULL;
    options.least = cases[i].least;
    assert_int_equal(burl_defects_new(&d, heat, SIDE, SIDE, &options), BURL_OK);
    assert_int_equal(burl_defects_get_count(d), cases[i].count);
    burl_defects_free(d);
  }
}

static void test_bad_maps(void **state) {
  (void)state;
  static float heat[SIDE * SIDE];
  burl_detect_options options = burl_detect_default_options();
  static const float values[] = {0, NAN, -1, INFINITY, 1};
  static const size_t counts[] = {0, 0, 0, 1, 1};
  for (size_t v = 0; v < 5; v++)
    for (int method = 0; method < BURL_SUPPRESS_COUNT; method++) {
      burl_defects *d = NULL;
      options.suppress.method = (burl_suppress_method)method;
      for (size_t i = 0; i < SIDE * SIDE; i++)
        heat[i] = values[v];
      assert_int_equal(burl_defects_new(&d, heat, SIDE, SIDE, &options), BURL_OK);
      assert_int_equal(burl_defects_get_count(d), counts[v]);
      if (counts[v] > 0) assert_true(isfinite(burl_defects_get(d)->score));
      burl_defects_free(d);
    }
  burl_defects *d = NULL;
  options.suppress.iou = 7;
  assert_int_equal(burl_defects_new(&d, heat, SIDE, SIDE, &options), BURL_ERR_ARGUMENT);
  burl_defects_free(NULL);
}

static void test_failing_memory(void **state) {
  (void)state;
  static float heat[SIDE * SIDE];
  draw(heat);
  burl_detect_options options = burl_detect_default_options();
  for (long i = 0;; i++) {
    burl_defects *d = NULL;
    fail_allocation_after(i);
    burl_status status = burl_defects_new(&d, heat, SIDE, SIDE, &options);
    stop_failing();
    if (status == BURL_OK) {
      burl_defects_free(d);
      break;
    }
    assert_int_equal(status, BURL_ERR_MEMORY);
    assert_null(d);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_one_for_each),
      cmocka_unit_test(test_least),
      cmocka_unit_test(test_bad_maps),
      cmocka_unit_test(test_failing_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
