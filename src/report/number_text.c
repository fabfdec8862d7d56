/* Numbers as text. The C library formats with the decimal point of the caller's locale, which a
 * library cannot switch off without touching global state; the point is put right afterwards. */
#include "report/number_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Replaces the locale's decimal point, which may be several bytes, by '.'. */
static void set_point(char *text) {
  char *to = text;
  int inside = 0;
  for (const char *from = text; *from; from++) {
    int foreign = !strchr("0123456789+-einfa", *from);
    if (foreign && !inside) *to++ = '.';
    if (!foreign) *to++ = *from;
    inside = foreign;
  }
  *to = '\0';
}

/* "-0.00" is "0.00". */
static void drop_sign_of_zero(char *text) {
  if (text[0] == '-' && strspn(text + 1, "0.") == strlen(text + 1))
    memmove(text, text + 1, strlen(text));
}

static int gives_back(const char *text, double value, int as_float) {
  if (as_float) return strtof(text, NULL) == (float)value;
  return strtod(text, NULL) == value;
}

void burl_number_text(char text[BURL_NUMBER_TEXT], double value) {
  int as_float = fabs(value) <= 3e38 && (double)(float)value == value;
  for (int digits = 6; digits <= 17; digits++) {
    snprintf(text, BURL_NUMBER_TEXT, "%.*g", digits, value);
    if (gives_back(text, value, as_float)) break;
  }
  set_point(text);
  drop_sign_of_zero(text);
}

void burl_number_fixed(char text[BURL_NUMBER_TEXT], double value, int decimals) {
  if (fabs(value) < 1e12)
    snprintf(text, BURL_NUMBER_TEXT, "%.*f", decimals, value);
  else
    snprintf(text, BURL_NUMBER_TEXT, "%.6g", value);
  set_point(text);
  drop_sign_of_zero(text);
}

void burl_number_short(char text[BURL_NUMBER_TEXT], double value, int digits) {
  snprintf(text, BURL_NUMBER_TEXT, "%.*g", digits, value);
  set_point(text);
  drop_sign_of_zero(text);
}
