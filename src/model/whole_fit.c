/* Fitting a model of whole images: features of all of them in memory, one bank after another.
 *
 * Every group has a global member (alpha 0) and a local one. All fits hold out the same images,
 * for they have the same seed; these choose the epoch and, scored like any image, give the mean
 * value that is typical and the largest values that the threshold is estimated from. */
#include "model/fit_parts.h"

#include "base/diag.h"
#include "base/parallel.h"
#include "model/whole.h"
#include "prototype/pradot_bank.h"

#include <stdlib.h>
#include <string.h>

enum { LEAST_IMAGES = 5 };
#define MOST_BYTES ((size_t)4 << 30) /* of the features of one group */

/* The features of all images that can be used, in their order. */
typedef struct material {
  fit *fit;
  size_t *slot; /* (images of the fit) */
  float *
      features[BURL_MAX_GROUPS]; /* (used, side, side, d), NULL for groups that are not looked at */
  size_t cells[BURL_MAX_GROUPS]; /* a side */
} material;

static void material_close(material *self) {
  for (size_t g = 0; g < BURL_MAX_GROUPS; g++)
    free(self->features[g]);
  free(self->slot);
}

static burl_status make_room(material *self, size_t g) {
  fit *f = self->fit;
  const burl_encoder *encoder = f->model->encoder;
  burl_group group = encoder->ops->get_group(encoder, g);
  size_t side = burl_model_get_side(&f->model->options.bank), values, bytes;
  size_t cells = (side + group.stride - 1) / group.stride;
  if (!burl_size_mul(&values, cells * cells * group.dim, f->data.used) ||
      !burl_size_mul(&bytes, values, sizeof(float)) || bytes > MOST_BYTES)
    return burl_fail(f->data.diag, BURL_ERR_SIZE, NULL, "Give fewer images, or lower pradot.side.",
                     "the features of %zu images in group %s, %zu x %zu cells of %zu numbers, take "
                     "more than 4 GiB",
                     f->data.used, group.name, cells, cells, group.dim);
  self->cells[g] = cells;
  self->features[g] = burl_alloc(values, sizeof(float));
  return self->features[g] ? BURL_OK : burl_fail_memory(f->data.diag, NULL);
}

/* Groups that are not looked at are neither encoded nor saved. */
static burl_status material_open(material *self, fit *f) {
  burl_encoder *encoder = f->model->encoder;
  size_t groups = 0, n = 0;
  *self = (material){.fit = f};
  self->slot = burl_alloc(f->data.count, sizeof *self->slot);
  if (!self->slot) return burl_fail_memory(f->data.diag, NULL);
  for (size_t i = 0; i < f->data.count; i++)
    self->slot[i] = f->data.usable[i] ? n++ : 0;
  for (size_t g = 0; g < encoder->ops->groups; g++) {
    if (!burl_whole_looks_at(encoder, g)) {
      encoder->ops->leave_out(encoder, g);
      continue;
    }
    groups++;
    burl_status status = make_room(self, g);
    if (status != BURL_OK) return status;
  }
  if (groups > 0) return BURL_OK;
  return burl_fail(f->data.diag, BURL_ERR_DATA, NULL, "Raise pradot.side.",
                   "the encoder has no patches every 8 or 16 pixels of images of %zu x %zu",
                   f->data.side, f->data.side);
}

static burl_status see_features(void *context, const pass_tile *tile, double *statistics) {
  const material *m = context;
  const burl_encoder *encoder = tile->worker->encoder;
  burl_feature_map maps[BURL_MAX_GROUPS];
  (void)statistics;
  encoder->ops->encode(encoder, tile->worker->workspace, tile->view, tile->region, maps);
  for (size_t g = 0; g < encoder->ops->groups; g++) {
    if (!m->features[g]) continue;
    if (maps[g].rows != m->cells[g] || maps[g].cols != m->cells[g]) return BURL_ERR_DATA;
    size_t each = m->cells[g] * m->cells[g] * maps[g].dim;
    memcpy(m->features[g] + m->slot[tile->image] * each, maps[g].data, each * sizeof(float));
  }
  return BURL_OK;
}

static burl_status collect_features(material *self) {
  double nothing;
  training_pass pass = {"encoding images", 0, see_features, self, 0};
  return burl_training_pass(&self->fit->data, &pass, &nothing);
}

/* The progress of one of several fits as a part of the whole. */
typedef struct share {
  const burl_observer *observer;
  size_t index, count;
} share;

static void pass_progress(void *context, const char *stage, size_t done, size_t total) {
  const share *s = context;
  burl_observe_progress(s->observer, stage, s->index * total + done, s->count * total);
}

static void pass_problem(void *context, const burl_diag *diag) {
  const share *s = context;
  if (s->index == 0) burl_observe_problem(s->observer, diag); /* of all fits alike: said once */
}

static burl_status learn_banks(material *self) {
  fit *f = self->fit;
  const burl_encoder *encoder = f->model->encoder;
  const burl_bank_options *how = &f->model->options.bank;
  share part = {.observer = f->data.observer};
  burl_observer observer = {&part, pass_progress, pass_problem};
  burl_status status = BURL_OK;
  for (size_t g = 0; g < encoder->ops->groups; g++)
    part.count += self->features[g] ? MODEL_PLACES : 0;
  for (size_t m = 0; m < burl_member_count(encoder) && status == BURL_OK; m++) {
    size_t g = burl_member_group(m), cells = self->cells[g];
    if (!self->features[g]) continue;
    double alpha = burl_member_is_local(m) ? how->pradot.alpha : 0.0;
    burl_pradot_options options = burl_pradot_bank_options(how, alpha, f->threads);
    size_t d = encoder->ops->get_group(encoder, g).dim;
    status = burl_pradot_bank_fit(&f->model->bank[m], self->features[g], f->data.used, cells, cells,
                                  d, &options, &observer, f->data.diag);
    part.index++;
  }
  return status;
}

/* Held-out images on their way through scoring. */
typedef struct trial {
  fit *fit;
  size_t *held;              /* (count) training images */
  double *largest, *sum;     /* (count) */
  double *pixels;            /* (count) */
  burl_whole_worker *worker; /* (threads) */
  burl_diag *diag;           /* (count) */
  size_t count, done;
  int threads;
} trial;

static burl_status try_image(void *context, size_t index, int worker) {
  trial *t = context;
  training *data = &t->fit->data;
  const burl_item *item = burl_dataset_get_item(data->dataset, data->item[t->held[index]]);
  burl_image image = {0};
  burl_status status = burl_image_load(&image, item->path, &t->diag[index]);
  if (status != BURL_OK) return status;
  size_t pixels = image.height * image.width;
  float *heat = burl_alloc(pixels, sizeof *heat);
  status = heat ? burl_whole_score(&t->worker[worker], heat, &t->largest[index], &image, 0.0, 1.0)
                : BURL_ERR_MEMORY;
  if (status != BURL_OK)
    burl_fail(&t->diag[index], status, item->path, NULL, "%s", burl_status_get_text(status));
  t->pixels[index] = (double)pixels;
  for (size_t i = 0; status == BURL_OK && i < pixels; i++)
    t->sum[index] += (double)heat[i];
  free(heat);
  burl_image_free(&image);
  pthread_mutex_lock(&t->fit->lock);
  burl_observe_progress(data->observer, "setting the threshold", ++t->done, t->count);
  pthread_mutex_unlock(&t->fit->lock);
  return status;
}

/* The images that all fits held out. */
static burl_status find_held(trial *t) {
  fit *f = t->fit;
  size_t n = 0, *order = burl_alloc(f->data.used, sizeof *order);
  size_t *image = burl_alloc(f->data.used, sizeof *image);
  if (order && image) {
    burl_pradot_options options = burl_pradot_bank_options(&f->model->options.bank, 0.0, 1);
    for (size_t i = 0; i < f->data.count; i++)
      if (f->data.usable[i]) image[n++] = i;
    t->count = burl_pradot_split(order, n, &options);
    for (size_t i = 0; i < t->count; i++)
      order[i] = image[order[i]];
  }
  free(image);
  t->held = order;
  return image && order ? BURL_OK : BURL_ERR_MEMORY;
}

static burl_status trial_open(trial *t, fit *f) {
  *t = (trial){.fit = f, .threads = f->data.threads};
  burl_status status = find_held(t);
  if (status != BURL_OK) return status;
  t->largest = burl_alloc_zero(t->count, sizeof *t->largest);
  t->sum = burl_alloc_zero(t->count, sizeof *t->sum);
  t->pixels = burl_alloc_zero(t->count, sizeof *t->pixels);
  t->diag = burl_alloc_zero(t->count, sizeof *t->diag);
  t->worker = burl_alloc_zero((size_t)t->threads, sizeof *t->worker);
  if (!t->largest || !t->sum || !t->pixels || !t->diag || !t->worker) return BURL_ERR_MEMORY;
  for (int i = 0; i < t->threads && status == BURL_OK; i++)
    status = burl_whole_worker_open(&t->worker[i], f->model);
  return status;
}

static void trial_close(trial *t) {
  for (int i = 0; t->worker && i < t->threads; i++)
    burl_whole_worker_close(&t->worker[i]);
  free(t->worker);
  free(t->held);
  free(t->largest);
  free(t->sum);
  free(t->pixels);
  free(t->diag);
}

static burl_status set_threshold(trial *t) {
  burl_model *model = t->fit->model;
  burl_diag *diag = t->fit->data.diag;
  double sum = 0.0, pixels = 0.0;
  for (size_t i = 0; i < t->count; i++) {
    sum += t->sum[i];
    pixels += t->pixels[i];
  }
  model->typical = sum / pixels;
  model->calibration_images = t->count;
  burl_status status =
      burl_threshold_estimate(&model->threshold, t->largest, t->count, model->options.false_alarm,
                              model->options.bank.seed);
  if (status != BURL_OK) return burl_fail_memory(diag, NULL);
  if (!(model->threshold.value > model->typical))
    return burl_fail(diag, BURL_ERR_DATA, NULL, "Give images of cloth that differ.",
                     "held-out good images do not vary, so no threshold can be set");
  return BURL_OK;
}

static burl_status calibrate(fit *f) {
  trial t;
  burl_status status = trial_open(&t, f);
  if (status == BURL_OK) {
    status = burl_parallel(t.count, t.threads, try_image, &t);
    if (status == BURL_OK)
      status = set_threshold(&t);
    else
      burl_fail(f->data.diag, status, NULL, NULL, "%s", burl_status_get_text(status));
    for (size_t i = t.count; i-- > 0 && status != BURL_OK;)
      if (t.diag[i].status == status && f->data.diag) *f->data.diag = t.diag[i];
  } else {
    burl_fail(f->data.diag, status, NULL, NULL, "%s", burl_status_get_text(status));
  }
  trial_close(&t);
  return status;
}

burl_status burl_fit_whole(fit *f) {
  material m;
  if (f->data.used < LEAST_IMAGES)
    return burl_fail(f->data.diag, BURL_ERR_DATA, NULL, "Give more good images, better 30.",
                     "%zu good images can be used; pradot needs at least %d to learn from some and "
                     "hold out others",
                     f->data.used, LEAST_IMAGES);
  f->model->options.gallery = 0;
  burl_status status = material_open(&m, f);
  if (status == BURL_OK) status = collect_features(&m);
  if (status == BURL_OK) status = learn_banks(&m);
  material_close(&m);
  return status == BURL_OK ? calibrate(f) : status;
}
