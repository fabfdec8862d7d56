#include "reference/ref_cost.h"

#include <math.h>
#include <stdlib.h>

#define IMAGES 24

static double squared(const float *x, const float *y, size_t d) {
  double sum = 0.0;
  for (size_t t = 0; t < d; t++)
    sum += ((double)x[t] - (double)y[t]) * ((double)x[t] - (double)y[t]);
  return sum;
}

/* In long double, so that 1 - cos of nearly parallel vectors keeps its digits. */
static double cosine(const float *x, const float *y, size_t d) {
  long double xx = 0.0L, yy = 0.0L, gap = 0.0L;
  for (size_t t = 0; t < d; t++) {
    xx += (long double)x[t] * (long double)x[t];
    yy += (long double)y[t] * (long double)y[t];
  }
  if (xx <= 0.0L || yy <= 0.0L) return 1.0;
  for (size_t t = 0; t < d; t++) {
    long double difference = (long double)x[t] / sqrtl(xx) - (long double)y[t] / sqrtl(yy);
    gap += difference * difference;
  }
  return (double)(0.5L * gap);
}

/* Every image within IMAGES cells of the given basis; NaN where the nearest is at the border, so
 * that there may be a nearer one beyond. */
static double periodic(const float *x, const float *y, const double lattice[4]) {
  double least = (double)INFINITY;
  int at_border = 1;
  for (int k = -IMAGES; k <= IMAGES; k++)
    for (int l = -IMAGES; l <= IMAGES; l++) {
      double p = (double)x[0] - (double)y[0] + k * lattice[0] + l * lattice[2];
      double q = (double)x[1] - (double)y[1] + k * lattice[1] + l * lattice[3];
      if (hypot(p, q) >= least) continue;
      least = hypot(p, q);
      at_border = abs(k) == IMAGES || abs(l) == IMAGES;
    }
  return at_border ? (double)NAN : least;
}

double ref_cost_term(const burl_cost_term *term, const float *X, const float *Y, size_t d, size_t i,
                     size_t j) {
  switch (term->kind) {
  case BURL_COST_SQUARED:
    return squared(X + i * d, Y + j * d, d);
  case BURL_COST_POWER:
    return pow(sqrt(squared(X + i * d, Y + j * d, d)), term->power);
  case BURL_COST_COSINE:
    return cosine(X + i * d, Y + j * d, d);
  case BURL_COST_PLACE:
    return sqrt(squared(term->x_places + 2 * i, term->y_places + 2 * j, 2));
  case BURL_COST_PERIODIC:
    return periodic(term->x_places + 2 * i, term->y_places + 2 * j, term->lattice);
  }
  return (double)NAN;
}

void ref_cost(double *C, const burl_cost_term *terms, size_t count, const float *X, size_t n,
              const float *Y, size_t m, size_t d) {
  for (size_t at = 0; at < n * m; at++)
    C[at] = 0.0;
  for (const burl_cost_term *term = terms; term < terms + count; term++) {
    double max = 0.0;
    for (size_t at = 0; at < n * m; at++)
      max = fmax(max, ref_cost_term(term, X, Y, d, at / m, at % m));
    double normaliser = term->over_max ? max : term->constant > 0.0 ? term->constant : 1.0;
    for (size_t at = 0; at < n * m && normaliser > 0.0; at++)
      C[at] += term->weight * ref_cost_term(term, X, Y, d, at / m, at % m) / normaliser;
  }
}
