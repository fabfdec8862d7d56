/* Banks of Gaussians: scores and files; gaussian_fit.c learns them.
 *
 * The distance of patch x in cell c is |W_c (x - mean_c)| / sqrt(m), m the dimensions compared and
 * W_c the symmetric inverse root of the cell's covariance: 1 in the root mean square for patches
 * that the cell's Gaussian is of. Unlike a Cholesky factor W_c is the same for any order of the
 * dimensions, and unlike scaled eigenvectors it does not depend on the basis chosen for equal
 * eigenvalues. */
#include "prototype/gaussian.h"

#include "base/diag.h"
#include "base/memory.h"
#include "num/simd.h"
#include "prototype/baselines.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 2 * BURL_LANES };

static size_t padded(size_t m) {
  return (m + BLOCK - 1) / BLOCK * BLOCK;
}

static size_t find_along(float position, size_t side, burl_spatial spatial) {
  if (spatial == BURL_SPATIAL_PERIODIC) position -= floorf(position);
  float at = position * (float)side;
  if (!(at > 0.0f)) return 0;
  return at < (float)side ? (size_t)at : side - 1;
}

size_t burl_gaussian_find_cell(const burl_gaussian *self, const float *positions, size_t i) {
  if (self->side == 1) return 0;
  size_t row = find_along(positions[2 * i], self->side, self->base.spatial);
  return row * self->side + find_along(positions[2 * i + 1], self->side, self->base.spatial);
}

/* |W from|^2. */
BURL_CLONES
static float whitened_square(const float *restrict packed, const float *restrict from, size_t m) {
  burl_lanes sum = {0};
  float total = 0.0f;
  for (size_t block = 0; block < m; block += BLOCK) {
    burl_lanes y0 = {0}, y1 = {0};
    for (size_t t = 0; t < m; t++, packed += BLOCK) {
      y0 += *(const burl_lanes *)packed * from[t];
      y1 += *(const burl_lanes *)(packed + BURL_LANES) * from[t];
    }
    sum += y0 * y0 + y1 * y1;
  }
  for (size_t lane = 0; lane < BURL_LANES; lane++)
    total += sum[lane];
  return total;
}

static void score_gaussian(const burl_bank *bank, float *distance, uint32_t *nearest,
                           const float *patches, const float *positions, size_t n) {
  const burl_gaussian *self = (const burl_gaussian *)bank;
  size_t m = self->m, d = bank->dim;
  float from[BURL_GAUSSIAN_DIMENSIONS];
  for (size_t i = 0; i < n; i++) {
    size_t cell = burl_gaussian_find_cell(self, positions, i);
    const float *mean = bank->prototypes + cell * d, *x = patches + i * d;
    for (size_t t = 0; t < m; t++)
      from[t] = x[self->dims[t]] - mean[self->dims[t]];
    float square = whitened_square(self->packed + cell * m * padded(m), from, m);
    if (!(square <= FLT_MAX)) square = FLT_MAX; /* too far for a float, or not finite */
    distance[i] = sqrtf(square / (float)m);
    if (nearest) nearest[i] = (uint32_t)cell;
  }
}

void burl_gaussian_finish(burl_gaussian *self) {
  size_t m = self->m, at = 0;
  for (size_t cell = 0; cell < self->base.count; cell++)
    for (size_t block = 0; block < m; block += BLOCK)
      for (size_t t = 0; t < m; t++)
        for (size_t i = block; i < block + BLOCK; i++)
          self->packed[at++] = i < m ? self->whiten[(cell * m + t) * m + i] : 0.0f;
}

static burl_status save_gaussian(const burl_bank *bank, const char *prefix,
                                 burl_safetensors_writer *writer) {
  const burl_gaussian *self = (const burl_gaussian *)bank;
  char name[96];
  const size_t shape[] = {bank->count, self->m * self->m};
  snprintf(name, sizeof name, "%s.whiten", prefix);
  burl_status status =
      burl_safetensors_writer_add_tensor(writer, name, BURL_DTYPE_F32, shape, 2, self->whiten);
  if (self->m == bank->dim || status != BURL_OK) return status;
  snprintf(name, sizeof name, "%s.dims", prefix);
  return burl_safetensors_writer_add_tensor(writer, name, BURL_DTYPE_U32, &self->m, 1, self->dims);
}

static void release_gaussian(burl_bank *bank) {
  burl_gaussian *self = (burl_gaussian *)bank;
  free(self->dims);
  free(self->whiten);
  free(self->packed);
}

static const burl_bank_ops gaussian_ops = {
    .kind = "gaussian", .score = score_gaussian, .save = save_gaussian, .free = release_gaussian};

burl_status burl_gaussian_new(burl_gaussian **bank, size_t side, size_t d, burl_spatial spatial) {
  burl_bank *made;
  size_t cells = side * side, m = d < BURL_GAUSSIAN_DIMENSIONS ? d : BURL_GAUSSIAN_DIMENSIONS;
  burl_status status =
      burl_bank_new(&made, sizeof(burl_gaussian), &gaussian_ops, cells, d, spatial);
  if (status != BURL_OK) return status;
  burl_gaussian *self = (burl_gaussian *)made;
  self->side = side;
  self->m = m;
  self->dims = burl_alloc(m, sizeof *self->dims);
  self->whiten = burl_alloc_zero(cells * m * m, sizeof(float));
  self->packed = burl_alloc_zero(cells * m * padded(m), sizeof(float));
  if (!self->dims || !self->whiten || !self->packed) {
    burl_bank_free(made);
    return BURL_ERR_MEMORY;
  }
  for (size_t t = 0; t < m; t++)
    self->dims[t] = (uint32_t)t;
  *bank = self;
  return BURL_OK;
}

static burl_status load_dimensions(burl_gaussian *self, const char *prefix,
                                   const burl_safetensors *file, burl_diag *diag) {
  static const char hint[] = "Fit the model again.";
  char name[96];
  if (self->m == self->base.dim) return BURL_OK;
  snprintf(name, sizeof name, "%s.dims", prefix);
  const burl_tensor *tensor = burl_safetensors_find(file, name);
  if (!tensor || tensor->dtype != BURL_DTYPE_U32 || tensor->rank != 1 || tensor->count != self->m)
    return burl_fail(diag, BURL_ERR_FORMAT, NULL, hint,
                     "tensor %s is missing or is not %zu numbers of type U32", name, self->m);
  memcpy(self->dims, tensor->data, tensor->size);
  for (size_t t = 0; t < self->m; t++)
    if (self->dims[t] >= self->base.dim || (t > 0 && self->dims[t] <= self->dims[t - 1]))
      return burl_fail(diag, BURL_ERR_FORMAT, NULL, hint,
                       "tensor %s: entry %zu is %" PRIu32
                       ", where dimensions below %zu in rising "
                       "order belong",
                       name, t, self->dims[t], self->base.dim);
  return BURL_OK;
}

burl_status burl_gaussian_load(burl_bank **bank, const char *prefix,
                               const burl_bank_options *options, size_t dim,
                               const burl_safetensors *file, burl_diag *diag) {
  size_t cells, side = 1;
  burl_status status = burl_bank_load_count(&cells, prefix, file, diag);
  if (status != BURL_OK) return status;
  while (options->spatial != BURL_SPATIAL_NONE && side < BURL_GAUSSIAN_SIDE && side * side < cells)
    side++;
  if (side * side != cells)
    return burl_fail(diag, BURL_ERR_FORMAT, NULL, "Fit the model again.",
                     "%s.prototypes: there are %zu Gaussians, which make no grid of cells", prefix,
                     cells);
  burl_gaussian *self;
  if (burl_gaussian_new(&self, side, dim, options->spatial) != BURL_OK)
    return burl_fail_memory(diag, NULL);
  status = burl_bank_load_common(&self->base, prefix, file, diag);
  if (status == BURL_OK) status = load_dimensions(self, prefix, file, diag);
  if (status == BURL_OK)
    status =
        burl_bank_load_part(self->whiten, prefix, "whiten", cells, self->m * self->m, file, diag);
  if (status != BURL_OK) {
    burl_bank_free(&self->base);
    return status;
  }
  burl_gaussian_finish(self);
  *bank = &self->base;
  return BURL_OK;
}
