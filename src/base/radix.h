/* base/radix.h: sorting scores, highest first.
 *
 * A score travels as a key: a 32-bit number in the same order. NaN has no key.
 */
#ifndef BURL_BASE_RADIX_H
#define BURL_BASE_RADIX_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* a < b as floats exactly when key(a) < key(b); -0.0 and +0.0 have one key. */
static inline uint32_t burl_radix_key(float score) {
  float positive = score + 0.0f; /* turns -0.0 into +0.0 */
  uint32_t bits;
  memcpy(&bits, &positive, sizeof bits);
  return bits ^ ((0u - (bits >> 31)) | 0x80000000u);
}

/* The score of a key. */
static inline float burl_radix_score(uint32_t key) {
  uint32_t bits = key ^ (((key >> 31) - 1u) | 0x80000000u);
  float score;
  memcpy(&score, &bits, sizeof score);
  return score;
}

typedef struct burl_radix_pair {
  uint32_t key, payload;
} burl_radix_pair;

/* Sorts n (below 2^32) keys or pairs so that keys fall; pairs with one key stay in their order.
 * scratch (n) must not overlap. The result is in one of the two arrays, which is returned; the
 * content of the other is then undefined. */
uint32_t *burl_radix_sort_keys(uint32_t *keys, uint32_t *scratch, size_t n);
burl_radix_pair *burl_radix_sort_pairs(burl_radix_pair *pairs, burl_radix_pair *scratch, size_t n);

#endif
