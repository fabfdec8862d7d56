/* Lists of words in blocks. */
#include "evaluate/pixel_words.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

void burl_words_free(burl_word_list *list) {
  for (burl_word_block *next, *b = list->first; b; b = next) {
    next = b->next;
    free(b);
  }
  *list = (burl_word_list){0};
}

burl_status burl_words_reserve(burl_word_list *list, size_t n) {
  while (list->room < n) {
    burl_word_block *b = burl_alloc(1, sizeof *b);
    if (!b) return BURL_ERR_MEMORY;
    b->next = NULL;
    b->used = 0;
    if (list->last)
      list->last->next = b;
    else
      list->first = list->current = b;
    list->last = b;
    list->room += BURL_BLOCK_WORDS;
  }
  return BURL_OK;
}

uint32_t *burl_words_take(burl_word_list *list, size_t wanted, size_t *taken) {
  if (list->current->used == BURL_BLOCK_WORDS) list->current = list->current->next;
  burl_word_block *b = list->current;
  size_t left = BURL_BLOCK_WORDS - b->used;
  *taken = wanted < left ? wanted : left;
  uint32_t *words = b->words + b->used;
  b->used += *taken;
  list->used += *taken;
  list->room -= *taken;
  return words;
}

void burl_words_gather(uint32_t *words, const burl_word_list *list) {
  for (const burl_word_block *b = list->first; b && b->used; b = b->next) {
    memcpy(words, b->words, b->used * sizeof *b->words);
    words += b->used;
  }
}

const uint32_t *burl_words_next(burl_word_place *place, size_t wanted, size_t *got) {
  if (place->at == place->block->used) {
    place->block = place->block->next;
    place->at = 0;
  }
  size_t left = place->block->used - place->at;
  *got = wanted < left ? wanted : left;
  const uint32_t *words = place->block->words + place->at;
  place->at += *got;
  return words;
}
