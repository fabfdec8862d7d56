/* synth/figure.h: the shapes that a print is made of. */
#ifndef BURL_SYNTH_FIGURE_H
#define BURL_SYNTH_FIGURE_H

typedef enum burl_shape {
  BURL_SHAPE_DISC,
  BURL_SHAPE_RING,
  BURL_SHAPE_STAR,
  BURL_SHAPE_CROSS,
  BURL_SHAPE_LEAF,
  BURL_SHAPE_FLOWER,
  BURL_SHAPE_CRESCENT,
  BURL_SHAPE_DIAMOND,
  BURL_SHAPE_COUNT,
} burl_shape;

/* The distance of (x, y) from the outline of a shape of radius 1 about (0, 0): negative inside,
 * exact near smooth edges, a lower bound elsewhere. No shape reaches beyond radius 1, and outside
 * it the distance is at least sqrt(x^2 + y^2) - 1. */
float burl_figure_distance(burl_shape shape, float x, float y);

#endif
