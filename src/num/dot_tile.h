/* num/dot_tile.h: the innermost kernel of searches by products, for the machine at hand. */
#ifndef BURL_NUM_DOT_TILE_H
#define BURL_NUM_DOT_TILE_H

#include <stddef.h>
#include <stdint.h>

#define BURL_PANEL 32          /* points that lie side by side */
#define BURL_TILE_MOST_ROWS 14 /* of all kernels */

/* tile (rows, BURL_PANEL): squares_j - 2 <x_i, p_j>. x is interleaved, x[t*rows + i], and so are
 * the points, panel[t*BURL_PANEL + j]. Gives one bit a row: set where an entry is <= limit_i. Rows
 * whose bit is not set may be missing from the tile. Kernels differ in the last bits (some fuse
 * products and sums), and sum over t in order. */
typedef uint32_t (*burl_tile_run)(float *tile, const float *x, const float *panel,
                                  const float *squares, const float *limit, size_t d);

typedef struct burl_tile_kernel {
  const char *name;
  size_t rows;
  burl_tile_run run;
} burl_tile_kernel;

/* Kernel `index` counted from the best this machine has; NULL past the last, which is the one that
 * every machine has. */
const burl_tile_kernel *burl_tile_kernel_get(size_t index);

#endif
