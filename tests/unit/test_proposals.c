/* Proposals: known shapes are found with their boxes; ripples are not; bad maps have none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/random.h"
#include "detect/rectangle.h"
#include "unit/failing.h"

#include <burl/detect.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SIDE 128

static burl_proposals *propose(const float *heat, size_t height, size_t width) {
  burl_proposal_options options = burl_proposal_default_options();
  burl_proposals *p = NULL;
  assert_int_equal(burl_proposals_new(&p, heat, height, width, &options), BURL_OK);
  return p;
}

/* A blurred disc of radius r with a peak at (x,y). */
static void add_spot(float *heat, double x, double y, double r, double peak) {
  for (size_t i = 0; i < SIDE * SIDE; i++) {
    double dx = (double)(i % SIDE) - x, dy = (double)(i / SIDE) - y;
    heat[i] += (float)(peak * exp(-log(2.0) * (dx * dx + dy * dy) / (r * r)));
  }
}

/* Every promise that a proposal makes of itself. */
static void check_promises(const burl_proposal *p, const float *heat, size_t width) {
  size_t area = 0;
  uint32_t end = 0;
  float peak = 0, x0 = 1e9F, y0 = 1e9F, x1 = 0, y1 = 0;
  for (size_t i = 0; i < p->span_count; i++) {
    burl_span s = p->spans[i];
    assert_true(s.begin < s.end && s.begin / width == (s.end - 1) / width);
    assert_true(i == 0 || s.begin > end || s.begin % width == 0);
    end = s.end;
    area += s.end - s.begin;
    for (uint32_t k = s.begin; k < s.end; k++) {
      assert_true((double)heat[k] >= p->level);
      peak = heat[k] > peak ? heat[k] : peak;
    }
    x0 = fminf(x0, (float)(s.begin % width)), x1 = fmaxf(x1, (float)((s.end - 1) % width + 1));
    y0 = fminf(y0, (float)(s.begin / width)), y1 = fmaxf(y1, (float)(s.begin / width + 1));
  }
  assert_int_equal(area, p->area);
  assert_true((double)peak == p->score);
  assert_true(p->box.x0 == x0 && p->box.y0 == y0 && p->box.x1 == x1 && p->box.y1 == y1);
  assert_true(p->stability > 0 && p->stability <= 1 && p->quality > 0 && p->quality <= 1);
  assert_true(p->mean <= p->score && p->mean >= p->level);
  assert_true(p->oriented.length >= p->oriented.width && p->oriented.width > 0);
  assert_true((double)p->oriented.length * (double)p->oriented.width >= 0.999 * (double)area);
}

static void check_all(const burl_proposals *p, const float *heat, size_t width) {
  const burl_proposal *items = burl_proposals_get(p);
  for (size_t i = 0; i < burl_proposals_get_count(p); i++) {
    check_promises(&items[i], heat, width);
    if (i == 0) continue;
    double before = items[i - 1].score * items[i - 1].quality;
    assert_true(items[i].score * items[i].quality <= before * (1 + 1e-12));
  }
}

static const burl_proposal *best_near(const burl_proposals *p, float x, float y) {
  const burl_proposal *items = burl_proposals_get(p);
  for (size_t i = 0; i < burl_proposals_get_count(p); i++)
    if (items[i].box.x0 <= x && items[i].box.x1 > x && items[i].box.y0 <= y && items[i].box.y1 > y)
      return &items[i];
  return NULL;
}

static void test_spots(void **state) {
  (void)state;
  static float heat[SIDE * SIDE];
  memset(heat, 0, sizeof heat);
  add_spot(heat, 30, 40, 10, 4);
  add_spot(heat, 90, 100, 1.5, 2);
  burl_proposals *p = propose(heat, SIDE, SIDE);
  check_all(p, heat, SIDE);
  const burl_proposal *large = best_near(p, 30, 40), *small = best_near(p, 90, 100);
  assert_non_null(large);
  assert_non_null(small);
  burl_box around_large = {20, 30, 41, 51}, around_small = {89, 99, 92, 102};
  assert_true(burl_box_iou(&large->box, &around_large) > 0.6F);
  assert_true(burl_box_iou(&small->box, &around_small) >= 0.36F);
  assert_true(large->score > 3.99 && small->score > 1.99);
  burl_proposals_free(p);
}

/* A streak of one pixel in height from side to side, and a speck of one pixel. */
static void test_extremes(void **state) {
  (void)state;
  static float heat[SIDE * SIDE];
  memset(heat, 0, sizeof heat);
  for (size_t x = 0; x < SIDE; x++)
    heat[20 * SIDE + x] = 1.5F;
  heat[60 * SIDE + 60] = 1.2F;
  burl_proposals *p = propose(heat, SIDE, SIDE);
  check_all(p, heat, SIDE);
  assert_int_equal(burl_proposals_get_count(p), 2);
  const burl_proposal *streak = burl_proposals_get(p), *speck = streak + 1;
  assert_int_equal(streak->area, SIDE);
  assert_int_equal(speck->area, 1);
  assert_true(streak->oriented.length == SIDE && streak->oriented.width == 1);
  assert_true(streak->oriented.angle == 0 && speck->oriented.angle == 0);
  assert_true(speck->oriented.x == 60.5F && speck->oriented.y == 60.5F);
  burl_proposals_free(p);
}

static void test_ripples(void **state) {
  (void)state;
  static float heat[SIDE * SIDE];
  for (size_t i = 0; i < SIDE * SIDE; i++)
    heat[i] = 1.0F + 0.02F * (float)(i % 5) + 0.01F * (float)(i / SIDE % 3);
  burl_proposals *p = propose(heat, SIDE, SIDE);
  check_all(p, heat, SIDE);
  assert_true(burl_proposals_get_count(p) < 40); /* one branch: the whole map and its inner parts */
  burl_proposals_free(p);
}

static void test_noise_is_bounded(void **state) {
  (void)state;
  size_t side = 512, n = side * side;
  float *heat = burl_alloc(n, sizeof *heat);
  burl_random random = burl_random_start(3, 1);
  for (size_t i = 0; i < n; i++)
    heat[i] = (float)burl_random_below(&random, 1 << 20) / (1 << 18);
  burl_proposal_options options = burl_proposal_default_options();
  burl_proposals *few = NULL, *many = NULL;
  assert_int_equal(burl_proposals_new(&few, heat, side, side, &options), BURL_OK);
  assert_int_equal(burl_proposals_get_count(few), 1000);
  options.most = 5000;
  assert_int_equal(burl_proposals_new(&many, heat, side, side, &options), BURL_OK);
  assert_int_equal(burl_proposals_get_count(many), 5000);
  check_all(many, heat, side);
  for (size_t i = 0; i < 1000; i++)
    assert_int_equal(burl_proposals_get(few)[i].area, burl_proposals_get(many)[i].area);
  burl_proposals_free(few);
  burl_proposals_free(many);
  free(heat);
}

static void test_no_proposal(void **state) {
  (void)state;
  float maps[][4] = {
      {0, 0, 0, 0}, {-1, -2, -3, -1}, {NAN, NAN, NAN, NAN}, {0.4F, 0.49F, -INFINITY, NAN}};
  for (size_t i = 0; i < 4; i++) {
    burl_proposals *p = propose(maps[i], 2, 2);
    assert_int_equal(burl_proposals_get_count(p), 0);
    burl_proposals_free(p);
  }
  burl_proposals *p = propose(NULL, 0, 0);
  assert_int_equal(burl_proposals_get_count(p), 0);
  burl_proposals_free(p);
  burl_proposals_free(NULL);
}

static void test_constant(void **state) {
  (void)state;
  float heat[12];
  for (size_t i = 0; i < 12; i++)
    heat[i] = 1.25F;
  burl_proposals *p = propose(heat, 3, 4);
  assert_int_equal(burl_proposals_get_count(p), 1);
  assert_int_equal(burl_proposals_get(p)->area, 12);
  assert_true(burl_proposals_get(p)->score == 1.25);
  burl_proposals_free(p);
  for (size_t i = 0; i < 12; i++)
    heat[i] = INFINITY;
  p = propose(heat, 3, 4);
  assert_int_equal(burl_proposals_get_count(p), 1);
  assert_true(isfinite(burl_proposals_get(p)->score) && isfinite(burl_proposals_get(p)->mean));
  burl_proposals_free(p);
}

static void test_options(void **state) {
  (void)state;
  float heat[1] = {1};
  burl_proposals *p = NULL;
  burl_proposal_options good = burl_proposal_default_options(), bad[8];
  for (size_t i = 0; i < 8; i++)
    bad[i] = good;
  bad[0].floor = 0, bad[1].floor = (double)NAN, bad[2].contrast = 0.5;
  bad[3].contrast = (double)INFINITY, bad[4].spacing = 0.9, bad[5].spacing = (double)NAN;
  bad[6].most = 0, bad[7].most = BURL_PROPOSALS_MOST + 1;
  for (size_t i = 0; i < 8; i++)
    assert_int_equal(burl_proposals_new(&p, heat, 1, 1, &bad[i]), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_proposals_new(&p, heat, (size_t)1 << 16, (size_t)1 << 15, &good),
                   BURL_ERR_SIZE);
  assert_int_equal(burl_proposals_new(&p, heat, SIZE_MAX, 2, &good), BURL_ERR_SIZE);
  assert_null(p);
}

/* A band at an angle, from its own formula. */
static void test_oriented(void **state) {
  (void)state;
  for (int angle = -75; angle <= 90; angle += 15) {
    static float heat[SIDE * SIDE];
    double c = cos(angle * 3.14159265358979 / 180), s = sin(angle * 3.14159265358979 / 180);
    for (size_t i = 0; i < SIDE * SIDE; i++) {
      double x = (double)(i % SIDE) + 0.5 - 64, y = (double)(i / SIDE) + 0.5 - 60;
      heat[i] = fabs(x * c + y * s) <= 45 && fabs(y * c - x * s) <= 6 ? 2.0F : 0.0F;
    }
    burl_proposals *p = propose(heat, SIDE, SIDE);
    assert_int_equal(burl_proposals_get_count(p), 1);
    const burl_oriented_box *o = &burl_proposals_get(p)->oriented;
    assert_true(fabsf(o->length - 90) < 2 && fabsf(o->width - 12) < 2);
    assert_true(fabsf(o->angle - (float)angle) < 1.5F);
    assert_true(fabsf(o->x - 64) < 1 && fabsf(o->y - 60) < 1);
    burl_proposals_free(p);
  }
}

/* Against trying every angle of a tenth of a degree. */
static void test_least_area(void **state) {
  (void)state;
  burl_random random = burl_random_start(11, 1);
  static burl_corner scratch[4 * 32 + 8];
  for (int round = 0; round < 100; round++) {
    burl_span spans[16];
    size_t rows = 1 + burl_random_below(&random, 16);
    for (size_t y = 0; y < rows; y++) {
      uint32_t x = (uint32_t)burl_random_below(&random, 20);
      uint32_t n = 1 + (uint32_t)burl_random_below(&random, 12);
      spans[y] = (burl_span){(uint32_t)(40 * y) + x, (uint32_t)(40 * y) + x + n};
    }
    burl_oriented_box box;
    burl_rectangle(&box, spans, rows, 40, scratch);
    double least = 1e9;
    for (int step = 0; step < 1800; step++) {
      double c = cos(step * 3.14159265358979 / 1800), s = sin(step * 3.14159265358979 / 1800);
      double u0 = 1e9, u1 = -1e9, v0 = 1e9, v1 = -1e9;
      for (size_t k = 0; k < 4 * rows; k++) {
        double x = (k & 1 ? spans[k / 4].end : spans[k / 4].begin) - 40.0 * (double)(k / 4);
        double y = (double)(k / 4) + (k & 2 ? 1 : 0);
        u0 = fmin(u0, x * c + y * s), u1 = fmax(u1, x * c + y * s);
        v0 = fmin(v0, y * c - x * s), v1 = fmax(v1, y * c - x * s);
      }
      least = fmin(least, (u1 - u0) * (v1 - v0));
    }
    double area = (double)box.length * (double)box.width;
    assert_true(area <= least * (1 + 1e-5) && area >= least * 0.98);
  }
}

static void test_feature(void **state) {
  (void)state;
  float values[3 * 4 * 2];
  for (size_t i = 0; i < 12; i++)
    values[2 * i] = (float)i, values[2 * i + 1] = 1;
  burl_embedding e = {.values = values,
                      .rows = 3,
                      .cols = 4,
                      .dimension = 2,
                      .stride = 4,
                      .offset = 0,
                      .width = 16};
  /* row 0: pixels 0,1 are nearest to cell 0, pixels 2..5 to cell 1; row 15: to cell row 2, the last
   */
  burl_span spans[] = {{0, 4}, {15 * 16 + 15, 15 * 16 + 16}};
  burl_proposal p = {.area = 5, .spans = spans, .span_count = 2};
  float feature[2];
  burl_proposal_get_feature(feature, &p, &e);
  assert_true(fabsf(feature[0] - (2 * 0 + 2 * 1 + 11) / 5.0F) < 1e-6F);
  assert_true(fabsf(feature[1] - 1) < 1e-6F);
}

static void test_failing_memory(void **state) {
  (void)state;
  static float heat[SIDE * SIDE];
  memset(heat, 0, sizeof heat);
  add_spot(heat, 30, 40, 10, 4);
  burl_proposal_options options = burl_proposal_default_options();
  for (long i = 0;; i++) {
    burl_proposals *p = NULL;
    fail_allocation_after(i);
    burl_status status = burl_proposals_new(&p, heat, SIDE, SIDE, &options);
    stop_failing();
    if (status == BURL_OK) {
      burl_proposals_free(p);
      break;
    }
    assert_int_equal(status, BURL_ERR_MEMORY);
    assert_null(p);
  }
}

static void test_kinds_are_those_of_most_pixels(void **state) {
  (void)state;
  const unsigned char kinds[12] = {0, 1, 1, 3, 3, 3, 2, 2, 2, 2, 250, 250};
  const burl_span spans[] = {{0, 5}, {10, 12}};
  burl_proposal proposal = {.spans = spans, .span_count = 2};
  assert_int_equal(burl_proposal_get_kind(&proposal, kinds), BURL_KIND_SPECK); /* 2 and 2: first */
  const burl_span more[] = {{3, 9}};
  proposal.spans = more, proposal.span_count = 1;
  assert_int_equal(burl_proposal_get_kind(&proposal, kinds), BURL_KIND_STREAK);
  proposal.span_count = 0;
  assert_int_equal(burl_proposal_get_kind(&proposal, kinds), BURL_KIND_NONE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_kinds_are_those_of_most_pixels),
      cmocka_unit_test(test_spots),
      cmocka_unit_test(test_extremes),
      cmocka_unit_test(test_ripples),
      cmocka_unit_test(test_noise_is_bounded),
      cmocka_unit_test(test_no_proposal),
      cmocka_unit_test(test_constant),
      cmocka_unit_test(test_options),
      cmocka_unit_test(test_oriented),
      cmocka_unit_test(test_least_area),
      cmocka_unit_test(test_feature),
      cmocka_unit_test(test_failing_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
