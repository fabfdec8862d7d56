/* Standardising by ring, adding up on a common grid, smoothing, and expanding to pixels.
 *
 * Smoothing on the grid of 4 pixels costs a sixteenth of smoothing pixels; the bilinear expansion
 * after it is a smoothing of its own and the pictures show no grid. */
#include "heat/heat_map.h"

#include <math.h>
#include <string.h>

enum { LEAST_REACH = 3 };

size_t burl_ring_of(size_t i, size_t j, size_t rows, size_t cols) {
  size_t ring = BURL_RINGS - 1;
  if (i < ring) ring = i;
  if (j < ring) ring = j;
  if (rows - 1 - i < ring) ring = rows - 1 - i;
  if (cols - 1 - j < ring) ring = cols - 1 - j;
  return ring;
}

static size_t ring_in_image(const burl_feature_map *map, size_t i, size_t j) {
  return burl_ring_of(map->row + i, map->col + j, map->all_rows, map->all_cols);
}

void burl_ring_add(double *statistics, const float *distance, const burl_feature_map *map,
                   burl_rect core) {
  burl_cells in = burl_feature_map_cells_in(map, core);
  for (size_t i = in.row0; i < in.row1; i++)
    for (size_t j = in.col0; j < in.col1; j++) {
      double *ring = statistics + 3 * ring_in_image(map, i, j);
      double d = (double)distance[i * map->cols + j];
      if (d < 0.0) continue;
      ring[0] += 1.0;
      ring[1] += d;
      ring[2] += d * d;
    }
}

static void scale_of(const double sums[3], float *mean, float *deviation) {
  double m = sums[1] / sums[0], variance = sums[2] / sums[0] - m * m;
  double d = variance > 0.0 ? sqrt(variance) : 0.0;
  *mean = (float)m;
  *deviation = (float)fmax(d, fmax(1e-3 * m, 1e-6)); /* distances that never vary */
}

void burl_ring_finish(burl_ring_scale *scale, const double *statistics) {
  double all[3] = {0.0, 0.0, 0.0};
  for (size_t r = 0; r < BURL_RINGS; r++)
    for (size_t k = 0; k < 3; k++)
      all[k] += statistics[3 * r + k];
  for (size_t r = 0; r < BURL_RINGS; r++) {
    const double *sums = statistics[3 * r] >= 2.0 ? statistics + 3 * r : all;
    if (sums[0] > 0.0)
      scale_of(sums, &scale->mean[r], &scale->deviation[r]);
    else
      scale->mean[r] = 0.0f, scale->deviation[r] = 1.0f;
  }
}

void burl_heat_standardise(float *distance, const burl_feature_map *map,
                           const burl_ring_scale *scale) {
  for (size_t i = 0; i < map->rows; i++)
    for (size_t j = 0; j < map->cols; j++) {
      size_t ring = ring_in_image(map, i, j);
      float *d = distance + i * map->cols + j;
      *d = (*d - scale->mean[ring]) / scale->deviation[ring];
    }
}

/* Where row or column i of the common grid falls between those of a map, of which there are n. */
static void locate(size_t i, const burl_feature_map *map, size_t n, size_t *from, size_t *to,
                   float *part) {
  size_t halves = 2 * BURL_HEAT_STRIDE * i, stride = 2 * map->stride; /* half pixels */
  halves = halves > map->half_offset ? halves - map->half_offset : 0;
  *from = halves / stride < n ? halves / stride : n - 1;
  *to = *from + 1 < n ? *from + 1 : *from;
  *part = (float)(halves % stride) / (float)stride;
}

void burl_heat_add(burl_heat_grid *grid, const float *values, const burl_feature_map *map) {
  for (size_t i = 0; i < grid->rows; i++) {
    size_t i0, i1;
    float v;
    locate(i, map, map->rows, &i0, &i1, &v);
    const float *above = values + i0 * map->cols, *below = values + i1 * map->cols;
    float *row = grid->data + i * grid->cols;
    for (size_t j = 0; j < grid->cols; j++) {
      size_t j0, j1;
      float u;
      locate(j, map, map->cols, &j0, &j1, &u);
      float top = above[j0] + u * (above[j1] - above[j0]);
      float bottom = below[j0] + u * (below[j1] - below[j0]);
      row[j] += top + v * (bottom - top);
    }
  }
}

static size_t mirror(ptrdiff_t i, size_t n) {
  ptrdiff_t last = (ptrdiff_t)n - 1;
  if (last == 0) return 0;
  while (i < 0 || i > last)
    i = i < 0 ? -i : 2 * last - i;
  return (size_t)i;
}

/* Returns how many cells the kernel reaches to each side: three deviations. */
static int kernel(float weight[BURL_HEAT_REACH + 1], double sigma_pixels) {
  double sigma = sigma_pixels / BURL_HEAT_STRIDE, total = 0.0;
  double w[BURL_HEAT_REACH + 1];
  int reach = (int)fmin(fmax(ceil(3.0 * sigma), LEAST_REACH), BURL_HEAT_REACH);
  for (int k = 0; k <= reach; k++) {
    w[k] = exp(-0.5 * k * k / (sigma * sigma));
    total += k ? 2.0 * w[k] : w[k];
  }
  for (int k = 0; k <= reach; k++)
    weight[k] = (float)(w[k] / total);
  return reach;
}

static void smooth_down(float *out, const burl_heat_grid *grid, size_t i, const float *weight,
                        int reach) {
  size_t cols = grid->cols;
  const float *centre = grid->data + i * cols;
  for (size_t j = 0; j < cols; j++)
    out[j] = weight[0] * centre[j];
  for (int k = 1; k <= reach; k++) {
    const float *above = grid->data + mirror((ptrdiff_t)i - k, grid->rows) * cols;
    const float *below = grid->data + mirror((ptrdiff_t)i + k, grid->rows) * cols;
    for (size_t j = 0; j < cols; j++)
      out[j] += weight[k] * (above[j] + below[j]);
  }
}

static float smooth_across(const float *in, size_t cols, size_t j, const float *weight, int reach) {
  float sum = weight[0] * in[j];
  if (j >= (size_t)reach && j + (size_t)reach < cols) {
    for (int k = 1; k <= reach; k++)
      sum += weight[k] * (in[j - (size_t)k] + in[j + (size_t)k]);
    return sum;
  }
  for (int k = 1; k <= reach; k++)
    sum += weight[k] * (in[mirror((ptrdiff_t)j - k, cols)] + in[mirror((ptrdiff_t)j + k, cols)]);
  return sum;
}

void burl_heat_smooth(burl_heat_grid *grid, float *scratch, double sigma) {
  float weight[BURL_HEAT_REACH + 1];
  int reach = kernel(weight, sigma);
  for (size_t i = 0; i < grid->rows; i++)
    smooth_down(scratch + i * grid->cols, grid, i, weight, reach);
  for (size_t i = 0; i < grid->rows; i++)
    for (size_t j = 0; j < grid->cols; j++)
      grid->data[i * grid->cols + j] =
          smooth_across(scratch + i * grid->cols, grid->cols, j, weight, reach);
}

/* One row of pixels [x0,x0+n) from a row of grid values that begins at pixel 0. */
static float expand_row(float *restrict heat, const float *restrict row, size_t cols, size_t x0,
                        size_t n) {
  float largest = -INFINITY;
  for (size_t x = 0; x < n; x++) {
    size_t j = (x0 + x) / BURL_HEAT_STRIDE, next = j + 1 < cols ? j + 1 : j;
    float part = (float)((x0 + x) % BURL_HEAT_STRIDE) * (1.0f / BURL_HEAT_STRIDE);
    heat[x] = row[j] + part * (row[next] - row[j]);
    largest = heat[x] > largest ? heat[x] : largest;
  }
  return largest;
}

float burl_heat_expand(float *heat, size_t ld, float *scratch, const burl_heat_grid *grid,
                       burl_rect core, float offset, float scale) {
  float largest = -INFINITY;
  size_t y0 = core.y - grid->row * BURL_HEAT_STRIDE, x0 = core.x - grid->col * BURL_HEAT_STRIDE;
  for (size_t y = 0; y < core.height; y++) {
    size_t i = (y0 + y) / BURL_HEAT_STRIDE, next = i + 1 < grid->rows ? i + 1 : i;
    float part = (float)((y0 + y) % BURL_HEAT_STRIDE) * (1.0f / BURL_HEAT_STRIDE);
    const float *above = grid->data + i * grid->cols, *below = grid->data + next * grid->cols;
    for (size_t j = 0; j < grid->cols; j++)
      scratch[j] = scale * (above[j] + part * (below[j] - above[j]) - offset);
    float row = expand_row(heat + y * ld, scratch, grid->cols, x0, core.width);
    largest = row > largest ? row : largest;
  }
  return largest;
}
