#include "ref_conv.h"

static double at(const burl_conv *conv, const float *in, size_t rows, size_t cols, size_t y,
                 size_t x, size_t c) {
  long pad = ((long)conv->side - 1) / 2;
  double sum = (double)conv->bias[c];
  for (size_t ky = 0; ky < conv->side; ky++)
    for (size_t kx = 0; kx < conv->side; kx++) {
      long i = (long)(y * conv->stride + ky) - pad, j = (long)(x * conv->stride + kx) - pad;
      if (i < 0 || j < 0 || i >= (long)rows || j >= (long)cols) continue;
      for (size_t t = 0; t < conv->in; t++)
        sum += (double)conv->weight[((ky * conv->side + kx) * conv->in + t) * conv->out + c] *
               (double)in[((size_t)i * cols + (size_t)j) * conv->in + t];
    }
  return sum;
}

void ref_conv(double *out, const burl_conv *conv, const float *in, size_t rows, size_t cols,
              const float *residual, int relu) {
  size_t high = burl_conv_extent(conv, rows), wide = burl_conv_extent(conv, cols);
  for (size_t i = 0; i < high * wide * conv->out; i++) {
    size_t cell = i / conv->out;
    out[i] = at(conv, in, rows, cols, cell / wide, cell % wide, i % conv->out);
    if (residual) out[i] += (double)residual[i];
    if (relu && out[i] < 0.0) out[i] = 0.0;
  }
}
