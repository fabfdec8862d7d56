/* Choosing positions: printed cloth, plain weave, panels; the same for any threads; bad input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cloth_tree.h"
#include "failing.h"
#include <burl/select.h>

#include <math.h>

enum { SIDE = 160, PRINTED = 192, REPEAT = 56, IMAGES = 12 };

typedef struct shop {
  tree tree;
} shop;

static void put_image(const tree *t, const char *folder, size_t index, const burl_image *image) {
  char name[64];
  snprintf(name, sizeof name, "%s/%02zu.png", folder, index);
  cloth_put(t, name, image);
}

static void fill_printed(const tree *t, const char *folder, size_t count) {
  for (size_t i = 0; i < count; i++) {
    burl_image image, mask;
    burl_synth_options options = burl_synth_default_options();
    options.print = BURL_PRINT_DOTS;
    options.repeat = REPEAT;
    options.height = options.width = PRINTED;
    options.seed = 3;
    options.index = i;
    assert_int_equal(burl_synth_draw(&image, &mask, &options), BURL_OK);
    put_image(t, folder, i, &image);
    burl_image_free(&image);
    burl_image_free(&mask);
  }
}

/* Brighter and darker squares of many sizes, always at the same place of the cloth. */
static void fill_panels(const tree *t, const char *folder, size_t count) {
  for (size_t i = 0; i < count; i++) {
    burl_image image = cloth_draw(SIDE, SIDE, BURL_DEFECT_NONE, i);
    for (size_t k = 0; k < SIDE * SIDE; k++) {
      size_t y = k / SIDE, x = k % SIDE;
      int inked = (x * x / 900 + y * (y + 31) / 1300) % 2 == 0;
      uint8_t *pixel = (uint8_t *)image.data + k;
      *pixel = (uint8_t)(*pixel * (inked ? 9 : 5) / 10);
    }
    put_image(t, folder, i, &image);
    burl_image_free(&image);
  }
}

static int set_up(void **state) {
  static shop s;
  burl_blas_set_threads(1);
  tree_make(&s.tree);
  fill_printed(&s.tree, "printed", IMAGES);
  fill_panels(&s.tree, "panels", IMAGES);
  cloth_fill(&s.tree, "plain", IMAGES, SIDE, SIDE);
  *state = &s;
  return 0;
}

static int tear_down(void **state) {
  shop *s = *state;
  tree_remove(&s->tree);
  return 0;
}

static burl_fit_options quick(int threads) {
  burl_fit_options options = cloth_options(threads);
  options.bank.prototypes = 64;
  options.bank.steps = 1;
  options.bank.outliers = options.bank.clean = 0.0;
  options.bank.spatial = BURL_SPATIAL_AUTO;
  return options;
}

static burl_status choose(burl_select_report *report, tree *t, const char *folder,
                          const burl_fit_options *options, burl_diag *diag) {
  burl_dataset *dataset = tree_load(t, folder);
  burl_spatial chosen = BURL_SPATIAL_COUNT;
  *report = (burl_select_report){.chosen = BURL_SPATIAL_COUNT};
  burl_status status = burl_select_spatial(&chosen, report, dataset, options, NULL, diag);
  assert_int_equal(chosen, report->chosen);
  burl_dataset_free(dataset);
  return status;
}

static void check_text(const burl_select_report *report) {
  const char *name = burl_spatial_get_name(report->chosen);
  assert_int_equal(strncmp(report->text, name, strlen(name)), 0);
  assert_true(strlen(report->text) + 1 < sizeof report->text);
}

static void test_printed_cloth(void **state) {
  shop *s = *state;
  burl_select_report one, two;
  for (int threads = 1; threads <= 2; threads++) {
    burl_fit_options options = quick(threads);
    assert_int_equal(choose(threads == 1 ? &one : &two, &s->tree, "printed", &options, NULL),
                     BURL_OK);
  }
  assert_memory_equal(&one, &two, sizeof one);
  check_text(&one);
  assert_int_equal(one.chosen, BURL_SPATIAL_PERIODIC);
  assert_int_equal(one.repeats, 2);
  assert_int_equal(one.images, IMAGES);
  assert_int_equal(one.held_out, IMAGES / 4);
  assert_int_equal(one.trials, 2);
  assert_true(one.trial[1].ap_gain >= 0.02);
  for (size_t k = 0; k < BURL_SELECT_PUTS; k++)
    assert_true(one.trial[0].ap[k] > 0.0 && one.trial[1].ap[k] <= 1.0);
}

static void test_panels(void **state) {
  shop *s = *state;
  burl_select_report report;
  burl_fit_options options = quick(2);
  options.bank.prototypes = 24;
  assert_int_equal(choose(&report, &s->tree, "panels", &options, NULL), BURL_OK);
  check_text(&report);
  assert_true(report.registration > 0.5);
  assert_int_equal(report.chosen, BURL_SPATIAL_GRID);
}

static void test_plain_weave(void **state) {
  shop *s = *state;
  burl_select_report report;
  burl_fit_options options = quick(1);
  assert_int_equal(choose(&report, &s->tree, "plain", &options, NULL), BURL_OK);
  check_text(&report);
  assert_int_equal(report.chosen, BURL_SPATIAL_NONE);
  assert_int_equal(report.repeats, 0);
  assert_int_equal(report.trials, 0);
  assert_true(fabs(report.registration) < 0.1);
}

static void test_few_images(void **state) {
  shop *s = *state;
  burl_select_report report;
  burl_fit_options options = quick(1);
  fill_printed(&s->tree, "seven", 7);
  assert_int_equal(choose(&report, &s->tree, "seven", &options, NULL), BURL_OK);
  check_text(&report);
  assert_int_equal(report.chosen, BURL_SPATIAL_NONE);
  assert_int_equal(report.images, 7);
}

/* Images that cannot be read, are flat or too small are passed over. */
static void test_bad_images(void **state) {
  shop *s = *state;
  burl_select_report report;
  burl_fit_options options = quick(2);
  options.bank.prototypes = 4;
  options.bank.steps = 0;
  fill_printed(&s->tree, "worn", 8);
  tree_put(&s->tree, "worn/00a.png", "no image");
  tree_put(&s->tree, "worn/09a.png", "no image");
  burl_image small = {0};
  assert_int_equal(burl_image_new(&small, 31, 40, 1, BURL_U8), BURL_OK);
  put_image(&s->tree, "worn", 99, &small);
  burl_image_free(&small);
  assert_int_equal(choose(&report, &s->tree, "worn", &options, NULL), BURL_OK);
  check_text(&report);
  assert_int_equal(report.images, 11);
  for (size_t i = 0; i < 9; i++) {
    char name[64];
    snprintf(name, sizeof name, "broken/%zu.png", i);
    tree_put(&s->tree, name, name);
  }
  assert_int_equal(choose(&report, &s->tree, "broken", &options, NULL), BURL_OK);
  assert_int_equal(report.chosen, BURL_SPATIAL_NONE);
}

static void test_bad_options(void **state) {
  shop *s = *state;
  burl_dataset *dataset = tree_load(&s->tree, "plain");
  burl_fit_options bad[] = {quick(1), quick(1), quick(1)};
  bad[0].threads = 0, bad[1].threads = 257, bad[2].bank.prototypes = 0;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    burl_spatial chosen = BURL_SPATIAL_COUNT;
    burl_diag diag = {0};
    assert_int_equal(burl_select_spatial(&chosen, NULL, dataset, &bad[i], NULL, &diag),
                     BURL_ERR_ARGUMENT);
    assert_int_equal(diag.status, BURL_ERR_ARGUMENT);
    assert_int_equal(chosen, BURL_SPATIAL_COUNT);
  }
  burl_dataset_free(dataset);
}

/* The first allocations, each in turn, and some of the others. */
static void test_failing_allocations(void **state) {
  shop *s = *state;
  burl_fit_options options = quick(1);
  options.bank.prototypes = 4;
  options.bank.steps = 0;
  fill_panels(&s->tree, "eight", 8);
  burl_dataset *dataset = tree_load(&s->tree, "eight");
  long total = 0;
  for (long i = -1; i < total; i += i < 20 ? 4 : 1 + total / 2) {
    burl_spatial chosen = BURL_SPATIAL_COUNT;
    burl_select_report report = {.images = 77};
    burl_diag diag = {0};
    fail_allocation_after(i);
    burl_status status = burl_select_spatial(&chosen, &report, dataset, &options, NULL, &diag);
    long made = stop_failing();
    if (i < 0) total = made;
    if (status == BURL_OK) continue; /* an image that there was no memory to look at */
    assert_true(i >= 0);
    assert_int_equal(status, BURL_ERR_MEMORY);
    assert_int_equal(diag.status, BURL_ERR_MEMORY);
    assert_int_equal(chosen, BURL_SPATIAL_COUNT);
    assert_int_equal(report.images, 77);
  }
  assert_true(total > 100);
  burl_dataset_free(dataset);
}

/* The choice is in the model's own text, and in its file. */
static void test_choice_is_noted(void **state) {
  shop *s = *state;
  burl_model *model = cloth_fit(&s->tree, "plain", 2), *loaded = NULL;
  burl_diag diag = {0};
  assert_null(strstr(burl_model_get_json(model), "spatial_choice"));
  assert_int_equal(burl_model_set_choice(model, "none: \"because\"", NULL), BURL_OK);
  assert_non_null(strstr(burl_model_get_json(model), "\"none: \\\"because\\\"\""));
  assert_int_equal(burl_model_set_choice(model, "none: again", NULL), BURL_OK);
  assert_int_equal(burl_model_save(model, tree_path(&s->tree, "m.burl"), NULL), BURL_OK);
  assert_int_equal(burl_model_load(&loaded, tree_path(&s->tree, "m.burl"), &diag), BURL_OK);
  assert_string_equal(burl_model_get_json(loaded), burl_model_get_json(model));
  assert_non_null(strstr(burl_model_get_json(loaded), "\"spatial_choice\": \"none: again\""));
  burl_dataset *more = tree_load(&s->tree, "plain");
  burl_update_options update = burl_update_default_options();
  update.force = 1;
  assert_int_equal(burl_model_update(loaded, NULL, more, &update, NULL, &diag), BURL_OK);
  assert_non_null(strstr(burl_model_get_json(loaded), "\"spatial_choice\": \"none: again\""));
  burl_dataset_free(more);
  char *before = strdup(burl_model_get_json(model));
  assert_int_equal(burl_model_set_choice(model, "\xff\xfe", &diag), BURL_ERR_MEMORY);
  assert_string_equal(burl_model_get_json(model), before);
  free(before);
  burl_model_free(model);
  burl_model_free(loaded);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_printed_cloth),       cmocka_unit_test(test_panels),
      cmocka_unit_test(test_plain_weave),         cmocka_unit_test(test_few_images),
      cmocka_unit_test(test_bad_images),          cmocka_unit_test(test_bad_options),
      cmocka_unit_test(test_failing_allocations), cmocka_unit_test(test_choice_is_noted),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
