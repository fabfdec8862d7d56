/* Packed strings and the map over them: linear probing, at most half full, XXH64 of the key. */
#include "dataset/texts.h"

#include "base/memory.h"
#include "base/xxh64.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE ((size_t)1 << 14)
#define FIRST_SLOTS ((size_t)64)

struct burl_text_block {
  struct burl_text_block *next;
  size_t size, used;
  char bytes[];
};

struct burl_text_slot {
  const char *key; /* NULL: free */
  size_t value;
};

char *burl_texts_take(burl_texts *texts, size_t size) {
  struct burl_text_block *block = texts->blocks;
  if (!block || size > block->size - block->used) {
    size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;
    if (room > SIZE_MAX - sizeof *block) return NULL;
    block = burl_alloc(sizeof *block + room, 1);
    if (!block) return NULL;
    *block = (struct burl_text_block){.next = texts->blocks, .size = room};
    texts->blocks = block;
  }
  char *taken = block->bytes + block->used;
  block->used += size;
  return taken;
}

char *burl_texts_copy(burl_texts *texts, const char *bytes, size_t size) {
  char *copy = burl_texts_take(texts, size + 1);
  if (!copy) return NULL;
  if (size) memcpy(copy, bytes, size);
  copy[size] = '\0';
  return copy;
}

void burl_texts_free(burl_texts *texts) {
  while (texts->blocks) {
    struct burl_text_block *next = texts->blocks->next;
    free(texts->blocks);
    texts->blocks = next;
  }
}

/* The slot of key, or the free one where it belongs. */
static struct burl_text_slot *find_slot(const burl_text_map *map, const char *key) {
  size_t i = (size_t)burl_xxh64(key, strlen(key), 0);
  for (;; i++) {
    struct burl_text_slot *slot = &map->slots[i & (map->capacity - 1)];
    if (!slot->key || strcmp(slot->key, key) == 0) return slot;
  }
}

static int make_room(burl_text_map *map) {
  if (map->count < map->capacity / 2) return 1;
  burl_text_map larger = {.capacity = map->capacity ? map->capacity * 2 : FIRST_SLOTS};
  larger.slots = burl_alloc_zero(larger.capacity, sizeof *larger.slots);
  if (!larger.slots) return 0;
  for (size_t i = 0; i < map->capacity; i++)
    if (map->slots[i].key) *find_slot(&larger, map->slots[i].key) = map->slots[i];
  free(map->slots);
  map->slots = larger.slots;
  map->capacity = larger.capacity;
  return 1;
}

size_t *burl_text_map_at(burl_text_map *map, const char *key) {
  if (!make_room(map)) return NULL;
  struct burl_text_slot *slot = find_slot(map, key);
  if (!slot->key) {
    slot->key = burl_texts_copy(&map->keys, key, strlen(key));
    if (!slot->key) return NULL;
    map->count++;
  }
  return &slot->value;
}

size_t burl_text_map_find(const burl_text_map *map, const char *key) {
  if (map->count == 0) return 0;
  const struct burl_text_slot *slot = find_slot(map, key);
  return slot->key ? slot->value : 0;
}

void burl_text_map_free(burl_text_map *map) {
  free(map->slots);
  burl_texts_free(&map->keys);
  *map = (burl_text_map){0};
}

void *burl_grown(void *array, size_t count, size_t *capacity, size_t size) {
  if (count < *capacity) return array;
  size_t wanted = *capacity ? *capacity : 16, bytes;
  if (!burl_size_mul(&wanted, wanted, 2) || !burl_size_mul(&bytes, wanted, size)) return NULL;
  void *moved = realloc(array, bytes);
  if (moved) *capacity = wanted;
  return moved;
}

static int fold(char c) {
  return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

int burl_text_equal_fold(const char *a, const char *b) {
  while (*a && fold(*a) == fold(*b))
    a++, b++;
  return fold(*a) == fold(*b);
}
