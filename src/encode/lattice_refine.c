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

enum { SIDE = BURL_LATTICE_SIDE, MOVES = 6, UNKNOWN = 8, COLUMNS = 9, SAMPLES = 2500 };

#define STRAIN 0.02 /* standard deviation of the prior */
#define MOST_STRAIN 0.15

/* Of the columns only these differ along a row of samples: T_y, T_x, T_y q_x, T_x q_x, T, 1, I. */
enum { BASE = 7, PRODUCTS = BASE * (BASE + 1) / 2, PLAIN = 5, ROW = LATTICE_WINDOW + BURL_LANES };

typedef struct equations {
  double sum[COLUMNS][COLUMNS]; /* products of the columns and of the samples (the ninth) */
  double count, plain[PLAIN];   /* n; I, T, II, TT, IT without weights: for the score */
  double gain, level, scale;    /* scale: s */
  double half;                  /* pixels that strains are multiplied by */
} equations;

/* A row of samples and of what the pattern has in their places; zeros after the last. */
typedef struct row_samples {
  float value[ROW], inside[ROW];     /* inside: 1, after the last 0 */
  float pattern[ROW], slope[2][ROW]; /* slopes a cycle of u and of v */
  float across[ROW];                 /* q_x, scaled */
  size_t count;
} row_samples;

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

/* Samples of row i, every `every`th; y receives q_y, scaled. */
BURL_CLONES
static void take_pattern_row(row_samples *restrict out, double *restrict y,
                             const lattice_aligner *a, const lattice_fit *fit, lattice_part part,
                             size_t i, size_t every, double half) {
  const double(*wave)[2] = a->lattice->wave, (*strain)[2] = fit->strain;
  double qy = a->window.y + LATTICE_REDUCE * (double)i - fit->centre[0];
  double qx = a->window.x + LATTICE_REDUCE * (double)part.col0 - fit->centre[1];
  double sy = qy + strain[0][0] * qy + strain[0][1] * qx;
  double sx = qx + strain[1][0] * qy + strain[1][1] * qx;
  float cell[2], step[2];
  for (int k = 0; k < 2; k++) {
    double phase = fit->phase[k] + wave[k][0] * sy + wave[k][1] * sx;
    double stride = wave[k][0] * strain[0][1] + wave[k][1] * (1.0 + strain[1][1]);
    cell[k] = (float)(SIDE * (phase - floor(phase)));
    step[k] = (float)(SIDE * LATTICE_REDUCE * stride * (double)every);
  }
  const float *row = a->window.sample + i * a->window.cols;
  float right = (float)(qx / half), stride = (float)(LATTICE_REDUCE * (double)every / half);
  size_t n = 0;
  for (size_t j = part.col0; j < part.col1; j += every, n++) {
    float t[4];
    look_up(t, (const float(*)[4])a->table, cell[0] + (float)n * step[0],
            cell[1] + (float)n * step[1]);
    out->value[n] = row[j];
    out->inside[n] = 1.0f;
    out->pattern[n] = t[0];
    out->slope[0][n] = t[1];
    out->slope[1][n] = t[2];
    out->across[n] = right + (float)n * stride;
  }
  for (size_t j = n; j < n + BURL_LANES; j++) {
    out->value[j] = out->inside[j] = out->pattern[j] = out->across[j] = 0.0f;
    out->slope[0][j] = out->slope[1][j] = 0.0f;
  }
  out->count = n;
  *y = qy / half;
}

#define LANES_AT(at) (*(const burl_lanes *)(at))

/* Sums over a row of the products of all base columns, weighted, and of the plain ones. wave: of u
 * and v, down and across, times the gain. */
BURL_CLONES
static void multiply_pattern_row(burl_lanes *restrict product, burl_lanes *restrict plain,
                                 const row_samples *restrict in, const float wave[4], float gain,
                                 float level, float sharp) {
  for (size_t n = 0; n < in->count; n += BURL_LANES) {
    burl_lanes u = LANES_AT(in->slope[0] + n), v = LANES_AT(in->slope[1] + n);
    burl_lanes t = LANES_AT(in->pattern + n), value = LANES_AT(in->value + n);
    burl_lanes one = LANES_AT(in->inside + n), x = LANES_AT(in->across + n);
    burl_lanes q = (value - gain * t - level) * sharp, z = 1.0f / (1.0f + q * q);
    burl_lanes weight = z * z * one, ty = wave[0] * u + wave[2] * v, tx = wave[1] * u + wave[3] * v;
    const burl_lanes column[BASE] = {ty, tx, ty * x, tx * x, t, one, value};
    for (int k = 0, at = 0; k < BASE; k++) {
      burl_lanes weighted = weight * column[k];
      for (int l = 0; l <= k; l++)
        product[at++] += weighted * column[l];
    }
    plain[0] += value;
    plain[1] += t;
    plain[2] += value * value;
    plain[3] += t * t;
    plain[4] += t * value;
  }
}

static double total(const burl_lanes *lanes) {
  double sum = 0.0;
  for (int k = 0; k < BURL_LANES; k++)
    sum += (double)(*lanes)[k];
  return sum;
}

/* Adds a row's products: column k is base column from[k], times y where down[k]. */
static void add_products(equations *e, const burl_lanes *product, double y) {
  static const int from[COLUMNS] = {0, 1, 0, 2, 1, 3, 4, 5, 6};
  static const int down[COLUMNS] = {0, 0, 1, 0, 1, 0, 0, 0, 0};
  double sum[BASE][BASE];
  for (int k = 0, at = 0; k < BASE; k++)
    for (int l = 0; l <= k; l++, at++)
      sum[k][l] = sum[l][k] = total(&product[at]);
  for (int k = 0; k < COLUMNS; k++)
    for (int l = 0; l < COLUMNS; l++)
      e->sum[k][l] += (down[k] ? y : 1.0) * (down[l] ? y : 1.0) * sum[from[k]][from[l]];
}

static void set_up(equations *e, const lattice_aligner *a, const lattice_fit *fit,
                   lattice_part part) {
  row_samples row;
  const double(*w)[2] = a->lattice->wave;
  const float wave[4] = {(float)(e->gain * w[0][0]), (float)(e->gain * w[0][1]),
                         (float)(e->gain * w[1][0]), (float)(e->gain * w[1][1])};
  size_t every = 1;
  double y;
  while ((part.row1 - part.row0) * (part.col1 - part.col0) / (every * every) > SAMPLES)
    every++;
  memset(e->sum, 0, sizeof e->sum);
  memset(e->plain, 0, sizeof e->plain);
  e->count = 0.0;
  for (size_t i = part.row0; i < part.row1; i += every) {
    burl_lanes product[PRODUCTS] = {{0}}, plain[PLAIN] = {{0}};
    take_pattern_row(&row, &y, a, fit, part, i, every, e->half);
    multiply_pattern_row(product, plain, &row, wave, (float)e->gain, (float)e->level,
                         (float)(1.0 / e->scale));
    add_products(e, product, y);
    for (int k = 0; k < PLAIN; k++)
      e->plain[k] += total(&plain[k]);
    e->count += (double)row.count;
  }
}

static double correlation(const equations *e) {
  const double *p = e->plain;
  double n = e->count, vi = p[2] - p[0] * p[0] / n, vt = p[3] - p[1] * p[1] / n;
  double c = p[4] - p[0] * p[1] / n;
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
  double g = e->gain, m = e->level, (*s)[COLUMNS] = e->sum, weight = s[7][7];
  double squares = s[8][8] + g * g * s[6][6] + m * m * weight -
                   2.0 * (g * s[6][8] + m * s[7][8] - g * m * s[6][7]);
  double variance = fmax(squares / fmax(weight, 1.0), 1e-6);
  double prior = variance / (STRAIN * e->half * STRAIN * e->half);
  double *strain = &fit->strain[0][0];
  for (int k = 0; k < UNKNOWN; k++) {
    for (int l = 0; l < UNKNOWN; l++)
      A[k][l] = s[k][l];
    x[k] = s[k][8] - g * s[k][6] - m * s[k][7];
    if (k < 2) A[k][k] += 0.01 * variance;
    if (k >= 2 && k < MOVES) {
      A[k][k] += prior;
      x[k] -= prior * strain[k - 2] * e->half;
    }
    if (k >= MOVES) A[k][k] += 1e-6 * weight + 1e-9;
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
