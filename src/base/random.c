/* Philox-4x32-10: ten rounds of two 32x32->64 multiplications, keys bumped by Weyl constants. */
#include "base/random.h"

#include <math.h>

void burl_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2]) {
  uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
  uint32_t k0 = key[0], k1 = key[1];
  for (int round = 0; round < 10; round++) {
    uint64_t p = (uint64_t)0xD2511F53u * c0, q = (uint64_t)0xCD9E8D57u * c2;
    c0 = (uint32_t)(q >> 32) ^ c1 ^ k0;
    c1 = (uint32_t)q;
    c2 = (uint32_t)(p >> 32) ^ c3 ^ k1;
    c3 = (uint32_t)p;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

uint64_t burl_random_at(uint64_t seed, uint64_t stream, uint64_t index) {
  const uint32_t counter[4] = {(uint32_t)index, (uint32_t)(index >> 32), (uint32_t)stream,
                               (uint32_t)(stream >> 32)};
  const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
  uint32_t out[4];
  burl_philox(out, counter, key);
  return (uint64_t)out[1] << 32 | out[0];
}

burl_random burl_random_start(uint64_t seed, uint64_t stream) {
  return (burl_random){.seed = seed, .stream = stream, .next = 0};
}

uint64_t burl_random_bits(burl_random *random) {
  return burl_random_at(random->seed, random->stream, random->next++);
}

double burl_random_uniform(burl_random *random) {
  return (double)(burl_random_bits(random) >> 11) * 0x1p-53;
}

uint64_t burl_random_below(burl_random *random, uint64_t n) {
  uint64_t reject = (UINT64_MAX - n + 1) % n; /* 2^64 mod n: numbers below it would bias */
  uint64_t bits;
  do
    bits = burl_random_bits(random);
  while (bits < reject);
  return bits % n;
}

double burl_random_normal(burl_random *random) {
  const double tau = 6.283185307179586;
  double radius = sqrt(-2.0 * log(1.0 - burl_random_uniform(random)));
  return radius * cos(tau * burl_random_uniform(random));
}
