/* Sinkhorn by its definition, exact assignment by enumeration, and problems to try them on. */
#ifndef BURL_TESTS_REF_SINKHORN_H
#define BURL_TESTS_REF_SINKHORN_H

#include <burl/transport.h>

/* Cost uniform in [0, largest), masses uniform in [0.1, 1.1), scaled to the total. All row-major,
 * packed. */
void ref_transport_problem(double *C, double *a, double *b, size_t n, size_t m, double largest,
                           double total, uint64_t seed);

/* `sweeps` sweeps from f = g = 0, every log-sum-exp written out in long double. */
void ref_sinkhorn(double *f, double *g, const double *C, size_t n, size_t m, const double *a,
                  const double *b, double eps, size_t sweeps, burl_sweep_order order);

/* Residual, transport, primal and dual of the plan of f and g, by their formulas in the header. */
burl_sinkhorn_info ref_sinkhorn_info(const double *f, const double *g, const double *C, size_t n,
                                     size_t m, const double *a, const double *b, double eps,
                                     burl_sweep_order order);

/* min over permutations p of sum_i C_ip(i), (n,n), n <= 8. */
double ref_assignment(const double *C, size_t n);

#endif
