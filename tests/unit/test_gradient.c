/* transport_gradient.h: both ways back against central differences, each other and plain loops. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/gradient_case.h"

static void check_cost_gradient(ref_loss *loss, const result *found, double relative) {
  double wanted[MOST * MOST], packed[MOST * MOST];
  for (size_t i = 0; i < loss->n; i++)
    for (size_t j = 0; j < LD; j++) {
      if (j >= loss->m) {
        assert_true(found->dC[i * LD + j] == 0.0); /* not touched */
        continue;
      }
      wanted[i * loss->m + j] = ref_loss_derivative(loss, &C[i * loss->m + j], 1e-6);
      packed[i * loss->m + j] = found->dC[i * LD + j];
    }
  close_to("dC", packed, wanted, loss->n * loss->m, relative);
}

/* Everything by central differences; masses one at a time, which the sweeps do not mind. */
static void check_by_differences(ref_loss *loss, const result *found) {
  double wanted[MOST];
  check_cost_gradient(loss, found, 1e-8);
  for (size_t i = 0; i < loss->n; i++)
    wanted[i] = a[i] > 0.0 ? ref_loss_derivative(loss, &a[i], 1e-6 * a[i]) : 0.0;
  close_to("da", found->da, wanted, loss->n, 1e-8);
  for (size_t j = 0; j < loss->m; j++)
    wanted[j] = b[j] > 0.0 ? ref_loss_derivative(loss, &b[j], 1e-6 * b[j]) : 0.0;
  close_to("db", found->db, wanted, loss->m, 1e-8);
  wanted[0] = ref_loss_derivative(loss, &loss->eps, 1e-6 * loss->eps);
  close_to("deps", &found->deps, wanted, 1, 1e-8);
}

static void unrolled_is_the_derivative(void **state) {
  (void)state;
  static const size_t sweeps[] = {1, 2, 5, 50};
  for (size_t s = 0; s < 6; s++)
    for (size_t t = 0; t < 4; t++)
      for (int order = 0; order < 2; order++) {
        ref_loss loss = make_loss(sizes[s][0], sizes[s][1], sweeps[t], order, 0.2, 1.0, 10 + s);
        result found = unrolled(&loss);
        check_by_differences(&loss, &found);
      }
}

static void unrolled_from_a_warm_start(void **state) {
  (void)state;
  for (size_t s = 0; s < 6; s++)
    for (int order = 0; order < 2; order++) {
      ref_loss loss = make_loss(sizes[s][0], sizes[s][1], 3, order, 0.4, 1.0, 20 + s);
      loss.f0 = f0;
      loss.g0 = g0;
      result found = unrolled(&loss);
      check_by_differences(&loss, &found);
    }
}

/* Each part of the loss alone, other totals, small and large eps. */
static void unrolled_of_each_part_of_the_loss(void **state) {
  (void)state;
  static const double eps[] = {0.03, 0.2, 30.0}, totals[] = {1e-6, 1.0, 50.0};
  for (int part = 0; part < 4; part++)
    for (size_t k = 0; k < 3; k++)
      for (int order = 0; order < 2; order++) {
        ref_loss loss = make_loss(5, 4, 6, order, eps[k], totals[k], 30);
        loss.W = part == 0 ? W : NULL;
        loss.wf = part == 1 ? wf : NULL;
        loss.wg = part == 2 ? wg : NULL;
        loss.w = part == 3 ? 1.0 : 0.0;
        result found = unrolled(&loss);
        check_by_differences(&loss, &found);
      }
}

static void remove_masses(size_t n, size_t m) {
  a[1] += a[0] + a[n - 1];
  a[0] = a[n - 1] = 0.0;
  b[0] += b[m / 2];
  b[m / 2] = 0.0;
}

/* What would be read of entries without mass is NaN here. */
static void absent_masses_have_no_part(void **state) {
  (void)state;
  for (int order = 0; order < 2; order++) {
    size_t n = 7, m = 5;
    ref_loss loss = make_loss(n, m, 4, order, 0.2, 1.0, 40);
    remove_masses(n, m);
    wf[0] = wf[n - 1] = wg[m / 2] = (double)NAN;
    result found = unrolled(&loss);
    check_by_differences(&loss, &found);
    for (size_t i = 0; i < n; i++)
      for (size_t j = 0; j < m; j++)
        assert_true((a[i] > 0.0 && b[j] > 0.0) || found.dC[i * LD + j] == 0.0);
  }
}

static void check_exchanges(ref_loss *loss, const char *what, double *masses, const double *found,
                            size_t count) {
  double wanted[MOST], difference[MOST] = {0};
  size_t last = count - 1;
  while (masses[last] <= 0.0)
    last--;
  for (size_t i = 0; i < count; i++) {
    wanted[i] = 0.0;
    if (masses[i] <= 0.0 || i == last) continue;
    wanted[i] = ref_loss_exchange(loss, &masses[i], &masses[last], 1e-7);
    difference[i] = found[i] - found[last];
  }
  close_to(what, difference, wanted, count, 1e-7);
}

/* Central differences of sweeps until nothing moves, masses by exchange. */
static void check_fixed_point(ref_loss *loss, const result *found) {
  double by_rows = 0.0, by_columns = 0.0, mass = 0.0;
  check_cost_gradient(loss, found, 1e-7);
  check_exchanges(loss, "da", a, found->da, loss->n);
  check_exchanges(loss, "db", b, found->db, loss->m);
  double deps = ref_loss_derivative(loss, &loss->eps, 1e-6 * loss->eps);
  close_to("deps", &found->deps, &deps, 1, 1e-7);
  for (size_t i = 0; i < loss->n; i++) {
    by_rows += found->da[i] * a[i];
    mass += a[i];
  }
  for (size_t j = 0; j < loss->m; j++)
    by_columns += found->db[j] * b[j];
  close_to("<da,a>", &by_rows, &by_columns, 1, 1e-8);
  /* both marginals times 1 + t */
  double kept_a[MOST], kept_b[MOST], step = 1e-6;
  memcpy(kept_a, a, sizeof a);
  memcpy(kept_b, b, sizeof b);
  long double values[2];
  for (int side = 0; side < 2; side++) {
    for (size_t i = 0; i < loss->n; i++)
      a[i] = kept_a[i] * (1.0 + (side ? step : -step));
    for (size_t j = 0; j < loss->m; j++)
      b[j] = kept_b[j] * (1.0 + (side ? step : -step));
    values[side] = ref_loss_value(loss);
  }
  memcpy(a, kept_a, sizeof a);
  memcpy(b, kept_b, sizeof b);
  double scaling = (double)((values[1] - values[0]) / (2.0L * (long double)step));
  double sum = by_rows + by_columns;
  assert_true(fabs(sum - scaling) <= 1e-7 * (fabs(scaling) + mass));
}

static void implicit_is_the_derivative(void **state) {
  (void)state;
  for (size_t s = 0; s < 6; s++)
    for (int order = 0; order < 2; order++) {
      ref_loss loss = make_loss(sizes[s][0], sizes[s][1], 200, order, 0.3, 2.5, 50 + s);
      balance(&loss);
      result found = implicitly(&loss);
      check_fixed_point(&loss, &found);
    }
}

static void implicit_without_some_masses(void **state) {
  (void)state;
  static const size_t few[][2] = {{7, 5}, {5, 7}, {6, 6}};
  for (size_t s = 0; s < 3; s++) {
    ref_loss loss = make_loss(few[s][0], few[s][1], 300, 0, 0.3, 1.0, 60);
    remove_masses(loss.n, loss.m);
    balance(&loss);
    wf[0] = wg[loss.m / 2] = (double)NAN;
    result found = implicitly(&loss);
    check_fixed_point(&loss, &found);
  }
}

/* Differences of da and db within a side, since their constants differ. */
static void same_up_to_a_constant(const char *what, const double *found, const double *wanted,
                                  size_t count, double relative) {
  double left[MOST], right[MOST];
  for (size_t i = 0; i < count; i++) {
    left[i] = found[i] - found[0];
    right[i] = wanted[i] - wanted[0];
  }
  close_to(what, left, right, count, relative);
}

static void both_ways_agree_at_convergence(void **state) {
  (void)state;
  static const double eps[] = {0.02, 0.1, 1.0};
  static const size_t large[][2] = {{24, 17}, {17, 24}, {20, 20}};
  for (size_t s = 0; s < 3; s++)
    for (size_t e = 0; e < 3; e++)
      for (int order = 0; order < 2; order++) {
        ref_loss loss = make_loss(large[s][0], large[s][1], SWEEPS, order, eps[e], 1.0, 70 + s);
        balance(&loss);
        result back = unrolled(&loss), at = implicitly(&loss);
        close_to("dC", at.dC, back.dC, loss.n * LD, 1e-8);
        close_to("deps", &at.deps, &back.deps, 1, 1e-8);
        same_up_to_a_constant("da", at.da, back.da, loss.n, 1e-8);
        same_up_to_a_constant("db", at.db, back.db, loss.m, 1e-8);
      }
}

static void implicit_multipliers_are_those_of_elimination(void **state) {
  (void)state;
  static const size_t some[][2] = {{24, 11}, {11, 24}, {15, 15}};
  for (size_t s = 0; s < 3; s++) {
    size_t n = some[s][0], m = some[s][1];
    ref_loss loss = make_loss(n, m, 400, 1, 0.15, 1.0, 80 + s);
    loss.wf = loss.wg = NULL;
    loss.w = 0.0;
    result found = implicitly(&loss);
    double P[MOST * MOST], r[MOST] = {0}, c[MOST] = {0}, alpha[MOST], beta[MOST];
    burl_sinkhorn_plan_log(P, m, C, m, n, m, found.f, found.g, loss.eps);
    for (size_t i = 0; i < n; i++)
      for (size_t j = 0; j < m; j++) {
        r[i] += P[i * m + j] * W[i * m + j];
        c[j] += P[i * m + j] * W[i * m + j];
      }
    ref_multipliers(alpha, beta, P, r, c, n, m);
    same_up_to_a_constant("da", found.da, alpha, n, 1e-11);
    same_up_to_a_constant("db", found.db, beta, m, 1e-11);
    double together = found.da[0] + found.db[0], wanted = alpha[0] + beta[0];
    close_to("da + db", &together, &wanted, 1, 1e-11);
  }
}

static void masses_of_very_different_size(void **state) {
  (void)state;
  for (int kind = 0; kind < 4; kind++) {
    size_t n = kind < 2 ? 12 : 9, m = kind < 2 ? 9 : 12;
    ref_loss loss = make_loss(n, m, 1500, kind % 2, 0.3, 1.0, 90);
    double sum_a = 0.0, sum_b = 0.0;
    for (size_t i = 0; i < n; i++)
      sum_a += a[i] = pow(10.0, -30.0 * (double)i / (double)(n - 1));
    for (size_t j = 0; j < m; j++)
      sum_b += b[j] = pow(10.0, -30.0 * (double)j / (double)(m - 1));
    for (size_t j = 0; j < m; j++)
      b[j] *= sum_a / sum_b;
    balance(&loss);
    loss.wf = loss.wg = NULL;
    result back = unrolled(&loss), at = implicitly(&loss);
    close_to("dC", at.dC, back.dC, n * LD, 1e-9);
    same_up_to_a_constant("da", at.da, back.da, n, 1e-9);
    same_up_to_a_constant("db", at.db, back.db, m, 1e-9);
  }
}

static void gradients_are_added_to_what_is_there(void **state) {
  (void)state;
  ref_loss loss = make_loss(6, 8, 150, 0, 0.3, 1.0, 100);
  balance(&loss);
  for (int way = 0; way < 2; way++) {
    result once = way ? implicitly(&loss) : unrolled(&loss), twice = once;
    burl_sinkhorn_gradient gradient = into(&twice);
    burl_sinkhorn_loss in = incoming(&loss);
    burl_status status = way ? burl_sinkhorn_implicit_backward(implicit, &gradient, &in, padded_C,
                                                               LD, 6, 8, once.f, once.g, loss.eps)
                             : burl_sinkhorn_tape_backward(tape, &gradient, &in, padded_C, LD);
    assert_int_equal(status, BURL_OK);
    for (size_t i = 0; i < 6 * LD; i++)
      once.dC[i] *= 2.0;
    for (size_t i = 0; i < 8; i++) {
      once.da[i] *= 2.0;
      once.db[i] *= 2.0;
    }
    once.deps *= 2.0;
    close_to("dC", twice.dC, once.dC, 6 * LD, 1e-14);
    close_to("da", twice.da, once.da, 6, 1e-13);
    close_to("db", twice.db, once.db, 8, 1e-13);
    close_to("deps", &twice.deps, &once.deps, 1, 1e-13);
  }
}

/* Leaving some out changes nothing in the others, to the byte. */
static void any_output_may_be_left_out(void **state) {
  (void)state;
  ref_loss loss = make_loss(5, 7, 120, 1, 0.3, 1.0, 101);
  balance(&loss);
  for (int way = 0; way < 2; way++)
    for (unsigned wanted = 0; wanted < 16; wanted++) {
      result all = way ? implicitly(&loss) : unrolled(&loss), some = {0};
      burl_sinkhorn_gradient gradient = into(&some);
      if (!(wanted & 1)) gradient.dC = NULL;
      if (!(wanted & 2)) gradient.da = NULL;
      if (!(wanted & 4)) gradient.db = NULL;
      if (!(wanted & 8)) gradient.deps = NULL;
      burl_sinkhorn_loss in = incoming(&loss);
      burl_status status = way ? burl_sinkhorn_implicit_backward(implicit, &gradient, &in, padded_C,
                                                                 LD, 5, 7, all.f, all.g, loss.eps)
                               : burl_sinkhorn_tape_backward(tape, &gradient, &in, padded_C, LD);
      assert_int_equal(status, BURL_OK);
      if (gradient.dC) assert_memory_equal(some.dC, all.dC, 5 * LD * sizeof(double));
      if (gradient.da) assert_memory_equal(some.da, all.da, 5 * sizeof(double));
      if (gradient.db) assert_memory_equal(some.db, all.db, 7 * sizeof(double));
      if (gradient.deps) assert_true(some.deps == all.deps);
    }
}

static double dual_value(const ref_loss *loss, const result *found) {
  return ref_sinkhorn_info(found->f, found->g, C, loss->n, loss->m, a, b, loss->eps, loss->order)
      .dual;
}

static void value_by_the_envelope(void **state) {
  (void)state;
  size_t n = 6, m = 4;
  ref_loss loss = make_loss(n, m, 400, 0, 0.3, 1.0, 110);
  result found, moved;
  solve_tape(&loss, &found, 0.0);
  burl_sinkhorn_gradient gradient = into(&found);
  assert_int_equal(
      burl_sinkhorn_value_backward(&gradient, 2.0, padded_C, LD, n, m, found.f, found.g, loss.eps),
      BURL_OK);
  double P[MOST * MOST], step = 1e-5;
  burl_sinkhorn_plan_log(P, m, C, m, n, m, found.f, found.g, loss.eps);
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < m; j++) {
      assert_true(fabs(found.dC[i * LD + j] - 2.0 * P[i * m + j]) < 1e-14);
      double kept = C[i * m + j], values[2];
      for (int side = 0; side < 2; side++) {
        C[i * m + j] = kept + (side ? step : -step);
        solve_tape(&loss, &moved, 0.0);
        values[side] = dual_value(&loss, &moved);
      }
      C[i * m + j] = kept;
      assert_true(fabs(found.dC[i * LD + j] - (values[1] - values[0]) / step) < 1e-8);
    }
  double values[2], eps = loss.eps;
  for (int side = 0; side < 2; side++) {
    loss.eps = eps + (side ? step : -step);
    solve_tape(&loss, &moved, 0.0);
    values[side] = dual_value(&loss, &moved);
  }
  loss.eps = eps;
  assert_true(fabs(found.deps - (values[1] - values[0]) / step) < 1e-8);
  for (int side = 0; side < 2; side++) {
    a[1] += side ? 2.0 * step : -step;
    a[3] -= side ? 2.0 * step : -step;
    b[0] += side ? 2.0 * step : -step;
    b[2] -= side ? 2.0 * step : -step;
    solve_tape(&loss, &moved, 0.0);
    values[side] = dual_value(&loss, &moved);
  }
  double along = found.da[1] - found.da[3] + found.db[0] - found.db[2];
  assert_true(fabs(along - (values[1] - values[0]) / step) < 1e-8);
}

/* The value is <P,C> + eps sum P (log P - 1): through the plan it must come to the same. */
static void value_through_the_plan_is_the_envelope(void **state) {
  (void)state;
  size_t n = 5, m = 6;
  ref_loss loss = make_loss(n, m, 600, 0, 0.3, 1.0, 111);
  loss.wf = loss.wg = NULL;
  loss.w = 1.0;
  result found;
  solve_tape(&loss, &found, 0.0);
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < m; j++) /* d/dP of eps P (log P - 1) */
      W[i * m + j] = found.f[i] + found.g[j] - C[i * m + j];
  result at = implicitly(&loss);
  burl_sinkhorn_gradient gradient = into(&found);
  assert_int_equal(
      burl_sinkhorn_value_backward(&gradient, 1.0, padded_C, LD, n, m, found.f, found.g, loss.eps),
      BURL_OK);
  close_to("dC", at.dC, found.dC, n * LD, 1e-10);
  same_up_to_a_constant("da", at.da, found.da, n, 1e-10);
  same_up_to_a_constant("db", at.db, found.db, m, 1e-10);
  double explicit_entropy = 0.0; /* eps itself stands before the entropy */
  double P[MOST * MOST];
  burl_sinkhorn_plan_log(P, m, C, m, n, m, found.f, found.g, loss.eps);
  for (size_t i = 0; i < n * m; i++)
    explicit_entropy += P[i] * (log(P[i]) - 1.0);
  double deps = at.deps + explicit_entropy;
  close_to("deps", &deps, &found.deps, 1, 1e-10);
}

static void tape_solves_as_the_solver_does(void **state) {
  (void)state;
  burl_sinkhorn *solver;
  assert_int_equal(burl_sinkhorn_new(&solver, MOST, MOST), BURL_OK);
  for (int order = 0; order < 2; order++)
    for (int warm = 0; warm < 2; warm++) {
      ref_loss loss = make_loss(20, 14, SWEEPS, order, 0.1, 1.0, 120);
      burl_sinkhorn_options options = sweeps_of(0.1, SWEEPS, 1e-9, 10, (burl_sweep_order)order);
      options.threads = 1 + 2 * warm;
      burl_sinkhorn_info info, wanted;
      double f[MOST], g[MOST], ft[MOST], gt[MOST];
      memcpy(f, f0, sizeof f);
      memcpy(g, g0, sizeof g);
      memcpy(ft, f0, sizeof f);
      memcpy(gt, g0, sizeof g);
      assert_int_equal(
          burl_sinkhorn_solve_log(solver, f, g, C, 14, 20, 14, a, b, warm, &options, &wanted),
          BURL_OK);
      assert_int_equal(
          burl_sinkhorn_tape_solve(tape, ft, gt, C, 14, 20, 14, a, b, warm, &options, &info),
          BURL_OK);
      assert_memory_equal(f, ft, 20 * sizeof *f);
      assert_memory_equal(g, gt, 14 * sizeof *g);
      assert_int_equal(info.sweeps, wanted.sweeps);
      assert_true(info.converged && info.sweeps < 1000 && info.dual == wanted.dual);
      /* the way back is that of the sweeps run */
      result back = {0}, fixed;
      burl_sinkhorn_gradient gradient = into(&back);
      burl_sinkhorn_loss in = {.dP = W, .lddp = 14};
      assert_int_equal(burl_sinkhorn_tape_backward(tape, &gradient, &in, C, 14), BURL_OK);
      loss.sweeps = info.sweeps;
      loss.wf = loss.wg = NULL;
      loss.w = 0.0;
      if (warm) loss.f0 = f0;
      if (warm) loss.g0 = g0;
      fixed = unrolled(&loss);
      assert_memory_equal(back.dC, fixed.dC, sizeof back.dC);
    }
  burl_sinkhorn_free(solver);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(unrolled_is_the_derivative),
      cmocka_unit_test(unrolled_from_a_warm_start),
      cmocka_unit_test(unrolled_of_each_part_of_the_loss),
      cmocka_unit_test(absent_masses_have_no_part),
      cmocka_unit_test(implicit_is_the_derivative),
      cmocka_unit_test(implicit_without_some_masses),
      cmocka_unit_test(both_ways_agree_at_convergence),
      cmocka_unit_test(implicit_multipliers_are_those_of_elimination),
      cmocka_unit_test(masses_of_very_different_size),
      cmocka_unit_test(gradients_are_added_to_what_is_there),
      cmocka_unit_test(any_output_may_be_left_out),
      cmocka_unit_test(value_by_the_envelope),
      cmocka_unit_test(value_through_the_plan_is_the_envelope),
      cmocka_unit_test(tape_solves_as_the_solver_does),
  };
  return cmocka_run_group_tests(tests, open_solvers, close_solvers);
}
