/* scores.csv and images.csv. Fields are quoted as in RFC 4180 where they have to be; lines end in a
 * newline alone, which every reader takes and which keeps shell tools simple. */
#include <burl/report.h>

#include "base/diag.h"
#include "base/file.h"
#include "report/csv_field.h"
#include "report/number_text.h"

#include <math.h>
#include <string.h>

void burl_csv_put_field(FILE *out, const char *text) {
  if (!strpbrk(text, ",\"\r\n")) {
    fputs(text, out);
    return;
  }
  fputc('"', out);
  for (const char *c = text; *c; c++) {
    if (*c == '"') fputc('"', out);
    fputc(*c, out);
  }
  fputc('"', out);
}

static void put_verdict(FILE *out, double score, double threshold, const char *kind) {
  char number[BURL_NUMBER_TEXT], limit[BURL_NUMBER_TEXT];
  burl_number_text(number, score);
  burl_number_text(limit, threshold);
  int defect = score >= threshold;
  fprintf(out, ",%s,%s,%s,%s\n", number, limit, defect ? "defect" : "good",
          defect && kind ? kind : "");
}

static void put_rows(FILE *out, const burl_report_row *rows, size_t count, double threshold,
                     int labels) {
  for (size_t i = 0; i < count; i++) {
    burl_csv_put_field(out, rows[i].name);
    if (labels) {
      fputc(',', out);
      burl_csv_put_field(out, rows[i].label ? rows[i].label : "");
      fputs(rows[i].defective ? ",1" : ",0", out);
    }
    put_verdict(out, rows[i].score, threshold, rows[i].kind);
  }
}

/* A verdict on something that is not a number would be worth nothing. */
static burl_status check(const burl_report_row *rows, size_t count, double threshold,
                         const char *path, burl_diag *diag) {
  if (!isfinite(threshold))
    return burl_fail(diag, BURL_ERR_NUMERIC, path, NULL, "the threshold is not a finite number");
  for (size_t i = 0; i < count; i++)
    if (!isfinite(rows[i].score))
      return burl_fail(diag, BURL_ERR_NUMERIC, path, NULL,
                       "the score of image \"%s\" is not a finite number", rows[i].name);
  return BURL_OK;
}

static burl_status save(const burl_report_row *rows, size_t count, double threshold, int labels,
                        const char *path, burl_diag *diag) {
  burl_output out;
  burl_status status = check(rows, count, threshold, path, diag);
  if (status == BURL_OK) status = burl_output_open(&out, path, diag);
  if (status != BURL_OK) return status;
  fputs(labels ? "image,label,defective,score,threshold,verdict,kind\n"
               : "image,score,threshold,verdict,kind\n",
        out.stream);
  put_rows(out.stream, rows, count, threshold, labels);
  return burl_output_commit(&out, diag);
}

burl_status burl_report_save_scores(const burl_report_row *rows, size_t count, double threshold,
                                    const char *path, burl_diag *diag) {
  return save(rows, count, threshold, 0, path, diag);
}

burl_status burl_report_save_images(const burl_report_row *rows, size_t count, double threshold,
                                    const char *path, burl_diag *diag) {
  return save(rows, count, threshold, 1, path, diag);
}
