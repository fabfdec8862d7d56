/* Binomial pyramid, one output row at a time: columns first (vectorised along the row), then rows.
 */
#include "encode/pyramid.h"

#include "num/simd.h"

/* Index i of a row of n samples, mirrored about its first and last sample. */
static size_t mirror(ptrdiff_t i, size_t n) {
  ptrdiff_t last = (ptrdiff_t)n - 1;
  if (last == 0) return 0;
  while (i < 0 || i > last)
    i = i < 0 ? -i : 2 * last - i;
  return (size_t)i;
}

BURL_CLONES
static void blend_rows(float *restrict out, const float *restrict a, const float *restrict b,
                       const float *restrict c, const float *restrict d, const float *restrict e,
                       size_t w) {
  for (size_t x = 0; x < w; x++)
    out[x] = 0.0625f * (a[x] + e[x]) + 0.25f * (b[x] + d[x]) + 0.375f * c[x];
}

BURL_CLONES
static void blend_columns(float *restrict out, const float *restrict row, size_t n) {
  for (size_t x = 0; x < n; x++) {
    const float *p = row + 2 * x; /* p[2] is the centre */
    out[x] = 0.0625f * (p[0] + p[4]) + 0.25f * (p[1] + p[3]) + 0.375f * p[2];
  }
}

void burl_pyramid_down(float *restrict out, float *restrict row, const float *restrict in, size_t h,
                       size_t w) {
  size_t oh = (h + 1) / 2, ow = (w + 1) / 2;
  for (size_t y = 0; y < oh; y++) {
    const float *from[5];
    for (int k = 0; k < 5; k++)
      from[k] = in + mirror((ptrdiff_t)(2 * y) + k - 2, h) * w;
    float *middle = row + 2;
    blend_rows(middle, from[0], from[1], from[2], from[3], from[4], w);
    row[0] = middle[mirror(-2, w)];
    row[1] = middle[mirror(-1, w)];
    middle[w] = middle[mirror((ptrdiff_t)w, w)];
    middle[w + 1] = middle[mirror((ptrdiff_t)w + 1, w)];
    blend_columns(out + y * ow, row, ow);
  }
}

/* One row of w samples from a row of (w+1)/2. */
static void widen(float *restrict out, const float *restrict in, size_t w) {
  size_t n = (w + 1) / 2;
  for (size_t x = 0; x + 1 < n; x++) {
    out[2 * x] = in[x];
    out[2 * x + 1] = 0.5f * (in[x] + in[x + 1]);
  }
  out[2 * n - 2] = in[n - 1];
  if (w % 2 == 0) out[w - 1] = in[n - 1];
}

void burl_pyramid_up(float *restrict out, const float *restrict in, size_t h, size_t w) {
  size_t n = (h + 1) / 2, iw = (w + 1) / 2;
  for (size_t y = 0; y < n; y++)
    widen(out + 2 * y * w, in + y * iw, w);
  for (size_t y = 1; y < h; y += 2) {
    const float *above = out + (y - 1) * w, *below = y + 1 < h ? out + (y + 1) * w : above;
    float *row = out + y * w;
    for (size_t x = 0; x < w; x++)
      row[x] = 0.5f * (above[x] + below[x]);
  }
}
