/* Attention (Vaswani et al. 2017) a head and a block of queries at a time: scores of a block stay
 * in the cache from the product that makes them to the one that uses them. Rows are divided by
 * their sums last, when they are d long and not n. */
#include "num/attention.h"

#include "base/memory.h"
#include "num/gemm.h"
#include "num/tokens.h"

#include <math.h>

#define BLOCK 96 /* queries; with 785 keys their scores take 300 KB */

size_t burl_num_attention_scratch(size_t n) {
  size_t floats;
  if (n > SIZE_MAX / 2 || !burl_size_mul(&floats, n + 1, BLOCK)) return 0;
  return floats;
}

/* Queries and values lie `row` floats apart. */
static burl_status attend(float *out, size_t ld_out, float *scratch, const float *q, const float *k,
                          const float *v, size_t row, size_t count, size_t n, size_t d) {
  float *scores = scratch, *sums = scratch + BLOCK * n;
  burl_status status = burl_num_sgemm(scores, n, q, row, BURL_NUM_PLAIN, k, row,
                                      BURL_NUM_TRANSPOSED, count, n, d, 1.0f / sqrtf((float)d), 0);
  if (status != BURL_OK) return status;
  burl_num_exp_rows(sums, scores, n, count, n);
  status = burl_num_sgemm(out, ld_out, scores, n, BURL_NUM_PLAIN, v, row, BURL_NUM_PLAIN, count, d,
                          n, 1.0f, 0.0f);
  if (status != BURL_OK) return status;
  for (size_t i = 0; i < count; i++) {
    float scale = 1.0f / sums[i];
    for (size_t j = 0; j < d; j++)
      out[i * ld_out + j] *= scale;
  }
  return BURL_OK;
}

burl_status burl_num_attention(float *out, float *scratch, const float *qkv, size_t n, size_t heads,
                               size_t d) {
  size_t width = heads * d, row = 3 * width;
  burl_status status = BURL_OK;
  for (size_t h = 0; h < heads && status == BURL_OK; h++)
    for (size_t i = 0; i < n && status == BURL_OK; i += BLOCK) {
      const float *q = qkv + i * row + h * d, *k = qkv + width + h * d, *v = k + width;
      status = attend(out + i * width + h * d, width, scratch, q, k, v, row,
                      n - i < BLOCK ? n - i : BLOCK, n, d);
    }
  return status;
}
