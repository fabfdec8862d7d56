/* Models as files: what was saved is what is loaded, to the bit, and nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/safetensors.h"
#include "cloth_tree.h"
#include "failing.h"
#include <math.h>

typedef struct shop {
  tree tree;
  burl_model *model, *spatial;
} shop;

static int set_up(void **state) {
  static shop s;
  burl_blas_set_threads(1);
  tree_make(&s.tree);
  cloth_fill(&s.tree, "good", 3, 64, 64);
  burl_dataset *dataset = tree_load(&s.tree, "good");
  burl_fit_options options = cloth_options(1);
  options.bank.prototypes = 4;
  options.bank.seed = UINT64_MAX;
  assert_int_equal(burl_model_fit(&s.model, NULL, dataset, &options, NULL, NULL), BURL_OK);
  options.bank.spatial = BURL_SPATIAL_GRID;
  options.bank.spatial_weight = 0.25;
  assert_int_equal(burl_model_fit(&s.spatial, NULL, dataset, &options, NULL, NULL), BURL_OK);
  burl_dataset_free(dataset);
  assert_int_equal(burl_model_save(s.model, tree_path(&s.tree, "good.burl"), NULL), BURL_OK);
  *state = &s;
  return 0;
}

static int tear_down(void **state) {
  shop *s = *state;
  burl_model_free(s->model);
  burl_model_free(s->spatial);
  tree_remove(&s->tree);
  return 0;
}

static burl_model *load(const char *path) {
  burl_model *model = NULL;
  burl_diag diag = {0};
  burl_status status = burl_model_load(&model, path, &diag);
  if (status != BURL_OK) fail_msg("%s: %s", burl_status_get_name(status), diag.reason);
  return model;
}

static burl_status refuse(const char *path, const char *what) {
  burl_model *model = NULL;
  burl_diag diag = {0};
  burl_status status = burl_model_load(&model, path, &diag);
  if (status == BURL_OK) fail_msg("%s was taken", what);
  assert_null(model);
  assert_int_equal(diag.status, status);
  assert_string_equal(diag.path, path);
  assert_true(diag.reason[0] != '\0');
  assert_int_equal(burl_model_load(&model, path, NULL), status);
  return status;
}

static void put_bytes(const char *path, const unsigned char *bytes, size_t size) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, size, file), size);
  assert_int_equal(fclose(file), 0);
}

static void assert_same_heat(const burl_model *a, const burl_model *b) {
  burl_image image = cloth_draw(77, 64, BURL_DEFECT_STAIN, 50);
  double score_a, score_b;
  float *heat_a = cloth_score(a, &image, 1, &score_a);
  float *heat_b = cloth_score(b, &image, 1, &score_b);
  assert_memory_equal(heat_a, heat_b, 77 * 64 * sizeof *heat_a);
  assert_true(score_a == score_b);
  free(heat_a);
  free(heat_b);
  burl_image_free(&image);
}

static void assert_same_info(const burl_model *a, const burl_model *b) {
  burl_model_info x, y;
  burl_model_get_info(a, &x);
  burl_model_get_info(b, &y);
  assert_string_equal(x.burl_version, y.burl_version);
  assert_string_equal(x.encoder, y.encoder);
  assert_true(
      x.options.bank.prototypes == y.options.bank.prototypes &&
      x.options.bank.power == y.options.bank.power && x.options.bank.trim == y.options.bank.trim &&
      x.options.bank.seed == y.options.bank.seed &&
      x.options.bank.spatial_weight == y.options.bank.spatial_weight &&
      x.options.false_alarm == y.options.false_alarm && x.options.threads == y.options.threads);
  assert_true(x.images == y.images && x.calibration_images == y.calibration_images);
  assert_true(x.threshold == y.threshold && x.threshold_low == y.threshold_low &&
              x.threshold_high == y.threshold_high && x.typical == y.typical);
  assert_true(x.data_checksum == y.data_checksum && x.groups == y.groups &&
              x.format_version == y.format_version);
  for (size_t g = 0; g < x.groups; g++) {
    burl_model_group p, q;
    burl_model_get_group(a, g, &p);
    burl_model_get_group(b, g, &q);
    assert_string_equal(p.name, q.name);
    assert_true(p.stride == q.stride && p.dimension == q.dimension && p.prototypes == q.prototypes);
  }
}

static void test_loaded_model_is_the_saved_one(void **state) {
  shop *s = *state;
  const burl_model *models[] = {s->model, s->spatial};
  for (size_t i = 0; i < 2; i++) {
    size_t size, again;
    unsigned char *first = model_bytes(&s->tree, models[i], &size);
    burl_model *model = load(tree_path(&s->tree, "saved.burl"));
    assert_same_info(model, models[i]);
    assert_string_equal(burl_model_get_json(model), burl_model_get_json(models[i]));
    assert_same_heat(model, models[i]);
    unsigned char *second = model_bytes(&s->tree, model, &again);
    assert_int_equal(size, again);
    assert_memory_equal(first, second, size);
    free(first);
    free(second);
    burl_model_free(model);
  }
}

/* Every length in the header and about it, and some hundred others. */
static void test_truncated_files_are_refused(void **state) {
  shop *s = *state;
  const char *path = tree_path(&s->tree, "cut.burl");
  size_t size;
  unsigned char *bytes = model_bytes(&s->tree, s->model, &size);
  for (size_t length = 0; length < size; length += length < 300 ? 7 : 1 + size / 150) {
    char what[64];
    snprintf(what, sizeof what, "%zu of %zu bytes", length, size);
    put_bytes(path, bytes, length);
    refuse(path, what);
  }
  put_bytes(path, bytes, size - 1);
  refuse(path, "all but a byte");
  bytes[size] = 0;
  put_bytes(path, bytes, size + 1);
  refuse(path, "a byte more");
  put_bytes(path, bytes, size);
  burl_model_free(load(path));
  free(bytes);
}

static void test_flipped_bits_are_refused(void **state) {
  shop *s = *state;
  const char *path = tree_path(&s->tree, "flip.burl");
  size_t size;
  unsigned char *bytes = model_bytes(&s->tree, s->model, &size);
  for (size_t i = 0; i < size; i += 1 + size / 700) {
    char what[64];
    unsigned char kept = bytes[i];
    snprintf(what, sizeof what, "byte %zu changed", i);
    bytes[i] = (unsigned char)(kept ^ (1u << i % 8));
    put_bytes(path, bytes, size);
    refuse(path, what);
    bytes[i] = kept;
  }
  free(bytes);
}

static void test_not_a_model(void **state) {
  shop *s = *state;
  const char *path = tree_path(&s->tree, "other");
  assert_int_equal(refuse(tree_path(&s->tree, "missing"), "nothing"), BURL_ERR_IO);
  assert_int_equal(refuse(s->tree.root, "a folder"), BURL_ERR_IO);
  assert_int_equal(refuse(tree_path(&s->tree, "good/0.png"), "an image"), BURL_ERR_FORMAT);
  put_bytes(path, (const unsigned char *)"", 0);
  assert_int_equal(refuse(path, "an empty file"), BURL_ERR_FORMAT);
  burl_safetensors_writer *writer;
  assert_int_equal(burl_safetensors_writer_new(&writer), BURL_OK);
  burl_safetensors_writer_add_tensor(writer, "weights", BURL_DTYPE_F32, (size_t[]){2}, 1,
                                     (float[]){1.0f, 2.0f});
  assert_int_equal(burl_safetensors_writer_save(writer, path, NULL), BURL_OK);
  burl_safetensors_writer_free(writer);
  assert_int_equal(refuse(path, "another safetensors file"), BURL_ERR_FORMAT);
}

/* A change to a model file that keeps it a sound safetensors file. */
typedef struct change {
  const char *key, *find, *put;            /* in a metadata text; put NULL: the key is left out */
  const char *tensor;                      /* this tensor */
  enum { KEEP, DROP, RESHAPE, SPOIL } how; /* is left out, loses its shape, gets the value */
  float value;
  burl_status expected;
} change;

static void copy_metadata(burl_safetensors_writer *writer, const burl_safetensors *file,
                          const change *c) {
  static const char *const keys[] = {"burl.format", "burl.version", "burl.model"};
  for (size_t i = 0; i < 3; i++) {
    char text[16384];
    const char *old = burl_safetensors_get_metadata(file, keys[i]);
    assert_non_null(old);
    assert_true(strlen(old) < 16384 - 512);
    snprintf(text, sizeof text, "%s", old);
    if (c->key && strcmp(c->key, keys[i]) == 0) {
      if (!c->put) continue;
      const char *at = strstr(old, c->find);
      if (!at) fail_msg("\"%s\" is not in %s", c->find, keys[i]);
      snprintf(text, sizeof text, "%.*s%s%s", (int)(at - old), old, c->put, at + strlen(c->find));
    }
    burl_safetensors_writer_add_metadata(writer, keys[i], text);
  }
}

static void rewrite(const char *to, const char *from, const change *c) {
  burl_safetensors *file;
  burl_safetensors_writer *writer;
  float values[8192];
  int found = c->tensor == NULL;
  assert_int_equal(burl_safetensors_load(&file, from, NULL), BURL_OK);
  assert_int_equal(burl_safetensors_writer_new(&writer), BURL_OK);
  copy_metadata(writer, file, c);
  for (size_t i = 0; i < burl_safetensors_get_count(file); i++) {
    const burl_tensor *t = burl_safetensors_get_tensor(file, i);
    int mine = c->tensor && strcmp(c->tensor, t->name) == 0;
    found |= mine;
    if (mine && c->how == DROP) continue;
    if (mine && c->how == RESHAPE) {
      burl_safetensors_writer_add_tensor(writer, t->name, t->dtype, &t->count, 1, t->data);
    } else if (mine && c->how == SPOIL) {
      assert_true(t->count <= 8192);
      memcpy(values, t->data, t->size);
      values[t->count - 1] = c->value;
      burl_safetensors_writer_add_tensor(writer, t->name, t->dtype, t->shape, t->rank, values);
    } else {
      burl_safetensors_writer_add_tensor(writer, t->name, t->dtype, t->shape, t->rank, t->data);
    }
  }
  if (!found) fail_msg("there is no tensor %s", c->tensor);
  burl_safetensors_writer_add_checksum(writer);
  assert_int_equal(burl_safetensors_writer_save(writer, to, NULL), BURL_OK);
  burl_safetensors_writer_free(writer);
  burl_safetensors_free(file);
}

static void check_changes(shop *s, const burl_model *model, const change *changes, size_t count) {
  const char *from = tree_path(&s->tree, "from.burl"), *to = tree_path(&s->tree, "to.burl");
  assert_int_equal(burl_model_save(model, from, NULL), BURL_OK);
  rewrite(to, from, &(change){0});
  burl_model_free(load(to));
  for (size_t i = 0; i < count; i++) {
    char what[256];
    snprintf(what, sizeof what, "%s, %s for %s, %s", changes[i].key ? changes[i].key : "",
             changes[i].put ? changes[i].put : "nothing", changes[i].find ? changes[i].find : "",
             changes[i].tensor ? changes[i].tensor : "");
    rewrite(to, from, &changes[i]);
    burl_status status = refuse(to, what);
    if (status != changes[i].expected) fail_msg("%s: %s", what, burl_status_get_name(status));
  }
}

static void test_other_formats_and_versions(void **state) {
  static const change changes[] = {
      {.key = "burl.version", .find = "4", .put = "2", .expected = BURL_ERR_VERSION},
      {.key = "burl.version", .find = "4", .put = "", .expected = BURL_ERR_VERSION},
      {.key = "burl.version", .find = "4", .put = "3x", .expected = BURL_ERR_VERSION},
      {.key = "burl.version", .find = "4", .put = "-99999999999999", .expected = BURL_ERR_VERSION},
      {.key = "burl.version", .put = NULL, .expected = BURL_ERR_FORMAT},
      {.key = "burl.format", .find = "burl", .put = "hurl", .expected = BURL_ERR_FORMAT},
      {.key = "burl.format", .put = NULL, .expected = BURL_ERR_FORMAT},
  };
  shop *s = *state;
  check_changes(s, s->model, changes, sizeof changes / sizeof *changes);
}

static void test_bad_settings(void **state) {
  static const char *const edits[][2] = {
      {"{", ""},
      {"{", "["},
      {"\"texture\"", "\"fabric\""},
      {"\"texture\"", "7"},
      {"\"typical\": ", "\"typical\": 1e9, \"was\": "},       /* above the threshold */
      {"\"threshold\": ", "\"threshold\": -1e9, \"was\": "},  /* below the typical value */
      {"\"threshold\": ", "\"threshold\": 1e999, \"was\": "}, /* no number */
      {"\"threshold\"", "\"treshold\""},
      {"\"spatial_weight\": ", "\"spatial_weight\": 1.0, \"was\": "},
      {"\"spatial_weight\": ", "\"spatial_weight\": -0.1, \"was\": "},
      {"\"spatial\": \"none\"", "\"spatial\": \"grid\""}, /* there are no local banks */
      {"\"spatial\": \"none\"", "\"spatial\": \"auto\""},
      {"\"spatial\": \"none\"", "\"spatial\": \"here\""},
      {"\"method\": \"burl\"", "\"method\": \"hurl\""},
      {"\"prototypes\": 4", "\"prototypes\": -4"},
      {"\"prototypes\": 4", "\"prototypes\": 4.5"},
      {"\"prototypes\": 4", "\"prototypes\": 0"},
      {"\"images\": 3\n", "\"images\": -3\n"},
      {"\"images\": 3,", "\"images\": -3,"},
      {"\"data_checksum\": \"", "\"data_checksum\": \"x"},
      {"\"seed\"", "\"sead\""},
      {"\"burl_version\"", "\"version\""},
  };
  shop *s = *state;
  for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
    change c = {
        .key = "burl.model", .find = edits[i][0], .put = edits[i][1], .expected = BURL_ERR_FORMAT};
    check_changes(s, s->model, &c, 1);
  }
  check_changes(s, s->model, &(change){.key = "burl.model", .expected = BURL_ERR_FORMAT}, 1);
}

static void test_bad_tensors(void **state) {
  static const change changes[] = {
      {.tensor = "bank.level0.prototypes", .how = DROP, .expected = BURL_ERR_FORMAT},
      {.tensor = "bank.level0.prototypes", .how = RESHAPE, .expected = BURL_ERR_FORMAT},
      {.tensor = "bank.level0.prototypes",
       .how = SPOIL,
       .value = NAN,
       .expected = BURL_ERR_NUMERIC},
      {.tensor = "bank.fine.mass", .how = DROP, .expected = BURL_ERR_FORMAT},
      {.tensor = "bank.fine.radius", .how = DROP, .expected = BURL_ERR_FORMAT},
      {.tensor = "bank.fine.radius", .how = SPOIL, .value = INFINITY, .expected = BURL_ERR_NUMERIC},
      {.tensor = "calibration.level1", .how = DROP, .expected = BURL_ERR_FORMAT},
      {.tensor = "calibration.level1", .how = RESHAPE, .expected = BURL_ERR_FORMAT},
      {.tensor = "calibration.level1", .how = SPOIL, .value = 0.0f, .expected = BURL_ERR_FORMAT},
      {.tensor = "calibration.fine", .how = SPOIL, .value = -1.0f, .expected = BURL_ERR_FORMAT},
      {.tensor = "texture.level0.filters", .how = DROP, .expected = BURL_ERR_FORMAT},
      {.tensor = "texture.level0.filters", .how = RESHAPE, .expected = BURL_ERR_FORMAT},
      {.tensor = "texture.level0.whiten", .how = DROP, .expected = BURL_ERR_FORMAT},
      {.tensor = "texture.fine.whiten", .how = SPOIL, .value = NAN, .expected = BURL_ERR_NUMERIC},
      {.tensor = "texture.fine.mean", .how = SPOIL, .value = NAN, .expected = BURL_ERR_NUMERIC},
  };
  static const change positions[] = {
      {.tensor = "bank.fine.local.positions", .how = DROP, .expected = BURL_ERR_FORMAT},
      {.tensor = "bank.fine.local.positions", .how = RESHAPE, .expected = BURL_ERR_FORMAT},
  };
  shop *s = *state;
  check_changes(s, s->model, changes, sizeof changes / sizeof *changes);
  check_changes(s, s->spatial, positions, sizeof positions / sizeof *positions);
}

static void test_saving_where_it_cannot_be(void **state) {
  shop *s = *state;
  burl_diag diag = {0};
  const char *path = tree_path(&s->tree, "good.burl/x.burl");
  assert_int_equal(burl_model_save(s->model, path, &diag), BURL_ERR_IO);
  assert_int_equal(diag.status, BURL_ERR_IO);
  assert_true(diag.reason[0] != '\0');
  assert_int_equal(burl_model_save(s->model, path, NULL), BURL_ERR_IO);
}

static void test_without_memory(void **state) {
  shop *s = *state;
  const char *good = tree_path(&s->tree, "good.burl"), *path = tree_path(&s->tree, "none.burl");
  for (long i = 0;; i++) {
    burl_model *model = NULL;
    burl_diag diag = {0};
    fail_allocation_after(i);
    burl_status status = burl_model_load(&model, good, &diag);
    stop_failing();
    if (status == BURL_OK) {
      assert_true(i > 20);
      assert_same_heat(model, s->model);
      burl_model_free(model);
      break;
    }
    if (status != BURL_ERR_MEMORY || diag.status != BURL_ERR_MEMORY)
      fail_msg("loading, allocation %ld: %s: %s", i, burl_status_get_name(status), diag.reason);
    assert_null(model);
  }
  for (long i = 0;; i++) {
    fail_allocation_after(i);
    burl_status status = burl_model_save(s->spatial, path, NULL);
    long made = stop_failing();
    if (status == BURL_OK && made <= i) break;
    assert_int_equal(status, BURL_ERR_MEMORY);
    assert_int_not_equal(access(path, F_OK), 0);
  }
  burl_model_free(load(path));
  burl_model_free(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_loaded_model_is_the_saved_one),
      cmocka_unit_test(test_truncated_files_are_refused),
      cmocka_unit_test(test_flipped_bits_are_refused),
      cmocka_unit_test(test_not_a_model),
      cmocka_unit_test(test_other_formats_and_versions),
      cmocka_unit_test(test_bad_settings),
      cmocka_unit_test(test_bad_tensors),
      cmocka_unit_test(test_saving_where_it_cannot_be),
      cmocka_unit_test(test_without_memory),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
