/* Pixel metrics: naive twin, exact golden values, invariances, awkward masks, and failing memory.
 * The golden test reads tests/golden/metrics.txt: run from the top of the tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "reference/ref_metrics.h"
#include "shape/components.h"
#include "unit/failing.h"

#include <burl/evaluate.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLOSE 1e-12
#define POINTS 31
#define MOST_IMAGES 8
#define MOST_PIXELS 400

typedef struct picture {
  float heat[MOST_PIXELS];
  uint8_t mask[MOST_PIXELS];
  size_t height, width;
} picture;

typedef struct pictures {
  picture at[MOST_IMAGES];
  size_t count;
} pictures;

typedef struct outcome {
  burl_pixel_metrics metrics;
  burl_curve_point curve[POINTS];
} outcome;

static int near(double found, double expected, double tolerance) {
  if (isnan(expected)) return isnan(found);
  if (isinf(expected)) return found == expected;
  return fabs(found - expected) <= tolerance;
}

static void assert_metrics(const burl_pixel_metrics *found, const burl_pixel_metrics *expected,
                           double tolerance) {
  assert_int_equal(found->pixels, expected->pixels);
  assert_int_equal(found->defect_pixels, expected->defect_pixels);
  assert_int_equal(found->regions, expected->regions);
  assert_true(near(found->ranking.auroc, expected->ranking.auroc, tolerance));
  assert_true(near(found->ranking.ap, expected->ranking.ap, tolerance));
  assert_true(near(found->ranking.f1_max, expected->ranking.f1_max, tolerance));
  assert_true(near(found->ranking.f1_threshold, expected->ranking.f1_threshold, 0));
  assert_true(near(found->aupro_030, expected->aupro_030, tolerance));
  assert_true(near(found->aupro_005, expected->aupro_005, tolerance));
}

static void assert_curves(const burl_curve_point *found, const burl_curve_point *expected,
                          size_t points) {
  for (size_t i = 0; i < points; i++) {
    assert_true(near(found[i].threshold, expected[i].threshold, 0));
    assert_true(near(found[i].fpr, expected[i].fpr, 0));
    assert_true(near(found[i].tpr, expected[i].tpr, 0));
    assert_true(near(found[i].precision, expected[i].precision, 0));
    assert_true(near(found[i].pro, expected[i].pro, CLOSE));
  }
}

static burl_pixel_evaluator *evaluator(void) {
  burl_pixel_evaluator *self = NULL;
  assert_int_equal(burl_pixel_evaluator_new(&self), BURL_OK);
  return self;
}

static void add(burl_pixel_evaluator *self, const picture *p) {
  assert_int_equal(burl_pixel_evaluator_add(self, p->heat, p->mask, p->height, p->width), BURL_OK);
}

static outcome compute(burl_pixel_evaluator *self) {
  outcome o;
  memset(&o, 0, sizeof o);
  assert_int_equal(burl_pixel_evaluator_compute(self, &o.metrics, o.curve, POINTS), BURL_OK);
  return o;
}

static outcome evaluate(const pictures *set) {
  burl_pixel_evaluator *self = evaluator();
  for (size_t i = 0; i < set->count; i++)
    add(self, &set->at[i]);
  outcome o = compute(self);
  burl_pixel_evaluator_free(self);
  return o;
}

/* Evaluates and holds the outcome against the twin. */
static outcome evaluate_checked(const pictures *set) {
  outcome found = evaluate(set), expected;
  memset(&expected, 0, sizeof expected);
  ref_image images[MOST_IMAGES];
  for (size_t i = 0; i < set->count; i++)
    images[i] = (ref_image){set->at[i].heat, set->at[i].mask, set->at[i].height, set->at[i].width};
  assert_true(ref_pixel_metrics(&expected.metrics, expected.curve, POINTS, images, set->count));
  assert_metrics(&found.metrics, &expected.metrics, CLOSE);
  assert_curves(found.curve, expected.curve, POINTS);
  return found;
}

/* Random pictures of different sizes; specks in a thousand pixels are set, besides some boxes. */
static void draw(pictures *set, burl_random *random, size_t count, uint64_t levels, uint64_t specks,
                 int boxes) {
  set->count = count;
  for (size_t i = 0; i < count; i++) {
    picture *p = &set->at[i];
    p->height = 1 + burl_random_below(random, 20);
    p->width = 1 + burl_random_below(random, 20);
    size_t n = p->height * p->width;
    for (size_t k = 0; k < n; k++)
      p->mask[k] = burl_random_below(random, 1000) < specks ? 128 : 0;
    for (int b = 0; b < boxes; b++) {
      size_t y0 = burl_random_below(random, p->height), x0 = burl_random_below(random, p->width);
      for (size_t y = y0; y < p->height && y < y0 + 3; y++)
        for (size_t x = x0; x < p->width && x < x0 + 4; x++)
          p->mask[y * p->width + x] = 2;
    }
    for (size_t k = 0; k < n; k++)
      p->heat[k] =
          (float)burl_random_below(random, levels) / (float)levels + (p->mask[k] ? 0.25f : 0.0f);
  }
}

static void test_random(void **state) {
  (void)state;
  static pictures set;
  static const uint64_t levels[] = {1u << 22, 64, 8, 2, 1}, specks[] = {0, 10, 200, 900, 1000};
  burl_random random = burl_random_start(21, 0);
  for (size_t l = 0; l < 5; l++)
    for (size_t s = 0; s < 5; s++) {
      draw(&set, &random, 1 + burl_random_below(&random, 4), levels[l], specks[s],
           (int)(l + s) % 3);
      evaluate_checked(&set);
    }
}

static void test_single_pixels(void **state) {
  (void)state;
  static pictures set;
  set.count = 1;
  set.at[0] = (picture){.heat = {3}, .mask = {0}, .height = 1, .width = 1};
  outcome o = evaluate_checked(&set);
  assert_true(isnan(o.metrics.ranking.auroc) && isnan(o.metrics.aupro_030));
  assert_true(o.curve[0].fpr == 0 && o.curve[POINTS - 1].fpr == 1 && isnan(o.curve[0].tpr));
  set.at[0].mask[0] = 1;
  o = evaluate_checked(&set);
  assert_true(isnan(o.metrics.ranking.auroc) && o.metrics.ranking.ap == 1);
  assert_true(isnan(o.curve[0].fpr) && o.curve[0].threshold == 3);
  set.count = 2;
  set.at[1] = (picture){.heat = {2}, .mask = {0}, .height = 1, .width = 1};
  o = evaluate_checked(&set);
  assert_true(o.metrics.ranking.auroc == 1 && o.metrics.aupro_030 == 1 && o.metrics.aupro_005 == 1);
}

static void test_diagonal_region(void **state) {
  (void)state;
  static pictures set;
  set.count = 1;
  set.at[0] = (picture){.heat = {5, 0, 1, 4}, .mask = {1, 0, 0, 1}, .height = 2, .width = 2};
  assert_int_equal(evaluate_checked(&set).metrics.regions, 1);
  set.at[0].mask[1] = set.at[0].mask[3] = 0;
  set.at[0].mask[0] = set.at[0].mask[2] = 1;
  assert_int_equal(evaluate_checked(&set).metrics.regions, 1);
}

/* One large region found, one small region missed: the mean counts regions, not pixels. */
static void test_regions_weigh_the_same(void **state) {
  (void)state;
  static pictures set;
  set.count = 1;
  picture *p = &set.at[0];
  *p = (picture){.height = 20, .width = 20};
  for (size_t k = 0; k < 400; k++) {
    p->mask[k] = k < 200 || k == 399;
    p->heat[k] = k < 200 ? 1.0f : k == 399 ? -1.0f : 0.0f;
  }
  outcome o = evaluate_checked(&set);
  assert_int_equal(o.metrics.regions, 2);
  assert_true(near(o.metrics.aupro_030, 0.5, CLOSE));
  assert_true(near(o.metrics.ranking.auroc, 200.0 / 201, CLOSE));
}

static void test_perfect_is_one(void **state) {
  (void)state;
  static pictures set;
  burl_random random = burl_random_start(8, 8);
  for (int round = 0; round < 20; round++) {
    draw(&set, &random, 4, 1u << 20, 150, 1);
    set.at[0].mask[0] = 0;
    for (size_t i = 0; i < set.count; i++)
      for (size_t k = 0; k < set.at[i].height * set.at[i].width; k++)
        set.at[i].heat[k] += set.at[i].mask[k] ? 10.0f : 0.0f;
    outcome o = evaluate_checked(&set);
    assert_true(o.metrics.ranking.auroc == 1 && o.metrics.ranking.ap == 1);
    assert_true(o.metrics.aupro_030 <= 1 && near(o.metrics.aupro_030, 1, CLOSE));
    assert_true(o.metrics.aupro_005 <= 1 && near(o.metrics.aupro_005, 1, CLOSE));
  }
}

static void test_infinite_scores(void **state) {
  (void)state;
  static pictures set;
  set.count = 1;
  set.at[0] = (picture){.heat = {INFINITY, -INFINITY, INFINITY, 0, -0.0f, 7, -INFINITY, -7},
                        .mask = {1, 1, 0, 1, 0, 0, 0, 0},
                        .height = 2,
                        .width = 4};
  evaluate_checked(&set);
}

static void test_order_of_images(void **state) {
  (void)state;
  static pictures set, reversed;
  burl_random random = burl_random_start(4, 4);
  for (int round = 0; round < 30; round++) {
    draw(&set, &random, 7, round % 2 ? 16 : 1u << 20, 100, 2);
    reversed.count = set.count;
    for (size_t i = 0; i < set.count; i++)
      reversed.at[i] = set.at[set.count - 1 - i];
    outcome a = evaluate(&set), b = evaluate(&reversed);
    assert_memory_equal(&a.metrics.ranking, &b.metrics.ranking, sizeof a.metrics.ranking);
    assert_metrics(&a.metrics, &b.metrics, 1e-15);
    outcome again = evaluate(&set);
    assert_memory_equal(&a, &again, sizeof a);
  }
}

static void test_monotone_maps(void **state) {
  (void)state;
  static pictures set, mapped;
  burl_random random = burl_random_start(4, 5);
  for (int round = 0; round < 10; round++) {
    draw(&set, &random, 3, round % 2 ? 16 : 1u << 16, 50, 2);
    mapped = set;
    for (size_t i = 0; i < set.count; i++)
      for (size_t k = 0; k < set.at[i].height * set.at[i].width; k++)
        mapped.at[i].heat[k] = 4.0f * set.at[i].heat[k] - 100.0f; /* exact: few bits are used */
    outcome a = evaluate(&set), b = evaluate(&mapped);
    assert_true(b.metrics.ranking.f1_threshold == 4 * a.metrics.ranking.f1_threshold - 100);
    b.metrics.ranking.f1_threshold = a.metrics.ranking.f1_threshold;
    assert_memory_equal(&a.metrics, &b.metrics, sizeof a.metrics);
  }
}

static void test_adding_after_computing(void **state) {
  (void)state;
  static pictures set;
  burl_random random = burl_random_start(4, 6);
  draw(&set, &random, 5, 1000, 50, 1);
  burl_pixel_evaluator *self = evaluator();
  for (size_t i = 0; i < set.count; i++) {
    add(self, &set.at[i]);
    outcome o = compute(self), again = compute(self);
    assert_memory_equal(&o, &again, sizeof o);
  }
  outcome o = compute(self), whole = evaluate(&set);
  assert_memory_equal(&o, &whole, sizeof o);
  burl_pixel_metrics alone;
  assert_int_equal(burl_pixel_evaluator_compute(self, &alone, NULL, 0), BURL_OK);
  assert_metrics(&alone, &o.metrics, 0);
  burl_pixel_evaluator_free(self);
}

/* More pixels than a block of memory holds, in one image and over images: the metrics of a picture
 * repeated in a larger one are those of the picture. */
static void test_many_pixels(void **state) {
  (void)state;
  enum { side = 20, copies = 30 };
  static pictures set;
  burl_random random = burl_random_start(9, 9);
  set.count = 1;
  picture *p = &set.at[0];
  *p = (picture){.height = side, .width = side};
  for (size_t k = 0; k < side * side; k++) {
    int inside = k % side > 3 && k % side < 12 && k / side > 4 && k / side < 15;
    p->mask[k] = inside != 0;
    p->heat[k] = (float)burl_random_uniform(&random) + (inside ? 0.3f : 0.0f);
  }
  outcome one = evaluate_checked(&set);

  size_t wide = side * copies;
  float *heat = malloc(wide * wide * sizeof *heat);
  uint8_t *mask = malloc(wide * wide);
  assert_non_null(heat);
  assert_non_null(mask);
  for (size_t y = 0; y < wide; y++)
    for (size_t x = 0; x < wide; x++) {
      heat[y * wide + x] = p->heat[y % side * side + x % side];
      mask[y * wide + x] = p->mask[y % side * side + x % side];
    }
  burl_pixel_evaluator *self = evaluator();
  for (int i = 0; i < 3; i++)
    assert_int_equal(burl_pixel_evaluator_add(self, heat, mask, wide, wide), BURL_OK);
  outcome many = compute(self);
  assert_int_equal(many.metrics.pixels, 3 * wide * wide);
  assert_int_equal(many.metrics.regions, 3 * copies * copies);
  many.metrics.pixels = one.metrics.pixels;
  many.metrics.defect_pixels = one.metrics.defect_pixels;
  many.metrics.regions = one.metrics.regions;
  assert_metrics(&many.metrics, &one.metrics, CLOSE);
  assert_curves(many.curve, one.curve, POINTS);
  burl_pixel_evaluator_free(self);
  free(mask);
  free(heat);
}

static void test_bad_input(void **state) {
  (void)state;
  burl_pixel_evaluator *self = evaluator();
  burl_pixel_metrics metrics, before;
  memset(&before, 0x5A, sizeof before);
  metrics = before;
  burl_curve_point curve[2];
  assert_int_equal(burl_pixel_evaluator_compute(self, &metrics, NULL, 0), BURL_ERR_DATA);
  float heat[6] = {1, 2, NAN, 4, 5, 6};
  uint8_t mask[6] = {0, 0, 1, 0, 0, 0};
  assert_int_equal(burl_pixel_evaluator_add(self, heat, mask, 2, 3), BURL_ERR_NUMERIC);
  assert_int_equal(burl_pixel_evaluator_add(self, heat, mask, 0, 3), BURL_ERR_SIZE);
  assert_int_equal(burl_pixel_evaluator_add(self, heat, mask, 3, 0), BURL_ERR_SIZE);
  assert_int_equal(burl_pixel_evaluator_add(self, heat, mask, SIZE_MAX, 2), BURL_ERR_SIZE);
  assert_int_equal(burl_pixel_evaluator_add(self, heat, mask, 1 << 16, 1 << 16), BURL_ERR_SIZE);
  assert_int_equal(burl_pixel_evaluator_compute(self, &metrics, NULL, 0), BURL_ERR_DATA);
  heat[2] = 3;
  assert_int_equal(burl_pixel_evaluator_add(self, heat, mask, 2, 3), BURL_OK);
  assert_int_equal(burl_pixel_evaluator_add(self, heat, mask, UINT32_MAX - 5, 1), BURL_ERR_SIZE);
  assert_int_equal(burl_pixel_evaluator_compute(self, &metrics, curve, 1), BURL_ERR_ARGUMENT);
  assert_memory_equal(&metrics, &before, sizeof metrics);
  assert_int_equal(burl_pixel_evaluator_compute(self, &metrics, curve, 2), BURL_OK);
  assert_int_equal(metrics.pixels, 6);
  assert_true(curve[0].fpr == 0 && curve[1].fpr == 1);
  burl_pixel_evaluator_free(self);
  burl_pixel_evaluator_free(NULL);
}

/* Every allocation of new, add and compute fails once; what is there meanwhile stays as it is. */
static void test_failing_memory(void **state) {
  (void)state;
  static pictures set;
  burl_random random = burl_random_start(4, 7);
  draw(&set, &random, 2, 1000, 50, 1);
  burl_pixel_evaluator *self = NULL;
  fail_allocation_after(0);
  burl_status status = burl_pixel_evaluator_new(&self);
  stop_failing();
  assert_int_equal(status, BURL_ERR_MEMORY);
  assert_null(self);
  self = evaluator();
  add(self, &set.at[0]);
  outcome before = compute(self);
  /* an image that needs new blocks for both kinds of pixel, besides the tables of its regions */
  enum { side = 1024 };
  float *heat = calloc(side * side, sizeof *heat);
  uint8_t *mask = calloc(side * side, 1);
  assert_non_null(heat);
  assert_non_null(mask);
  memset(mask, 1, side * side / 2);
  long failures = 0;
  for (status = BURL_ERR_MEMORY; status != BURL_OK; failures++) {
    fail_allocation_after(failures);
    status = burl_pixel_evaluator_add(self, heat, mask, side, side);
    stop_failing();
    if (status == BURL_OK) break;
    assert_int_equal(status, BURL_ERR_MEMORY);
    outcome after = compute(self);
    assert_memory_equal(&before, &after, sizeof before);
  }
  assert_true(failures >= 5);
  fail_allocation_after(0);
  burl_pixel_metrics metrics = before.metrics;
  status = burl_pixel_evaluator_compute(self, &metrics, NULL, 0);
  stop_failing();
  assert_int_equal(status, BURL_ERR_MEMORY);
  assert_memory_equal(&metrics, &before.metrics, sizeof metrics);
  assert_int_equal(compute(self).metrics.pixels, before.metrics.pixels + side * side);
  burl_pixel_evaluator_free(self);
  free(mask);
  free(heat);
}

/* tests/golden/make_metrics.py says how a case is made. */
typedef struct golden {
  uint32_t seed, images, levels, boxes, specks, boost;
  burl_pixel_metrics expected;
} golden;

static uint32_t below(uint32_t *state, uint32_t n) {
  *state = 1664525u * *state + 1013904223u;
  return (*state >> 8) % n;
}

static void make_golden(pictures *set, const golden *g) {
  uint32_t state = g->seed;
  set->count = g->images;
  for (size_t i = 0; i < g->images; i++) {
    picture *p = &set->at[i];
    uint32_t height = 6 + below(&state, 12), width = 6 + below(&state, 14);
    *p = (picture){.height = height, .width = width};
    for (uint32_t b = 0; b < g->boxes; b++) {
      uint32_t top = below(&state, height), left = below(&state, width);
      uint32_t tall = 1 + below(&state, 4), wide = 1 + below(&state, 5);
      for (uint32_t y = top; y < height && y < top + tall; y++)
        for (uint32_t x = left; x < width && x < left + wide; x++)
          p->mask[y * width + x] = 1;
    }
    for (uint32_t k = 0; k < height * width; k++) {
      if (below(&state, 1000) < g->specks) p->mask[k] = 1;
      p->heat[k] = (float)(below(&state, g->levels) + (p->mask[k] ? g->boost : 0)) / 64.0f;
    }
  }
}

static int read_golden(golden *g, const char *line) {
  unsigned long long pixels, defect_pixels;
  burl_pixel_metrics *m = &g->expected;
  burl_ranking *r = &m->ranking;
  int fields = sscanf(line, "%u %u %u %u %u %u | %llu %llu %zu %lf %lf %lf %lf %lf %lf %lf %lf %lf",
                      &g->seed, &g->images, &g->levels, &g->boxes, &g->specks, &g->boost, &pixels,
                      &defect_pixels, &m->regions, &r->auroc, &r->ap, &r->f1_max, &r->f1_threshold,
                      &m->aupro_030, &m->aupro_005, &m->aupro, &m->auspro_030, &m->aupimo);
  m->pixels = pixels;
  m->defect_pixels = defect_pixels;
  return fields == 18;
}

/* Regions are found with half of their pixels. */
static void add_by_halves(burl_pixel_evaluator *self, const picture *p) {
  uint32_t labels[MOST_PIXELS], count = 0;
  static uint8_t masks[MOST_PIXELS][MOST_PIXELS];
  burl_saturated_region regions[MOST_PIXELS];
  size_t n = p->height * p->width;
  assert_int_equal(burl_components(labels, &count, p->mask, p->height, p->width), BURL_OK);
  for (uint32_t r = 0; r < count; r++) {
    uint64_t pixels = 0;
    for (size_t i = 0; i < n; i++) {
      masks[r][i] = labels[i] == r + 1;
      pixels += masks[r][i];
    }
    regions[r] = (burl_saturated_region){masks[r], pixels < 2 ? 1 : pixels / 2};
  }
  assert_int_equal(
      burl_pixel_evaluator_add_saturated(self, p->heat, p->height, p->width, regions, count),
      BURL_OK);
}

static burl_pixel_metrics evaluate_by_halves(const pictures *set) {
  burl_pixel_evaluator *self = evaluator();
  assert_int_equal(burl_pixel_evaluator_set_limit(self, 0.6), BURL_OK);
  for (size_t i = 0; i < set->count; i++)
    add_by_halves(self, &set->at[i]);
  outcome o = compute(self);
  burl_pixel_evaluator_free(self);
  return o.metrics;
}

static void test_golden(void **state) {
  (void)state;
  static pictures set;
  FILE *file = fopen("tests/golden/metrics.txt", "r");
  if (!file) fail_msg("tests/golden/metrics.txt is not there: run from the top of the tree");
  char line[512];
  int cases = 0;
  while (fgets(line, sizeof line, file)) {
    golden g;
    if (line[0] == '#') continue;
    assert_true(read_golden(&g, line));
    assert_true(g.images <= MOST_IMAGES);
    make_golden(&set, &g);
    outcome o = evaluate(&set);
    assert_metrics(&o.metrics, &g.expected, 1e-14);
    burl_pixel_metrics m = evaluate_by_halves(&set);
    assert_metrics(&m, &g.expected, 1e-14);
    assert_true(near(m.aupro, g.expected.aupro, 1e-14));
    assert_true(near(m.auspro_030, g.expected.auspro_030, 1e-14));
    assert_true(near(m.aupimo, g.expected.aupimo, 1e-14));
    cases++;
  }
  fclose(file);
  assert_int_equal(cases, 12);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_random),
      cmocka_unit_test(test_single_pixels),
      cmocka_unit_test(test_diagonal_region),
      cmocka_unit_test(test_regions_weigh_the_same),
      cmocka_unit_test(test_perfect_is_one),
      cmocka_unit_test(test_infinite_scores),
      cmocka_unit_test(test_order_of_images),
      cmocka_unit_test(test_monotone_maps),
      cmocka_unit_test(test_adding_after_computing),
      cmocka_unit_test(test_many_pixels),
      cmocka_unit_test(test_bad_input),
      cmocka_unit_test(test_failing_memory),
      cmocka_unit_test(test_golden),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
