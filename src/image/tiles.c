/* Overlapping tiles: both sides are cut independently. */
#include "image/tiles.h"

static size_t count(size_t side, size_t core, size_t halo) {
  return side <= core + 2 * halo ? 1 : (side + core - 1) / core;
}

burl_tiling burl_tiling_of(size_t height, size_t width, size_t core, size_t halo) {
  return (burl_tiling){.height = height,
                       .width = width,
                       .core = core,
                       .halo = halo,
                       .rows = count(height, core, halo),
                       .cols = count(width, core, halo)};
}

/* Part `i` of `n` of a side: its core [start,end) and its region [from,to). */
static void cut(size_t side, size_t core, size_t halo, size_t i, size_t n, size_t out[4]) {
  size_t start = n == 1 ? 0 : i * core;
  size_t end = i + 1 == n ? side : start + core;
  out[0] = start;
  out[1] = end;
  out[2] = start > halo ? start - halo : 0;
  out[3] = side - end > halo ? end + halo : side;
}

void burl_tiling_get(const burl_tiling *tiling, size_t i, burl_rect *core, burl_rect *region) {
  size_t y[4], x[4];
  cut(tiling->height, tiling->core, tiling->halo, i / tiling->cols, tiling->rows, y);
  cut(tiling->width, tiling->core, tiling->halo, i % tiling->cols, tiling->cols, x);
  *core = (burl_rect){y[0], x[0], y[1] - y[0], x[1] - x[0]};
  *region = (burl_rect){y[2], x[2], y[3] - y[2], x[3] - x[2]};
}
