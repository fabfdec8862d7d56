/* encode/filter_bank.h: energies of a bank of 5 x 5 filters, pooled over boxes, on a regular grid.
 *
 * For a level image x and filters w_f: r_f = w_f * x, e_f = sqrt(max(1e-4, box mean |r_f|)), and
 * m = 4 box mean of x. Only responses whose 5 x 5 support lies inside the level are averaged; a
 * cell whose box holds too few of them on either axis (less than 45 %) copies the nearest cell that
 * does not.
 */
#ifndef BURL_ENCODE_FILTER_BANK_H
#define BURL_ENCODE_FILTER_BANK_H

#include <stddef.h>

#define BURL_FILTER_COUNT 12
#define BURL_FILTER_SIDE 5
#define BURL_FILTER_TAPS 25
#define BURL_TEXTURE_DIM 13 /* filters and the mean */
#define BURL_FILTER_SLACK 7 /* floats past a level's end that are read, and not used */

/* Sampling of one level: responses every `step` level pixels, cells every `cell` responses, boxes
 * of `box` (odd) x `box` responses centred on the cells. */
typedef struct burl_pooling {
  size_t step, cell, box;
} burl_pooling;

/* Number of cells along a side of n level pixels, and the range [first,last] of cells with enough
 * support; returns 0 where there is none. */
size_t burl_pooling_cells(const burl_pooling *pooling, size_t n, size_t *first, size_t *last);

/* Floats of scratch that burl_filter_bank_pool needs for levels up to width. */
size_t burl_filter_bank_scratch(size_t width);

/* One row of pooled cells at a time, planes (13, cols) with leading dimension ld: energies and mean
 * of cell row `row`, computed for columns first..last and copied to the others. Rows must be asked
 * for in rising order with `begin` before the first. level (height,width) with BURL_FILTER_SLACK
 * readable floats after it, filters (25,12). */
typedef struct burl_filter_bank {
  const float *level, *filters;
  size_t height, width;
  burl_pooling pooling;
  float *scratch;
  size_t responses, next; /* responses in a row; the next response row to be filtered */
} burl_filter_bank;

void burl_filter_bank_begin(burl_filter_bank *bank, const float *level, size_t height, size_t width,
                            const float *filters, const burl_pooling *pooling, float *scratch);
void burl_filter_bank_pool(burl_filter_bank *bank, float *planes, size_t ld, size_t row);

#endif
