/* evaluate/weighted.h: the measures of weighted counts in bins, which resampling asks for. */
#ifndef BURL_EVALUATE_WEIGHTED_H
#define BURL_EVALUATE_WEIGHTED_H

#include <stddef.h>

/* Weights of good and of defective items in `bins` bins, the hottest first, entry i at i*stride;
 * times a scale; and weights above and below all bins. */
typedef struct burl_weighted {
  const double *good, *defect;
  size_t bins, stride;
  double good_scale, defect_scale;
  double good_top, defect_top, good_bottom, defect_bottom;
} burl_weighted;

typedef struct burl_weighted_ranking {
  double auroc, ap, f1_max;
  size_t f1_at; /* the bin that ends where F1 is largest: 0 above all bins, 1 the first of them */
} burl_weighted_ranking;

/* As burl_evaluate_ranking; a bin is a group of ties. NaN where one of the classes has no weight.
 */
burl_weighted_ranking burl_weigh_ranking(const burl_weighted *w);
/* f1 (bins + 2): F1 at the end of what lies above all bins, of each bin, and of what lies below. */
void burl_weigh_f1(double *f1, const burl_weighted *w);
/* AUPRO: defect holds shares of regions, `regions` of which there are (with those at top and
 * bottom). */
double burl_weigh_overlap(const burl_weighted *w, double regions, double limit);
/* AUPIMO: good and defect hold shares of images. */
double burl_weigh_pimo(const burl_weighted *w);

#endif
