/* base/safetensors.h: reader and writer of the safetensors container: named tensors and a map of
 * texts.
 *
 * A file is the length of its header (8 bytes, little-endian), the header, JSON
 *   {"__metadata__":{"key":"text",...},
 *    "name":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},...}
 * and the raw tensors, row-major and little-endian, which the offsets are counted in.
 * docs/formats.md says what burl adds: a checksum, and a fixed order of everything, so that equal
 * content is equal bytes.
 */
#ifndef BURL_BASE_SAFETENSORS_H
#define BURL_BASE_SAFETENSORS_H

#include <burl/base.h>

#define BURL_TENSOR_MAX_RANK 8
#define BURL_CHECKSUM_KEY "burl.checksum"

/* Element types: enum value, name in the file, bytes an element. Stored largest first. */
#define BURL_DTYPE_LIST(X)                                                                         \
  X(BURL_DTYPE_F64, "F64", 8)                                                                      \
  X(BURL_DTYPE_I64, "I64", 8)                                                                      \
  X(BURL_DTYPE_U64, "U64", 8)                                                                      \
  X(BURL_DTYPE_F32, "F32", 4)                                                                      \
  X(BURL_DTYPE_I32, "I32", 4)                                                                      \
  X(BURL_DTYPE_U32, "U32", 4)                                                                      \
  X(BURL_DTYPE_F16, "F16", 2)                                                                      \
  X(BURL_DTYPE_BF16, "BF16", 2)                                                                    \
  X(BURL_DTYPE_I16, "I16", 2)                                                                      \
  X(BURL_DTYPE_U16, "U16", 2)                                                                      \
  X(BURL_DTYPE_I8, "I8", 1)                                                                        \
  X(BURL_DTYPE_U8, "U8", 1)                                                                        \
  X(BURL_DTYPE_BOOL, "BOOL", 1)

typedef enum burl_dtype {
#define BURL_DTYPE_ENUM(name, text, size) name,
  BURL_DTYPE_LIST(BURL_DTYPE_ENUM)
#undef BURL_DTYPE_ENUM
} burl_dtype;

/* "F32" and 4; "?" and 0 for a number that is no type. */
const char *burl_dtype_get_name(burl_dtype dtype);
size_t burl_dtype_get_size(burl_dtype dtype);

/* A tensor of a file, borrowed from it. */
typedef struct burl_tensor {
  const char *name;
  burl_dtype dtype;
  size_t rank;                        /* 0: a single number */
  size_t shape[BURL_TENSOR_MAX_RANK]; /* outermost first; entries from rank on are 0 */
  size_t count;                       /* elements: the product of the shape */
  const void *data;                   /* row-major, aligned for its type; never NULL */
  size_t size;                        /* bytes */
} burl_tensor;

/* A file that was read. Constant afterwards: any number of threads may look at it. */
typedef struct burl_safetensors burl_safetensors;

/* Reads a file of less than 4 GiB. Everything is checked before it is given out: the tensors lie
 * within the file, fit their shape and type, and cover the data without overlap or gap; names and
 * keys are unique. One buffer holds the file and tensors point into it; a tensor that does not lie
 * aligned for its type in the file is copied.
 * Errors: BURL_ERR_IO, BURL_ERR_SIZE (the file is too large), BURL_ERR_FORMAT (malformed),
 * BURL_ERR_UNSUPPORTED (an unknown type, more dimensions or more entries than can be taken),
 * BURL_ERR_MEMORY. */
burl_status burl_safetensors_load(burl_safetensors **file, const char *path,
                                  burl_diag *diag) BURL_MUST_CHECK;
/* The same from memory, which is borrowed and must outlive *file. `name` stands for the path in
 * diagnoses. Errors: as load, without BURL_ERR_IO and BURL_ERR_SIZE. */
burl_status burl_safetensors_parse(burl_safetensors **file, const void *bytes, size_t size,
                                   const char *name, burl_diag *diag) BURL_MUST_CHECK;
void burl_safetensors_free(burl_safetensors *file);

/* Tensors 0..count-1 are sorted by name (as bytes). find gives NULL where there is none. */
size_t burl_safetensors_get_count(const burl_safetensors *file);
const burl_tensor *burl_safetensors_get_tensor(const burl_safetensors *file, size_t index);
const burl_tensor *burl_safetensors_find(const burl_safetensors *file, const char *name);
/* The text of a metadata key, borrowed; NULL where there is none. */
const char *burl_safetensors_get_metadata(const burl_safetensors *file, const char *key);

/* The values of the F32 tensor `name`, borrowed, which must have exactly this shape and be finite
 * throughout. Errors: BURL_ERR_FORMAT (missing, of another type or shape), BURL_ERR_NUMERIC (a
 * value is not finite). */
burl_status burl_safetensors_get_floats(const burl_safetensors *file, const float **values,
                                        const char *name, const size_t *shape, size_t rank,
                                        burl_diag *diag) BURL_MUST_CHECK;

/* Verifies the checksum of a file written by burl over the bytes it was read from. A file that
 * loads and passes differs from what was written in no single byte, run of up to four bytes, or
 * length. Errors: BURL_ERR_CHECKSUM (other than what is written), BURL_ERR_FORMAT (there is none,
 * or it is not written as burl does). */
burl_status burl_safetensors_check_checksum(const burl_safetensors *file,
                                            burl_diag *diag) BURL_MUST_CHECK;

/* Collects what is to be saved. The order of the calls does not matter to the bytes written.
 * The first failure is remembered and returned by every later call and by save, so that a caller
 * may leave the status of the add functions aside. burl_safetensors_writer *writer; if ((status =
 * burl_safetensors_writer_new(&writer))) return status;
 *   burl_safetensors_writer_add_metadata(writer, "burl.format", "1");
 *   burl_safetensors_writer_add_tensor(writer, "bank.prototypes", BURL_DTYPE_F32,
 *                                      (size_t[]){k, d}, 2, prototypes);
 *   burl_safetensors_writer_add_checksum(writer);
 *   status = burl_safetensors_writer_save(writer, path, diag);
 *   burl_safetensors_writer_free(writer);                                        */
typedef struct burl_safetensors_writer burl_safetensors_writer;

/* Error: BURL_ERR_MEMORY. */
burl_status burl_safetensors_writer_new(burl_safetensors_writer **writer) BURL_MUST_CHECK;
void burl_safetensors_writer_free(burl_safetensors_writer *writer);

/* Copies key and text. Errors: BURL_ERR_ARGUMENT (a key twice, or BURL_CHECKSUM_KEY; key or text is
 * not UTF-8), BURL_ERR_MEMORY. */
burl_status burl_safetensors_writer_add_metadata(burl_safetensors_writer *writer, const char *key,
                                                 const char *text);
/* Copies the name; `data` is borrowed until the last save and may be NULL for a tensor without
 * elements. Errors: BURL_ERR_ARGUMENT (a name twice, "__metadata__", not UTF-8, rank above
 * BURL_TENSOR_MAX_RANK, no such type), BURL_ERR_SIZE (the product does not fit), BURL_ERR_MEMORY.
 */
burl_status burl_safetensors_writer_add_tensor(burl_safetensors_writer *writer, const char *name,
                                               burl_dtype dtype, const size_t *shape, size_t rank,
                                               const void *data);
/* Asks for the metadata entry BURL_CHECKSUM_KEY: the CRC-32 of the file. */
void burl_safetensors_writer_add_checksum(burl_safetensors_writer *writer);

/* Writes the file whole or not at all: the largest element types first, then by name, each tensor
 * aligned for its type. May be called again, for another path or after more was added.
 * Errors: the first one of the add functions, BURL_ERR_SIZE (4 GiB or more), BURL_ERR_UNSUPPORTED
 * (more entries than load takes), BURL_ERR_MEMORY, BURL_ERR_IO. */
burl_status burl_safetensors_writer_save(const burl_safetensors_writer *writer, const char *path,
                                         burl_diag *diag) BURL_MUST_CHECK;

#endif
