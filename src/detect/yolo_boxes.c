/* YOLO labels: a line a box. Numbers are read by hand: those of the C library depend on the locale.
 */
#include <burl/detect_truth.h>

#include "base/diag.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

typedef struct reader {
  const char *at, *end;
  const char *name;
  int64_t line;
  burl_diag *diag;
} reader;

static burl_status fail(const reader *r, const char *reason) {
  burl_status status =
      burl_fail(r->diag, BURL_ERR_FORMAT, r->name,
                "A line is: class x y w h, the last four from 0 to 1.", "%s", reason);
  if (r->diag) r->diag->line = r->line;
  return status;
}

static int is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

static void skip_spaces(reader *r) {
  while (r->at < r->end && is_space(*r->at))
    r->at++;
}

static int is_digit(const reader *r) {
  return r->at < r->end && *r->at >= '0' && *r->at <= '9';
}

/* Digits, adding to *value by rising powers of `part`; how many. */
static int read_digits(reader *r, double *value, int fraction) {
  int count = 0;
  double part = 1;
  for (; is_digit(r); r->at++, count++) {
    part /= 10;
    *value = fraction ? *value + part * (*r->at - '0') : *value * 10 + (*r->at - '0');
  }
  return count;
}

static double power_of_ten(int exponent) {
  double power = 1;
  for (int i = 0; i < exponent; i++)
    power *= 10;
  return power;
}

/* A decimal number, with an exponent of at most three digits; 0 where there is none. */
static int read_number(reader *r, double *value) {
  skip_spaces(r);
  int minus = r->at < r->end && *r->at == '-', digits;
  if (minus) r->at++;
  *value = 0;
  digits = read_digits(r, value, 0);
  if (r->at < r->end && *r->at == '.') {
    r->at++;
    digits += read_digits(r, value, 1);
  }
  if (digits > 0 && r->at < r->end && (*r->at == 'e' || *r->at == 'E')) {
    double exponent = 0;
    r->at++;
    int below = r->at < r->end && *r->at == '-';
    if (r->at < r->end && (*r->at == '-' || *r->at == '+')) r->at++;
    int count = read_digits(r, &exponent, 0);
    if (count < 1 || count > 3) return 0;
    double power = power_of_ten((int)exponent);
    *value = below ? *value / power : *value * power;
  }
  if (minus) *value = -*value;
  return digits > 0 && (r->at == r->end || is_space(*r->at) || *r->at == '\n');
}

static float cut(double at, size_t side) {
  double most = (double)side;
  return (float)(at < 0 ? 0 : at > most ? most : at);
}

static burl_status read_box(reader *r, burl_box *box, size_t height, size_t width) {
  double v[5];
  for (int i = 0; i < 5; i++) {
    if (!read_number(r, &v[i])) return fail(r, "five numbers are expected");
    if (i > 0 && !(v[i] >= 0 && v[i] <= 1)) return fail(r, "a number is not from 0 to 1");
  }
  skip_spaces(r);
  if (r->at < r->end && *r->at != '\n') return fail(r, "there are more than five numbers");
  double w = (double)width, h = (double)height;
  *box = (burl_box){cut((v[1] - v[3] / 2) * w, width), cut((v[2] - v[4] / 2) * h, height),
                    cut((v[1] + v[3] / 2) * w, width), cut((v[2] + v[4] / 2) * h, height)};
  return BURL_OK;
}

static size_t count_lines(const char *text, size_t size) {
  size_t lines = 1;
  for (size_t i = 0; i < size; i++)
    lines += text[i] == '\n';
  return lines;
}

burl_status burl_boxes_from_yolo(burl_box **boxes, size_t *count, const void *bytes, size_t size,
                                 const char *name, size_t height, size_t width, burl_diag *diag) {
  if (size > BURL_TRUTH_BYTES)
    return burl_fail(diag, BURL_ERR_SIZE, name, NULL, "is larger than %zu MiB",
                     BURL_TRUTH_BYTES >> 20);
  reader r = {.at = bytes, .end = (const char *)bytes + size, .name = name, .diag = diag};
  burl_box *made = burl_alloc(count_lines(bytes, size), sizeof *made);
  if (!made) return burl_fail_memory(diag, name);
  burl_status status = BURL_OK;
  size_t found = 0;
  while (status == BURL_OK && r.at < r.end) {
    r.line++;
    skip_spaces(&r);
    if (r.at < r.end && *r.at != '\n') status = read_box(&r, &made[found++], height, width);
    if (r.at < r.end) r.at++;
  }
  if (status != BURL_OK || found == 0) {
    free(made);
    made = NULL;
  }
  if (status != BURL_OK) return status;
  *boxes = made;
  *count = found;
  return BURL_OK;
}
