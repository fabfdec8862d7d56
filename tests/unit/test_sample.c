/* Bottom-k samples: the same as sorting all keys, in any order of arrival. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "failing.h"
#include "model/sample.h"
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 3 };

typedef struct offer {
  uint64_t key;
  uint32_t image;
  float values[WIDTH];
} offer;

static offer *offers_of(size_t n, uint64_t seed) {
  offer *offers = malloc((n + 1) * sizeof *offers);
  assert_non_null(offers);
  for (size_t i = 0; i < n; i++) {
    offers[i].key = burl_random_at(seed, 0, i);
    offers[i].image = (uint32_t)(i % 11);
    for (size_t t = 0; t < WIDTH; t++)
      offers[i].values[t] = (float)(WIDTH * i + t);
  }
  return offers;
}

static int by_key(const void *left, const void *right) {
  const offer *a = left, *b = right;
  return (a->key > b->key) - (a->key < b->key);
}

static void assert_holds(const patch_sample *sample, const offer *sorted, size_t count) {
  assert_int_equal(sample->count, count);
  for (size_t i = 0; i < count; i++) {
    const sample_entry *entry = &sample->entries[i];
    assert_true(entry->key == sorted[i].key);
    assert_int_equal(entry->image, sorted[i].image);
    assert_memory_equal(sample->values + entry->slot * WIDTH, sorted[i].values,
                        sizeof sorted[i].values);
  }
}

static void check(size_t n, size_t capacity, const size_t *order) {
  offer *offers = offers_of(n, n + capacity);
  patch_sample sample;
  assert_int_equal(burl_sample_open(&sample, capacity, WIDTH), BURL_OK);
  for (size_t i = 0; i < n; i++) {
    const offer *o = &offers[order ? order[i] : i];
    burl_sample_offer(&sample, o->key, o->image, o->values);
    assert_true(sample.count <= 2 * capacity);
  }
  burl_sample_finish(&sample);
  qsort(offers, n, sizeof *offers, by_key);
  assert_holds(&sample, offers, n < capacity ? n : capacity);
  burl_sample_close(&sample);
  free(offers);
}

static void test_holds_the_smallest_keys(void **state) {
  (void)state;
  for (size_t capacity = 1; capacity <= 9; capacity++)
    for (size_t n = 0; n <= 60; n++)
      check(n, capacity, NULL);
  check(5000, 64, NULL);
  check(5000, 1000, NULL);
  check(5000, 4999, NULL);
  check(5000, 5000, NULL);
}

static void test_order_does_not_matter(void **state) {
  (void)state;
  enum { N = 700 };
  size_t order[N];
  for (uint64_t round = 0; round < 20; round++) {
    burl_random random = burl_random_start(round, 4);
    for (size_t i = 0; i < N; i++)
      order[i] = i;
    for (size_t i = N - 1; i > 0; i--) {
      size_t j = burl_random_below(&random, i + 1), swap = order[i];
      order[i] = order[j];
      order[j] = swap;
    }
    check(N, 50, order);
  }
}

/* The worst orders: every offer is better, or worse, than all before it. */
static void test_sorted_arrivals(void **state) {
  (void)state;
  enum { N = 500, CAPACITY = 30 };
  offer *offers = offers_of(N, 3);
  qsort(offers, N, sizeof *offers, by_key);
  for (int falling = 0; falling < 2; falling++) {
    patch_sample sample;
    assert_int_equal(burl_sample_open(&sample, CAPACITY, WIDTH), BURL_OK);
    for (size_t i = 0; i < N; i++) {
      const offer *o = &offers[falling ? N - 1 - i : i];
      burl_sample_offer(&sample, o->key, o->image, o->values);
    }
    burl_sample_finish(&sample);
    assert_holds(&sample, offers, CAPACITY);
    burl_sample_close(&sample);
  }
  free(offers);
}

/* What lies above `limit` is never part of the sample, so that callers may skip it. */
static void test_limit_bounds_the_sample(void **state) {
  (void)state;
  enum { N = 400, CAPACITY = 20 };
  offer *offers = offers_of(N, 8);
  patch_sample sample;
  assert_int_equal(burl_sample_open(&sample, CAPACITY, WIDTH), BURL_OK);
  assert_true(sample.limit == UINT64_MAX);
  for (size_t i = 0; i < N; i++)
    if (offers[i].key <= sample.limit)
      burl_sample_offer(&sample, offers[i].key, offers[i].image, offers[i].values);
  assert_true(sample.limit < UINT64_MAX);
  burl_sample_finish(&sample);
  qsort(offers, N, sizeof *offers, by_key);
  assert_holds(&sample, offers, CAPACITY);
  burl_sample_close(&sample);
  free(offers);
}

static void test_empty_and_closed(void **state) {
  (void)state;
  patch_sample sample;
  assert_int_equal(burl_sample_open(&sample, 4, WIDTH), BURL_OK);
  burl_sample_finish(&sample);
  assert_int_equal(sample.count, 0);
  burl_sample_close(&sample);
  burl_sample_close(&sample);
}

static void test_without_memory(void **state) {
  (void)state;
  patch_sample sample;
  assert_int_equal(burl_sample_open(&sample, SIZE_MAX / 4, SIZE_MAX / 4), BURL_ERR_SIZE);
  for (long i = 0;; i++) {
    fail_allocation_after(i);
    burl_status status = burl_sample_open(&sample, 10, WIDTH);
    stop_failing();
    if (status == BURL_OK) break;
    assert_int_equal(status, BURL_ERR_MEMORY);
    assert_true(i < 10);
  }
  burl_sample_close(&sample);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_holds_the_smallest_keys),
      cmocka_unit_test(test_order_does_not_matter),
      cmocka_unit_test(test_sorted_arrivals),
      cmocka_unit_test(test_limit_bounds_the_sample),
      cmocka_unit_test(test_empty_and_closed),
      cmocka_unit_test(test_without_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
