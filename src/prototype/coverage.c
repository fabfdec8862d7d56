/* Greedy coverage: farthest-point selection (Gonzalez 1985, a 2-approximation of k-centre), made
 * robust: with trim > 0 the next point is not the farthest one but the one at the (1-trim) quantile
 * of the distances, so that up to a share `trim` of outliers (defects among the training images) is
 * never chosen for being far from everything.
 *
 * Taken literally each choice passes over all points. But the distance of a point to the chosen set
 * only falls, so what it was when last looked at is an upper bound, and a point whose bound is
 * below the quantile does not matter. So: a pool of the farthest points is brought up to date and
 * chosen from, with distances kept up inside it, as long as the quantile stays at or above `floor`,
 * which no point outside reaches. Then the bounds at the top are brought up to date, each point
 * against all centres that it has not met, many at once, and a new pool is made. What is chosen is
 * what the literal method chooses, in the arithmetic of num/nearest.h, the first of equals too. */
#include "prototype/bank.h"

#include "base/memory.h"
#include "num/nearest.h"
#include "num/panels.h"
#include "num/simd.h"
#include "prototype/centres.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define BINS 32768 /* by sign, exponent and seven digits of the mantissa */
#define POOL 1024  /* points a pool has beside those above the quantile */

typedef struct coverage {
  const float *points;
  size_t n, d, above; /* `above` points are farther than the quantile */
  burl_centres centres;
  float *least;    /* (n) squared distance to the centres met */
  uint32_t *met;   /* (n) how many these are */
  uint32_t *stale; /* (n) points to be brought up to date, in two halves of a sort */
  uint32_t *start; /* (units of centres + 2) */
  float *scratch;  /* (n+1) */
  uint32_t *bins;  /* (BINS) points whose bounds have the same upper half of bits */
  float floor;
  size_t pool_count;
  uint32_t *pool;     /* (n) rising */
  float *pool_least;  /* (n, filled up to whole blocks) */
  float *pool_blocks; /* few dimensions: the pool's points as point blocks */
} coverage;

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

/* Of values that are not negative. */
BURL_CLONES
static float greatest_value(const float *values, size_t n) {
  burl_lanes most = {0};
  size_t i = 0;
  for (; i + BURL_LANES <= n; i += BURL_LANES) {
    burl_lanes v = *(const burl_lanes *)(values + i);
    burl_lanes_int more = v > most;
    most = (burl_lanes)(((burl_lanes_int)v & more) | ((burl_lanes_int)most & ~more));
  }
  float greatest = 0.0f;
  for (int l = 0; l < BURL_LANES; l++)
    greatest = most[l] > greatest ? most[l] : greatest;
  for (; i < n; i++)
    greatest = values[i] > greatest ? values[i] : greatest;
  return greatest;
}

BURL_CLONES
static size_t count_from(const float *values, size_t n, float floor) {
  uint32_t count = 0;
  for (size_t i = 0; i < n; i++)
    count += values[i] >= floor;
  return count;
}

/* The value of rank `above` from above of all upper bounds. Floats that are not negative are in the
 * order of their bits, so the upper half of these says where to look. */
static float bound_at(coverage *c, size_t above) {
  memset(c->bins, 0, BINS * sizeof *c->bins);
  for (size_t i = 0; i < c->n; i++) {
    uint32_t bits;
    memcpy(&bits, &c->least[i], sizeof bits);
    c->bins[bits >> 16]++;
  }
  uint32_t bin = BINS - 1;
  size_t count = c->bins[bin];
  while (count <= above)
    count += c->bins[--bin];
  float edge;
  memcpy(&edge, &(uint32_t){bin << 16}, sizeof edge);
  count = gather(c->scratch, c->least, c->n, edge);
  return select_rank(c->scratch, count, count - 1 - above);
}

/* Brings the points with bounds from `floor` on up to date; returns how many were not. */
static size_t refresh(coverage *c, float floor) {
  size_t count = 0, unit = burl_centres_unit(&c->centres), made = c->centres.count;
  size_t units = made / unit + 1;
  uint32_t *found = c->stale, *sorted = c->stale + c->n;
  for (size_t i = 0; i < c->n; i++) {
    found[count] = (uint32_t)i;
    count += (c->least[i] >= floor) & (c->met[i] < made);
  }
  memset(c->start, 0, (units + 1) * sizeof *c->start);
  for (size_t i = 0; i < count; i++)
    c->start[c->met[found[i]] / unit + 1]++;
  for (size_t u = 0; u < units; u++)
    c->start[u + 1] += c->start[u];
  for (size_t i = 0; i < count; i++) {
    sorted[c->start[c->met[found[i]] / unit]++] = found[i];
    c->met[found[i]] = (uint32_t)made;
  }
  for (size_t u = 0, first = 0; u < units; first = c->start[u++]) /* start is now the ends */
    if (c->start[u] > first)
      burl_centres_lower(&c->centres, c->least, c->points, sorted + first, c->start[u] - first, u);
  return count;
}

/* Lanes past the last point are at distance 0 and never chosen. */
static void copy_into_blocks(coverage *c) {
  size_t padded = (c->pool_count + BURL_POINT_BLOCK - 1) / BURL_POINT_BLOCK * BURL_POINT_BLOCK;
  if (padded > 0)
    memset(c->pool_blocks + (padded - BURL_POINT_BLOCK) * c->d, 0,
           BURL_POINT_BLOCK * c->d * sizeof(float));
  for (size_t p = c->pool_count; p < padded; p++)
    c->pool_least[p] = 0.0f;
  for (size_t p = 0; p < c->pool_count; p++) {
    float *lane = c->pool_blocks + p / BURL_POINT_BLOCK * BURL_POINT_BLOCK * c->d;
    const float *point = c->points + c->pool[p] * c->d;
    for (size_t t = 0; t < c->d; t++)
      lane[t * BURL_POINT_BLOCK + p % BURL_POINT_BLOCK] = point[t];
  }
}

/* Writes what the pool knows back, and keeps of it the points that are not below the floor. */
static void sift_pool(coverage *c) {
  size_t kept = 0;
  for (size_t p = 0; p < c->pool_count; p++) {
    uint32_t i = c->pool[p];
    c->least[i] = c->pool_least[p];
    c->met[i] = (uint32_t)c->centres.count;
    c->pool[kept] = i;
    c->pool_least[kept] = c->pool_least[p];
    kept += c->pool_least[p] >= c->floor;
  }
  c->pool_count = kept;
  if (c->pool_blocks) copy_into_blocks(c);
}

/* A floor with enough points on it, all up to date. Most bounds at the top may prove too high, so
 * each look goes twice as deep. */
static void fill_pool(coverage *c) {
  size_t want = c->above + POOL < c->n ? c->above + POOL : c->n;
  size_t enough = want - (want - c->above) / 2, count = 0, look = want, fresh = 1;
  while (count < enough && fresh > 0) {
    float value = bound_at(c, look - 1);
    c->floor = value > 0.0f ? value : FLT_TRUE_MIN; /* points at 0 equal a centre */
    fresh = refresh(c, c->floor);
    count = count_from(c->least, c->n, c->floor);
    look = look < c->n - look ? 2 * look : c->n;
  }
  if (count > 2 * want) c->floor = bound_at(c, want - 1);
  c->pool_count = 0;
  for (size_t i = 0; i < c->n; i++) {
    c->pool[c->pool_count] = (uint32_t)i;
    c->pool_least[c->pool_count] = c->least[i];
    c->pool_count += c->least[i] >= c->floor;
  }
  if (c->pool_blocks) copy_into_blocks(c);
}

/* The first point of the pool at the quantile; 0 where that is below the floor. */
static int next_point(const coverage *c, size_t *next) {
  float value;
  if (c->above == 0) {
    value = greatest_value(c->pool_least, c->pool_count);
  } else {
    size_t count = gather(c->scratch, c->pool_least, c->pool_count, c->floor);
    if (count <= c->above) return 0;
    value = select_rank(c->scratch, count, count - 1 - c->above);
  }
  if (!(value >= c->floor)) return 0;
  size_t p = 0;
  while (c->pool_least[p] != value)
    p++;
  *next = c->pool[p];
  return 1;
}

BURL_CLONES
static void lower_blocks(float *restrict least, const float *restrict blocks,
                         const float *restrict point, size_t count, size_t d) {
  for (size_t b = 0; b < count; b++) {
    float sum[BURL_POINT_BLOCK] = {0};
    for (size_t t = 0; t < d; t++)
      for (size_t l = 0; l < BURL_POINT_BLOCK; l++) {
        float gap = blocks[(b * d + t) * BURL_POINT_BLOCK + l] - point[t];
        sum[l] += gap * gap;
      }
    float *out = least + b * BURL_POINT_BLOCK;
    for (size_t l = 0; l < BURL_POINT_BLOCK; l++)
      out[l] = sum[l] < out[l] ? sum[l] : out[l];
  }
}

/* One more centre: the pool meets it at once. */
static void choose(coverage *c, size_t chosen) {
  const float *point = c->points + chosen * c->d;
  burl_centres_add(&c->centres, point);
  if (c->pool_blocks) {
    size_t blocks = (c->pool_count + BURL_POINT_BLOCK - 1) / BURL_POINT_BLOCK;
    lower_blocks(c->pool_least, c->pool_blocks, point, blocks, c->d);
  } else {
    for (size_t p = 0; p < c->pool_count; p++) {
      float square = burl_square_of(c->points + c->pool[p] * c->d, point, c->d);
      if (square < c->pool_least[p]) c->pool_least[p] = square;
    }
  }
  if (count_from(c->pool_least, c->pool_count, c->floor) < c->pool_count - c->pool_count / 4)
    sift_pool(c);
}

static size_t nearest_to_mean(const coverage *c, float *mean) {
  size_t best = 0;
  float least = 0.0f;
  burl_panel_centre(mean, c->points, c->n, c->d);
  for (size_t i = 0; i < c->n; i++) {
    float square = 0.0f;
    const float *point = c->points + i * c->d;
    if (c->pool_blocks) {
      for (size_t t = 0; t < c->d; t++)
        square += (point[t] - mean[t]) * (point[t] - mean[t]);
    } else {
      square = burl_square_of(point, mean, c->d);
    }
    if (i > 0 && !(square < least)) continue;
    least = square;
    best = i;
  }
  return best;
}

static void *request(burl_arena *arena, size_t count, size_t size) {
  if (arena->block) return burl_arena_take(arena, count, size);
  burl_arena_reserve(arena, count, size);
  return NULL;
}

/* The mean of few dimensions lies where centres have none. */
static void lay_out(coverage *c, float **mean, burl_arena *arena, size_t k) {
  size_t padded = c->n + BURL_POINT_BLOCK;
  burl_centres_place(&c->centres, arena, k, c->d);
  c->least = request(arena, c->n, sizeof(float));
  c->met = request(arena, c->n, sizeof *c->met);
  c->stale = request(arena, 2 * c->n + 1, sizeof *c->stale);
  c->start = request(arena, k / burl_centres_unit(&c->centres) + 3, sizeof *c->start);
  c->bins = request(arena, BINS, sizeof *c->bins);
  c->scratch = request(arena, c->n + 1, sizeof(float)); /* gather writes one ahead */
  c->pool = request(arena, padded, sizeof *c->pool);
  c->pool_least = request(arena, padded, sizeof(float));
  if (c->d <= BURL_POINT_FEW_DIMENSIONS)
    c->pool_blocks = request(arena, padded * c->d, sizeof(float));
  *mean = request(arena, c->d, sizeof(float));
}

static size_t cover(coverage *c, size_t *chosen, size_t k, size_t first) {
  size_t made = 1;
  chosen[0] = first;
  for (size_t i = 0; i < c->n; i++) {
    c->least[i] = FLT_MAX;
    c->met[i] = 0;
  }
  burl_centres_add(&c->centres, c->points + first * c->d);
  while (made < k) {
    size_t before = made;
    fill_pool(c);
    for (size_t next; made < k && next_point(c, &next); made++) {
      chosen[made] = next;
      choose(c, next);
    }
    c->floor = INFINITY;
    sift_pool(c);
    if (made == before) break; /* what is left equals points already chosen */
  }
  return made;
}

burl_status burl_coverage_from(size_t *chosen, size_t *count, const float *points, size_t n,
                               size_t d, size_t k, double trim, size_t first) {
  coverage c = {.points = points, .n = n, .d = d, .above = (size_t)(trim * (double)(n - 1))};
  burl_arena arena = {0};
  float *mean;
  lay_out(&c, &mean, &arena, k);
  if (!burl_arena_open(&arena)) return BURL_ERR_MEMORY;
  lay_out(&c, &mean, &arena, k);
  size_t middle = nearest_to_mean(&c, mean);
  if (c.centres.mean) memcpy(c.centres.mean, mean, d * sizeof *mean);
  *count = cover(&c, chosen, k, first < n ? first : middle);
  burl_arena_close(&arena);
  return BURL_OK;
}

burl_status burl_coverage_start(size_t *chosen, size_t *count, const float *points, size_t n,
                                size_t d, size_t k, double trim) {
  return burl_coverage_from(chosen, count, points, n, d, k, trim, n);
}
