/* defects.csv. */
#include <burl/report_defects.h>

#include "base/diag.h"
#include "base/file.h"
#include "report/csv_field.h"
#include "report/number_text.h"

#include <math.h>

static void put(FILE *out, double value, int decimals) {
  char text[BURL_NUMBER_TEXT];
  burl_number_fixed(text, value, decimals);
  fprintf(out, ",%s", text);
}

static void put_score(FILE *out, double value) {
  char text[BURL_NUMBER_TEXT];
  burl_number_short(text, value, 6);
  fprintf(out, ",%s", text);
}

static void put_row(FILE *out, const burl_listed_defect *row, size_t rank, double mm) {
  const burl_proposal *d = row->defect;
  double x = (double)d->box.x0, y = (double)d->box.y0;
  double w = (double)d->box.x1 - x, h = (double)d->box.y1 - y, length = (double)d->oriented.length;
  fprintf(out, "%zu,", rank);
  burl_csv_put_field(out, row->image);
  put(out, x, 0);
  put(out, y, 0);
  put(out, w, 0);
  put(out, h, 0);
  put(out, (double)d->oriented.angle, 1);
  put(out, length, 1);
  fprintf(out, ",%zu", d->area);
  put_score(out, d->score);
  fprintf(out, ",%s", burl_kind_get_name(row->kind));
  if (mm > 0) {
    const double sizes[] = {x, y, w, h, length};
    for (int i = 0; i < 5; i++)
      put(out, sizes[i] * mm, 3);
    put(out, (double)d->area * mm * mm, 4);
  }
  fputc('\n', out);
}

burl_status burl_report_save_defects(const burl_listed_defect *list, size_t count, double mm_per_px,
                                     const char *path, burl_diag *diag) {
  burl_output out;
  if (!(mm_per_px >= 0) || isinf(mm_per_px))
    return burl_fail(diag, BURL_ERR_ARGUMENT, path, "It is 0 or more.",
                     "the millimetres of a pixel are %g", mm_per_px);
  burl_status status = burl_output_open(&out, path, diag);
  if (status != BURL_OK) return status;
  fputs("rank,image,x,y,w,h,angle,length,area,score,kind", out.stream);
  if (mm_per_px > 0) fputs(",x_mm,y_mm,w_mm,h_mm,length_mm,area_mm2", out.stream);
  fputc('\n', out.stream);
  for (size_t i = 0; i < count; i++)
    put_row(out.stream, &list[i], i + 1, mm_per_px);
  return burl_output_commit(&out, diag);
}
