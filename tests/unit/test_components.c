/* Components: against flood fill, on shapes that are awkward for runs, and with failing memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "reference/ref_metrics.h"
#include "shape/components.h"
#include "unit/failing.h"

#include <string.h>

#define MOST 4096

typedef struct canvas {
  uint8_t mask[MOST];
  uint32_t labels[MOST], expected[MOST];
} canvas;

static uint32_t compare(canvas *c, size_t height, size_t width) {
  uint32_t count = 77;
  memset(c->labels, 0xAB, sizeof c->labels);
  assert_int_equal(burl_components(c->labels, &count, c->mask, height, width), BURL_OK);
  assert_int_equal(count, ref_components(c->expected, c->mask, height, width));
  assert_memory_equal(c->labels, c->expected, height * width * sizeof *c->labels);
  for (size_t i = height * width; i < MOST; i++)
    assert_int_equal(c->labels[i], 0xABABABABu);
  return count;
}

/* Sets the mask from rows of '#' and '.'. */
static uint32_t compare_drawing(canvas *c, const char *rows, size_t height, size_t width) {
  for (size_t i = 0; i < height * width; i++)
    c->mask[i] = rows[i] == '#';
  return compare(c, height, width);
}

static void test_drawings(void **state) {
  (void)state;
  static canvas c;
  assert_int_equal(compare_drawing(&c, ".", 1, 1), 0);
  assert_int_equal(compare_drawing(&c, "#", 1, 1), 1);
  assert_int_equal(compare_drawing(&c, "#.#.##.#", 1, 8), 4);
  assert_int_equal(compare_drawing(&c, "#.##.#", 6, 1), 3);
  /* corners touch */
  assert_int_equal(compare_drawing(&c,
                                   "#...#"
                                   ".#.#."
                                   "....."
                                   "##..#"
                                   "..#.#",
                                   5, 5),
                   4);
  assert_int_equal(compare_drawing(&c,
                                   "#.#"
                                   ".#."
                                   "#.#",
                                   3, 3),
                   1);
  assert_int_equal(compare_drawing(&c,
                                   "##.."
                                   "..##",
                                   2, 4),
                   1);
  assert_int_equal(compare_drawing(&c,
                                   "..##"
                                   "##..",
                                   2, 4),
                   1);
  assert_int_equal(compare_drawing(&c,
                                   "##..."
                                   "...##",
                                   2, 5),
                   2);
  /* the end of a row does not touch the beginning of the next */
  assert_int_equal(compare_drawing(&c,
                                   "..#"
                                   "#..",
                                   2, 3),
                   2);
  /* arms that meet below, inside out; the first pixel numbers them */
  assert_int_equal(compare_drawing(&c,
                                   "#.#.#.#"
                                   "#.#.#.#"
                                   "#.###.#"
                                   "#.....#"
                                   "#######",
                                   5, 7),
                   2);
  assert_int_equal(compare_drawing(&c,
                                   "...#"
                                   ".#.."
                                   "#..#"
                                   "#..#"
                                   ".##.",
                                   5, 4),
                   2);
  assert_int_equal(compare_drawing(&c,
                                   "#####"
                                   "....#"
                                   "###.#"
                                   "#...#"
                                   "#####",
                                   5, 5),
                   1);
}

static void test_random_masks(void **state) {
  (void)state;
  static canvas c;
  burl_random random = burl_random_start(5, 1);
  static const uint8_t values[4] = {1, 255, 128, 2};
  for (int round = 0; round < 400; round++) {
    size_t height = 1 + burl_random_below(&random, 40), width = 1 + burl_random_below(&random, 100);
    uint64_t density = burl_random_below(&random, 101);
    for (size_t i = 0; i < height * width; i++)
      c.mask[i] = burl_random_below(&random, 100) < density ? values[burl_random_below(&random, 4)]
                                                            : (uint8_t)0;
    compare(&c, height, width);
  }
}

/* Many tiny regions: a grid of single pixels, every one a component in scan order. */
static void test_grid(void **state) {
  (void)state;
  static canvas c;
  memset(c.mask, 0, sizeof c.mask);
  for (size_t y = 0; y < 64; y += 2)
    for (size_t x = 0; x < 64; x += 2)
      c.mask[y * 64 + x] = 1;
  assert_int_equal(compare(&c, 64, 64), 32 * 32);
  assert_int_equal(c.labels[2 * 64 + 4], 32 + 3);
  memset(c.mask, 9, sizeof c.mask);
  assert_int_equal(compare(&c, 64, 64), 1);
}

static void test_sizes(void **state) {
  (void)state;
  static canvas c;
  memset(c.mask, 1, sizeof c.mask);
  memset(c.labels, 0xAB, sizeof c.labels);
  uint32_t count = 7;
  assert_int_equal(burl_components(c.labels, &count, c.mask, SIZE_MAX / 2, 3), BURL_ERR_SIZE);
  assert_int_equal(burl_components(c.labels, &count, c.mask, 1 << 16, 1 << 16), BURL_ERR_SIZE);
  assert_int_equal(count, 7);
  assert_int_equal(c.labels[0], 0xABABABABu);
  assert_int_equal(burl_components(c.labels, &count, c.mask, 0, 5), BURL_OK);
  assert_int_equal(count, 0);
  assert_int_equal(burl_components(c.labels, &count, c.mask, 5, 0), BURL_OK);
  assert_int_equal(count, 0);
  assert_int_equal(c.labels[0], 0xABABABABu);
}

static void test_failing_memory(void **state) {
  (void)state;
  static canvas c;
  memset(c.mask, 1, sizeof c.mask);
  memset(c.labels, 0xAB, sizeof c.labels);
  uint32_t count = 7;
  for (long i = 0;; i++) {
    fail_allocation_after(i);
    burl_status status = burl_components(c.labels, &count, c.mask, 64, 64);
    long made = stop_failing();
    if (status == BURL_OK) {
      assert_true(i > 0 && made <= i);
      break;
    }
    assert_int_equal(status, BURL_ERR_MEMORY);
    assert_int_equal(count, 7);
    assert_int_equal(c.labels[0], 0xABABABABu);
  }
  assert_int_equal(count, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_drawings),       cmocka_unit_test(test_random_masks),
      cmocka_unit_test(test_grid),           cmocka_unit_test(test_sizes),
      cmocka_unit_test(test_failing_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
