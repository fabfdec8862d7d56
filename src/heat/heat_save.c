/* Heat maps as files: NumPy for programs, 16-bit PNG for eyes and for programs without NumPy. Both
 * are written row by row, so that a map of a large scan is never held twice. */
#include <burl/heat.h>

#include "base/diag.h"
#include "base/file.h"
#include "base/memory.h"
#include "image/png_write.h"

#include <stdlib.h>
#include <string.h>

enum { NPY_ALIGNMENT = 64, NPY_HEADER = 192, BLOCK = 4096 };

/* Fills `header` (NPY_HEADER bytes) and returns its length: magic, version 1.0, the length of the
 * rest in two bytes, the dictionary, spaces up to whole alignments, a newline. */
static size_t make_npy_header(char *header, size_t height, size_t width) {
  static const char magic[] = "\x93NUMPY\x01"; /* its final 0 is the minor version */
  enum { PRELUDE = sizeof magic + 2 };
  memcpy(header, magic, sizeof magic);
  int text =
      snprintf(header + PRELUDE, NPY_HEADER - PRELUDE,
               "{'descr': '<f4', 'fortran_order': False, 'shape': (%zu, %zu), }", height, width);
  size_t used = PRELUDE + (size_t)text;
  size_t size = (used + 1 + NPY_ALIGNMENT - 1) / NPY_ALIGNMENT * NPY_ALIGNMENT;
  memset(header + used, ' ', size - used - 1);
  header[size - 1] = '\n';
  header[sizeof magic] = (char)((size - PRELUDE) & 0xFF);
  header[sizeof magic + 1] = (char)((size - PRELUDE) >> 8);
  return size;
}

/* Writes n floats in little-endian order. A failure stays in the stream and is told by commit. */
static void write_floats(FILE *out, const float *values, size_t n) {
  unsigned char bytes[4 * BLOCK];
  for (size_t start = 0; start < n; start += BLOCK) {
    size_t count = n - start < BLOCK ? n - start : BLOCK;
    for (size_t i = 0; i < count; i++) {
      uint32_t bits;
      memcpy(&bits, values + start + i, sizeof bits);
      bytes[4 * i] = (unsigned char)bits;
      bytes[4 * i + 1] = (unsigned char)(bits >> 8);
      bytes[4 * i + 2] = (unsigned char)(bits >> 16);
      bytes[4 * i + 3] = (unsigned char)(bits >> 24);
    }
    if (fwrite(bytes, 4, count, out) != count) return;
  }
}

burl_status burl_heat_save_npy(const float *heat, size_t height, size_t width, const char *path,
                               burl_diag *diag) {
  char header[NPY_HEADER];
  size_t pixels;
  if (height == 0 || width == 0 || !burl_size_mul(&pixels, height, width))
    return burl_fail(diag, BURL_ERR_ARGUMENT, path, NULL,
                     "a heat map of %zu x %zu pixels cannot be written", width, height);
  burl_output out;
  burl_status status = burl_output_open(&out, path, diag);
  if (status != BURL_OK) return status;
  size_t size = make_npy_header(header, height, width);
  if (fwrite(header, 1, size, out.stream) == size) write_floats(out.stream, heat, pixels);
  return burl_output_commit(&out, diag);
}

/* One row of heat as levels 0..65535; returns 0 where there is a NaN. */
static int quantise_row(uint16_t *restrict levels, const float *restrict heat, size_t width) {
  int valid = 1;
  for (size_t x = 0; x < width; x++) {
    double share = (double)heat[x] / BURL_HEAT_SCALE;
    share = share > 0.0 ? share : 0.0;
    share = share < 1.0 ? share : 1.0;
    valid &= heat[x] == heat[x];
    levels[x] = (uint16_t)(65535.0 * share + 0.5);
  }
  return valid;
}

burl_status burl_heat_save_png(const float *heat, size_t height, size_t width, const char *path,
                               burl_diag *diag) {
  burl_png_writer *png = NULL;
  burl_status status =
      burl_png_writer_open(&png, path, height, width, 1, BURL_U16, NULL, NULL, diag);
  if (status != BURL_OK) return status;
  uint16_t *levels = burl_alloc(width, sizeof *levels);
  if (!levels) {
    burl_png_writer_abandon(png);
    return burl_fail_memory(diag, path);
  }
  for (size_t y = 0; y < height && status == BURL_OK; y++) {
    if (quantise_row(levels, heat + y * width, width))
      status = burl_png_writer_put(png, levels);
    else
      status =
          burl_fail(diag, BURL_ERR_NUMERIC, path, NULL, "row %zu of the heat map holds a NaN", y);
  }
  free(levels);
  if (status != BURL_ERR_NUMERIC) return burl_png_writer_commit(png, diag);
  burl_png_writer_abandon(png);
  return status;
}
