/* Defects as files: the table, run lengths against a decoder, pictures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "report/column_runs.h"
#include "unit/failing.h"

#include <burl/report_defects.h>

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST 2048

static char folder[64];
static char path[128];

static int set_up(void **state) {
  (void)state;
  snprintf(folder, sizeof folder, "/tmp/burl-test-XXXXXX");
  if (!mkdtemp(folder)) return 1;
  snprintf(path, sizeof path, "%s/out", folder);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  unlink(path);
  return rmdir(folder);
}

/* What the text says, by the rules of COCO: differences from the fourth run on, five bits a letter.
 */
static size_t decode(uint8_t *mask, const char *text, size_t height, size_t width) {
  int64_t runs[MOST];
  size_t count = 0, at = 0;
  while (*text) {
    int64_t value = 0;
    int shift = 0, letter;
    do {
      letter = *text++ - 48;
      value |= (int64_t)(letter & 31) << shift;
      shift += 5;
    } while (letter & 32);
    if (letter & 16) value -= (int64_t)1 << shift;
    runs[count] = value + (count > 2 ? runs[count - 2] : 0);
    assert_true(runs[count] >= 0);
    for (int64_t i = 0; i < runs[count]; i++, at++) {
      assert_true(at < height * width);
      mask[at % height * width + at / height] = count % 2 != 0;
    }
    count++;
  }
  return at;
}

/* A proposal of the pixels of a mask. */
static burl_proposal of_mask(burl_span *spans, const uint8_t *mask, size_t height, size_t width) {
  burl_proposal p = {.box = {1e9F, 1e9F, 0, 0}, .spans = spans, .score = 1.5};
  for (size_t i = 0; i < height * width; i++) {
    if (!mask[i]) continue;
    float x = (float)(i % width), y = (float)(i / width);
    int goes_on = p.span_count > 0 && spans[p.span_count - 1].end == i && i % width > 0;
    if (!goes_on) spans[p.span_count++].begin = (uint32_t)i;
    spans[p.span_count - 1].end = (uint32_t)i + 1;
    p.area++;
    p.box = (burl_box){fminf(p.box.x0, x), fminf(p.box.y0, y), fmaxf(p.box.x1, x + 1),
                       fmaxf(p.box.y1, y + 1)};
  }
  return p;
}

static void test_runs(void **state) {
  (void)state;
  static uint8_t mask[MOST], back[MOST];
  static burl_span spans[MOST];
  burl_random random = burl_random_start(31, 1);
  for (int round = 0; round < 200; round++) {
    size_t height = 1 + burl_random_below(&random, 40), width = 1 + burl_random_below(&random, 50);
    uint64_t part = 1 + burl_random_below(&random, 8);
    for (size_t i = 0; i < height * width; i++)
      mask[i] = round % 4 == 0 ? 1 : burl_random_below(&random, 8) < part;
    mask[burl_random_below(&random, height * width)] = 1;
    burl_proposal p = of_mask(spans, mask, height, width);
    char *text = NULL;
    assert_int_equal(burl_column_runs(&text, &p, height, width), BURL_OK);
    memset(back, 7, sizeof back);
    assert_int_equal(decode(back, text, height, width), height * width);
    assert_memory_equal(mask, back, height * width);
    free(text);
  }
}

/* By hand: 4 x 3 pixels, the middle two of column 1: runs 5, 2, 5. */
static void test_runs_by_hand(void **state) {
  (void)state;
  burl_span spans[] = {{4, 5}, {7, 8}};
  burl_proposal p = {.box = {1, 1, 2, 3}, .area = 2, .spans = spans, .span_count = 2};
  char *text = NULL;
  assert_int_equal(burl_column_runs(&text, &p, 4, 3), BURL_OK);
  assert_string_equal(text, "525");
  free(text);
}

static char *read_back(void) {
  unsigned char *bytes = NULL;
  size_t size;
  assert_int_equal(burl_file_read(&bytes, &size, path, 1 << 20, NULL), BURL_OK);
  char *text = calloc(size + 1, 1);
  memcpy(text, bytes, size);
  free(bytes);
  return text;
}

static burl_span two_rows[] = {{12, 14}, {22, 24}};
static const burl_proposal small = {.box = {2, 1, 4, 3},
                                    .oriented = {3, 2, 2.25F, 2, -12.34F},
                                    .score = 1.23456789,
                                    .area = 4,
                                    .spans = two_rows,
                                    .span_count = 2};

static void test_table(void **state) {
  (void)state;
  burl_listed_defect list[] = {{"a,b.png", 1, 10, 10, &small, BURL_KIND_NONE},
                               {"c.png", 2, 10, 10, &small, BURL_KIND_HOLE}};
  assert_int_equal(burl_report_save_defects(list, 2, 0, path, NULL), BURL_OK);
  char *text = read_back();
  assert_string_equal(text,
                      "rank,image,x,y,w,h,angle,length,area,score,kind\n"
                      "1,\"a,b.png\",2,1,2,2,-12.3,2.2,4,1.23457,\n"
                      "2,c.png,2,1,2,2,-12.3,2.2,4,1.23457,hole\n");
  free(text);
  assert_int_equal(burl_report_save_defects(list + 1, 1, 0.1, path, NULL), BURL_OK);
  text = read_back();
  assert_string_equal(text,
                      "rank,image,x,y,w,h,angle,length,area,score,kind,"
                      "x_mm,y_mm,w_mm,h_mm,length_mm,area_mm2\n"
                      "1,c.png,2,1,2,2,-12.3,2.2,4,1.23457,hole,0.200,0.100,0.200,0.200,0.225,"
                      "0.0400\n");
  free(text);
  burl_diag diag = {0};
  assert_int_equal(burl_report_save_defects(list, 2, -1, path, &diag), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_report_save_defects(list, 2, (double)NAN, path, &diag), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_report_save_defects(list, 0, 0, path, NULL), BURL_OK);
}

static void test_coco(void **state) {
  (void)state;
  burl_listed_defect list[] = {{"a\"b.png", 3, 10, 10, &small, BURL_KIND_NONE},
                               {"\xff.png", 4, 10, 10, &small, BURL_KIND_WEAVE}};
  assert_int_equal(burl_report_save_coco(list, 2, path, NULL), BURL_OK);
  json_t *root = json_load_file(path, 0, NULL), *first = json_array_get(root, 0);
  assert_int_equal(json_array_size(root), 2);
  assert_int_equal(json_integer_value(json_object_get(first, "image_id")), 3);
  assert_int_equal(json_array_size(json_object_get(first, "bbox")), 4);
  assert_string_equal(json_string_value(json_object_get(first, "file_name")), "a\"b.png");
  json_t *mask = json_object_get(first, "segmentation");
  static uint8_t back[100], expected[100];
  for (size_t i = 0; i < 2; i++)
    for (size_t k = two_rows[i].begin; k < two_rows[i].end; k++)
      expected[k] = 1;
  decode(back, json_string_value(json_object_get(mask, "counts")), 10, 10);
  assert_memory_equal(back, expected, 100);
  assert_string_equal(json_string_value(json_object_get(json_array_get(root, 1), "file_name")),
                      "?.png");
  assert_null(json_object_get(first, "kind"));
  assert_string_equal(json_string_value(json_object_get(json_array_get(root, 1), "kind")),
                      "weave fault");
  json_decref(root);
  assert_int_equal(burl_report_save_coco(list, 0, path, NULL), BURL_OK);
  root = json_load_file(path, 0, NULL);
  assert_true(json_is_array(root) && json_array_size(root) == 0);
  json_decref(root);
}

/* The box lies round its mask, whatever is outside the image is left out. */
static void test_picture(void **state) {
  (void)state;
  burl_image image, back;
  assert_int_equal(burl_image_new(&image, 40, 50, 1, BURL_U8), BURL_OK);
  burl_span speck[] = {{20 * 50 + 30, 20 * 50 + 31}}, all[] = {{0, 50}};
  burl_proposal defects[] = {{.box = {30, 20, 31, 21}, .area = 1, .spans = speck, .span_count = 1},
                             {.box = {0, 0, 50, 1}, .area = 50, .spans = all, .span_count = 1}};
  size_t ranks[] = {7, 1234567};
  assert_int_equal(burl_report_save_boxes(&image, defects, ranks, 2, path, NULL), BURL_OK);
  assert_int_equal(burl_image_load(&back, path, NULL), BURL_OK);
  assert_int_equal(back.height, 40);
  assert_int_equal(back.width, 50);
  const uint8_t *rgb = back.data;
  static const uint8_t ink[3] = {255, 176, 0};
  for (size_t y = 19; y <= 21; y++)
    for (size_t x = 29; x <= 31; x++)
      if (x != 30 || y != 20) assert_memory_equal(rgb + 3 * (y * 50 + x), ink, 3);
  assert_memory_not_equal(rgb + 3 * (20 * 50 + 30), ink, 3);
  burl_image_free(&back);
  assert_int_equal(burl_report_save_boxes(&image, NULL, NULL, 0, path, NULL), BURL_OK);
  burl_image_free(&image);
}

static void test_failing(void **state) {
  (void)state;
  burl_listed_defect list[] = {{"a.png", 1, 10, 10, &small, BURL_KIND_NONE}};
  burl_image image;
  size_t rank = 1;
  assert_int_equal(burl_image_new(&image, 10, 10, 1, BURL_U8), BURL_OK);
  for (long i = 0;; i++) {
    burl_diag diag = {0};
    fail_allocation_after(i);
    burl_status coco = burl_report_save_coco(list, 1, path, &diag);
    burl_status table = burl_report_save_defects(list, 1, 0, path, &diag);
    burl_status picture = burl_report_save_boxes(&image, &small, &rank, 1, path, &diag);
    stop_failing();
    if (coco == BURL_OK && table == BURL_OK && picture == BURL_OK) break;
    assert_true(i < 200);
    assert_true(diag.reason[0] != '\0');
  }
  burl_image_free(&image);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_runs),    cmocka_unit_test(test_runs_by_hand),
      cmocka_unit_test(test_table),   cmocka_unit_test(test_coco),
      cmocka_unit_test(test_picture), cmocka_unit_test(test_failing),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
