/* heat/npy.h: NumPy files. */
#ifndef BURL_HEAT_NPY_H
#define BURL_HEAT_NPY_H

#include <burl/base.h>

/* Writes values of a shape (rank, 1..3) of four bytes each, `type` "<f4" or "<u4", as a NumPy file
 * (version 1.0, little-endian, C order), whole or not at all. Errors: BURL_ERR_ARGUMENT (no value),
 * BURL_ERR_IO, BURL_ERR_MEMORY. */
burl_status burl_npy_save(const void *values, const char *type, const size_t *shape, size_t rank,
                          const char *path, burl_diag *diag) BURL_MUST_CHECK;

#endif
