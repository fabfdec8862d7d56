/* Calibration: every image is scored by the banks that did not see it. */
#include "model/fit_parts.h"

#include "base/diag.h"

#include <math.h>

/* Negative distances do not count. */
static void forget_trimmed(const fit *f, const pass_tile *tile, const burl_feature_map *map) {
  float *distance = tile->worker->distance;
  for (size_t i = 0; f->trim && i < map->rows; i++)
    for (size_t j = 0; j < map->cols; j++)
      if (burl_fit_is_trimmed(f, tile->image, (map->row + i) * map->stride,
                              (map->col + j) * map->stride))
        distance[i * map->cols + j] = -1.0f;
}

static burl_status see_rings(void *context, const pass_tile *tile, double *statistics) {
  fit *f = context;
  const burl_encoder *encoder = f->model->encoder;
  burl_bank **bank = f->held_out[f->fold[tile->image]];
  burl_feature_map maps[BURL_MAX_GROUPS];
  encoder->ops->encode(encoder, tile->worker->workspace, tile->view, tile->region, maps);
  for (size_t m = 0; m < burl_member_count(encoder); m++) {
    const burl_feature_map *map = &maps[burl_member_group(m)];
    if (!bank[m] || map->rows == 0) continue;
    burl_tile_distances(tile->worker, bank[m], tile->view, map);
    forget_trimmed(f, tile, map);
    burl_ring_add(statistics + m * BURL_RING_STATISTICS, tile->worker->distance, map, tile->core);
  }
  return BURL_OK;
}

/* Statistics: count and sum of the values; largest value a tile, kept by image. */
static burl_status see_values(void *context, const pass_tile *tile, double *statistics) {
  fit *f = context;
  burl_heat_grid grid =
      burl_tile_score(tile->worker, f->held_out[f->fold[tile->image]], f->model->scale,
                      &f->model->heads, tile->view, tile->region);
  size_t y0 = tile->core.y / BURL_HEAT_STRIDE - grid.row;
  size_t x0 = tile->core.x / BURL_HEAT_STRIDE - grid.col;
  size_t rows = (tile->core.height + BURL_HEAT_STRIDE - 1) / BURL_HEAT_STRIDE;
  size_t cols = (tile->core.width + BURL_HEAT_STRIDE - 1) / BURL_HEAT_STRIDE;
  double *largest = &f->largest[tile->image];
  if (tile->tile == 0) *largest = -(double)INFINITY;
  for (size_t i = y0; i < y0 + rows; i++)
    for (size_t j = x0; j < x0 + cols; j++) {
      double value = (double)grid.data[i * grid.cols + j];
      statistics[0] += 1.0;
      statistics[1] += value;
      if (value > *largest) *largest = value;
    }
  return BURL_OK;
}

/* A member that only the images of one fold were large enough for was never held out: without a
 * scale it cannot be added to the others, and is left out. */
static void scale_member(burl_model *model, size_t m, const double *statistics) {
  double seen = 0.0;
  for (size_t r = 0; r < BURL_RINGS; r++)
    seen += statistics[3 * r];
  if (seen > 0.0) {
    burl_ring_finish(&model->scale[m], statistics);
    return;
  }
  burl_bank_free(model->bank[m]);
  model->bank[m] = NULL;
  if (burl_member_is_wanted(model->options.bank.spatial, m))
    model->encoder->ops->leave_out(model->encoder, burl_member_group(m));
}

burl_status burl_fit_scale(fit *f) {
  burl_model *model = f->model;
  double rings[MODEL_MEMBERS * BURL_RING_STATISTICS];
  size_t members = burl_member_count(model->encoder);
  training_pass pass = {"holding out images", members * BURL_RING_STATISTICS, see_rings, f, 0};
  burl_status status = burl_training_pass(&f->data, &pass, rings);
  for (size_t m = 0; m < members && status == BURL_OK; m++)
    scale_member(model, m, rings + m * BURL_RING_STATISTICS);
  return status;
}

burl_status burl_fit_measure_values(fit *f, double *typical, size_t *n) {
  double values[2];
  training_pass second = {"setting the threshold", 2, see_values, f, 0};
  burl_status status = burl_training_pass(&f->data, &second, values);
  if (status != BURL_OK) return status;
  *n = 0;
  for (size_t i = 0; i < f->data.count; i++)
    if (f->data.usable[i] && !burl_fit_is_aside(f, i)) f->largest[(*n)++] = f->largest[i];
  *typical = values[1] / values[0];
  return BURL_OK;
}

burl_status burl_fit_calibrate(fit *f) {
  burl_model *model = f->model;
  size_t n;
  burl_status status = burl_fit_measure_values(f, &model->typical, &n);
  if (status != BURL_OK) return status;
  model->calibration_images = n;
  status = burl_threshold_estimate(&model->threshold, f->largest, n, model->options.false_alarm,
                                   model->options.bank.seed);
  if (status == BURL_OK) status = burl_model_keep_maxima(model, f->largest, n);
  if (status != BURL_OK) return burl_fail_memory(f->data.diag, NULL);
  if (!(model->threshold.value > model->typical))
    return burl_fail(f->data.diag, BURL_ERR_DATA, NULL, "Give images of cloth that differ.",
                     "held-out good images do not vary, so no threshold can be set");
  return BURL_OK;
}
