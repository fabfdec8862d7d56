/* Checked sizes, aligned allocation and the arena. */
#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int burl_size_mul(size_t *product, size_t a, size_t b) {
  if (b != 0 && a > SIZE_MAX / b) return 0;
  *product = a * b;
  return 1;
}

/* bytes rounded up to whole alignments, at least one; 0 where no object can be so large */
static size_t round_up(size_t bytes) {
  if (bytes == 0) return BURL_ALIGNMENT;
  if (bytes > PTRDIFF_MAX - BURL_ALIGNMENT) return 0;
  return (bytes + BURL_ALIGNMENT - 1) / BURL_ALIGNMENT * BURL_ALIGNMENT;
}

void *burl_alloc(size_t count, size_t size) {
  size_t bytes;
  if (!burl_size_mul(&bytes, count, size)) return NULL;
  bytes = round_up(bytes);
  return bytes ? aligned_alloc(BURL_ALIGNMENT, bytes) : NULL;
}

void *burl_alloc_zero(size_t count, size_t size) {
  void *block = burl_alloc(count, size);
  if (block) memset(block, 0, count * size);
  return block;
}

int burl_grow(void *array, size_t *room, size_t count, size_t size) {
  void *old, *more;
  if (count < *room) return 1;
  size_t wanted = *room ? 2 * *room : 64;
  more = burl_alloc(wanted, size);
  if (!more) return 0;
  memcpy(&old, array, sizeof old);
  if (count > 0) memcpy(more, old, count * size);
  free(old);
  memcpy(array, &more, sizeof more);
  *room = wanted;
  return 1;
}

void *burl_copy(const void *bytes, size_t size) {
  void *block = burl_alloc(size, 1);
  if (block && size) memcpy(block, bytes, size);
  return block;
}

char *burl_copy_text(const char *text) {
  return burl_copy(text, strlen(text) + 1);
}

void burl_arena_reserve(burl_arena *arena, size_t count, size_t size) {
  size_t bytes;
  bytes = burl_size_mul(&bytes, count, size) ? round_up(bytes) : 0;
  if (bytes == 0 || arena->size > SIZE_MAX - 1 - bytes)
    arena->size = SIZE_MAX;
  else
    arena->size += bytes;
}

int burl_arena_open(burl_arena *arena) {
  arena->used = 0;
  arena->block = arena->size == SIZE_MAX ? NULL : burl_alloc(arena->size, 1);
  return arena->block != NULL;
}

void *burl_arena_take(burl_arena *arena, size_t count, size_t size) {
  size_t bytes;
  bytes = burl_size_mul(&bytes, count, size) ? round_up(bytes) : 0;
  const int reserved = arena->block && bytes > 0 && bytes <= arena->size - arena->used;
  assert(reserved);
  if (!reserved) return NULL;
  void *array = arena->block + arena->used;
  arena->used += bytes;
  return array;
}

void burl_arena_close(burl_arena *arena) {
  free(arena->block);
  *arena = (burl_arena){0};
}
