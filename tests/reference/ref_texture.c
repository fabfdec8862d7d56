/* Straight from the formulas of encode/pyramid.h and encode/filter_bank.h. */
#include "ref_texture.h"

#include <math.h>

enum { SIDE = 5, MARGIN = 2, FILTERS = 12 };

/* Sample i of a side of n, reflected about the first and the last sample. */
static size_t reflected(long i, size_t n) {
  long period = n > 1 ? 2 * ((long)n - 1) : 1;
  long at = ((i % period) + period) % period;
  return (size_t)(at < (long)n ? at : period - at);
}

void ref_pyramid_down(double *out, const float *in, size_t h, size_t w) {
  static const double weight[SIDE] = {1, 4, 6, 4, 1};
  for (size_t y = 0; y < (h + 1) / 2; y++)
    for (size_t x = 0; x < (w + 1) / 2; x++) {
      double sum = 0.0;
      for (long i = 0; i < SIDE; i++)
        for (long j = 0; j < SIDE; j++)
          sum +=
              weight[i] * weight[j] / 256.0 *
              (double)in[reflected(2 * (long)y + i - 2, h) * w + reflected(2 * (long)x + j - 2, w)];
      out[y * ((w + 1) / 2) + x] = sum;
    }
}

void ref_pyramid_up(double *out, const float *in, size_t h, size_t w) {
  size_t ih = (h + 1) / 2, iw = (w + 1) / 2;
  for (size_t y = 0; y < h; y++)
    for (size_t x = 0; x < w; x++) {
      double sum = 0.0;
      for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < 2; j++) {
          size_t r = (y + i) / 2 < ih ? (y + i) / 2 : ih - 1;
          size_t c = (x + j) / 2 < iw ? (x + j) / 2 : iw - 1;
          sum += 0.25 * (double)in[r * iw + c];
        }
      out[y * w + x] = sum;
    }
}

/* May response j of a side of n samples be averaged? */
static int valid(long j, size_t n, size_t step) {
  long centre = j * (long)step;
  return centre >= MARGIN && centre + MARGIN < (long)n;
}

static size_t count_valid(size_t n, size_t step, size_t cell, size_t box, size_t c) {
  size_t found = 0;
  for (size_t k = 0; k < box; k++)
    found += (size_t)valid((long)(c * cell + k) - (long)(box / 2), n, step);
  return found;
}

size_t ref_pooling_cells(size_t n, size_t step, size_t cell, size_t box, size_t *first,
                         size_t *last) {
  size_t cells = 0, found = 0;
  while (cells * cell * step < n)
    cells++;
  for (size_t c = 0; c < cells; c++) {
    if ((double)count_valid(n, step, cell, box, c) < 0.45 * (double)box) continue;
    if (found++ == 0) *first = c;
    *last = c;
  }
  return found ? cells : 0;
}

static size_t clamp(size_t i, size_t first, size_t last) {
  return i < first ? first : i > last ? last : i;
}

void ref_filter_cell(double *out, const float *level, size_t h, size_t w, const float *filters,
                     size_t step, size_t cell, size_t box, size_t row, size_t col) {
  size_t first = 0, last = 0, count = 0;
  double sum[FILTERS + 1] = {0.0};
  ref_pooling_cells(h, step, cell, box, &first, &last);
  long y0 = (long)(clamp(row, first, last) * cell) - (long)(box / 2);
  ref_pooling_cells(w, step, cell, box, &first, &last);
  long x0 = (long)(clamp(col, first, last) * cell) - (long)(box / 2);
  for (long y = y0; y < y0 + (long)box; y++)
    for (long x = x0; x < x0 + (long)box; x++) {
      if (!valid(y, h, step) || !valid(x, w, step)) continue;
      const float *centre = level + (size_t)y * step * w + (size_t)x * step;
      for (size_t f = 0; f < FILTERS; f++) {
        double response = 0.0;
        for (long t = 0; t < SIDE * SIDE; t++)
          response += (double)filters[t * FILTERS + (long)f] *
                      (double)centre[(t / SIDE - MARGIN) * (long)w + t % SIDE - MARGIN];
        sum[f] += fabs(response);
      }
      sum[FILTERS] += (double)*centre;
      count++;
    }
  for (size_t f = 0; f < FILTERS; f++)
    out[f] = sqrt(fmax(1e-4, sum[f] / (double)count));
  out[FILTERS] = 4.0 * sum[FILTERS] / (double)count;
}
