/* transport_cost.h: every term against its formula, mixtures, maxima, lattices, scales, bad input.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "reference/ref_cost.h"
#include "unit/failing.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define N 300 /* more than a block of rows */
#define M 41
#define D 70

static float X[N * D], Y[M * D], x_places[2 * N], y_places[2 * M], C[N * M], part[N * M];
static double wanted[N * M], rows_double[N * M];

/* Normal vectors about `offset`; the first of Y is the first of X, the second nearly so. */
static void fill(size_t n, size_t m, size_t d, float scale, float offset, uint64_t seed) {
  burl_random random = burl_random_start(seed, 0);
  for (size_t k = 0; k < n * d; k++)
    X[k] = scale * ((float)burl_random_normal(&random) + offset);
  for (size_t k = 0; k < m * d; k++)
    Y[k] = scale * ((float)burl_random_normal(&random) + offset);
  memcpy(Y, X, d * sizeof *Y);
  for (size_t t = 0; m > 1 && t < d; t++)
    Y[d + t] = X[t] + 1e-3f * scale * (float)burl_random_normal(&random);
  for (size_t k = 0; k < 2 * n; k++)
    x_places[k] = (float)burl_random_uniform(&random);
  for (size_t k = 0; k < 2 * m; k++)
    y_places[k] = (float)burl_random_uniform(&random);
}

static burl_cost_term place_term(burl_cost_kind kind, double weight) {
  return (burl_cost_term){
      .kind = kind, .weight = weight, .x_places = x_places, .y_places = y_places};
}

static burl_cost *open_cost(const burl_cost_term *terms, size_t count, size_t n, size_t m,
                            size_t d) {
  burl_cost *cost = NULL;
  assert_int_equal(burl_cost_new(&cost, terms, count, X, n, Y, m, d), BURL_OK);
  assert_int_equal(burl_cost_get_n(cost), n);
  assert_int_equal(burl_cost_get_m(cost), m);
  return cost;
}

/* Stores the cost, and gives the largest error relative to the entry, with `floor` added to it. */
static double worst_error(const burl_cost_term *terms, size_t count, size_t n, size_t m, size_t d,
                          double floor) {
  burl_cost *cost = open_cost(terms, count, n, m, d);
  assert_int_equal(burl_cost_store(cost, C, m), BURL_OK);
  burl_cost_free(cost);
  ref_cost(wanted, terms, count, X, n, Y, m, d);
  double worst = 0.0;
  for (size_t k = 0; k < n * m; k++) {
    double scale = fabs(wanted[k]) + floor, error = fabs((double)C[k] - wanted[k]);
    if (isnan(error)) return error;
    if (error > 0.0) worst = fmax(worst, scale > 0.0 ? error / scale : (double)INFINITY);
    assert_true(isfinite(C[k]));
  }
  return worst;
}

static void assert_below(double error, double limit) {
  if (!(error <= limit)) fail_msg("error %g above %g", error, limit);
}

static void terms_of_points_keep_their_relative_accuracy(void **state) {
  (void)state;
  static const size_t sizes[][3] = {{1, 1, 1},    {1, 9, 5},     {9, 1, 5},     {300, 41, 70},
                                    {270, 17, 1}, {257, 33, 32}, {256, 16, 33}, {3, 2, 2}};
  static const double powers[] = {1.0, 2.0, 4.0, 0.5, 3.0};
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
    for (int form = BURL_COST_AUTO; form <= (int)BURL_COST_PRODUCT; form++) {
      size_t n = sizes[s][0], m = sizes[s][1], d = sizes[s][2];
      fill(n, m, d, 1.0f, 0.0f, s);
      int exact = form == (int)BURL_COST_DIFFERENCES ||
                  (form == (int)BURL_COST_AUTO && d <= BURL_COST_FEW_DIMENSIONS);
      double limit = exact ? 1e-6 : 2e-5;
      burl_cost_term term = {
          .kind = BURL_COST_SQUARED, .weight = 1.0, .form = (burl_cost_form)form};
      assert_below(worst_error(&term, 1, n, m, d, 0.0), limit);
      assert_true(C[0] <= 0.0f); /* the same point twice */
      term.kind = BURL_COST_COSINE;
      assert_below(worst_error(&term, 1, n, m, d, 1e-24), 2e-5);
      term.kind = BURL_COST_POWER;
      for (size_t p = 0; p < sizeof powers / sizeof *powers; p++) {
        term.power = powers[p];
        assert_below(worst_error(&term, 1, n, m, d, 0.0), limit * fmax(1.0, powers[p]));
      }
    }
}

static void far_from_the_origin_nothing_is_lost(void **state) {
  (void)state;
  for (int form = BURL_COST_DIFFERENCES; form <= (int)BURL_COST_PRODUCT; form++) {
    fill(150, 40, 64, 1.0f, 1000.0f, 5);
    burl_cost_term term = {.kind = BURL_COST_SQUARED, .weight = 1.0, .form = (burl_cost_form)form};
    assert_below(worst_error(&term, 1, 150, 40, 64, 0.0), 2e-5);
    term.kind = BURL_COST_COSINE;
    assert_below(worst_error(&term, 1, 150, 40, 64, 1e-24), 2e-5);
  }
}

static void huge_and_tiny_scales_are_the_same_problem(void **state) {
  (void)state;
  static const float scales[] = {1e-36f, 1e-20f, 1e-10f, 1e10f, 1e18f, 1e30f};
  for (size_t s = 0; s < sizeof scales / sizeof *scales; s++)
    for (int form = BURL_COST_DIFFERENCES; form <= (int)BURL_COST_PRODUCT; form++) {
      fill(140, 20, 48, scales[s], 0.0f, 7);
      burl_cost_term term = {.kind = BURL_COST_COSINE, .weight = 1.0, .form = (burl_cost_form)form};
      assert_below(worst_error(&term, 1, 140, 20, 48, 1e-12), 2e-5);
      term = (burl_cost_term){
          .kind = BURL_COST_SQUARED, .weight = 3.0, .over_max = 1, .form = (burl_cost_form)form};
      assert_below(worst_error(&term, 1, 140, 20, 48, 1e-12), 2e-5);
      term.kind = BURL_COST_POWER;
      term.power = 1.0;
      term.over_max = 0;
      assert_below(worst_error(&term, 1, 140, 20, 48, 0.0), 2e-5);
    }
}

static void zero_vectors_are_at_right_angles(void **state) {
  (void)state;
  for (size_t d = 3; d < 60; d += 50) {
    fill(9, 8, d, 1.0f, 0.0f, 2);
    memset(X + 2 * d, 0, d * sizeof *X);
    memset(Y + 3 * d, 0, d * sizeof *Y);
    burl_cost_term term = {.kind = BURL_COST_COSINE, .weight = 1.0};
    assert_below(worst_error(&term, 1, 9, 8, d, 1e-12), 2e-5);
    for (size_t j = 0; j < 8; j++)
      assert_float_equal(C[2 * 8 + j], 1.0f, 0.0f);
    for (size_t i = 0; i < 9; i++)
      assert_float_equal(C[i * 8 + 3], 1.0f, 0.0f);
    memset(X, 0, sizeof X);
    memset(Y, 0, sizeof Y);
    term.kind = BURL_COST_SQUARED;
    term.over_max = 1; /* a maximum of 0 */
    assert_below(worst_error(&term, 1, 9, 8, d, 0.0), 0.0);
  }
}

static void mixtures_add_up(void **state) {
  (void)state;
  fill(N, M, D, 2.0f, 0.3f, 11);
  burl_cost_term terms[5] = {
      {.kind = BURL_COST_COSINE, .weight = 0.7, .over_max = 1},
      place_term(BURL_COST_PLACE, 0.3),
      {.kind = BURL_COST_SQUARED, .weight = 0.5, .constant = 3.0},
      {.kind = BURL_COST_POWER, .weight = -0.01, .power = 1.0},
      place_term(BURL_COST_PERIODIC, 2.0),
  };
  terms[1].over_max = 1;
  memcpy(terms[4].lattice, (double[4]){0.4, 0.1, -0.1, 0.5}, sizeof terms[4].lattice);
  for (size_t count = 1; count <= 5; count++)
    assert_below(worst_error(terms, count, N, M, D, 0.01), 1e-5);
}

/* (1 - alpha) cos / max + alpha |rho - pi| / max lies in 0..1, and either part attains its weight.
 */
static void maxima_are_those_of_the_whole_matrix(void **state) {
  (void)state;
  fill(N, M, D, 1.0f, 0.0f, 12);
  burl_cost_term term = {.kind = BURL_COST_COSINE, .weight = 0.7, .over_max = 1};
  burl_cost_term both[2] = {term, place_term(BURL_COST_PLACE, 0.3)};
  both[1].over_max = 1;
  burl_cost *cost = open_cost(both, 2, N, M, D);
  double max[2] = {0.0, 0.0};
  for (size_t k = 0; k < (size_t)N * M; k++)
    for (size_t t = 0; t < 2; t++)
      max[t] = fmax(max[t], ref_cost_term(both + t, X, Y, D, k / M, k % M));
  for (size_t t = 0; t < 2; t++)
    assert_below(fabs(burl_cost_get_max(cost, t) / max[t] - 1.0), 1e-6);
  assert_true(isnan(burl_cost_get_max(cost, 2)));
  assert_int_equal(burl_cost_store(cost, C, M), BURL_OK);
  float largest = 0.0f;
  for (size_t k = 0; k < (size_t)N * M; k++)
    largest = fmaxf(largest, C[k]);
  assert_true(largest <= 1.000001f && largest > 0.7f);
  burl_cost_free(cost);
  cost = open_cost(&term, 1, N, M, D);
  assert_int_equal(burl_cost_store(cost, C, M), BURL_OK);
  largest = 0.0f;
  for (size_t k = 0; k < (size_t)N * M; k++)
    largest = fmaxf(largest, C[k]);
  assert_float_equal(largest, 0.7f, 1e-7f);
  burl_cost_free(cost);
}

/* Also in skewed bases, in which the nearest image is many cells away. */
static void lattice_distances_equal_a_search_over_all_images(void **state) {
  (void)state;
  static const double lattices[][4] = {
      {1, 0, 0, 1},           {1, 0, 0.5, 0.8660254},   {0.6, 0.2, 2.0, 0.9}, {0.4, 0, 1.9, 0.6},
      {0.7, 0.2, -0.6, 0.25}, {-0.4, 0.33, 0.9, -0.34}, {0.5, 0.25, 3.0, 1.9}};
  for (size_t s = 0; s < sizeof lattices / sizeof *lattices; s++) {
    fill(40, M, 1, 1.0f, 0.0f, 20 + s);
    burl_cost_term term = place_term(BURL_COST_PERIODIC, 1.0);
    memcpy(term.lattice, lattices[s], sizeof term.lattice);
    assert_below(worst_error(&term, 1, 40, M, 1, 1e-6), 1e-6);
  }
}

static void lattice_distances_are_symmetric_and_periodic(void **state) {
  (void)state;
  float swap[2 * M];
  fill(M, M, 1, 1.0f, 0.0f, 31);
  burl_cost_term term = place_term(BURL_COST_PERIODIC, 1.0);
  memcpy(term.lattice, (double[4]){0.5, 0.125, -0.25, 0.75}, sizeof term.lattice);
  assert_below(worst_error(&term, 1, M, M, 1, 1e-6), 1e-6);
  memcpy(part, C, sizeof(float) * M * M);
  memcpy(swap, y_places, sizeof swap);
  for (size_t k = 0; k < 2 * M; k++) { /* sixteenths: sums of places and lattice are exact */
    x_places[k] = rintf(16.0f * x_places[k]) / 16.0f;
    y_places[k] = rintf(16.0f * y_places[k]) / 16.0f;
  }
  burl_cost *cost = open_cost(&term, 1, M, M, 1);
  assert_int_equal(burl_cost_store(cost, C, M), BURL_OK);
  burl_cost_free(cost);
  for (size_t j = 0; j < M; j++) {
    y_places[2 * j] += 0.5f * 30 - 0.25f * 7;
    y_places[2 * j + 1] += 0.125f * 30 + 0.75f * 7;
  }
  cost = open_cost(&term, 1, M, M, 1);
  assert_int_equal(burl_cost_store(cost, part, M), BURL_OK);
  burl_cost_free(cost);
  for (size_t k = 0; k < (size_t)M * M; k++)
    assert_float_equal(part[k], C[k], 1e-7f);
  memcpy(swap, x_places, sizeof swap);
  memcpy(x_places, y_places, sizeof swap);
  memcpy(y_places, swap, sizeof swap);
  cost = open_cost(&term, 1, M, M, 1);
  assert_int_equal(burl_cost_store(cost, part, M), BURL_OK);
  burl_cost_free(cost);
  for (size_t i = 0; i < M; i++)
    for (size_t j = 0; j < M; j++)
      assert_float_equal(part[i * M + j], C[j * M + i], 1e-7f);
}

/* u, v and u + 40 v, 3 u + 121 v span the same lattice: 1 * 121 - 40 * 3 = 1. */
static void any_basis_of_a_lattice_will_do(void **state) {
  (void)state;
  const double u[2] = {0.3, 0.05}, v[2] = {-0.1, 0.35};
  double skewed[4];
  for (int k = 0; k < 2; k++) {
    skewed[k] = u[k] + 40.0 * v[k];
    skewed[2 + k] = 3.0 * u[k] + 121.0 * v[k];
  }
  fill(N, M, 1, 1.0f, 0.0f, 33);
  burl_cost_term term = place_term(BURL_COST_PERIODIC, 1.0);
  memcpy(term.lattice, (double[4]){u[0], u[1], v[0], v[1]}, sizeof term.lattice);
  assert_below(worst_error(&term, 1, N, M, 1, 1e-6), 1e-6);
  memcpy(part, C, sizeof part);
  memcpy(term.lattice, skewed, sizeof term.lattice);
  burl_cost *cost = open_cost(&term, 1, N, M, 1);
  assert_int_equal(burl_cost_store(cost, C, M), BURL_OK);
  burl_cost_free(cost);
  for (size_t k = 0; k < (size_t)N * M; k++)
    assert_float_equal(part[k], C[k], 1e-6f);
}

static void any_rows_are_the_same_bytes_and_allocate_nothing(void **state) {
  (void)state;
  fill(N, M, D, 1.0f, 0.0f, 41);
  burl_cost_term terms[2] = {{.kind = BURL_COST_SQUARED, .weight = 1.0},
                             place_term(BURL_COST_PLACE, 0.3)};
  static const size_t ranges[][2] = {{0, 300},  {0, 256},  {256, 44}, {256, 44}, {5, 1},
                                     {100, 60}, {255, 40}, {299, 1},  {300, 0},  {10, 280}};
  for (size_t count = 1; count <= 2; count++) {
    burl_cost *cost = open_cost(terms, count, N, M, D);
    fail_allocation_after(-1);
    assert_int_equal(burl_cost_store(cost, C, M), BURL_OK);
    for (size_t r = 0; r < sizeof ranges / sizeof *ranges; r++) {
      size_t first = ranges[r][0], rows = ranges[r][1], ld = M + 3;
      static float block[N * (M + 3)];
      memset(block, 0xFF, sizeof block);
      assert_int_equal(burl_cost_rows(cost, block, ld, first, rows), BURL_OK);
      assert_int_equal(burl_cost_rows_double(cost, rows_double, M, first, rows), BURL_OK);
      for (size_t i = 0; i < rows; i++) {
        assert_memory_equal(block + i * ld, C + (first + i) * M, M * sizeof *C);
        assert_true(isnan(block[i * ld + M]));
        for (size_t j = 0; j < M; j++)
          assert_true(rows_double[i * M + j] == (double)C[(first + i) * M + j]);
      }
    }
    assert_int_equal(stop_failing(), 0);
    assert_int_equal(burl_cost_rows(cost, part, M, 299, 2), BURL_ERR_ARGUMENT);
    assert_int_equal(burl_cost_rows(cost, part, M, 301, 0), BURL_ERR_ARGUMENT);
    assert_int_equal(burl_cost_rows(cost, part, M, 1, SIZE_MAX), BURL_ERR_ARGUMENT);
    assert_int_equal(burl_cost_rows(cost, part, M - 1, 0, 1), BURL_ERR_ARGUMENT);
    assert_int_equal(burl_cost_rows_double(cost, rows_double, M - 1, 0, 1), BURL_ERR_ARGUMENT);
    assert_int_equal(burl_cost_store(cost, part, M - 1), BURL_ERR_ARGUMENT);
    burl_cost_free(cost);
  }
}

static void assert_refused(const burl_cost_term *term, burl_status status) {
  burl_cost *cost = NULL;
  assert_int_equal(burl_cost_new(&cost, term, 1, X, 5, Y, 4, 3), status);
  assert_null(cost);
}

static void bad_terms_are_refused(void **state) {
  (void)state;
  fill(5, 4, 3, 1.0f, 0.0f, 51);
  const burl_cost_term good = {.kind = BURL_COST_POWER, .weight = 1.0, .power = 1.5};
  burl_cost_term term = good;
  term.power = 0.0, assert_refused(&term, BURL_ERR_ARGUMENT);
  term.power = (double)NAN, assert_refused(&term, BURL_ERR_ARGUMENT);
  term = good, term.weight = (double)INFINITY, assert_refused(&term, BURL_ERR_ARGUMENT);
  term = good, term.constant = -1.0, assert_refused(&term, BURL_ERR_ARGUMENT);
  term = good, term.kind = (burl_cost_kind)17, assert_refused(&term, BURL_ERR_ARGUMENT);
  term = good, term.form = (burl_cost_form)17, assert_refused(&term, BURL_ERR_ARGUMENT);
  term = good, term.weight = 1e300, assert_refused(&term, BURL_ERR_NUMERIC);
  term = good, term.power = 1e6, assert_refused(&term, BURL_ERR_NUMERIC);
  burl_cost_term place = place_term(BURL_COST_PLACE, 1.0);
  place.y_places = NULL, assert_refused(&place, BURL_ERR_ARGUMENT);
  static const double lattices[][4] = {{0, 0, 0, 0}, {1, 2, 2, 4}, {1, 0, 0, 0}, {1e-12, 0, 0, 1}};
  place = place_term(BURL_COST_PERIODIC, 1.0);
  for (size_t s = 0; s < sizeof lattices / sizeof *lattices; s++) {
    memcpy(place.lattice, lattices[s], sizeof place.lattice);
    assert_refused(&place, BURL_ERR_ARGUMENT);
  }
  place.lattice[2] = (double)NAN, assert_refused(&place, BURL_ERR_NUMERIC);
  burl_cost *cost = NULL;
  assert_int_equal(burl_cost_new(&cost, NULL, 1, X, 5, Y, 4, 3), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_cost_new(&cost, &good, 0, X, 5, Y, 4, 3), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_cost_new(&cost, &good, 9, X, 5, Y, 4, 3), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_cost_new(&cost, &good, 1, X, 0, Y, 4, 3), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_cost_new(&cost, &good, 1, X, 5, Y, 0, 3), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_cost_new(&cost, &good, 1, X, 5, Y, 4, 0), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_cost_new(&cost, &good, 1, NULL, 5, Y, 4, 3), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_cost_new(&cost, &good, 1, X, SIZE_MAX / 64, Y, 4, 300), BURL_ERR_SIZE);
  assert_int_equal(burl_cost_new(&cost, &good, 1, X, 5, Y, SIZE_MAX / 64, 3), BURL_ERR_SIZE);
  assert_null(cost);
}

static void values_that_are_not_finite_are_refused(void **state) {
  (void)state;
  static const float values[] = {NAN, INFINITY, -INFINITY};
  for (size_t v = 0; v < 3; v++) {
    float *spots[] = {&X[14], &Y[11], &x_places[9], &y_places[0]};
    for (size_t s = 0; s < 4; s++) {
      fill(5, 4, 3, 1.0f, 0.0f, 52);
      burl_cost_term term = {.kind = BURL_COST_COSINE, .weight = 1.0};
      if (s >= 2) term = place_term(BURL_COST_PLACE, 1.0);
      *spots[s] = values[v];
      assert_refused(&term, BURL_ERR_NUMERIC);
    }
  }
  fill(5, 4, 3, 1e25f, 0.0f, 53); /* squares are beyond float */
  assert_refused(&(burl_cost_term){.kind = BURL_COST_SQUARED, .weight = 1.0}, BURL_ERR_NUMERIC);
}

static void new_fails_cleanly_without_memory(void **state) {
  (void)state;
  fill(5, 4, 3, 1.0f, 0.0f, 54);
  burl_cost_term terms[3] = {{.kind = BURL_COST_SQUARED, .weight = 1.0},
                             place_term(BURL_COST_PLACE, 0.3),
                             {.kind = BURL_COST_COSINE, .weight = 1.0, .form = BURL_COST_PRODUCT}};
  for (long i = 0;; i++) {
    burl_cost *cost = NULL;
    fail_allocation_after(i);
    burl_status status = burl_cost_new(&cost, terms, 3, X, 5, Y, 4, 3);
    long made = stop_failing();
    if (status == BURL_OK) {
      burl_cost_free(cost);
      assert_true(made == i && i >= 3);
      break;
    }
    assert_int_equal(status, BURL_ERR_MEMORY);
    assert_null(cost);
  }
  burl_cost_free(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(terms_of_points_keep_their_relative_accuracy),
      cmocka_unit_test(far_from_the_origin_nothing_is_lost),
      cmocka_unit_test(huge_and_tiny_scales_are_the_same_problem),
      cmocka_unit_test(zero_vectors_are_at_right_angles),
      cmocka_unit_test(mixtures_add_up),
      cmocka_unit_test(maxima_are_those_of_the_whole_matrix),
      cmocka_unit_test(lattice_distances_equal_a_search_over_all_images),
      cmocka_unit_test(lattice_distances_are_symmetric_and_periodic),
      cmocka_unit_test(any_basis_of_a_lattice_will_do),
      cmocka_unit_test(any_rows_are_the_same_bytes_and_allocate_nothing),
      cmocka_unit_test(bad_terms_are_refused),
      cmocka_unit_test(values_that_are_not_finite_are_refused),
      cmocka_unit_test(new_fails_cleanly_without_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
