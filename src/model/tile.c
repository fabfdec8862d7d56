/* One tile: encode, distance to the nearest prototype, standardise, add up, smooth. The one code
 * path of fitting and scoring. */
#include "model/model_parts.h"

#include <math.h>
#include <string.h>

burl_tiling burl_model_tiling(const burl_encoder *encoder, size_t height, size_t width) {
  return burl_tiling_of(height, width, TILE_CORE, encoder->ops->halo);
}

static void lay_out(tile_worker *w, size_t cells) {
  size_t groups = w->encoder->ops->groups;
  const struct {
    float **array;
    size_t count;
  } arrays[] = {{&w->distance, cells},
                {&w->grid, cells},
                {&w->spare, 3 * cells},
                {&w->positions, 2 * cells},
                {&w->groups, groups * cells}};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
    if (w->arena.block)
      *arrays[i].array = burl_arena_take(&w->arena, arrays[i].count, sizeof(float));
    else
      burl_arena_reserve(&w->arena, arrays[i].count, sizeof(float));
  }
  if (w->arena.block) {
    w->nearest = burl_arena_take(&w->arena, cells, sizeof(uint32_t));
    w->kinds = burl_arena_take(&w->arena, cells, sizeof(unsigned char));
  } else {
    burl_arena_reserve(&w->arena, cells, sizeof(uint32_t));
    burl_arena_reserve(&w->arena, cells, sizeof(unsigned char));
  }
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

burl_status burl_view_open_placed(burl_view *view, burl_phase *phase, const burl_lattice *lattice,
                                  const burl_image *image) {
  burl_status status = burl_view_open(view, image);
  if (status != BURL_OK || lattice->dimensions == 0) return status;
  status = burl_lattice_align(phase, lattice, view);
  view->phase = phase;
  return status;
}

void burl_view_place(float position[2], const burl_view *view, burl_spatial spatial, size_t y,
                     size_t x) {
  if (spatial == BURL_SPATIAL_PERIODIC) {
    burl_phase_get(position, view->phase, (double)y, (double)x);
    return;
  }
  position[0] = (float)y / (float)view->image->height;
  position[1] = (float)x / (float)view->image->width;
}

static void place(float *positions, const burl_view *view, burl_spatial spatial,
                  const burl_feature_map *map) {
  for (size_t i = 0; i < map->rows; i++, positions += 2 * map->cols) {
    size_t y = (map->row + i) * map->stride, x = map->col * map->stride;
    if (spatial == BURL_SPATIAL_PERIODIC)
      burl_phase_get_row(positions, view->phase, (double)y, (double)x, (double)map->stride,
                         map->cols);
    for (size_t j = 0; spatial == BURL_SPATIAL_GRID && j < map->cols; j++)
      burl_view_place(positions + 2 * j, view, spatial, y, x + j * map->stride);
  }
}

static void score_map(tile_worker *worker, uint32_t *nearest, const burl_bank *bank,
                      const burl_view *view, const burl_feature_map *map) {
  burl_spatial spatial = burl_bank_get_spatial(bank);
  if (spatial != BURL_SPATIAL_NONE) place(worker->positions, view, spatial, map);
  burl_bank_score(bank, worker->distance, nearest, map->data, worker->positions,
                  map->rows * map->cols);
}

void burl_tile_nearest(tile_worker *worker, const burl_bank *bank, const burl_view *view,
                       const burl_feature_map *map) {
  score_map(worker, worker->nearest, bank, view, map);
}

void burl_tile_distances(tile_worker *worker, const burl_bank *bank, const burl_view *view,
                         const burl_feature_map *map) {
  size_t n = map->rows * map->cols;
  score_map(worker, NULL, bank, view, map);
  for (size_t i = 0; i < n; i++)
    worker->distance[i] = sqrtf(worker->distance[i]);
}

void burl_tile_encode(tile_worker *worker, const burl_view *view, burl_rect region) {
  const burl_encoder *encoder = worker->encoder;
  encoder->ops->encode(encoder, worker->workspace, view, region, worker->maps);
}

static burl_heat_grid grid_over(float *data, burl_rect region) {
  return (burl_heat_grid){.rows = (region.height + BURL_HEAT_STRIDE - 1) / BURL_HEAT_STRIDE,
                          .cols = (region.width + BURL_HEAT_STRIDE - 1) / BURL_HEAT_STRIDE,
                          .row = region.y / BURL_HEAT_STRIDE,
                          .col = region.x / BURL_HEAT_STRIDE,
                          .data = data};
}

/* grid += the standardised distances of a member, where it is there. */
static void add_member(tile_worker *worker, burl_heat_grid *grid, burl_bank *const *bank,
                       const burl_ring_scale *scale, const burl_view *view, size_t m) {
  const burl_feature_map *map = &worker->maps[burl_member_group(m)];
  if (!bank[m] || map->rows == 0) return;
  burl_tile_distances(worker, bank[m], view, map);
  burl_heat_standardise(worker->distance, map, &scale[m]);
  burl_heat_add(grid, worker->distance, map);
}

burl_heat_grid burl_tile_add_up(tile_worker *worker, burl_bank *const *bank,
                                const burl_ring_scale *scale, const burl_view *view,
                                burl_rect region, size_t first, size_t end) {
  burl_heat_grid grid = grid_over(worker->grid, region);
  memset(grid.data, 0, grid.rows * grid.cols * sizeof *grid.data);
  for (size_t m = first; m < end; m++)
    add_member(worker, &grid, bank, scale, view, m);
  burl_heat_smooth(&grid, worker->spare, BURL_HEAT_SIGMA);
  return grid;
}

burl_heat_grid burl_tile_split(tile_worker *worker, burl_bank *const *bank,
                               const burl_ring_scale *scale, const burl_view *view,
                               burl_rect region) {
  burl_heat_grid grid = grid_over(worker->groups, region);
  size_t cells = grid.rows * grid.cols, groups = worker->encoder->ops->groups;
  memset(grid.data, 0, groups * cells * sizeof *grid.data);
  for (size_t m = 0; m < burl_member_count(worker->encoder); m++) {
    burl_heat_grid one = grid;
    one.data = worker->groups + burl_member_group(m) * cells;
    add_member(worker, &one, bank, scale, view, m);
  }
  grid.data = worker->grid;
  return grid;
}

burl_heat_grid burl_tile_score(tile_worker *worker, burl_bank *const *bank,
                               const burl_ring_scale *scale, const burl_heads *heads,
                               const burl_view *view, burl_rect region) {
  burl_tile_encode(worker, view, region);
  if (heads->count == 0)
    return burl_tile_add_up(worker, bank, scale, view, region, 0,
                            burl_member_count(worker->encoder));
  burl_heat_grid grid = burl_tile_split(worker, bank, scale, view, region);
  burl_heads_fuse(&grid, worker->kinds, worker->spare, heads, worker->groups,
                  worker->encoder->ops->groups);
  return grid;
}
