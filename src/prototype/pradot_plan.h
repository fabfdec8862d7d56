/* prototype/pradot_plan.h: the transport plan between a batch of feature maps and prototypes on a
 * grid, kept in 2 or 4 bytes an entry. */
#ifndef BURL_PROTOTYPE_PRADOT_PLAN_H
#define BURL_PROTOTYPE_PRADOT_PLAN_H

#include <burl/base.h>

/* n = count * patches rows: patch i is cell i % patches of image images[i / patches]. Prototype j
 * has the place of cell j % cells. */
typedef struct burl_pradot_problem {
  const float *features; /* (all images, patches, d) */
  const size_t *images;  /* (count) */
  size_t count, patches;
  const float *directions; /* (k,d): prototypes divided by their norms */
  const float *places;     /* (patches, cells): alpha times the distance over the largest */
  double alpha, divisor;   /* of feature costs; divisor 0: the largest of this problem */
  int not_negative;        /* features and prototypes have no negative entries */
  double eps, tolerance;
  size_t sweeps;
  int warm; /* begin from the potentials of the problem before */
} burl_pradot_problem;

typedef struct burl_pradot_plan_info {
  double largest;  /* feature cost, before division */
  double residual; /* Euclidean error of the column marginal at exit */
  size_t sweeps, rebuilds;
  size_t listed; /* rows that were kept as lists at exit */
} burl_pradot_plan_info;

typedef struct burl_pradot_plan burl_pradot_plan;

/* For problems up to n x k. */
burl_status burl_pradot_plan_new(burl_pradot_plan **plan, size_t n, size_t k, size_t cells,
                                 size_t d, int half, int threads) BURL_MUST_CHECK;
void burl_pradot_plan_free(burl_pradot_plan *plan);

/* Sweeps, columns first and then rows: P 1 = 1/n to rounding. problem must stay until the last call
 * about this plan. */
void burl_pradot_plan_solve(burl_pradot_plan *plan, const burl_pradot_problem *problem,
                            burl_pradot_plan_info *info);
/* <P,M>. */
double burl_pradot_plan_loss(burl_pradot_plan *plan);
/* centres (k,d) = k P^T X with the features as they are; with `where` also centre places (k,2) from
 * the places of patches (patches,2). */
void burl_pradot_plan_centres(burl_pradot_plan *plan, float *centres, float *where,
                              const float *patch_places);
/* The largest feature cost of a problem, without a plan. */
double burl_pradot_plan_largest(burl_pradot_plan *plan, const burl_pradot_problem *problem);
/* Row i of the plan, (k). */
void burl_pradot_plan_row(const burl_pradot_plan *plan, float *row, size_t i);

/* direction = x / |x|, 0 where |x| is 0. (n,d), packed. */
void burl_pradot_directions(float *direction, const float *x, size_t n, size_t d);

#endif
