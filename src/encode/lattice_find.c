/* Pass 0: the autocorrelation of the good images.
 *
 *   rho(t) = sum_p x(p) x(p + t) / ((sum_p x(p)^2 + sum_p x(p + t)^2) / 2)
 *
 * over the pairs p, p + t of all windows: numerator and denominator are added up apart, so rho is
 * at most 1 for near and far lags alike. Through padded transforms, at 2 pixels a sample. What the
 * sums tell is read in lattice_basis.c. */
#include "encode/lattice_parts.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LAGS = LATTICE_LAGS, WIDTH = LATTICE_LAG_WIDTH, COUNT = LATTICE_LAG_COUNT, REDUCE = 2 };

size_t burl_lattice_find_statistics(void) {
  return 2 * COUNT;
}

typedef struct correlator {
  lattice_window window;
  burl_arena arena;
  float *padded;
  burl_complex *spectrum;
  double *squares; /* (rows + 1, cols + 1) sums of squares above and to the left */
  double *sum;     /* the statistics of this image */
} correlator;

/* The same requests in the same order for reserving and for taking. */
static void *request(burl_arena *arena, size_t count, size_t size) {
  if (arena->block) return burl_arena_take(arena, count, size);
  burl_arena_reserve(arena, count, size);
  return NULL;
}

static void lay_out(correlator *c) {
  size_t side = burl_fft_good_size(LATTICE_WINDOW + LAGS), edge = LATTICE_WINDOW + 1;
  c->padded = request(&c->arena, side * side, sizeof *c->padded);
  c->spectrum = request(&c->arena, side * (side / 2 + 1), sizeof *c->spectrum);
  c->squares = request(&c->arena, edge * edge, sizeof *c->squares);
  c->sum = request(&c->arena, 2 * COUNT, sizeof *c->sum);
}

static void correlator_close(correlator *c) {
  burl_lattice_window_close(&c->window);
  burl_arena_close(&c->arena);
}

static burl_status correlator_open(correlator *c) {
  *c = (correlator){0};
  lay_out(c);
  if (!burl_arena_open(&c->arena)) return BURL_ERR_MEMORY;
  lay_out(c);
  memset(c->sum, 0, 2 * COUNT * sizeof *c->sum);
  burl_status status = burl_lattice_window_open(&c->window);
  if (status != BURL_OK) correlator_close(c);
  return status;
}

static void sum_squares(correlator *c) {
  const lattice_window *w = &c->window;
  size_t ld = w->cols + 1;
  memset(c->squares, 0, ld * sizeof *c->squares);
  for (size_t i = 0; i < w->rows; i++) {
    double row = 0.0, *here = c->squares + (i + 1) * ld;
    here[0] = 0.0;
    for (size_t j = 0; j < w->cols; j++) {
      double v = (double)w->sample[i * w->cols + j];
      row += v * v;
      here[j + 1] = here[j + 1 - ld] + row;
    }
  }
}

/* Sum of the squares of `height` x `width` samples from (y,x). */
static double squares_in(const correlator *c, size_t y, size_t x, size_t height, size_t width) {
  size_t ld = c->window.cols + 1;
  const double *top = c->squares + y * ld + x, *bottom = top + height * ld;
  return bottom[width] - bottom[0] - top[width] + top[0];
}

/* Adds the correlation and the energy of every lag; padded holds the correlation. */
static void add_lags(correlator *c, size_t cols) {
  const lattice_window *w = &c->window;
  for (size_t i = 0; i <= LAGS && i < w->rows; i++)
    for (size_t j = 0; j < WIDTH; j++) {
      int left = j < LAGS;
      size_t far = left ? LAGS - j : j - LAGS;
      if (far >= w->cols) continue;
      size_t height = w->rows - i, width = w->cols - far;
      double here = squares_in(c, 0, left ? far : 0, height, width);
      double there = squares_in(c, i, left ? 0 : far, height, width);
      c->sum[i * WIDTH + j] += (double)c->padded[i * cols + (left ? cols - far : far)];
      c->sum[COUNT + i * WIDTH + j] += 0.5 * (here + there);
    }
}

static burl_status correlate(correlator *c) {
  const lattice_window *w = &c->window;
  size_t rows = burl_fft_good_size(w->rows + LAGS), cols = burl_fft_good_size(w->cols + LAGS);
  burl_fft *fft;
  burl_status status = burl_fft_new(&fft, rows, cols);
  if (status != BURL_OK) return status;
  memset(c->padded, 0, rows * cols * sizeof *c->padded);
  for (size_t i = 0; i < w->rows; i++)
    memcpy(c->padded + i * cols, w->sample + i * w->cols, w->cols * sizeof *c->padded);
  burl_fft_forward(fft, c->spectrum, c->padded);
  for (size_t i = 0; i < rows * (cols / 2 + 1); i++) {
    burl_complex x = c->spectrum[i];
    c->spectrum[i] = (burl_complex){x.re * x.re + x.im * x.im, 0.0f};
  }
  burl_fft_inverse(fft, c->padded, c->spectrum);
  burl_fft_free(fft);
  sum_squares(c);
  add_lags(c, cols);
  return BURL_OK;
}

burl_status burl_lattice_find_learn(const burl_view *view, double *statistics) {
  const lattice_look look = {.reduce = REDUCE, .smoothing = 0, .degree = 2};
  correlator c;
  burl_status status = correlator_open(&c);
  if (status != BURL_OK) return status;
  lattice_grid grid = burl_lattice_grid_of(view->image, REDUCE, LATTICE_MOST_WINDOWS);
  for (size_t i = 0; i < grid.rows * grid.cols && status == BURL_OK; i++) {
    burl_rect region = burl_lattice_grid_get(&grid, view->image, i);
    if (burl_lattice_window_read(&c.window, view, region, look)) status = correlate(&c);
  }
  for (size_t i = 0; i < 2 * COUNT && status == BURL_OK; i++)
    statistics[i] += c.sum[i];
  correlator_close(&c);
  return status;
}
