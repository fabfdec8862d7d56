/* Random numbers: published vectors, uniformity, no bias, moments, and independence of order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"

#include <math.h>

/* Known answers of Philox-4x32-10 from the authors' Random123 distribution. */
static void test_philox_known_answers(void **state) {
  (void)state;
  static const struct {
    uint32_t counter[4], key[2], expected[4];
  } vectors[] = {
      {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
       {0xffffffff, 0xffffffff},
       {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
       {0xa4093822, 0x299f31d0},
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (size_t i = 0; i < 3; i++) {
    uint32_t out[4];
    burl_philox(out, vectors[i].counter, vectors[i].key);
    assert_memory_equal(out, vectors[i].expected, sizeof out);
  }
}

/* The layout of (seed, stream, index) is part of what makes a seed reproducible. */
static void test_at_is_philox(void **state) {
  (void)state;
  const uint32_t counter[4] = {0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3};
  const uint32_t key[2] = {0xa4093822, 0x299f31d0};
  uint32_t out[4];
  burl_philox(out, counter, key);
  uint64_t bits = burl_random_at(0x299f31d0a4093822u, 0x85a308d3243f6a88u, 0x0370734413198a2eu);
  assert_true(bits == ((uint64_t)out[1] << 32 | out[0]));
}

static void test_sequence_is_indexed(void **state) {
  (void)state;
  burl_random random = burl_random_start(7, 9), again = burl_random_start(7, 9);
  uint64_t different = 0;
  for (uint64_t i = 0; i < 100; i++) {
    uint64_t bits = burl_random_bits(&random);
    assert_true(bits == burl_random_at(7, 9, i));
    assert_true(bits == burl_random_bits(&again));
    different += bits != burl_random_at(8, 9, i) && bits != burl_random_at(7, 10, i);
  }
  assert_int_equal(different, 100);
}

/* Each of 64 bits is set half the time, neighbouring indices, seeds and streams included: within
 * five standard deviations of 20000 fair coins. */
static void test_bits_are_fair(void **state) {
  (void)state;
  enum { COUNT = 20000 };
  for (int kind = 0; kind < 3; kind++) {
    int ones[64] = {0};
    for (uint64_t i = 0; i < COUNT; i++) {
      uint64_t bits = kind == 0   ? burl_random_at(1, 2, i)
                      : kind == 1 ? burl_random_at(1, i, 3)
                                  : burl_random_at(i, 2, 3);
      for (int bit = 0; bit < 64; bit++)
        ones[bit] += (int)(bits >> bit & 1);
    }
    for (int bit = 0; bit < 64; bit++)
      assert_true(fabs(ones[bit] - COUNT / 2.0) < 5 * sqrt(COUNT / 4.0));
  }
}

/* Chi-square over 100 cells: mean 99, standard deviation sqrt(198). */
static void test_uniform(void **state) {
  (void)state;
  enum { COUNT = 100000, CELLS = 100 };
  burl_random random = burl_random_start(11, 0);
  int cells[CELLS] = {0};
  double sum = 0, products = 0, last = 0.5, chi = 0;
  for (int i = 0; i < COUNT; i++) {
    double u = burl_random_uniform(&random);
    assert_true(u >= 0 && u < 1);
    cells[(int)(u * CELLS)]++;
    sum += u;
    products += (u - 0.5) * (last - 0.5);
    last = u;
  }
  for (int i = 0; i < CELLS; i++)
    chi += (cells[i] - COUNT / CELLS) * (double)(cells[i] - COUNT / CELLS) / (COUNT / CELLS);
  assert_true(chi > 99 - 4 * 14.1 && chi < 99 + 5 * 14.1);
  assert_true(fabs(sum / COUNT - 0.5) < 5 * sqrt(1.0 / 12 / COUNT));
  assert_true(fabs(products / COUNT) < 5 * (1.0 / 12) / sqrt(COUNT));
}

static void test_below(void **state) {
  (void)state;
  static const uint64_t bounds[] = {1, 2, 3, 7, 10, 1000};
  enum { COUNT = 60000 };
  burl_random random = burl_random_start(5, 1);
  for (size_t b = 0; b < sizeof bounds / sizeof bounds[0]; b++) {
    int seen[1000] = {0};
    double expected = (double)COUNT / (double)bounds[b], chi = 0;
    for (int i = 0; i < COUNT; i++) {
      uint64_t k = burl_random_below(&random, bounds[b]);
      assert_true(k < bounds[b]);
      seen[k]++;
    }
    for (uint64_t k = 0; k < bounds[b]; k++)
      chi += (seen[k] - expected) * (seen[k] - expected) / expected;
    double freedom = (double)bounds[b] - 1;
    assert_true(chi < freedom + 5 * sqrt(2 * freedom) + 10);
  }
}

/* With a bound of 3/4 of the range, taking remainders alone would hit the lower third twice as
 * often as the rest; without bias the thirds are alike. */
static void test_below_large_bound(void **state) {
  (void)state;
  enum { COUNT = 30000 };
  const uint64_t third = (uint64_t)1 << 62, bound = 3 * third;
  burl_random random = burl_random_start(6, 1);
  int seen[3] = {0};
  for (int i = 0; i < COUNT; i++) {
    uint64_t k = burl_random_below(&random, bound);
    assert_true(k < bound);
    seen[k / third]++;
  }
  for (int i = 0; i < 3; i++)
    assert_true(fabs(seen[i] - COUNT / 3.0) < 5 * sqrt(COUNT * 2.0 / 9));
  assert_true(random.next > COUNT); /* some were turned down */
  for (int i = 0; i < 100; i++)
    assert_true(burl_random_below(&random, UINT64_MAX) < UINT64_MAX);
}

static void test_normal(void **state) {
  (void)state;
  enum { COUNT = 200000 };
  burl_random random = burl_random_start(3, 4);
  double moment[5] = {0}, within = 0, far = 0;
  for (int i = 0; i < COUNT; i++) {
    double z = burl_random_normal(&random), power = 1;
    assert_true(isfinite(z));
    for (int m = 1; m <= 4; m++)
      moment[m] += power *= z;
    within += fabs(z) < 1;
    far += fabs(z) > 3;
  }
  const double n = COUNT, root = sqrt(n); /* five standard deviations of each estimate */
  assert_true(fabs(moment[1] / n) < 5 / root);
  assert_true(fabs(moment[2] / n - 1) < 5 * sqrt(2) / root);
  assert_true(fabs(moment[3] / n) < 5 * sqrt(15) / root);
  assert_true(fabs(moment[4] / n - 3) < 5 * sqrt(96) / root);
  assert_true(fabs(within / n - 0.682689492) < 5 * 0.466 / root);
  assert_true(fabs(far / n - 0.002699796) < 5 * 0.052 / root);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_philox_known_answers),
      cmocka_unit_test(test_at_is_philox),
      cmocka_unit_test(test_sequence_is_indexed),
      cmocka_unit_test(test_bits_are_fair),
      cmocka_unit_test(test_uniform),
      cmocka_unit_test(test_below),
      cmocka_unit_test(test_below_large_bound),
      cmocka_unit_test(test_normal),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
