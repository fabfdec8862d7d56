/* Lists of the entries that matter. As prototypes part, most of a kernel falls below 1e-16 of
 * its row; a sweep over the rest then takes a part of the time of reading all. */
#include "prototype/pradot_sparse.h"

#include "num/simd.h"
#include "prototype/pradot_rows.h"

#include <string.h>

#define BLOCK BURL_PRADOT_BLOCK

BURL_CLONES
static uint32_t pradot_count(const float *restrict row, const float *restrict y, float cut,
                             size_t m) {
  uint32_t count = 0;
  for (size_t j = 0; j < m; j++)
    count += row[j] * y[j] >= cut;
  return count;
}

size_t burl_pradot_count_row(const float *row, const float *y, float cut, size_t m) {
  return pradot_count(row, y, cut, m);
}

/* Bits of a float with its column in the low half. */
BURL_INLINE uint32_t entry_of(float x, size_t column) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return ((bits + 0x8000u) & 0xffff0000u) | (uint32_t)column;
}

BURL_INLINE float value_of(uint32_t entry) {
  uint32_t bits = entry & 0xffff0000u;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

BURL_CLONES
static size_t pradot_list(uint32_t *restrict entries, const float *restrict row,
                          const float *restrict y, float cut, size_t m) {
  size_t count = 0;
  for (size_t first = 0; first < m; first += BLOCK) {
    int any = 0;
    for (size_t l = 0; l < BLOCK; l++)
      any |= row[first + l] * y[first + l] >= cut;
    if (!any) continue;
    for (size_t l = 0; l < BLOCK; l++)
      if (row[first + l] * y[first + l] >= cut)
        entries[count++] = entry_of(row[first + l], first + l);
  }
  return count;
}

size_t burl_pradot_list_row(uint32_t *entries, const float *row, const float *y, float cut,
                            size_t m) {
  return pradot_list(entries, row, y, cut, m);
}

/* The first entry in a column of at least `column`. */
static size_t find_column(const uint32_t *entries, size_t count, size_t column) {
  size_t low = 0, high = count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if ((entries[middle] & 0xffffu) < column)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

void burl_pradot_unlist_row(float *row, const uint32_t *entries, size_t count, size_t first,
                            size_t width) {
  memset(row, 0, width * sizeof *row);
  for (size_t e = find_column(entries, count, first); e < count; e++) {
    size_t column = (entries[e] & 0xffffu) - first;
    if (column >= width) break;
    row[column] = value_of(entries[e]);
  }
}

void burl_pradot_unlist_words(uint32_t *words, const uint32_t *entries, size_t count, size_t first,
                              size_t width) {
  memset(words, 0, width / 2 * sizeof *words);
  for (size_t e = find_column(entries, count, first); e < count; e++) {
    size_t column = (entries[e] & 0xffffu) - first, l = column % BLOCK;
    if (column >= width) break;
    uint32_t *word = words + column / BLOCK * (BLOCK / 2) + l % (BLOCK / 2);
    *word |= l < BLOCK / 2 ? entries[e] >> 16 : entries[e] & 0xffff0000u;
  }
}

/* Four sums, so that additions need not wait for each other. */
static float listed_dot(const uint32_t *entries, size_t count, const float *y) {
  float lane[4] = {0};
  size_t whole = count - count % 4;
  for (size_t e = 0; e < whole; e += 4)
    for (size_t l = 0; l < 4; l++)
      lane[l] += value_of(entries[e + l]) * y[entries[e + l] & 0xffffu];
  for (size_t e = whole; e < count; e++)
    lane[0] += value_of(entries[e]) * y[entries[e] & 0xffffu];
  return (lane[0] + lane[1]) + (lane[2] + lane[3]);
}

void burl_pradot_listed_rows(float *r, float *s, const uint32_t *K, size_t ld,
                             const uint32_t *count, size_t rows, const float *y) {
  for (size_t i = 0; i < rows; i++) {
    const uint32_t *entries = K + i * ld;
    r[i] = listed_dot(entries, count[i], y);
    float x = 1.0f / r[i];
    for (size_t e = 0; e < count[i]; e++)
      s[entries[e] & 0xffffu] += x * value_of(entries[e]);
  }
}

BURL_CLONES
static void pradot_axpy(float *restrict to, float times, const float *restrict x, size_t d) {
  for (size_t t = 0; t < d; t++)
    to[t] += times * x[t];
}

void burl_pradot_add_listed(float *centres, const uint32_t *entries, size_t count, size_t first,
                            size_t width, const float *x, float r, size_t d) {
  for (size_t e = find_column(entries, count, first); e < count; e++) {
    size_t column = (entries[e] & 0xffffu) - first;
    if (column >= width) break;
    pradot_axpy(centres + column * d, value_of(entries[e]) / r, x, d);
  }
}
