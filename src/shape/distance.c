/* Exact Euclidean distance transform in linear time (Felzenszwalb and Huttenlocher 2012), in whole
 * numbers.
 *
 * The squared distance separates: min over (y',x') of (y-y')^2 + (x-x')^2 is, for each row,
 *   min over q of (x-q)^2 + v_q^2,     v_q = distance within column q to the nearest mask pixel.
 * One pass down and one up give all v. A row then is the lower envelope of parabolas with apexes
 * (q, v_q^2), all of one width, so that two of them cross once: the right one q is at least as low
 * as the left one p from
 *   x >= ((q^2 + v_q^2) - (p^2 + v_p^2)) / (2 (q - p)).
 * Parabolas come from left to right; one that is hidden before the next begins leaves the stack.
 * Each enters once and leaves at most once. Rounding the crossing up to a whole x loses nothing,
 * because only whole x are asked; so no number is ever rounded. Sides below 2^30 keep all sums
 * below 2^62, and all distances exact where they are below 2^53. */
#include <burl/shape_distance.h>

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

#define LONGEST_SIDE ((size_t)1 << 30)
#define NONE INT64_C(-1) /* no mask pixel in this column */

typedef struct parabola {
  int64_t place, height; /* q and v_q^2 */
  int64_t first;         /* the first x where it is the lowest of those up to now */
} parabola;

/* a/b rounded up, b > 0. */
static int64_t divide_up(int64_t a, int64_t b) {
  int64_t quotient = a / b;
  return quotient + (a % b > 0);
}

static burl_status check_sides(size_t height, size_t width) {
  size_t count;
  if (height >= LONGEST_SIDE || width >= LONGEST_SIDE || !burl_size_mul(&count, height, width) ||
      !burl_size_mul(&count, count, sizeof(double)))
    return BURL_ERR_SIZE;
  return BURL_OK;
}

/* v of all columns to `out`, NONE where a column has no pixel that is mask (or not mask, if
 * `inverse`). */
static void measure_columns(double *out, const uint8_t *mask, size_t height, size_t width,
                            int inverse) {
  const double none = (double)NONE;
  for (size_t i = 0; i < height * width; i++) {
    double above = i >= width ? out[i - width] : none;
    int source = (mask[i] != 0) != inverse;
    out[i] = source ? 0 : above < 0 ? none : above + 1;
  }
  for (size_t i = height * width; i-- > width;) {
    double below = out[i];
    double *at = &out[i - width];
    if (below >= 0 && (*at < 0 || *at > below + 1)) *at = below + 1;
  }
}

static size_t build_envelope(parabola *stack, const double *row, size_t width) {
  size_t depth = 0;
  for (size_t x = 0; x < width; x++) {
    if (row[x] < 0) continue;
    int64_t q = (int64_t)x, height = (int64_t)row[x] * (int64_t)row[x], first = 0;
    while (depth > 0) {
      const parabola *top = &stack[depth - 1];
      int64_t lead = (q * q + height) - (top->place * top->place + top->height);
      first = divide_up(lead, 2 * (q - top->place));
      if (first > top->first) break;
      depth--;
      first = 0;
    }
    if (first < (int64_t)width) stack[depth++] = (parabola){q, height, first};
  }
  return depth;
}

static void read_envelope(double *row, const parabola *stack, size_t depth, size_t width) {
  size_t at = 0;
  for (size_t x = 0; x < width; x++) {
    if (depth == 0) {
      row[x] = HUGE_VAL;
      continue;
    }
    while (at + 1 < depth && stack[at + 1].first <= (int64_t)x)
      at++;
    int64_t away = (int64_t)x - stack[at].place;
    row[x] = (double)(away * away + stack[at].height);
  }
}

/* `stack` has room for a row. */
static void transform(double *out, parabola *stack, const uint8_t *mask, size_t height,
                      size_t width, int inverse) {
  measure_columns(out, mask, height, width, inverse);
  for (size_t y = 0; y < height; y++) {
    double *row = out + y * width;
    read_envelope(row, stack, build_envelope(stack, row, width), width);
  }
}

burl_status burl_shape_distance(double *squared, const uint8_t *mask, size_t height, size_t width) {
  burl_status status = check_sides(height, width);
  if (status != BURL_OK) return status;
  parabola *stack = burl_alloc(width, sizeof *stack);
  if (!stack) return BURL_ERR_MEMORY;
  transform(squared, stack, mask, height, width, 0);
  free(stack);
  return BURL_OK;
}

burl_status burl_shape_signed_distance(double *distance, const uint8_t *mask, size_t height,
                                       size_t width) {
  burl_status status = check_sides(height, width);
  if (status != BURL_OK) return status;
  burl_arena arena = {0};
  burl_arena_reserve(&arena, width, sizeof(parabola));
  burl_arena_reserve(&arena, height * width, sizeof(double));
  if (!burl_arena_open(&arena)) return BURL_ERR_MEMORY;
  parabola *stack = burl_arena_take(&arena, width, sizeof *stack);
  double *inner = burl_arena_take(&arena, height * width, sizeof *inner);
  transform(distance, stack, mask, height, width, 0);
  transform(inner, stack, mask, height, width, 1);
  for (size_t i = 0; i < height * width; i++)
    distance[i] = mask[i] ? 0.5 - sqrt(inner[i]) : sqrt(distance[i]) - 0.5;
  burl_arena_close(&arena);
  return BURL_OK;
}
