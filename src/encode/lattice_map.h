/* encode/lattice_map.h: the autocorrelation as a map of lags, and the two ways to read a lattice
 * from it.
 */
#ifndef BURL_ENCODE_LATTICE_MAP_H
#define BURL_ENCODE_LATTICE_MAP_H

#include "encode/lattice_parts.h"

enum {
  LAG_SPAN = LATTICE_LAG_WIDTH, /* lags a side of a map, (0,0) in the middle */
  LAG_CELLS = LAG_SPAN * LAG_SPAN,
  LAG_POINTS = 1024 /* most points of a lattice, and most peaks, that are looked at */
};

#define LAG_SAMPLE 2.0      /* pixels */
#define LAG_NOTHING (-2.0f) /* value of a lag of too few pairs */

typedef struct lag {
  double y, x; /* samples */
} lag;

typedef struct lag_point {
  int i, j; /* of the lattice */
  lag t;
  double value;
} lag_point;

typedef struct lag_maps {
  burl_arena arena;
  double *sum[2], *scratch;
  float *coarse, *medium; /* (SPAN, SPAN) rho, blurred; values are shares of the whole variance */
  float *pairs;           /* (SPAN, SPAN) energy of the pairs, in that of lag (0,0) */
  lag_point *points, *peaks; /* (LAG_POINTS) scratch */
  double share;              /* coarse at lag (0,0) */
} lag_maps;

/* From the sums of pass 0. Errors: BURL_ERR_MEMORY. */
burl_status burl_lag_maps_open(lag_maps *maps, const double *statistics) BURL_MUST_CHECK;
void burl_lag_maps_close(lag_maps *maps);

/* Bilinear; LAG_NOTHING where a neighbour is. */
double burl_lag_look(const float *map, double y, double x);
static inline int burl_lag_exists(double value) {
  return value > (double)LAG_NOTHING;
}
/* Climbs from t to a peak of the map nearby; 0 where there is none within `reach` samples. */
int burl_lag_climb(const float *map, lag *t, double reach);
/* The vertex of the parabola through three values, within half a step. */
double burl_lag_vertex(double before, double here, double after);
double burl_lag_length(lag t);
/* Mean of the map over the line in direction d that lies t samples to the side; LAG_NOTHING where
 * too little is known. */
double burl_lag_beside(const float *map, lag d, double t);

/* lattice_stripes.c: *wave in cycles a sample. 0: no stripes. */
int burl_lattice_find_line(lag *wave, const lag_maps *maps);

/* lattice_plane.c: the shorter step first. 0: no lattice of two dimensions. */
int burl_lattice_find_plane(lag basis[2], const lag_maps *maps);

#endif
