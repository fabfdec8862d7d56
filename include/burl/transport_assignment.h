/* burl/transport_assignment.h: the cheapest assignment of rows to columns, exactly.
 *
 *     min sum_i C_i,column(i)   over all ways to give min(n,m) rows a column each, none twice,
 *
 * which is transport with unit masses and without entropy. Dual potentials u, v prove the answer:
 *     u_i + v_j <= C_ij, with equality where i has column j,
 *     v <= 0 if n < m, u <= 0 if n > m, and 0 for what is left over,
 * so that sum u + sum v, no more than the cost of any assignment, is the cost of this one.
 * Source: R. Jonker and A. Volgenant, A Shortest Augmenting Path Algorithm for Dense and Sparse
 * Linear Assignment Problems, Computing 38, 1987; rectangular: D. F. Crouse, On implementing 2D
 * rectangular assignment algorithms, IEEE Trans. Aerosp. Electron. Syst. 52(4), 2016.
 */
#ifndef BURL_TRANSPORT_ASSIGNMENT_H
#define BURL_TRANSPORT_ASSIGNMENT_H

#include <burl/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The column of a row that is left over. */
#define BURL_ASSIGNMENT_NONE SIZE_MAX

/* A solver for problems up to n x m; owns all memory that solving needs (n m doubles and some).
 * Errors: BURL_ERR_ARGUMENT (n or m is 0), BURL_ERR_SIZE, BURL_ERR_MEMORY. */
typedef struct burl_assignment burl_assignment;
BURL_API burl_status burl_assignment_new(burl_assignment **self, size_t n,
                                         size_t m) BURL_MUST_CHECK;
BURL_API void burl_assignment_free(burl_assignment *self);

/* column (n) receives the column of each row; total, u (n) and v (m) may be NULL. C (n,m)
 * row-major, leading dimension ldc >= m, any sign; +infinity forbids a pair. Time of order
 * min(n,m)^2 max(n,m) at most, mostly far less. Of equally cheap assignments one is chosen by C
 * alone, the same at every call and on every machine: where the search has a choice, it takes the
 * lowest free column, else the lowest. Potentials hold to rounding. Allocates nothing; one solver
 * serves one thread at a time.
 *
 * Errors: BURL_ERR_ARGUMENT (n, m or ldc; finite |C| above 1e300), BURL_ERR_SIZE (larger than
 * _new), BURL_ERR_NUMERIC (NaN or -infinity in C), BURL_ERR_DATA (every assignment has a forbidden
 * pair). */
BURL_API burl_status burl_assignment_solve(burl_assignment *self, size_t *column, double *total,
                                           double *u, double *v, const double *C, size_t ldc,
                                           size_t n, size_t m) BURL_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
