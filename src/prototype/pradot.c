/* The fitted object: a checked copy of its parts, and what scoring needs ready made. */
#include "prototype/pradot_object.h"

#include "base/memory.h"
#include "num/magnitude.h"
#include "prototype/pradot_plan.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

burl_pradot_options burl_pradot_default_options(void) {
  return (burl_pradot_options){.per_cell = 16.0,
                               .alpha = 0.0,
                               .eps = 0.01,
                               .sweeps = 100,
                               .tolerance = 1e-9,
                               .ema = 0.95,
                               .batch = 64,
                               .epochs = 50,
                               .validation = 0.2,
                               .divisor = BURL_PRADOT_BATCH_MAX,
                               .scale = BURL_PRADOT_IMAGE_MAX,
                               .start = BURL_PRADOT_UNIFORM,
                               .times_count = 1,
                               .store = BURL_PRADOT_STORE_AUTO,
                               .threads = 1};
}

void burl_pradot_places(float *places, size_t rows, size_t cols) {
  for (size_t y = 0; y < rows; y++)
    for (size_t x = 0; x < cols; x++) {
      float *place = places + 2 * (y * cols + x);
      place[0] = rows > 1 ? (float)((double)y / (double)(rows - 1)) : 0.0f;
      place[1] = cols > 1 ? (float)((double)x / (double)(cols - 1)) : 0.0f;
    }
}

static burl_status check(const burl_pradot_parts *parts) {
  size_t entries, bytes;
  if (parts->count == 0 || parts->d == 0 || !parts->prototypes || !parts->positions ||
      !(parts->alpha >= 0.0 && parts->alpha <= 1.0) || parts->scale < BURL_PRADOT_IMAGE_MAX ||
      parts->scale > BURL_PRADOT_TRAINING_MAX || (parts->epochs > 0 && !parts->losses) ||
      (parts->epochs > 0 ? parts->kept >= parts->epochs : parts->kept > 0))
    return BURL_ERR_ARGUMENT;
  if (parts->count > INT32_MAX || parts->d > INT_MAX || parts->epochs > INT32_MAX ||
      !burl_size_mul(&entries, parts->count, parts->d) ||
      !burl_size_mul(&bytes, entries, sizeof(float)) ||
      !burl_size_mul(&bytes, parts->count, BURL_PRADOT_STRIP * sizeof(float)))
    return BURL_ERR_SIZE;
  if (!isfinite(burl_num_magnitude_float(parts->prototypes, entries)) ||
      !isfinite(burl_num_magnitude_float(parts->positions, 2 * parts->count)) ||
      !isfinite(burl_num_magnitude_double(parts->losses, parts->epochs)) ||
      !isfinite(parts->feature_max) || !isfinite(parts->place_max))
    return BURL_ERR_NUMERIC;
  return parts->feature_max >= 0.0 && parts->place_max >= 0.0 ? BURL_OK : BURL_ERR_ARGUMENT;
}

/* The least number of places after which they repeat. */
static size_t find_cells(const float *positions, size_t count) {
  for (size_t cells = 1; cells < count; cells++) {
    if (count % cells) continue;
    size_t same = 2 * (count - cells);
    if (memcmp(positions, positions + 2 * cells, same * sizeof *positions) == 0) return cells;
  }
  return count;
}

burl_status burl_pradot_new(burl_pradot **pradot, const burl_pradot_parts *parts) {
  burl_status status = check(parts);
  if (status) return status;
  burl_pradot *made = burl_alloc_zero(1, sizeof *made);
  if (!made) return BURL_ERR_MEMORY;
  size_t entries = parts->count * parts->d;
  made->prototypes = burl_copy(parts->prototypes, entries * sizeof(float));
  made->positions = burl_copy(parts->positions, 2 * parts->count * sizeof(float));
  made->directions = burl_alloc(entries, sizeof(float));
  made->losses = burl_alloc(parts->epochs, sizeof(double));
  if (!made->prototypes || !made->positions || !made->directions || !made->losses) {
    burl_pradot_free(made);
    return BURL_ERR_MEMORY;
  }
  if (parts->epochs) memcpy(made->losses, parts->losses, parts->epochs * sizeof(double));
  burl_pradot_directions(made->directions, made->prototypes, parts->count, parts->d);
  made->cells = find_cells(made->positions, parts->count);
  made->parts = *parts;
  made->parts.prototypes = made->prototypes;
  made->parts.positions = made->positions;
  made->parts.losses = parts->epochs ? made->losses : NULL;
  *pradot = made;
  return BURL_OK;
}

void burl_pradot_free(burl_pradot *pradot) {
  if (!pradot) return;
  free(pradot->prototypes);
  free(pradot->positions);
  free(pradot->directions);
  free(pradot->losses);
  free(pradot);
}

const burl_pradot_parts *burl_pradot_get_parts(const burl_pradot *pradot) {
  return &pradot->parts;
}
