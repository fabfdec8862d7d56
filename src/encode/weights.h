/* encode/weights.h: the tensors of a published file of weights, as floats. */
#ifndef BURL_ENCODE_WEIGHTS_H
#define BURL_ENCODE_WEIGHTS_H

#include "base/safetensors.h"

/* Constant after it was made: any number of threads may read from it. */
typedef struct burl_weights burl_weights;

/* Reads a safetensors file. Errors: as burl_safetensors_load. */
burl_status burl_weights_load(burl_weights **weights, const char *path,
                              burl_diag *diag) BURL_MUST_CHECK;
/* The tensors of a file already read whose names begin with `prefix`, which is not part of their
 * names from then on. The file is borrowed; `path` stands in sentences. Error: BURL_ERR_MEMORY. */
burl_status burl_weights_view(burl_weights **weights, const burl_safetensors *file,
                              const char *prefix, const char *path,
                              burl_diag *diag) BURL_MUST_CHECK;
void burl_weights_free(burl_weights *weights);

const char *burl_weights_get_path(const burl_weights *weights);
int burl_weights_has(const burl_weights *weights, const char *name);
/* Rank and shape of a tensor; returns 0 where there is none. */
int burl_weights_get_shape(const burl_weights *weights, const char *name, size_t *rank,
                           size_t shape[BURL_TENSOR_MAX_RANK]);
/* Copies the tensor `name`, which must have exactly this shape, be of 32-bit, 16-bit or brain
 * floats and finite throughout. Errors: BURL_ERR_FORMAT (missing, of another type or shape),
 * BURL_ERR_NUMERIC (a value is not finite). */
burl_status burl_weights_get(const burl_weights *weights, float *out, const char *name,
                             const size_t *shape, size_t rank, burl_diag *diag) BURL_MUST_CHECK;

#endif
