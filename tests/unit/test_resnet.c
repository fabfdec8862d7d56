/* Residual networks against torch, what is refused, and what comes back from a model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data_tree.h"
#include "encode/resnet.h"
#include "failing.h"
#include "network_case.h"
#include <stdlib.h>

static const char *const layer_names[] = {"layer1", "layer2", "layer3", "layer4"};

static burl_network *make(const network_case *c, const char *name, const int *layers, size_t count,
                          int half) {
  burl_network *network = NULL;
  burl_diag diag = {0};
  burl_status status = burl_resnet_new(&network, name, c->weights, layers, count, half, &diag);
  if (status != BURL_OK) fail_msg("%s: %s", name, diag.reason);
  return network;
}

static void compare(const char *path, const char *name, size_t layers) {
  static const int all[] = {1, 2, 3, 4};
  network_case c = network_open(path);
  burl_network *network = make(&c, name, all, layers, 0);
  network_compare(network, c.file, "input", layer_names, layers, 1e-5);
  network->ops->free(network);
  network_close(&c);
}

static void equals_torch(void **state) {
  (void)state;
  compare(GOLDEN "resnet_basic.safetensors", "resnet18", 4);
  compare(GOLDEN "resnet_bottleneck.safetensors", "resnet50", 3);
  compare(GOLDEN "resnet_wide.safetensors", "wide_resnet50_2", 3);
}

/* Real weights are not part of the project: BURL_ENCODERS names a folder that has them. */
static void equals_torch_on_real_weights(void **state) {
  static const int layers[] = {1, 2, 3};
  const char *folder = getenv("BURL_ENCODERS");
  char path[1024];
  burl_weights *weights;
  burl_safetensors *golden;
  burl_network *network;
  burl_diag diag = {0};
  (void)state;
  if (!folder) skip();
  snprintf(path, sizeof path, "%s/resnet18_layer3.safetensors", folder);
  assert_int_equal(burl_weights_load(&weights, path, &diag), BURL_OK);
  snprintf(path, sizeof path, "%s/resnet18_golden.safetensors", folder);
  assert_int_equal(burl_safetensors_load(&golden, path, &diag), BURL_OK);
  assert_int_equal(burl_resnet_new(&network, "resnet18", weights, layers, 3, 0, &diag), BURL_OK);
  network_compare(network, golden, "input_normalised", layer_names, 3, 1e-5);
  network->ops->free(network);
  burl_safetensors_free(golden);
  burl_weights_free(weights);
}

static void some_layers_alone(void **state) {
  static const int wanted[] = {1, 3};
  const char *const names[] = {"layer1", "layer3"};
  (void)state;
  network_case c = network_open(GOLDEN "resnet_basic.safetensors");
  burl_network *network = make(&c, "resnet18", wanted, 2, 0);
  network_compare(network, c.file, "input", names, 2, 1e-5);
  assert_int_equal(network->ops->get_layer(network, 0).stride, 4);
  assert_int_equal(network->ops->get_layer(network, 1).stride, 16);
  assert_int_equal(network->ops->get_layer(network, 0).reach, 21);
  assert_int_equal(network->ops->get_layer(network, 1).reach, 105);
  assert_int_equal(network->ops->get_layer(network, 1).dim, 9);
  network->ops->free(network);
  network_close(&c);
}

/* A cell sees no farther than its layer says, but for rounding. */
static void sees_no_farther_than_it_says(void **state) {
  enum { SIDE = 320 };
  static const int layer[] = {2};
  static float first[40 * 40 * 64];
  (void)state;
  network_case c = network_open(GOLDEN "resnet_basic.safetensors");
  burl_network *network = make(&c, "resnet18", layer, 1, 0);
  burl_network_workspace *w = network->ops->workspace_new(network, SIDE, SIDE);
  size_t reach = network->ops->get_layer(network, 0).reach, cell = 20, at = cell * 8;
  double changed[2] = {0.0, 0.0};
  for (size_t far = 0; far < 2; far++) {
    burl_network_map map;
    for (int with = 0; with < 2; with++) {
      float *input = network->ops->get_input(w, SIDE, SIDE);
      for (size_t i = 0; i < 3 * SIDE * SIDE; i++) {
        size_t y = i / SIDE % SIDE;
        int reached = far ? y > at + reach : y > at && y <= at + reach;
        input[i] = (float)(i % 17) / 17.0f + (with && reached ? 3.0f : 0.0f);
      }
      network->ops->forward(network, w, SIDE, SIDE, &map);
      if (!with) memcpy(first, map.data, map.rows * map.cols * map.dim * sizeof *first);
    }
    for (size_t t = 0; t < map.dim; t++) {
      size_t i = (cell * map.cols + cell) * map.dim + t;
      changed[far] = fmax(changed[far], fabs((double)first[i] - (double)map.data[i]));
    }
  }
  assert_true(changed[0] > 0.1);
  assert_true(changed[1] < 1e-4);
  network->ops->workspace_free(w);
  network->ops->free(network);
  network_close(&c);
}

/* Through float16 tensors of another file and back: the same network. */
static void comes_back_from_a_file(void **state) {
  static const int layers[] = {2, 3};
  const char *const names[] = {"layer2", "layer3"};
  (void)state;
  tree t;
  tree_make(&t);
  burl_diag diag = {0};
  burl_safetensors_writer *writer;
  network_case c = network_open(GOLDEN "resnet_wide.safetensors"), back = {0};
  burl_network *network = make(&c, "wide_resnet50_2", layers, 2, 1), *again;
  network_compare(network, c.file, "input", names, 2, 3e-3);
  assert_int_equal(burl_safetensors_writer_new(&writer), BURL_OK);
  assert_int_equal(network->ops->save(network, writer, "wide_resnet50_2"), BURL_OK);
  assert_int_equal(burl_safetensors_writer_save(writer, tree_path(&t, "m"), &diag), BURL_OK);
  burl_safetensors_writer_free(writer);
  assert_int_equal(burl_safetensors_load(&back.file, tree_path(&t, "m"), &diag), BURL_OK);
  assert_int_equal(
      burl_weights_view(&back.weights, back.file, "encoder.wide_resnet50_2.", "", "m", &diag),
      BURL_OK);
  again = make(&back, "wide_resnet50_2", layers, 2, 1);
  burl_network_map map[2][2];
  burl_network *both[2] = {network, again};
  burl_network_workspace *w[2];
  for (int n = 0; n < 2; n++) {
    w[n] = both[n]->ops->workspace_new(both[n], 64, 64);
    float *input = both[n]->ops->get_input(w[n], 64, 64);
    for (size_t i = 0; i < 3 * 64 * 64; i++)
      input[i] = (float)(i % 31) / 31.0f;
    both[n]->ops->forward(both[n], w[n], 64, 64, map[n]);
  }
  for (int l = 0; l < 2; l++)
    assert_memory_equal(map[0][l].data, map[1][l].data,
                        map[0][l].rows * map[0][l].cols * map[0][l].dim * sizeof(float));
  for (int n = 0; n < 2; n++)
    both[n]->ops->workspace_free(w[n]), both[n]->ops->free(both[n]);
  network_close(&back);
  network_close(&c);
  tree_remove(&t);
}

static void refuse(const network_case *c, const char *name, const int *layers, size_t count,
                   burl_status expected, const char *word) {
  burl_network *network = NULL;
  burl_diag diag = {0};
  assert_int_equal(burl_resnet_new(&network, name, c->weights, layers, count, 0, &diag), expected);
  assert_null(network);
  if (!strstr(diag.reason, word)) fail_msg("\"%s\" lacks \"%s\"", diag.reason, word);
}

static void refuses_what_does_not_fit(void **state) {
  static const int layers[] = {2, 3}, falling[] = {3, 2}, none[] = {0}, deep[] = {4};
  (void)state;
  network_case c = network_open(GOLDEN "resnet_bottleneck.safetensors");
  refuse(&c, "resnet18", layers, 2, BURL_ERR_FORMAT, "layer1.0.conv1.weight has shape");
  refuse(&c, "resnet101", layers, 2, BURL_ERR_FORMAT, "layer3.6.conv1.weight is missing");
  refuse(&c, "resnet50", deep, 1, BURL_ERR_FORMAT, "layer4.0.conv1.weight is missing");
  refuse(&c, "resnet51", layers, 2, BURL_ERR_ARGUMENT, "resnet51");
  refuse(&c, "resnet50", falling, 2, BURL_ERR_ARGUMENT, "rising");
  refuse(&c, "resnet50", none, 1, BURL_ERR_ARGUMENT, "rising");
  network_close(&c);
}

static void every_allocation_may_fail(void **state) {
  static const int layers[] = {1};
  (void)state;
  network_case c = network_open(GOLDEN "resnet_basic.safetensors");
  for (long i = 0;; i++) {
    burl_network *network = NULL;
    fail_allocation_after(i);
    burl_status status = burl_resnet_new(&network, "resnet18", c.weights, layers, 1, 1, NULL);
    stop_failing();
    if (status != BURL_OK) {
      assert_int_equal(status, BURL_ERR_MEMORY);
      continue;
    }
    network->ops->free(network);
    break;
  }
  network_case again = c;
  burl_network *network = make(&again, "resnet18", layers, 1, 0);
  for (long i = 0;; i++) {
    fail_allocation_after(i);
    burl_network_workspace *w = network->ops->workspace_new(network, 64, 64);
    stop_failing();
    if (!w) continue;
    burl_network_map map;
    memset(network->ops->get_input(w, 64, 64), 0, 3 * 64 * 64 * sizeof(float));
    network->ops->forward(network, w, 64, 64, &map);
    network->ops->workspace_free(w);
    break;
  }
  network->ops->free(network);
  network_close(&c);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(equals_torch),
      cmocka_unit_test(equals_torch_on_real_weights),
      cmocka_unit_test(some_layers_alone),
      cmocka_unit_test(sees_no_farther_than_it_says),
      cmocka_unit_test(comes_back_from_a_file),
      cmocka_unit_test(refuses_what_does_not_fit),
      cmocka_unit_test(every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
