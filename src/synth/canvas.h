/* synth/canvas.h: a piece of an image while it is drawn, and what draws on it. */
#ifndef BURL_SYNTH_CANVAS_H
#define BURL_SYNTH_CANVAS_H

#include "synth/cloth.h"
#include "synth/fault.h"

#define BURL_CANVAS_SIDE 136 /* a tile and its margins */
#define BURL_YARNS_MAX 48    /* yarns of one family that a canvas can touch */

typedef struct burl_canvas {
  ptrdiff_t x, y; /* pixel of the first element, may lie outside the image */
  size_t width, height;
  float *value[3];       /* (height, width) each, 0..1 */
  float *cover, *lustre; /* loose fibres: how much they hide, and that times their brightness */
} burl_canvas;

/* A yarn at one crossing, or between crossings. */
typedef struct burl_node {
  float shift, radius, rise, tone; /* lateral and half width in spacings; height; brightness */
} burl_node;

/* Room for the crossings or stitches of one canvas. */
typedef struct burl_bench {
  burl_node node[2][BURL_YARNS_MAX * BURL_YARNS_MAX];
  unsigned char kind[BURL_YARNS_MAX * BURL_YARNS_MAX];
  float phase[2][BURL_YARNS_MAX];
} burl_bench;

/* A visible point of a yarn's body. */
typedef struct burl_point {
  float across, cap;   /* -1..1 over the width, and sqrt(1 - across^2) */
  float height, slope; /* of the surface; of the yarn's axis along itself */
  float along, phase;  /* place along the yarn in spacings; the yarn's own offset */
  float tone;
} burl_point;

/* Brightness of a point relative to the yarn's colour. */
float burl_yarn_shade(const burl_look *look, const float *grain, const burl_point *point);

/* Draw bodies over the whole canvas. `fault` may be NULL. */
void burl_woven_draw(burl_canvas *canvas, const burl_cloth *cloth, const burl_fault *fault,
                     burl_bench *bench);
void burl_knit_draw(burl_canvas *canvas, const burl_cloth *cloth, const burl_fault *fault,
                    burl_bench *bench);

/* Inks the bodies with the cloth's print, if there is one. `fault` may be NULL. */
void burl_print_lay(burl_canvas *canvas, const burl_cloth *cloth, const burl_fault *fault);

/* Loose fibres of the cloth; and one fibre. Both add to cover and lustre. */
void burl_fibres_scatter(burl_canvas *canvas, const burl_cloth *cloth);
void burl_fibre_draw(burl_canvas *canvas, const burl_fibre *fibre);
/* Lays cover and lustre over the values. */
void burl_fibres_lay(burl_canvas *canvas, const burl_cloth *cloth);

#endif
