/* base/memory.h: checked sizes, aligned allocation, and an arena for workspaces. */
#ifndef BURL_BASE_MEMORY_H
#define BURL_BASE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#define BURL_ALIGNMENT 64 /* a cache line, and the widest vector register */

/* *product = a*b; returns 0 where it does not fit. */
int burl_size_mul(size_t *product, size_t a, size_t b);

/* count*size bytes, aligned to BURL_ALIGNMENT, freed with free(). NULL where there is no memory or
 * the product does not fit. A request of 0 bytes gives a valid pointer. */
void *burl_alloc(size_t count, size_t size) __attribute__((malloc, warn_unused_result));
/* The same, set to zero. */
void *burl_alloc_zero(size_t count, size_t size) __attribute__((malloc, warn_unused_result));
/* Room for one more of `count` entries of `size` bytes: where `room` is used up *array moves to
 * twice of it. 0 where there is no memory; the array is then as it was. */
int burl_grow(void *array, size_t *room, size_t count, size_t size);
/* A copy of `size` bytes, and of a string. */
void *burl_copy(const void *bytes, size_t size) __attribute__((malloc, warn_unused_result));
char *burl_copy_text(const char *text) __attribute__((malloc, warn_unused_result));

/* One block carved into arrays with one lifetime. Ask for the sizes first, then allocate the block,
 * then take the arrays in the same order:
 *   burl_arena a = {0};
 *   burl_arena_reserve(&a, n, sizeof *x); ...
 *   if (!burl_arena_open(&a)) return BURL_ERR_MEMORY;
 *   x = burl_arena_take(&a, n, sizeof *x); ...
 *   burl_arena_close(&a);                                                        */
typedef struct burl_arena {
  unsigned char *block;
  size_t size, used; /* size is SIZE_MAX once a reservation did not fit */
} burl_arena;

void burl_arena_reserve(burl_arena *arena, size_t count, size_t size);
int burl_arena_open(burl_arena *arena); /* 0 where there is no memory */
/* What was not reserved is a mistake in the program: asserted, and NULL without assertions. */
void *burl_arena_take(burl_arena *arena, size_t count, size_t size);
void burl_arena_close(burl_arena *arena);

#endif
