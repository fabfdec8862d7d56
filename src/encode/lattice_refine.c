/* Gauss-Newton on the samples themselves (Lucas and Kanade, 1981, with an affine map).
 *
 *   I(p) = g T(phase + W (1 + E) q) + m + noise,   q = p - centre, W the lattice's wave
 *
 * Unknown are a shift d (phase grows by W d), the strain E, gain g and level m. The pattern's slope
 * in pixels is (T_y,T_x) = W^T (T_u,T_v), so the columns of the linear problem are
 *   g T_y, g T_x, g T_y q_y, g T_y q_x, g T_x q_y, g T_x q_x, T, 1.
 * E has a normal prior of 2 percent: it decides where the image cannot (along stripes, few
 * repeats). Samples count by (1 + (r/s)^2)^-2 for their residual r: a figure that is missing does
 * not pull. */
#include "encode/lattice_parts.h"
#include "num/simd.h"

#include <math.h>
#include <string.h>

enum { SIDE = BURL_LATTICE_SIDE, MOVES = 6, UNKNOWN = 8, COLUMNS = 9, WIDTH = 12, SAMPLES = 12000 };

#define STRAIN 0.02 /* standard deviation of the prior */
#define MOST_STRAIN 0.15

typedef struct equations {
  double sum[COLUMNS][WIDTH]; /* products of the columns and of the samples (the ninth) */
  double squares, weight;     /* of the residuals, weighted */
  double plain[6];            /* n, I, T, II, TT, IT without weights: for the score */
  double gain, level, scale;  /* scale: s */
  double half;                /* pixels that strains are multiplied by */
} equations;

BURL_INLINE void look_up(float out[4], const float (*table)[4], float u, float v) {
  float fu = floorf(u), fv = floorf(v), wu = u - fu, wv = v - fv;
  size_t u0 = (size_t)((int)fu & (SIDE - 1)), v0 = (size_t)((int)fv & (SIDE - 1)) * SIDE;
  size_t u1 = (u0 + 1) & (SIDE - 1), v1 = (v0 + SIDE) & (LATTICE_CELLS - 1);
  const float *a = table[v0 + u0], *b = table[v0 + u1], *c = table[v1 + u0], *d = table[v1 + u1];
  for (int k = 0; k < 4; k++) {
    float top = a[k] + wu * (b[k] - a[k]), bottom = c[k] + wu * (d[k] - c[k]);
    out[k] = top + wv * (bottom - top);
  }
}

/* One sample: columns and residual into `sum` (COLUMNS, WIDTH). */
BURL_INLINE void add_sample(float sum[COLUMNS][WIDTH], float plain[6], float *squares,
                            float *weight, const float t[4], const float slope[4], float y, float x,
                            float value, const float setting[3]) {
  float ty = setting[0] * (t[1] * slope[0] + t[2] * slope[2]);
  float tx = setting[0] * (t[1] * slope[1] + t[2] * slope[3]);
  float r = value - setting[0] * t[0] - setting[1], q = r * setting[2];
  float z = 1.0f / (1.0f + q * q), w = z * z;
  const float column[WIDTH] = {ty, tx, ty * y, ty * x, tx * y, tx * x, t[0], 1.0f, value};
  for (int k = 0; k < COLUMNS; k++)
    for (int l = 0; l < WIDTH; l++)
      sum[k][l] += w * column[k] * column[l];
  const float own[6] = {1.0f, value, t[0], value * value, t[0] * t[0], t[0] * value};
  for (int k = 0; k < 6; k++)
    plain[k] += own[k];
  *squares += w * r * r;
  *weight += w;
}

/* Adds every `every`th sample of row i. */
BURL_CLONES
static void add_lattice_row(equations *e, const lattice_aligner *a, const lattice_fit *fit,
                            lattice_part part, size_t i, size_t every) {
  const double(*wave)[2] = a->lattice->wave, (*strain)[2] = fit->strain;
  float sum[COLUMNS][WIDTH] = {{0}}, plain[6] = {0}, squares = 0.0f, weight = 0.0f;
  double y = a->window.y + LATTICE_REDUCE * (double)i - fit->centre[0];
  double x = a->window.x + LATTICE_REDUCE * (double)part.col0 - fit->centre[1];
  double sy = y + strain[0][0] * y + strain[0][1] * x, sx = x + strain[1][0] * y + strain[1][1] * x;
  float cell[2], step[2], slope[4];
  for (int k = 0; k < 2; k++) {
    double phase = fit->phase[k] + wave[k][0] * sy + wave[k][1] * sx;
    cell[k] = (float)(SIDE * (phase - floor(phase)));
    step[k] = (float)(SIDE * LATTICE_REDUCE *
                      (wave[k][0] * strain[0][1] + wave[k][1] * (1.0 + strain[1][1])));
    slope[2 * k] = (float)wave[k][0];
    slope[2 * k + 1] = (float)wave[k][1];
  }
  const float setting[3] = {(float)e->gain, (float)e->level, (float)(1.0 / e->scale)};
  const float *row = a->window.sample + i * a->window.cols;
  float scaled = (float)(y / e->half), right = (float)(x / e->half);
  float across = (float)(LATTICE_REDUCE / e->half);
  const float(*table)[4] = (const float(*)[4])a->table;
  for (size_t j = part.col0; j < part.col1; j += every) {
    float n = (float)(j - part.col0), t[4];
    look_up(t, table, cell[0] + n * step[0], cell[1] + n * step[1]);
    add_sample(sum, plain, &squares, &weight, t, slope, scaled, right + n * across, row[j],
               setting);
  }
  for (int k = 0; k < COLUMNS; k++)
    for (int l = 0; l < WIDTH; l++)
      e->sum[k][l] += (double)sum[k][l];
  for (int k = 0; k < 6; k++)
    e->plain[k] += (double)plain[k];
  e->squares += (double)squares;
  e->weight += (double)weight;
}

static void set_up(equations *e, const lattice_aligner *a, const lattice_fit *fit,
                   lattice_part part) {
  size_t every = 1;
  while ((part.row1 - part.row0) * (part.col1 - part.col0) / (every * every) > SAMPLES)
    every++;
  memset(e->sum, 0, sizeof e->sum);
  memset(e->plain, 0, sizeof e->plain);
  e->squares = e->weight = 0.0;
  for (size_t i = part.row0; i < part.row1; i += every)
    add_lattice_row(e, a, fit, part, i, every);
}

static double correlation(const equations *e) {
  const double *p = e->plain;
  double n = p[0], vi = p[3] - p[1] * p[1] / n, vt = p[4] - p[2] * p[2] / n;
  double c = p[5] - p[1] * p[2] / n;
  return vi > 1e-9 * n && vt > 1e-9 * n ? c / sqrt(vi * vt) : -1.0;
}

/* x = A^-1 x for a symmetric A that is positive definite (Cholesky); 0 where it is not. */
static int solve(double A[UNKNOWN][UNKNOWN], double x[UNKNOWN]) {
  for (int k = 0; k < UNKNOWN; k++) {
    for (int l = 0; l <= k; l++) {
      double sum = A[k][l];
      for (int i = 0; i < l; i++)
        sum -= A[k][i] * A[l][i];
      if (k == l && !(sum > 0.0)) return 0;
      A[k][l] = k == l ? sqrt(sum) : sum / A[l][l];
    }
    for (int i = 0; i < k; i++)
      x[k] -= A[k][i] * x[i];
    x[k] /= A[k][k];
  }
  for (int k = UNKNOWN - 1; k >= 0; k--) {
    for (int i = k + 1; i < UNKNOWN; i++)
      x[k] -= A[i][k] * x[i];
    x[k] /= A[k][k];
  }
  return 1;
}

/* One step; returns how far the far end of the part moved, in pixels. */
static double step(equations *e, const burl_lattice *lattice, lattice_fit *fit) {
  double A[UNKNOWN][UNKNOWN], x[UNKNOWN];
  double variance = fmax(e->squares / fmax(e->weight, 1.0), 1e-6);
  double prior = variance / (STRAIN * e->half * STRAIN * e->half);
  double *strain = &fit->strain[0][0];
  for (int k = 0; k < UNKNOWN; k++) {
    for (int l = 0; l < UNKNOWN; l++)
      A[k][l] = e->sum[k][l];
    x[k] = e->sum[k][8] - e->gain * e->sum[k][6] - e->level * e->sum[k][7];
    if (k < 2) A[k][k] += 0.01 * variance;
    if (k >= 2 && k < MOVES) {
      A[k][k] += prior;
      x[k] -= prior * strain[k - 2] * e->half;
    }
    if (k >= MOVES) A[k][k] += 1e-6 * e->weight + 1e-9;
  }
  if (!solve(A, x)) return 0.0;
  double length = hypot(x[0], x[1]);
  double most = 0.2 / hypot(lattice->wave[0][0] + lattice->wave[1][0],
                            lattice->wave[0][1] + lattice->wave[1][1]);
  double share = length > most ? most / length : 1.0, moved = share * length;
  for (int k = 0; k < 2; k++)
    fit->phase[k] += share * (lattice->wave[k][0] * x[0] + lattice->wave[k][1] * x[1]);
  for (int k = 0; k < 4; k++) {
    double now = strain[k] + share * x[2 + k] / e->half;
    strain[k] = now > MOST_STRAIN ? MOST_STRAIN : now < -MOST_STRAIN ? -MOST_STRAIN : now;
    moved += share * fabs(x[2 + k]);
  }
  e->gain = fmin(fmax(e->gain + x[6], 0.2), 4.0);
  e->level += x[7];
  e->scale = fmax(2.0 * sqrt(variance), 0.1);
  return moved;
}

void burl_lattice_refine(const lattice_aligner *aligner, lattice_fit *fit, lattice_part part,
                         int steps) {
  size_t rows = part.row1 - part.row0, cols = part.col1 - part.col0;
  if (rows == 0 || cols == 0) return;
  equations e = {.gain = 1.0, .scale = 2.0};
  e.half = 0.5 * LATTICE_REDUCE * (double)(rows > cols ? rows : cols);
  lattice_fit now = *fit;
  double best = -1.0;
  for (int k = 0; k <= steps; k++) {
    set_up(&e, aligner, &now, part);
    now.score = correlation(&e);
    /* a defect may well cost some of the plain correlation; more than that is a step gone astray */
    if (now.score < best - 0.03) break;
    best = fmax(best, now.score);
    *fit = now;
    if (k < steps && step(&e, aligner->lattice, &now) < 0.005) break;
  }
}
