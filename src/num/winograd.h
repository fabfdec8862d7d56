/* num/winograd.h: convolutions of 3 x 3 at stride 1 by Winograd's minimal filtering. */
#ifndef BURL_NUM_WINOGRAD_H
#define BURL_NUM_WINOGRAD_H

#include <stddef.h>

/* Floats of transformed weights, and of scratch memory. */
size_t burl_winograd_weights_size(size_t in, size_t out);
size_t burl_winograd_scratch(size_t in, size_t out);

/* transformed (36, in, out) from weight (3, 3, in, out). */
void burl_winograd_transform(float *transformed, const float *weight, size_t in, size_t out);

/* As burl_conv_run (num/conv.h), within some 1e-6 of the largest value. */
void burl_winograd_run(float *out, const float *in, size_t rows, size_t cols, size_t d_in,
                       size_t d_out, const float *transformed, const float *bias,
                       const float *residual, int relu, float *scratch);

#endif
