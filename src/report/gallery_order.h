/* report/gallery_order.h: prototypes in the order of their mass, and how they are put into a page.
 */
#ifndef BURL_REPORT_GALLERY_ORDER_H
#define BURL_REPORT_GALLERY_ORDER_H

#include <burl/report_gallery.h>
#include <stdio.h>

/* Numbers of the prototypes (count), the heaviest first, equals by number; freed with free(). NULL
 * where there is no memory. */
size_t *burl_report_order(const burl_report_member *member);

/* A grey picture as <img> with its bytes inside, `shown` pixels a side on the page. Errors:
 * BURL_ERR_MEMORY. */
burl_status burl_html_grey(FILE *out, const uint8_t *pixels, size_t side, size_t shown,
                           const char *alt, burl_diag *diag) BURL_MUST_CHECK;

/* A heading and the `most` heaviest prototypes of a member. Errors: BURL_ERR_MEMORY. */
burl_status burl_html_member(FILE *out, const burl_report_member *member, size_t most,
                             burl_diag *diag) BURL_MUST_CHECK;

#endif
