/* A threshold to move: the counts at each of its steps, so that the page needs no list of scores
 * and stays bounded. Step BURL_LIVE_MODEL is exactly the threshold of the model. */
#include "report/html_live.h"

#include "report/html_text.h"
#include "report/number_text.h"

#include <math.h>

enum { STEPS = 401 };

static double step_of(double threshold) {
  double size = fabs(threshold);
  return (size > 1e-9 ? fmin(size, 1e300) : 1) / BURL_LIVE_MODEL;
}

static double threshold_at(double threshold, int step) {
  return threshold + (step - BURL_LIVE_MODEL) * step_of(threshold);
}

int burl_live_step(double score, double threshold) {
  int low = -1, high = STEPS; /* called at low, not at high */
  while (high - low > 1) {
    int middle = low + (high - low) / 2;
    if (score >= threshold_at(threshold, middle))
      low = middle;
    else
      high = middle;
  }
  return low;
}

/* How many good (or defective) images are called defects at each step. */
static void put_steps(const burl_page *page, const char *name, int defective) {
  size_t counts[STEPS] = {0}, called = 0;
  for (size_t i = 0; i < page->report->count; i++) {
    const burl_report_entry *entry = page->report->entries + i;
    int step = burl_live_step(entry->score, page->metrics->threshold);
    if (step >= 0 && (entry->defective != 0) == defective) counts[step]++;
  }
  for (int i = STEPS; i-- > 0;)
    counts[i] = called += counts[i];
  fprintf(page->out, " data-%s=\"", name);
  for (int i = 0; i < STEPS; i++)
    fprintf(page->out, i ? " %zu" : "%zu", counts[i]);
  fputs("\"", page->out);
}

static void put_attributes(const burl_page *page) {
  char first[BURL_NUMBER_TEXT], step[BURL_NUMBER_TEXT];
  const size_t *totals = page->totals;
  burl_number_short(first, threshold_at(page->metrics->threshold, 0), 9);
  burl_number_short(step, step_of(page->metrics->threshold), 9);
  fprintf(page->out, " data-scale=\"%s %s\" data-images=\"%zu %zu\"", first, step,
          totals[BURL_PASS] + totals[BURL_FALSE_ALARM], totals[BURL_FIND] + totals[BURL_MISS]);
  put_steps(page, "alarms", 0);
  put_steps(page, "finds", 1);
}

void burl_page_live(const burl_page *page) {
  FILE *out = page->out;
  if (page->report->count == 0) return;
  fputs("<div class=\"tools\" hidden=\"\" id=\"live\"", out);
  put_attributes(page);
  fprintf(out,
          ">\n<p><label for=\"threshold\">Try another threshold:</label>\n"
          "<input type=\"range\" id=\"threshold\" min=\"0\" max=\"%d\" value=\"%d\">\n"
          "<output id=\"threshold-value\" for=\"threshold\">",
          STEPS - 1, BURL_LIVE_MODEL);
  burl_html_number(out, page->metrics->threshold, 3);
  fprintf(out,
          "</output>\n<button type=\"button\" id=\"threshold-reset\">that of the model</button>"
          "</p>\n<p>found <strong id=\"live-found\">%zu</strong>, "
          "missed <strong id=\"live-missed\">%zu</strong>, "
          "false alarms <strong id=\"live-alarms\">%zu</strong>, "
          "passed <strong id=\"live-passed\">%zu</strong></p>\n"
          "<p class=\"soft\">A threshold chosen on test images flatters: choose it on others."
          "</p>\n</div>\n",
          page->totals[BURL_FIND], page->totals[BURL_MISS], page->totals[BURL_FALSE_ALARM],
          page->totals[BURL_PASS]);
}
