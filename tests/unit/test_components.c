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

/* Rows of '#' and '.', each ended by '/'. */
typedef struct drawing {
  const char *rows;
  uint32_t count;
} drawing;

static const drawing drawings[] = {
    {"./", 0},
    {"#/", 1},
    {"#.#.##.#/", 4},
    {"#/./#/#/./#/", 3},
    /* corners touch */
    {"#...#/.#.#./...../##..#/..#.#/", 4},
    {"#.#/.#./#.#/", 1},
    {"##../..##/", 1},
    {"..##/##../", 1},
    {"##.../...##/", 2},
    /* the end of a row does not touch the beginning of the next */
    {"..#/#../", 2},
    /* arms that meet below, one inside the other; the first pixel numbers them */
    {"#.#.#.#/#.#.#.#/#.###.#/#.....#/#######/", 2},
    {"...#/.#../#..#/#..#/.##./", 2},
    {"#####/....#/###.#/#...#/#####/", 1},
};

static void test_drawings(void **state) {
  (void)state;
  static canvas c;
  for (size_t d = 0; d < sizeof drawings / sizeof *drawings; d++) {
    size_t n = 0, height = 0;
    for (const char *at = drawings[d].rows; *at; at++) {
      if (*at == '/')
        height++;
      else
        c.mask[n++] = *at == '#';
    }
    assert_int_equal(compare(&c, height, n / height), drawings[d].count);
  }
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
