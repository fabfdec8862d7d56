/* Response rows are filtered once, pooled across into a ring of rows, and the ring is pooled down.
 *
 * Eight neighbouring responses of all twelve filters are held in registers while the 25 taps are
 * read once. Where responses are taken at every other pixel, the rows are first split into even and
 * odd columns, so that all taps are contiguous. */
#include "encode/filter_bank.h"

#include "num/simd.h"

#include <math.h>
#include <string.h>

#define RING 8 /* rows kept, >= the largest box */
#define MIN_SUPPORT 0.45
#define MARGIN 2 /* half of the filter's side */
#define EDGE 16  /* zeros around a response row: room for half a box and a whole vector */

/* Responses [first,last] of a side of n level pixels that have their support inside; 0 if none. */
static size_t valid_responses(const burl_pooling *p, size_t n, size_t *first, size_t *last) {
  *first = *last = 0;
  if (n < BURL_FILTER_SIDE) return 0;
  *first = (MARGIN + p->step - 1) / p->step;
  *last = (n - 1 - MARGIN) / p->step;
  return *last >= *first ? *last - *first + 1 : 0;
}

/* Valid responses in the box of a cell. */
static size_t support(const burl_pooling *p, size_t cell, size_t first, size_t last) {
  size_t centre = cell * p->cell, half = p->box / 2;
  size_t lo = centre > half ? centre - half : 0, hi = centre + half;
  if (lo < first) lo = first;
  if (hi > last) hi = last;
  return hi >= lo ? hi - lo + 1 : 0;
}

size_t burl_pooling_cells(const burl_pooling *p, size_t n, size_t *first, size_t *last) {
  size_t v0, v1, responses = (n + p->step - 1) / p->step;
  size_t cells = (responses + p->cell - 1) / p->cell;
  if (valid_responses(p, n, &v0, &v1) == 0) return 0;
  size_t needed = (size_t)ceil(MIN_SUPPORT * (double)p->box);
  *first = 0;
  *last = cells - 1;
  while (*first < cells && support(p, *first, v0, v1) < needed)
    ++*first;
  while (*last > 0 && support(p, *last, v0, v1) < needed)
    --*last;
  return *first <= *last ? cells : 0;
}

static size_t padded(size_t responses) {
  return (responses + 2 * EDGE + BURL_LANES - 1) / BURL_LANES * BURL_LANES;
}

/* Scratch: 10 split rows (5 even, 5 odd), 13 response rows, a ring of RING x 13 pooled rows. */
size_t burl_filter_bank_scratch(size_t width) {
  return padded(width) * (2 * BURL_FILTER_SIDE + BURL_TEXTURE_DIM * (1 + RING));
}

void burl_filter_bank_begin(burl_filter_bank *bank, const float *level, size_t height, size_t width,
                            const float *filters, const burl_pooling *pooling, float *scratch) {
  *bank = (burl_filter_bank){.level = level,
                             .filters = filters,
                             .height = height,
                             .width = width,
                             .pooling = *pooling,
                             .scratch = scratch,
                             .responses = (width + pooling->step - 1) / pooling->step};
  memset(scratch, 0, burl_filter_bank_scratch(width) * sizeof *scratch);
}

/* |sum of taps| for responses [x0,x1) of every filter; writes up to 7 past x1. */
BURL_CLONES
static void filter_row(float *restrict out, size_t ld, const float *const *restrict tap,
                       const float *restrict filters, size_t x0, size_t x1) {
  const burl_lanes_int magnitude = {INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX,
                                    INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX};
  for (size_t x = x0; x < x1; x += BURL_LANES) {
    burl_lanes sum[BURL_FILTER_COUNT] = {{0}};
    for (size_t t = 0; t < BURL_FILTER_TAPS; t++) {
      burl_lanes in = *(const burl_lanes *)(tap[t] + x);
      const float *w = filters + t * BURL_FILTER_COUNT;
      for (size_t f = 0; f < BURL_FILTER_COUNT; f++)
        sum[f] += w[f] * in;
    }
    for (size_t f = 0; f < BURL_FILTER_COUNT; f++)
      *(burl_lanes_int *)(out + f * ld + x) = (burl_lanes_int)sum[f] & magnitude;
  }
}

/* out[x] = sum of the box around response cell*x, for `cols` cells from column c0. */
static void pool_across(float *restrict out, const float *restrict in, const burl_pooling *p,
                        size_t c0, size_t c1) {
  const float *start = in - p->box / 2;
  for (size_t c = c0; c <= c1; c++) {
    const float *at = start + c * p->cell;
    float sum = 0.0f;
    for (size_t k = 0; k < p->box; k++)
      sum += at[k];
    out[c] = sum;
  }
}

/* Pointers to the 25 taps of response row `y` (level row), so that tap[t][x] belongs to response x.
 */
static void find_taps(burl_filter_bank *bank, const float *tap[BURL_FILTER_TAPS], size_t y) {
  size_t ld = padded(bank->width);
  for (size_t dy = 0; dy < BURL_FILTER_SIDE; dy++) {
    const float *row = bank->level + (y + dy - MARGIN) * bank->width;
    if (bank->pooling.step == 1) {
      for (size_t dx = 0; dx < BURL_FILTER_SIDE; dx++)
        tap[dy * BURL_FILTER_SIDE + dx] = row + dx - MARGIN;
      continue;
    }
    float *even = bank->scratch + 2 * dy * ld + EDGE, *odd = even + ld;
    for (size_t x = 0; x + 1 < bank->width; x += 2) {
      even[x / 2] = row[x];
      odd[x / 2] = row[x + 1];
    }
    if (bank->width % 2) even[bank->width / 2] = row[bank->width - 1];
    const float *columns[BURL_FILTER_SIDE] = {even - 1, odd - 1, even, odd, even + 1};
    memcpy(tap + dy * BURL_FILTER_SIDE, columns, sizeof columns);
  }
}

/* Filters response row j and pools it across into the ring. */
static void filter_into_ring(burl_filter_bank *bank, size_t j, size_t c0, size_t c1) {
  const burl_pooling *p = &bank->pooling;
  size_t ld = padded(bank->width), v0, v1;
  float *response = bank->scratch + 2 * BURL_FILTER_SIDE * ld + EDGE;
  float *ring = response - EDGE + (1 + j % RING) * BURL_TEXTURE_DIM * ld;
  const float *tap[BURL_FILTER_TAPS];
  find_taps(bank, tap, j * p->step);
  valid_responses(p, bank->width, &v0, &v1);
  filter_row(response, ld, tap, bank->filters, v0, v1 + 1);
  float *mean = response + BURL_FILTER_COUNT * ld;
  const float *centre = tap[BURL_FILTER_TAPS / 2];
  for (size_t x = v0; x <= v1; x++)
    mean[x] = centre[x];
  for (size_t f = 0; f < BURL_TEXTURE_DIM; f++) {
    memset(response + f * ld + v1 + 1, 0, BURL_LANES * sizeof *response);
    pool_across(ring + f * ld, response + f * ld, p, c0, c1);
  }
}

/* Adds ring rows j0..j1 and turns sums into energies and the mean. */
BURL_CLONES
static void pool_down(float *restrict planes, size_t ld, const float *restrict ring, size_t ring_ld,
                      size_t j0, size_t j1, const float *restrict scale, size_t c0, size_t c1) {
  for (size_t f = 0; f < BURL_TEXTURE_DIM; f++) {
    float *out = planes + f * ld;
    for (size_t c = c0; c <= c1; c++)
      out[c] = 0.0f;
    for (size_t j = j0; j <= j1; j++) {
      const float *row = ring + (j % RING * BURL_TEXTURE_DIM + f) * ring_ld;
      for (size_t c = c0; c <= c1; c++)
        out[c] += row[c];
    }
    if (f == BURL_FILTER_COUNT)
      for (size_t c = c0; c <= c1; c++)
        out[c] = 4.0f * out[c] * scale[c];
    else
      for (size_t c = c0; c <= c1; c++) {
        float energy = out[c] * scale[c];
        out[c] = sqrtf(energy > 1e-4f ? energy : 1e-4f);
      }
  }
}

void burl_filter_bank_pool(burl_filter_bank *bank, float *planes, size_t ld, size_t row) {
  const burl_pooling *p = &bank->pooling;
  size_t r0, r1, c0, c1, v0, v1, h0, h1;
  size_t rows = burl_pooling_cells(p, bank->height, &r0, &r1);
  size_t cols = burl_pooling_cells(p, bank->width, &c0, &c1);
  if (rows == 0 || cols == 0) return;
  size_t i = row < r0 ? r0 : row > r1 ? r1 : row;
  valid_responses(p, bank->height, &v0, &v1);
  valid_responses(p, bank->width, &h0, &h1);
  size_t centre = i * p->cell, half = p->box / 2;
  size_t j0 = centre > v0 + half ? centre - half : v0, j1 = centre + half < v1 ? centre + half : v1;
  if (bank->next < j0) bank->next = j0;
  for (; bank->next <= j1; bank->next++)
    filter_into_ring(bank, bank->next, c0, c1);

  size_t ring_ld = padded(bank->width);
  float *scale = bank->scratch; /* the split rows are not in use now */
  for (size_t c = c0; c <= c1; c++)
    scale[c] = 1.0f / ((float)(j1 - j0 + 1) * (float)support(p, c, h0, h1));
  const float *ring = bank->scratch + (2 * BURL_FILTER_SIDE + BURL_TEXTURE_DIM) * ring_ld;
  pool_down(planes, ld, ring, ring_ld, j0, j1, scale, c0, c1);
  for (size_t f = 0; f < BURL_TEXTURE_DIM; f++) {
    float *out = planes + f * ld;
    for (size_t c = 0; c < c0; c++)
      out[c] = out[c0];
    for (size_t c = c1 + 1; c < cols; c++)
      out[c] = out[c1];
  }
}
