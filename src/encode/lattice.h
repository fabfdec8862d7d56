/* encode/lattice.h: the lattice by which a printed cloth repeats, and where each image lies in it.
 *
 * A print repeats by two vectors (one across stripes). They are learned from good images in
 * BURL_LATTICE_PASSES passes over flat sums (as burl_encoder_ops.learn), together with one repeat
 * of the print. An image is then aligned: every pixel gets a phase (u,v) in [0,1)^2, the same for
 * the same spot of the print in every image. docs/math/lattice.md has the method.
 *
 * Pixels are counted from the centre of the first: (y,x) = (0,0). Found are repeats of 36 to 256
 * pixels, of 72 to 256 for stripes; weaves and the ribs of knits repeat by less.
 */
#ifndef BURL_ENCODE_LATTICE_H
#define BURL_ENCODE_LATTICE_H

#include "base/safetensors.h"
#include "encode/encoder.h"

#define BURL_LATTICE_PASSES 3
#define BURL_LATTICE_SIDE 64 /* samples of the learned repeat, both ways */
#define BURL_PHASE_NODES 256

/* Holds no pointers: copies are whole. {0} is a lattice of nothing, ready to be learned. */
typedef struct burl_lattice {
  int dimensions;      /* 0 no repeat, 1 stripes (v is 0 everywhere), 2 */
  double basis[2][2];  /* (y,x) of the steps of one repeat in u and in v, pixels; unused: 0 */
  double wave[2][2];   /* cycles a pixel of u and of v, down and across: inverse of basis */
  double strength;     /* autocorrelation one repeat away, 0..1: share of the print in the grey */
  float saved[5];      /* wave and strength as a file holds them; these are rounded to them */
  int reference[2][2]; /* harmonics whose phases set the origin; only while learning */
  int drawn;           /* whether there is a pattern yet */
  /* One repeat, in standard deviations of the grey: sample (i,j) at v = i/SIDE, u = j/SIDE. */
  float pattern[BURL_LATTICE_SIDE * BURL_LATTICE_SIDE];
} burl_lattice;

/* Doubles that a pass adds up. */
size_t burl_lattice_count_statistics(const burl_lattice *lattice, size_t pass);

/* Adds one image to the statistics of pass 0, 1... Passes after the first add nothing where no
 * repeat was found. Of large images windows are read, at most 9 of 1,536 pixels a side; the memory
 * for one is allocated for the time of the call. Statistics are unchanged on error.
 * Errors: BURL_ERR_MEMORY. */
burl_status burl_lattice_learn(const burl_lattice *lattice, size_t pass, const burl_view *view,
                               double *statistics) BURL_MUST_CHECK;

/* Ends a pass with the sums over all images. No repeat is no error: dimensions is 0 then.
 * Errors: BURL_ERR_MEMORY, BURL_ERR_NUMERIC (a sum is not finite). Unchanged on error. */
burl_status burl_lattice_learned(burl_lattice *lattice, size_t pass,
                                 const double *statistics) BURL_MUST_CHECK;

/* From pixels to phases, of one image. Holds no pointers. */
typedef struct burl_phase {
  double origin[2];  /* (u,v) at pixel (0,0) */
  double wave[2][2]; /* cycles a pixel: u = origin[0] + wave[0][0] y + wave[0][1] x */
  double score;      /* correlation of the image with the learned repeat so placed, -1..1 */
  /* Where the image is larger than a window: corrections in cycles at nodes on a grid, linear in
   * between. rows == cols == 1 means none. */
  size_t rows, cols;
  double first[2], step[2]; /* (y,x) of node 0 and between nodes */
  double node[BURL_PHASE_NODES][2];
} burl_phase;

/* Places the learned repeat on an image: where it lies, how it is turned and stretched by a few
 * percent, and, in images above 1,536 pixels a side, how it drifts. An image without grey contrast,
 * or too small (below 16 pixels a side), gets the lattice as it was learned and score 0, and so
 * does every image where no repeat was found (u = v = 0). About a megabyte is allocated for the
 * time of the call. *phase is unchanged on error. Errors: BURL_ERR_MEMORY. */
burl_status burl_lattice_align(burl_phase *phase, const burl_lattice *lattice,
                               const burl_view *view) BURL_MUST_CHECK;

/* The phase (u,v) in [0,1)^2 of pixel (y,x), which may lie between pixels. */
void burl_phase_get(float uv[2], const burl_phase *phase, double y, double x);

/* uv (n,2): the phases of (y,x), (y,x + step)... */
void burl_phase_get_row(float *uv, const burl_phase *phase, double y, double x, double step,
                        size_t n);

/* Adds tensors and metadata named "lattice...". The lattice must outlive the writer. Errors:
 * BURL_ERR_MEMORY, or the writer's first. */
burl_status burl_lattice_save(const burl_lattice *lattice,
                              burl_safetensors_writer *writer) BURL_MUST_CHECK;

/* A file without a lattice gives one without repeat. *lattice is unchanged on error.
 * Errors: BURL_ERR_FORMAT (missing parts, other shapes, repeats out of range), BURL_ERR_NUMERIC. */
burl_status burl_lattice_load(burl_lattice *lattice, const burl_safetensors *file,
                              burl_diag *diag) BURL_MUST_CHECK;

#endif
