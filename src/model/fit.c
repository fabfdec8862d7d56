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
#include "model/fit_parts.h"

#include "base/diag.h"
#include "encode/fused.h"
#include "model/model_encoders.h"
#include "model/whole.h"

#include <stdlib.h>
#include <zlib.h>

enum { TRIM_ROUNDS = 2 };

burl_fit_options burl_fit_default_options(void) {
  return (burl_fit_options){.bank = burl_bank_default_options(),
                            .false_alarm = 0.01,
                            .threads = 1,
                            .gallery = 1,
                            .heads = 1};
}

static burl_status check_range(const char *name, double value, double low, double high,
                               burl_diag *diag) {
  if (value >= low && value <= high) return BURL_OK;
  return burl_fail(diag, BURL_ERR_ARGUMENT, NULL, NULL, "%s is %g, not between %g and %g", name,
                   value, low, high);
}

static burl_status check_options(const burl_fit_options *o, burl_diag *diag) {
  burl_status status = burl_settings_check(&o->bank, diag);
  if (status == BURL_OK) status = check_range("false alarm", o->false_alarm, 0.0001, 0.5, diag);
  if (status == BURL_OK) status = check_range("threads", (double)o->threads, 1.0, 256.0, diag);
  if (status == BURL_OK && o->bank.spatial == BURL_SPATIAL_AUTO)
    status = burl_fail(diag, BURL_ERR_ARGUMENT, NULL, "burl_select_spatial chooses one.",
                       "spatial is auto, which is not a way to fit");
  if (status == BURL_OK && o->bank.method == BURL_METHOD_PRADOT &&
      o->bank.spatial != BURL_SPATIAL_NONE)
    status = burl_fail(diag, BURL_ERR_ARGUMENT, NULL, "Leave it none.",
                       "spatial is %s; pradot has positions of its own",
                       burl_spatial_get_name(o->bank.spatial));
  return status;
}

typedef struct lattice_lesson {
  burl_lattice lattice;
  size_t pass;
} lattice_lesson;

typedef struct left_out {
  const fit *fit;
  size_t image;
} left_out;

static int is_left_out(const void *context, size_t y, size_t x) {
  const left_out *self = context;
  return burl_fit_is_trimmed(self->fit, self->image, y, x);
}

static burl_status see_lesson(void *context, const pass_tile *tile, double *statistics) {
  fit *f = context;
  const burl_encoder *encoder = f->model->encoder;
  burl_lesson lesson = {.view = tile->view,
                        .core = tile->core,
                        .region = tile->region,
                        .seed = f->model->options.bank.seed,
                        .key = (uint64_t)tile->image << 24 | tile->tile,
                        .is_left_out = f->trim ? is_left_out : NULL,
                        .context = &(left_out){f, tile->image}};
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
    training_pass pass = {p == 0 ? "reading images" : "learning texture", n, see_lesson, f,
                          f->data.used == 0};
    status = burl_training_pass(&f->data, &pass, total);
    if (status == BURL_OK && pass.first) status = check_count(f);
    if (status == BURL_OK && (status = ops->learned(f->model->encoder, p, total)) != BURL_OK)
      burl_fail(f->data.diag, status, NULL, "Give more or larger images of cloth.",
                "the encoder learned nothing from the good images");
    free(total);
  }
  return status;
}

/* An image is learned from once, with its first tile. The lattice that is being learned gives no
 * phases yet: it is a copy. */
static burl_status see_repeat(void *context, const pass_tile *tile, double *statistics) {
  const lattice_lesson *lesson = context;
  if (tile->tile > 0) return BURL_OK;
  return burl_lattice_learn(&lesson->lattice, lesson->pass, tile->view, statistics);
}

static burl_status learn_lattice(fit *f) {
  lattice_lesson lesson = {.pass = 0};
  burl_status status = BURL_OK;
  for (; lesson.pass < BURL_LATTICE_PASSES && status == BURL_OK; lesson.pass++) {
    size_t n = burl_lattice_count_statistics(&lesson.lattice, lesson.pass);
    double *total = burl_alloc(n, sizeof *total);
    if (!total) return burl_fail_memory(f->data.diag, NULL);
    training_pass pass = {"finding the repeat", n, see_repeat, &lesson, 0};
    status = burl_training_pass(&f->data, &pass, total);
    if (status == BURL_OK) {
      status = burl_lattice_learned(&lesson.lattice, lesson.pass, total);
      if (status != BURL_OK)
        burl_fail(f->data.diag, status, NULL, NULL, "the repeat cannot be found: %s",
                  burl_status_get_text(status));
    }
    free(total);
  }
  if (status == BURL_OK && lesson.lattice.dimensions == 0)
    status = burl_fail(f->data.diag, BURL_ERR_DATA, NULL, "Use --spatial none or auto.",
                       "the good images show no print that repeats every 24 to 256 pixels");
  if (status == BURL_OK) f->model->lattice = lesson.lattice;
  return status;
}

/* Fold of every image: as even runs of the usable ones. */
burl_status burl_fit_deal_folds(fit *f) {
  size_t n = 0;
  f->folds = f->data.used < MAX_FOLDS ? f->data.used : MAX_FOLDS;
  f->fold = burl_alloc_zero(f->data.count, sizeof *f->fold);
  f->largest = burl_alloc_zero(f->data.count, sizeof *f->largest);
  if (!f->fold || !f->largest) return burl_fail_memory(f->data.diag, NULL);
  for (size_t i = 0; i < f->data.count; i++)
    if (f->data.usable[i]) f->fold[i] = n++ * f->folds / f->data.used;
  return BURL_OK;
}

static void free_banks(fit *f) {
  for (size_t m = 0; m < MODEL_MEMBERS; m++) {
    burl_bank_free(f->model->bank[m]);
    f->model->bank[m] = NULL;
    for (size_t k = 0; k < MAX_FOLDS; k++) {
      burl_bank_free(f->held_out[k][m]);
      f->held_out[k][m] = NULL;
    }
  }
}

static burl_status learn_members(fit *f, int pricing) {
  f->pricing = pricing;
  burl_status status = burl_fit_draw_samples(f);
  if (status == BURL_OK) status = burl_fit_learn_banks(f);
  if (status == BURL_OK) status = burl_fit_scale(f);
  return status;
}

/* Networks join the encoder that learned. Outliers are found without them: they are slow, and what
 * is unlike all other images shows in either. */
static burl_status join_encoders(fit *f) {
  burl_encoder *parts[BURL_MAX_PARTS] = {f->model->encoder};
  burl_encoder *fused;
  if (f->later_count == 0) return BURL_OK;
  for (size_t p = 0; p < f->later_count; p++)
    parts[p + 1] = f->later[p];
  burl_status status = burl_fused_new(&fused, parts, f->later_count + 1);
  if (status == BURL_ERR_ARGUMENT)
    return burl_fail(f->data.diag, status, NULL, "Name fewer encoders or layers.",
                     "the encoders have more than %d groups of patch embeddings", BURL_MAX_GROUPS);
  if (status != BURL_OK) return burl_fail_memory(f->data.diag, NULL);
  f->model->encoder = fused;
  f->later_count = 0;
  return burl_training_set_encoder(&f->data, fused);
}

/* Finds what is outlying, and learns the encoder again without it. The first round judges with
 * banks that have learned from other outliers, so it takes a second. */
static burl_status leave_outliers_out(fit *f) {
  burl_status status = BURL_OK;
  for (int round = 0; round < TRIM_ROUNDS && status == BURL_OK; round++) {
    status = learn_members(f, 1);
    if (status == BURL_OK) status = burl_fit_find_trim(f);
    free_banks(f);
    if (status == BURL_OK) status = learn_encoder(f);
  }
  return status;
}

static burl_status learn_by_tiles(fit *f) {
  burl_model *model = f->model;
  burl_status status = BURL_OK;
  if (model->options.bank.spatial == BURL_SPATIAL_PERIODIC) status = learn_lattice(f);
  if (status == BURL_OK) status = burl_fit_deal_folds(f);
  if (status == BURL_OK && (model->options.bank.outliers > 0.0 || model->options.bank.clean > 0.0))
    status = leave_outliers_out(f);
  if (status == BURL_OK) status = join_encoders(f);
  if (status == BURL_OK) status = learn_members(f, 0);
  if (status == BURL_OK) status = burl_fit_balance(f);
  if (status == BURL_OK) status = burl_fit_match_heads(f);
  if (status == BURL_OK) status = burl_fit_calibrate(f);
  if (status == BURL_OK) status = burl_fit_name_aside(f);
  if (status == BURL_OK && model->options.gallery) status = burl_fit_find_exemplars(f);
  return status;
}

static burl_status run(fit *f) {
  burl_model *model = f->model;
  burl_status status = learn_encoder(f);
  if (status == BURL_OK && f->data.side > 0) status = join_encoders(f);
  if (status == BURL_OK) status = f->data.side > 0 ? burl_fit_whole(f) : learn_by_tiles(f);
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

static burl_status open_encoders(fit *f, const burl_fit_options *options, burl_diag *diag) {
  burl_encoder *parts[BURL_MAX_PARTS];
  size_t count = 0;
  burl_status status = burl_encoders_open(parts, &count, options, diag);
  if (status != BURL_OK) return status;
  f->model->encoder = parts[0];
  f->later_count = count - 1;
  for (size_t p = 1; p < count; p++)
    f->later[p - 1] = parts[p];
  return BURL_OK;
}

static void close_fit(fit *f) {
  for (size_t p = 0; p < f->later_count; p++)
    f->later[p]->ops->free(f->later[p]);
  for (size_t g = 0; g < BURL_MAX_GROUPS; g++)
    burl_sample_close(&f->sample[g]);
  for (size_t k = 0; k < MAX_FOLDS; k++)
    for (size_t m = 0; m < MODEL_MEMBERS; m++)
      burl_bank_free(f->held_out[k][m]);
  burl_fit_free_trim(f); /* while the images are counted */
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
  fit f = {.model = burl_model_new(), .asked = options, .threads = options->threads};
  if (!f.model || pthread_mutex_init(&f.lock, NULL) != 0) {
    burl_model_free(f.model);
    return burl_fail_memory(diag, NULL);
  }
  f.model->options = *options;
  f.model->options.threads = 0;
  f.model->options.encoder = f.model->options.layers = NULL;
  status = open_encoders(&f, options, diag);
  if (status == BURL_OK)
    status = burl_training_open(&f.data, dataset, options->threads, f.model->encoder,
                                &f.model->lattice, observer, diag);
  f.data.side = burl_model_get_side(&options->bank);
  if (status == BURL_OK) status = run(&f);
  if (skipped && status == BURL_OK) *skipped = f.data.count - f.data.used;
  close_fit(&f);
  if (status != BURL_OK) {
    burl_model_free(f.model);
    return status;
  }
  *model = f.model;
  return BURL_OK;
}
