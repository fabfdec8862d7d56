/* base/xxh64.h: a 64-bit hash of bytes. */
#ifndef BURL_BASE_XXH64_H
#define BURL_BASE_XXH64_H

#include <stddef.h>
#include <stdint.h>

/* XXH64 of size bytes under a seed. The same on every machine. */
uint64_t burl_xxh64(const void *bytes, size_t size, uint64_t seed);

#endif
