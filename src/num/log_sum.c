/* Rows: the largest score first, then the sum of exponentials below it, in LANES partial sums that
 * are folded in a fixed order; the row is read twice, the second time from the first-level cache.
 * Columns: the same with the rows of one call in place of a row, for a strip of columns at a time,
 * so that a running sum is rescaled once a call and not once an entry. */
#include "num/log_sum.h"

#include "num/simd.h"
#include "num/vector_math.h"

#include <math.h>

#define LANES 16
#define MAX_LANES 64
#define STRIP 128

/* Lane 0 becomes the sum (the largest) of all lanes. */
static inline double fold_sum(double lane[LANES]) {
  for (int width = LANES / 2; width > 0; width /= 2)
    for (int l = 0; l < width; l++)
      lane[l] += lane[l + width];
  return lane[0];
}

/* In so many lanes that they are a loop to the compiler, which makes vectors of it. */
BURL_CLONES
static double largest_score_double(const double *restrict p, const double *restrict c, double scale,
                                   size_t m) {
  double lane[MAX_LANES];
  for (size_t l = 0; l < MAX_LANES; l++)
    lane[l] = BURL_NUM_LOWEST;
  for (size_t j = 0; j < m; j += MAX_LANES) {
    size_t width = m - j < MAX_LANES ? m - j : MAX_LANES;
    for (size_t l = 0; l < width; l++) {
      double t = p[j + l] - scale * c[j + l];
      lane[l] = t > lane[l] ? t : lane[l];
    }
  }
  for (size_t width = MAX_LANES / 2; width > 0; width /= 2)
    for (size_t l = 0; l < width; l++)
      lane[l] = lane[l] > lane[l + width] ? lane[l] : lane[l + width];
  return lane[0];
}

BURL_CLONES
static double sum_below(const double *restrict p, const double *restrict c, double scale,
                        double max, size_t m) {
  double lane[LANES] = {0};
  size_t whole = m - m % LANES;
  for (size_t j = 0; j < whole; j += LANES)
    for (int l = 0; l < LANES; l++)
      lane[l] += exp_double(p[j + (size_t)l] - scale * c[j + (size_t)l] - max);
  for (size_t j = whole; j < m; j++)
    lane[0] += exp_double(p[j] - scale * c[j] - max);
  return fold_sum(lane);
}

double burl_num_log_sum(const double *p, const double *c, double scale, size_t m) {
  double max = largest_score_double(p, c, scale, m);
  return max + log(sum_below(p, c, scale, max, m));
}

/* One strip of `width` columns. */
BURL_CLONES
static void add_strip(double *restrict max, double *restrict sum, const double *restrict q,
                      const double *restrict c, size_t ldc, double scale, size_t rows,
                      size_t width) {
  double top[STRIP];
  for (size_t j = 0; j < width; j++)
    top[j] = max[j];
  for (size_t i = 0; i < rows; i++)
    for (size_t j = 0; j < width; j++) {
      double t = q[i] - scale * c[i * ldc + j];
      top[j] = t > top[j] ? t : top[j];
    }
  for (size_t j = 0; j < width; j++) {
    sum[j] *= exp_double(max[j] - top[j]);
    max[j] = top[j];
  }
  for (size_t i = 0; i < rows; i++)
    for (size_t j = 0; j < width; j++)
      sum[j] += exp_double(q[i] - scale * c[i * ldc + j] - top[j]);
}

void burl_num_log_sum_columns(double *max, double *sum, const double *q, const double *c,
                              size_t ldc, double scale, size_t rows, size_t m) {
  for (size_t j = 0; j < m; j += STRIP)
    add_strip(max + j, sum + j, q, c + j, ldc, scale, rows, m - j < STRIP ? m - j : STRIP);
}

BURL_CLONES
static void plan_doubles(double *restrict P, double f, const double *restrict g,
                         const double *restrict c, double scale, size_t m) {
  for (size_t j = 0; j < m; j++)
    P[j] = exp_double((f + g[j] - c[j]) * scale);
}

void burl_num_plan_row_double(double *P, double f, const double *g, const double *c, double scale,
                              size_t m) {
  plan_doubles(P, f, g, c, scale, m);
}

/* Sixteen doubles, which may lie anywhere; never handed over by value. */
typedef double lanes16 __attribute__((vector_size(128), aligned(8), may_alias));

/* One strip: mass, cost and entropy in lanes of their own. Scores far below the range of exp are
 * raised to a bound where P is 0 as well, since 0 times -inf would be NaN. */
BURL_CLONES
static void plan_strip(double lanes[3][LANES], double *restrict columns, double q,
                       const double *restrict p, const double *restrict c, double scale,
                       size_t width) {
  double score[STRIP], plan[STRIP];
  for (size_t j = 0; j < width; j++) {
    double t = q + p[j] - scale * c[j];
    score[j] = t > -1000.0 ? t : -1000.0;
    plan[j] = exp_double(score[j]);
  }
  for (size_t j = 0; j < width; j++)
    columns[j] += plan[j];
  size_t whole = width - width % LANES;
  lanes16 mass = *(lanes16 *)lanes[0], cost = *(lanes16 *)lanes[1], work = *(lanes16 *)lanes[2];
  for (size_t j = 0; j < whole; j += LANES) {
    lanes16 some = *(const lanes16 *)(plan + j);
    mass += some;
    cost += some * *(const lanes16 *)(c + j);
    work += some * *(const lanes16 *)(score + j);
  }
  *(lanes16 *)lanes[0] = mass;
  *(lanes16 *)lanes[1] = cost;
  *(lanes16 *)lanes[2] = work;
  for (size_t j = whole; j < width; j++) {
    lanes[0][0] += plan[j];
    lanes[1][0] += plan[j] * c[j];
    lanes[2][0] += plan[j] * score[j];
  }
}

burl_num_plan_row burl_num_plan_sums(double *columns, double q, const double *p, const double *c,
                                     double scale, size_t m) {
  double lanes[3][LANES] = {{0}};
  for (size_t j = 0; j < m; j += STRIP)
    plan_strip(lanes, columns + j, q, p + j, c + j, scale, m - j < STRIP ? m - j : STRIP);
  return (burl_num_plan_row){fold_sum(lanes[0]), fold_sum(lanes[1]), fold_sum(lanes[2])};
}
