/* Fitting: determinism, what a model says of itself and of defects, bad images, bad options. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cloth_tree.h"
#include "failing.h"
#include <math.h>

enum { SIDE = 96, IMAGES = 6, SMALL = 48 };

typedef struct shop {
  tree tree;
  burl_model *model;
} shop;

static int set_up(void **state) {
  static shop s;
  burl_blas_set_threads(1);
  tree_make(&s.tree);
  cloth_fill(&s.tree, "good", IMAGES, SIDE, SIDE);
  s.model = cloth_fit(&s.tree, "good", 1);
  *state = &s;
  return 0;
}

static int tear_down(void **state) {
  shop *s = *state;
  burl_model_free(s->model);
  tree_remove(&s->tree);
  return 0;
}

static void test_same_bytes_for_any_threads(void **state) {
  shop *s = *state;
  size_t size, again;
  cloth_fill(&s->tree, "three", 3, SMALL, SMALL);
  burl_model *first = cloth_fit(&s->tree, "three", 1);
  unsigned char *expected = model_bytes(&s->tree, first, &size);
  burl_model_free(first);
  for (int threads = 1; threads <= 3; threads++) {
    burl_model *model = cloth_fit(&s->tree, "three", threads);
    unsigned char *bytes = model_bytes(&s->tree, model, &again);
    assert_int_equal(again, size);
    assert_memory_equal(bytes, expected, size);
    free(bytes);
    burl_model_free(model);
  }
  free(expected);
}

static void test_info(void **state) {
  shop *s = *state;
  burl_model_info info;
  burl_fit_options options = cloth_options(1);
  burl_model_get_info(s->model, &info);
  assert_int_equal(info.images, IMAGES);
  assert_int_equal(info.calibration_images, IMAGES);
  assert_string_equal(info.encoder, "texture");
  assert_string_equal(info.burl_version, burl_version());
  assert_true(info.threshold > info.typical);
  assert_true(info.threshold_low <= info.threshold_high);
  assert_int_equal(info.options.bank.prototypes, options.bank.prototypes);
  assert_int_equal(info.options.threads, 0);
  assert_true(info.options.bank.power == options.bank.power &&
              info.options.bank.trim == options.bank.trim);
  assert_true(info.options.false_alarm == options.false_alarm);
  assert_true(info.options.bank.seed == options.bank.seed);
  size_t banks = 0;
  for (size_t g = 0; g < info.groups; g++) {
    burl_model_group group;
    burl_model_get_group(s->model, g, &group);
    assert_non_null(group.name);
    assert_true(group.stride >= 1 && group.dimension >= 1);
    assert_true(group.prototypes <= options.bank.prototypes);
    banks += group.prototypes > 0;
  }
  assert_true(banks + 1 >= info.groups); /* a coarse one may have seen too little */
  assert_non_null(strstr(burl_model_get_json(s->model), "\"threshold\""));
}

/* Seed and data are part of a model. */
static void test_seed_and_data_change_the_model(void **state) {
  shop *s = *state;
  burl_model_info info, other;
  cloth_fill(&s->tree, "three", 3, SMALL, SMALL);
  cloth_fill(&s->tree, "two", 2, SMALL, SMALL);
  burl_model *model = cloth_fit(&s->tree, "three", 1);
  burl_model_get_info(model, &info);
  burl_model_free(model);
  burl_dataset *dataset = tree_load(&s->tree, "three");
  burl_fit_options options = cloth_options(1);
  options.bank.seed = 2;
  assert_int_equal(burl_model_fit(&model, NULL, dataset, &options, NULL, NULL), BURL_OK);
  burl_model_get_info(model, &other);
  assert_true(other.threshold != info.threshold);
  assert_true(other.data_checksum == info.data_checksum);
  burl_model_free(model);
  burl_dataset_free(dataset);
  model = cloth_fit(&s->tree, "two", 1);
  burl_model_get_info(model, &other);
  assert_true(other.data_checksum != info.data_checksum);
  burl_model_free(model);
}

/* Holes and broken picks stand out from cloth that the model has not seen; good heat is around 0.
 */
static void test_defects_score_above_good_cloth(void **state) {
  const shop *s = *state;
  double most = -(double)INFINITY, mean = 0.0, score;
  for (uint64_t i = 0; i < 6; i++) {
    burl_image image = cloth_draw(SIDE, SIDE, BURL_DEFECT_NONE, 100 + i);
    float *heat = cloth_score(s->model, &image, 1, &score);
    float largest = -INFINITY;
    for (size_t p = 0; p < SIDE * SIDE; p++) {
      assert_true(isfinite(heat[p]));
      largest = fmaxf(largest, heat[p]);
      mean += (double)heat[p] / (6.0 * SIDE * SIDE);
    }
    assert_true(score == (double)largest);
    most = fmax(most, score);
    free(heat);
    burl_image_free(&image);
  }
  if (!(fabs(mean) < 0.5)) fail_msg("mean heat of good cloth is %g, largest %g", mean, most);
  static const burl_defect defects[] = {BURL_DEFECT_HOLE, BURL_DEFECT_BROKEN_PICK};
  for (uint64_t i = 0; i < 8; i++) {
    burl_image image = cloth_draw(SIDE, SIDE, defects[i % 2], 200 + i);
    free(cloth_score(s->model, &image, 1, &score));
    if (!(score > most && score > 1.0))
      fail_msg("%s %d scores %g, good cloth up to %g", burl_defect_get_name(defects[i % 2]), (int)i,
               score, most);
    burl_image_free(&image);
  }
}

/* A dark speck gives the largest heat where it is. */
static void test_heat_is_registered(void **state) {
  const shop *s = *state;
  static const size_t places[][2] = {{30, 40}, {61, 75}, {48, 20}, {80, 47}, {17, 66}};
  for (size_t k = 0; k < sizeof places / sizeof *places; k++) {
    burl_image image = cloth_draw(SIDE, SIDE, BURL_DEFECT_NONE, 300 + k);
    unsigned char *pixels = image.data;
    for (size_t p = 0; p < SIDE * SIDE; p++)
      if (hypot((double)(p / SIDE) - (double)places[k][0],
                (double)(p % SIDE) - (double)places[k][1]) <= 4.0)
        pixels[p] = 10;
    double score;
    float *heat = cloth_score(s->model, &image, 1, &score);
    size_t best = 0;
    for (size_t p = 1; p < SIDE * SIDE; p++)
      if (heat[p] > heat[best]) best = p;
    double off = hypot((double)(best / SIDE) - (double)places[k][0],
                       (double)(best % SIDE) - (double)places[k][1]);
    if (!(off <= 6.0)) fail_msg("speck %zu: the largest heat is %g pixels away", k, off);
    free(heat);
    burl_image_free(&image);
  }
}

typedef struct watch {
  size_t steps, problems;
  char told[8][256];
} watch;

static void step(void *context, const char *stage, size_t done, size_t total) {
  watch *w = context;
  assert_true(stage && stage[0] && total >= 1 && done <= total);
  w->steps++;
}

static void problem(void *context, const burl_diag *diag) {
  watch *w = context;
  const char *name = strrchr(diag->path, '/');
  assert_non_null(name);
  assert_true(diag->reason[0] != '\0' && diag->status != BURL_OK);
  if (w->problems < 8) snprintf(w->told[w->problems], sizeof w->told[0], "%s", name + 1);
  w->problems++;
}

static void put_odd_images(shop *s) {
  burl_image flat, small = cloth_draw(40, 40, BURL_DEFECT_NONE, 1);
  assert_int_equal(burl_image_new(&flat, 50, 50, 3, BURL_U8), BURL_OK);
  small.height = 31; /* its first rows */
  cloth_fill(&s->tree, "odd", 5, SMALL, SMALL);
  tree_put(&s->tree, "odd/0a.png", "no image");
  tree_put(&s->tree, "odd/2b.jpg", "");
  cloth_put(&s->tree, "odd/3c.png", &flat);
  cloth_put(&s->tree, "odd/3d.png", &small);
  burl_image_free(&flat);
  burl_image_free(&small);
}

/* What cannot be used is told in order and left out. */
static void test_unusable_images_are_skipped(void **state) {
  shop *s = *state;
  put_odd_images(s);
  cloth_fill(&s->tree, "clean", 5, SMALL, SMALL);
  burl_model_info info, clean_info;
  burl_model *clean = cloth_fit(&s->tree, "clean", 1);
  burl_model_get_info(clean, &clean_info);
  burl_dataset *dataset = tree_load(&s->tree, "odd");
  static const char *const names[] = {"0a.png", "2b.jpg", "3c.png", "3d.png"};
  unsigned char *bytes[2];
  size_t size[2];
  for (int i = 0; i < 2; i++) {
    watch w = {0};
    burl_observer observer = {&w, step, problem};
    burl_fit_options options = cloth_options(1 + 2 * i);
    size_t skipped = 99;
    burl_model *model;
    assert_int_equal(burl_model_fit(&model, &skipped, dataset, &options, &observer, NULL), BURL_OK);
    assert_int_equal(skipped, 4);
    assert_int_equal(w.problems, 4);
    assert_true(w.steps > 0);
    for (size_t k = 0; k < 4; k++)
      assert_string_equal(w.told[k], names[k]);
    burl_model_get_info(model, &info);
    assert_int_equal(info.images, 5);
    assert_true(info.data_checksum == clean_info.data_checksum);
    bytes[i] = model_bytes(&s->tree, model, &size[i]);
    burl_model_free(model);
  }
  assert_int_equal(size[0], size[1]);
  assert_memory_equal(bytes[0], bytes[1], size[0]);
  free(bytes[0]);
  free(bytes[1]);
  burl_dataset_free(dataset);
  burl_model_free(clean);
}

static burl_model *fit_cleaned(const burl_dataset *dataset, double outliers, double clean,
                               int threads) {
  burl_fit_options options = cloth_options(threads);
  options.bank.outliers = outliers;
  options.bank.clean = clean;
  burl_model *model = NULL;
  assert_int_equal(burl_model_fit(&model, NULL, dataset, &options, NULL, NULL), BURL_OK);
  return model;
}

/* A defective image among good ones is set aside by name, the same for any threads, and its defect
 * is plainer to the model than to one that learned it. */
static void test_defect_among_good_images(void **state) {
  shop *s = *state;
  enum { GOOD = 12 };
  cloth_fill(&s->tree, "dirty", GOOD, SIDE, SIDE);
  burl_image hole = cloth_draw(SIDE, SIDE, BURL_DEFECT_HOLE, 5);
  cloth_put(&s->tree, "dirty/5x.png", &hole);
  burl_dataset *dataset = tree_load(&s->tree, "dirty");
  burl_model *taken = fit_cleaned(dataset, 0.0, 0.0, 2);
  burl_model *one = fit_cleaned(dataset, 0.02, 2.5, 1), *two = fit_cleaned(dataset, 0.02, 2.5, 2);
  assert_string_equal(burl_model_get_json(one), burl_model_get_json(two));
  burl_model_info info;
  burl_model_get_info(taken, &info);
  assert_int_equal(info.aside, 0);
  burl_model_get_info(one, &info);
  assert_int_equal(info.images, GOOD + 1);
  assert_int_equal(info.aside, 1);
  assert_int_equal(info.calibration_images, GOOD);
  assert_non_null(strstr(burl_model_get_aside(one, 0), "5x"));
  double known, unknown;
  free(cloth_score(taken, &hole, 1, &known));
  free(cloth_score(one, &hole, 1, &unknown));
  assert_true(unknown > 1.0 && unknown > known);
  burl_image_free(&hole);
  burl_dataset_free(dataset);
  burl_model_free(taken);
  burl_model_free(one);
  burl_model_free(two);
}

static void refuse(tree *t, const char *name, const burl_fit_options *options, burl_status expected,
                   const char *part) {
  burl_dataset *dataset = tree_load(t, name);
  burl_model *model = NULL;
  burl_diag diag = {0};
  size_t skipped = 99;
  burl_status status = burl_model_fit(&model, &skipped, dataset, options, NULL, &diag);
  assert_int_equal(skipped, 99);
  if (status != expected || diag.status != expected || !strstr(diag.reason, part))
    fail_msg("%s: %s: %s", name, burl_status_get_name(status), diag.reason);
  assert_null(model);
  burl_dataset_free(dataset);
}

static void test_too_few_images(void **state) {
  shop *s = *state;
  burl_fit_options options = cloth_options(1);
  burl_image flat;
  assert_int_equal(burl_image_new(&flat, 64, 64, 1, BURL_U8), BURL_OK);
  cloth_fill(&s->tree, "one", 1, SIDE, SIDE);
  refuse(&s->tree, "one", &options, BURL_ERR_DATA, "1 of 1");
  tree_put(&s->tree, "one/broken.png", "?");
  cloth_put(&s->tree, "one/flat.png", &flat);
  refuse(&s->tree, "one", &options, BURL_ERR_DATA, "1 of 3");
  cloth_put(&s->tree, "flat/a.png", &flat);
  cloth_put(&s->tree, "flat/b.png", &flat);
  refuse(&s->tree, "flat", &options, BURL_ERR_DATA, "0 of 2");
  cloth_put_good(&s->tree, "test/test/good/a.png", SIDE, SIDE, 0); /* nothing to train on */
  refuse(&s->tree, "test", &options, BURL_ERR_DATA, "0 of 0");
  burl_image_free(&flat);
}

static void test_options_out_of_range(void **state) {
  shop *s = *state;
  burl_fit_options bad[20];
  static const char *const parts[] = {
      "prototypes", "prototypes", "power",       "power",       "power",   "trim",   "trim",
      "spatial",    "spatial",    "false alarm", "false alarm", "threads", "threads"};
  for (size_t i = 0; i < 20; i++)
    bad[i] = cloth_options(1);
  bad[0].bank.prototypes = 0;
  bad[1].bank.prototypes = 65537;
  bad[2].bank.power = 0.5;
  bad[3].bank.power = 17.0;
  bad[4].bank.power = (double)NAN;
  bad[5].bank.trim = -0.1;
  bad[6].bank.trim = 0.6;
  bad[7].bank.spatial_weight = -0.1;
  bad[8].bank.spatial_weight = 1.0;
  bad[9].false_alarm = 0.0;
  bad[10].false_alarm = (double)NAN;
  bad[11].threads = 0;
  bad[12].threads = 257;
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    refuse(&s->tree, "good", &bad[i], BURL_ERR_ARGUMENT, parts[i]);
}

/* Two images of 32 pixels a side are the least; positions may count; any power will do. */
static void test_smallest_sets(void **state) {
  shop *s = *state;
  cloth_fill(&s->tree, "tiny", 2, 32, 37);
  burl_dataset *dataset = tree_load(&s->tree, "tiny");
  burl_image image = cloth_draw(45, 33, BURL_DEFECT_NONE, 9);
  static const double powers[] = {1.0, 2.0, 16.0};
  for (size_t i = 0; i < 6; i++) {
    burl_fit_options options = cloth_options(1);
    options.bank.power = powers[i % 3];
    options.bank.spatial = i < 3 ? BURL_SPATIAL_NONE : BURL_SPATIAL_GRID;
    burl_model *model = NULL;
    burl_diag diag = {0};
    burl_status status = burl_model_fit(&model, NULL, dataset, &options, NULL, &diag);
    if (status != BURL_OK) fail_msg("power %g: %s", options.bank.power, diag.reason);
    double score;
    free(cloth_score(model, &image, 1, &score));
    assert_true(isfinite(score));
    burl_model_free(model);
  }
  burl_image_free(&image);
  burl_dataset_free(dataset);
}

/* Images of several sizes, one of them large enough for groups that the others do not have. */
static void test_mixed_sizes(void **state) {
  shop *s = *state;
  cloth_put_good(&s->tree, "mixed/a.png", 40, 60, 1);
  cloth_put_good(&s->tree, "mixed/b.png", 200, 33, 2);
  cloth_put_good(&s->tree, "mixed/c.png", 130, 150, 3);
  cloth_put_good(&s->tree, "mixed/d.png", 36, 36, 4);
  burl_model *model = cloth_fit(&s->tree, "mixed", 2);
  burl_image image = cloth_draw(150, 140, BURL_DEFECT_NONE, 9);
  double score;
  float *heat = cloth_score(model, &image, 1, &score), mean = 0.0f;
  for (size_t i = 0; i < 150 * 140; i++)
    mean += heat[i] / (150 * 140);
  assert_true(isfinite(score));
  if (!(fabsf(mean) < 1.0f)) fail_msg("mean heat of good cloth is %g", (double)mean);
  free(heat);
  burl_image_free(&image);
  burl_model_free(model);
}

/* Allocations that fail, the first ones one by one and then some of the many. The diagnosis is that
 * of the failure, not that of an image that is only left out. */
/* The coarse levels fit into one image only: they are never held out, and so are left out. */
static void test_group_seen_in_one_fold(void **state) {
  (void)state;
  tree t;
  tree_make(&t);
  cloth_fill(&t, "set", 9, 40, 40);
  cloth_put_good(&t, "set/large.png", 400, 400, 50);
  burl_model *model = cloth_fit(&t, "set", 2), *loaded = NULL;
  burl_model_group coarse;
  burl_model_get_group(model, 3, &coarse);
  assert_string_equal(coarse.name, "level3");
  assert_int_equal(coarse.prototypes, 0);
  const char *path = tree_path(&t, "model.burl");
  assert_int_equal(burl_model_save(model, path, NULL), BURL_OK);
  assert_int_equal(burl_model_load(&loaded, path, NULL), BURL_OK);
  burl_image image = cloth_draw(400, 400, BURL_DEFECT_NONE, 51);
  double score;
  float *before = cloth_score(model, &image, 1, &score);
  float *after = cloth_score(loaded, &image, 1, &score);
  assert_memory_equal(before, after, 400 * 400 * sizeof *before);
  free(before);
  free(after);
  burl_image_free(&image);
  burl_model_free(loaded);
  burl_model_free(model);
  tree_remove(&t);
}

static void test_without_memory(void **state) {
  shop *s = *state;
  cloth_fill(&s->tree, "less", 2, 32, 37);
  tree_put(&s->tree, "less/!.png", "no image");
  burl_dataset *dataset = tree_load(&s->tree, "less");
  burl_fit_options options = cloth_options(1);
  options.bank.prototypes = 2;
  size_t failures = 0;
  for (long i = 0;; i += i < 32 ? 1 : 19) {
    burl_model *model = NULL;
    burl_diag diag = {0};
    fail_allocation_after(i);
    burl_status status = burl_model_fit(&model, NULL, dataset, &options, NULL, &diag);
    long made = stop_failing();
    if (status == BURL_OK) {
      burl_model_free(model);
      if (made <= i) break;
      continue; /* a look at a header that is done without */
    }
    if (status != BURL_ERR_MEMORY || diag.status != BURL_ERR_MEMORY)
      fail_msg("allocation %ld: %s, %s: %s", i, burl_status_get_name(status),
               burl_status_get_name(diag.status), diag.reason);
    assert_null(model);
    failures++;
  }
  assert_true(failures > 25);
  burl_dataset_free(dataset);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_same_bytes_for_any_threads),
      cmocka_unit_test(test_info),
      cmocka_unit_test(test_seed_and_data_change_the_model),
      cmocka_unit_test(test_defects_score_above_good_cloth),
      cmocka_unit_test(test_heat_is_registered),
      cmocka_unit_test(test_unusable_images_are_skipped),
      cmocka_unit_test(test_defect_among_good_images),
      cmocka_unit_test(test_too_few_images),
      cmocka_unit_test(test_options_out_of_range),
      cmocka_unit_test(test_smallest_sets),
      cmocka_unit_test(test_mixed_sizes),
      cmocka_unit_test(test_group_seen_in_one_fold),
      cmocka_unit_test(test_without_memory),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
