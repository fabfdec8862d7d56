/* A lattice of two dimensions from the peaks of the autocorrelation.
 *
 *   1. The two shortest independent peaks whose lattice has peaks throughout.
 *   2. Figures that differ make that lattice too fine: a sublattice of index up to 16 is taken for
 *      it while rho on it is higher than elsewhere by more than chance (Welch's t, and nearly
 *      every point on it above every other).
 *   3. Least squares over all peaks of the lattice within reach.
 *   4. Which peaks count in the first place is tried from half of the highest upwards.
 *
 * docs/math/lattice.md has the reasons. */
#include "encode/lattice_map.h"

#include <math.h>
#include <stdlib.h>

enum { LAGS = LATTICE_LAGS, MOST_INDEX = 16, TRIES = 10 };

#define LEAST_T 5.0      /* for a sublattice to count as the lattice */
#define NOISE 0.02       /* least deviation of heights, in their mean */
#define SURE_PAIRS 0.3   /* of the pairs at lag 0, where heights are compared */
#define LEAST_PLANE 36.0 /* pixels: what repeats in shorter steps is a weave */
#define NEARLY 0.86      /* of the highest lattice's height */
#define OUTDONE 0.9      /* likewise */
#define LEAST_DIP 0.75   /* rho falls below this between two points of a lattice */

typedef struct lattice_basis {
  lag a, b; /* samples */
} lattice_basis;

static lag combine(const lattice_basis *basis, int i, int j) {
  return (lag){i * basis->a.y + j * basis->b.y, i * basis->a.x + j * basis->b.x};
}

/* Lagrange and Gauss: the shortest basis of the same lattice, a not longer than b. */
static void shorten(lattice_basis *basis) {
  for (int k = 0; k < 64; k++) {
    if (burl_lag_length(basis->b) < burl_lag_length(basis->a)) {
      lag t = basis->a;
      basis->a = basis->b;
      basis->b = t;
    }
    double dot = basis->a.y * basis->b.y + basis->a.x * basis->b.x;
    double n = round(dot / (basis->a.y * basis->a.y + basis->a.x * basis->a.x));
    if (n == 0.0) break;
    basis->b.y -= n * basis->a.y;
    basis->b.x -= n * basis->a.x;
  }
}

/* Points of the lattice within reach, from the upper half of the plane. */
static size_t list_points(lag_point *points, const lattice_basis *basis, const float *map) {
  size_t count = 0;
  double area = fabs(basis->a.y * basis->b.x - basis->a.x * basis->b.y);
  int most = (int)(2.0 * LAGS * burl_lag_length(basis->b) / area) + 1;
  if (most > 64) most = 64;
  for (int i = -most; i <= most; i++)
    for (int j = -most; j <= most; j++) {
      lag t = combine(basis, i, j);
      if (t.y < 0.0 || (t.y == 0.0 && t.x <= 0.0) || (i == 0 && j == 0)) continue;
      if (burl_lag_length(t) > LAGS) continue;
      double value = burl_lag_look(map, t.y, t.x);
      if (burl_lag_exists(value) && count < LAG_POINTS)
        points[count++] = (lag_point){i, j, t, value};
    }
  return count;
}

/* Least squares over the peaks near the points up to `order`; returns how many there were. */
static size_t fit_basis(lattice_basis *basis, lag_point *points, const float *map, int order) {
  double ii = 0.0, ij = 0.0, jj = 0.0;
  lag it = {0}, jt = {0};
  size_t count = list_points(points, basis, map), used = 0;
  for (size_t k = 0; k < count; k++) {
    lag t = points[k].t;
    if (abs(points[k].i) > order || abs(points[k].j) > order) continue;
    if (!burl_lag_climb(map, &t, 0.25 * burl_lag_length(basis->a))) continue;
    double i = points[k].i, j = points[k].j;
    ii += i * i, ij += i * j, jj += j * j;
    it.y += i * t.y, it.x += i * t.x;
    jt.y += j * t.y, jt.x += j * t.x;
    used++;
  }
  double det = ii * jj - ij * ij;
  if (!(det > 0.5)) return 0;
  basis->a = (lag){(jj * it.y - ij * jt.y) / det, (jj * it.x - ij * jt.x) / det};
  basis->b = (lag){(ii * jt.y - ij * it.y) / det, (ii * jt.x - ij * it.x) / det};
  return used;
}

/* Whether nearly all points within reach are as high as they should be. */
static int holds(const lattice_basis *basis, lag_point *points, const float *map, double least) {
  size_t count = list_points(points, basis, map), high = 0;
  for (size_t k = 0; k < count; k++)
    high += points[k].value >= least;
  return count >= 2 && (double)high >= 0.9 * (double)count;
}

/* Peaks of the upper half, at least as far as the least repeat; shortest first. */
static size_t list_peaks(lag_point *peaks, const float *map) {
  size_t count = 0;
  for (int y = 0; y < LAGS; y++)
    for (int x = y > 0 ? 1 - LAGS : 1; x < LAGS; x++) {
      lag t = {y, x};
      if (burl_lag_length(t) < 0.45 * LATTICE_MIN_REPEAT || burl_lag_length(t) > LAGS) continue;
      if (!burl_lag_climb(map, &t, 0.75) || count == LAG_POINTS) continue;
      size_t k = count++;
      for (; k > 0 && burl_lag_length(peaks[k - 1].t) > burl_lag_length(t); k--)
        peaks[k] = peaks[k - 1];
      peaks[k] = (lag_point){0, 0, t, burl_lag_look(map, t.y, t.x)};
    }
  return count;
}

/* The two shortest independent peaks of at least `least`; 0 where there are none. */
static int choose_basis(lattice_basis *basis, const lag_point *peaks, size_t count, double least) {
  const lag_point *a = NULL;
  for (size_t k = 0; k < count; k++) {
    lag t = peaks[k].t;
    if (peaks[k].value < least) continue;
    if (!a) {
      a = &peaks[k];
      continue;
    }
    double cross = fabs(a->t.y * t.x - a->t.x * t.y);
    if (cross < 0.3 * burl_lag_length(a->t) * burl_lag_length(t)) continue;
    *basis = (lattice_basis){a->t, t};
    shorten(basis);
    return 1;
  }
  return 0;
}

/* Steps (down a + k b, across b): every sublattice of index down * across has one such form. */
typedef struct sublattice {
  int down, across, k;
} sublattice;

static lattice_basis steps_of(const lattice_basis *basis, sublattice sub) {
  lattice_basis steps = {combine(basis, sub.down, sub.k), combine(basis, 0, sub.across)};
  shorten(&steps);
  return steps;
}

static int belongs(const lag_point *point, sublattice sub) {
  return point->i % sub.down == 0 && (point->j - sub.k * (point->i / sub.down)) % sub.across == 0;
}

/* Whether 19 of 20 pairs of a point on the sublattice and one off it are in order. */
static int are_apart(const lag_point *points, size_t count, sublattice sub) {
  size_t pairs = 0, ordered = 0;
  for (size_t i = 0; i < count; i++)
    for (size_t j = 0; j < count; j++) {
      if (!belongs(&points[i], sub) || belongs(&points[j], sub)) continue;
      pairs++;
      ordered += points[i].value > points[j].value;
    }
  return (double)ordered >= 0.95 * (double)pairs;
}

/* Welch's t of the points on the sublattice against the others; 0 where that cannot be said. The
 * deviations have a floor: two points that happen to be equal are no evidence. */
static double split(const lag_point *points, size_t count, sublattice sub) {
  double n[2] = {0}, sum[2] = {0}, squares[2] = {0};
  for (size_t i = 0; i < count; i++) {
    int in = belongs(&points[i], sub);
    n[in] += 1.0;
    sum[in] += points[i].value;
    squares[in] += points[i].value * points[i].value;
  }
  if (n[0] < 2.0 || n[1] < 2.0 || !are_apart(points, count, sub)) return 0.0;
  double mean[2], error = 0.0;
  for (int in = 0; in < 2; in++) {
    mean[in] = sum[in] / n[in];
    double variance = (squares[in] - sum[in] * mean[in]) / (n[in] - 1.0);
    error += (fmax(variance, NOISE * NOISE * mean[in] * mean[in])) / n[in];
  }
  if (mean[1] - mean[0] < 0.02 * mean[1]) return 0.0;
  return (mean[1] - mean[0]) / sqrt(error);
}

/* The best sublattice by the map; returns its t, or `best` where none is above. */
static double find_sublattice(lattice_basis *found, const lattice_basis *basis, const lag_maps *m,
                              const float *map, double best) {
  size_t all = list_points(m->points, basis, map), count = 0;
  for (size_t k = 0; k < all; k++)
    if (burl_lag_look(m->pairs, m->points[k].t.y, m->points[k].t.x) >= SURE_PAIRS)
      m->points[count++] = m->points[k];
  for (int n = 2; n <= MOST_INDEX; n++)
    for (int i = 0; i < n * n; i++) {
      sublattice sub = {n / (i / n + 1), i / n + 1, i % n};
      if (sub.down * sub.across != n || sub.k >= sub.across) continue;
      lattice_basis steps = steps_of(basis, sub);
      if (burl_lag_length(steps.b) * LAG_SAMPLE > LATTICE_MAX_REPEAT) continue;
      if (burl_lag_look(m->pairs, steps.a.y, steps.a.x) < SURE_PAIRS) continue;
      if (burl_lag_look(m->pairs, steps.b.y, steps.b.x) < SURE_PAIRS) continue;
      double t = split(m->points, count, sub);
      if (t > best) best = t, *found = steps;
    }
  return best;
}

/* Takes away what is too fine. */
static void coarsen(lattice_basis *basis, lag_point *points, const lag_maps *m) {
  for (int round = 0; round < 6; round++) {
    lattice_basis found = *basis;
    double t = find_sublattice(&found, basis, m, m->coarse, LEAST_T);
    t = find_sublattice(&found, basis, m, m->medium, t);
    if (t <= LEAST_T) return;
    *basis = found;
    fit_basis(basis, points, m->coarse, 64);
  }
}

/* Whether rho falls and rises again on the way to t, and is not the ridge of a stripe. */
static int dips(const float *map, lag t) {
  double least = 1.0;
  for (int k = 4; k <= 28; k++)
    least = fmin(least, burl_lag_look(map, t.y * k / 32.0, t.x * k / 32.0));
  return least < LEAST_DIP * burl_lag_look(map, t.y, t.x);
}

/* Mean of rho at the steps of the lattice. */
static double height_of(const lattice_basis *basis, const float *map) {
  lag a = basis->a, b = basis->b;
  return 0.5 * (burl_lag_look(map, a.y, a.x) + burl_lag_look(map, b.y, b.x));
}

/* The lattice that begins with the shortest peaks of at least `least`; its height, 0 if none. */
static double find_from(lattice_basis *basis, const lag_maps *m, size_t peaks, double least) {
  const float *map = m->coarse;
  if (!choose_basis(basis, m->peaks, peaks, least)) return 0.0;
  if (fit_basis(basis, m->points, map, 1) < 2 || fit_basis(basis, m->points, map, 3) < 2 ||
      fit_basis(basis, m->points, map, 64) < 2 || !holds(basis, m->points, map, 0.8 * least))
    return 0.0;
  coarsen(basis, m->points, m);
  fit_basis(basis, m->points, m->medium, 64);
  shorten(basis);
  if (LAG_SAMPLE * burl_lag_length(basis->a) < LEAST_PLANE || !dips(map, basis->a) ||
      !dips(map, basis->b))
    return 0.0;
  return height_of(basis, map);
}

static double area_of(const lattice_basis *basis) {
  return fabs(basis->a.y * basis->b.x - basis->a.x * basis->b.y);
}

/* The highest of the peaks that are sure, or of all where there is none. */
static double find_summit(const lag_maps *m, size_t count) {
  double best = 0.0, sure = 0.0;
  for (size_t k = 0; k < count; k++) {
    const lag_point *peak = &m->peaks[k];
    if (burl_lag_look(m->pairs, peak->t.y, peak->t.x) >= SURE_PAIRS) sure = fmax(sure, peak->value);
    best = fmax(best, peak->value);
  }
  return sure > 0.5 * best ? sure : best;
}

/* Whether a peak nearer than the lattice's steps, and not on it, is as high: then it is not the
 * print's but a weave's, whose own repeat is too small to be counted. */
static int is_outdone(const lattice_basis *basis, const lag_maps *m, size_t peaks, double height) {
  double det = basis->a.y * basis->b.x - basis->a.x * basis->b.y;
  for (size_t k = 0; k < peaks; k++) {
    lag t = m->peaks[k].t;
    double i = (t.y * basis->b.x - t.x * basis->b.y) / det;
    double j = (basis->a.y * t.x - basis->a.x * t.y) / det;
    double off = fmax(fabs(i - round(i)), fabs(j - round(j)));
    if (LAG_SAMPLE * burl_lag_length(t) < LEAST_PLANE && off > 0.1 &&
        m->peaks[k].value > OUTDONE * height)
      return 1;
  }
  return 0;
}

/* Which peaks count is tried from low to high; the smallest repeat that is nearly as high as the
 * highest is it. */
int burl_lattice_find_plane(lag steps[2], const lag_maps *m) {
  static const double share[TRIES] = {0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95};
  lattice_basis basis[TRIES];
  double height[TRIES], highest = 0.0;
  size_t count = list_peaks(m->peaks, m->coarse), best = TRIES;
  double summit = find_summit(m, count);
  for (size_t k = 0; k < TRIES; k++) {
    height[k] = find_from(&basis[k], m, count, share[k] * summit);
    highest = fmax(highest, height[k]);
  }
  for (size_t k = 0; k < TRIES; k++)
    if (height[k] > 0.0 && height[k] >= NEARLY * highest &&
        (best == TRIES || area_of(&basis[k]) < 0.9 * area_of(&basis[best])))
      best = k;
  if (best == TRIES || is_outdone(&basis[best], m, count, height[best])) return 0;
  steps[0] = basis[best].a;
  steps[1] = basis[best].b;
  return 1;
}
