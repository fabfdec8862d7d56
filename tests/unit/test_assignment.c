/* transport_assignment.h: against all assignments, against the dual certificate, at its limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "reference/ref_assignment.h"
#include "unit/failing.h"
#include <burl/transport.h>
#include <burl/transport_assignment.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST 300
#define LD (MOST + 3)

typedef struct answer {
  size_t column[MOST];
  double total, u[MOST], v[MOST];
} answer;

typedef struct fixture {
  burl_assignment *solver;
  double C[MOST * LD];
  answer found;
} fixture;

static int set_up(void **state) {
  fixture *t = calloc(1, sizeof *t);
  *state = t;
  return !t || burl_assignment_new(&t->solver, MOST, MOST) != BURL_OK;
}

static int tear_down(void **state) {
  fixture *t = *state;
  burl_assignment_free(t->solver);
  free(t);
  return 0;
}

/* NaN beyond the problem. */
static void clear(fixture *t) {
  for (size_t i = 0; i < MOST * LD; i++)
    t->C[i] = (double)NAN;
}

static void random_cost(fixture *t, size_t n, size_t m, double shift, double scale, uint64_t seed) {
  burl_random random = burl_random_start(seed, n * MOST + m);
  clear(t);
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < m; j++)
      t->C[i * LD + j] = scale * (burl_random_uniform(&random) - shift);
}

static void integer_cost(fixture *t, size_t n, size_t m, uint64_t values, uint64_t seed) {
  burl_random random = burl_random_start(seed, n * MOST + m);
  clear(t);
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < m; j++)
      t->C[i * LD + j] = (double)burl_random_below(&random, values);
}

static burl_status solve(fixture *t, size_t n, size_t m) {
  answer *found = &t->found;
  return burl_assignment_solve(t->solver, found->column, &found->total, found->u, found->v, t->C,
                               LD, n, m);
}

static double largest_cost(const fixture *t, size_t n, size_t m) {
  double largest = 0.0;
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < m; j++)
      if (isfinite(t->C[i * LD + j])) largest = fmax(largest, fabs(t->C[i * LD + j]));
  return largest;
}

/* A one to one assignment of everything on the smaller side, and its total. */
static void check_assignment(const fixture *t, size_t n, size_t m, int owner[MOST]) {
  size_t pairs = 0;
  double total = 0.0;
  memset(owner, 0, MOST * sizeof *owner);
  for (size_t i = 0; i < n; i++) {
    size_t j = t->found.column[i];
    if (j == BURL_ASSIGNMENT_NONE) continue;
    assert_true(j < m && !owner[j]);
    owner[j] = 1;
    pairs++;
    total += t->C[i * LD + j];
  }
  assert_int_equal(pairs, n < m ? n : m);
  assert_true(total == t->found.total);
}

/* That nothing can be cheaper. */
static void check_certificate(const fixture *t, size_t n, size_t m) {
  int owner[MOST];
  check_assignment(t, n, m, owner);
  const answer *found = &t->found;
  double slack = 1e-14 * largest_cost(t, n, m) * (double)(n + m), sum = 0.0;
  for (size_t i = 0; i < n; i++) {
    size_t column = found->column[i];
    assert_true(isfinite(found->u[i]));
    sum += found->u[i];
    for (size_t j = 0; j < m; j++) {
      double reduced = t->C[i * LD + j] - found->u[i] - found->v[j];
      if (!(reduced >= -slack)) fail_msg("reduced cost (%zu,%zu) is %g", i, j, reduced);
      if (j == column) assert_true(fabs(reduced) <= slack);
    }
    if (n > m) assert_true(found->u[i] <= 0.0);
    if (column == BURL_ASSIGNMENT_NONE) assert_true(found->u[i] == 0.0);
  }
  for (size_t j = 0; j < m; j++) {
    assert_true(isfinite(found->v[j]));
    sum += found->v[j];
    if (n < m) assert_true(found->v[j] <= 0.0);
    if (!owner[j]) assert_true(found->v[j] == 0.0);
  }
  assert_true(fabs(sum - found->total) <= slack * (double)(n + m));
}

static void cheapest_of_all(void **state) {
  fixture *t = *state;
  double packed[64];
  for (size_t n = 1; n <= 7; n++)
    for (size_t m = 1; m <= 7; m++)
      for (uint64_t kind = 0; kind < 8; kind++) {
        if (kind % 2)
          integer_cost(t, n, m, 1 + kind, kind);
        else
          random_cost(t, n, m, kind == 2 ? 0.5 : kind == 4 ? 1.0 : 0.0, 10.0, kind);
        for (size_t i = 0; i < n; i++)
          memcpy(packed + i * m, t->C + i * LD, m * sizeof(double));
        assert_int_equal(solve(t, n, m), BURL_OK);
        check_certificate(t, n, m);
        assert_true(fabs(t->found.total - ref_cheapest_assignment(packed, n, m)) < 1e-13);
      }
}

static void certificate_of_large_problems(void **state) {
  fixture *t = *state;
  static const size_t sizes[][2] = {{300, 300}, {300, 80}, {80, 300},
                                    {1, 300},   {300, 1},  {299, 300}};
  static const double scales[] = {1e-200, 1.0, 1e6, 1e299};
  for (size_t s = 0; s < 6; s++)
    for (size_t k = 0; k < 4; k++) {
      random_cost(t, sizes[s][0], sizes[s][1], 0.3, scales[k], k);
      assert_int_equal(solve(t, sizes[s][0], sizes[s][1]), BURL_OK);
      check_certificate(t, sizes[s][0], sizes[s][1]);
    }
}

/* Structure that makes rows compete: products, few values, near ties. */
static void certificate_of_hard_problems(void **state) {
  fixture *t = *state;
  static const size_t sizes[][2] = {{150, 150}, {150, 100}, {100, 150}};
  for (size_t s = 0; s < 3; s++)
    for (int kind = 0; kind < 4; kind++) {
      size_t n = sizes[s][0], m = sizes[s][1];
      integer_cost(t, n, m, kind == 1 ? 2 : 10, 5);
      for (size_t i = 0; kind != 1 && i < n; i++)
        for (size_t j = 0; j < m; j++)
          if (kind == 0)
            t->C[i * LD + j] = (double)((i + 1) * (j + 1));
          else if (kind == 2)
            t->C[i * LD + j] = 1.0 + 1e-15 * t->C[i * LD + j];
          else
            t->C[i * LD + j] = -fabs((double)i * 0.7 - (double)j);
      assert_int_equal(solve(t, n, m), BURL_OK);
      check_certificate(t, n, m);
    }
}

static void ties_go_to_the_lowest(void **state) {
  fixture *t = *state;
  static const size_t sizes[][2] = {{9, 9}, {5, 40}, {40, 5}};
  for (size_t s = 0; s < 3; s++) {
    size_t n = sizes[s][0], m = sizes[s][1];
    integer_cost(t, n, m, 1, 0);
    assert_int_equal(solve(t, n, m), BURL_OK);
    for (size_t i = 0; i < n; i++)
      assert_int_equal(t->found.column[i], i < m ? i : BURL_ASSIGNMENT_NONE);
    assert_true(t->found.total == 0.0);
  }
  /* a free column comes before a lower one that is taken: row 0 keeps column 0 */
  static const double C[2][3] = {{0.0, 0.0, 0.0}, {0.0, 5.0, 0.0}};
  for (size_t i = 0; i < 2; i++)
    memcpy(t->C + i * LD, C[i], sizeof C[i]);
  assert_int_equal(solve(t, 2, 3), BURL_OK);
  assert_int_equal(t->found.column[0], 0);
  assert_int_equal(t->found.column[1], 2);
}

static void answers_repeat(void **state) {
  fixture *t = *state;
  answer first;
  integer_cost(t, 120, 140, 3, 9);
  assert_int_equal(solve(t, 120, 140), BURL_OK);
  first = t->found;
  random_cost(t, 300, 200, 0.5, 1e3, 10); /* what is left behind must not matter */
  assert_int_equal(solve(t, 300, 200), BURL_OK);
  integer_cost(t, 120, 140, 3, 9);
  assert_int_equal(solve(t, 120, 140), BURL_OK);
  assert_memory_equal(first.column, t->found.column, 120 * sizeof(size_t));
  assert_memory_equal(first.u, t->found.u, 120 * sizeof(double));
  assert_memory_equal(first.v, t->found.v, 140 * sizeof(double));
}

/* One way in or none, as a random pattern has it. */
static void forbidden_pairs(void **state) {
  fixture *t = *state;
  double packed[64];
  int possible = 0, impossible = 0;
  for (uint64_t seed = 0; seed < 300; seed++) {
    size_t n = 2 + seed % 6, m = 2 + seed / 6 % 6;
    random_cost(t, n, m, 0.5, 1.0, seed);
    burl_random random = burl_random_start(seed, 77);
    for (size_t i = 0; i < n; i++)
      for (size_t j = 0; j < m; j++) {
        if (burl_random_uniform(&random) < 0.6) t->C[i * LD + j] = (double)INFINITY;
        packed[i * m + j] = t->C[i * LD + j];
      }
    double best = ref_cheapest_assignment(packed, n, m);
    memset(&t->found, 0x55, sizeof t->found);
    answer untouched = t->found;
    burl_status status = solve(t, n, m);
    assert_int_equal(status, isinf(best) ? BURL_ERR_DATA : BURL_OK);
    possible += !status;
    impossible += !!status;
    if (status) {
      assert_memory_equal(&t->found, &untouched, sizeof untouched);
      continue;
    }
    check_certificate(t, n, m);
    assert_true(fabs(best - t->found.total) < 1e-13);
  }
  assert_true(possible > 50 && impossible > 50);
}

static void forbidden_but_for_a_path(void **state) {
  fixture *t = *state;
  size_t n = 200; /* row i may have i or i + 1, the last one only n - 1, so that each must have i */
  clear(t);
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < n; j++)
      t->C[i * LD + j] = j == i ? 1.0 : j == i + 1 ? 0.0 : (double)INFINITY;
  assert_int_equal(solve(t, n, n), BURL_OK);
  check_certificate(t, n, n);
  assert_true(t->found.total == (double)n);
  t->C[7 * LD + 7] = (double)INFINITY;
  assert_int_equal(solve(t, n, n), BURL_ERR_DATA);
}

static void constants_change_the_total_only(void **state) {
  fixture *t = *state;
  size_t n = 60;
  random_cost(t, n, n, 0.0, 1.0, 20);
  assert_int_equal(solve(t, n, n), BURL_OK);
  answer first = t->found;
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < n; j++)
      t->C[i * LD + j] += (double)i - 3.0 * (double)j;
  assert_int_equal(solve(t, n, n), BURL_OK);
  assert_memory_equal(first.column, t->found.column, n * sizeof(size_t));
  double added = -2.0 * (double)(n * (n - 1) / 2);
  assert_true(fabs(t->found.total - first.total - added) < 1e-9);
}

static void transposing_gives_the_inverse(void **state) {
  fixture *t = *state;
  static double kept[MOST * LD];
  size_t n = 90, m = 130;
  random_cost(t, n, m, 0.5, 1.0, 21);
  assert_int_equal(solve(t, n, m), BURL_OK);
  answer first = t->found;
  memcpy(kept, t->C, sizeof kept);
  clear(t);
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < m; j++)
      t->C[j * LD + i] = kept[i * LD + j];
  assert_int_equal(solve(t, m, n), BURL_OK);
  for (size_t i = 0; i < n; i++)
    assert_int_equal(t->found.column[first.column[i]], i);
}

/* Unit masses: <P,C> comes within eps n log n of the best assignment, and P to its permutation. */
static void sinkhorn_approaches_it(void **state) {
  fixture *t = *state;
  enum { N = 30 };
  static double P[N * N], ones[N], f[N], g[N];
  static const double eps[] = {0.1, 0.03, 0.01, 3e-3, 1e-3};
  burl_sinkhorn *sinkhorn;
  assert_int_equal(burl_sinkhorn_new(&sinkhorn, N, N), BURL_OK);
  random_cost(t, N, N, 0.0, 1.0, 30);
  assert_int_equal(solve(t, N, N), BURL_OK);
  double before = (double)INFINITY;
  for (size_t i = 0; i < N; i++)
    ones[i] = 1.0;
  for (size_t e = 0; e < 5; e++) {
    burl_sinkhorn_options options = burl_sinkhorn_default_options();
    options.eps = eps[e];
    options.max_sweeps = 20000;
    options.tolerance = 1e-6;
    burl_sinkhorn_info info;
    assert_int_equal(
        burl_sinkhorn_solve_log(sinkhorn, f, g, t->C, LD, N, N, ones, ones, e > 0, &options, &info),
        BURL_OK);
    assert_true(info.converged);
    double above = info.transport - t->found.total;
    assert_true(above > -1e-5 && above < before);
    assert_true(above <= eps[e] * N * log((double)N) + 1e-5);
    before = above;
  }
  burl_sinkhorn_plan_log(P, N, t->C, LD, N, N, f, g, eps[4]);
  double on = 0.0;
  for (size_t i = 0; i < N; i++)
    on += P[i * N + t->found.column[i]];
  assert_true(on > 0.95 * N);
  burl_sinkhorn_free(sinkhorn);
}

static void refuses_bad_input(void **state) {
  fixture *t = *state;
  const double bad[] = {(double)NAN, -(double)INFINITY, 2e300, -2e300};
  static const size_t places[] = {0, 4, 3 * LD + 2, 5 * LD + 4};
  memset(&t->found, 0x55, sizeof t->found);
  answer untouched = t->found;
  for (size_t p = 0; p < 4; p++)
    for (size_t k = 0; k < 4; k++) {
      random_cost(t, 6, 5, 0.5, 1.0, 40);
      t->C[places[p]] = bad[k];
      assert_int_equal(solve(t, 6, 5), k < 2 ? BURL_ERR_NUMERIC : BURL_ERR_ARGUMENT);
    }
  random_cost(t, 6, 5, 0.5, 1.0, 40);
  assert_int_equal(solve(t, 0, 5), BURL_ERR_ARGUMENT);
  assert_int_equal(solve(t, 6, 0), BURL_ERR_ARGUMENT);
  assert_int_equal(solve(t, MOST + 1, 5), BURL_ERR_SIZE);
  assert_int_equal(solve(t, 6, MOST + 1), BURL_ERR_SIZE);
  assert_int_equal(
      burl_assignment_solve(t->solver, t->found.column, NULL, NULL, NULL, t->C, 4, 6, 5),
      BURL_ERR_ARGUMENT);
  assert_memory_equal(&t->found, &untouched, sizeof untouched);
  assert_int_equal(
      burl_assignment_solve(t->solver, t->found.column, NULL, NULL, NULL, t->C, LD, 6, 5), BURL_OK);
  burl_assignment *none = NULL;
  assert_int_equal(burl_assignment_new(&none, 0, 3), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_assignment_new(&none, 3, 0), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_assignment_new(&none, SIZE_MAX / 2, 3), BURL_ERR_SIZE);
  assert_null(none);
  burl_assignment_free(NULL);
}

static void memory(void **state) {
  fixture *t = *state;
  for (int flipped = 0; flipped < 2; flipped++) {
    size_t n = flipped ? 100 : 60, m = flipped ? 60 : 100;
    random_cost(t, n, m, 0.5, 1.0, 50);
    fail_allocation_after(-1);
    burl_status status = solve(t, n, m);
    assert_int_equal(stop_failing(), 0);
    assert_int_equal(status, BURL_OK);
  }
  for (long i = 0;; i++) {
    burl_assignment *made = NULL;
    fail_allocation_after(i);
    burl_status status = burl_assignment_new(&made, 5, 7);
    stop_failing();
    if (status == BURL_OK) {
      assert_true(i >= 2);
      burl_assignment_free(made);
      break;
    }
    assert_int_equal(status, BURL_ERR_MEMORY);
    assert_null(made);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cheapest_of_all),
      cmocka_unit_test(certificate_of_large_problems),
      cmocka_unit_test(certificate_of_hard_problems),
      cmocka_unit_test(ties_go_to_the_lowest),
      cmocka_unit_test(answers_repeat),
      cmocka_unit_test(forbidden_pairs),
      cmocka_unit_test(forbidden_but_for_a_path),
      cmocka_unit_test(constants_change_the_total_only),
      cmocka_unit_test(transposing_gives_the_inverse),
      cmocka_unit_test(sinkhorn_approaches_it),
      cmocka_unit_test(refuses_bad_input),
      cmocka_unit_test(memory),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
