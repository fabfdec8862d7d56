/* transport_gromov.h: energy and gradient, limits, permutations, descent, bad input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "reference/ref_sinkhorn.h"
#include "reference/ref_unbalanced.h"
#include "unit/failing.h"
#include <burl/transport_gromov.h>

#include <math.h>
#include <string.h>

#define MOST 64

static double C[MOST * MOST], D1[MOST * MOST], D2[MOST * MOST], P[MOST * MOST];
static double a[MOST], b[MOST], x[MOST * 3], y[MOST * 3];

static burl_gromov *solver;

static int open_solver(void **state) {
  (void)state;
  return burl_gromov_new(&solver, MOST, MOST) != BURL_OK;
}

static int close_solver(void **state) {
  (void)state;
  burl_gromov_free(solver);
  return 0;
}

static void assert_near(double value, double wanted, double tolerance) {
  if (!(fabs(value - wanted) <= tolerance))
    fail_msg("%.17g is not %.17g within %g", value, wanted, tolerance);
}

static void scatter(double *points, size_t count, uint64_t seed) {
  burl_random random = burl_random_start(seed, 7);
  for (size_t k = 0; k < 3 * count; k++)
    points[k] = burl_random_uniform(&random);
}

/* power 2: squared distances */
static void distances(double *D, const double *points, size_t count, double power) {
  for (size_t i = 0; i < count; i++)
    for (size_t k = 0; k < count; k++) {
      double sum = 0.0;
      for (size_t d = 0; d < 3; d++)
        sum += (points[3 * i + d] - points[3 * k + d]) * (points[3 * i + d] - points[3 * k + d]);
      D[i * count + k] = pow(sum, power / 2.0);
    }
}

static burl_gromov_problem make_problem(size_t n, size_t m, double power, uint64_t seed) {
  ref_transport_problem(C, a, b, n, m, 1.0, 1.0, seed);
  scatter(x, n, seed);
  scatter(y, m, seed + 100);
  distances(D1, x, n, power);
  distances(D2, y, m, power);
  return (burl_gromov_problem){C, D1, D2, m, n, m, n, m, a, b};
}

static burl_gromov_options options_of(double alpha, double eps, size_t steps) {
  burl_gromov_options options = burl_gromov_default_options();
  options.alpha = alpha;
  options.eps = eps;
  options.max_steps = steps;
  options.sinkhorn.max_sweeps = 5000;
  options.sinkhorn.tolerance = 1e-11;
  return options;
}

static burl_gromov_info solve(const burl_gromov_problem *problem, int warm,
                              const burl_gromov_options *options) {
  burl_gromov_info info;
  memset(&info, 0xFF, sizeof info);
  assert_int_equal(burl_gromov_solve(solver, P, problem->m, problem, warm, options, &info),
                   BURL_OK);
  return info;
}

static void energy_is_that_of_four_loops(void **state) {
  (void)state;
  static const size_t sizes[][2] = {{1, 1}, {1, 7}, {6, 1}, {9, 5}, {7, 12}};
  for (int s = 0; s < 5; s++) {
    size_t n = sizes[s][0], m = sizes[s][1];
    burl_gromov_problem problem = make_problem(n, m, 1.0, (uint64_t)s);
    double energy, wanted;
    for (size_t k = 0; k < n * m; k++)
      P[k] = C[k]; /* any matrix */
    wanted = ref_gromov_energy(D1, D2, P, n, m);
    assert_int_equal(burl_gromov_energy(solver, &energy, NULL, 0, &problem, P, m), BURL_OK);
    assert_near(energy, wanted, 1e-12 * (1.0 + wanted));
  }
}

static void gradient_is_that_of_differences(void **state) {
  (void)state;
  enum { N = 6, M = 8, LD = 10 };
  static double dP[N * LD];
  burl_gromov_problem problem = make_problem(N, M, 1.0, 5);
  double energy;
  memcpy(P, C, N * M * sizeof *P);
  for (size_t k = 0; k < N * LD; k++)
    dP[k] = 3.0; /* gradients are added */
  assert_int_equal(burl_gromov_energy(solver, &energy, dP, LD, &problem, P, M), BURL_OK);
  for (size_t i = 0; i < N; i++)
    for (size_t j = 0; j < LD; j++) {
      if (j >= M) {
        assert_true(dP[i * LD + j] == 3.0);
        continue;
      }
      double *at = P + i * M + j, kept = *at, h = 1e-3; /* the energy is quadratic */
      *at = kept + h;
      double above = ref_gromov_energy(D1, D2, P, N, M);
      *at = kept - h;
      double below = ref_gromov_energy(D1, D2, P, N, M);
      *at = kept;
      double slope = (above - below) / (2.0 * h);
      assert_near(dP[i * LD + j] - 3.0, slope, 1e-9 * (1.0 + fabs(slope)));
    }
}

static void alpha_zero_is_sinkhorn(void **state) {
  (void)state;
  enum { N = 14, M = 11 };
  static double wanted[N * M];
  double f[N], g[M];
  burl_gromov_problem problem = make_problem(N, M, 1.0, 6);
  problem.D1 = problem.D2 = NULL;
  burl_gromov_options options = options_of(0.0, 0.05, 10);
  burl_gromov_info info = solve(&problem, 0, &options);
  assert_true(info.converged && info.steps == 2 && info.energy == 0.0);
  burl_sinkhorn *other;
  assert_int_equal(burl_sinkhorn_new(&other, N, M), BURL_OK);
  burl_sinkhorn_options inner = options.sinkhorn;
  burl_sinkhorn_info found;
  inner.eps = 0.05;
  assert_int_equal(burl_sinkhorn_solve_log(other, f, g, C, M, N, M, a, b, 0, &inner, &found),
                   BURL_OK);
  burl_sinkhorn_free(other);
  burl_sinkhorn_plan_log(wanted, M, C, M, N, M, f, g, 0.05);
  for (size_t k = 0; k < N * M; k++)
    assert_near(P[k], wanted[k], 1e-11);
  assert_near(info.objective, found.primal, 1e-10);
  assert_near(info.transport, found.transport, 1e-10);
}

/* The second space is the first in another order: all mass goes to the same points, E is about 0.
 */
static void permuted_space_is_recognised(void **state) {
  (void)state;
  size_t n = 30;
  for (int fused = 0; fused < 2; fused++)
    for (uint64_t seed = 1; seed < 4; seed++) {
      burl_gromov_problem problem = make_problem(n, n, 1.0, seed);
      for (size_t i = 0; i < n; i++) {
        a[i] = b[i] = 1.0 / (double)n;
        memcpy(y + 3 * ((i * 7 + 3) % n), x + 3 * i, 3 * sizeof *x);
      }
      distances(D2, y, n, 1.0);
      for (size_t k = 0; k < n * n; k++)
        C[k] = 0.5;
      burl_gromov_options options = options_of(fused ? 0.7 : 1.0, 5e-4, 300);
      options.sinkhorn.tolerance = 1e-9;
      options.tolerance = 1e-6;
      if (!fused) problem.C = NULL;
      burl_gromov_info info = solve(&problem, 0, &options);
      assert_true(info.energy < 1e-3 && info.energy > -1e-12);
      for (size_t i = 0; i < n; i++)
        assert_true(P[i * n + (i * 7 + 3) % n] > 0.9 / (double)n);
    }
}

/* Squared distances: F falls in every full step, none is rejected, and what is reported is so. */
static void objective_falls(void **state) {
  (void)state;
  size_t n = 12, m = 15;
  for (int fused = 0; fused < 2; fused++) {
    double before = 1e300;
    for (size_t steps = 1; steps < 12; steps++) {
      burl_gromov_problem problem = make_problem(n, m, 2.0, 20);
      burl_gromov_options options = options_of(fused ? 0.6 : 1.0, 0.01, steps);
      burl_gromov_info info = solve(&problem, 0, &options);
      assert_int_equal(info.rejected, 0);
      assert_true(info.objective <= before + 1e-9);
      before = info.objective;
      double energy = ref_gromov_energy(D1, D2, P, n, m), entropy = 0.0, transport = 0.0;
      for (size_t k = 0; k < n * m; k++) {
        entropy += P[k] > 0.0 ? P[k] * (log(P[k]) - 1.0) : 0.0;
        transport += P[k] * C[k];
      }
      assert_near(info.energy, energy, 1e-12);
      assert_near(info.transport, fused ? transport : 0.0, 1e-12);
      assert_near(info.objective,
                  options.alpha * energy + (1.0 - options.alpha) * info.transport + 0.01 * entropy,
                  1e-12);
    }
  }
}

/* Similarities instead of distances on one side make E convex in places, and full steps swing from
 * side to side: they are rejected, and F falls all the same. */
static void steps_that_rise_are_undone(void **state) {
  (void)state;
  size_t n = 12, rejected = 0;
  double before = 1e300;
  for (size_t steps = 1; steps < 60; steps += 3) {
    burl_gromov_problem problem = make_problem(n, n, 2.0, 21);
    for (size_t k = 0; k < n * n; k++)
      D2[k] = 2.0 - D2[k] * 3.0;
    burl_gromov_options options = options_of(1.0, 1e-3, steps);
    burl_gromov_info info = solve(&problem, 0, &options);
    assert_true(info.objective <= before + 1e-9);
    before = info.objective;
    rejected = info.rejected;
  }
  assert_true(rejected > 0);
  burl_gromov_problem problem = make_problem(n, n, 2.0, 21);
  for (size_t k = 0; k < n * n; k++)
    D2[k] = 2.0 - D2[k] * 3.0;
  burl_gromov_options options = options_of(1.0, 1e-3, 3000);
  options.tolerance = 1e-6;
  burl_gromov_info info = solve(&problem, 0, &options);
  assert_true(info.converged && info.rejected < 60);
  assert_true(info.objective < before);
}

/* A stationary point: log P + G/eps is constant but for rows and columns. */
static void converged_is_stationary(void **state) {
  (void)state;
  static const double proximals[] = {0.0, 0.05, 1.0};
  size_t n = 9, m = 10;
  for (int k = 0; k < 3; k++) {
    static double G[MOST * MOST];
    burl_gromov_problem problem = make_problem(n, m, 1.0, 30);
    burl_gromov_options options = options_of(0.5, 0.1, 3000);
    options.proximal = proximals[k];
    burl_gromov_info info = solve(&problem, 0, &options);
    assert_int_equal(info.converged, 1);
    double energy;
    memset(G, 0, sizeof G);
    assert_int_equal(burl_gromov_energy(solver, &energy, G, m, &problem, P, m), BURL_OK);
    for (size_t e = 0; e < n * m; e++)
      G[e] = 0.5 * C[e] + 0.5 * G[e] + 0.1 * log(P[e]);
    for (size_t i = 1; i < n; i++)
      for (size_t j = 1; j < m; j++)
        assert_near(G[i * m + j] - G[i * m] - G[j] + G[0], 0.0, 1e-6);
  }
}

static void warm_start_from_the_answer_stays(void **state) {
  (void)state;
  size_t n = 10, m = 8;
  burl_gromov_problem problem = make_problem(n, m, 1.0, 31);
  burl_gromov_options options = options_of(0.5, 0.1, 1000);
  burl_gromov_info info = solve(&problem, 0, &options);
  assert_true(info.converged && info.steps > 2);
  double objective = info.objective;
  options.tolerance = 1e-8;
  info = solve(&problem, 1, &options);
  assert_true(info.converged && info.steps == 1);
  assert_near(info.objective, objective, 1e-9);
}

static void zero_masses_and_single_points(void **state) {
  (void)state;
  static const size_t sizes[][2] = {{1, 6}, {6, 1}, {1, 1}, {8, 9}};
  for (int s = 0; s < 4; s++) {
    size_t n = sizes[s][0], m = sizes[s][1];
    burl_gromov_problem problem = make_problem(n, m, 1.0, 40);
    if (s == 3) {
      a[1] += a[0];
      b[2] += b[8];
      a[0] = b[8] = 0.0;
    }
    burl_gromov_options options = options_of(0.5, 0.05, 500);
    burl_gromov_info info = solve(&problem, 0, &options);
    assert_true(info.converged && isfinite(info.objective));
    for (size_t i = 0; i < n; i++) {
      double row = 0.0;
      for (size_t j = 0; j < m; j++) {
        row += P[i * m + j];
        assert_int_equal(P[i * m + j] > 0.0, a[i] > 0.0 && b[j] > 0.0);
      }
      assert_near(row, a[i], 1e-9);
    }
  }
}

static void refuses_bad_input(void **state) {
  (void)state;
  enum { N = 5, M = 6 };
  burl_gromov_options good = options_of(0.5, 0.1, 20), bad;
  burl_gromov_info info = {.steps = 77};
  P[0] = 42.0;
#define REFUSES(wanted, change)                                                                    \
  do {                                                                                             \
    burl_gromov_problem problem = make_problem(N, M, 1.0, 50);                                     \
    bad = good;                                                                                    \
    change;                                                                                        \
    assert_int_equal(burl_gromov_solve(solver, P, M, &problem, 0, &bad, &info), wanted);           \
    assert_true(P[0] == 42.0 && info.steps == 77);                                                 \
  } while (0)
  REFUSES(BURL_ERR_ARGUMENT, bad.alpha = -0.1);
  REFUSES(BURL_ERR_ARGUMENT, bad.alpha = (double)NAN);
  REFUSES(BURL_ERR_ARGUMENT, bad.eps = 0.0);
  REFUSES(BURL_ERR_ARGUMENT, bad.proximal = -1.0);
  REFUSES(BURL_ERR_ARGUMENT, bad.max_steps = 0);
  REFUSES(BURL_ERR_ARGUMENT, bad.tolerance = -1.0);
  REFUSES(BURL_ERR_ARGUMENT, bad.sinkhorn.max_sweeps = 0);
  REFUSES(BURL_ERR_ARGUMENT, problem.C = NULL);
  REFUSES(BURL_ERR_ARGUMENT, problem.D2 = NULL);
  REFUSES(BURL_ERR_ARGUMENT, problem.ldd1 = N - 1);
  REFUSES(BURL_ERR_ARGUMENT, problem.n = 0);
  REFUSES(BURL_ERR_SIZE, problem.n = problem.ldd1 = MOST + 1);
  REFUSES(BURL_ERR_ARGUMENT, D1[1] += 0.1);
  REFUSES(BURL_ERR_NUMERIC, D2[3] = (double)NAN);
  REFUSES(BURL_ERR_NUMERIC, C[3] = (double)NAN);
  REFUSES(BURL_ERR_ARGUMENT, D1[0] = 1e8);
  REFUSES(BURL_ERR_NUMERIC, a[0] = (double)NAN);
  REFUSES(BURL_ERR_ARGUMENT, a[0] = -0.5);
  REFUSES(BURL_ERR_ARGUMENT, b[0] += 0.5);
  burl_gromov_problem problem = make_problem(N, M, 1.0, 50);
  P[1] = -1.0;
  assert_int_equal(burl_gromov_solve(solver, P, M, &problem, 1, &good, &info), BURL_ERR_ARGUMENT);
  P[1] = (double)NAN;
  assert_int_equal(burl_gromov_solve(solver, P, M, &problem, 1, &good, &info), BURL_ERR_NUMERIC);
  assert_int_equal(burl_gromov_solve(solver, P, M - 1, &problem, 0, &good, &info),
                   BURL_ERR_ARGUMENT);
}

static void making_one_can_fail_solving_allocates_nothing(void **state) {
  (void)state;
  burl_gromov *made = NULL;
  assert_int_equal(burl_gromov_new(&made, 3, 0), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_gromov_new(&made, SIZE_MAX / 8, 5), BURL_ERR_SIZE);
  for (long i = 0;; i++) {
    fail_allocation_after(i);
    burl_status status = burl_gromov_new(&made, 7, 6);
    stop_failing();
    if (status == BURL_OK) break;
    assert_int_equal(status, BURL_ERR_MEMORY);
    assert_null(made);
  }
  burl_gromov_problem problem = make_problem(7, 6, 1.0, 60);
  burl_gromov_options options = options_of(0.5, 0.1, 5);
  fail_allocation_after(-1);
  burl_status status = burl_gromov_solve(made, P, 6, &problem, 0, &options, NULL);
  assert_int_equal(stop_failing(), 0);
  assert_int_equal(status, BURL_OK);
  burl_gromov_free(made);
  burl_gromov_free(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(energy_is_that_of_four_loops),
      cmocka_unit_test(gradient_is_that_of_differences),
      cmocka_unit_test(alpha_zero_is_sinkhorn),
      cmocka_unit_test(permuted_space_is_recognised),
      cmocka_unit_test(objective_falls),
      cmocka_unit_test(steps_that_rise_are_undone),
      cmocka_unit_test(converged_is_stationary),
      cmocka_unit_test(warm_start_from_the_answer_stays),
      cmocka_unit_test(zero_masses_and_single_points),
      cmocka_unit_test(refuses_bad_input),
      cmocka_unit_test(making_one_can_fail_solving_allocates_nothing),
  };
  return cmocka_run_group_tests(tests, open_solver, close_solver);
}
