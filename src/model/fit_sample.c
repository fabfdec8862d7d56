/* The bounded random sample of every group's patch embeddings, with their positions. */
#include "model/fit_parts.h"

#include "base/diag.h"
#include "base/random.h"

#include <string.h>

enum {
  SAMPLE = 48000, /* patches of each group that prototypes are learned from */
  MAX_DIM = 4092  /* of an embedding */
};

static void offer_map(fit *f, size_t group, const pass_tile *tile, const burl_feature_map *map) {
  patch_sample *sample = &f->sample[group];
  burl_cells in = burl_feature_map_cells_in(map, tile->core);
  burl_spatial spatial = f->model->options.bank.spatial;
  float values[MAX_DIM + 2];
  pthread_mutex_lock(&f->lock);
  uint64_t limit = sample->limit;
  pthread_mutex_unlock(&f->lock);
  for (size_t i = in.row0; i < in.row1; i++)
    for (size_t j = in.col0; j < in.col1; j++) {
      size_t row = map->row + i, col = map->col + j;
      uint64_t stream = (uint64_t)tile->image << 8 | group;
      uint64_t key = burl_random_at(f->model->options.bank.seed, stream, row * map->all_cols + col);
      if (key > limit || burl_fit_is_trimmed(f, tile->image, row * map->stride, col * map->stride))
        continue;
      memcpy(values, map->data + (i * map->cols + j) * map->dim, map->dim * sizeof *values);
      burl_view_place(values + map->dim, tile->view, spatial, row * map->stride, col * map->stride);
      pthread_mutex_lock(&f->lock);
      sample_entry *taken = burl_sample_offer(sample, key, (uint32_t)tile->image, values);
      if (taken) {
        taken->y = (uint32_t)burl_feature_map_pixel(map, row, tile->view->image->height);
        taken->x = (uint32_t)burl_feature_map_pixel(map, col, tile->view->image->width);
      }
      limit = sample->limit;
      pthread_mutex_unlock(&f->lock);
    }
}

static burl_status see_sample(void *context, const pass_tile *tile, double *statistics) {
  fit *f = context;
  const burl_encoder *encoder = f->model->encoder;
  burl_feature_map maps[BURL_MAX_GROUPS];
  (void)statistics;
  encoder->ops->encode(encoder, tile->worker->workspace, tile->view, tile->region, maps);
  for (size_t g = 0; g < encoder->ops->groups; g++)
    if (maps[g].rows > 0) offer_map(f, g, tile, &maps[g]);
  return BURL_OK;
}

burl_status burl_fit_draw_samples(fit *f) {
  const burl_encoder *encoder = f->model->encoder;
  for (size_t g = 0; g < encoder->ops->groups; g++) {
    burl_group group = encoder->ops->get_group(encoder, g);
    burl_sample_close(&f->sample[g]);
    if (group.dim > MAX_DIM)
      return burl_fail(f->data.diag, BURL_ERR_SIZE, NULL, NULL,
                       "group %s has %zu dimensions; at most %d are possible", group.name,
                       group.dim, MAX_DIM);
    if (burl_sample_open(&f->sample[g], SAMPLE, group.dim + 2) != BURL_OK)
      return burl_fail_memory(f->data.diag, NULL);
  }
  training_pass pass = {"sampling patches", 0, see_sample, f, 0};
  burl_status status = burl_training_pass(&f->data, &pass, NULL);
  for (size_t g = 0; g < encoder->ops->groups; g++)
    burl_sample_finish(&f->sample[g]);
  return status;
}
