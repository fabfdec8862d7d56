/* evaluate/replicate_parts.h: a replicate's random weights and weighted sums, eight at a time. */
#ifndef BURL_EVALUATE_REPLICATE_PARTS_H
#define BURL_EVALUATE_REPLICATE_PARTS_H

#include "evaluate/replicates.h"

#define BURL_SUM_LANES 8

/* Sums over images by bins of pixel scores: those of the rows, and for AUPIMO shares of images. */
typedef enum burl_sum_kind {
  BURL_SUM_GOOD,
  BURL_SUM_DEFECT,
  BURL_SUM_SHARE,
  BURL_SUM_SATURATED,
  BURL_SUM_PIMO_GOOD,
  BURL_SUM_PIMO_DEFECT,
  BURL_SUM_KINDS
} burl_sum_kind;

/* Weighted numbers of a whole set. */
typedef enum burl_total {
  BURL_TOTAL_GOOD, /* images */
  BURL_TOTAL_DEFECTIVE,
  BURL_TOTAL_FALSE_ALARMS,
  BURL_TOTAL_FINDS,
  BURL_TOTAL_REGIONS,
  BURL_TOTAL_CHANNELS,
  BURL_TOTAL_KINDS
} burl_total;

/* What all replicates of an evidence have in common. */
typedef struct burl_resampler {
  const burl_evidence *evidence;
  const burl_drawing *drawing;
  uint64_t seed;
  size_t strata[2]; /* clusters without and with a defective image */
  size_t *rank;     /* (count) of an image's score among the distinct ones, the highest first */
  size_t ranks;     /* distinct scores */
  size_t *row;      /* (count) of an image, SIZE_MAX without a truth */
  double clusters_of[2]; /* that hold good, and defective, images */
  double images_of[2];   /* good and defective images */
  /* a defective image with a truth in the mean */
  double mean_pixels, mean_regions, mean_channels;
} burl_resampler;

/* Sums of BURL_SUM_LANES replicates; [i][lane] lies at i*BURL_SUM_LANES + lane. */
typedef struct burl_sums {
  double *weight;                    /* (clusters, lanes) */
  double *image_good, *image_defect; /* (ranks, lanes) */
  double *bin[BURL_SUM_KINDS];       /* (bins, lanes) */
  double total[BURL_TOTAL_KINDS][BURL_SUM_LANES];
  double half[2][BURL_SUM_LANES];  /* weight of half a good, half a defective cluster */
  double scale[2][BURL_SUM_LANES]; /* what is left for the others then */
} burl_sums;

/* Draws weights of replicates first..first+lanes-1 (with equal weights and no half clusters instead
 * where `equal`) and adds everything up. */
void burl_sums_draw(burl_sums *sums, const burl_resampler *r, size_t first, int equal);
void burl_sums_add(burl_sums *sums, const burl_resampler *r);
/* F1 of images (ranks + 2) and of pixels (bins + 2) at every threshold. */
void burl_sums_f1(double *images, double *pixels, const burl_sums *sums, const burl_resampler *r,
                  int lane);
/* What F1 of images and of pixels gain by choosing the threshold on the replicate: its largest F1
 * less the one that its threshold has in the set itself (burl_sums_f1 of equal weights). */
void burl_sums_optimism(double optimism[2], const burl_sums *sums, const burl_resampler *r,
                        int lane, const double *images, const double *pixels);
/* values (BURL_MEASURE_COUNT). */
void burl_sums_measure(double *values, const burl_sums *sums, const burl_resampler *r, int lane,
                       burl_variant variant);

#endif
