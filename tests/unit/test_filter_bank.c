/* Pooled filter energies against their definition: all samplings of the texture encoder and others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "encode/filter_bank.h"
#include "encode/texture_parts.h"
#include "reference/ref_texture.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SLACK = BURL_FILTER_SLACK };

static float *random_floats(size_t count, uint64_t seed, double scale) {
  float *values = malloc(count * sizeof *values);
  assert_non_null(values);
  burl_random random = burl_random_start(seed, 2);
  for (size_t i = 0; i < count; i++)
    values[i] = (float)(scale * burl_random_normal(&random));
  return values;
}

static void check_cell(const float *planes, size_t cols, const float *level, size_t h, size_t w,
                       const float *filters, const burl_pooling *p, size_t row) {
  for (size_t c = 0; c < cols; c++) {
    double expected[BURL_TEXTURE_DIM];
    ref_filter_cell(expected, level, h, w, filters, p->step, p->cell, p->box, row, c);
    for (size_t f = 0; f < BURL_TEXTURE_DIM; f++) {
      double got = (double)planes[f * cols + c];
      if (!(fabs(got - expected[f]) <= 1e-5 * (1.0 + fabs(expected[f]))))
        fail_msg("%zu x %zu, step %zu cell %zu box %zu: plane %zu at (%zu,%zu) is %.8g, not %.8g",
                 h, w, p->step, p->cell, p->box, f, row, c, got, expected[f]);
    }
  }
}

/* Every `stride`-th row from `first` on. */
static void check_level(size_t h, size_t w, const burl_pooling *p, size_t first, size_t stride) {
  size_t r0, r1, c0, c1;
  size_t rows = burl_pooling_cells(p, h, &r0, &r1), cols = burl_pooling_cells(p, w, &c0, &c1);
  if (rows == 0 || cols == 0) return;
  float *level = random_floats(h * w + SLACK, h * 100 + w, 0.1);
  float *filters = random_floats(BURL_FILTER_TAPS * BURL_FILTER_COUNT, 7, 1.0);
  float *planes = malloc(BURL_TEXTURE_DIM * cols * sizeof *planes);
  float *scratch = malloc(burl_filter_bank_scratch(w) * sizeof *scratch);
  assert_non_null(planes);
  assert_non_null(scratch);
  for (size_t i = 0; i < SLACK; i++)
    level[h * w + i] = NAN; /* may be read, must not be used */
  memset(scratch, 0xff, burl_filter_bank_scratch(w) * sizeof *scratch);
  burl_filter_bank bank;
  burl_filter_bank_begin(&bank, level, h, w, filters, p, scratch);
  for (size_t row = first; row < rows; row += stride) {
    burl_filter_bank_pool(&bank, planes, cols, row);
    check_cell(planes, cols, level, h, w, filters, p, row);
  }
  free(level);
  free(filters);
  free(planes);
  free(scratch);
}

static void test_cells_of_a_side(void **state) {
  (void)state;
  for (size_t l = 0; l < TEXTURE_LEVELS; l++)
    for (size_t n = 1; n < 200; n++) {
      const burl_pooling *p = &burl_texture_pooling[l];
      size_t first = 0, last = 0, r0 = 0, r1 = 0;
      size_t expected = ref_pooling_cells(n, p->step, p->cell, p->box, &r0, &r1);
      size_t got = burl_pooling_cells(p, n, &first, &last);
      assert_int_equal(got, expected);
      if (!got) continue;
      assert_int_equal(first, r0);
      assert_int_equal(last, r1);
    }
}

static void test_too_small_has_no_cells(void **state) {
  (void)state;
  size_t first, last;
  for (size_t l = 0; l < TEXTURE_LEVELS; l++)
    for (size_t n = 0; n < BURL_FILTER_SIDE; n++)
      assert_int_equal(burl_pooling_cells(&burl_texture_pooling[l], n, &first, &last), 0);
}

static void test_equals_definition(void **state) {
  (void)state;
  for (size_t l = 0; l < TEXTURE_LEVELS; l++) {
    const burl_pooling *p = &burl_texture_pooling[l];
    for (size_t n = 5; n <= 22; n++) {
      check_level(n, 27 - n, p, 0, 1);
      check_level(n, n, p, 0, 1);
    }
    check_level(9, 71, p, 0, 1);
    check_level(64, 11, p, 0, 1);
    check_level(33, 50, p, 0, 1);
  }
}

static void test_other_samplings(void **state) {
  (void)state;
  static const burl_pooling poolings[] = {{1, 1, 1}, {2, 1, 3}, {2, 1, 1}, {1, 3, 5}, {2, 3, 3}};
  for (size_t i = 0; i < sizeof poolings / sizeof *poolings; i++) {
    check_level(23, 30, &poolings[i], 0, 1);
    check_level(14, 9, &poolings[i], 0, 1);
  }
}

/* Rows may be left out: what a row holds does not depend on which were asked for before. */
static void test_rows_may_be_skipped(void **state) {
  (void)state;
  for (size_t l = 0; l < TEXTURE_LEVELS; l++) {
    check_level(60, 21, &burl_texture_pooling[l], 4, 1);
    check_level(60, 21, &burl_texture_pooling[l], 1, 5);
    check_level(60, 21, &burl_texture_pooling[l], 0, 2);
  }
}

/* A flat level has energies at the floor and four times its value as mean. */
static void test_flat_level(void **state) {
  (void)state;
  enum { H = 16, W = 19 };
  float level[H * W + SLACK], planes[BURL_TEXTURE_DIM * W];
  float filters[BURL_FILTER_TAPS * BURL_FILTER_COUNT];
  for (size_t i = 0; i < H * W + SLACK; i++)
    level[i] = 0.25f;
  for (size_t t = 0; t < BURL_FILTER_TAPS; t++) /* dyadic weights that add up to nothing */
    for (size_t f = 0; f < BURL_FILTER_COUNT; f++)
      filters[t * BURL_FILTER_COUNT + f] = t == f ? 1.0f : t == BURL_FILTER_TAPS - 1 ? -1.0f : 0.0f;
  for (size_t l = 0; l < TEXTURE_LEVELS; l++) {
    size_t first, last, cols = burl_pooling_cells(&burl_texture_pooling[l], W, &first, &last);
    float *scratch = malloc(burl_filter_bank_scratch(W) * sizeof *scratch);
    assert_non_null(scratch);
    burl_filter_bank bank;
    burl_filter_bank_begin(&bank, level, H, W, filters, &burl_texture_pooling[l], scratch);
    burl_filter_bank_pool(&bank, planes, cols, 0);
    for (size_t i = 0; i < BURL_FILTER_COUNT * cols; i++)
      assert_true(planes[i] == sqrtf(1e-4f));
    for (size_t c = 0; c < cols; c++)
      assert_true(fabsf(planes[BURL_FILTER_COUNT * cols + c] - 1.0f) < 1e-6f);
    free(scratch);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_cells_of_a_side),     cmocka_unit_test(test_too_small_has_no_cells),
      cmocka_unit_test(test_equals_definition),   cmocka_unit_test(test_other_samplings),
      cmocka_unit_test(test_rows_may_be_skipped), cmocka_unit_test(test_flat_level),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
