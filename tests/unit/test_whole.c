/* Models of whole images: fit, files, threads, every setting, layout, refusals, failing memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/safetensors.h"
#include "cloth_tree.h"
#include "failing.h"
#include "model/whole.h"
#include <burl/model_explain.h>

#include <math.h>

enum { SIDE = 144, IMAGES = 6 };

typedef struct shop {
  tree tree;
  burl_model *model;
} shop;

static burl_fit_options quick_options(int threads) {
  burl_fit_options options = burl_fit_default_options();
  options.bank.method = BURL_METHOD_PRADOT;
  options.bank.pradot.side = SIDE;
  options.bank.pradot.per_cell = 1.0;
  options.bank.pradot.epochs = 4;
  options.bank.pradot.sweeps = 15;
  options.bank.pradot.batch = 2;
  options.bank.pradot.validation = 0.4;
  options.threads = threads;
  return options;
}

static burl_model *fit_with(tree *t, const char *name, const burl_fit_options *options) {
  burl_dataset *dataset = tree_load(t, name);
  burl_model *model = NULL;
  burl_diag diag = {0};
  burl_status status = burl_model_fit(&model, NULL, dataset, options, NULL, &diag);
  if (status != BURL_OK) fail_msg("%s: %s", burl_status_get_name(status), diag.reason);
  burl_dataset_free(dataset);
  return model;
}

static int set_up(void **state) {
  static shop s;
  burl_blas_set_threads(1);
  tree_make(&s.tree);
  cloth_fill(&s.tree, "good", IMAGES, 60, 81);
  burl_fit_options options = quick_options(1);
  s.model = fit_with(&s.tree, "good", &options);
  *state = &s;
  return 0;
}

static int tear_down(void **state) {
  shop *s = *state;
  burl_model_free(s->model);
  tree_remove(&s->tree);
  return 0;
}

static double widen_by_definition(const float *map, size_t rows, size_t cols, size_t height,
                                  size_t width, size_t y, size_t x, int corners) {
  double v = height > 1 ? (double)(y * (rows - 1)) / (double)(height - 1) : 0.0;
  double u = width > 1 ? (double)(x * (cols - 1)) / (double)(width - 1) : 0.0, sum = 0.0;
  if (!corners) {
    v = ((double)y + 0.5) / (double)height * (double)rows - 0.5;
    u = ((double)x + 0.5) / (double)width * (double)cols - 0.5;
  }
  v = fmin(fmax(v, 0.0), (double)(rows - 1));
  u = fmin(fmax(u, 0.0), (double)(cols - 1));
  for (size_t i = 0; i < rows; i++)
    for (size_t j = 0; j < cols; j++)
      sum += fmax(0.0, 1.0 - fabs(v - (double)i)) * fmax(0.0, 1.0 - fabs(u - (double)j)) *
             (double)map[i * cols + j];
  return sum;
}

static void test_widening(void **state) {
  (void)state;
  static const size_t sizes[][4] = {{3, 4, 9, 700}, {4, 4, 40, 40}, {5, 3, 2, 1},
                                    {1, 1, 7, 9},   {1, 6, 5, 33},  {8, 8, 8, 8}};
  static float map[64], heat[9 * 700];
  burl_random random = burl_random_start(1, 2);
  for (size_t i = 0; i < 64; i++)
    map[i] = (float)burl_random_uniform(&random);
  for (size_t k = 0; k < 2 * sizeof sizes / sizeof *sizes; k++) {
    const size_t *s = sizes[k / 2];
    for (size_t i = 0; i < s[2] * s[3]; i++)
      heat[i] = 1.0f;
    burl_map_widen(heat, s[2], s[3], map, s[0], s[1], k % 2 == 1, 2.0f);
    for (size_t i = 0; i < s[2] * s[3]; i++) {
      double is = widen_by_definition(map, s[0], s[1], s[2], s[3], i / s[3], i % s[3], k % 2 == 1);
      if (fabs((double)heat[i] - 1.0 - 2.0 * is) > 1e-5)
        fail_msg("case %zu, pixel %zu: %g, not %g", k, i, (double)heat[i], 1.0 + 2.0 * is);
    }
  }
}

static void test_info(void **state) {
  const shop *s = *state;
  burl_model_info info;
  burl_model_get_info(s->model, &info);
  assert_int_equal(info.images, IMAGES);
  assert_int_equal(info.calibration_images, 2); /* floor(0.4 * 6) */
  assert_int_equal(info.options.bank.method, BURL_METHOD_PRADOT);
  assert_true(info.threshold > info.typical && info.typical > 0.0);
  assert_false(burl_model_has_gallery(s->model));
  for (size_t g = 0; g < info.groups; g++) {
    burl_model_group group;
    burl_model_get_group(s->model, g, &group);
    size_t cells = (SIDE / group.stride) * (SIDE / group.stride);
    size_t expected = group.stride == 8 || group.stride == 16 ? cells : 0;
    assert_int_equal(group.prototypes, expected);
    assert_int_equal(group.local, expected);
  }
  assert_non_null(strstr(burl_model_get_json(s->model), "\"pradot.per_cell\": 1"));
}

/* Mass is a share of the patches, and a prototype that has some has a radius. */
static void test_mass_and_radius(void **state) {
  const shop *s = *state;
  size_t members = 0;
  for (size_t m = 0; m < MODEL_MEMBERS; m++) {
    const burl_bank *bank = s->model->bank[m];
    if (!bank) continue;
    double mass = 0.0;
    members++;
    for (size_t k = 0; k < burl_bank_get_count(bank); k++) {
      float share = burl_bank_get_mass(bank)[k], radius = burl_bank_get_radius(bank)[k];
      assert_true(share >= 0.0f && (share > 0.0f || radius == 0.0f) && isfinite(radius));
      mass += (double)share;
    }
    assert_true(fabs(mass - 1.0) < 1e-4);
    float distance[2], patches[2 * 13] = {0}, places[4] = {0};
    burl_bank_score(bank, distance, NULL, patches, places, 2); /* not without the whole image */
    assert_true(isnan(distance[0]) && isnan(distance[1]));
  }
  assert_int_equal(members, 4);
}

/* Scores are the maximum of the map; the raw map is the mean of the members' maps,
 * widened; looking at an image allocates nothing. */
static void test_scores(void **state) {
  const shop *s = *state;
  double score;
  for (uint64_t i = 0; i < 4; i++) {
    burl_image image = cloth_draw(60, 81, BURL_DEFECT_NONE, 100 + i);
    float *heat = cloth_score(s->model, &image, 1, &score);
    float largest = -INFINITY;
    for (size_t p = 0; p < 60 * 81; p++) {
      assert_true(isfinite(heat[p]));
      largest = fmaxf(largest, heat[p]);
    }
    assert_true(score == (double)largest);
    free(heat);
    burl_image_free(&image);
  }
  burl_image image = cloth_draw(60, 81, BURL_DEFECT_NONE, 7);
  burl_whole_worker worker;
  static float heat[60 * 81];
  assert_int_equal(burl_whole_worker_open(&worker, s->model), BURL_OK);
  fail_allocation_after(0);
  burl_status status = burl_whole_score(&worker, heat, &score, &image, 0.0, 1.0);
  assert_int_equal(stop_failing(), 0);
  assert_int_equal(status, BURL_OK);
  for (size_t p = 0; p < 60 * 81; p += 17) {
    double sum = 0.0;
    for (size_t m = 0; m < MODEL_MEMBERS; m++) {
      size_t cells = burl_member_group(m) == 3 ? SIDE / 8 : SIDE / 16;
      if (s->model->bank[m])
        sum += widen_by_definition(worker.map[m], cells, cells, 60, 81, p / 81, p % 81, 1);
    }
    assert_true(fabs((double)heat[p] - sum / 4.0) < 1e-4 * sum);
  }
  burl_whole_worker_close(&worker);
  burl_image_free(&image);
}

static void test_same_bytes_for_any_threads(void **state) {
  shop *s = *state;
  size_t size, again;
  burl_image image = cloth_draw(90, 70, BURL_DEFECT_STAIN, 3);
  double score, other;
  unsigned char *expected = model_bytes(&s->tree, s->model, &size);
  float *heat = cloth_score(s->model, &image, 1, &score);
  for (int threads = 2; threads <= 3; threads++) {
    burl_fit_options options = quick_options(threads);
    burl_model *model = fit_with(&s->tree, "good", &options);
    unsigned char *bytes = model_bytes(&s->tree, model, &again);
    assert_int_equal(again, size);
    assert_memory_equal(bytes, expected, size);
    float *same = cloth_score(model, &image, threads, &other);
    assert_memory_equal(same, heat, 90 * 70 * sizeof *heat);
    assert_true(score == other);
    free(same);
    free(bytes);
    burl_model_free(model);
  }
  free(heat);
  free(expected);
  burl_image_free(&image);
}

static burl_model *load(const char *path) {
  burl_model *model = NULL;
  burl_diag diag = {0};
  burl_status status = burl_model_load(&model, path, &diag);
  if (status != BURL_OK) fail_msg("%s: %s", burl_status_get_name(status), diag.reason);
  return model;
}

static void test_files(void **state) {
  shop *s = *state;
  size_t size, again;
  double a, b;
  unsigned char *bytes = model_bytes(&s->tree, s->model, &size);
  burl_model *model = load(tree_path(&s->tree, "saved.burl"));
  burl_image image = cloth_draw(60, 81, BURL_DEFECT_STAIN, 3);
  float *first = cloth_score(s->model, &image, 1, &a), *second = cloth_score(model, &image, 1, &b);
  assert_memory_equal(first, second, 60 * 81 * sizeof *first);
  assert_true(a == b);
  unsigned char *same = model_bytes(&s->tree, model, &again);
  assert_int_equal(size, again);
  assert_memory_equal(bytes, same, size);
  free(first);
  free(second);
  free(bytes);
  free(same);
  burl_image_free(&image);
  burl_model_free(model);
}

/* A setting, a value, and whether fits and scores are another for it. */
static void test_every_setting_counts(void **state) {
  shop *s = *state;
  static const char *const changes[][2] = {
      {"pradot.per_cell", "2"},    {"pradot.per_cell", "0.5"},      {"pradot.alpha", "0.8"},
      {"pradot.eps", "0.1"},       {"pradot.sweeps", "1"},          {"pradot.ema", "0.5"},
      {"pradot.batch", "1"},       {"pradot.epochs", "1"},          {"pradot.validation", "0.2"},
      {"pradot.divisor", "epoch"}, {"pradot.scale", "training"},    {"pradot.start", "features"},
      {"pradot.times_count", "0"}, {"pradot.learn_positions", "1"}, {"pradot.warm_start", "1"},
      {"pradot.corners", "0"},     {"pradot.side", "160"},          {"seed", "9"},
  };
  burl_image image = cloth_draw(60, 81, BURL_DEFECT_STAIN, 3);
  double score;
  float *base = cloth_score(s->model, &image, 1, &score);
  for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
    burl_fit_options options = quick_options(1);
    assert_int_equal(burl_settings_set(&options.bank, changes[i][0], changes[i][1], NULL), BURL_OK);
    burl_model *model = fit_with(&s->tree, "good", &options);
    assert_int_equal(burl_model_save(model, tree_path(&s->tree, "other.burl"), NULL), BURL_OK);
    burl_model *again = load(tree_path(&s->tree, "other.burl"));
    float *heat = cloth_score(model, &image, 1, &score);
    float *same = cloth_score(again, &image, 1, &score);
    assert_memory_equal(heat, same, 60 * 81 * sizeof *heat);
    if (memcmp(heat, base, 60 * 81 * sizeof *heat) == 0)
      fail_msg("%s=%s changes nothing", changes[i][0], changes[i][1]);
    free(heat);
    free(same);
    burl_model_free(model);
    burl_model_free(again);
  }
  free(base);
  burl_image_free(&image);
}

static void count_problem(void *context, const burl_diag *diag) {
  assert_non_null(strstr(diag->reason, "batch of 64"));
  ++*(int *)context;
}

/* As published a batch that is not full teaches nothing, which is said once. */
static void test_batches_that_are_not_full(void **state) {
  shop *s = *state;
  burl_dataset *dataset = tree_load(&s->tree, "good");
  for (int drop = 0; drop < 2; drop++) {
    int problems = 0;
    burl_observer observer = {&problems, NULL, count_problem};
    burl_fit_options options = quick_options(1);
    options.bank.pradot.batch = 64;
    options.bank.pradot.drop_last = drop;
    burl_model *model;
    assert_int_equal(burl_model_fit(&model, NULL, dataset, &options, &observer, NULL), BURL_OK);
    assert_int_equal(problems, drop);
    burl_model_free(model);
  }
  burl_dataset_free(dataset);
}

/* An object: fine stripes to the left and coarse ones to the right, or the other way round. */
static burl_image draw_halves(uint64_t index, int swapped) {
  burl_image image = {0};
  burl_random random = burl_random_start(index, 5);
  assert_int_equal(burl_image_new(&image, 128, 128, 1, BURL_F32), BURL_OK);
  double shift = burl_random_uniform(&random);
  for (size_t i = 0; i < 128 * 128; i++) {
    size_t y = i / 128, x = i % 128;
    double wave =
        (x < 64) == !swapped ? sin((double)y * 1.5 + shift) : sin((double)x * 0.4 + shift);
    ((float *)image.data)[i] = (float)(0.5 + 0.2 * wave + 0.05 * burl_random_uniform(&random));
  }
  return image;
}

/* Mean of a member's map without the columns next to the middle. */
static double mean_of_map(const burl_whole_worker *worker, size_t member, size_t cells) {
  double sum = 0.0;
  size_t n = 0;
  for (size_t i = 0; i < cells * cells; i++) {
    size_t col = i % cells;
    if (col + 3 > cells / 2 && col < cells / 2 + 3) continue;
    sum += (double)worker->map[member][i];
    n++;
  }
  return sum / (double)n;
}

/* What is right but in the wrong place is found by local prototypes alone. */
static void test_layout(void **state) {
  shop *s = *state;
  for (uint64_t i = 0; i < 10; i++) {
    char name[32];
    burl_image image = draw_halves(i, 0), small = {0};
    assert_int_equal(burl_image_new(&small, 128, 128, 1, BURL_U8), BURL_OK);
    for (size_t p = 0; p < 128 * 128; p++)
      ((unsigned char *)small.data)[p] = (unsigned char)(255.0f * ((float *)image.data)[p]);
    snprintf(name, sizeof name, "halves/%d.png", (int)i);
    cloth_put(&s->tree, name, &small);
    burl_image_free(&image);
    burl_image_free(&small);
  }
  burl_fit_options options = quick_options(1);
  options.bank.pradot.side = 128;
  options.bank.pradot.epochs = 10;
  options.bank.pradot.batch = 4;
  options.bank.pradot.start = BURL_PRADOT_FEATURES;
  options.bank.pradot.scale = BURL_PRADOT_TRAINING_MAX;
  burl_model *model = fit_with(&s->tree, "halves", &options);
  burl_whole_worker worker;
  assert_int_equal(burl_whole_worker_open(&worker, model), BURL_OK);
  static float heat[128 * 128];
  double mean[2][2], score;
  for (int swapped = 0; swapped < 2; swapped++) {
    burl_image image = draw_halves(50, swapped);
    assert_int_equal(burl_whole_score(&worker, heat, &score, &image, 0.0, 1.0), BURL_OK);
    for (size_t local = 0; local < 2; local++)
      mean[local][swapped] = mean_of_map(&worker, MODEL_PLACES * 3 + local, 16);
    burl_image_free(&image);
  }
  double global = mean[0][1] / mean[0][0], local = mean[1][1] / mean[1][0];
  if (!(global < 1.2 && local > 1.5)) fail_msg("swapped over as it was: %g, %g", global, local);
  burl_whole_worker_close(&worker);
  burl_model_free(model);
}

static void refuse(tree *t, const char *name, const burl_fit_options *options, burl_status expected,
                   const char *part) {
  burl_dataset *dataset = tree_load(t, name);
  burl_model *model = NULL;
  burl_diag diag = {0};
  burl_status status = burl_model_fit(&model, NULL, dataset, options, NULL, &diag);
  if (status != expected || diag.status != expected || !strstr(diag.reason, part))
    fail_msg("%s: %s: %s", name, burl_status_get_name(status), diag.reason);
  assert_null(model);
  burl_dataset_free(dataset);
}

static void test_refusals(void **state) {
  shop *s = *state;
  burl_fit_options options = quick_options(1);
  cloth_fill(&s->tree, "four", 4, 64, 64);
  refuse(&s->tree, "four", &options, BURL_ERR_DATA, "at least 5");
  options.bank.spatial = BURL_SPATIAL_GRID;
  refuse(&s->tree, "good", &options, BURL_ERR_ARGUMENT, "positions of its own");
  options = quick_options(1);
  options.bank.pradot.per_cell = 1.5;
  refuse(&s->tree, "good", &options, BURL_ERR_ARGUMENT, "pradot.per_cell is 1.5");
  options.bank.pradot.per_cell = 1024.0;
  options.bank.pradot.side = 96;
  refuse(&s->tree, "good", &options, BURL_ERR_SIZE, "12 x 12 cells");
  options.bank.pradot.per_cell = 0.01;
  refuse(&s->tree, "good", &options, BURL_ERR_ARGUMENT, "prototypes a cell");
}

static void test_images_that_cannot_be_scored(void **state) {
  const shop *s = *state;
  burl_scorer *scorer;
  burl_image image;
  static float heat[64 * 64];
  double score = 7.0;
  burl_reason reason;
  burl_diag diag = {0};
  assert_int_equal(burl_scorer_new(&scorer, s->model, 2), BURL_OK);
  assert_int_equal(burl_image_new(&image, 64, 64, 1, BURL_F32), BURL_OK);
  assert_int_equal(burl_scorer_score(scorer, heat, &score, &image, &diag), BURL_OK); /* flat */
  assert_int_equal(burl_scorer_find_reason(scorer, &reason, &image, 1, 1, &diag),
                   BURL_ERR_UNSUPPORTED);
  assert_int_equal(burl_scorer_explain(scorer, NULL, 0, &image, &diag), BURL_ERR_UNSUPPORTED);
  score = 7.0;
  ((float *)image.data)[99] = NAN;
  assert_int_equal(burl_scorer_score(scorer, heat, &score, &image, &diag), BURL_ERR_NUMERIC);
  image.height = 31;
  assert_int_equal(burl_scorer_score(scorer, heat, &score, &image, &diag), BURL_ERR_SIZE);
  assert_true(score == 7.0);
  burl_image_free(&image);
  burl_scorer_free(scorer);
}

/* The model's file with one tensor left out, or in its place `count` numbers of another kind. */
static void spoil(shop *s, const char *name, burl_dtype dtype, size_t count, const void *data) {
  static const char *const keys[] = {"burl.format", "burl.version", "burl.model"};
  burl_safetensors *file;
  burl_safetensors_writer *writer;
  burl_model *model = NULL;
  burl_diag diag = {0};
  const char *path = tree_path(&s->tree, "bad.burl");
  assert_int_equal(burl_model_save(s->model, path, NULL), BURL_OK);
  assert_int_equal(burl_safetensors_load(&file, path, NULL), BURL_OK);
  assert_non_null(burl_safetensors_find(file, name));
  assert_int_equal(burl_safetensors_writer_new(&writer), BURL_OK);
  for (size_t i = 0; i < 3; i++)
    burl_safetensors_writer_add_metadata(writer, keys[i],
                                         burl_safetensors_get_metadata(file, keys[i]));
  for (size_t i = 0; i < burl_safetensors_get_count(file); i++) {
    const burl_tensor *t = burl_safetensors_get_tensor(file, i);
    if (strcmp(t->name, name) != 0)
      burl_safetensors_writer_add_tensor(writer, t->name, t->dtype, t->shape, t->rank, t->data);
    else if (data)
      burl_safetensors_writer_add_tensor(writer, name, dtype, &count, 1, data);
  }
  burl_safetensors_writer_add_checksum(writer);
  assert_int_equal(burl_safetensors_writer_save(writer, path, NULL), BURL_OK);
  burl_safetensors_writer_free(writer);
  burl_safetensors_free(file);
  burl_status status = burl_model_load(&model, path, &diag);
  if (status != BURL_ERR_FORMAT || !strstr(diag.reason, "bank.level3"))
    fail_msg("%s: %s: %s", name, burl_status_get_name(status), diag.reason);
  assert_null(model);
}

static void test_bad_files(void **state) {
  shop *s = *state;
  static const char *const parts[] = {"prototypes", "positions", "mass", "radius",
                                      "maxima",     "losses",    "kept"};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    char name[64];
    snprintf(name, sizeof name, "bank.level3.%s", parts[i]);
    spoil(s, name, BURL_DTYPE_F32, 0, NULL);
    snprintf(name, sizeof name, "bank.level3.local.%s", parts[i]);
    spoil(s, name, BURL_DTYPE_F32, 0, NULL);
  }
  double numbers[4] = {0.5, -1.0, (double)NAN, (double)INFINITY};
  uint32_t late = 4;
  spoil(s, "bank.level3.maxima", BURL_DTYPE_F64, 2, numbers);
  spoil(s, "bank.level3.maxima", BURL_DTYPE_F64, 2, numbers + 2);
  spoil(s, "bank.level3.maxima", BURL_DTYPE_F64, 1, numbers);
  spoil(s, "bank.level3.losses", BURL_DTYPE_F64, 4, numbers);
  spoil(s, "bank.level3.losses", BURL_DTYPE_F64, 3, numbers);
  spoil(s, "bank.level3.kept", BURL_DTYPE_U32, 1, &late);
  spoil(s, "bank.level3.kept", BURL_DTYPE_I32, 1, &late);
}

static void test_failing_allocations(void **state) {
  shop *s = *state;
  burl_fit_options options = quick_options(1);
  options.bank.pradot.side = 96;
  options.bank.pradot.per_cell = 1.0;
  options.bank.pradot.epochs = 1;
  options.bank.pradot.sweeps = 2;
  cloth_fill(&s->tree, "five", 5, 32, 32);
  burl_dataset *dataset = tree_load(&s->tree, "five");
  for (long i = 0;; i += i < 40 ? 1 : 7) { /* those of reading images are like each other */
    burl_model *model = NULL;
    fail_allocation_after(i);
    burl_status status = burl_model_fit(&model, NULL, dataset, &options, NULL, NULL);
    stop_failing();
    if (status == BURL_OK) {
      assert_int_equal(burl_model_save(model, tree_path(&s->tree, "five.burl"), NULL), BURL_OK);
      burl_model_free(model);
      break;
    }
    assert_int_equal(status, BURL_ERR_MEMORY);
    assert_null(model);
  }
  for (long i = 0;; i++) {
    burl_model *model = NULL;
    burl_scorer *scorer = NULL;
    fail_allocation_after(i);
    burl_status status = burl_model_load(&model, tree_path(&s->tree, "five.burl"), NULL);
    if (status == BURL_OK) status = burl_scorer_new(&scorer, model, 2);
    stop_failing();
    burl_scorer_free(scorer);
    burl_model_free(model);
    if (status == BURL_OK) break;
    assert_int_equal(status, BURL_ERR_MEMORY);
  }
  burl_dataset_free(dataset);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_widening),
      cmocka_unit_test(test_info),
      cmocka_unit_test(test_mass_and_radius),
      cmocka_unit_test(test_scores),
      cmocka_unit_test(test_same_bytes_for_any_threads),
      cmocka_unit_test(test_files),
      cmocka_unit_test(test_every_setting_counts),
      cmocka_unit_test(test_batches_that_are_not_full),
      cmocka_unit_test(test_layout),
      cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_images_that_cannot_be_scored),
      cmocka_unit_test(test_bad_files),
      cmocka_unit_test(test_failing_allocations),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
