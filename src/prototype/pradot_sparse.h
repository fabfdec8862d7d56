/* prototype/pradot_sparse.h: rows of a kernel of which few entries matter, as lists. */
#ifndef BURL_PROTOTYPE_PRADOT_SPARSE_H
#define BURL_PROTOTYPE_PRADOT_SPARSE_H

#include <stddef.h>
#include <stdint.h>

/* An entry is a word: its column in the low half, the upper half of its float in the high one. */
#define BURL_PRADOT_SPARSE_MOST 65536 /* columns */

/* How many entries have row_j y_j >= cut. */
size_t burl_pradot_count_row(const float *row, const float *y, float cut, size_t m);
/* Writes them in order of columns, and returns how many. m: multiple of BURL_PRADOT_BLOCK. */
size_t burl_pradot_list_row(uint32_t *entries, const float *row, const float *y, float cut,
                            size_t m);
/* Those in columns first..first+width-1, as floats among zeros; and as packed words (see
 * pradot_rows.h; first and width multiples of the block). */
void burl_pradot_unlist_row(float *row, const uint32_t *entries, size_t count, size_t first,
                            size_t width);
void burl_pradot_unlist_words(uint32_t *words, const uint32_t *entries, size_t count, size_t first,
                              size_t width);

/* burl_pradot_packed_rows on lists, at distance ld, of count[i] entries each. */
void burl_pradot_listed_rows(float *r, float *s, const uint32_t *K, size_t ld,
                             const uint32_t *count, size_t rows, const float *y);

/* centres_(j - first) += K_j x / r for the listed columns j in first..first+width-1; centres
 * (width, d), x (d). */
void burl_pradot_add_listed(float *centres, const uint32_t *entries, size_t count, size_t first,
                            size_t width, const float *x, float r, size_t d);

#endif
