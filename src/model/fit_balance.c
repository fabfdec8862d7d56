/* Fusion of encoders: each one's map, the smoothed sum of its groups' standardised distances, gets
 * the same deviation on held-out good images before the maps are added up. An encoder of many
 * groups would otherwise outweigh one of few. The factor goes into the groups' scales, so that
 * scoring knows nothing of it. */
#include "model/fit_parts.h"

#include "base/diag.h"
#include "encode/fused.h"

#include <math.h>

typedef struct span {
  size_t first, end; /* members */
} span;

static span span_of(const burl_encoder *encoder, size_t part) {
  size_t groups = encoder->ops->groups, first = 0;
  while (first < groups && burl_fused_part_of(encoder, first) < part)
    first++;
  size_t end = first;
  while (end < groups && burl_fused_part_of(encoder, end) == part)
    end++;
  return (span){MODEL_PLACES * first, MODEL_PLACES * end};
}

/* Statistics: count, sum and sum of squares of each part. */
static burl_status see_parts(void *context, const pass_tile *tile, double *statistics) {
  fit *f = context;
  const burl_encoder *encoder = f->model->encoder;
  burl_tile_encode(tile->worker, tile->view, tile->region);
  for (size_t p = 0; p < burl_fused_count(encoder); p++) {
    span members = span_of(encoder, p);
    burl_heat_grid grid =
        burl_tile_add_up(tile->worker, f->held_out[f->fold[tile->image]], f->model->scale,
                         tile->view, tile->region, members.first, members.end);
    for (size_t i = 0; i < grid.rows; i++)
      for (size_t j = 0; j < grid.cols; j++) {
        size_t y = (grid.row + i) * BURL_HEAT_STRIDE, x = (grid.col + j) * BURL_HEAT_STRIDE;
        if (!burl_rect_holds(tile->core, y, x) || burl_fit_is_trimmed(f, tile->image, y, x))
          continue;
        double value = (double)grid.data[i * grid.cols + j];
        statistics[3 * p] += 1.0;
        statistics[3 * p + 1] += value;
        statistics[3 * p + 2] += value * value;
      }
  }
  return BURL_OK;
}

burl_status burl_fit_balance(fit *f) {
  burl_model *model = f->model;
  size_t parts = burl_fused_count(model->encoder);
  double sums[3 * BURL_MAX_PARTS];
  if (parts < 2) return BURL_OK;
  training_pass pass = {"weighing encoders", 3 * parts, see_parts, f, 0};
  burl_status status = burl_training_pass(&f->data, &pass, sums);
  if (status != BURL_OK) return status;
  for (size_t p = 0; p < parts; p++) {
    const double *part = sums + 3 * p;
    double mean = part[1] / part[0], variance = part[2] / part[0] - mean * mean;
    if (!(variance > 0.0)) continue; /* nothing of this encoder is there */
    span members = span_of(model->encoder, p);
    for (size_t m = members.first; m < members.end; m++)
      for (size_t r = 0; r < BURL_RINGS; r++)
        model->scale[m].deviation[r] *= (float)sqrt(variance);
  }
  return BURL_OK;
}
