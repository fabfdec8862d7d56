/* Ground truth from COCO annotations and YOLO labels: what is read, and what is refused and why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/failing.h"

#include <burl/detect_truth.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void expect_box(const burl_box *b, double x0, double y0, double x1, double y1) {
  assert_true(fabs((double)b->x0 - x0) < 1e-4 && fabs((double)b->y0 - y0) < 1e-4);
  assert_true(fabs((double)b->x1 - x1) < 1e-4 && fabs((double)b->y1 - y1) < 1e-4);
}

static void test_yolo(void **state) {
  (void)state;
  static const char text[] = "0 0.5 0.5 0.25 0.5\n\n \t\r\n3 1 0 .5 2e-1\r\n2 5E-1 0.25 1. 5.0e-1";
  burl_box *boxes = NULL;
  size_t count = 0;
  assert_int_equal(burl_boxes_from_yolo(&boxes, &count, text, sizeof text - 1, "a", 100, 200, NULL),
                   BURL_OK);
  assert_int_equal(count, 3);
  expect_box(&boxes[0], 75, 25, 125, 75);
  expect_box(&boxes[1], 150, 0, 200, 10); /* cut at the border */
  expect_box(&boxes[2], 0, 0, 200, 50);
  free(boxes);
  assert_int_equal(burl_boxes_from_yolo(&boxes, &count, "", 0, "a", 100, 200, NULL), BURL_OK);
  assert_int_equal(count, 0);
  assert_null(boxes);
}

static void test_yolo_refused(void **state) {
  (void)state;
  static const char *const bad[] = {
      "0 0.5 0.5 0.5",   "0 0.5 0.5 0.5 0.5 0.5", "0 0.5 0.5 0.5 2",  "0 0.5 -0.5 0.5 0.5",
      "0 0.5 x 0.5 0.5", "0 0.5 0.5 nan 1",       "0 1e9999 0 0 0",   "0 . 0 0 0",
      "hole 0 0 0 0",    "0 0.5 0.5 0.5 1e",      "0,0.5,0.5,0.5,0.5"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    char text[80];
    burl_diag diag = {0};
    burl_box *boxes = NULL;
    size_t count = 9;
    snprintf(text, sizeof text, "0 0.5 0.5 0.1 0.1\n%s\n0 0 0 0 0\n", bad[i]);
    assert_int_equal(
        burl_boxes_from_yolo(&boxes, &count, text, strlen(text), "a.txt", 10, 10, &diag),
        BURL_ERR_FORMAT);
    assert_int_equal(diag.line, 2);
    assert_string_equal(diag.path, "a.txt");
    assert_null(boxes);
    assert_int_equal(count, 9);
  }
}

static const char coco[] =
    "{\"info\": {}, \"images\": [{\"id\": 9, \"file_name\": \"b/x.png\", \"width\": 5},"
    " {\"id\": -4, \"file_name\": \"a.png\"}, {\"id\": 0, \"file_name\": \"empty.png\"}],"
    "\"annotations\": [{\"image_id\": -4, \"bbox\": [1, 2, 3.5, 4], \"category_id\": 2},"
    " {\"image_id\": 9, \"bbox\": [0, 0, 1, 1], \"iscrowd\": 0},"
    " {\"image_id\": -4, \"iscrowd\": 1, \"segmentation\": {}},"
    " {\"image_id\": -4, \"bbox\": [10, 20, 0, 0]}]}";

static void test_coco(void **state) {
  (void)state;
  burl_box_set *set = NULL;
  size_t count = 77;
  assert_int_equal(burl_box_set_parse(&set, coco, sizeof coco - 1, "a.json", NULL), BURL_OK);
  assert_int_equal(burl_box_set_get_images(set), 3);
  const burl_box *boxes = burl_box_set_find(set, "a.png", &count);
  assert_int_equal(count, 2);
  expect_box(&boxes[0], 1, 2, 4.5, 6);
  expect_box(&boxes[1], 10, 20, 10, 20);
  boxes = burl_box_set_find(set, "b/x.png", &count);
  assert_int_equal(count, 1);
  expect_box(boxes, 0, 0, 1, 1);
  assert_non_null(burl_box_set_find(set, "empty.png", &count));
  assert_int_equal(count, 0);
  assert_null(burl_box_set_find(set, "x.png", &count));
  burl_box_set_free(set);
  burl_box_set_free(NULL);
}

static void test_coco_refused(void **state) {
  (void)state;
  static const char *const bad[] = {
      "",
      "[]",
      "{\"images\": []}",
      "{\"images\": {}, \"annotations\": []}",
      "{\"images\": [{\"id\": 1}], \"annotations\": []}",
      "{\"images\": [{\"id\": 1.5, \"file_name\": \"a\"}], \"annotations\": []}",
      "{\"images\": [{\"id\": 1, \"file_name\": \"\"}], \"annotations\": []}",
      "{\"images\": [{\"id\": 1, \"file_name\": \"a\"}, {\"id\": 1, \"file_name\": \"b\"}],"
      "\"annotations\": []}",
      "{\"images\": [{\"id\": 1, \"file_name\": \"a\"}, {\"id\": 2, \"file_name\": \"a\"}],"
      "\"annotations\": []}",
      "{\"images\": [], \"annotations\": [{\"image_id\": 1, \"bbox\": [0, 0, 1, 1]}]}",
      "{\"images\": [{\"id\": 1, \"file_name\": \"a\"}], \"annotations\": [{\"image_id\": 1}]}",
      "{\"images\": [{\"id\": 1, \"file_name\": \"a\"}],"
      "\"annotations\": [{\"image_id\": 1, \"bbox\": [0, 0, 1]}]}",
      "{\"images\": [{\"id\": 1, \"file_name\": \"a\"}],"
      "\"annotations\": [{\"image_id\": 1, \"bbox\": [0, 0, -1, 1]}]}",
      "{\"images\": [{\"id\": 1, \"file_name\": \"a\"}],"
      "\"annotations\": [{\"image_id\": 1, \"bbox\": [0, \"0\", 1, 1]}]}",
      "{\"images\": [{\"id\": 1, \"file_name\": \"a\"}],"
      "\"annotations\": [{\"image_id\": \"1\", \"bbox\": [0, 0, 1, 1]}]}"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    burl_diag diag = {0};
    burl_box_set *set = NULL;
    assert_int_equal(burl_box_set_parse(&set, bad[i], strlen(bad[i]), "a.json", &diag),
                     BURL_ERR_FORMAT);
    assert_true(diag.reason[0] != '\0');
    assert_null(set);
  }
  burl_diag diag = {0};
  burl_box_set *set = NULL;
  assert_int_equal(burl_box_set_load(&set, "/nowhere/a.json", &diag), BURL_ERR_IO);
}

static void test_failing_memory(void **state) {
  (void)state;
  for (long i = 0;; i++) {
    burl_box_set *set = NULL;
    burl_box *boxes = NULL;
    size_t count;
    fail_allocation_after(i);
    burl_status status = burl_box_set_parse(&set, coco, sizeof coco - 1, "a.json", NULL);
    if (status == BURL_OK)
      status = burl_boxes_from_yolo(&boxes, &count, "0 0 0 0 0", 9, "a", 1, 1, NULL);
    stop_failing();
    burl_box_set_free(set);
    free(boxes);
    if (status == BURL_OK) break;
    assert_true(status == BURL_ERR_MEMORY);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_yolo),           cmocka_unit_test(test_yolo_refused),
      cmocka_unit_test(test_coco),           cmocka_unit_test(test_coco_refused),
      cmocka_unit_test(test_failing_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
