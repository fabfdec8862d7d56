/* Vision transformers against golden values (tests/golden/make_vit.py: run from the top of the
 * tree), files that are not right, and failing memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "encode/vit.h"
#include "failing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GOLDEN(key) "tests/golden/vit_" key ".safetensors"

static burl_safetensors *open_file(const char *path) {
  burl_safetensors *file = NULL;
  burl_diag diag = {0};
  if (burl_safetensors_load(&file, path, &diag) != BURL_OK)
    fail_msg("%s: %s (run from the top of the tree)", path, diag.reason);
  return file;
}

static burl_weights *open_weights(const char *path) {
  burl_weights *weights = NULL;
  burl_diag diag = {0};
  if (burl_weights_load(&weights, path, &diag) != BURL_OK) fail_msg("%s: %s", path, diag.reason);
  return weights;
}

/* Blocks that the file tells the results of. */
static size_t all_layers(const burl_safetensors *file, int *layers) {
  char name[64];
  for (int l = 1;; l++) {
    snprintf(name, sizeof name, "case.0.layer.%d", l);
    if (!burl_safetensors_find(file, name)) return (size_t)l - 1;
    layers[l - 1] = l;
  }
}

static burl_network *make_from(const burl_weights *weights, const int *layers, size_t count,
                               int half) {
  burl_network *network = NULL;
  burl_diag diag = {0};
  if (burl_vit_new(&network, "vit", weights, layers, count, half, &diag) != BURL_OK)
    fail_msg("%s", diag.reason);
  return network;
}

static burl_network *make(const char *path, const int *layers, size_t count) {
  burl_weights *weights = open_weights(path);
  burl_network *network = make_from(weights, layers, count, 0);
  burl_weights_free(weights);
  return network;
}

static void assert_same_map(const burl_network_map *map, const burl_tensor *wanted) {
  assert_int_equal(wanted->rank, 3);
  assert_int_equal(map->rows, wanted->shape[0]);
  assert_int_equal(map->cols, wanted->shape[1]);
  assert_int_equal(map->dim, wanted->shape[2]);
  const float *values = wanted->data;
  double largest = 0.0;
  for (size_t i = 0; i < wanted->count; i++)
    largest = fmax(largest, fabs((double)values[i]));
  for (size_t i = 0; i < wanted->count; i++)
    if (!(fabs((double)map->data[i] - (double)values[i]) <= 1e-5 * largest))
      fail_msg("%s, value %zu: %.8g, not %.8g", wanted->name, i, (double)map->data[i],
               (double)values[i]);
}

/* The case `number` of a golden file through a workspace; 0 where there is none. */
static int run_case(const burl_network *network, burl_network_workspace *workspace,
                    const burl_safetensors *file, int number, const int *layers, size_t count) {
  burl_network_map maps[BURL_VIT_LAYERS];
  char name[64];
  snprintf(name, sizeof name, "case.%d.input", number);
  const burl_tensor *input = burl_safetensors_find(file, name);
  if (!input) return 0;
  size_t height = input->shape[1], width = input->shape[2];
  memcpy(network->ops->get_input(workspace, height, width), input->data, input->size);
  fail_allocation_after(-1);
  network->ops->forward(network, workspace, height, width, maps);
  assert_int_equal(stop_failing(), 0);
  for (size_t i = 0; i < count; i++) {
    snprintf(name, sizeof name, "case.%d.layer.%d", number, layers[i]);
    assert_same_map(&maps[i], burl_safetensors_find(file, name));
    burl_network_layer layer = network->ops->get_layer(network, i);
    assert_int_equal(layer.stride * maps[i].rows, height);
    assert_int_equal(layer.dim, maps[i].dim);
    assert_true(layer.reach >= height);
  }
  return 1;
}

/* All images of a file through one workspace, twice: positions follow the grid. */
static void check_golden(const char *path) {
  burl_safetensors *file = open_file(path);
  int layers[BURL_VIT_LAYERS], number = 0;
  size_t count = all_layers(file, layers);
  burl_network *network = make(path, layers, count);
  burl_network_workspace *workspace = network->ops->workspace_new(network, 128, 128);
  assert_non_null(workspace);
  for (int round = 0; round < 2; round++)
    for (number = 0; run_case(network, workspace, file, number, layers, count); number++)
      ;
  assert_true(number > 0);
  network->ops->workspace_free(workspace);
  network->ops->free(network);
  burl_safetensors_free(file);
}

static void class_token_and_positions(void **state) {
  (void)state;
  check_golden(GOLDEN("plain"));
}

static void registers_and_scales(void **state) {
  (void)state;
  check_golden(GOLDEN("registers"));
}

static void positions_of_patches_alone(void **state) {
  (void)state;
  check_golden(GOLDEN("timm"));
}

static void names_of_transformers(void **state) {
  (void)state;
  check_golden(GOLDEN("hf"));
}

static void distillation_token(void **state) {
  (void)state;
  check_golden(GOLDEN("distilled"));
}

static void without_class_norm_and_bias(void **state) {
  (void)state;
  check_golden(GOLDEN("bare"));
}

/* A subset of layers gives what all of them give, and the same bytes for each run. */
static void layers_one_by_one(void **state) {
  (void)state;
  burl_safetensors *file = open_file(GOLDEN("registers"));
  static const int choices[][2] = {{1, 3}, {2, 3}, {1, 2}};
  for (size_t i = 0; i < 3; i++)
    for (size_t count = 1; count <= 2; count++) {
      burl_network *network = make(GOLDEN("registers"), choices[i], count);
      burl_network_workspace *workspace = network->ops->workspace_new(network, 56, 48);
      assert_true(run_case(network, workspace, file, 0, choices[i], count));
      network->ops->workspace_free(workspace);
      network->ops->free(network);
    }
  burl_safetensors_free(file);
}

static void same_bytes(void **state) {
  (void)state;
  static const int last[] = {2};
  burl_network *network = make(GOLDEN("plain"), last, 1);
  burl_network_map map;
  float *found[3] = {NULL};
  size_t size = 9 * 13 * 64 * sizeof **found;
  for (int round = 0; round < 3; round++) {
    burl_network_workspace *workspace = network->ops->workspace_new(network, 36, 52);
    float *input = network->ops->get_input(workspace, 36, 52);
    for (size_t i = 0; i < (size_t)3 * 36 * 52; i++)
      input[i] = (float)(i * 7919 % 1000) / 250.0f - 2.0f;
    network->ops->forward(network, workspace, 36, 52, &map);
    found[round] = burl_copy(map.data, size);
    assert_memory_equal(found[round], found[0], size);
    network->ops->workspace_free(workspace);
  }
  for (int round = 0; round < 3; round++)
    free(found[round]);
  network->ops->free(network);
}

static burl_safetensors_writer *writer_new(void) {
  burl_safetensors_writer *writer;
  assert_int_equal(burl_safetensors_writer_new(&writer), BURL_OK);
  return writer;
}

static void temporary(char path[64]) {
  snprintf(path, 64, "/tmp/burl_vit_XXXXXX");
  int file = mkstemp(path);
  assert_true(file >= 0);
  close(file);
}

/* The bytes that come out for an image of two by three patches. */
static float *run_image(const burl_network *network, size_t *size) {
  size_t stride = network->ops->get_layer(network, 0).stride;
  size_t height = 2 * stride, width = 3 * stride;
  burl_network_workspace *workspace = network->ops->workspace_new(network, height, width);
  burl_network_map maps[BURL_VIT_LAYERS];
  float *input = network->ops->get_input(workspace, height, width);
  for (size_t i = 0; i < 3 * height * width; i++)
    input[i] = (float)(i * 7919 % 1000) / 250.0f - 2.0f;
  network->ops->forward(network, workspace, height, width, maps);
  *size = 6 * maps[0].dim * sizeof(float);
  float *found = burl_copy(maps[0].data, *size);
  network->ops->workspace_free(workspace);
  return found;
}

/* Saved and made again, a network of rounded weights gives the same bytes. */
static void check_saved(const char *golden) {
  static const int one[] = {1};
  burl_weights *weights = open_weights(golden), *saved;
  burl_network *network = make_from(weights, one, 1, 1);
  burl_safetensors_writer *writer = writer_new();
  burl_diag diag = {0};
  char path[64];
  size_t size, size_again;
  temporary(path);
  assert_int_equal(network->ops->save(network, writer, "it"), BURL_OK);
  assert_int_equal(burl_safetensors_writer_save(writer, path, NULL), BURL_OK);
  burl_safetensors_writer_free(writer);
  burl_safetensors *file = open_file(path);
  assert_int_equal(burl_weights_view(&saved, file, "encoder.it.", "", path, &diag), BURL_OK);
  burl_network *again = make_from(saved, one, 1, 1);
  float *found = run_image(network, &size), *found_again = run_image(again, &size_again);
  assert_int_equal(size, size_again);
  assert_memory_equal(found, found_again, size);
  free(found);
  free(found_again);
  again->ops->free(again);
  network->ops->free(network);
  burl_weights_free(saved);
  burl_weights_free(weights);
  burl_safetensors_free(file);
  unlink(path);
}

static void saved_and_made_again(void **state) {
  (void)state;
  check_saved(GOLDEN("plain"));
  check_saved(GOLDEN("registers"));
  check_saved(GOLDEN("bare"));
  check_saved(GOLDEN("distilled"));
  check_saved(GOLDEN("hf"));
}

/* A golden file with one tensor renamed, left out, cut or spoilt. */
typedef struct change {
  const char *name;   /* of the tensor */
  const char *rename; /* NULL: left out */
  size_t axis, less;  /* shorter by so much */
  int spoil;          /* its first value is no number */
  burl_status status;
  const char *reason; /* part of what is said */
} change;

static void write_changed(const char *path, const burl_safetensors *file, const change *c) {
  burl_safetensors_writer *writer = writer_new();
  const float spoilt = NAN;
  void *copy = NULL;
  for (size_t i = 0; i < burl_safetensors_get_count(file); i++) {
    burl_tensor t = *burl_safetensors_get_tensor(file, i);
    if (strcmp(t.name, c->name) == 0) {
      if (!c->rename) continue;
      t.name = c->rename;
      t.shape[c->axis] -= c->less;
      t.data = copy = burl_copy(t.data, t.size);
      if (c->spoil) memcpy(copy, &spoilt, sizeof spoilt);
    }
    burl_safetensors_writer_add_tensor(writer, t.name, t.dtype, t.shape, t.rank, t.data);
  }
  assert_int_equal(burl_safetensors_writer_save(writer, path, NULL), BURL_OK);
  burl_safetensors_writer_free(writer);
  free(copy);
}

static void check_change(const burl_safetensors *file, const change *c) {
  static const int layers[] = {1, 2};
  char path[64];
  burl_network *network = NULL;
  burl_diag diag = {0};
  temporary(path);
  write_changed(path, file, c);
  burl_weights *weights = open_weights(path);
  burl_status status = burl_vit_new(&network, "vit", weights, layers, 2, 0, &diag);
  if (status != c->status) fail_msg("%s: status %d, %s", c->name, (int)status, diag.reason);
  if (status != BURL_OK) {
    assert_null(network);
    assert_int_equal(diag.status, status);
    assert_string_equal(diag.path, path);
    assert_true(diag.hint[0] != '\0');
    if (!strstr(diag.reason, c->reason)) fail_msg("\"%s\" lacks \"%s\"", diag.reason, c->reason);
  } else {
    network->ops->free(network);
  }
  burl_weights_free(weights);
  unlink(path);
}

#define SAME(tensor) .name = tensor, .rename = tensor
#define FORMAT(text) .status = BURL_ERR_FORMAT, .reason = text
#define FOREIGN(text) .status = BURL_ERR_UNSUPPORTED, .reason = text

static void files_that_are_not_right(void **state) {
  (void)state;
  static const change changes[] = {
      {.name = "norm.bias", FORMAT("norm.bias is missing")},
      {.name = "blocks.1.mlp.fc2.weight", FORMAT("blocks.1.mlp.fc2.weight is missing")},
      {.name = "blocks.1.attn.qkv.bias", FORMAT("blocks.1.attn.qkv.bias is missing")},
      {.name = "blocks.0.mlp.fc1.weight", FORMAT("blocks.0.mlp.fc1.weight is missing")},
      {.name = "pos_embed", FORMAT("pos_embed is missing")},
      {.name = "patch_embed.proj.weight", FORMAT("holds no vision transformer")},
      {.name = "patch_embed.proj.bias", FORMAT("patch_embed.proj.bias is missing")},
      {.name = "blocks.1.norm1.weight", .status = BURL_ERR_DATA, .reason = "block 2 is asked for"},
      {SAME("blocks.0.attn.qkv.weight"), .less = 64, FORMAT("blocks.0.attn.qkv.weight has 128")},
      {SAME("blocks.1.norm2.bias"), .less = 1, FORMAT("blocks.1.norm2.bias has 63")},
      {SAME("blocks.1.mlp.fc1.weight"), .less = 1, FORMAT("blocks.1.mlp.fc1.weight has 95")},
      {SAME("blocks.0.mlp.fc1.weight"), .less = 96, FOREIGN("has 0 rows")},
      {SAME("patch_embed.proj.weight"), .less = 1, FOREIGN("(63,3,4,4)")},
      {SAME("patch_embed.proj.weight"), .axis = 1, .less = 1, FOREIGN("(64,2,4,4)")},
      {SAME("patch_embed.proj.weight"), .axis = 3, .less = 1, FOREIGN("(64,3,4,3)")},
      {SAME("pos_embed"), .axis = 1, .less = 2, FOREIGN("places 15 tokens")},
      {SAME("pos_embed"), .axis = 2, .less = 2, FORMAT("pos_embed has 62")},
      {.name = "norm.bias", .rename = "norm_pre.weight", FOREIGN("CLIP")},
      {.name = "norm.bias", .rename = "blocks.0.mlp.w12.weight", FOREIGN("gated")},
      {SAME("blocks.1.attn.proj.weight"), .spoil = 1, .status = BURL_ERR_NUMERIC,
       .reason = "blocks.1.attn.proj.weight"},
      {SAME("pos_embed"), .spoil = 1, .status = BURL_ERR_NUMERIC, .reason = "pos_embed"},
      {.name = "case.0.input", .rename = "head.weight", .status = BURL_OK},
      {.name = "cls_token", FOREIGN("no square grid")},
  };
  burl_safetensors *file = open_file(GOLDEN("plain"));
  for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
    check_change(file, &changes[i]);
  burl_safetensors_free(file);
}

/* What lies behind the deepest block asked for may be missing. */
static void a_file_that_ends_early(void **state) {
  (void)state;
  static const change cut = {.name = "blocks.1.mlp.fc2.weight"};
  static const int first[] = {1};
  burl_safetensors *file = open_file(GOLDEN("plain"));
  char path[64];
  temporary(path);
  write_changed(path, file, &cut);
  burl_network *network = make(path, first, 1);
  burl_network_workspace *workspace = network->ops->workspace_new(network, 16, 16);
  assert_true(run_case(network, workspace, file, 0, first, 1));
  network->ops->workspace_free(workspace);
  network->ops->free(network);
  burl_safetensors_free(file);
  unlink(path);
}

static void arguments_that_are_not_right(void **state) {
  (void)state;
  static const int layers[][2] = {{0, 1}, {2, 1}, {1, 1}, {-1, 1}, {1, 3}, {1, 1000}};
  burl_weights *weights = open_weights(GOLDEN("plain"));
  burl_network *network = NULL;
  burl_diag diag = {0};
  for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
    burl_status status = burl_vit_new(&network, "vit", weights, layers[i], 2, 0, &diag);
    assert_int_equal(status, i == 4 ? BURL_ERR_DATA : BURL_ERR_ARGUMENT);
    assert_true(strstr(diag.reason, "is asked for") != NULL);
  }
  static const int one[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  assert_int_equal(burl_vit_new(&network, "vit", weights, one, 0, 0, &diag), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_vit_new(&network, "vit", weights, one, 9, 0, &diag), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_vit_new(&network, "vit_huge", weights, one, 1, 0, &diag),
                   BURL_ERR_ARGUMENT);
  assert_true(strstr(diag.reason, "vit_huge") != NULL);
  assert_int_equal(burl_vit_new(&network, "vit_small", weights, one, 1, 0, &diag), BURL_ERR_FORMAT);
  assert_true(strstr(diag.reason, "64 wide, those of vit_small 384") != NULL);
  assert_null(network);
  burl_weights_free(weights);
}

static void failing_allocations(void **state) {
  (void)state;
  static const int layers[] = {1, 2};
  for (long i = 0;; i++) {
    burl_weights *weights = NULL;
    burl_network *network = NULL;
    burl_network_workspace *workspace = NULL;
    burl_diag diag = {0};
    fail_allocation_after(i);
    burl_status status = burl_weights_load(&weights, GOLDEN("plain"), &diag);
    if (status == BURL_OK) status = burl_vit_new(&network, "vit", weights, layers, 2, 1, &diag);
    if (status == BURL_OK) workspace = network->ops->workspace_new(network, 16, 16);
    stop_failing();
    int done = workspace != NULL;
    if (network) {
      network->ops->workspace_free(workspace);
      network->ops->free(network);
    } else {
      assert_int_equal(status, BURL_ERR_MEMORY);
      assert_int_equal(diag.status, BURL_ERR_MEMORY);
    }
    burl_weights_free(weights);
    if (done) break;
  }
}

static void workspaces_that_do_not_fit(void **state) {
  (void)state;
  static const int one[] = {1};
  burl_network *network = make(GOLDEN("plain"), one, 1);
  assert_null(network->ops->workspace_new(network, SIZE_MAX / 4, SIZE_MAX / 4));
  assert_null(network->ops->workspace_new(network, (size_t)1 << 31, (size_t)1 << 31));
  network->ops->workspace_free(NULL);
  network->ops->free(network);
  network = NULL;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(class_token_and_positions),  cmocka_unit_test(registers_and_scales),
      cmocka_unit_test(positions_of_patches_alone), cmocka_unit_test(names_of_transformers),
      cmocka_unit_test(distillation_token),         cmocka_unit_test(without_class_norm_and_bias),
      cmocka_unit_test(layers_one_by_one),          cmocka_unit_test(same_bytes),
      cmocka_unit_test(saved_and_made_again),       cmocka_unit_test(files_that_are_not_right),
      cmocka_unit_test(a_file_that_ends_early),     cmocka_unit_test(arguments_that_are_not_right),
      cmocka_unit_test(failing_allocations),        cmocka_unit_test(workspaces_that_do_not_fit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
