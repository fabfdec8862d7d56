/* The linker sends malloc and its kin here (-Wl,--wrap): counts them, and lets one fail. */
#include "failing.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

static atomic_int watching;
static atomic_long made, fail_at = -1;

void fail_allocation_after(long count) {
  made = 0;
  fail_at = count;
  watching = 1;
}

long stop_failing(void) {
  watching = 0;
  return made;
}

static int fails(void) {
  if (!watching || atomic_fetch_add(&made, 1) != fail_at) return 0;
  errno = ENOMEM;
  return 1;
}

void *__wrap_malloc(size_t size) {
  return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size) {
  return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size) {
  return fails() ? NULL : __real_realloc(block, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size) {
  return fails() ? NULL : __real_aligned_alloc(alignment, size);
}
