/* Exemplars and explanations: what is kept is what a plain search over all patches finds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/safetensors.h"
#include "cloth_tree.h"
#include "failing.h"
#include "image/crop.h"
#include "image/resize.h"
#include "model/exemplar.h"

#include <math.h>

enum { IMAGES = 3, HEIGHT = 96, WIDTH = 72, K = 6, MOST = 4 * K };

typedef struct shop {
  tree tree;
  burl_model *model, *placed, *plain; /* plain: without a gallery */
} shop;

/* No patch is left out, and the sample has room for all. */
static burl_fit_options options_for(int threads) {
  burl_fit_options options = cloth_options(threads);
  options.bank.prototypes = K;
  options.bank.outliers = 0.0;
  options.bank.clean = 0.0;
  return options;
}

static burl_model *fit(tree *t, const burl_fit_options *options) {
  burl_dataset *dataset = tree_load(t, "good");
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
  cloth_fill(&s.tree, "good", IMAGES, HEIGHT, WIDTH);
  burl_fit_options options = options_for(1);
  s.model = fit(&s.tree, &options);
  options.gallery = 0;
  s.plain = fit(&s.tree, &options);
  options.gallery = 1;
  options.bank.spatial = BURL_SPATIAL_GRID;
  s.placed = fit(&s.tree, &options);
  *state = &s;
  return 0;
}

static int tear_down(void **state) {
  shop *s = *state;
  burl_model_free(s->model);
  burl_model_free(s->placed);
  burl_model_free(s->plain);
  tree_remove(&s->tree);
  return 0;
}

static burl_image load_image(const tree *t, size_t i) {
  char name[32];
  burl_image image = {0};
  snprintf(name, sizeof name, "good/%zu.png", i);
  assert_int_equal(burl_image_load(&image, tree_path(t, name), NULL), BURL_OK);
  return image;
}

/* All patches of an image in one region. */
typedef struct whole {
  burl_encoder_workspace *workspace;
  burl_view view;
  burl_feature_map maps[BURL_MAX_GROUPS];
} whole;

static void encode_whole(whole *w, const burl_model *model, const burl_image *image) {
  const burl_encoder *encoder = model->encoder;
  w->workspace = encoder->ops->workspace_new(encoder, image->height, image->width);
  assert_non_null(w->workspace);
  assert_int_equal(burl_view_open(&w->view, image), BURL_OK);
  encoder->ops->encode(encoder, w->workspace, &w->view,
                       (burl_rect){0, 0, image->height, image->width}, w->maps);
}

/* The mixed cost of burl/prototype.h, from the prototypes that everybody can see. */
static double plain_distance(const burl_model *model, size_t m, size_t k, const float *patch,
                             double y, double x) {
  const burl_bank *bank = model->bank[m];
  size_t d = burl_bank_get_dimension(bank);
  const float *p = burl_bank_get_prototypes(bank) + k * d;
  double w = burl_bank_get_positions(bank) ? model->options.bank.spatial_weight : 0.0, sum = 0.0;
  for (size_t t = 0; t < d; t++)
    sum += (double)(patch[t] - p[t]) * (double)(patch[t] - p[t]);
  sum *= (1.0 - w) / (double)d;
  if (w > 0.0) {
    const float *at = burl_bank_get_positions(bank) + 2 * k;
    double dy = y / HEIGHT - (double)at[0], dx = x / WIDTH - (double)at[1];
    sum += 6.0 * w * (dy * dy + dx * dx);
  }
  return sqrt(sum);
}

/* least (member, K) over the patches of all images; at[...] of the exemplar's own place. */
static void search_all(const shop *s, const burl_model *model, double least[MODEL_MEMBERS][MOST],
                       double at[MODEL_MEMBERS][MOST]) {
  for (size_t i = 0; i < IMAGES; i++) {
    burl_image image = load_image(&s->tree, i);
    char name[32];
    whole w;
    snprintf(name, sizeof name, "%zu.png", i);
    encode_whole(&w, model, &image);
    for (size_t m = 0; m < burl_model_get_member_count(model); m++) {
      const burl_feature_map *map = &w.maps[burl_member_group(m)];
      assert_true(!model->bank[m] || burl_bank_get_count(model->bank[m]) <= MOST);
      for (size_t k = 0; model->bank[m] && k < burl_bank_get_count(model->bank[m]); k++) {
        burl_exemplar e;
        burl_model_get_exemplar(model, m, k, &e);
        for (size_t c = 0; c < map->rows * map->cols; c++) {
          size_t y = c / map->cols * map->stride, x = c % map->cols * map->stride;
          double d = plain_distance(model, m, k, map->data + c * map->dim, (double)y, (double)x);
          if (d < least[m][k]) least[m][k] = d;
          if (strcmp(e.image, name) == 0 && e.y == y && e.x == x) at[m][k] = d;
        }
      }
    }
    model->encoder->ops->workspace_free(w.workspace);
    burl_image_free(&image);
  }
}

static void check_nearest(const shop *s, const burl_model *model, size_t members) {
  double least[MODEL_MEMBERS][MOST], at[MODEL_MEMBERS][MOST];
  size_t seen = 0;
  for (size_t i = 0; i < MODEL_MEMBERS * MOST; i++)
    least[i / MOST][i % MOST] = at[i / MOST][i % MOST] = 1e30;
  search_all(s, model, least, at);
  for (size_t m = 0; m < burl_model_get_member_count(model); m++) {
    burl_model_member member;
    burl_model_get_member(model, m, &member);
    seen += member.prototypes > 0;
    assert_true(member.prototypes <= MOST);
    for (size_t k = 0; k < member.prototypes; k++) {
      burl_exemplar e;
      burl_model_get_exemplar(model, m, k, &e);
      assert_float_equal((float)e.distance, (float)least[m][k], 1e-4f);
      assert_float_equal((float)at[m][k], (float)least[m][k], 1e-4f);
    }
  }
  assert_int_equal(seen, members);
}

static void test_exemplar_is_the_nearest_patch(void **state) {
  const shop *s = *state;
  assert_true(burl_model_has_gallery(s->model) && burl_model_has_gallery(s->placed));
  size_t members[2] = {0};
  for (size_t m = 0; m < MODEL_MEMBERS; m++) {
    members[0] += s->model->bank[m] != NULL;
    members[1] += s->placed->bank[m] != NULL && burl_member_is_local(m);
  }
  assert_true(members[0] >= 4 && members[1] >= 4);
  check_nearest(s, s->model, members[0]);
  check_nearest(s, s->placed, members[1]);
}

static void check_thumb(const shop *s, const burl_exemplar *e, size_t field) {
  char name[64];
  burl_image image = {0}, crop, small;
  snprintf(name, sizeof name, "good/%s", e->image);
  assert_int_equal(burl_image_load(&image, tree_path(&s->tree, name), NULL), BURL_OK);
  assert_int_equal(e->side, field < WIDTH ? field : WIDTH);
  burl_rect r = burl_rect_around(HEIGHT, WIDTH, e->y, e->x, e->side);
  assert_true(r.y <= e->y && e->y < r.y + r.height && r.y + r.height <= HEIGHT);
  assert_true(r.x <= e->x && e->x < r.x + r.width && r.x + r.width <= WIDTH);
  assert_int_equal(burl_image_crop(&crop, &image, r), BURL_OK);
  assert_int_equal(burl_image_shrink(&small, &crop, 1, BURL_EXEMPLAR_SIDE), BURL_OK);
  assert_int_equal(small.height, e->thumb);
  assert_memory_equal(small.data, e->pixels, e->thumb * e->thumb);
  if (image.channels == 1 && e->side == e->thumb) /* nothing is shrunk: the pixels themselves */
    for (size_t y = 0; y < e->side; y++)
      assert_memory_equal(e->pixels + y * e->side,
                          (const uint8_t *)image.data + (r.y + y) * WIDTH + r.x, e->side);
  burl_image_free(&small);
  burl_image_free(&crop);
  burl_image_free(&image);
}

static void test_thumb_is_the_crop(void **state) {
  const shop *s = *state;
  for (size_t m = 0; m < burl_model_get_member_count(s->placed); m++) {
    burl_model_member member;
    burl_model_get_member(s->placed, m, &member);
    for (size_t k = 0; k < member.prototypes; k++) {
      burl_exemplar e;
      burl_model_get_exemplar(s->placed, m, k, &e);
      check_thumb(s, &e, member.field);
    }
  }
}

/* Cropping about every kind of place. */
static void test_squares_stay_inside(void **state) {
  (void)state;
  burl_rect r = burl_rect_around(40, 60, 0, 59, 13);
  assert_true(r.y == 0 && r.x == 47 && r.height == 13 && r.width == 13);
  r = burl_rect_around(40, 60, 20, 30, 13);
  assert_true(r.y == 14 && r.x == 24);
  r = burl_rect_around(40, 60, 39, 0, 100);
  assert_true(r.y == 0 && r.x == 0 && r.height == 40 && r.width == 40);
}

static void test_same_bytes_for_any_threads(void **state) {
  shop *s = *state;
  size_t size, again, plain_size;
  unsigned char *one = model_bytes(&s->tree, s->model, &size);
  burl_fit_options options = options_for(2);
  burl_model *other = fit(&s->tree, &options);
  unsigned char *two = model_bytes(&s->tree, other, &again);
  unsigned char *plain = model_bytes(&s->tree, s->plain, &plain_size);
  assert_int_equal(size, again);
  assert_memory_equal(one, two, size);
  assert_true(plain_size < size);
  burl_model_free(other);
  free(one);
  free(two);
  free(plain);
}

static void test_without_a_gallery(void **state) {
  shop *s = *state;
  assert_false(burl_model_has_gallery(s->plain));
  burl_image image = cloth_draw(HEIGHT, WIDTH, BURL_DEFECT_STAIN, 50);
  double a, b;
  float *with = cloth_score(s->model, &image, 1, &a),
        *without = cloth_score(s->plain, &image, 1, &b);
  assert_memory_equal(with, without, HEIGHT * WIDTH * sizeof *with);
  const char *path = tree_path(&s->tree, "plain.burl");
  burl_model *loaded = NULL;
  assert_int_equal(burl_model_save(s->plain, path, NULL), BURL_OK);
  assert_int_equal(burl_model_load(&loaded, path, NULL), BURL_OK);
  assert_false(burl_model_has_gallery(loaded));
  burl_model_free(loaded);
  free(with);
  free(without);
  burl_image_free(&image);
}

static void test_loaded_gallery_is_the_saved_one(void **state) {
  shop *s = *state;
  const char *path = tree_path(&s->tree, "placed.burl");
  burl_model *loaded = NULL;
  assert_int_equal(burl_model_save(s->placed, path, NULL), BURL_OK);
  assert_int_equal(burl_model_load(&loaded, path, NULL), BURL_OK);
  assert_true(burl_model_has_gallery(loaded));
  for (size_t m = 0; m < burl_model_get_member_count(loaded); m++)
    for (size_t k = 0; k < (loaded->bank[m] ? burl_bank_get_count(loaded->bank[m]) : 0); k++) {
      burl_exemplar a, b;
      burl_model_get_exemplar(s->placed, m, k, &a);
      burl_model_get_exemplar(loaded, m, k, &b);
      assert_string_equal(a.image, b.image);
      assert_true(a.y == b.y && a.x == b.x && a.side == b.side && a.distance == b.distance);
      assert_int_equal(a.thumb, b.thumb);
      assert_memory_equal(a.pixels, b.pixels, a.thumb * a.thumb);
    }
  burl_model_free(loaded);
}

/* Allocations of the last stage fail one after the other. */
static void test_fit_without_memory(void **state) {
  shop *s = *state;
  burl_fit_options options = options_for(1);
  burl_dataset *dataset = tree_load(&s->tree, "good");
  burl_model *model = NULL;
  fail_allocation_after(-1);
  assert_int_equal(burl_model_fit(&model, NULL, dataset, &options, NULL, NULL), BURL_OK);
  long all = stop_failing();
  burl_model_free(model);
  options.gallery = 0;
  fail_allocation_after(-1);
  assert_int_equal(burl_model_fit(&model, NULL, dataset, &options, NULL, NULL), BURL_OK);
  long without = stop_failing();
  burl_model_free(model);
  assert_true(all > without + 30);
  options.gallery = 1;
  for (long i = all - (all - without) - 20; i < all; i += 1 + (all - without) / 20) {
    burl_diag diag = {0};
    model = NULL;
    fail_allocation_after(i);
    burl_status status = burl_model_fit(&model, NULL, dataset, &options, NULL, &diag);
    stop_failing();
    if (status != BURL_ERR_MEMORY) fail_msg("%ld of %ld: %s", i, all, diag.reason);
    assert_int_equal(diag.status, BURL_ERR_MEMORY);
    assert_null(model);
  }
  burl_dataset_free(dataset);
}

/* A copy of a model file with one tensor dropped, cut to `rows`, or with a value in place. */
typedef struct change {
  const char *tensor;
  enum { DROP, CUT, PUT } how;
  size_t index; /* bytes, of PUT */
  uint32_t word;
  size_t size; /* bytes that are put */
} change;

static void put_changed(burl_safetensors_writer *writer, const burl_tensor *t, const change *c,
                        unsigned char *room) {
  size_t shape[BURL_TENSOR_MAX_RANK];
  memcpy(shape, t->shape, sizeof shape);
  memcpy(room, t->data, t->size);
  if (c->how == DROP) return;
  if (c->how == CUT) shape[t->rank - 1]--;
  if (c->how == PUT) memcpy(room + c->index, &c->word, c->size);
  burl_safetensors_writer_add_tensor(writer, t->name, t->dtype, shape, t->rank, room);
}

static burl_status load_changed(const shop *s, const change *c) {
  const char *from = tree_path(&s->tree, "from.burl"), *to = tree_path(&s->tree, "to.burl");
  static const char *const keys[] = {"burl.format", "burl.version", "burl.model"};
  burl_safetensors *file;
  burl_safetensors_writer *writer;
  unsigned char *room = malloc(1 << 20);
  int found = 0;
  assert_non_null(room);
  assert_int_equal(burl_model_save(s->model, from, NULL), BURL_OK);
  assert_int_equal(burl_safetensors_load(&file, from, NULL), BURL_OK);
  assert_int_equal(burl_safetensors_writer_new(&writer), BURL_OK);
  for (size_t i = 0; i < 3; i++)
    burl_safetensors_writer_add_metadata(writer, keys[i],
                                         burl_safetensors_get_metadata(file, keys[i]));
  for (size_t i = 0; i < burl_safetensors_get_count(file); i++) {
    const burl_tensor *t = burl_safetensors_get_tensor(file, i);
    int mine = strcmp(t->name, c->tensor) == 0;
    found |= mine;
    assert_true(!mine || t->size <= 1 << 20);
    if (mine)
      put_changed(writer, t, c, room);
    else
      burl_safetensors_writer_add_tensor(writer, t->name, t->dtype, t->shape, t->rank, t->data);
  }
  if (!found) fail_msg("there is no tensor %s", c->tensor);
  burl_safetensors_writer_add_checksum(writer);
  assert_int_equal(burl_safetensors_writer_save(writer, to, NULL), BURL_OK);
  burl_safetensors_writer_free(writer);
  burl_safetensors_free(file);
  free(room);
  burl_model *model = NULL;
  burl_diag diag = {0};
  burl_status status = burl_model_load(&model, to, &diag);
  assert_true((status == BURL_OK) == (model != NULL));
  if (status != BURL_OK) assert_true(diag.reason[0] && strcmp(diag.path, to) == 0);
  burl_model_free(model);
  return status;
}

static void test_bad_galleries(void **state) {
  enum { IMAGE, Y = 4, X = 8, SIDE = 12 }; /* bytes into a place */
  static const change changes[] = {
      {.tensor = "gallery.level0.thumbs", .how = DROP},
      {.tensor = "gallery.level0.thumbs", .how = CUT},
      {.tensor = "gallery.level1.place", .how = DROP},
      {.tensor = "gallery.level1.place", .how = CUT},
      {.tensor = "gallery.fine.distance", .how = DROP},
      {.tensor = "gallery.fine.distance", .how = CUT},
      {.tensor = "gallery.fine.place", .how = PUT, .index = IMAGE, .word = IMAGES, .size = 4},
      {.tensor = "gallery.fine.place", .how = PUT, .index = Y, .word = 1u << 20, .size = 4},
      {.tensor = "gallery.fine.place", .how = PUT, .index = X, .word = UINT32_MAX, .size = 4},
      {.tensor = "gallery.fine.place", .how = PUT, .index = SIDE, .word = 0, .size = 4},
      {.tensor = "gallery.fine.place", .how = PUT, .index = SIDE, .word = 1u << 21, .size = 4},
      {.tensor = "gallery.fine.distance", .how = PUT, .word = 0xBF800000u, .size = 4}, /* -1 */
      {.tensor = "gallery.names", .how = CUT}, /* the last NUL */
  };
  const shop *s = *state;
  assert_int_equal(
      load_changed(s, &(change){.tensor = "gallery.fine.place", .how = PUT, .size = 0}), BURL_OK);
  for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
    if (load_changed(s, &changes[i]) != BURL_ERR_FORMAT)
      fail_msg("change %zu of %s was taken", i, changes[i].tensor);
  change nan = {.tensor = "gallery.fine.distance", .how = PUT, .word = 0x7FC00000u, .size = 4};
  assert_int_equal(load_changed(s, &nan), BURL_ERR_NUMERIC);
  /* without the names there is no gallery, which is fine */
  assert_int_equal(load_changed(s, &(change){.tensor = "gallery.names", .how = DROP}), BURL_OK);
}

static void check_explanation(const burl_model *model, const whole *w, const burl_explanation *e) {
  const burl_feature_map *map = &w->maps[burl_member_group(e->member)];
  if (map->rows == 0) {
    for (size_t i = 0; i < e->rows * e->cols; i++)
      assert_true(e->nearest[i] == BURL_NO_PROTOTYPE && isnan(e->distance[i]));
    return;
  }
  assert_true(e->rows == map->rows && e->cols == map->cols);
  for (size_t c = 0; c < e->rows * e->cols; c++) {
    float position[2], distance;
    uint32_t nearest;
    burl_view_place(position, &w->view, BURL_SPATIAL_GRID, c / e->cols * map->stride,
                    c % e->cols * map->stride);
    burl_bank_score(model->bank[e->member], &distance, &nearest, map->data + c * map->dim, position,
                    1);
    /* tiles see the same but for rounding: another prototype is one as near */
    assert_float_equal(distance, e->distance[c], 1e-4f);
    assert_true(nearest == e->nearest[c] || fabsf(distance - e->distance[c]) < 1e-4f);
  }
}

static size_t open_all(burl_explanation *e, const burl_model *model, const burl_image *image) {
  size_t count = 0;
  for (size_t m = 0; m < burl_model_get_member_count(model); m++)
    if (model->bank[m])
      assert_int_equal(burl_explanation_new(&e[count++], model, m, image->height, image->width),
                       BURL_OK);
  return count;
}

/* Whole images and tiled ones, for one thread and several. */
static void test_explanations(void **state) {
  const shop *s = *state;
  static const size_t sizes[][2] = {{HEIGHT, WIDTH}, {33, 32}, {1400, 40}};
  for (size_t i = 0; i < 3; i++) {
    burl_image image = cloth_draw(sizes[i][0], sizes[i][1], BURL_DEFECT_STAIN, 60 + i);
    burl_explanation one[MODEL_MEMBERS], two[MODEL_MEMBERS];
    size_t count = open_all(one, s->placed, &image);
    open_all(two, s->placed, &image);
    burl_scorer *scorer;
    whole w;
    for (int threads = 1; threads <= 2; threads++) {
      assert_int_equal(burl_scorer_new(&scorer, s->placed, threads), BURL_OK);
      assert_int_equal(burl_scorer_explain(scorer, threads == 1 ? one : two, count, &image, NULL),
                       BURL_OK);
      burl_scorer_free(scorer);
    }
    encode_whole(&w, s->placed, &image);
    for (size_t m = 0; m < count; m++) {
      size_t cells = one[m].rows * one[m].cols;
      check_explanation(s->placed, &w, &one[m]);
      assert_memory_equal(one[m].nearest, two[m].nearest, cells * sizeof *one[m].nearest);
      assert_memory_equal(one[m].distance, two[m].distance, cells * sizeof *one[m].distance);
      burl_explanation_free(&one[m]);
      burl_explanation_free(&two[m]);
    }
    s->placed->encoder->ops->workspace_free(w.workspace);
    burl_image_free(&image);
  }
}

/* The patch that is named lies at the pixel, and its distance is the one that explains it. */
static void test_reasons(void **state) {
  const shop *s = *state;
  burl_image image = cloth_draw(1400, 48, BURL_DEFECT_STAIN, 61);
  burl_scorer *scorer;
  burl_explanation e;
  burl_reason reason;
  size_t y = 1203, x = 17;
  assert_int_equal(burl_scorer_new(&scorer, s->model, 2), BURL_OK);
  assert_int_equal(burl_scorer_find_reason(scorer, &reason, &image, y, x, NULL), BURL_OK);
  burl_model_member member;
  burl_model_get_member(s->model, reason.member, &member);
  assert_true(reason.prototype < member.prototypes);
  assert_true(reason.y + member.stride >= y && reason.y <= y + member.stride);
  assert_true(reason.x + member.stride >= x && reason.x <= x + member.stride);
  assert_true(reason.y % member.stride == 0 && reason.x % member.stride == 0);
  assert_int_equal(burl_explanation_new(&e, s->model, reason.member, 1400, 48), BURL_OK);
  assert_int_equal(burl_scorer_explain(scorer, &e, 1, &image, NULL), BURL_OK);
  size_t cell = reason.y / member.stride * e.cols + reason.x / member.stride;
  assert_int_equal(e.nearest[cell], reason.prototype);
  assert_true((double)e.distance[cell] == reason.distance);
  burl_explanation_free(&e);
  burl_scorer_free(scorer);
  burl_image_free(&image);
}

static void test_bad_questions(void **state) {
  const shop *s = *state;
  burl_image image = cloth_draw(HEIGHT, WIDTH, BURL_DEFECT_NONE, 7);
  burl_image small = cloth_draw(32, 32, BURL_DEFECT_NONE, 7);
  small.height = 31;
  burl_scorer *scorer;
  burl_explanation e, none = {.member = 1, .rows = 1, .cols = 1};
  burl_reason reason;
  burl_diag diag = {0};
  assert_int_equal(burl_scorer_new(&scorer, s->model, 1), BURL_OK);
  assert_int_equal(burl_explanation_new(&none, s->model, 1, 64, 64), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_explanation_new(&none, s->model, 99, 64, 64), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_scorer_explain(scorer, &none, 1, &image, &diag), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_explanation_new(&e, s->model, 0, 64, 64), BURL_OK);
  assert_int_equal(burl_scorer_explain(scorer, &e, 1, &image, &diag), BURL_ERR_ARGUMENT);
  assert_true(diag.reason[0] != '\0');
  burl_explanation_free(&e);
  assert_int_equal(burl_explanation_new(&e, s->model, 0, 31, 32), BURL_OK);
  assert_int_equal(burl_scorer_explain(scorer, &e, 1, &small, NULL), BURL_ERR_SIZE);
  burl_explanation_free(&e);
  assert_int_equal(burl_scorer_find_reason(scorer, &reason, &small, 0, 0, NULL), BURL_ERR_SIZE);
  assert_int_equal(burl_scorer_find_reason(scorer, &reason, &image, HEIGHT, 0, NULL),
                   BURL_ERR_ARGUMENT);
  for (long i = 0; i < 2; i++) {
    fail_allocation_after(i);
    assert_int_equal(burl_explanation_new(&none, s->model, 0, 64, 64), BURL_ERR_MEMORY);
    stop_failing();
  }
  assert_int_equal(none.rows, 1);
  burl_scorer_free(scorer);
  burl_image_free(&image);
  burl_image_free(&small);
}

static void test_explanation_as_a_file(void **state) {
  const shop *s = *state;
  uint32_t nearest[6] = {0, 1, 513, BURL_NO_PROTOTYPE, 70000, 5};
  burl_explanation e = {.rows = 2, .cols = 3, .nearest = nearest};
  const char *path = tree_path(&s->tree, "map.npy");
  size_t size;
  assert_int_equal(burl_explanation_save_npy(&e, path, NULL), BURL_OK);
  unsigned char *bytes = file_bytes(path, &size);
  assert_int_equal(size, 128 + 24);
  bytes[127] = '\0';
  assert_non_null(strstr((const char *)bytes + 10, "'descr': '<u4'"));
  assert_non_null(strstr((const char *)bytes + 10, "(2, 3)"));
  assert_memory_equal(bytes + 128 + 8, "\x01\x02\0\0\xff\xff\xff\xff", 8);
  free(bytes);
  e.cols = 0;
  assert_int_equal(burl_explanation_save_npy(&e, path, NULL), BURL_ERR_ARGUMENT);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_exemplar_is_the_nearest_patch),
      cmocka_unit_test(test_thumb_is_the_crop),
      cmocka_unit_test(test_squares_stay_inside),
      cmocka_unit_test(test_same_bytes_for_any_threads),
      cmocka_unit_test(test_without_a_gallery),
      cmocka_unit_test(test_loaded_gallery_is_the_saved_one),
      cmocka_unit_test(test_fit_without_memory),
      cmocka_unit_test(test_bad_galleries),
      cmocka_unit_test(test_explanations),
      cmocka_unit_test(test_reasons),
      cmocka_unit_test(test_bad_questions),
      cmocka_unit_test(test_explanation_as_a_file),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
