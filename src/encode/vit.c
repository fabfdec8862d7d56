/* The vision transformer behind the interface of frozen networks. */
#include "encode/vit.h"

#include "base/diag.h"
#include "encode/vit_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void vit_free(burl_network *self) {
  if (!self) return;
  burl_vit *vit = (burl_vit *)self;
  burl_arena_close(&vit->arena);
  free(vit);
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

static burl_status add(burl_safetensors_writer *writer, const burl_vit *vit, const char *prefix,
                       const char *name, const char *letters, const uint16_t *half) {
  size_t shape[BURL_TENSOR_MAX_RANK], count;
  size_t rank = burl_vit_shape(vit, letters, shape, &count);
  char whole[160];
  snprintf(whole, sizeof whole, "encoder.%s.%s", prefix, name);
  return burl_safetensors_writer_add_tensor(writer, whole, BURL_DTYPE_F16, shape, rank, half);
}

/* Under the names of timm. */
static burl_status save(const burl_network *self, burl_safetensors_writer *writer,
                        const char *prefix) {
  const burl_vit *vit = (const burl_vit *)self;
  burl_status status = BURL_OK;
  for (int t = 0; t < VIT_TOP_TENSORS && status == BURL_OK; t++)
    if (burl_vit_has_top(vit, (vit_top_tensor)t))
      status =
          add(writer, vit, prefix, burl_vit_top[t].timm, burl_vit_top[t].shape, vit->half_top[t]);
  for (size_t b = 0; b < vit->depth; b++)
    for (int t = 0; t < VIT_BLOCK_TENSORS && status == BURL_OK; t++) {
      char name[64];
      if (!burl_vit_has_in_block(vit, (vit_block_tensor)t)) continue;
      snprintf(name, sizeof name, "blocks.%zu.%s", b, burl_vit_block[t].timm);
      status = add(writer, vit, prefix, name, burl_vit_block[t].shape, vit->half_block[b][t]);
    }
  return status;
}

static const burl_network_ops vit_ops = {.free = vit_free,
                                         .get_layer = get_layer,
                                         .workspace_new = workspace_new,
                                         .workspace_free = workspace_free,
                                         .get_input = get_input,
                                         .forward = forward,
                                         .save = save};

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
  if (count == 0 || count > BURL_VIT_LAYERS)
    return burl_fail(diag, BURL_ERR_ARGUMENT, NULL, "Ask for a few blocks.",
                     "%zu layers are asked for, which must be 1 to %d", count, BURL_VIT_LAYERS);
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
                         const int *layers, size_t count, int half, burl_diag *diag) {
  const known_name *known = find_name(name);
  if (!known)
    return burl_fail(diag, BURL_ERR_ARGUMENT, NULL,
                     "Use vit_tiny, vit_small, vit_base, vit_large, or vit for any width.",
                     "there is no vision transformer \"%s\"", name);
  burl_vit *vit = burl_alloc_zero(1, sizeof *vit);
  if (!vit) return burl_fail_memory(diag, burl_weights_get_path(weights));
  vit->base.ops = &vit_ops;
  burl_status status = take_layers(vit, layers, count, diag);
  if (status == BURL_OK) status = burl_vit_load(vit, weights, half, diag);
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
