/* Pooling and widening of a network's layers against plain twins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "encode/network_pool.h"
#include "reference/ref_network_pool.h"
#include <stdlib.h>

enum { MOST = 9 * 9 * 40 };

static void fill(float *map, size_t n, uint64_t seed) {
  for (size_t i = 0; i < n; i++)
    map[i] = (float)(burl_random_at(seed, 0, i) % 2001) / 1000.0f - 1.0f;
}

static void pools_as_the_twin(void **state) {
  static const size_t sizes[][3] = {{1, 1, 1}, {1, 5, 3}, {4, 1, 17}, {2, 2, 33}, {7, 9, 40}};
  static float in[MOST], out[MOST], row[MOST];
  (void)state;
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
    size_t rows = sizes[s][0], cols = sizes[s][1], d = sizes[s][2];
    fill(in, rows * cols * d, s);
    burl_network_pool(out, row, &(burl_network_map){rows, cols, d, in});
    for (size_t i = 0; i < rows; i++)
      for (size_t j = 0; j < cols; j++)
        for (size_t t = 0; t < d; t++)
          assert_float_equal(out[(i * cols + j) * d + t], ref_pooled(in, rows, cols, d, i, j, t),
                             1e-6);
  }
}

static void widens_as_the_twin(void **state) {
  static const size_t sizes[][4] = {{1, 1, 1, 1}, {3, 4, 5, 1}, {3, 4, 33, 2}, {2, 5, 17, 4}};
  static float in[MOST], out[16 * 32 * 40];
  (void)state;
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
    size_t rows = sizes[s][0], cols = sizes[s][1], d = sizes[s][2], ratio = sizes[s][3];
    size_t wide = cols * ratio - (ratio > 1), high = rows * ratio, ld = d + 3;
    fill(in, rows * cols * d, s);
    for (size_t i = 0; i < high * wide * ld; i++)
      out[i] = -7.0f;
    burl_network_widen(out, ld, high, wide, in, rows, cols, d, ratio);
    for (size_t i = 0; i < high * wide; i++) {
      double y = ((double)(i / wide) + 0.5) / (double)ratio - 0.5;
      double x = ((double)(i % wide) + 0.5) / (double)ratio - 0.5;
      for (size_t t = 0; t < d; t++)
        assert_float_equal(out[i * ld + t], ref_looked_up(in, rows, cols, d, y, x, t), 1e-6);
      for (size_t t = d; t < ld; t++)
        assert_true(out[i * ld + t] == -7.0f);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(pools_as_the_twin),
                                     cmocka_unit_test(widens_as_the_twin)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
