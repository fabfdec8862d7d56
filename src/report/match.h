/* report/match.h: what the hottest patch of a shown image was compared with. */
#ifndef BURL_REPORT_MATCH_H
#define BURL_REPORT_MATCH_H

#include <burl/report_gallery.h>
#include <stdio.h>

/* A copy of a burl_report_match, with both pictures. */
typedef struct burl_match {
  char *member, *image; /* of the exemplar */
  size_t number, y, x, exemplar_y, exemplar_x;
  double distance, excess, exemplar_distance, mass;
  burl_image patch, exemplar; /* 8 bits, grey */
} burl_match;

/* Errors: BURL_ERR_MEMORY. */
burl_status burl_match_new(burl_match **match, const burl_image *image,
                           const burl_report_match *from) BURL_MUST_CHECK;
void burl_match_free(burl_match *match);

/* Both pictures and a sentence. Errors: BURL_ERR_MEMORY. */
burl_status burl_html_match(FILE *out, const burl_match *match, burl_diag *diag) BURL_MUST_CHECK;

#endif
