/* transport_gradient.h at its limits: extreme ranges, what is refused, memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/failing.h"
#include "unit/gradient_case.h"

/* Masses from 1 down to 1e-30. */
static void spread_masses(double *masses, size_t count) {
  double sum = 0.0;
  for (size_t i = 0; i < count; i++)
    sum += masses[i] = pow(10.0, count > 1 ? -30.0 * (double)i / (double)(count - 1) : 0.0);
  for (size_t i = 0; i < count; i++)
    masses[i] /= sum;
}

static void all_finite(const double *values, size_t count) {
  for (size_t i = 0; i < count; i++)
    assert_true(isfinite(values[i]));
}

static void finite_or_refused(const ref_loss *loss) {
  result found = unrolled(loss);
  all_finite(found.dC, loss->n * LD);
  all_finite(found.da, loss->n);
  all_finite(found.db, loss->m);
  assert_true(isfinite(found.deps));
  burl_status status = try_implicit(loss, &found);
  assert_true(status == BURL_OK || status == BURL_ERR_NUMERIC);
  all_finite(found.dC, loss->n * LD);
  all_finite(found.da, loss->n);
  all_finite(found.db, loss->m);
  assert_true(isfinite(found.deps));
  if (status) assert_true(largest(found.dC, loss->n * LD) == 0.0 && found.deps == 0.0);
}

/* Costs of 1e6, eps from far too small to far too large, all kinds of masses. */
static void extremes_are_finite(void **state) {
  (void)state;
  static const double ratios[] = {1e-4, 1e-3, 1e-2, 1.0, 1e3};
  for (size_t s = 0; s < 6; s++)
    for (size_t r = 0; r < 5; r++)
      for (int kind = 0; kind < 4; kind++) {
        ref_loss loss =
            make_loss(sizes[s][0], sizes[s][1], 30, kind % 2, 1e6 * ratios[r], 1.0, 130);
        for (size_t i = 0; i < loss.n * loss.m; i++)
          C[i] *= 1e6;
        if (kind >= 2) {
          spread_masses(a, loss.n);
          spread_masses(b, loss.m);
        }
        balance(&loss);
        finite_or_refused(&loss);
      }
}

/* Two groups between which nothing moves: each could have a constant of its own. */
static void groups_apart_are_reported(void **state) {
  (void)state;
  size_t n = 6;
  for (size_t m = 4; m <= 8; m += 2) {
    ref_loss loss = make_loss(n, m, 100, 0, 0.05, 1.0, 140);
    for (size_t i = 0; i < n; i++)
      for (size_t j = 0; j < m; j++)
        C[i * m + j] += (i < 3) != (j < m / 2) ? 10.0 : 0.0;
    for (size_t i = 0; i < n; i++)
      a[i] = 1.0 / 6.0;
    for (size_t j = 0; j < m; j++)
      b[j] = 1.0 / (double)m;
    balance(&loss);
    result found;
    assert_int_equal(try_implicit(&loss, &found), BURL_ERR_NUMERIC);
    assert_true(largest(found.dC, n * LD) == 0.0 && largest(found.da, n) == 0.0 &&
                largest(found.db, m) == 0.0 && found.deps == 0.0);
    found = unrolled(&loss); /* which the tape does not mind */
    for (size_t i = 0; i < n * LD; i++)
      assert_true(isfinite(found.dC[i]));
  }
}

static void expect_refused(const burl_sinkhorn_loss *in, size_t ldc, size_t lddc,
                           burl_status wanted) {
  result found = {0}, untouched = {0};
  burl_sinkhorn_gradient gradient = into(&found);
  gradient.lddc = lddc;
  burl_status by_tape = burl_sinkhorn_tape_backward(tape, &gradient, in, C, ldc);
  burl_status by_point =
      burl_sinkhorn_implicit_backward(implicit, &gradient, in, C, ldc, 4, 3, f0, g0, 0.3);
  assert_int_equal(by_tape, wanted);
  assert_int_equal(by_point, wanted);
  assert_memory_equal(&found, &untouched, sizeof found);
}

static void refuses_bad_input(void **state) {
  (void)state;
  ref_loss loss = make_loss(4, 3, 100, 0, 0.3, 1.0, 150);
  burl_sinkhorn_options options = sweeps_of(0.3, 100, 0.0, 1, BURL_ROW_THEN_COLUMN);
  assert_int_equal(burl_sinkhorn_tape_solve(tape, f0, g0, C, 3, 4, 3, a, b, 0, &options, NULL),
                   BURL_OK);
  balance(&loss);
  const double bad[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};
  burl_sinkhorn_loss in = {W, 3, wf, wg, 0.5};
  expect_refused(&in, 2, LD, BURL_ERR_ARGUMENT);
  expect_refused(&in, 3, 2, BURL_ERR_ARGUMENT);
  expect_refused(NULL, 3, LD, BURL_ERR_ARGUMENT);
  in.lddp = 2;
  expect_refused(&in, 3, LD, BURL_ERR_ARGUMENT);
  in.lddp = 3;
  for (size_t k = 0; k < 3; k++) {
    double *places[] = {&W[0], &W[7], &W[11], &wf[3], &wg[2], &in.dtransport, &C[4]};
    for (size_t p = 0; p < sizeof places / sizeof *places; p++) {
      double kept = *places[p];
      *places[p] = bad[k];
      expect_refused(&in, 3, LD, BURL_ERR_NUMERIC);
      *places[p] = kept;
    }
  }
}

static void implicit_refuses_bad_points(void **state) {
  (void)state;
  make_loss(4, 3, 1, 0, 0.3, 1.0, 151);
  result found = {0}, untouched = {0};
  burl_sinkhorn_gradient gradient = into(&found);
  burl_sinkhorn_loss in = {.dP = W, .lddp = 3};
#define TRY(n, m, eps)                                                                             \
  burl_sinkhorn_implicit_backward(implicit, &gradient, &in, C, MOST, n, m, f0, g0, eps)
  assert_int_equal(TRY(0, 3, 0.3), BURL_ERR_ARGUMENT);
  assert_int_equal(TRY(4, 0, 0.3), BURL_ERR_ARGUMENT);
  assert_int_equal(TRY(MOST + 1, 3, 0.3), BURL_ERR_SIZE);
  assert_int_equal(TRY(4, MOST + 1, 0.3), BURL_ERR_SIZE);
  const double eps[] = {0.0, -1.0, (double)NAN, (double)INFINITY, 1e-320};
  for (size_t k = 0; k < 5; k++)
    assert_int_equal(TRY(4, 3, eps[k]), BURL_ERR_ARGUMENT);
  const double potentials[] = {(double)NAN, (double)INFINITY, -1e9}; /* the last: no mass */
  for (size_t k = 0; k < 3; k++)
    for (int side = 0; side < 2; side++) {
      double *place = side ? &g0[2] : &f0[1], kept = *place;
      *place = potentials[k];
      assert_int_equal(TRY(4, 3, 0.3), BURL_ERR_NUMERIC);
      *place = kept;
    }
  for (size_t i = 0; i < 4; i++)
    f0[i] = -(double)INFINITY;
  assert_int_equal(TRY(4, 3, 0.3), BURL_ERR_NUMERIC); /* nothing at all */
#undef TRY
  in = (burl_sinkhorn_loss){.df = wf}; /* a loss of f alone */
  f0[0] = f0[1] = f0[2] = f0[3] = 0.0;
  assert_int_equal(
      burl_sinkhorn_implicit_backward(implicit, &gradient, &in, C, 3, 4, 3, f0, g0, 0.3),
      BURL_ERR_ARGUMENT);
  assert_memory_equal(&found, &untouched, sizeof found);
}

static void tape_refuses_what_it_cannot_keep(void **state) {
  (void)state;
  burl_sinkhorn_tape *small = NULL;
  assert_int_equal(burl_sinkhorn_tape_new(&small, 0, 3, 3), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_sinkhorn_tape_new(&small, 3, 0, 3), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_sinkhorn_tape_new(&small, 3, 3, 0), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_sinkhorn_tape_new(&small, 3, 3, SIZE_MAX), BURL_ERR_SIZE);
  assert_int_equal(burl_sinkhorn_tape_new(&small, 3, 3, SIZE_MAX / 8), BURL_ERR_SIZE);
  assert_int_equal(burl_sinkhorn_tape_new(&small, SIZE_MAX / 4, 1, 2), BURL_ERR_SIZE);
  burl_sinkhorn_implicit *none = NULL;
  assert_int_equal(burl_sinkhorn_implicit_new(&none, 0, 3), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_sinkhorn_implicit_new(&none, 3, 0), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_sinkhorn_implicit_new(&none, SIZE_MAX / 2, 3), BURL_ERR_SIZE);
  assert_true(!small && !none);
  assert_int_equal(burl_sinkhorn_tape_new(&small, 4, 4, 5), BURL_OK);
  make_loss(4, 4, 5, 0, 0.3, 1.0, 152);
  result found = {0};
  burl_sinkhorn_gradient gradient = into(&found);
  burl_sinkhorn_loss in = {.dP = W, .lddp = 4};
  assert_int_equal(burl_sinkhorn_tape_backward(small, &gradient, &in, C, 4), BURL_ERR_ARGUMENT);
  burl_sinkhorn_options options = sweeps_of(0.3, 6, 0.0, 1, BURL_ROW_THEN_COLUMN);
#define TRY(n)                                                                                     \
  burl_sinkhorn_tape_solve(small, found.f, found.g, C, 4, n, 4, a, b, 0, &options, NULL)
  assert_int_equal(TRY(4), BURL_ERR_SIZE);
  options.max_sweeps = 5;
  assert_int_equal(TRY(5), BURL_ERR_SIZE);
  assert_int_equal(TRY(4), BURL_OK);
  options.eps = -1.0; /* a failed solve leaves the tape */
  assert_int_equal(TRY(4), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_sinkhorn_tape_backward(small, &gradient, &in, C, 4), BURL_OK);
#undef TRY
  burl_sinkhorn_tape_free(small);
  burl_sinkhorn_tape_free(NULL);
  burl_sinkhorn_implicit_free(NULL);
}

static void nothing_is_allocated_on_the_way(void **state) {
  (void)state;
  ref_loss loss = make_loss(20, 15, 50, 0, 0.1, 1.0, 160);
  balance(&loss);
  result found = {0};
  burl_sinkhorn_gradient gradient = into(&found);
  burl_sinkhorn_loss in = incoming(&loss);
  solve_tape(&loss, &found, 0.0);
  burl_sinkhorn_options options = sweeps_of(0.1, 50, 0.0, 1, BURL_ROW_THEN_COLUMN);
  fail_allocation_after(-1);
  burl_status first = burl_sinkhorn_tape_solve(tape, found.f, found.g, padded_C, LD, 20, 15, a, b,
                                               0, &options, NULL);
  burl_status second = burl_sinkhorn_tape_backward(tape, &gradient, &in, padded_C, LD);
  burl_status third = burl_sinkhorn_implicit_backward(implicit, &gradient, &in, padded_C, LD, 20,
                                                      15, found.f, found.g, 0.1);
  burl_status fourth =
      burl_sinkhorn_value_backward(&gradient, 1.0, padded_C, LD, 20, 15, found.f, found.g, 0.1);
  assert_int_equal(stop_failing(), 0);
  assert_true(!first && !second && !third && !fourth);
}

static void failing_allocations(void **state) {
  (void)state;
  for (long i = 0;; i++) {
    burl_sinkhorn_tape *made = NULL;
    fail_allocation_after(i);
    burl_status status = burl_sinkhorn_tape_new(&made, 5, 4, 3);
    stop_failing();
    if (status == BURL_OK) {
      assert_true(i >= 4);
      burl_sinkhorn_tape_free(made);
      break;
    }
    assert_int_equal(status, BURL_ERR_MEMORY);
    assert_null(made);
  }
  for (long i = 0;; i++) {
    burl_sinkhorn_implicit *made = NULL;
    fail_allocation_after(i);
    burl_status status = burl_sinkhorn_implicit_new(&made, 5, 4);
    stop_failing();
    if (status == BURL_OK) {
      assert_true(i >= 2);
      burl_sinkhorn_implicit_free(made);
      break;
    }
    assert_int_equal(status, BURL_ERR_MEMORY);
    assert_null(made);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(extremes_are_finite),
      cmocka_unit_test(groups_apart_are_reported),
      cmocka_unit_test(refuses_bad_input),
      cmocka_unit_test(implicit_refuses_bad_points),
      cmocka_unit_test(tape_refuses_what_it_cannot_keep),
      cmocka_unit_test(nothing_is_allocated_on_the_way),
      cmocka_unit_test(failing_allocations),
  };
  return cmocka_run_group_tests(tests, open_solvers, close_solvers);
}
