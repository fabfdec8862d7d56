/* F(4 x 4, 3 x 3) (Winograd, Arithmetic Complexity of Computations, 1980; for networks Lavin and
 * Gray, Fast Algorithms for Convolutional Neural Networks, CVPR 2016): four by four outputs from
 * six by six inputs d and a filter g take 36 products instead of 144,
 *
 *   Y = A' [ (G g G') . (B' d B) ] A          sums over channels inside the brackets
 *
 * with the points 0, 1, -1, 2, -2 and infinity. The products of a block of tiles are 36 matrix
 * products. Channels come last, so every transform is the same on vectors of channels. */
#include "num/winograd.h"

#include "num/gemm.h"
#include "num/simd.h"

#include <string.h>

enum { TILE = 4, PATCH = 6, POINTS = PATCH * PATCH, LEAST_TILES = 16, MOST_TILES = 96 };
#define BLOCK_FLOATS 400000 /* of a block's transforms: they stay in the cache */

static size_t block_tiles(size_t in, size_t out) {
  size_t tiles = BLOCK_FLOATS / (POINTS * (in + out));
  return tiles < LEAST_TILES ? LEAST_TILES : tiles > MOST_TILES ? MOST_TILES : tiles;
}

/* Channels in whole vectors. */
static size_t padded(size_t d) {
  return (d + BURL_LANES - 1) / BURL_LANES * BURL_LANES;
}

size_t burl_winograd_weights_size(size_t in, size_t out) {
  return POINTS * padded(in) * padded(out);
}

size_t burl_winograd_scratch(size_t in, size_t out) {
  return POINTS * block_tiles(in, out) * (padded(in) + padded(out));
}

void burl_winograd_transform(float *transformed, const float *weight, size_t in, size_t out) {
  static const double g[PATCH][3] = {{0.25, 0.0, 0.0},
                                     {-1.0 / 6, -1.0 / 6, -1.0 / 6},
                                     {-1.0 / 6, 1.0 / 6, -1.0 / 6},
                                     {1.0 / 24, 1.0 / 12, 1.0 / 6},
                                     {1.0 / 24, -1.0 / 12, 1.0 / 6},
                                     {0.0, 0.0, 1.0}};
  size_t ld = padded(out), plane = padded(in) * ld;
  memset(transformed, 0, POINTS * plane * sizeof *transformed);
  for (size_t t = 0; t < in; t++)
    for (size_t c = 0; c < out; c++)
      for (size_t p = 0; p < POINTS; p++) {
        double sum = 0.0;
        for (size_t ky = 0; ky < 3; ky++)
          for (size_t kx = 0; kx < 3; kx++)
            sum += g[p / PATCH][ky] * g[p % PATCH][kx] *
                   (double)weight[((ky * 3 + kx) * in + t) * out + c];
        transformed[p * plane + t * ld + c] = (float)sum;
      }
}

/* B' d for six vectors that lie `step` apart. */
BURL_INLINE void to_points(burl_lanes *v, size_t step) {
  burl_lanes a = v[0], b = v[step], c = v[2 * step], d = v[3 * step], e = v[4 * step];
  burl_lanes f = v[5 * step];
  burl_lanes even = e - 4.0f * c, odd = d - 4.0f * b, even2 = e - c, odd2 = 2.0f * (d - b);
  v[0] = 4.0f * a - 5.0f * c + e;
  v[step] = even + odd;
  v[2 * step] = even - odd;
  v[3 * step] = even2 + odd2;
  v[4 * step] = even2 - odd2;
  v[5 * step] = 4.0f * b - 5.0f * d + f;
}

/* A' m for six vectors: the first four places then hold the result. */
BURL_INLINE void from_points(burl_lanes *v, size_t step) {
  burl_lanes s1 = v[step] + v[2 * step], d1 = v[step] - v[2 * step];
  burl_lanes s2 = v[3 * step] + v[4 * step], d2 = v[3 * step] - v[4 * step];
  v[0] = v[0] + s1 + s2;
  v[3 * step] = d1 + 8.0f * d2 + v[5 * step];
  v[step] = d1 + 2.0f * d2;
  v[2 * step] = s1 + 4.0f * s2;
}

/* Up to eight channels; the rest are 0. */
BURL_INLINE void load_some(burl_lanes *v, const float *from, size_t n) {
  *v = (burl_lanes){0};
  if (n >= BURL_LANES)
    *v = *(const burl_lanes *)from;
  else
    for (size_t l = 0; l < n; l++)
      (*v)[l] = from[l];
}

/* One tile whose first output is (y,x), into V (36, tiles, padded d): `to` is its row of plane 0.
 */
BURL_CLONES
static void transform_tile(float *to, size_t plane, const float *in, size_t rows, size_t cols,
                           size_t d, size_t y, size_t x) {
  for (size_t t = 0; t < d; t += BURL_LANES) {
    burl_lanes v[POINTS];
    for (size_t i = 0; i < PATCH; i++)
      for (size_t j = 0; j < PATCH; j++) {
        size_t at_y = y + i - 1, at_x = x + j - 1; /* wraps around below 0 */
        v[i * PATCH + j] = (burl_lanes){0};
        if (at_y < rows && at_x < cols)
          load_some(&v[i * PATCH + j], in + (at_y * cols + at_x) * d + t, d - t);
      }
    for (size_t j = 0; j < PATCH; j++)
      to_points(v + j, PATCH);
    for (size_t i = 0; i < PATCH; i++)
      to_points(v + i * PATCH, 1);
    for (size_t p = 0; p < POINTS; p++)
      *(burl_lanes *)(to + p * plane + t) = v[p];
  }
}

typedef struct finish {
  float *out;
  const float *bias, *residual;
  int relu;
  size_t rows, cols, d;
} finish;

BURL_INLINE void put(const finish *f, size_t cell, size_t t, const burl_lanes *value) {
  size_t n = f->d - t < BURL_LANES ? f->d - t : BURL_LANES;
  burl_lanes v = *value, more;
  load_some(&more, f->bias + t, n);
  v += more;
  if (f->residual) {
    load_some(&more, f->residual + cell * f->d + t, n);
    v += more;
  }
  if (f->relu) {
    burl_lanes_int positive = v > 0.0f;
    v = (burl_lanes)((burl_lanes_int)v & positive);
  }
  float *to = f->out + cell * f->d + t;
  if (n == BURL_LANES)
    *(burl_lanes *)to = v;
  else
    for (size_t l = 0; l < n; l++)
      to[l] = v[l];
}

BURL_CLONES
static void finish_tile(const finish *f, const float *from, size_t plane, size_t y, size_t x) {
  for (size_t t = 0; t < f->d; t += BURL_LANES) {
    burl_lanes v[POINTS];
    for (size_t p = 0; p < POINTS; p++)
      v[p] = *(const burl_lanes *)(from + p * plane + t);
    for (size_t j = 0; j < PATCH; j++)
      from_points(v + j, PATCH);
    for (size_t i = 0; i < TILE; i++) {
      from_points(v + i * PATCH, 1);
      for (size_t j = 0; j < TILE && y + i < f->rows && x + j < f->cols; j++)
        put(f, (y + i) * f->cols + x + j, t, &v[i * PATCH + j]);
    }
  }
}

void burl_winograd_run(float *out, const float *in, size_t rows, size_t cols, size_t d_in,
                       size_t d_out, const float *transformed, const float *bias,
                       const float *residual, int relu, float *scratch) {
  const finish f = {out, bias, residual, relu, rows, cols, d_out};
  size_t wide = (cols + TILE - 1) / TILE, tiles = (rows + TILE - 1) / TILE * wide;
  size_t block = block_tiles(d_in, d_out), k = padded(d_in), n = padded(d_out);
  float *V = scratch, *M = scratch + POINTS * block * k;
  for (size_t first = 0; first < tiles; first += block) {
    size_t count = tiles - first < block ? tiles - first : block;
    for (size_t i = 0; i < count; i++)
      transform_tile(V + i * k, count * k, in, rows, cols, d_in, (first + i) / wide * TILE,
                     (first + i) % wide * TILE);
    for (size_t p = 0; p < POINTS; p++) {
      burl_status fits =
          burl_num_sgemm(M + p * count * n, n, V + p * count * k, k, BURL_NUM_PLAIN,
                         transformed + p * k * n, n, BURL_NUM_PLAIN, count, n, k, 1.0f, 0.0f);
      (void)fits; /* sizes are those of a network */
    }
    for (size_t i = 0; i < count; i++)
      finish_tile(&f, M + i * n, count * n, (first + i) / wide * TILE, (first + i) % wide * TILE);
  }
}
