/* Matrix products of the shape that networks have (Goto and van de Geijn 2008): a tile of six rows
 * and sixteen outputs stays in registers, a piece of a panel in the first-level cache and a block
 * of rows in the second. Unlike BLAS nothing is packed anew for each product, and small products,
 * as those of attention by heads, need no second reading of the result.
 *
 * The kernel with intrinsics fuses products and sums, as BLAS does; results of networks differ
 * between machines in the last bits either way. */
#include "num/packed.h"

#include "base/memory.h"
#include "num/simd.h"

#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define HAVE_INTRINSICS 1
#else
#define HAVE_INTRINSICS 0
#endif

#define ROWS BURL_PACKED_MOST_ROWS
#define BLOCK_ROWS 192
#define BLOCK_INPUTS 384 /* of a panel: 24 KB */

size_t burl_num_packed_size(size_t n, size_t k) {
  size_t floats;
  if (n > SIZE_MAX - BURL_PACK) return 0;
  n = (n + BURL_PACK - 1) / BURL_PACK * BURL_PACK;
  return burl_size_mul(&floats, n, k) ? floats : 0;
}

void burl_num_pack_rows(float *packed, const float *M, size_t ld, size_t n, size_t k, float scale) {
  for (size_t j = 0; j < n; j += BURL_PACK, packed += BURL_PACK * k) {
    size_t width = n - j < BURL_PACK ? n - j : BURL_PACK;
    if (width < BURL_PACK) memset(packed, 0, BURL_PACK * k * sizeof *packed);
    for (size_t l = 0; l < width; l++)
      for (size_t t = 0; t < k; t++)
        packed[t * BURL_PACK + l] = scale * M[(j + l) * ld + t];
  }
}

void burl_num_pack_columns(float *packed, const float *M, size_t ld, size_t n, size_t k) {
  for (size_t j = 0; j < n; j += BURL_PACK, packed += BURL_PACK * k) {
    size_t width = n - j < BURL_PACK ? n - j : BURL_PACK;
    if (width < BURL_PACK) memset(packed, 0, BURL_PACK * k * sizeof *packed);
    for (size_t t = 0; t < k; t++)
      memcpy(packed + t * BURL_PACK, M + t * ld + j, width * sizeof *packed);
  }
}

/* Four lanes, which every machine has: wider vectors would be split up in memory. */
typedef float four __attribute__((vector_size(16), aligned(4), may_alias));

BURL_INLINE void plain_rows(float *c, size_t ldc, const float *a, size_t lda, const float *panel,
                            size_t rows, size_t k, int add) {
  for (size_t j = 0; j < BURL_PACK; j += 4) {
    four sum[ROWS];
#pragma GCC unroll 6
    for (size_t r = 0; r < rows; r++)
      sum[r] = add ? *(const four *)(c + r * ldc + j) : (four){0};
    for (size_t t = 0; t < k; t++) {
      four p = *(const four *)(panel + t * BURL_PACK + j);
#pragma GCC unroll 6
      for (size_t r = 0; r < rows; r++)
        sum[r] += a[r * lda + t] * p;
    }
#pragma GCC unroll 6
    for (size_t r = 0; r < rows; r++)
      *(four *)(c + r * ldc + j) = sum[r];
  }
}

/* A number of rows that the compiler knows keeps the sums in registers. */
#define BY_ROWS(run)                                                                               \
  switch (rows) {                                                                                  \
  case 6:                                                                                          \
    run(c, ldc, a, lda, panel, 6, k, add);                                                         \
    break;                                                                                         \
  case 5:                                                                                          \
    run(c, ldc, a, lda, panel, 5, k, add);                                                         \
    break;                                                                                         \
  case 4:                                                                                          \
    run(c, ldc, a, lda, panel, 4, k, add);                                                         \
    break;                                                                                         \
  case 3:                                                                                          \
    run(c, ldc, a, lda, panel, 3, k, add);                                                         \
    break;                                                                                         \
  case 2:                                                                                          \
    run(c, ldc, a, lda, panel, 2, k, add);                                                         \
    break;                                                                                         \
  default:                                                                                         \
    run(c, ldc, a, lda, panel, 1, k, add);                                                         \
    break;                                                                                         \
  }

static void plain_run(float *c, size_t ldc, const float *a, size_t lda, const float *panel,
                      size_t rows, size_t k, int add){BY_ROWS(plain_rows)}

#if HAVE_INTRINSICS
#define FUSED __attribute__((target("avx2,fma")))

FUSED BURL_INLINE void avx2_rows(float *c, size_t ldc, const float *a, size_t lda,
                                 const float *panel, size_t rows, size_t k, int add) {
  __m256 sum[ROWS][2];
#pragma GCC unroll 6
  for (size_t r = 0; r < rows; r++) {
    sum[r][0] = add ? _mm256_loadu_ps(c + r * ldc) : _mm256_setzero_ps();
    sum[r][1] = add ? _mm256_loadu_ps(c + r * ldc + 8) : _mm256_setzero_ps();
  }
  for (size_t t = 0; t < k; t++) {
    __m256 p0 = _mm256_loadu_ps(panel + t * BURL_PACK);
    __m256 p1 = _mm256_loadu_ps(panel + t * BURL_PACK + 8);
#pragma GCC unroll 6
    for (size_t r = 0; r < rows; r++) {
      __m256 v = _mm256_broadcast_ss(a + r * lda + t);
      sum[r][0] = _mm256_fmadd_ps(v, p0, sum[r][0]);
      sum[r][1] = _mm256_fmadd_ps(v, p1, sum[r][1]);
    }
  }
#pragma GCC unroll 6
  for (size_t r = 0; r < rows; r++) {
    _mm256_storeu_ps(c + r * ldc, sum[r][0]);
    _mm256_storeu_ps(c + r * ldc + 8, sum[r][1]);
  }
}

FUSED static void avx2_run(float *c, size_t ldc, const float *a, size_t lda, const float *panel,
                           size_t rows, size_t k, int add) {
  BY_ROWS(avx2_rows)
}
#endif

const burl_packed_kernel *burl_packed_kernel_get(size_t index) {
#if HAVE_INTRINSICS
  static const burl_packed_kernel avx2 = {"avx2", avx2_run};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && index-- == 0) return &avx2;
#endif
  static const burl_packed_kernel plain = {"plain", plain_run};
  return index == 0 ? &plain : NULL;
}

/* The last panel may reach beyond the columns of C: through a tile of its own. */
static void run_cut(const burl_packed_kernel *kernel, float *c, size_t ldc, const float *a,
                    size_t lda, const float *panel, size_t rows, size_t width, size_t k, int add) {
  float tile[ROWS * BURL_PACK] = {0};
  for (size_t r = 0; r < rows && add; r++)
    memcpy(tile + r * BURL_PACK, c + r * ldc, width * sizeof *tile);
  kernel->run(tile, BURL_PACK, a, lda, panel, rows, k, add);
  for (size_t r = 0; r < rows; r++)
    memcpy(c + r * ldc, tile + r * BURL_PACK, width * sizeof *tile);
}

/* A block of rows, a piece of the inputs. */
static void run_block(const burl_packed_kernel *kernel, float *C, size_t ldc, const float *A,
                      size_t lda, const float *packed, size_t step, size_t m, size_t n, size_t k,
                      int add) {
  for (size_t j = 0; j < n; j += BURL_PACK, packed += step)
    for (size_t i = 0; i < m; i += ROWS) {
      size_t rows = m - i < ROWS ? m - i : ROWS;
      if (n - j < BURL_PACK)
        run_cut(kernel, C + i * ldc + j, ldc, A + i * lda, lda, packed, rows, n - j, k, add);
      else
        kernel->run(C + i * ldc + j, ldc, A + i * lda, lda, packed, rows, k, add);
    }
}

void burl_num_packed_product_by(const burl_packed_kernel *kernel, float *C, size_t ldc,
                                const float *A, size_t lda, const float *packed, size_t m, size_t n,
                                size_t k, int add) {
  size_t pieces = (k + BLOCK_INPUTS - 1) / BLOCK_INPUTS, piece = (k + pieces - 1) / pieces;
  for (size_t i = 0; i < m; i += BLOCK_ROWS)
    for (size_t t = 0; t < k; t += piece)
      run_block(kernel, C + i * ldc, ldc, A + i * lda + t, lda, packed + t * BURL_PACK,
                BURL_PACK * k, m - i < BLOCK_ROWS ? m - i : BLOCK_ROWS, n,
                k - t < piece ? k - t : piece, add || t > 0);
}

void burl_num_packed_product(float *C, size_t ldc, const float *A, size_t lda, const float *packed,
                             size_t m, size_t n, size_t k, int add) {
  burl_num_packed_product_by(burl_packed_kernel_get(0), C, ldc, A, lda, packed, m, n, k, add);
}
