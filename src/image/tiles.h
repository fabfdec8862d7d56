/* image/tiles.h: cutting an image into tiles that overlap.
 *
 * The cores partition the image; a tile's region is its core with a halo on every side, clipped to
 * the image. Regions start at multiples of an alignment, so that grids and pyramids of all tiles
 * coincide.
 */
#ifndef BURL_IMAGE_TILES_H
#define BURL_IMAGE_TILES_H

#include <stddef.h>

typedef struct burl_rect {
  size_t y, x, height, width;
} burl_rect;

/* Whether pixel (y,x) lies in it. */
static inline int burl_rect_holds(burl_rect rect, size_t y, size_t x) {
  return y >= rect.y && y < rect.y + rect.height && x >= rect.x && x < rect.x + rect.width;
}

typedef struct burl_tiling {
  size_t height, width; /* of the image */
  size_t core, halo;    /* both multiples of the alignment */
  size_t rows, cols;    /* number of tiles */
} burl_tiling;

/* Tiles of `core` x `core` pixels; a side of the image up to core + 2 halo is not cut. */
burl_tiling burl_tiling_of(size_t height, size_t width, size_t core, size_t halo);

/* Tile i < rows*cols, in row order. */
void burl_tiling_get(const burl_tiling *tiling, size_t i, burl_rect *core, burl_rect *region);

#endif
