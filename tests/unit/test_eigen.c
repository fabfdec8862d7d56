/* num/eigen.h: the decomposition gives the matrix back, known spectra, signs, bad input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "num/eigen.h"
#include "unit/failing.h"

#include <math.h>
#include <string.h>

#define MOST 60

static double M[MOST * MOST], V[MOST * MOST], lambda[MOST];

static void random_symmetric(double *matrix, size_t n, double scale, uint64_t seed) {
  burl_random random = burl_random_start(seed, n);
  for (size_t i = 0; i < n; i++)
    for (size_t j = i; j < n; j++)
      matrix[i * n + j] = matrix[j * n + i] = scale * burl_random_normal(&random);
}

/* V^T diag(lambda) V = M, V V^T = 1, ascending, sign rule. */
static void check_decomposition(const double *matrix, size_t n, double scale) {
  for (size_t i = 0; i < n; i++) {
    double largest = 0.0;
    for (size_t j = 0; j < n; j++) {
      double entry = 0.0, dot = 0.0;
      for (size_t k = 0; k < n; k++) {
        entry += V[k * n + i] * lambda[k] * V[k * n + j];
        dot += V[i * n + k] * V[j * n + k];
      }
      assert_true(fabs(entry - matrix[i * n + j]) <= 1e-13 * scale * (double)n);
      assert_true(fabs(dot - (i == j)) <= 1e-13 * (double)n);
      if (fabs(V[i * n + j]) > fabs(largest)) largest = V[i * n + j];
    }
    assert_true(largest > 0.0);
    if (i > 0) assert_true(lambda[i] >= lambda[i - 1]);
  }
}

static void gives_the_matrix_back(void **state) {
  (void)state;
  static const size_t sizes[] = {1, 2, 3, 10, 33, 60};
  static const double scales[] = {1e-150, 1e-6, 1.0, 1e150};
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
    for (size_t k = 0; k < sizeof scales / sizeof *scales; k++) {
      size_t n = sizes[s];
      random_symmetric(M, n, scales[k], 5 + s);
      assert_int_equal(burl_num_symmetric_eigen(lambda, V, M, n), BURL_OK);
      check_decomposition(M, n, 20.0 * scales[k]);
    }
}

static void knows_the_chain(void **state) {
  (void)state;
  size_t n = 31; /* 2 on the diagonal, -1 beside it: 2 - 2 cos(pi i/(n+1)) */
  memset(M, 0, sizeof M);
  for (size_t i = 0; i < n; i++) {
    M[i * n + i] = 2.0;
    if (i + 1 < n) M[i * n + i + 1] = -1.0;
  }
  assert_int_equal(burl_num_symmetric_eigen(lambda, V, M, n), BURL_OK); /* upper triangle only */
  for (size_t i = 0; i < n; i++) {
    double wanted = 2.0 - 2.0 * cos(acos(-1.0) * (double)(i + 1) / (double)(n + 1));
    assert_true(fabs(lambda[i] - wanted) < 1e-13);
  }
}

static void repeated_eigenvalues_and_zero(void **state) {
  (void)state;
  size_t n = 12;
  memset(M, 0, sizeof M);
  assert_int_equal(burl_num_symmetric_eigen(lambda, V, M, n), BURL_OK);
  check_decomposition(M, n, 1.0);
  for (size_t i = 0; i < n; i++)
    M[i * n + i] = 3.0;
  assert_int_equal(burl_num_symmetric_eigen(lambda, V, M, n), BURL_OK);
  check_decomposition(M, n, 3.0);
}

static void works_in_place_and_repeats(void **state) {
  (void)state;
  size_t n = 25;
  static double in_place[25 * 25], values[25];
  random_symmetric(M, n, 1.0, 77);
  memcpy(in_place, M, sizeof in_place);
  assert_int_equal(burl_num_symmetric_eigen(lambda, V, M, n), BURL_OK);
  assert_int_equal(burl_num_symmetric_eigen(values, in_place, in_place, n), BURL_OK);
  assert_memory_equal(values, lambda, sizeof values);
  assert_memory_equal(in_place, V, sizeof in_place);
}

static void refuses_bad_input(void **state) {
  (void)state;
  double matrix[4] = {1.0, (double)NAN, 0.0, 1.0}, values[2] = {7.0, 8.0},
         vectors[4] = {1, 2, 3, 4};
  assert_int_equal(burl_num_symmetric_eigen(values, vectors, matrix, 2), BURL_ERR_NUMERIC);
  matrix[1] = (double)INFINITY;
  assert_int_equal(burl_num_symmetric_eigen(values, vectors, matrix, 2), BURL_ERR_NUMERIC);
  assert_int_equal(burl_num_symmetric_eigen(values, vectors, matrix, 32001), BURL_ERR_SIZE);
  assert_int_equal(burl_num_symmetric_eigen(values, vectors, matrix, SIZE_MAX), BURL_ERR_SIZE);
  assert_int_equal(burl_num_symmetric_eigen(values, vectors, matrix, 0), BURL_OK);
  assert_true(values[0] == 7.0 && values[1] == 8.0 && vectors[0] == 1.0 && vectors[3] == 4.0);
}

static void fails_cleanly_without_memory(void **state) {
  (void)state;
  random_symmetric(M, 6, 1.0, 3);
  for (long i = 0;; i++) {
    memset(V, 0, sizeof V);
    fail_allocation_after(i);
    burl_status status = burl_num_symmetric_eigen(lambda, V, M, 6);
    stop_failing();
    if (status == BURL_OK) {
      assert_true(i > 0);
      break;
    }
    assert_int_equal(status, BURL_ERR_MEMORY);
    assert_true(V[0] == 0.0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gives_the_matrix_back),
      cmocka_unit_test(knows_the_chain),
      cmocka_unit_test(repeated_eigenvalues_and_zero),
      cmocka_unit_test(works_in_place_and_repeats),
      cmocka_unit_test(refuses_bad_input),
      cmocka_unit_test(fails_cleanly_without_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
