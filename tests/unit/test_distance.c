/* Distance transforms: against all pairs of pixels, on edges, and with failing memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <burl/shape_distance.h>

#include "base/random.h"
#include "reference/ref_shape.h"
#include "unit/failing.h"

#include <math.h>
#include <string.h>

#define MOST 2048

typedef struct canvas {
  uint8_t mask[MOST];
  double got[MOST + 1], expected[MOST], inner[MOST];
} canvas;

static void compare(canvas *c, size_t height, size_t width) {
  size_t n = height * width;
  c->got[n] = 77;
  ref_distance(c->expected, c->mask, height, width, 1);
  assert_int_equal(burl_shape_distance(c->got, c->mask, height, width), BURL_OK);
  assert_memory_equal(c->got, c->expected, n * sizeof *c->got);
  ref_distance(c->inner, c->mask, height, width, 0);
  assert_int_equal(burl_shape_signed_distance(c->got, c->mask, height, width), BURL_OK);
  for (size_t i = 0; i < n; i++) {
    double expected = c->mask[i] ? 0.5 - sqrt(c->inner[i]) : sqrt(c->expected[i]) - 0.5;
    assert_memory_equal(&c->got[i], &expected, sizeof expected);
  }
  assert_true(c->got[n] == 77);
}

static void test_random_masks(void **state) {
  (void)state;
  static canvas c;
  burl_random random = burl_random_start(11, 1);
  for (int round = 0; round < 300; round++) {
    size_t height = 1 + burl_random_below(&random, 24), width = 1 + burl_random_below(&random, 40);
    /* from a few pixels in all to nearly all pixels */
    uint64_t rare = burl_random_below(&random, 2) ? 4 : 1000;
    uint64_t most = burl_random_below(&random, rare);
    for (size_t i = 0; i < height * width; i++)
      c.mask[i] = burl_random_below(&random, rare) <= most / 8 ? (uint8_t)255 : (uint8_t)0;
    compare(&c, height, width);
    for (size_t i = 0; i < height * width; i++)
      c.mask[i] = !c.mask[i];
    compare(&c, height, width);
  }
}

static void test_lone_pixels(void **state) {
  (void)state;
  static canvas c;
  static const size_t sizes[][2] = {{1, 1}, {1, 9}, {9, 1}, {2, 2}, {7, 5}};
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
    for (size_t at = 0; at < sizes[s][0] * sizes[s][1]; at++) {
      memset(c.mask, 0, sizeof c.mask);
      c.mask[at] = 1;
      compare(&c, sizes[s][0], sizes[s][1]);
    }
}

/* Without an outline there is no distance. */
static void test_no_outline(void **state) {
  (void)state;
  static canvas c;
  memset(c.mask, 0, sizeof c.mask);
  assert_int_equal(burl_shape_distance(c.got, c.mask, 4, 5), BURL_OK);
  assert_true(isinf(c.got[0]) && isinf(c.got[19]));
  assert_int_equal(burl_shape_signed_distance(c.got, c.mask, 4, 5), BURL_OK);
  assert_true(isinf(c.got[0]) && c.got[19] > 0);
  memset(c.mask, 1, sizeof c.mask);
  assert_int_equal(burl_shape_signed_distance(c.got, c.mask, 4, 5), BURL_OK);
  assert_true(isinf(c.got[0]) && c.got[19] < 0);
}

/* A disc far from the border: within the error of its pixels the distance to the circle. */
static void test_disc(void **state) {
  (void)state;
  enum { side = 81 };
  static uint8_t mask[side * side];
  static double distance[side * side];
  for (int i = 0; i < side * side; i++)
    mask[i] = hypot(i / side - 40, i % side - 40) <= 20.5;
  assert_int_equal(burl_shape_signed_distance(distance, mask, side, side), BURL_OK);
  for (int i = 0; i < side * side; i++)
    assert_true(fabs(distance[i] - (hypot(i / side - 40, i % side - 40) - 20.5)) < 0.75);
}

static void test_sizes(void **state) {
  (void)state;
  double distance = 7;
  uint8_t mask = 1;
  assert_int_equal(burl_shape_distance(&distance, &mask, (size_t)1 << 30, 1), BURL_ERR_SIZE);
  assert_int_equal(burl_shape_signed_distance(&distance, &mask, 1, SIZE_MAX), BURL_ERR_SIZE);
  assert_int_equal(burl_shape_distance(&distance, &mask, 0, 3), BURL_OK);
  assert_int_equal(burl_shape_signed_distance(&distance, &mask, 3, 0), BURL_OK);
  assert_true(distance == 7);
}

static void test_failing_memory(void **state) {
  (void)state;
  static canvas c;
  memset(c.mask, 1, sizeof c.mask);
  c.mask[3] = 0;
  for (int which = 0; which < 2; which++) {
    c.got[0] = 7;
    fail_allocation_after(0);
    burl_status status = which ? burl_shape_signed_distance(c.got, c.mask, 20, 20)
                               : burl_shape_distance(c.got, c.mask, 20, 20);
    stop_failing();
    assert_int_equal(status, BURL_ERR_MEMORY);
    assert_true(c.got[0] == 7);
    fail_allocation_after(1); /* one allocation is all it takes */
    status = which ? burl_shape_signed_distance(c.got, c.mask, 20, 20)
                   : burl_shape_distance(c.got, c.mask, 20, 20);
    stop_failing();
    assert_int_equal(status, BURL_OK);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_random_masks), cmocka_unit_test(test_lone_pixels),
      cmocka_unit_test(test_no_outline),   cmocka_unit_test(test_disc),
      cmocka_unit_test(test_sizes),        cmocka_unit_test(test_failing_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
