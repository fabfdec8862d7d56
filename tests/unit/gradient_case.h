/* unit/gradient_case.h: what the tests of transport_gradient.h share: a problem with a loss, the
 * same in padded matrices for the library, and both ways back. Include after cmocka.h.
 */
#ifndef BURL_TESTS_GRADIENT_CASE_H
#define BURL_TESTS_GRADIENT_CASE_H

#include "base/random.h"
#include "reference/ref_gradient.h"
#include "reference/ref_sinkhorn.h"

#include <math.h>
#include <string.h>

#define MOST REF_GRADIENT_MOST
#define LD (MOST + 3) /* rows of the library's matrices, NaN beyond m */
#define SWEEPS 3000

static double C[MOST * MOST], a[MOST], b[MOST], W[MOST * MOST], wf[MOST], wg[MOST];
static double f0[MOST], g0[MOST];
static double padded_C[MOST * LD], padded_W[MOST * LD];

typedef struct result {
  double f[MOST], g[MOST], dC[MOST * LD], da[MOST], db[MOST], deps;
} result;

static burl_sinkhorn_tape *tape;
static burl_sinkhorn_implicit *implicit;

static inline int open_solvers(void **state) {
  (void)state;
  return burl_sinkhorn_tape_new(&tape, MOST, MOST, SWEEPS) != BURL_OK ||
         burl_sinkhorn_implicit_new(&implicit, MOST, MOST) != BURL_OK;
}

static inline int close_solvers(void **state) {
  (void)state;
  burl_sinkhorn_tape_free(tape);
  burl_sinkhorn_implicit_free(implicit);
  return 0;
}

static inline void random_numbers(double *to, size_t count, uint64_t seed, uint64_t stream) {
  burl_random random = burl_random_start(seed, stream);
  for (size_t i = 0; i < count; i++)
    to[i] = burl_random_normal(&random);
}

static inline burl_sinkhorn_options sweeps_of(double eps, size_t sweeps, double tolerance,
                                              size_t every, burl_sweep_order order) {
  return (burl_sinkhorn_options){.eps = eps,
                                 .max_sweeps = sweeps,
                                 .tolerance = tolerance,
                                 .check_every = every,
                                 .order = order};
}

/* A problem with a loss of everything, mass `total`, start f0 and g0. */
static inline ref_loss make_loss(size_t n, size_t m, size_t sweeps, int order, double eps,
                                 double total, uint64_t seed) {
  ref_transport_problem(C, a, b, n, m, 1.0, total, seed);
  random_numbers(W, n * m, seed, 11);
  random_numbers(wf, n, seed, 12);
  random_numbers(wg, m, seed, 13);
  random_numbers(f0, n, seed, 14);
  random_numbers(g0, m, seed, 15);
  return (ref_loss){.n = n,
                    .m = m,
                    .sweeps = sweeps,
                    .order = (burl_sweep_order)order,
                    .C = C,
                    .a = a,
                    .b = b,
                    .eps = eps,
                    .W = W,
                    .wf = wf,
                    .wg = wg,
                    .w = 0.7};
}

/* The rows of from (n,m) at distance LD, NaN between them. */
static inline void pad(double *to, const double *from, size_t n, size_t m) {
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < LD; j++)
      to[i * LD + j] = j < m ? from[i * m + j] : (double)NAN;
}

static inline burl_sinkhorn_gradient into(result *found) {
  return (burl_sinkhorn_gradient){found->dC, LD, found->da, found->db, &found->deps};
}

static inline burl_sinkhorn_loss incoming(const ref_loss *loss) {
  return (burl_sinkhorn_loss){loss->W ? padded_W : NULL, LD, loss->wf, loss->wg, loss->w};
}

static inline void solve_tape(const ref_loss *loss, result *found, double tolerance) {
  burl_sinkhorn_options options = sweeps_of(loss->eps, loss->sweeps, tolerance, 10, loss->order);
  int warm = loss->f0 != NULL;
  pad(padded_C, C, loss->n, loss->m);
  if (loss->W) pad(padded_W, loss->W, loss->n, loss->m);
  memset(found, 0, sizeof *found);
  if (warm) memcpy(found->f, loss->f0, sizeof f0);
  if (warm) memcpy(found->g, loss->g0, sizeof g0);
  assert_int_equal(burl_sinkhorn_tape_solve(tape, found->f, found->g, padded_C, LD, loss->n,
                                            loss->m, a, b, warm, &options, NULL),
                   BURL_OK);
}

static inline result unrolled(const ref_loss *loss) {
  static result found;
  solve_tape(loss, &found, 0.0);
  burl_sinkhorn_gradient gradient = into(&found);
  burl_sinkhorn_loss in = incoming(loss);
  assert_int_equal(burl_sinkhorn_tape_backward(tape, &gradient, &in, padded_C, LD), BURL_OK);
  return found;
}

static inline burl_status try_implicit(const ref_loss *loss, result *found) {
  solve_tape(loss, found, 0.0);
  burl_sinkhorn_gradient gradient = into(found);
  burl_sinkhorn_loss in = incoming(loss);
  return burl_sinkhorn_implicit_backward(implicit, &gradient, &in, padded_C, LD, loss->n, loss->m,
                                         found->f, found->g, loss->eps);
}

static inline result implicitly(const ref_loss *loss) {
  static result found;
  assert_int_equal(try_implicit(loss, &found), BURL_OK);
  return found;
}

static inline double largest(const double *values, size_t count) {
  double most = 0.0;
  for (size_t i = 0; i < count; i++)
    most = fmax(most, fabs(values[i]));
  return most;
}

static inline void close_to(const char *what, const double *found, const double *wanted,
                            size_t count, double relative) {
  double scale = largest(wanted, count);
  for (size_t i = 0; i < count; i++)
    if (!(fabs(found[i] - wanted[i]) <= relative * scale + 5e-13))
      fail_msg("%s[%zu] is %.15g, should be %.15g", what, i, found[i], wanted[i]);
}

/* A loss that does not change when a constant goes from f to g. */
static inline void balance(ref_loss *loss) {
  double difference = 0.0;
  size_t present = 0;
  for (size_t i = 0; i < loss->n; i++)
    difference += a[i] > 0.0 ? wf[i] : 0.0;
  for (size_t j = 0; j < loss->m; j++) {
    difference -= b[j] > 0.0 ? wg[j] : 0.0;
    present += b[j] > 0.0;
  }
  for (size_t j = 0; j < loss->m; j++)
    wg[j] += difference / (double)present;
}

static const size_t sizes[][2] = {{1, 1}, {1, 5}, {6, 1}, {4, 7}, {9, 5}, {6, 6}};

#endif
