/* dataset/texts.h: strings with one lifetime, a map from strings to numbers, arrays that grow. */
#ifndef BURL_DATASET_TEXTS_H
#define BURL_DATASET_TEXTS_H

#include <stddef.h>

/* Strings packed into blocks, freed together. `{0}` is empty. */
typedef struct burl_texts {
  struct burl_text_block *blocks;
} burl_texts;

/* Room for size bytes; a copy of size bytes with a zero after them. NULL where there is no memory.
 */
char *burl_texts_take(burl_texts *texts, size_t size);
char *burl_texts_copy(burl_texts *texts, const char *bytes, size_t size);
void burl_texts_free(burl_texts *texts);

/* A map from strings to numbers, open addressing. `{0}` is empty. */
typedef struct burl_text_map {
  struct burl_text_slot *slots;
  size_t capacity, count;
  burl_texts keys;
} burl_text_map;

/* The number that belongs to key, 0 where the key is new; it may be written until the next call.
 * NULL where there is no memory. */
size_t *burl_text_map_at(burl_text_map *map, const char *key);
/* The number that belongs to key, 0 where there is none. */
size_t burl_text_map_find(const burl_text_map *map, const char *key);
void burl_text_map_free(burl_text_map *map);

/* The array, moved if need be, with room for one element more than count. NULL where there is no
 * memory; the old one then is as it was. */
void *burl_grown(void *array, size_t count, size_t *capacity, size_t size);

/* 1 where two strings are equal but for the case of the letters A to Z, whatever the locale. */
int burl_text_equal_fold(const char *a, const char *b);

#endif
