/* prototype/centres.h: points chosen one after the other, ready to be searched. */
#ifndef BURL_PROTOTYPE_CENTRES_H
#define BURL_PROTOTYPE_CENTRES_H

#include "base/memory.h"

/* Point blocks up to BURL_POINT_FEW_DIMENSIONS, panels around the mean of all points above. */
typedef struct burl_centres {
  size_t count, d;
  float *packed;
  float *squares, *rows, *mean; /* panels alone */
  float radius;
} burl_centres;

/* Reserves room for k centres, or takes it where the arena is open; begins with none. */
void burl_centres_place(burl_centres *centres, burl_arena *arena, size_t k, size_t d);
void burl_centres_add(burl_centres *centres, const float *point);

/* Centres that share a block or a panel are searched together. */
size_t burl_centres_unit(const burl_centres *centres);
/* For the points which[0..n) of points (.,d): least = min(least, squared distance to the centres
 * from number unit * burl_centres_unit on). */
void burl_centres_lower(const burl_centres *centres, float *least, const float *points,
                        const uint32_t *which, size_t n, size_t unit);

#endif
