/* synth/put_shape.h: where on an image a defect lies: a field of weights, 1 inside, 0 outside,
 * falling smoothly at its edge.
 *
 * A blob is an ellipse whose radius is ruffled by three harmonics; a band runs along the rows or
 * the columns of pixels, as yarns do, and sways a little. With r the distance from the middle (the
 * middle line) in units of the radius (half the width), the weight is 1 up to 1 - soft and 0 from
 * 1 + soft on. */
#ifndef BURL_SYNTH_PUT_SHAPE_H
#define BURL_SYNTH_PUT_SHAPE_H

#include "base/random.h"

#include <stddef.h>

typedef enum burl_put_form { BURL_PUT_BLOB, BURL_PUT_BAND } burl_put_form;

/* What is drawn at random: log-uniform between the two numbers. */
typedef struct burl_put_range {
  double least, most;
} burl_put_range;

typedef struct burl_put_plan {
  burl_put_form form;
  burl_put_range pixels; /* radius, or half the width; at most `share` of the shorter side */
  double share;
  double soft;           /* share of the radius over which the edge falls, to either side */
  burl_put_range second; /* blob: short radius / long; band: length / the image's side */
} burl_put_plan;

enum { BURL_PUT_HARMONICS = 3 };

typedef struct burl_put_shape {
  burl_put_form form;
  double y, x;                 /* the middle; of a band: of its middle line */
  double turn[2];              /* cosine and sine of the long axis: from x towards y */
  double radius, soft, second; /* second: short radius / long, or half the length in pixels */
  double size[BURL_PUT_HARMONICS], phase[BURL_PUT_HARMONICS]; /* ruffles, or one sway */
} burl_put_shape;

burl_put_shape burl_put_shape_draw(const burl_put_plan *plan, size_t height, size_t width,
                                   burl_random *random);
/* Pixels from the middle, down and across, beyond which all weights are 0. */
void burl_put_shape_reach(double reach[2], const burl_put_shape *shape);
double burl_put_shape_weight(const burl_put_shape *shape, double y, double x);

/* Uniform, and log-uniform, in low..high. */
double burl_put_uniform(burl_random *random, double low, double high);
double burl_put_spread(burl_random *random, double low, double high);

#endif
