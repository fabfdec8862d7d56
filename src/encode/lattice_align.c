/* Phases of whole images.
 *
 * An image of one window is placed once: its phase is affine. In larger ones windows are placed on
 * a grid, beginning in the middle and going outwards: each begins where its neighbour's fit says,
 * and keeps that where its own is poor (no print there, a large defect). What the windows' centres
 * deviate from the first one's affine map is kept at the nodes and linear in between. */
#include "encode/lattice_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TRIES = 5 };

/* Fits of a grid of windows. */
typedef struct mosaic {
  lattice_aligner aligner;
  const burl_view *view;
  lattice_grid grid;
  lattice_fit fit[BURL_PHASE_NODES];
  char placed[BURL_PHASE_NODES];
} mosaic;

static void centre_of(const mosaic *m, size_t index, double centre[2]) {
  burl_rect r = burl_lattice_grid_get(&m->grid, m->view->image, index);
  centre[0] = (double)r.y + 0.5 * (double)(r.height - 1);
  centre[1] = (double)r.x + 0.5 * (double)(r.width - 1);
}

/* The same map, told from another centre. */
static lattice_fit shift_centre(const lattice_fit *fit, const burl_lattice *lattice,
                                const double centre[2]) {
  lattice_fit moved = *fit;
  double y = centre[0] - fit->centre[0], x = centre[1] - fit->centre[1];
  double sy = y + fit->strain[0][0] * y + fit->strain[0][1] * x;
  double sx = x + fit->strain[1][0] * y + fit->strain[1][1] * x;
  for (int k = 0; k < 2; k++) {
    moved.centre[k] = centre[k];
    moved.phase[k] += lattice->wave[k][0] * sy + lattice->wave[k][1] * sx;
  }
  return moved;
}

/* The window from which the others follow: the middle, or the best of a few where it is poor. */
static size_t place_first(mosaic *m) {
  size_t rows = m->grid.rows, cols = m->grid.cols, count = rows * cols, best = count;
  const size_t tries[TRIES][2] = {{rows / 2, cols / 2},
                                  {rows / 4, cols / 4},
                                  {rows / 4, cols - 1 - cols / 4},
                                  {rows - 1 - rows / 4, cols / 4},
                                  {rows - 1 - rows / 4, cols - 1 - cols / 4}};
  double good = 0.8 * sqrt(m->aligner.lattice->strength);
  for (size_t k = 0; k < TRIES; k++) {
    size_t i = tries[k][0] * cols + tries[k][1];
    burl_rect region = burl_lattice_grid_get(&m->grid, m->view->image, i);
    if (!burl_lattice_aligner_read(&m->aligner, m->view, region)) continue;
    burl_lattice_place(&m->aligner, &m->fit[i], NULL);
    if (best == count || m->fit[i].score > m->fit[best].score) best = i;
    if (count == 1 || m->fit[best].score > good) break;
  }
  return best;
}

/* Places window i from its placed neighbours; 0 where it has none. */
static int place_next(mosaic *m, size_t i) {
  size_t rows = m->grid.rows, cols = m->grid.cols, y = i / cols, x = i % cols, from = 0;
  const size_t next[4] = {y > 0 ? i - cols : i, y + 1 < rows ? i + cols : i, x > 0 ? i - 1 : i,
                          x + 1 < cols ? i + 1 : i};
  double centre[2];
  for (size_t k = 1; k < 4; k++)
    if (!m->placed[next[from]] ||
        (m->placed[next[k]] && m->fit[next[k]].score > m->fit[next[from]].score))
      from = k;
  if (!m->placed[next[from]]) return 0;
  centre_of(m, i, centre);
  lattice_fit guess = shift_centre(&m->fit[next[from]], m->aligner.lattice, centre), fit = guess;
  burl_rect region = burl_lattice_grid_get(&m->grid, m->view->image, i);
  fit.score = 0.0;
  if (burl_lattice_aligner_read(&m->aligner, m->view, region))
    burl_lattice_place(&m->aligner, &fit, &guess);
  /* what was not seen well is taken over, and is the last to be asked by others */
  guess.score *= 0.5;
  m->fit[i] = fit.score > guess.score ? fit : guess;
  return 1;
}

/* All the others, in rings around the first. */
static void place_others(mosaic *m, size_t first) {
  size_t count = m->grid.rows * m->grid.cols, left = count - 1;
  m->placed[first] = 1;
  while (left > 0) {
    char before[BURL_PHASE_NODES];
    size_t fresh[BURL_PHASE_NODES], n = 0;
    memcpy(before, m->placed, sizeof before);
    for (size_t i = 0; i < count; i++)
      if (!before[i] && place_next(m, i)) fresh[n++] = i;
    for (size_t k = 0; k < n; k++)
      m->placed[fresh[k]] = 1;
    left -= n;
  }
}

static void set_wave(burl_phase *phase, const lattice_fit *fit, const burl_lattice *lattice) {
  for (int k = 0; k < 2; k++) {
    const double *w = lattice->wave[k];
    phase->wave[k][0] = w[0] * (1.0 + fit->strain[0][0]) + w[1] * fit->strain[1][0];
    phase->wave[k][1] = w[0] * fit->strain[0][1] + w[1] * (1.0 + fit->strain[1][1]);
    phase->origin[k] =
        fit->phase[k] - phase->wave[k][0] * fit->centre[0] - phase->wave[k][1] * fit->centre[1];
  }
}

static void set_nodes(burl_phase *phase, const mosaic *m) {
  size_t count = m->grid.rows * m->grid.cols;
  double last[2], score = 0.0;
  phase->rows = m->grid.rows;
  phase->cols = m->grid.cols;
  centre_of(m, 0, phase->first);
  centre_of(m, count - 1, last);
  phase->step[0] = phase->rows > 1 ? (last[0] - phase->first[0]) / (double)(phase->rows - 1) : 1.0;
  phase->step[1] = phase->cols > 1 ? (last[1] - phase->first[1]) / (double)(phase->cols - 1) : 1.0;
  for (size_t i = 0; i < count; i++) {
    double y = phase->first[0] + phase->step[0] * (double)(i / phase->cols);
    double x = phase->first[1] + phase->step[1] * (double)(i % phase->cols);
    lattice_fit here = shift_centre(&m->fit[i], m->aligner.lattice, (double[]){y, x});
    for (int k = 0; k < 2; k++)
      phase->node[i][k] =
          here.phase[k] - phase->origin[k] - phase->wave[k][0] * y - phase->wave[k][1] * x;
    score += m->fit[i].score;
  }
  phase->score = score / (double)count;
}

burl_status burl_lattice_align(burl_phase *phase, const burl_lattice *lattice,
                               const burl_view *view) {
  burl_phase made = {.rows = 1, .cols = 1, .step = {1.0, 1.0}};
  memcpy(made.wave, lattice->wave, sizeof made.wave);
  if (lattice->dimensions > 0 && lattice->drawn) {
    mosaic *m = burl_alloc_zero(1, sizeof *m);
    burl_status status = m ? burl_lattice_aligner_open(&m->aligner, lattice) : BURL_ERR_MEMORY;
    if (status != BURL_OK) {
      free(m);
      return status;
    }
    m->view = view;
    m->grid = burl_lattice_grid_of(view->image, LATTICE_REDUCE, BURL_PHASE_NODES);
    size_t first = place_first(m);
    if (first < m->grid.rows * m->grid.cols) {
      place_others(m, first);
      set_wave(&made, &m->fit[first], lattice);
      set_nodes(&made, m);
    }
    burl_lattice_aligner_close(&m->aligner);
    free(m);
  }
  *phase = made;
  return BURL_OK;
}

/* Weight and first of the two nodes around a coordinate; beyond the last ones the line goes on. */
static size_t node_at(double *weight, double at, size_t count) {
  double first = floor(at), most = (double)(count - 2);
  first = first < 0.0 ? 0.0 : first > most ? most : first;
  *weight = at - first;
  return (size_t)first;
}

static void correction(double out[2], const burl_phase *p, double y, double x) {
  double wy = 0.0, wx = 0.0;
  size_t i = p->rows > 1 ? node_at(&wy, (y - p->first[0]) / p->step[0], p->rows) : 0;
  size_t j = p->cols > 1 ? node_at(&wx, (x - p->first[1]) / p->step[1], p->cols) : 0;
  size_t down = p->rows > 1 ? p->cols : 0, right = p->cols > 1 ? 1 : 0, at = i * p->cols + j;
  for (int k = 0; k < 2; k++) {
    double top = (1.0 - wx) * p->node[at][k] + wx * p->node[at + right][k];
    double bottom = (1.0 - wx) * p->node[at + down][k] + wx * p->node[at + down + right][k];
    out[k] = (1.0 - wy) * top + wy * bottom;
  }
}

/* The part after the point; rounding to float must not make it 1. */
static float fraction(double value) {
  float part = (float)(value - floor(value));
  return part < 1.0f ? part : 0.0f;
}

void burl_phase_get(float uv[2], const burl_phase *phase, double y, double x) {
  burl_phase_get_row(uv, phase, y, x, 0.0, 1);
}

void burl_phase_get_row(float *uv, const burl_phase *phase, double y, double x, double step,
                        size_t n) {
  int bent = phase->rows > 1 || phase->cols > 1;
  for (size_t i = 0; i < n; i++) {
    double at = x + step * (double)i, more[2] = {0.0, 0.0};
    if (bent) correction(more, phase, y, at);
    for (int k = 0; k < 2; k++)
      uv[2 * i + (size_t)k] =
          fraction(phase->origin[k] + phase->wave[k][0] * y + phase->wave[k][1] * at + more[k]);
  }
}
