/* report/csv_field.h: a text in a line of CSV. */
#ifndef BURL_REPORT_CSV_FIELD_H
#define BURL_REPORT_CSV_FIELD_H

#include <stdio.h>

/* Quoted as in RFC 4180 where it has to be. */
void burl_csv_put_field(FILE *out, const char *text);

#endif
