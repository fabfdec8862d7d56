/* The texture encoder: what it learns, that tiles see what the whole image sees, that light does
 * not matter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data_tree.h"
#include "encode/texture.h"
#include "encode/texture_parts.h"
#include "failing.h"
#include <burl/synth.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES = 4 };

typedef struct lab {
  burl_image image[IMAGES];
  burl_encoder *encoder;
} lab;

static burl_image cloth(size_t height, size_t width, uint64_t index) {
  burl_image image, mask;
  burl_synth_options options = burl_synth_default_options();
  options.weave = BURL_WEAVE_TWILL;
  options.height = height;
  options.width = width;
  options.index = index;
  assert_int_equal(burl_synth_draw(&image, &mask, &options), BURL_OK);
  burl_image_free(&mask);
  return image;
}

static burl_rect all_of(const burl_image *image) {
  return (burl_rect){0, 0, image->height, image->width};
}

static void see(const burl_encoder *encoder, const burl_image *image, size_t pass, burl_rect core,
                burl_rect region, uint64_t key, double *statistics) {
  burl_encoder_workspace *workspace =
      encoder->ops->workspace_new(encoder, region.height, region.width);
  assert_non_null(workspace);
  burl_view view;
  assert_int_equal(burl_view_open(&view, image), BURL_OK);
  burl_lesson lesson = {.view = &view, .core = core, .region = region, .seed = 1, .key = key};
  encoder->ops->learn(encoder, workspace, pass, &lesson, statistics);
  encoder->ops->workspace_free(workspace);
}

/* Learns from whole images; returns the status of the first pass that fails. */
static burl_status learn(burl_encoder *encoder, const burl_image *images, size_t count) {
  burl_status status = BURL_OK;
  for (size_t pass = 0; pass < encoder->ops->passes && status == BURL_OK; pass++) {
    size_t n = encoder->ops->count_statistics(encoder, pass);
    double *statistics = calloc(n, sizeof *statistics);
    assert_non_null(statistics);
    for (size_t i = 0; i < count; i++)
      see(encoder, &images[i], pass, all_of(&images[i]), all_of(&images[i]), i, statistics);
    status = encoder->ops->learned(encoder, pass, statistics);
    free(statistics);
  }
  return status;
}

static int set_up(void **state) {
  static lab l;
  for (size_t i = 0; i < IMAGES; i++)
    l.image[i] = cloth(160, 133, i);
  assert_int_equal(burl_texture_new(&l.encoder), BURL_OK);
  assert_int_equal(learn(l.encoder, l.image, IMAGES), BURL_OK);
  *state = &l;
  return 0;
}

static int tear_down(void **state) {
  lab *l = *state;
  for (size_t i = 0; i < IMAGES; i++)
    burl_image_free(&l->image[i]);
  l->encoder->ops->free(l->encoder);
  return 0;
}

/* Feature maps of a region with memory of their own. */
typedef struct maps {
  burl_feature_map group[BURL_MAX_GROUPS];
  burl_encoder_workspace *workspace;
} maps;

static maps encode(const burl_encoder *encoder, const burl_image *image, burl_rect region) {
  maps m = {.workspace = encoder->ops->workspace_new(encoder, region.height, region.width)};
  assert_non_null(m.workspace);
  burl_view view;
  assert_int_equal(burl_view_open(&view, image), BURL_OK);
  encoder->ops->encode(encoder, m.workspace, &view, region, m.group);
  return m;
}

static void forget(const burl_encoder *encoder, maps *m) {
  encoder->ops->workspace_free(m->workspace);
}

static size_t values_of(const burl_feature_map *map) {
  return map->rows * map->cols * map->dim;
}

static void test_grids(void **state) {
  const lab *l = *state;
  maps m = encode(l->encoder, &l->image[0], all_of(&l->image[0]));
  for (size_t g = 0; g < l->encoder->ops->groups; g++) {
    const burl_feature_map *map = &m.group[g];
    burl_group group = l->encoder->ops->get_group(l->encoder, g);
    assert_true(group.present);
    assert_int_equal(map->stride, group.stride);
    assert_int_equal(map->dim, group.dim);
    assert_int_equal(map->rows, (160 + map->stride - 1) / map->stride);
    assert_int_equal(map->cols, (133 + map->stride - 1) / map->stride);
    assert_int_equal(map->all_rows, map->rows);
    assert_int_equal(map->all_cols, map->cols);
    assert_int_equal(map->row + map->col, 0);
    for (size_t i = 0; i < values_of(map); i++)
      assert_true(isfinite(map->data[i]));
  }
  forget(l->encoder, &m);
}

/* Eigenvectors, scaled: orthogonal, without a mean, and the strongest direction scaled least. */
static void test_filters_are_orthogonal(void **state) {
  const lab *l = *state;
  const burl_texture *texture = (const burl_texture *)l->encoder;
  for (size_t level = 0; level < TEXTURE_LEVELS; level++) {
    double before = 0.0;
    for (size_t a = 0; a < BURL_FILTER_COUNT; a++) {
      const float *fa = texture->filters[level] + a * BURL_FILTER_TAPS;
      double norm = 0.0, sum = 0.0;
      for (size_t t = 0; t < BURL_FILTER_TAPS; t++) {
        norm += (double)fa[t] * (double)fa[t];
        sum += (double)fa[t];
      }
      assert_true(norm >= 0.999 * before && norm > 0.0);
      assert_true(fabs(sum) < 1e-3 * sqrt(norm));
      before = norm;
      for (size_t b = 0; b < a; b++) {
        const float *fb = texture->filters[level] + b * BURL_FILTER_TAPS;
        double dot = 0.0, other = 0.0;
        for (size_t t = 0; t < BURL_FILTER_TAPS; t++) {
          dot += (double)fa[t] * (double)fb[t];
          other += (double)fb[t] * (double)fb[t];
        }
        assert_true(fabs(dot) < 1e-5 * sqrt(norm * other));
      }
    }
  }
}

/* Mean 0, variances up to 1 and no correlation over the images that were learned from. */
static void test_features_are_white(void **state) {
  const lab *l = *state;
  enum { D = BURL_TEXTURE_DIM };
  for (size_t g = 0; g < l->encoder->ops->groups; g++) {
    double count = 0.0, sum[D] = {0.0}, product[D][D] = {{0.0}};
    size_t d = l->encoder->ops->get_group(l->encoder, g).dim;
    for (size_t i = 0; i < IMAGES; i++) {
      maps m = encode(l->encoder, &l->image[i], all_of(&l->image[i]));
      for (size_t c = 0; c < m.group[g].rows * m.group[g].cols; c++) {
        const float *x = m.group[g].data + c * d;
        count += 1.0;
        for (size_t j = 0; j < d; j++) {
          sum[j] += (double)x[j];
          for (size_t k = 0; k < d; k++)
            product[j][k] += (double)x[j] * (double)x[k];
        }
      }
      forget(l->encoder, &m);
    }
    double largest = 0.0;
    for (size_t j = 0; j < d; j++) {
      assert_true(fabs(sum[j] / count) < 1e-3);
      assert_true(product[j][j] / count < 1.001);
      largest = fmax(largest, product[j][j] / count);
      for (size_t k = 0; k < j; k++)
        assert_true(fabs(product[j][k] / count) < 2e-3);
    }
    assert_true(largest > 0.9);
  }
}

static burl_image float_copy(const burl_image *from, float gain, float offset) {
  burl_image image;
  assert_int_equal(burl_image_new(&image, from->height, from->width, 1, BURL_F32), BURL_OK);
  float *values = image.data;
  burl_image_get_grey(from, values, from->width, 0, 0, from->height, from->width);
  for (size_t i = 0; i < from->height * from->width; i++)
    values[i] = gain * values[i] + offset;
  return image;
}

static void assert_same_maps(const lab *l, maps *a, maps *b, double tolerance) {
  for (size_t g = 0; g < l->encoder->ops->groups; g++) {
    assert_int_equal(values_of(&a->group[g]), values_of(&b->group[g]));
    for (size_t i = 0; i < values_of(&a->group[g]); i++) {
      double x = (double)a->group[g].data[i], y = (double)b->group[g].data[i];
      if (!(fabs(x - y) <= tolerance * (1.0 + fabs(x))))
        fail_msg("group %zu, value %zu: %.8g and %.8g", g, i, x, y);
    }
  }
}

/* Twice the contrast, more light: the same embeddings. */
static void test_light_does_not_matter(void **state) {
  const lab *l = *state;
  static const float light[][2] = {{1.0f, 0.0f}, {2.0f, 0.25f}, {0.125f, -3.0f}, {1000.0f, 0.0f}};
  maps expected = encode(l->encoder, &l->image[1], all_of(&l->image[1]));
  for (size_t i = 0; i < sizeof light / sizeof *light; i++) {
    burl_image image = float_copy(&l->image[1], light[i][0], light[i][1]);
    maps got = encode(l->encoder, &image, all_of(&image));
    assert_same_maps(l, &expected, &got, 2e-3);
    forget(l->encoder, &got);
    burl_image_free(&image);
  }
  forget(l->encoder, &expected);
}

/* A constant image has no contrast to divide by. */
static void test_constant_image_is_finite(void **state) {
  const lab *l = *state;
  burl_image image;
  assert_int_equal(burl_image_new(&image, 64, 80, 3, BURL_U16), BURL_OK);
  maps m = encode(l->encoder, &image, all_of(&image));
  for (size_t g = 0; g < l->encoder->ops->groups; g++)
    for (size_t i = 0; i < values_of(&m.group[g]); i++)
      assert_true(isfinite(m.group[g].data[i]));
  forget(l->encoder, &m);
  burl_image_free(&image);
}

/* Cells of a region that lie `halo` pixels from where it was cut, against the whole image's. */
static void check_region(const lab *l, const burl_image *image, maps *whole, burl_rect region) {
  size_t halo = l->encoder->ops->halo, seen = 0;
  size_t y0 = region.y ? region.y + halo : 0, x0 = region.x ? region.x + halo : 0;
  size_t y1 = region.y + region.height, x1 = region.x + region.width;
  if (y1 < image->height) y1 -= halo;
  if (x1 < image->width) x1 -= halo;
  maps part = encode(l->encoder, image, region);
  for (size_t g = 0; g < l->encoder->ops->groups; g++) {
    const burl_feature_map *map = &part.group[g], *all = &whole->group[g];
    assert_int_equal(map->row * map->stride, region.y);
    assert_int_equal(map->col * map->stride, region.x);
    assert_int_equal(map->all_rows, all->rows);
    assert_int_equal(map->all_cols, all->cols);
    for (size_t i = 0; i < values_of(map); i++) {
      size_t row = map->row + i / map->dim / map->cols, col = map->col + i / map->dim % map->cols;
      size_t y = row * map->stride, x = col * map->stride;
      if (y < y0 || y >= y1 || x < x0 || x >= x1) continue;
      float expected = all->data[(row * all->cols + col) * all->dim + i % map->dim];
      if (!(fabsf(map->data[i] - expected) <= 1e-5f * (1.0f + fabsf(expected))))
        fail_msg("group %zu at pixel (%zu,%zu): %.8g, not %.8g", g, y, x, (double)map->data[i],
                 (double)expected);
      seen++;
    }
  }
  assert_true(seen > 0);
  forget(l->encoder, &part);
}

static void test_regions_equal_the_whole(void **state) {
  const lab *l = *state;
  burl_image image = cloth(437, 475, 9);
  assert_int_equal(l->encoder->ops->halo % l->encoder->ops->alignment, 0);
  maps whole = encode(l->encoder, &image, all_of(&image));
  check_region(l, &image, &whole, (burl_rect){0, 0, 160, 288});
  check_region(l, &image, &whole, (burl_rect){48, 64, 304, 272});
  check_region(l, &image, &whole, (burl_rect){176, 112, 261, 363}); /* to the image's end */
  check_region(l, &image, &whole, (burl_rect){16, 0, 421, 475});
  check_region(l, &image, &whole, (burl_rect){0, 320, 437, 155});
  forget(l->encoder, &whole);
  burl_image_free(&image);
}

/* Sums over images and over tiles are plain additions. */
static void test_statistics_are_additive(void **state) {
  const lab *l = *state;
  const burl_image *a = &l->image[0], *b = &l->image[1];
  for (size_t pass = 0; pass < l->encoder->ops->passes; pass++) {
    size_t n = l->encoder->ops->count_statistics(l->encoder, pass);
    double *one = calloc(n, sizeof *one), *two = calloc(n, sizeof *two);
    double *both = calloc(n, sizeof *both);
    assert_true(one && two && both);
    see(l->encoder, a, pass, all_of(a), all_of(a), 5, one);
    see(l->encoder, b, pass, all_of(b), all_of(b), 6, two);
    see(l->encoder, a, pass, all_of(a), all_of(a), 5, both);
    see(l->encoder, b, pass, all_of(b), all_of(b), 6, both);
    for (size_t i = 0; i < n; i++)
      assert_true(fabs(one[i] + two[i] - both[i]) <= 1e-9 * (1.0 + fabs(both[i])));
    free(one);
    free(two);
    free(both);
  }
}

static void test_tiles_add_up_to_the_whole(void **state) {
  const lab *l = *state;
  burl_image image = cloth(330, 300, 3);
  size_t n = l->encoder->ops->count_statistics(l->encoder, 1);
  double *whole = calloc(n, sizeof *whole), *tiled = calloc(n, sizeof *tiled);
  assert_true(whole && tiled);
  see(l->encoder, &image, 1, all_of(&image), all_of(&image), 0, whole);
  burl_tiling tiling = burl_tiling_of(330, 300, 32, l->encoder->ops->halo);
  assert_true(tiling.rows > 1 && tiling.cols > 1);
  for (size_t i = 0; i < tiling.rows * tiling.cols; i++) {
    burl_rect core, region;
    burl_tiling_get(&tiling, i, &core, &region);
    see(l->encoder, &image, 1, core, region, i, tiled);
  }
  for (size_t i = 0; i < n; i++)
    assert_true(fabs(whole[i] - tiled[i]) <= 1e-6 * (1.0 + fabs(whole[i])));
  free(whole);
  free(tiled);
  burl_image_free(&image);
}

/* Random patches are drawn by seed and key alone. */
static void test_patches_follow_the_key(void **state) {
  const lab *l = *state;
  const burl_image *image = &l->image[2];
  size_t n = l->encoder->ops->count_statistics(l->encoder, 0);
  double *a = calloc(n, sizeof *a), *b = calloc(n, sizeof *b), *c = calloc(n, sizeof *c);
  assert_true(a && b && c);
  see(l->encoder, image, 0, all_of(image), all_of(image), 1, a);
  see(l->encoder, image, 0, all_of(image), all_of(image), 1, b);
  see(l->encoder, image, 0, all_of(image), all_of(image), 2, c);
  assert_memory_equal(a, b, n * sizeof *a);
  assert_memory_not_equal(a, c, n * sizeof *a);
  free(a);
  free(b);
  free(c);
}

/* Small images teach the lower levels alone; those groups are left out of maps. */
static void test_small_images_have_fewer_groups(void **state) {
  (void)state;
  burl_image images[2] = {cloth(32, 45, 0), cloth(33, 32, 1)};
  burl_encoder *encoder;
  assert_int_equal(burl_texture_new(&encoder), BURL_OK);
  assert_int_equal(learn(encoder, images, 2), BURL_OK);
  burl_image large = cloth(128, 128, 2);
  maps m = encode(encoder, &large, all_of(&large));
  size_t present = 0;
  for (size_t g = 0; g < encoder->ops->groups; g++) {
    int there = encoder->ops->get_group(encoder, g).present;
    assert_int_equal(m.group[g].rows > 0, there);
    present += (size_t)there;
  }
  assert_true(present >= 2 && present < encoder->ops->groups);
  forget(encoder, &m);
  encoder->ops->free(encoder);
  burl_image_free(&large);
  burl_image_free(&images[0]);
  burl_image_free(&images[1]);
}

/* Whitening never takes what few images happen to share for a law of the cloth. */
static void test_few_images_do_not_make_others_strange(void **state) {
  (void)state;
  burl_image images[6];
  burl_encoder *encoder;
  for (size_t i = 0; i < 6; i++)
    images[i] = cloth(96, 96, i);
  burl_image other = cloth(96, 96, 70);
  assert_int_equal(burl_texture_new(&encoder), BURL_OK);
  assert_int_equal(learn(encoder, images, 6), BURL_OK);
  maps m = encode(encoder, &other, all_of(&other));
  for (size_t g = 0; g < encoder->ops->groups; g++) {
    double squares = 0.0;
    for (size_t i = 0; i < values_of(&m.group[g]); i++)
      squares += (double)m.group[g].data[i] * (double)m.group[g].data[i];
    if (!(squares <= 6.0 * (double)values_of(&m.group[g])))
      fail_msg("group %zu: mean square of other cloth's features %g", g,
               squares / (double)values_of(&m.group[g]));
  }
  forget(encoder, &m);
  encoder->ops->free(encoder);
  for (size_t i = 0; i < 6; i++)
    burl_image_free(&images[i]);
  burl_image_free(&other);
}

static void test_nothing_learned(void **state) {
  (void)state;
  burl_encoder *encoder;
  assert_int_equal(burl_texture_new(&encoder), BURL_OK);
  assert_int_equal(learn(encoder, NULL, 0), BURL_ERR_DATA);
  encoder->ops->free(encoder);
}

static void test_view(void **state) {
  const lab *l = *state;
  burl_image image = float_copy(&l->image[0], 3.0f, 1000.0f);
  float *values = image.data;
  size_t n = image.height * image.width;
  double sum = 0.0, squares = 0.0;
  for (size_t i = 0; i < n; i++)
    sum += (double)values[i];
  for (size_t i = 0; i < n; i++)
    squares += pow((double)values[i] - sum / (double)n, 2.0);
  burl_view view, before;
  assert_int_equal(burl_view_open(&view, &image), BURL_OK);
  assert_ptr_equal(view.image, &image);
  assert_true(fabs(view.mean - sum / (double)n) < 1e-6);
  assert_true(fabs(view.deviation - sqrt(squares / (double)n)) < 1e-6);
  before = view;
  for (int k = 0; k < 3; k++) {
    values[n - 1] = k == 0 ? NAN : k == 1 ? INFINITY : -INFINITY;
    assert_int_equal(burl_view_open(&view, &image), BURL_ERR_NUMERIC);
    assert_memory_equal(&view, &before, sizeof view);
  }
  burl_image_free(&image);
}

static void test_saved_encoder_is_the_same(void **state) {
  const lab *l = *state;
  tree folder;
  tree_make(&folder);
  const char *path = tree_path(&folder, "encoder.safetensors");
  burl_safetensors_writer *writer;
  assert_int_equal(burl_safetensors_writer_new(&writer), BURL_OK);
  assert_int_equal(l->encoder->ops->save(l->encoder, writer), BURL_OK);
  assert_int_equal(burl_safetensors_writer_save(writer, path, NULL), BURL_OK);
  burl_safetensors_writer_free(writer);
  burl_safetensors *saved;
  burl_encoder *loaded;
  assert_int_equal(burl_safetensors_load(&saved, path, NULL), BURL_OK);
  assert_int_equal(burl_texture_load(&loaded, saved, NULL), BURL_OK);
  burl_safetensors_free(saved);
  tree_remove(&folder);
  maps a = encode(l->encoder, &l->image[3], all_of(&l->image[3]));
  maps b = encode(loaded, &l->image[3], all_of(&l->image[3]));
  assert_same_maps(l, &a, &b, 0.0);
  forget(l->encoder, &a);
  forget(loaded, &b);
  loaded->ops->free(loaded);
}

static void test_without_memory(void **state) {
  const lab *l = *state;
  burl_encoder *encoder = NULL;
  fail_allocation_after(0);
  burl_status status = burl_texture_new(&encoder);
  stop_failing();
  assert_int_equal(status, BURL_ERR_MEMORY);
  assert_null(encoder);
  for (long i = 0;; i++) {
    fail_allocation_after(i);
    burl_encoder_workspace *workspace = l->encoder->ops->workspace_new(l->encoder, 64, 64);
    stop_failing();
    l->encoder->ops->workspace_free(workspace);
    assert_true(i < 5);
    if (workspace) break;
  }
}

/* Learning and encoding take their memory from the workspace. */
static void test_allocates_nothing(void **state) {
  const lab *l = *state;
  burl_encoder_workspace *workspace = l->encoder->ops->workspace_new(l->encoder, 160, 133);
  assert_non_null(workspace);
  double *statistics = calloc(l->encoder->ops->count_statistics(l->encoder, 1), sizeof *statistics);
  assert_non_null(statistics);
  burl_view view;
  burl_feature_map map[BURL_MAX_GROUPS];
  fail_allocation_after(-1);
  burl_status status = burl_view_open(&view, &l->image[0]);
  burl_lesson lesson = {.view = &view,
                        .core = all_of(&l->image[0]),
                        .region = all_of(&l->image[0]),
                        .seed = 1,
                        .key = 1};
  l->encoder->ops->encode(l->encoder, workspace, &view, lesson.region, map);
  l->encoder->ops->learn(l->encoder, workspace, 1, &lesson, statistics);
  long made = stop_failing();
  assert_int_equal(status, BURL_OK);
  assert_int_equal(made, 0);
  free(statistics);
  l->encoder->ops->workspace_free(workspace);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_grids),
      cmocka_unit_test(test_filters_are_orthogonal),
      cmocka_unit_test(test_features_are_white),
      cmocka_unit_test(test_light_does_not_matter),
      cmocka_unit_test(test_constant_image_is_finite),
      cmocka_unit_test(test_regions_equal_the_whole),
      cmocka_unit_test(test_statistics_are_additive),
      cmocka_unit_test(test_tiles_add_up_to_the_whole),
      cmocka_unit_test(test_patches_follow_the_key),
      cmocka_unit_test(test_small_images_have_fewer_groups),
      cmocka_unit_test(test_few_images_do_not_make_others_strange),
      cmocka_unit_test(test_nothing_learned),
      cmocka_unit_test(test_view),
      cmocka_unit_test(test_saved_encoder_is_the_same),
      cmocka_unit_test(test_without_memory),
      cmocka_unit_test(test_allocates_nothing),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
