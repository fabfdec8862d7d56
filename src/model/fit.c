/* Fitting a model: streaming passes over the good images.
 *
 *   1..  the encoder's own passes (for texture: filters, whitening)
 *   then a bounded random sample of every group's patch embeddings            model/sample
 *   then the banks: one of all images, and one without each fold              prototype/
 *   then two passes in which every image is scored by the banks that did not see it: distances by
 * ring (the groups' scale), and largest values (the threshold)              heat/
 *
 * Folds are runs of neighbouring images in sorted order: neighbours are often cut from the same
 * strip, and the images of a strip should be held out together. */
#include "model/passes.h"

#include "base/diag.h"
#include "base/parallel.h"
#include "base/random.h"
#include "model/sample.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { SAMPLE = 48000 }; /* patches of each group that prototypes are learned from */

typedef struct fit {
  burl_model *model;
  training data;
  size_t folds;
  size_t *fold;                                    /* (images) */
  burl_bank *held_out[MAX_FOLDS][BURL_MAX_GROUPS]; /* learned without that fold */
  patch_sample sample[BURL_MAX_GROUPS];
  pthread_mutex_t lock;  /* of the samples, and of learned */
  size_t learned, tasks; /* banks learned so far, and in all */
  double *largest;       /* (images) largest held-out value of each */
  size_t learning_pass;
} fit;

burl_fit_options burl_fit_default_options(void) {
  burl_bank_options bank = burl_bank_default_options();
  return (burl_fit_options){.prototypes = bank.prototypes,
                            .power = bank.power,
                            .trim = bank.trim,
                            .spatial_weight = bank.spatial_weight,
                            .false_alarm = 0.01,
                            .seed = 1,
                            .threads = 1};
}

static burl_status check_options(const burl_fit_options *o, burl_diag *diag) {
  struct {
    const char *name;
    double value, low, high;
  } ranges[] = {{"prototypes", (double)o->prototypes, 1.0, 65536.0},
                {"power", o->power, 1.0, 16.0},
                {"trim", o->trim, 0.0, 0.5},
                {"spatial weight", o->spatial_weight, 0.0, 0.99},
                {"false alarm", o->false_alarm, 0.0001, 0.5},
                {"threads", (double)o->threads, 1.0, 256.0}};
  for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
    if (!(ranges[i].value >= ranges[i].low && ranges[i].value <= ranges[i].high))
      return burl_fail(diag, BURL_ERR_ARGUMENT, NULL, NULL, "%s is %g, not between %g and %g",
                       ranges[i].name, ranges[i].value, ranges[i].low, ranges[i].high);
  return BURL_OK;
}

static burl_status see_lesson(void *context, const pass_tile *tile, double *statistics) {
  fit *f = context;
  const burl_encoder *encoder = f->model->encoder;
  burl_lesson lesson = {.view = tile->view,
                        .core = tile->core,
                        .region = tile->region,
                        .seed = f->model->options.seed,
                        .key = (uint64_t)tile->image << 24 | tile->tile};
  encoder->ops->learn(encoder, tile->worker->workspace, f->learning_pass, &lesson, statistics);
  return BURL_OK;
}

/* Enough usable images? Reported once, after the first pass. */
static burl_status check_count(const fit *f) {
  const training *data = &f->data;
  if (data->used >= 2) return BURL_OK;
  return burl_fail(data->diag, BURL_ERR_DATA, NULL,
                   "Give at least 2 good images, better 30; a large one may be cut into pieces.",
                   "%zu of %zu good training images can be used; a threshold needs held-out images",
                   data->used, data->count);
}

static burl_status learn_encoder(fit *f) {
  const burl_encoder_ops *ops = f->model->encoder->ops;
  burl_status status = BURL_OK;
  for (size_t p = 0; p < ops->passes && status == BURL_OK; p++) {
    size_t n = ops->count_statistics(f->model->encoder, p);
    double *total = burl_alloc(n, sizeof *total);
    if (!total) return burl_fail_memory(f->data.diag, NULL);
    f->learning_pass = p;
    training_pass pass = {p == 0 ? "reading images" : "learning texture", n, see_lesson, f, p == 0};
    status = burl_training_pass(&f->data, &pass, total);
    if (status == BURL_OK && p == 0) status = check_count(f);
    if (status == BURL_OK && (status = ops->learned(f->model->encoder, p, total)) != BURL_OK)
      burl_fail(f->data.diag, status, NULL, "Give more or larger images of cloth.",
                "the encoder learned nothing from the good images");
    free(total);
  }
  return status;
}

/* Fold of every image: as even runs of the usable ones. */
static burl_status deal_folds(fit *f) {
  size_t n = 0;
  f->folds = f->data.used < MAX_FOLDS ? f->data.used : MAX_FOLDS;
  f->fold = burl_alloc_zero(f->data.count, sizeof *f->fold);
  f->largest = burl_alloc_zero(f->data.count, sizeof *f->largest);
  if (!f->fold || !f->largest) return burl_fail_memory(f->data.diag, NULL);
  for (size_t i = 0; i < f->data.count; i++)
    if (f->data.usable[i]) f->fold[i] = n++ * f->folds / f->data.used;
  return BURL_OK;
}

static void offer_map(fit *f, size_t group, const pass_tile *tile, const burl_feature_map *map) {
  patch_sample *sample = &f->sample[group];
  burl_cells in = burl_feature_map_cells_in(map, tile->core);
  const burl_image *image = tile->view->image;
  float values[BURL_JOINT_MAX_DIM + 2];
  pthread_mutex_lock(&f->lock);
  uint64_t limit = sample->limit;
  pthread_mutex_unlock(&f->lock);
  for (size_t i = in.row0; i < in.row1; i++)
    for (size_t j = in.col0; j < in.col1; j++) {
      size_t row = map->row + i, col = map->col + j;
      uint64_t stream = (uint64_t)tile->image << 8 | group;
      uint64_t key = burl_random_at(f->model->options.seed, stream, row * map->all_cols + col);
      if (key > limit) continue;
      memcpy(values, map->data + (i * map->cols + j) * map->dim, map->dim * sizeof *values);
      values[map->dim] = (float)(row * map->stride) / (float)image->height;
      values[map->dim + 1] = (float)(col * map->stride) / (float)image->width;
      pthread_mutex_lock(&f->lock);
      burl_sample_offer(sample, key, (uint32_t)tile->image, values);
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

static burl_status draw_samples(fit *f) {
  const burl_encoder *encoder = f->model->encoder;
  for (size_t g = 0; g < encoder->ops->groups; g++) {
    burl_group group = encoder->ops->get_group(encoder, g);
    if (burl_sample_open(&f->sample[g], SAMPLE, group.dim + 2) != BURL_OK)
      return burl_fail_memory(f->data.diag, NULL);
  }
  training_pass pass = {"sampling patches", 0, see_sample, f, 0};
  burl_status status = burl_training_pass(&f->data, &pass, NULL);
  for (size_t g = 0; g < encoder->ops->groups; g++)
    burl_sample_finish(&f->sample[g]);
  return status;
}

/* Bank of one group from the sample without the images of `fold` (folds: none left out). */
static burl_status learn_bank(fit *f, size_t g, size_t fold, burl_bank **bank) {
  const patch_sample *sample = &f->sample[g];
  const burl_fit_options *options = &f->model->options;
  size_t d = sample->width - 2, n = 0;
  float *patches = burl_alloc(sample->count * d, sizeof *patches);
  float *positions = burl_alloc(sample->count * 2, sizeof *positions);
  burl_status status = patches && positions ? BURL_OK : BURL_ERR_MEMORY;
  for (size_t i = 0; i < sample->count && status == BURL_OK; i++) {
    const sample_entry *entry = &sample->entries[i];
    if (f->fold[entry->image] == fold) continue;
    const float *values = sample->values + entry->slot * sample->width;
    memcpy(patches + n * d, values, d * sizeof *values);
    memcpy(positions + 2 * n++, values + d, 2 * sizeof *values);
  }
  burl_bank_options how = burl_bank_default_options();
  how.prototypes = options->prototypes;
  how.power = options->power;
  how.trim = options->trim;
  how.spatial_weight = options->spatial_weight;
  if (status == BURL_OK && n > 0) status = burl_bank_fit(bank, patches, positions, n, d, &how);
  free(patches);
  free(positions);
  return status;
}

static burl_status learn_task(void *context, size_t index, int worker) {
  fit *f = context;
  size_t g = index % f->model->encoder->ops->groups, fold = index / f->model->encoder->ops->groups;
  (void)worker;
  burl_bank **bank = fold < f->folds ? &f->held_out[fold][g] : &f->model->bank[g];
  burl_status status = learn_bank(f, g, fold, bank);
  pthread_mutex_lock(&f->lock);
  burl_observe_progress(f->data.observer, "learning prototypes", ++f->learned, f->tasks);
  pthread_mutex_unlock(&f->lock);
  return status;
}

static burl_status learn_banks(fit *f, int threads) {
  f->tasks = (f->folds + 1) * f->model->encoder->ops->groups;
  burl_status status = burl_parallel(f->tasks, threads, learn_task, f);
  if (status != BURL_OK)
    return burl_fail(f->data.diag, status, NULL, NULL, "prototypes cannot be learned: %s",
                     burl_status_get_text(status));
  return BURL_OK;
}

static burl_status see_rings(void *context, const pass_tile *tile, double *statistics) {
  fit *f = context;
  const burl_encoder *encoder = f->model->encoder;
  burl_bank **bank = f->held_out[f->fold[tile->image]];
  burl_feature_map maps[BURL_MAX_GROUPS];
  encoder->ops->encode(encoder, tile->worker->workspace, tile->view, tile->region, maps);
  for (size_t g = 0; g < encoder->ops->groups; g++) {
    if (!bank[g] || maps[g].rows == 0) continue;
    burl_tile_distances(tile->worker, bank[g], tile->view, &maps[g]);
    burl_ring_add(statistics + g * BURL_RING_STATISTICS, tile->worker->distance, &maps[g],
                  tile->core);
  }
  return BURL_OK;
}

/* Statistics: count and sum of the values; largest value a tile, kept by image. */
static burl_status see_values(void *context, const pass_tile *tile, double *statistics) {
  fit *f = context;
  burl_heat_grid grid = burl_tile_score(tile->worker, f->held_out[f->fold[tile->image]],
                                        f->model->scale, tile->view, tile->region);
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

/* A group that only the images of one fold were large enough for was never held out: without a
 * scale it cannot be added to the others, and is left out. */
static void scale_group(burl_model *model, size_t g, const double *statistics) {
  double seen = 0.0;
  for (size_t r = 0; r < BURL_RINGS; r++)
    seen += statistics[3 * r];
  if (seen > 0.0) {
    burl_ring_finish(&model->scale[g], statistics);
    return;
  }
  burl_bank_free(model->bank[g]);
  model->bank[g] = NULL;
  model->encoder->ops->leave_out(model->encoder, g);
}

static burl_status calibrate(fit *f) {
  burl_model *model = f->model;
  double rings[BURL_MAX_GROUPS * BURL_RING_STATISTICS], values[2];
  size_t groups = model->encoder->ops->groups, n = 0;
  training_pass first = {"holding out images", groups * BURL_RING_STATISTICS, see_rings, f, 0};
  burl_status status = burl_training_pass(&f->data, &first, rings);
  if (status != BURL_OK) return status;
  for (size_t g = 0; g < groups; g++)
    scale_group(model, g, rings + g * BURL_RING_STATISTICS);
  training_pass second = {"setting the threshold", 2, see_values, f, 0};
  status = burl_training_pass(&f->data, &second, values);
  if (status != BURL_OK) return status;
  for (size_t i = 0; i < f->data.count; i++)
    if (f->data.usable[i]) f->largest[n++] = f->largest[i];
  model->typical = values[1] / values[0];
  model->calibration_images = n;
  status = burl_threshold_estimate(&model->threshold, f->largest, n, model->options.false_alarm,
                                   model->options.seed);
  if (status != BURL_OK) return burl_fail_memory(f->data.diag, NULL);
  if (!(model->threshold.value > model->typical))
    return burl_fail(f->data.diag, BURL_ERR_DATA, NULL, "Give images of cloth that differ.",
                     "held-out good images do not vary, so no threshold can be set");
  return BURL_OK;
}

static burl_status run(fit *f, const burl_fit_options *options) {
  burl_model *model = f->model;
  burl_status status = learn_encoder(f);
  if (status == BURL_OK) status = deal_folds(f);
  if (status == BURL_OK) status = draw_samples(f);
  if (status == BURL_OK) status = learn_banks(f, options->threads);
  if (status == BURL_OK) status = calibrate(f);
  if (status != BURL_OK) return status;
  uLong crc = 0;
  for (size_t i = 0; i < f->data.count; i++) {
    uint32_t sum = f->data.checksum[i];
    const Bytef bytes[] = {(Bytef)sum, (Bytef)(sum >> 8), (Bytef)(sum >> 16), (Bytef)(sum >> 24)};
    if (f->data.usable[i]) crc = crc32(crc, bytes, sizeof bytes);
  }
  model->data_checksum = (uint32_t)crc;
  model->images = f->data.used;
  return burl_model_describe(model) == BURL_OK ? BURL_OK : burl_fail_memory(f->data.diag, NULL);
}

static void close_fit(fit *f) {
  for (size_t g = 0; g < BURL_MAX_GROUPS; g++) {
    burl_sample_close(&f->sample[g]);
    for (size_t k = 0; k < MAX_FOLDS; k++)
      burl_bank_free(f->held_out[k][g]);
  }
  burl_training_close(&f->data);
  free(f->fold);
  free(f->largest);
  pthread_mutex_destroy(&f->lock);
}

burl_status burl_model_fit(burl_model **model, size_t *skipped, const burl_dataset *dataset,
                           const burl_fit_options *options, const burl_observer *observer,
                           burl_diag *diag) {
  burl_status status = check_options(options, diag);
  if (status != BURL_OK) return status;
  fit f = {.model = burl_model_new()};
  if (!f.model || pthread_mutex_init(&f.lock, NULL) != 0) {
    burl_model_free(f.model);
    return burl_fail_memory(diag, NULL);
  }
  f.model->options = *options;
  f.model->options.threads = 0;
  status = burl_texture_new(&f.model->encoder);
  if (status != BURL_OK) burl_fail_memory(diag, NULL);
  if (status == BURL_OK)
    status =
        burl_training_open(&f.data, dataset, options->threads, f.model->encoder, observer, diag);
  if (status == BURL_OK) status = run(&f, options);
  if (skipped && status == BURL_OK) *skipped = f.data.count - f.data.used;
  close_fit(&f);
  if (status != BURL_OK) {
    burl_model_free(f.model);
    return status;
  }
  *model = f.model;
  return BURL_OK;
}
