/* dataset/csv_read.h: rows of a CSV text (RFC 4180), read in place.
 *
 * Fields are separated by commas and may stand in double quotes; in quotes a comma, a line end and
 * a doubled quote are part of the field. Lines end in CR LF, LF or CR; a byte order mark is
 * skipped. Beyond the RFC: blanks around a field are dropped unless they stand in quotes, and rows
 * of which all fields are empty are passed over. */
#ifndef BURL_DATASET_CSV_READ_H
#define BURL_DATASET_CSV_READ_H

#include <burl/base.h>

#define BURL_CSV_FIELDS 64 /* most fields in a row */

typedef struct burl_csv {
  const char *name; /* of the file, for diagnoses */
  char *at, *end;
  int64_t line;
  /* the row read last */
  const char *fields[BURL_CSV_FIELDS];
  size_t count;
  int64_t row_line; /* where it begins, from 1 */
} burl_csv;

/* Starts on size bytes at text, which must have room for one byte more and is overwritten. */
void burl_csv_open(burl_csv *csv, char *text, size_t size, const char *name);

/* Reads the next row into csv->fields, valid as long as the text. *found is 0 at the end.
 * Errors: BURL_ERR_FORMAT (a quote that is not closed or out of place, too many fields). */
burl_status burl_csv_next(burl_csv *csv, int *found, burl_diag *diag) BURL_MUST_CHECK;

#endif
