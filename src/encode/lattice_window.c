/* A window of an image as the lattice sees it.
 *
 * Means of 4 x 4 pixels under [1 2 1]/4 both ways: the weave's yarns (6 to 16 pixels apart) are all
 * but gone, a repeat of 24 pixels still has 6 samples. Slow light: the product of discrete Legendre
 * polynomials up to a degree that fits the samples best is taken away. Polynomials and not a wide
 * blur: they leave a print of few repeats as it is, and need no border. */
#include "encode/lattice_parts.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = LATTICE_REDUCE, SIDE = LATTICE_WINDOW, TERMS = 3, LEAST_SIDE = 16 };

burl_status burl_lattice_window_open(lattice_window *window) {
  float *block = burl_alloc((size_t)SIDE * SIDE + (size_t)MOST * MOST * SIDE, sizeof *block);
  if (!block) return BURL_ERR_MEMORY;
  *window = (lattice_window){.sample = block, .spare = block + (size_t)SIDE * SIDE};
  return BURL_OK;
}

void burl_lattice_window_close(lattice_window *window) {
  free(window->sample);
  *window = (lattice_window){0};
}

/* One row of means of r x r pixels, from r rows (r, r cols), the first of which is overwritten. */
static void reduce_row(float *restrict out, float *restrict pixels, size_t cols, size_t r) {
  const float scale = 1.0f / (float)(r * r);
  for (size_t j = 0; j < r * cols; j++)
    pixels[j] *= scale;
  for (size_t k = 1; k < r; k++) {
    const float *row = pixels + k * r * cols;
    for (size_t j = 0; j < r * cols; j++)
      pixels[j] += scale * row[j];
  }
  for (size_t j = 0; j < cols; j++) {
    float sum = 0.0f;
    for (size_t l = 0; l < r; l++)
      sum += pixels[r * j + l];
    out[j] = sum;
  }
}

/* [1 2 1]/4 along a row, ends repeated. */
static void smooth_row(float *row, size_t n) {
  float before = row[0];
  for (size_t j = 0; j < n; j++) {
    float here = row[j], after = j + 1 < n ? row[j + 1] : here;
    row[j] = 0.25f * (before + after) + 0.5f * here;
    before = here;
  }
}

/* The same down the columns; above holds cols floats. */
static void smooth_columns(float *sample, float *restrict above, size_t rows, size_t cols) {
  memcpy(above, sample, cols * sizeof *above);
  for (size_t i = 0; i < rows; i++) {
    float *row = sample + i * cols;
    const float *below = i + 1 < rows ? row + cols : row;
    for (size_t j = 0; j < cols; j++) {
      float here = row[j];
      row[j] = 0.25f * (above[j] + below[j]) + 0.5f * here;
      above[j] = here;
    }
  }
}

/* Discrete Legendre polynomials of degree 0..2 on n points, orthonormal. */
static void make_polynomials(double p[TERMS][SIDE], size_t n) {
  for (size_t d = 0; d < TERMS; d++) {
    for (size_t i = 0; i < n; i++)
      p[d][i] = pow((double)i - 0.5 * (double)(n - 1), (double)d);
    for (size_t e = 0; e < d; e++) {
      double dot = 0.0;
      for (size_t i = 0; i < n; i++)
        dot += p[d][i] * p[e][i];
      for (size_t i = 0; i < n; i++)
        p[d][i] -= dot * p[e][i];
    }
    double norm = 0.0;
    for (size_t i = 0; i < n; i++)
      norm += p[d][i] * p[d][i];
    double scale = norm > 0.0 ? 1.0 / sqrt(norm) : 0.0;
    for (size_t i = 0; i < n; i++)
      p[d][i] *= scale;
  }
}

typedef struct surface {
  double down[TERMS][SIDE], across[TERMS][SIDE]; /* polynomials */
  size_t terms;                                  /* each way */
} surface;

/* Takes away the best surface of the samples within +-limit; others count as if they lay on it. */
static void level(lattice_window *w, const surface *s, float limit) {
  double coefficient[TERMS][TERMS] = {{0}};
  for (size_t i = 0; i < w->rows; i++) {
    const float *row = w->sample + i * w->cols;
    double sum[TERMS] = {0};
    for (size_t j = 0; j < w->cols; j++) {
      double v = fabsf(row[j]) <= limit ? (double)row[j] : 0.0;
      for (size_t l = 0; l < TERMS; l++)
        sum[l] += v * s->across[l][j];
    }
    for (size_t k = 0; k < s->terms; k++)
      for (size_t l = 0; l < s->terms; l++)
        coefficient[k][l] += sum[l] * s->down[k][i];
  }
  for (size_t i = 0; i < w->rows; i++) {
    float *row = w->sample + i * w->cols, c[TERMS] = {0};
    for (size_t l = 0; l < TERMS; l++)
      for (size_t k = 0; k < TERMS; k++)
        c[l] += (float)(coefficient[k][l] * s->down[k][i]);
    for (size_t j = 0; j < w->cols; j++)
      row[j] -= c[0] * (float)s->across[0][j] + c[1] * (float)s->across[1][j] +
                c[2] * (float)s->across[2][j];
  }
}

/* Root of the mean square of the samples, none counted for more than limit. */
static double deviation(const lattice_window *w, float limit) {
  double squares = 0.0;
  for (size_t i = 0; i < w->rows; i++) {
    const float *row = w->sample + i * w->cols;
    float sum = 0.0f;
    for (size_t j = 0; j < w->cols; j++) {
      float v = fabsf(row[j]);
      v = v < limit ? v : limit;
      sum += v * v;
    }
    squares += (double)sum;
  }
  return sqrt(squares / (double)(w->rows * w->cols));
}

/* Levels three times, from the second without what stands out, so that a dark defect does not tilt
 * the rest; divides by what is then the deviation. 0 where there is none worth the name. */
static int flatten(lattice_window *w, size_t terms, double grey_deviation) {
  surface s = {.terms = terms};
  make_polynomials(s.down, w->rows);
  make_polynomials(s.across, w->cols);
  level(w, &s, INFINITY);
  double own = deviation(w, INFINITY);
  /* below 1/1000 of the grey's contrast there is rounding left, and no print */
  if (!(own > 1e-3 * grey_deviation) || !isfinite(own)) return 0;
  for (int k = 0; k < 2; k++) {
    own = deviation(w, (float)(2.0 * own));
    if (!(own > 0.0)) return 0;
    level(w, &s, (float)(2.5 * own));
  }
  float scale = (float)(1.0 / own);
  for (size_t i = 0; i < w->rows * w->cols; i++)
    w->sample[i] *= scale;
  return 1;
}

int burl_lattice_window_read(lattice_window *window, const burl_view *view, burl_rect region,
                             lattice_look look) {
  size_t r = look.reduce, rows = region.height / r, cols = region.width / r;
  if (rows > SIDE) rows = SIDE;
  if (cols > SIDE) cols = SIDE;
  window->rows = rows;
  window->cols = cols;
  window->y = (double)region.y + 0.5 * (double)(r - 1);
  window->x = (double)region.x + 0.5 * (double)(r - 1);
  if (rows * r < LEAST_SIDE || cols * r < LEAST_SIDE || !(view->deviation > 0.0)) return 0;
  for (size_t i = 0; i < rows; i++) {
    burl_image_get_grey(view->image, window->spare, r * cols, region.y + r * i, region.x, r,
                        r * cols);
    reduce_row(window->sample + i * cols, window->spare, cols, r);
    for (int k = 0; k < look.smoothing; k++)
      smooth_row(window->sample + i * cols, cols);
  }
  for (int k = 0; k < look.smoothing; k++)
    smooth_columns(window->sample, window->spare, rows, cols);
  return flatten(window, (size_t)look.degree + 1, view->deviation);
}

static size_t count_along(size_t side, size_t largest, size_t spacing) {
  return side <= largest ? 1 : (side + spacing - 1) / spacing;
}

lattice_grid burl_lattice_grid_of(const burl_image *image, size_t reduce, size_t most) {
  lattice_grid grid;
  size_t largest = SIDE * reduce, size = largest * 2 / 3, spacing = size;
  for (;; spacing += spacing / 4) {
    grid.rows = count_along(image->height, largest, spacing);
    grid.cols = count_along(image->width, largest, spacing);
    if (grid.rows <= most && grid.cols <= most / grid.rows) break;
  }
  grid.height = grid.rows == 1 ? image->height : size;
  grid.width = grid.cols == 1 ? image->width : size;
  return grid;
}

burl_rect burl_lattice_grid_get(const lattice_grid *grid, const burl_image *image, size_t index) {
  size_t i = index / grid->cols, j = index % grid->cols;
  size_t y = image->height - grid->height, x = image->width - grid->width;
  return (burl_rect){.y = grid->rows > 1 ? y * i / (grid->rows - 1) : 0,
                     .x = grid->cols > 1 ? x * j / (grid->cols - 1) : 0,
                     .height = grid->height,
                     .width = grid->width};
}
