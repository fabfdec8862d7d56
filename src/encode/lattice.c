/* The lattice's passes and its file.
 *
 *   pass 0  autocorrelation: basis and reference harmonics     lattice_find.c, lattice_basis.c
 *   pass 1  a first pattern: parts of a few repeats are folded onto one repeat and moved so that
 *           the two reference harmonics have phase 0
 *   pass 2  the pattern: images are placed on the first one (lattice_place.c) and folded again;
 *           the mean strain goes into the basis
 *
 * Harmonic h of a part that shows the pattern with offset a has phase arg T(h) + 2 pi h a. Two
 * harmonics of determinant +-1 give a without ambiguity; fixing arg T = 0 for both is a convention
 * for the origin that all images share. */
#include "encode/lattice_parts.h"

#include "base/diag.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  SIDE = BURL_LATTICE_SIDE,
  CELLS = LATTICE_CELLS,
  SUMS = 2 * CELLS,  /* samples, hits */
  FIRST = SUMS,      /* statistics of pass 1 */
  SECOND = SUMS + 6, /* and of pass 2: strain (4), score, windows */
  MOST_WAVES = 20,   /* a repeat, in the pattern */
  MOST_PARTS = 3     /* a side of a window, in pass 1 */
};

#define FINEST 10.0 /* pixels: waves of the pattern are no shorter */

size_t burl_lattice_count_statistics(const burl_lattice *lattice, size_t pass) {
  (void)lattice;
  return pass == 0 ? burl_lattice_find_statistics() : pass == 1 ? FIRST : SECOND;
}

static void add_fold(double *sums, const lattice_aligner *a) {
  for (size_t i = 0; i < CELLS; i++) {
    sums[i] += (double)a->folded[i];
    sums[CELLS + i] += (double)a->hits[i];
  }
}

/* arg X(h) / 2 pi of what was folded. */
static double phase_of_harmonic(const lattice_aligner *a, const int h[2]) {
  const double turn = 2.0 * acos(-1.0);
  double re = 0.0, im = 0.0;
  for (int i = 0; i < SIDE; i++)
    for (int j = 0; j < SIDE; j++) {
      double angle = turn * (double)((h[0] * j + h[1] * i) & (SIDE - 1)) / SIDE;
      double value = (double)a->folded[i * SIDE + j];
      re += value * cos(angle);
      im -= value * sin(angle);
    }
  return atan2(im, re) / turn;
}

/* Folds a part so that the reference harmonics have phase 0. */
static void add_part(lattice_aligner *a, lattice_part part, double *sums) {
  const int(*h)[2] = a->lattice->reference;
  lattice_fit fit = {.centre = {a->window.y, a->window.x}};
  burl_lattice_fold(a, &fit, part);
  double p = phase_of_harmonic(a, h[0]);
  double q = a->lattice->dimensions == 2 ? phase_of_harmonic(a, h[1]) : 0.0;
  double det = h[0][0] * h[1][1] - h[0][1] * h[1][0];
  fit.phase[0] = (h[1][1] * p - h[0][1] * q) / det;
  fit.phase[1] = (h[0][0] * q - h[1][0] * p) / det;
  burl_lattice_fold(a, &fit, part);
  add_fold(sums, a);
}

/* Parts of some four repeats: a turn or stretch of the image does not blur them. */
static void add_parts(lattice_aligner *a, double *sums) {
  const lattice_window *w = &a->window;
  size_t size = (size_t)(4.0 * burl_lattice_reach(a->lattice)) / LATTICE_REDUCE;
  size_t down = w->rows / size, across = w->cols / size;
  down = down < 1 ? 1 : down > MOST_PARTS ? MOST_PARTS : down;
  across = across < 1 ? 1 : across > MOST_PARTS ? MOST_PARTS : across;
  for (size_t i = 0; i < down * across; i++) {
    size_t y = i / across, x = i % across;
    lattice_part part = {.row0 = w->rows * y / down,
                         .row1 = w->rows * (y + 1) / down,
                         .col0 = w->cols * x / across,
                         .col1 = w->cols * (x + 1) / across};
    add_part(a, part, sums);
  }
}

static void add_window(lattice_aligner *a, double *sums) {
  lattice_fit fit;
  burl_lattice_place(a, &fit, NULL);
  if (fit.score <= 0.0) return;
  burl_lattice_fold(a, &fit, burl_lattice_middle(&a->window, 1e9));
  add_fold(sums, a);
  for (int k = 0; k < 4; k++)
    sums[SUMS + k] += fit.strain[k / 2][k % 2];
  sums[SUMS + 4] += fit.score;
  sums[SUMS + 5] += 1.0;
}

burl_status burl_lattice_learn(const burl_lattice *lattice, size_t pass, const burl_view *view,
                               double *statistics) {
  if (pass == 0) return burl_lattice_find_learn(view, statistics);
  if (lattice->dimensions == 0 || (pass == 2 && !lattice->drawn)) return BURL_OK;
  lattice_aligner a;
  burl_status status = burl_lattice_aligner_open(&a, lattice);
  if (status != BURL_OK) return status;
  lattice_grid grid = burl_lattice_grid_of(view->image, LATTICE_REDUCE, LATTICE_MOST_WINDOWS);
  for (size_t i = 0; i < grid.rows * grid.cols; i++) {
    burl_rect region = burl_lattice_grid_get(&grid, view->image, i);
    if (!burl_lattice_aligner_read(&a, view, region)) continue;
    if (pass == 1)
      add_parts(&a, statistics);
    else
      add_window(&a, statistics);
  }
  burl_lattice_aligner_close(&a);
  return BURL_OK;
}

/* Keeps waves of at least FINEST pixels and at most MOST_WAVES a repeat, and no mean. */
static void smooth(const burl_lattice *lattice, burl_complex *spectrum) {
  for (int i = 0; i < SIDE; i++)
    for (int j = 0; j <= SIDE / 2; j++) {
      int u = j, v = i < SIDE / 2 ? i : i - SIDE;
      const double(*w)[2] = lattice->wave;
      double y = u * w[0][0] + v * w[1][0], x = u * w[0][1] + v * w[1][1];
      int keep = (u != 0 || v != 0) && u <= MOST_WAVES && abs(v) <= MOST_WAVES &&
                 hypot(y, x) * FINEST <= 1.0;
      if (lattice->dimensions == 1 && v != 0) keep = 0;
      if (!keep) spectrum[i * (SIDE / 2 + 1) + j] = (burl_complex){0.0f, 0.0f};
    }
}

/* The mean by phase; along stripes all rows are one. */
static void average(float *pattern, const double *sums, int dimensions) {
  for (size_t i = 0; i < CELLS; i++) {
    size_t from = dimensions == 1 ? i % SIDE : i;
    double hits = sums[CELLS + from];
    pattern[i] = hits > 1e-3 ? (float)(sums[from] / hits) : 0.0f;
  }
}

/* The basis from the waves. */
static void invert(burl_lattice *l) {
  double(*w)[2] = l->wave, (*b)[2] = l->basis;
  if (l->dimensions == 2) {
    double det = w[0][0] * w[1][1] - w[0][1] * w[1][0];
    b[0][0] = w[1][1] / det, b[0][1] = -w[1][0] / det;
    b[1][0] = -w[0][1] / det, b[1][1] = w[0][0] / det;
  } else {
    double n = w[0][0] * w[0][0] + w[0][1] * w[0][1];
    b[0][0] = w[0][0] / n, b[0][1] = w[0][1] / n;
    b[1][0] = b[1][1] = 0.0;
  }
}

/* wave <- wave (1 + strain). */
static void apply_strain(burl_lattice *l, const double strain[4]) {
  for (int k = 0; k < l->dimensions; k++) {
    double y = l->wave[k][0], x = l->wave[k][1];
    l->wave[k][0] = y * (1.0 + strain[0]) + x * strain[2];
    l->wave[k][1] = y * strain[1] + x * (1.0 + strain[3]);
  }
}

/* Waves and strength become those of `saved`, so that a loaded lattice is the learned one. */
static void take_saved(burl_lattice *l) {
  for (int k = 0; k < 4; k++)
    l->wave[k / 2][k % 2] = (double)l->saved[k];
  l->strength = (double)l->saved[4];
  invert(l);
}

static void round_to_saved(burl_lattice *l) {
  for (int k = 0; k < 4; k++)
    l->saved[k] = (float)l->wave[k / 2][k % 2];
  l->saved[4] = (float)l->strength;
  take_saved(l);
}

static burl_status draw(burl_lattice *lattice, const double *sums) {
  burl_fft *fft;
  burl_complex *spectrum = burl_alloc(SIDE * (SIDE / 2 + 1), sizeof *spectrum);
  burl_status status = spectrum ? burl_fft_new(&fft, SIDE, SIDE) : BURL_ERR_MEMORY;
  if (status == BURL_OK) {
    average(lattice->pattern, sums, lattice->dimensions);
    burl_fft_forward(fft, spectrum, lattice->pattern);
    smooth(lattice, spectrum);
    burl_fft_inverse(fft, lattice->pattern, spectrum);
    burl_fft_free(fft);
    lattice->drawn = 1;
  }
  free(spectrum);
  return status;
}

burl_status burl_lattice_learned(burl_lattice *lattice, size_t pass, const double *statistics) {
  size_t count = burl_lattice_count_statistics(lattice, pass);
  for (size_t i = 0; i < count; i++)
    if (!isfinite(statistics[i])) return BURL_ERR_NUMERIC;
  if (pass == 0) return burl_lattice_find_learned(lattice, statistics);
  double windows = pass == 2 ? statistics[SUMS + 5] : 1.0;
  if (lattice->dimensions == 0 || windows < 1.0) return BURL_OK;
  burl_lattice *made = burl_copy(lattice, sizeof *lattice);
  if (!made) return BURL_ERR_MEMORY;
  burl_status status = draw(made, statistics);
  if (status == BURL_OK && pass == 2) {
    double strain[4];
    for (int k = 0; k < 4; k++)
      strain[k] = statistics[SUMS + k] / windows;
    apply_strain(made, strain);
  }
  round_to_saved(made);
  if (status == BURL_OK) *lattice = *made;
  free(made);
  return status;
}

burl_status burl_lattice_save(const burl_lattice *lattice, burl_safetensors_writer *writer) {
  if (lattice->dimensions == 0 || !lattice->drawn) return BURL_OK;
  char dimensions[2] = {(char)('0' + lattice->dimensions), 0};
  burl_safetensors_writer_add_metadata(writer, "lattice.dimensions", dimensions);
  burl_safetensors_writer_add_tensor(writer, "lattice.wave", BURL_DTYPE_F32, (size_t[]){2, 2}, 2,
                                     lattice->saved);
  burl_safetensors_writer_add_tensor(writer, "lattice.strength", BURL_DTYPE_F32, (size_t[]){1}, 1,
                                     lattice->saved + 4);
  return burl_safetensors_writer_add_tensor(writer, "lattice.pattern", BURL_DTYPE_F32,
                                            (size_t[]){SIDE, SIDE}, 2, lattice->pattern);
}

/* Whether waves, strength and pattern are such as are learned. */
static int is_plausible(const burl_lattice *l) {
  const double *u = l->wave[0], *v = l->wave[1];
  double least = 0.5 * LATTICE_MIN_REPEAT, most = 2.0 * LATTICE_MAX_REPEAT;
  if (!(l->strength >= 0.0 && l->strength <= 1.0)) return 0;
  if (l->dimensions == 1 && (v[0] != 0.0 || v[1] != 0.0)) return 0;
  if (l->dimensions == 2 && !(fabs(u[0] * v[1] - u[1] * v[0]) > 1e-9)) return 0;
  for (int k = 0; k < l->dimensions; k++) {
    double step = hypot(l->basis[k][0], l->basis[k][1]);
    if (!(step >= least && step <= most)) return 0;
  }
  for (size_t i = 0; i < CELLS; i++)
    if (fabsf(l->pattern[i]) > 1000.0f) return 0; /* standard deviations */
  return 1;
}

static burl_status load_parts(burl_lattice *made, const burl_safetensors *file, burl_diag *diag) {
  const float *wave, *strength, *pattern;
  burl_status status =
      burl_safetensors_get_floats(file, &wave, "lattice.wave", (size_t[]){2, 2}, 2, diag);
  if (status == BURL_OK)
    status =
        burl_safetensors_get_floats(file, &strength, "lattice.strength", (size_t[]){1}, 1, diag);
  if (status == BURL_OK)
    status = burl_safetensors_get_floats(file, &pattern, "lattice.pattern", (size_t[]){SIDE, SIDE},
                                         2, diag);
  if (status != BURL_OK) return status;
  memcpy(made->saved, wave, 4 * sizeof *wave);
  made->saved[4] = *strength;
  memcpy(made->pattern, pattern, sizeof made->pattern);
  take_saved(made);
  if (is_plausible(made)) return BURL_OK;
  return burl_fail(diag, BURL_ERR_FORMAT, NULL, "Fit the model again.",
                   "the lattice's waves (%g %g, %g %g cycles a pixel), its strength (%g) or its "
                   "pattern are not such as are learned",
                   made->wave[0][0], made->wave[0][1], made->wave[1][0], made->wave[1][1],
                   made->strength);
}

burl_status burl_lattice_load(burl_lattice *lattice, const burl_safetensors *file,
                              burl_diag *diag) {
  const char *dimensions = burl_safetensors_get_metadata(file, "lattice.dimensions");
  if (dimensions && strcmp(dimensions, "1") != 0 && strcmp(dimensions, "2") != 0)
    return burl_fail(diag, BURL_ERR_FORMAT, NULL, "Fit the model again.",
                     "the lattice has \"%.20s\" dimensions, not 1 or 2", dimensions);
  burl_lattice *made = burl_alloc_zero(1, sizeof *made);
  if (!made) return burl_fail_memory(diag, NULL);
  burl_status status = BURL_OK;
  if (dimensions) {
    made->dimensions = dimensions[0] - '0';
    made->drawn = 1;
    status = load_parts(made, file, diag);
  }
  if (status == BURL_OK) *lattice = *made;
  free(made);
  return status;
}
