/* burl/evaluate_evidence.h: what a run leaves behind so that its figures can be doubted: intervals
 * by resampling the images, and the comparison of two runs image by image.
 *
 * An evidence holds the score of every image and a histogram of its pixels over some hundred
 * thresholds, chosen so that every curve bends little between two of them. Figures are exact as
 * they come from burl/evaluate.h; the histograms serve the resampling alone. Sources, and what the
 * intervals cover in simulations: docs/math/intervals.md.
 */
#ifndef BURL_EVALUATE_EVIDENCE_H
#define BURL_EVALUATE_EVIDENCE_H

#include <burl/evaluate.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What is measured: value, key in files, name for people. */
#define BURL_MEASURE_LIST(X)                                                                       \
  X(BURL_MEASURE_IMAGE_AUROC, "image_auroc", "image AUROC")                                        \
  X(BURL_MEASURE_IMAGE_AP, "image_ap", "image AP")                                                 \
  X(BURL_MEASURE_IMAGE_F1, "image_f1_max", "image F1-max")                                         \
  X(BURL_MEASURE_FALSE_ALARM, "false_alarm_rate", "false alarm rate")                              \
  X(BURL_MEASURE_DETECTION, "detection_rate", "detection rate")                                    \
  X(BURL_MEASURE_PIXEL_AUROC, "pixel_auroc", "pixel AUROC")                                        \
  X(BURL_MEASURE_PIXEL_AP, "pixel_ap", "pixel AP")                                                 \
  X(BURL_MEASURE_PIXEL_F1, "pixel_f1_max", "pixel F1-max")                                         \
  X(BURL_MEASURE_AUPRO_030, "aupro_0.30", "AUPRO to 0.30")                                         \
  X(BURL_MEASURE_AUPRO_005, "aupro_0.05", "AUPRO to 0.05")                                         \
  X(BURL_MEASURE_AUPIMO, "aupimo", "AUPIMO")                                                       \
  X(BURL_MEASURE_AUSPRO, "auspro_0.05", "AU-sPRO to 0.05")

typedef enum burl_measure {
#define BURL_MEASURE_ENUM(name, key, text) name,
  BURL_MEASURE_LIST(BURL_MEASURE_ENUM)
#undef BURL_MEASURE_ENUM
      BURL_MEASURE_COUNT
} burl_measure;

/* Never NULL, "?" for a number that is no measure. */
BURL_API const char *burl_measure_get_key(burl_measure measure);
BURL_API const char *burl_measure_get_name(burl_measure measure);

typedef struct burl_interval {
  double low, high; /* both NaN where the measure is not defined */
} burl_interval;

typedef struct burl_resampling {
  double level;      /* of the intervals, in (0,1): 0.95 */
  size_t replicates; /* at least 100; 0: by the size of the set, 1,000 for up to 1,000 images */
  uint64_t seed;
  int threads; /* results do not depend on it */
} burl_resampling;

typedef struct burl_evidence burl_evidence;

/* Image scores of at least `threshold` are defects. */
BURL_API burl_status burl_evidence_new(burl_evidence **self, double threshold) BURL_MUST_CHECK;
BURL_API void burl_evidence_free(burl_evidence *self);

typedef struct burl_evidence_image {
  const char *name, *label; /* label: "good" or a defect class */
  const char *group;        /* images of one group are drawn together (tiles of one photograph);
                               NULL or "": the image is a group of its own */
  float score;
  int defective;
  int with_truth; /* 1 where it is in the pixel evaluator too */
} burl_evidence_image;

/* Copies all. Errors: BURL_ERR_NUMERIC (the score is NaN), BURL_ERR_SIZE (2^24 images),
 * BURL_ERR_MEMORY; self is then unchanged. */
BURL_API burl_status burl_evidence_add(burl_evidence *self,
                                       const burl_evidence_image *image) BURL_MUST_CHECK;
BURL_API size_t burl_evidence_get_count(const burl_evidence *self);
/* Image i < count as it was added; borrowed. */
BURL_API burl_evidence_image burl_evidence_get_image(const burl_evidence *self, size_t i);

/* Computes the measures of the images, and takes those of the pixels and their histograms from an
 * evaluator (NULL: no image has a truth) that got the images with_truth in the order in which they
 * were added here. `pixels`: what burl_pixel_evaluator_compute gave, NULL with the evaluator. Once,
 * after the last image. Errors: BURL_ERR_DATA (no image), BURL_ERR_ARGUMENT (the evaluator has
 * another number of images), BURL_ERR_MEMORY. */
BURL_API burl_status burl_evidence_finish(burl_evidence *self,
                                          const burl_pixel_evaluator *evaluator,
                                          const burl_pixel_metrics *pixels) BURL_MUST_CHECK;
/* A measure of a finished evidence, NaN where it is not defined. */
BURL_API double burl_evidence_get_value(const burl_evidence *self, burl_measure measure);

/* The interval of every measure of a finished evidence. Groups of images are resampled, those with
 * and without defects apart, by the Bayesian bootstrap with half an image that the detector gets
 * wholly wrong for the lower end, and half an image that it gets wholly right for the upper end; of
 * a rate this is nearly the interval of Clopper and Pearson, and seven finds out of seven are
 * no certainty. Errors: BURL_ERR_ARGUMENT (options), BURL_ERR_MEMORY. */
BURL_API burl_status burl_evidence_intervals(const burl_evidence *self,
                                             burl_interval intervals[BURL_MEASURE_COUNT],
                                             const burl_resampling *options) BURL_MUST_CHECK;

/* Figures of the images of one defect class against all good images: image AUROC, detection rate,
 * pixel AUROC and AUPRO; NaN elsewhere. Good pixels are those of all images, of other classes too.
 */
typedef struct burl_class_metrics {
  const char *label; /* borrowed from the evidence */
  size_t images;
  double values[BURL_MEASURE_COUNT];
  burl_interval intervals[BURL_MEASURE_COUNT];
} burl_class_metrics;

/* *classes (*count) by label in byte order, freed by the caller with free(). The evaluator is that
 * of burl_evidence_finish. Errors: BURL_ERR_ARGUMENT (options), BURL_ERR_MEMORY. */
BURL_API burl_status burl_evidence_classes(const burl_evidence *self,
                                           burl_pixel_evaluator *evaluator,
                                           burl_class_metrics **classes, size_t *count,
                                           const burl_resampling *options) BURL_MUST_CHECK;

/* Writes a finished evidence as docs/formats.md says. Errors: BURL_ERR_IO, BURL_ERR_MEMORY,
 * BURL_ERR_SIZE (4 GiB or more). */
BURL_API burl_status burl_evidence_save(const burl_evidence *self, const char *path,
                                        burl_diag *diag) BURL_MUST_CHECK;
/* Errors: BURL_ERR_IO, BURL_ERR_FORMAT, BURL_ERR_VERSION (no evidence, or of another version),
 * BURL_ERR_CHECKSUM, BURL_ERR_SIZE, BURL_ERR_UNSUPPORTED, BURL_ERR_MEMORY. */
BURL_API burl_status burl_evidence_load(burl_evidence **self, const char *path,
                                        burl_diag *diag) BURL_MUST_CHECK;

/* What two runs differ by in one measure. */
typedef struct burl_difference {
  double a, b, difference; /* b - a; NaN where one of them is not defined */
  burl_interval interval;  /* of the difference; NaN with a single image (or group) of a kind */
  double sure; /* share of the replicates that differ in the same sense; 0.5: nothing is known */
} burl_difference;

typedef struct burl_comparison {
  size_t images, defective; /* that both runs have */
  int same_truth;           /* 0: masks differ, and pixels are not compared */
} burl_comparison;

/* Compares two finished evidences image by image, which are paired by their names. Both are
 * measured under the same random weights of the images, and deviations are widened to the tails of
 * Student's t. Where one run has images that the other has not, figures are those of the common
 * images, by the histograms. Groups are those of a. Errors: BURL_ERR_DATA (no common image, one
 * that is good here and defective there), BURL_ERR_ARGUMENT (options), BURL_ERR_MEMORY. */
BURL_API burl_status burl_evidence_compare(const burl_evidence *a, const burl_evidence *b,
                                           burl_difference differences[BURL_MEASURE_COUNT],
                                           burl_comparison *comparison,
                                           const burl_resampling *options,
                                           burl_diag *diag) BURL_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
