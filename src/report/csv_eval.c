/* pixels.roc.csv and regions.csv. */
#include <burl/report.h>

#include "base/file.h"
#include "report/csv_field.h"
#include "report/number_text.h"

#include <math.h>

/* Infinite thresholds are written as inf, what is not defined as an empty field. */
static void put_number(FILE *out, double value, char end) {
  char text[BURL_NUMBER_TEXT];
  if (isinf(value)) {
    fputs(value > 0 ? "inf" : "-inf", out);
  } else if (!isnan(value)) {
    burl_number_text(text, value);
    fputs(text, out);
  }
  fputc(end, out);
}

burl_status burl_report_save_curve(const burl_curve_point *curve, size_t points, const char *path,
                                   burl_diag *diag) {
  burl_output out;
  burl_status status = burl_output_open(&out, path, diag);
  if (status != BURL_OK) return status;
  fputs("threshold,fpr,tpr,precision,pro\n", out.stream);
  for (size_t i = 0; i < points; i++) {
    put_number(out.stream, curve[i].threshold, ',');
    put_number(out.stream, curve[i].fpr, ',');
    put_number(out.stream, curve[i].tpr, ',');
    put_number(out.stream, curve[i].precision, ',');
    put_number(out.stream, curve[i].pro, '\n');
  }
  return burl_output_commit(&out, diag);
}

burl_status burl_report_save_regions(const burl_report_region *regions, size_t count,
                                     const char *path, burl_diag *diag) {
  burl_output out;
  burl_status status = burl_output_open(&out, path, diag);
  if (status != BURL_OK) return status;
  fputs("image,label,region,pixels,top,left,bottom,right,heat_max,heat_mean,found\n", out.stream);
  for (size_t i = 0; i < count; i++) {
    const burl_region *r = &regions[i].region;
    burl_csv_put_field(out.stream, regions[i].name);
    fputc(',', out.stream);
    burl_csv_put_field(out.stream, regions[i].label ? regions[i].label : "");
    fprintf(out.stream, ",%zu,%zu,%zu,%zu,%zu,%zu,", regions[i].number, r->pixels, r->top, r->left,
            r->bottom, r->right);
    put_number(out.stream, (double)(float)r->heat_max, ',');
    put_number(out.stream, (double)(float)r->heat_mean, ',');
    put_number(out.stream, (double)r->found / (double)r->pixels, '\n');
  }
  return burl_output_commit(&out, diag);
}
