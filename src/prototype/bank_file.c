/* A bank in a model file: four tensors under a prefix. */
#include "prototype/bank.h"

#include "base/diag.h"
#include "base/memory.h"

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
  return burl_safetensors_writer_add_tensor(writer, name, BURL_DTYPE_F32, &k, 1, bank->radius);
}

/* Copies the tensor "<prefix>.<part>" (k, width) into values. */
static burl_status load_part(float *values, const char *prefix, const char *part, size_t k,
                             size_t width, const burl_safetensors *file, burl_diag *diag) {
  char name[NAME];
  const float *found;
  const size_t shape[] = {k, width};
  snprintf(name, NAME, "%s.%s", prefix, part);
  burl_status status =
      burl_safetensors_get_floats(file, &found, name, shape, width > 1 ? 2 : 1, diag);
  if (status == BURL_OK) memcpy(values, found, k * width * sizeof *values);
  return status;
}

burl_status burl_bank_load(burl_bank **bank, const char *prefix, double spatial_weight, size_t dim,
                           const burl_safetensors *file, burl_diag *diag) {
  char name[NAME];
  snprintf(name, NAME, "%s.prototypes", prefix);
  const burl_tensor *tensor = burl_safetensors_find(file, name);
  if (!tensor || tensor->rank != 2 || tensor->shape[0] < 1 || tensor->shape[0] > UINT32_MAX)
    return burl_fail(diag, BURL_ERR_FORMAT, NULL, "Fit the model again.",
                     "tensor %s is missing or has a wrong shape", name);
  burl_bank *made;
  size_t k = tensor->shape[0];
  burl_status status = burl_bank_new(&made, k, dim, spatial_weight);
  if (status != BURL_OK) return burl_fail_memory(diag, NULL);
  status = load_part(made->prototypes, prefix, "prototypes", k, dim, file, diag);
  if (status == BURL_OK && made->positions)
    status = load_part(made->positions, prefix, "positions", k, 2, file, diag);
  if (status == BURL_OK) status = load_part(made->mass, prefix, "mass", k, 1, file, diag);
  if (status == BURL_OK) status = load_part(made->radius, prefix, "radius", k, 1, file, diag);
  if (status == BURL_OK && burl_bank_pack(made) != BURL_OK) status = burl_fail_memory(diag, NULL);
  if (status != BURL_OK) {
    burl_bank_free(made);
    return status;
  }
  *bank = made;
  return BURL_OK;
}
