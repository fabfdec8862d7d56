/* Tensors of published weights: found by name, checked, and widened to floats. */
#include "encode/weights.h"

#include "base/diag.h"
#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME 256
#define CHECK_FILE "Check that the file holds the network that was named."

struct burl_weights {
  burl_safetensors *owned; /* NULL: the file is borrowed */
  const burl_safetensors *file;
  char *prefix, *path;
};

burl_status burl_weights_view(burl_weights **weights, const burl_safetensors *file,
                              const char *prefix, const char *path, burl_diag *diag) {
  burl_weights *made = burl_alloc_zero(1, sizeof *made);
  if (!made) return burl_fail_memory(diag, path);
  made->file = file;
  made->prefix = burl_copy_text(prefix);
  made->path = burl_copy_text(path);
  if (!made->prefix || !made->path) {
    burl_weights_free(made);
    return burl_fail_memory(diag, path);
  }
  *weights = made;
  return BURL_OK;
}

burl_status burl_weights_load(burl_weights **weights, const char *path, burl_diag *diag) {
  burl_safetensors *file;
  burl_weights *made = NULL;
  burl_status status = burl_safetensors_load(&file, path, diag);
  if (status != BURL_OK) return status;
  status = burl_weights_view(&made, file, "", path, diag);
  if (status != BURL_OK) {
    burl_safetensors_free(file);
    return status;
  }
  made->owned = file;
  *weights = made;
  return BURL_OK;
}

void burl_weights_free(burl_weights *weights) {
  if (!weights) return;
  burl_safetensors_free(weights->owned);
  free(weights->prefix);
  free(weights->path);
  free(weights);
}

const char *burl_weights_get_path(const burl_weights *weights) {
  return weights->path;
}

static const burl_tensor *find(const burl_weights *weights, const char *name) {
  char whole[NAME];
  int length = snprintf(whole, sizeof whole, "%s%s", weights->prefix, name);
  if (length < 0 || (size_t)length >= sizeof whole) return NULL;
  return burl_safetensors_find(weights->file, whole);
}

int burl_weights_has(const burl_weights *weights, const char *name) {
  return find(weights, name) != NULL;
}

int burl_weights_get_shape(const burl_weights *weights, const char *name, size_t *rank,
                           size_t shape[BURL_TENSOR_MAX_RANK]) {
  const burl_tensor *tensor = find(weights, name);
  if (!tensor) return 0;
  *rank = tensor->rank;
  memcpy(shape, tensor->shape, sizeof tensor->shape);
  return 1;
}

static float from_half(uint16_t half) {
  uint32_t exponent = half >> 10 & 31, fraction = half & 1023;
  float value = exponent == 0   ? ldexpf((float)fraction, -24)
                : exponent < 31 ? ldexpf((float)(fraction + 1024), (int)exponent - 25)
                : fraction == 0 ? INFINITY
                                : NAN;
  return half >> 15 ? -value : value;
}

static float from_brain(uint16_t brain) {
  uint32_t bits = (uint32_t)brain << 16;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static int has_shape(const burl_tensor *tensor, const size_t *shape, size_t rank) {
  return tensor->rank == rank && (rank == 0 || !memcmp(tensor->shape, shape, rank * sizeof *shape));
}

burl_status burl_weights_get(const burl_weights *weights, float *out, const char *name,
                             const size_t *shape, size_t rank, burl_diag *diag) {
  const burl_tensor *tensor = find(weights, name);
  if (!tensor)
    return burl_fail(diag, BURL_ERR_FORMAT, weights->path, CHECK_FILE, "the tensor %s is missing",
                     name);
  if (!has_shape(tensor, shape, rank))
    return burl_fail(diag, BURL_ERR_FORMAT, weights->path, CHECK_FILE,
                     "the tensor %s has another shape than the rest of the network asks for", name);
  if (tensor->dtype != BURL_DTYPE_F32 && tensor->dtype != BURL_DTYPE_F16 &&
      tensor->dtype != BURL_DTYPE_BF16)
    return burl_fail(diag, BURL_ERR_FORMAT, weights->path, "Save the weights as F32, F16 or BF16.",
                     "the tensor %s is of type %s", name, burl_dtype_get_name(tensor->dtype));
  const unsigned char *bytes = tensor->data;
  for (size_t i = 0; i < tensor->count; i++) {
    uint16_t half;
    float value;
    if (tensor->dtype == BURL_DTYPE_F32) {
      memcpy(&value, bytes + 4 * i, sizeof value);
    } else {
      memcpy(&half, bytes + 2 * i, sizeof half);
      value = tensor->dtype == BURL_DTYPE_F16 ? from_half(half) : from_brain(half);
    }
    if (!isfinite(value))
      return burl_fail(diag, BURL_ERR_NUMERIC, weights->path, "Fetch or convert the weights again.",
                       "value %zu of the tensor %s is not finite", i, name);
    out[i] = value;
  }
  return BURL_OK;
}
