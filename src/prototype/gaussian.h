/* prototype/gaussian.h: the inside of a bank of Gaussians, shared by fitting and scoring. */
#ifndef BURL_PROTOTYPE_GAUSSIAN_H
#define BURL_PROTOTYPE_GAUSSIAN_H

#include "prototype/bank.h"

#define BURL_GAUSSIAN_SIDE 16        /* G, at most */
#define BURL_GAUSSIAN_DIMENSIONS 100 /* m, at most */

typedef struct burl_gaussian {
  burl_bank base; /* a cell each: prototypes are the means, positions the middles of the cells */
  size_t side;    /* G */
  size_t m;       /* dimensions compared: d, or a random hundred of them */
  uint32_t *dims; /* (m) which, ascending */
  float *whiten;  /* (cells,m,m) W, symmetric, W W = inverse of the covariance */
  float *packed;  /* the same in blocks of columns, row by row */
} burl_gaussian;

/* A bank of side^2 cells that compares the first m dimensions, all else zero. Errors:
 * BURL_ERR_SIZE, BURL_ERR_MEMORY. */
burl_status burl_gaussian_new(burl_gaussian **bank, size_t side, size_t d,
                              burl_spatial spatial) BURL_MUST_CHECK;
/* To be called once whiten is there. */
void burl_gaussian_finish(burl_gaussian *self);
/* The cell of position i of (n,2): places beyond the image belong to its edge, phases wrap. */
size_t burl_gaussian_find_cell(const burl_gaussian *self, const float *positions, size_t i);

#endif
