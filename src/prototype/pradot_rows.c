/* Rows of the plan, entry by entry.
 *
 * A kernel entry in 16 bits is the upper half of a float, rounded to nearest: it has the range of
 * float and a relative error of at most 2^-9, which is what a change of the cost by 0.002 eps would
 * do. Sums are taken in float over the rows of a block and in double over blocks. Eight packed rows
 * share each load of y and of s; the second reading of a row, for the column sums, comes from the
 * second-level cache. */
#include "prototype/pradot_rows.h"

#include "num/simd.h"
#include "num/vector_math.h"

#include <math.h>
#include <string.h>

#define LANES 16
#define ROWS 8
#define SMALLEST_SCORE (-69.0f) /* 1e-30: subnormal products are slow */

/* Lanes go in halves of BURL_LANES: wider vectors would be taken apart in memory by AVX2. */
typedef uint32_t pradot_words __attribute__((vector_size(32), aligned(4), may_alias));

BURL_INLINE float largest_of(const float lane[LANES]) {
  float largest = lane[0];
  for (size_t l = 1; l < LANES; l++)
    largest = lane[l] > largest ? lane[l] : largest;
  return largest;
}

BURL_CLONES
static float pradot_cost_row(float *restrict row, size_t m) {
  float lane[LANES] = {0};
  for (size_t j = 0; j < m; j += LANES) {
    size_t width = m - j < LANES ? m - j : LANES;
    for (size_t l = 0; l < width; l++) {
      float cost = 1.0f - row[j + l];
      cost = cost > 0.0f ? cost : 0.0f;
      cost = cost < 2.0f ? cost : 2.0f;
      row[j + l] = cost;
      lane[l] = cost > lane[l] ? cost : lane[l];
    }
  }
  return largest_of(lane);
}

float burl_pradot_cost_row(float *row, size_t m) {
  return pradot_cost_row(row, m);
}

BURL_CLONES
static void pradot_mix(float *restrict row, float weight, const float *restrict place, size_t m) {
  for (size_t j = 0; j < m; j++)
    row[j] = weight * row[j] + place[j];
}

void burl_pradot_mix_row(float *row, float weight, const float *place, size_t cells,
                         size_t copies) {
  for (size_t copy = 0; copy < copies; copy++)
    pradot_mix(row + copy * cells, weight, place, cells);
}

BURL_CLONES
static void pradot_pack_costs(uint32_t *restrict words, const float *restrict row, float scale,
                              size_t m) {
  for (size_t j = 0; j < m; j += BURL_PRADOT_BLOCK)
    for (size_t l = 0; l < LANES; l++) {
      uint32_t low = (uint32_t)(int32_t)(row[j + l] * scale + 0.5f);
      uint32_t high = (uint32_t)(int32_t)(row[j + LANES + l] * scale + 0.5f);
      words[j / 2 + l] = low | high << 16;
    }
}

void burl_pradot_pack_costs(uint32_t *words, const float *row, float bound, size_t m) {
  pradot_pack_costs(words, row, 65535.0f / bound, m);
}

BURL_CLONES
static void pradot_unpack_costs(float *restrict row, const uint32_t *restrict words, float unit,
                                size_t m) {
  for (size_t j = 0; j < m; j += BURL_PRADOT_BLOCK)
    for (size_t l = 0; l < LANES; l++) {
      uint32_t word = words[j / 2 + l];
      row[j + l] = unit * (float)(int32_t)(word & 0xffffu);
      row[j + LANES + l] = unit * (float)(int32_t)(word >> 16);
    }
}

void burl_pradot_unpack_costs(float *row, const uint32_t *words, float bound, size_t m) {
  pradot_unpack_costs(row, words, bound / 65535.0f, m);
}

BURL_CLONES
static void pradot_pack_kernel(uint32_t *restrict words, const uint32_t *restrict bits, size_t m) {
  for (size_t j = 0; j < m; j += BURL_PRADOT_BLOCK)
    for (size_t l = 0; l < LANES; l++)
      words[j / 2 + l] =
          (bits[j + l] + 0x8000u) >> 16 | ((bits[j + LANES + l] + 0x8000u) & 0xffff0000u);
}

void burl_pradot_pack_kernel(uint32_t *words, const float *row, size_t m) {
  uint32_t bits[512];
  for (size_t j = 0; j < m; j += 512) {
    size_t width = m - j < 512 ? m - j : 512;
    memcpy(bits, row + j, width * sizeof *bits);
    pradot_pack_kernel(words + j / 2, bits, width);
  }
}

BURL_CLONES
static void pradot_unpack_kernel(float *restrict row, const uint32_t *restrict words, size_t m) {
  for (size_t j = 0; j < m; j += BURL_PRADOT_BLOCK)
    for (size_t l = 0; l < LANES; l += BURL_LANES) {
      pradot_words w = *(const pradot_words *)(words + j / 2 + l);
      pradot_words low = w << 16, high = w & 0xffff0000u;
      *(burl_lanes *)(row + j + l) = (burl_lanes)low;
      *(burl_lanes *)(row + j + LANES + l) = (burl_lanes)high;
    }
}

void burl_pradot_unpack_kernel(float *row, const uint32_t *words, size_t m) {
  pradot_unpack_kernel(row, words, m);
}

BURL_CLONES
static void pradot_least(float *restrict least, const float *restrict row, float scale, float u,
                         size_t m) {
  for (size_t j = 0; j < m; j++) {
    float score = scale * row[j] - u;
    least[j] = score < least[j] ? score : least[j];
  }
}

void burl_pradot_least_row(float *least, const float *row, float scale, float u, size_t m) {
  pradot_least(least, row, scale, u, m);
}

BURL_CLONES
static void pradot_sum(float *restrict sum, const float *restrict least, const float *restrict row,
                       float scale, float u, size_t m) {
  for (size_t j = 0; j < m; j++)
    sum[j] += exp_float(least[j] - (scale * row[j] - u));
}

void burl_pradot_sum_row(float *sum, const float *least, const float *row, float scale, float u,
                         size_t m) {
  pradot_sum(sum, least, row, scale, u, m);
}

/* row = gamma - scale row; returns the largest. */
BURL_CLONES
static float pradot_scores(float *restrict row, const float *restrict gamma, float scale,
                           size_t m) {
  float lane[LANES];
  for (size_t l = 0; l < LANES; l++)
    lane[l] = -INFINITY;
  for (size_t j = 0; j < m; j += LANES) {
    size_t width = m - j < LANES ? m - j : LANES;
    for (size_t l = 0; l < width; l++) {
      float score = gamma[j + l] - scale * row[j + l];
      row[j + l] = score;
      lane[l] = score > lane[l] ? score : lane[l];
    }
  }
  return largest_of(lane);
}

BURL_CLONES
static void pradot_exp(float *restrict row, float max, size_t m) {
  for (size_t j = 0; j < m; j++) {
    float score = row[j] - max;
    row[j] = exp_float(score < SMALLEST_SCORE ? -INFINITY : score);
  }
}

float burl_pradot_kernel_row(float *row, const float *gamma, float scale, size_t m) {
  float max = pradot_scores(row, gamma, scale, m);
  pradot_exp(row, max, m);
  return max;
}

/* log x of a normal float x > 0, within some units in the last place: x = 2^n t with t in
 * sqrt(1/2)..sqrt(2), log t = 2 atanh((t-1)/(t+1)). */
BURL_INLINE float log_float(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  uint32_t above = bits - 0x3f3504f3u; /* sqrt(1/2) */
  float n = (float)((int32_t)above >> 23);
  uint32_t kept = (above & 0x007fffffu) + 0x3f3504f3u;
  float t;
  memcpy(&t, &kept, sizeof t);
  float z = (t - 1.0f) / (t + 1.0f), square = z * z;
  float series = 1.0f / 9.0f;
  series = series * square + 1.0f / 7.0f;
  series = series * square + 1.0f / 5.0f;
  series = series * square + 1.0f / 3.0f;
  series = series * square + 1.0f;
  return n * 0.693147181f + 2.0f * z * series;
}

BURL_CLONES
static void pradot_loss_terms(float *restrict row, const float *restrict y,
                              const float *restrict gamma, size_t m) {
  for (size_t j = 0; j < m; j++) {
    float k = row[j];
    row[j] = k * y[j] * (gamma[j] - log_float(k + 1e-37f)); /* entries are 0 or above 1e-31 */
  }
}

BURL_CLONES
static double pradot_add_up(const float *restrict row, size_t m) {
  double lane[LANES] = {0}, sum = 0.0;
  for (size_t j = 0; j < m; j += LANES)
    for (size_t l = 0; l < LANES; l++)
      lane[l] += (double)row[j + l];
  for (size_t l = 0; l < LANES; l++)
    sum += lane[l];
  return sum;
}

double burl_pradot_loss_row(float *row, const float *y, const float *gamma, size_t m) {
  pradot_loss_terms(row, y, gamma, m);
  return pradot_add_up(row, m);
}

BURL_CLONES
static void pradot_part(float *restrict row, const float *restrict y, float times, size_t m) {
  for (size_t j = 0; j < m; j++)
    row[j] = row[j] * y[j] * times;
}

void burl_pradot_plan_part(float *row, const float *y, float times, size_t m) {
  pradot_part(row, y, times, m);
}

/* sum[q][l] for the BURL_LANES lanes from `first` on. */
BURL_INLINE void dot_half(float sum[ROWS][LANES], size_t first, const uint32_t *const k[ROWS],
                          const float *restrict y, size_t m) {
  burl_lanes part[ROWS];
#pragma GCC unroll 8
  for (size_t q = 0; q < ROWS; q++)
    part[q] = (burl_lanes){0};
  for (size_t j = 0; j < m; j += BURL_PRADOT_BLOCK) {
    burl_lanes y_low = *(const burl_lanes *)(y + j + first);
    burl_lanes y_high = *(const burl_lanes *)(y + j + LANES + first);
#pragma GCC unroll 8
    for (size_t q = 0; q < ROWS; q++) {
      pradot_words w = *(const pradot_words *)(k[q] + j / 2 + first);
      pradot_words low = w << 16, high = w & 0xffff0000u;
      part[q] += (burl_lanes)low * y_low + (burl_lanes)high * y_high;
    }
  }
#pragma GCC unroll 8
  for (size_t q = 0; q < ROWS; q++)
    *(burl_lanes *)(sum[q] + first) = part[q];
}

/* r[q] = sum_j k[q]_j y_j for ROWS rows. */
BURL_CLONES
static void pradot_dot_rows(float r[ROWS], const uint32_t *const k[ROWS], const float *restrict y,
                            size_t m) {
  float sum[ROWS][LANES];
  dot_half(sum, 0, k, y, m);
  dot_half(sum, BURL_LANES, k, y, m);
  for (size_t q = 0; q < ROWS; q++) {
    float total = 0.0f;
    for (size_t l = 0; l < LANES; l++)
      total += sum[q][l];
    r[q] = total;
  }
}

/* s_j += sum_q x[q] k[q]_j; meanwhile `next`, the rows that come after, are asked for. */
BURL_CLONES
static void pradot_add_rows(float *restrict s, const float x[ROWS], const uint32_t *const k[ROWS],
                            const uint32_t *const next[ROWS], size_t m) {
  for (size_t j = 0; j < m; j += BURL_PRADOT_BLOCK) {
    for (size_t q = 0; q < ROWS; q++)
      __builtin_prefetch(next[q] + j / 2);
    for (size_t l = 0; l < LANES; l += BURL_LANES) {
      burl_lanes s_low = *(burl_lanes *)(s + j + l);
      burl_lanes s_high = *(burl_lanes *)(s + j + LANES + l);
#pragma GCC unroll 8
      for (size_t q = 0; q < ROWS; q++) {
        pradot_words w = *(const pradot_words *)(k[q] + j / 2 + l);
        pradot_words low = w << 16, high = w & 0xffff0000u;
        s_low += x[q] * (burl_lanes)low;
        s_high += x[q] * (burl_lanes)high;
      }
      *(burl_lanes *)(s + j + l) = s_low;
      *(burl_lanes *)(s + j + LANES + l) = s_high;
    }
  }
}

/* Rows i.. of K; where there are less than ROWS, the last one stands in for those missing. */
static void point_to_words(const uint32_t *k[ROWS], const uint32_t *K, size_t ld, size_t i,
                           size_t rows) {
  for (size_t q = 0; q < ROWS; q++)
    k[q] = K + (i + q < rows ? i + q : rows - 1) * ld;
}

void burl_pradot_packed_rows(float *r, float *s, const uint32_t *K, size_t ld, size_t rows,
                             size_t m, const float *y) {
  const uint32_t *k[ROWS], *next[ROWS];
  point_to_words(next, K, ld, 0, rows);
  for (size_t i = 0; i < rows; i += ROWS) {
    float sum[ROWS], x[ROWS];
    memcpy(k, next, sizeof k);
    point_to_words(next, K, ld, i + ROWS, rows);
    pradot_dot_rows(sum, k, y, m);
    size_t here = rows - i < ROWS ? rows - i : ROWS;
    memcpy(r + i, sum, here * sizeof *sum);
    for (size_t q = 0; q < ROWS; q++)
      x[q] = q < here ? 1.0f / sum[q] : 0.0f;
    pradot_add_rows(s, x, k, next, m);
  }
}
