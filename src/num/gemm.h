/* num/gemm.h: matrix products through CBLAS, row-major, with checked sizes. */
#ifndef BURL_NUM_GEMM_H
#define BURL_NUM_GEMM_H

#include <burl/base.h>

typedef enum burl_num_transpose {
  BURL_NUM_PLAIN = 0, /* the matrix as stored */
  BURL_NUM_TRANSPOSED
} burl_num_transpose;

/* C (m,n) = alpha op(A) op(B) + beta C, op(A) being (m,k) and op(B) (k,n). A is stored as (m,k), or
 * as (k,m) where transpose_a says so, likewise B as (k,n) or (n,k); lda, ldb, ldc are the distances
 * between stored rows. With beta 0 the old C is not read; with k 0 it is only scaled. C overlaps
 * neither A nor B. Errors: BURL_ERR_ARGUMENT (a leading dimension shorter than a row),
 * BURL_ERR_SIZE (a size above 2^31 - 1, which BLAS cannot take); C is then unchanged. */
burl_status burl_num_sgemm(float *C, size_t ldc, const float *A, size_t lda,
                           burl_num_transpose transpose_a, const float *B, size_t ldb,
                           burl_num_transpose transpose_b, size_t m, size_t n, size_t k,
                           float alpha, float beta) BURL_MUST_CHECK;
/* The same in double. */
burl_status burl_num_dgemm(double *C, size_t ldc, const double *A, size_t lda,
                           burl_num_transpose transpose_a, const double *B, size_t ldb,
                           burl_num_transpose transpose_b, size_t m, size_t n, size_t k,
                           double alpha, double beta) BURL_MUST_CHECK;

#endif
