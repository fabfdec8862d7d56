/* How heads were matched: a CSV table and an SVG picture of bars. */
#include <burl/report_heads.h>

#include "base/diag.h"
#include "base/file.h"
#include "report/csv_field.h"
#include "report/html_text.h"
#include "report/number_text.h"

#include <math.h>

enum { ROW = 56, TOP = 34, LEFT = 130, BAR = 300, STRIP = 300, GAP = 40 };

/* Opens the file, if all that is to be written is finite. */
static burl_status open_file(burl_output *out, const burl_report_head *heads, size_t count,
                             size_t groups, const char *path, burl_diag *diag) {
  for (size_t i = 0; i < count; i++) {
    double sum = heads[i].sigma + heads[i].equal_ap + heads[i].ap;
    for (size_t g = 0; g < groups; g++)
      sum += heads[i].weights[g];
    if (!isfinite(sum))
      return burl_fail(diag, BURL_ERR_NUMERIC, path, NULL,
                       "head %s holds a value that is not finite", heads[i].kind);
  }
  return burl_output_open(out, path, diag);
}

static void put_number(FILE *out, double value) {
  char number[BURL_NUMBER_TEXT];
  burl_number_text(number, value);
  fprintf(out, ",%s", number);
}

burl_status burl_report_save_heads_csv(const burl_report_head *heads, size_t count,
                                       const char *const *groups, size_t group_count,
                                       const char *path, burl_diag *diag) {
  burl_output out;
  burl_status status = open_file(&out, heads, count, group_count, path, diag);
  if (status != BURL_OK) return status;
  fputs("kind,kept,smoothing,equal_ap,ap", out.stream);
  for (size_t g = 0; g < group_count; g++) {
    fputc(',', out.stream);
    burl_csv_put_field(out.stream, groups[g]);
  }
  fputc('\n', out.stream);
  for (size_t i = 0; i < count; i++) {
    burl_csv_put_field(out.stream, heads[i].kind);
    fprintf(out.stream, ",%d", heads[i].kept != 0);
    put_number(out.stream, heads[i].sigma);
    put_number(out.stream, heads[i].equal_ap);
    put_number(out.stream, heads[i].ap);
    for (size_t g = 0; g < group_count; g++)
      put_number(out.stream, heads[i].weights[g]);
    fputc('\n', out.stream);
  }
  return burl_output_commit(&out, diag);
}

static void put_bar(FILE *out, double x, int y, double width, const char *fill) {
  fputs("<rect x=\"", out);
  burl_html_number(out, x, 1);
  fprintf(out, "\" y=\"%d\" height=\"18\" fill=\"%s\" width=\"", y, fill);
  burl_html_number(out, width, 1);
  fputs("\"/>\n", out);
}

static void put_label(FILE *out, int x, int y, const char *text) {
  fprintf(out, "<text x=\"%d\" y=\"%d\">", x, y);
  burl_html_escape(out, text);
  fputs("</text>\n", out);
}

static void put_percent(FILE *out, int x, int y, double share) {
  fprintf(out, "<text x=\"%d\" y=\"%d\">", x, y);
  burl_html_number(out, 100.0 * share, 1);
  fputs(" %</text>\n", out);
}

static void put_head(FILE *out, const burl_report_head *head, const char *const *groups,
                     size_t group_count, int y) {
  static const char *const shades[] = {"#2b5c8a", "#7fa8cf"};
  double at = LEFT + BAR + GAP + 60;
  put_label(out, 10, y + 16, head->kind);
  if (!head->kept) put_label(out, 10, y + 34, "(dropped)");
  put_bar(out, LEFT, y, BAR * head->equal_ap, "#9a9a9a");
  put_bar(out, LEFT, y + 20, BAR * head->ap, "#c8641e");
  put_percent(out, LEFT + BAR + 6, y + 14, head->equal_ap);
  put_percent(out, LEFT + BAR + 6, y + 34, head->ap);
  for (size_t g = 0, shown = 0; g < group_count; g++) {
    double width = STRIP * head->weights[g];
    if (!(width > 0.0)) continue;
    put_bar(out, at, y, width, shades[shown++ % 2]);
    if (width >= 36.0) put_label(out, (int)at, y + 34, groups[g]);
    at += width;
  }
}

burl_status burl_report_save_heads_svg(const burl_report_head *heads, size_t count,
                                       const char *const *groups, size_t group_count,
                                       const char *path, burl_diag *diag) {
  burl_output out;
  burl_status status = open_file(&out, heads, count, group_count, path, diag);
  if (status != BURL_OK) return status;
  int width = LEFT + BAR + GAP + 60 + STRIP + 20, height = TOP + (int)count * ROW + 10;
  fprintf(out.stream,
          "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
          "font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%%\" height=\"100%%\" "
          "fill=\"white\"/>\n",
          width, height);
  put_label(out.stream, LEFT, 20, "average precision: equal weights (grey), matched (orange)");
  put_label(out.stream, LEFT + BAR + GAP + 60, 20, "weights of the groups");
  for (size_t i = 0; i < count; i++)
    put_head(out.stream, &heads[i], groups, group_count, TOP + (int)i * ROW);
  fputs("</svg>\n", out.stream);
  return burl_output_commit(&out, diag);
}
