/* Matrix product by its definition. */
#ifndef BURL_TESTS_REF_GEMM_H
#define BURL_TESTS_REF_GEMM_H

#include <stddef.h>

/* Entry (i,j) of op(A) op(B), summed in double over k terms. */
double ref_product_entry(const float *A, size_t lda, int transpose_a, const float *B, size_t ldb,
                         int transpose_b, size_t i, size_t j, size_t k);

#endif
