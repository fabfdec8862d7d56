#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "failing.h"
#include "num/fft.h"
#include "reference/ref_dft.h"

#include <math.h>
#include <stdlib.h>

static float *noise(size_t n, uint64_t seed) {
  float *x = malloc(n * sizeof *x);
  assert_non_null(x);
  burl_random random = burl_random_start(seed, 0);
  for (size_t i = 0; i < n; i++)
    x[i] = (float)burl_random_normal(&random);
  return x;
}

static void compare_with_reference(size_t rows, size_t cols) {
  size_t n = rows * cols, half = cols / 2 + 1;
  float *in = noise(n, n);
  double *re = malloc(n * sizeof *re), *im = malloc(n * sizeof *im);
  burl_complex *out = malloc(rows * half * sizeof *out);
  burl_fft *fft;
  assert_int_equal(burl_fft_new(&fft, rows, cols), BURL_OK);
  ref_dft(re, im, in, rows, cols);
  fail_allocation_after(-1);
  burl_fft_forward(fft, out, in);
  double tolerance = 2e-6 * sqrt((double)n) * (4.0 + log2((double)n));
  for (size_t k = 0; k < rows; k++)
    for (size_t l = 0; l < half; l++) {
      assert_true(fabs((double)out[k * half + l].re - re[k * cols + l]) < tolerance);
      assert_true(fabs((double)out[k * half + l].im - im[k * cols + l]) < tolerance);
    }
  float *back = malloc(n * sizeof *back);
  burl_fft_inverse(fft, back, out);
  for (size_t i = 0; i < n; i++)
    assert_true(fabs((double)back[i] - (double)in[i]) < 1e-5);
  assert_int_equal(stop_failing(), 1); /* `back` */
  burl_fft_free(fft);
  free(in);
  free(re);
  free(im);
  free(out);
  free(back);
}

static void test_transforms_are_those_written_down(void **state) {
  (void)state;
  const size_t size[][2] = {{1, 2}, {1, 30}, {2, 2}, {8, 6}, {9, 10}, {15, 4}, {25, 24}, {32, 20}};
  for (size_t i = 0; i < sizeof size / sizeof *size; i++)
    compare_with_reference(size[i][0], size[i][1]);
}

static void test_good_sizes(void **state) {
  (void)state;
  assert_int_equal(burl_fft_good_size(0), 2);
  assert_int_equal(burl_fft_good_size(7), 8);
  assert_int_equal(burl_fft_good_size(11), 12);
  assert_int_equal(burl_fft_good_size(62), 64);
  assert_int_equal(burl_fft_good_size(481), 486);
  assert_int_equal(burl_fft_good_size(8192), 8192);
  assert_int_equal(burl_fft_good_size(8193), 0);
  assert_int_equal(burl_fft_good_size(SIZE_MAX), 0);
}

static void test_sizes_that_cannot_be_are_refused(void **state) {
  (void)state;
  burl_fft *fft = NULL;
  const size_t size[][2] = {{0, 2}, {2, 0}, {7, 8}, {8, 14}, {4, 5}, {16384, 2}, {2, SIZE_MAX}};
  for (size_t i = 0; i < sizeof size / sizeof *size; i++)
    assert_int_equal(burl_fft_new(&fft, size[i][0], size[i][1]), BURL_ERR_ARGUMENT);
  assert_null(fft);
  burl_fft_free(NULL);
}

static void test_failing_allocations(void **state) {
  (void)state;
  for (long i = 0;; i++) {
    burl_fft *fft = NULL;
    fail_allocation_after(i);
    burl_status status = burl_fft_new(&fft, 6, 10);
    stop_failing();
    if (status == BURL_OK) {
      assert_true(i >= 7);
      burl_fft_free(fft);
      break;
    }
    assert_int_equal(status, BURL_ERR_MEMORY);
    assert_null(fft);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_transforms_are_those_written_down),
      cmocka_unit_test(test_good_sizes),
      cmocka_unit_test(test_sizes_that_cannot_be_are_refused),
      cmocka_unit_test(test_failing_allocations),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
