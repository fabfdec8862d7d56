/* Updating: what is kept, what is gained, what is refused, and that the same comes out again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "cloth_tree.h"
#include "failing.h"
#include "prototype/bank_update.h"
#include "prototype/renewal.h"
#include <math.h>

enum { SIDE = 64, IMAGES = 6, DIM = 3, POINTS = 600, FIRST = 12 };

static tree shared;

static int set_up(void **state) {
  burl_blas_set_threads(1);
  tree_make(&shared);
  cloth_fill(&shared, "good", IMAGES, SIDE, SIDE);
  burl_model *model = cloth_fit(&shared, "good", 1);
  if (burl_model_save(model, tree_path(&shared, "fitted.burl"), NULL) != BURL_OK) return 1;
  burl_model_free(model);
  for (uint64_t i = 0; i < 4; i++) {
    char name[64];
    snprintf(name, sizeof name, "fresh/%zu.png", (size_t)i);
    cloth_put_good(&shared, name, SIDE, SIDE, 50 + i);
  }
  *state = &shared;
  return 0;
}

static int tear_down(void **state) {
  tree_remove(*state);
  return 0;
}

static burl_model *fitted(const tree *t) {
  burl_model *model = NULL;
  assert_int_equal(burl_model_load(&model, tree_path(t, "fitted.burl"), NULL), BURL_OK);
  return model;
}

static burl_status update_with(burl_model *model, tree *t, const char *folder, int threads,
                               int force, burl_diag *diag) {
  burl_dataset *dataset = tree_load(t, folder);
  burl_update_options options = burl_update_default_options();
  options.threads = threads;
  options.force = force;
  burl_status status = burl_model_update(model, NULL, dataset, &options, NULL, diag);
  burl_dataset_free(dataset);
  return status;
}

static burl_model *updated(tree *t, const char *folder, int threads) {
  burl_model *model = fitted(t);
  burl_diag diag = {0};
  if (update_with(model, t, folder, threads, 0, &diag) != BURL_OK) fail_msg("%s", diag.reason);
  return model;
}

static void test_counts_and_sizes(void **state) {
  tree *t = *state;
  burl_model_info before, after;
  burl_model *model = fitted(t);
  burl_model_get_info(model, &before);
  assert_int_equal(before.updates, 0);
  burl_model *other = updated(t, "fresh", 1);
  burl_model_get_info(other, &after);
  assert_int_equal(after.updates, 1);
  assert_int_equal(after.images, IMAGES + 4);
  assert_int_equal(after.calibration_images, before.calibration_images + 4);
  assert_true(after.data_checksum != before.data_checksum);
  assert_true(after.threshold > after.typical);
  assert_true(after.options.bank.seed == before.options.bank.seed);
  assert_non_null(strstr(burl_model_get_json(other), "\"updates\": 1"));
  for (size_t g = 0; g < before.groups; g++) {
    burl_model_group old, now;
    burl_model_get_group(model, g, &old);
    burl_model_get_group(other, g, &now);
    assert_int_equal(old.prototypes, now.prototypes);
  }
  assert_int_equal(update_with(other, t, "fresh", 1, 0, NULL), BURL_OK);
  burl_model_get_info(other, &after);
  assert_int_equal(after.updates, 2);
  burl_model_free(model);
  burl_model_free(other);
}

/* Saved, loaded and updated is updated; for any number of threads. */
static void test_same_bytes_again(void **state) {
  tree *t = *state;
  size_t size, again;
  burl_model *model = updated(t, "fresh", 1);
  unsigned char *expected = model_bytes(t, model, &size);
  burl_model_free(model);
  for (int threads = 1; threads <= 3; threads++) {
    model = threads == 2 ? cloth_fit(t, "good", 1) : fitted(t);
    assert_int_equal(update_with(model, t, "fresh", threads, 0, NULL), BURL_OK);
    unsigned char *bytes = model_bytes(t, model, &again);
    assert_int_equal(again, size);
    assert_memory_equal(bytes, expected, size);
    free(bytes);
    burl_model_free(model);
  }
  free(expected);
}

static double mean_heat(const burl_model *model, const burl_image *image) {
  double score, mean = 0.0;
  float *heat = cloth_score(model, image, 1, &score);
  for (size_t i = 0; i < image->height * image->width; i++)
    mean += (double)heat[i] / (double)(image->height * image->width);
  free(heat);
  return mean;
}

/* A defect that stood out does so afterwards, good cloth is as it was. */
static void test_same_images_change_little(void **state) {
  tree *t = *state;
  burl_model *before = fitted(t), *after = updated(t, "good", 1);
  double old_score, new_score;
  burl_image good = cloth_draw(SIDE, SIDE, BURL_DEFECT_NONE, 200);
  burl_image bad = cloth_draw(SIDE, SIDE, BURL_DEFECT_HOLE, 201);
  free(cloth_score(before, &bad, 1, &old_score));
  free(cloth_score(after, &bad, 1, &new_score));
  assert_true(old_score > 1.0);
  assert_true(new_score > 0.8 * old_score);
  assert_true(fabs(mean_heat(before, &good) - mean_heat(after, &good)) < 0.1);
  burl_image_free(&good);
  burl_image_free(&bad);
  burl_model_free(before);
  burl_model_free(after);
}

static void test_defective_image_is_refused(void **state) {
  tree *t = *state;
  burl_model_info info;
  burl_diag diag = {0};
  size_t size, again;
  burl_image image = cloth_draw(SIDE, SIDE, BURL_DEFECT_HOLE, 201);
  for (uint64_t i = 0; i < 3; i++) {
    char name[64];
    snprintf(name, sizeof name, "suspect/%zu.png", (size_t)i);
    cloth_put_good(t, name, SIDE, SIDE, 50 + i);
  }
  cloth_put(t, "suspect/torn.png", &image);
  burl_image_free(&image);
  burl_model *model = fitted(t);
  unsigned char *before = model_bytes(t, model, &size);
  assert_int_equal(update_with(model, t, "suspect", 1, 0, &diag), BURL_ERR_DATA);
  assert_non_null(strstr(diag.reason, "1 of 4 new images looks defective: torn.png (heat "));
  assert_non_null(strstr(diag.hint, "--force"));
  unsigned char *after = model_bytes(t, model, &again);
  assert_int_equal(again, size);
  assert_memory_equal(after, before, size);
  assert_int_equal(update_with(model, t, "suspect", 1, 1, &diag), BURL_OK);
  burl_model_get_info(model, &info);
  assert_int_equal(info.images, IMAGES + 4);
  free(before);
  free(after);
  burl_model_free(model);
}

static void test_other_cloth_is_refused(void **state) {
  tree *t = *state;
  burl_diag diag = {0};
  for (uint64_t i = 0; i < 3; i++) {
    char name[64];
    burl_image image, mask;
    burl_synth_options options = burl_synth_default_options();
    options.weave = BURL_WEAVE_RIB;
    options.height = options.width = SIDE;
    options.index = i;
    assert_int_equal(burl_synth_draw(&image, &mask, &options), BURL_OK);
    snprintf(name, sizeof name, "other/%zu.png", (size_t)i);
    cloth_put(t, name, &image);
    burl_image_free(&image);
    burl_image_free(&mask);
  }
  burl_model *model = fitted(t);
  assert_int_equal(update_with(model, t, "other", 1, 0, &diag), BURL_ERR_DATA);
  assert_non_null(
      strstr(diag.reason, "these images look like another cloth: fit a model of their own"));
  assert_int_equal(update_with(model, t, "other", 1, 1, &diag), BURL_OK);
  burl_image other, mask;
  burl_synth_options options = burl_synth_default_options();
  options.weave = BURL_WEAVE_RIB;
  options.height = options.width = SIDE;
  options.index = 9;
  assert_int_equal(burl_synth_draw(&other, &mask, &options), BURL_OK);
  assert_true(mean_heat(model, &other) < 0.5); /* it knows both now */
  burl_image_free(&other);
  burl_image_free(&mask);
  burl_model_free(model);
}

static void test_what_cannot_be(void **state) {
  tree *t = *state;
  burl_diag diag = {0};
  burl_dataset *dataset = tree_load(t, "good");
  burl_model *model = NULL;
  burl_fit_options options = cloth_options(1);
  options.bank.method = BURL_METHOD_GAUSSIAN;
  assert_int_equal(burl_model_fit(&model, NULL, dataset, &options, NULL, NULL), BURL_OK);
  burl_update_options how = burl_update_default_options();
  assert_int_equal(burl_model_update(model, NULL, dataset, &how, NULL, &diag),
                   BURL_ERR_UNSUPPORTED);
  assert_non_null(strstr(diag.reason, "gaussian"));
  burl_model_free(model);
  model = fitted(t);
  how.threads = 0;
  assert_int_equal(burl_model_update(model, NULL, dataset, &how, NULL, &diag), BURL_ERR_ARGUMENT);
  how.threads = 1;
  how.split = BURL_SPLIT_TEST; /* there are none */
  assert_int_equal(burl_model_update(model, NULL, dataset, &how, NULL, &diag), BURL_ERR_DATA);
  burl_model_free(model);
  burl_dataset_free(dataset);
}

static void test_other_methods(void **state) {
  tree *t = *state;
  const burl_method methods[] = {BURL_METHOD_CORESET, BURL_METHOD_KMEANS};
  for (size_t i = 0; i < 2; i++) {
    burl_dataset *dataset = tree_load(t, "good");
    burl_fit_options options = cloth_options(1);
    options.bank.method = methods[i];
    options.bank.spatial = BURL_SPATIAL_GRID;
    burl_model *model = NULL;
    burl_diag diag = {0};
    burl_model_info info;
    assert_int_equal(burl_model_fit(&model, NULL, dataset, &options, NULL, NULL), BURL_OK);
    burl_dataset_free(dataset);
    if (update_with(model, t, "fresh", 2, 0, &diag) != BURL_OK) fail_msg("%s", diag.reason);
    burl_model_get_info(model, &info);
    assert_int_equal(info.images, IMAGES + 4);
    burl_model_free(model);
  }
}

static void test_failing_allocations(void **state) {
  tree *t = *state;
  size_t size, again;
  burl_model *model = fitted(t);
  unsigned char *before = model_bytes(t, model, &size);
  for (long i = 0; i < 100000; i += 1 + i / 3) {
    burl_dataset *dataset = tree_load(t, "fresh");
    burl_update_options options = burl_update_default_options();
    fail_allocation_after(i);
    burl_status status = burl_model_update(model, NULL, dataset, &options, NULL, NULL);
    stop_failing();
    burl_dataset_free(dataset);
    if (status == BURL_OK) break;
    assert_int_equal(status, BURL_ERR_MEMORY);
    unsigned char *after = model_bytes(t, model, &again);
    assert_int_equal(again, size);
    assert_memory_equal(after, before, size);
    free(after);
  }
  burl_model_info info;
  burl_model_get_info(model, &info);
  assert_int_equal(info.updates, 1);
  free(before);
  burl_model_free(model);
}

/* n points around `centre` in all dimensions. */
static void draw_points(float *points, size_t n, float centre, float spread, uint64_t seed) {
  burl_random random = burl_random_start(seed, 1);
  for (size_t i = 0; i < n * DIM; i++)
    points[i] = centre + spread * (float)burl_random_normal(&random);
}

static burl_bank *first_bank(burl_bank_options *options) {
  static float points[POINTS * DIM];
  burl_bank *bank = NULL;
  *options = burl_bank_default_options();
  options->prototypes = FIRST;
  draw_points(points, POINTS, 0.0f, 1.0f, 1);
  assert_int_equal(burl_bank_fit(&bank, points, NULL, POINTS, DIM, options), BURL_OK);
  return bank;
}

static void test_a_new_mode_is_covered(void **state) {
  (void)state;
  burl_bank_options options;
  burl_bank *old = first_bank(&options), *now = NULL;
  static float fresh[POINTS * DIM], again[POINTS * DIM];
  float before[POINTS], after[POINTS];
  draw_points(fresh, POINTS, 12.0f, 0.5f, 2);
  draw_points(again, POINTS, 0.0f, 1.0f, 1);
  burl_news news = {.patches = fresh, .n = POINTS, .share = 0.3, .known = 1.0};
  assert_int_equal(burl_bank_update(&now, old, &news, &options), BURL_OK);
  assert_int_equal(burl_bank_get_count(now), FIRST);
  double far = 0.0, lost = 0.0, mass = 0.0;
  burl_bank_score(now, after, NULL, fresh, NULL, POINTS);
  for (size_t i = 0; i < POINTS; i++)
    far += (double)after[i] / POINTS;
  assert_true(far < 1.0);
  burl_bank_score(old, before, NULL, again, NULL, POINTS);
  burl_bank_score(now, after, NULL, again, NULL, POINTS);
  for (size_t i = 0; i < POINTS; i++)
    lost += (double)(after[i] - before[i]) / POINTS;
  assert_true(lost < 0.25); /* of distances around 0.5 */
  for (size_t j = 0; j < FIRST; j++)
    mass += (double)burl_bank_get_mass(now)[j];
  assert_true(fabs(mass - 1.0) < 1e-5);
  burl_bank_free(old);
  burl_bank_free(now);
}

static void test_no_news_copies(void **state) {
  (void)state;
  burl_bank_options options;
  burl_bank *old = first_bank(&options), *now = NULL;
  burl_news none = {.known = 1.0};
  assert_int_equal(burl_bank_update(&now, old, &none, &options), BURL_OK);
  assert_memory_equal(burl_bank_get_prototypes(now), burl_bank_get_prototypes(old),
                      FIRST * DIM * sizeof(float));
  assert_memory_equal(burl_bank_get_mass(now), burl_bank_get_mass(old), FIRST * sizeof(float));
  burl_bank_free(now);
  options.method = BURL_METHOD_PRADOT;
  assert_int_equal(burl_bank_update(&now, old, &none, &options), BURL_ERR_ARGUMENT);
  burl_bank_free(old);
}

static double worst_distance(const burl_renewal *r, const float *points, size_t n) {
  double worst = 0.0;
  for (size_t i = 0; i < n; i++) {
    double least = (double)INFINITY;
    for (size_t j = 0; j < r->count; j++) {
      double sum = 0.0;
      for (size_t t = 0; t < DIM; t++)
        sum += pow((double)points[i * DIM + t] - (double)r->prototypes[j * DIM + t], 2.0);
      least = fmin(least, sum);
    }
    worst = fmax(worst, sqrt(least));
  }
  return worst;
}

/* Points, and prototypes where there were enough, are covered no worse than before. */
static void test_renewal_covers_better(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed < 20; seed++) {
    float prototypes[FIRST * DIM], points[POINTS * DIM];
    double mass[FIRST];
    draw_points(prototypes, FIRST, 0.0f, 1.0f, seed);
    draw_points(points, POINTS, 1.0f, 2.0f, 100 + seed);
    for (size_t j = 0; j < FIRST; j++)
      mass[j] = 1.0 / FIRST;
    burl_renewal r = {
        .prototypes = prototypes, .mass = mass, .count = FIRST - 3, .most = FIRST, .d = DIM};
    double before = worst_distance(&r, points, POINTS);
    assert_int_equal(burl_renewal_run(&r, points, POINTS), BURL_OK);
    assert_int_equal(r.count, FIRST);
    assert_true(worst_distance(&r, points, POINTS) < before);
    r.known = before;
    float kept[FIRST * DIM];
    memcpy(kept, prototypes, sizeof kept);
    assert_int_equal(burl_renewal_run(&r, points, POINTS), BURL_OK);
    assert_memory_equal(kept, prototypes, sizeof kept);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_counts_and_sizes),
      cmocka_unit_test(test_same_bytes_again),
      cmocka_unit_test(test_same_images_change_little),
      cmocka_unit_test(test_defective_image_is_refused),
      cmocka_unit_test(test_other_cloth_is_refused),
      cmocka_unit_test(test_what_cannot_be),
      cmocka_unit_test(test_other_methods),
      cmocka_unit_test(test_failing_allocations),
      cmocka_unit_test(test_a_new_mode_is_covered),
      cmocka_unit_test(test_no_news_copies),
      cmocka_unit_test(test_renewal_covers_better),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
