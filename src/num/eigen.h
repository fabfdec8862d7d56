/* num/eigen.h: eigenvalues and eigenvectors of symmetric matrices. */
#ifndef BURL_NUM_EIGEN_H
#define BURL_NUM_EIGEN_H

#include <burl/base.h>

/* matrix (n,n) = vectors^T diag(values) vectors: values (n) ascending, row i of vectors (n,n) the
 * unit eigenvector of values[i]. The sign of each vector makes its entry of largest magnitude (the
 * first of them) positive, so that results repeat; vectors of equal eigenvalues are one orthonormal
 * basis of many. Only the upper triangle of matrix is read; vectors may be the same array as
 * matrix. n = 0 does nothing. Needs 3 n^2 doubles of scratch memory. Errors: BURL_ERR_SIZE (n^2 too
 * large for LAPACK), BURL_ERR_MEMORY, BURL_ERR_NUMERIC (an entry is not finite, or the iteration
 * failed); outputs are then unchanged. */
burl_status burl_num_symmetric_eigen(double *values, double *vectors, const double *matrix,
                                     size_t n) BURL_MUST_CHECK;

#endif
