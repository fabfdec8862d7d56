/* What all kinds of banks share. */
#include "prototype/bank.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

burl_status burl_bank_new(burl_bank **bank, size_t size, const burl_bank_ops *ops, size_t count,
                          size_t dim, burl_spatial spatial) {
  size_t values;
  if (!burl_size_mul(&values, count, dim)) return BURL_ERR_SIZE;
  burl_bank *made = burl_alloc_zero(1, size);
  if (!made) return BURL_ERR_MEMORY;
  *made = (burl_bank){.ops = ops, .count = count, .dim = dim, .spatial = spatial};
  made->prototypes = burl_alloc_zero(values, sizeof(float));
  made->mass = burl_alloc_zero(count, sizeof(float));
  made->radius = burl_alloc_zero(count, sizeof(float));
  if (spatial != BURL_SPATIAL_NONE) made->positions = burl_alloc_zero(count, 2 * sizeof(float));
  if (!made->prototypes || !made->mass || !made->radius ||
      (spatial != BURL_SPATIAL_NONE && !made->positions)) {
    burl_bank_free(made);
    return BURL_ERR_MEMORY;
  }
  *bank = made;
  return BURL_OK;
}

void burl_bank_free(burl_bank *bank) {
  if (!bank) return;
  if (bank->ops->free) bank->ops->free(bank);
  free(bank->prototypes);
  free(bank->positions);
  free(bank->mass);
  free(bank->radius);
  free(bank);
}

void burl_bank_score(const burl_bank *bank, float *distance, uint32_t *nearest,
                     const float *patches, const float *positions, size_t n) {
  bank->ops->score(bank, distance, nearest, patches, positions, n);
}

size_t burl_bank_score_size(const burl_bank *bank, size_t n) {
  return bank->ops->score_size ? bank->ops->score_size(bank, n) : 0;
}

void burl_bank_score_with(const burl_bank *bank, float *distance, uint32_t *nearest,
                          const float *patches, const float *positions, size_t n, void *scratch) {
  if (bank->ops->score_with)
    bank->ops->score_with(bank, distance, nearest, patches, positions, n, scratch);
  else
    burl_bank_score(bank, distance, nearest, patches, positions, n);
}

burl_status burl_bank_measure(burl_bank *bank, const float *patches, const float *positions,
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

size_t burl_bank_get_count(const burl_bank *bank) {
  return bank->count;
}

size_t burl_bank_get_dimension(const burl_bank *bank) {
  return bank->dim;
}

burl_spatial burl_bank_get_spatial(const burl_bank *bank) {
  return bank->spatial;
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
