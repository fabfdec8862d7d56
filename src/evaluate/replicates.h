/* evaluate/replicates.h: the measures of an evidence under random weights of its images. */
#ifndef BURL_EVALUATE_REPLICATES_H
#define BURL_EVALUATE_REPLICATES_H

#include "evaluate/evidence_parts.h"

/* Which images are drawn, and together with which others. */
typedef struct burl_drawing {
  size_t count;           /* images */
  const size_t *image;    /* (count) their numbers in the evidence */
  const size_t *cluster;  /* (count) 0..clusters-1 */
  const uint8_t *stratum; /* (clusters) 1: with a defective image */
  size_t clusters;
} burl_drawing;

/* Of each replicate and measure three values: without further images, with half an image that is
 * wholly wrong, and with half an image that is wholly right. */
typedef enum burl_variant { BURL_PLAIN, BURL_WRONG, BURL_RIGHT, BURL_VARIANTS } burl_variant;

typedef struct burl_replicates {
  size_t count;
  double *values;   /* (BURL_VARIANTS, BURL_MEASURE_COUNT, count) */
  double *optimism; /* (count, 2) of F1 of images and of pixels: replicate_parts.h */
  double point[BURL_MEASURE_COUNT]; /* with equal weights: off the exact ones by the bins alone */
} burl_replicates;

/* Makes the replicates, the same ones for the same drawing and seed. Errors: BURL_ERR_MEMORY. */
burl_status burl_replicates_make(burl_replicates *self, const burl_evidence *evidence,
                                 const burl_drawing *drawing, size_t count, uint64_t seed,
                                 int threads) BURL_MUST_CHECK;
void burl_replicates_free(burl_replicates *self);
/* (count) values, to sort or to change. */
double *burl_replicates_of(const burl_replicates *self, burl_variant variant, int measure);

/* The interval of a measure whose exact value is known. Sorts the replicates. */
burl_interval burl_replicates_interval(const burl_replicates *r, int measure, double exact,
                                       double level);

/* Images of one group are one cluster; {0} before. Freed by free_drawing. Images `chosen` (count)
 * of the evidence, NULL: all. */
typedef struct burl_clusters {
  burl_drawing drawing;
  void *block;
} burl_clusters;
burl_status burl_clusters_make(burl_clusters *self, const burl_evidence *evidence,
                               const size_t *chosen, size_t count) BURL_MUST_CHECK;
void burl_clusters_free(burl_clusters *self);

/* How many replicates a set of so many images gets where none are asked for. */
size_t burl_replicates_wanted(const burl_resampling *options, size_t images);

#endif
