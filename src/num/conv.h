/* num/conv.h: convolutions of feature maps, channels last. */
#ifndef BURL_NUM_CONV_H
#define BURL_NUM_CONV_H

#include <burl/base.h>

/* out_c (y,x) = bias_c + sum_{ky,kx,t} weight(ky,kx,t,c) in_t (y*stride + ky - padding, ...), 0
 * outside, padding (side-1)/2. */
typedef struct burl_conv {
  size_t in, out, side, stride;
  float *weight;      /* (side, side, in, out) */
  float *transformed; /* of a 3 x 3 at stride 1 what num/winograd.h makes of them; NULL: not used */
  float *bias;        /* (out) */
} burl_conv;

/* Rows or columns that come out of so many. */
size_t burl_conv_extent(const burl_conv *conv, size_t extent);

/* Floats of scratch memory. */
size_t burl_conv_scratch(const burl_conv *conv);

/* out (rows', cols', out) from in (rows, cols, in); then residual (as out, may be NULL) is added,
 * and where relu is not 0 what is below 0 becomes 0. out is neither in nor residual. */
void burl_conv_run(const burl_conv *conv, float *out, const float *in, size_t rows, size_t cols,
                   const float *residual, int relu, float *scratch);

/* out (rows', cols', d) = largest of 3 x 3 at stride 2, padding 1. */
void burl_pool_largest(float *out, const float *in, size_t rows, size_t cols, size_t d);

#endif
