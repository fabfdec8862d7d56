/* burl/transport_gradient.h: derivatives of entropic optimal transport, in double.
 *
 * A loss L depends on the plan P, on the potentials f and g and on the cost <P,C>; its derivatives
 * with respect to these come in, those with respect to C, a, b and eps go out, and are added (+=)
 * to what is there. Two ways, which agree where Sinkhorn has converged:
 *   tape      keeps the potentials of every sweep and goes back through them: the derivative of
 *             what the sweeps computed, however few they were. Time of some two sweeps a sweep.
 *   implicit  differentiates the fixed point: one linear system of min(n,m) unknowns, whatever the
 *             number of sweeps. Right only where P meets its marginals: it errs about as far as the
 *             marginals do.
 * Rows and columns without mass have no part in the plan, and their da and db receive nothing.
 * Derivations: docs/math/sinkhorn.md.
 */
#ifndef BURL_TRANSPORT_GRADIENT_H
#define BURL_TRANSPORT_GRADIENT_H

#include <burl/transport.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What comes in; NULL stands for zeros. df and dg at entries without mass are not read. */
typedef struct burl_sinkhorn_loss {
  const double *dP; /* (n,m), leading dimension lddp >= m */
  size_t lddp;
  const double *df, *dg; /* (n), (m) */
  double dtransport;     /* dL / d<P,C>; <P,C> depends on C by P and of itself */
} burl_sinkhorn_loss;

/* What goes out, added to; NULL where it is not wanted. Overlaps nothing else. */
typedef struct burl_sinkhorn_gradient {
  double *dC; /* (n,m), leading dimension lddc >= m; beyond m nothing is touched */
  size_t lddc;
  double *da, *db; /* (n), (m) */
  double *deps;    /* one number */
} burl_sinkhorn_gradient;

/* A solver of problems up to n x m that keeps up to `sweeps` sweeps, some 8 sweeps (n + m) bytes
 * beside those of burl_sinkhorn. Errors: BURL_ERR_ARGUMENT (one of them is 0), BURL_ERR_SIZE,
 * BURL_ERR_MEMORY. */
typedef struct burl_sinkhorn_tape burl_sinkhorn_tape;
BURL_API burl_status burl_sinkhorn_tape_new(burl_sinkhorn_tape **self, size_t n, size_t m,
                                            size_t sweeps) BURL_MUST_CHECK;
BURL_API void burl_sinkhorn_tape_free(burl_sinkhorn_tape *self);

/* burl_sinkhorn_solve_log, which see, keeping what the way back needs; its sweeps are never
 * accelerated. Errors: also BURL_ERR_SIZE (options->max_sweeps larger than the tape) and
 * BURL_ERR_ARGUMENT (eps-scaling: the tape keeps one eps); a failed call leaves the tape as it was.
 * Allocates nothing. */
BURL_API burl_status burl_sinkhorn_tape_solve(burl_sinkhorn_tape *self, double *f, double *g,
                                              const double *C, size_t ldc, size_t n, size_t m,
                                              const double *a, const double *b, int warm,
                                              const burl_sinkhorn_options *options,
                                              burl_sinkhorn_info *info) BURL_MUST_CHECK;

/* Back through the sweeps of the last solve, exactly those that were run: a start and the number of
 * sweeps, also one found by the tolerance, count as constants. C is that of the solve, unchanged.
 * May be called any number of times. Works on one thread; allocates nothing.
 *
 * Errors: BURL_ERR_ARGUMENT (nothing solved yet, a leading dimension below m), BURL_ERR_NUMERIC (an
 * incoming derivative is not finite). */
BURL_API burl_status burl_sinkhorn_tape_backward(burl_sinkhorn_tape *self,
                                                 const burl_sinkhorn_gradient *gradient,
                                                 const burl_sinkhorn_loss *loss, const double *C,
                                                 size_t ldc) BURL_MUST_CHECK;

/* Working memory of the implicit way for problems up to n x m: n m + min(n,m)^2 doubles. Errors:
 * BURL_ERR_ARGUMENT (n or m is 0), BURL_ERR_SIZE, BURL_ERR_MEMORY. */
typedef struct burl_sinkhorn_implicit burl_sinkhorn_implicit;
BURL_API burl_status burl_sinkhorn_implicit_new(burl_sinkhorn_implicit **self, size_t n,
                                                size_t m) BURL_MUST_CHECK;
BURL_API void burl_sinkhorn_implicit_free(burl_sinkhorn_implicit *self);

/* At the fixed point f, g of any solver, for the marginals that their plan has (-inf: no mass).
 *
 * a and b can only change together, their totals staying equal, so that da and db are determined up
 * to a constant added to da and taken from db. It is chosen such that <da,a> = <db,b>, of what this
 * call adds. A total is the derivative of scaling both: <da,a> + <db,b> = <dP,P> for a loss of P.
 * Potentials are determined up to a constant, and so is the loss to be: df and dg must have equal
 * totals (to 1e-9 of their magnitudes). Allocates nothing of its own (BLAS may).
 *
 * Errors: BURL_ERR_ARGUMENT (n, m or a leading dimension, eps not above 0, df and dg that do not
 * balance), BURL_ERR_SIZE (larger than _new), BURL_ERR_NUMERIC (something is not finite, a row or
 * column with a potential has no mass; or the plan falls apart into groups that exchange less than
 * some 1e-12 of their mass, so that the linear system is singular to rounding: eps is then too
 * small for this way, use a tape). */
BURL_API burl_status burl_sinkhorn_implicit_backward(burl_sinkhorn_implicit *self,
                                                     const burl_sinkhorn_gradient *gradient,
                                                     const burl_sinkhorn_loss *loss,
                                                     const double *C, size_t ldc, size_t n,
                                                     size_t m, const double *f, const double *g,
                                                     double eps) BURL_MUST_CHECK;

/* The optimal value primal = dual of the problem needs no system (envelope theorem): at its fixed
 * point f, g, dC = P, da = f, db = g, deps = sum P (log P - 1), each times dvalue. Here da and db
 * have the gauge of f and g. Errors: as burl_sinkhorn_implicit_backward, as far as they apply. */
BURL_API burl_status burl_sinkhorn_value_backward(const burl_sinkhorn_gradient *gradient,
                                                  double dvalue, const double *C, size_t ldc,
                                                  size_t n, size_t m, const double *f,
                                                  const double *g, double eps) BURL_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
