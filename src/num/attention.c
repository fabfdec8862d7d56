/* Attention (Vaswani et al. 2017) a head and a block of queries at a time: scores of a block stay
 * in the cache from the product that makes them to the one that uses them, and keys and values are
 * packed once a head. Rows are divided by their sums last, when they are d long and not n. */
#include "num/attention.h"

#include "base/memory.h"
#include "num/packed.h"
#include "num/tokens.h"

#include <math.h>

#define BLOCK 96 /* queries; with 785 keys their scores take 300 KB */

size_t burl_num_attention_scratch(size_t n, size_t d) {
  size_t scores, keys = burl_num_packed_size(n, d), values = burl_num_packed_size(d, n);
  if (!burl_size_mul(&scores, n, BLOCK) || !keys || !values) return 0;
  if (scores > SIZE_MAX / 4 || keys > SIZE_MAX / 4 || values > SIZE_MAX / 4) return 0;
  return BLOCK + scores + keys + values;
}

static void divide_rows(float *out, size_t ld, const float *sums, size_t n, size_t d) {
  for (size_t i = 0; i < n; i++) {
    float scale = 1.0f / sums[i];
    for (size_t j = 0; j < d; j++)
      out[i * ld + j] *= scale;
  }
}

void burl_num_attention(float *out, float *scratch, const float *qkv, size_t n, size_t heads,
                        size_t d) {
  size_t width = heads * d, row = 3 * width;
  float *sums = scratch, *scores = sums + BLOCK, *keys = scores + BLOCK * n;
  float *values = keys + burl_num_packed_size(n, d);
  for (size_t h = 0; h < heads; h++) {
    const float *q = qkv + h * d;
    burl_num_pack_rows(keys, q + width, row, n, d, 1.0f / sqrtf((float)d));
    burl_num_pack_columns(values, q + 2 * width, row, d, n);
    for (size_t i = 0; i < n; i += BLOCK) {
      size_t count = n - i < BLOCK ? n - i : BLOCK;
      float *o = out + i * width + h * d;
      burl_num_packed_product(scores, n, q + i * row, row, keys, count, n, d, 0);
      burl_num_exp_rows(sums, scores, n, count, n);
      burl_num_packed_product(o, width, scores, n, values, count, d, n, 0);
      divide_rows(o, width, sums, count, d);
    }
  }
}
