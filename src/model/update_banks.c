/* The updated banks: one of all new images and one without each fold, of every member. */
#include "model/update_parts.h"

#include "base/diag.h"
#include "base/parallel.h"
#include "prototype/bank_update.h"

#include <stdlib.h>
#include <string.h>

/* Root distances up to so many deviations above their mean are nothing new. */
#define KNOWN 3.0

/* New patches of a group without the images of `fold` (folds: none left out). */
static burl_status gather(float **patches, float **positions, size_t *n, const fit *f, size_t group,
                          size_t fold) {
  const patch_sample *sample = &f->sample[group];
  size_t d = sample->width - 2;
  *n = 0;
  *patches = burl_alloc(sample->count * d + 1, sizeof **patches);
  *positions = burl_alloc(sample->count * 2 + 1, sizeof **positions);
  if (!*patches || !*positions) return BURL_ERR_MEMORY;
  for (size_t i = 0; i < sample->count; i++) {
    const sample_entry *entry = &sample->entries[i];
    if (f->fold[entry->image] == fold) continue;
    const float *values = sample->values + entry->slot * sample->width;
    memcpy(*patches + *n * d, values, d * sizeof *values);
    memcpy(*positions + 2 * (*n)++, values + d, 2 * sizeof *values);
  }
  return BURL_OK;
}

double burl_update_share(const update_job *job, size_t fold) {
  const fit *f = &job->fit;
  double old = (double)(job->before->images - job->before->aside), fresh = 0.0;
  for (size_t i = 0; i < f->data.count; i++)
    fresh += f->data.usable[i] && f->fold[i] != fold;
  return fresh > 0.0 ? fresh / (old + fresh) : 0.0;
}

static burl_status update_bank(const update_job *job, size_t member, size_t fold,
                               burl_bank **bank) {
  const burl_model *before = job->before;
  const burl_ring_scale *scale = &before->scale[member];
  burl_bank_options how = before->options.bank;
  float *patches = NULL, *positions = NULL;
  double root =
      (double)scale->mean[BURL_RINGS - 1] + KNOWN * (double)scale->deviation[BURL_RINGS - 1];
  burl_news news = {
      .share = burl_update_share(job, fold), .known = root * root, .round = before->updates};
  if (!burl_member_is_local(member)) how.spatial = BURL_SPATIAL_NONE;
  burl_status status =
      gather(&patches, &positions, &news.n, &job->fit, burl_member_group(member), fold);
  news.patches = patches;
  news.positions = positions;
  if (status == BURL_OK) status = burl_bank_update(bank, before->bank[member], &news, &how);
  free(patches);
  free(positions);
  return status;
}

static burl_status update_task(void *context, size_t index, int worker) {
  update_job *job = context;
  fit *f = &job->fit;
  size_t members = burl_member_count(f->model->encoder);
  size_t m = index % members, fold = index / members;
  (void)worker;
  burl_bank **bank = fold < f->folds ? &f->held_out[fold][m] : &f->model->bank[m];
  burl_status status = job->before->bank[m] ? update_bank(job, m, fold, bank) : BURL_OK;
  pthread_mutex_lock(&f->lock);
  burl_observe_progress(f->data.observer, "learning prototypes", ++f->learned, f->tasks);
  pthread_mutex_unlock(&f->lock);
  return status;
}

burl_status burl_update_banks(update_job *job) {
  fit *f = &job->fit;
  f->learned = 0;
  f->tasks = (f->folds + 1) * burl_member_count(f->model->encoder);
  burl_status status = burl_parallel(f->tasks, f->threads, update_task, job);
  if (status == BURL_OK) return BURL_OK;
  return burl_fail(f->data.diag, status, NULL, NULL, "prototypes cannot be updated: %s",
                   burl_status_get_text(status));
}

void burl_update_free_banks(update_job *job) {
  fit *f = &job->fit;
  for (size_t m = 0; m < MODEL_MEMBERS; m++) {
    burl_bank_free(f->model->bank[m]);
    f->model->bank[m] = NULL;
    for (size_t k = 0; k < MAX_FOLDS; k++) {
      burl_bank_free(f->held_out[k][m]);
      f->held_out[k][m] = NULL;
    }
  }
}
