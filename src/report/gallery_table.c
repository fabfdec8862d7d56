/* gallery.csv. */
#include <burl/report_gallery.h>

#include "base/file.h"
#include "report/csv_field.h"
#include "report/number_text.h"

static void put_number(FILE *out, double value) {
  char text[BURL_NUMBER_TEXT];
  burl_number_text(text, value);
  fprintf(out, ",%s", text);
}

burl_status burl_report_save_prototypes(const burl_report_prototypes *gallery, const char *path,
                                        burl_diag *diag) {
  burl_output out;
  burl_status status = burl_output_open(&out, path, diag);
  if (status != BURL_OK) return status;
  fputs("member,prototype,mass,radius,image,y,x,side,distance\n", out.stream);
  for (size_t m = 0; m < gallery->count; m++)
    for (size_t k = 0; k < gallery->members[m].count; k++) {
      const burl_report_prototype *p = &gallery->members[m].prototypes[k];
      fprintf(out.stream, "%s,%zu", gallery->members[m].name, k);
      put_number(out.stream, p->mass);
      put_number(out.stream, p->radius);
      fputc(',', out.stream);
      burl_csv_put_field(out.stream, p->image);
      fprintf(out.stream, ",%zu,%zu,%zu", p->y, p->x, p->side);
      put_number(out.stream, p->distance);
      fputc('\n', out.stream);
    }
  return burl_output_commit(&out, diag);
}
