/* The table of classes: images with the same label, good ones first, then by name. */
#include "base/memory.h"
#include "report/html_page.h"
#include "report/html_text.h"

#include <stdlib.h>
#include <string.h>

static int compare_labels(const char *a, const char *b) {
  if (!a || !b) return (b == NULL) - (a == NULL);
  return strcmp(a, b);
}

static int same_class(const burl_report_entry *a, const burl_report_entry *b) {
  return a->defective == b->defective && compare_labels(a->label, b->label) == 0;
}

/* By class, then by score, so that the sums below do not depend on the order of adding. */
static int by_class(const void *a, const void *b) {
  const burl_report_entry *x = *(const burl_report_entry *const *)a;
  const burl_report_entry *y = *(const burl_report_entry *const *)b;
  if (x->defective != y->defective) return x->defective - y->defective;
  int labels = compare_labels(x->label, y->label);
  if (labels != 0) return labels;
  return (x->score > y->score) - (x->score < y->score);
}

/* A row for the images from..to-1 of one class. */
static void put_class(const burl_page *page, burl_report_entry *const *sorted, size_t from,
                      size_t to) {
  FILE *out = page->out;
  const burl_report_entry *first = sorted[from];
  size_t n = to - from, called = 0;
  double sum = 0;
  for (size_t i = from; i < to; i++) {
    called += sorted[i]->score >= page->metrics->threshold;
    sum += sorted[i]->score;
  }
  fputs("<tr><th scope=\"row\">", out);
  burl_html_name(out, first->label ? first->label : "–");
  fprintf(out, "</th><td class=\"%s\">%s</td><td class=\"n\">%zu</td><td class=\"n\">%zu (",
          first->defective ? "bad" : "good", first->defective ? "defect" : "good", n, called);
  burl_html_number(out, 100 * (double)called / (double)n, 1);
  fputs(" %)</td><td class=\"n\">", out);
  burl_html_number(out, sum / (double)n, 3);
  fputs("</td></tr>\n", out);
}

static void put_table(const burl_page *page, burl_report_entry *const *sorted, size_t count) {
  fputs(
      "<section>\n<h2>Classes</h2>\n<div class=\"wide\">\n<table>\n<thead><tr>"
      "<th scope=\"col\">Class</th><th scope=\"col\">Kind</th>"
      "<th scope=\"col\" class=\"n\">Images</th>"
      "<th scope=\"col\" class=\"n\">Called defect at the threshold</th>"
      "<th scope=\"col\" class=\"n\">Mean score</th></tr></thead>\n<tbody>\n",
      page->out);
  for (size_t from = 0; from < count;) {
    size_t to = from + 1;
    while (to < count && same_class(sorted[from], sorted[to]))
      to++;
    put_class(page, sorted, from, to);
    from = to;
  }
  fputs(
      "</tbody>\n</table>\n</div>\n<p class=\"soft\">Called defect: found, where the class is a "
      "defect; a false alarm, where it is good.</p>\n</section>\n",
      page->out);
}

burl_status burl_page_classes(const burl_page *page) {
  size_t count = page->report->count;
  if (count == 0) return BURL_OK;
  burl_report_entry **sorted = burl_alloc(count, sizeof *sorted);
  if (!sorted) return BURL_ERR_MEMORY;
  for (size_t i = 0; i < count; i++)
    sorted[i] = page->report->entries + i;
  qsort(sorted, count, sizeof *sorted, by_class);
  put_table(page, sorted, count);
  free(sorted);
  return BURL_OK;
}
