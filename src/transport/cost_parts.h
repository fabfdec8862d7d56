/* transport/cost_parts.h: what a cost is made of.
 *
 * A term gives raw values T in units of its own, by blocks of BURL_COST_BLOCK rows; the cost scales
 * and adds them. Blocks always start at multiples of BURL_COST_BLOCK: how BLAS rounds may depend on
 * the number of rows of a product, and so an entry is computed in the same product every time.
 */
#ifndef BURL_TRANSPORT_COST_PARTS_H
#define BURL_TRANSPORT_COST_PARTS_H

#include <burl/transport_cost.h>

#define BURL_COST_BLOCK 256

/* X and Y made ready for squared distances, of themselves or of their directions (cosine), see
 * cost_points.c. Squared distances come in units of unit^2. */
typedef struct burl_cost_points {
  const float *X, *Y; /* borrowed */
  size_t n, m, d;
  int cosine, by_differences;
  double unit;          /* a power of 2; 1 for cosine */
  double *centre;       /* d: what is subtracted before the product */
  float *y;             /* ready: (m,d), or packed for differences */
  float *y_squares;     /* m */
  double *y_inverse;    /* m: 1 / unit, or 1 / |y_j| (0 for a zero vector) */
  float *x, *x_squares; /* of a block of rows */
  double *x_inverse;
} burl_cost_points;

burl_status burl_cost_points_new(burl_cost_points *points, int cosine, burl_cost_form form,
                                 const float *X, size_t n, const float *Y, size_t m, size_t d);
void burl_cost_points_free(burl_cost_points *points);
/* Squared distances of rows first.. (count <= BURL_COST_BLOCK) into block, leading dimension ld.
 * For cosine they are 1 - cos instead. */
void burl_cost_points_rows(burl_cost_points *points, float *block, size_t ld, size_t first,
                           size_t count);

/* Positions, with a reduced lattice or without. */
typedef struct burl_cost_places {
  const float *x, *y; /* borrowed */
  size_t m;
  int periodic;
  double u[2], v[2];     /* |u| <= |v|, |<u,v>| <= |u|^2 / 2 */
  double inverse[4];     /* rows give the coordinates in u and v */
  double *across, *down; /* m: y apart */
} burl_cost_places;

burl_status burl_cost_places_new(burl_cost_places *places, const burl_cost_term *term, size_t n,
                                 size_t m);
void burl_cost_places_free(burl_cost_places *places);
void burl_cost_places_rows(const burl_cost_places *places, float *block, size_t ld, size_t first,
                           size_t count);
/* At least the largest distance. */
double burl_cost_places_bound(const burl_cost_places *places, size_t n);

/* At least max |C|, finite. */
double burl_cost_get_bound(const burl_cost *cost);
/* burl_cost_rows for a block that starts at a multiple of BURL_COST_BLOCK and is as long as can be;
 * it cannot fail. */
void burl_cost_whole_block(burl_cost *cost, float *block, size_t ld, size_t first);
/* The same into memory of the cost, packed; stays until the cost is asked for anything else. */
const float *burl_cost_scratch_block(burl_cost *cost, size_t first);

#endif
