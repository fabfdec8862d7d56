/* The passes of the lattice over at most MOST_IMAGES images, and in the first of them registration:
 *
 * An image is averaged to SIDE x SIDE cells, c; what changes slowly (the mean of 5 x 5 cells) is
 * taken out, since light falls on all images alike; what remains is brought to mean 0 and norm 1.
 * With S the sum of the c_i of n images, the mean correlation of two of them is
 * (|S|^2 - n) / (n (n-1)): a flat sum, as all that is learned in passes. */
#include "select/probe.h"

#include "base/diag.h"
#include "dataset/dataset_part.h"
#include "model/passes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_IMAGES = 24, SIDE = 32, CELLS = SIDE * SIDE, REACH = 2 };
/* Sums of a first pass behind those of the lattice. */
enum { COUNT = CELLS, HEIGHT, HEIGHT2, WIDTH, WIDTH2, SUMS };

typedef struct look {
  burl_lattice lattice;
  size_t pass, lattice_sums;
} look;

static double mean_of(const burl_image *image, size_t y0, size_t y1, size_t x0, size_t x1) {
  enum { BLOCK = 512 };
  float row[BLOCK];
  double sum = 0.0;
  for (size_t y = y0; y < y1; y++)
    for (size_t x = x0; x < x1; x += BLOCK) {
      size_t n = x1 - x < BLOCK ? x1 - x : BLOCK;
      burl_image_get_grey(image, row, n, y, x, 1, n);
      for (size_t i = 0; i < n; i++)
        sum += (double)row[i];
    }
  return sum / ((double)(y1 - y0) * (double)(x1 - x0));
}

static double surroundings(const double *cell, size_t i, size_t j) {
  size_t i0 = i > REACH ? i - REACH : 0, j0 = j > REACH ? j - REACH : 0;
  size_t i1 = i + REACH < SIDE ? i + REACH : SIDE - 1, j1 = j + REACH < SIDE ? j + REACH : SIDE - 1;
  double sum = 0.0;
  for (size_t v = i0; v <= i1; v++)
    for (size_t u = j0; u <= j1; u++)
      sum += cell[v * SIDE + u];
  return sum / (double)((i1 - i0 + 1) * (j1 - j0 + 1));
}

static void add_cells(double *sums, const burl_image *image) {
  double cell[CELLS], fine[CELLS], mean = 0.0, norm = 0.0;
  size_t h = image->height, w = image->width;
  for (size_t k = 0; k < CELLS; k++) {
    size_t i = k / SIDE, j = k % SIDE;
    cell[k] = mean_of(image, i * h / SIDE, (i + 1) * h / SIDE, j * w / SIDE, (j + 1) * w / SIDE);
  }
  for (size_t k = 0; k < CELLS; k++) {
    fine[k] = cell[k] - surroundings(cell, k / SIDE, k % SIDE);
    mean += fine[k] / CELLS;
  }
  for (size_t k = 0; k < CELLS; k++)
    norm += (fine[k] - mean) * (fine[k] - mean);
  norm = norm > 0.0 ? sqrt(norm) : 1.0;
  for (size_t k = 0; k < CELLS; k++)
    sums[k] = (fine[k] - mean) / norm;
  sums[COUNT] = 1.0;
  sums[HEIGHT] = (double)h, sums[HEIGHT2] = (double)h * (double)h;
  sums[WIDTH] = (double)w, sums[WIDTH2] = (double)w * (double)w;
}

static burl_status see(void *context, const pass_tile *tile, double *statistics) {
  const look *self = context;
  if (tile->tile > 0) return BURL_OK;
  if (self->pass == 0) add_cells(statistics + self->lattice_sums, tile->view->image);
  return burl_lattice_learn(&self->lattice, self->pass, tile->view, statistics);
}

/* Images of one size have no variance of sides: whole numbers, so the sums are exact. */
static double registration(const double *sums) {
  double n = sums[COUNT], square = 0.0;
  int same = sums[HEIGHT2] * n == sums[HEIGHT] * sums[HEIGHT] &&
             sums[WIDTH2] * n == sums[WIDTH] * sums[WIDTH];
  if (!same || n < 2.0) return 0.0;
  for (size_t k = 0; k < CELLS; k++)
    square += sums[k] * sums[k];
  return (square - n) / (n * (n - 1.0));
}

static burl_status run_pass(burl_probe *probe, training *data, look *self) {
  self->lattice_sums = burl_lattice_count_statistics(&self->lattice, self->pass);
  size_t n = self->lattice_sums + (self->pass == 0 ? SUMS : 0);
  double *total = burl_alloc(n, sizeof *total);
  if (!total) return burl_fail_memory(data->diag, NULL);
  training_pass pass = {"looking for a print", n, see, self, self->pass == 0};
  burl_status status = burl_training_pass(data, &pass, total);
  if (status == BURL_OK) {
    status = burl_lattice_learned(&self->lattice, self->pass, total);
    if (status != BURL_OK)
      burl_fail(data->diag, status, NULL, NULL, "the repeat cannot be looked for: %s",
                burl_status_get_text(status));
  }
  if (status == BURL_OK && self->pass == 0) {
    probe->registration = registration(total + self->lattice_sums);
    probe->images = data->used;
  }
  free(total);
  return status;
}

static burl_status run(burl_probe *probe, training *data) {
  look self = {.pass = 0};
  burl_status status = BURL_OK;
  for (; self.pass < BURL_LATTICE_PASSES && status == BURL_OK; self.pass++) {
    if (self.pass > 0 && self.lattice.dimensions == 0) break;
    status = run_pass(probe, data, &self);
  }
  probe->repeats = self.lattice.dimensions;
  probe->strength = self.lattice.strength;
  return status;
}

static burl_status spread(burl_dataset **few, const burl_dataset *dataset) {
  size_t count = burl_dataset_get_count(dataset), items[MOST_IMAGES];
  size_t n = count < MOST_IMAGES ? count : MOST_IMAGES;
  for (size_t i = 0; i < n; i++)
    items[i] = i * count / n;
  return burl_dataset_take_part(few, dataset, items, n);
}

burl_status burl_probe_look(burl_probe *probe, const burl_dataset *dataset, int threads,
                            const burl_observer *observer, burl_diag *diag) {
  static const burl_lattice unknown;
  burl_probe made = {0};
  training data = {0};
  burl_dataset *few = NULL;
  burl_encoder *encoder = NULL; /* passes bring their workers along */
  burl_status status = spread(&few, dataset);
  if (status == BURL_OK) status = burl_texture_new(&encoder);
  if (status != BURL_OK) burl_fail_memory(diag, NULL);
  if (status == BURL_OK)
    status = burl_training_open(&data, few, threads, encoder, &unknown, observer, diag);
  if (status == BURL_OK) status = run(&made, &data);
  burl_training_close(&data);
  if (encoder) encoder->ops->free(encoder);
  burl_dataset_free(few);
  if (status == BURL_OK) *probe = made;
  return status;
}
