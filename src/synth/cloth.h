/* synth/cloth.h: what one image of a cloth is drawn from, and the map between pixels and yarns.
 *
 * Cloth coordinates are counted in yarns: u across the ends (warp yarns, which run down the image)
 * and v across the picks (weft yarns, which run from side to side). End i has its centre near u =
 * i, pick j near v = j. In rib knit u counts face wales and v courses.
 */
#ifndef BURL_SYNTH_CLOTH_H
#define BURL_SYNTH_CLOTH_H

#include "synth/grain.h"
#include "synth/pattern.h"
#include "synth/print.h"
#include <burl/synth.h>

/* The two families of yarns; also the index of a direction: 0 is u, 1 is v. */
typedef enum burl_family { BURL_ENDS = 0, BURL_PICKS = 1 } burl_family;

/* Streams of random numbers: what is drawn never depends on the order of drawing. */
enum {
  BURL_STREAM_CLOTH = 1,
  BURL_STREAM_IMAGE,
  BURL_STREAM_GRAIN,
  BURL_STREAM_END,
  BURL_STREAM_PICK,
  BURL_STREAM_STITCH,
  BURL_STREAM_FIBRE,
  BURL_STREAM_SENSOR,
  BURL_STREAM_DEFECT,
  BURL_STREAM_EDGE,
  BURL_STREAM_PRINT
};

/* How a yarn's body answers to light. Everything is relative to the yarn's tone. */
typedef struct burl_look {
  float ambient, diffuse, sheen;
  float across, along, above; /* direction of the light in the yarn's own frame, above > 0 */
  float twist, lean;          /* striations a spacing along the yarn; their turn over its width */
  float groove, fuzz;         /* depth of the striations; of the fibres' random streaks */
} burl_look;

typedef struct burl_cloth {
  burl_weave weave;
  int channels;
  uint64_t key; /* of the image */
  burl_pattern pattern;
  burl_layout print;
  double spacing[2]; /* pixels a yarn */
  double cosine, sine, centre[2], origin[2];
  double wave_size[2], wave_rate[2], wave_phase[2]; /* slow bowing, in yarns, radians a pixel */
  float radius[2];                                  /* half width in spacings */
  float crimp, depth;   /* rise at a crossing; a body's half height for radius 0.5 */
  float wander[2];      /* lateral jitter and waviness, spacings */
  float uneven, mottle; /* thickness and brightness along a yarn, relative */
  burl_look look[2];    /* of ends and picks */
  float tone[2][3];     /* colour of ends and picks */
  float ground[3];      /* what shows through gaps */
  float fibre[3];       /* colour of loose fibres */
  double fibres;        /* loose fibres a 1000 pixels */
  float light[4];       /* slope in x, in y, fall-off to the corners, cloudiness */
  float noise, blur;    /* sensor's standard deviation; outer tap of the optics' 3-tap kernel */
  size_t height, width;
  const float *grain; /* BURL_GRAIN_SIDE^2 random numbers, borrowed */
} burl_cloth;

/* Sets everything but `grain`. */
void burl_cloth_plan(burl_cloth *cloth, const burl_synth_options *options);

/* Pixel (x, y) to yarns (u, v) and back; the inverse is accurate to a small part of a pixel. */
void burl_cloth_locate(double uv[2], const burl_cloth *cloth, double x, double y);
void burl_cloth_project(double xy[2], const burl_cloth *cloth, double u, double v);

/* The same for `count` pixels of row y from column x on. `bow`, one number a column, is what
 * burl_cloth_bow gave for these columns: the sines are taken once a canvas. */
void burl_cloth_bow(double *bow, const burl_cloth *cloth, ptrdiff_t x, size_t count);
void burl_cloth_locate_row(double *restrict u, double *restrict v, const burl_cloth *cloth,
                           const double *restrict bow, ptrdiff_t x, ptrdiff_t y, size_t count);

/* The least and greatest u and v in a rectangle of pixels, or a little beyond. */
void burl_cloth_bound(double low[2], double high[2], const burl_cloth *cloth, ptrdiff_t x,
                      ptrdiff_t y, size_t width, size_t height);

#endif
