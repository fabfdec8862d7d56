/* num/packed.h: products of rows with a matrix that was packed once: weights that stay the same, or
 * keys and values that many queries share. */
#ifndef BURL_NUM_PACKED_H
#define BURL_NUM_PACKED_H

#include <stddef.h>

#define BURL_PACK 16            /* outputs that lie side by side */
#define BURL_PACKED_MOST_ROWS 6 /* of all kernels */

/* Floats that n outputs of k inputs take when packed: panels of BURL_PACK outputs, the last one
 * filled up with zeros; panel[t*BURL_PACK + j] is what output j makes of input t. 0 where they do
 * not fit a size_t. */
size_t burl_num_packed_size(size_t n, size_t k);

/* Packs scale M; M is stored as (n,k), an output a row, ld apart. */
void burl_num_pack_rows(float *packed, const float *M, size_t ld, size_t n, size_t k, float scale);
/* Packs M that is stored as (k,n), an output a column. */
void burl_num_pack_columns(float *packed, const float *M, size_t ld, size_t n, size_t k);

/* C (m,n) = A (m,k) times the packed matrix, added to what C holds where `add` says so; k >= 1. C
 * overlaps neither. The same bytes for every run on a machine; machines with and without fused
 * multiplication and addition differ in the last bits. */
void burl_num_packed_product(float *C, size_t ldc, const float *A, size_t lda, const float *packed,
                             size_t m, size_t n, size_t k, int add);

/* c (rows, BURL_PACK) (+)= a (rows, k) times a panel, rows <= BURL_PACKED_MOST_ROWS. */
typedef void (*burl_packed_run)(float *c, size_t ldc, const float *a, size_t lda,
                                const float *panel, size_t rows, size_t k, int add);

typedef struct burl_packed_kernel {
  const char *name;
  burl_packed_run run;
} burl_packed_kernel;

/* Kernel `index` counted from the best this machine has; NULL past the last, which is the one that
 * every machine has. */
const burl_packed_kernel *burl_packed_kernel_get(size_t index);

/* The product by a kernel of choice. */
void burl_num_packed_product_by(const burl_packed_kernel *kernel, float *C, size_t ldc,
                                const float *A, size_t lda, const float *packed, size_t m, size_t n,
                                size_t k, int add);

#endif
