/* Matrix products: OpenBLAS behind sizes that are checked once, here.
 *
 * CBLAS takes int sizes, aborts or returns silently (depending on the build) when one is wrong, and
 * wants leading dimensions of at least 1 even for empty matrices. None of that should reach
 * callers.
 */
#include "num/gemm.h"

#include <cblas.h>
#include <limits.h>

/* Sizes of one product, which CBLAS takes as int. */
static burl_status check(size_t ldc, size_t lda, burl_num_transpose transpose_a, size_t ldb,
                         burl_num_transpose transpose_b, size_t m, size_t n, size_t k) {
  const size_t limit = INT_MAX;
  if (m > limit || n > limit || k > limit || lda > limit || ldb > limit || ldc > limit)
    return BURL_ERR_SIZE;
  size_t a_row = transpose_a == BURL_NUM_PLAIN ? k : m;
  size_t b_row = transpose_b == BURL_NUM_PLAIN ? n : k;
  return lda < a_row || ldb < b_row || ldc < n ? BURL_ERR_ARGUMENT : BURL_OK;
}

static CBLAS_TRANSPOSE as_cblas(burl_num_transpose transpose) {
  return transpose == BURL_NUM_PLAIN ? CblasNoTrans : CblasTrans;
}

burl_status burl_num_sgemm(float *C, size_t ldc, const float *A, size_t lda,
                           burl_num_transpose transpose_a, const float *B, size_t ldb,
                           burl_num_transpose transpose_b, size_t m, size_t n, size_t k,
                           float alpha, float beta) {
  burl_status status = check(ldc, lda, transpose_a, ldb, transpose_b, m, n, k);
  if (status || m == 0 || n == 0) return status;
  cblas_sgemm(CblasRowMajor, as_cblas(transpose_a), as_cblas(transpose_b), (int)m, (int)n, (int)k,
              alpha, A, lda ? (int)lda : 1, B, ldb ? (int)ldb : 1, beta, C, (int)ldc);
  return BURL_OK;
}

burl_status burl_num_dgemm(double *C, size_t ldc, const double *A, size_t lda,
                           burl_num_transpose transpose_a, const double *B, size_t ldb,
                           burl_num_transpose transpose_b, size_t m, size_t n, size_t k,
                           double alpha, double beta) {
  burl_status status = check(ldc, lda, transpose_a, ldb, transpose_b, m, n, k);
  if (status || m == 0 || n == 0) return status;
  cblas_dgemm(CblasRowMajor, as_cblas(transpose_a), as_cblas(transpose_b), (int)m, (int)n, (int)k,
              alpha, A, lda ? (int)lda : 1, B, ldb ? (int)ldb : 1, beta, C, (int)ldc);
  return BURL_OK;
}
