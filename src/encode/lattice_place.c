/* Placing one window on the lattice.
 *
 * 1. Search. Samples are folded onto one repeat: sums S(b) and numbers N(b) by phase b. For every
 *    offset a the correlation of samples and pattern T is then
 *      r(a) = (c1 - m c3) / sqrt((c2 - c3^2/n) V),  c1 = sum S(b) T(b+a),  c2 = sum N(b) T(b+a)^2,
 *      c3 = sum N(b) T(b+a),
 *    with n samples of mean m and summed square deviation V: exact for any part of the repeat that
 *    is seen, and three circular correlations, thus transforms of 64 x 64.
 * 2. Refinement (lattice_refine.c), on a part of a few repeats in the middle at first, where a
 *    turn or stretch of a few percent does not matter yet, then on parts twice as large each time.
 * 3. Where the correlation is below what good images have, search again over all of the window, as
 *    it is now turned and stretched; a better place wins. */
#include "encode/lattice_parts.h"

#include <math.h>
#include <string.h>

enum { SIDE = BURL_LATTICE_SIDE, CELLS = LATTICE_CELLS, HALF = SIDE / 2 + 1, SAMPLES = 4000 };

#define EXPECTED 0.85 /* of the correlation that the lattice's strength promises */

/* The same requests in the same order for reserving and for taking. */
static void *request(burl_arena *arena, size_t count, size_t size) {
  if (arena->block) return burl_arena_take(arena, count, size);
  burl_arena_reserve(arena, count, size);
  return NULL;
}

static void lay_out(lattice_aligner *a) {
  a->table = request(&a->arena, CELLS, sizeof *a->table);
  for (int k = 0; k < 2; k++)
    a->spectrum[k] = request(&a->arena, SIDE * HALF, sizeof(burl_complex));
  for (int k = 0; k < 3; k++)
    a->work[k] = request(&a->arena, SIDE * HALF, sizeof(burl_complex));
  for (int k = 0; k < 3; k++)
    a->map[k] = request(&a->arena, CELLS, sizeof(float));
  a->folded = request(&a->arena, CELLS, sizeof(float));
  a->hits = request(&a->arena, CELLS, sizeof(float));
}

void burl_lattice_aligner_close(lattice_aligner *a) {
  burl_lattice_window_close(&a->window);
  burl_arena_close(&a->arena);
  burl_fft_free(a->fft);
  *a = (lattice_aligner){0};
}

/* Slopes by central differences of fourth order: the pattern holds no more than 20 waves. */
static void make_table(lattice_aligner *a) {
  const float *t = a->lattice->pattern;
  const float near = 8.0f * SIDE / 12.0f, far = SIDE / 12.0f;
  for (size_t i = 0; i < SIDE; i++)
    for (size_t j = 0; j < SIDE; j++) {
      size_t i1 = (i + 1) % SIDE, i2 = (i + 2) % SIDE;
      size_t i3 = (i + SIDE - 1) % SIDE, i4 = (i + SIDE - 2) % SIDE;
      size_t j1 = (j + 1) % SIDE, j2 = (j + 2) % SIDE;
      size_t j3 = (j + SIDE - 1) % SIDE, j4 = (j + SIDE - 2) % SIDE;
      float *out = a->table[i * SIDE + j];
      const float *row = t + i * SIDE;
      out[0] = row[j];
      out[1] = near * (row[j1] - row[j3]) - far * (row[j2] - row[j4]);
      out[2] = near * (t[i1 * SIDE + j] - t[i3 * SIDE + j]) -
               far * (t[i2 * SIDE + j] - t[i4 * SIDE + j]);
      out[3] = 0.0f;
    }
}

burl_status burl_lattice_aligner_open(lattice_aligner *aligner, const burl_lattice *lattice) {
  lattice_aligner *a = aligner;
  *a = (lattice_aligner){.lattice = lattice};
  lay_out(a);
  if (!burl_arena_open(&a->arena)) return BURL_ERR_MEMORY;
  lay_out(a);
  burl_status status = burl_lattice_window_open(&a->window);
  if (status == BURL_OK) status = burl_fft_new(&a->fft, SIDE, SIDE);
  if (status != BURL_OK) {
    burl_lattice_aligner_close(a);
    return status;
  }
  make_table(a);
  for (size_t i = 0; i < CELLS; i++)
    a->map[0][i] = lattice->pattern[i] * lattice->pattern[i];
  burl_fft_forward(a->fft, a->spectrum[0], lattice->pattern);
  burl_fft_forward(a->fft, a->spectrum[1], a->map[0]);
  return BURL_OK;
}

double burl_lattice_reach(const burl_lattice *lattice) {
  const double(*b)[2] = lattice->basis;
  return fmax(hypot(b[0][0], b[0][1]), hypot(b[1][0], b[1][1]));
}

int burl_lattice_aligner_read(lattice_aligner *a, const burl_view *view, burl_rect region) {
  size_t side = region.height < region.width ? region.height : region.width;
  /* a curved light taken out of few repeats would take the print along */
  int few = (double)side < 3.0 * burl_lattice_reach(a->lattice);
  lattice_look look = {.reduce = LATTICE_REDUCE, .smoothing = 1, .degree = few ? 1 : 2};
  return burl_lattice_window_read(&a->window, view, region, look);
}

static void middle(size_t *first, size_t *last, size_t n, double wanted) {
  size_t size = wanted < (double)n ? (size_t)wanted : n;
  *first = (n - size) / 2;
  *last = *first + size;
}

lattice_part burl_lattice_middle(const lattice_window *window, double pixels) {
  lattice_part part;
  middle(&part.row0, &part.row1, window->rows, pixels / LATTICE_REDUCE);
  middle(&part.col0, &part.col1, window->cols, pixels / LATTICE_REDUCE);
  return part;
}

/* Every how manieth sample is enough. */
static size_t stride_of(lattice_part part) {
  size_t step = 1;
  while ((part.row1 - part.row0) * (part.col1 - part.col0) / (step * step) > SAMPLES)
    step++;
  return step;
}

/* Phase of sample (i,j), and its step to the next column, in cells; phase in [0,SIDE). */
static void phase_of(const lattice_aligner *a, const lattice_fit *fit, size_t i, size_t j,
                     double cell[2], double step[2]) {
  double y = a->window.y + LATTICE_REDUCE * (double)i - fit->centre[0];
  double x = a->window.x + LATTICE_REDUCE * (double)j - fit->centre[1];
  double sy = y + fit->strain[0][0] * y + fit->strain[0][1] * x;
  double sx = x + fit->strain[1][0] * y + fit->strain[1][1] * x;
  for (int k = 0; k < 2; k++) {
    const double *w = a->lattice->wave[k];
    double phase = fit->phase[k] + w[0] * sy + w[1] * sx;
    cell[k] = SIDE * (phase - floor(phase));
    step[k] = SIDE * LATTICE_REDUCE * (w[0] * fit->strain[0][1] + w[1] * (1.0 + fit->strain[1][1]));
  }
}

void burl_lattice_fold(lattice_aligner *a, const lattice_fit *fit, lattice_part part) {
  size_t every = stride_of(part);
  memset(a->folded, 0, CELLS * sizeof *a->folded);
  memset(a->hits, 0, CELLS * sizeof *a->hits);
  a->squares = 0.0;
  for (size_t i = part.row0; i < part.row1; i += every) {
    double cell[2], step[2];
    phase_of(a, fit, i, part.col0, cell, step);
    const float *row = a->window.sample + i * a->window.cols;
    for (size_t j = part.col0, n = 0; j < part.col1; j += every, n += every) {
      double u = cell[0] + (double)n * step[0], v = cell[1] + (double)n * step[1];
      double fu = floor(u), fv = floor(v);
      float wu = (float)(u - fu), wv = (float)(v - fv), s = row[j];
      size_t u0 = (size_t)((long)fu & (SIDE - 1)), v0 = (size_t)((long)fv & (SIDE - 1)) * SIDE;
      size_t u1 = (u0 + 1) & (SIDE - 1), v1 = (v0 + SIDE) & (CELLS - 1);
      float w00 = (1.0f - wu) * (1.0f - wv), w01 = wu * (1.0f - wv);
      float w10 = (1.0f - wu) * wv, w11 = wu * wv;
      a->folded[v0 + u0] += w00 * s, a->hits[v0 + u0] += w00;
      a->folded[v0 + u1] += w01 * s, a->hits[v0 + u1] += w01;
      a->folded[v1 + u0] += w10 * s, a->hits[v1 + u0] += w10;
      a->folded[v1 + u1] += w11 * s, a->hits[v1 + u1] += w11;
      a->squares += (double)s * (double)s;
    }
  }
}

/* map = sum over b of x(b) y(b + a), from the transforms of x and y. */
static void correlate(lattice_aligner *a, float *map, const burl_complex *x,
                      const burl_complex *y) {
  burl_complex *product = a->work[2];
  for (size_t i = 0; i < SIDE * HALF; i++)
    product[i] = (burl_complex){x[i].re * y[i].re + x[i].im * y[i].im,
                                x[i].re * y[i].im - x[i].im * y[i].re};
  burl_fft_inverse(a->fft, map, product);
}

/* map[0] = r(a). */
static void score_offsets(lattice_aligner *a) {
  double n = 0.0, sum = 0.0;
  for (size_t i = 0; i < CELLS; i++) {
    n += (double)a->hits[i];
    sum += (double)a->folded[i];
  }
  double mean = n > 0.0 ? sum / n : 0.0, spread = a->squares - mean * sum;
  burl_fft_forward(a->fft, a->work[0], a->folded);
  burl_fft_forward(a->fft, a->work[1], a->hits);
  correlate(a, a->map[0], a->work[0], a->spectrum[0]);
  correlate(a, a->map[1], a->work[1], a->spectrum[1]);
  correlate(a, a->map[2], a->work[1], a->spectrum[0]);
  for (size_t i = 0; i < CELLS; i++) {
    double c1 = (double)a->map[0][i], c2 = (double)a->map[1][i], c3 = (double)a->map[2][i];
    double bottom = (c2 - c3 * c3 / fmax(n, 1.0)) * spread;
    a->map[0][i] = bottom > 1e-9 * n ? (float)((c1 - mean * c3) / sqrt(bottom)) : -1.0f;
  }
}

/* Takes a disc around the cell out of the running. */
static void strike(float *map, size_t at) {
  const int reach = SIDE / 10;
  for (int dy = -reach; dy <= reach; dy++)
    for (int dx = -reach; dx <= reach; dx++)
      map[(at / SIDE + (size_t)(dy + SIDE)) % SIDE * SIDE + (at + (size_t)(dx + SIDE)) % SIDE] =
          -2.0f;
}

size_t burl_lattice_search(lattice_aligner *a, lattice_fit *fits, size_t most,
                           const lattice_fit *start, lattice_part part) {
  burl_lattice_fold(a, start, part);
  score_offsets(a);
  size_t cells = a->lattice->dimensions == 2 ? CELLS : SIDE, count = 0;
  while (count < most) {
    size_t best = 0;
    for (size_t i = 1; i < cells; i++)
      if (a->map[0][i] > a->map[0][best]) best = i;
    if (a->map[0][best] <= -1.0f) break;
    fits[count] = *start;
    fits[count].score = (double)a->map[0][best];
    fits[count].phase[0] += (double)(best % SIDE) / SIDE;
    fits[count].phase[1] += (double)(best / SIDE) / SIDE;
    count++;
    strike(a->map[0], best);
  }
  return count;
}

/* The best of a few places by the middle of the window. */
static void find_start(lattice_aligner *a, lattice_fit *fit, lattice_part part) {
  enum { PLACES = 3 };
  lattice_fit start = {.centre = {fit->centre[0], fit->centre[1]}}, places[PLACES];
  size_t count = burl_lattice_search(a, places, PLACES, &start, part);
  double first = count > 0 ? places[0].score : 0.0;
  for (size_t k = 0; k < count; k++) {
    if (k > 0 && places[k].score < 0.9 * first) break;
    burl_lattice_refine(a, &places[k], part, 2);
    if (k == 0 || places[k].score > fit->score) *fit = places[k];
  }
}

void burl_lattice_place(lattice_aligner *a, lattice_fit *fit, const lattice_fit *guess) {
  const lattice_window *w = &a->window;
  double side = (double)(w->rows > w->cols ? w->rows : w->cols) * LATTICE_REDUCE;
  double size = 3.5 * burl_lattice_reach(a->lattice);
  lattice_part whole = burl_lattice_middle(w, side + LATTICE_REDUCE);
  if (guess) {
    *fit = *guess;
    burl_lattice_refine(a, fit, whole, 5);
    return;
  }
  *fit = (lattice_fit){.centre = {w->y + 0.5 * LATTICE_REDUCE * (double)(w->rows - 1),
                                  w->x + 0.5 * LATTICE_REDUCE * (double)(w->cols - 1)},
                       .score = -1.0};
  find_start(a, fit, burl_lattice_middle(w, size));
  for (size *= 2.0; size < side; size *= 2.0)
    burl_lattice_refine(a, fit, burl_lattice_middle(w, size), 2);
  burl_lattice_refine(a, fit, whole, 4);
  lattice_fit other;
  if (fit->score > EXPECTED * sqrt(a->lattice->strength)) return;
  if (burl_lattice_search(a, &other, 1, fit, whole) == 0 || other.score < fit->score + 0.02) return;
  burl_lattice_refine(a, &other, whole, 4);
  if (other.score > fit->score) *fit = other;
}
