/* The metrics, why some are undefined, and the counts at the threshold. */
#include "report/html_live.h"
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

/* A value and its interval, where there is one. */
static void put_cell(FILE *out, const burl_report_metrics *m, double value, burl_measure measure) {
  burl_interval interval = m->intervals[measure];
  fputs("<td class=\"n\">", out);
  burl_html_number(out, value, 4);
  if (m->level > 0 && isfinite(interval.low) && isfinite(interval.high)) {
    fputs("<br><span class=\"soft\">", out);
    burl_html_number(out, interval.low, 3);
    fputs(" to ", out);
    burl_html_number(out, interval.high, 3);
    fputs("</span>", out);
  }
  fputs("</td>", out);
}

typedef struct ranked_line {
  const char *name, *meaning;
  burl_measure image, pixel;
} ranked_line;

static void put_ranked(FILE *out, const burl_report_metrics *m, const ranked_line *line,
                       double image, double pixel) {
  fprintf(out, "<tr><th scope=\"row\">%s</th>", line->name);
  put_cell(out, m, image, line->image);
  put_cell(out, m, pixel, line->pixel);
  fprintf(out, "<td>%s</td></tr>\n", line->meaning);
}

static void put_overlap(FILE *out, const burl_report_metrics *m, const char *name, double value,
                        burl_measure measure, const char *meaning) {
  fprintf(out, "<tr><th scope=\"row\">%s</th><td></td>", name);
  put_cell(out, m, value, measure);
  fprintf(out, "<td>%s</td></tr>\n", meaning);
}

static void put_level(FILE *out, const burl_report_metrics *m) {
  if (!(m->level > 0)) return;
  fputs("<p class=\"soft\">Below a value: its ", out);
  burl_html_number(out, 100 * m->level, 0);
  fputs(" % interval, had other images of the same kind been tested.</p>\n", out);
}

static const ranked_line ranked_lines[] = {
    {"AUROC", "how often a defect scores above good cloth; 1 is perfect, 0.5 is chance",
     BURL_MEASURE_IMAGE_AUROC, BURL_MEASURE_PIXEL_AUROC},
    {"Average precision",
     "precision averaged over recall; 1 is perfect, chance is the share of defects",
     BURL_MEASURE_IMAGE_AP, BURL_MEASURE_PIXEL_AP},
    {"F1-max", "the best balance of precision and recall over all thresholds",
     BURL_MEASURE_IMAGE_F1, BURL_MEASURE_PIXEL_F1},
};

static void put_table(FILE *out, const burl_report_metrics *m) {
  const burl_ranking *image = &m->image, *pixel = &m->pixel.ranking;
  fputs(
      "<div class=\"wide\">\n<table>\n<thead><tr><th scope=\"col\">Metric</th>"
      "<th scope=\"col\" class=\"n\">Images</th><th scope=\"col\" class=\"n\">Pixels</th>"
      "<th scope=\"col\">What it says</th></tr></thead>\n<tbody>\n",
      out);
  put_ranked(out, m, ranked_lines, image->auroc, pixel->auroc);
  put_ranked(out, m, ranked_lines + 1, image->ap, pixel->ap);
  put_ranked(out, m, ranked_lines + 2, image->f1_max, pixel->f1_max);
  put_overlap(out, m, "AUPRO to 0.30", m->pixel.aupro_030, BURL_MEASURE_AUPRO_030,
              "mean overlap with each defect region, at false positive rates up to 0.30");
  put_overlap(out, m, "AUPRO to 0.05", m->pixel.aupro_005, BURL_MEASURE_AUPRO_005,
              "the same up to 0.05, where inspection works");
  fputs("</tbody>\n</table>\n</div>\n", out);
  put_level(out, m);
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
  burl_page_live(page);
  fputs("</section>\n", page->out);
}
