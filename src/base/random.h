/* base/random.h: counter-based random numbers: the same key and counter, the same number, in any
 * order and on any thread. Philox-4x32-10 (Salmon et al., Parallel Random Numbers: As Easy as 1, 2,
 * 3, SC 2011).
 */
#ifndef BURL_BASE_RANDOM_H
#define BURL_BASE_RANDOM_H

#include <stdint.h>

/* Four independent 32-bit numbers of a counter (4) under a key (2). */
void burl_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2]);

/* 64 random bits that belong to (seed, stream, index): for sampling by hash. */
uint64_t burl_random_at(uint64_t seed, uint64_t stream, uint64_t index);

/* A sequence of its own for (seed, stream). */
typedef struct burl_random {
  uint64_t seed, stream, next;
} burl_random;

burl_random burl_random_start(uint64_t seed, uint64_t stream);
uint64_t burl_random_bits(burl_random *random);
/* Uniform in [0,1), 53 bits. */
double burl_random_uniform(burl_random *random);
/* Uniform in 0..n-1, n >= 1, without bias. */
uint64_t burl_random_below(burl_random *random, uint64_t n);
/* Standard normal (Box-Muller, one number a call). */
double burl_random_normal(burl_random *random);

#endif
