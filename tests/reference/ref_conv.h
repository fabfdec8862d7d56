/* tests/reference/ref_conv.h: a convolution term by term. */
#ifndef BURL_TESTS_REF_CONV_H
#define BURL_TESTS_REF_CONV_H

#include "num/conv.h"

/* out (rows', cols', out) as num/conv.h says, in double. */
void ref_conv(double *out, const burl_conv *conv, const float *in, size_t rows, size_t cols,
              const float *residual, int relu);

#endif
