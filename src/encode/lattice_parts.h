/* encode/lattice_parts.h: what the files of the lattice share. */
#ifndef BURL_ENCODE_LATTICE_PARTS_H
#define BURL_ENCODE_LATTICE_PARTS_H

#include "base/memory.h"
#include "encode/lattice.h"
#include "num/fft.h"

enum {
  LATTICE_REDUCE = 4,   /* pixels a sample */
  LATTICE_WINDOW = 384, /* most samples a side of a window */
  LATTICE_LAGS = 128,   /* largest lag of the autocorrelation, samples of 2 pixels */
  LATTICE_LAG_WIDTH = 2 * LATTICE_LAGS + 1,
  LATTICE_LAG_COUNT = (LATTICE_LAGS + 1) * LATTICE_LAG_WIDTH, /* (0..LAGS, -LAGS..LAGS) */
  LATTICE_MOST_WINDOWS = 9,                                   /* of an image, in learning */
  LATTICE_CELLS = BURL_LATTICE_SIDE * BURL_LATTICE_SIDE,
  LATTICE_MIN_REPEAT = 24, /* pixels */
  LATTICE_MAX_REPEAT = 256
};

/* A part of an image: every sample the mean of 4 x 4 pixels, smoothed, without slow light, in
 * standard deviations. */
typedef struct lattice_window {
  float *sample; /* (rows, cols) */
  float *spare;  /* scratch of a few rows */
  size_t rows, cols;
  double y, x; /* pixel of sample (0,0) */
} lattice_window;

typedef struct lattice_look {
  size_t reduce; /* pixels a sample: 1..LATTICE_REDUCE */
  int smoothing; /* times that [1 2 1]/4 is applied */
  int degree;    /* 0..2, of the polynomial of light that is taken out */
} lattice_look;

/* Room for any window. Errors: BURL_ERR_MEMORY. */
burl_status burl_lattice_window_open(lattice_window *window) BURL_MUST_CHECK;
void burl_lattice_window_close(lattice_window *window);

/* Reads a region, of which LATTICE_WINDOW samples a side are taken. Returns 0 where nothing
 * is to be seen (no contrast, below 16 pixels a side). */
int burl_lattice_window_read(lattice_window *window, const burl_view *view, burl_rect region,
                             lattice_look look);

/* Windows spread over an image, as large as can be read with `reduce`; at most `most`. */
typedef struct lattice_grid {
  size_t rows, cols;
  size_t height, width; /* of a window, pixels */
} lattice_grid;
lattice_grid burl_lattice_grid_of(const burl_image *image, size_t reduce, size_t most);
burl_rect burl_lattice_grid_get(const lattice_grid *grid, const burl_image *image, size_t index);

/* lattice_find.c: pass 0. */
size_t burl_lattice_find_statistics(void);
burl_status burl_lattice_find_learn(const burl_view *view, double *statistics) BURL_MUST_CHECK;
/* lattice_basis.c: dimensions, basis, wave and strength from the sums. */
burl_status burl_lattice_find_learned(burl_lattice *lattice,
                                      const double *statistics) BURL_MUST_CHECK;

/* Where one window lies: phase(p) = phase + wave (1 + strain) (p - centre), pixels (y,x). */
typedef struct lattice_fit {
  double centre[2], phase[2], strain[2][2];
  double score; /* correlation with the pattern, -1..1 */
} lattice_fit;

/* Samples [row0,row1) x [col0,col1) of a window. */
typedef struct lattice_part {
  size_t row0, row1, col0, col1;
} lattice_part;

/* What placing windows takes; one for each thread. */
typedef struct lattice_aligner {
  const burl_lattice *lattice;
  lattice_window window;
  burl_arena arena;
  burl_fft *fft;             /* of SIDE x SIDE */
  float (*table)[4];         /* (LATTICE_CELLS) pattern, its slopes a cycle of u and of v, 0 */
  burl_complex *spectrum[2]; /* of the pattern and of its square */
  burl_complex *work[3];
  float *folded, *hits; /* (LATTICE_CELLS) sums of samples and their number, by phase */
  float *map[3];        /* (LATTICE_CELLS) */
  double squares;       /* of the samples last folded */
} lattice_aligner;

/* Errors: BURL_ERR_MEMORY. The lattice is borrowed. */
burl_status burl_lattice_aligner_open(lattice_aligner *aligner,
                                      const burl_lattice *lattice) BURL_MUST_CHECK;
void burl_lattice_aligner_close(lattice_aligner *aligner);

/* Reads a region as it is looked at for placing; 0 as burl_lattice_window_read. */
int burl_lattice_aligner_read(lattice_aligner *aligner, const burl_view *view, burl_rect region);

/* Adds up samples by phase (bilinear) into folded and hits, which are set to 0 first. */
void burl_lattice_fold(lattice_aligner *aligner, const lattice_fit *fit, lattice_part part);
/* At most so many places for the phase, best first, by correlation over all of them. */
size_t burl_lattice_search(lattice_aligner *aligner, lattice_fit *fits, size_t most,
                           const lattice_fit *start, lattice_part part);
/* Moves, turns and stretches until the samples fit best; sets the score. */
void burl_lattice_refine(const lattice_aligner *aligner, lattice_fit *fit, lattice_part part,
                         int steps);
/* Places the window that was read. `guess` NULL: nothing is known of the phase. */
void burl_lattice_place(lattice_aligner *aligner, lattice_fit *fit, const lattice_fit *guess);

/* The part of at most `pixels` a side around the middle. */
lattice_part burl_lattice_middle(const lattice_window *window, double pixels);
/* Length of the longer step of the basis, pixels. */
double burl_lattice_reach(const burl_lattice *lattice);

#endif
