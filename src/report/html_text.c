/* Text in a page: escaping, numbers, base64 (RFC 4648). */
#include "report/html_text.h"

#include "report/number_text.h"

#include <math.h>
#include <string.h>

/* The length of the well-formed UTF-8 sequence at text (left bytes), 0 if there is none. Overlong
 * forms, surrogates and numbers above U+10FFFF are not well-formed. */
static size_t utf8_length(const unsigned char *text, size_t left) {
  unsigned char c = text[0];
  if (c < 0x80) return 1;
  if (c < 0xC2 || c > 0xF4) return 0;
  size_t n = c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
  if (n > left) return 0;
  for (size_t i = 1; i < n; i++)
    if ((text[i] & 0xC0) != 0x80) return 0;
  if ((c == 0xE0 && text[1] < 0xA0) || (c == 0xED && text[1] > 0x9F)) return 0;
  if ((c == 0xF0 && text[1] < 0x90) || (c == 0xF4 && text[1] > 0x8F)) return 0;
  return n;
}

/* Control characters of ASCII and of Latin 1 (C2 80 to C2 9F), which HTML does not allow. */
static int is_control(const unsigned char *text, size_t n) {
  if (n == 1) return (text[0] < 0x20 && text[0] != '\t' && text[0] != '\n') || text[0] == 0x7F;
  return n == 2 && text[0] == 0xC2 && text[1] < 0xA0;
}

static const char *reference_of(unsigned char c) {
  switch (c) {
  case '&':
    return "&amp;";
  case '<':
    return "&lt;";
  case '>':
    return "&gt;";
  case '"':
    return "&quot;";
  case '\'':
    return "&#39;";
  default:
    return NULL;
  }
}

void burl_html_escape_bytes(FILE *out, const char *text, size_t size) {
  const unsigned char *c = (const unsigned char *)text;
  for (size_t i = 0; i < size;) {
    size_t n = utf8_length(c + i, size - i);
    const char *reference = reference_of(c[i]);
    if (n == 0 || is_control(c + i, n))
      fputs("\xEF\xBF\xBD", out);
    else if (reference)
      fputs(reference, out);
    else
      fwrite(c + i, 1, n, out);
    i += n ? n : 1;
  }
}

void burl_html_escape(FILE *out, const char *text) {
  burl_html_escape_bytes(out, text, strlen(text));
}

void burl_html_name(FILE *out, const char *text) {
  fputs("<bdi>", out);
  burl_html_escape(out, text);
  fputs("</bdi>", out);
}

void burl_html_number(FILE *out, double value, int decimals) {
  char text[BURL_NUMBER_TEXT];
  if (isfinite(value))
    burl_number_fixed(text, value, decimals);
  else
    strcpy(text, "–");
  fputs(text, out);
}

void burl_html_count(FILE *out, size_t count, const char *one, const char *many) {
  if (count == 0)
    fprintf(out, "no %s", many);
  else
    fprintf(out, "%zu %s", count, count == 1 ? one : many);
}

void burl_html_base64(FILE *out, const unsigned char *bytes, size_t size) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < size; i += 3) {
    size_t n = size - i < 3 ? size - i : 3;
    unsigned bits = (unsigned)bytes[i] << 16;
    if (n > 1) bits |= (unsigned)bytes[i + 1] << 8;
    if (n > 2) bits |= bytes[i + 2];
    char four[4] = {letters[bits >> 18], letters[bits >> 12 & 63],
                    n > 1 ? letters[bits >> 6 & 63] : '=', n > 2 ? letters[bits & 63] : '='};
    fwrite(four, 1, 4, out);
  }
}
