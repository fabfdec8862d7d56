/* Tilings: cores partition the image, regions add the halo, borders stay on the alignment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "image/tiles.h"
#include <stdlib.h>
#include <string.h>

static void check_region(const burl_tiling *t, const burl_rect *core, const burl_rect *region) {
  size_t top = core->y - region->y, left = core->x - region->x;
  size_t bottom = region->y + region->height - core->y - core->height;
  size_t right = region->x + region->width - core->x - core->width;
  size_t below = t->height - core->y - core->height, beside = t->width - core->x - core->width;
  assert_int_equal(top, core->y < t->halo ? core->y : t->halo);
  assert_int_equal(left, core->x < t->halo ? core->x : t->halo);
  assert_int_equal(bottom, below < t->halo ? below : t->halo);
  assert_int_equal(right, beside < t->halo ? beside : t->halo);
  assert_true(region->height <= t->core + 2 * t->halo);
  assert_true(region->width <= t->core + 2 * t->halo);
}

/* Every pixel is in one core, in row order; borders inside the image are multiples of 16. */
static void check(size_t height, size_t width, size_t core_side, size_t halo) {
  burl_tiling t = burl_tiling_of(height, width, core_side, halo);
  unsigned char *seen = calloc(height, width);
  assert_non_null(seen);
  assert_true(t.rows >= 1 && t.cols >= 1);
  for (size_t i = 0; i < t.rows * t.cols; i++) {
    burl_rect core, region;
    burl_tiling_get(&t, i, &core, &region);
    assert_true(core.height >= 1 && core.width >= 1);
    assert_true(core.y + core.height <= height && core.x + core.width <= width);
    assert_int_equal(core.y % 16 + core.x % 16 + region.y % 16 + region.x % 16, 0);
    for (size_t y = core.y; y < core.y + core.height; y++)
      for (size_t x = core.x; x < core.x + core.width; x++)
        assert_int_equal(seen[y * width + x]++, 0);
    check_region(&t, &core, &region);
  }
  for (size_t i = 0; i < height * width; i++)
    assert_int_equal(seen[i], 1);
  free(seen);
}

static void test_cores_partition_and_regions_have_halos(void **state) {
  (void)state;
  static const size_t sides[] = {1, 2, 31, 32, 33, 63, 64, 65, 95, 96, 97, 127, 128, 129, 200, 257};
  enum { SIDES = sizeof sides / sizeof *sides };
  for (size_t i = 0; i < SIDES; i++)
    for (size_t j = 0; j < SIDES; j++)
      check(sides[i], sides[j], 32, 16);
  check(100, 301, 16, 32); /* a halo wider than the core */
  check(77, 90, 32, 0);
  check(1, 3000, 1024, 128);
}

/* A side of up to core + 2 halo pixels is not cut, each side for itself. */
static void test_sides_that_fit_are_not_cut(void **state) {
  (void)state;
  burl_tiling t = burl_tiling_of(64, 65, 32, 16);
  assert_int_equal(t.rows, 1);
  assert_int_equal(t.cols, 3);
  burl_rect core, region;
  burl_tiling_get(&t, 0, &core, &region);
  assert_int_equal(core.height, 64);
  assert_int_equal(region.height, 64);
  assert_int_equal(core.width, 32);
  assert_int_equal(region.width, 48);
  t = burl_tiling_of(1, 64, 32, 16);
  assert_int_equal(t.rows * t.cols, 1);
  burl_tiling_get(&t, 0, &core, &region);
  assert_memory_equal(&core, &region, sizeof core);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_cores_partition_and_regions_have_halos),
      cmocka_unit_test(test_sides_that_fit_are_not_cut),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
