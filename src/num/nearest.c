/* In few dimensions differences are formed and squared one by one, not through
 * |x|^2 - 2<x,p> + |p|^2: that costs half as much again and cancels nothing, so that a patch that
 * equals a prototype is at distance 0. Four patches share each load of sixteen points. In many
 * dimensions products are three times as fast: there num/panels.c searches by products and lets
 * differences decide. */
#include "num/nearest.h"

#include "num/panels.h"
#include "num/simd.h"

#include <float.h>
#include <string.h>

#define ROWS 4

#define HEADER 16 /* floats before the panels: the radius, and what fills up a cache line */

size_t burl_point_blocks_size(size_t k, size_t d) {
  return (k + BURL_POINT_BLOCK - 1) / BURL_POINT_BLOCK * BURL_POINT_BLOCK * d;
}

void burl_point_blocks_pack(float *packed, const float *points, size_t k, size_t d) {
  size_t padded = (k + BURL_POINT_BLOCK - 1) / BURL_POINT_BLOCK * BURL_POINT_BLOCK;
  for (size_t p = 0; p < padded; p++)
    for (size_t t = 0; t < d; t++) {
      size_t at = (p / BURL_POINT_BLOCK * d + t) * BURL_POINT_BLOCK + p % BURL_POINT_BLOCK;
      packed[at] = points[(p < k ? p : k - 1) * d + t];
    }
}

static size_t round_up(size_t count, size_t unit) {
  return (count + unit - 1) / unit * unit;
}

/* Where the parts of packed panels begin: header, squares, panels, rows, centre. */
static burl_panels panels_in(const float *packed, size_t k, size_t d) {
  size_t lanes = round_up(k, BURL_PANEL);
  const float *squares = packed + HEADER, *panels = squares + lanes, *rows = panels + lanes * d;
  return (burl_panels){.count = k,
                       .d = d,
                       .radius = packed[0],
                       .squares = squares,
                       .panels = panels,
                       .rows = rows,
                       .centre = rows + k * d};
}

size_t burl_points_packed_size(size_t k, size_t d) {
  if (d <= BURL_POINT_FEW_DIMENSIONS) return burl_point_blocks_size(k, d);
  size_t lanes = round_up(k, BURL_PANEL);
  return round_up(HEADER + lanes * (d + 1) + (k + 1) * d, BURL_POINT_BLOCK);
}

void burl_points_pack(float *packed, const float *points, size_t k, size_t d) {
  if (d <= BURL_POINT_FEW_DIMENSIONS) {
    burl_point_blocks_pack(packed, points, k, d);
    return;
  }
  size_t lanes = round_up(k, BURL_PANEL), size = burl_points_packed_size(k, d);
  float *squares = packed + HEADER, *panels = squares + lanes, *rows = panels + lanes * d;
  float *centre = rows + k * d, radius = 0.0f;
  memcpy(rows, points, k * d * sizeof *rows);
  burl_panel_centre(centre, points, k, d);
  burl_panel_clear(panels, squares, lanes / BURL_PANEL - 1, d);
  for (size_t j = 0; j < k; j++) {
    float length = burl_panel_put(panels, squares, j, points + j * d, centre, d);
    radius = length <= radius ? radius : length; /* NaN is kept */
  }
  memset(packed, 0, HEADER * sizeof *packed);
  packed[0] = radius;
  for (float *rest = centre + d; rest < packed + size; rest++)
    *rest = 0.0f;
}

/* Squared distances of ROWS patches to one block of points. */
BURL_INLINE void block_distances(burl_lanes sum[ROWS][2], const float *const x[ROWS],
                                 const float *block, size_t d) {
  for (size_t r = 0; r < ROWS; r++)
    sum[r][0] = sum[r][1] = (burl_lanes){0};
  for (size_t t = 0; t < d; t++) {
    burl_lanes p0 = *(const burl_lanes *)(block + t * BURL_POINT_BLOCK);
    burl_lanes p1 = *(const burl_lanes *)(block + t * BURL_POINT_BLOCK + BURL_LANES);
    for (size_t r = 0; r < ROWS; r++) {
      float v = x[r][t];
      burl_lanes d0 = v - p0, d1 = v - p1;
      sum[r][0] += d0 * d0;
      sum[r][1] += d1 * d1;
    }
  }
}

/* Where *a is less than *best it replaces it, and `index` replaces *at where asked, lane by lane.
 */
BURL_INLINE void keep_smaller(burl_lanes *best, burl_lanes_int *at, const burl_lanes *a,
                              int32_t index, int track) {
  burl_lanes_int less = *a < *best;
  *best = (burl_lanes)(((burl_lanes_int)*a & less) | ((burl_lanes_int)*best & ~less));
  if (track) *at = (index & less) | (*at & ~less);
}

/* least (ROWS): the least squared distance; first (ROWS): the first point at it, where `track` is
 * set. A lane sees its points in rising order and keeps the first of equals. */
BURL_INLINE void search(float *least, uint32_t *first, const float *const x[ROWS],
                        const float *packed, size_t blocks, size_t d, int track) {
  burl_lanes best[ROWS];
  burl_lanes_int at[ROWS];
  for (size_t r = 0; r < ROWS; r++) {
    best[r] = (burl_lanes){FLT_MAX, FLT_MAX, FLT_MAX, FLT_MAX, FLT_MAX, FLT_MAX, FLT_MAX, FLT_MAX};
    at[r] = (burl_lanes_int){0};
  }
  for (size_t b = 0; b < blocks; b++) {
    burl_lanes sum[ROWS][2];
    block_distances(sum, x, packed + b * d * BURL_POINT_BLOCK, d);
    for (size_t r = 0; r < ROWS; r++) {
      keep_smaller(&best[r], &at[r], &sum[r][0], (int32_t)(2 * b), track);
      keep_smaller(&best[r], &at[r], &sum[r][1], (int32_t)(2 * b + 1), track);
    }
  }
  for (size_t r = 0; r < ROWS; r++) {
    least[r] = best[r][0];
    first[r] = (uint32_t)at[r][0] * BURL_LANES;
    for (uint32_t l = 1; l < BURL_LANES; l++) {
      uint32_t point = (uint32_t)at[r][l] * BURL_LANES + l;
      if (best[r][l] < least[r] || (best[r][l] == least[r] && point < first[r])) {
        least[r] = best[r][l];
        first[r] = point;
      }
    }
  }
}

/* Scoring asks for distances only, and is a sixth faster without the indices. */
BURL_CLONES
static void least_rows(float *restrict least, uint32_t *restrict first, const float *const x[ROWS],
                       const float *restrict packed, size_t blocks, size_t d) {
  search(least, first, x, packed, blocks, d, 0);
}

BURL_CLONES
static void nearest_rows(float *restrict least, uint32_t *restrict first,
                         const float *const x[ROWS], const float *restrict packed, size_t blocks,
                         size_t d) {
  search(least, first, x, packed, blocks, d, 1);
}

BURL_CLONES
static void distance_rows(float *const cost[ROWS], const float *const x[ROWS],
                          const float *restrict packed, size_t k, size_t d) {
  for (size_t b = 0; b * BURL_POINT_BLOCK < k; b++) {
    burl_lanes sum[ROWS][2];
    size_t first = b * BURL_POINT_BLOCK;
    size_t n = k - first < BURL_POINT_BLOCK ? k - first : BURL_POINT_BLOCK;
    block_distances(sum, x, packed + first * d, d);
    for (size_t r = 0; r < ROWS; r++)
      for (size_t l = 0; l < n; l++)
        cost[r][first + l] = sum[r][l / BURL_LANES][l % BURL_LANES];
  }
}

/* ROWS patches from x (n,d) at i; past the end the last one again. */
static void take_rows(const float *rows[ROWS], const float *x, size_t i, size_t n, size_t d) {
  for (size_t r = 0; r < ROWS; r++)
    rows[r] = x + (i + r < n ? i + r : n - 1) * d;
}

static void nearest_of_panels(float *squared, uint32_t *nearest, const float *x, size_t n,
                              const burl_panels *points) {
  for (size_t i = 0; i < n; i++) {
    squared[i] = FLT_MAX;
    if (nearest) nearest[i] = 0;
  }
  burl_panels_lower(squared, nearest, x, NULL, n, points, 0);
}

void burl_points_nearest(float *squared, uint32_t *nearest, const float *x, size_t n,
                         const float *packed, size_t k, size_t d) {
  if (d > BURL_POINT_FEW_DIMENSIONS) {
    burl_panels points = panels_in(packed, k, d);
    nearest_of_panels(squared, nearest, x, n, &points);
    return;
  }
  size_t blocks = (k + BURL_POINT_BLOCK - 1) / BURL_POINT_BLOCK;
  for (size_t i = 0; i < n; i += ROWS) {
    const float *rows[ROWS];
    float least[ROWS];
    uint32_t first[ROWS];
    take_rows(rows, x, i, n, d);
    if (nearest)
      nearest_rows(least, first, rows, packed, blocks, d);
    else
      least_rows(least, first, rows, packed, blocks, d);
    for (size_t r = 0; r < ROWS && i + r < n; r++) {
      squared[i + r] = least[r];
      if (nearest) nearest[i + r] = first[r];
    }
  }
}

void burl_points_distances(float *cost, size_t ldc, const float *x, size_t n, const float *packed,
                           size_t k, size_t d) {
  if (d <= BURL_POINT_FEW_DIMENSIONS) {
    burl_point_blocks_distances(cost, ldc, x, n, packed, k, d);
  } else {
    burl_panels points = panels_in(packed, k, d);
    burl_panels_distances(cost, ldc, x, n, &points);
  }
}

void burl_point_blocks_distances(float *cost, size_t ldc, const float *x, size_t n,
                                 const float *packed, size_t k, size_t d) {
  for (size_t i = 0; i < n; i += ROWS) {
    const float *rows[ROWS];
    float *out[ROWS];
    take_rows(rows, x, i, n, d);
    for (size_t r = 0; r < ROWS; r++)
      out[r] = cost + (i + r < n ? i + r : n - 1) * ldc;
    distance_rows(out, rows, packed, k, d);
  }
}

void burl_point_blocks_lower(float *squared, const float *x, const uint32_t *which, size_t n,
                             const float *packed, size_t k, size_t d) {
  size_t blocks = (k + BURL_POINT_BLOCK - 1) / BURL_POINT_BLOCK;
  for (size_t i = 0; i < n; i += ROWS) {
    const float *rows[ROWS];
    float least[ROWS];
    uint32_t first[ROWS];
    for (size_t r = 0; r < ROWS; r++)
      rows[r] = x + which[i + r < n ? i + r : n - 1] * d;
    least_rows(least, first, rows, packed, blocks, d);
    for (size_t r = 0; r < ROWS && i + r < n; r++)
      if (least[r] < squared[which[i + r]]) squared[which[i + r]] = least[r];
  }
}
