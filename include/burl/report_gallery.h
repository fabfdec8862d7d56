/* burl/report_gallery.h: prototypes to look at: contact sheets, a table and a page of what a model
 * knows, maps of which prototype explains what, and both in report.html.
 */
#ifndef BURL_REPORT_GALLERY_H
#define BURL_REPORT_GALLERY_H

#include <burl/report.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A prototype by the training patch nearest to it. */
typedef struct burl_report_prototype {
  double mass, radius;   /* share of the good patches nearest to it, and how far they are */
  const char *image;     /* that the patch lies in */
  size_t y, x, side;     /* pixel in its middle; side of the square of the image that is shown */
  double distance;       /* of the patch to the prototype */
  size_t thumb;          /* pixels a side of the picture */
  const uint8_t *pixels; /* (thumb, thumb) grey */
} burl_report_prototype;

typedef struct burl_report_member {
  const char *name; /* "level0": of letters, digits and points, for it becomes a file's name */
  size_t stride;    /* pixels between neighbouring patches */
  size_t count;
  const burl_report_prototype *prototypes; /* (count), by their numbers */
} burl_report_member;

typedef struct burl_report_prototypes {
  size_t count;
  const burl_report_member *members;
} burl_report_prototypes;

/* A contact sheet: the prototypes of a member, the heaviest first, 16 in a row, each 64 pixels a
 * side with a bar below that is as long as its mass in that of the heaviest. Written row by row.
 * Errors: BURL_ERR_ARGUMENT (no prototype), BURL_ERR_SIZE, BURL_ERR_IO, BURL_ERR_MEMORY. */
BURL_API burl_status burl_report_save_sheet(const burl_report_member *member, const char *path,
                                            burl_diag *diag) BURL_MUST_CHECK;
/* gallery.csv: member,prototype,mass,radius,image,y,x,side,distance; in the order of the numbers.
 * Errors: BURL_ERR_IO, BURL_ERR_MEMORY. */
BURL_API burl_status burl_report_save_prototypes(const burl_report_prototypes *gallery,
                                                 const char *path, burl_diag *diag) BURL_MUST_CHECK;
/* gallery.html: one file without scripts that fetches nothing; at most 256 prototypes of a member.
 * `facts` as in burl_report_save_html. Errors: BURL_ERR_IO, BURL_ERR_MEMORY. */
BURL_API burl_status burl_report_save_gallery(const burl_report_prototypes *gallery,
                                              const char *title, const char *facts,
                                              const char *path, burl_diag *diag) BURL_MUST_CHECK;

/* Which prototype each patch is nearest to: the image in grey at the left, the patches at the
 * right, each a square of `stride` pixels about its middle. Prototype k has the same colour in
 * every picture; numbers of UINT32_MAX stay grey. nearest (rows, cols) belongs to the whole image.
 * Written row by row. Errors: BURL_ERR_ARGUMENT (no cell), BURL_ERR_SIZE, BURL_ERR_IO,
 * BURL_ERR_MEMORY. */
BURL_API burl_status burl_report_save_assignment(const burl_image *image, const uint32_t *nearest,
                                                 size_t rows, size_t cols, size_t stride,
                                                 const char *path, burl_diag *diag) BURL_MUST_CHECK;

/* For report.html: the heaviest prototypes of each member. Borrowed until self is freed. */
BURL_API void burl_report_set_prototypes(burl_report *self, const burl_report_prototypes *gallery);

/* An image that report.html will show at a threshold, and its hottest pixel. */
typedef struct burl_report_shown {
  size_t added; /* images added before it */
  size_t y, x;
} burl_report_shown;

/* Misses, false alarms and finds among the pictures, in the order of the page: fills shown (as many
 * as the report's gallery) and returns how many. */
BURL_API size_t burl_report_get_shown(const burl_report *self, burl_report_shown *shown,
                                      double threshold);

/* What the hottest patch of an image was compared with. */
typedef struct burl_report_match {
  const char *member;
  size_t number; /* of the prototype */
  const burl_report_prototype *prototype;
  size_t y, x;     /* middle of the patch in the image */
  double distance; /* of the patch to the prototype */
  double excess;   /* standard deviations above good cloth */
} burl_report_match;

/* Shows the patch of image number `added` beside the exemplar of the prototype. All is copied; what
 * is not shown is not kept. Errors: BURL_ERR_MEMORY; self is then unchanged. */
BURL_API burl_status burl_report_explain(burl_report *self, size_t added, const burl_image *image,
                                         const burl_report_match *match) BURL_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
