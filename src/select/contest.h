/* select/contest.h: models side by side on held-out good images with synthetic defects. */
#ifndef BURL_SELECT_CONTEST_H
#define BURL_SELECT_CONTEST_H

#include <burl/dataset.h>
#include <burl/model.h>
#include <burl/select.h>

enum {
  CONTEST_MODELS = 3,
  CONTEST_PUTS = BURL_SELECT_PUTS /* kinds of defects, the first ones of burl_put */
};

typedef struct burl_contest {
  const burl_dataset *held_out;
  burl_model *model[CONTEST_MODELS]; /* owned */
  size_t models;
  uint64_t seed;
  int threads;
  size_t images, rounds; /* held-out images; defects of each kind on every image */
  /* Of the run: (images, rounds, kinds, models). NaN for images that cannot be used. */
  double *ap, *aupro;
} burl_contest;

/* Every image gets every kind of defect `rounds` times, one at a time, and every model scores it.
 * Errors: BURL_ERR_MEMORY. */
burl_status burl_contest_run(burl_contest *contest, const burl_observer *observer,
                             burl_diag *diag) BURL_MUST_CHECK;
void burl_contest_close(burl_contest *contest);

static inline size_t burl_contest_at(const burl_contest *contest, size_t image, size_t round,
                                     size_t kind, size_t model) {
  return ((image * contest->rounds + round) * CONTEST_PUTS + kind) * contest->models + model;
}

#endif
