/* Squared distances of blocks of rows, |x|^2 - 2<x,y> + |y|^2 by a matrix product or difference by
 * difference, and 1 - cos, which is half the squared distance of the directions.
 *
 * Everything is divided by a power of 2 first, so that no square overflows or dies out, and for the
 * product the mean of Y is subtracted: far from the origin the squares would cancel for nothing.
 * Where they cancel all the same, below NEAR of their sum, the entry is formed anew in double from
 * the points themselves. For cosine that also holds for differences, since directions are rounded:
 * the nearness of two vectors is theirs, not that of their rounded directions. */
#include "base/memory.h"
#include "num/gemm.h"
#include "num/magnitude.h"
#include "num/nearest.h"
#include "num/simd.h"
#include "transport/cost_parts.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NEAR (1.0f / 32.0f)
#define STRIP 128

/* sum_t (x_t x_inverse - y_t y_inverse)^2 in double, in four partial sums. */
static double exact_square(const float *x, const float *y, double x_inverse, double y_inverse,
                           size_t d) {
  double lane[4] = {0};
  size_t whole = d - d % 4;
  for (size_t t = 0; t < whole; t += 4)
    for (size_t l = 0; l < 4; l++) {
      double gap = (double)x[t + l] * x_inverse - (double)y[t + l] * y_inverse;
      lane[l] += gap * gap;
    }
  for (size_t t = whole; t < d; t++) {
    double gap = (double)x[t] * x_inverse - (double)y[t] * y_inverse;
    lane[0] += gap * gap;
  }
  return (lane[0] + lane[1]) + (lane[2] + lane[3]);
}

/* row_j = max(0, x_square + y_square_j + row_j), row being -2<x,y_j>. */
BURL_CLONES
static void complete_squares(float *restrict row, float x_square, const float *restrict y_squares,
                             size_t m) {
  for (size_t j = 0; j < m; j++) {
    float square = (x_square + y_squares[j]) + row[j];
    row[j] = square > 0.0f ? square : 0.0f;
  }
}

/* How many entries are so small that squares cancelled. */
BURL_CLONES
static int count_near(const float *restrict row, float x_square, const float *restrict y_squares,
                      size_t m) {
  int near = 0;
  for (size_t j = 0; j < m; j++)
    near += row[j] < NEAR * (x_square + y_squares[j]);
  return near;
}

/* Forms anew the entries in which squares cancelled. They are few or close together, and most
 * strips of a row have none. */
static void mend_row(const burl_cost_points *points, float *row, size_t i, size_t in_block) {
  size_t m = points->m, d = points->d;
  float x_square = points->x_squares[in_block];
  for (size_t first = 0; first < m; first += STRIP) {
    size_t end = m - first < STRIP ? m : first + STRIP;
    if (!count_near(row + first, x_square, points->y_squares + first, end - first)) continue;
    for (size_t j = first; j < end; j++)
      if (row[j] < NEAR * (x_square + points->y_squares[j]))
        row[j] = (float)exact_square(points->X + i * d, points->Y + j * d,
                                     points->x_inverse[in_block], points->y_inverse[j], d);
  }
}

/* Squared distances of directions to 1 - cos; zero vectors, which alone have no square left, are at
 * right angles to everything. */
BURL_CLONES
static void halve_row(float *restrict row, float x_square, const float *restrict y_squares,
                      size_t m) {
  for (size_t j = 0; j < m; j++) {
    float half = 0.5f * row[j];
    half = half < 2.0f ? half : 2.0f;
    half = y_squares[j] > 0.0f ? half : 1.0f;
    row[j] = x_square > 0.0f ? half : 1.0f;
  }
}

static double norm_of(const float *x, size_t d) {
  double squares = 0.0;
  for (size_t t = 0; t < d; t++)
    squares += (double)x[t] * (double)x[t];
  return sqrt(squares);
}

/* One vector made ready; gives its inverse scale and the square of what is left of it. */
static double make_ready(const burl_cost_points *points, float *ready, float *square,
                         const float *from) {
  double inverse = 1.0 / points->unit, squares = 0.0;
  if (points->cosine) {
    double norm = norm_of(from, points->d);
    inverse = norm > 0.0 ? 1.0 / norm : 0.0;
  }
  for (size_t t = 0; t < points->d; t++) {
    ready[t] = (float)(((double)from[t] - points->centre[t]) * inverse);
    squares += (double)ready[t] * (double)ready[t];
  }
  *square = (float)squares;
  return inverse;
}

void burl_cost_points_rows(burl_cost_points *points, float *block, size_t ld, size_t first,
                           size_t count) {
  size_t m = points->m, d = points->d;
  for (size_t i = 0; i < count; i++)
    points->x_inverse[i] =
        make_ready(points, points->x + i * d, points->x_squares + i, points->X + (first + i) * d);
  burl_status status = BURL_OK;
  if (points->by_differences)
    burl_point_blocks_distances(block, ld, points->x, count, points->y, m, d);
  else
    status = burl_num_sgemm(block, ld, points->x, d, BURL_NUM_PLAIN, points->y, d,
                            BURL_NUM_TRANSPOSED, count, m, d, -2.0f, 0.0f);
  (void)status; /* _new has seen to the sizes */
  for (size_t i = 0; i < count; i++) {
    float *row = block + i * ld;
    if (!points->by_differences) complete_squares(row, points->x_squares[i], points->y_squares, m);
    if (!points->by_differences || points->cosine) mend_row(points, row, first + i, i);
    if (points->cosine) halve_row(row, points->x_squares[i], points->y_squares, m);
  }
}

/* The unit and the centre. */
static void choose_scale(burl_cost_points *points) {
  if (points->cosine) return;
  int exponent = 0;
  float x = burl_num_magnitude_float(points->X, points->n * points->d);
  float y = burl_num_magnitude_float(points->Y, points->m * points->d);
  if (x > 0.0f || y > 0.0f) frexp((double)(x > y ? x : y), &exponent);
  points->unit = ldexp(1.0, exponent);
  if (points->by_differences) return;
  for (size_t j = 0; j < points->m; j++)
    for (size_t t = 0; t < points->d; t++)
      points->centre[t] += (double)points->Y[j * points->d + t];
  for (size_t t = 0; t < points->d; t++)
    points->centre[t] /= (double)points->m;
}

static burl_status make_points_ready(burl_cost_points *points) {
  size_t d = points->d, m = points->m;
  float *ready = points->y;
  if (points->by_differences) {
    ready = burl_alloc(m * d, sizeof *ready);
    if (!ready) return BURL_ERR_MEMORY;
  }
  for (size_t j = 0; j < m; j++)
    points->y_inverse[j] =
        make_ready(points, ready + j * d, points->y_squares + j, points->Y + j * d);
  if (points->by_differences) {
    burl_point_blocks_pack(points->y, ready, m, d);
    free(ready);
  }
  return BURL_OK;
}

burl_status burl_cost_points_new(burl_cost_points *points, int cosine, burl_cost_form form,
                                 const float *X, size_t n, const float *Y, size_t m, size_t d) {
  if (d > INT_MAX || m > INT_MAX) return BURL_ERR_SIZE;
  int differences =
      form == BURL_COST_DIFFERENCES || (form == BURL_COST_AUTO && d <= BURL_COST_FEW_DIMENSIONS);
  *points = (burl_cost_points){.X = X, .Y = Y, .n = n, .m = m, .d = d, .unit = 1.0};
  points->cosine = cosine;
  points->by_differences = differences;
  points->centre = burl_alloc_zero(d, sizeof(double));
  points->y = burl_alloc(differences ? burl_point_blocks_size(m, d) : m * d, sizeof(float));
  points->y_squares = burl_alloc(m, sizeof(float));
  points->y_inverse = burl_alloc(m, sizeof(double));
  points->x = burl_alloc(d, BURL_COST_BLOCK * sizeof(float));
  points->x_squares = burl_alloc(BURL_COST_BLOCK, sizeof(float));
  points->x_inverse = burl_alloc(BURL_COST_BLOCK, sizeof(double));
  if (!points->centre || !points->y || !points->y_squares || !points->y_inverse || !points->x ||
      !points->x_squares || !points->x_inverse)
    return BURL_ERR_MEMORY;
  choose_scale(points);
  return make_points_ready(points);
}

void burl_cost_points_free(burl_cost_points *points) {
  free(points->centre);
  free(points->y);
  free(points->y_squares);
  free(points->y_inverse);
  free(points->x);
  free(points->x_squares);
  free(points->x_inverse);
}
