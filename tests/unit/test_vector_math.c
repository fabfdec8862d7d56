/* num/vector_math.h, log_sum.h, scaling.h, magnitude.h against libm and plain loops, at all
 * lengths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "num/log_sum.h"
#include "num/magnitude.h"
#include "num/scaling.h"
#include "num/vector_math.h"
#include "reference/ref_vector_math.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define MOST 300

/* Distance from the true value in units of the last place of a number with `digits` bits. */
static double ulps(long double value, long double truth, int digits) {
  int exponent;
  frexpl(truth, &exponent);
  return (double)(fabsl(value - truth) / ldexpl(1.0L, exponent - digits));
}

static void exp_is_within_two_ulps(void **state) {
  (void)state;
  static float x[997], y[997];
  static double X[997], Y[997];
  burl_random random = burl_random_start(3, 1);
  for (int round = 0; round < 200; round++) {
    double width = round % 4 == 0 ? 87.0 : round % 4 == 1 ? 20.0 : round % 4 == 2 ? 1.0 : 1e-6;
    for (size_t i = 0; i < 997; i++) {
      double u = 2.0 * burl_random_uniform(&random) - 1.0;
      x[i] = (float)(width * u);
      X[i] = (width < 87.0 ? width : 708.0) * u;
    }
    burl_num_exp_float(y, x, 997);
    burl_num_exp_double(Y, X, 997);
    for (size_t i = 0; i < 997; i++) {
      assert_true(ulps((long double)y[i], expl((long double)x[i]), FLT_MANT_DIG) <= 2.0);
      assert_true(fabs((double)y[i] - (double)expf(x[i])) <=
                  3.0 * (double)FLT_EPSILON * (double)y[i]);
      assert_true(ulps((long double)Y[i], expl((long double)X[i]), DBL_MANT_DIG) <= 2.0);
    }
  }
}

static void exp_at_the_ends(void **state) {
  (void)state;
  float x[] = {0.0f,      -0.0f,   88.7228f, 88.7229f, 1e30f,     INFINITY,
               -87.3365f, -87.34f, -103.97f, -1e30f,   -INFINITY, NAN};
  float y[12];
  burl_num_exp_float(y, x, 12);
  assert_true(y[0] == 1.0f && y[1] == 1.0f);
  assert_true(y[2] > 3.4e38f && y[2] <= FLT_MAX);
  for (int i = 3; i < 6; i++)
    assert_true(isinf(y[i]) && y[i] > 0.0f);
  assert_true(y[6] >= FLT_MIN && y[6] < 1.2e-38f);
  for (int i = 7; i < 11; i++)
    assert_true(y[i] == 0.0f);
  assert_true(isnan(y[11]));
  double X[] = {0.0,    709.78,     709.79, (double)INFINITY, -708.39, -708.4, -(double)INFINITY,
                -1e300, (double)NAN};
  double Y[9];
  burl_num_exp_double(Y, X, 9);
  assert_true(Y[0] == 1.0 && Y[1] > 1.7e308 && Y[1] <= DBL_MAX && isinf(Y[2]) && isinf(Y[3]));
  assert_true(Y[4] >= DBL_MIN && Y[4] < 2.3e-308 && Y[5] == 0.0 && Y[6] == 0.0 && Y[7] == 0.0);
  assert_true(isnan(Y[8]));
}

/* Between -88.8 and 88.8 in steps of 1e-4. */
static void exp_is_monotone(void **state) {
  (void)state;
  float before = 0.0f, y;
  for (float x = -88.8f; x < 88.8f; x += 0.0001f) {
    burl_num_exp_float(&y, &x, 1);
    assert_true(y >= before);
    before = y;
  }
}

static void lengths_and_places_do_not_matter(void **state) {
  (void)state;
  static float x[70], y[70], one[70];
  for (size_t i = 0; i < 70; i++) {
    x[i] = (float)i * 0.37f - 12.0f;
    burl_num_exp_float(one + i, x + i, 1);
  }
  for (size_t first = 0; first < 4; first++)
    for (size_t n = 0; n + first <= 66; n++) {
      memset(y, 0, sizeof y);
      burl_num_exp_float(y + first, x + first, n);
      assert_memory_equal(y + first, one + first, n * sizeof *y);
      assert_true(y[first + n] == 0.0f);
    }
  memcpy(y, x, sizeof y);
  burl_num_exp_float(y, y, 70); /* in place */
  assert_memory_equal(y, one, sizeof y);
}

/* p (m), q and c (n,m) at distance ld; every fifth p and every seventh q is -inf. */
static double p[MOST], q[MOST], c[40 * MOST];

static void fill_scores(size_t n, size_t m, size_t ld, double spread) {
  burl_random random = burl_random_start(9, m);
  for (size_t j = 0; j < m; j++)
    p[j] = j % 5 == 4 ? -(double)INFINITY : spread * burl_random_normal(&random);
  for (size_t i = 0; i < n; i++)
    q[i] = i % 7 == 6 ? -(double)INFINITY : spread * burl_random_normal(&random);
  for (size_t i = 0; i < n * ld; i++)
    c[i] = i % ld < m ? burl_random_uniform(&random) : (double)NAN;
}

static void log_sums_of_rows(void **state) {
  (void)state;
  for (size_t m = 1; m < MOST; m += m < 40 ? 1 : 37)
    for (int s = 0; s < 3; s++) {
      double scale = s == 0 ? 1.0 : s == 1 ? 1e4 : 1e12;
      fill_scores(1, m, m + 1, scale);
      double wanted = ref_log_sum(p, c, scale, m, 1);
      double found = burl_num_log_sum(p, c, scale, m);
      assert_true(fabs(found - wanted) <= 1e-14 * (double)m + 4.0 * DBL_EPSILON * scale * 10.0);
    }
}

static void log_sums_of_columns(void **state) {
  (void)state;
  double max[MOST], sum[MOST];
  for (size_t m = 1; m < MOST; m += m < 20 ? 3 : 67)
    for (size_t block = 1; block < 12; block += 3) {
      size_t n = 40, ld = m;
      double scale = 300.0;
      fill_scores(n, m, ld, scale);
      for (size_t j = 0; j < m; j++) {
        max[j] = BURL_NUM_LOWEST;
        sum[j] = 0.0;
      }
      for (size_t i = 0; i < n; i += block)
        burl_num_log_sum_columns(max, sum, q + i, c + i * ld, ld, scale,
                                 n - i < block ? n - i : block, m);
      for (size_t j = 0; j < m; j++) {
        double wanted = ref_log_sum(q, c + j, scale, n, ld);
        assert_true(fabs(max[j] + log(sum[j]) - wanted) <= 1e-12);
      }
    }
}

static void a_block_of_absent_rows_adds_nothing(void **state) {
  (void)state;
  double max[3] = {BURL_NUM_LOWEST, 0.5, BURL_NUM_LOWEST}, sum[3] = {0.0, 2.0, 0.0};
  double absent[2] = {-(double)INFINITY, -(double)INFINITY}, cost[6] = {0};
  burl_num_log_sum_columns(max, sum, absent, cost, 3, 1.0, 2, 3);
  assert_true(max[0] == BURL_NUM_LOWEST && sum[0] == 0.0 && max[1] == 0.5 && sum[1] == 2.0);
}

static void sums_of_a_plan_row(void **state) {
  (void)state;
  double columns[MOST], plan[MOST];
  for (size_t m = 1; m < MOST; m += m < 40 ? 1 : 29) {
    fill_scores(1, m, m, 2.0);
    for (size_t j = 0; j < m; j++)
      columns[j] = (double)j;
    burl_num_plan_row found = burl_num_plan_sums(columns, 0.3, p, c, 5.0, m);
    double mass = 0.0, cost = 0.0, entropy = 0.0;
    for (size_t j = 0; j < m; j++) {
      plan[j] = exp(0.3 + p[j] - 5.0 * c[j]);
      mass += plan[j];
      cost += plan[j] * c[j];
      if (plan[j] > 0.0) entropy += plan[j] * log(plan[j]);
      assert_true(fabs(columns[j] - (double)j - plan[j]) <= 1e-13 * (double)m);
    }
    double tolerance = 1e-14 * (double)m * (1.0 + mass) * 10.0;
    assert_true(fabs(found.mass - mass) <= tolerance && fabs(found.cost - cost) <= tolerance);
    assert_true(fabs(found.entropy - entropy) <= tolerance * 10.0);
  }
}

static void rows_of_plans(void **state) {
  (void)state;
  double P[MOST];
  float P_float[MOST], c_float[MOST];
  for (size_t m = 1; m < 70; m++) {
    fill_scores(1, m, m, 1.0);
    for (size_t j = 0; j < m; j++)
      c[j] = (double)(c_float[j] = (float)c[j]);
    burl_num_plan_row_double(P, 0.25, p, c, 3.0, m);
    burl_num_plan_row_float(P_float, 0.25, p, c_float, 3.0, m);
    for (size_t j = 0; j < m; j++) {
      double wanted = exp((0.25 + p[j] - c[j]) * 3.0);
      assert_true(fabs(P[j] - wanted) <= 1e-14 * wanted);
      assert_true(fabs((double)P_float[j] - wanted) <= 2e-6 * wanted);
    }
  }
}

static float c_float[MOST], K[13 * 320], y[320], s[320], r[13], a[13];

static void building_a_kernel_row(void **state) {
  (void)state;
  double weighted[MOST];
  for (size_t m = 1; m < MOST; m += m < 40 ? 1 : 43) {
    fill_scores(1, m, m, 30.0);
    double max = -(double)INFINITY;
    for (size_t j = 0; j < m; j++) {
      weighted[j] = p[j] + (j % 3 == 0 ? 60.0 : 0.0);
      c_float[j] = (float)c[j];
      max = fmax(max, p[j] - 200.0 * (double)c_float[j]);
    }
    memset(K, 0xFF, sizeof K);
    assert_true(fabs(burl_num_scaling_build(K, c_float, p, weighted, 200.0, m) - max) < 1e-12);
    size_t padded = burl_num_scaling_padded(m);
    assert_true(padded >= m && padded < m + BURL_NUM_SCALING_PAD && padded % 16 == 0);
    for (size_t j = 0; j < padded; j++) {
      double wanted = j < m ? exp(weighted[j] - 200.0 * (double)c_float[j] - max) : 0.0;
      if (wanted < 1e-30)
        assert_true(K[j] == 0.0f);
      else if (wanted < 1.2e-30) /* 0 from here on down, give or take its rounding */
        assert_true(K[j] == 0.0f || fabs((double)K[j] - wanted) <= 1e-5 * wanted);
      else
        assert_true(fabs((double)K[j] - wanted) <= 1e-5 * wanted);
    }
    assert_true(isnan(K[padded]));
  }
}

static void one_reading_gives_both_products(void **state) {
  (void)state;
  burl_random random = burl_random_start(4, 4);
  for (size_t m = 1; m < MOST; m += m < 40 ? 5 : 61)
    for (size_t n = 1; n <= 13; n++) {
      size_t ld = burl_num_scaling_padded(m);
      float sums[13];
      double columns[320] = {0};
      for (size_t i = 0; i < n * ld; i++)
        K[i] = i % ld < m ? (float)burl_random_uniform(&random) : 0.0f;
      for (size_t j = 0; j < ld; j++) {
        y[j] = j < m ? (float)burl_random_uniform(&random) + 0.01f : 0.0f;
        s[j] = j < m ? 1.0f : 0.0f;
      }
      for (size_t i = 0; i < n; i++)
        a[i] = i % 4 == 2 ? 0.0f : (float)burl_random_uniform(&random);
      if (n > 3) memset(K + 2 * ld, 0, ld * sizeof *K); /* an absent row: 0 / 0 must not show */
      burl_num_scaling_rows(r, s, K, ld, n, m, y, a);
      burl_num_scaling_row_sums(sums, K, ld, n, m, y);
      assert_memory_equal(sums, r, n * sizeof *r);
      for (size_t i = 0; i < n; i++) {
        double row = 0.0;
        for (size_t j = 0; j < m; j++)
          row += (double)K[i * ld + j] * (double)y[j];
        assert_true(fabs((double)r[i] - row) <= 1e-6 * row);
        for (size_t j = 0; j < m && a[i] > 0.0f; j++)
          columns[j] += (double)a[i] / row * (double)K[i * ld + j];
      }
      for (size_t j = 0; j < ld; j++) {
        double wanted = j < m ? 1.0 + columns[j] : 0.0;
        assert_true(fabs((double)s[j] - wanted) <= 3e-6 * wanted);
      }
    }
}

static void magnitudes(void **state) {
  (void)state;
  float x[50] = {0};
  double X[50] = {0};
  assert_true(burl_num_magnitude_float(x, 0) == 0.0f && burl_num_magnitude_double(X, 0) == 0.0);
  for (size_t n = 1; n <= 50; n++)
    for (size_t k = 0; k < n; k++) {
      for (size_t i = 0; i < n; i++)
        X[i] = (double)(x[i] = (float)i / 100.0f - 0.2f);
      X[k] = (double)(x[k] = -3.5f);
      assert_true(burl_num_magnitude_float(x, n) == 3.5f);
      assert_true(burl_num_magnitude_double(X, n) == 3.5);
      X[k] = (double)(x[k] = k % 2 ? -INFINITY : INFINITY);
      assert_true(isinf(burl_num_magnitude_float(x, n)) && isinf(burl_num_magnitude_double(X, n)));
      X[k] = (double)(x[k] = k % 2 ? -NAN : NAN);
      assert_true(isnan(burl_num_magnitude_float(x, n)) && isnan(burl_num_magnitude_double(X, n)));
    }
}

static void the_first_of_the_least(void **state) {
  (void)state;
  float x[50];
  for (size_t n = 1; n <= 50; n++)
    for (size_t k = 0; k < n; k++) {
      for (size_t i = 0; i < n; i++)
        x[i] = i % 3 ? 2.0f + (float)i : (float)INFINITY;
      x[k] = x[n - 1] = k % 2 ? 0.0f : 1.5f;
      assert_int_equal(burl_num_least_float(x, n), k);
      if (k > 0) x[0] = NAN;
      assert_int_equal(burl_num_least_float(x, n), k);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(exp_is_within_two_ulps),
      cmocka_unit_test(exp_at_the_ends),
      cmocka_unit_test(exp_is_monotone),
      cmocka_unit_test(lengths_and_places_do_not_matter),
      cmocka_unit_test(log_sums_of_rows),
      cmocka_unit_test(log_sums_of_columns),
      cmocka_unit_test(a_block_of_absent_rows_adds_nothing),
      cmocka_unit_test(sums_of_a_plan_row),
      cmocka_unit_test(rows_of_plans),
      cmocka_unit_test(building_a_kernel_row),
      cmocka_unit_test(one_reading_gives_both_products),
      cmocka_unit_test(magnitudes),
      cmocka_unit_test(the_first_of_the_least),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
