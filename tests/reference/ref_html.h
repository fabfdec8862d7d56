/* reference/ref_html.h: a strict reader of the subset of HTML and SVG that reports use. */
#ifndef BURL_TESTS_REF_HTML_H
#define BURL_TESTS_REF_HTML_H

/* Where the page is not well-formed: tags unbalanced, attributes without quotes, bare < or &, other
 * references than the five of XML, control characters, bytes that are not UTF-8. NULL if it is. */
const char *ref_html_find_fault(const char *text);

#endif
