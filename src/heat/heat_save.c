/* Heat maps as files: NumPy for programs, 16-bit PNG for eyes and for programs without NumPy. Both
 * are written row by row, so that a map of a large scan is never held twice. */
#include <burl/heat.h>

#include "base/diag.h"
#include "base/memory.h"
#include "heat/npy.h"
#include "image/png_write.h"

#include <stdlib.h>

burl_status burl_heat_save_npy(const float *heat, size_t height, size_t width, const char *path,
                               burl_diag *diag) {
  if (height == 0 || width == 0)
    return burl_fail(diag, BURL_ERR_ARGUMENT, path, NULL,
                     "a heat map of %zu x %zu pixels cannot be written", width, height);
  return burl_npy_save(heat, "<f4", (size_t[]){height, width}, 2, path, diag);
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
