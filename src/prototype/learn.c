/* Learning a bank: greedy coverage, barycentre steps, then mass and radius of each prototype. */
#include "prototype/bank.h"

#include "base/memory.h"
#include "num/nearest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int options_valid(const burl_bank_options *o) {
  return o->prototypes >= 1 && o->prototypes <= 65536 && o->power >= 1.0 && o->power <= 16.0 &&
         o->trim >= 0.0 && o->trim <= 0.5 && o->start_trim >= 0.0 && o->start_trim <= 0.5 &&
         o->spatial_weight >= 0.0 && o->spatial_weight <= 0.99 && o->entropy > 0.0 &&
         o->sweeps >= 1 && o->batch >= 1 && o->damping > 0.0 && o->damping <= 1.0;
}

static int all_finite(const float *v, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (!isfinite(v[i])) return 0;
  return 1;
}

/* Prototypes (k, joined) as they come out of coverage and transport. */
static burl_status learn_joint(float **prototypes, size_t *k, const float *joint, size_t n,
                               size_t joined, const burl_bank_options *options) {
  size_t wanted = options->prototypes < n ? options->prototypes : n;
  size_t *chosen = burl_alloc(wanted, sizeof *chosen);
  float *made = burl_alloc(wanted * joined, sizeof *made);
  burl_status status = chosen && made ? BURL_OK : BURL_ERR_MEMORY;
  if (status == BURL_OK)
    status = burl_coverage_start(chosen, k, joint, n, joined, wanted, options->start_trim);
  if (status == BURL_OK) {
    for (size_t j = 0; j < *k; j++)
      memcpy(made + j * joined, joint + chosen[j] * joined, joined * sizeof *made);
    status = burl_barycentre_steps(made, *k, joint, n, joined, options);
  }
  free(chosen);
  if (status != BURL_OK) {
    free(made);
    return status;
  }
  *prototypes = made;
  return BURL_OK;
}

/* mass: share of the patches nearest to a prototype; radius: their root mean square distance. */
static burl_status measure(burl_bank *bank, const float *patches, const float *positions,
                           size_t n) {
  float *distance = burl_alloc(n, sizeof *distance);
  uint32_t *nearest = burl_alloc(n, sizeof *nearest);
  if (distance && nearest) {
    burl_bank_score(bank, distance, nearest, patches, positions, n);
    for (size_t i = 0; i < n; i++) {
      bank->mass[nearest[i]] += 1.0f;
      bank->radius[nearest[i]] += distance[i] * distance[i];
    }
    for (size_t j = 0; j < bank->count; j++) {
      if (bank->mass[j] > 0.0f) bank->radius[j] = sqrtf(bank->radius[j] / bank->mass[j]);
      bank->mass[j] /= (float)n;
    }
  }
  burl_status status = distance && nearest ? BURL_OK : BURL_ERR_MEMORY;
  free(distance);
  free(nearest);
  return status;
}

/* Splits joint prototypes into features and positions. */
static burl_status fill(burl_bank *bank, const float *joint) {
  size_t d = bank->dim, joined = burl_joint_dimension(d, bank->spatial_weight);
  double w = bank->spatial_weight;
  float c = (float)sqrt(6.0 * w * (double)d / (1.0 - w));
  for (size_t j = 0; j < bank->count; j++) {
    memcpy(bank->prototypes + j * d, joint + j * joined, d * sizeof *joint);
    for (size_t t = d; t < joined; t++)
      bank->positions[2 * j + t - d] = joint[j * joined + t] / c;
  }
  return burl_bank_pack(bank);
}

burl_status burl_bank_fit(burl_bank **bank, const float *patches, const float *positions, size_t n,
                          size_t d, const burl_bank_options *options) {
  size_t joined = burl_joint_dimension(d, options->spatial_weight), k;
  if (!options_valid(options) || d == 0 || joined > BURL_JOINT_MAX_DIM ||
      (joined > d && !positions))
    return BURL_ERR_ARGUMENT;
  if (n == 0) return BURL_ERR_DATA;
  if (!all_finite(patches, n * d) || (joined > d && !all_finite(positions, n * 2)))
    return BURL_ERR_NUMERIC;
  float *joint = burl_alloc(n * joined, sizeof *joint), *prototypes = NULL;
  if (!joint) return BURL_ERR_MEMORY;
  burl_joint_points(joint, patches, positions, n, d, options->spatial_weight);
  burl_status status = learn_joint(&prototypes, &k, joint, n, joined, options);
  free(joint);
  if (status != BURL_OK) return status;
  burl_bank *made = NULL;
  status = burl_bank_new(&made, k, d, options->spatial_weight);
  if (status == BURL_OK) status = fill(made, prototypes);
  if (status == BURL_OK) status = measure(made, patches, positions, n);
  free(prototypes);
  if (status != BURL_OK) {
    burl_bank_free(made);
    return status;
  }
  *bank = made;
  return BURL_OK;
}
