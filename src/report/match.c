/* The hottest patch beside the nearest good cloth. */
#include "report/match.h"

#include "base/memory.h"
#include "image/crop.h"
#include "report/gallery_order.h"
#include "report/html_text.h"

#include <stdlib.h>
#include <string.h>

enum { SHOWN = 96 }; /* pixels a side on the page */

static burl_status copy_pictures(burl_match *to, const burl_image *image,
                                 const burl_report_match *from) {
  const burl_report_prototype *p = from->prototype;
  burl_status status =
      burl_image_crop_small(&to->patch, image, from->y, from->x, p->side, p->thumb);
  if (status == BURL_OK) status = burl_image_new(&to->exemplar, p->thumb, p->thumb, 1, BURL_U8);
  if (status == BURL_OK) memcpy(to->exemplar.data, p->pixels, p->thumb * p->thumb);
  return status;
}

burl_status burl_match_new(burl_match **match, const burl_image *image,
                           const burl_report_match *from) {
  burl_match *made = burl_alloc_zero(1, sizeof *made);
  if (!made) return BURL_ERR_MEMORY;
  *made = (burl_match){.number = from->number,
                       .y = from->y,
                       .x = from->x,
                       .exemplar_y = from->prototype->y,
                       .exemplar_x = from->prototype->x,
                       .distance = from->distance,
                       .excess = from->excess,
                       .exemplar_distance = from->prototype->distance,
                       .mass = from->prototype->mass,
                       .member = burl_copy_text(from->member),
                       .image = burl_copy_text(from->prototype->image)};
  burl_status status = made->member && made->image ? BURL_OK : BURL_ERR_MEMORY;
  if (status == BURL_OK) status = copy_pictures(made, image, from);
  if (status == BURL_OK)
    *match = made;
  else
    burl_match_free(made);
  return status;
}

void burl_match_free(burl_match *match) {
  if (!match) return;
  free(match->member);
  free(match->image);
  burl_image_free(&match->patch);
  burl_image_free(&match->exemplar);
  free(match);
}

static burl_status put_picture(FILE *out, const burl_image *image, const char *name,
                               burl_diag *diag) {
  fputs("<figure>", out);
  burl_status status = burl_html_grey(out, image->data, image->height, SHOWN, name, diag);
  fprintf(out, "<figcaption>%s</figcaption></figure>\n", name);
  return status;
}

static void put_words(FILE *out, const burl_match *match) {
  fprintf(out, "<p>Hottest patch: row %zu, column %zu, in ", match->y, match->x);
  burl_html_name(out, match->member);
  fputs(" ", out);
  burl_html_number(out, match->excess, 1);
  fprintf(out, " standard deviations above good cloth. Distance to its prototype, number %zu: ",
          match->number);
  burl_html_number(out, match->distance, 3);
  fputs("; that of the nearest good cloth (", out);
  burl_html_name(out, match->image);
  fprintf(out, ", row %zu, column %zu): ", match->exemplar_y, match->exemplar_x);
  burl_html_number(out, match->exemplar_distance, 3);
  fputs(". The prototype explains ", out);
  burl_html_number(out, 100.0 * match->mass, 2);
  fputs(" % of good patches.</p>\n", out);
}

burl_status burl_html_match(FILE *out, const burl_match *match, burl_diag *diag) {
  fputs("<div class=\"match\">\n", out);
  burl_status status = put_picture(out, &match->patch, "this patch", diag);
  if (status == BURL_OK) status = put_picture(out, &match->exemplar, "nearest good", diag);
  put_words(out, match);
  fputs("</div>\n", out);
  return status;
}
