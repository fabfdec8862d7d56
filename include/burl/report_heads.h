/* burl/report_heads.h: how heads were matched, as a table and as a picture. */
#ifndef BURL_REPORT_HEADS_H
#define BURL_REPORT_HEADS_H

#include <burl/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One kind of defect. Texts and weights are borrowed. */
typedef struct burl_report_head {
  const char *kind;      /* "speck".. */
  int kept;              /* 0: the head did not help and was dropped */
  double sigma;          /* of its smoothing, pixels */
  double equal_ap, ap;   /* 0..1, on held-out good images with synthetic defects */
  const double *weights; /* (groups), 0..1 */
} burl_report_head;

/* A CSV file: kind,kept,smoothing,equal_ap,ap and a column for each group's weight, by its name.
 * Numbers as in burl_report_save_scores. Errors: BURL_ERR_NUMERIC (a number that is not finite),
 * BURL_ERR_IO, BURL_ERR_MEMORY. */
BURL_API burl_status burl_report_save_heads_csv(const burl_report_head *heads, size_t count,
                                                const char *const *groups, size_t group_count,
                                                const char *path, burl_diag *diag) BURL_MUST_CHECK;

/* An SVG picture: for each kind the average precision of equal weights and of its own as bars, and
 * the weights as a strip. Errors: the same. */
BURL_API burl_status burl_report_save_heads_svg(const burl_report_head *heads, size_t count,
                                                const char *const *groups, size_t group_count,
                                                const char *path, burl_diag *diag) BURL_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
