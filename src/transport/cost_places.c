/* Distances of positions in the plane, as they are or to the nearest image under a lattice.
 *
 * The basis is reduced first (Lagrange, Gauss): |u| <= |v| and |<u,v>| <= |u|^2 / 2. A difference
 * is then brought to coordinates (s,t) within +-1/2, and its nearest lattice point k u + l v is one
 * of the nine around the origin. For it is no further than the covering radius, at most sqrt(|u|^2
 * + |v|^2) / 2 <= |v| / sqrt 2, while |t - l| times the height of v over u, at least sqrt(3)/2 |v|,
 * is no more than that: |l| < 1.32, so |l| <= 1. And the best k for this l is s + (t - l)
 * <u,v>/|u|^2 to the nearest, at most 1/2 + 3/4 in magnitude: |k| <= 1. */
#include "base/memory.h"
#include "num/magnitude.h"
#include "num/simd.h"
#include "transport/cost_parts.h"

#include <math.h>
#include <stdlib.h>

#define PARALLEL 1e-12           /* area over the product of the lengths */
#define MOST_CELLS 1e9           /* beyond, the rounding of positions would decide */
#define MAGIC 6755399441055744.0 /* adding and subtracting it rounds to an integer */

static double dot(const double p[2], const double q[2]) {
  return p[0] * q[0] + p[1] * q[1];
}

/* Shortens u and v until neither can be made shorter by the other; each round that goes on shrinks
 * the longer one. */
static void reduce(double u[2], double v[2]) {
  for (;;) {
    if (dot(u, u) > dot(v, v)) {
      double swap[2] = {u[0], u[1]};
      u[0] = v[0], u[1] = v[1];
      v[0] = swap[0], v[1] = swap[1];
    }
    double times = rint(dot(u, v) / dot(u, u));
    double shorter[2] = {v[0] - times * u[0], v[1] - times * u[1]};
    if (!(dot(shorter, shorter) < dot(v, v))) return;
    v[0] = shorter[0], v[1] = shorter[1];
  }
}

static burl_status take_lattice(burl_cost_places *places, const double lattice[4], double widest) {
  double largest = 0.0;
  for (int k = 0; k < 4; k++) {
    if (!isfinite(lattice[k])) return BURL_ERR_NUMERIC;
    largest = fmax(largest, fabs(lattice[k]));
  }
  if (largest < 1e-100 || largest > 1e100) return BURL_ERR_ARGUMENT;
  double *u = places->u, *v = places->v;
  u[0] = lattice[0], u[1] = lattice[1], v[0] = lattice[2], v[1] = lattice[3];
  double area = u[0] * v[1] - u[1] * v[0];
  if (!(fabs(area) > PARALLEL * sqrt(dot(u, u)) * sqrt(dot(v, v)))) return BURL_ERR_ARGUMENT;
  reduce(u, v);
  area = u[0] * v[1] - u[1] * v[0];
  if (!(fabs(area) > 0.0) || widest > MOST_CELLS * sqrt(dot(u, u))) return BURL_ERR_ARGUMENT;
  places->inverse[0] = v[1] / area;
  places->inverse[1] = -v[0] / area;
  places->inverse[2] = -u[1] / area;
  places->inverse[3] = u[0] / area;
  return BURL_OK;
}

burl_status burl_cost_places_new(burl_cost_places *places, const burl_cost_term *term, size_t n,
                                 size_t m) {
  *places = (burl_cost_places){.x = term->x_places, .y = term->y_places, .m = m};
  places->periodic = term->kind == BURL_COST_PERIODIC;
  if (!places->x || !places->y) return BURL_ERR_ARGUMENT;
  double x = (double)burl_num_magnitude_float(places->x, 2 * n);
  double y = (double)burl_num_magnitude_float(places->y, 2 * m);
  if (!isfinite(x) || !isfinite(y)) return BURL_ERR_NUMERIC;
  if (places->periodic) {
    burl_status status = take_lattice(places, term->lattice, fmax(x, y));
    if (status) return status;
  }
  places->across = burl_alloc(m, sizeof(double));
  places->down = burl_alloc(m, sizeof(double));
  if (!places->across || !places->down) return BURL_ERR_MEMORY;
  for (size_t j = 0; j < m; j++) {
    places->across[j] = (double)places->y[2 * j];
    places->down[j] = (double)places->y[2 * j + 1];
  }
  return BURL_OK;
}

void burl_cost_places_free(burl_cost_places *places) {
  free(places->across);
  free(places->down);
}

double burl_cost_places_bound(const burl_cost_places *places, size_t n) {
  if (places->periodic) return sqrt(dot(places->v, places->v));
  return 3.0 * ((double)burl_num_magnitude_float(places->x, 2 * n) +
                (double)burl_num_magnitude_float(places->y, 2 * places->m));
}

BURL_CLONES
static void plain_row(float *restrict row, double x, double y, const double *restrict across,
                      const double *restrict down, size_t m) {
  for (size_t j = 0; j < m; j++) {
    double p = x - across[j], q = y - down[j];
    row[j] = (float)__builtin_sqrt(p * p + q * q);
  }
}

BURL_CLONES
static void periodic_row(float *restrict row, double x, double y, const double *restrict across,
                         const double *restrict down, const double basis[8], size_t m) {
  const double u0 = basis[0], u1 = basis[1], v0 = basis[2], v1 = basis[3];
  const double i0 = basis[4], i1 = basis[5], i2 = basis[6], i3 = basis[7];
  for (size_t j = 0; j < m; j++) {
    double p = x - across[j], q = y - down[j];
    double k = (i0 * p + i1 * q + MAGIC) - MAGIC, l = (i2 * p + i3 * q + MAGIC) - MAGIC;
    p -= k * u0 + l * v0;
    q -= k * u1 + l * v1;
    double least = p * p + q * q;
    for (int b = -1; b <= 1; b++)
      for (int a = -1; a <= 1; a++) {
        double s = p + (a * u0 + b * v0), t = q + (a * u1 + b * v1);
        double square = s * s + t * t;
        least = square < least ? square : least;
      }
    row[j] = (float)__builtin_sqrt(least);
  }
}

void burl_cost_places_rows(const burl_cost_places *places, float *block, size_t ld, size_t first,
                           size_t count) {
  const double *u = places->u, *v = places->v, *inverse = places->inverse;
  const double basis[8] = {u[0], u[1], v[0], v[1], inverse[0], inverse[1], inverse[2], inverse[3]};
  for (size_t i = 0; i < count; i++) {
    double x = (double)places->x[2 * (first + i)], y = (double)places->x[2 * (first + i) + 1];
    if (places->periodic)
      periodic_row(block + i * ld, x, y, places->across, places->down, basis, places->m);
    else
      plain_row(block + i * ld, x, y, places->across, places->down, places->m);
  }
}
