/* The top of the page: what was found, in one sentence, and the facts of the run. */
#include "report/html_page.h"
#include "report/html_text.h"
#include "report/number_text.h"

#include <math.h>
#include <string.h>

static size_t defects_of(const burl_page *page) {
  return page->totals[BURL_MISS] + page->totals[BURL_FIND];
}

static size_t good_of(const burl_page *page) {
  return page->totals[BURL_FALSE_ALARM] + page->totals[BURL_PASS];
}

/* " At the threshold 3 of 4 images are found." */
static void put_share(FILE *out, const char *before, size_t some, size_t all, const char *of,
                      const char *one_does, const char *many_do) {
  fprintf(out, "%s <strong>%zu of %zu</strong> %s %s.", before, some, all, of,
          some == 1 || all == 1 ? one_does : many_do);
}

static void put_lead(const burl_page *page) {
  FILE *out = page->out;
  size_t defects = defects_of(page), good = good_of(page);
  if (defects + good == 0) {
    fputs("<p class=\"lead\">No image was scored.</p>\n", out);
    return;
  }
  fputs("<p class=\"lead\">", out);
  burl_html_count(out, defects + good, "image was", "images were");
  fputs(" scored: ", out);
  burl_html_count(out, defects, "image with a defect", "images with defects");
  fputs(" and ", out);
  burl_html_count(out, good, "good image", "good images");
  fputs(".", out);
  if (defects)
    put_share(out, " At the threshold", page->totals[BURL_FIND], defects,
              defects == 1 ? "defective image" : "defective images", "is found", "are found");
  if (good)
    put_share(out, "", page->totals[BURL_FALSE_ALARM], good,
              good == 1 ? "good image" : "good images", "raises a false alarm",
              "raise a false alarm");
  fputs("</p>\n", out);
}

static void open_row(FILE *out, const char *name) {
  fprintf(out, "<tr><th scope=\"row\">%s</th><td>", name);
}

static void close_row(FILE *out) {
  fputs("</td></tr>\n", out);
}

/* A line "name<TAB>value"; without a tab it is all name. */
static void put_fact(FILE *out, const char *line, size_t size) {
  if (size > 0 && line[size - 1] == '\r') size--;
  if (size == 0) return;
  const char *tab = memchr(line, '\t', size);
  size_t name = tab ? (size_t)(tab - line) : size;
  fputs("<tr><th scope=\"row\">", out);
  burl_html_escape_bytes(out, line, name);
  fputs("</th><td>", out);
  if (tab) burl_html_escape_bytes(out, tab + 1, size - name - 1);
  close_row(out);
}

static void put_facts(FILE *out, const char *facts) {
  while (facts && *facts) {
    size_t size = strcspn(facts, "\n");
    put_fact(out, facts, size);
    facts += size + (facts[size] == '\n');
  }
}

static void put_threshold(const burl_page *page) {
  char text[BURL_NUMBER_TEXT];
  burl_number_text(text, page->metrics->threshold);
  open_row(page->out, "Threshold of image scores");
  fputs(text, page->out);
  close_row(page->out);
  open_row(page->out, "False alarm rate");
  double rate = page->metrics->false_alarm_rate;
  if (isfinite(rate)) {
    burl_html_number(page->out, 100 * rate, 2);
    fputs(" % of the good images score at or above the threshold", page->out);
  } else {
    fputs("– (no good image was scored)", page->out);
  }
  close_row(page->out);
}

static void put_counts(const burl_page *page) {
  FILE *out = page->out;
  const burl_report_metrics *m = page->metrics;
  open_row(out, "Images");
  fprintf(out, "%zu scored, %zu of them with defects; %zu skipped", m->images, m->defect_images,
          m->skipped_images);
  close_row(out);
  open_row(out, "Pixels with known truth");
  if (m->pixel.pixels == 0)
    fputs("– (no masks are known)", out);
  else
    fprintf(out, "%llu, of which %llu in %zu defect region%s", (unsigned long long)m->pixel.pixels,
            (unsigned long long)m->pixel.defect_pixels, m->pixel.regions,
            m->pixel.regions == 1 ? "" : "s");
  close_row(out);
}

static void put_time(FILE *out, const char *before, double seconds) {
  fputs(before, out);
  burl_html_number(out, seconds, 2);
  fputs(" s", out);
}

static void put_times(const burl_page *page) {
  FILE *out = page->out;
  const burl_report_seconds *s = &page->metrics->seconds;
  open_row(out, "Time");
  put_time(out, "", s->total);
  fputs(" by the clock", out);
  if (page->metrics->images && isfinite(s->score)) {
    fputs("; scoring takes ", out);
    burl_html_number(out, 1000 * s->score / (double)page->metrics->images, 1);
    fputs(" ms an image and thread", out);
  }
  fputs("<br><span class=\"soft\">", out);
  put_time(out, "reading ", s->read);
  put_time(out, ", scoring ", s->score);
  fputs(" (both summed over threads)", out);
  put_time(out, ", metrics ", s->metrics);
  put_time(out, ", writing ", s->write);
  fputs("</span>", out);
  close_row(out);
}

void burl_page_facts(FILE *out, const char *facts) {
  if (!facts || !*facts) return;
  fputs("<table>\n<tbody>\n", out);
  put_facts(out, facts);
  fputs("</tbody>\n</table>\n", out);
}

void burl_page_summary(const burl_page *page) {
  put_lead(page);
  fputs("<section>\n<h2>Summary</h2>\n<table>\n<tbody>\n", page->out);
  put_facts(page->out, page->facts);
  put_counts(page);
  put_threshold(page);
  put_times(page);
  fputs("</tbody>\n</table>\n</section>\n", page->out);
}
