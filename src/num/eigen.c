/* Symmetric eigenproblems by divide and conquer (LAPACK dsyevd).
 *
 * The matrix goes to LAPACK as it is: a symmetric matrix reads the same in rows and columns, and
 * the eigenvectors that come back as columns of a column-major matrix are rows of ours. dsyevd
 * rather than dsyevr: all vectors are wanted, and for n of some hundreds it is the faster of the
 * two.
 */
#include "num/eigen.h"

#include "base/memory.h"

#include <lapacke.h>
#include <math.h>
#include <string.h>

static int upper_is_finite(const double *matrix, size_t n) {
  for (size_t i = 0; i < n; i++)
    for (size_t j = i; j < n; j++)
      if (!isfinite(matrix[i * n + j])) return 0;
  return 1;
}

/* Makes the first entry of largest magnitude of each row positive. */
static void fix_signs(double *vectors, size_t n) {
  for (size_t i = 0; i < n; i++) {
    double *row = vectors + i * n, largest = 0.0;
    for (size_t j = 0; j < n; j++)
      if (fabs(row[j]) > fabs(largest)) largest = row[j];
    if (largest > 0.0) continue;
    for (size_t j = 0; j < n; j++)
      row[j] = -row[j];
  }
}

burl_status burl_num_symmetric_eigen(double *values, double *vectors, const double *matrix,
                                     size_t n) {
  if (n == 0) return BURL_OK;
  /* dsyevd counts its 1 + 6n + 2n^2 doubles of scratch in an int */
  if (n > 32000) return BURL_ERR_SIZE;
  if (!upper_is_finite(matrix, n)) return BURL_ERR_NUMERIC;
  size_t work_size = 1 + 6 * n + 2 * n * n, iwork_size = 3 + 5 * n;
  burl_arena arena = {0};
  burl_arena_reserve(&arena, n * n, sizeof(double));
  burl_arena_reserve(&arena, n, sizeof(double));
  burl_arena_reserve(&arena, work_size, sizeof(double));
  burl_arena_reserve(&arena, iwork_size, sizeof(lapack_int));
  if (!burl_arena_open(&arena)) return BURL_ERR_MEMORY;
  double *rows = burl_arena_take(&arena, n * n, sizeof(double));
  double *found = burl_arena_take(&arena, n, sizeof(double));
  double *work = burl_arena_take(&arena, work_size, sizeof(double));
  lapack_int *iwork = burl_arena_take(&arena, iwork_size, sizeof(lapack_int));
  memcpy(rows, matrix, n * n * sizeof(double));
  lapack_int order = (lapack_int)n;
  /* the upper triangle by rows is the lower one by columns */
  lapack_int failed =
      LAPACKE_dsyevd_work(LAPACK_COL_MAJOR, 'V', 'L', order, rows, order, found, work,
                          (lapack_int)work_size, iwork, (lapack_int)iwork_size);
  if (!failed) {
    fix_signs(rows, n);
    memcpy(vectors, rows, n * n * sizeof(double));
    memcpy(values, found, n * sizeof(double));
  }
  burl_arena_close(&arena);
  return failed ? BURL_ERR_NUMERIC : BURL_OK;
}
