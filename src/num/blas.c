/* The thread setting of OpenBLAS. */
#include <burl/base.h>
#include <cblas.h>

void burl_blas_set_threads(int threads) {
  openblas_set_num_threads(threads);
}
