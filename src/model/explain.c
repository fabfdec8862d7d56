/* Which prototype explains a patch: the tiles of scoring once more, with the nearest prototypes
 * kept instead of added up. */
#include <burl/model_explain.h>

#include "base/diag.h"
#include "base/parallel.h"
#include "heat/npy.h"
#include "model/model_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Models of whole images take a patch's score from all of the image. */
static burl_status check_model(const burl_scorer *scorer, burl_diag *diag) {
  if (scorer->worker) return BURL_OK;
  return burl_fail(diag, BURL_ERR_UNSUPPORTED, NULL, "Fit by another method.",
                   "models of method %s do not explain patches",
                   burl_method_get_name(scorer->model->options.bank.method));
}

static size_t cells_along(size_t pixels, size_t stride) {
  return (pixels + stride - 1) / stride;
}

burl_status burl_explanation_new(burl_explanation *self, const burl_model *model, size_t member,
                                 size_t height, size_t width) {
  if (member >= burl_member_count(model->encoder) || !model->bank[member] || height == 0 ||
      width == 0)
    return BURL_ERR_ARGUMENT;
  burl_group group = model->encoder->ops->get_group(model->encoder, burl_member_group(member));
  burl_explanation made = {.member = member,
                           .rows = cells_along(height, group.stride),
                           .cols = cells_along(width, group.stride)};
  size_t cells;
  if (!burl_size_mul(&cells, made.rows, made.cols)) return BURL_ERR_SIZE;
  made.nearest = burl_alloc(cells, sizeof *made.nearest);
  made.distance = burl_alloc(cells, sizeof *made.distance);
  if (!made.nearest || !made.distance) {
    burl_explanation_free(&made);
    return BURL_ERR_MEMORY;
  }
  for (size_t i = 0; i < cells; i++) {
    made.nearest[i] = BURL_NO_PROTOTYPE;
    made.distance[i] = NAN;
  }
  *self = made;
  return BURL_OK;
}

void burl_explanation_free(burl_explanation *self) {
  free(self->nearest);
  free(self->distance);
  *self = (burl_explanation){0};
}

burl_status burl_explanation_save_npy(const burl_explanation *self, const char *path,
                                      burl_diag *diag) {
  return burl_npy_save(self->nearest, "<u4", (size_t[]){self->rows, self->cols}, 2, path, diag);
}

/* One image on its way. */
typedef struct job {
  burl_scorer *scorer;
  int first; /* worker 0 of this job */
  burl_view view;
  burl_tiling tiling;
  burl_explanation *explanations;
  size_t count;
} job;

/* The cells of a tile's core go to their place in the whole grid. */
static void keep_core(const burl_explanation *to, const tile_worker *worker,
                      const burl_feature_map *map, burl_rect core) {
  burl_cells in = burl_feature_map_cells_in(map, core);
  size_t n = in.col1 - in.col0;
  for (size_t i = in.row0; i < in.row1; i++) {
    size_t from = i * map->cols + in.col0;
    size_t at = (map->row + i) * map->all_cols + map->col + in.col0;
    memcpy(to->nearest + at, worker->nearest + from, n * sizeof *to->nearest);
    memcpy(to->distance + at, worker->distance + from, n * sizeof *to->distance);
  }
}

static burl_status explain_tile(void *context, size_t index, int worker) {
  job *j = context;
  const burl_model *model = j->scorer->model;
  tile_worker *mine = &j->scorer->worker[j->first + worker];
  burl_feature_map maps[BURL_MAX_GROUPS];
  burl_rect core, region;
  burl_tiling_get(&j->tiling, index, &core, &region);
  model->encoder->ops->encode(model->encoder, mine->workspace, &j->view, region, maps);
  for (size_t i = 0; i < j->count; i++) {
    const burl_explanation *e = &j->explanations[i];
    const burl_feature_map *map = &maps[burl_member_group(e->member)];
    if (map->rows == 0) continue;
    burl_tile_nearest(mine, model->bank[e->member], &j->view, map);
    keep_core(e, mine, map, core);
  }
  return BURL_OK;
}

/* Explanations are for members of this model, and for this size. */
static burl_status check(const burl_model *model, const burl_explanation *e,
                         const burl_image *image, burl_diag *diag) {
  if (e->member >= burl_member_count(model->encoder) || !model->bank[e->member])
    return burl_fail(diag, BURL_ERR_ARGUMENT, NULL, NULL, "the model has no member %zu", e->member);
  burl_group group = model->encoder->ops->get_group(model->encoder, burl_member_group(e->member));
  size_t rows = cells_along(image->height, group.stride);
  size_t cols = cells_along(image->width, group.stride);
  if (e->rows == rows && e->cols == cols) return BURL_OK;
  return burl_fail(diag, BURL_ERR_ARGUMENT, NULL, NULL,
                   "an explanation of %zu x %zu cells does not fit an image of %zu x %zu", e->rows,
                   e->cols, rows, cols);
}

burl_status burl_scorer_explain_by(burl_scorer *scorer, int first, int threads,
                                   burl_explanation *explanations, size_t count,
                                   const burl_image *image, burl_diag *diag) {
  job j = {.scorer = scorer, .first = first, .explanations = explanations, .count = count};
  burl_phase phase;
  burl_status status = check_model(scorer, diag);
  for (size_t i = 0; i < count && status == BURL_OK; i++)
    status = check(scorer->model, &explanations[i], image, diag);
  if (status == BURL_OK) status = burl_scorer_look(scorer, &j.view, &phase, image, diag);
  if (status != BURL_OK) return status;
  j.tiling = burl_model_tiling(scorer->model->encoder, image->height, image->width);
  status = burl_parallel(j.tiling.rows * j.tiling.cols, threads, explain_tile, &j);
  if (status != BURL_OK) return burl_fail(diag, status, NULL, NULL, "cannot be explained");
  return BURL_OK;
}

burl_status burl_scorer_explain(burl_scorer *scorer, burl_explanation *explanations, size_t count,
                                const burl_image *image, burl_diag *diag) {
  return burl_scorer_explain_by(scorer, 0, scorer->threads, explanations, count, image, diag);
}

static size_t apart(size_t a, size_t b) {
  return a > b ? a - b : b - a;
}

/* The reason among the patches of one map, if there is a better one than the reason so far. */
static void look_around(burl_reason *reason, tile_worker *worker, const burl_model *model,
                        const burl_view *view, const burl_feature_map *map, size_t member, size_t y,
                        size_t x) {
  const burl_ring_scale *scale = &model->scale[member];
  burl_tile_nearest(worker, model->bank[member], view, map);
  for (size_t i = 0; i < map->rows; i++)
    for (size_t j = 0; j < map->cols; j++) {
      size_t row = map->row + i, col = map->col + j, at = i * map->cols + j;
      size_t middle_y = burl_feature_map_pixel(map, row, view->image->height);
      size_t middle_x = burl_feature_map_pixel(map, col, view->image->width);
      if (apart(middle_y, y) > map->stride || apart(middle_x, x) > map->stride) continue;
      size_t ring = burl_ring_of(row, col, map->all_rows, map->all_cols);
      double root = sqrt((double)worker->distance[at]);
      double excess = (root - (double)scale->mean[ring]) / (double)scale->deviation[ring];
      if (!(excess > reason->excess)) continue;
      *reason = (burl_reason){.member = member,
                              .prototype = worker->nearest[at],
                              .y = middle_y,
                              .x = middle_x,
                              .distance = (double)worker->distance[at],
                              .excess = excess};
    }
}

/* The tile whose core holds a pixel. */
static burl_rect region_about(const burl_model *model, const burl_image *image, size_t y,
                              size_t x) {
  burl_tiling tiling = burl_model_tiling(model->encoder, image->height, image->width);
  size_t row = tiling.rows > 1 ? y / TILE_CORE : 0, col = tiling.cols > 1 ? x / TILE_CORE : 0;
  burl_rect core, region;
  burl_tiling_get(&tiling, row * tiling.cols + col, &core, &region);
  return region;
}

burl_status burl_scorer_find_reason(burl_scorer *scorer, burl_reason *reason,
                                    const burl_image *image, size_t y, size_t x, burl_diag *diag) {
  const burl_model *model = scorer->model;
  tile_worker *worker = &scorer->worker[0];
  burl_view view;
  burl_phase phase;
  burl_feature_map maps[BURL_MAX_GROUPS];
  if (y >= image->height || x >= image->width)
    return burl_fail(diag, BURL_ERR_ARGUMENT, NULL, NULL, "pixel (%zu, %zu) lies outside", y, x);
  burl_status status = check_model(scorer, diag);
  if (status == BURL_OK) status = burl_scorer_look(scorer, &view, &phase, image, diag);
  if (status != BURL_OK) return status;
  burl_reason found = {.excess = -(double)INFINITY};
  model->encoder->ops->encode(model->encoder, worker->workspace, &view,
                              region_about(model, image, y, x), maps);
  for (size_t m = 0; m < burl_member_count(model->encoder); m++) {
    const burl_feature_map *map = &maps[burl_member_group(m)];
    if (model->bank[m] && map->rows > 0) look_around(&found, worker, model, &view, map, m, y, x);
  }
  if (!(found.excess > -(double)INFINITY))
    return burl_fail(diag, BURL_ERR_NUMERIC, NULL, NULL, "has no patch that could be judged");
  *reason = found;
  return BURL_OK;
}
