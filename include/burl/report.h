/* burl/report.h: what people and scripts look at: overlays, metrics.json, images.csv, report.html.
 *
 * All files appear whole or not at all. One fixed colour scale serves all pictures of a model: heat
 * 0 to BURL_HEAT_SCALE, threshold at 1, in a perceptually even map that colour-blind readers can
 * read.
 */
#ifndef BURL_REPORT_H
#define BURL_REPORT_H

#include <burl/evaluate_boxes.h>
#include <burl/evaluate_evidence.h>
#include <burl/heat.h>
#include <burl/image.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Writes the image in grey with the heat (height, width) laid over it in colour, its opacity rising
 * from none at heat 0.5, the contour of heat 1 as a line of one pixel, and at the right, in a strip
 * of its own, a colour bar with the threshold marked (the picture is wider than the image; the
 * image itself stays at pixel (0,0), unscaled). Written row by row. Errors: BURL_ERR_NUMERIC (a
 * heat is NaN), BURL_ERR_IO, BURL_ERR_MEMORY, BURL_ERR_SIZE (with the strip the picture exceeds the
 * limits of burl/image.h). */
BURL_API burl_status burl_report_save_overlay(const burl_image *image, const float *heat,
                                              const char *path, burl_diag *diag) BURL_MUST_CHECK;

/* One line of scores.csv and images.csv. */
typedef struct burl_report_row {
  const char *name, *label; /* label NULL where unknown */
  int defective;
  double score;
  const char *kind; /* what the defect looks like at the score's place; NULL: not known */
} burl_report_row;

/* scores.csv: image,score,threshold,verdict,kind (empty where the verdict is good); verdict is
 * defect at score >= threshold, else good. Fields are quoted as in RFC 4180, lines end in a
 * newline. Numbers have '.' whatever the locale, and the fewest digits that give the same number
 * back: as a float where it is one exactly, else as a double. Errors: BURL_ERR_NUMERIC (a score or
 * the threshold is not finite), BURL_ERR_IO, BURL_ERR_MEMORY. */
BURL_API burl_status burl_report_save_scores(const burl_report_row *rows, size_t count,
                                             double threshold, const char *path,
                                             burl_diag *diag) BURL_MUST_CHECK;
/* images.csv: image,label,defective,score,threshold,verdict,kind, label empty where unknown,
 * defective 0 or
 * 1. Otherwise the same. */
BURL_API burl_status burl_report_save_images(const burl_report_row *rows, size_t count,
                                             double threshold, const char *path,
                                             burl_diag *diag) BURL_MUST_CHECK;

typedef struct burl_report_seconds {
  double read, score, write, metrics,
      total; /* write: reports; read and score summed over threads, total by the clock */
} burl_report_seconds;

typedef struct burl_report_metrics {
  burl_ranking image;
  burl_pixel_metrics pixel; /* all NaN where no mask is known */
  burl_box_metrics boxes;   /* the same */
  size_t images, defect_images, skipped_images;
  double threshold;        /* of image scores, 1 on the calibrated scale */
  double false_alarm_rate; /* measured: share of good test images at or above the threshold, NaN
                              without any */
  double detection_rate;   /* the same of the defective ones */
  burl_interval intervals[BURL_MEASURE_COUNT]; /* NaN where not defined */
  double level;                      /* of the intervals, such as 0.95; 0: there are none */
  const burl_class_metrics *classes; /* (class_count), borrowed; may be NULL with 0 */
  size_t class_count;
  burl_report_seconds seconds;
} burl_report_metrics;

/* metrics.json, as docs/formats.md says; null where a number is not finite.
 * Errors: BURL_ERR_IO, BURL_ERR_MEMORY. */
BURL_API burl_status burl_report_save_metrics(const burl_report_metrics *metrics, const char *path,
                                              burl_diag *diag) BURL_MUST_CHECK;

/* pixels.roc.csv: threshold,fpr,tpr,precision,pro; inf where nothing is called, empty where a rate
 * is not defined. Errors: BURL_ERR_IO, BURL_ERR_MEMORY. */
BURL_API burl_status burl_report_save_curve(const burl_curve_point *curve, size_t points,
                                            const char *path, burl_diag *diag) BURL_MUST_CHECK;

/* A line of regions.csv: image,label,region,pixels,top,left,bottom,right,heat_max,heat_mean,found,
 * the last being a share. Errors: BURL_ERR_IO, BURL_ERR_MEMORY. */
typedef struct burl_report_region {
  const char *name, *label; /* label NULL where unknown */
  size_t number;            /* within the image, from 1 */
  burl_region region;
} burl_report_region;
BURL_API burl_status burl_report_save_regions(const burl_report_region *regions, size_t count,
                                              const char *path, burl_diag *diag) BURL_MUST_CHECK;

/* report.html, one self-contained file. Images are added one at a time as they are scored; small
 * pictures of the most telling ones are kept: at most three times `gallery`, of which at most
 * `gallery` are shown. Misses, false alarms and finds have a third of the gallery each; what one
 * leaves free goes to the others and at last to good images that passed. Which images are shown
 * does not depend on the order of adding (but for equal scores under equal names). One thread at a
 * time. */
typedef struct burl_report burl_report;
BURL_API burl_status burl_report_new(burl_report **self, const char *title,
                                     size_t gallery) BURL_MUST_CHECK;
BURL_API void burl_report_free(burl_report *self);
/* heat and mask (may be NULL, 0: defect-free) are the size of the image. All is copied.
 * Errors: BURL_ERR_NUMERIC (the score is not finite, a heat that would be shown is NaN),
 * BURL_ERR_MEMORY; self is then unchanged. */
BURL_API burl_status burl_report_add(burl_report *self, const burl_report_row *row,
                                     const burl_image *image, const float *heat,
                                     const uint8_t *mask) BURL_MUST_CHECK;
/* curve (points): from burl_pixel_evaluator_compute, may be NULL with points 0. `facts` are lines
 * "name<TAB>value" for the summary table (model, data, settings), may be NULL. Texts are UTF-8;
 * what is not is shown as U+FFFD. Errors: BURL_ERR_NUMERIC (the threshold is not finite),
 * BURL_ERR_IO, BURL_ERR_MEMORY. */
BURL_API burl_status burl_report_save_html(const burl_report *self,
                                           const burl_report_metrics *metrics,
                                           const burl_curve_point *curve, size_t points,
                                           const char *facts, const char *path,
                                           burl_diag *diag) BURL_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
