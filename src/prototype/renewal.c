/* Room for new areas: an exchange that covers better at every turn.
 *
 * Each turn takes the point x that is covered worst (passing over the farthest share, where defects
 * are) at distance D, and the two prototypes a, b that are closest to each other. If |a - b| < D
 * the two become one at their centre of mass, and x becomes a prototype: nothing that a or b stood
 * for is farther from the bank than before by more than |a - b|, while around x the gap D is closed
 * (the doubling idea of Charikar et al., Incremental clustering and dynamic information retrieval,
 * STOC 1997, one exchange at a time).
 *
 * Points know their nearest prototype, prototypes their nearest neighbour, so that a turn looks
 * again only at those whose nearest was a or b. Of equals the first is taken throughout. */
#include "prototype/renewal.h"

#include "base/memory.h"
#include "num/nearest.h"
#include "num/panels.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

enum { BINS = 32768 }; /* by sign, exponent and seven digits of the mantissa */

typedef struct turn {
  burl_renewal *to;
  const float *points;
  size_t n;
  float *least, *sorted; /* (n) squared distances */
  uint32_t *nearest;     /* (n) */
  uint32_t *bins;        /* (BINS) */
  float *gap;            /* (most) squared distance to the nearest other prototype */
  uint32_t *neighbour;   /* (most) */
  float *packed;         /* prototypes arranged for num/nearest */
  burl_arena arena;
} turn;

static void *request(burl_arena *arena, size_t count, size_t size) {
  if (arena->block) return burl_arena_take(arena, count, size);
  burl_arena_reserve(arena, count, size);
  return NULL;
}

static void lay_out(turn *t) {
  t->least = request(&t->arena, t->n, sizeof(float));
  t->sorted = request(&t->arena, t->n, sizeof(float));
  t->nearest = request(&t->arena, t->n, sizeof *t->nearest);
  t->bins = request(&t->arena, BINS, sizeof *t->bins);
  t->gap = request(&t->arena, t->to->most, sizeof(float));
  t->neighbour = request(&t->arena, t->to->most, sizeof *t->neighbour);
  t->packed = request(&t->arena, burl_points_packed_size(t->to->count, t->to->d), sizeof(float));
}

static const float *at(const turn *t, size_t j) {
  return t->to->prototypes + j * t->to->d;
}

static void find_nearest(turn *t, size_t i) {
  t->least[i] = FLT_MAX;
  for (size_t j = 0; j < t->to->count; j++) {
    float square = burl_square_of(t->points + i * t->to->d, at(t, j), t->to->d);
    if (square < t->least[i]) t->least[i] = square, t->nearest[i] = (uint32_t)j;
  }
}

static void find_neighbour(turn *t, size_t j) {
  t->gap[j] = FLT_MAX;
  t->neighbour[j] = (uint32_t)j;
  for (size_t l = 0; l < t->to->count; l++) {
    if (l == j) continue;
    float square = burl_square_of(at(t, j), at(t, l), t->to->d);
    if (square < t->gap[j]) t->gap[j] = square, t->neighbour[j] = (uint32_t)l;
  }
}

/* Prototypes a and b have moved or are new. */
static void look_again(turn *t, size_t a, size_t b) {
  size_t d = t->to->d;
  const size_t moved[] = {a, b};
  for (size_t i = 0; i < t->n; i++) {
    if (t->nearest[i] == a || t->nearest[i] == b) {
      find_nearest(t, i);
      continue;
    }
    for (size_t m = 0; m < 2; m++) {
      float square = burl_square_of(t->points + i * d, at(t, moved[m]), d);
      if (square < t->least[i]) t->least[i] = square, t->nearest[i] = (uint32_t)moved[m];
    }
  }
  for (size_t j = 0; j < t->to->count; j++) {
    if (j == a || j == b || t->neighbour[j] == a || t->neighbour[j] == b) {
      find_neighbour(t, j);
      continue;
    }
    for (size_t m = 0; m < 2; m++) {
      float square = burl_square_of(at(t, j), at(t, moved[m]), d);
      if (square < t->gap[j]) t->gap[j] = square, t->neighbour[j] = (uint32_t)moved[m];
    }
  }
}

static int ascending(const void *left, const void *right) {
  float a = *(const float *)left, b = *(const float *)right;
  return (a > b) - (a < b);
}

static uint32_t bin_of(float square) {
  uint32_t bits;
  memcpy(&bits, &square, sizeof bits);
  return bits >> 16;
}

/* The first point at the quantile. Squares are in the order of their bits, of which the upper half
 * says where to look. */
static size_t worst_covered(turn *t) {
  size_t above = (size_t)(t->to->trim * (double)(t->n - 1)), held = 0, i = 0;
  memset(t->bins, 0, BINS * sizeof *t->bins);
  for (i = 0; i < t->n; i++)
    t->bins[bin_of(t->least[i])]++;
  uint32_t bin = BINS - 1;
  for (; above >= t->bins[bin]; bin--)
    above -= t->bins[bin];
  for (i = 0; i < t->n; i++)
    if (bin_of(t->least[i]) == bin) t->sorted[held++] = t->least[i];
  qsort(t->sorted, held, sizeof *t->sorted, ascending);
  for (i = 0; t->least[i] != t->sorted[held - 1 - above];)
    i++;
  return i;
}

static size_t closest(const turn *t) {
  size_t best = 0;
  for (size_t j = 1; j < t->to->count; j++)
    if (t->gap[j] < t->gap[best]) best = j;
  return best;
}

/* Prototype b goes into a. */
static void unite(burl_renewal *to, size_t a, size_t b) {
  double total = to->mass[a] + to->mass[b];
  float part = total > 0.0 ? (float)(to->mass[b] / total) : 0.5f;
  if (to->keeps_one) part = to->mass[b] > to->mass[a] ? 1.0f : 0.0f;
  for (size_t t = 0; t < to->d; t++)
    to->prototypes[a * to->d + t] +=
        part * (to->prototypes[b * to->d + t] - to->prototypes[a * to->d + t]);
  to->mass[a] = total;
}

/* One exchange or addition; 0 when nothing is to be gained. */
static int take_turn(turn *t) {
  burl_renewal *to = t->to;
  size_t x = worst_covered(t), a = 0, b;
  float worst = t->least[x];
  if (!((double)worst > to->known * to->known)) return 0;
  if (to->count < to->most) {
    a = b = to->count++;
    t->gap[b] = FLT_MAX;
    t->neighbour[b] = (uint32_t)b;
  } else {
    a = closest(t);
    b = t->neighbour[a];
    if (a == b || !(t->gap[a] < worst)) return 0;
    unite(to, a, b);
  }
  memcpy(to->prototypes + b * to->d, t->points + x * to->d, to->d * sizeof *t->points);
  to->mass[b] = 0.0;
  look_again(t, a, b);
  return 1;
}

burl_status burl_renewal_run(burl_renewal *self, const float *points, size_t n) {
  turn t = {.to = self, .points = points, .n = n};
  if (n == 0 || self->count == 0) return BURL_OK;
  lay_out(&t);
  if (!burl_arena_open(&t.arena)) return BURL_ERR_MEMORY;
  lay_out(&t);
  burl_points_pack(t.packed, self->prototypes, self->count, self->d);
  burl_points_nearest(t.least, t.nearest, points, n, t.packed, self->count, self->d);
  for (size_t j = 0; j < self->count; j++)
    find_neighbour(&t, j);
  for (size_t turns = 0; turns < self->most && take_turn(&t);)
    turns++;
  burl_arena_close(&t.arena);
  return BURL_OK;
}
