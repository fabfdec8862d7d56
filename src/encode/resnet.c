/* Residual networks (He et al., Deep Residual Learning for Image Recognition, CVPR 2016; Zagoruyko
 * and Komodakis, Wide Residual Networks, BMVC 2016), channels last:
 *
 *   x = largest of 3 x 3 (relu (conv 7 x 7 (rgb)))          strides 2 and 2
 *   x <- relu (x' + conv(.. relu (conv (x))))              a block; x' = x, or its 1 x 1
 * convolution
 *
 * The stride of a bottleneck is on its 3 x 3 convolution. */
#include "encode/resnet_parts.h"

#include "base/diag.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { PLANES = 3, BUFFERS = 5 };

struct burl_network_workspace {
  burl_arena arena;
  float *input;           /* (3, height, width) */
  float *buffer[BUFFERS]; /* maps on their way */
  float *scratch;         /* of convolutions */
  float *layer[RESNET_STAGES];
};

static burl_network_layer get_layer(const burl_network *network, size_t i) {
  const burl_resnet *self = (const burl_resnet *)network;
  size_t layer = (size_t)self->layers[i], jump = 4, reach = 5; /* stem and pooling see 11 pixels */
  const resnet_block *last = NULL;
  for (size_t s = 0; s < layer; s++)
    for (size_t b = 0; b < self->blocks[s]; b++) {
      last = &self->block[s][b];
      for (size_t c = 0; c < last->convs; c++) {
        const burl_conv *conv = &last->conv[c].conv;
        reach += (conv->side - 1) / 2 * jump;
        jump *= conv->stride;
      }
    }
  return (burl_network_layer){
      .stride = jump, .dim = last->conv[last->convs - 1].conv.out, .reach = reach};
}

static void *request(burl_arena *arena, size_t count) {
  if (arena->block) return burl_arena_take(arena, count, sizeof(float));
  burl_arena_reserve(arena, count, sizeof(float));
  return NULL;
}

static size_t larger(size_t a, size_t b) {
  return a > b ? a : b;
}

/* Floats of the largest map, and of the scratch memory of the neediest convolution. */
static void measure(const burl_resnet *self, size_t height, size_t width, size_t *map,
                    size_t *scratch) {
  size_t rows = burl_conv_extent(&self->stem.conv, height);
  size_t cols = burl_conv_extent(&self->stem.conv, width);
  *map = larger(rows * cols * self->stem.conv.out, height * width * PLANES);
  *scratch = burl_conv_scratch(&self->stem.conv);
  rows = (rows + 1) / 2, cols = (cols + 1) / 2;
  for (size_t s = 0; s < self->stages; s++)
    for (size_t b = 0; b < self->blocks[s]; b++)
      for (size_t c = 0; c < self->block[s][b].convs; c++) {
        const burl_conv *conv = &self->block[s][b].conv[c].conv;
        rows = burl_conv_extent(conv, rows), cols = burl_conv_extent(conv, cols);
        *map = larger(*map, rows * cols * conv->out);
        *scratch = larger(*scratch, burl_conv_scratch(conv));
        if (self->block[s][b].shortcut.conv.weight)
          *scratch = larger(*scratch, burl_conv_scratch(&self->block[s][b].shortcut.conv));
      }
}

static void lay_out(burl_network_workspace *w, const burl_resnet *self, size_t height,
                    size_t width) {
  size_t map, scratch;
  measure(self, height, width, &map, &scratch);
  w->input = request(&w->arena, PLANES * height * width);
  for (size_t b = 0; b < BUFFERS; b++)
    w->buffer[b] = request(&w->arena, map);
  w->scratch = request(&w->arena, scratch);
  for (size_t i = 0; i < self->count; i++) {
    burl_network_layer layer = get_layer(&self->base, i);
    size_t rows = (height + layer.stride - 1) / layer.stride;
    size_t cols = (width + layer.stride - 1) / layer.stride;
    w->layer[i] = request(&w->arena, rows * cols * layer.dim);
  }
}

static void workspace_free(burl_network_workspace *workspace) {
  if (!workspace) return;
  burl_arena_close(&workspace->arena);
  free(workspace);
}

static burl_network_workspace *workspace_new(const burl_network *network, size_t height,
                                             size_t width) {
  burl_network_workspace *w = burl_alloc_zero(1, sizeof *w);
  if (!w) return NULL;
  lay_out(w, (const burl_resnet *)network, height, width);
  if (!burl_arena_open(&w->arena)) {
    workspace_free(w);
    return NULL;
  }
  lay_out(w, (const burl_resnet *)network, height, width);
  return w;
}

static float *get_input(burl_network_workspace *workspace, size_t height, size_t width) {
  (void)height;
  (void)width;
  return workspace->input;
}

/* A map on its way. */
typedef struct flow {
  float *data;
  size_t rows, cols;
} flow;

static flow convolve(const burl_network_workspace *w, const resnet_conv *conv, float *to, flow from,
                     const float *residual, int relu) {
  burl_conv_run(&conv->conv, to, from.data, from.rows, from.cols, residual, relu, w->scratch);
  return (flow){to, burl_conv_extent(&conv->conv, from.rows),
                burl_conv_extent(&conv->conv, from.cols)};
}

static flow run_stem(const burl_resnet *self, const burl_network_workspace *w, size_t height,
                     size_t width) {
  size_t pixels = height * width;
  for (size_t i = 0; i < pixels; i++)
    for (size_t c = 0; c < PLANES; c++)
      w->buffer[0][i * PLANES + c] = w->input[c * pixels + i];
  flow x = convolve(w, &self->stem, w->buffer[1], (flow){w->buffer[0], height, width}, NULL, 1);
  burl_pool_largest(w->buffer[0], x.data, x.rows, x.cols, self->stem.conv.out);
  return (flow){w->buffer[0], (x.rows + 1) / 2, (x.cols + 1) / 2};
}

/* From buffer 0 or 1 to the other; 2 and 3 hold what is between, 4 the shortcut. */
static flow run_block(const resnet_block *block, const burl_network_workspace *w, flow x) {
  const float *residual = x.data;
  float *to = x.data == w->buffer[0] ? w->buffer[1] : w->buffer[0];
  if (block->shortcut.conv.weight)
    residual = convolve(w, &block->shortcut, w->buffer[4], x, NULL, 0).data;
  for (size_t c = 0; c + 1 < block->convs; c++)
    x = convolve(w, &block->conv[c], w->buffer[2 + c], x, NULL, 1);
  return convolve(w, &block->conv[block->convs - 1], to, x, residual, 1);
}

static void forward(const burl_network *network, burl_network_workspace *w, size_t height,
                    size_t width, burl_network_map *maps) {
  const burl_resnet *self = (const burl_resnet *)network;
  flow x = run_stem(self, w, height, width);
  for (size_t s = 0, i = 0; s < self->stages; s++) {
    for (size_t b = 0; b < self->blocks[s]; b++)
      x = run_block(&self->block[s][b], w, x);
    if (self->layers[i] != (int)s + 1) continue;
    size_t dim = get_layer(network, i).dim;
    memcpy(w->layer[i], x.data, x.rows * x.cols * dim * sizeof *x.data);
    maps[i] = (burl_network_map){x.rows, x.cols, dim, w->layer[i]};
    i++;
  }
}

static const burl_network_ops resnet_ops = {.free = burl_resnet_free,
                                            .get_layer = get_layer,
                                            .workspace_new = workspace_new,
                                            .workspace_free = workspace_free,
                                            .get_input = get_input,
                                            .forward = forward,
                                            .save = burl_resnet_save};

burl_status burl_resnet_new(burl_network **network, const char *name, const burl_weights *weights,
                            const int *layers, size_t count, int half, burl_diag *diag) {
  int valid = count >= 1 && count <= RESNET_STAGES;
  for (size_t i = 0; valid && i < count; i++)
    valid = layers[i] > (i > 0 ? layers[i - 1] : 0) && layers[i] <= RESNET_STAGES;
  if (!valid)
    return burl_fail(diag, BURL_ERR_ARGUMENT, NULL, NULL,
                     "a residual network has layers 1 to %d, to be named rising", RESNET_STAGES);
  burl_resnet *made = burl_alloc_zero(1, sizeof *made);
  if (!made) return burl_fail_memory(diag, NULL);
  made->base.ops = &resnet_ops;
  made->count = count;
  made->stages = (size_t)layers[count - 1];
  memcpy(made->layers, layers, count * sizeof *layers);
  burl_status status = burl_resnet_load(made, name, weights, half, diag);
  if (status != BURL_OK) {
    burl_resnet_free(&made->base);
    return status;
  }
  *network = &made->base;
  return BURL_OK;
}
