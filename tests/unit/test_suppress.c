/* Suppression: against the plain method, cases known by hand, and input that is hard or bad. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/random.h"
#include "unit/failing.h"

#include <burl/detect_suppress.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST 400

typedef struct set {
  burl_box boxes[MOST];
  float scores[MOST];
  size_t n;
} set;

static float draw(burl_random *random, float from, float to) {
  return from + (to - from) * (float)burl_random_below(random, 1 << 20) / (1 << 20);
}

static void fill(set *s, burl_random *random, size_t n, float side) {
  s->n = n;
  for (size_t i = 0; i < n; i++) {
    float x = draw(random, -side, side), y = draw(random, -side, side);
    float w = draw(random, 0, 40), h = draw(random, 0, 40);
    if (burl_random_below(random, 8) == 0) w = 0;
    if (burl_random_below(random, 8) == 0) w *= 20;
    s->boxes[i] = (burl_box){x, y, x + w, y + h};
    s->scores[i] = draw(random, -0.2F, 1);
    if (i > 0 && burl_random_below(random, 4) == 0) s->boxes[i] = s->boxes[i - 1];
    if (i > 0 && burl_random_below(random, 4) == 0) s->scores[i] = s->scores[i - 1];
  }
}

/* Greedy, each box against all that were kept. */
static size_t plain_greedy(size_t *kept, const set *s, double iou, size_t most) {
  uint8_t gone[MOST] = {0};
  size_t count = 0;
  while (count < most) {
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < s->n; i++)
      if (!gone[i] && (best == SIZE_MAX || s->scores[i] > s->scores[best])) best = i;
    if (best == SIZE_MAX) break;
    kept[count++] = best;
    for (size_t i = 0; i < s->n; i++)
      gone[i] |= i == best || (double)burl_box_iou(&s->boxes[i], &s->boxes[best]) > iou;
  }
  return count;
}

static void test_greedy_is_plain(void **state) {
  (void)state;
  static set s;
  burl_random random = burl_random_start(17, 1);
  static const double shares[] = {0, 0.05, 0.3, 0.5, 0.7, 0.95, 1};
  for (int round = 0; round < 140; round++) {
    fill(&s, &random, 1 + burl_random_below(&random, MOST), round % 2 ? 30 : 400);
    burl_suppress_options options = burl_suppress_default_options();
    options.iou = shares[round % 7];
    options.most = round % 3 ? MOST : 10;
    burl_kept_box kept[MOST];
    size_t count, expected[MOST], n = plain_greedy(expected, &s, options.iou, options.most);
    assert_int_equal(burl_suppress(kept, &count, s.boxes, s.scores, s.n, &options), BURL_OK);
    assert_int_equal(count, n);
    for (size_t i = 0; i < n; i++) {
      assert_int_equal(kept[i].index, expected[i]);
      assert_true(kept[i].score == s.scores[expected[i]]);
    }
  }
}

/* Three of one thing, two of another and a stray. */
static const set by_hand = {.boxes = {{0, 0, 10, 10},
                                      {1, 0, 11, 10},
                                      {0, 1, 10, 11},
                                      {50, 50, 60, 60},
                                      {50, 52, 60, 62},
                                      {90, 90, 95, 95}},
                            .scores = {0.9F, 0.8F, 0.95F, 0.5F, 0.6F, 0.1F},
                            .n = 6};

static void test_by_hand(void **state) {
  (void)state;
  static const size_t expected[] = {2, 4, 5};
  burl_suppress_options options = burl_suppress_default_options();
  for (int method = 0; method < BURL_SUPPRESS_COUNT; method++) {
    if (method == BURL_SUPPRESS_SOFT) continue;
    burl_kept_box kept[6];
    size_t count;
    options.method = (burl_suppress_method)method;
    assert_int_equal(
        burl_suppress(kept, &count, by_hand.boxes, by_hand.scores, by_hand.n, &options), BURL_OK);
    assert_int_equal(count, 3);
    for (size_t i = 0; i < 3; i++)
      assert_int_equal(kept[i].index, expected[i]);
  }
}

static void test_soft(void **state) {
  (void)state;
  burl_suppress_options options = burl_suppress_default_options();
  options.method = BURL_SUPPRESS_SOFT;
  burl_kept_box kept[6];
  size_t count;
  assert_int_equal(burl_suppress(kept, &count, by_hand.boxes, by_hand.scores, by_hand.n, &options),
                   BURL_OK);
  assert_int_equal(count, 6);
  assert_int_equal(kept[0].index, 2);
  assert_int_equal(kept[1].index, 4);
  double share = 80.0 / 120;
  double expected = 0.5 * exp(-share * share / 0.5);
  int found = 0;
  for (size_t i = 0; i < 6; i++) {
    assert_true(i == 0 || kept[i].score <= kept[i - 1].score);
    if (kept[i].index != 3) continue;
    assert_true(fabs((double)kept[i].score - expected) < 1e-6);
    found = 1;
  }
  assert_true(found);
  /* a duplicate falls by exp(-2) */
  burl_box two[2] = {{0, 0, 4, 4}, {0, 0, 4, 4}};
  float scores[2] = {1, 1};
  options.least = 0.2;
  assert_int_equal(burl_suppress(kept, &count, two, scores, 2, &options), BURL_OK);
  assert_int_equal(count, 1);
  assert_int_equal(kept[0].index, 0);
}

/* The assignment's cost is no more than that of keeping the seeds. */
static void test_exact_gives_each_box_once(void **state) {
  (void)state;
  static set s;
  burl_random random = burl_random_start(23, 1);
  burl_suppress_options options = burl_suppress_default_options();
  for (int round = 0; round < 20; round++) {
    fill(&s, &random, 1 + burl_random_below(&random, 200), 60);
    burl_kept_box kept[MOST];
    uint8_t seen[MOST] = {0};
    size_t count, greedy;
    options.method = BURL_SUPPRESS_GREEDY;
    assert_int_equal(burl_suppress(kept, &greedy, s.boxes, s.scores, s.n, &options), BURL_OK);
    options.method = BURL_SUPPRESS_EXACT;
    assert_int_equal(burl_suppress(kept, &count, s.boxes, s.scores, s.n, &options), BURL_OK);
    assert_int_equal(count, greedy);
    for (size_t i = 0; i < count; i++) {
      assert_false(seen[kept[i].index]);
      seen[kept[i].index] = 1;
      assert_true(i == 0 || kept[i].score <= kept[i - 1].score);
    }
  }
}

static void test_edges(void **state) {
  (void)state;
  burl_suppress_options options = burl_suppress_default_options();
  burl_kept_box kept[8] = {{.index = 77}};
  for (int method = 0; method < BURL_SUPPRESS_COUNT; method++) {
    size_t count = 9;
    options.method = (burl_suppress_method)method;
    assert_int_equal(burl_suppress(kept, &count, NULL, NULL, 0, &options), BURL_OK);
    assert_int_equal(count, 0);
    assert_int_equal(kept[0].index, 77);
    burl_box one = {-5, -5, 1e6F, 1e6F};
    float score = -3;
    assert_int_equal(burl_suppress(kept, &count, &one, &score, 1, &options), BURL_OK);
    assert_int_equal(count, 1);
    assert_int_equal(kept[0].index, 0);
    burl_box same[3] = {{0, 0, 1, 1}, {5, 5, 6, 6}, {9, 9, 10, 10}};
    float equal[3] = {0.5F, 0.5F, 0.5F};
    assert_int_equal(burl_suppress(kept, &count, same, equal, 3, &options), BURL_OK);
    assert_int_equal(count, 3);
    for (size_t i = 0; i < 3; i++)
      assert_int_equal(kept[i].index, i);
    burl_box points[3] = {{0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}};
    assert_int_equal(burl_suppress(kept, &count, points, equal, 3, &options), BURL_OK);
    assert_int_equal(count, 3);
    kept[0].index = 77;
  }
}

static void test_bad_input(void **state) {
  (void)state;
  burl_kept_box kept[2] = {{.index = 77}};
  size_t count = 5;
  burl_box box = {0, 0, 1, 1};
  float score = 1, bad_scores[] = {NAN, INFINITY, -INFINITY};
  burl_suppress_options good = burl_suppress_default_options(), bad[6];
  for (size_t i = 0; i < 6; i++)
    bad[i] = good;
  bad[0].method = BURL_SUPPRESS_COUNT, bad[1].iou = -0.1, bad[2].iou = (double)NAN;
  bad[3].sigma = 0, bad[4].least = 2, bad[5].most = 0;
  for (size_t i = 0; i < 6; i++)
    assert_int_equal(burl_suppress(kept, &count, &box, &score, 1, &bad[i]), BURL_ERR_ARGUMENT);
  for (size_t i = 0; i < 3; i++)
    assert_int_equal(burl_suppress(kept, &count, &box, &bad_scores[i], 1, &good), BURL_ERR_NUMERIC);
  burl_box wrong = {1, 0, 0, 1}, nan = {0, NAN, 1, 1};
  assert_int_equal(burl_suppress(kept, &count, &wrong, &score, 1, &good), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_suppress(kept, &count, &nan, &score, 1, &good), BURL_ERR_NUMERIC);
  assert_int_equal(count, 5);
  assert_int_equal(kept[0].index, 77);
}

static void test_many(void **state) {
  (void)state;
  size_t n = 100000;
  burl_box *boxes = burl_alloc(n, sizeof *boxes);
  float *scores = burl_alloc(n, sizeof *scores);
  burl_random random = burl_random_start(29, 1);
  for (size_t i = 0; i < n; i++) {
    float x = draw(&random, 0, 500), y = draw(&random, 0, 500);
    boxes[i] = (burl_box){x, y, x + draw(&random, 1, 30), y + draw(&random, 1, 30)};
    scores[i] = draw(&random, 0, 1);
  }
  burl_suppress_options options = burl_suppress_default_options();
  burl_kept_box kept[100];
  size_t count;
  for (int method = 0; method < BURL_SUPPRESS_COUNT; method++) {
    options.method = (burl_suppress_method)method;
    assert_int_equal(burl_suppress(kept, &count, boxes, scores, n, &options), BURL_OK);
    assert_int_equal(count, 100);
  }
  options.method = BURL_SUPPRESS_EXACT;
  options.most = 1000;
  burl_kept_box *room = burl_alloc(1000, sizeof *room);
  assert_int_equal(burl_suppress(room, &count, boxes, scores, n, &options), BURL_ERR_SIZE);
  free(room);
  free(boxes);
  free(scores);
}

static void test_failing_memory(void **state) {
  (void)state;
  burl_suppress_options options = burl_suppress_default_options();
  for (int method = 0; method < BURL_SUPPRESS_COUNT; method++)
    for (long i = 0;; i++) {
      burl_kept_box kept[6];
      size_t count;
      options.method = (burl_suppress_method)method;
      fail_allocation_after(i);
      burl_status status =
          burl_suppress(kept, &count, by_hand.boxes, by_hand.scores, by_hand.n, &options);
      stop_failing();
      if (status == BURL_OK) break;
      assert_int_equal(status, BURL_ERR_MEMORY);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_greedy_is_plain),
      cmocka_unit_test(test_by_hand),
      cmocka_unit_test(test_soft),
      cmocka_unit_test(test_exact_gives_each_box_once),
      cmocka_unit_test(test_edges),
      cmocka_unit_test(test_bad_input),
      cmocka_unit_test(test_many),
      cmocka_unit_test(test_failing_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
