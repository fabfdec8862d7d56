/* Convolution as a matrix product: blocks of output cells, their inputs side by side, times the
 * weights, which are packed once (num/packed.h). A block's inputs stay in the second-level cache.
 * 3 x 3 at stride 1 goes by num/winograd.h: a ResNet-18 to layer 3, 256 x 256, then takes 42 ms and
 * not 66 (one thread, AVX2). */
#include "num/conv.h"

#include "num/packed.h"
#include "num/simd.h"
#include "num/winograd.h"

#include <string.h>

enum { BLOCK = 192 };

static int is_fast(const burl_conv *conv) {
  return conv->side == 3 && conv->stride == 1;
}

size_t burl_conv_prepared_size(const burl_conv *conv) {
  if (is_fast(conv)) return burl_winograd_weights_size(conv->in, conv->out);
  return burl_num_packed_size(conv->out, conv->side * conv->side * conv->in);
}

void burl_conv_prepare(const burl_conv *conv, const float *weight, float *scratch) {
  if (is_fast(conv))
    burl_winograd_transform(conv->prepared, weight, conv->in, conv->out, scratch);
  else
    burl_num_pack_columns(conv->prepared, weight, conv->out, conv->out,
                          conv->side * conv->side * conv->in);
}

size_t burl_conv_extent(const burl_conv *conv, size_t extent) {
  return (extent + 2 * ((conv->side - 1) / 2) - conv->side) / conv->stride + 1;
}

size_t burl_conv_scratch(const burl_conv *conv) {
  if (is_fast(conv)) return burl_winograd_scratch(conv->in, conv->out);
  return BLOCK * conv->side * conv->side * conv->in;
}

/* The inputs of output cells first..first+count-1, a row each. */
static void gather(float *block, const burl_conv *conv, const float *in, size_t rows, size_t cols,
                   size_t first, size_t count) {
  size_t wide = burl_conv_extent(conv, cols), pad = (conv->side - 1) / 2, d = conv->in;
  for (size_t i = first; i < first + count; i++) {
    size_t y = i / wide * conv->stride, x = i % wide * conv->stride;
    for (size_t ky = 0; ky < conv->side; ky++)
      for (size_t kx = 0; kx < conv->side; kx++, block += d) {
        size_t at_y = y + ky - pad, at_x = x + kx - pad; /* wraps around below 0 */
        if (at_y < rows && at_x < cols)
          memcpy(block, in + (at_y * cols + at_x) * d, d * sizeof *block);
        else
          memset(block, 0, d * sizeof *block);
      }
  }
}

BURL_CLONES
static void finish(float *restrict out, const float *restrict bias, const float *restrict residual,
                   int relu, size_t count, size_t d) {
  for (size_t i = 0; i < count; i++)
    for (size_t t = 0; t < d; t++) {
      float v = out[i * d + t] + bias[t];
      if (residual) v += residual[i * d + t];
      out[i * d + t] = relu && v < 0.0f ? 0.0f : v;
    }
}

void burl_conv_run(const burl_conv *conv, float *out, const float *in, size_t rows, size_t cols,
                   const float *residual, int relu, float *scratch) {
  if (is_fast(conv)) {
    burl_winograd_run(out, in, rows, cols, conv->in, conv->out, conv->prepared, conv->bias,
                      residual, relu, scratch);
    return;
  }
  size_t cells = burl_conv_extent(conv, rows) * burl_conv_extent(conv, cols);
  size_t depth = conv->side * conv->side * conv->in, d = conv->out;
  int direct = conv->side == 1 && conv->stride == 1;
  for (size_t first = 0; first < cells; first += BLOCK) {
    size_t count = cells - first < BLOCK ? cells - first : BLOCK;
    const float *block = direct ? in + first * depth : scratch;
    if (!direct) gather(scratch, conv, in, rows, cols, first, count);
    burl_num_packed_product(out + first * d, d, block, depth, conv->prepared, count, d, depth, 0);
    finish(out + first * d, conv->bias, residual ? residual + first * d : NULL, relu, count, d);
  }
}

BURL_CLONES
static void raise(float *restrict out, const float *restrict in, size_t d) {
  for (size_t t = 0; t < d; t++)
    out[t] = in[t] > out[t] ? in[t] : out[t];
}

void burl_pool_largest(float *out, const float *in, size_t rows, size_t cols, size_t d) {
  size_t high = (rows + 1) / 2, wide = (cols + 1) / 2;
  for (size_t i = 0; i < high; i++)
    for (size_t j = 0; j < wide; j++) {
      float *cell = out + (i * wide + j) * d;
      memcpy(cell, in + (2 * i * cols + 2 * j) * d, d * sizeof *cell);
      for (size_t y = i > 0 ? 2 * i - 1 : 0; y <= 2 * i + 1 && y < rows; y++)
        for (size_t x = j > 0 ? 2 * j - 1 : 0; x <= 2 * j + 1 && x < cols; x++)
          raise(cell, in + (y * cols + x) * d, d);
    }
}
