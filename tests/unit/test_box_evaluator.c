/* Measures of boxes: by hand, golden values, what is not defined, and failing memory.
 * The golden test reads tests/golden/boxes.txt: run from the top of the tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/failing.h"

#include <burl/detect_truth.h>
#include <burl/evaluate_boxes.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void expect(double value, double wanted) {
  if (!(fabs(value - wanted) <= 1e-12)) fail_msg("%.17g instead of %.17g", value, wanted);
}

static const burl_box two[] = {{0, 0, 10, 10}, {20, 20, 30, 30}};

/* One of two found, after one false box: precision 1/2 up to recall 1/2, 0 beyond. */
static void test_by_hand(void **state) {
  (void)state;
  burl_box found[] = {{50, 50, 60, 60}, {0, 0, 10, 10}, {0, 0, 10, 10}};
  float scores[] = {0.9F, 0.8F, 0.7F};
  double ap, recall;
  burl_box_evaluator *e = NULL;
  assert_int_equal(burl_box_evaluator_new(&e), BURL_OK);
  assert_int_equal(burl_box_evaluator_add(e, found, scores, 3, two, 2), BURL_OK);
  assert_int_equal(burl_box_evaluator_measure(e, 0.5, 100, &ap, &recall), BURL_OK);
  expect(ap, 51 * 0.5 / 101);
  expect(recall, 0.5);
  assert_int_equal(burl_box_evaluator_measure(e, 0.5, 1, &ap, &recall), BURL_OK);
  expect(ap, 0);
  expect(recall, 0);
  /* both, perfectly, in a second image: hits at places 1, 2, 4 of 5 by score, of 4 true boxes */
  float high[] = {2, 3};
  assert_int_equal(burl_box_evaluator_add(e, two, high, 2, two, 2), BURL_OK);
  assert_int_equal(burl_box_evaluator_measure(e, 0.95, 100, &ap, &recall), BURL_OK);
  expect(ap, (51 * 1.0 + 25 * 0.75) / 101);
  expect(recall, 0.75);
  burl_box_evaluator_free(e);
}

/* A box that shares 0.6 is found at 0.5, 0.55 and (by rounding of neither) 0.6. */
static void test_limits(void **state) {
  (void)state;
  burl_box found = {0, 0, 10, 6};
  float score = 1;
  burl_box_metrics m;
  burl_box_evaluator *e = NULL;
  assert_int_equal(burl_box_evaluator_new(&e), BURL_OK);
  assert_int_equal(burl_box_evaluator_add(e, &found, &score, 1, two, 1), BURL_OK);
  assert_int_equal(burl_box_evaluator_compute(e, &m), BURL_OK);
  expect(m.ap50, 1);
  expect(m.ap, m.recall_100);
  assert_true(m.ap > 0.19 && m.ap < 0.31);
  assert_true(isnan(m.mask_dice));
  assert_int_equal(m.images, 1);
  assert_int_equal(m.boxes, 1);
  burl_box_evaluator_free(e);
}

typedef struct recurrence {
  uint32_t state;
} recurrence;

static uint32_t below(recurrence *r, uint32_t n) {
  r->state = 1664525U * r->state + 1013904223U;
  return (r->state >> 8) % n;
}

static void draw(recurrence *r, int box[4], uint32_t side) {
  box[0] = (int)below(r, side);
  box[1] = (int)below(r, side);
  box[2] = 1 + (int)below(r, 30);
  box[3] = 1 + (int)below(r, 30);
}

static burl_box as_box(const int b[4]) {
  return (burl_box){(float)b[0], (float)b[1], (float)(b[0] + b[2]), (float)(b[1] + b[3])};
}

/* tests/golden/make_boxes.py says how an image is made. */
static void add_image(burl_box_evaluator *e, recurrence *r, uint32_t side) {
  uint32_t truth_count = below(r, 6), count = below(r, 150);
  int own[6][4];
  burl_box truth[6], found[150];
  float scores[150];
  for (uint32_t i = 0; i < truth_count; i++) {
    draw(r, own[i], side);
    truth[i] = as_box(own[i]);
  }
  for (uint32_t i = 0; i < count; i++) {
    int box[4];
    if (truth_count > 0 && below(r, 2) == 1) {
      memcpy(box, own[below(r, truth_count)], sizeof box);
      for (int k = 0; k < 4; k++)
        box[k] += (int)below(r, 5) - 2;
      box[2] = box[2] < 1 ? 1 : box[2];
      box[3] = box[3] < 1 ? 1 : box[3];
    } else {
      draw(r, box, side);
    }
    found[i] = as_box(box);
    scores[i] = (float)below(r, 64) / 64;
  }
  assert_int_equal(burl_box_evaluator_add(e, found, scores, count, truth, truth_count), BURL_OK);
}

static void test_golden(void **state) {
  (void)state;
  char line[512];
  int lines = 0;
  FILE *file = fopen("tests/golden/boxes.txt", "r");
  if (!file) fail_msg("tests/golden/boxes.txt is not there: run from the top of the tree");
  while (fgets(line, sizeof line, file)) {
    unsigned seed, images, side, boxes;
    double ap50, ap, recall, ap30, recall30, few, few_recall;
    if (line[0] == '#') continue;
    assert_int_equal(sscanf(line, "%u %u %u | %u %lf %lf %lf %lf %lf", &seed, &images, &side,
                            &boxes, &ap50, &ap, &recall, &ap30, &recall30),
                     9);
    burl_box_evaluator *e = NULL;
    burl_box_metrics m;
    recurrence r = {seed};
    assert_int_equal(burl_box_evaluator_new(&e), BURL_OK);
    for (unsigned i = 0; i < images; i++)
      add_image(e, &r, side);
    assert_int_equal(burl_box_evaluator_compute(e, &m), BURL_OK);
    assert_int_equal(burl_box_evaluator_measure(e, 0.3, 5, &few, &few_recall), BURL_OK);
    assert_int_equal(m.boxes, boxes);
    expect(m.ap50, ap50);
    expect(m.ap, ap);
    expect(m.recall_100, recall);
    expect(few, ap30);
    expect(few_recall, recall30);
    burl_box_evaluator_free(e);
    lines++;
  }
  fclose(file);
  assert_int_equal(lines, 8);
}

static void test_undefined(void **state) {
  (void)state;
  burl_box_metrics m;
  burl_box_evaluator *e = NULL;
  float score = 1, nan = NAN;
  burl_box bad = {0, 0, INFINITY, 1};
  assert_int_equal(burl_box_evaluator_new(&e), BURL_OK);
  assert_int_equal(burl_box_evaluator_compute(e, &m), BURL_OK);
  assert_true(isnan(m.ap) && isnan(m.ap50) && isnan(m.recall_100) && isnan(m.mask_dice));
  assert_int_equal(burl_box_evaluator_add(e, NULL, NULL, 0, NULL, 0), BURL_OK);
  assert_int_equal(burl_box_evaluator_add(e, two, &score, 1, NULL, 0), BURL_OK);
  assert_int_equal(burl_box_evaluator_compute(e, &m), BURL_OK);
  assert_true(isnan(m.ap));
  assert_int_equal(burl_box_evaluator_add(e, NULL, NULL, 0, two, 2), BURL_OK);
  assert_int_equal(burl_box_evaluator_compute(e, &m), BURL_OK);
  expect(m.ap, 0);
  assert_int_equal(m.images, 3);
  assert_int_equal(burl_box_evaluator_add(e, two, &nan, 1, NULL, 0), BURL_ERR_NUMERIC);
  assert_int_equal(burl_box_evaluator_add(e, &bad, &score, 1, NULL, 0), BURL_ERR_NUMERIC);
  assert_int_equal(burl_box_evaluator_add(e, NULL, NULL, 0, &bad, 1), BURL_ERR_NUMERIC);
  assert_int_equal(burl_box_evaluator_measure(e, 0, 1, NULL, NULL), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_box_evaluator_measure(e, 1.1, 1, NULL, NULL), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_box_evaluator_measure(e, 0.5, 0, NULL, NULL), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_box_evaluator_measure(e, 0.5, 1, NULL, NULL), BURL_OK);
  burl_box_evaluator_free(e);
  burl_box_evaluator_free(NULL);
}

/* 4 of 6 marked pixels are true, 8 are true: 2 * 4 / (6 + 8). */
static void test_masks(void **state) {
  (void)state;
  uint8_t truth[20] = {0};
  memset(truth + 2, 1, 8);
  burl_span spans[] = {{0, 5}, {9, 10}};
  burl_proposal found = {.spans = spans, .span_count = 2, .area = 6};
  burl_box_metrics m;
  burl_box_evaluator *e = NULL;
  assert_int_equal(burl_box_evaluator_new(&e), BURL_OK);
  burl_box_evaluator_add_masks(e, &found, 1, truth, 2, 10);
  assert_int_equal(burl_box_evaluator_compute(e, &m), BURL_OK);
  expect(m.mask_dice, 8.0 / 14);
  burl_box_evaluator_free(e);
}

static void test_boxes_from_mask(void **state) {
  (void)state;
  /* two that touch at a corner are one; a pixel apart */
  const uint8_t mask[] = {0, 1, 0, 0, 0, 0, /**/ 1, 0, 0, 0, 0, 9, /**/ 1, 1, 0, 0, 0, 0};
  burl_box *boxes = NULL;
  size_t count = 7;
  assert_int_equal(burl_boxes_from_mask(&boxes, &count, mask, 3, 6), BURL_OK);
  assert_int_equal(count, 2);
  assert_true(boxes[0].x0 == 0 && boxes[0].y0 == 0 && boxes[0].x1 == 2 && boxes[0].y1 == 3);
  assert_true(boxes[1].x0 == 5 && boxes[1].y0 == 1 && boxes[1].x1 == 6 && boxes[1].y1 == 2);
  free(boxes);
  const uint8_t none[4] = {0};
  assert_int_equal(burl_boxes_from_mask(&boxes, &count, none, 2, 2), BURL_OK);
  assert_int_equal(count, 0);
  assert_null(boxes);
  assert_int_equal(burl_boxes_from_mask(&boxes, &count, mask, SIZE_MAX, 2), BURL_ERR_SIZE);
  for (long i = 0;; i++) {
    fail_allocation_after(i);
    burl_status status = burl_boxes_from_mask(&boxes, &count, mask, 3, 6);
    stop_failing();
    if (status == BURL_OK) break;
    assert_int_equal(status, BURL_ERR_MEMORY);
  }
  free(boxes);
}

static void test_failing_memory(void **state) {
  (void)state;
  float scores[] = {1, 2};
  for (long i = 0;; i++) {
    burl_box_evaluator *e = NULL;
    burl_box_metrics m;
    fail_allocation_after(i);
    burl_status status = burl_box_evaluator_new(&e);
    if (status == BURL_OK) status = burl_box_evaluator_add(e, two, scores, 2, two, 2);
    if (status == BURL_OK) status = burl_box_evaluator_compute(e, &m);
    stop_failing();
    burl_box_evaluator_free(e);
    if (status == BURL_OK) break;
    assert_int_equal(status, BURL_ERR_MEMORY);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_by_hand),        cmocka_unit_test(test_limits),
      cmocka_unit_test(test_golden),         cmocka_unit_test(test_undefined),
      cmocka_unit_test(test_masks),          cmocka_unit_test(test_boxes_from_mask),
      cmocka_unit_test(test_failing_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
