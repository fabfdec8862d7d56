/* Pyramids and pooled filter energies by their definitions, sample by sample, in double. */
#ifndef BURL_TESTS_REF_TEXTURE_H
#define BURL_TESTS_REF_TEXTURE_H

#include <stddef.h>

/* out ((h+1)/2, (w+1)/2): the sum of 25 weighted samples of in (h,w) around every other one. */
void ref_pyramid_down(double *out, const float *in, size_t h, size_t w);

/* out (h,w): in ((h+1)/2, (w+1)/2) looked up bilinearly at (y/2, x/2). */
void ref_pyramid_up(double *out, const float *in, size_t h, size_t w);

/* Cells along a side of n samples for responses every `step`, cells every `cell` responses and
 * boxes of `box`; [first,last] are those with 45 % of their box's responses; 0 where there is none.
 */
size_t ref_pooling_cells(size_t n, size_t step, size_t cell, size_t box, size_t *first,
                         size_t *last);

/* out (13): the twelve energies and the mean of cell (row,col) of a level (h,w); filters (25,12).
 * The level must have cells with enough support. */
void ref_filter_cell(double *out, const float *level, size_t h, size_t w, const float *filters,
                     size_t step, size_t cell, size_t box, size_t row, size_t col);

#endif
