/* Weights come in 32 or 16 bits; networks take floats. The hash tells files apart that hold other
 * numbers, whatever the order or the metadata of the file. */
#include "encode/weights.h"

#include "base/diag.h"
#include "base/half.h"
#include "base/memory.h"
#include "base/xxh64.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct burl_weights {
  burl_safetensors *own; /* NULL where the file is borrowed */
  const burl_safetensors *file;
  char *prefix, *path;
  char hash[17];
};

static void hash_file(char hash[17], const burl_safetensors *file) {
  uint64_t sum = 0;
  for (size_t i = 0; i < burl_safetensors_get_count(file); i++) {
    const burl_tensor *tensor = burl_safetensors_get_tensor(file, i);
    const char *type = burl_dtype_get_name(tensor->dtype);
    sum = burl_xxh64(tensor->name, strlen(tensor->name), sum);
    sum = burl_xxh64(type, strlen(type), sum);
    for (size_t axis = 0; axis < tensor->rank; axis++) {
      unsigned char side[8];
      for (size_t b = 0; b < sizeof side; b++)
        side[b] = (unsigned char)((uint64_t)tensor->shape[axis] >> 8 * b);
      sum = burl_xxh64(side, sizeof side, sum);
    }
    sum = burl_xxh64(tensor->data, tensor->size, sum);
  }
  snprintf(hash, 17, "%016" PRIx64, sum);
}

static burl_status open_weights(burl_weights **weights, const burl_safetensors *file,
                                const char *prefix, const char *path, burl_diag *diag) {
  burl_weights *made = burl_alloc_zero(1, sizeof *made);
  if (made) {
    made->file = file;
    made->prefix = burl_copy_text(prefix);
    made->path = burl_copy_text(path);
  }
  if (!made || !made->prefix || !made->path) {
    burl_weights_free(made);
    return burl_fail_memory(diag, path);
  }
  *weights = made;
  return BURL_OK;
}

/* What wrappers have put before all names: that of a tensor that every network has. */
static const char *find_prefix(const burl_safetensors *file) {
  static const char *const prefixes[] = {"",          "model.",   "module.", "module.model.",
                                         "backbone.", "encoder.", "net."};
  static const char *const landmarks[] = {"conv1.weight", "patch_embed.proj.weight",
                                          "embeddings.patch_embeddings.projection.weight"};
  for (size_t p = 0; p < sizeof prefixes / sizeof *prefixes; p++)
    for (size_t l = 0; l < sizeof landmarks / sizeof *landmarks; l++) {
      char name[96];
      snprintf(name, sizeof name, "%s%s", prefixes[p], landmarks[l]);
      if (burl_safetensors_find(file, name)) return prefixes[p];
    }
  return "";
}

burl_status burl_weights_load(burl_weights **weights, const char *path, burl_diag *diag) {
  burl_safetensors *file;
  burl_weights *made = NULL;
  burl_status status = burl_safetensors_load(&file, path, diag);
  if (status != BURL_OK) return status;
  status = open_weights(&made, file, find_prefix(file), path, diag);
  if (status != BURL_OK) {
    burl_safetensors_free(file);
    return status;
  }
  made->own = file;
  hash_file(made->hash, file);
  *weights = made;
  return BURL_OK;
}

burl_status burl_weights_view(burl_weights **weights, const burl_safetensors *file,
                              const char *prefix, const char *hash, const char *path,
                              burl_diag *diag) {
  burl_weights *made = NULL;
  burl_status status = open_weights(&made, file, prefix, path, diag);
  if (status != BURL_OK) return status;
  snprintf(made->hash, sizeof made->hash, "%s", hash);
  *weights = made;
  return BURL_OK;
}

void burl_weights_free(burl_weights *weights) {
  if (!weights) return;
  burl_safetensors_free(weights->own);
  free(weights->prefix);
  free(weights->path);
  free(weights);
}

const char *burl_weights_get_path(const burl_weights *weights) {
  return weights->path;
}

const char *burl_weights_get_hash(const burl_weights *weights) {
  return weights->hash;
}

static const burl_tensor *find(const burl_weights *weights, const char *name) {
  char whole[256];
  int n = snprintf(whole, sizeof whole, "%s%s", weights->prefix, name);
  return n > 0 && (size_t)n < sizeof whole ? burl_safetensors_find(weights->file, whole) : NULL;
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

static void write_shape(char *text, size_t size, const size_t *shape, size_t rank) {
  size_t n = 0;
  text[0] = '\0';
  for (size_t axis = 0; axis < rank && n < size; axis++)
    n += (size_t)snprintf(text + n, size - n, axis > 0 ? " x %zu" : "%zu", shape[axis]);
}

static burl_status refuse(const burl_weights *weights, burl_status status, burl_diag *diag,
                          const char *name, const char *what) {
  return burl_fail(diag, status, weights->path,
                   "Give the weights of the network that was named, as they are published.",
                   "tensor %.100s %s", name, what);
}

static burl_status check(const burl_weights *weights, const burl_tensor *tensor, const char *name,
                         const size_t *shape, size_t rank, burl_diag *diag) {
  char what[300], has[120], wants[120];
  if (!tensor) return refuse(weights, BURL_ERR_FORMAT, diag, name, "is missing");
  int same = tensor->rank == rank;
  for (size_t axis = 0; same && axis < rank; axis++)
    same = tensor->shape[axis] == shape[axis];
  if (!same) {
    write_shape(has, sizeof has, tensor->shape, tensor->rank);
    write_shape(wants, sizeof wants, shape, rank);
    snprintf(what, sizeof what, "has shape %s, not %s", has, wants);
    return refuse(weights, BURL_ERR_FORMAT, diag, name, what);
  }
  if (tensor->dtype == BURL_DTYPE_F32 || tensor->dtype == BURL_DTYPE_F16 ||
      tensor->dtype == BURL_DTYPE_BF16)
    return BURL_OK;
  snprintf(what, sizeof what, "has type %s; F32, F16 and BF16 are taken",
           burl_dtype_get_name(tensor->dtype));
  return refuse(weights, BURL_ERR_FORMAT, diag, name, what);
}

static float value_at(const burl_tensor *tensor, size_t i) {
  if (tensor->dtype == BURL_DTYPE_F32) return ((const float *)tensor->data)[i];
  uint16_t half = ((const uint16_t *)tensor->data)[i];
  return tensor->dtype == BURL_DTYPE_F16 ? burl_half_to_float(half) : burl_bfloat_to_float(half);
}

burl_status burl_weights_get(const burl_weights *weights, float *out, const char *name,
                             const size_t *shape, size_t rank, burl_diag *diag) {
  const burl_tensor *tensor = find(weights, name);
  burl_status status = check(weights, tensor, name, shape, rank, diag);
  if (status != BURL_OK) return status;
  for (size_t i = 0; i < tensor->count; i++) {
    out[i] = value_at(tensor, i);
    if (isfinite(out[i])) continue;
    char what[100];
    snprintf(what, sizeof what, "holds a value that is not finite, at %zu", i);
    return refuse(weights, BURL_ERR_NUMERIC, diag, name, what);
  }
  return BURL_OK;
}
