/* Charts as inline SVG. Colours come from the page's style sheet, so that they follow light and
 * dark. */
#include "report/html_chart.h"

#include "report/html_text.h"
#include "report/number_text.h"

#include <math.h>

void burl_chart_put(FILE *out, const char *attribute, double value) {
  char text[BURL_NUMBER_TEXT];
  burl_number_fixed(text, value, 1);
  fprintf(out, " %s=\"%s\"", attribute, text);
}

/* The values at the edges, for the script. */
static void put_range(FILE *out, burl_chart_range range) {
  const double values[] = {range.x_first, range.x_last, range.y_first, range.y_last};
  char text[BURL_NUMBER_TEXT];
  for (int i = 0; i < 4; i++) {
    burl_number_short(text, values[i], 9);
    fprintf(out, i ? " %s" : " data-range=\"%s", text);
  }
  fputs("\"", out);
}

void burl_chart_open(burl_chart *chart, FILE *out, double width, double height,
                     burl_chart_range range, const char *label) {
  *chart = (burl_chart){.out = out,
                        .width = width,
                        .height = height,
                        .left = 50,
                        .right = width - 14,
                        .top = 22,
                        .bottom = height - 40,
                        .x_first = range.x_first,
                        .x_last = range.x_last,
                        .y_first = range.y_first,
                        .y_last = range.y_last};
  fprintf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", (int)width, (int)height);
  burl_html_escape(out, label);
  fputs("\"", out);
  put_range(out, range);
  fputs(">\n<rect class=\"plot\"", out);
  burl_chart_put(out, "x", chart->left);
  burl_chart_put(out, "y", chart->top);
  burl_chart_put(out, "width", chart->right - chart->left);
  burl_chart_put(out, "height", chart->bottom - chart->top);
  fputs("/>\n", out);
}

void burl_chart_close(burl_chart *chart) {
  fputs("</svg>\n", chart->out);
}

double burl_chart_x(const burl_chart *chart, double value) {
  double t = (value - chart->x_first) / (chart->x_last - chart->x_first);
  return chart->left + (chart->right - chart->left) * t;
}

double burl_chart_y(const burl_chart *chart, double value) {
  double t = (value - chart->y_first) / (chart->y_last - chart->y_first);
  return chart->bottom - (chart->bottom - chart->top) * t;
}

static void put_segment(FILE *out, const char *name, double x1, double y1, double x2, double y2) {
  fprintf(out, "<line class=\"%s\"", name);
  burl_chart_put(out, "x1", x1);
  burl_chart_put(out, "y1", y1);
  burl_chart_put(out, "x2", x2);
  burl_chart_put(out, "y2", y2);
  fputs("/>", out);
}

static void open_text(FILE *out, const char *anchor, double x, double y) {
  fprintf(out, "<text text-anchor=\"%s\"", anchor);
  burl_chart_put(out, "x", x);
  burl_chart_put(out, "y", y);
}

void burl_chart_x_tick(burl_chart *chart, double value, double number, int decimals) {
  double x = burl_chart_x(chart, value);
  put_segment(chart->out, "grid", x, chart->top, x, chart->bottom);
  open_text(chart->out, "middle", x, chart->bottom + 14);
  fputc('>', chart->out);
  burl_html_number(chart->out, number, decimals);
  fputs("</text>\n", chart->out);
}

void burl_chart_y_tick(burl_chart *chart, double value, int decimals) {
  double y = burl_chart_y(chart, value);
  put_segment(chart->out, "grid", chart->left, y, chart->right, y);
  open_text(chart->out, "end", chart->left - 5, y + 4);
  fputc('>', chart->out);
  burl_html_number(chart->out, fabs(value), decimals);
  fputs("</text>\n", chart->out);
}

void burl_chart_axis(burl_chart *chart, double value) {
  double y = burl_chart_y(chart, value);
  put_segment(chart->out, "axis", chart->left, y, chart->right, y);
  fputc('\n', chart->out);
}

void burl_chart_x_label(burl_chart *chart, const char *text) {
  open_text(chart->out, "middle", (chart->left + chart->right) / 2, chart->height - 8);
  fputc('>', chart->out);
  burl_html_escape(chart->out, text);
  fputs("</text>\n", chart->out);
}

void burl_chart_y_label(burl_chart *chart, const char *text) {
  double x = 13, y = (chart->top + chart->bottom) / 2;
  open_text(chart->out, "middle", x, y);
  fprintf(chart->out, " transform=\"rotate(-90 %d %d)\">", (int)x, (int)y);
  burl_html_escape(chart->out, text);
  fputs("</text>\n", chart->out);
}

void burl_chart_marker(burl_chart *chart, double value, const char *text) {
  double x = burl_chart_x(chart, value);
  int at_right = x > (chart->left + chart->right) / 2;
  put_segment(chart->out, "marker", x, chart->top - 14, x, chart->bottom);
  open_text(chart->out, at_right ? "end" : "start", at_right ? x - 5 : x + 5, chart->top - 6);
  fputc('>', chart->out);
  burl_html_escape(chart->out, text);
  fputs("</text>\n", chart->out);
}

void burl_chart_line_begin(burl_chart *chart, const char *name) {
  fprintf(chart->out, "<polyline class=\"%s\" points=\"", name);
  chart->pen_down = chart->pending = 0;
}

static void put_point(FILE *out, double x, double y) {
  char left[BURL_NUMBER_TEXT], down[BURL_NUMBER_TEXT];
  burl_number_fixed(left, x, 1);
  burl_number_fixed(down, y, 1);
  fprintf(out, "%s,%s ", left, down);
}

void burl_chart_line_to(burl_chart *chart, double x, double y) {
  if (!isfinite(x) || !isfinite(y)) return;
  double at_x = burl_chart_x(chart, x), at_y = burl_chart_y(chart, y);
  double across = fabs(at_x - chart->pen_x), up = fabs(at_y - chart->pen_y);
  chart->pending = chart->pen_down && across < 0.5 && up < 0.5;
  if (!chart->pending) {
    put_point(chart->out, at_x, at_y);
    chart->pen_x = at_x;
    chart->pen_y = at_y;
    chart->pen_down = 1;
    return;
  }
  chart->last_x = at_x;
  chart->last_y = at_y;
}

void burl_chart_line_end(burl_chart *chart) {
  if (chart->pending) put_point(chart->out, chart->last_x, chart->last_y);
  fputs("\"/>\n", chart->out);
}
