/* Greedy coverage: farthest-point selection (Gonzalez 1985, a 2-approximation of k-centre), made
 * robust: with trim > 0 the next point is not the farthest one but the one at the (1-trim) quantile
 * of the distances, so that up to a share `trim` of outliers (defects among the training images) is
 * never chosen for being far from everything. */
#include "prototype/bank.h"

#include "base/memory.h"
#include "num/simd.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

/* least (n) = min(least, squared distance to point c); columns (d,n) are the points transposed. */
BURL_CLONES
static void lower(float *restrict least, float *restrict sum, const float *restrict columns,
                  size_t n, size_t d, size_t c) {
  for (size_t i = 0; i < n; i++)
    sum[i] = 0.0f;
  for (size_t t = 0; t < d; t++) {
    const float *column = columns + t * n;
    float centre = column[c];
    for (size_t i = 0; i < n; i++) {
      float difference = column[i] - centre;
      sum[i] += difference * difference;
    }
  }
  for (size_t i = 0; i < n; i++)
    least[i] = sum[i] < least[i] ? sum[i] : least[i];
}

/* The value of rank `rank` (from 0, ascending) of v (n), which is reordered (Hoare's selection). */
static float select_rank(float *v, size_t n, size_t rank) {
  size_t lo = 0, hi = n - 1;
  while (lo < hi) {
    float pivot = v[lo + (hi - lo) / 2];
    size_t i = lo, j = hi;
    for (;;) {
      while (v[i] < pivot)
        i++;
      while (v[j] > pivot)
        j--;
      if (i >= j) break;
      float swap = v[i];
      v[i++] = v[j];
      v[j--] = swap;
    }
    if (rank <= j)
      hi = j;
    else
      lo = j + 1;
  }
  return v[lo];
}

/* Copies the values of at least `bound`; returns how many. */
static size_t gather(float *out, const float *values, size_t n, float bound) {
  size_t count = 0;
  for (size_t i = 0; i < n; i++) {
    out[count] = values[i];
    count += values[i] >= bound;
  }
  return count;
}

/* The first index whose distance is the (1-trim) quantile. Distances only fall from point to point,
 * and the quantile slowly: it is looked for among those of at least *bound, a little below the last
 * one, and among all where these do not reach. */
static size_t next_point(const float *least, float *scratch, size_t n, double trim, float *bound) {
  size_t above = (size_t)(trim * (double)(n - 1));
  size_t count = gather(scratch, least, n, *bound);
  if (count <= above) count = gather(scratch, least, n, 0.0f);
  float value = select_rank(scratch, count, count - 1 - above);
  *bound = 0.9f * value;
  for (size_t i = 0; i < n; i++)
    if (least[i] == value) return i;
  return 0;
}

static size_t nearest_to_mean(const float *columns, float *sum, size_t n, size_t d) {
  memset(sum, 0, n * sizeof *sum);
  for (size_t t = 0; t < d; t++) {
    double total = 0.0;
    for (size_t i = 0; i < n; i++)
      total += (double)columns[t * n + i];
    float mean = (float)(total / (double)n);
    for (size_t i = 0; i < n; i++) {
      float difference = columns[t * n + i] - mean;
      sum[i] += difference * difference;
    }
  }
  size_t best = 0;
  for (size_t i = 1; i < n; i++)
    if (sum[i] < sum[best]) best = i;
  return best;
}

burl_status burl_coverage_start(size_t *chosen, size_t *count, const float *points, size_t n,
                                size_t d, size_t k, double trim) {
  burl_arena arena = {0};
  burl_arena_reserve(&arena, n * d, sizeof(float));
  burl_arena_reserve(&arena, n, sizeof(float));
  burl_arena_reserve(&arena, n + 1, sizeof(float));
  if (!burl_arena_open(&arena)) return BURL_ERR_MEMORY;
  float *columns = burl_arena_take(&arena, n * d, sizeof(float));
  float *least = burl_arena_take(&arena, n, sizeof(float));
  float *scratch = burl_arena_take(&arena, n + 1, sizeof(float)); /* gather writes one ahead */
  for (size_t i = 0; i < n; i++) {
    least[i] = FLT_MAX;
    for (size_t t = 0; t < d; t++)
      columns[t * n + i] = points[i * d + t];
  }
  size_t made = 0;
  float bound = 0.0f;
  chosen[made++] = nearest_to_mean(columns, scratch, n, d);
  while (made < k) {
    lower(least, scratch, columns, n, d, chosen[made - 1]);
    size_t next = next_point(least, scratch, n, trim, &bound);
    if (least[next] <= 0.0f) break; /* what is left equals points already chosen */
    chosen[made++] = next;
  }
  burl_arena_close(&arena);
  *count = made;
  return BURL_OK;
}
