/* report/html_chart.h: small charts as inline SVG: a frame with axes, and lines in it. */
#ifndef BURL_REPORT_HTML_CHART_H
#define BURL_REPORT_HTML_CHART_H

#include <stdio.h>

typedef struct burl_chart {
  FILE *out;
  double width, height;            /* of the picture */
  double left, right, top, bottom; /* edges of the plot in the picture */
  double x_first, x_last;          /* values at the edges */
  double y_first, y_last;          /* y_first at the bottom */
  double pen_x, pen_y;             /* the last written point of the line being drawn */
  double last_x, last_y;           /* its last point, where that is `pending` */
  int pen_down, pending; /* whether the line has begun; whether its last point is not written */
} burl_chart;

/* The values that the edges of the plot stand for. */
typedef struct burl_chart_range {
  double x_first, x_last, y_first, y_last;
} burl_chart_range;

/* Opens the <svg>, `label` says in words what it shows. */
void burl_chart_open(burl_chart *chart, FILE *out, double width, double height,
                     burl_chart_range range, const char *label);
void burl_chart_close(burl_chart *chart);

double burl_chart_x(const burl_chart *chart, double value);
double burl_chart_y(const burl_chart *chart, double value);

/* A tick with its number, and a faint line across the plot. `x` is where, `number` what is written.
 */
void burl_chart_x_tick(burl_chart *chart, double x, double number, int decimals);
void burl_chart_y_tick(burl_chart *chart, double value, int decimals);
/* A line across the plot at the height of y. */
void burl_chart_axis(burl_chart *chart, double y);
void burl_chart_x_label(burl_chart *chart, const char *text);
void burl_chart_y_label(burl_chart *chart, const char *text);

/* A vertical line with a word at its top. */
void burl_chart_marker(burl_chart *chart, double x, const char *text);

/* A line through points, drawn in the style class `name`. Points closer than half a dot to the last
 * one are left out, which bounds the size of the page; the last point is always drawn. */
void burl_chart_line_begin(burl_chart *chart, const char *name);
void burl_chart_line_to(burl_chart *chart, double x, double y);
void burl_chart_line_end(burl_chart *chart);

/* Coordinates: one digit after the point. */
void burl_chart_put(FILE *out, const char *attribute, double value);

#endif
