/* Updating a bank: the old patches are not kept, so the old prototypes speak for them.
 *
 *   1. prototypes of areas with too many make room for what is new (renewal.c);
 *   2. a mixed sample: of every number of rows, the share of the new images is new patches; the
 *      others are replayed, z_j +- g with g normal of the radius of z_j, where j comes as often as
 *      its mass says. Both signs follow each other, so that what is replayed has its mean at z_j;
 *   3. the damped barycentre steps of the fit on this sample (kmeans: at power 2 with nothing left
 *      out; coreset: none, its prototypes are patches);
 *   4. mass and radius on the same sample.
 */
#include "prototype/bank_update.h"

#include "base/memory.h"
#include "base/random.h"
#include "num/nearest.h"
#include "prototype/points.h"
#include "prototype/renewal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
  SAMPLE = 48000, /* rows of the mixed sample */
  NOISE = 8191,   /* normal numbers, of which runs from random places are taken */
  LOOK = 8192     /* new patches that say where new areas are */
};
#define GOLDEN 0.6180339887498949 /* its multiples modulo 1 are evenly spread at every length */

typedef struct update {
  const burl_bank *old;
  const burl_news *news;
  const burl_bank_options *options;
  burl_joint joint;
  float *before;     /* (old->count, dim) joint prototypes of the old bank */
  float *fresh;      /* (news->n, dim) joint new patches */
  float *prototypes; /* (most, dim) */
  double *mass;      /* (most) */
  size_t most, rows; /* rows of the mixed sample */
  float *sample;     /* (rows, dim) */
  float *noise;      /* (NOISE + dim) */
} update;

static burl_status open_update(update *u) {
  size_t d = u->old->dim, dim = u->joint.dim, n = u->news->n, k = u->old->count;
  double share = u->news->share;
  u->most = n > 0 && u->options->prototypes > k ? u->options->prototypes : k;
  u->rows = n > 0 && (double)n < share * SAMPLE ? (size_t)((double)n / share) : SAMPLE;
  if (dim > BURL_JOINT_MAX_DIM || d == 0) return BURL_ERR_ARGUMENT;
  u->before = burl_alloc(k * dim, sizeof *u->before);
  u->fresh = burl_alloc(n * dim + 1, sizeof *u->fresh);
  u->prototypes = burl_alloc(u->most * dim, sizeof *u->prototypes);
  u->mass = burl_alloc(u->most, sizeof *u->mass);
  u->sample = burl_alloc(u->rows * dim, sizeof *u->sample);
  u->noise = burl_alloc(NOISE + dim, sizeof *u->noise);
  if (!u->before || !u->fresh || !u->prototypes || !u->mass || !u->sample || !u->noise)
    return BURL_ERR_MEMORY;
  burl_joint_points(&u->joint, u->before, u->old->prototypes, u->old->positions, k);
  burl_joint_points(&u->joint, u->fresh, u->news->patches, u->news->positions, n);
  return BURL_OK;
}

static void close_update(update *u) {
  free(u->before);
  free(u->fresh);
  free(u->prototypes);
  free(u->mass);
  free(u->sample);
  free(u->noise);
}

/* The prototype whose part of 0..1 holds `at`, parts being as long as masses. */
static size_t whose_mass(const burl_bank *bank, double at) {
  size_t j = 0, last = 0;
  for (double below = 0.0; j < bank->count; j++) {
    if (!(bank->mass[j] > 0.0f)) continue;
    last = j;
    below += (double)bank->mass[j];
    if (at < below) break;
  }
  return last;
}

/* Row `o` of what is replayed: two rows share a prototype and a direction. */
static void replay(const update *u, float *row, size_t o) {
  size_t dim = u->joint.dim, pair = o / 2;
  double at = ((double)pair + 0.5) * GOLDEN;
  size_t j = whose_mass(u->old, at - floor(at));
  const float *noise = u->noise + burl_random_at(u->options->seed, u->news->round, pair) % NOISE;
  float spread = u->old->radius[j] / (u->joint.scale * sqrtf((float)dim));
  if (o % 2) spread = -spread;
  for (size_t t = 0; t < dim; t++)
    row[t] = u->before[j * dim + t] + spread * noise[t];
}

static void mix(update *u) {
  size_t dim = u->joint.dim, fresh = 0, replayed = 0;
  burl_random random = burl_random_start(u->options->seed, u->news->round);
  for (size_t t = 0; t < NOISE + dim; t++)
    u->noise[t] = (float)burl_random_normal(&random);
  double share = u->news->n > 0 ? u->news->share : 0.0;
  for (size_t i = 0; i < u->rows; i++) {
    float *row = u->sample + i * dim;
    size_t due = (size_t)((double)(i + 1) * share);
    if (fresh < due && fresh < u->news->n)
      memcpy(row, u->fresh + fresh++ * dim, dim * sizeof *row);
    else
      replay(u, row, replayed++);
  }
}

static burl_status renew(update *u, size_t *count) {
  memcpy(u->prototypes, u->before, u->old->count * u->joint.dim * sizeof *u->before);
  for (size_t j = 0; j < u->old->count; j++)
    u->mass[j] = (double)u->old->mass[j];
  burl_renewal renewal = {.prototypes = u->prototypes,
                          .mass = u->mass,
                          .count = u->old->count,
                          .most = u->most,
                          .d = u->joint.dim,
                          .trim = u->options->start_trim,
                          .known = u->news->known / (double)u->joint.scale,
                          .keeps_one = u->options->method == BURL_METHOD_CORESET};
  burl_status status = burl_renewal_run(&renewal, u->fresh, u->news->n < LOOK ? u->news->n : LOOK);
  *count = renewal.count;
  return status;
}

static burl_status take_steps(update *u, size_t count) {
  burl_bank_options how = *u->options;
  if (how.method == BURL_METHOD_CORESET) return BURL_OK;
  if (how.method == BURL_METHOD_KMEANS) {
    how.power = 2.0;
    how.trim = 0.0;
    how.marginals = BURL_MARGINALS_NEAREST;
  }
  return burl_barycentre_steps(u->prototypes, count, u->sample, u->rows, u->joint.dim, &how);
}

/* Mass and radius from the mixed sample. */
static burl_status measure(const update *u, burl_bank *bank) {
  size_t k = bank->count, dim = u->joint.dim;
  float *packed = burl_alloc(burl_points_packed_size(k, dim), sizeof *packed);
  float *square = burl_alloc(u->rows, sizeof *square);
  uint32_t *nearest = burl_alloc(u->rows, sizeof *nearest);
  double *sum = burl_alloc_zero(2 * k, sizeof *sum);
  burl_status status = packed && square && nearest && sum ? BURL_OK : BURL_ERR_MEMORY;
  if (status == BURL_OK) {
    burl_points_pack(packed, u->prototypes, k, dim);
    burl_points_nearest(square, nearest, u->sample, u->rows, packed, k, dim);
    for (size_t i = 0; i < u->rows; i++) {
      sum[2 * nearest[i]] += 1.0;
      sum[2 * nearest[i] + 1] += (double)square[i];
    }
    for (size_t j = 0; j < k; j++) {
      bank->mass[j] = (float)(sum[2 * j] / (double)u->rows);
      bank->radius[j] =
          sum[2 * j] > 0.0 ? u->joint.scale * (float)sqrt(sum[2 * j + 1] / sum[2 * j]) : 0.0f;
    }
  }
  free(packed);
  free(square);
  free(nearest);
  free(sum);
  return status;
}

/* Nothing new: the same bank once more. */
static burl_status copy_bank(const update *u, burl_bank **made) {
  const burl_bank *old = u->old;
  burl_status status = burl_points_new(made, u->before, old->count, &u->joint, u->options->radius);
  if (status != BURL_OK) return status;
  memcpy((*made)->mass, old->mass, old->count * sizeof *old->mass);
  memcpy((*made)->radius, old->radius, old->count * sizeof *old->radius);
  return BURL_OK;
}

static burl_status learn_news(update *u, burl_bank **made) {
  size_t count = 0;
  mix(u);
  burl_status status = renew(u, &count);
  if (status == BURL_OK) status = take_steps(u, count);
  if (status == BURL_OK)
    status = burl_points_new(made, u->prototypes, count, &u->joint, u->options->radius);
  return status == BURL_OK ? measure(u, *made) : status;
}

burl_status burl_bank_update(burl_bank **updated, const burl_bank *old, const burl_news *news,
                             const burl_bank_options *options) {
  if (options->method == BURL_METHOD_PRADOT || options->method == BURL_METHOD_GAUSSIAN ||
      options->spatial == BURL_SPATIAL_AUTO || !(news->share >= 0.0 && news->share <= 1.0))
    return BURL_ERR_ARGUMENT;
  update u = {.old = old,
              .news = news,
              .options = options,
              .joint = burl_joint_of(old->dim, options->spatial, options->spatial_weight)};
  burl_bank *made = NULL;
  burl_status status = open_update(&u);
  if (status == BURL_OK)
    status = news->n > 0 && news->share > 0.0 ? learn_news(&u, &made) : copy_bank(&u, &made);
  close_update(&u);
  if (status != BURL_OK) {
    burl_bank_free(made);
    return status;
  }
  burl_points_finish(made);
  *updated = made;
  return BURL_OK;
}
