/* The plan between a batch and prototypes on a grid: marginals, agreement with Sinkhorn in double,
 * kernels built anew, both ways to keep it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "failing.h"
#include "prototype/pradot.h"
#include "prototype/pradot_plan.h"
#include "prototype/pradot_products.h"
#include "prototype/pradot_rows.h"
#include "reference/ref_pradot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 7, PATCHES = SIDE * SIDE, IMAGES = 4, D = 6, COPIES = 3, K = COPIES * PATCHES };
enum { N = IMAGES * PATCHES };

typedef struct fixture {
  float features[2 * N * D], prototypes[K * D], directions[K * D], places[2 * PATCHES];
  float place_costs[PATCHES * PATCHES];
  size_t images[2 * IMAGES];
  double M[N * K], P[N * K];
  burl_pradot_problem problem;
} fixture;

static void assert_near(double found, double wanted, double tolerance) {
  if (!(fabs(found - wanted) <= tolerance))
    print_error("%.9g is not within %g of %.9g\n", found, tolerance, wanted);
  assert_true(fabs(found - wanted) <= tolerance);
}

/* Eight images, of which the problem is the first half, in a mixed order. */
static fixture *make_fixture(double alpha) {
  fixture *t = calloc(1, sizeof *t);
  assert_non_null(t);
  burl_random random = burl_random_start(3, 4);
  for (size_t i = 0; i < 2 * N * D; i++) {
    float noise = (float)burl_random_normal(&random);
    t->features[i] = fmaxf(0.0f, sinf((float)(i % (PATCHES * D))) + 0.4f * noise);
  }
  for (size_t i = 0; i < K * D; i++)
    t->prototypes[i] = (float)burl_random_uniform(&random);
  burl_pradot_directions(t->directions, t->prototypes, K, D);
  burl_pradot_places(t->places, SIDE, SIDE);
  for (size_t i = 0; i < PATCHES * PATCHES; i++) {
    const float *a = t->places + i / PATCHES * 2, *b = t->places + i % PATCHES * 2;
    t->place_costs[i] = (float)alpha * hypotf(a[0] - b[0], a[1] - b[1]) / sqrtf(2.0f);
  }
  for (size_t i = 0; i < 2 * IMAGES; i++)
    t->images[i] = (i * 3 + 2) % IMAGES + i / IMAGES * IMAGES;
  t->problem = (burl_pradot_problem){.features = t->features,
                                     .images = t->images,
                                     .count = IMAGES,
                                     .patches = PATCHES,
                                     .directions = t->directions,
                                     .places = t->place_costs,
                                     .alpha = alpha,
                                     .not_negative = 1,
                                     .eps = 0.01,
                                     .sweeps = 100};
  return t;
}

static burl_pradot_plan *new_plan(int half) {
  burl_pradot_plan *plan = NULL;
  assert_int_equal(burl_pradot_plan_new(&plan, N, K, PATCHES, D, half, 2), BURL_OK);
  return plan;
}

/* Costs and plan in double. */
static void make_reference(fixture *t) {
  double prototypes[K * D], positions[K * 2];
  float x[N * D], rho[N * 2];
  for (size_t i = 0; i < N; i++) {
    size_t cell = i % PATCHES;
    memcpy(x + i * D, t->features + (t->images[i / PATCHES] * PATCHES + cell) * D, D * sizeof *x);
    memcpy(rho + 2 * i, t->places + 2 * cell, 2 * sizeof *rho);
  }
  for (size_t i = 0; i < K * D; i++)
    prototypes[i] = (double)t->prototypes[i];
  for (size_t i = 0; i < K * 2; i++)
    positions[i] = (double)t->places[i % (2 * PATCHES)];
  ref_pradot_costs(t->M, x, rho, N, prototypes, positions, K, D, t->problem.alpha,
                   t->problem.divisor, 0.0);
  ref_pradot_plan(t->P, t->M, N, K, t->problem.eps, t->problem.sweeps);
}

/* Entries are compared relative to the largest of their row. */
static void check_plan(fixture *t, burl_pradot_plan *plan, double tolerance) {
  double loss = 0.0;
  for (size_t i = 0; i < N; i++) {
    float row[K];
    double sum = 0.0, largest = 0.0;
    burl_pradot_plan_row(plan, row, i);
    for (size_t j = 0; j < K; j++) {
      sum += (double)row[j];
      largest = fmax(largest, t->P[i * K + j]);
      loss += t->P[i * K + j] * t->M[i * K + j];
    }
    assert_near(sum * N, 1.0, 2e-6);
    for (size_t j = 0; j < K; j++)
      assert_near((double)row[j], t->P[i * K + j], tolerance * largest);
  }
  assert_near(burl_pradot_plan_loss(plan), loss, tolerance * loss);
}

static void check_centres(fixture *t, burl_pradot_plan *plan, double tolerance) {
  static float centres[K * D], where[K * 2];
  burl_pradot_plan_centres(plan, centres, where, t->places);
  for (size_t j = 0; j < K; j++) {
    double wanted[D] = {0}, place[2] = {0};
    for (size_t i = 0; i < N; i++) {
      size_t cell = i % PATCHES, at = t->images[i / PATCHES] * PATCHES + cell;
      for (size_t c = 0; c < D; c++)
        wanted[c] += K * t->P[i * K + j] * (double)t->features[at * D + c];
      for (size_t c = 0; c < 2; c++)
        place[c] += K * t->P[i * K + j] * (double)t->places[2 * cell + c];
    }
    for (size_t c = 0; c < D; c++)
      assert_near((double)centres[j * D + c], wanted[c], tolerance);
    for (size_t c = 0; c < 2; c++)
      assert_near((double)where[j * 2 + c], place[c], tolerance);
  }
}

static void plans_are_those_of_sinkhorn_in_double(void **state) {
  (void)state;
  for (int variant = 0; variant < 8; variant++) {
    int half = variant % 2;
    fixture *t = make_fixture(variant / 2 % 2 ? 0.3 : 0.0);
    t->problem.divisor = variant / 4 ? 0.8 : 0.0;
    burl_pradot_plan *plan = new_plan(half);
    burl_pradot_plan_info info;
    burl_pradot_plan_solve(plan, &t->problem, &info);
    make_reference(t);
    assert_int_equal(info.sweeps, 100);
    check_plan(t, plan, half ? 2e-2 : 1e-3);
    check_centres(t, plan, half ? 1e-2 : 1e-3);
    burl_pradot_plan_free(plan);
    free(t);
  }
}

/* Prototypes that have parted: copies of patches of their own cell. */
static void few_entries_are_kept_as_lists(void **state) {
  (void)state;
  fixture *t = make_fixture(0.3);
  for (size_t j = 0; j < K; j++)
    memcpy(t->prototypes + j * D, t->features + j * D, D * sizeof *t->prototypes);
  burl_pradot_directions(t->directions, t->prototypes, K, D);
  t->problem.eps = 0.002;
  burl_pradot_plan *plan = new_plan(1);
  burl_pradot_plan_info info;
  burl_pradot_plan_solve(plan, &t->problem, &info);
  assert_true(info.listed > 0);
  make_reference(t);
  check_plan(t, plan, 5e-2);
  check_centres(t, plan, 2e-2);
  burl_pradot_plan_free(plan);
  free(t);
}

/* With a small eps potentials travel far, and the kernel is built anew on the way. */
static void kernels_are_built_anew_where_potentials_travel(void **state) {
  (void)state;
  fixture *t = make_fixture(0.3);
  burl_pradot_plan *plan = new_plan(0);
  burl_pradot_plan_info info;
  t->problem.eps = 5e-4;
  t->problem.sweeps = 300;
  for (size_t i = 0; i < K * D; i++) /* most prototypes far from every patch */
    t->prototypes[i] = i / D % 5 ? (i % D == 0 ? 1.0f : 0.01f) : t->prototypes[i];
  burl_pradot_directions(t->directions, t->prototypes, K, D);
  burl_pradot_plan_solve(plan, &t->problem, &info);
  assert_true(info.rebuilds > 0 && info.rebuilds < 100);
  make_reference(t);
  check_plan(t, plan, 2e-2); /* costs in float over eps */
  burl_pradot_plan_free(plan);
  free(t);
}

static void the_residual_falls_and_can_end_the_sweeps(void **state) {
  (void)state;
  fixture *t = make_fixture(0.3);
  burl_pradot_plan *plan = new_plan(0);
  burl_pradot_plan_info few, many, stopped;
  t->problem.sweeps = 10;
  burl_pradot_plan_solve(plan, &t->problem, &few);
  t->problem.sweeps = 200;
  burl_pradot_plan_solve(plan, &t->problem, &many);
  assert_true(many.residual < 0.5 * few.residual);
  t->problem.tolerance = few.residual;
  burl_pradot_plan_solve(plan, &t->problem, &stopped);
  assert_true(stopped.sweeps % 10 == 1 && stopped.sweeps > 10 && stopped.sweeps < 200);
  assert_true(stopped.residual < few.residual);
  burl_pradot_plan_free(plan);
  free(t);
}

/* Images much like the first ones, from the potentials of these. */
static void a_warm_start_comes_further(void **state) {
  (void)state;
  fixture *t = make_fixture(0.3);
  for (size_t i = 0; i < N * D; i++)
    t->features[N * D + i] = t->features[i] * (1.0f + 0.01f * sinf((float)i));
  burl_pradot_plan *plan = new_plan(0);
  burl_pradot_plan_info info, cold, warm;
  burl_pradot_problem other = t->problem;
  other.images = t->images + IMAGES;
  other.sweeps = 10;
  burl_pradot_plan_solve(plan, &other, &cold);
  t->problem.sweeps = 1000;
  burl_pradot_plan_solve(plan, &t->problem, &info);
  other.warm = 1;
  burl_pradot_plan_solve(plan, &other, &warm);
  assert_true(warm.residual < 0.2 * cold.residual);
  assert_near(warm.largest, cold.largest, 0.0);
  assert_near(burl_pradot_plan_largest(plan, &other), cold.largest, 0.0);
  burl_pradot_plan_free(plan);
  free(t);
}

static void rows_come_back_from_16_bits(void **state) {
  (void)state;
  enum { M = 3 * BURL_PRADOT_BLOCK };
  float row[M], back[M];
  uint32_t words[M / 2];
  for (size_t j = 0; j < M; j++)
    row[j] = (float)j / M * 2.0f;
  burl_pradot_pack_costs(words, row, 2.0f, M);
  burl_pradot_unpack_costs(back, words, 2.0f, M);
  for (size_t j = 0; j < M; j++)
    assert_near((double)back[j], (double)row[j], 2.0 / 65535.0 * 0.5001);
  for (size_t j = 0; j < M; j++)
    row[j] = expf(-0.7f * (float)j) * (1.0f + (float)j / M);
  burl_pradot_pack_kernel(words, row, M);
  burl_pradot_unpack_kernel(back, words, M);
  for (size_t j = 0; j < M; j++)
    assert_near((double)back[j], (double)row[j], (double)row[j] / 256.0);
}

static float random_bits(size_t i) {
  return (float)(burl_random_at(1, 2, i) % 1000) / 1000.0f - 0.3f;
}

static void whole_numbers_give_cosines(void **state) {
  (void)state;
  enum { ROWS = 17, COLUMNS = 40, PANELS = 2, LENGTH = 33, PAIRS = 17 };
  float x[ROWS * LENGTH], z[COLUMNS * LENGTH], cosines[ROWS * 64];
  uint32_t x_panels[2 * 12 * PAIRS], z_panels[PANELS * 32 * PAIRS];
  if (!burl_pradot_has_products()) skip();
  for (size_t i = 0; i < ROWS * LENGTH; i++)
    x[i] = random_bits(i);
  for (size_t i = 0; i < COLUMNS * LENGTH; i++)
    z[i] = i < LENGTH ? (i == 3 ? 5.0f : 0.0f) : random_bits(7000 + i);
  burl_pradot_directions(x, x, ROWS, LENGTH);
  burl_pradot_directions(z, z, COLUMNS, LENGTH);
  burl_pradot_pack_panels(x_panels, x, ROWS, LENGTH, BURL_PRADOT_GROUP);
  burl_pradot_pack_panels(z_panels, z, COLUMNS, LENGTH, BURL_PRADOT_PANEL);
  burl_pradot_cosines(cosines, 64, x_panels, ROWS, z_panels, PANELS, PAIRS);
  for (size_t i = 0; i < ROWS; i++)
    for (size_t j = 0; j < 64; j++) {
      double wanted = 0.0;
      for (size_t c = 0; j < COLUMNS && c < LENGTH; c++)
        wanted += (double)x[i * LENGTH + c] * (double)z[j * LENGTH + c];
      assert_near((double)cosines[i * 64 + j], wanted, 1e-4);
    }
}

static void pairs_of_rows_give_centres(void **state) {
  (void)state;
  enum { ROWS = 10, PAIRS = 5, LENGTH = 64 };
  float kernel[ROWS * 32], x[ROWS * LENGTH], centres[32 * LENGTH];
  uint32_t packed[ROWS * 16], k[PAIRS * 32], panels[2 * PAIRS * 32];
  if (!burl_pradot_has_products()) skip();
  for (size_t i = 0; i < ROWS * 32; i++)
    kernel[i] = fabsf(random_bits(i));
  for (size_t i = 0; i < ROWS * LENGTH; i++)
    x[i] = random_bits(9000 + i);
  for (size_t i = 0; i < ROWS; i++)
    burl_pradot_pack_kernel(packed + i * 16, kernel + i * 32, 32);
  for (size_t r = 0; r < PAIRS; r++) {
    burl_pradot_pair_rows(k + r * 32, packed + 2 * r * 16, packed + (2 * r + 1) * 16);
    burl_pradot_pair_features(panels, PAIRS, r, x + 2 * r * LENGTH, 2.0f, x + (2 * r + 1) * LENGTH,
                              0.5f, LENGTH);
  }
  for (size_t i = 0; i < 32 * LENGTH; i++)
    centres[i] = 1.0f;
  burl_pradot_add_centres(centres, LENGTH, k, 1, panels, 2, PAIRS, PAIRS);
  for (size_t j = 0; j < 32; j++)
    for (size_t c = 0; c < LENGTH; c++) {
      double wanted = 1.0;
      for (size_t i = 0; i < ROWS; i++)
        wanted += (double)kernel[i * 32 + j] * (i % 2 ? 0.5 : 2.0) * (double)x[i * LENGTH + c];
      assert_near((double)centres[j * LENGTH + c], wanted, 2e-2);
    }
}

static void refuses_what_does_not_fit(void **state) {
  (void)state;
  burl_pradot_plan *plan = NULL;
  assert_int_equal(burl_pradot_plan_new(&plan, 0, 4, 4, 1, 0, 1), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_pradot_plan_new(&plan, 4, 6, 4, 1, 0, 1), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_pradot_plan_new(&plan, 4, 4, 4, 1, 0, 0), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_pradot_plan_new(&plan, SIZE_MAX / 2, 4, 4, 1, 0, 1), BURL_ERR_SIZE);
  assert_int_equal(burl_pradot_plan_new(&plan, 4, SIZE_MAX / 2, 1, 1, 0, 1), BURL_ERR_SIZE);
  for (long i = 0; i < 2; i++) {
    fail_allocation_after(i);
    burl_status status = burl_pradot_plan_new(&plan, 8, 4, 4, 3, 0, 1);
    stop_failing();
    assert_int_equal(status, BURL_ERR_MEMORY);
  }
  assert_null(plan);
  burl_pradot_plan_free(NULL);
}

int main(void) {
  burl_blas_set_threads(1);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(plans_are_those_of_sinkhorn_in_double),
      cmocka_unit_test(few_entries_are_kept_as_lists),
      cmocka_unit_test(kernels_are_built_anew_where_potentials_travel),
      cmocka_unit_test(the_residual_falls_and_can_end_the_sweeps),
      cmocka_unit_test(a_warm_start_comes_further),
      cmocka_unit_test(rows_come_back_from_16_bits),
      cmocka_unit_test(whole_numbers_give_cosines),
      cmocka_unit_test(pairs_of_rows_give_centres),
      cmocka_unit_test(refuses_what_does_not_fit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
