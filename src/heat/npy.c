/* NumPy files are written block by block, so that a map of a large scan is never held twice. */
#include "heat/npy.h"

#include "base/diag.h"
#include "base/file.h"
#include "base/memory.h"

#include <string.h>

enum { NPY_ALIGNMENT = 64, NPY_HEADER = 192, BLOCK = 4096 };

/* Fills `header` (NPY_HEADER bytes) and returns its length: magic, version 1.0, the length of the
 * rest in two bytes, the dictionary, spaces up to whole alignments, a newline. */
static size_t make_npy_header(char *header, const char *type, const size_t *shape, size_t rank) {
  static const char magic[] = "\x93NUMPY\x01"; /* its final 0 is the minor version */
  enum { PRELUDE = sizeof magic + 2 };
  memcpy(header, magic, sizeof magic);
  char sides[96];
  size_t n = 0;
  for (size_t axis = 0; axis < rank; axis++)
    n += (size_t)snprintf(sides + n, sizeof sides - n, axis > 0 ? ", %zu" : "%zu", shape[axis]);
  int text = snprintf(header + PRELUDE, NPY_HEADER - PRELUDE,
                      "{'descr': '%s', 'fortran_order': False, 'shape': (%s%s), }", type, sides,
                      rank == 1 ? "," : "");
  size_t used = PRELUDE + (size_t)text;
  size_t size = (used + 1 + NPY_ALIGNMENT - 1) / NPY_ALIGNMENT * NPY_ALIGNMENT;
  memset(header + used, ' ', size - used - 1);
  header[size - 1] = '\n';
  header[sizeof magic] = (char)((size - PRELUDE) & 0xFF);
  header[sizeof magic + 1] = (char)((size - PRELUDE) >> 8);
  return size;
}

/* Writes n words in little-endian order. A failure stays in the stream and is told by commit. */
static void write_words(FILE *out, const unsigned char *values, size_t n) {
  unsigned char bytes[4 * BLOCK];
  for (size_t start = 0; start < n; start += BLOCK) {
    size_t count = n - start < BLOCK ? n - start : BLOCK;
    for (size_t i = 0; i < count; i++) {
      uint32_t bits;
      memcpy(&bits, values + 4 * (start + i), sizeof bits);
      bytes[4 * i] = (unsigned char)bits;
      bytes[4 * i + 1] = (unsigned char)(bits >> 8);
      bytes[4 * i + 2] = (unsigned char)(bits >> 16);
      bytes[4 * i + 3] = (unsigned char)(bits >> 24);
    }
    if (fwrite(bytes, 4, count, out) != count) return;
  }
}

burl_status burl_npy_save(const void *values, const char *type, const size_t *shape, size_t rank,
                          const char *path, burl_diag *diag) {
  char header[NPY_HEADER];
  size_t count = 1;
  int fits = rank >= 1 && rank <= 3;
  for (size_t axis = 0; fits && axis < rank; axis++)
    fits = shape[axis] > 0 && burl_size_mul(&count, count, shape[axis]);
  if (!fits)
    return burl_fail(diag, BURL_ERR_ARGUMENT, path, NULL,
                     "an array without values, or of more than memory holds, cannot be written");
  burl_output out;
  burl_status status = burl_output_open(&out, path, diag);
  if (status != BURL_OK) return status;
  size_t size = make_npy_header(header, type, shape, rank);
  if (fwrite(header, 1, size, out.stream) == size) write_words(out.stream, values, count);
  return burl_output_commit(&out, diag);
}
