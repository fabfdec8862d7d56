/* num/simd.h: portable vectors of eight floats, and functions compiled once per instruction set.
 *
 * BURL_CLONES before a function makes the compiler emit it for several instruction sets and pick
 * one when the program is loaded. Every lane does the same IEEE operations in the same order and
 * nothing is contracted, so all clones give the same bytes.
 */
#ifndef BURL_NUM_SIMD_H
#define BURL_NUM_SIMD_H

#include <stdint.h>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__SANITIZE_ADDRESS__) && defined(NDEBUG)
#define BURL_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define BURL_CLONES
#endif

/* A part of a cloned function: must end up inside it, or it would be compiled for the least
 * machine. */
#define BURL_INLINE static inline __attribute__((always_inline))

#define BURL_LANES 8

/* Loads and stores through these types may be unaligned and may alias floats. */
typedef float burl_lanes __attribute__((vector_size(32), aligned(4), may_alias));
typedef int32_t burl_lanes_int __attribute__((vector_size(32), aligned(4), may_alias));

#endif
