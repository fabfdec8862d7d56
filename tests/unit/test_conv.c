/* Convolutions and pooling against plain twins, at all sizes and ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "failing.h"
#include "num/winograd.h"
#include "reference/ref_conv.h"
#include <math.h>
#include <stdlib.h>

static float *numbers(size_t n, uint64_t seed) {
  float *made = malloc((n + 1) * sizeof *made);
  assert_non_null(made);
  burl_random random = burl_random_start(seed, n);
  for (size_t i = 0; i < n; i++)
    made[i] = (float)burl_random_normal(&random);
  return made;
}

static void compare(burl_conv *conv, size_t rows, size_t cols, const float *in,
                    const float *residual, int relu) {
  size_t n = burl_conv_extent(conv, rows) * burl_conv_extent(conv, cols) * conv->out;
  double *wanted = malloc(n * sizeof *wanted), largest = 1.0;
  float *out = numbers(n, 9), *scratch = numbers(burl_conv_scratch(conv), 10);
  assert_non_null(wanted);
  ref_conv(wanted, conv, in, rows, cols, residual, relu);
  fail_allocation_after(0); /* nothing is allocated */
  burl_conv_run(conv, out, in, rows, cols, residual, relu, scratch);
  assert_int_equal(stop_failing(), 0);
  for (size_t i = 0; i < n; i++)
    largest = fmax(largest, fabs(wanted[i]));
  for (size_t i = 0; i < n; i++)
    if (!(fabs((double)out[i] - wanted[i]) <= 1e-5 * largest))
      fail_msg("%zu x %zu, side %zu, stride %zu, %zu to %zu, at %zu: %g, not %g", rows, cols,
               conv->side, conv->stride, conv->in, conv->out, i, (double)out[i], wanted[i]);
  free(wanted);
  free(out);
  free(scratch);
}

/* Every way of running one: residual and relu in turn, products and Winograd. */
static void check(size_t rows, size_t cols, size_t in, size_t out, size_t side, size_t stride) {
  burl_conv conv = {.in = in, .out = out, .side = side, .stride = stride};
  float *weight = numbers(in * out * side * side, 1), *bias = numbers(out, 2);
  float *x = numbers(rows * cols * in, 3);
  conv.weight = weight, conv.bias = bias;
  size_t n = burl_conv_extent(&conv, rows) * burl_conv_extent(&conv, cols) * out;
  float *residual = numbers(n, 4);
  compare(&conv, rows, cols, x, NULL, 0);
  compare(&conv, rows, cols, x, residual, 1);
  if (side == 3 && stride == 1) {
    float *transformed = malloc(burl_winograd_weights_size(in, out) * sizeof *transformed);
    assert_non_null(transformed);
    burl_winograd_transform(transformed, weight, in, out);
    conv.transformed = transformed;
    compare(&conv, rows, cols, x, residual, 0);
    compare(&conv, rows, cols, x, NULL, 1);
    free(transformed);
  }
  free(weight);
  free(bias);
  free(x);
  free(residual);
}

static void equals_the_twin(void **state) {
  static const size_t sizes[][2] = {{1, 1}, {1, 9}, {5, 1}, {4, 4}, {7, 13}, {16, 33}};
  static const size_t kinds[][2] = {{1, 1}, {1, 2}, {3, 1}, {3, 2}, {7, 2}};
  static const size_t channels[][2] = {{1, 1}, {3, 8}, {8, 3}, {17, 24}};
  (void)state;
  for (size_t s = 0; s < 6; s++)
    for (size_t k = 0; k < 5; k++)
      for (size_t c = 0; c < 4; c++)
        check(sizes[s][0], sizes[s][1], channels[c][0], channels[c][1], kinds[k][0], kinds[k][1]);
}

/* More cells than a block has, and channels as networks have them. */
static void equals_the_twin_in_blocks(void **state) {
  (void)state;
  check(40, 41, 16, 16, 3, 1);
  check(61, 17, 64, 32, 3, 1);
  check(50, 50, 8, 16, 3, 2);
}

static void pools_the_largest(void **state) {
  static const size_t sizes[][3] = {{1, 1, 3}, {2, 3, 1}, {9, 8, 17}};
  (void)state;
  for (size_t s = 0; s < 3; s++) {
    size_t rows = sizes[s][0], cols = sizes[s][1], d = sizes[s][2];
    size_t high = (rows + 1) / 2, wide = (cols + 1) / 2;
    float *in = numbers(rows * cols * d, s), *out = numbers(high * wide * d, 7);
    burl_pool_largest(out, in, rows, cols, d);
    for (size_t i = 0; i < high * wide * d; i++) {
      size_t y = i / d / wide * 2, x = i / d % wide * 2;
      float largest = -INFINITY;
      for (size_t a = 0; a < rows; a++)
        for (size_t b = 0; b < cols; b++)
          if (a + 1 >= y && a <= y + 1 && b + 1 >= x && b <= x + 1)
            largest = fmaxf(largest, in[(a * cols + b) * d + i % d]);
      assert_true(out[i] == largest);
    }
    free(in);
    free(out);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(equals_the_twin),
                                     cmocka_unit_test(equals_the_twin_in_blocks),
                                     cmocka_unit_test(pools_the_largest)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
