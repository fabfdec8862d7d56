/* heat/heat_map.h: from patch distances to one heat map.
 *
 * Each group's distances are standardised by ring (the cell's distance to the image border),
 * brought to a common grid of BURL_HEAT_STRIDE pixels bilinearly and added up; the sum is smoothed
 * by a Gaussian and brought to pixels bilinearly. The common grid has
 * cell (i,j) at pixel (i*stride, j*stride), maps half_offset/2 pixels further (burl/encode.h).
 */
#ifndef BURL_HEAT_HEAT_MAP_H
#define BURL_HEAT_HEAT_MAP_H

#include "encode/encoder.h"
#include <burl/encode.h>

enum {
  BURL_RINGS = 5,       /* cells at distance 0, 1, 2, 3 and >= 4 from the border */
  BURL_HEAT_STRIDE = 4, /* pixels between cells of the common grid */
  BURL_HEAT_REACH = 6   /* cells that smoothing looks to each side, at most */
};

/* Mean and standard deviation of a group's distances on good cloth, by ring. */
typedef struct burl_ring_scale {
  float mean[BURL_RINGS], deviation[BURL_RINGS];
} burl_ring_scale;

/* Ring of cell (i,j) of a grid (rows,cols). */
size_t burl_ring_of(size_t i, size_t j, size_t rows, size_t cols);

/* Statistics of distances by ring: sums of count, d, d^2 (BURL_RING_STATISTICS doubles), additive.
 * Only cells of `core` count, and of these only distances of at least 0. */
#define BURL_RING_STATISTICS (3 * BURL_RINGS)
void burl_ring_add(double *statistics, const float *distance, const burl_feature_map *map,
                   burl_rect core);
/* Rings that were never seen take the scale of all rings together. */
void burl_ring_finish(burl_ring_scale *scale, const double *statistics);

/* distance (rows,cols of map) <- (distance - mean)/deviation of its ring. */
void burl_heat_standardise(float *distance, const burl_feature_map *map,
                           const burl_ring_scale *scale);

/* The common grid over a region. */
typedef struct burl_heat_grid {
  size_t rows, cols; /* cells over the region */
  size_t row, col;   /* grid position of cell (0,0) in the whole image */
  float *data;       /* (rows, cols) */
} burl_heat_grid;

/* grid += map's values, bilinear; past the map's last cell the last value. */
void burl_heat_add(burl_heat_grid *grid, const float *values, const burl_feature_map *map);
/* Gaussian of `sigma` pixels, up to BURL_HEAT_MOST_SIGMA, mirrored at the region's edge; scratch
 * (rows, cols). */
#define BURL_HEAT_SIGMA 2.0
#define BURL_HEAT_MOST_SIGMA 8.0
void burl_heat_smooth(burl_heat_grid *grid, float *scratch, double sigma);
/* heat[y*ld + x] = scale * (grid - offset) at every pixel of `core`; heat points to the core's
 * corner, scratch holds a row of the grid. Returns the largest value written. */
float burl_heat_expand(float *heat, size_t ld, float *scratch, const burl_heat_grid *grid,
                       burl_rect core, float offset, float scale);

#endif
