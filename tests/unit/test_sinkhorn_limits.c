/* transport.h at its limits: extreme ranges, what is refused, memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "reference/ref_sinkhorn.h"
#include "unit/failing.h"
#include <burl/transport.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST 150
#define LD (MOST + 3)

typedef struct fixture {
  burl_sinkhorn *solver;
  double C[MOST * LD], a[MOST], b[MOST], f[MOST], g[MOST];
  float C_float[MOST * LD];
} fixture;

static int set_up(void **state) {
  fixture *t = calloc(1, sizeof *t);
  *state = t;
  return !t || burl_sinkhorn_new(&t->solver, MOST, MOST) != BURL_OK;
}

static int tear_down(void **state) {
  fixture *t = *state;
  burl_sinkhorn_free(t->solver);
  free(t);
  return 0;
}

/* A problem with padded rows, NaN in the padding. */
static void make_problem(fixture *t, size_t n, size_t m, double largest, uint64_t seed) {
  static double packed[MOST * MOST];
  ref_transport_problem(packed, t->a, t->b, n, m, largest, 1.0, seed);
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < LD; j++) {
      t->C_float[i * LD + j] = j < m ? (float)packed[i * m + j] : NAN;
      t->C[i * LD + j] = (double)t->C_float[i * LD + j];
    }
}

static burl_status solve(fixture *t, int scaling, size_t n, size_t m, int warm,
                         const burl_sinkhorn_options *options, burl_sinkhorn_info *info) {
  return scaling ? burl_sinkhorn_solve_scaling(t->solver, t->f, t->g, t->C_float, LD, n, m, t->a,
                                               t->b, warm, options, info)
                 : burl_sinkhorn_solve_log(t->solver, t->f, t->g, t->C, LD, n, m, t->a, t->b, warm,
                                           options, info);
}

/* Everything finite, the marginal that was updated last met, the other as reported. */
static void check_answer(const fixture *t, size_t n, size_t m, const burl_sinkhorn_options *options,
                         const burl_sinkhorn_info *info, double exactness) {
  static double P[MOST * MOST];
  double rows = 0.0, columns = 0.0;
  burl_sinkhorn_plan_log(P, m, t->C, LD, n, m, t->f, t->g, options->eps);
  for (size_t i = 0; i < n; i++) {
    double sum = -t->a[i];
    assert_true(isfinite(t->f[i]) || (t->a[i] <= 0.0 && isinf(t->f[i])));
    for (size_t j = 0; j < m; j++)
      sum += P[i * m + j];
    rows += sum * sum;
  }
  for (size_t j = 0; j < m; j++) {
    double sum = -t->b[j];
    assert_true(isfinite(t->g[j]) || (t->b[j] <= 0.0 && isinf(t->g[j])));
    for (size_t i = 0; i < n; i++)
      sum += P[i * m + j];
    columns += sum * sum;
  }
  double exact = sqrt(options->order ? rows : columns);
  double other = sqrt(options->order ? columns : rows);
  if (!(exact <= exactness)) fail_msg("eps %g: marginal off by %g", options->eps, exact);
  if (!(fabs(other - info->residual) <= exactness))
    fail_msg("eps %g: residual %g reported as %g", options->eps, other, info->residual);
  assert_true(isfinite(info->transport) && isfinite(info->primal) && isfinite(info->dual));
  assert_true(info->transport >= 0.0);
}

static void extreme_costs_and_eps(void **state) {
  fixture *t = *state;
  static const double costs[] = {1e-6, 1.0, 1e6}, ratios[] = {1e-4, 1e-3, 1e-2, 1.0, 1e3};
  static const size_t sizes[][2] = {{1, 1}, {1, 150}, {150, 1}, {37, 53}, {150, 20}, {20, 150}};
  for (size_t s = 0; s < 6; s++)
    for (size_t c = 0; c < 3; c++)
      for (size_t r = 0; r < 5; r++)
        for (int form = 0; form < 4; form++) {
          size_t n = sizes[s][0], m = sizes[s][1];
          make_problem(t, n, m, costs[c], 50 + s);
          burl_sinkhorn_options options = {ratios[r] * costs[c],         25, 0.0, 1,
                                           (burl_sweep_order)(form / 2), 0,  1,   0.0};
          burl_sinkhorn_info info;
          assert_int_equal(solve(t, form % 2, n, m, 0, &options, &info), BURL_OK);
          check_answer(t, n, m, &options, &info, form % 2 ? 2e-6 : 1e-10);
        }
}

/* Masses from 1 down to 1e-30 side by side, in both marginals, with zeros among them. */
static void extreme_masses(void **state) {
  fixture *t = *state;
  static const double ratios[] = {1e-4, 1e-2, 1.0, 1e3};
  static const double totals[] = {1e-20, 1.0, 1e6};
  size_t n = 40, m = 33;
  for (size_t r = 0; r < 4; r++)
    for (size_t c = 0; c < 3; c++)
      for (int form = 0; form < 4; form++) {
        make_problem(t, n, m, 1.0, 60);
        double sum_a = 0.0, sum_b = 0.0;
        for (size_t i = 0; i < n; i++)
          sum_a += t->a[i] = i % 13 == 5 ? 0.0 : pow(10.0, -30.0 * (double)i / (double)(n - 1));
        for (size_t j = 0; j < m; j++)
          sum_b += t->b[j] = j % 7 == 3 ? 0.0 : pow(10.0, -30.0 * (double)j / (double)(m - 1));
        for (size_t i = 0; i < n; i++)
          t->a[i] *= totals[c] / sum_a;
        for (size_t j = 0; j < m; j++)
          t->b[j] *= totals[c] / sum_b;
        burl_sinkhorn_options options = {ratios[r], 40, 0.0, 1, (burl_sweep_order)(form / 2),
                                         0,         1,  0.0};
        burl_sinkhorn_info info;
        assert_int_equal(solve(t, form % 2, n, m, 0, &options, &info), BURL_OK);
        check_answer(t, n, m, &options, &info, (form % 2 ? 2e-6 : 1e-10) * totals[c]);
      }
}

/* The smallest masses are met to float precision as well, not lost against the large ones. */
static void small_masses_keep_their_relative_precision(void **state) {
  fixture *t = *state;
  size_t n = 30, m = 30;
  make_problem(t, n, m, 1.0, 61);
  for (size_t i = 0; i < n; i++)
    t->a[i] = t->b[n - 1 - i] = pow(10.0, -(double)i);
  for (int form = 0; form < 4; form++) {
    burl_sinkhorn_options options = {0.05, 400, 0.0, 1, (burl_sweep_order)(form / 2), 0, 1, 0.0};
    burl_sinkhorn_info info;
    assert_int_equal(solve(t, form % 2, n, m, 0, &options, &info), BURL_OK);
    static double P[MOST * MOST];
    burl_sinkhorn_plan_log(P, m, t->C, LD, n, m, t->f, t->g, options.eps);
    for (size_t k = 0; k < n; k++) {
      double row = 0.0, column = 0.0;
      for (size_t l = 0; l < n; l++) {
        row += P[k * m + l];
        column += P[l * m + k];
      }
      assert_true(fabs(row - t->a[k]) <= 5e-6 * t->a[k]);
      assert_true(fabs(column - t->b[k]) <= 5e-6 * t->b[k]);
    }
  }
}

/* Two far groups: every entry between them is exp(-10,000). */
static void clusters_further_apart_than_float_can_tell(void **state) {
  fixture *t = *state;
  size_t n = 24, m = 18;
  for (int form = 0; form < 4; form++)
    for (int crossed = 0; crossed < 2; crossed++) {
      make_problem(t, n, m, 0.01, 62);
      for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < m; j++) {
          t->C_float[i * LD + j] += (i < 12) != (j < 9) ? 1.0f : 0.0f;
          t->C[i * LD + j] = (double)t->C_float[i * LD + j];
        }
      for (size_t i = 0; i < n; i++)
        t->a[i] = i < 12 ? 2.0 / 36.0 : 1.0 / 36.0;
      for (size_t j = 0; j < m; j++) /* crossed: a third of the mass must take the long way */
        t->b[j] = (j < 9) != crossed ? 2.0 / 27.0 : 1.0 / 27.0;
      burl_sinkhorn_options options = {1e-4, 3000, 1e-5, 10, (burl_sweep_order)(form / 2),
                                       0,    1,    0.0};
      burl_sinkhorn_info info;
      assert_int_equal(solve(t, form % 2, n, m, 0, &options, &info), BURL_OK);
      check_answer(t, n, m, &options, &info, form % 2 ? 2e-6 : 1e-9);
      assert_int_equal(info.converged, info.residual <= 1e-5);
      if (info.converged) assert_true(fabs(info.transport - crossed / 3.0) < 0.01);
    }
}

static void forms_agree_at_the_fixed_point(void **state) {
  fixture *t = *state;
  static double P[2][MOST * MOST];
  static const double eps[] = {0.002, 0.01, 0.05, 1.0};
  size_t n = 150, m = 70;
  for (size_t e = 0; e < 4; e++) {
    double transport[2], dual[2];
    for (int scaling = 0; scaling < 2; scaling++) {
      make_problem(t, n, m, 1.0, 63);
      burl_sinkhorn_options options = {eps[e], 3000, 1e-8, 10, BURL_COLUMN_THEN_ROW, 0, 1, 0.0};
      burl_sinkhorn_info info;
      assert_int_equal(solve(t, scaling, n, m, 0, &options, &info), BURL_OK);
      burl_sinkhorn_plan_log(P[scaling], m, t->C, LD, n, m, t->f, t->g, eps[e]);
      transport[scaling] = info.transport;
      dual[scaling] = info.dual;
    }
    for (size_t i = 0; i < n * m; i++)
      assert_true(fabs(P[0][i] - P[1][i]) < 1e-7);
    assert_true(fabs(transport[0] - transport[1]) < 1e-6 && fabs(dual[0] - dual[1]) < 1e-6);
  }
}

/* Default options ask for 1e-9, which float alone does not reach. */
static void both_forms_reach_any_tolerance(void **state) {
  fixture *t = *state;
  static const double tolerances[] = {1e-5, 1e-7, 1e-9, 1e-13};
  size_t n = 150, m = 61;
  for (size_t k = 0; k < 4; k++)
    for (int form = 0; form < 4; form++) {
      make_problem(t, n, m, 1.0, 64);
      burl_sinkhorn_options options = burl_sinkhorn_default_options();
      options.tolerance = tolerances[k];
      options.order = (burl_sweep_order)(form / 2);
      burl_sinkhorn_info info;
      assert_int_equal(solve(t, form % 2, n, m, 0, &options, &info), BURL_OK);
      check_answer(t, n, m, &options, &info, form % 2 ? 1e-7 : 1e-13);
      assert_true(info.converged && info.residual <= tolerances[k] && info.sweeps < 300);
    }
}

static void expect(fixture *t, burl_status wanted, size_t n, size_t m, int warm,
                   const burl_sinkhorn_options *options) {
  for (int scaling = 0; scaling < 2; scaling++) {
    burl_sinkhorn_info info, untouched;
    double f[MOST], g[MOST];
    memset(&info, 0x55, sizeof info);
    untouched = info;
    memcpy(f, t->f, sizeof f);
    memcpy(g, t->g, sizeof g);
    assert_int_equal(solve(t, scaling, n, m, warm, options, &info), wanted);
    assert_memory_equal(f, t->f, sizeof f);
    assert_memory_equal(g, t->g, sizeof g);
    assert_memory_equal(&info, &untouched, sizeof info);
  }
}

static void refuses_bad_options(void **state) {
  fixture *t = *state;
  const double nan = (double)NAN, inf = (double)INFINITY;
  const burl_sinkhorn_options bad[] = {
      {0.0, 1, 0.0, 1, BURL_ROW_THEN_COLUMN, 0, 1, 0.0},
      {-1.0, 1, 0.0, 1, BURL_ROW_THEN_COLUMN, 0, 1, 0.0},
      {nan, 1, 0.0, 1, BURL_ROW_THEN_COLUMN, 0, 1, 0.0},
      {inf, 1, 0.0, 1, BURL_ROW_THEN_COLUMN, 0, 1, 0.0},
      {1e-320, 1, 0.0, 1, BURL_ROW_THEN_COLUMN, 0, 1, 0.0},
      {1e-16, 1, 0.0, 1, BURL_ROW_THEN_COLUMN, 0, 1, 0.0},
      {0.1, 0, 0.0, 1, BURL_ROW_THEN_COLUMN, 0, 1, 0.0},
      {0.1, 1, -1.0, 1, BURL_ROW_THEN_COLUMN, 0, 1, 0.0},
      {0.1, 1, nan, 1, BURL_ROW_THEN_COLUMN, 0, 1, 0.0},
      {0.1, 1, 0.0, 0, BURL_ROW_THEN_COLUMN, 0, 1, 0.0},
      {0.1, 1, 0.0, 1, (burl_sweep_order)2, 0, 1, 0.0},
  };
  make_problem(t, 5, 6, 1.0, 70);
  for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
    expect(t, BURL_ERR_ARGUMENT, 5, 6, 0, &bad[k]);
  expect(t, BURL_ERR_ARGUMENT, 5, 6, 0, NULL);
}

static void refuses_bad_sizes(void **state) {
  fixture *t = *state;
  burl_sinkhorn_options options = burl_sinkhorn_default_options();
  make_problem(t, 5, 6, 1.0, 71);
  expect(t, BURL_ERR_ARGUMENT, 0, 6, 0, &options);
  expect(t, BURL_ERR_ARGUMENT, 5, 0, 0, &options);
  expect(t, BURL_ERR_SIZE, MOST + 1, 6, 0, &options);
  expect(t, BURL_ERR_SIZE, 5, MOST + 1, 0, &options);
  expect(t, BURL_ERR_ARGUMENT, 5, LD + 1, 0, &options); /* rows longer than their distance */
  burl_sinkhorn *none = NULL;
  assert_int_equal(burl_sinkhorn_new(&none, 0, 3), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_sinkhorn_new(&none, 3, 0), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_sinkhorn_new(&none, SIZE_MAX / 2, 3), BURL_ERR_SIZE);
  assert_int_equal(burl_sinkhorn_new(&none, 1, SIZE_MAX), BURL_ERR_SIZE);
  assert_int_equal(burl_sinkhorn_new(&none, (size_t)1 << 31, (size_t)1 << 31), BURL_ERR_SIZE);
  assert_null(none);
  burl_sinkhorn_free(NULL);
}

static void refuses_bad_masses(void **state) {
  fixture *t = *state;
  static const struct {
    double value;
    burl_status status;
  } bad[] = {{-1e-3, BURL_ERR_ARGUMENT}, {0.5, BURL_ERR_ARGUMENT}, {1e308, BURL_ERR_ARGUMENT}};
  const double not_finite[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};
  burl_sinkhorn_options options = burl_sinkhorn_default_options();
  for (int side = 0; side < 2; side++) {
    make_problem(t, 5, 6, 1.0, 72);
    double *entry = side ? &t->b[5] : &t->a[2];
    for (size_t k = 0; k < 3; k++) {
      *entry = not_finite[k];
      expect(t, BURL_ERR_NUMERIC, 5, 6, 0, &options);
      *entry = bad[k].value;
      expect(t, bad[k].status, 5, 6, 0, &options);
    }
  }
  make_problem(t, 5, 6, 1.0, 72);
  t->a[0] += 1e-8; /* totals differ by more than 1e-9 */
  expect(t, BURL_ERR_ARGUMENT, 5, 6, 0, &options);
  t->a[0] = t->a[1] = 1e308; /* the total overflows */
  expect(t, BURL_ERR_NUMERIC, 5, 6, 0, &options);
  memset(t->a, 0, sizeof t->a);
  memset(t->b, 0, sizeof t->b);
  expect(t, BURL_ERR_ARGUMENT, 5, 6, 0, &options);
}

static void refuses_costs_and_starts_that_are_not_finite(void **state) {
  fixture *t = *state;
  const float bad[] = {NAN, INFINITY, -INFINITY};
  burl_sinkhorn_options options = burl_sinkhorn_default_options();
  static const size_t places[] = {0, 5, 2 * LD + 3, 4 * LD, 4 * LD + 5};
  for (size_t k = 0; k < 3; k++) {
    for (size_t p = 0; p < 5; p++) {
      make_problem(t, 5, 6, 1.0, 73);
      t->C_float[places[p]] = bad[k];
      t->C[places[p]] = (double)bad[k];
      expect(t, BURL_ERR_NUMERIC, 5, 6, 0, &options);
    }
    make_problem(t, 5, 6, 1.0, 73);
    memset(t->f, 0, sizeof t->f);
    memset(t->g, 0, sizeof t->g);
    t->f[4] = (double)bad[k];
    expect(t, BURL_ERR_NUMERIC, 5, 6, 1, &options);
    t->f[4] = 0.0;
    t->g[5] = (double)bad[k];
    expect(t, BURL_ERR_NUMERIC, 5, 6, 1, &options);
    t->g[5] = 1e300;
    expect(t, BURL_ERR_ARGUMENT, 5, 6, 1, &options);
  }
}

static void solving_allocates_nothing(void **state) {
  fixture *t = *state;
  for (int form = 0; form < 4; form++) {
    make_problem(t, 100, 70, 1.0, 80);
    burl_sinkhorn_options options = {0.01, 50, 1e-9, 10, (burl_sweep_order)(form / 2), 0, 1, 0.0};
    burl_sinkhorn_info info;
    fail_allocation_after(-1);
    burl_status status = solve(t, form % 2, 100, 70, 0, &options, &info);
    burl_sinkhorn_plan_log(t->C, LD, t->C, LD, 100, 70, t->f, t->g, 0.01);
    burl_sinkhorn_plan_scaling(t->C_float, LD, t->C_float, LD, 100, 70, t->f, t->g, 0.01);
    assert_int_equal(stop_failing(), 0);
    assert_int_equal(status, BURL_OK);
  }
}

static void a_used_solver_answers_as_a_new_one(void **state) {
  fixture *t = *state;
  double f[MOST], g[MOST];
  burl_sinkhorn_options options = {0.02, 30, 0.0, 1, BURL_ROW_THEN_COLUMN, 0, 1, 0.0};
  for (int scaling = 0; scaling < 2; scaling++) {
    burl_sinkhorn_info first, again;
    make_problem(t, 21, 35, 1.0, 81);
    assert_int_equal(solve(t, scaling, 21, 35, 0, &options, &first), BURL_OK);
    memcpy(f, t->f, sizeof f);
    memcpy(g, t->g, sizeof g);
    make_problem(t, 150, 150, 1e3, 82);
    assert_int_equal(solve(t, scaling, 150, 150, 0, &options, NULL), BURL_OK); /* no info wanted */
    make_problem(t, 21, 35, 1.0, 81);
    assert_int_equal(solve(t, scaling, 21, 35, 0, &options, &again), BURL_OK);
    assert_memory_equal(f, t->f, 21 * sizeof *f);
    assert_memory_equal(g, t->g, 35 * sizeof *g);
    assert_memory_equal(&first.residual, &again.residual, 4 * sizeof(double));
  }
}

static void new_fails_cleanly_without_memory(void **state) {
  (void)state;
  for (long i = 0;; i++) {
    burl_sinkhorn *solver = NULL;
    fail_allocation_after(i);
    burl_status status = burl_sinkhorn_new(&solver, 20, 30);
    stop_failing();
    if (status == BURL_OK) {
      assert_true(i > 0);
      burl_sinkhorn_free(solver);
      break;
    }
    assert_int_equal(status, BURL_ERR_MEMORY);
    assert_null(solver);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(extreme_costs_and_eps),
      cmocka_unit_test(extreme_masses),
      cmocka_unit_test(small_masses_keep_their_relative_precision),
      cmocka_unit_test(clusters_further_apart_than_float_can_tell),
      cmocka_unit_test(forms_agree_at_the_fixed_point),
      cmocka_unit_test(both_forms_reach_any_tolerance),
      cmocka_unit_test(refuses_bad_options),
      cmocka_unit_test(refuses_bad_sizes),
      cmocka_unit_test(refuses_bad_masses),
      cmocka_unit_test(refuses_costs_and_starts_that_are_not_finite),
      cmocka_unit_test(solving_allocates_nothing),
      cmocka_unit_test(a_used_solver_answers_as_a_new_one),
      cmocka_unit_test(new_fails_cleanly_without_memory),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
