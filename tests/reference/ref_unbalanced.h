/* Transport with marginals that need not be met, and the energy of Gromov-Wasserstein, by their
 * definitions. Row-major, packed. */
#ifndef BURL_TESTS_REF_UNBALANCED_H
#define BURL_TESTS_REF_UNBALANCED_H

#include <burl/transport_unbalanced.h>

typedef struct ref_unbalanced_problem {
  const double *C, *a, *b;
  size_t n, m;
  double eps, rho_a, rho_b; /* unbalanced */
  double mass;              /* partial */
} ref_unbalanced_problem;

/* `sweeps` sweeps from f = g = 0 in long double, masses > 0: the best shift between f and g where
 * there is one, then the first side, then the second. */
void ref_unbalanced(double *f, double *g, const ref_unbalanced_problem *problem, size_t sweeps,
                    burl_sweep_order order);

/* Mass, transport, primal and dual of the plan of f and g, by the formulas in the header. */
burl_unbalanced_info ref_unbalanced_info(const double *f, const double *g,
                                         const ref_unbalanced_problem *problem);

/* Partial transport: the water level by bisection; f without t, which is returned. */
double ref_partial(double *f, double *g, const ref_unbalanced_problem *problem, size_t sweeps,
                   burl_sweep_order order);

/* sum_ijkl (D1_ik - D2_jl)^2 P_ij P_kl, D1 (n,n), D2 (m,m), P (n,m), by four loops. */
double ref_gromov_energy(const double *D1, const double *D2, const double *P, size_t n, size_t m);

#endif
