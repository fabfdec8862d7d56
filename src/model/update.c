/* Updating a model: a fit of the new images that begins with the banks that are there.
 *
 *   1. a look at the new images with the model as it is; are they of this cloth?
 *   2. a sample of their patches, and the banks with them: one of all, one without each fold
 *   3. prices by the banks that did not see an image; does one look defective? What is dearest
 * teaches nothing
 *   4. sample and banks again
 *   5. the threshold of old and new together
 *
 * The encoder and the scales of the distances stay as they were fitted. */
#include "model/update_parts.h"

#include "base/diag.h"

#include <stdlib.h>
#include <zlib.h>

burl_update_options burl_update_default_options(void) {
  return (burl_update_options){.split = BURL_SPLIT_TRAIN, .force = 0, .threads = 1};
}

static burl_status check_options(const burl_model *model, const burl_update_options *o,
                                 burl_diag *diag) {
  burl_method method = model->options.bank.method;
  if (o->threads < 1 || o->threads > 256 ||
      (o->split != BURL_SPLIT_TRAIN && o->split != BURL_SPLIT_TEST))
    return burl_fail(diag, BURL_ERR_ARGUMENT, NULL, NULL,
                     "threads are %d, split is %d; 1 to 256, and 1 or 2, are possible", o->threads,
                     (int)o->split);
  if (method != BURL_METHOD_BURL && method != BURL_METHOD_CORESET && method != BURL_METHOD_KMEANS)
    return burl_fail(diag, BURL_ERR_UNSUPPORTED, NULL, "Fit again on old and new images together.",
                     "a model of method %s cannot be updated, only one of burl, coreset or kmeans",
                     burl_method_get_name(method));
  if (model->maxima_count == 0)
    return burl_fail(diag, BURL_ERR_UNSUPPORTED, NULL, "Fit again on old and new images together.",
                     "the model does not hold the values that its threshold comes from");
  return BURL_OK;
}

static burl_status learn(update_job *job) {
  burl_status status = burl_fit_draw_samples(&job->fit);
  return status == BURL_OK ? burl_update_banks(job) : status;
}

static burl_status run(update_job *job, int force) {
  burl_status status = burl_update_look(job);
  if (status == BURL_OK && !force) status = burl_update_check_cloth(job);
  if (status == BURL_OK) status = burl_fit_deal_folds(&job->fit);
  if (status == BURL_OK) status = learn(job);
  if (status == BURL_OK) status = burl_fit_find_trim(&job->fit);
  if (status == BURL_OK && !force) status = burl_update_check_images(job);
  burl_update_free_banks(job);
  if (status == BURL_OK) status = learn(job);
  if (status == BURL_OK) status = burl_update_threshold(job);
  return status;
}

/* The checksum goes on where that of the old images ended. */
static uint32_t checksum_with(const update_job *job) {
  uLong crc = job->before->data_checksum;
  for (size_t i = 0; i < job->fit.data.count; i++) {
    uint32_t sum = job->fit.data.checksum[i];
    const Bytef bytes[] = {(Bytef)sum, (Bytef)(sum >> 8), (Bytef)(sum >> 16), (Bytef)(sum >> 24)};
    if (job->fit.data.usable[i]) crc = crc32(crc, bytes, sizeof bytes);
  }
  return (uint32_t)crc;
}

/* The new model, with what it shares with the old one on loan. */
static burl_status open_job(update_job *job, burl_model *before, int threads) {
  burl_model *next = burl_model_new();
  *job = (update_job){.before = before, .fit = {.model = next, .threads = threads}};
  if (!next) return BURL_ERR_MEMORY;
  next->encoder = before->encoder;
  next->lattice = before->lattice;
  next->options = before->options;
  next->options.bank.clean = 0.0; /* the checks here say which images are set aside: none */
  next->typical = before->typical;
  next->threshold = before->threshold;
  for (size_t m = 0; m < MODEL_MEMBERS; m++)
    next->scale[m] = before->scale[m];
  if (pthread_mutex_init(&job->fit.lock, NULL) == 0) return BURL_OK;
  free(next);
  return BURL_ERR_MEMORY;
}

static void close_job(update_job *job) {
  fit *f = &job->fit;
  for (size_t g = 0; g < BURL_MAX_GROUPS; g++)
    burl_sample_close(&f->sample[g]);
  burl_update_free_banks(job);
  burl_fit_free_trim(f); /* while the images are counted */
  burl_training_close(&f->data);
  free(f->fold);
  free(f->largest);
  free(job->look);
  pthread_mutex_destroy(&f->lock);
  f->model->encoder = NULL;
  f->model->aside = 0;
  f->model->aside_name = NULL;
  f->model->fitted_by = NULL;
  burl_model_free(f->model);
}

#define SWAP(type, a, b)                                                                           \
  do {                                                                                             \
    type swapped = (a);                                                                            \
    (a) = (b);                                                                                     \
    (b) = swapped;                                                                                 \
  } while (0)

/* The model becomes the updated one; nothing that can fail is left when it begins to change. */
static burl_status take_over(update_job *job) {
  burl_model *next = job->fit.model, *model = job->before;
  next->options = model->options;
  next->images = model->images + job->fit.data.used;
  next->updates = model->updates + 1;
  next->data_checksum = checksum_with(job);
  next->aside = model->aside;
  next->aside_name = model->aside_name;
  next->options.gallery = 0; /* its patches were nearest to the prototypes before */
  next->fitted_by = model->fitted_by;
  if (burl_model_describe(next) != BURL_OK || burl_model_keep_choice(next, model) != BURL_OK)
    return burl_fail_memory(job->fit.data.diag, NULL);
  for (size_t m = 0; m < MODEL_MEMBERS; m++) {
    SWAP(burl_bank *, model->bank[m], next->bank[m]);
    model->scale[m] = next->scale[m];
  }
  SWAP(char *, model->json, next->json);
  SWAP(float *, model->maxima, next->maxima);
  model->maxima_count = next->maxima_count;
  SWAP(struct burl_gallery *, model->gallery, next->gallery);
  model->options.gallery = next->options.gallery;
  model->threshold = next->threshold;
  model->typical = next->typical;
  model->images = next->images;
  model->updates = next->updates;
  model->calibration_images = next->calibration_images;
  model->data_checksum = next->data_checksum;
  return BURL_OK;
}

burl_status burl_model_update(burl_model *model, size_t *skipped, const burl_dataset *dataset,
                              const burl_update_options *options, const burl_observer *observer,
                              burl_diag *diag) {
  burl_status status = check_options(model, options, diag);
  if (status != BURL_OK) return status;
  update_job job;
  if (open_job(&job, model, options->threads) != BURL_OK) return burl_fail_memory(diag, NULL);
  status = burl_training_open_split(&job.fit.data, dataset, options->split, options->threads,
                                    model->encoder, &model->lattice, observer, diag);
  if (status == BURL_OK) status = run(&job, options->force);
  if (status == BURL_OK) status = take_over(&job);
  if (status == BURL_OK && skipped) *skipped = job.fit.data.count - job.fit.data.used;
  close_job(&job);
  return status;
}
