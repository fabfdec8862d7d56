/* num/panels.h: points laid out for searches by products in many dimensions.
 *
 * Searches here give what differences give: the squared distance of x and p is
 * burl_square_of(x, p), and the nearest point the first one where it is least. Products only say
 * which points cannot be it. So results depend neither on the machine nor on how rows are split
 * into calls. */
#ifndef BURL_NUM_PANELS_H
#define BURL_NUM_PANELS_H

#include "num/dot_tile.h"

/* The points less `centre` lie in panels of BURL_PANEL, panel[(j / 32 * d + t) * 32 + j % 32], and
 * as they are in `rows`. Lanes past the last point are 0, and their squares are infinite. */
typedef struct burl_panels {
  size_t count, d;
  float radius;         /* at least the length of every point less the centre; may be infinite */
  const float *centre;  /* (d) */
  const float *squares; /* squared lengths, infinite for lanes past the last point */
  const float *panels;
  const float *rows; /* (count,d) */
} burl_panels;

/* |x-p|^2 in float: sixteen sums, of the dimensions with equal remainder by 16, then the upper half
 * of the sums added to the lower one four times. */
float burl_square_of(const float *x, const float *p, size_t d);

/* Writes point j into panels and squares; gives what the radius has to be for it. */
float burl_panel_put(float *panels, float *squares, size_t j, const float *point,
                     const float *centre, size_t d);
/* An empty panel: all lanes past the last point. */
void burl_panel_clear(float *panels, float *squares, size_t panel, size_t d);
/* The mean of points (n,d), each dimension rounded once. */
void burl_panel_centre(float *centre, const float *points, size_t n, size_t d);

/* For each row of x (.,d), squared = min(squared, least squared distance to the points in panels
 * from..count), and nearest (may be NULL) the first point at it where it became less. `which` (n)
 * picks rows of x, squared and nearest; NULL: the first n. What is not below the old value, such
 * as a NaN, changes nothing. Allocates nothing; 270 KiB of stack. */
void burl_panels_lower(float *squared, uint32_t *nearest, const float *x, const uint32_t *which,
                       size_t n, const burl_panels *points, size_t from);

/* cost (n,count), leading dimension ldc: squared distances by products, by differences where
 * products cancel or would overflow; never below 0. */
void burl_panels_distances(float *cost, size_t ldc, const float *x, size_t n,
                           const burl_panels *points);

#endif
