/* encode/weights.h: the tensors of a published file of weights, as floats. */
#ifndef BURL_ENCODE_WEIGHTS_H
#define BURL_ENCODE_WEIGHTS_H

#include "base/safetensors.h"

typedef struct burl_weights burl_weights;

/* Reads a safetensors file. Where a wrapper has put "model.", "module.", "backbone.", "encoder." or
 * "net." before all names, that is no part of them. Errors: as burl_safetensors_load. */
burl_status burl_weights_load(burl_weights **weights, const char *path,
                              burl_diag *diag) BURL_MUST_CHECK;

/* The tensors of a file whose names begin with `prefix`, which is no part of their names from then
 * on; the file is borrowed, hash and path are copied. Errors: BURL_ERR_MEMORY. */
burl_status burl_weights_view(burl_weights **weights, const burl_safetensors *file,
                              const char *prefix, const char *hash, const char *path,
                              burl_diag *diag) BURL_MUST_CHECK;

void burl_weights_free(burl_weights *weights);

const char *burl_weights_get_path(const burl_weights *weights);
/* 16 hexadecimal digits: XXH64 over names, types, shapes and bytes of all tensors, by name. */
const char *burl_weights_get_hash(const burl_weights *weights);

int burl_weights_has(const burl_weights *weights, const char *name);

/* Rank and shape of a tensor; 0 where there is none. */
int burl_weights_get_shape(const burl_weights *weights, const char *name, size_t *rank,
                           size_t shape[BURL_TENSOR_MAX_RANK]);

/* Copies a tensor to out as floats. It must have exactly this shape, float32, float16 or bfloat16,
 * and be finite throughout. Errors, which name the tensor: BURL_ERR_FORMAT (missing, of another
 * shape or type), BURL_ERR_NUMERIC. */
burl_status burl_weights_get(const burl_weights *weights, float *out, const char *name,
                             const size_t *shape, size_t rank, burl_diag *diag) BURL_MUST_CHECK;

#endif
