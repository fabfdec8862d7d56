/* Galleries of prototypes and pictures of assignments, pixel by pixel; and both in report.html. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "failing.h"
#include "reference/ref_html.h"
#include "report/gallery_order.h"
#include "report/report_store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MANY = 300, THUMB = 8, PICTURE = 64, STEP = 70, CELL = 76 };

static char folder[256], path[300];
static burl_report_prototype list[MANY];
static uint8_t pixels[MANY][THUMB * THUMB];

static int set_up(void **state) {
  (void)state;
  const char *base = getenv("TMPDIR");
  snprintf(folder, sizeof folder, "%s/burl-known-XXXXXX", base ? base : "/tmp");
  if (!mkdtemp(folder)) return 1;
  snprintf(path, sizeof path, "%s/file", folder);
  for (size_t k = 0; k < MANY; k++) {
    for (size_t i = 0; i < THUMB * THUMB; i++)
      pixels[k][i] = (uint8_t)(k * 31 + i * 3);
    list[k] = (burl_report_prototype){.mass = (double)(k * 7 % 40) / 1000.0,
                                      .radius = 0.5,
                                      .image = "good/\"a\", <b>.png",
                                      .y = k,
                                      .x = 2 * k,
                                      .side = 13,
                                      .distance = 0.25,
                                      .thumb = THUMB,
                                      .pixels = pixels[k]};
  }
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  unlink(path);
  return rmdir(folder);
}

static burl_report_member member_of(size_t count) {
  return (burl_report_member){.name = "level0", .stride = 4, .count = count, .prototypes = list};
}

static char *read_text(void) {
  unsigned char *bytes = NULL;
  size_t size = 0;
  assert_int_equal(burl_file_read(&bytes, &size, path, (size_t)1 << 26, NULL), BURL_OK);
  char *text = malloc(size + 1);
  assert_non_null(text);
  memcpy(text, bytes, size);
  text[size] = '\0';
  free(bytes);
  return text;
}

static size_t count(const char *text, const char *word) {
  size_t n = 0;
  for (const char *at = text; (at = strstr(at, word)); at += strlen(word))
    n++;
  return n;
}

static void test_order(void **state) {
  (void)state;
  burl_report_member member = member_of(MANY);
  size_t *order = burl_report_order(&member), seen[MANY] = {0};
  assert_non_null(order);
  for (size_t i = 0; i < MANY; i++)
    seen[order[i]]++;
  for (size_t i = 0; i < MANY; i++) {
    assert_int_equal(seen[i], 1);
    if (i == 0) continue;
    double before = list[order[i - 1]].mass, mass = list[order[i]].mass;
    assert_true(before > mass || (before == mass && order[i - 1] < order[i]));
  }
  free(order);
}

/* Pictures lie where they should, enlarged and nothing else, with bars for their mass. */
static void test_sheet(void **state) {
  (void)state;
  burl_report_member member = member_of(37);
  burl_image sheet = {0};
  size_t *order = burl_report_order(&member);
  assert_non_null(order);
  assert_int_equal(burl_report_save_sheet(&member, path, NULL), BURL_OK);
  assert_int_equal(burl_image_load(&sheet, path, NULL), BURL_OK);
  assert_true(sheet.width == 6 + 16 * STEP && sheet.height == 6 + 3 * CELL && sheet.channels == 1);
  const uint8_t *data = sheet.data;
  for (size_t i = 0; i < 37; i++) {
    const burl_report_prototype *p = &list[order[i]];
    size_t top = 6 + i / 16 * CELL, left = 6 + i % 16 * STEP, dark = 0;
    for (size_t y = 0; y < PICTURE; y++)
      for (size_t x = 0; x < PICTURE; x++)
        assert_int_equal(data[(top + y) * sheet.width + left + x],
                         p->pixels[y / 8 * THUMB + x / 8]);
    for (size_t x = 0; x < PICTURE; x++)
      dark += data[(top + 67) * sheet.width + left + x] == 0;
    assert_int_equal(dark, (size_t)(p->mass / list[order[0]].mass * PICTURE + 0.5));
  }
  assert_int_equal(data[(6 + 2 * CELL + 10) * sheet.width + 6 + 5 * STEP], 255); /* nothing there */
  free(order);
  burl_image_free(&sheet);
}

static void test_table(void **state) {
  (void)state;
  burl_report_member members[] = {member_of(0), member_of(2)};
  burl_report_prototypes gallery = {2, members};
  assert_int_equal(burl_report_save_prototypes(&gallery, path, NULL), BURL_OK);
  char *text = read_text();
  assert_string_equal(text,
                      "member,prototype,mass,radius,image,y,x,side,distance\n"
                      "level0,0,0,0.5,\"good/\"\"a\"\", <b>.png\",0,0,13,0.25\n"
                      "level0,1,0.007,0.5,\"good/\"\"a\"\", <b>.png\",1,2,13,0.25\n");
  free(text);
}

/* A gallery has no script, a report the one that its policy names. */
static void check_page(const char *page, int scripts) {
  const char *odd = ref_html_find_fault(page), *script = page;
  if (odd) fail_msg("not well-formed at: %.60s", odd);
  int found = 0;
  while ((script = strstr(script, "<script")))
    script++, found++;
  assert_int_equal(found, scripts);
  assert_int_equal(strstr(page, "script-src") != NULL, scripts);
  assert_null(strstr(page, "http://"));
  assert_null(strstr(page, "https://"));
  assert_null(strstr(page, "<b>"));
}

/* A page of a large bank stays bounded, and says that it shows a part. */
static void test_page(void **state) {
  (void)state;
  burl_report_member members[] = {member_of(MANY), member_of(0), member_of(5)};
  burl_report_prototypes gallery = {3, members};
  assert_int_equal(burl_report_save_gallery(&gallery, "a & b", "model\tx<y\n", path, NULL),
                   BURL_OK);
  char *page = read_text();
  check_page(page, 0);
  assert_int_equal(count(page, "<img "), 256 + 5);
  assert_int_equal(count(page, "<h3>"), 2);
  assert_non_null(strstr(page, "The heaviest 256 of 300 prototypes"));
  assert_non_null(strstr(page, "a &amp; b"));
  assert_non_null(strstr(page, "x&lt;y"));
  free(page);
}

static void test_nothing_to_show(void **state) {
  (void)state;
  burl_report_member none = member_of(0);
  burl_report_prototypes gallery = {0, NULL};
  burl_diag diag = {0};
  unlink(path);
  assert_int_equal(burl_report_save_sheet(&none, path, &diag), BURL_ERR_ARGUMENT);
  assert_int_not_equal(access(path, F_OK), 0);
  assert_int_equal(burl_report_save_gallery(&gallery, "empty", NULL, path, NULL), BURL_OK);
  char *page = read_text();
  check_page(page, 0);
  free(page);
}

typedef burl_status (*writer)(burl_diag *diag);

static burl_status write_sheet(burl_diag *diag) {
  burl_report_member member = member_of(20);
  return burl_report_save_sheet(&member, path, diag);
}

static burl_status write_page(burl_diag *diag) {
  burl_report_member member = member_of(3);
  burl_report_prototypes gallery = {1, &member};
  return burl_report_save_gallery(&gallery, "t", NULL, path, diag);
}

static burl_status write_assignment(burl_diag *diag) {
  uint8_t grey[16] = {0};
  uint32_t nearest[4] = {0, 1, 2, 3};
  burl_image image = {.height = 4, .width = 4, .channels = 1, .sample = BURL_U8, .data = grey};
  return burl_report_save_assignment(&image, nearest, 2, 2, 2, path, diag);
}

static void test_without_memory(void **state) {
  (void)state;
  static const writer writers[] = {write_sheet, write_page, write_assignment};
  for (size_t w = 0; w < 3; w++)
    for (long i = 0;; i++) {
      burl_diag diag = {0};
      unlink(path);
      fail_allocation_after(i);
      burl_status status = writers[w](&diag);
      long made = stop_failing();
      if (status == BURL_OK && made <= i) break;
      if (status == BURL_OK) continue; /* what a stream does without a buffer */
      if (status != BURL_ERR_MEMORY && status != BURL_ERR_IO) fail_msg("%s", diag.reason);
      assert_int_equal(diag.status, status);
      assert_int_not_equal(access(path, F_OK), 0);
    }
}

/* The image at the left, squares about the middles of the patches at the right. */
static void test_assignment(void **state) {
  (void)state;
  enum { H = 11, W = 9 };
  uint8_t grey[H * W];
  uint32_t nearest[3 * 3] = {0, 1, 2, 0, UINT32_MAX, 300, 1, 1, 0}; /* stride 4 */
  burl_image image = {.height = H, .width = W, .channels = 1, .sample = BURL_U8, .data = grey};
  burl_image got = {0};
  for (size_t i = 0; i < H * W; i++)
    grey[i] = (uint8_t)(i * 5);
  assert_int_equal(burl_report_save_assignment(&image, nearest, 3, 3, 4, path, NULL), BURL_OK);
  assert_int_equal(burl_image_load(&got, path, NULL), BURL_OK);
  assert_true(got.height == H && got.width == 2 * W + 8 && got.channels == 3);
  const uint8_t *data = got.data, *colour[4] = {0};
  for (size_t y = 0; y < H; y++)
    for (size_t x = 0; x < W; x++) {
      const uint8_t *left = data + 3 * (y * got.width + x), *right = left + 3 * (W + 8);
      size_t row = (y + 2) / 4 < 3 ? (y + 2) / 4 : 2, col = (x + 2) / 4 < 3 ? (x + 2) / 4 : 2;
      uint32_t k = nearest[3 * row + col];
      assert_true(left[0] == grey[y * W + x] && left[1] == left[0] && left[2] == left[0]);
      const uint8_t **known = &colour[k == UINT32_MAX ? 3 : k == 300 ? 2 : k == 2 ? 2 : k];
      if (k == 300 || k == 2) continue;
      if (!*known) *known = right;
      assert_memory_equal(*known, right, 3);
    }
  assert_memory_equal(colour[3], "\x80\x80\x80", 3);
  assert_memory_not_equal(colour[0], colour[1], 3);
  burl_image_free(&got);
  assert_int_equal(burl_report_save_assignment(&image, nearest, 0, 3, 4, path, NULL),
                   BURL_ERR_ARGUMENT);
}

enum { SIDE = 40 };

static void add(burl_report *report, const char *name, int defective, double score) {
  static uint8_t grey[SIDE * SIDE];
  static float heat[SIDE * SIDE];
  burl_image image = {
      .height = SIDE, .width = SIDE, .channels = 1, .sample = BURL_U8, .data = grey};
  memset(heat, 0, sizeof heat);
  heat[7 * SIDE + (size_t)(10.0 * score)] = (float)score;
  burl_report_row row = {.name = name, .label = NULL, .defective = defective, .score = score};
  assert_int_equal(burl_report_add(report, &row, &image, heat, NULL), BURL_OK);
}

static burl_status explain(burl_report *report, size_t added) {
  static uint8_t grey[SIDE * SIDE];
  burl_image image = {
      .height = SIDE, .width = SIDE, .channels = 1, .sample = BURL_U8, .data = grey};
  burl_report_match match = {.member = "level0",
                             .number = 17,
                             .prototype = &list[17],
                             .y = 8,
                             .x = 12,
                             .distance = 1.5,
                             .excess = 6.25};
  return burl_report_explain(report, added, &image, &match);
}

static const burl_report_metrics undefined = {
    .image = {(double)NAN, (double)NAN, (double)NAN, (double)NAN},
    .pixel = {.ranking = {(double)NAN, (double)NAN, (double)NAN, (double)NAN},
              .aupro_030 = (double)NAN,
              .aupro_005 = (double)NAN},
    .threshold = 1,
    .false_alarm_rate = (double)NAN};

/* Misses lowest first, false alarms and finds highest first; passes need no reason. */
static void test_report(void **state) {
  (void)state;
  burl_report *report = NULL;
  burl_report_member member = member_of(MANY);
  burl_report_prototypes gallery = {1, &member};
  burl_report_shown shown[12];
  assert_int_equal(burl_report_new(&report, "t", 12), BURL_OK);
  add(report, "find", 1, 2.5);
  add(report, "pass", 0, 0.5);
  add(report, "miss", 1, 0.75);
  add(report, "alarm", 0, 1.25);
  add(report, "worse", 1, 0.25);
  assert_int_equal(burl_report_get_shown(report, shown, 1.0), 4);
  static const size_t added[] = {4, 2, 3, 0}, column[] = {2, 7, 12, 25};
  for (size_t i = 0; i < 4; i++)
    assert_true(shown[i].added == added[i] && shown[i].y == 7 && shown[i].x == column[i]);
  burl_report_set_prototypes(report, &gallery);
  for (long i = 0;; i++) {
    fail_allocation_after(i);
    burl_status status = explain(report, 4);
    stop_failing();
    if (status == BURL_OK) break;
    assert_int_equal(status, BURL_ERR_MEMORY);
  }
  assert_int_equal(explain(report, 4), BURL_OK); /* again: the latest counts */
  assert_int_equal(explain(report, 3), BURL_OK);
  assert_int_equal(explain(report, 99), BURL_OK); /* no such image: nothing to show */
  assert_int_equal(burl_report_save_html(report, &undefined, NULL, 0, NULL, path, NULL), BURL_OK);
  char *page = read_text();
  check_page(page, 1);
  assert_int_equal(count(page, "nearest good</figcaption>"), 2);
  assert_int_equal(count(page, "class=\"proto\""), 12);
  assert_non_null(strstr(page, "What the model knows"));
  assert_non_null(strstr(page, "row 8, column 12"));
  free(page);
  burl_report_free(report);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_order),           cmocka_unit_test(test_sheet),
      cmocka_unit_test(test_table),           cmocka_unit_test(test_page),
      cmocka_unit_test(test_nothing_to_show), cmocka_unit_test(test_without_memory),
      cmocka_unit_test(test_assignment),      cmocka_unit_test(test_report),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
