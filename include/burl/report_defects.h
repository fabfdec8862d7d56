/* burl/report_defects.h: defects as files: a table, COCO results, pictures with numbered boxes. */
#ifndef BURL_REPORT_DEFECTS_H
#define BURL_REPORT_DEFECTS_H

#include <burl/detect.h>
#include <burl/image.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A defect of a list; everything is borrowed. */
typedef struct burl_listed_defect {
  const char *image;    /* its name */
  size_t image_number;  /* from 1, the image_id of COCO */
  size_t height, width; /* of the image */
  const burl_proposal *defect;
  burl_kind kind; /* BURL_KIND_NONE: not known */
} burl_listed_defect;

/* defects.csv: rank,image,x,y,w,h,angle,length,area,score,kind, a line for each defect in the order
 * of the list, ranks from 1: x, y, w, h of the box, angle in degrees and length of the oriented
 * box, area of the mask, in pixels; with mm_per_px > 0 also x_mm,y_mm,w_mm,h_mm,length_mm,area_mm2.
 * Errors: BURL_ERR_ARGUMENT (mm_per_px is negative or not finite), BURL_ERR_IO, BURL_ERR_MEMORY. */
BURL_API burl_status burl_report_save_defects(const burl_listed_defect *list, size_t count,
                                              double mm_per_px, const char *path,
                                              burl_diag *diag) BURL_MUST_CHECK;

/* COCO results: a JSON list of objects with image_id, category_id 1, bbox [x, y, w, h], score,
 * segmentation (run lengths down the columns, in COCO's compressed text) and, beyond COCO, the
 * image's name as file_name, and the kind where it is known. Errors: BURL_ERR_IO, BURL_ERR_MEMORY.
 */
BURL_API burl_status burl_report_save_coco(const burl_listed_defect *list, size_t count,
                                           const char *path, burl_diag *diag) BURL_MUST_CHECK;

/* A PNG file of the image in grey with the outline of each mask, each box and its number: ranks
 * (count) gives the numbers. The last drawn is the first of the list, so that it is never hidden.
 * Errors: BURL_ERR_IO, BURL_ERR_MEMORY. */
BURL_API burl_status burl_report_save_boxes(const burl_image *image, const burl_proposal *defects,
                                            const size_t *ranks, size_t count, const char *path,
                                            burl_diag *diag) BURL_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
