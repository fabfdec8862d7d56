/* transport_unbalanced.h, unbalanced part: duality, closed forms, limits, the twin, bad input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "reference/ref_sinkhorn.h"
#include "reference/ref_unbalanced.h"
#include "unit/failing.h"
#include <burl/transport_unbalanced.h>

#include <math.h>
#include <string.h>

#define MOST 40

static double C[MOST * MOST], a[MOST], b[MOST], f[MOST], g[MOST], P[MOST * MOST];

static burl_unbalanced *solver;

static int open_solver(void **state) {
  (void)state;
  return burl_unbalanced_new(&solver, MOST, MOST) != BURL_OK;
}

static int close_solver(void **state) {
  (void)state;
  burl_unbalanced_free(solver);
  return 0;
}

static burl_sinkhorn_options options_of(double eps, size_t sweeps, double tolerance,
                                        burl_sweep_order order) {
  burl_sinkhorn_options options = burl_sinkhorn_default_options();
  options.eps = eps;
  options.max_sweeps = sweeps;
  options.tolerance = tolerance;
  options.order = order;
  return options;
}

static burl_unbalanced_info solve(size_t n, size_t m, double rho_a, double rho_b, int warm,
                                  const burl_sinkhorn_options *options) {
  burl_unbalanced_info info;
  memset(&info, 0xFF, sizeof info);
  assert_int_equal(
      burl_unbalanced_solve(solver, f, g, C, m, n, m, a, b, rho_a, rho_b, warm, options, &info),
      BURL_OK);
  burl_sinkhorn_plan_log(P, m, C, m, n, m, f, g, options->eps);
  return info;
}

static void assert_near(double x, double y, double tolerance) {
  if (!(fabs(x - y) <= tolerance)) fail_msg("%.17g is not %.17g within %g", x, y, tolerance);
}

static void make_problem(size_t n, size_t m, double total_a, double total_b, uint64_t seed) {
  ref_transport_problem(C, a, b, n, m, 1.0, total_a, seed);
  for (size_t j = 0; j < m; j++)
    b[j] *= total_b / total_a;
}

static double row_sum(size_t i, size_t m) {
  double sum = 0.0;
  for (size_t j = 0; j < m; j++)
    sum += P[i * m + j];
  return sum;
}

static double column_sum(size_t j, size_t n, size_t m) {
  double sum = 0.0;
  for (size_t i = 0; i < n; i++)
    sum += P[i * m + j];
  return sum;
}

/* Pairs of rho that do not fix both totals. */
static const double pairs[][2] = {
    {1.0, 1.0}, {0.01, 30.0}, {(double)INFINITY, 0.5}, {2.0, (double)INFINITY},
    {0.0, 1.0}, {0.3, 0.0},   {0.0, (double)INFINITY}, {(double)INFINITY, 0.0},
    {0.0, 0.0}};
#define PAIRS (sizeof pairs / sizeof *pairs)

static void follows_the_reference_sweep_by_sweep(void **state) {
  (void)state;
  size_t n = 9, m = 13;
  double wanted_f[MOST], wanted_g[MOST];
  for (size_t k = 0; k < PAIRS; k++)
    for (size_t sweeps = 1; sweeps < 20; sweeps += 6)
      for (int order = 0; order < 2; order++) {
        make_problem(n, m, 1.0, 2.5, 3 + k);
        burl_sinkhorn_options options = options_of(0.05, sweeps, 0.0, (burl_sweep_order)order);
        burl_unbalanced_info info = solve(n, m, pairs[k][0], pairs[k][1], 0, &options);
        ref_unbalanced_problem problem = {C, a, b, n, m, 0.05, pairs[k][0], pairs[k][1], 0.0};
        ref_unbalanced(wanted_f, wanted_g, &problem, sweeps, options.order);
        for (size_t i = 0; i < n; i++)
          assert_near(f[i], wanted_f[i], 1e-12);
        for (size_t j = 0; j < m; j++)
          assert_near(g[j], wanted_g[j], 1e-12);
        burl_unbalanced_info wanted = ref_unbalanced_info(f, g, &problem);
        assert_near(info.mass, wanted.mass, 1e-12);
        assert_near(info.transport, wanted.transport, 1e-12);
        assert_near(info.primal, wanted.primal, 1e-11);
        assert_near(info.dual, wanted.dual, 1e-11);
        assert_near(info.gap, info.primal - info.dual, 1e-11);
        assert_int_equal(info.sweeps, sweeps);
      }
}

/* The residual is the gradient of the dual: by differences in f (or g) of the dual's formula. */
static void residual_is_the_gradient_of_the_dual(void **state) {
  (void)state;
  size_t n = 5, m = 6;
  for (int order = 0; order < 2; order++) {
    make_problem(n, m, 1.0, 1.5, 8);
    burl_sinkhorn_options options = options_of(0.1, 2, 0.0, (burl_sweep_order)order);
    burl_unbalanced_info info = solve(n, m, 0.7, 0.4, 0, &options);
    ref_unbalanced_problem problem = {C, a, b, n, m, 0.1, 0.7, 0.4, 0.0};
    double squares[2] = {0.0, 0.0};
    for (int side = 0; side < 2; side++)
      for (size_t k = 0; k < (side ? m : n); k++) {
        double *at = side ? g + k : f + k, kept = *at, h = 1e-5;
        *at = kept + h;
        double above = ref_unbalanced_info(f, g, &problem).dual;
        *at = kept - h;
        double below = ref_unbalanced_info(f, g, &problem).dual;
        *at = kept;
        squares[side] += (above - below) / (2.0 * h) * (above - below) / (2.0 * h);
      }
    assert_near(info.residual, sqrt(squares[order]), 1e-8);
    assert_near(sqrt(squares[!order]), 0.0, 1e-8);
    assert_true(info.residual > 1e-5);
  }
}

static void gap_closes(void **state) {
  (void)state;
  size_t n = 20, m = 15;
  for (size_t k = 0; k < PAIRS; k++)
    for (int order = 0; order < 2; order++) {
      make_problem(n, m, 1.0, 3.0, 20 + k);
      burl_sinkhorn_options options = options_of(0.02, 20000, 1e-11, (burl_sweep_order)order);
      burl_unbalanced_info info = solve(n, m, pairs[k][0], pairs[k][1], 0, &options);
      assert_int_equal(info.converged, 1);
      assert_near(info.primal, info.dual, 1e-10);
      assert_near(info.gap, 0.0, 1e-10);
      if (!isinf(pairs[k][0]) && !isinf(pairs[k][1])) assert_true(info.gap >= 0.0);
      for (size_t i = 0; isinf(pairs[k][0]) && i < n; i++)
        assert_near(row_sum(i, m), a[i], 1e-10);
      for (size_t j = 0; isinf(pairs[k][1]) && j < m; j++)
        assert_near(column_sum(j, n, m), b[j], 1e-10);
    }
}

/* No plan near the answer is better: the answer is the primal's minimum, not only a fixed point. */
static void nothing_near_is_better(void **state) {
  (void)state;
  size_t n = 4, m = 5;
  make_problem(n, m, 1.0, 2.0, 30);
  burl_sinkhorn_options options = options_of(0.1, 5000, 1e-13, BURL_ROW_THEN_COLUMN);
  burl_unbalanced_info info = solve(n, m, 0.5, 0.8, 0, &options);
  for (size_t e = 0; e < n * m; e++)
    for (int sign = -1; sign <= 1; sign += 2) {
      double kept = P[e], primal = 0.0;
      P[e] *= 1.0 + 0.01 * sign;
      for (size_t i = 0; i < n * m; i++)
        primal += P[i] * C[i] + 0.1 * P[i] * (log(P[i]) - 1.0);
      for (size_t i = 0; i < n; i++)
        primal += 0.5 * (row_sum(i, m) * log(row_sum(i, m) / a[i]) - row_sum(i, m) + a[i]);
      for (size_t j = 0; j < m; j++)
        primal += 0.8 * (column_sum(j, n, m) * log(column_sum(j, n, m) / b[j]) -
                         column_sum(j, n, m) + b[j]);
      P[e] = kept;
      assert_true(primal > info.primal);
    }
}

/* 1 x 1: C + eps log p + rho_a log(p/a) + rho_b log(p/b) = 0, solved by bisection in log p. */
static void one_by_one_is_the_scalar_equation(void **state) {
  (void)state;
  static const double eps[] = {1e-3, 0.1, 10.0}, costs[] = {-0.01, 0.3, 5.0};
  static const double rhos[] = {0.0, 1e-3, 1.0, 1e4};
  for (int e = 0; e < 3; e++)
    for (int c = 0; c < 3; c++)
      for (int k = 0; k < 16; k++) {
        double rho_a = rhos[k / 4], rho_b = rhos[k % 4];
        double low = -1e5, high = 1e5;
        C[0] = costs[c];
        a[0] = 0.7;
        b[0] = 3.0;
        for (int round = 0; round < 200; round++) {
          double p = (low + high) / 2.0;
          double slope = C[0] + eps[e] * p + rho_a * (p - log(a[0])) + rho_b * (p - log(b[0]));
          *(slope > 0.0 ? &high : &low) = p;
        }
        burl_sinkhorn_options options = options_of(eps[e], 100, 0.0, BURL_ROW_THEN_COLUMN);
        burl_unbalanced_info info = solve(1, 1, rho_a, rho_b, 0, &options);
        /* potentials are of the size of rho, and are told to 1e-16 of that, in units of eps */
        double rounding = 1e-12 + 1e-15 * fmax(rho_a, rho_b) / eps[e];
        assert_near(info.mass, exp(low), rounding * exp(low) + 1e-300);
      }
}

static void large_rho_is_the_balanced_problem(void **state) {
  (void)state;
  enum { N = 12, M = 17 };
  static double balanced[N * M];
  burl_sinkhorn *other;
  assert_int_equal(burl_sinkhorn_new(&other, N, M), BURL_OK);
  make_problem(N, M, 2.0, 2.0, 40);
  burl_sinkhorn_options options = options_of(0.05, 5000, 1e-13, BURL_ROW_THEN_COLUMN);
  burl_sinkhorn_info wanted;
  assert_int_equal(burl_sinkhorn_solve_log(other, f, g, C, M, N, M, a, b, 0, &options, &wanted),
                   BURL_OK);
  burl_sinkhorn_free(other);
  burl_sinkhorn_plan_log(balanced, M, C, M, N, M, f, g, 0.05);
  static const double rhos[] = {1e3, 1e7, 1e12, (double)INFINITY};
  for (int r = 0; r < 4; r++) {
    burl_unbalanced_info info = solve(N, M, rhos[r], rhos[r], 0, &options);
    assert_true(info.sweeps < 2000); /* the shift: rho does not slow it down */
    double tolerance = isinf(rhos[r]) ? 1e-12 : 10.0 / rhos[r] + 1e-12;
    for (size_t k = 0; k < N * M; k++)
      assert_near(P[k], balanced[k], tolerance);
    assert_near(info.transport, wanted.transport, tolerance);
    if (isinf(rhos[r])) assert_near(info.primal, wanted.primal, 1e-11);
  }
}

/* Rows exact, columns free: P_ij = a_i softmax_j(-C_ij/eps), after one sweep. */
static void semi_relaxed_is_a_softmax(void **state) {
  (void)state;
  size_t n = 11, m = 7;
  for (int order = 0; order < 2; order++) {
    make_problem(n, m, 1.0, 9.0, 50);
    burl_sinkhorn_options options = options_of(0.03, 10, 1e-12, (burl_sweep_order)order);
    options.check_every = 1;
    burl_unbalanced_info info = solve(n, m, (double)INFINITY, 0.0, 0, &options);
    assert_true(info.converged && info.sweeps == 1);
    for (size_t i = 0; i < n; i++) {
      double sum = 0.0;
      for (size_t j = 0; j < m; j++)
        sum += exp(-C[i * m + j] / 0.03);
      for (size_t j = 0; j < m; j++)
        assert_near(P[i * m + j], a[i] * exp(-C[i * m + j] / 0.03) / sum, 1e-14);
    }
    assert_near(info.primal, info.dual, 1e-13);
    info = solve(n, m, 0.0, 0.0, 0, &options);
    for (size_t k = 0; k < n * m; k++)
      assert_near(P[k], exp(-C[k] / 0.03), 1e-14);
  }
}

static void mass_rises_with_rho(void **state) {
  (void)state;
  size_t n = 10, m = 10;
  make_problem(n, m, 1.0, 1.0, 60);
  for (size_t k = 0; k < n * m; k++)
    C[k] += 2.0; /* so that moving costs more than the entropy gives */
  double before = 0.0;
  for (double rho = 0.01; rho < 1e4; rho *= 3.0) {
    burl_sinkhorn_options options = options_of(0.05, 5000, 1e-12, BURL_ROW_THEN_COLUMN);
    burl_unbalanced_info info = solve(n, m, rho, rho, 0, &options);
    assert_true(info.mass > before && info.mass < 1.0);
    before = info.mass;
  }
  assert_near(before, 1.0, 1e-3);
}

static void zero_masses_and_warm_start(void **state) {
  (void)state;
  size_t n = 12, m = 9;
  for (size_t k = 0; k < PAIRS; k++)
    for (int order = 0; order < 2; order++) {
      make_problem(n, m, 1.0, 2.0, 70);
      a[0] = a[7] = a[11] = b[3] = b[8] = 0.0;
      burl_sinkhorn_options options = options_of(0.05, 5000, 1e-10, (burl_sweep_order)order);
      burl_unbalanced_info info = solve(n, m, pairs[k][0], pairs[k][1], 0, &options);
      assert_int_equal(info.converged, 1);
      assert_near(info.primal, info.dual, 1e-9);
      for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < m; j++)
          assert_int_equal(P[i * m + j] > 0.0, a[i] > 0.0 && b[j] > 0.0);
      options.check_every = 1;
      info = solve(n, m, pairs[k][0], pairs[k][1], 1, &options);
      assert_true(info.converged && info.sweeps == 1);
    }
}

static void warm_start_goes_on_where_it_was(void **state) {
  (void)state;
  enum { N = 8, M = 10 };
  double plan[N * M];
  for (int order = 0; order < 2; order++) {
    make_problem(N, M, 1.0, 2.0, 71);
    burl_sinkhorn_options options = options_of(0.01, 12, 0.0, (burl_sweep_order)order);
    solve(N, M, 3.0, 5.0, 0, &options);
    memcpy(plan, P, sizeof plan);
    options.max_sweeps = 5;
    solve(N, M, 3.0, 5.0, 0, &options);
    options.max_sweeps = 7;
    solve(N, M, 3.0, 5.0, 1, &options);
    for (size_t k = 0; k < N * M; k++)
      assert_near(P[k], plan[k], 1e-13);
  }
}

static void never_nan(void **state) {
  (void)state;
  static const double ratios[] = {1e-4, 1e-2, 1.0, 1e3}, largest[] = {1e-6, 1.0, 1e6};
  static const size_t sizes[][2] = {{1, 9}, {9, 1}, {7, 8}};
  for (size_t k = 0; k < PAIRS; k++)
    for (int s = 0; s < 3; s++)
      for (int r = 0; r < 4; r++)
        for (int l = 0; l < 3; l++) {
          size_t n = sizes[s][0], m = sizes[s][1];
          make_problem(n, m, 1.0, 5.0, 80);
          for (size_t e = 0; e < n * m; e++)
            C[e] *= largest[l];
          a[n - 1] = 1e-30;
          b[m - 1] = n > 1 ? 1e-30 : b[m - 1];
          double eps = ratios[r] * largest[l];
          burl_sinkhorn_options options = options_of(eps, 50, 1e-12, BURL_ROW_THEN_COLUMN);
          burl_unbalanced_info info =
              solve(n, m, pairs[k][0] * largest[l], pairs[k][1] * largest[l], 0, &options);
          assert_true(isfinite(info.primal) && isfinite(info.dual) && isfinite(info.gap));
          for (size_t e = 0; e < n * m; e++)
            assert_true(isfinite(P[e]) && P[e] >= 0.0);
        }
}

static burl_status try_with(size_t n, size_t m, size_t ldc, double rho_a, double rho_b, int warm,
                            const burl_sinkhorn_options *options) {
  double old_f = f[0], old_g = g[0];
  burl_unbalanced_info info, before;
  memset(&info, 0x11, sizeof info);
  memcpy(&before, &info, sizeof info);
  burl_status status =
      burl_unbalanced_solve(solver, f, g, C, ldc, n, m, a, b, rho_a, rho_b, warm, options, &info);
  if (status) {
    assert_memory_equal(&f[0], &old_f, sizeof old_f);
    assert_memory_equal(&g[0], &old_g, sizeof old_g);
    assert_memory_equal(&info, &before, sizeof info);
  }
  return status;
}

#define INF ((double)INFINITY)

static void refuses_bad_options(void **state) {
  (void)state;
  make_problem(4, 4, 1.0, 2.0, 90);
  burl_sinkhorn_options good = options_of(0.1, 10, 1e-9, BURL_ROW_THEN_COLUMN), bad = good;
  assert_int_equal(try_with(4, 4, 4, 1.0, 1.0, 0, &good), BURL_OK);
  assert_int_equal(try_with(4, 4, 4, 1.0, 1.0, 0, NULL), BURL_ERR_ARGUMENT);
  assert_int_equal(try_with(0, 4, 4, 1.0, 1.0, 0, &good), BURL_ERR_ARGUMENT);
  assert_int_equal(try_with(4, 4, 3, 1.0, 1.0, 0, &good), BURL_ERR_ARGUMENT);
  assert_int_equal(try_with(MOST + 1, 1, 1, 1.0, 1.0, 0, &good), BURL_ERR_SIZE);
  static const double rhos[] = {-1.0, (double)NAN, -(double)INFINITY, 1e-20, 1e20};
  for (int k = 0; k < 5; k++) {
    assert_int_equal(try_with(4, 4, 4, rhos[k], 1.0, 0, &good), BURL_ERR_ARGUMENT);
    assert_int_equal(try_with(4, 4, 4, 1.0, rhos[k], 0, &good), BURL_ERR_ARGUMENT);
  }
  assert_int_equal(try_with(4, 4, 4, INF, INF, 0, &good), BURL_ERR_ARGUMENT); /* totals differ */
  static const double eps[] = {0.0, -1.0, (double)NAN, (double)INFINITY, 1e-310};
  for (int k = 0; k < 5; k++) {
    bad = good;
    bad.eps = eps[k];
    assert_int_equal(try_with(4, 4, 4, 1.0, 1.0, 0, &bad), BURL_ERR_ARGUMENT);
  }
  bad = good;
  bad.max_sweeps = 0;
  assert_int_equal(try_with(4, 4, 4, 1.0, 1.0, 0, &bad), BURL_ERR_ARGUMENT);
  bad = good;
  bad.check_every = 0;
  assert_int_equal(try_with(4, 4, 4, 1.0, 1.0, 0, &bad), BURL_ERR_ARGUMENT);
  bad = good;
  bad.tolerance = (double)NAN;
  assert_int_equal(try_with(4, 4, 4, 1.0, 1.0, 0, &bad), BURL_ERR_ARGUMENT);
}

static void refuses_bad_data(void **state) {
  (void)state;
  burl_sinkhorn_options good = options_of(0.1, 10, 1e-9, BURL_ROW_THEN_COLUMN);
  struct {
    double *at, value;
    burl_status status;
  } cases[] = {{a, -1.0, BURL_ERR_ARGUMENT},     {b + 3, (double)NAN, BURL_ERR_NUMERIC},
               {a + 1, INF, BURL_ERR_NUMERIC},   {C + 5, (double)NAN, BURL_ERR_NUMERIC},
               {C + 15, -INF, BURL_ERR_NUMERIC}, {C + 2, 1e15, BURL_ERR_ARGUMENT}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    make_problem(4, 4, 1.0, 2.0, 91);
    *cases[k].at = cases[k].value;
    assert_int_equal(try_with(4, 4, 4, 1.0, 1.0, 0, &good), cases[k].status);
  }
  make_problem(4, 4, 1.0, 2.0, 92);
  memset(b, 0, 4 * sizeof *b);
  assert_int_equal(try_with(4, 4, 4, 1.0, 1.0, 0, &good), BURL_ERR_ARGUMENT);
  make_problem(4, 4, 1.0, 2.0, 92);
  f[0] = f[1] = f[2] = f[3] = g[0] = g[1] = g[2] = g[3] = 0.0;
  f[2] = (double)NAN;
  assert_int_equal(try_with(4, 4, 4, 1.0, 1.0, 1, &good), BURL_ERR_NUMERIC);
  f[2] = 1e30;
  assert_int_equal(try_with(4, 4, 4, 1.0, 1.0, 1, &good), BURL_ERR_ARGUMENT);
  C[0] = -1000.0; /* exp(10000) on free sides */
  assert_int_equal(try_with(4, 4, 4, 0.0, 0.0, 0, &good), BURL_ERR_NUMERIC);
}

static void making_one_can_fail_solving_allocates_nothing(void **state) {
  (void)state;
  burl_unbalanced *made = NULL;
  assert_int_equal(burl_unbalanced_new(&made, 0, 3), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_unbalanced_new(&made, 3, SIZE_MAX / 4), BURL_ERR_SIZE);
  for (long i = 0;; i++) {
    fail_allocation_after(i);
    burl_status status = burl_unbalanced_new(&made, 5, 6);
    stop_failing();
    if (status == BURL_OK) break;
    assert_int_equal(status, BURL_ERR_MEMORY);
    assert_null(made);
  }
  make_problem(5, 6, 1.0, 2.0, 95);
  burl_sinkhorn_options options = options_of(0.1, 10, 1e-9, BURL_ROW_THEN_COLUMN);
  fail_allocation_after(-1);
  burl_status status =
      burl_unbalanced_solve(made, f, g, C, 6, 5, 6, a, b, 1.0, 1.0, 0, &options, NULL);
  assert_int_equal(stop_failing(), 0);
  assert_int_equal(status, BURL_OK);
  burl_unbalanced_free(made);
  burl_unbalanced_free(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(follows_the_reference_sweep_by_sweep),
      cmocka_unit_test(residual_is_the_gradient_of_the_dual),
      cmocka_unit_test(gap_closes),
      cmocka_unit_test(nothing_near_is_better),
      cmocka_unit_test(one_by_one_is_the_scalar_equation),
      cmocka_unit_test(large_rho_is_the_balanced_problem),
      cmocka_unit_test(semi_relaxed_is_a_softmax),
      cmocka_unit_test(mass_rises_with_rho),
      cmocka_unit_test(zero_masses_and_warm_start),
      cmocka_unit_test(warm_start_goes_on_where_it_was),
      cmocka_unit_test(never_nan),
      cmocka_unit_test(refuses_bad_options),
      cmocka_unit_test(refuses_bad_data),
      cmocka_unit_test(making_one_can_fail_solving_allocates_nothing),
  };
  return cmocka_run_group_tests(tests, open_solver, close_solver);
}
