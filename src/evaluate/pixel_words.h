/* evaluate/pixel_words.h: a list of 32-bit words in blocks of a fixed size, so that memory grows
 * with the words and never doubles for a moment. */
#ifndef BURL_EVALUATE_PIXEL_WORDS_H
#define BURL_EVALUATE_PIXEL_WORDS_H

#include <burl/base.h>

#define BURL_BLOCK_WORDS ((size_t)1 << 18)

typedef struct burl_word_block {
  struct burl_word_block *next;
  size_t used; /* words */
  uint32_t words[BURL_BLOCK_WORDS];
} burl_word_block;

/* Words are written into `current`; the blocks behind it are empty. {0} is an empty list. */
typedef struct burl_word_list {
  burl_word_block *first, *current, *last;
  size_t used, room; /* words, over all blocks */
} burl_word_list;

void burl_words_free(burl_word_list *list);
/* Makes room for n more words. On failure the list may have more room, but the same content. */
burl_status burl_words_reserve(burl_word_list *list, size_t n) BURL_MUST_CHECK;
/* Takes at most `wanted` (> 0) reserved words that lie together, at least one, and says how many;
 * an even number where only even numbers were ever wanted. */
uint32_t *burl_words_take(burl_word_list *list, size_t wanted, size_t *taken);
/* Copies all words. */
void burl_words_gather(uint32_t *words, const burl_word_list *list);

/* A place in a list, from which on words are read in their order: {list.first} is the begin. */
typedef struct burl_word_place {
  const burl_word_block *block;
  size_t at;
} burl_word_place;

/* The next at most `wanted` (> 0) words that lie together; there must be that many still. */
const uint32_t *burl_words_next(burl_word_place *place, size_t wanted, size_t *got);

#endif
