/* Chunks of images go through burl_parallel; each image adds up into a slot of its own. */
#include "model/passes.h"

#include "base/diag.h"
#include "base/parallel.h"
#include "image/resize.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { CHUNK = 16 };
#define IMAGES_AT_ONCE ((size_t)128 << 20) /* bytes of images held by all threads together */

/* As many threads as hold IMAGES_AT_ONCE bytes of the largest image. */
static int bound_threads(const training *self, int threads) {
  size_t largest = 1;
  for (size_t i = 0; i < self->count; i++) {
    burl_image_info info;
    const burl_item *item = burl_dataset_get_item(self->dataset, self->item[i]);
    if (burl_image_probe(&info, item->path, NULL) != BURL_OK) continue;
    size_t bytes = info.height * info.width * info.channels * (size_t)info.sample;
    if (bytes > largest) largest = bytes;
  }
  size_t fit = IMAGES_AT_ONCE / largest;
  return fit < 1 ? 1 : fit < (size_t)threads ? (int)fit : threads;
}

static void close_workers(training *self) {
  for (int i = 0; self->worker && i < self->threads; i++)
    burl_tile_worker_close(&self->worker[i]);
  free(self->worker);
  self->worker = NULL;
}

static burl_status open_workers(training *self, const burl_encoder *encoder) {
  self->worker = burl_alloc_zero((size_t)self->threads, sizeof *self->worker);
  if (!self->worker) return BURL_ERR_MEMORY;
  for (int i = 0; i < self->threads; i++) {
    burl_status status = burl_tile_worker_open(&self->worker[i], encoder);
    if (status != BURL_OK) return status;
  }
  return BURL_OK;
}

burl_status burl_training_open(training *self, const burl_dataset *dataset, int threads,
                               const burl_encoder *encoder, const burl_lattice *lattice,
                               const burl_observer *observer, burl_diag *diag) {
  return burl_training_open_split(self, dataset, BURL_SPLIT_TRAIN, threads, encoder, lattice,
                                  observer, diag);
}

burl_status burl_training_open_split(training *self, const burl_dataset *dataset, burl_split split,
                                     int threads, const burl_encoder *encoder,
                                     const burl_lattice *lattice, const burl_observer *observer,
                                     burl_diag *diag) {
  size_t items = burl_dataset_get_count(dataset);
  *self = (training){.dataset = dataset, .lattice = lattice, .observer = observer, .diag = diag};
  self->item = burl_alloc(items, sizeof *self->item);
  self->usable = burl_alloc(items, 1);
  self->checksum = burl_alloc_zero(items, sizeof *self->checksum);
  burl_status status = self->item && self->usable && self->checksum ? BURL_OK : BURL_ERR_MEMORY;
  if (status == BURL_OK) {
    memset(self->usable, 1, items);
    for (size_t i = 0; i < items; i++) {
      const burl_item *item = burl_dataset_get_item(dataset, i);
      if (item->split == split && !item->defective) self->item[self->count++] = i;
    }
    self->threads = bound_threads(self, threads);
    status = open_workers(self, encoder);
  }
  if (status != BURL_OK) {
    burl_training_close(self);
    return burl_fail_memory(diag, NULL);
  }
  return BURL_OK;
}

burl_status burl_training_set_encoder(training *self, const burl_encoder *encoder) {
  close_workers(self);
  if (open_workers(self, encoder) == BURL_OK) return BURL_OK;
  return burl_fail_memory(self->diag, NULL);
}

void burl_training_close(training *self) {
  close_workers(self);
  free(self->item);
  free(self->usable);
  free(self->checksum);
  *self = (training){0};
}

/* A chunk of images in flight. */
typedef struct chunk {
  training *self;
  const training_pass *pass;
  size_t first;
  double *statistics;    /* (CHUNK, pass->statistics) */
  burl_diag diag[CHUNK]; /* status BURL_OK where nothing is wrong */
} chunk;

static uint32_t checksum_of(const burl_item *item, const burl_image *image) {
  uLong crc = crc32(0, (const Bytef *)item->name, (uInt)strlen(item->name));
  const Bytef *row = image->data;
  size_t bytes = image->width * image->channels * (size_t)image->sample;
  for (size_t y = 0; y < image->height; y++, row += bytes)
    crc = crc32_z(crc, row, bytes);
  return (uint32_t)crc;
}

/* Why an image cannot be fitted on, if so. */
static burl_status check_size(const burl_image *image, const char *path, burl_diag *diag) {
  if (image->height < BURL_MIN_SIDE || image->width < BURL_MIN_SIDE)
    return burl_fail(diag, BURL_ERR_SIZE, path, "Leave it out or give larger images.",
                     "is %zu x %zu pixels; at least %d a side are needed", image->height,
                     image->width, BURL_MIN_SIDE);
  return BURL_OK;
}

static burl_status check_view(const burl_view *view, const char *path, burl_diag *diag) {
  if (view->deviation <= 0.0)
    return burl_fail(diag, BURL_ERR_DATA, path, "Leave it out: it shows no cloth.",
                     "all pixels have the same value");
  return BURL_OK;
}

/* The image becomes side x side pixels. */
static burl_status bring_to_side(burl_image *image, size_t side, burl_diag *diag) {
  burl_image small = {0};
  if (burl_image_new(&small, side, side, image->channels, BURL_F32) != BURL_OK)
    return burl_fail_memory(diag, NULL);
  burl_image_resize(&small, image);
  burl_image_free(image);
  *image = small;
  return BURL_OK;
}

/* Reads an image as passes see it. */
static burl_status read_image(burl_image *image, chunk *c, size_t slot, const burl_item *item) {
  training *self = c->self;
  burl_diag *diag = &c->diag[slot];
  burl_status status = burl_image_load(image, item->path, diag);
  if (status == BURL_OK && c->pass->first) {
    status = check_size(image, item->path, diag);
    self->checksum[c->first + slot] = checksum_of(item, image);
  }
  if (status == BURL_OK && self->side > 0) status = bring_to_side(image, self->side, diag);
  return status;
}

static burl_status see_tiles(chunk *c, size_t slot, const burl_view *view, int worker) {
  training *self = c->self;
  tile_worker *mine = &self->worker[worker];
  burl_tiling tiling = burl_model_tiling(mine->encoder, view->image->height, view->image->width);
  pass_tile tile = {.view = view, .image = c->first + slot, .worker = mine};
  for (; tile.tile < tiling.rows * tiling.cols; tile.tile++) {
    burl_tiling_get(&tiling, tile.tile, &tile.core, &tile.region);
    burl_status status =
        c->pass->see(c->pass->context, &tile, c->statistics + slot * c->pass->statistics);
    if (status != BURL_OK) return status;
  }
  return BURL_OK;
}

static burl_status see_image(void *context, size_t slot, int worker) {
  chunk *c = context;
  training *self = c->self;
  size_t n = c->first + slot;
  burl_diag *diag = &c->diag[slot];
  if (!self->usable[n]) return BURL_OK;
  const burl_item *item = burl_dataset_get_item(self->dataset, self->item[n]);
  burl_image image = {0};
  burl_view view;
  burl_phase phase;
  burl_status status = read_image(&image, c, slot, item);
  if (status == BURL_OK) {
    status = burl_view_open_placed(&view, &phase, self->lattice, &image);
    if (status != BURL_OK)
      burl_fail(diag, status, item->path, NULL, "%s", burl_status_get_text(status));
  }
  if (status == BURL_OK && c->pass->first) status = check_view(&view, item->path, diag);
  if (status == BURL_OK) {
    status = see_tiles(c, slot, &view, worker);
    if (status != BURL_OK)
      status = burl_fail(diag, status, item->path, NULL, "%s", burl_status_get_text(status));
  }
  burl_image_free(&image);
  diag->status = status;
  return status == BURL_ERR_MEMORY || (status != BURL_OK && !c->pass->first) ? status : BURL_OK;
}

/* Reports the images of a chunk that cannot be used and adds up the others. */
static void collect(chunk *c, size_t images, double *total) {
  training *self = c->self;
  for (size_t slot = 0; slot < images; slot++) {
    size_t n = c->first + slot;
    if (self->usable[n] && c->diag[slot].status != BURL_OK) {
      self->usable[n] = 0;
      burl_observe_problem(self->observer, &c->diag[slot]);
    }
    if (!self->usable[n]) continue;
    if (c->pass->first) self->used++;
    for (size_t i = 0; i < c->pass->statistics; i++)
      total[i] += c->statistics[slot * c->pass->statistics + i];
  }
}

burl_status burl_training_pass(training *self, const training_pass *pass, double *total) {
  chunk *c = burl_alloc_zero(1, sizeof *c);
  double *statistics = burl_alloc(CHUNK * pass->statistics, sizeof *statistics);
  burl_status status = c && statistics ? BURL_OK : burl_fail_memory(self->diag, NULL);
  for (size_t i = 0; i < pass->statistics; i++)
    total[i] = 0.0;
  for (size_t first = 0; first < self->count && status == BURL_OK; first += CHUNK) {
    size_t images = self->count - first < CHUNK ? self->count - first : CHUNK;
    memset(c, 0, sizeof *c);
    memset(statistics, 0, CHUNK * pass->statistics * sizeof *statistics);
    c->self = self, c->pass = pass, c->first = first, c->statistics = statistics;
    status = burl_parallel(images, self->threads, see_image, c);
    if (status == BURL_OK) {
      collect(c, images, total);
      burl_observe_progress(self->observer, pass->stage, first + images, self->count);
      continue;
    }
    burl_fail(self->diag, status, NULL, NULL, "%s", burl_status_get_text(status));
    for (size_t slot = images; slot-- > 0;) /* others may only have been left out */
      if (c->diag[slot].status == status && self->diag) *self->diag = c->diag[slot];
  }
  free(statistics);
  free(c);
  return status;
}
