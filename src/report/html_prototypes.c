/* Prototypes in a page: the thumbnail of each exemplar with its mass below. */
#include "base/diag.h"
#include "base/file.h"
#include "base/memory.h"
#include "image/png_write.h"
#include "report/gallery_order.h"
#include "report/html_page.h"
#include "report/html_text.h"

#include <stdlib.h>

enum {
  REPORT_MOST = 12,   /* prototypes of a member in report.html */
  GALLERY_MOST = 256, /* and in gallery.html */
  SHOWN = 64          /* pixels a side on the page */
};

typedef struct ranked {
  double mass;
  size_t number;
} ranked;

static int by_mass(const void *left, const void *right) {
  const ranked *a = left, *b = right;
  if (a->mass != b->mass) return a->mass > b->mass ? -1 : 1;
  return (a->number > b->number) - (a->number < b->number);
}

size_t *burl_report_order(const burl_report_member *member) {
  size_t *order = burl_alloc(member->count, sizeof *order);
  ranked *rank = burl_alloc(member->count, sizeof *rank);
  if (order && rank) {
    for (size_t k = 0; k < member->count; k++)
      rank[k] = (ranked){member->prototypes[k].mass, k};
    qsort(rank, member->count, sizeof *rank, by_mass);
    for (size_t k = 0; k < member->count; k++)
      order[k] = rank[k].number;
  } else {
    free(order);
    order = NULL;
  }
  free(rank);
  return order;
}

burl_status burl_html_grey(FILE *out, const uint8_t *pixels, size_t side, size_t shown,
                           const char *alt, burl_diag *diag) {
  burl_png_writer *png = NULL;
  unsigned char *bytes = NULL;
  size_t size = 0;
  burl_status status = burl_png_writer_open_bytes(&png, side, side, 1, BURL_U8, diag);
  if (status != BURL_OK) return status;
  for (size_t y = 0; y < side; y++)
    if (burl_png_writer_put(png, pixels + y * side) != BURL_OK) break;
  status = burl_png_writer_commit_bytes(png, &bytes, &size, diag);
  if (status != BURL_OK) return status;
  fprintf(out, "<img class=\"patch\" width=\"%zu\" height=\"%zu\" alt=\"%s\" src=\"data:image/png;",
          shown, shown, alt);
  fputs("base64,", out);
  burl_html_base64(out, bytes, size);
  fputs("\">", out);
  free(bytes);
  return BURL_OK;
}

static burl_status put_prototype(FILE *out, const burl_report_prototype *p, size_t number,
                                 double most, burl_diag *diag) {
  fputs("<figure class=\"proto\" title=\"", out);
  burl_html_escape(out, p->image);
  fprintf(out, ", row %zu, column %zu\">", p->y, p->x);
  burl_status status = burl_html_grey(out, p->pixels, p->thumb, SHOWN, "cloth", diag);
  fputs("<span class=\"mass\"><i style=\"width:", out);
  burl_html_number(out, most > 0.0 ? 100.0 * p->mass / most : 0.0, 1);
  fprintf(out, "%%\"></i></span><figcaption>%zu: ", number);
  burl_html_number(out, 100.0 * p->mass, 2);
  fputs(" %</figcaption></figure>\n", out);
  return status;
}

burl_status burl_html_member(FILE *out, const burl_report_member *member, size_t most,
                             burl_diag *diag) {
  if (member->count == 0) return BURL_OK;
  size_t *order = burl_report_order(member);
  if (!order) return burl_fail_memory(diag, NULL);
  size_t shown = member->count < most ? member->count : most;
  double heaviest = member->prototypes[order[0]].mass, sum = 0.0;
  for (size_t i = 0; i < shown; i++)
    sum += member->prototypes[order[i]].mass;
  fputs("<h3>", out);
  burl_html_name(out, member->name);
  fputs("</h3>\n<p class=\"soft\">", out);
  if (shown < member->count) fprintf(out, "The heaviest %zu of ", shown);
  burl_html_count(out, member->count, "prototype", "prototypes");
  fputs(", which explain ", out);
  burl_html_number(out, 100.0 * sum, 1);
  fprintf(out, " %% of the good patches; %zu pixels of cloth a side.</p>\n<div class=\"protos\">\n",
          member->prototypes[order[0]].side);
  burl_status status = BURL_OK;
  for (size_t i = 0; i < shown && status == BURL_OK; i++)
    status = put_prototype(out, &member->prototypes[order[i]], order[i], heaviest, diag);
  fputs("</div>\n", out);
  free(order);
  return status;
}

static burl_status put_members(FILE *out, const burl_report_prototypes *gallery, size_t most,
                               burl_diag *diag) {
  burl_status status = BURL_OK;
  for (size_t i = 0; i < gallery->count && status == BURL_OK; i++)
    status = burl_html_member(out, &gallery->members[i], most, diag);
  return status;
}

static const char legend[] =
    "<p>Each picture is the patch of the training images that is nearest to a prototype, with the "
    "cloth that the patch sees. Below it are the prototype's number and its mass: the share of the "
    "good patches that are nearer to it than to any other.</p>\n";

burl_status burl_page_prototypes(const burl_page *page, burl_diag *diag) {
  const burl_report_prototypes *gallery = page->report->prototypes;
  if (!gallery || gallery->count == 0) return BURL_OK;
  fprintf(page->out, "<section>\n<h2>What the model knows</h2>\n%s", legend);
  burl_status status = put_members(page->out, gallery, REPORT_MOST, diag);
  fputs("</section>\n", page->out);
  return status;
}

burl_status burl_report_save_gallery(const burl_report_prototypes *gallery, const char *title,
                                     const char *facts, const char *path, burl_diag *diag) {
  burl_output out;
  burl_status status = burl_output_open(&out, path, diag);
  if (status != BURL_OK) return status;
  burl_page_open(out.stream, title, 0);
  burl_page_facts(out.stream, facts);
  fputs(legend, out.stream);
  status = put_members(out.stream, gallery, GALLERY_MOST, diag);
  burl_page_close(out.stream, 0);
  if (status == BURL_OK) return burl_output_commit(&out, diag);
  burl_output_abandon(&out);
  return burl_fail_memory(diag, path);
}
