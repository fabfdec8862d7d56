/* The banks: one of all images and one without each fold, of every member. In rounds that only
 * price there is none of all images, and banks of burl take fewer and longer steps, which are most
 * of the time of a fit: what is unlike all other images is dear to them as well. */
#include "model/fit_parts.h"

#include "base/diag.h"
#include "base/parallel.h"
#include "encode/fused.h"
#include "encode/network_encoder.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A local bank has to cover what good cloth looks like at every place, one of a network the
 * hundreds of dimensions that it sees cloth in (docs/math/networks.md): so many times K prototypes.
 */
enum { LOCAL_SHARE = 2, NETWORK_SHARE = 2 };

/* The patches that a bank is learned from. */
typedef struct material {
  size_t n, d;
  float *patches;   /* (n,d) */
  float *positions; /* (n,2) */
} material;

static void material_free(material *self) {
  free(self->patches);
  free(self->positions);
}

/* Those of one group without the images of `fold` (folds: none left out). */
static burl_status gather_material(material *to, const fit *f, size_t group, size_t fold) {
  const patch_sample *sample = &f->sample[group];
  size_t d = sample->width - 2;
  *to = (material){.d = d,
                   .patches = burl_alloc(sample->count * d, sizeof(float)),
                   .positions = burl_alloc(sample->count * 2, sizeof(float))};
  if (!to->patches || !to->positions) {
    material_free(to);
    return BURL_ERR_MEMORY;
  }
  for (size_t i = 0; i < sample->count; i++) {
    const sample_entry *entry = &sample->entries[i];
    if (f->fold[entry->image] == fold) continue;
    const float *values = sample->values + entry->slot * sample->width;
    memcpy(to->patches + to->n * d, values, d * sizeof *values);
    memcpy(to->positions + 2 * to->n++, values + d, 2 * sizeof *values);
  }
  return BURL_OK;
}

/* The same way in a third of the steps. */
static void hurry(burl_bank_options *how) {
  size_t steps = (how->steps + 2) / 3;
  if (steps == 0) return;
  how->damping = 1.0 - pow(1.0 - how->damping, (double)how->steps / (double)steps);
  how->steps = steps;
}

/* Prototypes of a member's bank. */
static size_t prototypes_of(const fit *f, size_t member) {
  const burl_encoder *encoder = f->model->encoder;
  size_t part = burl_fused_part_of(encoder, burl_member_group(member));
  size_t count = f->model->options.bank.prototypes;
  if (burl_member_is_local(member)) count *= LOCAL_SHARE;
  if (f->model->options.bank.method == BURL_METHOD_BURL &&
      burl_network_encoder_get_choice(burl_fused_get_const(encoder, part)))
    count *= NETWORK_SHARE;
  return count <= BURL_BANK_MOST ? count : BURL_BANK_MOST;
}

static burl_status learn_bank(fit *f, size_t member, size_t fold, burl_bank **bank) {
  burl_bank_options how = f->model->options.bank;
  material m;
  burl_status status = gather_material(&m, f, burl_member_group(member), fold);
  if (status != BURL_OK) return status;
  if (!burl_member_is_local(member)) how.spatial = BURL_SPATIAL_NONE;
  how.prototypes = prototypes_of(f, member);
  if (f->pricing) hurry(&how);
  if (m.n > 0) status = burl_bank_fit(bank, m.patches, m.positions, m.n, m.d, &how);
  material_free(&m);
  return status;
}

static burl_status learn_task(void *context, size_t index, int worker) {
  fit *f = context;
  size_t members = burl_member_count(f->model->encoder);
  size_t m = index % members, fold = index / members;
  (void)worker;
  burl_bank **bank = fold < f->folds ? &f->held_out[fold][m] : &f->model->bank[m];
  burl_status status = BURL_OK;
  if (burl_member_is_wanted(f->model->options.bank.spatial, m))
    status = learn_bank(f, m, fold, bank);
  pthread_mutex_lock(&f->lock);
  burl_observe_progress(f->data.observer, "learning prototypes", ++f->learned, f->tasks);
  pthread_mutex_unlock(&f->lock);
  return status;
}

burl_status burl_fit_learn_banks(fit *f) {
  f->learned = 0;
  f->tasks = (f->folds + !f->pricing) * burl_member_count(f->model->encoder);
  burl_status status = burl_parallel(f->tasks, f->threads, learn_task, f);
  if (status != BURL_OK)
    return burl_fail(f->data.diag, status, NULL, NULL, "prototypes cannot be learned: %s",
                     burl_status_get_text(status));
  return BURL_OK;
}
