/* num/solve.h: symmetric positive definite systems through LAPACK, and the products they come from.
 * Nothing here allocates; all matrices are packed, row-major.
 */
#ifndef BURL_NUM_SOLVE_H
#define BURL_NUM_SOLVE_H

#include <burl/base.h>

/* Upper triangle of G (k,k) = A A^T for A (rows,columns), k = rows, or with `inner` not 0 of
 * A^T A, k = columns; the lower triangle is left alone. Errors: BURL_ERR_SIZE (a size that BLAS
 * cannot take); G is then unchanged. */
burl_status burl_num_gram(double *G, const double *A, size_t rows, size_t columns,
                          int inner) BURL_MUST_CHECK;

/* x (n) holds the right-hand side and receives the solution of G x = x. Of G (n,n) the upper
 * triangle is read; G is overwritten whatever comes of it. scratch (3 n) and marks (n) are working
 * memory. *conditioning (may be NULL) receives an estimate of the reciprocal condition number in
 * the 1-norm: digits of x are lost as it nears 0. n = 0 does nothing.
 *
 * Errors: BURL_ERR_SIZE (n^2 too large for LAPACK), BURL_ERR_NUMERIC (an entry of G or x is not
 * finite, G is not positive definite, or the estimate is below `least`); x and *conditioning are
 * then unchanged. */
burl_status burl_num_solve_positive(double *x, double *G, size_t n, double *scratch, int *marks,
                                    double least, double *conditioning) BURL_MUST_CHECK;

#endif
