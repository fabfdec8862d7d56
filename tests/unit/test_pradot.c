/* Local and global prototypes: a whole fit against its naive twin, what the method promises, and
 * what it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/random.h"
#include "failing.h"
#include "prototype/pradot.h"
#include "reference/ref_pradot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct sample {
  size_t images, rows, cols, d;
  float *features;
} sample;

static float *floats(size_t count) {
  float *values = malloc((count ? count : 1) * sizeof *values);
  assert_non_null(values);
  return values;
}

/* What is left above 0 of a pattern by cell and noise. */
static sample sample_of(size_t images, size_t rows, size_t cols, size_t d, double noise) {
  sample s = {images, rows, cols, d, floats(images * rows * cols * d)};
  burl_random pattern = burl_random_start(5, 1), own = burl_random_start(5, 2);
  size_t each = rows * cols * d;
  float *means = floats(each);
  for (size_t i = 0; i < each; i++)
    means[i] = (float)burl_random_normal(&pattern);
  for (size_t i = 0; i < images * each; i++)
    s.features[i] = fmaxf(0.0f, means[i % each] + (float)(noise * burl_random_normal(&own)));
  free(means);
  return s;
}

static burl_pradot_options small_options(void) {
  burl_pradot_options o = burl_pradot_default_options();
  o.per_cell = 2.0;
  o.alpha = 0.3;
  o.batch = 3;
  o.epochs = 4;
  o.ema = 0.7;
  o.validation = 0.3;
  o.tolerance = 0.0;
  o.store = BURL_PRADOT_STORE_FLOAT;
  o.seed = 11;
  return o;
}

static burl_pradot *fit(const sample *s, const burl_pradot_options *o) {
  burl_pradot *pradot = NULL;
  burl_diag diag = {0};
  burl_status status =
      burl_pradot_fit(&pradot, s->features, s->images, s->rows, s->cols, s->d, o, NULL, &diag);
  if (status) print_error("%s\n", diag.reason);
  assert_int_equal(status, BURL_OK);
  return pradot;
}

static void assert_near(double found, double wanted, double tolerance) {
  if (!(fabs(found - wanted) <= tolerance))
    print_error("%.9g is not within %g of %.9g\n", found, tolerance, wanted);
  assert_true(fabs(found - wanted) <= tolerance);
}

static void compare_with_twin(const sample *s, const burl_pradot_options *o, double tolerance) {
  size_t k = ref_pradot_fit(NULL, NULL, NULL, s->features, s->images, s->rows, s->cols, s->d, o);
  double *prototypes = malloc(k * s->d * sizeof *prototypes);
  double *positions = malloc(k * 2 * sizeof *positions);
  double *losses = malloc(o->epochs * sizeof *losses);
  assert_true(prototypes && positions && losses);
  ref_pradot_fit(prototypes, positions, losses, s->features, s->images, s->rows, s->cols, s->d, o);
  burl_pradot *pradot = fit(s, o);
  const burl_pradot_parts *parts = burl_pradot_get_parts(pradot);
  assert_int_equal(parts->count, k);
  assert_int_equal(parts->d, s->d);
  assert_int_equal(parts->epochs, o->epochs);
  for (size_t e = 0; e < o->epochs; e++)
    assert_near(parts->losses[e], losses[e], tolerance);
  for (size_t e = 0; e < o->epochs; e++)
    assert_true(parts->losses[parts->kept] <= parts->losses[e]);
  for (size_t i = 0; i < k * s->d; i++)
    assert_near((double)parts->prototypes[i], prototypes[i], tolerance);
  for (size_t i = 0; i < k * 2; i++)
    assert_near((double)parts->positions[i], positions[i], tolerance);
  burl_pradot_free(pradot);
  free(prototypes);
  free(positions);
  free(losses);
}

static void fits_as_its_twin(void **state) {
  (void)state;
  sample s = sample_of(7, 3, 4, 6, 0.4);
  burl_pradot_options o = small_options();
  compare_with_twin(&s, &o, 1e-4);
  o.store = BURL_PRADOT_STORE_HALF;
  compare_with_twin(&s, &o, 1e-2);
  o = small_options();
  o.alpha = 0.0;
  compare_with_twin(&s, &o, 1e-4);
  o.alpha = 1.0;
  compare_with_twin(&s, &o, 1e-4);
  free(s.features);
}

static void every_option_fits_as_its_twin(void **state) {
  (void)state;
  sample s = sample_of(7, 4, 4, 6, 0.4);
  burl_pradot_options o = small_options();
  o.per_cell = 0.5;
  compare_with_twin(&s, &o, 1e-4);
  o = small_options();
  o.divisor = BURL_PRADOT_EPOCH_MAX;
  compare_with_twin(&s, &o, 1e-4);
  o = small_options();
  o.learn_positions = 1;
  compare_with_twin(&s, &o, 1e-4);
  o = small_options();
  o.validation = 0.0;
  o.batch = 64;
  compare_with_twin(&s, &o, 1e-4);
  o.drop_last = 1;
  compare_with_twin(&s, &o, 1e-6);
  o = small_options();
  o.eps = 0.002;
  o.epochs = 2;
  compare_with_twin(&s, &o, 1e-3);
  for (size_t i = 0; i < 7 * 16 * 6; i += 5)
    s.features[i] -= 1.0f; /* negative features: feature costs up to 2 */
  o = small_options();
  o.store = BURL_PRADOT_STORE_HALF;
  compare_with_twin(&s, &o, 1e-2);
  free(s.features);
}

/* Sizes at which all of it is done with 16-bit numbers, first with full rows, then with lists. */
static void fits_as_its_twin_in_16_bits(void **state) {
  (void)state;
  sample s = sample_of(7, 4, 8, 32, 0.1);
  burl_pradot_options o = small_options();
  o.store = BURL_PRADOT_STORE_HALF;
  compare_with_twin(&s, &o, 1e-2);
  o.per_cell = 1.0;
  o.ema = 0.3;
  o.epochs = 2;
  compare_with_twin(&s, &o, 1e-2);
  free(s.features);
}

/* Place alone, one prototype a cell: the plan is the identity on cells. */
static void alone_the_place_learns_means_by_cell(void **state) {
  (void)state;
  sample s = sample_of(6, 4, 4, 5, 0.5);
  burl_pradot_options o = small_options();
  o.per_cell = 1.0;
  o.alpha = 1.0;
  o.ema = 0.0;
  o.batch = 6;
  o.validation = 0.0;
  o.epochs = 1;
  burl_pradot *pradot = fit(&s, &o);
  const float *p = burl_pradot_get_parts(pradot)->prototypes;
  for (size_t c = 0; c < 16 * 5; c++) {
    double mean = 0.0;
    for (size_t image = 0; image < 6; image++)
      mean += (double)s.features[image * 16 * 5 + c] / 6.0;
    assert_near((double)p[c], mean, 1e-5);
  }
  burl_pradot_free(pradot);
  free(s.features);
}

static void global_prototypes_do_not_see_the_layout(void **state) {
  (void)state;
  sample s = sample_of(5, 3, 4, 6, 0.5);
  burl_pradot_options o = small_options();
  o.alpha = 0.0;
  o.batch = 5;
  o.validation = 0.0;
  burl_pradot *before = fit(&s, &o);
  size_t each = 12 * 6;
  for (size_t image = 0; image < 5; image++)
    for (size_t cell = 0; cell < 6; cell++) {
      float *a = s.features + image * each + cell * 6,
            *b = s.features + image * each + (11 - cell) * 6;
      for (size_t t = 0; t < 6; t++) {
        float swap = a[t];
        a[t] = b[t];
        b[t] = swap;
      }
    }
  burl_pradot *after = fit(&s, &o);
  for (size_t i = 0; i < 24 * 6; i++)
    assert_near((double)burl_pradot_get_parts(after)->prototypes[i],
                (double)burl_pradot_get_parts(before)->prototypes[i], 1e-4);
  burl_pradot_free(before);
  burl_pradot_free(after);
  free(s.features);
}

/* On features that are all the same every update goes the same share of the way to them. */
static void constant_features_are_a_fixed_point(void **state) {
  (void)state;
  sample s = sample_of(4, 3, 3, 4, 0.0);
  for (size_t i = 0; i < 4 * 9 * 4; i++)
    s.features[i] = 0.5f + (float)(i % 4);
  burl_pradot_options o = small_options();
  o.validation = 0.0;
  o.alpha = 0.0;
  o.ema = 0.95;
  o.batch = 4;
  o.epochs = 30;
  burl_pradot *pradot = fit(&s, &o);
  const burl_pradot_parts *parts = burl_pradot_get_parts(pradot);
  burl_random random = burl_random_start(o.seed, 1);
  double left = pow(0.95, (double)parts->kept + 1.0);
  for (size_t i = 0; i < 18 * 4; i++) {
    double begin = burl_random_uniform(&random), goal = 0.5 + (double)(i % 4);
    assert_near((double)parts->prototypes[i], goal + left * (begin - goal), 1e-4);
  }
  burl_pradot_free(pradot);
  o.start = BURL_PRADOT_FEATURES;
  o.alpha = 0.3;
  pradot = fit(&s, &o);
  for (size_t i = 0; i < 18 * 4; i++)
    assert_near((double)burl_pradot_get_parts(pradot)->prototypes[i], 0.5 + (double)(i % 4), 1e-4);
  burl_pradot_free(pradot);
  free(s.features);
}

static double *score(const burl_pradot *pradot, uint32_t *nearest, const float *patches,
                     size_t rows, size_t cols) {
  size_t n = rows * cols;
  float *places = floats(2 * n), *map = floats(n);
  double *out = malloc(n * sizeof *out);
  void *scratch = burl_alloc(1, burl_pradot_score_size(pradot, n));
  assert_true(out && scratch);
  burl_pradot_places(places, rows, cols);
  fail_allocation_after(-1);
  burl_pradot_score(pradot, map, nearest, patches, places, n, scratch);
  assert_int_equal(stop_failing(), 0);
  for (size_t i = 0; i < n; i++)
    out[i] = (double)map[i];
  free(places);
  free(map);
  free(scratch);
  return out;
}

static void maps_are_the_least_cost(void **state) {
  (void)state;
  sample s = sample_of(5, 9, 8, 7, 0.5);
  for (int variant = 0; variant < 6; variant++) {
    burl_pradot_options o = small_options();
    o.epochs = 1;
    o.alpha = variant % 2 ? 0.3 : 0.0;
    o.scale = variant / 2 == 1 ? BURL_PRADOT_TRAINING_MAX : BURL_PRADOT_IMAGE_MAX;
    o.times_count = variant / 2 != 2;
    o.per_cell = variant == 3 ? 0.5 : 2.0;
    burl_pradot *pradot = fit(&s, &o);
    const burl_pradot_parts *parts = burl_pradot_get_parts(pradot);
    size_t k = parts->count;
    uint32_t nearest[72];
    double *map = score(pradot, nearest, s.features, 9, 8), *M = malloc(72 * k * sizeof *M);
    double *p = malloc(k * 7 * sizeof *p), *pi = malloc(k * 2 * sizeof *pi);
    float places[144];
    assert_true(M && p && pi);
    for (size_t i = 0; i < k * 7; i++)
      p[i] = (double)parts->prototypes[i];
    for (size_t i = 0; i < k * 2; i++)
      pi[i] = (double)parts->positions[i];
    burl_pradot_places(places, 9, 8);
    int fixed = o.scale == BURL_PRADOT_TRAINING_MAX;
    ref_pradot_costs(M, s.features, places, 72, p, pi, k, 7, o.alpha,
                     fixed ? parts->feature_max : 0.0, fixed ? parts->place_max : 0.0);
    double times = o.times_count ? (double)k : 1.0;
    for (size_t i = 0; i < 72; i++) {
      double least = M[i * k];
      for (size_t j = 1; j < k; j++)
        least = fmin(least, M[i * k + j]);
      assert_near(map[i], times * least, times * 2e-6);
      assert_true(nearest[i] < k);
      assert_near(M[i * k + nearest[i]], least, 2e-6);
    }
    burl_pradot_free(pradot);
    free(map);
    free(M);
    free(p);
    free(pi);
  }
  free(s.features);
}

/* The mean of the map of a good image, and of it with two quadrants swapped. */
static double rise_by_swapping(double alpha) {
  sample s = sample_of(9, 6, 6, 16, 0.2);
  burl_pradot_options o = small_options();
  o.alpha = alpha;
  o.epochs = 12;
  sample good = s;
  good.images = 8;
  burl_pradot *pradot = fit(&good, &o);
  float *last = s.features + 8 * 36 * 16, moved[36 * 16];
  double *before = score(pradot, NULL, last, 6, 6), means[2] = {0};
  for (size_t c = 0; c < 36; c++) {
    size_t y = c / 6, x = c % 6;
    int turned = (y < 3) == (x < 3);
    size_t from = turned ? (y + 3) % 6 * 6 + (x + 3) % 6 : c;
    memcpy(moved + c * 16, last + from * 16, 16 * sizeof *moved);
  }
  double *after = score(pradot, NULL, moved, 6, 6);
  for (size_t c = 0; c < 36; c++) {
    means[0] += before[c];
    means[1] += after[c];
  }
  free(before);
  free(after);
  burl_pradot_free(pradot);
  free(s.features);
  return means[1] / means[0];
}

static void only_local_prototypes_see_swapped_quadrants(void **state) {
  (void)state;
  assert_near(rise_by_swapping(0.0), 1.0, 1e-5);
  assert_true(rise_by_swapping(0.3) > 1.5);
}

static void the_loss_falls(void **state) {
  (void)state;
  sample s = sample_of(8, 4, 4, 12, 0.3);
  burl_pradot_options o = small_options();
  o.ema = 0.95;
  o.epochs = 20;
  for (int local = 0; local < 2; local++) {
    o.alpha = local ? 0.3 : 0.0;
    burl_pradot *pradot = fit(&s, &o);
    const burl_pradot_parts *parts = burl_pradot_get_parts(pradot);
    assert_true(parts->losses[19] < 0.8 * parts->losses[0]);
    assert_true(parts->kept > 10);
    burl_pradot_free(pradot);
  }
  free(s.features);
}

/* Several blocks of rows and of columns. */
static void threads_do_not_change_a_byte(void **state) {
  (void)state;
  sample s = sample_of(8, 9, 9, 12, 0.4);
  burl_pradot_options o = small_options();
  o.batch = 6;
  o.epochs = 2;
  for (int half = 0; half < 2; half++) {
    o.store = half ? BURL_PRADOT_STORE_HALF : BURL_PRADOT_STORE_FLOAT;
    o.threads = 1;
    burl_pradot *one = fit(&s, &o);
    const burl_pradot_parts *a = burl_pradot_get_parts(one);
    for (o.threads = 2; o.threads < 4; o.threads++) {
      burl_pradot *more = fit(&s, &o);
      const burl_pradot_parts *b = burl_pradot_get_parts(more);
      assert_memory_equal(a->prototypes, b->prototypes, a->count * a->d * sizeof(float));
      assert_memory_equal(a->losses, b->losses, a->epochs * sizeof(double));
      assert_memory_equal(&a->feature_max, &b->feature_max, sizeof(double));
      burl_pradot_free(more);
    }
    burl_pradot_free(one);
  }
  free(s.features);
}

static void zero_patches_cost_one(void **state) {
  (void)state;
  sample s = sample_of(5, 3, 3, 4, 0.3);
  memset(s.features, 0, 4 * sizeof *s.features);
  burl_pradot_options o = small_options();
  o.alpha = 0.0;
  compare_with_twin(&s, &o, 1e-4);
  burl_pradot *pradot = fit(&s, &o);
  double *map = score(pradot, NULL, s.features, 3, 3);
  assert_near(map[0], 18.0, 1e-4); /* the largest of the image */
  free(map);
  s.features[5] = NAN;
  map = score(pradot, NULL, s.features, 3, 3);
  assert_true(isnan(map[1]) && map[0] > 17.9 && isfinite(map[2]));
  free(map);
  burl_pradot_free(pradot);
  memset(s.features, 0, 5 * 9 * 4 * sizeof *s.features);
  compare_with_twin(&s, &o, 1e-4);
  free(s.features);
}

typedef struct watch {
  size_t steps, problems;
} watch;

static void count_step(void *context, const char *stage, size_t done, size_t total) {
  watch *w = context;
  assert_string_equal(stage, "learning prototypes");
  w->steps++;
  assert_true(done == w->steps && done <= total);
}

static void count_problem(void *context, const burl_diag *diag) {
  watch *w = context;
  assert_true(diag->reason[0] != '\0');
  w->problems++;
}

static void observers_are_told(void **state) {
  (void)state;
  sample s = sample_of(7, 3, 3, 4, 0.3);
  watch w = {0};
  burl_observer observer = {&w, count_step, count_problem};
  burl_pradot_options o = small_options();
  burl_pradot *pradot = NULL;
  assert_int_equal(burl_pradot_fit(&pradot, s.features, 7, 3, 3, 4, &o, &observer, NULL), BURL_OK);
  burl_pradot_free(pradot);
  assert_true(w.steps == 4 && w.problems == 0);
  w = (watch){0};
  o.drop_last = 1;
  o.batch = 64;
  assert_int_equal(burl_pradot_fit(&pradot, s.features, 7, 3, 3, 4, &o, &observer, NULL), BURL_OK);
  burl_random random = burl_random_start(o.seed, 1);
  for (size_t i = 0; i < 18 * 4; i++)
    assert_near((double)burl_pradot_get_parts(pradot)->prototypes[i], burl_random_uniform(&random),
                1e-6);
  burl_pradot_free(pradot);
  assert_true(w.steps == 0 && w.problems == 1);
  free(s.features);
}

static void objects_come_back_from_their_parts(void **state) {
  (void)state;
  sample s = sample_of(5, 4, 4, 6, 0.3);
  burl_pradot_options o = small_options();
  burl_pradot *made = fit(&s, &o), *copy = NULL, *bad = NULL;
  const burl_pradot_parts *parts = burl_pradot_get_parts(made);
  assert_int_equal(burl_pradot_new(&copy, parts), BURL_OK);
  double *a = score(made, NULL, s.features, 4, 4), *b = score(copy, NULL, s.features, 4, 4);
  assert_memory_equal(a, b, 16 * sizeof *a);
  assert_true(burl_pradot_get_parts(copy)->kept == parts->kept);
  assert_true(parts->feature_max > 0.0 && fabs(parts->place_max - sqrt(2.0)) < 1e-9);
  burl_pradot_parts wrong[9];
  for (size_t k = 0; k < 9; k++)
    wrong[k] = *parts;
  float spoilt[32 * 6];
  memcpy(spoilt, parts->prototypes, sizeof spoilt);
  spoilt[7] = INFINITY;
  wrong[0].count = 0;
  wrong[1].d = 0;
  wrong[2].alpha = 1.5;
  wrong[3].kept = parts->epochs;
  wrong[4].feature_max = -1.0;
  wrong[5].prototypes = NULL;
  wrong[6].count = (size_t)1 << 60;
  wrong[7].prototypes = spoilt;
  wrong[8].place_max = (double)NAN;
  const burl_status status[9] = {BURL_ERR_ARGUMENT, BURL_ERR_ARGUMENT, BURL_ERR_ARGUMENT,
                                 BURL_ERR_ARGUMENT, BURL_ERR_ARGUMENT, BURL_ERR_ARGUMENT,
                                 BURL_ERR_SIZE,     BURL_ERR_NUMERIC,  BURL_ERR_NUMERIC};
  for (size_t k = 0; k < 9; k++)
    assert_int_equal(burl_pradot_new(&bad, &wrong[k]), status[k]);
  assert_null(bad);
  assert_int_equal(burl_pradot_score_size(made, SIZE_MAX / 4), 0);
  burl_pradot_free(NULL);
  burl_pradot_free(made);
  burl_pradot_free(copy);
  free(a);
  free(b);
  free(s.features);
}

static void refuse(const sample *s, const burl_pradot_options *o, burl_status wanted) {
  burl_pradot *pradot = NULL;
  burl_diag diag = {0};
  assert_int_equal(
      burl_pradot_fit(&pradot, s->features, s->images, s->rows, s->cols, s->d, o, NULL, &diag),
      wanted);
  assert_null(pradot);
  assert_int_equal(diag.status, wanted);
  assert_true(diag.reason[0] != '\0');
}

static void refuses_bad_options(void **state) {
  (void)state;
  sample s = sample_of(3, 3, 3, 4, 0.3);
  burl_pradot_options wrong[18];
  for (size_t k = 0; k < 18; k++)
    wrong[k] = small_options();
  wrong[0].per_cell = 0.0;
  wrong[1].per_cell = 1.5;
  wrong[2].per_cell = (double)NAN;
  wrong[3].alpha = -0.1;
  wrong[4].alpha = 1.1;
  wrong[5].eps = 0.0;
  wrong[6].eps = (double)INFINITY;
  wrong[7].sweeps = 0;
  wrong[8].tolerance = -1.0;
  wrong[9].ema = 1.1;
  wrong[10].batch = 0;
  wrong[11].epochs = 0;
  wrong[12].validation = 1.0;
  wrong[13].threads = 0;
  wrong[14].divisor = (burl_pradot_divisor)7;
  wrong[15].store = (burl_pradot_store)7;
  wrong[16].start = (burl_pradot_start)7;
  wrong[17].per_cell = 0.1;
  for (size_t k = 0; k < 18; k++)
    refuse(&s, &wrong[k], BURL_ERR_ARGUMENT);
  free(s.features);
}

static void refuses_bad_features(void **state) {
  (void)state;
  sample s = sample_of(3, 3, 3, 4, 0.3);
  burl_pradot_options o = small_options();
  sample none = s;
  none.images = 0;
  refuse(&none, &o, BURL_ERR_DATA);
  none = s;
  none.rows = 0;
  refuse(&none, &o, BURL_ERR_DATA);
  none = s;
  none.d = SIZE_MAX / 2;
  refuse(&none, &o, BURL_ERR_SIZE);
  none = s;
  none.rows = none.cols = SIZE_MAX / 2;
  refuse(&none, &o, BURL_ERR_SIZE);
  s.features[60] = NAN;
  refuse(&s, &o, BURL_ERR_NUMERIC);
  s.features[60] = -INFINITY;
  refuse(&s, &o, BURL_ERR_NUMERIC);
  free(s.features);
}

static void survives_failing_allocations(void **state) {
  (void)state;
  sample s = sample_of(3, 2, 2, 3, 0.3);
  burl_pradot_options o = small_options();
  o.epochs = 1;
  for (long i = 0;; i++) {
    burl_pradot *pradot = NULL;
    fail_allocation_after(i);
    burl_status status = burl_pradot_fit(&pradot, s.features, 3, 2, 2, 3, &o, NULL, NULL);
    stop_failing();
    if (status == BURL_OK) {
      burl_pradot_free(pradot);
      assert_true(i >= 6);
      break;
    }
    assert_int_equal(status, BURL_ERR_MEMORY);
    assert_null(pradot);
  }
  free(s.features);
}

int main(void) {
  burl_blas_set_threads(1);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(fits_as_its_twin),
      cmocka_unit_test(every_option_fits_as_its_twin),
      cmocka_unit_test(fits_as_its_twin_in_16_bits),
      cmocka_unit_test(alone_the_place_learns_means_by_cell),
      cmocka_unit_test(global_prototypes_do_not_see_the_layout),
      cmocka_unit_test(constant_features_are_a_fixed_point),
      cmocka_unit_test(maps_are_the_least_cost),
      cmocka_unit_test(only_local_prototypes_see_swapped_quadrants),
      cmocka_unit_test(the_loss_falls),
      cmocka_unit_test(threads_do_not_change_a_byte),
      cmocka_unit_test(zero_patches_cost_one),
      cmocka_unit_test(observers_are_told),
      cmocka_unit_test(objects_come_back_from_their_parts),
      cmocka_unit_test(refuses_bad_options),
      cmocka_unit_test(refuses_bad_features),
      cmocka_unit_test(survives_failing_allocations),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
