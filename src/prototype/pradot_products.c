/* Two products that take most of the time of a large plan, on 16-bit numbers.
 *
 * Cosines: directions as whole numbers of 2^-15 are multiplied and added up in 32-bit whole
 * numbers, exactly, in any order: by Cauchy and Schwarz no partial sum of <x,z> exceeds |x||z|,
 * which is (2^15)^2 and a little, half of what 32 bits hold. Rounding moves a cosine by some 1e-5,
 * as does keeping it in 16 bits. Twelve rows against a panel of 32 prototypes make 24 sums in
 * registers.
 *
 * Centres: the kernel is bfloat16 already; features become so, with the row's factor in them. Sums
 * are float. Eight prototypes against 32 features make 16 sums. */
#include "prototype/pradot_products.h"

#include "num/simd.h"

#include <string.h>

#define PANEL BURL_PRADOT_PANEL
#define GROUP BURL_PRADOT_GROUP
#define TALL 8

/* Adding `magic` rounds to a whole number and leaves it in the low bits. */
static uint32_t whole(float x) {
  const float magic = 12582912.0f, most = 32767.0f;
  float scaled = x * 32768.0f;
  scaled = scaled < most ? scaled : most;
  scaled = scaled > -most ? scaled : -most;
  float shifted = scaled + magic;
  uint32_t bits;
  memcpy(&bits, &shifted, sizeof bits);
  return bits & 0xffffu;
}

static uint32_t whole_pair(const float *x, size_t t, size_t d) {
  return whole(x[2 * t]) | (2 * t + 1 < d ? whole(x[2 * t + 1]) << 16 : 0u);
}

void burl_pradot_pack_panels(uint32_t *panels, const float *directions, size_t n, size_t d,
                             size_t width) {
  size_t count = burl_pradot_pairs(d), all = (n + width - 1) / width * width;
  for (size_t i = 0; i < all; i++)
    for (size_t t = 0; t < count; t++)
      panels[(i / width * count + t) * width + i % width] =
          i < n ? whole_pair(directions + i * d, t, d) : 0u;
}

BURL_CLONES
static void pradot_pair_rows(uint32_t *restrict words, const uint32_t *restrict even,
                             const uint32_t *restrict odd) {
  for (size_t w = 0; w < PANEL / 2; w++) {
    words[w] = (even[w] & 0xffffu) | odd[w] << 16;
    words[PANEL / 2 + w] = even[w] >> 16 | (odd[w] & 0xffff0000u);
  }
}

void burl_pradot_pair_rows(uint32_t *words, const uint32_t *even, const uint32_t *odd) {
  pradot_pair_rows(words, even, odd);
}

/* Rounded to nearest, half away from 0. */
BURL_INLINE uint32_t upper_half(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return (bits + 0x8000u) >> 16;
}

BURL_CLONES
static void pradot_pair_panel(uint32_t *restrict words, const float *restrict even, float e,
                              const float *restrict odd, float o, size_t width) {
  for (size_t t = 0; t < width; t++)
    words[t] = upper_half(even[t] * e) | upper_half(odd[t] * o) << 16;
}

void burl_pradot_pair_features(uint32_t *panels, size_t x_pairs, size_t r, const float *even,
                               float even_factor, const float *odd, float odd_factor, size_t d) {
  for (size_t first = 0; first < d; first += PANEL) {
    uint32_t *words = panels + (first / PANEL * x_pairs + r) * PANEL;
    size_t width = d - first < PANEL ? d - first : PANEL;
    pradot_pair_panel(words, even + first, even_factor, odd + first, odd_factor, width);
    for (size_t t = width; t < PANEL; t++)
      words[t] = 0u;
  }
}

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

int burl_pradot_has_products(void) {
  return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vnni") &&
         __builtin_cpu_supports("avx512bf16");
}

/* sum += both products of each pair. Written out, since gcc 12 copies every sum around the
 * intrinsic _mm512_dpwssd_epi32, which takes more than twice as long. */
__attribute__((target("avx512f,avx512bw,avx512vnni"), always_inline)) static inline void
add_products(__m512i *sum, __m512i a, __m512i b) {
  __asm__("vpdpwssd %2, %1, %0" : "+v"(*sum) : "v"(a), "v"(b));
}

__attribute__((target("avx512f,avx512bw,avx512vnni"))) static void
cosine_tile(float *cosines, size_t ld, const uint32_t *x, size_t rows, const uint32_t *panel,
            size_t pairs) {
  __m512i sum[GROUP][2];
#pragma GCC unroll 12
  for (size_t q = 0; q < GROUP; q++)
    sum[q][0] = sum[q][1] = _mm512_setzero_si512();
  for (size_t t = 0; t < pairs; t++) {
    __m512i low = _mm512_loadu_si512(panel + t * PANEL);
    __m512i high = _mm512_loadu_si512(panel + t * PANEL + PANEL / 2);
#pragma GCC unroll 12
    for (size_t q = 0; q < GROUP; q++) {
      __m512i pair = _mm512_set1_epi32((int)x[t * GROUP + q]);
      add_products(&sum[q][0], low, pair);
      add_products(&sum[q][1], high, pair);
    }
  }
  const __m512 unit = _mm512_set1_ps(0x1p-30f);
  float tile[GROUP][PANEL]; /* indices that are not constant would keep the sums in memory */
#pragma GCC unroll 12
  for (size_t q = 0; q < GROUP; q++) {
    _mm512_storeu_ps(tile[q], _mm512_mul_ps(unit, _mm512_cvtepi32_ps(sum[q][0])));
    _mm512_storeu_ps(tile[q] + PANEL / 2, _mm512_mul_ps(unit, _mm512_cvtepi32_ps(sum[q][1])));
  }
  for (size_t q = 0; q < GROUP && q < rows; q++)
    memcpy(cosines + q * ld, tile[q], sizeof tile[q]);
}

void burl_pradot_cosines(float *cosines, size_t ld, const uint32_t *x, size_t count,
                         const uint32_t *panels, size_t panel_count, size_t pairs) {
  for (size_t p = 0; p < panel_count; p++)
    for (size_t i = 0; i < count; i += GROUP)
      cosine_tile(cosines + i * ld + p * PANEL, ld, x + i * pairs, count - i,
                  panels + p * pairs * PANEL, pairs);
}

__attribute__((target("avx512f,avx512bf16"))) static void
centre_tile(float *centres, size_t ld, const uint32_t *k, const uint32_t *x, size_t pairs) {
  __m512 sum[TALL][2];
#pragma GCC unroll 8
  for (size_t q = 0; q < TALL; q++) {
    sum[q][0] = _mm512_loadu_ps(centres + q * ld);
    sum[q][1] = _mm512_loadu_ps(centres + q * ld + PANEL / 2);
  }
  for (size_t r = 0; r < pairs; r++) {
    __m512bh low = (__m512bh)_mm512_loadu_si512(x + r * PANEL);
    __m512bh high = (__m512bh)_mm512_loadu_si512(x + r * PANEL + PANEL / 2);
#pragma GCC unroll 8
    for (size_t q = 0; q < TALL; q++) {
      __m512bh pair = (__m512bh)_mm512_set1_epi32((int)k[r * PANEL + q]);
      sum[q][0] = _mm512_dpbf16_ps(sum[q][0], low, pair);
      sum[q][1] = _mm512_dpbf16_ps(sum[q][1], high, pair);
    }
  }
#pragma GCC unroll 8
  for (size_t q = 0; q < TALL; q++) {
    _mm512_storeu_ps(centres + q * ld, sum[q][0]);
    _mm512_storeu_ps(centres + q * ld + PANEL / 2, sum[q][1]);
  }
}

void burl_pradot_add_centres(float *centres, size_t ld, const uint32_t *k, size_t groups,
                             const uint32_t *x, size_t panels, size_t x_pairs, size_t pairs) {
  for (size_t p = 0; p < panels; p++)
    for (size_t g = 0; g < groups; g++)
      for (size_t q = 0; q < PANEL; q += TALL)
        centre_tile(centres + (g * PANEL + q) * ld + p * PANEL, ld, k + g * pairs * PANEL + q,
                    x + p * x_pairs * PANEL, pairs);
}

#else

int burl_pradot_has_products(void) {
  return 0;
}

void burl_pradot_cosines(float *cosines, size_t ld, const uint32_t *x, size_t count,
                         const uint32_t *panels, size_t panel_count, size_t pairs) {
  (void)cosines, (void)ld, (void)x, (void)count, (void)panels, (void)panel_count, (void)pairs;
}

void burl_pradot_add_centres(float *centres, size_t ld, const uint32_t *k, size_t groups,
                             const uint32_t *x, size_t panels, size_t x_pairs, size_t pairs) {
  (void)centres, (void)ld, (void)k, (void)groups, (void)x, (void)panels, (void)x_pairs;
  (void)pairs;
}

#endif
