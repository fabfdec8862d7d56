/* report.html: one file that opens anywhere, offline, and is readable without its script. */
#include "base/diag.h"
#include "base/file.h"
#include "report/html_page.h"
#include "report/html_text.h"

#include <math.h>

/* The policy keeps the promise to the reader: nothing is fetched, and at most the one script that
 * is part of burl is run. */
void burl_page_open(FILE *out, const char *title, int scripted) {
  fputs(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
      "img-src data:; style-src 'unsafe-inline'",
      out);
  if (scripted) burl_page_script_policy(out);
  fputs(
      "\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>",
      out);
  burl_html_escape(out, title);
  fputs("</title>\n<style>\n", out);
  burl_page_style(out);
  fputs("</style>\n</head>\n<body>\n<h1>", out);
  burl_html_escape(out, title);
  fputs("</h1>\n", out);
}

void burl_page_close(FILE *out, int scripted) {
  fputs("<footer>Written by burl " BURL_VERSION ".</footer>\n", out);
  if (scripted) burl_page_script(out);
  fputs("</body>\n</html>\n", out);
}

static void count_outcomes(burl_page *page) {
  for (size_t i = 0; i < page->report->count; i++) {
    const burl_report_entry *entry = page->report->entries + i;
    page->totals[burl_outcome_of(entry->defective, entry->score, page->metrics->threshold)]++;
  }
}

static burl_status put_page(burl_page *page, burl_diag *diag) {
  count_outcomes(page);
  burl_page_open(page->out, page->report->title, 1);
  burl_page_summary(page);
  burl_page_metrics(page);
  burl_page_histogram(page);
  burl_status status = burl_page_curves(page);
  if (status == BURL_OK) status = burl_page_classes(page);
  if (status == BURL_OK) status = burl_page_gallery(page, diag);
  if (status == BURL_OK) status = burl_page_prototypes(page, diag);
  burl_page_close(page->out, 1);
  return status;
}

burl_status burl_report_save_html(const burl_report *self, const burl_report_metrics *metrics,
                                  const burl_curve_point *curve, size_t points, const char *facts,
                                  const char *path, burl_diag *diag) {
  if (!isfinite(metrics->threshold))
    return burl_fail(diag, BURL_ERR_NUMERIC, path, NULL, "the threshold is not a finite number");
  burl_output out;
  burl_status status = burl_output_open(&out, path, diag);
  if (status != BURL_OK) return status;
  int curves = curve && isfinite(metrics->pixel.ranking.auroc); /* else rates are undefined */
  burl_page page = {.out = out.stream,
                    .report = self,
                    .metrics = metrics,
                    .curve = curve,
                    .points = curves ? points : 0,
                    .facts = facts};
  status = put_page(&page, diag);
  if (status == BURL_OK) return burl_output_commit(&out, diag);
  burl_output_abandon(&out);
  return status == BURL_ERR_MEMORY ? burl_fail_memory(diag, path) : status;
}
