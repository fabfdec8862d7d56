/* transport_unbalanced.h, partial transport and bins: masses, duality, limits, the twin. */
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

static burl_unbalanced_info solve(size_t n, size_t m, double mass, int warm,
                                  const burl_sinkhorn_options *options) {
  burl_unbalanced_info info;
  memset(&info, 0xFF, sizeof info);
  assert_int_equal(
      burl_unbalanced_solve_partial(solver, f, g, C, m, n, m, a, b, mass, warm, options, &info),
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

static void moves_the_mass_within_the_marginals(void **state) {
  (void)state;
  static const size_t sizes[][2] = {{1, 1}, {1, 8}, {8, 1}, {9, 14}, {30, 12}};
  static const double shares[] = {1e-6, 0.1, 0.5, 0.9, 0.999, 1.0};
  for (int s = 0; s < 5; s++)
    for (int k = 0; k < 6; k++)
      for (int order = 0; order < 2; order++) {
        size_t n = sizes[s][0], m = sizes[s][1];
        make_problem(n, m, 2.0, 3.0, 10 + (uint64_t)s);
        burl_sinkhorn_options options = options_of(0.02, 20000, 1e-12, (burl_sweep_order)order);
        burl_unbalanced_info info = solve(n, m, 2.0 * shares[k], 0, &options);
        assert_int_equal(info.converged, 1);
        double mass = 0.0;
        for (size_t i = 0; i < n; i++) {
          mass += row_sum(i, m);
          assert_true(row_sum(i, m) <= a[i] + 1e-11);
        }
        for (size_t j = 0; j < m; j++)
          assert_true(column_sum(j, n, m) <= b[j] + 1e-11);
        assert_near(mass, 2.0 * shares[k], 1e-11);
        assert_near(info.mass, mass, 1e-12);
        assert_near(info.primal, info.dual, 1e-9);
        assert_near(info.gap, 0.0, 1e-9);
      }
}

static void side_updated_last_is_exact_after_any_sweep(void **state) {
  (void)state;
  size_t n = 9, m = 11;
  for (int order = 0; order < 2; order++)
    for (size_t sweeps = 1; sweeps < 5; sweeps++) {
      make_problem(n, m, 1.0, 1.2, 20);
      burl_sinkhorn_options options = options_of(0.01, sweeps, 0.0, (burl_sweep_order)order);
      burl_unbalanced_info info = solve(n, m, 0.8, 0, &options);
      assert_near(info.mass, 0.8, 1e-13);
      for (size_t i = 0; order && i < n; i++)
        assert_true(row_sum(i, m) <= a[i] + 1e-13);
      for (size_t j = 0; !order && j < m; j++)
        assert_true(column_sum(j, n, m) <= b[j] + 1e-13);
      assert_near(info.gap, info.primal - info.dual, 1e-12);
    }
}

static void follows_the_reference_sweep_by_sweep(void **state) {
  (void)state;
  size_t n = 9, m = 13;
  double wanted_f[MOST], wanted_g[MOST];
  for (size_t sweeps = 1; sweeps < 30; sweeps += 7)
    for (int order = 0; order < 2; order++) {
      make_problem(n, m, 1.0, 1.5, sweeps);
      burl_sinkhorn_options options = options_of(0.03, sweeps, 0.0, (burl_sweep_order)order);
      burl_unbalanced_info info = solve(n, m, 0.7, 0, &options);
      ref_unbalanced_problem problem = {C, a, b, n, m, 0.03, 0.0, 0.0, 0.7};
      double price = ref_partial(wanted_f, wanted_g, &problem, sweeps, options.order);
      assert_near(info.price, price, 1e-12);
      for (size_t i = 0; i < n; i++)
        assert_near(f[i], wanted_f[i] + price, 1e-12);
      for (size_t j = 0; j < m; j++)
        assert_near(g[j], wanted_g[j], 1e-12);
      burl_unbalanced_info wanted = ref_unbalanced_info(f, g, &problem);
      assert_near(info.primal, wanted.primal, 1e-12);
      double dual = price * 0.7 - 0.03 * wanted.mass;
      for (size_t i = 0; i < n; i++)
        dual += (f[i] - price) * a[i];
      for (size_t j = 0; j < m; j++)
        dual += g[j] * b[j];
      assert_near(info.dual, dual, 1e-12);
    }
}

static void all_of_equal_totals_is_the_balanced_problem(void **state) {
  (void)state;
  enum { N = 12, M = 10 };
  static double balanced[N * M];
  burl_sinkhorn *other;
  assert_int_equal(burl_sinkhorn_new(&other, N, M), BURL_OK);
  for (int order = 0; order < 2; order++)
    for (size_t sweeps = 1; sweeps < 500; sweeps *= 5) {
      make_problem(N, M, 2.0, 2.0, 30);
      burl_sinkhorn_options options = options_of(0.05, sweeps, 0.0, (burl_sweep_order)order);
      burl_sinkhorn_info wanted;
      assert_int_equal(burl_sinkhorn_solve_log(other, f, g, C, M, N, M, a, b, 0, &options, &wanted),
                       BURL_OK);
      burl_sinkhorn_plan_log(balanced, M, C, M, N, M, f, g, 0.05);
      burl_unbalanced_info info = solve(N, M, 2.0, 0, &options);
      for (size_t k = 0; k < N * M; k++)
        assert_near(P[k], balanced[k], 1e-12);
      assert_near(info.primal, wanted.primal, 1e-11);
      assert_near(info.dual, wanted.dual, 1e-11);
    }
  burl_sinkhorn_free(other);
}

/* More mass costs more, by the price, and the price rises. */
static void price_is_the_slope_of_the_cost(void **state) {
  (void)state;
  size_t n = 7, m = 9;
  make_problem(n, m, 1.0, 1.0, 40);
  burl_sinkhorn_options options = options_of(0.1, 20000, 1e-14, BURL_ROW_THEN_COLUMN);
  double before = -1e300;
  for (double mass = 0.1; mass < 0.95; mass += 0.2) {
    double above = solve(n, m, mass + 1e-4, 0, &options).primal;
    double below = solve(n, m, mass - 1e-4, 0, &options).primal;
    double price = solve(n, m, mass, 0, &options).price;
    assert_near(price, (above - below) / 2e-4, 1e-6);
    assert_true(price > before);
    before = price;
  }
}

/* min over k of n rows and one of m columns each, by enumeration */
static double best_choice(size_t n, size_t m, size_t k, size_t i, unsigned taken) {
  if (k == 0) return 0.0;
  if (i == n) return 1e300;
  double best = best_choice(n, m, k, i + 1, taken);
  for (size_t j = 0; j < m; j++)
    if (!(taken & 1U << j))
      best = fmin(best, C[i * m + j] + best_choice(n, m, k - 1, i + 1, taken | 1U << j));
  return best;
}

static void small_eps_gives_the_best_pairs(void **state) {
  (void)state;
  size_t n = 6, m = 5;
  for (size_t k = 1; k <= 5; k++) {
    make_problem(n, m, 1.0, 1.0, 50 + k);
    for (size_t i = 0; i < MOST; i++)
      a[i] = b[i] = 1.0;
    burl_sinkhorn_options options = options_of(5e-3, 20000, 2e-4, BURL_ROW_THEN_COLUMN);
    burl_unbalanced_info info = solve(n, m, (double)k, 0, &options);
    double best = best_choice(n, m, k, 0, 0);
    assert_int_equal(info.converged, 1);
    assert_true(info.transport >= best - 1e-3);
    assert_true(info.transport <= best + 5e-3 * (double)k * log((double)(n * m)) + 1e-3);
  }
}

static void zero_masses_and_warm_start(void **state) {
  (void)state;
  size_t n = 12, m = 9;
  for (int order = 0; order < 2; order++) {
    make_problem(n, m, 1.0, 1.0, 60);
    a[0] = a[11] = b[4] = b[8] = 0.0;
    burl_sinkhorn_options options = options_of(0.05, 5000, 1e-10, (burl_sweep_order)order);
    burl_unbalanced_info info = solve(n, m, 0.5, 0, &options);
    assert_int_equal(info.converged, 1);
    for (size_t i = 0; i < n; i++)
      for (size_t j = 0; j < m; j++)
        assert_int_equal(P[i * m + j] > 0.0, a[i] > 0.0 && b[j] > 0.0);
    options.check_every = 1;
    info = solve(n, m, 0.5, 1, &options);
    assert_true(info.converged && info.sweeps == 1);
  }
}

static void never_nan(void **state) {
  (void)state;
  static const double ratios[] = {1e-4, 1e-2, 1.0, 1e3}, shares[] = {1e-30, 0.5, 1.0};
  for (int s = 0; s < 3; s++)
    for (int r = 0; r < 4; r++)
      for (int order = 0; order < 2; order++) {
        make_problem(7, 8, 1.0, 1.0, 70);
        for (size_t e = 0; e < 56; e++)
          C[e] *= 1e6;
        a[6] = b[0] = 1e-30;
        double total = fmin(a[0] + a[1] + a[2] + a[3] + a[4] + a[5],
                            b[1] + b[2] + b[3] + b[4] + b[5] + b[6] + b[7]);
        burl_sinkhorn_options options =
            options_of(ratios[r] * 1e6, 50, 1e-12, (burl_sweep_order)order);
        burl_unbalanced_info info = solve(7, 8, shares[s] * total, 0, &options);
        assert_true(isfinite(info.primal) && isfinite(info.dual) && isfinite(info.price));
        assert_near(info.mass, shares[s] * total, 1e-8 * shares[s]);
      }
}

/* Two clusters of three duplicates and two strays, K = 2: without a bin every proposal gives 1/4 of
 * itself, strays included; with one, mass goes to the best of each cluster as eps falls. */
static void bin_keeps_k_of_m(void **state) {
  (void)state;
  enum { M_ROWS = 8, K = 2, LD = 5 };
  static const double scores[M_ROWS] = {0.9, 0.7, 0.6, 0.8, 0.6, 0.5, 0.3, 0.2};
  double cost[M_ROWS * LD], ones[M_ROWS], slots[K + 1];
  burl_sinkhorn *other;
  assert_int_equal(burl_sinkhorn_new(&other, M_ROWS, K + 1), BURL_OK);
  for (size_t j = 0; j < M_ROWS; j++) {
    ones[j] = 1.0;
    for (size_t k = 0; k < K; k++)
      cost[j * LD + k] = 1.0 - scores[j] + (j >= 6 ? 0.8 : j / 3 == k ? 0.0 : 1.0);
  }
  slots[0] = slots[1] = 1.0;
  burl_transport_bin bin = {.mass = M_ROWS - K, .constant = 0.0};
  assert_int_equal(
      burl_transport_add_bins(cost, LD, M_ROWS, K, ones, slots, NULL, &bin, (double)NAN), BURL_OK);
  static const double eps[] = {0.1, 0.02, 0.005};
  double kept_before = 0.0;
  for (int e = 0; e < 3; e++) {
    burl_sinkhorn_options options = options_of(eps[e], 20000, 1e-9, BURL_ROW_THEN_COLUMN);
    assert_int_equal(burl_sinkhorn_solve_log(other, f, g, cost, LD, M_ROWS, K + 1, ones, slots, 0,
                                             &options, NULL),
                     BURL_OK);
    burl_sinkhorn_plan_log(P, K + 1, cost, LD, M_ROWS, K + 1, f, g, eps[e]);
    double kept = fmin(P[0], P[3 * (K + 1) + 1]);
    assert_true(kept > kept_before);
    kept_before = kept;
    for (size_t j = 0; j < M_ROWS; j++)
      assert_near(row_sum(j, K + 1), 1.0, 1e-3);
    assert_near(column_sum(K, M_ROWS, K + 1), M_ROWS - K, 1e-9);
  }
  assert_true(kept_before > 0.999);
  burl_sinkhorn_free(other);
}

static void bins_go_where_they_belong(void **state) {
  (void)state;
  enum { N = 2, M = 3, LD = 6 };
  double cost[(N + 1) * LD], rows[N + 1], columns[M + 1];
  const double along[M] = {1.0, 2.0, 3.0};
  for (size_t k = 0; k < (N + 1) * LD; k++)
    cost[k] = -7.0;
  rows[N] = columns[M] = -7.0;
  burl_transport_bin row = {.mass = 5.0, .cost = along}, column = {.mass = 6.0, .constant = 4.0};
  assert_int_equal(burl_transport_add_bins(cost, LD, N, M, rows, columns, &row, &column, 9.0),
                   BURL_OK);
  for (size_t i = 0; i <= N; i++)
    for (size_t j = 0; j < LD; j++) {
      double wanted = j > M || (i < N && j < M) ? -7.0 : i < N ? 4.0 : j < M ? along[j] : 9.0;
      assert_true(cost[i * LD + j] == wanted);
    }
  assert_true(rows[N] == 5.0 && columns[M] == 6.0);
  row.mass = -1.0;
  assert_int_equal(burl_transport_add_bins(cost, LD, N, M, rows, columns, &row, NULL, 0.0),
                   BURL_ERR_ARGUMENT);
  row.mass = (double)NAN;
  assert_int_equal(burl_transport_add_bins(cost, LD, N, M, rows, columns, &row, NULL, 0.0),
                   BURL_ERR_NUMERIC);
  column.constant = (double)INFINITY;
  assert_int_equal(burl_transport_add_bins(cost, LD, N, M, rows, columns, NULL, &column, 0.0),
                   BURL_ERR_NUMERIC);
  column.constant = 0.0;
  assert_int_equal(burl_transport_add_bins(cost, M, N, M, rows, columns, NULL, &column, 0.0),
                   BURL_ERR_ARGUMENT);
  row.mass = 1.0;
  assert_int_equal(
      burl_transport_add_bins(cost, LD, N, M, rows, columns, &row, &column, (double)NAN),
      BURL_ERR_NUMERIC);
  assert_true(rows[N] == 5.0 && columns[M] == 6.0 && cost[N * LD + M] == 9.0);
}

static void refuses_bad_masses(void **state) {
  (void)state;
  static const double masses[] = {0.0, -1.0, (double)NAN, (double)INFINITY, 1.001};
  make_problem(4, 4, 1.0, 2.0, 90);
  burl_sinkhorn_options options = options_of(0.1, 10, 1e-9, BURL_ROW_THEN_COLUMN);
  f[0] = g[0] = 3.5;
  for (int k = 0; k < 5; k++) {
    burl_unbalanced_info info = {.sweeps = 77};
    assert_int_equal(burl_unbalanced_solve_partial(solver, f, g, C, 4, 4, 4, a, b, masses[k], 0,
                                                   &options, &info),
                     BURL_ERR_ARGUMENT);
    assert_true(f[0] == 3.5 && g[0] == 3.5 && info.sweeps == 77);
  }
  a[2] = -1.0;
  assert_int_equal(
      burl_unbalanced_solve_partial(solver, f, g, C, 4, 4, 4, a, b, 0.5, 0, &options, NULL),
      BURL_ERR_ARGUMENT);
}

static void allocates_nothing(void **state) {
  (void)state;
  make_problem(9, 8, 1.0, 2.0, 95);
  burl_sinkhorn_options options = options_of(0.1, 10, 1e-9, BURL_COLUMN_THEN_ROW);
  fail_allocation_after(-1);
  burl_status status =
      burl_unbalanced_solve_partial(solver, f, g, C, 8, 9, 8, a, b, 0.5, 0, &options, NULL);
  assert_int_equal(stop_failing(), 0);
  assert_int_equal(status, BURL_OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(moves_the_mass_within_the_marginals),
      cmocka_unit_test(side_updated_last_is_exact_after_any_sweep),
      cmocka_unit_test(follows_the_reference_sweep_by_sweep),
      cmocka_unit_test(all_of_equal_totals_is_the_balanced_problem),
      cmocka_unit_test(price_is_the_slope_of_the_cost),
      cmocka_unit_test(small_eps_gives_the_best_pairs),
      cmocka_unit_test(zero_masses_and_warm_start),
      cmocka_unit_test(never_nan),
      cmocka_unit_test(bin_keeps_k_of_m),
      cmocka_unit_test(bins_go_where_they_belong),
      cmocka_unit_test(refuses_bad_masses),
      cmocka_unit_test(allocates_nothing),
  };
  return cmocka_run_group_tests(tests, open_solver, close_solver);
}
