/* num/tokens.h: what a transformer does to its tokens between matrix products. Rows are tokens and
 * lie packed. */
#ifndef BURL_NUM_TOKENS_H
#define BURL_NUM_TOKENS_H

#include <stddef.h>

/* y (n,d) = (x - mean) / sqrt(variance + eps) * gain + bias, a row at a time; gain and bias (d). y
 * may be x. */
void burl_num_layer_norm(float *y, const float *x, const float *gain, const float *bias, float eps,
                         size_t n, size_t d);

/* x (n,d) = gelu(x + bias), gelu(v) = v Phi(v) with the normal distribution Phi, not one of its
 * approximations by tanh or a logistic curve: within 1e-6 of it, and within 2e-6 of its size where
 * v > -5. */
void burl_num_bias_gelu(float *x, const float *bias, size_t n, size_t d);

/* x (n,d) += gain * (y + bias); gain and bias (d). */
void burl_num_add_branch(float *x, const float *y, const float *gain, const float *bias, size_t n,
                         size_t d);

/* x (n,d) = y + v, v (d) to each row. */
void burl_num_add_rows(float *x, const float *y, const float *v, size_t n, size_t d);

/* n rows, each the vector v (d). */
void burl_num_repeat_row(float *rows, const float *v, size_t n, size_t d);

/* s (n,m), rows ld apart, becomes exp(s - the largest of its row); sums (n) get what rows add up
 * to. m >= 1. */
void burl_num_exp_rows(float *sums, float *s, size_t ld, size_t n, size_t m);

#endif
