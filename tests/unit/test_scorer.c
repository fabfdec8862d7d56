/* Scoring one image: tiles make no difference, nor do threads, depth or size; nothing is allocated.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cloth_tree.h"
#include "failing.h"
#include "model/model_parts.h"
#include <math.h>

static burl_model *spatial; /* a model in which positions count */

static int set_up(void **state) {
  tree t;
  burl_blas_set_threads(1);
  tree_make(&t);
  cloth_fill(&t, "good", 2, 192, 192);
  *state = cloth_fit(&t, "good", 1);
  burl_dataset *dataset = tree_load(&t, "good");
  burl_fit_options options = cloth_options(1);
  options.bank.spatial = BURL_SPATIAL_GRID;
  assert_int_equal(burl_model_fit(&spatial, NULL, dataset, &options, NULL, NULL), BURL_OK);
  burl_model_info info;
  burl_model_get_info(*state, &info);
  for (size_t g = 0; g < info.groups; g++) { /* all of them are to be tried */
    burl_model_group group;
    burl_model_get_group(*state, g, &group);
    assert_true(group.prototypes > 0);
  }
  burl_dataset_free(dataset);
  tree_remove(&t);
  return 0;
}

static int tear_down(void **state) {
  burl_model_free(*state);
  burl_model_free(spatial);
  return 0;
}

/* A large cloth from one small drawing, turned about its sides so that nothing jumps, under uneven
 * light, with a few specks. */
static burl_image large_cloth(size_t height, size_t width, burl_sample sample) {
  burl_image image, piece = cloth_draw(160, 160, BURL_DEFECT_HOLE, 40);
  assert_int_equal(burl_image_new(&image, height, width, 1, sample), BURL_OK);
  const unsigned char *from = piece.data;
  for (size_t y = 0; y < height; y++)
    for (size_t x = 0; x < width; x++) {
      size_t i = y / 160 % 2 ? 159 - y % 160 : y % 160;
      size_t j = x / 160 % 2 ? 159 - x % 160 : x % 160;
      size_t value = from[i * 160 + j] * (700 + (y + 2 * x) % 256) / 1024;
      if (sample == BURL_U8)
        ((unsigned char *)image.data)[y * width + x] = (unsigned char)value;
      else
        ((uint16_t *)image.data)[y * width + x] = (uint16_t)(257 * value);
    }
  burl_image_free(&piece);
  return image;
}

/* The map of the whole image as one tile, in working memory of that size. */
static float *score_untiled(const burl_model *model, const burl_image *image) {
  const burl_encoder *encoder = model->encoder;
  size_t cells = ((image->height + 3) / 4) * ((image->width + 3) / 4);
  burl_rect all = {0, 0, image->height, image->width};
  tile_worker worker = {.encoder = encoder,
                        .workspace =
                            encoder->ops->workspace_new(encoder, image->height, image->width),
                        .distance = malloc(cells * sizeof(float)),
                        .positions = malloc(2 * cells * sizeof(float)),
                        .grid = malloc(cells * sizeof(float)),
                        .groups = malloc(encoder->ops->groups * cells * sizeof(float)),
                        .kinds = malloc(cells),
                        .spare = malloc(3 * cells * sizeof(float))};
  float *heat = malloc(image->height * image->width * sizeof *heat);
  assert_true(worker.workspace && worker.distance && worker.positions && worker.grid);
  assert_true(worker.spare && worker.groups && worker.kinds && heat);
  burl_view view;
  assert_int_equal(burl_view_open(&view, image), BURL_OK);
  burl_heat_grid grid =
      burl_tile_score(&worker, model->bank, model->scale, &model->heads, &view, all);
  burl_heat_expand(heat, image->width, worker.spare, &grid, all, (float)model->typical,
                   (float)(1.0 / (model->threshold.value - model->typical)));
  encoder->ops->workspace_free(worker.workspace);
  free(worker.distance);
  free(worker.positions);
  free(worker.grid);
  free(worker.spare);
  free(worker.groups);
  free(worker.kinds);
  return heat;
}

static void check_tiling(const burl_model *model, size_t height, size_t width, size_t tiles) {
  burl_image image = large_cloth(height, width, BURL_U8);
  burl_tiling tiling = burl_model_tiling(model->encoder, height, width);
  assert_int_equal(tiling.rows * tiling.cols, tiles);
  double score;
  float *heat = cloth_score(model, &image, 2, &score), *expected = score_untiled(model, &image);
  float largest = -INFINITY;
  for (size_t i = 0; i < height * width; i++) {
    if (!(heat[i] == expected[i]))
      fail_msg("%zu x %zu: %.9g at (%zu,%zu), in one piece %.9g", height, width, (double)heat[i],
               i / width, i % width, (double)expected[i]);
    largest = fmaxf(largest, heat[i]);
  }
  assert_true(score == (double)largest);
  free(heat);
  free(expected);
  burl_image_free(&image);
}

/* Not even in the last bit: every value is made by the same operations. */
static void test_tiling_makes_no_difference(void **state) {
  check_tiling(*state, 300, 260, 1);
  check_tiling(*state, 1500, 300, 2);
  check_tiling(*state, 300, 1701, 2);
  check_tiling(*state, 35, 2053, 3); /* the last core is 5 pixels wide */
  check_tiling(*state, 1283, 1297, 4);
  check_tiling(spatial, 1300, 150, 2);
}

/* Heads smooth farther than the plain sum. */
static void test_tiling_makes_no_difference_to_heads(void **state) {
  burl_model *model = *state;
  model->heads = (burl_heads){.count = 3};
  for (size_t h = 0; h < 3; h++) {
    burl_head *head = &model->heads.head[h];
    *head = (burl_head){.kind = h < 2 ? (burl_kind)(h + 1) : BURL_KIND_NONE,
                        .sigma = h == 1 ? BURL_HEAT_MOST_SIGMA : BURL_HEAT_SIGMA,
                        .typical = 0.5 * (double)h,
                        .deviation = 1.0 + (double)h};
    for (size_t g = 0; g < model->encoder->ops->groups; g++)
      head->weight[g] = h == 2 ? 1.0f : (float)((g + h) % 3);
  }
  check_tiling(model, 1283, 1297, 4);
  check_tiling(model, 300, 1701, 2);
  model->heads.count = 0;
}

static void test_threads_make_no_difference(void **state) {
  burl_image image = large_cloth(1300, 1290, BURL_U8);
  double expected_score, score;
  float *expected = cloth_score(*state, &image, 1, &expected_score);
  for (int threads = 2; threads <= 3; threads++) {
    float *heat = cloth_score(*state, &image, threads, &score);
    assert_memory_equal(heat, expected, 1300 * 1290 * sizeof *heat);
    assert_true(score == expected_score);
    free(heat);
  }
  free(expected);
  burl_image_free(&image);
}

/* Each pixel is written, with a finite value, and none after the last. */
static void test_small_and_odd_sizes(void **state) {
  static const size_t sides[][2] = {{32, 32},  {32, 33},  {33, 47}, {61, 35},
                                    {32, 200}, {201, 32}, {64, 64}, {65, 127}};
  burl_scorer *scorer;
  assert_int_equal(burl_scorer_new(&scorer, *state, 1), BURL_OK);
  for (size_t s = 0; s < sizeof sides / sizeof *sides; s++) {
    burl_image image = cloth_draw(sides[s][0], sides[s][1], BURL_DEFECT_NONE, s);
    size_t count = sides[s][0] * sides[s][1];
    float *heat = malloc(count * sizeof *heat);
    assert_non_null(heat);
    for (size_t i = 0; i < count; i++)
      heat[i] = NAN;
    double score = (double)NAN;
    assert_int_equal(burl_scorer_score(scorer, heat, &score, &image, NULL), BURL_OK);
    float largest = heat[0];
    for (size_t i = 0; i < count; i++) {
      assert_true(isfinite(heat[i]));
      largest = fmaxf(largest, heat[i]);
    }
    assert_true(score == (double)largest);
    free(heat);
    burl_image_free(&image);
  }
  burl_scorer_free(scorer);
}

static void refuse(const burl_model *model, const burl_image *image, burl_status expected) {
  burl_scorer *scorer;
  burl_diag diag = {0};
  float heat[40 * 40];
  double score = -5.0;
  for (size_t i = 0; i < 40 * 40; i++)
    heat[i] = -5.0f;
  assert_int_equal(burl_scorer_new(&scorer, model, 2), BURL_OK);
  assert_int_equal(burl_scorer_score(scorer, heat, &score, image, &diag), expected);
  assert_int_equal(diag.status, expected);
  assert_true(diag.reason[0] != '\0');
  assert_int_equal(burl_scorer_score(scorer, heat, &score, image, NULL), expected);
  assert_true(score == -5.0);
  for (size_t i = 0; i < 40 * 40; i++)
    assert_true(heat[i] == -5.0f);
  burl_scorer_free(scorer);
}

static void test_too_small_and_not_finite_are_refused(void **state) {
  burl_image image = cloth_draw(40, 40, BURL_DEFECT_NONE, 1);
  image.height = 31;
  refuse(*state, &image, BURL_ERR_SIZE);
  image.height = 40;
  image.width = 31;
  refuse(*state, &image, BURL_ERR_SIZE);
  image.width = 40;
  burl_image_free(&image);
  assert_int_equal(burl_image_new(&image, 40, 40, 3, BURL_F32), BURL_OK);
  float *values = image.data;
  const float odd[] = {NAN, INFINITY, -INFINITY};
  for (size_t i = 0; i < 3; i++) {
    values[40 * 40 * 3 - 1] = odd[i];
    refuse(*state, &image, BURL_ERR_NUMERIC);
  }
  burl_image_free(&image);
}

/* Floats of any size that are finite give heat that is finite, or are refused. */
static void test_huge_floats(void **state) {
  static const float scales[] = {1e-30f, 1e10f, 1e30f, 3e38f};
  burl_image cloth = cloth_draw(40, 40, BURL_DEFECT_NONE, 2), image;
  assert_int_equal(burl_image_new(&image, 40, 40, 1, BURL_F32), BURL_OK);
  for (size_t s = 0; s < sizeof scales / sizeof *scales; s++) {
    float *values = image.data;
    burl_image_get_grey(&cloth, values, 40, 0, 0, 40, 40);
    for (size_t i = 0; i < 1600; i++)
      values[i] = (values[i] - 0.5f) * 2.0f * scales[s];
    double score;
    float *heat = cloth_score(*state, &image, 1, &score);
    for (size_t i = 0; i < 1600; i++)
      if (!isfinite(heat[i])) fail_msg("scale %g: heat %g", (double)scales[s], (double)heat[i]);
    free(heat);
  }
  burl_image_free(&image);
  burl_image_free(&cloth);
}

/* No cloth at all is no good cloth. */
static void test_constant_image_scores_high(void **state) {
  for (unsigned value = 0; value <= 255; value += 85) {
    burl_image image;
    assert_int_equal(burl_image_new(&image, 100, 90, 1, BURL_U8), BURL_OK);
    memset(image.data, (int)value, 100 * 90);
    double score;
    float *heat = cloth_score(*state, &image, 1, &score);
    assert_true(isfinite(score) && score > 1.0);
    for (size_t i = 0; i < 100 * 90; i++)
      assert_true(isfinite(heat[i]));
    free(heat);
    burl_image_free(&image);
  }
}

static void assert_close(const float *a, const float *b, size_t count, double tolerance) {
  for (size_t i = 0; i < count; i++)
    if (!(fabs((double)a[i] - (double)b[i]) <= tolerance))
      fail_msg("value %zu: %g and %g", i, (double)a[i], (double)b[i]);
}

/* 8 bits, 16 bits, float and three equal channels of the same content. */
static void test_depth_makes_no_difference(void **state) {
  burl_image a = large_cloth(150, 131, BURL_U8), b = large_cloth(150, 131, BURL_U16), c, d;
  assert_int_equal(burl_image_new(&c, 150, 131, 1, BURL_F32), BURL_OK);
  assert_int_equal(burl_image_new(&d, 150, 131, 3, BURL_U8), BURL_OK);
  burl_image_get_grey(&a, c.data, 131, 0, 0, 150, 131);
  for (size_t i = 0; i < 150 * 131 * 3; i++)
    ((unsigned char *)d.data)[i] = ((unsigned char *)a.data)[i / 3];
  double score;
  float *expected = cloth_score(*state, &a, 1, &score);
  burl_image *others[] = {&b, &c, &d};
  for (size_t k = 0; k < 3; k++) {
    float *heat = cloth_score(*state, others[k], 1, &score);
    assert_close(heat, expected, 150 * 131, 1e-3);
    free(heat);
    burl_image_free(others[k]);
  }
  free(expected);
  burl_image_free(&a);
}

/* A scorer carries nothing from one image to the next. */
static void test_scorer_has_no_memory(void **state) {
  burl_scorer *scorer;
  assert_int_equal(burl_scorer_new(&scorer, *state, 1), BURL_OK);
  burl_image image = cloth_draw(70, 90, BURL_DEFECT_NONE, 1);
  burl_image other = large_cloth(300, 200, BURL_U16);
  float *heat = malloc(300 * 200 * sizeof *heat);
  assert_non_null(heat);
  double score, expected_score;
  float *expected = cloth_score(*state, &image, 1, &expected_score);
  assert_int_equal(burl_scorer_score(scorer, heat, &score, &other, NULL), BURL_OK);
  assert_int_equal(burl_scorer_score(scorer, heat, &score, &image, NULL), BURL_OK);
  assert_memory_equal(heat, expected, 70 * 90 * sizeof *heat);
  assert_true(score == expected_score);
  free(heat);
  free(expected);
  burl_image_free(&image);
  burl_image_free(&other);
  burl_scorer_free(scorer);
}

static void test_scoring_allocates_nothing(void **state) {
  burl_scorer *scorer;
  assert_int_equal(burl_scorer_new(&scorer, *state, 1), BURL_OK);
  burl_image image = large_cloth(1400, 70, BURL_U8);
  float *heat = malloc(1400 * 70 * sizeof *heat);
  assert_non_null(heat);
  double score;
  fail_allocation_after(-1);
  burl_status status = burl_scorer_score(scorer, heat, &score, &image, NULL);
  long made = stop_failing();
  assert_int_equal(status, BURL_OK);
  assert_int_equal(made, 0);
  free(heat);
  burl_image_free(&image);
  burl_scorer_free(scorer);
}

static void test_scorer_without_memory(void **state) {
  burl_scorer *scorer = NULL;
  assert_int_equal(burl_scorer_new(&scorer, *state, 0), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_scorer_new(&scorer, *state, 257), BURL_ERR_ARGUMENT);
  for (long i = 0;; i++) {
    fail_allocation_after(i);
    burl_status status = burl_scorer_new(&scorer, *state, 3);
    stop_failing();
    assert_true(i < 20);
    if (status == BURL_OK) break;
    assert_int_equal(status, BURL_ERR_MEMORY);
    assert_null(scorer);
  }
  burl_scorer_free(scorer);
  burl_scorer_free(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_tiling_makes_no_difference),
      cmocka_unit_test(test_tiling_makes_no_difference_to_heads),
      cmocka_unit_test(test_threads_make_no_difference),
      cmocka_unit_test(test_small_and_odd_sizes),
      cmocka_unit_test(test_too_small_and_not_finite_are_refused),
      cmocka_unit_test(test_huge_floats),
      cmocka_unit_test(test_constant_image_scores_high),
      cmocka_unit_test(test_depth_makes_no_difference),
      cmocka_unit_test(test_scorer_has_no_memory),
      cmocka_unit_test(test_scoring_allocates_nothing),
      cmocka_unit_test(test_scorer_without_memory),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
