/* COCO results. Written as text, object by object: a tree of them all in memory would be many times
 * as large. Names are JSON strings as jansson writes them. */
#include <burl/report_defects.h>

#include "base/diag.h"
#include "base/file.h"
#include "report/column_runs.h"
#include "report/number_text.h"

#include <jansson.h>
#include <stdlib.h>

/* A name that is not UTF-8 has no place in JSON: what is not ASCII becomes '?' then. */
static char *quote(const char *name) {
  json_t *string = json_string(name);
  if (!string) {
    size_t n = 0;
    while (name[n])
      n++;
    char *plain = malloc(n + 1);
    for (size_t i = 0; plain && i <= n; i++)
      plain[i] = (unsigned char)name[i] < 128 ? name[i] : '?';
    string = plain ? json_string(plain) : NULL;
    free(plain);
  }
  char *text = string ? json_dumps(string, JSON_ENCODE_ANY) : NULL;
  json_decref(string);
  return text;
}

static burl_status put(FILE *out, const burl_listed_defect *row, const char *before) {
  const burl_proposal *d = row->defect;
  char score[BURL_NUMBER_TEXT], *runs = NULL, *name = quote(row->image);
  burl_status status = name ? burl_column_runs(&runs, d, row->height, row->width) : BURL_ERR_MEMORY;
  if (status == BURL_OK) {
    burl_number_short(score, d->score, 9);
    fprintf(out,
            "%s\n {\"image_id\": %zu, \"category_id\": 1, \"bbox\": [%.0f, %.0f, %.0f, %.0f], "
            "\"score\": %s,\n  \"segmentation\": {\"size\": [%zu, %zu], \"counts\": ",
            before, row->image_number, (double)d->box.x0, (double)d->box.y0,
            (double)d->box.x1 - (double)d->box.x0, (double)d->box.y1 - (double)d->box.y0, score,
            row->height, row->width);
    char *counts = quote(runs);
    if (counts)
      fprintf(out, "%s},\n  \"file_name\": %s", counts, name);
    else
      status = BURL_ERR_MEMORY;
    free(counts);
    if (row->kind != BURL_KIND_NONE)
      fprintf(out, ", \"kind\": \"%s\"", burl_kind_get_name(row->kind));
    fputc('}', out);
  }
  free(name);
  free(runs);
  return status;
}

burl_status burl_report_save_coco(const burl_listed_defect *list, size_t count, const char *path,
                                  burl_diag *diag) {
  burl_output out;
  burl_status status = burl_output_open(&out, path, diag);
  if (status != BURL_OK) return status;
  fputc('[', out.stream);
  for (size_t i = 0; status == BURL_OK && i < count; i++)
    status = put(out.stream, &list[i], i > 0 ? "," : "");
  fputs(count > 0 ? "\n]\n" : "]\n", out.stream);
  if (status == BURL_OK) return burl_output_commit(&out, diag);
  burl_output_abandon(&out);
  return burl_fail_memory(diag, path);
}
