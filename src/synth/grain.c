/* Value noise: random numbers on a lattice, smooth in between.
 *
 * Along yarns the lattice is hashed by (yarn, point), so that a yarn looks the same whichever tile
 * it is drawn for. For fine texture one hash a pixel would cost more than the rest of the drawing:
 * a small repeating table is read instead, at offsets that differ from yarn to yarn.
 */
#include "synth/grain.h"

#include "base/random.h"
#include "synth/cloth.h"

void burl_grain_fill(float *grain, uint64_t key) {
  for (size_t i = 0; i < (size_t)BURL_GRAIN_SIDE * BURL_GRAIN_SIDE; i += 2) {
    uint64_t bits = burl_random_at(key, BURL_STREAM_GRAIN, i / 2);
    for (size_t k = 0; k < 2; k++, bits >>= 32) {
      int sum = (int)(bits & 0xFFFF) + (int)(bits >> 16 & 0xFFFF);
      grain[i + k] = (float)(sum - 0xFFFF) * 0x1p-16f;
    }
  }
}

float burl_grain_at(const float *grain, float x, float y) {
  const int mask = BURL_GRAIN_SIDE - 1;
  int column = (int)x, row = (int)y;
  column -= x < (float)column;
  row -= y < (float)row;
  float s = x - (float)column, t = y - (float)row;
  const float *upper = grain + (size_t)(row & mask) * BURL_GRAIN_SIDE;
  const float *lower = grain + (size_t)((row + 1) & mask) * BURL_GRAIN_SIDE;
  int left = column & mask, right = (column + 1) & mask;
  float above = upper[left] + s * (upper[right] - upper[left]);
  float below = lower[left] + s * (lower[right] - lower[left]);
  return above + t * (below - above);
}

void burl_grain_hash(float out[4], uint64_t key, unsigned stream, int64_t line, int64_t point) {
  uint64_t which = (uint64_t)stream << 56 ^ ((uint64_t)line & (UINT64_MAX >> 8));
  uint64_t bits = burl_random_at(key, which, (uint64_t)point);
  for (int k = 0; k < 4; k++, bits >>= 16)
    out[k] = (float)((int)(bits & 0xFFFF) - 0x8000) * 0x1p-15f;
}

void burl_grain_along(float out[4], uint64_t key, unsigned stream, int64_t line, int64_t position,
                      int period) {
  int64_t point = position / period;
  if (point * period > position) point--;
  float t = burl_ease((float)(position - point * period) / (float)period);
  float next[4];
  burl_grain_hash(out, key, stream, line, point);
  burl_grain_hash(next, key, stream, line, point + 1);
  for (int k = 0; k < 4; k++)
    out[k] += t * (next[k] - out[k]);
}

float burl_ease(float x) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  return x * x * (3 - 2 * x);
}
