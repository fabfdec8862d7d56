/* burl/select.h: choosing settings on the good images alone.
 *
 * What a defect will look like is not known, so settings are compared on synthetic ones: a run of
 * good images is held out, candidates are fitted on the others, and defects with exact masks are
 * put on what was held out (burl/synth_put.h).
 */
#ifndef BURL_SELECT_H
#define BURL_SELECT_H

#include <burl/model.h>
#include <burl/synth_put.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BURL_SELECT_TRIALS 3 /* none, grid, periodic */
#define BURL_SELECT_PUTS 5   /* moved, exchanged, shifted, stain, speck: they tell positions */

/* A candidate on held-out images with synthetic defects; means over images. */
typedef struct burl_select_trial {
  burl_spatial spatial;
  double ap[BURL_SELECT_PUTS], aupro[BURL_SELECT_PUTS]; /* by kind: pixel AP, AUPRO(0.30) */
  /* Beyond `none`, in the mean of the kinds, paired by image; 0 for none itself. */
  double ap_gain, ap_error, aupro_gain; /* error: standard error of ap_gain */
} burl_select_trial;

typedef struct burl_select_report {
  burl_spatial chosen;
  size_t images, held_out; /* good training images; of them scored with defects */
  int repeats;             /* directions in which a print repeats, 0..2 */
  double strength;         /* of the repeat: share of the grey's variance, 0..1 */
  double registration; /* mean correlation of two images at the same place, 0 where sizes differ */
  size_t trials;       /* 0 where there was nothing to compare */
  burl_select_trial trial[BURL_SELECT_TRIALS]; /* none first */
  char text[256];                              /* the choice and its reason, one line */
} burl_select_report;

/* Chooses between options->bank.spatial = none, grid and periodic (whatever it is now). Periodic is
 * tried where the good images show a repeating print, grid where they show the same thing at the
 * same place; where neither holds nothing is fitted. Either is chosen if pixel AP gains at least
 * 0.02 and twice its standard error, and AUPRO loses no more than 0.01: below that, positions are
 * not worth a second bank. With fewer than 8 good images: none. Images that cannot be used are
 * passed over in silence: the fit that follows tells them. The result does not depend on
 * options->threads. `report` may be NULL.
 * Errors: those of burl_model_fit. */
BURL_API burl_status burl_select_spatial(burl_spatial *chosen, burl_select_report *report,
                                         const burl_dataset *dataset,
                                         const burl_fit_options *options,
                                         const burl_observer *observer,
                                         burl_diag *diag) BURL_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
