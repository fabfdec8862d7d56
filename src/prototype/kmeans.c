/* k-means: centres (k,d) of points (n,d) that lower the sum of squared distances to the nearest.
 *
 * Start (k-means++): a random point, then points drawn with probability proportional to the squared
 * distance to the nearest centre so far. Steps (Lloyd): every point goes to its nearest centre, a
 * cluster that is left empty takes the point farthest from its centre, and every centre moves to
 * the mean of its points. No part of a step raises the sum. Sums are in double and in the order of
 * the points, so that the bytes do not depend on the machine. */
#include "prototype/baselines.h"

#include "base/memory.h"
#include "base/random.h"
#include "num/nearest.h"
#include "num/simd.h"

#include <float.h>
#include <string.h>

enum { STREAM_KMEANS = 2 };

typedef struct lloyd {
  burl_arena arena;
  size_t n, k, d;
  float *packed;  /* the centres for num/nearest */
  float *squared; /* (n) to the nearest centre */
  uint32_t *at;   /* (n) which that is */
  uint32_t *was;  /* (n) which it was a step ago */
  size_t *count;  /* (k) points of each cluster */
  double *sum;    /* (k,d) */
} lloyd;

static void *request_piece(burl_arena *arena, size_t count, size_t size) {
  if (arena->block) return burl_arena_take(arena, count, size);
  burl_arena_reserve(arena, count, size);
  return NULL;
}

static void lay_out_lloyd(lloyd *s) {
  s->packed = request_piece(&s->arena, burl_points_packed_size(s->k, s->d), sizeof(float));
  s->squared = request_piece(&s->arena, s->n, sizeof(float));
  s->at = request_piece(&s->arena, s->n, sizeof *s->at);
  s->was = request_piece(&s->arena, s->n, sizeof *s->was);
  s->count = request_piece(&s->arena, s->k, sizeof *s->count);
  s->sum = request_piece(&s->arena, s->k * s->d, sizeof(double));
}

/* squared (n) = min(squared, |x_i - c|^2), summed in lanes by dimension. */
BURL_CLONES
static void lower_to_centre(float *restrict squared, const float *restrict points,
                            const float *restrict c, size_t n, size_t d) {
  size_t whole = d - d % BURL_LANES;
  for (size_t i = 0; i < n; i++) {
    const float *x = points + i * d;
    burl_lanes lanes = {0};
    float sum = 0.0f;
    for (size_t t = 0; t < whole; t += BURL_LANES) {
      burl_lanes difference = *(const burl_lanes *)(x + t) - *(const burl_lanes *)(c + t);
      lanes += difference * difference;
    }
    for (size_t t = whole; t < d; t++) {
      float difference = x[t] - c[t];
      sum += difference * difference;
    }
    for (size_t lane = 0; lane < BURL_LANES; lane++)
      sum += lanes[lane];
    squared[i] = sum < squared[i] ? sum : squared[i];
  }
}

/* An index drawn with probability weight_i / sum; n where all weights are 0. */
static size_t draw(const float *weight, size_t n, burl_random *random) {
  double total = 0.0, passed = 0.0;
  size_t last = n;
  for (size_t i = 0; i < n; i++)
    total += (double)weight[i];
  double target = burl_random_uniform(random) * total;
  for (size_t i = 0; i < n; i++) {
    if (!(weight[i] > 0.0f)) continue;
    passed += (double)weight[i];
    last = i;
    if (passed > target) break;
  }
  return last;
}

/* Centres (k,d); returns how many were found: fewer than k when they equal all points. */
static size_t seed_centres(lloyd *s, float *centres, const float *points, uint64_t seed) {
  burl_random random = burl_random_start(seed, STREAM_KMEANS);
  size_t next = (size_t)burl_random_below(&random, s->n), made = 0;
  for (size_t i = 0; i < s->n; i++)
    s->squared[i] = FLT_MAX;
  while (next < s->n) {
    float *centre = centres + made * s->d;
    memcpy(centre, points + next * s->d, s->d * sizeof *centre);
    if (++made == s->k) break;
    lower_to_centre(s->squared, points, centre, s->n, s->d);
    next = draw(s->squared, s->n, &random);
  }
  return made;
}

/* Every point to its nearest centre. */
static void assign_points(lloyd *s, const float *centres, const float *points) {
  burl_points_pack(s->packed, centres, s->k, s->d);
  burl_points_nearest(s->squared, s->at, points, s->n, s->packed, s->k, s->d);
  memset(s->count, 0, s->k * sizeof *s->count);
  for (size_t i = 0; i < s->n; i++)
    s->count[s->at[i]]++;
}

/* Gives each empty cluster the point that is farthest from its centre and not alone there. */
static void fill_empty(lloyd *s) {
  for (size_t j = 0; j < s->k; j++) {
    if (s->count[j] > 0) continue;
    size_t farthest = s->n;
    float most = 0.0f;
    for (size_t i = 0; i < s->n; i++)
      if (s->squared[i] > most && s->count[s->at[i]] > 1) {
        most = s->squared[i];
        farthest = i;
      }
    if (farthest == s->n) return; /* every point has a centre on it or to itself */
    s->count[s->at[farthest]]--;
    s->count[j] = 1;
    s->at[farthest] = (uint32_t)j;
  }
}

static void move_to_means(lloyd *s, float *centres, const float *points) {
  memset(s->sum, 0, s->k * s->d * sizeof *s->sum);
  for (size_t i = 0; i < s->n; i++) {
    double *sum = s->sum + s->at[i] * s->d;
    for (size_t t = 0; t < s->d; t++)
      sum[t] += (double)points[i * s->d + t];
  }
  for (size_t j = 0; j < s->k; j++)
    for (size_t t = 0; s->count[j] > 0 && t < s->d; t++)
      centres[j * s->d + t] = (float)(s->sum[j * s->d + t] / (double)s->count[j]);
}

burl_status burl_kmeans(float *prototypes, size_t *k, const float *points, size_t n, size_t d,
                        size_t iterations, uint64_t seed) {
  lloyd s = {.n = n, .k = *k < n ? *k : n, .d = d};
  lay_out_lloyd(&s);
  if (!burl_arena_open(&s.arena)) return BURL_ERR_MEMORY;
  lay_out_lloyd(&s);
  s.k = seed_centres(&s, prototypes, points, seed);
  for (size_t step = 0; step < iterations; step++) {
    assign_points(&s, prototypes, points);
    fill_empty(&s);
    if (step > 0 && memcmp(s.at, s.was, n * sizeof *s.at) == 0) break;
    memcpy(s.was, s.at, n * sizeof *s.at);
    move_to_means(&s, prototypes, points);
  }
  burl_arena_close(&s.arena);
  *k = s.k;
  return BURL_OK;
}
