/* report/digits.h: figures to be painted: 5 by 7 dots each. */
#ifndef BURL_REPORT_DIGITS_H
#define BURL_REPORT_DIGITS_H

#include <stddef.h>

enum { BURL_DIGIT_WIDTH = 5, BURL_DIGIT_HEIGHT = 7 };

/* Whether dot (row, column) of a digit 0..9 is set; outside of it none is. */
int burl_digit_dot(unsigned digit, size_t row, size_t column);

#endif
