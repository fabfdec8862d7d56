/* A strict reader of HTML: a stack of open tags and a cursor. */
#include "ref_html.h"

#include <stddef.h>
#include <string.h>

enum { DEEPEST = 30, LONGEST = 16 };

typedef struct reader {
  const char *at;
  int bad;
  size_t depth;
  char open[DEEPEST][LONGEST];
} reader;

/* Takes one character of text: a reference, or a character that needs none. */
static void take_character(reader *r) {
  static const char *const known[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
  const unsigned char *c = (const unsigned char *)r->at;
  if (*c == '&') {
    size_t i = 0;
    while (i < 5 && strncmp(r->at, known[i], strlen(known[i])) != 0)
      i++;
    r->bad = i == 5;
    r->at += i < 5 ? strlen(known[i]) : 0;
  } else if (*c < 0x80) {
    r->bad = (*c < 0x20 && *c != '\n' && *c != '\t') || *c == '<' || *c == '>' || *c == 0x7F;
    r->at += !r->bad;
  } else {
    size_t n = *c >= 0xF0 ? 4 : *c >= 0xE0 ? 3 : 2;
    unsigned long code = *c & (0xFFU >> (n + 1));
    for (size_t i = 1; i < n && !r->bad; i++) {
      r->bad = (c[i] & 0xC0) != 0x80;
      code = code << 6 | (c[i] & 0x3F);
    }
    static const unsigned long least[] = {0, 0, 0xA0, 0x800, 0x10000};
    r->bad |= *c < 0xC0 || *c > 0xF7 || code < least[n] || code > 0x10FFFF ||
              (code >= 0xD800 && code < 0xE000);
    if (!r->bad) r->at += n;
  }
}

/* Takes name="value" pairs up to the '>'; returns whether the tag closes itself. */
static int take_attributes(reader *r) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
  while (!r->bad) {
    r->at += strspn(r->at, " \n");
    int closed = *r->at == '/';
    if (r->at[closed] == '>') {
      r->at += closed + 1;
      return closed;
    }
    size_t name = strspn(r->at, letters);
    r->bad = name == 0 || r->at[name] != '=' || r->at[name + 1] != '"';
    if (r->bad) return 0;
    for (r->at += name + 2; !r->bad && *r->at != '"';)
      take_character(r);
    if (!r->bad) r->at++;
  }
  return 0;
}

static int is_void(const char *name) {
  return !strcmp(name, "meta") || !strcmp(name, "br") || !strcmp(name, "img") ||
         !strcmp(name, "input");
}

static void take_tag(reader *r) {
  char name[LONGEST] = "";
  int closing = r->at[1] == '/';
  const char *first = r->at + 1 + closing;
  size_t length = strspn(first, "abcdefghijklmnopqrstuvwxyz0123456789");
  r->bad = length == 0 || length >= LONGEST;
  if (r->bad) return;
  memcpy(name, first, length);
  r->at = first + length;
  int closed = take_attributes(r);
  if (r->bad) return;
  if (closing) {
    r->bad = r->depth == 0 || strcmp(r->open[r->depth - 1], name) != 0;
    if (!r->bad) r->depth--;
  } else if (!closed && !is_void(name)) {
    r->bad = r->depth == DEEPEST;
    if (r->bad) return;
    memcpy(r->open[r->depth++], name, LONGEST);
    const char *end = !strcmp(name, "style")    ? strstr(r->at, "</style>")
                      : !strcmp(name, "script") ? strstr(r->at, "</script>")
                                                : r->at;
    r->bad = end == NULL;
    if (end) r->at = end;
  }
}

const char *ref_html_find_fault(const char *text) {
  static const char start[] = "<!DOCTYPE html>\n";
  if (strncmp(text, start, sizeof start - 1) != 0) return text;
  reader r = {.at = text + sizeof start - 1};
  while (!r.bad && *r.at) {
    if (*r.at == '<')
      take_tag(&r);
    else
      take_character(&r);
  }
  return r.bad || r.depth > 0 ? r.at : NULL;
}
