/* What all encoders share: the view of an image, and which cells belong to a tile. */
#include "encode/encoder.h"

#include <math.h>

#define BLOCK 1024

/* Sum and sum of squares of a row segment about `shift`. */
static void add_row(const float *row, size_t n, double shift, double *sum, double *squares) {
  double s = 0.0, q = 0.0;
  for (size_t i = 0; i < n; i++) {
    double v = (double)row[i] - shift;
    s += v;
    q += v * v;
  }
  *sum += s;
  *squares += q;
}

burl_status burl_view_open(burl_view *view, const burl_image *image) {
  float row[BLOCK];
  burl_image_get_grey(image, row, 1, 0, 0, 1, 1);
  double shift = (double)row[0], sum = 0.0, squares = 0.0;
  for (size_t y = 0; y < image->height; y++)
    for (size_t x = 0; x < image->width; x += BLOCK) {
      size_t n = image->width - x < BLOCK ? image->width - x : BLOCK;
      burl_image_get_grey(image, row, n, y, x, 1, n);
      add_row(row, n, shift, &sum, &squares);
    }
  double count = (double)image->height * (double)image->width;
  double mean = sum / count, variance = squares / count - mean * mean;
  if (!isfinite(variance)) return BURL_ERR_NUMERIC;
  *view = (burl_view){
      .image = image, .mean = mean + shift, .deviation = variance > 1e-12 ? sqrt(variance) : 0.0};
  return BURL_OK;
}

static void range(size_t start, size_t length, size_t stride, size_t first, size_t count,
                  size_t out[2]) {
  size_t lo = (start + stride - 1) / stride, hi = (start + length + stride - 1) / stride;
  out[0] = lo > first ? lo - first : 0;
  out[1] = hi > first ? hi - first : 0;
  if (out[0] > count) out[0] = count;
  if (out[1] > count) out[1] = count;
}

burl_cells burl_feature_map_cells_in(const burl_feature_map *map, burl_rect core) {
  size_t y[2], x[2];
  range(core.y, core.height, map->stride, map->row, map->rows, y);
  range(core.x, core.width, map->stride, map->col, map->cols, x);
  return (burl_cells){y[0], y[1], x[0], x[1]};
}
