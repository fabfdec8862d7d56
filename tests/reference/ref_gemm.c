#include "reference/ref_gemm.h"

double ref_product_entry(const float *A, size_t lda, int transpose_a, const float *B, size_t ldb,
                         int transpose_b, size_t i, size_t j, size_t k) {
  double sum = 0.0;
  for (size_t l = 0; l < k; l++) {
    double a = (double)(transpose_a ? A[l * lda + i] : A[i * lda + l]);
    double b = (double)(transpose_b ? B[j * ldb + l] : B[l * ldb + j]);
    sum += a * b;
  }
  return sum;
}
