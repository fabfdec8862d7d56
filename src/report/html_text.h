/* report/html_text.h: text, numbers and pictures in a page. */
#ifndef BURL_REPORT_HTML_TEXT_H
#define BURL_REPORT_HTML_TEXT_H

#include <stddef.h>
#include <stdio.h>

/* Text for elements and quoted attributes: & < > " ' are written as references; control characters
 * and bytes that are not UTF-8 become U+FFFD, so the page is always well-formed. */
void burl_html_escape(FILE *out, const char *text);
/* The same for `size` bytes. */
void burl_html_escape_bytes(FILE *out, const char *text, size_t size);

/* A name in an element of its own, so that letters of any direction cannot disturb their
 * neighbours. */
void burl_html_name(FILE *out, const char *text);

/* `decimals` digits after the point; an en dash where the value is not finite. */
void burl_html_number(FILE *out, double value, int decimals);

/* "1 image", "2 images", "no images". */
void burl_html_count(FILE *out, size_t count, const char *one, const char *many);

void burl_html_base64(FILE *out, const unsigned char *bytes, size_t size);

#endif
