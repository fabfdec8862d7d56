/* detect_refine.h: entropies, against all other weights, central differences, cases by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <burl/detect_refine.h>

#include "base/random.h"
#include "unit/failing.h"

#include <math.h>
#include <string.h>

#define MOST 40

static double entropy_of(const double *p, size_t n) {
  double h = 0;
  for (size_t i = 0; i < n; i++)
    if (p[i] > 0) h -= p[i] * log(p[i]);
  return h;
}

static double product(const double *a, const double *b, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++)
    sum += a[i] * b[i];
  return sum;
}

static void draw(double *q, size_t n, burl_random *random) {
  double scale = exp(8 * burl_random_uniform(random) - 4);
  for (size_t i = 0; i < n; i++)
    q[i] = scale * (burl_random_uniform(random) - 0.3);
}

/* The entropy is h, the weights add up to 1, and no softmax mixed with other weights that keeps the
 * entropy does better. */
static void test_largest_quality_at_the_entropy(void **state) {
  (void)state;
  burl_random random = burl_random_start(3, 1);
  for (int round = 0; round < 200; round++) {
    size_t n = 2 + burl_random_below(&random, MOST - 2);
    double q[MOST], p[MOST], other[MOST],
        h = log((double)n) * (0.02 + 0.96 * burl_random_uniform(&random));
    burl_entropy_info info;
    draw(q, n, &random);
    assert_int_equal(burl_entropy_weights(p, q, n, h, &info), BURL_OK);
    assert_true(fabs(entropy_of(p, n) - h) < 1e-9 && fabs(info.entropy - h) < 1e-9);
    double sum = 0;
    for (size_t i = 0; i < n; i++)
      sum += p[i];
    assert_true(fabs(sum - 1) < 1e-12);
    for (int trial = 0; trial < 20; trial++) {
      double total = 0, sharp = 6 * burl_random_uniform(&random);
      for (size_t i = 0; i < n; i++)
        total += other[i] = p[i] * exp(sharp * burl_random_uniform(&random)) + 1e-9;
      for (size_t i = 0; i < n; i++)
        other[i] /= total;
      if (entropy_of(other, n) >= h)
        assert_true(product(other, q, n) <= product(p, q, n) + 1e-9 * fabs(q[0]) + 1e-12);
    }
  }
}

static double loss_at(const double *q, const double *dp, size_t n, double h) {
  double p[MOST];
  assert_int_equal(burl_entropy_weights(p, q, n, h, NULL), BURL_OK);
  return product(p, dp, n);
}

static void test_gradient(void **state) {
  (void)state;
  burl_random random = burl_random_start(5, 1);
  for (int round = 0; round < 50; round++) {
    size_t n = 2 + burl_random_below(&random, 12);
    double q[MOST], dp[MOST], p[MOST], dq[MOST], dh = 0.5, size = 0;
    double h = log((double)n) * (0.2 + 0.6 * burl_random_uniform(&random));
    burl_entropy_info info;
    for (size_t i = 0; i < n; i++) {
      q[i] = burl_random_uniform(&random);
      dp[i] = burl_random_uniform(&random) - 0.5;
      dq[i] = 2;
    }
    assert_int_equal(burl_entropy_weights(p, q, n, h, &info), BURL_OK);
    burl_entropy_weights_backward(dq, &dh, dp, p, q, n, &info);
    for (size_t i = 0; i < n; i++)
      size = fmax(size, fabs(dq[i] - 2));
    for (size_t i = 0; i < n; i++) {
      double step = 1e-5 / fmax(1, info.inverse), kept = q[i];
      q[i] = kept + step;
      double above = loss_at(q, dp, n, h);
      q[i] = kept - step;
      double below = loss_at(q, dp, n, h);
      q[i] = kept;
      assert_true(fabs(dq[i] - 2 - (above - below) / (2 * step)) <= 1e-5 * size + 1e-9);
    }
    double slope = (loss_at(q, dp, n, h + 1e-5) - loss_at(q, dp, n, h - 1e-5)) / 2e-5;
    assert_true(fabs(dh - 0.5 - slope) <= 1e-5 * fmax(1, fabs(slope)));
  }
}

static void expect(const double *q, size_t n, double h, const double *expected, double inverse) {
  double p[MOST], dq[MOST] = {0}, dp[MOST], dh = 0;
  burl_entropy_info info;
  assert_int_equal(burl_entropy_weights(p, q, n, h, &info), BURL_OK);
  for (size_t i = 0; i < n; i++) {
    assert_true(fabs(p[i] - expected[i]) < 1e-12);
    dp[i] = (double)i;
  }
  assert_true(info.inverse >= inverse && info.inverse <= inverse);
  assert_true(fabs(info.entropy - entropy_of(p, n)) < 1e-12);
  burl_entropy_weights_backward(dq, &dh, dp, p, q, n, &info);
  for (size_t i = 0; i < n; i++)
    assert_true(dq[i] >= 0 && dq[i] <= 0);
  assert_true(dh >= 0 && dh <= 0);
}

static void test_limits(void **state) {
  (void)state;
  expect((double[]){3}, 1, 0, (double[]){1}, 0);
  expect((double[]){3}, 1, 0.6, (double[]){1}, 0);
  expect((double[]){1, 5}, 2, 0.7, (double[]){0.5, 0.5}, 0);
  expect((double[]){1, 5}, 2, HUGE_VAL, (double[]){0.5, 0.5}, 0);
  expect((double[]){1, 5}, 2, 0, (double[]){0, 1}, HUGE_VAL);
  /* two best share log 2 = .693 nats, which is enough */
  expect((double[]){4, 1, 4}, 3, 0.6, (double[]){0.5, 0, 0.5}, HUGE_VAL);
  expect((double[]){2, 2, 2, 2}, 4, 0.6, (double[]){0.25, 0.25, 0.25, 0.25}, HUGE_VAL);
  assert_int_equal(burl_entropy_weights(NULL, NULL, 0, 0.6, NULL), BURL_OK);
}

/* A constant changes nothing, a factor neither, an order only the order. */
static void test_invariance(void **state) {
  (void)state;
  double q[] = {0.2, 0.9, 0.4, 0.7}, moved[4], p[4], other[4];
  assert_int_equal(burl_entropy_weights(p, q, 4, BURL_ENTROPY_DEFAULT, NULL), BURL_OK);
  for (size_t i = 0; i < 4; i++)
    moved[i] = 100 * q[3 - i] - 17;
  assert_int_equal(burl_entropy_weights(other, moved, 4, BURL_ENTROPY_DEFAULT, NULL), BURL_OK);
  for (size_t i = 0; i < 4; i++)
    assert_true(fabs(p[i] - other[3 - i]) < 1e-9);
  assert_true(p[1] > p[3] && p[3] > p[2] && p[2] > p[0]);
}

static void test_bad_input(void **state) {
  (void)state;
  double p[2] = {7, 7}, q[2] = {1, (double)NAN};
  assert_int_equal(burl_entropy_weights(p, q, 2, 0.3, NULL), BURL_ERR_NUMERIC);
  q[1] = -HUGE_VAL;
  assert_int_equal(burl_entropy_weights(p, q, 2, 0.3, NULL), BURL_ERR_NUMERIC);
  q[1] = 2;
  assert_int_equal(burl_entropy_weights(p, q, 2, -0.1, NULL), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_entropy_weights(p, q, 2, (double)NAN, NULL), BURL_ERR_ARGUMENT);
  assert_true(p[0] == 7 && p[1] == 7);
}

/* A chequered pattern, a block and a half, by how many neighbours differ. */
static void test_coherence(void **state) {
  (void)state;
  static float masks[3 * 36];
  for (size_t y = 0; y < 6; y++)
    for (size_t x = 0; x < 6; x++) {
      masks[y * 6 + x] = (float)((x + y) % 2);                             /* 60 differences */
      masks[36 + y * 6 + x] = (float)(x >= 2 && x < 5 && y >= 1 && y < 4); /* 12 */
      masks[72 + y * 6 + x] = (float)(x < 3);                              /* 6 */
    }
  double p[3] = {0.5, 0.3, 0.2}, out[3] = {7, 7, 7};
  assert_int_equal(burl_coherent_weights(out, p, masks, 3, 6, 6, 0.1), BURL_OK);
  double raw[3] = {0.45, 0.27 + 0.1 * (1 - 6.0 / 54), 0.18 + 0.1};
  for (size_t i = 0; i < 3; i++)
    assert_true(fabs(out[i] - raw[i] / (raw[0] + raw[1] + raw[2])) < 1e-12);
  /* masks alike: a share each, and nobody is ahead by it */
  memcpy(masks, masks + 36, 36 * sizeof *masks);
  assert_int_equal(burl_coherent_weights(p, p, masks, 2, 6, 6, 0), BURL_OK);
  assert_true(fabs(p[0] - 0.625) < 1e-12 && fabs(p[1] - 0.375) < 1e-12);
}

static void test_coherence_failures(void **state) {
  (void)state;
  float masks[4] = {0, 1, 0, 0};
  double p[2] = {0, 0}, out[2] = {7, 7};
  assert_int_equal(burl_coherent_weights(out, p, masks, 2, 1, 2, 1.5), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_coherent_weights(out, p, masks, 2, 1, 2, 0), BURL_ERR_NUMERIC);
  masks[1] = NAN;
  assert_int_equal(burl_coherent_weights(out, p, masks, 2, 1, 2, 0.1), BURL_ERR_NUMERIC);
  masks[1] = 1;
  fail_allocation_after(0);
  burl_status status = burl_coherent_weights(out, p, masks, 2, 1, 2, 0.1);
  stop_failing();
  assert_int_equal(status, BURL_ERR_MEMORY);
  assert_true(out[0] == 7 && out[1] == 7);
  assert_int_equal(burl_coherent_weights(out, p, masks, 0, 1, 2, 0.1), BURL_OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_largest_quality_at_the_entropy),
      cmocka_unit_test(test_gradient),
      cmocka_unit_test(test_limits),
      cmocka_unit_test(test_invariance),
      cmocka_unit_test(test_bad_input),
      cmocka_unit_test(test_coherence),
      cmocka_unit_test(test_coherence_failures),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
