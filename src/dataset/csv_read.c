/* RFC 4180 rows, read in place: what a field means is never longer than how it is written, so it is
 * moved down onto its own beginning and ended with a zero, at the latest over its separator. */
#include "dataset/csv_read.h"

#include "base/diag.h"

#include <string.h>

static burl_status fail_at_line(const burl_csv *csv, burl_diag *diag, int64_t line,
                                const char *hint, const char *reason) {
  burl_fail(diag, BURL_ERR_FORMAT, csv->name, hint, "%s", reason);
  if (diag) diag->line = line;
  return BURL_ERR_FORMAT;
}

void burl_csv_open(burl_csv *csv, char *text, size_t size, const char *name) {
  *csv = (burl_csv){.name = name, .at = text, .end = text + size, .line = 1};
  if (size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) csv->at += 3;
}

static int is_blank(char c) {
  return c == ' ' || c == '\t';
}

static int at_separator(const burl_csv *csv) {
  return csv->at == csv->end || *csv->at == ',' || *csv->at == '\n' || *csv->at == '\r';
}

static void skip_blanks(burl_csv *csv) {
  while (csv->at < csv->end && is_blank(*csv->at))
    csv->at++;
}

/* 1 where a line ends at `at`: LF, or a CR without a LF after it. */
static int ends_line(const burl_csv *csv, const char *at) {
  return *at == '\n' || (*at == '\r' && (at + 1 == csv->end || at[1] != '\n'));
}

/* After the opening quote; *stop is where the field's zero belongs. */
static burl_status read_quoted(burl_csv *csv, char **stop, burl_diag *diag) {
  int64_t opened = csv->line;
  char *out = csv->at;
  for (;; csv->at++) {
    if (csv->at == csv->end)
      return fail_at_line(csv, diag, opened, "Close it, or double a quote that is part of a field.",
                          "a quoted field is not closed");
    if (*csv->at == '"') {
      csv->at++;
      if (csv->at == csv->end || *csv->at != '"') break;
    }
    csv->line += ends_line(csv, csv->at);
    *out++ = *csv->at;
  }
  *stop = out;
  skip_blanks(csv);
  if (at_separator(csv)) return BURL_OK;
  return fail_at_line(csv, diag, csv->line, "A quote that is part of a field must be doubled.",
                      "something follows the closing quote of a field");
}

static burl_status read_bare(burl_csv *csv, char **stop, burl_diag *diag) {
  char *out = csv->at;
  for (; !at_separator(csv); csv->at++) {
    if (*csv->at == '"')
      return fail_at_line(csv, diag, csv->line,
                          "Put the whole field in quotes and double the quotes in it.",
                          "a quote stands inside a field that is not quoted");
    if (!is_blank(*csv->at)) out = csv->at + 1;
  }
  *stop = out;
  return BURL_OK;
}

/* Reads a field and the separator after it; *last is 1 where the row ends with it. */
static burl_status read_field(burl_csv *csv, const char **field, int *last, burl_diag *diag) {
  skip_blanks(csv);
  int quoted = csv->at < csv->end && *csv->at == '"';
  if (quoted) csv->at++;
  *field = csv->at;
  char *stop = NULL;
  burl_status status = quoted ? read_quoted(csv, &stop, diag) : read_bare(csv, &stop, diag);
  if (status != BURL_OK) return status;
  char separator = csv->at < csv->end ? *csv->at : '\n';
  *stop = '\0';
  *last = separator != ',';
  if (csv->at < csv->end) csv->at++;
  if (separator == '\r' && csv->at < csv->end && *csv->at == '\n') csv->at++;
  csv->line += *last;
  return BURL_OK;
}

burl_status burl_csv_next(burl_csv *csv, int *found, burl_diag *diag) {
  *found = 0;
  while (!*found && csv->at < csv->end) {
    csv->count = 0;
    csv->row_line = csv->line;
    for (int last = 0; !last;) {
      if (csv->count == BURL_CSV_FIELDS)
        return fail_at_line(csv, diag, csv->row_line, NULL, "has more than 64 fields in a line");
      const char **field = &csv->fields[csv->count++];
      burl_status status = read_field(csv, field, &last, diag);
      if (status != BURL_OK) return status;
      if (**field) *found = 1;
    }
  }
  return BURL_OK;
}
