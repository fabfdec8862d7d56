/* XXH64, written from the specification "XXH64 algorithm description" of Y. Collet: four lanes of
 * 64 bits take 32 bytes a round, are merged, take the rest, and are mixed. Not for secrets. Chosen
 * because it is far faster than decoding an image and its 64 bits make a chance collision of two
 * images a matter of 1 in 10^19. Letters: p1..p5 the primes, v the lanes, h the hash. */
#include "base/xxh64.h"

static const uint64_t p1 = 0x9E3779B185EBCA87u, p2 = 0xC2B2AE3D27D4EB4Fu, p3 = 0x165667B19E3779F9u,
                      p4 = 0x85EBCA77C2B2AE63u, p5 = 0x27D4EB2F165667C5u;

static uint64_t rotate(uint64_t x, int bits) {
  return x << bits | x >> (64 - bits);
}

/* Little-endian whatever the machine. */
static uint64_t read_bytes(const unsigned char *at, int count) {
  uint64_t value = 0;
  for (int i = count - 1; i >= 0; i--)
    value = value << 8 | at[i];
  return value;
}

static uint64_t take(uint64_t lane, uint64_t input) {
  return rotate(lane + input * p2, 31) * p1;
}

static uint64_t merge(uint64_t h, uint64_t lane) {
  return (h ^ take(0, lane)) * p1 + p4;
}

static uint64_t take_stripes(const unsigned char *at, size_t stripes, uint64_t seed) {
  uint64_t v[4] = {seed + p1 + p2, seed + p2, seed, seed - p1};
  for (; stripes > 0; stripes--, at += 32)
    for (int i = 0; i < 4; i++)
      v[i] = take(v[i], read_bytes(at + 8 * i, 8));
  uint64_t h = rotate(v[0], 1) + rotate(v[1], 7) + rotate(v[2], 12) + rotate(v[3], 18);
  for (int i = 0; i < 4; i++)
    h = merge(h, v[i]);
  return h;
}

uint64_t burl_xxh64(const void *bytes, size_t size, uint64_t seed) {
  const unsigned char *at = bytes;
  size_t stripes = size / 32, rest = size % 32;
  uint64_t h = (stripes ? take_stripes(at, stripes, seed) : seed + p5) + size;
  if (stripes) at += stripes * 32;
  for (; rest >= 8; rest -= 8, at += 8)
    h = rotate(h ^ take(0, read_bytes(at, 8)), 27) * p1 + p4;
  for (; rest >= 4; rest -= 4, at += 4)
    h = rotate(h ^ read_bytes(at, 4) * p1, 23) * p2 + p3;
  for (; rest > 0; rest--, at++)
    h = rotate(h ^ *at * p5, 11) * p1;
  h = (h ^ h >> 33) * p2;
  h = (h ^ h >> 29) * p3;
  return h ^ h >> 32;
}
