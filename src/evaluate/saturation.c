/* Saturations of defects (Bergmann, Batzner, Fauser, Sattlegger, Steger, Beyond Dents and
 * Scratches, 2022). docs/math/metrics.md. */
#include <burl/evaluate_saturation.h>

#include "base/diag.h"
#include "base/file.h"
#include "base/memory.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#define MOST_BYTES ((size_t)1 << 20)
#define VALUES 256

static const char hint[] = "It is the defects_config.json of MVTec LOCO.";

typedef struct rule {
  double saturation; /* 0: there is none */
  int relative;
} rule;

struct burl_saturations {
  rule rules[VALUES];
};

static burl_status read_rule(burl_saturations *self, const json_t *entry, size_t number,
                             const char *name, burl_diag *diag) {
  const json_t *value = json_object_get(entry, "pixel_value");
  const json_t *saturation = json_object_get(entry, "saturation_threshold");
  const json_t *relative = json_object_get(entry, "relative_saturation");
  if (!json_is_integer(value) || !json_is_number(saturation) || !json_is_boolean(relative))
    return burl_fail(diag, BURL_ERR_FORMAT, name, hint,
                     "entry %zu has no pixel_value (a whole number), saturation_threshold (a "
                     "number) or relative_saturation (true or false)",
                     number);
  json_int_t index = json_integer_value(value);
  double amount = json_number_value(saturation);
  int share = json_is_true(relative);
  if (index < 1 || index >= VALUES)
    return burl_fail(diag, BURL_ERR_FORMAT, name, hint,
                     "entry %zu has the pixel_value %lld, which is not 1 to 255", number,
                     (long long)index);
  if (!(amount > 0) || (share && amount > 1))
    return burl_fail(diag, BURL_ERR_FORMAT, name, hint,
                     "entry %zu has the saturation_threshold %g, which is not above 0%s", number,
                     amount, share ? " and at most 1" : "");
  if (self->rules[index].saturation > 0)
    return burl_fail(diag, BURL_ERR_FORMAT, name, hint, "the pixel_value %lld occurs twice",
                     (long long)index);
  self->rules[index] = (rule){.saturation = amount, .relative = share};
  return BURL_OK;
}

burl_status burl_saturations_parse(burl_saturations **self, const void *bytes, size_t size,
                                   const char *name, burl_diag *diag) {
  json_error_t error;
  json_t *list = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &error);
  burl_saturations *made = burl_alloc_zero(1, sizeof *made);
  burl_status status = made ? BURL_OK : burl_fail_memory(diag, name);
  if (status == BURL_OK && !list)
    status = json_error_code(&error) == json_error_out_of_memory
                 ? burl_fail_memory(diag, name)
                 : burl_fail_at(diag, BURL_ERR_FORMAT, name, error.position, hint,
                                "is not JSON: %s", error.text);
  if (status == BURL_OK && (!json_is_array(list) || json_array_size(list) == 0))
    status = burl_fail(diag, BURL_ERR_FORMAT, name, hint, "is not a list of defects");
  for (size_t i = 0; status == BURL_OK && i < json_array_size(list); i++)
    status = read_rule(made, json_array_get(list, i), i + 1, name, diag);
  json_decref(list);
  if (status == BURL_OK)
    *self = made;
  else
    free(made);
  return status;
}

burl_status burl_saturations_load(burl_saturations **self, const char *path, burl_diag *diag) {
  unsigned char *bytes = NULL;
  size_t size = 0;
  burl_status status = burl_file_read(&bytes, &size, path, MOST_BYTES, diag);
  if (status == BURL_OK) status = burl_saturations_parse(self, bytes, size, path, diag);
  free(bytes);
  return status;
}

void burl_saturations_free(burl_saturations *self) {
  free(self);
}

uint64_t burl_saturations_get(const burl_saturations *self, int value, uint64_t pixels) {
  if (value < 1 || value >= VALUES || !(self->rules[value].saturation > 0)) return 0;
  const rule *r = &self->rules[value];
  double wanted = floor(r->relative ? r->saturation * (double)pixels : r->saturation);
  if (wanted >= (double)pixels) return pixels;
  return wanted < 1 ? 1 : (uint64_t)wanted;
}

/* A mask of its own for each value that occurs. */
static burl_status split(burl_saturated_region *regions, size_t *count, uint8_t *masks,
                         const burl_saturations *self, const uint8_t *values, size_t n,
                         int *value) {
  for (int v = 1; v < VALUES; v++) {
    uint64_t pixels = 0;
    for (size_t i = 0; i < n; i++)
      pixels += values[i] == v;
    if (pixels == 0) continue;
    uint8_t *mask = masks + *count * n;
    for (size_t i = 0; i < n; i++)
      mask[i] = values[i] == v;
    uint64_t saturation = burl_saturations_get(self, v, pixels);
    *value = v;
    if (saturation == 0) return BURL_ERR_DATA;
    regions[(*count)++] = (burl_saturated_region){.mask = mask, .saturation = saturation};
  }
  return BURL_OK;
}

static size_t count_values(const uint8_t *values, size_t n) {
  uint8_t seen[VALUES] = {0};
  size_t count = 0;
  for (size_t i = 0; i < n; i++)
    seen[values[i]] = 1;
  for (int v = 1; v < VALUES; v++)
    count += seen[v];
  return count;
}

burl_status burl_saturations_add(const burl_saturations *self, burl_pixel_evaluator *evaluator,
                                 const float *heat, const uint8_t *values, size_t height,
                                 size_t width, int *value) {
  size_t n, count = 0;
  burl_saturated_region regions[VALUES];
  if (!burl_size_mul(&n, height, width) || n == 0) return BURL_ERR_SIZE;
  uint8_t *masks = burl_alloc(count_values(values, n), n);
  if (!masks) return BURL_ERR_MEMORY;
  burl_status status = split(regions, &count, masks, self, values, n, value);
  if (status == BURL_OK)
    status = burl_pixel_evaluator_add_saturated(evaluator, heat, height, width, regions, count);
  free(masks);
  return status;
}
