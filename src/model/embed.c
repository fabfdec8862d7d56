/* Embeddings of a whole image, put together from the cores of its tiles. */
#include <burl/model_embed.h>

#include "base/diag.h"
#include "encode/fused.h"
#include "heat/npy.h"
#include "model/model_encoders.h"

#include <stdlib.h>
#include <string.h>

struct burl_embedder {
  burl_encoder *own; /* NULL where it is a model's */
  const burl_encoder *encoder;
  tile_worker worker;
};

static burl_status open_networks(burl_embedder *self, const char *encoder, const char *layers,
                                 burl_diag *diag) {
  burl_encoder *parts[BURL_MAX_PARTS];
  burl_fit_options options = burl_fit_default_options();
  size_t count;
  options.encoder = encoder, options.layers = layers;
  burl_status status = burl_encoders_open(parts, &count, &options, diag);
  if (status != BURL_OK) return status;
  if (!burl_network_encoder_get_choice(parts[0]))
    status = burl_fail(diag, BURL_ERR_ARGUMENT, NULL, "Fit a model and name that.",
                       "the texture encoder has to be learned before it can embed");
  else if ((status = burl_fused_new(&self->own, parts, count)) != BURL_OK)
    burl_fail(diag, status, NULL, NULL, "%s", burl_status_get_text(status));
  for (size_t p = 0; status != BURL_OK && p < count; p++)
    parts[p]->ops->free(parts[p]);
  return status;
}

burl_status burl_embedder_new(burl_embedder **embedder, const burl_model *model,
                              const char *encoder, const char *layers, burl_diag *diag) {
  burl_embedder *made = burl_alloc_zero(1, sizeof *made);
  if (!made) return burl_fail_memory(diag, NULL);
  burl_status status = model ? BURL_OK : open_networks(made, encoder, layers, diag);
  made->encoder = model ? model->encoder : made->own;
  if (status == BURL_OK && burl_tile_worker_open(&made->worker, made->encoder) != BURL_OK)
    status = burl_fail_memory(diag, NULL);
  if (status != BURL_OK) {
    burl_embedder_free(made);
    return status;
  }
  *embedder = made;
  return BURL_OK;
}

void burl_embedder_free(burl_embedder *embedder) {
  if (!embedder) return;
  burl_tile_worker_close(&embedder->worker);
  if (embedder->own) embedder->own->ops->free(embedder->own);
  free(embedder);
}

size_t burl_embedder_get_count(const burl_embedder *embedder) {
  return embedder->encoder->ops->groups;
}

const char *burl_embedder_get_name(const burl_embedder *embedder, size_t group) {
  return embedder->encoder->ops->get_group(embedder->encoder, group).name;
}

void burl_embedder_get_shape(const burl_embedder *embedder, size_t shape[3], size_t group,
                             const burl_image *image) {
  burl_group of = embedder->encoder->ops->get_group(embedder->encoder, group);
  shape[0] = (image->height + of.stride - 1) / of.stride;
  shape[1] = (image->width + of.stride - 1) / of.stride;
  shape[2] = of.dim;
}

/* The cells of a tile's core. */
static void keep_core(float *out, size_t cols, const burl_feature_map *map, burl_rect core) {
  burl_cells in = burl_feature_map_cells_in(map, core);
  for (size_t i = in.row0; i < in.row1 && map->rows > 0; i++)
    memcpy(out + ((map->row + i) * cols + map->col + in.col0) * map->dim,
           map->data + (i * map->cols + in.col0) * map->dim,
           (in.col1 - in.col0) * map->dim * sizeof *out);
}

burl_status burl_embedder_embed(burl_embedder *embedder, float *out, size_t group,
                                const burl_image *image, burl_diag *diag) {
  size_t shape[3];
  burl_view view;
  if (image->height < BURL_MIN_SIDE || image->width < BURL_MIN_SIDE)
    return burl_fail(diag, BURL_ERR_SIZE, NULL, "Give a larger image.",
                     "is %zu x %zu pixels; at least %d a side are needed", image->height,
                     image->width, BURL_MIN_SIDE);
  burl_status status = burl_view_open(&view, image);
  if (status != BURL_OK)
    return burl_fail(diag, status, NULL, NULL, "holds values that are not finite");
  burl_embedder_get_shape(embedder, shape, group, image);
  memset(out, 0, shape[0] * shape[1] * shape[2] * sizeof *out);
  burl_tiling tiling = burl_model_tiling(embedder->encoder, image->height, image->width);
  for (size_t t = 0; t < tiling.rows * tiling.cols; t++) {
    burl_rect core, region;
    burl_tiling_get(&tiling, t, &core, &region);
    burl_tile_encode(&embedder->worker, &view, region);
    keep_core(out, shape[1], &embedder->worker.maps[group], core);
  }
  return BURL_OK;
}

burl_status burl_embedding_save_npy(const float *embedding, const size_t shape[3], const char *path,
                                    burl_diag *diag) {
  return burl_npy_save(embedding, "<f4", shape, 3, path, diag);
}
