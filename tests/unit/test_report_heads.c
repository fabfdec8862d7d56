/* Tables and pictures of matched heads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "data_tree.h"
#include "failing.h"
#include <burl/report_heads.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static tree t;
static const char *path; /* of the file that is written */

static int make_folder(void **state) {
  static char kept[4096];
  (void)state;
  tree_make(&t);
  snprintf(kept, sizeof kept, "%s", tree_path(&t, "t"));
  path = kept;
  return 0;
}

static int drop_folder(void **state) {
  (void)state;
  tree_remove(&t);
  return 0;
}

static const double weights[2][2] = {{0.25, 0.75}, {1.0, 0.0}};
static const char *const groups[2] = {"level0", "a,<b>"};
static const burl_report_head heads[2] = {
    {.kind = "speck", .kept = 1, .sigma = 2.0, .equal_ap = 0.125, .ap = 0.5, .weights = weights[0]},
    {.kind = "stain", .sigma = 8.0, .equal_ap = 0.25, .ap = 0.25, .weights = weights[1]},
};

static void assert_holds(const char *part) {
  unsigned char *bytes = NULL;
  size_t size = 0;
  assert_int_equal(burl_file_read(&bytes, &size, path, 1 << 20, NULL), BURL_OK);
  char *text = malloc(size + 1);
  assert_non_null(text);
  memcpy(text, bytes, size);
  text[size] = '\0';
  if (!strstr(text, part)) fail_msg("\"%s\" is not in %s", part, text);
  free(text);
  free(bytes);
}

static void table_is_exact(void **state) {
  (void)state;
  assert_int_equal(burl_report_save_heads_csv(heads, 2, groups, 2, path, NULL), BURL_OK);
  assert_holds(
      "kind,kept,smoothing,equal_ap,ap,level0,\"a,<b>\"\n"
      "speck,1,2,0.125,0.5,0.25,0.75\n"
      "stain,0,8,0.25,0.25,1,0\n");
}

static void picture_shows_what_there_is(void **state) {
  (void)state;
  assert_int_equal(burl_report_save_heads_svg(heads, 2, groups, 2, path, NULL), BURL_OK);
  assert_holds("<svg xmlns=\"http://www.w3.org/2000/svg\"");
  assert_holds(">speck</text>");
  assert_holds(">50.0 %</text>");
  assert_holds(">a,&lt;b&gt;</text>");
  assert_holds(">(dropped)</text>");
  assert_holds("</svg>\n");
}

static void bad_numbers_and_places_are_refused(void **state) {
  (void)state;
  burl_report_head bad = heads[0];
  burl_diag diag = {0};
  bad.ap = (double)NAN;
  unlink(path);
  assert_int_equal(burl_report_save_heads_csv(&bad, 1, groups, 2, path, &diag), BURL_ERR_NUMERIC);
  assert_non_null(strstr(diag.reason, "speck"));
  assert_int_equal(burl_report_save_heads_svg(&bad, 1, groups, 2, path, NULL), BURL_ERR_NUMERIC);
  assert_int_equal(access(path, F_OK), -1);
  assert_int_equal(burl_report_save_heads_svg(heads, 2, groups, 2, "/dev/null/x", NULL),
                   BURL_ERR_IO);
  for (long i = 0;; i++) {
    fail_allocation_after(i);
    burl_status status = burl_report_save_heads_svg(heads, 2, groups, 2, path, NULL);
    stop_failing();
    if (status == BURL_OK) break;
    assert_true(status == BURL_ERR_MEMORY || status == BURL_ERR_IO);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(table_is_exact),
      cmocka_unit_test(picture_shows_what_there_is),
      cmocka_unit_test(bad_numbers_and_places_are_refused),
  };
  return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
