/* heat/head_search.h: the weights of a head, found on cells of held-out good images and of the same
 * with synthetic defects.
 *
 * The search maximises, over weights w >= 0 that sum to 1 and a smoothing out of a few,
 *   mean over the sets of AP(w, sigma)  -  lambda KL(w || equal)
 * by coordinates: each weight in turn is tried at 0, 1/4, 1/2, 2 and 4 times its value, each
 * smoothing at its turn, until a round gains nothing. AP is that of cells: what a set marks
 * defective against its own good cells and those of good images. docs/math/heads.md.
 */
#ifndef BURL_HEAT_HEAD_SEARCH_H
#define BURL_HEAT_HEAD_SEARCH_H

#include "heat/heads.h"

enum { BURL_HEAD_SIGMAS = 3 };
/* 2, 4 and 8 pixels. */
double burl_head_sigma(size_t i);
/* Which of them a head has. */
size_t burl_head_sigma_index(const burl_head *head);

/* Cells as the groups see them after smoothing: value[s] (count, groups). */
typedef struct burl_head_cells {
  size_t count;
  float *value[BURL_HEAD_SIGMAS];
  float *weight;            /* (count) how many cells each stands for, above 0 */
  unsigned char *defective; /* (count) NULL: none is */
} burl_head_cells;

typedef struct burl_head_task {
  size_t groups;
  const unsigned char *present;      /* (groups) 0: the group has no bank, its weight stays 0 */
  const burl_head_cells *good;       /* cells of as many good images as each set has defects */
  const burl_head_cells *const *set; /* (sets): a kind of synthetic defect each */
  size_t sets;
  double lambda;
} burl_head_task;

/* Mean average precision over the sets that have a defective cell, NaN where none has. Errors:
 * BURL_ERR_MEMORY. */
burl_status burl_head_ap(double *ap, const burl_head_task *task,
                         const burl_head *head) BURL_MUST_CHECK;

/* Fills head->weight and sigma (from equal weights on), equal_ap and ap (means over the sets).
 * Errors: BURL_ERR_MEMORY; BURL_ERR_DATA (no set has a defective cell). */
burl_status burl_head_search(burl_head *head, const burl_head_task *task) BURL_MUST_CHECK;

/* Equal weights of the groups that are present, smoothed by BURL_HEAT_SIGMA. */
void burl_head_set_equal(burl_head *head, const unsigned char *present, size_t groups);

#endif
