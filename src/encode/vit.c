/* The vision transformer behind the interface of frozen networks. */
#include "encode/vit.h"

#include "base/diag.h"
#include "encode/vit_parts.h"
#include "num/packed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void vit_free(burl_network *self) {
  if (!self) return;
  burl_vit *vit = (burl_vit *)self;
  burl_arena_close(&vit->arena);
  free(vit);
}

static size_t count_layers(const burl_network *self) {
  return ((const burl_vit *)self)->count;
}

/* Attention sees the whole image. */
static burl_network_layer get_layer(const burl_network *self, size_t layer) {
  const burl_vit *vit = (const burl_vit *)self;
  (void)layer;
  return (burl_network_layer){.stride = vit->patch, .dim = vit->width, .reach = SIZE_MAX};
}

static burl_network_workspace *workspace_new(const burl_network *self, size_t height,
                                             size_t width) {
  return (burl_network_workspace *)burl_vit_workspace_new((const burl_vit *)self, height, width);
}

static void workspace_free(burl_network_workspace *workspace) {
  burl_vit_workspace_free((vit_workspace *)workspace);
}

static float *get_input(burl_network_workspace *workspace, size_t height, size_t width) {
  (void)height;
  (void)width;
  return ((vit_workspace *)workspace)->input;
}

static void forward(const burl_network *self, burl_network_workspace *workspace, size_t height,
                    size_t width, burl_network_map *maps) {
  const burl_vit *vit = (const burl_vit *)self;
  vit_workspace *w = (vit_workspace *)workspace;
  size_t rows = height / vit->patch, cols = width / vit->patch;
  burl_vit_run(vit, w, rows, cols);
  for (size_t i = 0; i < vit->count; i++)
    maps[i] = (burl_network_map){.rows = rows, .cols = cols, .dim = vit->width, .data = w->map[i]};
}

static size_t count_tensors(const burl_network *self) {
  const burl_vit *vit = (const burl_vit *)self;
  size_t tops = 0, in_block = 0;
  for (int t = 0; t < VIT_TOP_TENSORS; t++)
    tops += burl_vit_has_top(vit, (vit_top_tensor)t) ? 1 : 0;
  for (int t = 0; t < VIT_BLOCK_TENSORS; t++)
    in_block += burl_vit_has_in_block(vit, (vit_block_tensor)t) ? 1 : 0;
  return tops + vit->depth * in_block;
}

/* The tensor `index` counted through those outside of blocks, then block by block. */
typedef struct place {
  const vit_tensor *tensor;
  const float *values;
  size_t block; /* SIZE_MAX: outside of blocks */
} place;

static place find_tensor(const burl_vit *vit, size_t index) {
  for (int t = 0; t < VIT_TOP_TENSORS; t++)
    if (burl_vit_has_top(vit, (vit_top_tensor)t) && index-- == 0)
      return (place){&burl_vit_top[t], vit->top[t], SIZE_MAX};
  for (size_t b = 0; b < vit->depth; b++)
    for (int t = 0; t < VIT_BLOCK_TENSORS; t++)
      if (burl_vit_has_in_block(vit, (vit_block_tensor)t) && index-- == 0)
        return (place){&burl_vit_block[t], vit->block[b][t], b};
  return (place){NULL, NULL, SIZE_MAX};
}

static burl_network_tensor get_tensor(const burl_network *self, size_t index) {
  const burl_vit *vit = (const burl_vit *)self;
  place p = find_tensor(vit, index);
  burl_network_tensor tensor = {.rank = 0};
  if (!p.tensor) return tensor;
  tensor.rank = burl_vit_shape(vit, p.tensor->shape, tensor.shape, &tensor.count);
  if (p.block == SIZE_MAX)
    snprintf(tensor.name, sizeof tensor.name, "%s", p.tensor->timm);
  else
    snprintf(tensor.name, sizeof tensor.name, "blocks.%zu.%s", p.block, p.tensor->timm);
  return tensor;
}

static void copy_tensor(const burl_network *self, size_t index, float *values) {
  const burl_vit *vit = (const burl_vit *)self;
  place p = find_tensor(vit, index);
  size_t shape[BURL_TENSOR_MAX_RANK], count, n, k;
  if (!p.tensor) return;
  burl_vit_shape(vit, p.tensor->shape, shape, &count);
  if (burl_vit_is_packed(vit, p.tensor->shape, &n, &k))
    burl_num_unpack_rows(values, k, p.values, n, k);
  else
    memcpy(values, p.values, count * sizeof *values);
}

static const burl_network_ops vit_ops = {.family = "vit",
                                         .free = vit_free,
                                         .count_layers = count_layers,
                                         .get_layer = get_layer,
                                         .workspace_new = workspace_new,
                                         .workspace_free = workspace_free,
                                         .get_input = get_input,
                                         .forward = forward,
                                         .count_tensors = count_tensors,
                                         .get_tensor = get_tensor,
                                         .copy_tensor = copy_tensor};

typedef struct known_name {
  const char *name;
  size_t width; /* 0: any */
} known_name;

static const known_name *find_name(const char *name) {
  static const known_name known[] = {
      {"vit", 0}, {"vit_tiny", 192}, {"vit_small", 384}, {"vit_base", 768}, {"vit_large", 1024}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (strcmp(known[i].name, name) == 0) return &known[i];
  return NULL;
}

static burl_status take_layers(burl_vit *vit, const int *layers, size_t count, burl_diag *diag) {
  if (count == 0 || count > BURL_NETWORK_MAX_LAYERS)
    return burl_fail(diag, BURL_ERR_ARGUMENT, NULL, "Ask for a few blocks.",
                     "%zu layers are asked for, which must be 1 to %d", count,
                     BURL_NETWORK_MAX_LAYERS);
  for (size_t i = 0; i < count; i++) {
    if (layers[i] < 1 || layers[i] > VIT_MAX_DEPTH || (i > 0 && layers[i] <= layers[i - 1]))
      return burl_fail(diag, BURL_ERR_ARGUMENT, NULL, "Name blocks in ascending order, from 1.",
                       "block %d is asked for, but blocks are 1 to %d, each once and in order",
                       layers[i], VIT_MAX_DEPTH);
    vit->layer[i] = layers[i];
  }
  vit->count = count;
  vit->depth = (size_t)layers[count - 1];
  return BURL_OK;
}

burl_status burl_vit_new(burl_network **network, const char *name, const burl_weights *weights,
                         const int *layers, size_t count, burl_diag *diag) {
  const known_name *known = find_name(name);
  if (!known)
    return burl_fail(diag, BURL_ERR_ARGUMENT, NULL,
                     "Use vit_tiny, vit_small, vit_base, vit_large, or vit for any width.",
                     "there is no vision transformer \"%s\"", name);
  burl_vit *vit = burl_alloc_zero(1, sizeof *vit);
  if (!vit) return burl_fail_memory(diag, burl_weights_get_path(weights));
  vit->base.ops = &vit_ops;
  burl_status status = take_layers(vit, layers, count, diag);
  if (status == BURL_OK) status = burl_vit_load(vit, weights, diag);
  if (status == BURL_OK && known->width && vit->width != known->width)
    status = burl_fail(diag, BURL_ERR_FORMAT, burl_weights_get_path(weights),
                       "Name the transformer that the file holds.",
                       "tokens are %zu wide, those of %s %zu", vit->width, name, known->width);
  if (status != BURL_OK) {
    vit_free(&vit->base);
    return status;
  }
  *network = &vit->base;
  return BURL_OK;
}
