/* Matrix products: OpenBLAS behind sizes that are checked once, here.
 *
 * CBLAS takes int sizes, aborts or returns silently (depending on the build) when one is wrong, and
 * wants leading dimensions of at least 1 even for empty matrices. None of that should reach
 * callers.
 */
#include "num/gemm.h"

#include <cblas.h>
#include <limits.h>

burl_status burl_num_sgemm(float *C, size_t ldc, const float *A, size_t lda,
                           burl_num_transpose transpose_a, const float *B, size_t ldb,
                           burl_num_transpose transpose_b, size_t m, size_t n, size_t k,
                           float alpha, float beta) {
  const size_t limit = INT_MAX;
  if (m > limit || n > limit || k > limit || lda > limit || ldb > limit || ldc > limit)
    return BURL_ERR_SIZE;
  size_t a_row = transpose_a == BURL_NUM_PLAIN ? k : m;
  size_t b_row = transpose_b == BURL_NUM_PLAIN ? n : k;
  if (lda < a_row || ldb < b_row || ldc < n) return BURL_ERR_ARGUMENT;
  if (m == 0 || n == 0) return BURL_OK;
  cblas_sgemm(CblasRowMajor, transpose_a == BURL_NUM_PLAIN ? CblasNoTrans : CblasTrans,
              transpose_b == BURL_NUM_PLAIN ? CblasNoTrans : CblasTrans, (int)m, (int)n, (int)k,
              alpha, A, lda ? (int)lda : 1, B, ldb ? (int)ldb : 1, beta, C, (int)ldc);
  return BURL_OK;
}
