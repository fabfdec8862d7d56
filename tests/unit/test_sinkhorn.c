/* transport.h, both forms side by side: marginals, duality, invariances, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "reference/ref_sinkhorn.h"
#include <burl/transport.h>

#include <math.h>
#include <string.h>

#define MOST 48

static double C[MOST * MOST], a[MOST], b[MOST], f[MOST], g[MOST], P[MOST * MOST];
static float C_float[MOST * MOST];

static burl_sinkhorn *solver;

static int open_solver(void **state) {
  (void)state;
  return burl_sinkhorn_new(&solver, MOST, MOST) != BURL_OK;
}

static int close_solver(void **state) {
  (void)state;
  burl_sinkhorn_free(solver);
  return 0;
}

static const char *form_names[] = {"log", "scaling"};

/* The cost rounded to float, so that both forms solve the same problem. */
static void round_cost(size_t count) {
  for (size_t i = 0; i < count; i++) {
    C_float[i] = (float)C[i];
    C[i] = (double)C_float[i];
  }
}

static burl_sinkhorn_info solve(int scaling, size_t n, size_t m, int warm,
                                const burl_sinkhorn_options *options) {
  burl_sinkhorn_info info;
  memset(&info, 0xFF, sizeof info);
  burl_status status =
      scaling
          ? burl_sinkhorn_solve_scaling(solver, f, g, C_float, m, n, m, a, b, warm, options, &info)
          : burl_sinkhorn_solve_log(solver, f, g, C, m, n, m, a, b, warm, options, &info);
  if (status) print_message("%s: status %d\n", form_names[scaling], (int)status);
  assert_int_equal(status, BURL_OK);
  burl_sinkhorn_plan_log(P, m, C, m, n, m, f, g, options->eps);
  return info;
}

static double row_error(size_t n, size_t m) {
  double squares = 0.0;
  for (size_t i = 0; i < n; i++) {
    double sum = -a[i];
    for (size_t j = 0; j < m; j++)
      sum += P[i * m + j];
    squares += sum * sum;
  }
  return sqrt(squares);
}

static double column_error(size_t n, size_t m) {
  double squares = 0.0;
  for (size_t j = 0; j < m; j++) {
    double sum = -b[j];
    for (size_t i = 0; i < n; i++)
      sum += P[i * m + j];
    squares += sum * sum;
  }
  return sqrt(squares);
}

static void assert_near(double x, double y, double tolerance) {
  if (!(fabs(x - y) <= tolerance)) fail_msg("%.17g is not %.17g within %g", x, y, tolerance);
}

static void one_marginal_is_exact_after_any_sweep(void **state) {
  (void)state;
  static const size_t sizes[][2] = {{1, 1}, {1, 9}, {9, 1}, {7, 13}, {48, 16}, {17, 48}};
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
    for (int order = 0; order < 2; order++)
      for (int scaling = 0; scaling < 2; scaling++) {
        size_t n = sizes[s][0], m = sizes[s][1];
        ref_transport_problem(C, a, b, n, m, 1.0, 3.0, 10 + s);
        round_cost(n * m);
        burl_sinkhorn_options options = {0.05, 1, 0.0, 1, (burl_sweep_order)order, 0, 1, 0.0};
        burl_sinkhorn_info info = solve(scaling, n, m, 0, &options);
        double exact = order ? row_error(n, m) : column_error(n, m);
        double other = order ? column_error(n, m) : row_error(n, m);
        assert_true(exact < (scaling ? 1e-6 : 1e-13));
        assert_near(info.residual, other, 1e-13);
        assert_int_equal(info.sweeps, 1);
        assert_int_equal(info.converged, info.residual == 0.0);
      }
}

static void follows_the_reference_sweep_by_sweep(void **state) {
  (void)state;
  size_t n = 11, m = 19;
  double wanted_f[MOST], wanted_g[MOST];
  for (size_t sweeps = 1; sweeps < 40; sweeps += 6)
    for (int order = 0; order < 2; order++)
      for (int scaling = 0; scaling < 2; scaling++) {
        ref_transport_problem(C, a, b, n, m, 2.0, 1.0, sweeps);
        round_cost(n * m);
        burl_sinkhorn_options options = {0.03, sweeps, 0.0, 3, (burl_sweep_order)order, 0, 1, 0.0};
        burl_sinkhorn_info info = solve(scaling, n, m, 0, &options);
        ref_sinkhorn(wanted_f, wanted_g, C, n, m, a, b, 0.03, sweeps, options.order);
        double tolerance = scaling ? 1e-6 : 1e-13;
        for (size_t i = 0; i < n; i++)
          assert_near(f[i] + g[0], wanted_f[i] + wanted_g[0], tolerance);
        for (size_t j = 0; j < m; j++)
          assert_near(f[0] + g[j], wanted_f[0] + wanted_g[j], tolerance);
        assert_int_equal(info.sweeps, sweeps);
      }
}

static void reports_what_the_plan_says(void **state) {
  (void)state;
  size_t n = 14, m = 10;
  for (int order = 0; order < 2; order++)
    for (int scaling = 0; scaling < 2; scaling++) {
      ref_transport_problem(C, a, b, n, m, 5.0, 2.0, 4);
      round_cost(n * m);
      burl_sinkhorn_options options = {0.2, 4, 0.0, 1, (burl_sweep_order)order, 0, 1, 0.0};
      burl_sinkhorn_info info = solve(scaling, n, m, 0, &options);
      burl_sinkhorn_info wanted = ref_sinkhorn_info(f, g, C, n, m, a, b, 0.2, options.order);
      assert_near(info.residual, wanted.residual, 1e-13);
      assert_near(info.transport, wanted.transport, 1e-12);
      assert_near(info.primal, wanted.primal, 1e-12);
      assert_near(info.dual, wanted.dual, 1e-12);
    }
}

/* primal - dual = <f, P1 - a> + <g, P^T 1 - b>, for any potentials, converged or not */
static void gap_is_what_the_marginals_are_off(void **state) {
  (void)state;
  size_t n = 9, m = 12;
  for (size_t sweeps = 1; sweeps < 200; sweeps *= 3)
    for (int order = 0; order < 2; order++) {
      ref_transport_problem(C, a, b, n, m, 1.0, 1.0, 6);
      burl_sinkhorn_options options = {0.02, sweeps, 0.0, 1, (burl_sweep_order)order, 0, 1, 0.0};
      burl_sinkhorn_info info = solve(0, n, m, 0, &options);
      double gap = 0.0;
      for (size_t i = 0; i < n; i++) {
        double sum = -a[i];
        for (size_t j = 0; j < m; j++)
          sum += P[i * m + j];
        gap += f[i] * sum;
      }
      for (size_t j = 0; j < m; j++) {
        double sum = -b[j];
        for (size_t i = 0; i < n; i++)
          sum += P[i * m + j];
        gap += g[j] * sum;
      }
      assert_near(info.primal - info.dual, gap, 1e-13);
      assert_near(info.gap, gap, 1e-14);
    }
}

static void dual_rises_to_the_primal(void **state) {
  (void)state;
  size_t n = 20, m = 15;
  ref_transport_problem(C, a, b, n, m, 1.0, 1.0, 8);
  double before = -(double)INFINITY;
  burl_sinkhorn_info info = {0};
  for (size_t sweeps = 1; sweeps < 3000; sweeps *= 2) {
    burl_sinkhorn_options options = {0.02, sweeps, 0.0, 1, BURL_ROW_THEN_COLUMN, 0, 1, 0.0};
    info = solve(0, n, m, 0, &options);
    assert_true(info.dual >= before - 1e-14);
    before = info.dual;
  }
  assert_near(info.primal, info.dual, 1e-9);
}

static void permuting_the_problem_permutes_the_plan(void **state) {
  (void)state;
  enum { N = 10, M = 7 };
  double plan[N * M], old_C[N * M], old_a[N], old_b[M];
  burl_sinkhorn_options options = {0.05, 30, 0.0, 1, BURL_ROW_THEN_COLUMN, 0, 1, 0.0};
  for (int scaling = 0; scaling < 2; scaling++) {
    ref_transport_problem(C, a, b, N, M, 1.0, 1.0, 12);
    round_cost(N * M);
    memcpy(old_C, C, sizeof old_C);
    memcpy(old_a, a, sizeof old_a);
    memcpy(old_b, b, sizeof old_b);
    solve(scaling, N, M, 0, &options);
    memcpy(plan, P, sizeof plan);
    for (size_t i = 0; i < N; i++)
      for (size_t j = 0; j < M; j++)
        C[i * M + j] = old_C[(i * 3 + 1) % N * M + (j * 2 + 3) % M];
    for (size_t i = 0; i < N; i++)
      a[i] = old_a[(i * 3 + 1) % N];
    for (size_t j = 0; j < M; j++)
      b[j] = old_b[(j * 2 + 3) % M];
    round_cost(N * M);
    solve(scaling, N, M, 0, &options);
    for (size_t i = 0; i < N; i++)
      for (size_t j = 0; j < M; j++)
        assert_near(P[i * M + j], plan[(i * 3 + 1) % N * M + (j * 2 + 3) % M],
                    scaling ? 1e-7 : 1e-14);
  }
}

static void constants_on_rows_and_columns_change_potentials_only(void **state) {
  (void)state;
  enum { N = 8, M = 11 };
  double plan[N * M];
  burl_sinkhorn_options options = {0.25, 200, 0.0, 1, BURL_COLUMN_THEN_ROW, 0, 1, 0.0};
  for (int scaling = 0; scaling < 2; scaling++) {
    ref_transport_problem(C, a, b, N, M, 1.0, 1.0, 13);
    for (size_t i = 0; i < N * M; i++)
      C[i] = floor(C[i] * 256.0) / 256.0; /* exact in float also with the constants added */
    round_cost(N * M);
    solve(scaling, N, M, 0, &options);
    memcpy(plan, P, sizeof plan);
    for (size_t i = 0; i < N; i++)
      for (size_t j = 0; j < M; j++)
        C[i * M + j] += 100.0 * (double)i - 50.0 * (double)j;
    round_cost(N * M);
    solve(scaling, N, M, 0, &options);
    for (size_t i = 0; i < N * M; i++)
      assert_near(P[i], plan[i], scaling ? 1e-6 : 1e-9);
  }
}

static void large_eps_gives_the_independent_plan(void **state) {
  (void)state;
  size_t n = 13, m = 6;
  for (int scaling = 0; scaling < 2; scaling++) {
    ref_transport_problem(C, a, b, n, m, 1.0, 4.0, 14);
    round_cost(n * m);
    burl_sinkhorn_options options = {1e8, 10, 1e-6, 1, BURL_ROW_THEN_COLUMN, 0, 1, 0.0};
    burl_sinkhorn_info info = solve(scaling, n, m, 0, &options);
    assert_int_equal(info.converged, 1);
    for (size_t i = 0; i < n; i++)
      for (size_t j = 0; j < m; j++)
        assert_near(P[i * m + j], a[i] * b[j] / 4.0, 1e-7);
  }
}

/* For unit masses, <P,C> exceeds the best assignment by at most eps n log n. */
static void small_eps_gives_the_best_assignment(void **state) {
  (void)state;
  for (size_t n = 1; n <= 7; n++)
    for (int scaling = 0; scaling < 2; scaling++) {
      ref_transport_problem(C, a, b, n, n, 1.0, 1.0, 20 + n);
      round_cost(n * n);
      for (size_t i = 0; i < n; i++)
        a[i] = b[i] = 1.0;
      burl_sinkhorn_options options = {5e-3, 20000, 2e-4, 50, BURL_ROW_THEN_COLUMN, 0, 1, 0.0};
      burl_sinkhorn_info info = solve(scaling, n, n, 0, &options);
      assert_int_equal(info.converged, 1);
      double best = ref_assignment(C, n);
      assert_true(info.transport >= best - 1e-3);
      assert_true(info.transport <= best + 5e-3 * (double)n * log((double)n) + 1e-3);
    }
}

static void warm_start_goes_on_where_it_was(void **state) {
  (void)state;
  enum { N = 12, M = 16 };
  double plan[N * M];
  for (int order = 0; order < 2; order++)
    for (int scaling = 0; scaling < 2; scaling++) {
      ref_transport_problem(C, a, b, N, M, 1.0, 1.0, 31);
      round_cost(N * M);
      burl_sinkhorn_options options = {0.01, 30, 0.0, 1, (burl_sweep_order)order, 0, 1, 0.0};
      solve(scaling, N, M, 0, &options);
      memcpy(plan, P, sizeof plan);
      options.max_sweeps = 10;
      solve(scaling, N, M, 0, &options);
      options.max_sweeps = 20;
      solve(scaling, N, M, 1, &options);
      for (size_t i = 0; i < N * M; i++)
        assert_near(P[i], plan[i], scaling ? 1e-7 : 1e-13);
    }
}

static void warm_start_from_the_answer_needs_one_look(void **state) {
  (void)state;
  size_t n = 12, m = 16;
  for (int order = 0; order < 2; order++)
    for (int scaling = 0; scaling < 2; scaling++) {
      ref_transport_problem(C, a, b, n, m, 1.0, 1.0, 32);
      round_cost(n * m);
      burl_sinkhorn_options options = {0.05, 5000, 1e-7, 1, (burl_sweep_order)order, 0, 1, 0.0};
      burl_sinkhorn_info info = solve(scaling, n, m, 0, &options);
      assert_true(info.converged && info.sweeps > 1 && info.sweeps < 5000);
      info = solve(scaling, n, m, 1, &options);
      assert_true(info.converged && info.sweeps == 1);
    }
}

static void converged_means_the_plan_is_within_tolerance(void **state) {
  (void)state;
  static const double tolerances[] = {1e-3, 1e-6, 1e-12, 0.0};
  size_t n = 24, m = 24;
  for (int scaling = 0; scaling < 2; scaling++)
    for (size_t t = 0; t < sizeof tolerances / sizeof *tolerances; t++)
      for (size_t most = 5; most <= 500; most *= 10) {
        ref_transport_problem(C, a, b, n, m, 1.0, 1.0, 33);
        round_cost(n * m);
        burl_sinkhorn_options options = {0.02, most, tolerances[t], 7, BURL_ROW_THEN_COLUMN, 0,
                                         1,    0.0};
        burl_sinkhorn_info info = solve(scaling, n, m, 0, &options);
        assert_near(row_error(n, m), info.residual, 1e-14);
        assert_int_equal(info.converged, info.residual <= tolerances[t]);
        assert_true(info.converged || info.sweeps == most);
        assert_true(info.sweeps == most || info.sweeps % 7 == 0);
      }
}

static void masses_of_zero_give_empty_rows_and_columns(void **state) {
  (void)state;
  size_t n = 15, m = 11;
  for (int order = 0; order < 2; order++)
    for (int scaling = 0; scaling < 2; scaling++) {
      ref_transport_problem(C, a, b, n, m, 1.0, 1.0, 41);
      round_cost(n * m);
      a[3] += a[0] + a[14]; /* first and last, and a whole block of the middle */
      a[0] = a[14] = 0.0;
      b[5] += b[0] + b[6] + b[10];
      b[0] = b[6] = b[10] = 0.0;
      burl_sinkhorn_options options = {0.05, 2000, 1e-7, 10, (burl_sweep_order)order, 0, 1, 0.0};
      burl_sinkhorn_info info = solve(scaling, n, m, 0, &options);
      assert_int_equal(info.converged, 1);
      assert_true(isfinite(info.primal) && isfinite(info.dual) && isfinite(info.transport));
      assert_near(info.primal, info.dual, 1e-6);
      assert_true(row_error(n, m) < 1e-6 && column_error(n, m) < 1e-6);
      assert_true(isinf(f[0]) && f[0] < 0.0 && isinf(g[10]) && g[10] < 0.0 && isfinite(f[1]));
      for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < m; j++)
          assert_true((a[i] > 0.0 && b[j] > 0.0) || P[i * m + j] == 0.0);
      info = solve(scaling, n, m, 1, &options); /* its own answer, -inf and all, is a valid start */
      assert_true(info.converged && info.sweeps == 10);
    }
}

static void all_mass_in_one_row(void **state) {
  (void)state;
  size_t n = 20, m = 5;
  for (int scaling = 0; scaling < 2; scaling++) {
    ref_transport_problem(C, a, b, n, m, 1.0, 1.0, 42);
    round_cost(n * m);
    memset(a, 0, sizeof a);
    a[17] = 1.0;
    burl_sinkhorn_options options = {0.05, 10, 1e-6, 1, BURL_ROW_THEN_COLUMN, 0, 1, 0.0};
    burl_sinkhorn_info info = solve(scaling, n, m, 0, &options);
    assert_int_equal(info.converged, 1);
    for (size_t j = 0; j < m; j++)
      assert_near(P[17 * m + j], b[j], 1e-6);
  }
}

static void float_plan_equals_double_plan(void **state) {
  (void)state;
  enum { N = 9, M = 21, LD = 24 };
  static float plan[N * LD], padded[N * LD];
  ref_transport_problem(C, a, b, N, M, 1.0, 1.0, 43);
  round_cost(N * M);
  burl_sinkhorn_options options = {0.02, 100, 0.0, 1, BURL_ROW_THEN_COLUMN, 0, 1, 0.0};
  solve(0, N, M, 0, &options);
  for (size_t i = 0; i < N; i++)
    memcpy(padded + i * LD, C_float + i * M, M * sizeof(float));
  memset(plan, 0xFF, sizeof plan);
  burl_sinkhorn_plan_scaling(plan, LD, padded, LD, N, M, f, g, 0.02);
  for (size_t i = 0; i < N; i++)
    for (size_t j = 0; j < LD; j++) {
      if (j < M)
        assert_near((double)plan[i * LD + j], P[i * M + j], 2e-6 * P[i * M + j] + 1e-30);
      else
        assert_true(isnan(plan[i * LD + j])); /* padding is not touched */
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_marginal_is_exact_after_any_sweep),
      cmocka_unit_test(follows_the_reference_sweep_by_sweep),
      cmocka_unit_test(reports_what_the_plan_says),
      cmocka_unit_test(gap_is_what_the_marginals_are_off),
      cmocka_unit_test(dual_rises_to_the_primal),
      cmocka_unit_test(permuting_the_problem_permutes_the_plan),
      cmocka_unit_test(constants_on_rows_and_columns_change_potentials_only),
      cmocka_unit_test(large_eps_gives_the_independent_plan),
      cmocka_unit_test(small_eps_gives_the_best_assignment),
      cmocka_unit_test(warm_start_goes_on_where_it_was),
      cmocka_unit_test(warm_start_from_the_answer_needs_one_look),
      cmocka_unit_test(converged_means_the_plan_is_within_tolerance),
      cmocka_unit_test(masses_of_zero_give_empty_rows_and_columns),
      cmocka_unit_test(all_mass_in_one_row),
      cmocka_unit_test(float_plan_equals_double_plan),
  };
  return cmocka_run_group_tests(tests, open_solver, close_solver);
}
