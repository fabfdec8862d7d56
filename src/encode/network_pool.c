/* The patch embedding of PatchCore (Roth et al., Towards Total Recall in Industrial Anomaly
 * Detection, CVPR 2022): each layer averaged over 3 x 3 cells, coarser layers brought to the grid
 * of the finest bilinearly, channels one after the other. Cells are equal parts of the image. */
#include "encode/network_pool.h"

#include "num/simd.h"

#include <string.h>

BURL_CLONES
static void add(float *restrict out, const float *restrict in, size_t n) {
  for (size_t i = 0; i < n; i++)
    out[i] += in[i];
}

BURL_CLONES
static void spread(float *restrict out, const float *restrict row, size_t cols, size_t d) {
  const float ninth = 1.0f / 9.0f;
  for (size_t j = 0; j < cols; j++)
    for (size_t t = 0; t < d; t++) {
      float sum = row[j * d + t];
      if (j > 0) sum = row[(j - 1) * d + t] + sum;
      if (j + 1 < cols) sum = sum + row[(j + 1) * d + t];
      out[j * d + t] = sum * ninth;
    }
}

void burl_network_pool(float *out, float *scratch, const burl_network_map *in) {
  size_t width = in->cols * in->dim;
  for (size_t i = 0; i < in->rows; i++) {
    memset(scratch, 0, width * sizeof *scratch);
    for (size_t k = i > 0 ? i - 1 : 0; k <= i + 1 && k < in->rows; k++)
      add(scratch, in->data + k * width, width);
    spread(out + i * width, scratch, in->cols, in->dim);
  }
}

BURL_CLONES
static void mix(float *restrict out, const float *const corner[4], const float part[4], size_t d) {
  const float *restrict a = corner[0], *restrict b = corner[1];
  const float *restrict c = corner[2], *restrict e = corner[3];
  float p = part[0], q = part[1], r = part[2], s = part[3];
  for (size_t t = 0; t < d; t++)
    out[t] = (p * a[t] + q * b[t]) + (r * c[t] + s * e[t]);
}

/* Cell i of the finer grid lies at (i + 1/2)/ratio - 1/2 of the coarser, clamped. */
static void locate(size_t i, size_t ratio, size_t n, size_t at[2], float *part) {
  size_t halves = 2 * i + 1 > ratio ? 2 * i + 1 - ratio : 0, whole = 2 * ratio;
  at[0] = halves / whole < n ? halves / whole : n - 1;
  at[1] = at[0] + 1 < n ? at[0] + 1 : at[0];
  *part = (float)(halves % whole) / (float)whole;
}

void burl_network_widen(float *out, size_t ld, size_t rows, size_t cols, const float *map,
                        size_t map_rows, size_t map_cols, size_t d, size_t ratio) {
  for (size_t i = 0; i < rows; i++) {
    size_t y[2], x[2];
    float v, u;
    locate(i, ratio, map_rows, y, &v);
    for (size_t j = 0; j < cols; j++) {
      locate(j, ratio, map_cols, x, &u);
      const float *corner[4] = {
          map + (y[0] * map_cols + x[0]) * d, map + (y[0] * map_cols + x[1]) * d,
          map + (y[1] * map_cols + x[0]) * d, map + (y[1] * map_cols + x[1]) * d};
      const float part[4] = {(1.0f - v) * (1.0f - u), (1.0f - v) * u, v * (1.0f - u), v * u};
      mix(out + (i * cols + j) * ld, corner, part, d);
    }
  }
}
