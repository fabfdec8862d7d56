/* ROC, precision-recall and per-region overlap curves. Those of images are computed here from the
 * scores, every distinct score a threshold; those of pixels come with the metrics. */
#include "base/memory.h"
#include "report/html_chart.h"
#include "report/html_page.h"
#include "report/html_text.h"

#include <math.h>
#include <stdlib.h>

static const double overlap_limit = 0.30, overlap_strict = 0.05;

/* What is drawn of images: at threshold i, so many defective and good ones are at or above it. */
typedef struct ranked {
  double score;
  int defective;
} ranked;

typedef struct image_curve {
  ranked *images; /* by falling score */
  size_t count, defects;
} image_curve;

static int by_falling_score(const void *a, const void *b) {
  const ranked *x = a, *y = b;
  return (x->score < y->score) - (x->score > y->score);
}

static burl_status rank(image_curve *curve, const burl_report *report) {
  *curve = (image_curve){.count = report->count};
  curve->images = burl_alloc(report->count, sizeof *curve->images);
  if (!curve->images) return BURL_ERR_MEMORY;
  for (size_t i = 0; i < report->count; i++) {
    curve->images[i] = (ranked){report->entries[i].score, report->entries[i].defective};
    curve->defects += report->entries[i].defective != 0;
  }
  qsort(curve->images, curve->count, sizeof *curve->images, by_falling_score);
  return BURL_OK;
}

static int has_both(const image_curve *curve) {
  return curve->defects > 0 && curve->defects < curve->count;
}

/* Draws recall against false positive rate, or precision against recall. The latter as steps, for
 * average precision counts each step of recall with the precision reached at its end. */
static void draw_images(burl_chart *chart, const image_curve *curve, int precision) {
  double defects = (double)curve->defects, good = (double)(curve->count - curve->defects);
  double hits = 0, alarms = 0;
  burl_chart_line_begin(chart, "line-image");
  if (!precision) burl_chart_line_to(chart, 0, 0);
  for (size_t i = 0; i < curve->count;) {
    double score = curve->images[i].score, recall = hits / defects;
    for (; i < curve->count && curve->images[i].score == score; i++) {
      hits += curve->images[i].defective;
      alarms += !curve->images[i].defective;
    }
    if (!precision) {
      burl_chart_line_to(chart, alarms / good, hits / defects);
      continue;
    }
    burl_chart_line_to(chart, recall, hits / (hits + alarms));
    burl_chart_line_to(chart, hits / defects, hits / (hits + alarms));
  }
  burl_chart_line_end(chart);
}

static void draw_pixels(burl_chart *chart, const burl_page *page, int precision) {
  burl_chart_line_begin(chart, "line-pixel");
  if (!precision) burl_chart_line_to(chart, 0, 0);
  for (size_t i = 0; i < page->points; i++) {
    const burl_curve_point *p = page->curve + i;
    burl_chart_line_to(chart, precision ? p->tpr : p->fpr, precision ? p->precision : p->tpr);
  }
  burl_chart_line_end(chart);
}

/* Mean overlap up to the limit, where the line is cut. */
static void draw_overlap(burl_chart *chart, const burl_page *page) {
  burl_curve_point last = {0};
  burl_chart_line_begin(chart, "line-pixel");
  burl_chart_line_to(chart, 0, 0);
  for (size_t i = 0; i < page->points && last.fpr < overlap_limit; i++) {
    burl_curve_point p = page->curve[i];
    if (p.fpr > overlap_limit) {
      double t = (overlap_limit - last.fpr) / (p.fpr - last.fpr);
      p.pro = last.pro + t * (p.pro - last.pro);
      p.fpr = overlap_limit;
    }
    burl_chart_line_to(chart, p.fpr, p.pro);
    last = p;
  }
  burl_chart_line_end(chart);
}

static void open_chart(burl_chart *chart, FILE *out, double x_last, const char *label,
                       const char *x_label, const char *y_label) {
  burl_chart_range range = {0, x_last, 0, 1};
  fputs("<figure>\n", out);
  burl_chart_open(chart, out, 360, 320, range, label);
  for (int i = 0; i <= 5; i++)
    burl_chart_y_tick(chart, i * 0.2, 1);
  int steps = x_last < 1 ? 6 : 5;
  for (int i = 0; i <= steps; i++)
    burl_chart_x_tick(chart, x_last * i / steps, x_last * i / steps, x_last < 1 ? 2 : 1);
  burl_chart_x_label(chart, x_label);
  burl_chart_y_label(chart, y_label);
}

static void put_key(FILE *out, const char *of, int dashed, const char *what, double value) {
  fprintf(out, "<br><span class=\"key%s\"></span>%s, %s ", dashed ? " dashed" : "", of, what);
  burl_html_number(out, value, 4);
}

/* Closes a chart that has a curve of images and one of pixels. */
static void close_both(burl_chart *chart, const burl_page *page, const image_curve *curve,
                       const char *title, int precision) {
  FILE *out = page->out;
  const burl_ranking *image = &page->metrics->image, *pixel = &page->metrics->pixel.ranking;
  if (has_both(curve)) draw_images(chart, curve, precision);
  if (page->points) draw_pixels(chart, page, precision);
  burl_chart_close(chart);
  fprintf(out, "<figcaption><strong>%s</strong>", title);
  const char *what = precision ? "average precision" : "area";
  if (has_both(curve)) put_key(out, "images", 0, what, precision ? image->ap : image->auroc);
  if (page->points) put_key(out, "pixels", 1, what, precision ? pixel->ap : pixel->auroc);
  fputs("</figcaption>\n</figure>\n", out);
}

static void put_overlap(const burl_page *page) {
  burl_chart chart;
  open_chart(&chart, page->out, overlap_limit, "Overlap per region against false positive rate",
             "false positive rate of pixels", "mean overlap per region");
  burl_chart_marker(&chart, overlap_strict, "0.05");
  draw_overlap(&chart, page);
  burl_chart_close(&chart);
  fputs("<figcaption><strong>Per-region overlap</strong>", page->out);
  put_key(page->out, "pixels", 1, "AUPRO to 0.30", page->metrics->pixel.aupro_030);
  fputs(", to 0.05 ", page->out);
  burl_html_number(page->out, page->metrics->pixel.aupro_005, 4);
  fputs("</figcaption>\n</figure>\n", page->out);
}

static void put_charts(const burl_page *page, const image_curve *curve) {
  burl_chart chart;
  fputs("<div class=\"charts\">\n", page->out);
  open_chart(&chart, page->out, 1, "ROC curve", "false positive rate",
             "true positive rate (recall)");
  close_both(&chart, page, curve, "ROC", 0);
  open_chart(&chart, page->out, 1, "Precision-recall curve", "recall", "precision");
  close_both(&chart, page, curve, "Precision and recall", 1);
  if (page->points) put_overlap(page);
  fputs("</div>\n", page->out);
}

burl_status burl_page_curves(const burl_page *page) {
  FILE *out = page->out;
  image_curve curve;
  burl_status status = rank(&curve, page->report);
  if (status != BURL_OK) return status;
  fputs("<section>\n<h2>Curves</h2>\n", out);
  if (has_both(&curve) || page->points) put_charts(page, &curve);
  if (!has_both(&curve))
    fprintf(out, "<p class=\"soft\">There are no curves of images: %s.</p>\n",
            burl_page_image_reason(page->metrics));
  if (!page->points)
    fprintf(out, "<p class=\"soft\">There are no curves of pixels: %s.</p>\n",
            burl_page_pixel_reason(page->metrics));
  fputs("</section>\n", out);
  free(curve.images);
  return BURL_OK;
}
