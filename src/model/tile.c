/* One tile: encode, distance to the nearest prototype, standardise, add up, smooth. The one code
 * path of fitting and scoring. */
#include "model/model_parts.h"

#include <math.h>
#include <string.h>

burl_tiling burl_model_tiling(const burl_encoder *encoder, size_t height, size_t width) {
  return burl_tiling_of(height, width, TILE_CORE, encoder->ops->halo);
}

static void lay_out(tile_worker *w, size_t cells) {
  float **arrays[] = {&w->distance, &w->grid, &w->scratch};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
    if (w->arena.block)
      *arrays[i] = burl_arena_take(&w->arena, cells, sizeof(float));
    else
      burl_arena_reserve(&w->arena, cells, sizeof(float));
  }
  if (w->arena.block)
    w->positions = burl_arena_take(&w->arena, 2 * cells, sizeof(float));
  else
    burl_arena_reserve(&w->arena, 2 * cells, sizeof(float));
}

burl_status burl_tile_worker_open(tile_worker *worker, const burl_encoder *encoder) {
  size_t side = TILE_CORE + 2 * encoder->ops->halo, cells = side / BURL_HEAT_STRIDE;
  *worker = (tile_worker){.encoder = encoder};
  worker->workspace = encoder->ops->workspace_new(encoder, side, side);
  lay_out(worker, cells * cells);
  if (!worker->workspace || !burl_arena_open(&worker->arena)) {
    burl_tile_worker_close(worker);
    return BURL_ERR_MEMORY;
  }
  lay_out(worker, cells * cells);
  return BURL_OK;
}

void burl_tile_worker_close(tile_worker *worker) {
  if (worker->encoder) worker->encoder->ops->workspace_free(worker->workspace);
  burl_arena_close(&worker->arena);
  *worker = (tile_worker){0};
}

/* Cell centres in 0..1 of the image's sides. */
static void place(float *positions, const burl_view *view, const burl_feature_map *map) {
  float y = (float)map->stride / (float)view->image->height;
  float x = (float)map->stride / (float)view->image->width;
  for (size_t i = 0; i < map->rows; i++)
    for (size_t j = 0; j < map->cols; j++) {
      *positions++ = (float)(map->row + i) * y;
      *positions++ = (float)(map->col + j) * x;
    }
}

void burl_tile_distances(tile_worker *worker, const burl_bank *bank, const burl_view *view,
                         const burl_feature_map *map) {
  if (burl_bank_get_positions(bank)) place(worker->positions, view, map);
  size_t n = map->rows * map->cols;
  burl_bank_score(bank, worker->distance, NULL, map->data, worker->positions, n);
  for (size_t i = 0; i < n; i++)
    worker->distance[i] = sqrtf(worker->distance[i]);
}

burl_heat_grid burl_tile_score(tile_worker *worker, burl_bank *const *bank,
                               const burl_ring_scale *scale, const burl_view *view,
                               burl_rect region) {
  const burl_encoder *encoder = worker->encoder;
  burl_feature_map maps[BURL_MAX_GROUPS];
  burl_heat_grid grid = {.rows = (region.height + BURL_HEAT_STRIDE - 1) / BURL_HEAT_STRIDE,
                         .cols = (region.width + BURL_HEAT_STRIDE - 1) / BURL_HEAT_STRIDE,
                         .row = region.y / BURL_HEAT_STRIDE,
                         .col = region.x / BURL_HEAT_STRIDE,
                         .data = worker->grid};
  memset(grid.data, 0, grid.rows * grid.cols * sizeof *grid.data);
  encoder->ops->encode(encoder, worker->workspace, view, region, maps);
  for (size_t g = 0; g < encoder->ops->groups; g++) {
    if (!bank[g] || maps[g].rows == 0) continue;
    burl_tile_distances(worker, bank[g], view, &maps[g]);
    burl_heat_standardise(worker->distance, &maps[g], &scale[g]);
    burl_heat_add(&grid, worker->distance, &maps[g]);
  }
  burl_heat_smooth(&grid, worker->scratch);
  return grid;
}
