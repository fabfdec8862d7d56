/* Cholesky (dpotrf), an estimate of the condition from the factor (dpocon), and two triangular
 * solves (dpotrs). The upper triangle by rows is the lower one by columns, so that matrices go to
 * LAPACK as they are and LAPACKE makes no transposed copies. The estimate costs little beside the
 * factorisation and tells a solution from noise where the factorisation just so went through.
 */
#include "num/solve.h"

#include <cblas.h>
#include <lapacke.h>
#include <limits.h>
#include <math.h>

_Static_assert(sizeof(lapack_int) == sizeof(int), "LAPACK counts in int");

#define MOST_UNKNOWNS 46340 /* n^2 fits an int */

burl_status burl_num_gram(double *G, const double *A, size_t rows, size_t columns, int inner) {
  if (rows > INT_MAX || columns > INT_MAX) return BURL_ERR_SIZE;
  size_t k = inner ? columns : rows, depth = inner ? rows : columns;
  if (k > MOST_UNKNOWNS) return BURL_ERR_SIZE;
  if (k == 0) return BURL_OK;
  cblas_dsyrk(CblasRowMajor, CblasUpper, inner ? CblasTrans : CblasNoTrans, (int)k, (int)depth, 1.0,
              A, columns ? (int)columns : 1, 0.0, G, (int)k);
  return BURL_OK;
}

static int system_is_finite(const double *G, const double *x, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (!isfinite(x[i])) return 0;
    for (size_t j = i; j < n; j++)
      if (!isfinite(G[i * n + j])) return 0;
  }
  return 1;
}

burl_status burl_num_solve_positive(double *x, double *G, size_t n, double *scratch, int *marks,
                                    double least, double *conditioning) {
  if (n == 0) return BURL_OK;
  if (n > MOST_UNKNOWNS) return BURL_ERR_SIZE;
  if (!system_is_finite(G, x, n)) return BURL_ERR_NUMERIC;
  lapack_int order = (lapack_int)n;
  double norm = LAPACKE_dlansy_work(LAPACK_COL_MAJOR, '1', 'L', order, G, order, scratch);
  if (LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'L', order, G, order)) return BURL_ERR_NUMERIC;
  double found = 0.0;
  if (LAPACKE_dpocon_work(LAPACK_COL_MAJOR, 'L', order, G, order, norm, &found, scratch, marks) ||
      !(found >= least))
    return BURL_ERR_NUMERIC;
  if (LAPACKE_dpotrs_work(LAPACK_COL_MAJOR, 'L', order, 1, G, order, x, order))
    return BURL_ERR_NUMERIC;
  if (conditioning) *conditioning = found;
  return BURL_OK;
}
