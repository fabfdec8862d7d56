/* Sinkhorn on a cost that is not stored, beside the stored forms; plans on demand and their sums.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "reference/ref_sinkhorn.h"
#include "unit/failing.h"
#include <burl/transport_cost.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define N 290 /* more than a block of rows */
#define M 90
#define D 40

static float X[N * D], Y[N * D], x_places[2 * N], y_places[2 * M], C[N * N], V[N * D], out[N * D];
static double C_double[N * N], a[N], b[N], f[N], g[N], other_f[N], other_g[N], P[N * N], Q[N * N];
static burl_sinkhorn *stored;
static burl_sinkhorn_lazy *lazy;

static int open_solvers(void **state) {
  (void)state;
  return burl_sinkhorn_new(&stored, N, N) != BURL_OK ||
         burl_sinkhorn_lazy_new(&lazy, N, N) != BURL_OK;
}

static int close_solvers(void **state) {
  (void)state;
  burl_sinkhorn_free(stored);
  burl_sinkhorn_lazy_free(lazy);
  return 0;
}

/* Points in a few clusters, masses from 0.1 to 1.1, and the published mixture of direction and
 * place over their maxima, so that max C is near 1. */
static burl_cost *open_cost(size_t n, size_t m, size_t d, double factor, uint64_t seed) {
  burl_random random = burl_random_start(seed, 0);
  for (size_t k = 0; k < n * d; k++)
    X[k] = (float)burl_random_normal(&random) + 2.0f * (float)(k / d % 4);
  for (size_t k = 0; k < m * d; k++)
    Y[k] = (float)burl_random_normal(&random) + 2.0f * (float)(k / d % 4);
  for (size_t k = 0; k < 2 * n; k++)
    x_places[k] = (float)burl_random_uniform(&random);
  for (size_t k = 0; k < 2 * m; k++)
    y_places[k] = (float)burl_random_uniform(&random);
  ref_transport_problem(C_double, a, b, n, m, 1.0, 1.0, seed);
  burl_cost_term terms[2] = {{.kind = BURL_COST_SQUARED, .weight = 0.7 * factor, .over_max = 1},
                             {.kind = BURL_COST_PLACE,
                              .weight = 0.3 * factor,
                              .over_max = 1,
                              .x_places = x_places,
                              .y_places = y_places}};
  burl_cost *cost = NULL;
  assert_int_equal(burl_cost_new(&cost, terms, 2, X, n, Y, m, d), BURL_OK);
  assert_int_equal(burl_cost_store(cost, C, m), BURL_OK);
  for (size_t k = 0; k < n * m; k++)
    C_double[k] = (double)C[k];
  return cost;
}

static burl_sinkhorn_options plain_options(double eps, size_t sweeps, double tolerance, int order) {
  return (burl_sinkhorn_options){.eps = eps,
                                 .max_sweeps = sweeps,
                                 .tolerance = tolerance,
                                 .check_every = 5,
                                 .order = (burl_sweep_order)order,
                                 .threads = 1};
}

static void assert_near(double x, double y, double tolerance) {
  if (!(fabs(x - y) <= tolerance)) fail_msg("%.17g is not %.17g within %g", x, y, tolerance);
}

static void solve(burl_cost *cost, int warm, const burl_sinkhorn_options *options,
                  burl_sinkhorn_info *info) {
  fail_allocation_after(-1);
  burl_status status = burl_sinkhorn_solve_lazy(lazy, f, g, cost, a, b, warm, options, info);
  assert_int_equal(stop_failing(), 0);
  assert_int_equal(status, BURL_OK);
}

/* Sum over the plan of |P - Q| relative to its mass. */
static double plan_distance(size_t n, size_t m, double eps) {
  double off = 0.0, mass = 0.0;
  burl_sinkhorn_plan_log(P, m, C_double, m, n, m, f, g, eps);
  burl_sinkhorn_plan_log(Q, m, C_double, m, n, m, other_f, other_g, eps);
  for (size_t k = 0; k < n * m; k++) {
    off += fabs(P[k] - Q[k]);
    mass += Q[k];
  }
  return off / mass;
}

static void equals_the_stored_form_sweep_by_sweep(void **state) {
  (void)state;
  static const size_t sizes[][2] = {{1, 1}, {1, 9}, {9, 1}, {256, 16}, {257, 33}, {290, 90}};
  static const double eps[] = {1e-4, 1e-3, 1e-2, 0.1, 10.0, 1e3};
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
    for (size_t e = 0; e < sizeof eps / sizeof *eps; e++)
      for (int order = 0; order < 2; order++) {
        size_t n = sizes[s][0], m = sizes[s][1], sweeps = 1 + 7 * (e % 3);
        burl_cost *cost = open_cost(n, m, D, 1.0, s + 10);
        burl_sinkhorn_options options = plain_options(eps[e], sweeps, 0.0, order);
        burl_sinkhorn_info info, other;
        solve(cost, 0, &options, &info);
        assert_int_equal(burl_sinkhorn_solve_scaling(stored, other_f, other_g, C, m, n, m, a, b, 0,
                                                     &options, &other),
                         BURL_OK);
        assert_near(plan_distance(n, m, eps[e]), 0.0, 5e-6);
        assert_near(info.transport, other.transport, 5e-6 * other.transport);
        assert_near(info.residual, other.residual, 2e-6);
        assert_int_equal(info.sweeps, sweeps);
        burl_cost_free(cost);
      }
}

/* Largest error of the marginal updated last, of the plan of f and g. */
static double exact_error(size_t n, size_t m, double eps, int order) {
  double worst = 0.0;
  burl_sinkhorn_plan_log(P, m, C_double, m, n, m, f, g, eps);
  for (size_t o = 0; o < (order ? n : m); o++) {
    double sum = order ? -a[o] : -b[o];
    for (size_t k = 0; k < (order ? m : n); k++)
      sum += order ? P[o * m + k] : P[k * m + o];
    worst = fmax(worst, fabs(sum));
  }
  return worst;
}

static void converges_to_the_log_form(void **state) {
  (void)state;
  for (int order = 0; order < 2; order++)
    for (int k = 0; k < 2; k++) {
      double eps = k ? 0.3 : 0.03, tolerance = k ? 1e-11 : 1e-4;
      burl_cost *cost = open_cost(200, 60, D, 1.0, 30);
      burl_sinkhorn_options options = plain_options(eps, 5000, tolerance, order);
      burl_sinkhorn_info info, other;
      solve(cost, 0, &options, &info);
      assert_int_equal(burl_sinkhorn_solve_log(stored, other_f, other_g, C_double, 60, 200, 60, a,
                                               b, 0, &options, &other),
                       BURL_OK);
      assert_true(info.converged && info.residual <= tolerance);
      assert_near(info.primal, info.dual, 10.0 * tolerance);
      assert_near(info.transport, other.transport, k ? 1e-9 : 1e-3);
      assert_near((double)info.sweeps, (double)other.sweeps, 10.0);
      assert_near(exact_error(200, 60, eps, order), 0.0, 1e-8);
      size_t cold = info.sweeps;
      solve(cost, 1, &options, &info); /* from its own answer */
      assert_true(info.converged && info.sweeps <= cold && info.sweeps <= 10);
      burl_cost_free(cost);
    }
}

/* Costs with clusters and a small eps: slow for plain sweeps. */
static void accelerated_sweeps_are_fewer(void **state) {
  (void)state;
  for (int order = 0; order < 2; order++)
    for (int k = 0; k < 2; k++) {
      double eps = 0.01, tolerance = k ? 1e-9 : 1e-5;
      burl_cost *cost = open_cost(200, 60, D, 1.0, 35);
      burl_sinkhorn_options options = plain_options(eps, 20000, tolerance, order);
      burl_sinkhorn_info info, other;
      solve(cost, 0, &options, &other);
      options.accelerate = 1;
      solve(cost, 0, &options, &info);
      assert_true(info.converged && other.converged && info.residual <= tolerance);
      assert_true(2 * info.sweeps <= other.sweeps);
      assert_near(info.transport, other.transport, 50.0 * tolerance);
      burl_cost_free(cost);
    }
}

static void masses_of_any_size_and_none(void **state) {
  (void)state;
  for (int order = 0; order < 2; order++) {
    burl_cost *cost = open_cost(200, 60, D, 1e6, 40);
    a[3] = 0.0, a[130] = 0.0, a[0] *= 1e-30, b[7] = 0.0, b[0] *= 1e-30;
    double sum_a = 0.0, sum_b = 0.0;
    for (size_t i = 0; i < 200; i++)
      sum_a += a[i];
    for (size_t j = 0; j < 60; j++)
      sum_b += b[j];
    for (size_t j = 0; j < 60; j++)
      b[j] *= sum_a / sum_b;
    burl_sinkhorn_options options = plain_options(1e4, 60, 0.0, order);
    burl_sinkhorn_info info, other;
    solve(cost, 0, &options, &info);
    assert_int_equal(burl_sinkhorn_solve_log(stored, other_f, other_g, C_double, 60, 200, 60, a, b,
                                             0, &options, &other),
                     BURL_OK);
    assert_near(plan_distance(200, 60, 1e4), 0.0, 5e-6);
    assert_true(isinf(f[3]) && f[3] < 0.0 && isinf(g[7]) && g[7] < 0.0);
    assert_near(f[0] + g[0], other_f[0] + other_g[0], 1e4 * 1e-5);
    assert_near(info.primal, other.primal, 1e-5 * fabs(other.primal));
    burl_cost_free(cost);
  }
}

static void rows_and_columns_may_change_places(void **state) {
  (void)state;
  static float X_before[N * D], Y_before[N * D], places_before[2 * N];
  static double f_before[N], g_before[N], a_before[N], b_before[N];
  size_t n = 200, m = 60;
  burl_cost *cost = open_cost(n, m, D, 1.0, 50);
  burl_sinkhorn_options options = plain_options(0.05, 40, 0.0, 0);
  solve(cost, 0, &options, NULL);
  memcpy(X_before, X, sizeof X), memcpy(Y_before, Y, sizeof Y);
  memcpy(places_before, x_places, sizeof x_places);
  memcpy(f_before, f, sizeof f), memcpy(g_before, g, sizeof g);
  memcpy(a_before, a, sizeof a), memcpy(b_before, b, sizeof b);
  burl_cost_free(cost);
  for (size_t i = 0; i < n; i++) { /* 77 and 200 have no common divisor */
    size_t from = i * 77 % n;
    memcpy(X + i * D, X_before + from * D, D * sizeof *X);
    memcpy(x_places + 2 * i, places_before + 2 * from, 2 * sizeof *x_places);
    a[i] = a_before[from];
  }
  burl_cost_term terms[2] = {
      {.kind = BURL_COST_SQUARED, .weight = 0.7, .over_max = 1},
      {BURL_COST_PLACE, 0.3, 1, 0.0, 0.0, BURL_COST_AUTO, x_places, y_places, {0}}};
  assert_int_equal(burl_cost_new(&cost, terms, 2, X, n, Y, m, D), BURL_OK);
  solve(cost, 0, &options, NULL);
  for (size_t i = 0; i < n; i++)
    assert_near(f[i], f_before[i * 77 % n], 1e-6);
  for (size_t j = 0; j < m; j++)
    assert_near(g[j], g_before[j], 1e-6);
  burl_cost_free(cost);
}

static void plans_on_demand_are_those_of_the_stored_cost(void **state) {
  (void)state;
  static float rows[N * M], whole[N * M];
  burl_cost *cost = open_cost(N, M, D, 1.0, 60);
  burl_sinkhorn_options options = plain_options(0.05, 30, 0.0, 0);
  solve(cost, 0, &options, NULL);
  burl_sinkhorn_plan_scaling(whole, M, C, M, N, M, f, g, 0.05);
  fail_allocation_after(-1);
  for (size_t first = 0; first < N; first += 37) {
    size_t count = N - first < 37 ? N - first : 37;
    assert_int_equal(burl_sinkhorn_lazy_plan(rows, M, cost, first, count, f, g, 0.05), BURL_OK);
    assert_memory_equal(rows, whole + first * M, count * M * sizeof *rows);
  }
  assert_int_equal(stop_failing(), 0);
  assert_int_equal(burl_sinkhorn_lazy_plan(rows, M, cost, N, 1, f, g, 0.05), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_sinkhorn_lazy_plan(rows, M, cost, 0, 1, f, g, 0.0), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_sinkhorn_lazy_plan(rows, 1, cost, 0, 1, f, g, 0.05), BURL_ERR_ARGUMENT);
  burl_cost_free(cost);
}

/* out against sums in double over the plan P (n,m): by rows (n,q) or by columns (m,q). */
static void check_sums(int columns, size_t n, size_t m, size_t q, const double *masses) {
  size_t outer = columns ? m : n, inner = columns ? n : m;
  for (size_t o = 0; o < outer; o++)
    for (size_t t = 0; t < q; t++) {
      double sum = 0.0, size = 0.0;
      for (size_t k = 0; k < inner; k++) {
        double p = columns ? P[k * m + o] : P[o * m + k];
        if (masses) p = masses[o] > 0.0 ? p / masses[o] : 0.0;
        sum += p * (double)V[k * q + t];
        size += p * fabs((double)V[k * q + t]);
      }
      assert_near((double)out[o * q + t], sum, 1e-5 * size + 1e-37);
    }
}

static void projections_are_sums_over_the_plan(void **state) {
  (void)state;
  static const size_t sizes[][3] = {{N, M, D}, {1, 7, 3}, {7, 1, 1}, {257, 20, 5}};
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
    size_t n = sizes[s][0], m = sizes[s][1], q = sizes[s][2];
    burl_cost *cost = open_cost(n, m, D, 1.0, 70);
    burl_random random = burl_random_start(71, 0);
    for (size_t k = 0; k < N * q; k++)
      V[k] = (float)burl_random_normal(&random);
    if (n > 1 && m > 1) { /* a row and a column of next to nothing */
      b[m - 1] += b[0] - b[0] * 1e-36;
      b[0] *= 1e-36;
      a[n - 1] += a[1];
      a[1] = 0.0;
    }
    burl_sinkhorn_options options = plain_options(0.05, 300, 0.0, 0);
    solve(cost, 0, &options, NULL);
    burl_sinkhorn_plan_log(P, m, C_double, m, n, m, f, g, 0.05);
    for (int divided = 0; divided < 2; divided++) {
      fail_allocation_after(-1);
      assert_int_equal(
          burl_sinkhorn_lazy_project_rows(lazy, out, cost, f, g, 0.05, V, q, divided ? a : NULL),
          BURL_OK);
      check_sums(0, n, m, q, divided ? a : NULL);
      assert_int_equal(
          burl_sinkhorn_lazy_project_columns(lazy, out, cost, f, g, 0.05, V, q, divided ? b : NULL),
          BURL_OK);
      assert_int_equal(stop_failing(), 0);
      check_sums(1, n, m, q, divided ? b : NULL);
    }
    burl_cost_free(cost);
  }
}

/* The same bytes twice, whatever was solved in between, and for any number of threads. */
static void nothing_is_left_of_the_problem_before(void **state) {
  (void)state;
  burl_sinkhorn_options options = plain_options(0.02, 30, 1e-3, 0);
  burl_cost *cost = open_cost(50, 20, D, 1.0, 81);
  solve(cost, 0, &options, NULL);
  burl_cost_free(cost);
  memcpy(other_f, f, sizeof f);
  cost = open_cost(200, 60, D, 1.0, 80);
  solve(cost, 0, &options, NULL);
  assert_int_equal(burl_sinkhorn_lazy_project_rows(lazy, out, cost, f, g, 0.02, Y, D, a), BURL_OK);
  burl_cost_free(cost);
  cost = open_cost(50, 20, D, 1.0, 81);
  options.threads = 3;
  solve(cost, 0, &options, NULL);
  assert_memory_equal(other_f, f, 50 * sizeof *f);
  burl_cost_free(cost);
}

static void bad_input_is_refused_and_changes_nothing(void **state) {
  (void)state;
  burl_cost *cost = open_cost(20, 10, D, 1.0, 90);
  const burl_sinkhorn_options good = plain_options(0.1, 5, 0.0, 0);
  burl_sinkhorn_options bad = good;
  burl_sinkhorn_info info;
  double before_f[N], before_g[N];
  memset(f, 0x11, sizeof f), memset(g, 0x22, sizeof g), memset(out, 0x33, sizeof out);
  memcpy(before_f, f, sizeof f), memcpy(before_g, g, sizeof g);
#define REFUSED(status, options)                                                                   \
  assert_int_equal(burl_sinkhorn_solve_lazy(lazy, f, g, cost, a, b, 0, options, &info), status)
  REFUSED(BURL_ERR_ARGUMENT, NULL);
  bad.eps = 0.0;
  REFUSED(BURL_ERR_ARGUMENT, &bad);
  bad.eps = 1e-16; /* the cost is too large for it */
  REFUSED(BURL_ERR_ARGUMENT, &bad);
  double kept = a[4];
  a[4] = -1.0;
  REFUSED(BURL_ERR_ARGUMENT, &good);
  a[4] = (double)NAN;
  REFUSED(BURL_ERR_NUMERIC, &good);
  assert_int_equal(burl_sinkhorn_lazy_project_rows(lazy, out, cost, f, g, 0.1, V, 1, a),
                   BURL_ERR_NUMERIC);
  a[4] = kept + 1.0;
  REFUSED(BURL_ERR_ARGUMENT, &good);
  a[4] = kept;
  burl_sinkhorn_lazy *small = NULL;
  assert_int_equal(burl_sinkhorn_lazy_new(&small, 20, 9), BURL_OK);
  assert_int_equal(burl_sinkhorn_solve_lazy(small, f, g, cost, a, b, 0, &good, &info),
                   BURL_ERR_SIZE);
  assert_int_equal(burl_sinkhorn_lazy_project_rows(small, out, cost, f, g, 0.1, V, 1, a),
                   BURL_ERR_SIZE);
  assert_int_equal(burl_sinkhorn_lazy_project_columns(lazy, out, cost, f, g, 0.1, V, 0, b),
                   BURL_ERR_ARGUMENT);
  burl_sinkhorn_lazy_free(small);
  assert_memory_equal(f, before_f, sizeof f);
  assert_memory_equal(g, before_g, sizeof g);
  for (size_t k = 0; k < sizeof out; k++)
    assert_int_equal(((unsigned char *)out)[k], 0x33);
  burl_cost_free(cost);
}

static void new_fails_cleanly_without_memory(void **state) {
  (void)state;
  burl_sinkhorn_lazy *made = NULL;
  assert_int_equal(burl_sinkhorn_lazy_new(&made, 0, 4), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_sinkhorn_lazy_new(&made, 4, 0), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_sinkhorn_lazy_new(&made, 4, SIZE_MAX / 16), BURL_ERR_SIZE);
  for (long i = 0;; i++) {
    fail_allocation_after(i);
    burl_status status = burl_sinkhorn_lazy_new(&made, 30, 20);
    long asked = stop_failing();
    if (status == BURL_OK) {
      assert_true(asked == i && i >= 3);
      break;
    }
    assert_int_equal(status, BURL_ERR_MEMORY);
    assert_null(made);
  }
  burl_sinkhorn_lazy_free(made);
  burl_sinkhorn_lazy_free(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(equals_the_stored_form_sweep_by_sweep),
      cmocka_unit_test(converges_to_the_log_form),
      cmocka_unit_test(accelerated_sweeps_are_fewer),
      cmocka_unit_test(masses_of_any_size_and_none),
      cmocka_unit_test(rows_and_columns_may_change_places),
      cmocka_unit_test(plans_on_demand_are_those_of_the_stored_cost),
      cmocka_unit_test(projections_are_sums_over_the_plan),
      cmocka_unit_test(nothing_is_left_of_the_problem_before),
      cmocka_unit_test(bad_input_is_refused_and_changes_nothing),
      cmocka_unit_test(new_fails_cleanly_without_memory),
  };
  return cmocka_run_group_tests(tests, open_solvers, close_solvers);
}
