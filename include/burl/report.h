/* burl/report.h: what people and scripts look at: overlays, metrics.json, images.csv, report.html.
 *
 * All files appear whole or not at all. One fixed colour scale serves all pictures of a model: heat
 * 0 to BURL_HEAT_SCALE, threshold at 1, in a perceptually even map that colour-blind readers can
 * read.
 */
#ifndef BURL_REPORT_H
#define BURL_REPORT_H

#include <burl/evaluate.h>
#include <burl/heat.h>
#include <burl/image.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Writes the image in grey, the heat above `typical` laid over it in colour, the contour of heat 1,
 * and a colour bar with the threshold marked at the right (the picture is wider than the image; the
 * image itself stays at pixel (0,0), unscaled). Written row by row.
 * Errors: BURL_ERR_IO, BURL_ERR_MEMORY. */
BURL_API burl_status burl_report_save_overlay(const burl_image *image, const float *heat,
                                              const char *path, burl_diag *diag) BURL_MUST_CHECK;

/* One line of scores.csv and images.csv. */
typedef struct burl_report_row {
  const char *name, *label; /* label NULL where unknown */
  int defective;
  double score;
} burl_report_row;

/* scores.csv: image,score,threshold,verdict; verdict is defect at score >= threshold, else good. */
BURL_API burl_status burl_report_save_scores(const burl_report_row *rows, size_t count,
                                             double threshold, const char *path,
                                             burl_diag *diag) BURL_MUST_CHECK;
/* images.csv: image,label,defective,score,threshold,verdict. */
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
  size_t images, defect_images, skipped_images;
  double threshold;        /* of image scores, 1 on the calibrated scale */
  double false_alarm_rate; /* measured: share of good test images at or above the threshold, NaN
                              without any */
  burl_report_seconds seconds;
} burl_report_metrics;

/* metrics.json: the keys image_auroc image_ap image_f1_max pixel_auroc pixel_ap pixel_f1_max
 * aupro_0.30 aupro_0.05 images defect_images skipped_images pixels threshold false_alarm_rate
 * seconds{...}; null where undefined. */
BURL_API burl_status burl_report_save_metrics(const burl_report_metrics *metrics, const char *path,
                                              burl_diag *diag) BURL_MUST_CHECK;

/* report.html, one self-contained file. Images are added one at a time as they are scored; small
 * pictures of the most telling ones (the best found, the misses, the false alarms; at most
 * `gallery`) are kept, so memory and file stay bounded. */
typedef struct burl_report burl_report;
BURL_API burl_status burl_report_new(burl_report **self, const char *title,
                                     size_t gallery) BURL_MUST_CHECK;
BURL_API void burl_report_free(burl_report *self);
/* mask may be NULL. Strings are copied. */
BURL_API burl_status burl_report_add(burl_report *self, const burl_report_row *row,
                                     const burl_image *image, const float *heat,
                                     const uint8_t *mask) BURL_MUST_CHECK;
/* curve (points): from burl_pixel_evaluator_compute, may be NULL with points 0. `facts` are lines
 * "name<TAB>value" for the summary table (model, data, settings), may be NULL. */
BURL_API burl_status burl_report_save_html(burl_report *self, const burl_report_metrics *metrics,
                                           const burl_curve_point *curve, size_t points,
                                           const char *facts, const char *path,
                                           burl_diag *diag) BURL_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
