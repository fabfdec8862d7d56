/* tests/unit/network_case.h: files that hold a network, an input, and what comes out. */
#ifndef BURL_TESTS_NETWORK_CASE_H
#define BURL_TESTS_NETWORK_CASE_H

#include "encode/network.h"
#include "encode/weights.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define GOLDEN "tests/golden/"

typedef struct network_case {
  burl_safetensors *file;
  burl_weights *weights; /* tensors net.NAME */
} network_case;

static inline network_case network_open(const char *path) {
  network_case c;
  burl_diag diag = {0};
  if (burl_safetensors_load(&c.file, path, &diag) != BURL_OK) fail_msg("%s: %s", path, diag.reason);
  assert_int_equal(burl_weights_view(&c.weights, c.file, "net.", "", path, &diag), BURL_OK);
  return c;
}

static inline void network_close(network_case *c) {
  burl_weights_free(c->weights);
  burl_safetensors_free(c->file);
}

/* Runs tensor `input` (3,H,W) through and compares every layer to tensor NAMES[i] (C,h,w), within
 * `tolerance` of its largest magnitude. */
static inline void network_compare(const burl_network *network, const burl_safetensors *file,
                                   const char *input, const char *const *names, size_t count,
                                   double tolerance) {
  burl_network_map maps[8];
  const burl_tensor *in = burl_safetensors_find(file, input);
  assert_non_null(in);
  size_t height = in->shape[1], width = in->shape[2];
  burl_network_workspace *w = network->ops->workspace_new(network, height + 32, width + 7);
  assert_non_null(w);
  for (int again = 0; again < 2; again++) { /* what is left behind does no harm */
    memcpy(network->ops->get_input(w, height, width), in->data, in->size);
    network->ops->forward(network, w, height, width, maps);
  }
  for (size_t i = 0; i < count; i++) {
    const burl_tensor *wanted = burl_safetensors_find(file, names[i]);
    assert_non_null(wanted);
    const float *values = wanted->data;
    size_t cells = maps[i].rows * maps[i].cols;
    double largest = 0.0, worst = 0.0;
    assert_int_equal(maps[i].dim, wanted->shape[0]);
    assert_int_equal(maps[i].rows, wanted->shape[1]);
    assert_int_equal(maps[i].cols, wanted->shape[2]);
    for (size_t c = 0; c < maps[i].dim; c++)
      for (size_t p = 0; p < cells; p++) {
        double a = (double)values[c * cells + p], b = (double)maps[i].data[p * maps[i].dim + c];
        largest = fmax(largest, fabs(a));
        worst = fmax(worst, fabs(a - b));
      }
    if (!(worst <= tolerance * largest)) fail_msg("%s: off by %g of %g", names[i], worst, largest);
  }
  network->ops->workspace_free(w);
}

#endif
