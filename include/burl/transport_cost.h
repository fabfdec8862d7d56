/* burl/transport_cost.h: transport costs between points, and Sinkhorn that never stores them.
 *
 * A burl_cost describes C (n,m) between X (n,d) and Y (m,d) as a weighted sum of terms,
 *     C_ij = sum_t weight_t * T_t(i,j) / normaliser_t,
 * and computes any rows of it on demand by matrix products. Derivations and error bounds:
 * docs/math/sinkhorn.md, "Costs" and "Without storing the cost".
 */
#ifndef BURL_TRANSPORT_COST_H
#define BURL_TRANSPORT_COST_H

#include <burl/transport.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum burl_cost_kind {
  BURL_COST_SQUARED = 0, /* |x_i - y_j|^2 */
  BURL_COST_POWER,       /* |x_i - y_j|^power */
  BURL_COST_COSINE,      /* 1 - cos(x_i, y_j); 1 where either vector is zero */
  BURL_COST_PLACE,       /* |rho_i - pi_j|: distance of the 2-D positions */
  BURL_COST_PERIODIC     /* least |rho_i - pi_j + k u + l v| over whole k, l: lattice of u and v */
} burl_cost_kind;

/* How squared distances are formed. Differences: one by one, in float; relative error below 1e-6 up
 * to 100 dimensions. Product: |x|^2 - 2<x,y> + |y|^2 by a matrix product, never below 0; entries
 * below 1/32 of |x|^2 + |y|^2 about the mean of Y, where this cancels, are formed anew by
 * differences in double: relative error below 2e-5. Auto: differences up to
 * BURL_COST_FEW_DIMENSIONS, products above. */
typedef enum burl_cost_form {
  BURL_COST_AUTO = 0,
  BURL_COST_DIFFERENCES,
  BURL_COST_PRODUCT
} burl_cost_form;

#define BURL_COST_FEW_DIMENSIONS 32
#define BURL_COST_MAX_TERMS 8

typedef struct burl_cost_term {
  burl_cost_kind kind;
  double weight;       /* finite */
  int over_max;        /* not 0: divide by the largest T of the whole matrix (0 stays 0) */
  double constant;     /* else divide by this, > 0; 0 stands for 1 */
  double power;        /* POWER: > 0 */
  burl_cost_form form; /* of the terms in X and Y */
  const float *x_places, *y_places; /* PLACE, PERIODIC: (n,2), (m,2), borrowed */
  double lattice[4]; /* PERIODIC: u in 0 and 1, v in 2 and 3, not parallel; any two that span it */
} burl_cost_term;

/* An entry is the same bytes in whatever rows it is asked for (with one BLAS thread). Computing
 * rows allocates nothing but uses memory of the object: one object serves one thread at a time. */
typedef struct burl_cost burl_cost;

/* X and Y (packed, may be NULL when no term reads them) and all places are borrowed and must not
 * change while the object lives. Maxima are computed here, in one pass over the matrix a term that
 * asks for it. Memory: some m d + 512 m floats.
 * Errors: BURL_ERR_ARGUMENT (n, m or the number of terms is 0 or too large, a NULL or a value out
 * of range, lattice vectors parallel or 1e9 times shorter than the places are wide),
 * BURL_ERR_NUMERIC (X, Y or a place is not finite, or costs above what float can hold are
 * possible), BURL_ERR_SIZE, BURL_ERR_MEMORY. */
BURL_API burl_status burl_cost_new(burl_cost **cost, const burl_cost_term *terms, size_t count,
                                   const float *X, size_t n, const float *Y, size_t m,
                                   size_t d) BURL_MUST_CHECK;
BURL_API void burl_cost_free(burl_cost *cost);

BURL_API size_t burl_cost_get_n(const burl_cost *cost);
BURL_API size_t burl_cost_get_m(const burl_cost *cost);
/* Largest T of the term as float rows hold it; NaN where it was not asked for. */
BURL_API double burl_cost_get_max(const burl_cost *cost, size_t term);

/* Rows first..first+count-1 of C into block (count,m), leading dimension ld. The double form gives
 * the float values, so that all forms solve one and the same problem.
 * Errors: BURL_ERR_ARGUMENT (rows beyond n, ld < m). */
BURL_API burl_status burl_cost_rows(burl_cost *cost, float *block, size_t ld, size_t first,
                                    size_t count) BURL_MUST_CHECK;
BURL_API burl_status burl_cost_rows_double(burl_cost *cost, double *block, size_t ld, size_t first,
                                           size_t count) BURL_MUST_CHECK;
/* All of C (n,m). Errors: BURL_ERR_ARGUMENT (ldc < m). */
BURL_API burl_status burl_cost_store(burl_cost *cost, float *C, size_t ldc) BURL_MUST_CHECK;

/* A solver for problems up to n x m that owns all memory solving needs: some 50 n + 2000 m bytes.
 */
typedef struct burl_sinkhorn_lazy burl_sinkhorn_lazy;

/* Errors: BURL_ERR_ARGUMENT (n or m is 0), BURL_ERR_SIZE, BURL_ERR_MEMORY. */
BURL_API burl_status burl_sinkhorn_lazy_new(burl_sinkhorn_lazy **self, size_t n,
                                            size_t m) BURL_MUST_CHECK;
BURL_API void burl_sinkhorn_lazy_free(burl_sinkhorn_lazy *self);

/* burl_sinkhorn_solve_scaling on the cost, a block of rows at a time: same meaning, options, info
 * and errors; agrees with it to float precision of the plan. One sweep computes the cost once.
 * Works on one thread, whatever the options say. */
BURL_API burl_status burl_sinkhorn_solve_lazy(burl_sinkhorn_lazy *self, double *f, double *g,
                                              burl_cost *cost, const double *a, const double *b,
                                              int warm, const burl_sinkhorn_options *options,
                                              burl_sinkhorn_info *info) BURL_MUST_CHECK;

/* Rows first..first+count-1 of the plan of given potentials into P (count,m), leading dimension
 * ldp. Errors: BURL_ERR_ARGUMENT (rows beyond n, ldp < m, eps). */
BURL_API burl_status burl_sinkhorn_lazy_plan(float *P, size_t ldp, burl_cost *cost, size_t first,
                                             size_t count, const double *f, const double *g,
                                             double eps) BURL_MUST_CHECK;

/* Plan-weighted sums, without storing the plan:
 *     project_rows:     out (n,q), out_i = sum_j P_ij V_j / a_i,  V (m,q)
 *     project_columns:  out (m,q), out_j = sum_i P_ij V_i / b_j,  V (n,q)
 * all packed. With the marginals a or b these are barycentric projections, for masses however
 * small; rows of out without mass are 0. NULL stands for 1, which gives P V and P^T V themselves,
 * as far as float holds the entries of P (1e-38). q >= 1. V must be finite. Errors:
 * BURL_ERR_ARGUMENT (q, eps, a negative mass), BURL_ERR_SIZE (larger than _new, or q is beyond
 * BLAS), BURL_ERR_NUMERIC (a mass is not finite). */
BURL_API burl_status burl_sinkhorn_lazy_project_rows(burl_sinkhorn_lazy *self, float *out,
                                                     burl_cost *cost, const double *f,
                                                     const double *g, double eps, const float *V,
                                                     size_t q, const double *a) BURL_MUST_CHECK;
BURL_API burl_status burl_sinkhorn_lazy_project_columns(burl_sinkhorn_lazy *self, float *out,
                                                        burl_cost *cost, const double *f,
                                                        const double *g, double eps, const float *V,
                                                        size_t q, const double *b) BURL_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
