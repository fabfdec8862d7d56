/* num/gemm.h: all transposes against the definition, padding left alone, bad sizes refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "num/gemm.h"
#include "reference/ref_gemm.h"

#include <math.h>
#include <string.h>

#define MOST 900

static float A[MOST], B[MOST], C[MOST], old[MOST];

static void fill(float *x, uint64_t stream) {
  burl_random random = burl_random_start(1, stream);
  for (size_t i = 0; i < MOST; i++)
    x[i] = (float)burl_random_normal(&random);
}

/* C = alpha op(A) op(B) + beta C with rows padded by 2; the padding must stay. */
static void check_product(size_t m, size_t n, size_t k, int ta, int tb, float alpha, float beta) {
  size_t lda = (ta ? m : k) + 2, ldb = (tb ? k : n) + 2, ldc = n + 2;
  fill(A, 1);
  fill(B, 2);
  fill(C, 3);
  memcpy(old, C, sizeof C);
  burl_status status =
      burl_num_sgemm(C, ldc, A, lda, ta ? BURL_NUM_TRANSPOSED : BURL_NUM_PLAIN, B, ldb,
                     tb ? BURL_NUM_TRANSPOSED : BURL_NUM_PLAIN, m, n, k, alpha, beta);
  assert_int_equal(status, BURL_OK);
  for (size_t i = 0; i < m; i++) {
    for (size_t j = 0; j < n; j++) {
      double wanted = (double)alpha * ref_product_entry(A, lda, ta, B, ldb, tb, i, j, k) +
                      (double)beta * (double)old[i * ldc + j];
      assert_true(fabs((double)C[i * ldc + j] - wanted) < 1e-5 * (1.0 + (double)k));
    }
    assert_memory_equal(C + i * ldc + n, old + i * ldc + n, 2 * sizeof(float));
  }
  assert_memory_equal(C + m * ldc, old + m * ldc, (MOST - m * ldc) * sizeof(float));
}

static void equals_the_definition(void **state) {
  (void)state;
  static const size_t sizes[][3] = {{1, 1, 1}, {3, 5, 7}, {17, 4, 23}, {2, 19, 1}, {20, 20, 20}};
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
    for (int ta = 0; ta < 2; ta++)
      for (int tb = 0; tb < 2; tb++) {
        check_product(sizes[s][0], sizes[s][1], sizes[s][2], ta, tb, 1.0f, 0.0f);
        check_product(sizes[s][0], sizes[s][1], sizes[s][2], ta, tb, -0.5f, 2.0f);
      }
}

static void double_equals_the_definition(void **state) {
  (void)state;
  enum { M = 7, N = 9, K = 11, LD = 13 };
  double a[LD * LD], b[LD * LD], c[M * LD], before[M * LD];
  burl_random random = burl_random_start(2, 0);
  for (size_t i = 0; i < LD * LD; i++) {
    a[i] = burl_random_normal(&random);
    b[i] = burl_random_normal(&random);
  }
  for (int ta = 0; ta < 2; ta++)
    for (int tb = 0; tb < 2; tb++) {
      for (size_t i = 0; i < M * LD; i++)
        before[i] = c[i] = burl_random_normal(&random);
      assert_int_equal(burl_num_dgemm(c, LD, a, LD, ta ? BURL_NUM_TRANSPOSED : BURL_NUM_PLAIN, b,
                                      LD, tb ? BURL_NUM_TRANSPOSED : BURL_NUM_PLAIN, M, N, K, -2.0,
                                      0.5),
                       BURL_OK);
      for (size_t i = 0; i < M; i++)
        for (size_t j = 0; j < LD; j++) {
          double wanted = before[i * LD + j] * (j < N ? 0.5 : 1.0);
          for (size_t k = 0; j < N && k < K; k++)
            wanted -= 2.0 * a[ta ? k * LD + i : i * LD + k] * b[tb ? j * LD + k : k * LD + j];
          assert_true(fabs(c[i * LD + j] - wanted) < 1e-13);
        }
    }
  assert_int_equal(burl_num_dgemm(c, 2, a, 2, BURL_NUM_PLAIN, b, 2, BURL_NUM_PLAIN, 2, 2, 3, 1, 0),
                   BURL_ERR_ARGUMENT);
  assert_int_equal(
      burl_num_dgemm(c, 2, a, 2, BURL_NUM_PLAIN, b, 2, BURL_NUM_PLAIN, (size_t)1 << 31, 2, 2, 1, 0),
      BURL_ERR_SIZE);
}

static void with_beta_zero_old_values_do_not_matter(void **state) {
  (void)state;
  float a = 2.0f, b = 3.0f, c = NAN;
  assert_int_equal(
      burl_num_sgemm(&c, 1, &a, 1, BURL_NUM_PLAIN, &b, 1, BURL_NUM_PLAIN, 1, 1, 1, 1.0f, 0.0f),
      BURL_OK);
  assert_true(c == 6.0f);
}

static void empty_products(void **state) {
  (void)state;
  float c[2] = {4.0f, 5.0f};
  assert_int_equal(
      burl_num_sgemm(c, 2, A, 0, BURL_NUM_PLAIN, B, 2, BURL_NUM_PLAIN, 1, 2, 0, 1.0f, 0.5f),
      BURL_OK);
  assert_true(c[0] == 2.0f && c[1] == 2.5f);
  assert_int_equal(
      burl_num_sgemm(c, 2, A, 3, BURL_NUM_PLAIN, B, 2, BURL_NUM_PLAIN, 0, 2, 3, 1.0f, 0.0f),
      BURL_OK);
  assert_int_equal(
      burl_num_sgemm(c, 0, A, 3, BURL_NUM_PLAIN, B, 0, BURL_NUM_PLAIN, 2, 0, 3, 1.0f, 0.0f),
      BURL_OK);
  assert_true(c[0] == 2.0f && c[1] == 2.5f);
}

static void refuses_bad_sizes(void **state) {
  (void)state;
  float c[4] = {1.0f, 2.0f, 3.0f, 4.0f};
  const burl_num_transpose plain = BURL_NUM_PLAIN, turned = BURL_NUM_TRANSPOSED;
  const size_t big = (size_t)1 << 31;
  assert_int_equal(burl_num_sgemm(c, 1, A, 2, plain, B, 2, plain, 2, 2, 2, 1, 0),
                   BURL_ERR_ARGUMENT);
  assert_int_equal(burl_num_sgemm(c, 2, A, 2, plain, B, 2, plain, 2, 2, 3, 1, 0),
                   BURL_ERR_ARGUMENT);
  assert_int_equal(burl_num_sgemm(c, 2, A, 1, turned, B, 2, plain, 2, 2, 3, 1, 0),
                   BURL_ERR_ARGUMENT);
  assert_int_equal(burl_num_sgemm(c, 2, A, 3, plain, B, 2, turned, 2, 2, 3, 1, 0),
                   BURL_ERR_ARGUMENT);
  assert_int_equal(burl_num_sgemm(c, 2, A, 2, plain, B, 2, plain, big, 2, 2, 1, 0), BURL_ERR_SIZE);
  assert_int_equal(burl_num_sgemm(c, big, A, 2, plain, B, big, plain, 1, big, 2, 1, 0),
                   BURL_ERR_SIZE);
  assert_int_equal(burl_num_sgemm(c, 2, A, big, plain, B, 2, plain, 2, 2, 2, 1, 0), BURL_ERR_SIZE);
  for (int i = 0; i < 4; i++)
    assert_true(c[i] == (float)(i + 1));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(equals_the_definition),
      cmocka_unit_test(double_equals_the_definition),
      cmocka_unit_test(with_beta_zero_old_values_do_not_matter),
      cmocka_unit_test(empty_products),
      cmocka_unit_test(refuses_bad_sizes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
