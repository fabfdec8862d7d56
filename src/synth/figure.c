/* Shapes as signed distances, made from discs, half planes and their unions and intersections.
 *
 * The distance to a union is the lesser one, to an intersection the greater one. Shapes with five
 * arms are folded into one tenth of a turn by reflections, where a single edge is left.
 */
#include "synth/figure.h"

#include <math.h>

static float disc(float x, float y, float radius) {
  return sqrtf(x * x + y * y) - radius;
}

/* Into the tenth of a turn to the right of the upper axis. */
static void fold_to_fifth(float *x, float *y) {
  const float along = 0.809016994f, across = 0.587785252f; /* cosine and sine of 36 degrees */
  *x = fabsf(*x);
  for (int round = 0; round < 2; round++) {
    float beyond = along * *x - across * *y;
    if (beyond > 0) {
      *x -= 2 * beyond * along;
      *y += 2 * beyond * across;
    }
    *x = fabsf(*x);
  }
}

/* From the tip (0, 1) to the notch at 36 degrees and radius 0.46. */
static float star(float x, float y) {
  const float notch[2] = {0.270381f, 0.372148f};
  fold_to_fifth(&x, &y);
  float ex = notch[0], ey = notch[1] - 1, length = sqrtf(ex * ex + ey * ey);
  return (-ey * x + ex * (y - 1)) / length;
}

/* Petals about an open eye. */
static float flower(float x, float y) {
  float eye = 0.17f - sqrtf(x * x + y * y);
  fold_to_fifth(&x, &y);
  return fmaxf(fminf(disc(x, y - 0.63f, 0.36f), disc(x, y, 0.44f)), eye);
}

static float cross(float x, float y) {
  const float arm = 0.30f, length = 0.95f;
  x = fabsf(x);
  y = fabsf(y);
  float upright = fmaxf(x - arm, y - length), level = fmaxf(x - length, y - arm);
  return fminf(upright, level);
}

/* Two arcs that meet in the tips (0, +-1), half a width of 0.54, and an open midrib. */
static float leaf(float x, float y) {
  const float radius = 1.195926f, centre = 0.655926f;
  float blade = disc(fabsf(x) + centre, y, radius);
  float midrib = fmaxf(fabsf(x) - 0.065f, y - 0.45f);
  return fmaxf(blade, -midrib);
}

static float diamond(float x, float y) {
  const float half = 0.66f, slope = 0.550841f; /* 0.66 / sqrt(1 + 0.66^2) */
  float edge = (fabsf(x) / half + fabsf(y) - 1) * slope;
  return fmaxf(edge, -0.34f - edge); /* open in the middle */
}

static float crescent(float x, float y) {
  return fmaxf(disc(x, y, 1), 0.70f - sqrtf((x - 0.46f) * (x - 0.46f) + y * y));
}

static float body(burl_shape shape, float x, float y) {
  switch (shape) {
  case BURL_SHAPE_RING:
    return fabsf(disc(x, y, 0.74f)) - 0.26f;
  case BURL_SHAPE_STAR:
    return star(x, y);
  case BURL_SHAPE_CROSS:
    return cross(x, y);
  case BURL_SHAPE_LEAF:
    return leaf(x, y);
  case BURL_SHAPE_FLOWER:
    return flower(x, y);
  case BURL_SHAPE_CRESCENT:
    return crescent(x, y);
  case BURL_SHAPE_DIAMOND:
    return diamond(x, y);
  default:
    return disc(x, y, 1);
  }
}

/* Sharp tips would reach far where distances are lower bounds: the circle cuts them. */
float burl_figure_distance(burl_shape shape, float x, float y) {
  return fmaxf(body(shape, x, y), disc(x, y, 1));
}
