/* prototype/pradot_plan_parts.h: the inside of a plan, shared by what makes it and what uses it. */
#ifndef BURL_PROTOTYPE_PRADOT_PLAN_PARTS_H
#define BURL_PROTOTYPE_PRADOT_PLAN_PARTS_H

#include "base/memory.h"
#include "base/parallel.h"
#include "prototype/pradot_plan.h"

/* Rows that are worked off together, and rows of a product of centres. */
#define BURL_PRADOT_BLOCK_ROWS 128
#define BURL_PRADOT_CENTRE_ROWS 256

typedef struct burl_pradot_scratch {
  float *strip;    /* BURL_PRADOT_BLOCK_ROWS rows of the matrix, or rows of a block of columns */
  float *x;        /* BURL_PRADOT_BLOCK_ROWS x d: directions of patches */
  uint32_t *words; /* for products of 16-bit numbers: the same in panels, or pairs of kernel rows */
} burl_pradot_scratch;

typedef void (*burl_pradot_work)(burl_pradot_plan *plan, burl_pradot_scratch *scratch,
                                 size_t block);

struct burl_pradot_plan {
  burl_arena arena;
  size_t n_most, k, padded, cells, d, n;
  int half, threads;
  int products;     /* whether those of 16-bit numbers are used */
  uint32_t *panels; /* directions of prototypes, for products */
  uint32_t *pairs;  /* patches over their row sums, for products */
  const burl_pradot_problem *problem;
  void *matrix;                       /* n x padded: floats, or 16 bits an entry */
  float *part;                        /* column results of each block (blocks x padded) */
  float *y, *gamma;                   /* padded */
  float *least;                       /* padded: of columns, in the log domain */
  float *r, *u;                       /* n: row sums; row potentials over eps */
  float *shift;                       /* n */
  float *r_at_build;                  /* n */
  float *r_at_listing, *y_at_listing; /* n, padded */
  float *ones;                        /* BURL_PRADOT_BLOCK_ROWS */
  uint32_t *listed;                   /* n: entries of a row that is kept as a list */
  uint8_t *is_listed;                 /* blocks: whether their rows are */
  double *gamma_exact;                /* k */
  double *s;                          /* padded: column sums */
  double *block_sum;                  /* blocks */
  float weight, scale, bound;         /* of feature costs; 1/eps; of packed costs */
  int stored;                         /* whether the matrix holds costs */
  size_t age;                         /* sweeps of the kernel */
  float *centres, *where;
  const float *patch_places;
  size_t width; /* of a block of columns */
  burl_pradot_scratch scratch[BURL_TEAM_MOST];
  burl_team team;
  burl_pradot_work work;
  size_t blocks;
  atomic_size_t next;
};

/* Blocks 0..blocks-1, each to whoever is free: what a block does is the same wherever it is done.
 */
void burl_pradot_for_blocks(burl_pradot_plan *plan, size_t blocks, burl_pradot_work work);
void burl_pradot_for_rows(burl_pradot_plan *plan, burl_pradot_work work);

static inline size_t burl_pradot_rows_of(const burl_pradot_plan *plan, size_t block) {
  size_t left = plan->n - block * BURL_PRADOT_BLOCK_ROWS;
  return left < BURL_PRADOT_BLOCK_ROWS ? left : BURL_PRADOT_BLOCK_ROWS;
}

static inline size_t burl_pradot_count_blocks(size_t n) {
  return (n + BURL_PRADOT_BLOCK_ROWS - 1) / BURL_PRADOT_BLOCK_ROWS;
}

static inline void *burl_pradot_matrix_row(const burl_pradot_plan *plan, size_t i) {
  return (unsigned char *)plan->matrix + i * plan->padded * (plan->half ? 2 : 4);
}

/* The features of patch i. */
static inline const float *burl_pradot_patch(const burl_pradot_plan *plan, size_t i) {
  const burl_pradot_problem *problem = plan->problem;
  size_t image = problem->images[i / problem->patches];
  return problem->features + (image * problem->patches + i % problem->patches) * plan->d;
}

#endif
