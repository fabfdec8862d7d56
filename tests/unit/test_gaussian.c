/* Gaussians: the twin, whitening, cells of places and of phases, and files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "failing.h"
#include "prototype/bank.h"
#include "prototype/gaussian.h"
#include "reference/ref_gaussian.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static float *floats(size_t count) {
  float *values = malloc(count * sizeof *values);
  assert_non_null(values);
  return values;
}

/* Patches of correlated dimensions of unlike sizes around (3, 3, ...). */
static float *patches_of(size_t n, size_t d, uint64_t seed) {
  float *patches = floats(n * d);
  burl_random random = burl_random_start(seed, 50);
  for (size_t i = 0; i < n; i++) {
    double before = 0.0;
    for (size_t t = 0; t < d; t++) {
      double value = burl_random_normal(&random) * (1.0 + (double)(t % 3));
      patches[i * d + t] = (float)(3.0 + value + 0.7 * before);
      before = value;
    }
  }
  return patches;
}

static float *positions_of(size_t n, uint64_t seed) {
  float *positions = floats(2 * n);
  burl_random random = burl_random_start(seed, 51);
  for (size_t i = 0; i < 2 * n; i++)
    positions[i] = (float)burl_random_uniform(&random);
  return positions;
}

static burl_bank_options options_of(burl_spatial spatial, double shrinkage) {
  burl_bank_options options = burl_bank_default_options();
  options.method = BURL_METHOD_GAUSSIAN;
  options.spatial = spatial;
  options.shrinkage = shrinkage;
  return options;
}

static burl_bank *fit(const float *patches, const float *positions, size_t n, size_t d,
                      const burl_bank_options *options) {
  burl_bank *bank = NULL;
  assert_int_equal(burl_bank_fit(&bank, patches, positions, n, d, options), BURL_OK);
  assert_non_null(bank);
  assert_int_equal(burl_bank_get_dimension(bank), d);
  assert_int_equal(burl_bank_get_spatial(bank), options->spatial);
  assert_int_equal(burl_bank_get_positions(bank) != NULL, options->spatial != BURL_SPATIAL_NONE);
  return bank;
}

static size_t side_of(const burl_bank *bank) {
  size_t side = (size_t)(sqrt((double)burl_bank_get_count(bank)) + 0.5);
  assert_int_equal(side * side, burl_bank_get_count(bank));
  return side;
}

static size_t cell_of(const float *position, size_t side) {
  size_t row = (size_t)((double)position[0] * (double)side);
  return row * side + (size_t)((double)position[1] * (double)side);
}

static double mean_square(const float *values, size_t n) {
  double sum = 0.0;
  for (size_t i = 0; i < n; i++)
    sum += (double)values[i] * (double)values[i] / (double)n;
  return sum;
}

static void check_twin(size_t n, size_t d, burl_spatial spatial, double shrinkage) {
  enum { PROBES = 60 };
  float *patches = patches_of(n, d, d), *positions = positions_of(n, d), distance[PROBES];
  float *probes = patches_of(PROBES, d, 77), *places = positions_of(PROBES, 78);
  uint32_t nearest[PROBES];
  burl_bank_options options = options_of(spatial, shrinkage);
  burl_bank *bank = fit(patches, positions, n, d, &options);
  size_t cells = burl_bank_get_count(bank), side = side_of(bank), *cell = calloc(n, sizeof *cell);
  const burl_gaussian *inside = (const burl_gaussian *)bank;
  size_t m = inside->m, dims[BURL_GAUSSIAN_DIMENSIONS];
  for (size_t t = 0; t < m; t++)
    dims[t] = inside->dims[t];
  for (size_t i = 0; i < n; i++)
    cell[i] = cell_of(positions + 2 * i, side);
  const ref_gaussian g = {patches, cell, n, d, cells, dims, m, shrinkage};
  double *mean = malloc(m * sizeof *mean), *covariance = malloc(m * m * sizeof *covariance);
  burl_bank_score(bank, distance, nearest, probes, places, PROBES);
  for (size_t c = 0; c < cells; c++) {
    ref_gaussian_of_cell(mean, covariance, &g, c);
    for (size_t t = 0; t < m; t++)
      assert_true(fabs((double)burl_bank_get_prototypes(bank)[c * d + dims[t]] - mean[t]) < 1e-5);
    for (size_t i = 0; i < PROBES; i++) {
      if (cell_of(places + 2 * i, side) != c) continue;
      double expected = ref_gaussian_distance(mean, covariance, &g, probes + i * d);
      assert_int_equal(nearest[i], c);
      if (fabs((double)distance[i] - expected) > 1e-4 * (1.0 + expected))
        fail_msg("d %zu, cell %zu: %g, not %g", d, c, (double)distance[i], expected);
    }
  }
  burl_bank_free(bank);
  free(patches);
  free(positions);
  free(probes);
  free(places);
  free(cell);
  free(mean);
  free(covariance);
}

static void test_twin(void **state) {
  (void)state;
  check_twin(300, 1, BURL_SPATIAL_GRID, 0.01);
  check_twin(2, 1, BURL_SPATIAL_GRID, 1.0);
  check_twin(9, 5, BURL_SPATIAL_NONE, 0.1);
  check_twin(500, 5, BURL_SPATIAL_GRID, 0.001);
  check_twin(500, 5, BURL_SPATIAL_PERIODIC, 0.5);
  check_twin(700, 8, BURL_SPATIAL_PERIODIC, 0.01);
  check_twin(400, 17, BURL_SPATIAL_NONE, 0.01);
}

/* In the mean over the patches that it is of, the squared distance of a Gaussian is 1. */
static void test_whitened_patches_have_mean_square_one(void **state) {
  (void)state;
  enum { N = 2000 };
  static const size_t dims[] = {1, 2, 7, 13, 64, 100};
  for (size_t a = 0; a < sizeof dims / sizeof *dims; a++) {
    float *patches = patches_of(N, dims[a], a), *distance = floats(N);
    burl_bank_options options = options_of(BURL_SPATIAL_NONE, 1e-9);
    burl_bank *bank = fit(patches, NULL, N, dims[a], &options);
    assert_int_equal(burl_bank_get_count(bank), 1);
    burl_bank_score(bank, distance, NULL, patches, NULL, N);
    assert_true(fabs(mean_square(distance, N) - 1.0) < 1e-4);
    assert_true(fabs((double)burl_bank_get_radius(bank)[0] - 1.0) < 1e-4);
    assert_true(burl_bank_get_mass(bank)[0] == 1.0f);
    burl_bank_free(bank);
    free(patches);
    free(distance);
  }
}

/* Distances do not change when features are mixed and moved. */
static void test_affine_maps_change_nothing(void **state) {
  (void)state;
  enum { N = 500, D = 6 };
  float *patches = patches_of(N, D, 4), *mixed = floats(N * D), *a = floats(N), *b = floats(N);
  burl_random random = burl_random_start(4, 52);
  double matrix[D][D];
  for (size_t i = 0; i < D; i++)
    for (size_t j = 0; j < D; j++)
      matrix[i][j] = burl_random_normal(&random) + (i == j ? 3.0 : 0.0);
  for (size_t i = 0; i < N; i++)
    for (size_t t = 0; t < D; t++) {
      double sum = 100.0;
      for (size_t u = 0; u < D; u++)
        sum += matrix[t][u] * (double)patches[i * D + u];
      mixed[i * D + t] = (float)sum;
    }
  burl_bank_options options = options_of(BURL_SPATIAL_NONE, 1e-9);
  burl_bank *plain = fit(patches, NULL, N, D, &options), *other = fit(mixed, NULL, N, D, &options);
  burl_bank_score(plain, a, NULL, patches, NULL, N);
  burl_bank_score(other, b, NULL, mixed, NULL, N);
  for (size_t i = 0; i < N; i++)
    assert_true(fabsf(a[i] - b[i]) < 1e-3f);
  burl_bank_free(plain);
  burl_bank_free(other);
  free(patches);
  free(mixed);
  free(a);
  free(b);
}

/* As many cells as have 20 patches a dimension in the mean, at most 16 x 16. */
static void test_number_of_cells(void **state) {
  (void)state;
  static const struct {
    size_t n, d, side;
  } cases[] = {{1, 1, 1},     {79, 1, 1},    {80, 1, 2},    {179, 1, 2},
               {180, 1, 3},   {5119, 1, 15}, {5120, 1, 16}, {20000, 1, 16},
               {5120, 16, 4}, {1999, 25, 1}, {2000, 25, 2}, {8000, 300, 2}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    for (int periodic = 0; periodic < 2; periodic++) {
      size_t n = cases[i].n, d = cases[i].d;
      float *patches = patches_of(n, d, i), *positions = positions_of(n, i);
      burl_bank_options options =
          options_of(periodic ? BURL_SPATIAL_PERIODIC : BURL_SPATIAL_GRID, 0.01);
      burl_bank *bank = fit(patches, positions, n, d, &options);
      assert_int_equal(side_of(bank), cases[i].side);
      const float *middle = burl_bank_get_positions(bank);
      for (size_t c = 0; c < burl_bank_get_count(bank); c++)
        assert_int_equal(cell_of(middle + 2 * c, cases[i].side), c);
      burl_bank_free(bank);
      free(patches);
      free(positions);
    }
}

/* Phases wrap around, places beyond the image belong to its edge. */
static void test_positions_beyond_the_ends(void **state) {
  (void)state;
  enum { N = 2000, D = 3 };
  static const struct {
    float outside[2], phase[2], place[2];
  } cases[] = {
      {{1.25f, 0.5f}, {0.25f, 0.5f}, {0.99f, 0.5f}}, {{-0.75f, 0.5f}, {0.25f, 0.5f}, {0.01f, 0.5f}},
      {{0.5f, 7.1f}, {0.5f, 0.1f}, {0.5f, 0.99f}},   {{0.5f, -2.9f}, {0.5f, 0.1f}, {0.5f, 0.01f}},
      {{1.0f, 1.0f}, {0.0f, 0.0f}, {0.99f, 0.99f}},  {{-1e-9f, 0.5f}, {0.99f, 0.5f}, {0.0f, 0.5f}},
      {{-1e30f, 1e30f}, {0.0f, 0.0f}, {0.0f, 0.99f}}};
  float *patches = patches_of(N, D, 6), *positions = positions_of(N, 6);
  for (size_t i = 0; i < N; i++)
    patches[i * D] += 20.0f * positions[2 * i] + 50.0f * positions[2 * i + 1];
  for (int periodic = 0; periodic < 2; periodic++) {
    burl_bank_options options =
        options_of(periodic ? BURL_SPATIAL_PERIODIC : BURL_SPATIAL_GRID, 0.01);
    burl_bank *bank = fit(patches, positions, N, D, &options);
    assert_int_equal(side_of(bank), 5);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
      const float *inside = periodic ? cases[i].phase : cases[i].place;
      float a, b;
      uint32_t at, other;
      burl_bank_score(bank, &a, &at, patches, cases[i].outside, 1);
      burl_bank_score(bank, &b, &other, patches, inside, 1);
      assert_int_equal(at, cell_of(inside, 5));
      assert_int_equal(at, other);
      assert_true(a == b);
    }
    burl_bank_free(bank);
  }
  free(patches);
  free(positions);
}

/* What is normal in one phase of the repeat is far off in another, unless there is one Gaussian. */
static void test_phases_have_means_of_their_own(void **state) {
  (void)state;
  enum { N = 4000, D = 4 };
  float *patches = patches_of(N, D, 7), *positions = positions_of(N, 7), distance[2];
  for (size_t i = 0; i < N; i++)
    for (size_t t = 0; t < D; t++)
      patches[i * D + t] += positions[2 * i + 1] < 0.5f ? 0.0f : 40.0f;
  static const float probe[2 * D] = {3, 3, 3, 3, 3, 3, 3, 3}, places[] = {0.5f, 0.2f, 0.5f, 0.8f};
  burl_bank_options options = options_of(BURL_SPATIAL_PERIODIC, 0.01);
  burl_bank *bank = fit(patches, positions, N, D, &options);
  burl_bank_score(bank, distance, NULL, probe, places, 2);
  assert_true(distance[0] < 1.0f && distance[1] > 5.0f);
  burl_bank_free(bank);
  options.spatial = BURL_SPATIAL_NONE;
  bank = fit(patches, positions, N, D, &options);
  burl_bank_score(bank, distance, NULL, probe, places, 2);
  assert_true(distance[0] == distance[1]);
  burl_bank_free(bank);
  free(patches);
  free(positions);
}

/* Where no patch was seen the Gaussian of all patches stands. */
static void test_empty_cells_fall_back(void **state) {
  (void)state;
  enum { N = 900, D = 3, PROBES = 20 };
  float *patches = patches_of(N, D, 8), *positions = positions_of(N, 8), a[PROBES], b[PROBES];
  float places[2 * PROBES];
  for (size_t i = 0; i < N; i++) {
    positions[2 * i] *= 0.5f; /* the lower half is empty */
    patches[i * D] += 30.0f * positions[2 * i + 1];
  }
  for (size_t i = 0; i < 2 * PROBES; i++)
    places[i] = 0.9f;
  burl_bank_options options = options_of(BURL_SPATIAL_GRID, 0.01), none = options;
  none.spatial = BURL_SPATIAL_NONE;
  burl_bank *grid = fit(patches, positions, N, D, &options);
  burl_bank *all = fit(patches, NULL, N, D, &none);
  assert_true(side_of(grid) >= 3);
  burl_bank_score(grid, a, NULL, patches, places, PROBES);
  burl_bank_score(all, b, NULL, patches, NULL, PROBES);
  for (size_t i = 0; i < PROBES; i++)
    assert_true(fabsf(a[i] - b[i]) < 1e-4f);
  assert_true(burl_bank_get_mass(grid)[burl_bank_get_count(grid) - 1] == 0.0f);
  assert_true(burl_bank_get_radius(grid)[burl_bank_get_count(grid) - 1] == 0.0f);
  burl_bank_free(grid);
  burl_bank_free(all);
  free(patches);
  free(positions);
}

/* Above a hundred dimensions a random hundred counts, every one as likely. */
static void test_many_dimensions(void **state) {
  (void)state;
  enum { N = 30, D = 125, SEEDS = 20 };
  float *patches = patches_of(N, D, 9), distance[2];
  size_t drawn[D] = {0};
  for (uint64_t seed = 0; seed < SEEDS; seed++) {
    burl_bank_options options = options_of(BURL_SPATIAL_NONE, 0.01);
    options.seed = seed;
    burl_bank *fitted = fit(patches, NULL, N, D, &options);
    const burl_gaussian *inside = (const burl_gaussian *)fitted;
    assert_int_equal(inside->m, 100);
    for (size_t t = 0; t < inside->m; t++) {
      assert_true(inside->dims[t] < D && (t == 0 || inside->dims[t] > inside->dims[t - 1]));
      drawn[inside->dims[t]]++;
    }
    for (size_t t = 0; t < D; t++) { /* a change where it is compared, and one where it is not */
      int compared = 0;
      for (size_t u = 0; u < inside->m; u++)
        compared |= inside->dims[u] == t;
      float probe[2 * D];
      memcpy(probe, patches, D * sizeof *probe);
      memcpy(probe + D, patches, D * sizeof *probe);
      probe[D + t] += 100.0f;
      burl_bank_score(fitted, distance, NULL, probe, NULL, 2);
      assert_int_equal(distance[0] != distance[1], compared);
    }
    burl_bank_free(fitted);
  }
  for (size_t t = 0; t < D; t++)
    assert_true(drawn[t] >= 8); /* 16 of 20 expected; fewer than 8 have odds of 1e-4 */
  free(patches);
}

/* One patch, and patches that are all equal: they are at 0, anything else is far, all is finite. */
static void test_equal_patches(void **state) {
  (void)state;
  enum { N = 200, D = 4 };
  static const float values[] = {0.0f, 1e-20f, 0.3f, 1e18f};
  for (size_t v = 0; v < sizeof values / sizeof *values; v++)
    for (size_t n = 1; n <= N; n += N - 1) {
      float patches[N * D], *positions = positions_of(N, 1), distance[2], probe[2 * D];
      for (size_t i = 0; i < N * D; i++)
        patches[i] = values[v];
      memcpy(probe, patches, sizeof probe);
      probe[D] += values[v] > 0.0f ? values[v] : 1.0f;
      burl_bank_options options = options_of(BURL_SPATIAL_GRID, 0.01);
      burl_bank *bank = fit(patches, positions, n, D, &options);
      burl_bank_score(bank, distance, NULL, probe, positions, 2);
      assert_true(distance[0] < 1e-3f);
      assert_true(isfinite(distance[1]));
      if (values[v] != 1e-20f) assert_true(distance[1] > 100.0f);
      burl_bank_free(bank);
      free(positions);
    }
}

static void test_odd_patches_are_far(void **state) {
  (void)state;
  enum { N = 300, D = 9 };
  static const float odd[] = {NAN, INFINITY, -INFINITY, 3e38f};
  float *patches = patches_of(N, D, 2), *positions = positions_of(N, 2);
  burl_bank_options options = options_of(BURL_SPATIAL_GRID, 0.01);
  burl_bank *bank = fit(patches, positions, N, D, &options);
  for (size_t i = 0; i < 4; i++) {
    float probe[D], place[2] = {0.5f, 0.5f}, distance;
    uint32_t nearest;
    memcpy(probe, patches, sizeof probe);
    probe[i] = odd[i];
    burl_bank_score(bank, &distance, &nearest, probe, place, 1);
    assert_true(isfinite(distance) && distance > 1e18f);
    place[0] = odd[i];
    burl_bank_score(bank, &distance, &nearest, patches, place, 1);
    assert_true(isfinite(distance) && nearest < burl_bank_get_count(bank));
  }
  burl_bank_free(bank);
  free(patches);
  free(positions);
}

static void test_huge_patches(void **state) {
  (void)state;
  enum { N = 300, D = 3 };
  float *patches = patches_of(N, D, 12), distance[N];
  for (size_t i = 0; i < N * D; i++)
    patches[i] *= 1e37f;
  burl_bank_options options = options_of(BURL_SPATIAL_NONE, 0.01);
  burl_bank *bank = fit(patches, NULL, N, D, &options);
  burl_bank_score(bank, distance, NULL, patches, NULL, N);
  for (size_t i = 0; i < N; i++)
    assert_true(isfinite(distance[i]));
  burl_bank_free(bank);
  free(patches);
}

static void test_scoring_allocates_nothing(void **state) {
  (void)state;
  enum { N = 400, D = 13 };
  float *patches = patches_of(N, D, 3), *positions = positions_of(N, 3), distance[N];
  burl_bank_options options = options_of(BURL_SPATIAL_PERIODIC, 0.01);
  burl_bank *bank = fit(patches, positions, N, D, &options);
  fail_allocation_after(-1);
  burl_bank_score(bank, distance, NULL, patches, positions, N);
  assert_int_equal(stop_failing(), 0);
  burl_bank_score(bank, distance, NULL, patches, positions, 0);
  burl_bank_free(bank);
  free(patches);
  free(positions);
}

static void test_without_memory(void **state) {
  (void)state;
  enum { N = 300, D = 3 };
  float *patches = patches_of(N, D, 3), *positions = positions_of(N, 3);
  burl_bank_options options = options_of(BURL_SPATIAL_GRID, 0.01);
  for (long i = 0;; i++) {
    burl_bank *bank = NULL;
    fail_allocation_after(i);
    burl_status status = burl_bank_fit(&bank, patches, positions, N, D, &options);
    long made = stop_failing();
    if (status == BURL_OK && made <= i) {
      assert_true(i > 8);
      burl_bank_free(bank);
      break;
    }
    assert_int_equal(status, BURL_ERR_MEMORY);
    assert_null(bank);
  }
  free(patches);
  free(positions);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_twin),
      cmocka_unit_test(test_whitened_patches_have_mean_square_one),
      cmocka_unit_test(test_affine_maps_change_nothing),
      cmocka_unit_test(test_number_of_cells),
      cmocka_unit_test(test_positions_beyond_the_ends),
      cmocka_unit_test(test_phases_have_means_of_their_own),
      cmocka_unit_test(test_empty_cells_fall_back),
      cmocka_unit_test(test_many_dimensions),
      cmocka_unit_test(test_equal_patches),
      cmocka_unit_test(test_odd_patches_are_far),
      cmocka_unit_test(test_huge_patches),
      cmocka_unit_test(test_scoring_allocates_nothing),
      cmocka_unit_test(test_without_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
