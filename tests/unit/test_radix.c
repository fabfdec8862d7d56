/* Radix sort: keys keep the order of floats, and the sort is a stable sort of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/radix.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

static void test_keys_keep_order(void **state) {
  (void)state;
  const float rising[] = {-INFINITY,   -FLT_MAX, -1.5f, -1.0f, -FLT_MIN,   -FLT_MIN / 4, 0.0f,
                          FLT_MIN / 4, FLT_MIN,  0.1f,  1.0f,  1.0000001f, FLT_MAX,      INFINITY};
  size_t n = sizeof rising / sizeof *rising;
  for (size_t i = 0; i < n; i++) {
    assert_true(burl_radix_score(burl_radix_key(rising[i])) == rising[i]);
    for (size_t j = 0; j < n; j++) {
      uint32_t a = burl_radix_key(rising[i]), b = burl_radix_key(rising[j]);
      assert_int_equal(a < b, rising[i] < rising[j]);
    }
  }
  assert_int_equal(burl_radix_key(-0.0f), burl_radix_key(0.0f));
  assert_false(signbit(burl_radix_score(burl_radix_key(-0.0f))));
}

static void test_keys_of_random_bits(void **state) {
  (void)state;
  for (uint64_t i = 0; i < 100000; i++) {
    uint64_t bits = burl_random_at(3, 1, i);
    uint32_t low = (uint32_t)bits, high = (uint32_t)(bits >> 32);
    float a, b;
    memcpy(&a, &low, sizeof a);
    memcpy(&b, &high, sizeof b);
    if (isnan(a) || isnan(b)) continue;
    assert_int_equal(burl_radix_key(a) < burl_radix_key(b), a < b);
    assert_int_equal(burl_radix_key(a) == burl_radix_key(b), a == b);
    assert_true(burl_radix_score(burl_radix_key(a)) == a);
  }
}

static int fall(const void *a, const void *b) {
  const burl_radix_pair *p = a, *q = b;
  if (p->key != q->key) return p->key < q->key ? 1 : -1;
  return p->payload < q->payload ? -1 : p->payload > q->payload;
}

/* Payloads rise in the input, so that a stable sort is a sort by (key falling, payload rising). */
static void check(const uint32_t *keys, size_t n) {
  burl_radix_pair *pairs = calloc(3 * n + 1, sizeof *pairs);
  uint32_t *bare = calloc(2 * n + 1, sizeof *bare);
  assert_non_null(pairs);
  assert_non_null(bare);
  burl_radix_pair *expected = pairs + 2 * n;
  for (size_t i = 0; i < n; i++) {
    bare[i] = keys[i];
    pairs[i] = expected[i] = (burl_radix_pair){.key = keys[i], .payload = (uint32_t)i};
  }
  qsort(expected, n, sizeof *expected, fall);
  const burl_radix_pair *sorted = burl_radix_sort_pairs(pairs, pairs + n, n);
  const uint32_t *sorted_keys = burl_radix_sort_keys(bare, bare + n, n);
  assert_true(sorted == pairs || sorted == pairs + n);
  assert_true(sorted_keys == bare || sorted_keys == bare + n);
  for (size_t i = 0; i < n; i++) {
    assert_int_equal(sorted[i].key, expected[i].key);
    assert_int_equal(sorted[i].payload, expected[i].payload);
    assert_int_equal(sorted_keys[i], expected[i].key);
  }
  free(bare);
  free(pairs);
}

static void test_sorts(void **state) {
  (void)state;
  static const size_t sizes[] = {0, 1, 2, 3, 17, 255, 256, 257, 5000};
  /* which bits vary: all, few values (ties), one digit alone, none, two digits apart */
  static const uint32_t masks[] = {0xFFFFFFFFu, 3u, 0x0000FF00u, 0xFF000000u, 0u, 0x00FF00FFu};
  static uint32_t keys[5000];
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
    for (size_t m = 0; m < sizeof masks / sizeof *masks; m++) {
      for (size_t i = 0; i < sizes[s]; i++)
        keys[i] = ((uint32_t)burl_random_at(s, m, i) & masks[m]) | (~masks[m] & 0x5A5A5A5Au);
      check(keys, sizes[s]);
    }
}

static void test_sorted_and_reversed(void **state) {
  (void)state;
  static uint32_t keys[3000];
  for (uint32_t i = 0; i < 3000; i++)
    keys[i] = i * 1000003u;
  check(keys, 3000);
  for (uint32_t i = 0; i < 3000; i++)
    keys[i] = (3000 - i) * 1000003u;
  check(keys, 3000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_keys_keep_order),
      cmocka_unit_test(test_keys_of_random_bits),
      cmocka_unit_test(test_sorts),
      cmocka_unit_test(test_sorted_and_reversed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
