/* The picture of an assignment. Colours of prototypes k = 0, 1, 2... are taken from the one colour
 * map at the fractional parts of k times the golden ratio: neighbours in number lie far apart, any
 * first n are spread about evenly, and the map's rising lightness tells them apart also for readers
 * who cannot tell red from green. */
#include <burl/report_gallery.h>

#include "base/diag.h"
#include "base/memory.h"
#include "image/png_write.h"
#include "report/colormap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GAP = 8 };

#define GOLDEN 0.6180339887498949

typedef struct picture {
  const burl_image *image;
  const uint32_t *nearest; /* (rows, cols) */
  size_t rows, cols, stride, width;
  burl_colormap map;
  float *grey;  /* (width of the image) */
  uint8_t *row; /* (width,3) */
} picture;

static void set_grey(uint8_t *rgb, float grey) {
  float v = grey > 0.0f ? (grey < 1.0f ? grey : 1.0f) : 0.0f;
  memset(rgb, (int)(v * 255.0f + 0.5f), 3);
}

static const uint8_t *colour_of(const picture *p, uint32_t k) {
  double turn = (double)k * GOLDEN;
  size_t step = (size_t)((turn - floor(turn)) * BURL_COLORMAP_SIZE);
  return p->map.rgb[step < BURL_COLORMAP_SIZE ? step : BURL_COLORMAP_SIZE - 1];
}

static size_t cell_at(size_t pixel, size_t stride, size_t cells) {
  size_t cell = (pixel + stride / 2) / stride;
  return cell < cells ? cell : cells - 1;
}

static void paint_row(const picture *p, size_t y) {
  static const uint8_t unknown[3] = {128, 128, 128};
  size_t w = p->image->width;
  const uint32_t *nearest = p->nearest + cell_at(y, p->stride, p->rows) * p->cols;
  uint8_t *right = p->row + 3 * (w + GAP);
  burl_image_get_grey(p->image, p->grey, w, y, 0, 1, w);
  memset(p->row + 3 * w, 255, 3 * GAP);
  for (size_t x = 0; x < w; x++) {
    uint32_t k = nearest[cell_at(x, p->stride, p->cols)];
    set_grey(p->row + 3 * x, p->grey[x]);
    memcpy(right + 3 * x, k == UINT32_MAX ? unknown : colour_of(p, k), 3);
  }
}

burl_status burl_report_save_assignment(const burl_image *image, const uint32_t *nearest,
                                        size_t rows, size_t cols, size_t stride, const char *path,
                                        burl_diag *diag) {
  if (rows == 0 || cols == 0 || stride == 0)
    return burl_fail(diag, BURL_ERR_ARGUMENT, path, NULL, "an assignment needs a cell");
  picture *p = burl_alloc_zero(1, sizeof *p);
  if (!p) return burl_fail_memory(diag, path);
  *p = (picture){.image = image, .nearest = nearest, .rows = rows, .cols = cols, .stride = stride};
  p->width = 2 * image->width + GAP;
  burl_colormap_fill(&p->map);
  p->grey = burl_alloc(image->width, sizeof *p->grey);
  p->row = burl_alloc(p->width, 3);
  burl_png_writer *png = NULL;
  burl_status status = p->grey && p->row ? BURL_OK : burl_fail_memory(diag, path);
  if (status == BURL_OK)
    status =
        burl_png_writer_open(&png, path, image->height, p->width, 3, BURL_U8, NULL, NULL, diag);
  if (status == BURL_OK) {
    for (size_t y = 0; y < image->height; y++) {
      paint_row(p, y);
      if (burl_png_writer_put(png, p->row) != BURL_OK) break;
    }
    status = burl_png_writer_commit(png, diag);
  }
  free(p->grey);
  free(p->row);
  free(p);
  return status;
}
