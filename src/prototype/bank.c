/* A bank: learning it from patches, scoring patches by it, keeping it in a file. */
#include "prototype/bank.h"

#include "base/diag.h"
#include "base/memory.h"
#include "num/nearest.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

burl_bank_options burl_bank_default_options(void) {
  return (burl_bank_options){.prototypes = 256,
                             .power = 4.0,
                             .start_trim = 0.002,
                             .trim = 0.03,
                             .spatial_weight = 0.0,
                             .entropy = 0.3,
                             .sweeps = 40,
                             .steps = 8,
                             .batch = 6000,
                             .damping = 0.5};
}

size_t burl_joint_dimension(size_t d, double spatial_weight) {
  return spatial_weight > 0.0 ? d + 2 : d;
}

void burl_joint_points(float *joint, const float *patches, const float *positions, size_t n,
                       size_t d, double spatial_weight) {
  size_t joined = burl_joint_dimension(d, spatial_weight);
  float c = (float)sqrt(6.0 * spatial_weight * (double)d / (1.0 - spatial_weight));
  for (size_t i = 0; i < n; i++) {
    memcpy(joint + i * joined, patches + i * d, d * sizeof *joint);
    for (size_t t = d; t < joined; t++)
      joint[i * joined + t] = c * positions[2 * i + t - d];
  }
}

burl_status burl_bank_new(burl_bank **bank, size_t count, size_t dim, double spatial_weight) {
  size_t joined = burl_joint_dimension(dim, spatial_weight), values;
  if (joined > BURL_JOINT_MAX_DIM || !burl_size_mul(&values, count + BURL_POINT_BLOCK, joined))
    return BURL_ERR_SIZE;
  burl_bank *made = burl_alloc_zero(1, sizeof *made);
  if (!made) return BURL_ERR_MEMORY;
  *made = (burl_bank){.count = count, .dim = dim, .spatial_weight = spatial_weight};
  made->scale = (float)sqrt((1.0 - spatial_weight) / (double)dim);
  made->prototypes = burl_alloc_zero(count * dim, sizeof(float));
  made->mass = burl_alloc_zero(count, sizeof(float));
  made->radius = burl_alloc_zero(count, sizeof(float));
  made->packed = burl_alloc_zero(burl_points_packed_size(count, joined), sizeof(float));
  if (joined > dim) made->positions = burl_alloc_zero(count * 2, sizeof(float));
  if (!made->prototypes || !made->mass || !made->radius || !made->packed ||
      (joined > dim && !made->positions)) {
    burl_bank_free(made);
    return BURL_ERR_MEMORY;
  }
  *bank = made;
  return BURL_OK;
}

void burl_bank_free(burl_bank *bank) {
  if (!bank) return;
  free(bank->prototypes);
  free(bank->positions);
  free(bank->mass);
  free(bank->radius);
  free(bank->packed);
  free(bank);
}

burl_status burl_bank_pack(burl_bank *bank) {
  size_t joined = burl_joint_dimension(bank->dim, bank->spatial_weight);
  float *joint = burl_alloc(bank->count * joined, sizeof *joint);
  if (!joint) return BURL_ERR_MEMORY;
  burl_joint_points(joint, bank->prototypes, bank->positions, bank->count, bank->dim,
                    bank->spatial_weight);
  burl_points_pack(bank->packed, joint, bank->count, joined);
  free(joint);
  return BURL_OK;
}

void burl_bank_score(const burl_bank *bank, float *distance, uint32_t *nearest,
                     const float *patches, const float *positions, size_t n) {
  size_t d = bank->dim, joined = burl_joint_dimension(d, bank->spatial_weight);
  if (joined == d) {
    burl_points_nearest(distance, nearest, patches, n, bank->packed, bank->count, d);
  } else {
    float joint[BURL_JOINT_MAX_DIM];
    size_t step = BURL_JOINT_MAX_DIM / joined;
    for (size_t i = 0; i < n; i += step) {
      size_t m = n - i < step ? n - i : step;
      burl_joint_points(joint, patches + i * d, positions + 2 * i, m, d, bank->spatial_weight);
      burl_points_nearest(distance + i, nearest ? nearest + i : NULL, joint, m, bank->packed,
                          bank->count, joined);
    }
  }
  for (size_t i = 0; i < n; i++)
    distance[i] = bank->scale * sqrtf(distance[i]);
}

size_t burl_bank_get_count(const burl_bank *bank) {
  return bank->count;
}

size_t burl_bank_get_dimension(const burl_bank *bank) {
  return bank->dim;
}

const float *burl_bank_get_prototypes(const burl_bank *bank) {
  return bank->prototypes;
}

const float *burl_bank_get_positions(const burl_bank *bank) {
  return bank->positions;
}

const float *burl_bank_get_mass(const burl_bank *bank) {
  return bank->mass;
}

const float *burl_bank_get_radius(const burl_bank *bank) {
  return bank->radius;
}
