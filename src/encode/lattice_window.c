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

enum { MOST = LATTICE_REDUCE, SIDE = LATTICE_WINDOW, TERMS = 3 };

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

/* One row of means of r x r pixels, from r rows (r, r cols). */
static void reduce_row(float *restrict out, const float *restrict pixels, size_t cols, size_t r) {
  const float scale = 1.0f / (float)(r * r);
  for (size_t j = 0; j < cols; j++) {
    float sum = 0.0f;
    for (size_t k = 0; k < r; k++) {
      const float *p = pixels + (k * cols + j) * r;
      for (size_t l = 0; l < r; l++)
        sum += scale * p[l];
    }
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

/* Takes the best polynomial surface away. */
static void level(lattice_window *w, size_t terms) {
  double down[TERMS][SIDE], across[TERMS][SIDE], coefficient[TERMS][TERMS] = {{0}};
  make_polynomials(down, w->rows);
  make_polynomials(across, w->cols);
  for (size_t i = 0; i < w->rows; i++) {
    const float *row = w->sample + i * w->cols;
    for (size_t l = 0; l < terms; l++) {
      double sum = 0.0;
      for (size_t j = 0; j < w->cols; j++)
        sum += (double)row[j] * across[l][j];
      for (size_t k = 0; k < terms; k++)
        coefficient[k][l] += sum * down[k][i];
    }
  }
  for (size_t i = 0; i < w->rows; i++) {
    float *row = w->sample + i * w->cols;
    double c[TERMS] = {0};
    for (size_t k = 0; k < terms; k++)
      for (size_t l = 0; l < terms; l++)
        c[l] += coefficient[k][l] * down[k][i];
    for (size_t j = 0; j < w->cols; j++) {
      double light = c[0] * across[0][j] + c[1] * across[1][j] + c[2] * across[2][j];
      row[j] = (float)((double)row[j] - light);
    }
  }
}

/* Divides by the standard deviation; 0 where there is none worth the name. */
static int normalise(lattice_window *w, double deviation) {
  size_t n = w->rows * w->cols;
  double squares = 0.0;
  for (size_t i = 0; i < n; i++)
    squares += (double)w->sample[i] * (double)w->sample[i];
  double own = sqrt(squares / (double)n);
  /* below 1/1000 of the grey's contrast there is rounding left, and no print */
  if (!(own > 1e-3 * deviation) || !isfinite(own)) return 0;
  w->share = own * own / (deviation * deviation);
  float scale = (float)(1.0 / own);
  for (size_t i = 0; i < n; i++)
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
  if (rows < 4 || cols < 4 || !(view->deviation > 0.0)) return 0;
  for (size_t i = 0; i < rows; i++) {
    burl_image_get_grey(view->image, window->spare, r * cols, region.y + r * i, region.x, r,
                        r * cols);
    reduce_row(window->sample + i * cols, window->spare, cols, r);
    for (int k = 0; k < look.smoothing; k++)
      smooth_row(window->sample + i * cols, cols);
  }
  for (int k = 0; k < look.smoothing; k++)
    smooth_columns(window->sample, window->spare, rows, cols);
  level(window, (size_t)look.degree + 1);
  return normalise(window, view->deviation);
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
