/* A bank in a model file: tensors under a prefix. */
#include "prototype/bank.h"

#include "base/diag.h"
#include "prototype/baselines.h"
#include "prototype/points.h"
#include "prototype/pradot_bank.h"

#include <stdio.h>
#include <string.h>

enum { NAME = 96 };

burl_status burl_bank_save(const burl_bank *bank, const char *prefix,
                           burl_safetensors_writer *writer) {
  char name[NAME];
  size_t k = bank->count;
  snprintf(name, NAME, "%s.prototypes", prefix);
  burl_safetensors_writer_add_tensor(writer, name, BURL_DTYPE_F32, (size_t[]){k, bank->dim}, 2,
                                     bank->prototypes);
  if (bank->positions) {
    snprintf(name, NAME, "%s.positions", prefix);
    burl_safetensors_writer_add_tensor(writer, name, BURL_DTYPE_F32, (size_t[]){k, 2}, 2,
                                       bank->positions);
  }
  snprintf(name, NAME, "%s.mass", prefix);
  burl_safetensors_writer_add_tensor(writer, name, BURL_DTYPE_F32, &k, 1, bank->mass);
  snprintf(name, NAME, "%s.radius", prefix);
  burl_status status =
      burl_safetensors_writer_add_tensor(writer, name, BURL_DTYPE_F32, &k, 1, bank->radius);
  return status == BURL_OK ? bank->ops->save(bank, prefix, writer) : status;
}

burl_status burl_bank_load_part(float *values, const char *prefix, const char *part, size_t k,
                                size_t width, const burl_safetensors *file, burl_diag *diag) {
  char name[NAME];
  const float *found;
  const size_t shape[] = {k, width};
  snprintf(name, NAME, "%s.%s", prefix, part);
  burl_status status =
      burl_safetensors_get_floats(file, &found, name, shape, width > 0 ? 2 : 1, diag);
  if (status == BURL_OK) memcpy(values, found, k * (width > 0 ? width : 1) * sizeof *values);
  return status;
}

burl_status burl_bank_load_count(size_t *count, const char *prefix, const burl_safetensors *file,
                                 burl_diag *diag) {
  char name[NAME];
  snprintf(name, NAME, "%s.prototypes", prefix);
  const burl_tensor *tensor = burl_safetensors_find(file, name);
  if (!tensor || tensor->rank != 2 || tensor->count < 1 || tensor->shape[0] > BURL_BANK_MOST)
    return burl_fail(diag, BURL_ERR_FORMAT, NULL, "Fit the model again.",
                     "tensor %s is missing or has a wrong shape", name);
  *count = tensor->shape[0];
  return BURL_OK;
}

burl_status burl_bank_load_common(burl_bank *bank, const char *prefix, const burl_safetensors *file,
                                  burl_diag *diag) {
  size_t k = bank->count;
  burl_status status =
      burl_bank_load_part(bank->prototypes, prefix, "prototypes", k, bank->dim, file, diag);
  if (status == BURL_OK && bank->positions)
    status = burl_bank_load_part(bank->positions, prefix, "positions", k, 2, file, diag);
  if (status == BURL_OK) status = burl_bank_load_part(bank->mass, prefix, "mass", k, 0, file, diag);
  if (status == BURL_OK)
    status = burl_bank_load_part(bank->radius, prefix, "radius", k, 0, file, diag);
  return status;
}

burl_status burl_bank_load(burl_bank **bank, const char *prefix, const burl_bank_options *options,
                           size_t dim, const burl_safetensors *file, burl_diag *diag) {
  if (options->method == BURL_METHOD_GAUSSIAN)
    return burl_gaussian_load(bank, prefix, options, dim, file, diag);
  if (options->method == BURL_METHOD_PRADOT)
    return burl_pradot_bank_load(bank, prefix, options, dim, file, diag);
  return burl_points_load(bank, prefix, options, dim, file, diag);
}
