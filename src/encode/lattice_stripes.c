/* Stripes from the ridges of the autocorrelation: rho stays near the height of its peaks along one
 * direction. The mean over ridges gives the period; least squares over their crests the direction.
 */
#include "encode/lattice_map.h"

#include <math.h>

enum { LAGS = LATTICE_LAGS };

/* Mean and least value along both sides of the ridge in direction d, up to 100 samples. */
static double along(const float *map, lag d, double *least) {
  double sum = 0.0, count = 0.0;
  *least = 1.0;
  for (double r = 4.0; r <= 100.0; r += 2.0) {
    double value = burl_lag_look(map, r * d.y, r * d.x);
    if (!burl_lag_exists(value)) break;
    sum += value;
    count += 1.0;
    *least = fmin(*least, value);
  }
  if (count < 8.0) *least = -1.0;
  return count > 0.0 ? sum / count : -1.0;
}

/* The direction in which rho falls least. */
static double find_ridge(const float *map, lag *direction) {
  const double degree = acos(-1.0) / 180.0;
  double best = -2.0, least, angle = 0.0, value;
  for (int k = 0; k < 180; k++) {
    lag d = {sin(k * degree), cos(k * degree)};
    along(map, d, &least);
    if (least > best) best = least, angle = k * degree;
  }
  double centre = angle, highest = -2.0;
  for (int k = -15; k <= 15; k++) {
    lag d = {sin(centre + 0.1 * k * degree), cos(centre + 0.1 * k * degree)};
    value = along(map, d, &least);
    if (value > highest) highest = value, angle = centre + 0.1 * k * degree;
  }
  *direction = (lag){sin(angle), cos(angle)};
  along(map, *direction, &least);
  return fmax(least, best);
}

/* Least squares of n = k . t over the ridges; *wave is k in cycles a sample. */
static void fit_line(const float *map, lag d, double period, lag *wave) {
  double yy = 0.0, yx = 0.0, xx = 0.0, ny = 0.0, nx = 0.0;
  for (int n = 0; n * period <= LAGS; n++)
    for (double s = -96.0; s <= 96.0; s += 4.0) {
      double v[3];
      double best = n * period, top = -2.0;
      for (double t = best - 3.0, stop = best + 3.0; t <= stop; t += 0.5) {
        double value = burl_lag_look(map, s * d.y + t * d.x, s * d.x - t * d.y);
        if (value > top) top = value, best = t;
      }
      for (int k = 0; k < 3; k++)
        v[k] = burl_lag_look(map, s * d.y + (best + k - 1) * d.x, s * d.x - (best + k - 1) * d.y);
      if (!burl_lag_exists(v[0]) || !burl_lag_exists(v[1]) || !burl_lag_exists(v[2]) ||
          (n == 0 && fabs(s) < 8.0))
        continue;
      double t = best + burl_lag_vertex(v[0], v[1], v[2]);
      lag at = {s * d.y + t * d.x, s * d.x - t * d.y};
      yy += at.y * at.y, yx += at.y * at.x, xx += at.x * at.x;
      ny += n * at.y, nx += n * at.x;
    }
  double det = yy * xx - yx * yx;
  *wave = (lag){d.x / period, -d.y / period};
  if (det > 1.0) *wave = (lag){(xx * ny - yx * nx) / det, (yy * nx - yx * ny) / det};
}

/* Whether ridges at multiples of p are higher than all others. */
static int is_too_fine(const float *map, lag d, double period, int p) {
  double least = 1.0, most = -1.0;
  int count = 0;
  for (int n = 1; n * period <= LAGS; n++) {
    double value = burl_lag_beside(map, d, n * period);
    if (!burl_lag_exists(value)) continue;
    if (n % p == 0) least = fmin(least, value), count++;
    if (n % p != 0) most = fmax(most, value);
  }
  return count > 0 && least > 1.02 * most;
}

int burl_lattice_find_line(lag *wave, const lag_maps *m) {
  lag d;
  double ridge = find_ridge(m->coarse, &d), best = 0.0, period = 0.0;
  double profile[LAGS + 1];
  for (int t = 0; t <= LAGS; t++)
    profile[t] = burl_lag_beside(m->coarse, d, t);
  for (int pass = 0; pass < 2; pass++)
    for (int t = LATTICE_MIN_REPEAT / 2 - 1; t < LAGS && !(pass == 1 && period > 0.0); t++) {
      double v = profile[t];
      if (!burl_lag_exists(profile[t + 1]) || v < profile[t - 1] || v <= profile[t + 1]) continue;
      if (pass == 0) best = fmax(best, v);
      if (pass == 1 && v >= 0.8 * best)
        period = t + burl_lag_vertex(profile[t - 1], v, profile[t + 1]);
    }
  if (!(best > 0.0) || ridge < 0.75 * best) return 0;
  const int prime[] = {2, 3, 2, 3, 5};
  for (int k = 0; k < 5; k++)
    if (is_too_fine(m->medium, d, period, prime[k])) period *= prime[k];
  fit_line(m->coarse, d, period, wave);
  return 1;
}
