/* Heat maps step by step: rings, scales, the common grid, smoothing, pixels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "heat/heat_map.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static float *random_floats(size_t count, uint64_t seed) {
  float *values = malloc(count * sizeof *values);
  assert_non_null(values);
  burl_random random = burl_random_start(seed, 6);
  for (size_t i = 0; i < count; i++)
    values[i] = (float)burl_random_normal(&random);
  return values;
}

static size_t cells(size_t pixels, size_t stride) {
  return (pixels + stride - 1) / stride;
}

/* The map of a whole image of height x width. */
static burl_feature_map map_of(size_t height, size_t width, size_t stride) {
  return (burl_feature_map){.rows = cells(height, stride),
                            .cols = cells(width, stride),
                            .dim = 1,
                            .stride = stride,
                            .all_rows = cells(height, stride),
                            .all_cols = cells(width, stride)};
}

static void test_ring_is_the_distance_to_the_border(void **state) {
  (void)state;
  for (size_t rows = 1; rows < 14; rows++)
    for (size_t cols = 1; cols < 14; cols++)
      for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < cols; j++) {
          size_t expected = BURL_RINGS - 1;
          const size_t steps[] = {i, j, rows - 1 - i, cols - 1 - j};
          for (size_t k = 0; k < 4; k++)
            expected = steps[k] < expected ? steps[k] : expected;
          assert_int_equal(burl_ring_of(i, j, rows, cols), expected);
        }
}

/* Sums by ring of a tile's core, against a loop over the whole image's cells. */
static void test_ring_statistics_are_additive_over_tiles(void **state) {
  (void)state;
  enum { H = 150, W = 93 };
  burl_feature_map whole = map_of(H, W, 8);
  size_t cells_in_all = whole.rows * whole.cols;
  float *distance = random_floats(cells_in_all, 1);
  for (size_t i = 0; i < cells_in_all; i++)
    distance[i] = i % 7 == 3 ? -1.0f : fabsf(distance[i]); /* negative: does not count */
  double all[BURL_RING_STATISTICS] = {0.0}, sum[BURL_RING_STATISTICS] = {0.0};
  burl_ring_add(all, distance, &whole, (burl_rect){0, 0, H, W});
  for (size_t y = 0; y < H; y += 64)
    for (size_t x = 0; x < W; x += 32) {
      burl_rect core = {y, x, H - y < 64 ? H - y : 64, W - x < 32 ? W - x : 32};
      burl_feature_map part = whole; /* from one cell before the core on, to the image's end */
      part.row = y ? y / 8 - 1 : 0;
      part.col = x ? x / 8 - 1 : 0;
      part.rows = whole.rows - part.row;
      part.cols = whole.cols - part.col;
      float *values = malloc(part.rows * part.cols * sizeof *values);
      assert_non_null(values);
      for (size_t i = 0; i < part.rows * part.cols; i++)
        values[i] = distance[(part.row + i / part.cols) * whole.cols + part.col + i % part.cols];
      burl_ring_add(sum, values, &part, core);
      free(values);
    }
  double count = 0.0;
  for (size_t r = 0; r < BURL_RINGS; r++)
    count += all[3 * r];
  assert_true(count == (double)(cells_in_all - (cells_in_all + 3) / 7));
  for (size_t i = 0; i < BURL_RING_STATISTICS; i++)
    assert_true(fabs(sum[i] - all[i]) < 1e-9);
  free(distance);
}

/* What was standardised has mean 0 and deviation 1 in every ring. */
static void test_standardising(void **state) {
  (void)state;
  enum { H = 180, W = 160 };
  burl_feature_map map = map_of(H, W, 4);
  float *distance = random_floats(map.rows * map.cols, 2);
  for (size_t i = 0; i < map.rows * map.cols; i++) {
    size_t ring = burl_ring_of(i / map.cols, i % map.cols, map.rows, map.cols);
    distance[i] = 3.0f + (float)ring + 0.3f * (float)(ring + 1) * distance[i];
  }
  double sums[BURL_RING_STATISTICS] = {0.0}, after[BURL_RING_STATISTICS] = {0.0};
  burl_ring_scale scale;
  const burl_rect all = {0, 0, H, W};
  burl_ring_add(sums, distance, &map, all);
  burl_ring_finish(&scale, sums);
  burl_heat_standardise(distance, &map, &scale);
  for (size_t i = 0; i < map.rows * map.cols; i++)
    distance[i] += 10.0f; /* what is negative would not count */
  burl_ring_add(after, distance, &map, all);
  for (size_t r = 0; r < BURL_RINGS; r++) {
    const double *s = after + 3 * r;
    assert_true(s[0] > 0.0);
    double mean = s[1] / s[0];
    assert_true(fabs(mean - 10.0) < 1e-4);
    assert_true(fabs(s[2] / s[0] - mean * mean - 1.0) < 1e-4);
  }
  free(distance);
}

static void test_scales_of_few_and_of_equal_distances(void **state) {
  (void)state;
  burl_ring_scale scale;
  double sums[BURL_RING_STATISTICS] = {0.0};
  burl_ring_finish(&scale, sums); /* nothing was seen */
  for (size_t r = 0; r < BURL_RINGS; r++)
    assert_true(scale.mean[r] == 0.0f && scale.deviation[r] == 1.0f);
  sums[3] = 4.0, sums[4] = 8.0, sums[5] = 16.0; /* ring 1: four times the distance 2 */
  burl_ring_finish(&scale, sums);
  for (size_t r = 0; r < BURL_RINGS; r++)
    assert_true(scale.mean[r] == 2.0f && scale.deviation[r] > 0.0f && scale.deviation[r] < 1.0f);
  double zeros[BURL_RING_STATISTICS] = {0.0};
  zeros[0] = 9.0; /* nine times the distance 0 */
  burl_ring_finish(&scale, zeros);
  for (size_t r = 0; r < BURL_RINGS; r++)
    assert_true(scale.mean[r] == 0.0f && scale.deviation[r] > 0.0f);
}

/* Value of a map at pixel (y,x), bilinear between cell centres, constant past the last ones. */
static double look_up(const float *values, const burl_feature_map *map, size_t y, size_t x) {
  double sum = 0.0;
  for (size_t i = 0; i < 2; i++)
    for (size_t j = 0; j < 2; j++) {
      size_t row = y / map->stride + i, col = x / map->stride + j;
      double v = (double)(y % map->stride) / (double)map->stride;
      double u = (double)(x % map->stride) / (double)map->stride;
      if (row >= map->rows) row = map->rows - 1;
      if (col >= map->cols) col = map->cols - 1;
      sum += (i ? v : 1.0 - v) * (j ? u : 1.0 - u) * (double)values[row * map->cols + col];
    }
  return sum;
}

static void test_adding_is_bilinear(void **state) {
  (void)state;
  static const size_t sides[][2] = {{32, 32}, {33, 70}, {61, 47}, {100, 36}};
  for (size_t s = 0; s < 4; s++)
    for (size_t stride = 4; stride <= 16; stride *= 2) {
      burl_feature_map map = map_of(sides[s][0], sides[s][1], stride);
      burl_heat_grid grid = {.rows = cells(sides[s][0], 4), .cols = cells(sides[s][1], 4)};
      float *values = random_floats(map.rows * map.cols, 7);
      float *before = random_floats(grid.rows * grid.cols, 8);
      grid.data = random_floats(grid.rows * grid.cols, 8);
      burl_heat_add(&grid, values, &map);
      for (size_t i = 0; i < grid.rows * grid.cols; i++) {
        double expected =
            (double)before[i] + look_up(values, &map, i / grid.cols * 4, i % grid.cols * 4);
        assert_true(fabs((double)grid.data[i] - expected) < 1e-5);
      }
      free(values);
      free(before);
      free(grid.data);
    }
}

static void smooth(float *values, size_t rows, size_t cols_of_grid) {
  float *scratch = malloc(rows * cols_of_grid * sizeof *scratch);
  assert_non_null(scratch);
  burl_heat_grid grid = {.rows = rows, .cols = cols_of_grid, .data = values};
  burl_heat_smooth(&grid, scratch, BURL_HEAT_SIGMA);
  free(scratch);
}

static void test_smoothing_keeps_constants_and_small_grids(void **state) {
  (void)state;
  for (size_t rows = 1; rows < 9; rows++)
    for (size_t cols_of_grid = 1; cols_of_grid < 9; cols_of_grid++) {
      float values[64];
      for (size_t i = 0; i < rows * cols_of_grid; i++)
        values[i] = -2.5f;
      smooth(values, rows, cols_of_grid);
      for (size_t i = 0; i < rows * cols_of_grid; i++)
        assert_true(fabsf(values[i] + 2.5f) < 1e-5f);
    }
}

/* A single hot cell spreads the same way to all sides, loses nothing, stays the largest. */
static void test_smoothing_is_symmetric(void **state) {
  (void)state;
  enum { N = 17, C = N / 2 };
  float values[N * N] = {0.0f};
  values[C * N + C] = 1.0f;
  smooth(values, N, N);
  double sum = 0.0;
  for (size_t i = 0; i < N; i++)
    for (size_t j = 0; j < N; j++) {
      float v = values[i * N + j];
      sum += (double)v;
      assert_true(v >= 0.0f && v <= values[C * N + C]);
      assert_true(fabsf(v - values[j * N + i]) < 1e-7f);
      assert_true(fabsf(v - values[(N - 1 - i) * N + j]) < 1e-7f);
      assert_true(fabsf(v - values[i * N + N - 1 - j]) < 1e-7f);
      if (i + BURL_HEAT_REACH < C || i > C + BURL_HEAT_REACH) assert_true(v == 0.0f);
    }
  assert_true(fabs(sum - 1.0) < 1e-5);
  assert_true(values[C * N + C + 1] > values[C * N + C + 2]);
}

/* A ramp stays a ramp, away from the mirrored borders. */
static void test_smoothing_keeps_ramps(void **state) {
  (void)state;
  enum { R = 20, C = 24 };
  float values[R * C];
  for (size_t i = 0; i < R * C; i++)
    values[i] = 2.0f * (float)(i / C) - 3.0f * (float)(i % C);
  smooth(values, R, C);
  for (size_t i = BURL_HEAT_REACH; i + BURL_HEAT_REACH < R; i++)
    for (size_t j = BURL_HEAT_REACH; j + BURL_HEAT_REACH < C; j++)
      assert_true(fabsf(values[i * C + j] - 2.0f * (float)i + 3.0f * (float)j) < 1e-4f);
}

/* The grid (i,j) lies at pixel (4i,4j): a ramp on the grid is the same ramp in pixels. */
static void test_expansion_is_registered(void **state) {
  (void)state;
  enum { H = 63, W = 90, R = 16, C = 23, LD = W + 5 };
  float values[R * C], scratch[C], heat[H * LD];
  for (size_t i = 0; i < R * C; i++)
    values[i] = 4.0f * (float)(i / C) + 8.0f * (float)(i % C);
  burl_heat_grid grid = {.rows = R, .cols = C, .data = values};
  for (size_t i = 0; i < H * LD; i++)
    heat[i] = -7.0f;
  float largest = burl_heat_expand(heat, LD, scratch, &grid, (burl_rect){0, 0, H, W}, 10.0f, 0.5f);
  float expected_largest = -INFINITY;
  for (size_t y = 0; y < H; y++)
    for (size_t x = 0; x < W; x++) {
      size_t row = y < 4 * (R - 1) ? y : 4 * (R - 1), col = x < 4 * (C - 1) ? x : 4 * (C - 1);
      float expected = 0.5f * ((float)row + 2.0f * (float)col - 10.0f);
      assert_true(fabsf(heat[y * LD + x] - expected) < 1e-4f);
      if (heat[y * LD + x] > expected_largest) expected_largest = heat[y * LD + x];
    }
  assert_true(largest == expected_largest);
  for (size_t y = 0; y < H; y++)
    for (size_t x = W; x < LD; x++)
      assert_true(heat[y * LD + x] == -7.0f);
}

/* A core inside a region gets the pixels it would get of the whole. */
static void test_expanding_a_core(void **state) {
  (void)state;
  enum { R = 30, C = 26, H = 4 * R, W = 4 * C };
  float *values = random_floats(R * C, 12), *whole = malloc(H * W * sizeof *whole), scratch[C];
  assert_non_null(whole);
  burl_heat_grid grid = {.rows = R, .cols = C, .row = 7, .col = 3, .data = values};
  burl_heat_expand(whole, W, scratch, &grid, (burl_rect){28, 12, H, W}, 0.5f, 2.0f);
  const burl_rect core = {28 + 16, 12 + 32, 37, 41};
  float part[37 * 41], expected = -INFINITY;
  float largest = burl_heat_expand(part, 41, scratch, &grid, core, 0.5f, 2.0f);
  for (size_t y = 0; y < core.height; y++)
    for (size_t x = 0; x < core.width; x++) {
      float there = whole[(y + 16) * W + x + 32];
      assert_true(part[y * core.width + x] == there);
      expected = there > expected ? there : expected;
    }
  assert_true(largest == expected);
  free(values);
  free(whole);
}

/* Cells that lie half a stride further: a ramp over pixels comes out as that ramp. */
static void maps_may_lie_off_the_corner(void **state) {
  enum { ROWS = 5, STRIDE = 8, CELLS = 10 };
  float values[ROWS * ROWS], out[CELLS * CELLS] = {0};
  (void)state;
  burl_feature_map map = {.rows = ROWS, .cols = ROWS, .stride = STRIDE, .half_offset = STRIDE - 1};
  for (size_t i = 0; i < ROWS * ROWS; i++)
    values[i] = (float)(i / ROWS * STRIDE) + 3.5f + 100.0f * ((float)(i % ROWS * STRIDE) + 3.5f);
  burl_heat_grid grid = {.rows = CELLS, .cols = CELLS, .data = out};
  burl_heat_add(&grid, values, &map);
  for (size_t i = 0; i < CELLS; i++)
    for (size_t j = 0; j < CELLS; j++) {
      double y = fmin(fmax(4.0 * (double)i, 3.5), 35.5), x = fmin(fmax(4.0 * (double)j, 3.5), 35.5);
      assert_true(fabs((double)out[i * CELLS + j] - (y + 100.0 * x)) < 1e-2);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(maps_may_lie_off_the_corner),
      cmocka_unit_test(test_ring_is_the_distance_to_the_border),
      cmocka_unit_test(test_ring_statistics_are_additive_over_tiles),
      cmocka_unit_test(test_standardising),
      cmocka_unit_test(test_scales_of_few_and_of_equal_distances),
      cmocka_unit_test(test_adding_is_bilinear),
      cmocka_unit_test(test_smoothing_keeps_constants_and_small_grids),
      cmocka_unit_test(test_smoothing_is_symmetric),
      cmocka_unit_test(test_smoothing_keeps_ramps),
      cmocka_unit_test(test_expansion_is_registered),
      cmocka_unit_test(test_expanding_a_core),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
