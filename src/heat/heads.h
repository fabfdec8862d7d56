/* heat/heads.h: matched heads: several weightings of a model's groups, fused into one map.
 *
 * A head h is a map of its own: with z_g the standardised distances of group g on the common grid,
 *   s_h = G_sigma_h * sum_g w_hg z_g              (G_sigma a Gaussian, * a convolution)
 *   u_h = (s_h - typical_h) / deviation_h
 * where typical is what a tenth of the cells of good images exceed and deviation their standard
 * deviation. With e the head of equal weights, the fused map is
 *   u = (1 - share) max_{h != e} u_h + share u_e,
 * and the largest named head says what kind of defect a place shows. docs/math/heads.md.
 */
#ifndef BURL_HEAT_HEADS_H
#define BURL_HEAT_HEADS_H

#include "heat/heat_map.h"
#include <burl/heat.h>

enum { BURL_MOST_HEADS = BURL_KIND_COUNT };
#define BURL_HEADS_EQUAL_SHARE 0.3

typedef struct burl_head {
  burl_kind kind;                /* BURL_KIND_NONE: equal weights, for what is like nothing known */
  float weight[BURL_MAX_GROUPS]; /* 0 and above */
  double sigma;                  /* pixels */
  double typical, deviation;
  double equal_ap, ap; /* on held-out good images with synthetic defects of its kind: of equal
                          weights, of its own */
} burl_head;

typedef struct burl_heads {
  size_t count;   /* 0: the plain sum of the groups, smoothed by BURL_HEAT_SIGMA; or 2 and more, of
                     which the last is that of equal weights and has no name */
  size_t dropped; /* heads behind these that were matched and do not help: kept to be told of */
  burl_head head[BURL_MOST_HEADS];
} burl_heads;

/* grid <- the smoothed weighted sum s_h of the groups' grids: group g's begin at groups + g*cells,
 * cells = rows*cols of grid. */
void burl_head_add_up(burl_heat_grid *grid, float *scratch, const burl_head *head,
                      const float *groups, size_t count);

/* grid <- u; kinds (rows, cols) <- the kind of the largest named head, may be NULL.
 * spare (3, rows, cols) is worked in. heads->count is not 0. */
void burl_heads_fuse(burl_heat_grid *grid, unsigned char *kinds, float *spare,
                     const burl_heads *heads, const float *groups, size_t count);

/* kinds[y*ld + x] at every pixel of `core`: those of the nearest cell of a grid. */
void burl_kinds_expand(unsigned char *kinds, size_t ld, const unsigned char *cells,
                       const burl_heat_grid *grid, burl_rect core);

#endif
