/* A tile of products in registers: `rows` broadcasts against 32 points held as vectors. Rows and
 * vectors are as many as the registers hold, so that a step needs fewer loads than products.
 *
 * Two kernels are written with intrinsics because they fuse products and sums, which the build
 * forbids everywhere else: results of searches do not depend on the last bits of a tile
 * (num/panels.c decides by differences), so every machine may use what it has. */
#include "num/dot_tile.h"

#include "num/simd.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define HAVE_INTRINSICS 1
#else
#define HAVE_INTRINSICS 0
#endif

#define PLAIN_ROWS 4

/* Four lanes, which every machine has: wider vectors would be split up in memory. */
typedef float four __attribute__((vector_size(16), aligned(4), may_alias));

/* Sums of one row against eight points, turned into entries; 1 where one is within the limit. */
BURL_INLINE int finish_eight(float *out, four sum0, four sum1, const float *squares, float limit) {
  *(four *)out = *(const four *)squares - 2.0f * sum0;
  *(four *)(out + 4) = *(const four *)(squares + 4) - 2.0f * sum1;
  int any = 0;
  for (int l = 0; l < 8; l++)
    any |= out[l] <= limit;
  return any;
}

static uint32_t plain_tile(float *tile, const float *x, const float *panel, const float *squares,
                           const float *limit, size_t d) {
  uint32_t hits = 0;
  for (size_t j = 0; j < BURL_PANEL; j += 8) {
    four sum[PLAIN_ROWS][2] = {{{0}}};
    for (size_t t = 0; t < d; t++) {
      four p0 = *(const four *)(panel + t * BURL_PANEL + j);
      four p1 = *(const four *)(panel + t * BURL_PANEL + j + 4);
#pragma GCC unroll 4
      for (size_t r = 0; r < PLAIN_ROWS; r++) {
        float v = x[t * PLAIN_ROWS + r];
        sum[r][0] += v * p0;
        sum[r][1] += v * p1;
      }
    }
    for (size_t r = 0; r < PLAIN_ROWS; r++)
      if (finish_eight(tile + r * BURL_PANEL + j, sum[r][0], sum[r][1], squares + j, limit[r]))
        hits |= UINT32_C(1) << r;
  }
  return hits;
}

#if HAVE_INTRINSICS
#define AVX2_ROWS 6
#define AVX512_ROWS 14

__attribute__((target("avx2,fma"))) static uint32_t avx2_tile(float *tile, const float *x,
                                                              const float *panel,
                                                              const float *squares,
                                                              const float *limit, size_t d) {
  const __m256 minus_two = _mm256_set1_ps(-2.0f);
  uint32_t hits = 0;
  for (size_t j = 0; j < BURL_PANEL; j += 16) {
    __m256 sum[AVX2_ROWS][2];
#pragma GCC unroll 6
    for (size_t r = 0; r < AVX2_ROWS; r++)
      sum[r][0] = sum[r][1] = _mm256_setzero_ps();
    for (size_t t = 0; t < d; t++) {
      __m256 p0 = _mm256_loadu_ps(panel + t * BURL_PANEL + j);
      __m256 p1 = _mm256_loadu_ps(panel + t * BURL_PANEL + j + 8);
#pragma GCC unroll 6
      for (size_t r = 0; r < AVX2_ROWS; r++) {
        __m256 v = _mm256_broadcast_ss(x + t * AVX2_ROWS + r);
        sum[r][0] = _mm256_fmadd_ps(v, p0, sum[r][0]);
        sum[r][1] = _mm256_fmadd_ps(v, p1, sum[r][1]);
      }
    }
#pragma GCC unroll 6
    for (size_t r = 0; r < AVX2_ROWS; r++) {
      __m256 s0 = _mm256_fmadd_ps(minus_two, sum[r][0], _mm256_loadu_ps(squares + j));
      __m256 s1 = _mm256_fmadd_ps(minus_two, sum[r][1], _mm256_loadu_ps(squares + j + 8));
      __m256 most = _mm256_broadcast_ss(limit + r);
      __m256 within =
          _mm256_or_ps(_mm256_cmp_ps(s0, most, _CMP_LE_OQ), _mm256_cmp_ps(s1, most, _CMP_LE_OQ));
      _mm256_storeu_ps(tile + r * BURL_PANEL + j, s0);
      _mm256_storeu_ps(tile + r * BURL_PANEL + j + 8, s1);
      if (_mm256_movemask_ps(within)) hits |= UINT32_C(1) << r;
    }
  }
  return hits;
}

__attribute__((target("avx512f"))) static uint32_t avx512_tile(float *tile, const float *x,
                                                               const float *panel,
                                                               const float *squares,
                                                               const float *limit, size_t d) {
  const __m512 minus_two = _mm512_set1_ps(-2.0f);
  __m512 sum[AVX512_ROWS][2];
#pragma GCC unroll 14
  for (size_t r = 0; r < AVX512_ROWS; r++)
    sum[r][0] = sum[r][1] = _mm512_setzero_ps();
  for (size_t t = 0; t < d; t++) {
    __m512 p0 = _mm512_loadu_ps(panel + t * BURL_PANEL);
    __m512 p1 = _mm512_loadu_ps(panel + t * BURL_PANEL + 16);
#pragma GCC unroll 14
    for (size_t r = 0; r < AVX512_ROWS; r++) {
      __m512 v = _mm512_set1_ps(x[t * AVX512_ROWS + r]);
      sum[r][0] = _mm512_fmadd_ps(v, p0, sum[r][0]);
      sum[r][1] = _mm512_fmadd_ps(v, p1, sum[r][1]);
    }
  }
  __m512 square0 = _mm512_loadu_ps(squares), square1 = _mm512_loadu_ps(squares + 16);
  uint32_t hits = 0;
#pragma GCC unroll 14
  for (size_t r = 0; r < AVX512_ROWS; r++) {
    __m512 s0 = _mm512_fmadd_ps(minus_two, sum[r][0], square0);
    __m512 s1 = _mm512_fmadd_ps(minus_two, sum[r][1], square1);
    __m512 most = _mm512_set1_ps(limit[r]);
    if (_mm512_cmp_ps_mask(s0, most, _CMP_LE_OQ) | _mm512_cmp_ps_mask(s1, most, _CMP_LE_OQ)) {
      _mm512_storeu_ps(tile + r * BURL_PANEL, s0);
      _mm512_storeu_ps(tile + r * BURL_PANEL + 16, s1);
      hits |= UINT32_C(1) << r;
    }
  }
  return hits;
}
#endif

const burl_tile_kernel *burl_tile_kernel_get(size_t index) {
#if HAVE_INTRINSICS
  static const burl_tile_kernel avx512 = {"avx512", AVX512_ROWS, avx512_tile};
  static const burl_tile_kernel avx2 = {"avx2", AVX2_ROWS, avx2_tile};
  if (__builtin_cpu_supports("avx512f") && index-- == 0) return &avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && index-- == 0) return &avx2;
#endif
  static const burl_tile_kernel plain = {"plain", PLAIN_ROWS, plain_tile};
  return index == 0 ? &plain : NULL;
}
