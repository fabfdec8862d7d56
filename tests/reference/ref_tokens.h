/* What transformers do to tokens by its formulas, in double. */
#ifndef BURL_TESTS_REF_TOKENS_H
#define BURL_TESTS_REF_TOKENS_H

#include <stddef.h>

/* v Phi(v). */
double ref_gelu(double v);

/* y (d) = (x - mean x) / sqrt(variance x + eps) gain + bias. */
void ref_layer_norm(double *y, const float *x, const float *gain, const float *bias, double eps,
                    size_t d);

/* out (n, heads*d): softmax(Q K^T / sqrt(d)) V by heads, qkv (n, 3*heads*d). */
void ref_attention(double *out, const float *qkv, size_t n, size_t heads, size_t d);

#endif
