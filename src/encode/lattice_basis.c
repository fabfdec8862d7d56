/* What the autocorrelation tells: dimensions, basis and the harmonics that set the origin.
 *
 * Stripes are tried first, for their crests are peaks in every direction but one. A lattice counts
 * as found when one repeat away rho is at least half of its value at lag 0, both blurred, and that
 * is at least 3.5 percent of the whole variance of the grey: a weave's repeat is a faint rest after
 * the blur, a print's is not. Ribs of knits are stripes too; only their width tells. */
#include "encode/lattice_map.h"

#include <math.h>
#include <stdlib.h>

#define LEAST_SHARE 0.035  /* of the grey's variance */
#define LEAST_RHO 0.5      /* of the coarse autocorrelation at lag 0 */
#define LEAST_STRIPES 72.0 /* pixels: nearer ones are not told from the ribs of a knit */

enum { ORDER = 4, STEPS = 24 }; /* harmonics; lags a side at which their power is taken */

static void set_plane(burl_lattice *lattice, const lag basis[2]) {
  lag u = basis[0], v = basis[1];
  /* u runs more across, v more down, both forwards */
  if (fabs(u.y) * burl_lag_length(v) > fabs(v.y) * burl_lag_length(u)) u = basis[1], v = basis[0];
  if (u.x < 0.0) u = (lag){-u.y, -u.x};
  if (v.y < 0.0) v = (lag){-v.y, -v.x};
  double det = LAG_SAMPLE * (u.y * v.x - u.x * v.y);
  lattice->dimensions = 2;
  lattice->basis[0][0] = LAG_SAMPLE * u.y, lattice->basis[0][1] = LAG_SAMPLE * u.x;
  lattice->basis[1][0] = LAG_SAMPLE * v.y, lattice->basis[1][1] = LAG_SAMPLE * v.x;
  lattice->wave[0][0] = v.x / det, lattice->wave[0][1] = -v.y / det;
  lattice->wave[1][0] = -u.x / det, lattice->wave[1][1] = u.y / det;
}

static void set_line(burl_lattice *lattice, lag wave) {
  if (wave.x < 0.0) wave = (lag){-wave.y, -wave.x};
  double n = wave.y * wave.y + wave.x * wave.x;
  lattice->dimensions = 1;
  lattice->basis[0][0] = LAG_SAMPLE * wave.y / n, lattice->basis[0][1] = LAG_SAMPLE * wave.x / n;
  lattice->wave[0][0] = wave.y / LAG_SAMPLE, lattice->wave[0][1] = wave.x / LAG_SAMPLE;
}

/* Power of harmonic h: the transform of rho over one repeat of lags around `centre` (in repeats).
 * Not around 0, where noise has its peak. */
static double power_around(const burl_lattice *l, const float *map, const int h[2],
                           const double centre[2]) {
  const double turn = 2.0 * acos(-1.0), (*b)[2] = l->basis;
  double sum = 0.0, count = 0.0;
  for (int i = 0; i < STEPS; i++)
    for (int j = 0; j < STEPS; j++) {
      double s = centre[0] + (i + 0.5) / STEPS - 0.5, r = centre[1] + (j + 0.5) / STEPS - 0.5;
      double y = (s * b[0][0] + r * b[1][0]) / LAG_SAMPLE;
      double x = (s * b[0][1] + r * b[1][1]) / LAG_SAMPLE;
      double value = burl_lag_look(map, y, x);
      if (value <= (double)LAG_NOTHING) continue;
      sum += value * cos(turn * (h[0] * s + h[1] * r));
      count += 1.0;
    }
  return count > 0.0 ? sum / count : 0.0;
}

/* Two harmonics with determinant +-1, the weaker of them as strong as can be. */
static void choose_references(burl_lattice *l, const float *map) {
  enum { SPAN = 2 * ORDER + 1 };
  double power[ORDER + 1][SPAN], best = -1.0;
  l->reference[0][0] = l->reference[1][1] = 1;
  if (l->dimensions == 1) return;
  for (int u = 0; u <= ORDER; u++)
    for (int v = -ORDER; v <= ORDER; v++) {
      const int h[2] = {u, v};
      power[u][v + ORDER] = power_around(l, map, h, (double[]){1.0, 0.0}) +
                            power_around(l, map, h, (double[]){0.0, 1.0});
    }
  for (int p = 0; p < (ORDER + 1) * SPAN; p++)
    for (int q = 0; q < p; q++) {
      int a = p / SPAN, b = p % SPAN - ORDER, c = q / SPAN, d = q % SPAN - ORDER;
      double weaker = fmin(power[a][b + ORDER], power[c][d + ORDER]);
      if (abs(a * d - b * c) != 1 || weaker <= best) continue;
      best = weaker;
      l->reference[0][0] = a, l->reference[0][1] = b;
      l->reference[1][0] = c, l->reference[1][1] = d;
    }
}

static void find(burl_lattice *lattice, const lag_maps *m) {
  lag wave, basis[2];
  double rho;
  burl_lattice found = {0};
  if (burl_lattice_find_line(&wave, m)) {
    double k = burl_lag_length(wave);
    rho = burl_lag_beside(m->coarse, (lag){-wave.x / k, wave.y / k}, 1.0 / k);
    set_line(&found, wave);
    if (LAG_SAMPLE / k < LEAST_STRIPES) return;
  } else if (burl_lattice_find_plane(basis, m)) {
    rho = 0.5 * (burl_lag_look(m->coarse, basis[0].y, basis[0].x) +
                 burl_lag_look(m->coarse, basis[1].y, basis[1].x));
    set_plane(&found, basis);
  } else {
    return;
  }
  found.strength = fmin(rho / m->share, 1.0);
  if (rho < LEAST_SHARE || found.strength < LEAST_RHO) return;
  choose_references(&found, m->medium);
  *lattice = found;
}

burl_status burl_lattice_find_learned(burl_lattice *lattice, const double *statistics) {
  lag_maps maps;
  burl_status status = burl_lag_maps_open(&maps, statistics);
  if (status != BURL_OK) return status;
  *lattice = (burl_lattice){0};
  if (maps.share > 0.0) find(lattice, &maps);
  burl_lag_maps_close(&maps);
  return BURL_OK;
}
