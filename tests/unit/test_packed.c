/* num/packed.h: all kernels of this machine against the plain product, at all lengths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/random.h"
#include "num/packed.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static float *draw(size_t count, uint64_t stream) {
  burl_random random = burl_random_start(12, stream);
  float *x = burl_alloc(count, sizeof *x);
  assert_non_null(x);
  for (size_t i = 0; i < count; i++)
    x[i] = (float)burl_random_normal(&random);
  return x;
}

/* C (m,n) with ldc n+3 from A (m,k) with lda k+2 and M (n,k) with ld k+1; what lies between rows
 * stays as it was. */
static void check_product(const burl_packed_kernel *kernel, size_t m, size_t n, size_t k, int add) {
  size_t ldc = n + 3, lda = k + 2, ld = k + 1;
  float *A = draw(m * lda, m), *M = draw(n * ld, n), *C = draw(m * ldc, k);
  float *was = burl_copy(C, m * ldc * sizeof *C);
  float *packed = burl_alloc(burl_num_packed_size(n, k), sizeof *packed);
  burl_num_pack_rows(packed, M, ld, n, k, 0.5f);
  burl_num_packed_product_by(kernel, C, ldc, A, lda, packed, m, n, k, add);
  for (size_t i = 0; i < m; i++)
    for (size_t j = 0; j < ldc; j++) {
      double wanted = (double)was[i * ldc + j];
      for (size_t t = 0; j < n && t < k; t++) {
        if (t == 0 && !add) wanted = 0.0;
        wanted += 0.5 * (double)A[i * lda + t] * (double)M[j * ld + t];
      }
      if (!(fabs((double)C[i * ldc + j] - wanted) <= 1e-6 * (double)(k + 3)))
        fail_msg("%s %zux%zux%zu at (%zu,%zu): %.8g, not %.8g", kernel->name, m, n, k, i, j,
                 (double)C[i * ldc + j], wanted);
    }
  free(A);
  free(M);
  free(C);
  free(was);
  free(packed);
}

static void products(void **state) {
  (void)state;
  const burl_packed_kernel *kernel;
  for (size_t index = 0; (kernel = burl_packed_kernel_get(index)); index++) {
    for (size_t m = 1; m <= 14; m++)
      for (size_t n = 1; n <= 35; n += m < 7 ? 1 : 5)
        for (size_t k = 1; k < 20; k += 6)
          check_product(kernel, m, n, k, (int)(n % 2));
    check_product(kernel, 5, 17, 383, 0);
    check_product(kernel, 7, 16, 384, 1);
    check_product(kernel, 7, 48, 385, 0);
    check_product(kernel, 9, 20, 1000, 1);
    check_product(kernel, 191, 33, 40, 0);
    check_product(kernel, 193, 33, 400, 0);
    check_product(kernel, 400, 5, 7, 1);
  }
  assert_true(kernel == NULL);
}

/* A row's outputs do not depend on the rows beside it, nor on how many there are. */
static void rows_stand_alone(void **state) {
  (void)state;
  size_t m = 200, n = 40, k = 500;
  float *A = draw(m * k, 1), *M = draw(n * k, 2), *C = draw(m * n, 3), *one = draw(n, 4);
  float *packed = burl_alloc(burl_num_packed_size(n, k), sizeof *packed);
  burl_num_pack_rows(packed, M, k, n, k, 1.0f);
  burl_num_packed_product(C, n, A, k, packed, m, n, k, 0);
  for (size_t i = 0; i < m; i++) {
    burl_num_packed_product(one, n, A + i * k, k, packed, 1, n, k, 0);
    assert_memory_equal(one, C + i * n, n * sizeof *one);
  }
  free(A);
  free(M);
  free(C);
  free(one);
  free(packed);
}

static void packing(void **state) {
  (void)state;
  for (size_t n = 1; n < 50; n += 3)
    for (size_t k = 1; k < 30; k += 4) {
      size_t size = burl_num_packed_size(n, k);
      assert_true(size >= n * k && size < (n + BURL_PACK) * k);
      float *M = draw(n * k, n), *by_rows = draw(size, 1), *by_columns = draw(size, 2);
      float *turned = draw(n * k, 3);
      for (size_t i = 0; i < n * k; i++)
        turned[i % k * n + i / k] = M[i];
      burl_num_pack_rows(by_rows, M, k, n, k, 1.0f);
      burl_num_pack_columns(by_columns, turned, n, n, k);
      assert_memory_equal(by_rows, by_columns, size * sizeof *by_rows);
      free(M);
      free(by_rows);
      free(by_columns);
      free(turned);
    }
  assert_int_equal(burl_num_packed_size(SIZE_MAX, 1), 0);
  assert_int_equal(burl_num_packed_size(SIZE_MAX / 8, 64), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(products),
      cmocka_unit_test(rows_stand_alone),
      cmocka_unit_test(packing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
