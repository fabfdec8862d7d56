/* Position embeddings for grids other than the one a transformer was trained with: cubic
 * convolution (Keys 1981) with a = -1/2, widened by the ratio of the grids where the new one is
 * coarser, so that nothing is skipped. That is bicubic interpolation with antialias as PyTorch and
 * Pillow define it, cell centres on cell centres (docs/math/vit.md). */
#include "encode/vit_parts.h"

#include <math.h>
#include <string.h>

/* Keys' kernel, which passes through 1 at 0 and 0 at the other whole numbers. */
static double cubic(double x) {
  x = fabs(x);
  if (x < 1.0) return (1.5 * x - 2.5) * x * x + 1.0;
  if (x < 2.0) return ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0;
  return 0.0;
}

/* The cells first .. first+count-1 of `from` that cell i of `to` is made of. */
typedef struct taps {
  size_t first, count;
  double *weight;
} taps;

static taps get_taps(double *weight, size_t i, size_t to, size_t from) {
  double ratio = (double)from / (double)to, scale = fmax(ratio, 1.0), sum = 0.0;
  double centre = ratio * ((double)i + 0.5);
  double low = floor(centre - 2.0 * scale + 0.5), high = floor(centre + 2.0 * scale + 0.5);
  taps t = {.first = low > 0.0 ? (size_t)low : 0, .weight = weight};
  size_t end = high < (double)from ? (size_t)high : from;
  t.count = end - t.first;
  for (size_t k = 0; k < t.count; k++) {
    weight[k] = cubic(((double)(t.first + k) + 0.5 - centre) / scale);
    sum += weight[k];
  }
  for (size_t k = 0; k < t.count; k++)
    weight[k] /= sum;
  return t;
}

void burl_vit_place(float *out, double *scratch, const float *table, size_t side, size_t rows,
                    size_t cols, size_t d) {
  if (rows == side && cols == side) {
    memcpy(out, table, side * side * d * sizeof *out);
    return;
  }
  for (size_t i = 0; i < rows; i++) {
    taps y = get_taps(scratch, i, rows, side);
    for (size_t j = 0; j < cols; j++) {
      taps x = get_taps(scratch + side, j, cols, side);
      float *cell = out + (i * cols + j) * d;
      memset(cell, 0, d * sizeof *cell);
      for (size_t k = 0; k < y.count; k++)
        for (size_t l = 0; l < x.count; l++) {
          const float *from = table + ((y.first + k) * side + x.first + l) * d;
          float weight = (float)(y.weight[k] * x.weight[l]);
          for (size_t t = 0; t < d; t++)
            cell[t] += weight * from[t];
        }
    }
  }
}
