/* Escaping and base64: exact, and safe for any bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "reference/ref_html.h"
#include "report/html_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void escape_is_exact(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"a<b>&\"'", "a&lt;b&gt;&amp;&quot;&#39;"},
      {"t\tn\n", "t\tn\n"},
      {"\x1F\x7F", "\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"\xC3\xBC\xE2\x82\xAC\xF0\x9F\xA7\xB5", "\xC3\xBC\xE2\x82\xAC\xF0\x9F\xA7\xB5"},
      {"\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"\xE2\x82", "\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"\xF4\x90\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    burl_html_escape(out, cases[i][0]);
    fclose(out);
    assert_string_equal(text, cases[i][1]);
    free(text);
  }
}

static void base64_is_exact(void **state) {
  (void)state;
  static const char *const cases[][2] = {{"", ""},
                                         {"f", "Zg=="},
                                         {"fo", "Zm8="},
                                         {"foo", "Zm9v"},
                                         {"foob", "Zm9vYg=="},
                                         {"fooba", "Zm9vYmE="},
                                         {"\xFF\xFE\xFB", "//77"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    burl_html_base64(out, (const unsigned char *)cases[i][0], strlen(cases[i][0]));
    fclose(out);
    assert_string_equal(text, cases[i][1]);
    free(text);
  }
}

/* Any bytes, in an element and in an attribute, leave the page well-formed. */
static void any_bytes_are_safe(void **state) {
  (void)state;
  burl_random random = burl_random_start(4, 4);
  for (int round = 0; round < 3000; round++) {
    char name[40], *text = NULL;
    size_t size = 0, n = burl_random_below(&random, sizeof name);
    for (size_t i = 0; i < n; i++)
      name[i] = (char)burl_random_bits(&random);
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    fputs("<!DOCTYPE html>\n<p title=\"", out);
    burl_html_escape_bytes(out, name, n);
    fputs("\">", out);
    burl_html_escape_bytes(out, name, n);
    fputs("</p>", out);
    fclose(out);
    assert_int_equal(strlen(text), size);
    assert_null(ref_html_find_fault(text));
    free(text);
  }
}

/* The checker is no good if it takes everything. */
static void faults_are_found(void **state) {
  (void)state;
  static const char *const bad[] = {
      "<p>",    "</p>",           "<p></div>",       "a & b",   "<p class=x></p>",
      "&nbsp;", "a < b",          "<p a=\"<\"></p>", "\xFF",    "\xC2\x85",
      "\x01",   "<b><i></b></i>", "<p title=\"x",    "<style>a"};
  char text[128];
  assert_null(ref_html_find_fault("<!DOCTYPE html>\n<p a=\"&amp;\">x<br>ü<g/></p>"));
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    snprintf(text, sizeof text, "<!DOCTYPE html>\n%s", bad[i]);
    assert_non_null(ref_html_find_fault(text));
  }
}

static void numbers_and_counts(void **state) {
  (void)state;
  char *text = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  assert_non_null(out);
  burl_html_number(out, 0.12345, 3);
  burl_html_number(out, (double)NAN, 3);
  burl_html_count(out, 0, " image", "images ");
  burl_html_count(out, 1, "image ", "images");
  burl_html_count(out, 2, "image", "images");
  fclose(out);
  assert_string_equal(text, "0.123–no images 1 image 2 images");
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(escape_is_exact),    cmocka_unit_test(base64_is_exact),
      cmocka_unit_test(any_bytes_are_safe), cmocka_unit_test(faults_are_found),
      cmocka_unit_test(numbers_and_counts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
