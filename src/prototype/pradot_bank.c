/* A bank around burl_pradot. It scores all patches of an image at once, since the largest cost of
 * the image has a part in every score, and needs working memory of its caller for it. Mass is the
 * share of the training patches that score least at a prototype, radius the root mean square of
 * their scores. What the settings say (alpha, scale, times_count) is not saved a second time. */
#include "prototype/pradot_bank.h"

#include "base/diag.h"
#include "base/memory.h"
#include "base/parallel.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME = 96 };

typedef struct pradot_bank {
  burl_bank base;
  burl_pradot *pradot;
  double maxima[2]; /* of features and places, as saved */
  uint32_t kept;
} pradot_bank;

static void score_nothing(const burl_bank *bank, float *distance, uint32_t *nearest,
                          const float *patches, const float *positions, size_t n) {
  (void)bank, (void)patches, (void)positions;
  for (size_t i = 0; i < n; i++) {
    distance[i] = NAN;
    if (nearest) nearest[i] = 0;
  }
}

static size_t score_size(const burl_bank *bank, size_t n) {
  return burl_pradot_score_size(((const pradot_bank *)bank)->pradot, n);
}

static void score_image(const burl_bank *bank, float *distance, uint32_t *nearest,
                        const float *patches, const float *positions, size_t n, void *scratch) {
  burl_pradot_score(((const pradot_bank *)bank)->pradot, distance, nearest, patches, positions, n,
                    scratch);
}

static burl_status save_pradot(const burl_bank *bank, const char *prefix,
                               burl_safetensors_writer *writer) {
  const pradot_bank *self = (const pradot_bank *)bank;
  const burl_pradot_parts *parts = burl_pradot_get_parts(self->pradot);
  char name[NAME];
  snprintf(name, NAME, "%s.maxima", prefix);
  burl_safetensors_writer_add_tensor(writer, name, BURL_DTYPE_F64, (size_t[]){2}, 1, self->maxima);
  snprintf(name, NAME, "%s.losses", prefix);
  burl_safetensors_writer_add_tensor(writer, name, BURL_DTYPE_F64, &parts->epochs, 1,
                                     parts->losses);
  snprintf(name, NAME, "%s.kept", prefix);
  return burl_safetensors_writer_add_tensor(writer, name, BURL_DTYPE_U32, (size_t[]){1}, 1,
                                            &self->kept);
}

static void release_pradot(burl_bank *bank) {
  burl_pradot_free(((pradot_bank *)bank)->pradot);
}

static const burl_bank_ops pradot_ops = {.kind = "pradot",
                                         .score = score_nothing,
                                         .score_size = score_size,
                                         .score_with = score_image,
                                         .save = save_pradot,
                                         .free = release_pradot};

burl_pradot_options burl_pradot_bank_options(const burl_bank_options *options, double alpha,
                                             int threads) {
  const burl_pradot_settings *s = &options->pradot;
  burl_pradot_options o = burl_pradot_default_options();
  o.per_cell = s->per_cell;
  o.alpha = alpha;
  o.eps = s->eps;
  o.sweeps = s->sweeps;
  o.ema = s->ema;
  o.batch = s->batch;
  o.epochs = s->epochs;
  o.validation = s->validation;
  o.divisor = s->divisor;
  o.scale = s->scale;
  o.start = s->start;
  o.times_count = s->times_count != 0;
  o.drop_last = s->drop_last != 0;
  o.learn_positions = s->learn_positions != 0;
  o.warm_start = s->warm_start != 0;
  o.seed = options->seed;
  o.threads = threads;
  return o;
}

/* The bank takes the object, also on error. */
static burl_status wrap(burl_bank **bank, burl_pradot *pradot) {
  const burl_pradot_parts *parts = burl_pradot_get_parts(pradot);
  burl_bank *made;
  burl_status status = burl_bank_new(&made, sizeof(pradot_bank), &pradot_ops, parts->count,
                                     parts->d, BURL_SPATIAL_GRID);
  if (status != BURL_OK) {
    burl_pradot_free(pradot);
    return status;
  }
  pradot_bank *self = (pradot_bank *)made;
  self->pradot = pradot;
  self->maxima[0] = parts->feature_max;
  self->maxima[1] = parts->place_max;
  self->kept = (uint32_t)parts->kept;
  memcpy(made->prototypes, parts->prototypes, parts->count * parts->d * sizeof(float));
  memcpy(made->positions, parts->positions, parts->count * 2 * sizeof(float));
  *bank = made;
  return BURL_OK;
}

/* Scores of all training images. */
typedef struct survey {
  const burl_bank *bank;
  const float *features, *places;
  size_t cells;           /* of an image */
  size_t size;            /* bytes of scratch for one, a multiple of the alignment */
  float *distance;        /* (images, cells) */
  uint32_t *nearest;      /* (images, cells) */
  unsigned char *scratch; /* (threads, size) */
} survey;

static burl_status survey_image(void *context, size_t image, int worker) {
  const survey *s = context;
  size_t first = image * s->cells;
  burl_bank_score_with(s->bank, s->distance + first, s->nearest + first,
                       s->features + first * s->bank->dim, s->places, s->cells,
                       s->scratch + (size_t)worker * s->size);
  return BURL_OK;
}

static void add_up(burl_bank *bank, const survey *s, size_t images) {
  size_t n = images * s->cells;
  for (size_t j = 0; j < bank->count; j++) {
    bank->mass[j] = 0.0f;
    bank->radius[j] = 0.0f;
  }
  for (size_t i = 0; i < n; i++) {
    bank->mass[s->nearest[i]] += 1.0f;
    bank->radius[s->nearest[i]] += s->distance[i] * s->distance[i];
  }
  for (size_t j = 0; j < bank->count; j++) {
    if (bank->mass[j] > 0.0f) bank->radius[j] = sqrtf(bank->radius[j] / bank->mass[j]);
    bank->mass[j] /= (float)n;
  }
}

static burl_status measure(burl_bank *bank, const float *features, size_t images, size_t rows,
                           size_t cols, int threads) {
  survey s = {.bank = bank, .features = features, .cells = rows * cols};
  size_t workers = images < (size_t)threads ? images : (size_t)threads, n = images * s.cells;
  s.size = burl_bank_score_size(bank, s.cells);
  if (s.size == 0) return BURL_ERR_SIZE;
  s.size = (s.size + BURL_ALIGNMENT - 1) / BURL_ALIGNMENT * BURL_ALIGNMENT;
  float *places = burl_alloc(s.cells, 2 * sizeof *places);
  s.distance = burl_alloc(n, sizeof *s.distance);
  s.nearest = burl_alloc(n, sizeof *s.nearest);
  s.scratch = burl_alloc(workers, s.size);
  burl_status status = places && s.distance && s.nearest && s.scratch ? BURL_OK : BURL_ERR_MEMORY;
  if (status == BURL_OK) {
    burl_pradot_places(places, rows, cols);
    s.places = places;
    status = burl_parallel(images, (int)workers, survey_image, &s);
  }
  if (status == BURL_OK) add_up(bank, &s, images);
  free(places);
  free(s.distance);
  free(s.nearest);
  free(s.scratch);
  return status;
}

/* Files are refused above as many. */
static burl_status check_count(double per_cell, size_t rows, size_t cols, burl_diag *diag) {
  double count = per_cell * (double)rows * (double)cols;
  if (count <= BURL_BANK_MOST) return BURL_OK;
  return burl_fail(diag, BURL_ERR_SIZE, NULL, "Lower pradot.per_cell or pradot.side.",
                   "%g prototypes for each of %zu x %zu cells are more than the %d of a bank",
                   per_cell, rows, cols, BURL_BANK_MOST);
}

burl_status burl_pradot_bank_fit(burl_bank **bank, const float *features, size_t images,
                                 size_t rows, size_t cols, size_t d,
                                 const burl_pradot_options *options, const burl_observer *observer,
                                 burl_diag *diag) {
  burl_pradot *pradot;
  burl_bank *made = NULL;
  burl_status status = check_count(options->per_cell, rows, cols, diag);
  if (status == BURL_OK)
    status = burl_pradot_fit(&pradot, features, images, rows, cols, d, options, observer, diag);
  if (status != BURL_OK) return status;
  status = wrap(&made, pradot);
  if (status == BURL_OK) status = measure(made, features, images, rows, cols, options->threads);
  if (status != BURL_OK) {
    burl_bank_free(made);
    return burl_fail(diag, status, NULL, NULL, "the prototypes could not be kept: %s",
                     burl_status_get_text(status));
  }
  *bank = made;
  return BURL_OK;
}

/* A tensor of exactly `count` elements in one dimension. */
static burl_status find_part(const void **data, const char *prefix, const char *part,
                             burl_dtype dtype, size_t count, const burl_safetensors *file,
                             burl_diag *diag) {
  char name[NAME];
  snprintf(name, NAME, "%s.%s", prefix, part);
  const burl_tensor *tensor = burl_safetensors_find(file, name);
  if (!tensor || tensor->dtype != dtype || tensor->rank != 1 || tensor->count != count)
    return burl_fail(diag, BURL_ERR_FORMAT, NULL, "Fit the model again.",
                     "tensor %s is missing or is not %zu numbers of type %s", name, count,
                     burl_dtype_get_name(dtype));
  *data = tensor->data;
  return BURL_OK;
}

static burl_status load_parts(burl_pradot_parts *parts, const char *prefix,
                              const burl_bank_options *options, size_t dim,
                              const burl_safetensors *file, burl_diag *diag) {
  const void *maxima = NULL, *losses = NULL, *kept = NULL;
  const burl_pradot_settings *s = &options->pradot;
  burl_status status = find_part(&maxima, prefix, "maxima", BURL_DTYPE_F64, 2, file, diag);
  if (status == BURL_OK)
    status = find_part(&losses, prefix, "losses", BURL_DTYPE_F64, s->epochs, file, diag);
  if (status == BURL_OK) status = find_part(&kept, prefix, "kept", BURL_DTYPE_U32, 1, file, diag);
  if (status != BURL_OK) return status;
  parts->d = dim;
  parts->alpha = options->spatial == BURL_SPATIAL_NONE ? 0.0 : s->alpha;
  parts->scale = s->scale;
  parts->times_count = s->times_count != 0;
  parts->feature_max = ((const double *)maxima)[0];
  parts->place_max = ((const double *)maxima)[1];
  parts->losses = losses;
  parts->epochs = s->epochs;
  parts->kept = *(const uint32_t *)kept;
  return BURL_OK;
}

/* Values of the tensors that burl_bank_load_common copies are borrowed for the object first. */
static burl_status load_object(burl_pradot **pradot, const char *prefix,
                               const burl_bank_options *options, size_t dim,
                               const burl_safetensors *file, burl_diag *diag) {
  char name[NAME];
  burl_pradot_parts parts = {0};
  burl_status status = burl_bank_load_count(&parts.count, prefix, file, diag);
  if (status == BURL_OK) status = load_parts(&parts, prefix, options, dim, file, diag);
  snprintf(name, NAME, "%s.prototypes", prefix);
  if (status == BURL_OK)
    status = burl_safetensors_get_floats(file, &parts.prototypes, name,
                                         (size_t[]){parts.count, dim}, 2, diag);
  snprintf(name, NAME, "%s.positions", prefix);
  if (status == BURL_OK)
    status = burl_safetensors_get_floats(file, &parts.positions, name, (size_t[]){parts.count, 2},
                                         2, diag);
  if (status != BURL_OK) return status;
  status = burl_pradot_new(pradot, &parts);
  if (status == BURL_ERR_MEMORY) return burl_fail_memory(diag, NULL);
  if (status != BURL_OK)
    return burl_fail(diag, BURL_ERR_FORMAT, NULL, "Fit the model again.",
                     "tensors %s.maxima, .losses and .kept hold what no fit gives", prefix);
  return BURL_OK;
}

burl_status burl_pradot_bank_load(burl_bank **bank, const char *prefix,
                                  const burl_bank_options *options, size_t dim,
                                  const burl_safetensors *file, burl_diag *diag) {
  burl_pradot *pradot;
  burl_bank *made;
  burl_status status = load_object(&pradot, prefix, options, dim, file, diag);
  if (status != BURL_OK) return status;
  if (wrap(&made, pradot) != BURL_OK) return burl_fail_memory(diag, NULL);
  status = burl_bank_load_common(made, prefix, file, diag);
  if (status != BURL_OK) {
    burl_bank_free(made);
    return status;
  }
  *bank = made;
  return BURL_OK;
}
