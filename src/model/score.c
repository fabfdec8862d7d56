/* Scoring one image: its tiles are spread over threads, each tile writes its core into the map. */
#include "model/model_parts.h"
#include <burl/model_heads.h>

#include "base/diag.h"
#include "base/parallel.h"
#include "model/whole.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static burl_status open_workers(burl_scorer *self) {
  size_t count = (size_t)self->threads;
  burl_status status = BURL_OK;
  if (burl_model_get_side(&self->model->options.bank) > 0)
    self->whole = burl_alloc_zero(count, sizeof *self->whole);
  else
    self->worker = burl_alloc_zero(count, sizeof *self->worker);
  if (!self->whole && !self->worker) return BURL_ERR_MEMORY;
  for (size_t i = 0; i < count && status == BURL_OK; i++)
    status = self->whole ? burl_whole_worker_open(&self->whole[i], self->model)
                         : burl_tile_worker_open(&self->worker[i], self->model->encoder);
  return status;
}

burl_status burl_scorer_new(burl_scorer **scorer, const burl_model *model, int threads) {
  if (threads < 1 || threads > 256) return BURL_ERR_ARGUMENT;
  burl_scorer *made = burl_alloc_zero(1, sizeof *made);
  if (!made) return BURL_ERR_MEMORY;
  *made = (burl_scorer){.model = model, .threads = threads};
  burl_status status = open_workers(made);
  if (status != BURL_OK) {
    burl_scorer_free(made);
    return status;
  }
  *scorer = made;
  return BURL_OK;
}

void burl_scorer_free(burl_scorer *scorer) {
  if (!scorer) return;
  for (int i = 0; scorer->worker && i < scorer->threads; i++)
    burl_tile_worker_close(&scorer->worker[i]);
  for (int i = 0; scorer->whole && i < scorer->threads; i++)
    burl_whole_worker_close(&scorer->whole[i]);
  free(scorer->worker);
  free(scorer->whole);
  free(scorer);
}

/* One image on its way. */
typedef struct job {
  burl_scorer *scorer;
  int first; /* worker 0 of this job */
  burl_view view;
  burl_tiling tiling;
  float *heat;          /* (height, width) */
  unsigned char *kinds; /* (height, width), or NULL */
  float *largest;       /* (threads): of the tiles each worker has done */
} job;

static burl_status score_whole(burl_whole_worker *worker, float *heat, double *score,
                               const burl_image *image, burl_diag *diag) {
  const burl_model *model = worker->model;
  double scale = 1.0 / (model->threshold.value - model->typical);
  burl_status status = burl_whole_score(worker, heat, score, image, model->typical, scale);
  if (status != BURL_OK) return burl_fail(diag, status, NULL, NULL, "cannot be scored");
  return BURL_OK;
}

static burl_status score_tile(void *context, size_t index, int worker) {
  job *j = context;
  const burl_model *model = j->scorer->model;
  tile_worker *mine = &j->scorer->worker[j->first + worker];
  burl_rect core, region;
  burl_tiling_get(&j->tiling, index, &core, &region);
  burl_heat_grid grid =
      burl_tile_score(mine, model->bank, model->scale, &model->heads, &j->view, region);
  float scale = (float)(1.0 / (model->threshold.value - model->typical));
  size_t first = core.y * j->tiling.width + core.x;
  if (j->kinds && model->heads.count > 0)
    burl_kinds_expand(j->kinds + first, j->tiling.width, mine->kinds, &grid, core);
  float largest = burl_heat_expand(j->heat + first, j->tiling.width, mine->spare, &grid, core,
                                   (float)model->typical, scale);
  if (largest > j->largest[worker]) j->largest[worker] = largest;
  return BURL_OK;
}

burl_status burl_scorer_look(const burl_scorer *scorer, burl_view *view, burl_phase *phase,
                             const burl_image *image, burl_diag *diag) {
  if (image->height < BURL_MIN_SIDE || image->width < BURL_MIN_SIDE)
    return burl_fail(diag, BURL_ERR_SIZE, NULL, "Give an image of the scale that was fitted on.",
                     "is %zu x %zu pixels; at least %d a side are needed", image->height,
                     image->width, BURL_MIN_SIDE);
  burl_status status = burl_view_open_placed(view, phase, &scorer->model->lattice, image);
  if (status == BURL_ERR_MEMORY) return burl_fail_memory(diag, NULL);
  if (status != BURL_OK)
    return burl_fail(diag, status, NULL, NULL, "holds values that are not finite");
  return BURL_OK;
}

burl_status burl_scorer_score_by(burl_scorer *scorer, int first, int threads, float *heat,
                                 unsigned char *kinds, double *score, const burl_image *image,
                                 burl_diag *diag) {
  float largest[256];
  job j = {.scorer = scorer, .first = first, .heat = heat, .kinds = kinds, .largest = largest};
  burl_phase phase;
  burl_status status = burl_scorer_look(scorer, &j.view, &phase, image, diag);
  if (status != BURL_OK) return status;
  if (kinds) memset(kinds, BURL_KIND_NONE, image->height * image->width);
  if (scorer->whole) return score_whole(&scorer->whole[first], heat, score, image, diag);
  j.tiling = burl_model_tiling(scorer->model->encoder, image->height, image->width);
  for (int i = 0; i < threads; i++)
    largest[i] = -INFINITY;
  status = burl_parallel(j.tiling.rows * j.tiling.cols, threads, score_tile, &j);
  if (status != BURL_OK) return burl_fail(diag, status, NULL, NULL, "cannot be scored");
  for (int i = 1; i < threads; i++)
    if (largest[i] > largest[0]) largest[0] = largest[i];
  *score = (double)largest[0];
  return BURL_OK;
}

burl_status burl_scorer_score(burl_scorer *scorer, float *heat, double *score,
                              const burl_image *image, burl_diag *diag) {
  return burl_scorer_score_by(scorer, 0, scorer->threads, heat, NULL, score, image, diag);
}

burl_status burl_scorer_score_kinds(burl_scorer *scorer, float *heat, unsigned char *kinds,
                                    double *score, const burl_image *image, burl_diag *diag) {
  return burl_scorer_score_by(scorer, 0, scorer->threads, heat, kinds, score, image, diag);
}
