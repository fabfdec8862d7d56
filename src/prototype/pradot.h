/* prototype/pradot.h: local and global prototypes learned by entropic transport with a cost mixed
 * of features and places, as published: R. Trombetta and C. Lartizien, arXiv 2508.12927, 2025.
 *
 * A feature map of `rows` x `cols` cells has P prototypes for each of its cells, each with a fixed
 * place. Batches of images are transported onto them, and each moves a little to the mean of what
 * it receives. Formulas, sources, and where the defaults follow the published code and not its
 * sense: docs/math/pradot.md.
 */
#ifndef BURL_PROTOTYPE_PRADOT_H
#define BURL_PROTOTYPE_PRADOT_H

#include <burl/prototype.h>

/* How the n x k numbers of a plan are kept. */
typedef enum burl_pradot_store {
  BURL_PRADOT_STORE_AUTO = 0, /* float up to BURL_PRADOT_FLOAT_MOST, above that in 16 bits */
  BURL_PRADOT_STORE_FLOAT,
  BURL_PRADOT_STORE_HALF /* 16 bits: as if costs were rounded to 2e-5 of the largest */
} burl_pradot_store;

#define BURL_PRADOT_FLOAT_MOST ((size_t)1 << 27)

typedef struct burl_pradot_options {
  double per_cell;   /* P: whole from 1 on; below 1 a grid of floor(P rows) x floor(P cols) */
  double alpha;      /* share of the place in the cost, 0..1: 0 global, 0.3 local */
  double eps;        /* > 0, where the largest cost is 1 */
  size_t sweeps;     /* of Sinkhorn, at most, >= 1 */
  double tolerance;  /* of the columns' marginal, looked at every ten sweeps; 0: never */
  double ema;        /* share that stays of a prototype in an update, 0..1 */
  size_t batch;      /* images, >= 1 */
  size_t epochs;     /* >= 1 */
  double validation; /* share of the images held out to choose the epoch, 0..0.9; 0: the loss of the
                        training batches chooses */
  burl_pradot_divisor divisor;
  burl_pradot_scale scale;
  burl_pradot_start start;
  int times_count;     /* not 0, published: maps are multiplied by the number of prototypes */
  int drop_last;       /* not 0, published: fewer images than a batch make no update at all; 0: the
                          batch is then all of them. Left-over images wait for another epoch. */
  int learn_positions; /* not 0: places move as well; 0, published: they stay */
  int warm_start; /* not 0: sweeps begin from the prototypes' potentials of the batch before; 0,
                     published: from 0 */
  burl_pradot_store store;
  uint64_t seed;
  int threads; /* >= 1; the same bytes for any number (with one BLAS thread) */
} burl_pradot_options;

/* 16 a cell, alpha 0, eps 0.01, 100 sweeps, 1e-9, 0.95, batches of 64, 50 epochs, 0.2 held out;
 * published behaviour but for drop_last; seed 0, one thread. */
burl_pradot_options burl_pradot_default_options(void);

/* The images 0..images-1 as fits deal them, into order (images): those held out first; returns how
 * many they are. The same for all features of the same images. */
size_t burl_pradot_split(size_t *order, size_t images, const burl_pradot_options *options);

typedef struct burl_pradot burl_pradot;

/* Learns from features (images, rows, cols, d). observer may be NULL: progress in stage "learning
 * prototypes", a step a batch; a problem where drop_last left no batch. diag may be NULL.
 * Errors: BURL_ERR_ARGUMENT (an option out of range, a grid without a cell), BURL_ERR_DATA (no
 * images, no patches, none left to learn from), BURL_ERR_NUMERIC (a feature is not finite),
 * BURL_ERR_SIZE, BURL_ERR_MEMORY. */
burl_status burl_pradot_fit(burl_pradot **pradot, const float *features, size_t images, size_t rows,
                            size_t cols, size_t d, const burl_pradot_options *options,
                            const burl_observer *observer, burl_diag *diag) BURL_MUST_CHECK;

/* What a fitted object is made of: all of it, for files. */
typedef struct burl_pradot_parts {
  size_t count, d;         /* prototypes N_p, dimension */
  const float *prototypes; /* (count,d), raw */
  const float *positions;  /* (count,2) in 0..1: row, column */
  double alpha;
  burl_pradot_scale scale;
  int times_count;
  double feature_max, place_max; /* of all training images; > 0 where scale is TRAINING_MAX */
  const double *losses;          /* (epochs) of the held-out images, NULL where epochs is 0 */
  size_t epochs, kept;           /* the epoch kept, from 0 */
} burl_pradot_parts;

/* A copy of the parts. Errors: BURL_ERR_ARGUMENT (count or d is 0, alpha outside 0..1, maxima, kept
 * beyond epochs), BURL_ERR_NUMERIC (a number is not finite), BURL_ERR_SIZE, BURL_ERR_MEMORY. */
burl_status burl_pradot_new(burl_pradot **pradot, const burl_pradot_parts *parts) BURL_MUST_CHECK;
void burl_pradot_free(burl_pradot *pradot);
/* Borrowed. */
const burl_pradot_parts *burl_pradot_get_parts(const burl_pradot *pradot);

/* Bytes of working memory that scoring an image of n patches needs; 0 where they are beyond
 * size_t. */
size_t burl_pradot_score_size(const burl_pradot *pradot, size_t n);

/* Scores all patches (n,d) with places (n,2) of ONE image, n >= 1: map (n) is the least mixed cost
 * of a patch to a prototype, times their number where the object says so; nearest (n) the
 * prototype, may be NULL. scratch: burl_pradot_score_size bytes, aligned to BURL_ALIGNMENT. A patch
 * that is not finite scores NaN. Allocates nothing; several threads may score with one object, each
 * with its own scratch. */
void burl_pradot_score(const burl_pradot *pradot, float *map, uint32_t *nearest,
                       const float *patches, const float *positions, size_t n, void *scratch);

/* Places of a grid of rows x cols cells as fitting takes them, (rows*cols, 2): from 0 to 1 at equal
 * distances in both directions; 0 where there is only one. */
void burl_pradot_places(float *places, size_t rows, size_t cols);

#endif
