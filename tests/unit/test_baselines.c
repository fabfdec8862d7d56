/* Greedy k-centre selection, what all methods have in common, and banks of every kind as files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "failing.h"
#include "prototype/baselines.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const burl_method methods[] = {BURL_METHOD_BURL, BURL_METHOD_CORESET, BURL_METHOD_GAUSSIAN,
                                      BURL_METHOD_KMEANS};
enum { METHODS = sizeof methods / sizeof *methods };

static char folder[256];

static const char *place(void) {
  static char path[512];
  snprintf(path, sizeof path, "%s/bank.safetensors", folder);
  return path;
}

static int set_up(void **state) {
  (void)state;
  const char *base = getenv("TMPDIR");
  snprintf(folder, sizeof folder, "%s/burl-baselines-XXXXXX", base && *base ? base : "/tmp");
  return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state) {
  (void)state;
  unlink(place());
  return rmdir(folder);
}

static float *floats(size_t count) {
  float *values = malloc(count * sizeof *values);
  assert_non_null(values);
  return values;
}

static float *normal_points(size_t n, size_t d, uint64_t seed) {
  float *points = floats(n * d);
  burl_random random = burl_random_start(seed, 60);
  for (size_t i = 0; i < n * d; i++)
    points[i] = (float)burl_random_normal(&random);
  return points;
}

static float *positions_of(size_t n, uint64_t seed) {
  float *positions = floats(2 * n);
  burl_random random = burl_random_start(seed, 61);
  for (size_t i = 0; i < 2 * n; i++)
    positions[i] = (float)burl_random_uniform(&random);
  return positions;
}

static double distance_to(const float *x, const float *chosen, size_t count, size_t d) {
  double least = (double)INFINITY;
  for (size_t j = 0; j < count; j++) {
    double sum = 0.0;
    for (size_t t = 0; t < d; t++)
      sum += pow((double)x[t] - (double)chosen[j * d + t], 2.0);
    least = fmin(least, sqrt(sum));
  }
  return least;
}

/* The distance of the point farthest from what was chosen. */
static double covering_radius(const float *chosen, size_t count, const float *points, size_t n,
                              size_t d) {
  double most = 0.0;
  for (size_t i = 0; i < n; i++)
    most = fmax(most, distance_to(points + i * d, chosen, count, d));
  return most;
}

/* Each next point is as far from those before as any point, so the radius falls from one to the
 * next, and in the end no two points are closer than the radius: half of the best k points' radius
 * or more. */
static void test_coreset_is_greedy(void **state) {
  (void)state;
  enum { N = 250, K = 30 };
  static const size_t dims[] = {1, 2, 5, 13, 40};
  for (size_t a = 0; a < sizeof dims / sizeof *dims; a++) {
    size_t d = dims[a], k = K;
    float *points = normal_points(N, d, a), *chosen = floats(K * d);
    double last = (double)INFINITY;
    assert_int_equal(burl_coreset(chosen, &k, points, N, d, a), BURL_OK);
    assert_int_equal(k, K);
    for (size_t j = 1; j < K; j++) {
      double radius = covering_radius(chosen, j, points, N, d);
      double own = distance_to(chosen + j * d, chosen, j, d);
      assert_true(own >= radius * (1.0 - 1e-6));
      assert_true(radius <= last);
      last = radius;
    }
    double radius = covering_radius(chosen, K, points, N, d);
    for (size_t j = 1; j < K; j++)
      assert_true(distance_to(chosen + j * d, chosen, j, d) >= radius * (1.0 - 1e-6));
    free(points);
    free(chosen);
  }
}

static void test_coreset_begins_anywhere(void **state) {
  (void)state;
  enum { N = 8, SEEDS = 800 };
  float points[N], chosen[2];
  size_t begun[N] = {0};
  for (size_t i = 0; i < N; i++)
    points[i] = (float)i;
  for (uint64_t seed = 0; seed < SEEDS; seed++) {
    size_t k = 2;
    assert_int_equal(burl_coreset(chosen, &k, points, N, 1, seed), BURL_OK);
    begun[(size_t)chosen[0]]++;
    assert_true(chosen[1] == (chosen[0] < 3.5f ? 7.0f : 0.0f));
  }
  for (size_t i = 0; i < N; i++) /* 100 expected; 60 or 140 have odds of 1e-4 */
    assert_true(begun[i] > 60 && begun[i] < 140);
}

static void test_coreset_of_few_points(void **state) {
  (void)state;
  enum { N = 60, D = 3 };
  float *points = normal_points(N, D, 2), chosen[N * D];
  for (size_t i = 5; i < N; i++)
    memcpy(points + i * D, points + i % 5 * D, D * sizeof *points);
  size_t k = 20;
  assert_int_equal(burl_coreset(chosen, &k, points, N, D, 1), BURL_OK);
  assert_int_equal(k, 5);
  assert_true(covering_radius(chosen, k, points, N, D) == 0.0);
  k = 20;
  assert_int_equal(burl_coreset(chosen, &k, points, 4, D, 1), BURL_OK);
  assert_int_equal(k, 4);
  k = 1;
  assert_int_equal(burl_coreset(chosen, &k, points, 1, D, 1), BURL_OK);
  assert_int_equal(k, 1);
  assert_memory_equal(chosen, points, D * sizeof *points);
  free(points);
}

static burl_bank_options options_of(burl_method method, burl_spatial spatial) {
  burl_bank_options options = burl_bank_default_options();
  options.method = method;
  options.prototypes = 12;
  options.spatial = spatial;
  options.steps = 2;
  options.radius = 0.5;
  return options;
}

static burl_bank *fit(const float *patches, const float *positions, size_t n, size_t d,
                      const burl_bank_options *options) {
  burl_bank *bank = NULL;
  assert_int_equal(burl_bank_fit(&bank, patches, positions, n, d, options), BURL_OK);
  assert_non_null(bank);
  return bank;
}

/* Each method's own seed changes its bank, and nothing else does. */
static void test_seeds(void **state) {
  (void)state;
  enum { N = 500, D = 3 };
  float *patches = normal_points(N, D, 5);
  for (size_t i = 0; i < METHODS; i++) {
    burl_bank_options options = options_of(methods[i], BURL_SPATIAL_NONE);
    options.start = BURL_START_RANDOM;
    burl_bank *a = fit(patches, NULL, N, D, &options), *b = fit(patches, NULL, N, D, &options);
    options.seed = 2;
    burl_bank *other = fit(patches, NULL, N, D, &options);
    size_t size = burl_bank_get_count(a) * D * sizeof(float);
    assert_int_equal(burl_bank_get_count(a), methods[i] == BURL_METHOD_GAUSSIAN ? 1 : 12);
    assert_int_equal(burl_bank_get_count(b), burl_bank_get_count(a));
    assert_int_equal(burl_bank_get_count(other), burl_bank_get_count(a));
    assert_memory_equal(burl_bank_get_prototypes(a), burl_bank_get_prototypes(b), size);
    if (methods[i] == BURL_METHOD_GAUSSIAN)
      assert_memory_equal(burl_bank_get_prototypes(a), burl_bank_get_prototypes(other), size);
    else
      assert_memory_not_equal(burl_bank_get_prototypes(a), burl_bank_get_prototypes(other), size);
    burl_bank_free(a);
    burl_bank_free(b);
    burl_bank_free(other);
  }
  free(patches);
}

static void write_bank(const burl_bank *bank) {
  burl_safetensors_writer *writer;
  assert_int_equal(burl_safetensors_writer_new(&writer), BURL_OK);
  assert_int_equal(burl_bank_save(bank, "0", writer), BURL_OK);
  assert_int_equal(burl_safetensors_writer_save(writer, place(), NULL), BURL_OK);
  burl_safetensors_writer_free(writer);
}

static burl_status read_bank(burl_bank **bank, const burl_bank_options *options, size_t d,
                             burl_diag *diag) {
  burl_safetensors *file;
  assert_int_equal(burl_safetensors_load(&file, place(), NULL), BURL_OK);
  burl_status status = burl_bank_load(bank, "0", options, d, file, diag);
  burl_safetensors_free(file);
  return status;
}

static void assert_same(const float *a, const float *b, size_t count) {
  assert_int_equal(a != NULL, b != NULL);
  if (a) assert_memory_equal(a, b, count * sizeof *a);
}

static void check_round_trip(burl_method method, burl_spatial spatial, size_t d) {
  enum { N = 400 };
  float *patches = normal_points(N, d, d), *positions = positions_of(N, d);
  float before[N], after[N];
  uint32_t near_before[N], near_after[N];
  burl_bank_options options = options_of(method, spatial);
  burl_bank *saved = fit(patches, positions, N, d, &options), *loaded = NULL;
  write_bank(saved);
  assert_int_equal(read_bank(&loaded, &options, d, NULL), BURL_OK);
  size_t k = burl_bank_get_count(saved);
  assert_int_equal(burl_bank_get_count(loaded), k);
  assert_int_equal(burl_bank_get_dimension(loaded), d);
  assert_int_equal(burl_bank_get_spatial(loaded), spatial);
  assert_same(burl_bank_get_prototypes(saved), burl_bank_get_prototypes(loaded), k * d);
  assert_same(burl_bank_get_positions(saved), burl_bank_get_positions(loaded), k * 2);
  assert_same(burl_bank_get_mass(saved), burl_bank_get_mass(loaded), k);
  assert_same(burl_bank_get_radius(saved), burl_bank_get_radius(loaded), k);
  burl_bank_score(saved, before, near_before, patches, positions, N);
  burl_bank_score(loaded, after, near_after, patches, positions, N);
  assert_memory_equal(before, after, sizeof before);
  assert_memory_equal(near_before, near_after, sizeof near_before);
  burl_bank_free(saved);
  burl_bank_free(loaded);
  free(patches);
  free(positions);
}

static void test_round_trips(void **state) {
  (void)state;
  static const size_t dims[] = {1, 2, 13, 110};
  for (size_t i = 0; i < METHODS; i++)
    for (int spatial = BURL_SPATIAL_NONE; spatial < BURL_SPATIAL_AUTO; spatial++)
      for (size_t a = 0; a < sizeof dims / sizeof *dims; a++)
        check_round_trip(methods[i], (burl_spatial)spatial, dims[a]);
}

static void test_loading_without_memory(void **state) {
  (void)state;
  enum { N = 300, D = 3 };
  float *patches = normal_points(N, D, 1), *positions = positions_of(N, 1);
  for (size_t m = 0; m < METHODS; m++) {
    burl_bank_options options = options_of(methods[m], BURL_SPATIAL_GRID);
    burl_bank *saved = fit(patches, positions, N, D, &options);
    burl_safetensors *file;
    write_bank(saved);
    burl_bank_free(saved);
    assert_int_equal(burl_safetensors_load(&file, place(), NULL), BURL_OK);
    for (long i = 0;; i++) {
      burl_bank *bank = NULL;
      fail_allocation_after(i);
      burl_status status = burl_bank_load(&bank, "0", &options, D, file, NULL);
      stop_failing();
      if (status == BURL_OK) {
        assert_true(i > 4);
        burl_bank_free(bank);
        break;
      }
      assert_int_equal(status, BURL_ERR_MEMORY);
      assert_null(bank);
    }
    burl_safetensors_free(file);
  }
  free(patches);
  free(positions);
}

static void test_fitting_without_memory(void **state) {
  (void)state;
  enum { N = 80, D = 2 };
  float *patches = normal_points(N, D, 1), *positions = positions_of(N, 1);
  for (size_t m = 0; m < METHODS; m++)
    for (long i = 0;; i++) {
      burl_bank_options options = options_of(methods[m], BURL_SPATIAL_PERIODIC);
      burl_bank *bank = NULL;
      fail_allocation_after(i);
      burl_status status = burl_bank_fit(&bank, patches, positions, N, D, &options);
      long made = stop_failing();
      if (status == BURL_OK && made <= i) {
        assert_true(i > 5);
        burl_bank_free(bank);
        break;
      }
      assert_int_equal(status, BURL_ERR_MEMORY);
      assert_null(bank);
    }
  free(patches);
  free(positions);
}

/* A file of four Gaussians of 130 dimensions in which one thing is not as it should be. */
typedef enum fault {
  FAULTLESS,
  NO_PROTOTYPES,
  NO_POSITIONS,
  NO_MASS,
  NO_RADIUS,
  NO_WHITEN,
  NO_DIMS,
  THREE_CELLS,
  MANY_CELLS,
  NO_WIDTH,
  MANY_WITHOUT_WIDTH,
  NARROW_WHITEN,
  WHITEN_IS_NAN,
  DIMS_ARE_FLOATS,
  FEW_DIMS,
  DIMS_TOO_LARGE,
  DIMS_TWICE,
  FAULTS
} fault;

static void write_faulty(fault f) {
  enum { D = 130, M = 100, MANY = 2000000000 };
  size_t cells = f == THREE_CELLS ? 3 : f == MANY_CELLS ? 289 : f == MANY_WITHOUT_WIDTH ? MANY : 4;
  size_t d = f == NO_WIDTH || f == MANY_WITHOUT_WIDTH ? 0 : D, kept = f == FEW_DIMS ? 99 : M;
  size_t width = f == NARROW_WHITEN ? M * M - 1 : M * M, rows = d ? cells : 4;
  float *values = calloc(4 * M * M, sizeof *values), *whiten = floats(4 * M * M);
  uint32_t dims[M];
  for (uint32_t t = 0; t < M; t++)
    dims[t] = t + 30;
  if (f == DIMS_TOO_LARGE) dims[M - 1] = 130;
  if (f == DIMS_TWICE) dims[50] = dims[49];
  memset(whiten, 0, 4 * M * M * sizeof *whiten);
  if (f == WHITEN_IS_NAN) whiten[12345] = NAN;
  burl_safetensors_writer *w;
  const burl_dtype real = BURL_DTYPE_F32;
  assert_int_equal(burl_safetensors_writer_new(&w), BURL_OK);
  if (f != NO_PROTOTYPES)
    burl_safetensors_writer_add_tensor(w, "0.prototypes", real, (size_t[]){cells, d}, 2, values);
  if (f != NO_POSITIONS)
    burl_safetensors_writer_add_tensor(w, "0.positions", real, (size_t[]){rows, 2}, 2, values);
  if (f != NO_MASS) burl_safetensors_writer_add_tensor(w, "0.mass", real, &rows, 1, values);
  if (f != NO_RADIUS) burl_safetensors_writer_add_tensor(w, "0.radius", real, &rows, 1, values);
  if (f != NO_WHITEN && f != MANY_CELLS)
    burl_safetensors_writer_add_tensor(w, "0.whiten", real, (size_t[]){rows, width}, 2, whiten);
  if (f != NO_DIMS)
    burl_safetensors_writer_add_tensor(
        w, "0.dims", f == DIMS_ARE_FLOATS ? BURL_DTYPE_F32 : BURL_DTYPE_U32, &kept, 1, dims);
  assert_int_equal(burl_safetensors_writer_save(w, place(), NULL), BURL_OK);
  burl_safetensors_writer_free(w);
  free(values);
  free(whiten);
}

static void test_bad_gaussians(void **state) {
  (void)state;
  burl_bank_options options = options_of(BURL_METHOD_GAUSSIAN, BURL_SPATIAL_GRID);
  for (int f = FAULTLESS; f < FAULTS; f++) {
    burl_bank *bank = NULL;
    burl_diag diag = {.status = BURL_OK};
    write_faulty((fault)f);
    burl_status status = read_bank(&bank, &options, 130, &diag);
    if (f == FAULTLESS) {
      assert_int_equal(status, BURL_OK);
      burl_bank_free(bank);
      continue;
    }
    burl_status expected = f == WHITEN_IS_NAN ? BURL_ERR_NUMERIC : BURL_ERR_FORMAT;
    if (status != expected) fail_msg("fault %d: %s", f, burl_status_get_name(status));
    assert_null(bank);
    assert_int_equal(diag.status, status);
    assert_non_null(strstr(diag.reason, "0."));
    assert_int_equal(strstr(diag.reason, "grid") != NULL, f == THREE_CELLS || f == MANY_CELLS);
  }
  write_faulty(FAULTLESS);
  burl_bank *bank = NULL;
  options.spatial = BURL_SPATIAL_NONE; /* where there is one Gaussian */
  assert_int_equal(read_bank(&bank, &options, 130, NULL), BURL_ERR_FORMAT);
  options.spatial = BURL_SPATIAL_GRID;
  assert_int_equal(read_bank(&bank, &options, 131, NULL), BURL_ERR_FORMAT);
  assert_null(bank);
}

/* Of banks of points only the common tensors are read. */
static void test_bad_points(void **state) {
  (void)state;
  burl_bank_options options = options_of(BURL_METHOD_KMEANS, BURL_SPATIAL_GRID);
  for (int f = FAULTLESS; f < FAULTS; f++) {
    burl_bank *bank = NULL;
    int bad = f == NO_PROTOTYPES || f == NO_POSITIONS || f == NO_MASS || f == NO_RADIUS ||
              f == NO_WIDTH || f == MANY_WITHOUT_WIDTH;
    write_faulty((fault)f);
    burl_status status = read_bank(&bank, &options, 130, NULL);
    if (status != (bad ? BURL_ERR_FORMAT : BURL_OK))
      fail_msg("fault %d: %s", f, burl_status_get_name(status));
    assert_int_equal(bank == NULL, bad);
    burl_bank_free(bank);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_coreset_is_greedy),
      cmocka_unit_test(test_coreset_begins_anywhere),
      cmocka_unit_test(test_coreset_of_few_points),
      cmocka_unit_test(test_seeds),
      cmocka_unit_test(test_round_trips),
      cmocka_unit_test(test_loading_without_memory),
      cmocka_unit_test(test_fitting_without_memory),
      cmocka_unit_test(test_bad_gaussians),
      cmocka_unit_test(test_bad_points),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
