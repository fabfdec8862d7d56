/* The pyramid against its definition, at every small size and on images that it must keep. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "encode/pyramid.h"
#include "reference/ref_texture.h"
#include <math.h>
#include <stdlib.h>

static float *random_plane(size_t count, uint64_t seed) {
  float *plane = malloc(count * sizeof *plane);
  assert_non_null(plane);
  burl_random random = burl_random_start(seed, 1);
  for (size_t i = 0; i < count; i++)
    plane[i] = (float)burl_random_normal(&random);
  return plane;
}

static float *plane_of(size_t count) {
  float *plane = malloc(count * sizeof *plane);
  assert_non_null(plane);
  return plane;
}

static void assert_plane(const float *got, const double *expected, size_t h, size_t w,
                         const char *what) {
  for (size_t i = 0; i < h * w; i++)
    if (!(fabs((double)got[i] - expected[i]) < 2e-6))
      fail_msg("%s to %zu x %zu: %.9g at (%zu,%zu), expected %.9g", what, h, w, (double)got[i],
               i / w, i % w, expected[i]);
}

/* Buffers of exactly the documented sizes, so that a sanitizer sees any step outside. */
static void check_size(size_t h, size_t w) {
  size_t oh = (h + 1) / 2, ow = (w + 1) / 2;
  float *in = random_plane(h * w, h * 1000 + w), *row = plane_of(w + 4), *down = plane_of(oh * ow);
  double *expected = malloc(h * w * sizeof *expected);
  assert_non_null(expected);
  burl_pyramid_down(down, row, in, h, w);
  ref_pyramid_down(expected, in, h, w);
  assert_plane(down, expected, oh, ow, "down");
  burl_pyramid_up(in, down, h, w);
  ref_pyramid_up(expected, down, h, w);
  assert_plane(in, expected, h, w, "up");
  free(in);
  free(row);
  free(down);
  free(expected);
}

static void test_equals_definition(void **state) {
  (void)state;
  for (size_t h = 1; h <= 18; h++)
    for (size_t w = 1; w <= 18; w++)
      check_size(h, w);
  check_size(61, 130);
  check_size(97, 64);
}

/* A constant stays one, to the last bit: the weights are dyadic and add up to 1. */
static void test_keeps_constants(void **state) {
  (void)state;
  enum { H = 13, W = 22 };
  float in[H * W], row[W + 4], down[7 * 11], up[H * W];
  for (size_t i = 0; i < H * W; i++)
    in[i] = 0.40625f;
  burl_pyramid_down(down, row, in, H, W);
  for (size_t i = 0; i < 7 * 11; i++)
    assert_true(down[i] == 0.40625f);
  burl_pyramid_up(up, down, H, W);
  for (size_t i = 0; i < H * W; i++)
    assert_true(up[i] == 0.40625f);
}

/* Sample (y,x) of a level lies at (2y,2x) of the one below: a plane keeps its place, away from
 * borders. */
static void test_keeps_ramps_registered(void **state) {
  (void)state;
  enum { H = 20, W = 31, OH = 10, OW = 16 };
  float in[H * W], row[W + 4], down[OH * OW], up[H * W];
  for (size_t y = 0; y < H; y++)
    for (size_t x = 0; x < W; x++)
      in[y * W + x] = (float)(3 * y) + (float)x;
  burl_pyramid_down(down, row, in, H, W);
  for (size_t y = 1; y + 1 < OH; y++)
    for (size_t x = 1; x + 1 < OW; x++)
      assert_true(fabsf(down[y * OW + x] - (float)(6 * y + 2 * x)) < 1e-4f);
  burl_pyramid_up(up, down, H, W);
  for (size_t y = 2; y + 3 < H; y++)
    for (size_t x = 2; x + 3 < W; x++)
      assert_true(fabsf(up[y * W + x] - in[y * W + x]) < 1e-4f);
}

/* Mirrored input, mirrored output, for odd sizes, where the grid of the next level is symmetric. */
static void test_has_no_preferred_side(void **state) {
  (void)state;
  enum { H = 15, W = 21, OH = 8, OW = 11 };
  float *in = random_plane(H * W, 5), turned[H * W], row[W + 4], a[OH * OW], b[OH * OW];
  for (size_t i = 0; i < H * W; i++)
    turned[i] = in[H * W - 1 - i];
  burl_pyramid_down(a, row, in, H, W);
  burl_pyramid_down(b, row, turned, H, W);
  for (size_t i = 0; i < OH * OW; i++)
    assert_true(fabsf(a[i] - b[OH * OW - 1 - i]) < 1e-6f);
  free(in);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_equals_definition),
      cmocka_unit_test(test_keeps_constants),
      cmocka_unit_test(test_keeps_ramps_registered),
      cmocka_unit_test(test_has_no_preferred_side),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
