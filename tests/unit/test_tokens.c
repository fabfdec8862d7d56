/* num/tokens.h and num/attention.h against their formulas, at all lengths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/random.h"
#include "failing.h"
#include "num/attention.h"
#include "num/tokens.h"
#include "reference/ref_tokens.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static float *draw(size_t count, double spread, uint64_t stream) {
  burl_random random = burl_random_start(11, stream);
  float *x = burl_alloc(count, sizeof *x);
  assert_non_null(x);
  for (size_t i = 0; i < count; i++)
    x[i] = (float)(spread * burl_random_normal(&random));
  return x;
}

static void assert_near(double found, double wanted, double tolerance) {
  if (!(fabs(found - wanted) <= tolerance)) fail_msg("%.9g, not %.9g", found, wanted);
}

static void gelu_is_exact(void **state) {
  (void)state;
  float zero = 0.0f;
  for (float v = -15.0f; v < 15.0f; v += 0.00037f) {
    float x = v;
    burl_num_bias_gelu(&x, &zero, 1, 1);
    double wanted = ref_gelu((double)v), size = fabs(wanted);
    assert_near((double)x, wanted, v > -5.0f ? fmin(1e-6, 2e-6 * size + 1e-12) : 1e-6);
  }
}

static void gelu_at_the_ends(void **state) {
  (void)state;
  float x[] = {0.0f, -0.0f, 1e30f, -1e30f, -40.0f, 40.0f, NAN, 1e-30f}, zeros[8] = {0};
  burl_num_bias_gelu(x, zeros, 1, 8);
  assert_true(x[0] == 0.0f && x[1] == 0.0f && x[2] == 1e30f && x[3] == 0.0f && x[4] == 0.0f);
  assert_true(x[5] == 40.0f && isnan(x[6]));
  assert_near((double)x[7], 0.5e-30, 1e-36);
}

static void gelu_adds_the_bias_of_a_column(void **state) {
  (void)state;
  for (size_t d = 1; d < 70; d++) {
    size_t n = 3;
    float *x = draw(n * d, 2.0, d), *bias = draw(d, 1.0, 100 + d), *was = burl_copy(x, n * d * 4);
    burl_num_bias_gelu(x, bias, n, d);
    for (size_t i = 0; i < n * d; i++)
      assert_near((double)x[i], ref_gelu((double)(was[i] + bias[i % d])), 1e-6);
    free(x);
    free(bias);
    free(was);
  }
}

static void layer_norm_of_rows(void **state) {
  (void)state;
  for (size_t d = 1; d < 400; d += d < 70 ? 1 : 61) {
    size_t n = 4;
    float *x = draw(n * d, 3.0, d), *gain = draw(d, 1.0, d + 1), *bias = draw(d, 1.0, d + 2);
    float *y = burl_alloc(n * d, sizeof *y);
    double *wanted = burl_alloc(d, sizeof *wanted);
    for (size_t j = 0; j < d; j++) {
      x[j] += 100.0f; /* a mean that is large beside the deviation */
      x[d + j] = 0.25f;
    }
    burl_num_layer_norm(y, x, gain, bias, 1e-6f, n, d);
    for (size_t i = 0; i < n; i++) {
      ref_layer_norm(wanted, x + i * d, gain, bias, 1e-6, d);
      double tolerance = d == 1 ? 1e-6 : i == 0 ? 1e-3 : 1e-5;
      for (size_t j = 0; j < d; j++)
        assert_near((double)y[i * d + j], wanted[j], tolerance * (1.0 + fabs(wanted[j])));
    }
    burl_num_layer_norm(x, x, gain, bias, 1e-6f, n, d); /* in place */
    assert_memory_equal(x, y, n * d * sizeof *x);
    free(x);
    free(gain);
    free(bias);
    free(y);
    free(wanted);
  }
}

static void branches_are_added(void **state) {
  (void)state;
  for (size_t d = 1; d < 40; d++) {
    size_t n = 2;
    float *x = draw(n * d, 1.0, d), *y = draw(n * d, 1.0, d + 1), *gain = draw(d, 1.0, d + 2);
    float *bias = draw(d, 1.0, d + 3), *was = burl_copy(x, n * d * 4);
    burl_num_add_branch(x, y, gain, bias, n, d);
    for (size_t i = 0; i < n * d; i++)
      assert_true(x[i] == was[i] + gain[i % d] * (y[i] + bias[i % d]));
    burl_num_repeat_row(x, bias, n, d);
    for (size_t i = 0; i < n * d; i++)
      assert_true(x[i] == bias[i % d]);
    free(x);
    free(y);
    free(gain);
    free(bias);
    free(was);
  }
}

static void exponentials_of_rows(void **state) {
  (void)state;
  for (size_t m = 1; m < 300; m += m < 70 ? 1 : 37) {
    size_t n = 3, ld = m + 5;
    float *s = draw(n * ld, 20.0, m), *was = burl_copy(s, n * ld * 4), sums[3];
    burl_num_exp_rows(sums, s, ld, n, m);
    for (size_t i = 0; i < n; i++) {
      float most = was[i * ld];
      double sum = 0.0;
      for (size_t j = 0; j < m; j++)
        most = fmaxf(most, was[i * ld + j]);
      for (size_t j = 0; j < ld; j++) {
        double wanted = j < m ? exp((double)(was[i * ld + j] - most)) : (double)was[i * ld + j];
        assert_near((double)s[i * ld + j], wanted, 1e-6 * fabs(wanted) + 2e-38);
        if (j < m) sum += wanted;
      }
      assert_near((double)sums[i], sum, 1e-6 * sum);
    }
    free(s);
    free(was);
  }
}

static void check_attention(size_t n, size_t heads, size_t d, double spread) {
  size_t width = heads * d;
  float *qkv = draw(3 * n * width, spread, n), *out = burl_alloc(n * width, sizeof *out);
  float *scratch = burl_alloc(burl_num_attention_scratch(n, d), sizeof *scratch);
  float *again = burl_alloc(n * width, sizeof *again);
  double *wanted = burl_alloc(n * width, sizeof *wanted);
  fail_allocation_after(-1);
  burl_num_attention(out, scratch, qkv, n, heads, d);
  assert_int_equal(stop_failing(), 0);
  burl_num_attention(again, scratch, qkv, n, heads, d);
  assert_memory_equal(out, again, n * width * sizeof *out);
  ref_attention(wanted, qkv, n, heads, d);
  for (size_t i = 0; i < n * width; i++)
    assert_near((double)out[i], wanted[i], 1e-5 * spread * (1.0 + spread));
  free(qkv);
  free(out);
  free(scratch);
  free(again);
  free(wanted);
}

/* Below, at and above the size of a block; nearly even weights and nearly a single one. */
static void attention_by_heads(void **state) {
  (void)state;
  static const size_t tokens[] = {1, 2, 5, 31, 32, 33, 95, 96, 97, 200};
  for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
    check_attention(tokens[i], 1, 64, 1.0);
    check_attention(tokens[i], 3, 64, 0.1);
    check_attention(tokens[i], 2, 16, 6.0);
    check_attention(tokens[i], 2, 1, 1.0);
  }
}

static void sizes_that_do_not_fit(void **state) {
  (void)state;
  assert_int_equal(burl_num_attention_scratch(SIZE_MAX / 8, 64), 0);
  assert_int_equal(burl_num_attention_scratch(SIZE_MAX, 64), 0);
  assert_true(burl_num_attention_scratch(1, 64) > 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gelu_is_exact),
      cmocka_unit_test(gelu_at_the_ends),
      cmocka_unit_test(gelu_adds_the_bias_of_a_column),
      cmocka_unit_test(layer_norm_of_rows),
      cmocka_unit_test(branches_are_added),
      cmocka_unit_test(exponentials_of_rows),
      cmocka_unit_test(attention_by_heads),
      cmocka_unit_test(sizes_that_do_not_fit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
