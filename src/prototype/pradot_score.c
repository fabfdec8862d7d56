/* Scoring: the least mixed cost of every patch of an image,
 *     min_j (1-alpha) c_ij / max c + alpha |rho_i - pi_j| / max |rho - pi|,   c_ij = 1 - cos.
 *
 * The largest c is known only when all of them have been seen, and keeping them all would take n
 * times as many floats as there are prototypes. But prototypes of one place differ in c alone, and
 * rounding keeps the order: the least cost at a place is that of the least c. So one number is kept
 * for each patch and place, and the maxima come in afterwards. */
#include "prototype/pradot_object.h"

#include "base/memory.h"
#include "num/gemm.h"
#include "num/simd.h"
#include "prototype/pradot_plan.h"
#include "prototype/pradot_rows.h"

#include <math.h>
#include <string.h>

typedef struct workspace {
  float *strip;         /* BURL_PRADOT_STRIP x count */
  float *directions;    /* BURL_PRADOT_STRIP x d */
  float *least;         /* n x cells: least feature cost at each place */
  float *place, *mixed; /* cells */
} workspace;

static size_t floats_for(const burl_pradot *pradot, size_t n) {
  size_t fixed = BURL_PRADOT_STRIP * (pradot->parts.count + pradot->parts.d) + 2 * pradot->cells;
  size_t least;
  if (!burl_size_mul(&least, n, pradot->cells) || least > SIZE_MAX / 8 - fixed) return 0;
  return fixed + least;
}

size_t burl_pradot_score_size(const burl_pradot *pradot, size_t n) {
  return floats_for(pradot, n) * sizeof(float);
}

static workspace carve(const burl_pradot *pradot, void *scratch, size_t n) {
  workspace w;
  w.strip = scratch;
  w.directions = w.strip + BURL_PRADOT_STRIP * pradot->parts.count;
  w.least = w.directions + BURL_PRADOT_STRIP * pradot->parts.d;
  w.place = w.least + n * pradot->cells;
  w.mixed = w.place + pradot->cells;
  return w;
}

BURL_CLONES
static void pradot_keep_less(float *restrict least, const float *restrict costs, size_t cells) {
  for (size_t c = 0; c < cells; c++)
    least[c] = costs[c] < least[c] ? costs[c] : least[c];
}

/* Feature costs of a strip; returns the largest. */
static float feature_costs(const burl_pradot *pradot, const workspace *w, const float *patches,
                           size_t count) {
  size_t k = pradot->parts.count, d = pradot->parts.d;
  float largest = 0.0f;
  burl_pradot_directions(w->directions, patches, count, d);
  burl_status status =
      burl_num_sgemm(w->strip, k, w->directions, d, BURL_NUM_PLAIN, pradot->directions, d,
                     BURL_NUM_TRANSPOSED, count, k, d, 1.0f, 0.0f);
  (void)status; /* _new has seen to the sizes */
  for (size_t i = 0; i < count; i++) {
    float row = burl_pradot_cost_row(w->strip + i * k, k);
    largest = row > largest ? row : largest;
  }
  return largest;
}

/* The first prototype of the place whose feature cost is the least there; its index within all. */
static uint32_t find_prototype(const burl_pradot *pradot, const float *costs, size_t cell) {
  size_t best = cell;
  for (size_t j = cell; j < pradot->parts.count; j += pradot->cells)
    if (costs[j] < costs[best]) best = j;
  return (uint32_t)best;
}

static float place_costs(const burl_pradot *pradot, float *place, const float *at) {
  float largest = 0.0f;
  for (size_t c = 0; c < pradot->cells; c++) {
    double down = (double)at[0] - (double)pradot->positions[2 * c];
    double across = (double)at[1] - (double)pradot->positions[2 * c + 1];
    place[c] = (float)sqrt(down * down + across * across);
    largest = place[c] > largest ? place[c] : largest;
  }
  return largest;
}

static float weight(double share, double largest) {
  return largest > 0.0 ? (float)(share / largest) : 0.0f;
}

/* The place at which patch i is served best, and the cost there. */
static size_t best_place(const burl_pradot *pradot, const workspace *w, float *cost, size_t i,
                         const float *at, const float weights[2]) {
  const float *least = w->least + i * pradot->cells;
  size_t best = 0;
  place_costs(pradot, w->place, at);
  for (size_t c = 0; c < pradot->cells; c++)
    w->mixed[c] = weights[0] * least[c] + weights[1] * w->place[c];
  for (size_t c = 1; c < pradot->cells; c++)
    if (w->mixed[c] < w->mixed[best]) best = c;
  *cost = w->mixed[best];
  return best;
}

static int is_finite(const float *x, size_t d) {
  float sum = 0.0f;
  for (size_t t = 0; t < d; t++)
    sum += x[t] * 0.0f;
  return sum == 0.0f;
}

/* Least feature costs by place; returns the largest of all. Patches that are not finite stand
 * aside: their costs are made 0 for the maximum, their map NaN in the end. */
static float collect(const burl_pradot *pradot, const workspace *w, const float *patches,
                     size_t n) {
  size_t k = pradot->parts.count, d = pradot->parts.d, cells = pradot->cells;
  float largest = 0.0f;
  for (size_t first = 0; first < n; first += BURL_PRADOT_STRIP) {
    size_t count = n - first < BURL_PRADOT_STRIP ? n - first : BURL_PRADOT_STRIP;
    float strip = feature_costs(pradot, w, patches + first * d, count);
    largest = strip > largest ? strip : largest;
    for (size_t i = 0; i < count; i++) {
      float *least = w->least + (first + i) * cells;
      memcpy(least, w->strip + i * k, cells * sizeof *least);
      for (size_t j = cells; j < k; j += cells)
        pradot_keep_less(least, w->strip + i * k + j, cells);
    }
  }
  return largest;
}

/* nearest holds places; the strip is computed once more to tell the prototypes at them apart. */
static void name_prototypes(const burl_pradot *pradot, const workspace *w, uint32_t *nearest,
                            const float *patches, size_t n) {
  size_t k = pradot->parts.count, d = pradot->parts.d;
  if (pradot->cells == k) return;
  for (size_t first = 0; first < n; first += BURL_PRADOT_STRIP) {
    size_t count = n - first < BURL_PRADOT_STRIP ? n - first : BURL_PRADOT_STRIP;
    feature_costs(pradot, w, patches + first * d, count);
    for (size_t i = 0; i < count; i++)
      nearest[first + i] = find_prototype(pradot, w->strip + i * k, nearest[first + i]);
  }
}

void burl_pradot_score(const burl_pradot *pradot, float *map, uint32_t *nearest,
                       const float *patches, const float *positions, size_t n, void *scratch) {
  const burl_pradot_parts *parts = &pradot->parts;
  workspace w = carve(pradot, scratch, n);
  float feature_max = collect(pradot, &w, patches, n), place_max = 0.0f;
  for (size_t i = 0; i < n; i++)
    place_max = fmaxf(place_max, place_costs(pradot, w.place, positions + 2 * i));
  int fixed = parts->scale == BURL_PRADOT_TRAINING_MAX;
  const float weights[2] = {
      weight(1.0 - parts->alpha, fixed ? parts->feature_max : (double)feature_max),
      weight(parts->alpha, fixed ? parts->place_max : (double)place_max)};
  float times = parts->times_count ? (float)parts->count : 1.0f;
  for (size_t i = 0; i < n; i++) {
    float cost;
    size_t place = best_place(pradot, &w, &cost, i, positions + 2 * i, weights);
    int finite = is_finite(patches + i * parts->d, parts->d);
    map[i] = finite ? times * cost : NAN;
    if (nearest) nearest[i] = (uint32_t)place;
  }
  if (nearest) name_prototypes(pradot, &w, nearest, patches, n);
}
