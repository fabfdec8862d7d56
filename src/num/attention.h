/* num/attention.h: softmax attention by heads, without a matrix of all tokens by all tokens. */
#ifndef BURL_NUM_ATTENTION_H
#define BURL_NUM_ATTENTION_H

#include <stddef.h>

/* Floats of scratch that attention over n tokens with heads of width d needs; 0 where they do not
 * fit a size_t. */
size_t burl_num_attention_scratch(size_t n, size_t d);

/* out (n, heads*d): of each head, softmax(Q K^T / sqrt(d)) V. qkv (n, 3*heads*d) holds a row of
 * queries, keys and values for each token, each by heads. out overlaps neither qkv nor scratch. */
void burl_num_attention(float *out, float *scratch, const float *qkv, size_t n, size_t heads,
                        size_t d);

#endif
