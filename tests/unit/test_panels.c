/* Searches by products in many dimensions: what they find is what differences find, to the bit, for
 * every kernel's sizes, on data where products cancel, tie, overflow or vanish. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "num/nearest.h"
#include "num/panels.h"
#include "reference/ref_nearest.h"
#include "unit/failing.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct set {
  size_t n, k, d;
  float *x, *points, *packed;
} set;

static float *floats(size_t count) {
  float *values = malloc((count ? count : 1) * sizeof *values);
  assert_non_null(values);
  return values;
}

static float *random_floats(size_t count, uint64_t seed) {
  float *values = floats(count);
  burl_random random = burl_random_start(seed, 8);
  for (size_t i = 0; i < count; i++)
    values[i] = (float)burl_random_normal(&random);
  return values;
}

static set random_set(size_t n, size_t k, size_t d) {
  return (set){.n = n,
               .k = k,
               .d = d,
               .x = random_floats(n * d, 3 * n + k),
               .points = random_floats(k * d, 5 * k + d)};
}

static void pack(set *s) {
  size_t size = burl_points_packed_size(s->k, s->d);
  assert_true(size >= s->k * s->d && size % BURL_POINT_BLOCK == 0);
  s->packed = floats(size);
  burl_points_pack(s->packed, s->points, s->k, s->d);
}

static void drop(set *s) {
  free(s->x);
  free(s->points);
  free(s->packed);
}

static void assert_same(const float *got, const float *expected, const uint32_t *at,
                        const uint32_t *expected_at, const set *s) {
  for (size_t i = 0; i < s->n; i++)
    if (memcmp(got + i, expected + i, sizeof *got) != 0 || (at && at[i] != expected_at[i]))
      fail_msg("n %zu, k %zu, d %zu, row %zu: %.9g at %u, not %.9g at %u", s->n, s->k, s->d, i,
               (double)got[i], at ? at[i] : 0, (double)expected[i], expected_at[i]);
}

/* Packs the set, searches it and compares with the twin, in one call and in pieces. */
static void check(set *s) {
  size_t n = s->n, k = s->k, d = s->d;
  float *expected = floats(n), *got = floats(n);
  uint32_t *expected_at = calloc(n + 1, sizeof *expected_at), *at = calloc(n + 1, sizeof *at);
  assert_non_null(expected_at);
  assert_non_null(at);
  if (!s->packed) pack(s);
  ref_nearest(expected, expected_at, s->x, n, s->points, k, d);
  burl_points_nearest(got, NULL, s->x, n, s->packed, k, d);
  assert_same(got, expected, NULL, expected_at, s);
  fail_allocation_after(-1);
  burl_points_nearest(got, at, s->x, n, s->packed, k, d);
  assert_int_equal(stop_failing(), 0);
  assert_same(got, expected, at, expected_at, s);
  for (size_t i = 0, step = 1; i < n; i += step, step += 3) {
    size_t m = n - i < step ? n - i : step;
    burl_points_nearest(got + i, at + i, s->x + i * d, m, s->packed, k, d);
  }
  assert_same(got, expected, at, expected_at, s);
  assert_true(at[n] == 0);
  free(expected);
  free(got);
  free(expected_at);
  free(at);
}

static void check_random(size_t n, size_t k, size_t d) {
  set s = random_set(n, k, d);
  check(&s);
  drop(&s);
}

static void test_sizes(void **state) {
  (void)state;
  for (size_t d = 30; d <= 70; d++)
    check_random(5, 45, d);
  for (size_t k = 1; k <= 70; k += k < 35 ? 1 : 7)
    check_random(3, k, 33);
  for (size_t n = 0; n <= 30; n++)
    check_random(n, 40, 36);
  check_random(250, 333, 40); /* more rows than a block has */
  check_random(50, 100, 1536);
  check_random(3, 20, 4608);
  check_random(3, 20, 4609); /* beyond the scratch of the widest tile */
}

/* Small integers and every point several times: many distances tie, and the first one counts. */
static void test_ties_go_to_the_first(void **state) {
  (void)state;
  set s = random_set(60, 200, 34);
  for (size_t i = 0; i < s.n * s.d; i++)
    s.x[i] = roundf(s.x[i]);
  for (size_t i = 0; i < s.k * s.d; i++)
    s.points[i] = roundf(0.5f * s.points[i]);
  for (size_t j = 50; j < s.k; j++)
    memcpy(s.points + j * s.d, s.points + j % 50 * s.d, s.d * sizeof *s.points);
  check(&s);
  drop(&s);
}

static void test_all_points_equal(void **state) {
  (void)state;
  set s = random_set(20, 100, 40);
  for (size_t j = 1; j < s.k; j++)
    memcpy(s.points + j * s.d, s.points, s.d * sizeof *s.points);
  check(&s);
  drop(&s);
}

/* Patches on points or next to them, far from the origin: in the products nothing is left of the
 * distances, so that differences have to decide among many. */
static void test_patches_on_points(void **state) {
  (void)state;
  static const float away[] = {0.0f, 10.0f, 1e4f, 1e7f};
  for (size_t a = 0; a < sizeof away / sizeof *away; a++) {
    set s = random_set(90, 70, 48);
    for (size_t i = 0; i < s.k * s.d; i++)
      s.points[i] = away[a] + s.points[i] * (i / s.d % 3 ? 1.0f : 1e-3f);
    for (size_t i = 0; i < s.n; i++)
      for (size_t t = 0; t < s.d; t++)
        s.x[i * s.d + t] = s.points[i % s.k * s.d + t] + (i < s.k ? 0.0f : 1e-3f * s.x[i]);
    check(&s);
    float squared[90];
    uint32_t at[90];
    burl_points_nearest(squared, at, s.x, s.n, s.packed, s.k, s.d);
    for (size_t i = 0; i < s.k; i++)
      assert_true(squared[i] == 0.0f);
    drop(&s);
  }
}

/* Points on a sphere around the patches: their distances differ by less than their squares are
 * rounded to, so that what is nearest hangs on the last bits of the differences. */
static void test_near_ties(void **state) {
  (void)state;
  static const float scales[] = {0.0f, 1e-7f, 1e-6f, 1e-5f};
  for (size_t a = 0; a < sizeof scales / sizeof *scales; a++) {
    set s = random_set(40, 150, 77);
    for (size_t i = 0; i < s.n * s.d; i++)
      s.x[i] *= scales[a];
    for (size_t j = 1; j < s.k; j++)
      for (size_t t = 0; t < s.d; t++)
        s.points[j * s.d + t] =
            copysignf(s.points[(t * (1 + j % 70)) % s.d], s.points[j * s.d + t]);
    check(&s);
    drop(&s);
  }
}

/* A few far points make the bound on rounding wide for all the others. */
static void test_mixed_scales(void **state) {
  (void)state;
  static const float scales[] = {1e-30f, 1e-22f, 1e-12f, 1e-4f, 1e3f, 1e9f, 1e15f, 1e17f, 1e18f};
  size_t count = sizeof scales / sizeof *scales;
  for (size_t a = 0; a < count; a++)
    for (size_t b = 0; b < count; b++) {
      set s = random_set(17, 40, 35);
      for (size_t i = 0; i < s.n * s.d; i++)
        s.x[i] *= scales[a];
      for (size_t i = 0; i < s.k * s.d; i++)
        s.points[i] *= i / s.d % 9 ? scales[a] : scales[b];
      check(&s);
      drop(&s);
    }
}

static void test_overflow_and_nan(void **state) {
  (void)state;
  enum { D = 33 };
  static const float odd[] = {3e38f, INFINITY, -INFINITY, NAN, 1e25f};
  float x[6 * D], squared[6], *points = random_floats(37 * D, 1);
  uint32_t at[6];
  float *packed = floats(burl_points_packed_size(37, D));
  for (size_t i = 0; i < 6 * D; i++)
    x[i] = points[i];
  for (size_t i = 0; i < 5; i++)
    x[i * D + 7 * i] = odd[i];
  burl_points_pack(packed, points, 37, D);
  burl_points_nearest(squared, at, x, 6, packed, 37, D);
  for (size_t i = 0; i < 5; i++)
    assert_true(squared[i] == FLT_MAX && at[i] == 0);
  assert_true(squared[5] == 0.0f && at[5] == 5);
  for (size_t i = 0; i < 5; i++) { /* among the points they are nearest to nobody */
    points[i * D + 3] = odd[i];
    burl_points_pack(packed, points, 37, D);
    burl_points_nearest(squared, at, x + 5 * D, 1, packed, 37, D);
    assert_true(squared[0] == 0.0f && at[0] == 5);
  }
  free(points);
  free(packed);
}

/* lower: only what is below the old value counts, in the rows that were asked for. */
static void test_lower(void **state) {
  (void)state;
  enum { N = 100, K = 130, D = 50, M = 31 };
  set s = random_set(N, K, D);
  float centre[D], squared[N], expected[N], panels[160 * D], squares[160], radius = 0.0f;
  uint32_t at[N], first[N], which[M];
  burl_panel_centre(centre, s.x, N, D);
  for (size_t p = 0; p < 5; p++)
    burl_panel_clear(panels, squares, p, D);
  for (size_t j = 0; j < K; j++)
    radius = fmaxf(radius, burl_panel_put(panels, squares, j, s.points + j * D, centre, D));
  burl_panels points = {K, D, radius, centre, squares, panels, s.points};
  ref_nearest(expected, first, s.x, N, s.points + 64 * D, K - 64, D);
  for (size_t i = 0; i < N; i++) {
    squared[i] = i % 2 ? nextafterf(expected[i], i % 4 == 1 ? 0.0f : INFINITY) : expected[i];
    at[i] = 1000;
  }
  float before[N];
  memcpy(before, squared, sizeof before);
  for (uint32_t i = 0; i < M; i++)
    which[i] = 3 * i + 1;
  burl_panels_lower(squared, at, s.x, which, M, &points, 2);
  for (size_t i = 0; i < N; i++) {
    int lower = i % 3 == 1 && i < 3 * M && expected[i] < before[i];
    assert_true(squared[i] == (lower ? expected[i] : before[i]));
    assert_int_equal(at[i], lower ? first[i] + 64 : 1000);
  }
  drop(&s);
}

static void check_distances(const set *s, size_t ldc) {
  size_t n = s->n, k = s->k, d = s->d;
  float *cost = floats(n * ldc), *expected = floats(n * k);
  for (size_t i = 0; i < n * ldc; i++)
    cost[i] = -1.0f;
  burl_points_distances(cost, ldc, s->x, n, s->packed, k, d);
  ref_distances(expected, s->x, n, s->points, k, d);
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < ldc; j++) {
      float got = cost[i * ldc + j], wanted = j < k ? expected[i * k + j] : -1.0f;
      if (!(fabsf(got - wanted) <= (j < k ? 1e-5f * (float)d * wanted : 0.0f)))
        fail_msg("n %zu, k %zu, d %zu: %.9g at %zu,%zu, not %.9g", n, k, d, (double)got, i, j,
                 (double)wanted);
    }
  free(cost);
  free(expected);
}

static void test_distances(void **state) {
  (void)state;
  static const size_t sizes[][3] = {{1, 1, 33}, {29, 65, 64}, {115, 31, 40}, {3, 64, 4700}};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    set s = random_set(sizes[i][0], sizes[i][1], sizes[i][2]);
    for (size_t t = 0; t < s.d; t++) /* a patch on a point, and one next to it */
      s.x[t] = s.points[(s.k - 1) * s.d + t] + (i % 2 ? 1e-3f : 0.0f);
    pack(&s);
    check_distances(&s, s.k + 3);
    drop(&s);
  }
}

/* Each kernel that this machine has against sums in double. */
static void test_tiles(void **state) {
  (void)state;
  static const size_t dims[] = {1, 2, 33, 200};
  const burl_tile_kernel *kernel;
  for (size_t index = 0; (kernel = burl_tile_kernel_get(index)); index++)
    for (size_t i = 0; i < sizeof dims / sizeof *dims; i++) {
      size_t d = dims[i], rows = kernel->rows;
      assert_true(rows >= 1 && rows <= BURL_TILE_MOST_ROWS);
      float *x = random_floats(rows * d, d), *panel = random_floats(BURL_PANEL * d, 2 + d);
      float tile[BURL_TILE_MOST_ROWS * BURL_PANEL] = {0}, limit[BURL_TILE_MOST_ROWS];
      float *squares = random_floats(BURL_PANEL, 3), least[BURL_TILE_MOST_ROWS];
      for (size_t r = 0; r < rows; r++)
        limit[r] = INFINITY;
      assert_int_equal(kernel->run(tile, x, panel, squares, limit, d), (1u << rows) - 1);
      for (size_t r = 0; r < rows; r++) {
        least[r] = INFINITY;
        for (size_t j = 0; j < BURL_PANEL; j++) {
          double sum = 0.0;
          for (size_t t = 0; t < d; t++)
            sum += (double)x[t * rows + r] * (double)panel[t * BURL_PANEL + j];
          double wanted = (double)squares[j] - 2.0 * sum;
          float s = tile[r * BURL_PANEL + j];
          assert_true(fabs((double)s - wanted) <= 1e-6 * (double)(d + 10));
          least[r] = s < least[r] ? s : least[r];
        }
      }
      for (size_t r = 0; r < rows; r++) /* every other row has just one entry within */
        limit[r] = r % 2 ? nextafterf(least[r], -INFINITY) : least[r];
      assert_int_equal(kernel->run(tile, x, panel, squares, limit, d),
                       0x5555u & ((1u << rows) - 1));
      free(x);
      free(panel);
      free(squares);
    }
  assert_true(burl_tile_kernel_get(0) != NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sizes),
      cmocka_unit_test(test_ties_go_to_the_first),
      cmocka_unit_test(test_all_points_equal),
      cmocka_unit_test(test_patches_on_points),
      cmocka_unit_test(test_near_ties),
      cmocka_unit_test(test_mixed_scales),
      cmocka_unit_test(test_overflow_and_nan),
      cmocka_unit_test(test_lower),
      cmocka_unit_test(test_distances),
      cmocka_unit_test(test_tiles),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
