/* The metrics, why some are undefined, and the counts at the threshold. */
#include "report/html_page.h"
#include "report/html_text.h"

#include <math.h>

const char *burl_page_image_reason(const burl_report_metrics *m) {
  if (m->images == 0) return "no image was scored";
  if (m->defect_images == 0) return "no image shows a defect";
  if (m->defect_images >= m->images) return "no image is free of defects";
  return "they were not computed";
}

const char *burl_page_pixel_reason(const burl_report_metrics *m) {
  if (m->pixel.pixels == 0) return "no masks are known";
  if (m->pixel.defect_pixels == 0) return "no mask marks a defect";
  if (m->pixel.defect_pixels >= m->pixel.pixels) return "no pixel is free of defects";
  return "they were not computed";
}

static void put_cell(FILE *out, double value) {
  fputs("<td class=\"n\">", out);
  burl_html_number(out, value, 4);
  fputs("</td>", out);
}

static void put_ranked(FILE *out, const char *name, double image, double pixel,
                       const char *meaning) {
  fprintf(out, "<tr><th scope=\"row\">%s</th>", name);
  put_cell(out, image);
  put_cell(out, pixel);
  fprintf(out, "<td>%s</td></tr>\n", meaning);
}

static void put_overlap(FILE *out, const char *name, double pixel, const char *meaning) {
  fprintf(out, "<tr><th scope=\"row\">%s</th><td></td>", name);
  put_cell(out, pixel);
  fprintf(out, "<td>%s</td></tr>\n", meaning);
}

static void put_table(FILE *out, const burl_report_metrics *m) {
  const burl_ranking *image = &m->image, *pixel = &m->pixel.ranking;
  fputs(
      "<div class=\"wide\">\n<table>\n<thead><tr><th scope=\"col\">Metric</th>"
      "<th scope=\"col\" class=\"n\">Images</th><th scope=\"col\" class=\"n\">Pixels</th>"
      "<th scope=\"col\">What it says</th></tr></thead>\n<tbody>\n",
      out);
  put_ranked(out, "AUROC", image->auroc, pixel->auroc,
             "how often a defect scores above good cloth; 1 is perfect, 0.5 is chance");
  put_ranked(out, "Average precision", image->ap, pixel->ap,
             "precision averaged over recall; 1 is perfect, chance is the share of defects");
  put_ranked(out, "F1-max", image->f1_max, pixel->f1_max,
             "the best balance of precision and recall over all thresholds");
  put_overlap(out, "AUPRO to 0.30", m->pixel.aupro_030,
              "mean overlap with each defect region, at false positive rates up to 0.30");
  put_overlap(out, "AUPRO to 0.05", m->pixel.aupro_005,
              "the same up to 0.05, where inspection works");
  fputs("</tbody>\n</table>\n</div>\n", out);
}

static int is_defined(const burl_ranking *ranking) {
  return isfinite(ranking->auroc) && isfinite(ranking->ap) && isfinite(ranking->f1_max);
}

static void put_reasons(FILE *out, const burl_report_metrics *m) {
  if (!is_defined(&m->image))
    fprintf(out, "<p>– The metrics of images are not defined: %s.</p>\n",
            burl_page_image_reason(m));
  if (!is_defined(&m->pixel.ranking) || !isfinite(m->pixel.aupro_030) ||
      !isfinite(m->pixel.aupro_005))
    fprintf(out, "<p>– The metrics of pixels are not defined: %s.</p>\n",
            burl_page_pixel_reason(m));
}

static void put_confusion(const burl_page *page) {
  FILE *out = page->out;
  fputs(
      "<h3>Images at the threshold</h3>\n<table>\n<thead><tr><td></td>"
      "<th scope=\"col\" class=\"n\">called defect</th>"
      "<th scope=\"col\" class=\"n\">called good</th></tr></thead>\n<tbody>\n",
      out);
  fprintf(out,
          "<tr><th scope=\"row\">with a defect</th><td class=\"n\">%zu found</td>"
          "<td class=\"n bad\">%zu missed</td></tr>\n",
          page->totals[BURL_FIND], page->totals[BURL_MISS]);
  fprintf(out,
          "<tr><th scope=\"row\">good</th><td class=\"n bad\">%zu false alarm%s</td>"
          "<td class=\"n\">%zu passed</td></tr>\n",
          page->totals[BURL_FALSE_ALARM], page->totals[BURL_FALSE_ALARM] == 1 ? "" : "s",
          page->totals[BURL_PASS]);
  fputs("</tbody>\n</table>\n", out);
}

void burl_page_metrics(const burl_page *page) {
  fputs("<section>\n<h2>Metrics</h2>\n", page->out);
  put_table(page->out, page->metrics);
  put_reasons(page->out, page->metrics);
  put_confusion(page);
  fputs("</section>\n", page->out);
}
