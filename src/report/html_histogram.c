/* The scores of all images as a histogram: good images above the axis, defective ones below it. The
 * threshold is a border between bars, so that bars tell exactly who is called what. Scores beyond
 * the fixed scale of heat are counted in the outermost bars. */
#include "report/html_chart.h"
#include "report/html_page.h"
#include "report/html_text.h"
#include "report/number_text.h"

#include <math.h>
#include <string.h>

enum { BINS_ABOVE = 30, BINS_BELOW = 20, BINS = BINS_ABOVE + BINS_BELOW, BINS_A_THRESHOLD = 10 };

typedef struct histogram {
  double threshold, width; /* bar i covers threshold + (i - BINS_BELOW) * width onwards */
  size_t good[BINS], bad[BINS], most; /* most: the tallest bar */
  int first, last;                    /* the bars that are shown, last not among them */
} histogram;

/* A tenth of the threshold; where that makes no sense a tenth of the largest distance from it. */
static double choose_width(const burl_report *report, double threshold) {
  if (threshold > 1e-9) return threshold / BINS_A_THRESHOLD;
  double most = 0;
  for (size_t i = 0; i < report->count; i++)
    most = fmax(most, fabs(report->entries[i].score - threshold));
  return most > 1e-9 ? fmin(most, 1e300) / BINS_A_THRESHOLD : 1;
}

static int bin_of(const histogram *h, double score) {
  double steps = floor((score - h->threshold) / h->width);
  if (steps < -BINS_BELOW) return 0;
  if (steps >= BINS_ABOVE) return BINS - 1;
  return (int)steps + BINS_BELOW;
}

static void count_scores(histogram *h, const burl_report *report, double threshold) {
  memset(h, 0, sizeof *h);
  h->threshold = threshold;
  h->width = choose_width(report, threshold);
  h->first = BINS_BELOW - BINS_A_THRESHOLD;
  h->last = BINS_BELOW + BINS_A_THRESHOLD;
  for (size_t i = 0; i < report->count; i++) {
    int bin = bin_of(h, report->entries[i].score);
    size_t *bar = report->entries[i].defective ? h->bad + bin : h->good + bin;
    *bar += 1;
    if (*bar > h->most) h->most = *bar;
    if (bin < h->first) h->first = bin;
    if (bin >= h->last) h->last = bin + 1;
  }
}

static double edge_of(const histogram *h, int bin) {
  return h->threshold + (bin - BINS_BELOW) * h->width;
}

/* Bars are placed by number, which stays exact whatever the scores are. */
static void put_bar(burl_chart *chart, const char *name, int bin, double count) {
  if (count == 0) return;
  double left = burl_chart_x(chart, bin), right = burl_chart_x(chart, bin + 1);
  double top = burl_chart_y(chart, fmax(count, 0)), bottom = burl_chart_y(chart, fmin(count, 0));
  fprintf(chart->out, "<rect class=\"%s\"", name);
  burl_chart_put(chart->out, "x", left + 0.5);
  burl_chart_put(chart->out, "y", top);
  burl_chart_put(chart->out, "width", right - left - 1);
  burl_chart_put(chart->out, "height", fmax(bottom - top, 1)); /* one image of many is still seen */
  fputs("/>\n", chart->out);
}

/* The largest step of 1, 2 or 5 times a power of ten that gives at least three ticks. */
static double nice_step(double range) {
  double power = pow(10, floor(log10(range / 3)));
  double rest = range / 3 / power;
  return power * (rest >= 5 ? 5 : rest >= 2 ? 2 : 1);
}

static void put_ticks(burl_chart *chart, const histogram *h) {
  double first = edge_of(h, h->first), last = edge_of(h, h->last);
  double step = nice_step(last - first), from = ceil(first / step - 1e-9);
  if (!isfinite(step) || !isfinite(from)) return; /* scores too large to be told apart */
  int decimals = step >= 1 ? 0 : (int)ceil(-log10(step) - 1e-9);
  for (int i = 0; i < 32 && (from + i) * step <= last + 1e-9 * step; i++) {
    double value = (from + i) * step;
    burl_chart_x_tick(chart, BINS_BELOW + (value - h->threshold) / h->width, value,
                      decimals < 9 ? decimals : 9);
  }
}

static void draw(FILE *out, const histogram *h) {
  double most = (double)h->most;
  burl_chart chart;
  char label[BURL_NUMBER_TEXT + 16], number[BURL_NUMBER_TEXT];
  burl_chart_range range = {h->first, h->last, -most, most};
  burl_chart_open(&chart, out, 640, 300, range,
                  "Histogram of image scores, good images above the axis and defective below");
  put_ticks(&chart, h);
  burl_chart_y_tick(&chart, most, 0);
  burl_chart_y_tick(&chart, 0, 0);
  burl_chart_y_tick(&chart, -most, 0);
  for (int i = h->first; i < h->last; i++) {
    put_bar(&chart, "bar-good", i, (double)h->good[i]);
    put_bar(&chart, "bar-bad", i, -(double)h->bad[i]);
  }
  burl_chart_axis(&chart, 0);
  burl_number_short(number, h->threshold, 4);
  snprintf(label, sizeof label, "threshold %s", number);
  burl_chart_marker(&chart, BINS_BELOW, label);
  burl_chart_x_label(&chart, "image score");
  burl_chart_y_label(&chart, "images");
  burl_chart_close(&chart);
}

void burl_page_histogram(const burl_page *page) {
  FILE *out = page->out;
  if (page->report->count == 0) return;
  histogram h;
  count_scores(&h, page->report, page->metrics->threshold);
  fputs("<section>\n<h2>Scores</h2>\n<figure>\n", out);
  draw(out, &h);
  fputs(
      "<figcaption><span class=\"good\">Good images</span> are counted above the axis, "
      "<span class=\"bad\">defective images</span> below it; right of the line an image is "
      "called a defect.",
      out);
  if (h.first == 0 || h.last == BINS)
    fputs(" The outermost bars also count what lies beyond them.", out);
  fputs("</figcaption>\n</figure>\n</section>\n", out);
}
