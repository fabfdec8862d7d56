/* num/solve.h: the product against its definition, solutions against the system, bad systems. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "num/solve.h"
#include "unit/failing.h"

#include <math.h>
#include <string.h>

#define MOST 70

static double A[MOST * MOST], G[MOST * MOST], kept[MOST * MOST], x[MOST], rhs[MOST];
static double scratch[3 * MOST];
static int marks[MOST];

static void fill(size_t rows, size_t columns, uint64_t seed) {
  burl_random random = burl_random_start(seed, rows);
  for (size_t i = 0; i < rows * columns; i++)
    A[i] = burl_random_normal(&random);
}

static void gram_is_the_product(void **state) {
  (void)state;
  static const size_t sizes[][2] = {{1, 1}, {1, 9}, {9, 1}, {13, 40}, {40, 13}, {70, 70}};
  for (size_t s = 0; s < 6; s++)
    for (int inner = 0; inner < 2; inner++) {
      size_t rows = sizes[s][0], columns = sizes[s][1];
      size_t k = inner ? columns : rows, depth = inner ? rows : columns;
      fill(rows, columns, s);
      for (size_t i = 0; i < k * k; i++)
        G[i] = -7.5;
      assert_int_equal(burl_num_gram(G, A, rows, columns, inner), BURL_OK);
      for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j < k; j++) {
          double sum = 0.0;
          for (size_t d = 0; d < depth; d++)
            sum += inner ? A[d * columns + i] * A[d * columns + j]
                         : A[i * columns + d] * A[j * columns + d];
          if (j >= i)
            assert_true(fabs(G[i * k + j] - sum) < 1e-12);
          else
            assert_true(G[i * k + j] == -7.5);
        }
    }
  assert_int_equal(burl_num_gram(G, A, 3, SIZE_MAX, 0), BURL_ERR_SIZE);
  assert_int_equal(burl_num_gram(G, A, 50000, 3, 0), BURL_ERR_SIZE);
}

/* A A^T + shift I, with NaN below the diagonal. */
static void make_system(size_t n, double shift, double scale, uint64_t seed) {
  fill(n, n, seed);
  burl_random random = burl_random_start(seed, 99);
  for (size_t i = 0; i < n * n; i++)
    G[i] = (double)NAN;
  for (size_t i = 0; i < n; i++) {
    x[i] = rhs[i] = burl_random_normal(&random);
    for (size_t j = i; j < n; j++) {
      double sum = i == j ? shift : 0.0;
      for (size_t d = 0; d < n; d++)
        sum += A[i * n + d] * A[j * n + d];
      G[i * n + j] = scale * sum;
    }
  }
  memcpy(kept, G, sizeof kept);
}

static double entry(size_t i, size_t j, size_t n) {
  return i <= j ? kept[i * n + j] : kept[j * n + i];
}

static void solutions_solve(void **state) {
  (void)state;
  static const size_t sizes[] = {1, 2, 5, 33, 70};
  static const double scales[] = {1e-100, 1.0, 1e100};
  for (size_t s = 0; s < 5; s++)
    for (size_t k = 0; k < 3; k++) {
      size_t n = sizes[s];
      double conditioning = -1.0;
      make_system(n, 1.0, scales[k], s);
      fail_allocation_after(-1);
      burl_status status = burl_num_solve_positive(x, G, n, scratch, marks, 1e-10, &conditioning);
      assert_int_equal(stop_failing(), 0);
      assert_int_equal(status, BURL_OK);
      assert_true(conditioning > 1e-6 && conditioning <= 1.0 + 1e-12);
      for (size_t i = 0; i < n; i++) {
        double sum = 0.0;
        for (size_t j = 0; j < n; j++)
          sum += entry(i, j, n) * x[j];
        assert_true(fabs(sum - rhs[i]) < 1e-10);
      }
    }
  assert_int_equal(burl_num_solve_positive(x, G, 0, scratch, marks, 0.5, NULL), BURL_OK);
}

static void knows_the_condition_of_a_diagonal(void **state) {
  (void)state;
  double diagonal[9] = {4.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1e-3}, one[3] = {1.0, 1.0, 1.0};
  double conditioning = 0.0;
  assert_int_equal(burl_num_solve_positive(one, diagonal, 3, scratch, marks, 0.0, &conditioning),
                   BURL_OK);
  assert_true(fabs(conditioning - 1e-3 / 4.0) < 1e-15);
  assert_true(fabs(one[0] - 0.25) < 1e-15 && fabs(one[2] - 1000.0) < 1e-9);
}

static void refuse(size_t n, double least, burl_status wanted) {
  double conditioning = 5.0;
  memcpy(rhs, x, sizeof rhs);
  assert_int_equal(burl_num_solve_positive(x, G, n, scratch, marks, least, &conditioning), wanted);
  assert_memory_equal(x, rhs, n * sizeof *x);
  assert_true(conditioning == 5.0);
}

static void refuses_bad_systems(void **state) {
  (void)state;
  make_system(6, 1.0, 1.0, 7);
  refuse(6, 1.0, BURL_ERR_NUMERIC); /* nothing but a multiple of I is that good */
  make_system(6, -500.0, 1.0, 7);
  refuse(6, 0.0, BURL_ERR_NUMERIC); /* not positive definite */
  memset(G, 0, sizeof G);
  refuse(6, 0.0, BURL_ERR_NUMERIC);
  for (size_t i = 0; i < 36; i++)
    G[i] = 1.0; /* rank 1: a factor by luck of rounding would still be refused */
  refuse(6, 1e-13, BURL_ERR_NUMERIC);
  const double bad[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};
  for (size_t k = 0; k < 3; k++) {
    make_system(6, 1.0, 1.0, 8);
    G[2 * 6 + 4] = bad[k];
    refuse(6, 0.0, BURL_ERR_NUMERIC);
    make_system(6, 1.0, 1.0, 8);
    x[3] = bad[k];
    double before = x[0];
    assert_int_equal(burl_num_solve_positive(x, G, 6, scratch, marks, 0.0, NULL), BURL_ERR_NUMERIC);
    assert_true(x[0] == before);
  }
  assert_int_equal(burl_num_solve_positive(x, G, 50000, scratch, marks, 0.0, NULL), BURL_ERR_SIZE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gram_is_the_product),
      cmocka_unit_test(solutions_solve),
      cmocka_unit_test(knows_the_condition_of_a_diagonal),
      cmocka_unit_test(refuses_bad_systems),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
