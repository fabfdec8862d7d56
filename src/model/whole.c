/* Scoring with a model of whole images. Everything depends on one image and the model alone, so
 * that the bytes are the same for any number of threads. */
#include "model/whole.h"

#include "image/resize.h"
#include "prototype/pradot.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 256 };

size_t burl_model_get_side(const burl_bank_options *options) {
  return options->method == BURL_METHOD_PRADOT ? options->pradot.side : 0;
}

int burl_whole_looks_at(const burl_encoder *encoder, size_t group) {
  burl_group g = encoder->ops->get_group(encoder, group);
  return g.present && (g.stride == 8 || g.stride == 16);
}

/* Cells of a member's map both ways. */
static size_t cells_of(const burl_model *model, size_t member) {
  burl_group g = model->encoder->ops->get_group(model->encoder, burl_member_group(member));
  return (burl_model_get_side(&model->options.bank) + g.stride - 1) / g.stride;
}

static void *claim(burl_arena *arena, size_t count, size_t size) {
  if (arena->block) return burl_arena_take(arena, count, size);
  burl_arena_reserve(arena, count, size);
  return NULL;
}

static burl_status lay_out(burl_whole_worker *w) {
  size_t side = burl_model_get_side(&w->model->options.bank), most = 0, scratch = 0;
  for (size_t m = 0; m < MODEL_MEMBERS; m++) {
    if (!w->model->bank[m]) continue;
    size_t cells = cells_of(w->model, m) * cells_of(w->model, m);
    size_t size = burl_bank_score_size(w->model->bank[m], cells);
    if (size == 0) return BURL_ERR_SIZE;
    if (size > scratch) scratch = size;
    if (cells > most) most = cells;
    w->map[m] = claim(&w->arena, cells, sizeof(float));
  }
  w->pixels = claim(&w->arena, side * side, 3 * sizeof(float));
  w->places = claim(&w->arena, most, 2 * sizeof(float));
  w->scratch = claim(&w->arena, scratch, 1);
  return BURL_OK;
}

burl_status burl_whole_worker_open(burl_whole_worker *worker, const burl_model *model) {
  size_t side = burl_model_get_side(&model->options.bank);
  *worker = (burl_whole_worker){.model = model};
  burl_status status = lay_out(worker);
  if (status == BURL_OK) {
    worker->workspace = model->encoder->ops->workspace_new(model->encoder, side, side);
    if (!worker->workspace || !burl_arena_open(&worker->arena)) status = BURL_ERR_MEMORY;
  }
  if (status == BURL_OK) status = lay_out(worker);
  if (status != BURL_OK) burl_whole_worker_close(worker);
  return status;
}

void burl_whole_worker_close(burl_whole_worker *worker) {
  if (worker->model) worker->model->encoder->ops->workspace_free(worker->workspace);
  burl_arena_close(&worker->arena);
  *worker = (burl_whole_worker){0};
}

/* Between which two of n cells pixel i of `pixels` lies, and how far on the way. */
static void locate(size_t i, size_t pixels, size_t n, int corners, size_t *from, float *part) {
  double at;
  if (corners)
    at = pixels > 1 ? (double)i * (double)(n - 1) / (double)(pixels - 1) : 0.0;
  else
    at = ((double)i + 0.5) * (double)n / (double)pixels - 0.5;
  if (at < 0.0) at = 0.0;
  *from = (size_t)at;
  if (*from + 1 >= n) *from = n > 1 ? n - 2 : 0;
  double way = at - (double)*from;
  *part = (float)(way < 1.0 ? way : 1.0);
}

static void widen_row(float *restrict heat, const float *restrict above,
                      const float *restrict below, float part, const size_t *restrict from,
                      const float *restrict way, size_t step, size_t n, float weight) {
  for (size_t x = 0; x < n; x++) {
    size_t j = from[x];
    float top = above[j] + way[x] * (above[j + step] - above[j]);
    float bottom = below[j] + way[x] * (below[j + step] - below[j]);
    heat[x] += weight * (top + part * (bottom - top));
  }
}

void burl_map_widen(float *heat, size_t height, size_t width, const float *map, size_t rows,
                    size_t cols, int corners, float weight) {
  size_t from[BLOCK], row;
  float way[BLOCK], part;
  for (size_t x0 = 0; x0 < width; x0 += BLOCK) {
    size_t n = width - x0 < BLOCK ? width - x0 : BLOCK;
    for (size_t x = 0; x < n; x++)
      locate(x0 + x, width, cols, corners, &from[x], &way[x]);
    for (size_t y = 0; y < height; y++) {
      locate(y, height, rows, corners, &row, &part);
      const float *above = map + row * cols;
      widen_row(heat + y * width + x0, above, rows > 1 ? above + cols : above, part, from, way,
                cols > 1, n, weight);
    }
  }
}

static void score_members(burl_whole_worker *w, const burl_feature_map *maps) {
  for (size_t m = 0; m < MODEL_MEMBERS; m++) {
    const burl_bank *bank = w->model->bank[m];
    if (!bank) continue;
    const burl_feature_map *map = &maps[burl_member_group(m)];
    size_t cells = cells_of(w->model, m);
    if (map->rows != cells || map->cols != cells) { /* no fit makes such a model */
      memset(w->map[m], 0, cells * cells * sizeof(float));
      continue;
    }
    burl_pradot_places(w->places, map->rows, map->cols);
    burl_bank_score_with(bank, w->map[m], NULL, map->data, w->places, map->rows * map->cols,
                         w->scratch);
  }
}

/* The members' mean, and then what the caller wants of it. */
static float add_members(const burl_whole_worker *w, float *heat, const burl_image *image,
                         float offset, float scale) {
  size_t pixels = image->height * image->width, members = 0;
  float largest = -INFINITY;
  for (size_t m = 0; m < MODEL_MEMBERS; m++)
    members += w->model->bank[m] != NULL;
  memset(heat, 0, pixels * sizeof *heat);
  for (size_t m = 0; m < MODEL_MEMBERS; m++) {
    if (!w->model->bank[m]) continue;
    size_t n = cells_of(w->model, m);
    burl_map_widen(heat, image->height, image->width, w->map[m], n, n,
                   w->model->options.bank.pradot.corners, 1.0f / (float)members);
  }
  for (size_t i = 0; i < pixels; i++) {
    heat[i] = scale * (heat[i] - offset);
    largest = heat[i] > largest ? heat[i] : largest;
  }
  return largest;
}

burl_status burl_whole_score(burl_whole_worker *worker, float *heat, double *score,
                             const burl_image *image, double offset, double scale) {
  const burl_encoder *encoder = worker->model->encoder;
  size_t side = burl_model_get_side(&worker->model->options.bank);
  burl_feature_map maps[BURL_MAX_GROUPS];
  burl_image small = {side, side, image->channels, BURL_F32, worker->pixels};
  burl_view view;
  burl_image_resize(&small, image);
  burl_status status = burl_view_open(&view, &small);
  if (status != BURL_OK) return status;
  encoder->ops->encode(encoder, worker->workspace, &view, (burl_rect){0, 0, side, side}, maps);
  score_members(worker, maps);
  *score = (double)add_members(worker, heat, image, (float)offset, (float)scale);
  return BURL_OK;
}
