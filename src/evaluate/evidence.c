/* Evidence: images, and measures as they are. */
#include "evaluate/evidence_parts.h"

#include "base/memory.h"
#include "evaluate/pixel_evaluator.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *burl_measure_get_key(burl_measure measure) {
  switch (measure) {
#define KEY(name, key, text)                                                                       \
  case name:                                                                                       \
    return key;
    BURL_MEASURE_LIST(KEY)
#undef KEY
  case BURL_MEASURE_COUNT:
    break;
  }
  return "?";
}

const char *burl_measure_get_name(burl_measure measure) {
  switch (measure) {
#define NAME(name, key, text)                                                                      \
  case name:                                                                                       \
    return text;
    BURL_MEASURE_LIST(NAME)
#undef NAME
  case BURL_MEASURE_COUNT:
    break;
  }
  return "?";
}

burl_status burl_evidence_new(burl_evidence **self, double threshold) {
  burl_evidence *made = burl_alloc_zero(1, sizeof *made);
  if (!made) return BURL_ERR_MEMORY;
  made->threshold = threshold;
  for (int i = 0; i < BURL_MEASURE_COUNT; i++)
    made->values[i] = (double)NAN;
  *self = made;
  return BURL_OK;
}

/* The texts of an image lie in one block that `name` begins. */
void burl_evidence_free(burl_evidence *self) {
  if (!self) return;
  for (size_t i = 0; i < self->count; i++)
    free((char *)(uintptr_t)self->images[i].name);
  for (int i = 0; i < BURL_ROW_KINDS; i++)
    burl_rows_free(&self->rows[i]);
  free(self->images);
  free(self->totals);
  free(self);
}

burl_status burl_evidence_add(burl_evidence *self, const burl_evidence_image *image) {
  if (isnan(image->score)) return BURL_ERR_NUMERIC;
  if (self->count >= BURL_MOST_IMAGES) return BURL_ERR_SIZE;
  const char *label = image->label ? image->label : "", *group = image->group ? image->group : "";
  size_t a = strlen(image->name) + 1, b = strlen(label) + 1, c = strlen(group) + 1;
  int grown = burl_grow(&self->images, &self->room, self->count, sizeof *self->images);
  char *texts = grown ? burl_alloc(a + b + c, 1) : NULL;
  if (!texts) return BURL_ERR_MEMORY;
  memcpy(texts, image->name, a);
  memcpy(texts + a, label, b);
  memcpy(texts + a + b, group, c);
  self->images[self->count++] = (burl_evidence_image){
      .name = texts,
      .label = texts + a,
      .group = texts + a + b,
      .score = image->score,
      .defective = image->defective != 0,
      .with_truth = image->with_truth != 0,
  };
  return BURL_OK;
}

size_t burl_evidence_get_count(const burl_evidence *self) {
  return self->count;
}

burl_evidence_image burl_evidence_get_image(const burl_evidence *self, size_t i) {
  return self->images[i];
}

double burl_evidence_get_value(const burl_evidence *self, burl_measure measure) {
  return (unsigned)measure < BURL_MEASURE_COUNT ? self->values[measure] : (double)NAN;
}

static burl_status measure_images(burl_evidence *self) {
  float *scores = burl_alloc(self->count, sizeof *scores);
  uint8_t *labels = burl_alloc(self->count, 1);
  burl_ranking ranking;
  size_t called[2] = {0, 0}, all[2] = {0, 0};
  burl_status status = scores && labels ? BURL_OK : BURL_ERR_MEMORY;
  for (size_t i = 0; status == BURL_OK && i < self->count; i++) {
    int defective = self->images[i].defective;
    scores[i] = self->images[i].score;
    labels[i] = (uint8_t)defective;
    all[defective]++;
    called[defective] += (double)scores[i] >= self->threshold;
  }
  if (status == BURL_OK) status = burl_evaluate_ranking(&ranking, scores, labels, self->count);
  free(scores);
  free(labels);
  if (status != BURL_OK) return status;
  double rate[2];
  for (int i = 0; i < 2; i++)
    rate[i] = all[i] > 0 ? (double)called[i] / (double)all[i] : (double)NAN;
  self->values[BURL_MEASURE_IMAGE_AUROC] = ranking.auroc;
  self->values[BURL_MEASURE_IMAGE_AP] = ranking.ap;
  self->values[BURL_MEASURE_IMAGE_F1] = ranking.f1_max;
  self->values[BURL_MEASURE_FALSE_ALARM] = rate[0];
  self->values[BURL_MEASURE_DETECTION] = rate[1];
  return BURL_OK;
}

burl_status burl_evidence_finish(burl_evidence *self, const burl_pixel_evaluator *evaluator,
                                 const burl_pixel_metrics *pixels) {
  size_t rows = 0;
  for (size_t i = 0; i < self->count; i++)
    rows += (unsigned)self->images[i].with_truth;
  if (self->count == 0) return BURL_ERR_DATA;
  if (rows != (evaluator ? evaluator->count : 0)) return BURL_ERR_ARGUMENT;
  burl_status status = measure_images(self);
  if (status != BURL_OK || rows == 0) return status;
  self->values[BURL_MEASURE_PIXEL_AUROC] = pixels->ranking.auroc;
  self->values[BURL_MEASURE_PIXEL_AP] = pixels->ranking.ap;
  self->values[BURL_MEASURE_PIXEL_F1] = pixels->ranking.f1_max;
  self->values[BURL_MEASURE_AUPRO_030] = pixels->aupro_030;
  self->values[BURL_MEASURE_AUPRO_005] = pixels->aupro_005;
  self->values[BURL_MEASURE_AUPIMO] = pixels->aupimo;
  self->values[BURL_MEASURE_AUSPRO] = pixels->auspro_005;
  return burl_evidence_take_rows(self, evaluator);
}
