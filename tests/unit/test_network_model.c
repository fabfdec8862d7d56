/* Models with a pretrained network: fitted alone and fused, saved, and found again only with the
 * weights they were fitted with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cloth_tree.h"
#include "encode/fused.h"
#include "failing.h"
#include "model/model_encoders.h"
#include "network_case.h"
#include <burl/model_embed.h>
#include <unistd.h>

enum { SIDE = 96, GOOD = 6 };

typedef struct shop {
  tree t;
  char weights[256], others[256]; /* two files of weights of a small network */
  char alone[300], both[320];     /* as encoders are named */
} shop;

/* The tensors net.NAME of a golden file as a file of weights; one value changed by `change`. */
static void write_weights(const char *to, float change) {
  network_case c = network_open(GOLDEN "resnet_basic.safetensors");
  burl_safetensors_writer *writer;
  float bias[5];
  assert_int_equal(burl_safetensors_writer_new(&writer), BURL_OK);
  for (size_t i = 0; i < burl_safetensors_get_count(c.file); i++) {
    const burl_tensor *t = burl_safetensors_get_tensor(c.file, i);
    const void *data = t->data;
    if (strncmp(t->name, "net.", 4) != 0) continue;
    if (strcmp(t->name, "net.bn1.bias") == 0) {
      memcpy(bias, data, sizeof bias);
      bias[0] += change;
      data = bias;
    }
    burl_safetensors_writer_add_tensor(writer, t->name + 4, t->dtype, t->shape, t->rank, data);
  }
  assert_int_equal(burl_safetensors_writer_save(writer, to, NULL), BURL_OK);
  burl_safetensors_writer_free(writer);
  network_close(&c);
}

static int set_up(void **state) {
  static shop s;
  tree_make(&s.t);
  cloth_fill(&s.t, "set/train/good", GOOD, SIDE, SIDE);
  snprintf(s.weights, sizeof s.weights, "%s", tree_path(&s.t, "net.safetensors"));
  snprintf(s.others, sizeof s.others, "%s", tree_path(&s.t, "other.safetensors"));
  write_weights(s.weights, 0.0f);
  write_weights(s.others, 0.5f);
  snprintf(s.alone, sizeof s.alone, "resnet18:%s", s.weights);
  snprintf(s.both, sizeof s.both, "resnet18:%s,texture", s.weights);
  *state = &s;
  return 0;
}

static int tear_down(void **state) {
  shop *s = *state;
  tree_remove(&s->t);
  return 0;
}

static void threads_do_not_matter(void **state) {
  shop *s = *state;
  burl_image image = cloth_draw(SIDE, SIDE + 13, BURL_DEFECT_HOLE, 77);
  for (int fused = 0; fused < 2; fused++) {
    unsigned char *bytes[2];
    float *heat[2];
    size_t size[2];
    double score[2];
    for (int i = 0; i < 2; i++) {
      burl_fit_options options = cloth_options(1 + i);
      options.encoder = fused ? s->both : s->alone;
      options.bank.outliers = 0.02; /* with rounds against outliers */
      burl_model *model = cloth_fit_by(&s->t, "set", &options);
      burl_model_info info;
      burl_model_get_info(model, &info);
      assert_string_equal(info.encoder, fused ? "texture,resnet18" : "resnet18");
      assert_int_equal(info.groups, fused ? 7 : 1);
      bytes[i] = model_bytes(&s->t, model, &size[i]);
      heat[i] = cloth_score(model, &image, 1 + i, &score[i]);
      burl_model_free(model);
    }
    assert_int_equal(size[0], size[1]);
    assert_memory_equal(bytes[0], bytes[1], size[0]);
    assert_memory_equal(heat[0], heat[1], image.height * image.width * sizeof(float));
    assert_true(score[0] > 0.0); /* a hole is seen, by weights of no meaning */
    for (int i = 0; i < 2; i++)
      free(bytes[i]), free(heat[i]);
  }
  burl_image_free(&image);
}

/* Each part of a fused model has deviation 1 on held-out good images, so it counts as much as the
 * other on the images it was fitted on, about. */
static void parts_count_alike(void **state) {
  shop *s = *state;
  burl_fit_options options = cloth_options(1);
  options.encoder = s->both;
  burl_model *model = cloth_fit_by(&s->t, "set", &options);
  tile_worker worker;
  double squares[2] = {0.0, 0.0};
  assert_int_equal(burl_fused_count(model->encoder), 2);
  assert_int_equal(burl_tile_worker_open(&worker, model->encoder), BURL_OK);
  for (size_t i = 0; i < GOOD; i++) {
    burl_image image = cloth_draw(SIDE, SIDE, BURL_DEFECT_NONE, 100 + i);
    burl_view view;
    burl_rect all = {0, 0, SIDE, SIDE};
    assert_int_equal(burl_view_open(&view, &image), BURL_OK);
    burl_tile_encode(&worker, &view, all);
    for (size_t p = 0; p < 2; p++) {
      size_t first = p ? 12 : 0, end = p ? 14 : 12;
      burl_heat_grid grid =
          burl_tile_add_up(&worker, model->bank, model->scale, &view, all, first, end);
      for (size_t k = 0; k < grid.rows * grid.cols; k++)
        squares[p] += (double)grid.data[k] * (double)grid.data[k];
    }
    burl_image_free(&image);
  }
  assert_true(squares[0] / squares[1] > 0.2 && squares[0] / squares[1] < 5.0);
  burl_tile_worker_close(&worker);
  burl_model_free(model);
}

static void refuse(const shop *s, const char *path, const char *encoder, burl_status expected,
                   const char *word) {
  burl_model *model = NULL;
  burl_diag diag = {0};
  (void)s;
  assert_int_equal(burl_model_load_with(&model, path, encoder, &diag), expected);
  assert_null(model);
  if (!strstr(diag.reason, word) && !strstr(diag.hint, word))
    fail_msg("\"%s. %s\" lacks \"%s\"", diag.reason, diag.hint, word);
}

static void wants_the_same_weights(void **state) {
  shop *s = *state;
  char path[256], moved[256], given[300], back[256];
  burl_fit_options options = cloth_options(1);
  burl_model *model, *loaded = NULL;
  options.encoder = s->alone;
  model = cloth_fit_by(&s->t, "set", &options);
  snprintf(path, sizeof path, "%s", tree_path(&s->t, "n.burl"));
  assert_int_equal(burl_model_save(model, path, NULL), BURL_OK);
  burl_model_free(model);
  assert_int_equal(burl_model_load(&loaded, path, NULL), BURL_OK);
  burl_model_free(loaded);
  snprintf(given, sizeof given, "resnet18:%s", s->others);
  refuse(s, path, given, BURL_ERR_DATA, "holds other weights of resnet18");
  refuse(s, path, "resnet18", BURL_ERR_ARGUMENT, "without the file");
  tree_folders(&s->t, "away/net.safetensors");
  snprintf(moved, sizeof moved, "%s", tree_path(&s->t, "away/net.safetensors"));
  snprintf(back, sizeof back, "%s", s->weights);
  assert_int_equal(rename(s->weights, moved), 0);
  refuse(s, path, NULL, BURL_ERR_IO, "--encoder resnet18:FILE");
  snprintf(given, sizeof given, "texture,resnet18:%s", moved);
  assert_int_equal(burl_model_load_with(&loaded, path, given, NULL), BURL_OK);
  burl_model_free(loaded);
  char beside[256];
  snprintf(beside, sizeof beside, "%s", tree_path(&s->t, "away/n.burl"));
  assert_int_equal(rename(path, beside), 0); /* a file of that name beside the model */
  assert_int_equal(burl_model_load(&loaded, beside, NULL), BURL_OK);
  burl_model_free(loaded);
  assert_int_equal(rename(moved, back), 0);
}

static void weights_can_be_embedded(void **state) {
  shop *s = *state;
  burl_fit_options options = cloth_options(1);
  options.encoder = s->both;
  options.embed_encoder = 1;
  burl_image image = cloth_draw(SIDE, SIDE, BURL_DEFECT_STAIN, 5);
  burl_model *model = cloth_fit_by(&s->t, "set", &options), *loaded = NULL;
  burl_diag diag = {0};
  char path[256];
  double before, after;
  snprintf(path, sizeof path, "%s", tree_path(&s->t, "e.burl"));
  assert_int_equal(burl_model_save(model, path, NULL), BURL_OK);
  assert_int_equal(rename(s->weights, tree_path(&s->t, "gone")), 0);
  if (burl_model_load(&loaded, path, &diag) != BURL_OK) fail_msg("%s", diag.reason);
  assert_int_equal(rename(tree_path(&s->t, "gone"), s->weights), 0);
  float *heat = cloth_score(model, &image, 1, &before);
  float *again = cloth_score(loaded, &image, 1, &after);
  assert_memory_equal(heat, again, SIDE * SIDE * sizeof *heat);
  assert_true(before == after);
  free(heat);
  free(again);
  burl_model_free(model);
  burl_model_free(loaded);
  burl_image_free(&image);
}

static void whole_images_by_layers(void **state) {
  shop *s = *state;
  burl_fit_options options = cloth_options(1);
  options.encoder = s->alone;
  options.bank.method = BURL_METHOD_PRADOT;
  options.bank.pradot.side = 64;
  options.bank.pradot.epochs = 2;
  options.bank.pradot.per_cell = 1.0;
  burl_model *model = cloth_fit_by(&s->t, "set", &options);
  burl_model_info info;
  burl_model_group group;
  burl_model_get_info(model, &info);
  assert_int_equal(info.groups, 2);
  burl_model_get_group(model, 1, &group);
  assert_string_equal(group.name, "resnet18.3");
  assert_int_equal(group.stride, 16);
  assert_true(group.prototypes > 0 && group.local > 0);
  burl_model_free(model);
}

static void bad_lists_and_files(void **state) {
  shop *s = *state;
  static const struct {
    const char *encoder, *layers;
    burl_status status;
  } cases[] = {{"resnet18:nowhere.safetensors", NULL, BURL_ERR_IO},
               {"resnet18", NULL, BURL_ERR_ARGUMENT},
               {"resnet50:%s", NULL, BURL_ERR_FORMAT},
               {"resnet18:%s", "3,2", BURL_ERR_ARGUMENT}};
  burl_dataset *dataset = tree_load(&s->t, "set");
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char list[400];
    burl_fit_options options = cloth_options(1);
    burl_model *model = NULL;
    burl_diag diag = {0};
    const char *percent = strchr(cases[i].encoder, '%');
    snprintf(list, sizeof list, "%.*s%s", (int)(percent ? percent - cases[i].encoder : 300),
             cases[i].encoder, percent ? s->weights : "");
    options.encoder = list;
    options.layers = cases[i].layers;
    assert_int_equal(burl_model_fit(&model, NULL, dataset, &options, NULL, &diag), cases[i].status);
    assert_int_equal(diag.status, cases[i].status);
    assert_null(model);
  }
  burl_dataset_free(dataset);
}

/* Texture has six groups, four layers apart of two networks eight: more than there may be. */
static void too_many_groups_are_refused(void **state) {
  shop *s = *state;
  char list[600];
  burl_fit_options options = cloth_options(1);
  burl_dataset *dataset = tree_load(&s->t, "set");
  burl_model *model = NULL;
  burl_diag diag = {0};
  snprintf(list, sizeof list, "texture,resnet18:%s,resnet18:%s", s->weights, s->weights);
  options.encoder = list;
  assert_int_equal(burl_model_fit(&model, NULL, dataset, &options, NULL, &diag),
                   BURL_ERR_ARGUMENT); /* one network twice */
  burl_encoder *part[BURL_MAX_PARTS], *fused = NULL;
  size_t count;
  options.encoder = s->both;
  options.layers = "1,2,3,4";
  options.bank.method = BURL_METHOD_PRADOT; /* layers apart */
  assert_int_equal(burl_encoders_open(part, &count, &options, &diag), BURL_OK);
  burl_encoder *many[] = {part[0], part[1], part[1]};
  assert_int_equal(burl_fused_new(&fused, many, 3), BURL_ERR_ARGUMENT);
  assert_null(fused);
  for (size_t p = 0; p < count; p++)
    part[p]->ops->free(part[p]);
  burl_dataset_free(dataset);
}

/* By tiles or whole the same, up to rounding; a part of the image alone is not asked for. */
static void embeds_images(void **state) {
  shop *s = *state;
  burl_embedder *embedder = NULL;
  burl_diag diag = {0};
  size_t shape[3];
  burl_image image = cloth_draw(90, 200, BURL_DEFECT_NONE, 3), small = cloth_draw(32, 32, 0, 1);
  assert_int_equal(burl_embedder_new(&embedder, NULL, s->both, NULL, &diag), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_embedder_new(&embedder, NULL, s->alone, "1,2", &diag), BURL_OK);
  assert_int_equal(burl_embedder_get_count(embedder), 1);
  assert_string_equal(burl_embedder_get_name(embedder, 0), "resnet18");
  burl_embedder_get_shape(embedder, shape, 0, &image);
  assert_int_equal(shape[0], 23);
  assert_int_equal(shape[1], 50);
  assert_int_equal(shape[2], 11);
  size_t n = shape[0] * shape[1] * shape[2];
  float *values = malloc(n * sizeof *values);
  assert_non_null(values);
  fail_allocation_after(0);
  burl_status status = burl_embedder_embed(embedder, values, 0, &image, NULL);
  assert_int_equal(stop_failing(), 0);
  assert_int_equal(status, BURL_OK);
  double sum = 0.0;
  for (size_t i = 0; i < n; i++)
    assert_true(isfinite(values[i])), sum += fabs((double)values[i]);
  assert_true(sum > 0.0);
  assert_int_equal(burl_embedding_save_npy(values, shape, tree_path(&s->t, "x.npy"), NULL),
                   BURL_OK);
  small.height = 20;
  assert_int_equal(burl_embedder_embed(embedder, values, 0, &small, &diag), BURL_ERR_SIZE);
  small.height = 32;
  free(values);
  burl_embedder_free(embedder);
  burl_image_free(&image);
  burl_image_free(&small);
}

static void every_allocation_may_fail(void **state) {
  shop *s = *state;
  burl_fit_options options = cloth_options(1);
  options.encoder = s->both;
  burl_encoder *parts[BURL_MAX_PARTS];
  for (long i = 0;; i += 3) {
    size_t count = 0;
    fail_allocation_after(i);
    burl_status status = burl_encoders_open(parts, &count, &options, NULL);
    stop_failing();
    if (status != BURL_OK) {
      assert_int_equal(status, BURL_ERR_MEMORY);
      continue;
    }
    burl_encoder *fused;
    assert_int_equal(count, 2);
    fail_allocation_after(0);
    status = burl_fused_new(&fused, parts, count);
    stop_failing();
    assert_int_equal(status, BURL_ERR_MEMORY);
    assert_int_equal(burl_fused_new(&fused, parts, count), BURL_OK);
    for (long k = 0;; k++) {
      fail_allocation_after(k);
      burl_encoder_workspace *w = fused->ops->workspace_new(fused, 64, 64);
      stop_failing();
      if (!w) continue;
      fused->ops->workspace_free(w);
      break;
    }
    fused->ops->free(fused);
    break;
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(threads_do_not_matter),
      cmocka_unit_test(parts_count_alike),
      cmocka_unit_test(wants_the_same_weights),
      cmocka_unit_test(weights_can_be_embedded),
      cmocka_unit_test(whole_images_by_layers),
      cmocka_unit_test(bad_lists_and_files),
      cmocka_unit_test(embeds_images),
      cmocka_unit_test(too_many_groups_are_refused),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
