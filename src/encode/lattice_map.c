/* rho is blurred as if the images had been blurred: by sigma = 6.3 pixels for finding peaks
 * (`coarse`: the yarns are gone), by 2.3 pixels for telling figures apart and for exact places
 * (`medium`). rho first, then the boxes: pairs get fewer with the lag, and blurring numerator and
 * denominator apart would push every peak outwards. */
#include "encode/lattice_map.h"

#include <math.h>
#include <stdlib.h>

enum { LAGS = LATTICE_LAGS };

#define LEAST_PAIRS 0.06 /* of the energy at lag 0 */

static size_t index_of(int y, int x) {
  return (size_t)(y + LAGS) * LAG_SPAN + (size_t)(x + LAGS);
}

/* Both halves of the plane from the upper one. */
static void unfold(double *full, const double *half) {
  for (int y = 0; y <= LAGS; y++)
    for (int x = -LAGS; x <= LAGS; x++) {
      double value = half[(size_t)y * LAG_SPAN + (size_t)(x + LAGS)];
      full[index_of(y, x)] = value;
      full[index_of(-y, -x)] = value;
    }
}

/* Sums over 2 r + 1 neighbours along n values `step` apart, cut at the ends. */
static void box_line(double *line, double *scratch, size_t n, size_t step, size_t r) {
  double sum = 0.0;
  for (size_t i = 0; i < n; i++)
    scratch[i] = line[i * step];
  for (size_t i = 0; i < r; i++)
    sum += scratch[i];
  for (size_t i = 0; i < n; i++) {
    if (i + r < n) sum += scratch[i + r];
    if (i > r) sum -= scratch[i - r - 1];
    line[i * step] = sum;
  }
}

static void box(double *map, double *scratch, size_t r) {
  for (size_t i = 0; i < LAG_SPAN; i++)
    box_line(map + i * LAG_SPAN, scratch, LAG_SPAN, 1, r);
  for (size_t j = 0; j < LAG_SPAN; j++)
    box_line(map + j, scratch, LAG_SPAN, LAG_SPAN, r);
}

/* map = rho under boxes of the radii (0 ends the list). */
static void make_map(const lag_maps *m, float *map, const double *statistics,
                     const size_t *radius) {
  for (int k = 0; k < 2; k++)
    unfold(m->sum[k], statistics + k * LATTICE_LAG_COUNT);
  double least = LEAST_PAIRS * m->sum[1][index_of(0, 0)];
  for (size_t i = 0; i < LAG_CELLS; i++) {
    int valid = m->sum[1][i] > least && m->sum[1][i] > 0.0;
    m->pairs[i] = valid ? (float)(m->sum[1][i] * LEAST_PAIRS / least) : LAG_NOTHING;
    m->sum[0][i] = valid ? m->sum[0][i] / m->sum[1][i] : 0.0;
    m->sum[1][i] = valid;
    map[i] = valid ? 0.0f : LAG_NOTHING;
  }
  for (int k = 0; k < 2; k++)
    for (const size_t *r = radius; *r > 0; r++)
      box(m->sum[k], m->scratch, *r);
  for (size_t i = 0; i < LAG_CELLS; i++)
    if (map[i] > LAG_NOTHING) map[i] = (float)(m->sum[0][i] / m->sum[1][i]);
}

double burl_lag_look(const float *map, double y, double x) {
  double fy = floor(y), fx = floor(x);
  if (!(fy >= -LAGS && fy < LAGS && fx >= -LAGS && fx < LAGS)) return (double)LAG_NOTHING;
  const float *p = map + index_of((int)fy, (int)fx);
  if (p[0] <= LAG_NOTHING || p[1] <= LAG_NOTHING || p[LAG_SPAN] <= LAG_NOTHING ||
      p[LAG_SPAN + 1] <= LAG_NOTHING)
    return (double)LAG_NOTHING;
  double wy = y - fy, wx = x - fx;
  return (1.0 - wy) * ((1.0 - wx) * (double)p[0] + wx * (double)p[1]) +
         wy * ((1.0 - wx) * (double)p[LAG_SPAN] + wx * (double)p[LAG_SPAN + 1]);
}

double burl_lag_vertex(double before, double here, double after) {
  double bend = before - 2.0 * here + after;
  if (!(bend < 0.0)) return 0.0;
  double at = 0.5 * (before - after) / bend;
  return at > 0.5 ? 0.5 : at < -0.5 ? -0.5 : at;
}

int burl_lag_climb(const float *map, lag *t, double reach) {
  int y = (int)lround(t->y), x = (int)lround(t->x);
  for (int step = 0;; step++) {
    int by = 0, bx = 0;
    if (abs(y) >= LAGS || abs(x) >= LAGS || step > 64) return 0;
    for (int dy = -1; dy <= 1; dy++)
      for (int dx = -1; dx <= 1; dx++) {
        float value = map[index_of(y + dy, x + dx)];
        if (value <= LAG_NOTHING) return 0;
        if (value > map[index_of(y + by, x + bx)]) by = dy, bx = dx;
      }
    if (by == 0 && bx == 0) break;
    y += by;
    x += bx;
    if (hypot((double)y - t->y, (double)x - t->x) > reach + 1.0) return 0;
  }
  const float *p = map + index_of(y, x);
  lag top = {(double)y + burl_lag_vertex((double)p[-LAG_SPAN], (double)p[0], (double)p[LAG_SPAN]),
             (double)x + burl_lag_vertex((double)p[-1], (double)p[0], (double)p[1])};
  if (hypot(top.y - t->y, top.x - t->x) > reach) return 0;
  *t = top;
  return 1;
}

double burl_lag_length(lag t) {
  return hypot(t.y, t.x);
}

double burl_lag_beside(const float *map, lag d, double t) {
  double sum = 0.0, count = 0.0;
  for (double s = -60.0; s <= 60.0; s += 2.0) {
    double value = burl_lag_look(map, s * d.y + t * d.x, s * d.x - t * d.y);
    if (!burl_lag_exists(value)) continue;
    sum += value;
    count += 1.0;
  }
  return count >= 20.0 ? sum / count : (double)LAG_NOTHING;
}

/* The same requests in the same order for reserving and for taking. */
static void *request(burl_arena *arena, size_t count, size_t size) {
  if (arena->block) return burl_arena_take(arena, count, size);
  burl_arena_reserve(arena, count, size);
  return NULL;
}

static void lay_out(lag_maps *m) {
  for (int k = 0; k < 2; k++)
    m->sum[k] = request(&m->arena, LAG_CELLS, sizeof(double));
  m->scratch = request(&m->arena, LAG_CELLS, sizeof(double));
  m->coarse = request(&m->arena, LAG_CELLS, sizeof(float));
  m->medium = request(&m->arena, LAG_CELLS, sizeof(float));
  m->pairs = request(&m->arena, LAG_CELLS, sizeof(float));
  m->points = request(&m->arena, LAG_POINTS, sizeof(lag_point));
  m->peaks = request(&m->arena, LAG_POINTS, sizeof(lag_point));
}

burl_status burl_lag_maps_open(lag_maps *maps, const double *statistics) {
  static const size_t blur[] = {3, 3, 3, 3, 3, 0}, light[] = {2, 1, 0};
  *maps = (lag_maps){0};
  lay_out(maps);
  if (!burl_arena_open(&maps->arena)) return BURL_ERR_MEMORY;
  lay_out(maps);
  make_map(maps, maps->coarse, statistics, blur);
  make_map(maps, maps->medium, statistics, light);
  maps->share = (double)maps->coarse[index_of(0, 0)];
  return BURL_OK;
}

void burl_lag_maps_close(lag_maps *maps) {
  burl_arena_close(&maps->arena);
}
