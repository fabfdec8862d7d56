/* Learning the texture encoder in two passes.
 *
 * Pass 0, filters: second moments of random 5 x 5 patches (each patch's mean removed) of every
 * level; the filters are the 12 leading eigenvectors, scaled by (lambda + 1e-5)^-1/2. Pass 1,
 * whitening: mean and covariance of the raw features of every group, over all cells; W = V (lambda
 * + 0.01 mean lambda)^-1/2. From fewer independent cells than dimensions W would make the training
 * images look all alike and every other one strange, so such a group is left out. */
#include "base/random.h"
#include "encode/texture_parts.h"
#include "num/eigen.h"

#include <math.h>

enum {
  TAPS = BURL_FILTER_TAPS,
  PIXELS_A_PATCH = 128,               /* one random patch a level for so many pixels */
  PATCH_STATISTICS = 1 + TAPS * TAPS, /* count, second moments */
  MOMENTS = 2 + BURL_TEXTURE_DIM + BURL_TEXTURE_DIM * BURL_TEXTURE_DIM /* counts, sums, products */
};

size_t burl_texture_count_statistics(const burl_encoder *self, size_t pass) {
  (void)self;
  return pass == 0 ? TEXTURE_LEVELS * PATCH_STATISTICS : TEXTURE_GROUPS * MOMENTS;
}

static int is_left_out(const burl_lesson *lesson, size_t y, size_t x) {
  return lesson->is_left_out && lesson->is_left_out(lesson->context, y, x);
}

/* Adds the patch at (y,x) of a level image (.., width). */
static void add_patch(double *statistics, const float *level, size_t width, size_t y, size_t x) {
  float patch[TAPS], mean = 0.0f;
  for (size_t i = 0; i < TAPS; i++) {
    patch[i] = level[(y + i / BURL_FILTER_SIDE) * width + x + i % BURL_FILTER_SIDE];
    mean += patch[i] / (float)TAPS;
  }
  for (size_t i = 0; i < TAPS; i++)
    patch[i] -= mean;
  statistics[0] += 1.0;
  double *moment = statistics + 1;
  for (size_t i = 0; i < TAPS; i++)
    for (size_t j = 0; j < TAPS; j++)
      moment[i * TAPS + j] += (double)patch[i] * (double)patch[j];
}

static void learn_filters(const burl_encoder_workspace *w, const burl_lesson *lesson,
                          double *statistics) {
  size_t wanted = (lesson->core.height * lesson->core.width + PIXELS_A_PATCH - 1) / PIXELS_A_PATCH;
  for (size_t l = 0; l < TEXTURE_LEVELS; l++) {
    if (w->height[l] < BURL_FILTER_SIDE || w->width[l] < BURL_FILTER_SIDE) continue;
    burl_random random = burl_random_start(lesson->seed, lesson->key * TEXTURE_LEVELS + l);
    for (size_t i = 0; i < wanted; i++) {
      size_t y = burl_random_below(&random, w->height[l] - BURL_FILTER_SIDE + 1);
      size_t x = burl_random_below(&random, w->width[l] - BURL_FILTER_SIDE + 1);
      size_t half = BURL_FILTER_SIDE / 2;
      if (is_left_out(lesson, lesson->region.y + ((y + half) << l),
                      lesson->region.x + ((x + half) << l)))
        continue;
      add_patch(statistics + l * PATCH_STATISTICS, w->level[l], w->width[l], y, x);
    }
  }
}

/* Numbers in [lo,hi) and in [first,last]. */
static double overlap(size_t lo, size_t hi, size_t first, size_t last) {
  if (lo < first) lo = first;
  if (hi > last + 1) hi = last + 1;
  return hi > lo ? (double)(hi - lo) : 0.0;
}

/* How many boxes side by side the cells amount to: copies at the borders tell nothing new, and
 * neighbours whose boxes overlap little. */
static double count_independent(const burl_encoder_workspace *w, size_t group,
                                const burl_cells *in) {
  if (group == TEXTURE_FINE) return (double)(in->row1 - in->row0) * (double)(in->col1 - in->col0);
  const burl_pooling *p = &burl_texture_pooling[group];
  size_t r0, r1, c0, c1;
  burl_pooling_cells(p, w->height[group], &r0, &r1);
  burl_pooling_cells(p, w->width[group], &c0, &c1);
  double share = (double)p->cell / (double)p->box;
  return share * overlap(in->row0, in->row1, r0, r1) * share * overlap(in->col0, in->col1, c0, c1);
}

static void add_moments(double *statistics, const burl_encoder_workspace *w, size_t group,
                        const burl_feature_map *map, const burl_lesson *lesson) {
  burl_cells in = burl_feature_map_cells_in(map, lesson->core);
  size_t d = map->dim;
  double *sum = statistics + 2, *product = sum + d;
  statistics[1] += count_independent(w, group, &in);
  for (size_t i = in.row0; i < in.row1; i++)
    for (size_t j = in.col0; j < in.col1; j++) {
      if (is_left_out(lesson, (map->row + i) * map->stride, (map->col + j) * map->stride)) continue;
      const float *cell = map->data + (i * map->cols + j) * d;
      statistics[0] += 1.0;
      for (size_t k = 0; k < d; k++) {
        sum[k] += (double)cell[k];
        for (size_t m = 0; m < d; m++)
          product[k * d + m] += (double)cell[k] * (double)cell[m];
      }
    }
}

void burl_texture_learn(const burl_encoder *self, burl_encoder_workspace *workspace, size_t pass,
                        const burl_lesson *lesson, double *statistics) {
  burl_texture_load_region(workspace, lesson->view, lesson->region);
  if (pass == 0) {
    learn_filters(workspace, lesson, statistics);
    return;
  }
  burl_feature_map maps[TEXTURE_GROUPS];
  burl_texture_extract((const burl_texture *)self, workspace, lesson->view, lesson->region, 1,
                       maps);
  for (size_t g = 0; g < TEXTURE_GROUPS; g++)
    if (maps[g].rows > 0) add_moments(statistics + g * MOMENTS, workspace, g, &maps[g], lesson);
}

void burl_texture_arrange(burl_texture *self) {
  for (size_t l = 0; l < TEXTURE_LEVELS; l++)
    for (size_t f = 0; f < BURL_FILTER_COUNT; f++)
      for (size_t t = 0; t < TAPS; t++)
        self->taps[l][t * BURL_FILTER_COUNT + f] = self->filters[l][f * TAPS + t];
}

static burl_status finish_filters(burl_texture *self, const double *statistics) {
  double values[TAPS], vectors[TAPS * TAPS], matrix[TAPS * TAPS];
  for (size_t l = 0; l < TEXTURE_LEVELS; l++) {
    const double *level = statistics + l * PATCH_STATISTICS;
    self->group[l].present = level[0] >= 1.0;
    if (!self->group[l].present) continue;
    for (size_t i = 0; i < TAPS * TAPS; i++)
      matrix[i] = level[1 + i] / level[0];
    burl_status status = burl_num_symmetric_eigen(values, vectors, matrix, TAPS);
    if (status != BURL_OK) return status;
    for (size_t f = 0; f < BURL_FILTER_COUNT; f++) {
      size_t from = TAPS - 1 - f; /* largest first */
      double lambda = values[from] > 0.0 ? values[from] : 0.0;
      for (size_t t = 0; t < TAPS; t++)
        self->filters[l][f * TAPS + t] = (float)(vectors[from * TAPS + t] / sqrt(lambda + 1e-5));
    }
  }
  burl_texture_arrange(self);
  return BURL_OK;
}

/* Whitening of one group from its moments; every direction is kept, weak ones damped. */
static burl_status finish_group(texture_group *group, const double *moments, size_t d) {
  enum { D = BURL_TEXTURE_DIM };
  double values[D], vectors[D * D], covariance[D * D] = {0}, mean[D], trace = 0.0;
  const double *sum = moments + 2, *product = sum + d;
  for (size_t i = 0; i < d; i++)
    mean[i] = sum[i] / moments[0];
  for (size_t i = 0; i < d; i++)
    for (size_t j = 0; j < d; j++)
      covariance[i * d + j] = product[i * d + j] / moments[0] - mean[i] * mean[j];
  burl_status status = burl_num_symmetric_eigen(values, vectors, covariance, d);
  if (status != BURL_OK) return status;
  for (size_t i = 0; i < d; i++)
    trace += values[i] > 0.0 ? values[i] : 0.0;
  group->present = trace > 1e-12 && moments[1] >= (double)d;
  if (!group->present) return BURL_OK;
  for (size_t i = 0; i < d; i++) {
    group->mean[i] = (float)mean[i];
    for (size_t k = 0; k < d; k++) {
      double lambda = values[k] > 0.0 ? values[k] : 0.0;
      group->whiten[i * d + k] =
          (float)(vectors[k * d + i] / sqrt(lambda + 0.01 * trace / (double)d));
    }
  }
  return BURL_OK;
}

burl_status burl_texture_learned(burl_encoder *encoder, size_t pass, const double *statistics) {
  burl_texture *self = (burl_texture *)encoder;
  if (pass == 0) return finish_filters(self, statistics);
  int any = 0;
  for (size_t g = 0; g < TEXTURE_GROUPS; g++) {
    const double *moments = statistics + g * MOMENTS;
    self->group[g].present = moments[0] >= 2.0;
    if (!self->group[g].present) continue;
    burl_status status = finish_group(&self->group[g], moments, burl_texture_dim(g));
    if (status != BURL_OK) return status;
    any |= self->group[g].present;
  }
  return any ? BURL_OK : BURL_ERR_DATA;
}
