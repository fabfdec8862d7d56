/* report/html_page.h: the sections of the page. Writing errors stay with the stream, the commit of
 * the file tells them. */
#ifndef BURL_REPORT_HTML_PAGE_H
#define BURL_REPORT_HTML_PAGE_H

#include "report/report_store.h"

#include <stdio.h>

typedef struct burl_page {
  FILE *out;
  const burl_report *report;
  const burl_report_metrics *metrics;
  const burl_curve_point *curve; /* (points) */
  size_t points;
  const char *facts;            /* NULL where none */
  size_t totals[BURL_OUTCOMES]; /* images of each outcome */
} burl_page;

/* The style sheet, inside <style>. */
void burl_page_style(FILE *out);
/* The script as an element, and what the policy of the page says of it. */
void burl_page_script(FILE *out);
void burl_page_script_policy(FILE *out);
/* From the beginning of a file to its heading, and its end; `scripted`: with the script. */
void burl_page_open(FILE *out, const char *title, int scripted);
void burl_page_close(FILE *out, int scripted);
/* A table of `facts`, nothing where there are none. */
void burl_page_facts(FILE *out, const char *facts);
/* A sentence, the facts, counts and times. */
void burl_page_summary(const burl_page *page);
/* The table of metrics, the reasons for what is undefined, and the counts at the threshold. */
void burl_page_metrics(const burl_page *page);
void burl_page_histogram(const burl_page *page);
/* The others need memory. Errors: BURL_ERR_MEMORY. */
burl_status burl_page_curves(const burl_page *page) BURL_MUST_CHECK;
burl_status burl_page_classes(const burl_page *page) BURL_MUST_CHECK;
burl_status burl_page_prototypes(const burl_page *page, burl_diag *diag) BURL_MUST_CHECK;
burl_status burl_page_gallery(const burl_page *page, burl_diag *diag) BURL_MUST_CHECK;

/* Why the metrics of images, of pixels are undefined, as the end of a sentence. */
const char *burl_page_image_reason(const burl_report_metrics *metrics);
const char *burl_page_pixel_reason(const burl_report_metrics *metrics);

#endif
