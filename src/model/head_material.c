/* Gathering cells: a seat is one good image and a defect of each kind put on copies of it. Seats
 * are spread over threads, each fills cells of its own, and they are joined in the order of seats.
 */
#include "model/head_material.h"

#include "base/diag.h"
#include "base/parallel.h"
#include "base/random.h"
#include "dataset/dataset_part.h"
#include "image/crop.h"

#include <stdlib.h>
#include <string.h>

enum {
  PART = 384,          /* pixels a side of what is taken of a larger image */
  MOST_GOOD = 4096,    /* cells of a good image */
  MOST_OF_CLASS = 512, /* cells of a defect, and good ones beside it */
  MARGIN = 8           /* cells around a defect that count as beside it */
};

const head_put burl_head_puts[HEAD_PUTS] = {
    {BURL_PUT_SPECK, BURL_KIND_SPECK}, {BURL_PUT_STREAK, BURL_KIND_STREAK},
    {BURL_PUT_STAIN, BURL_KIND_STAIN}, {BURL_PUT_STEP, BURL_KIND_STAIN},
    {BURL_PUT_HOLE, BURL_KIND_HOLE},   {BURL_PUT_SCAR, BURL_KIND_WEAVE},
    {BURL_PUT_WARP, BURL_KIND_WEAVE},  {BURL_PUT_BLUR, BURL_KIND_WEAVE},
};

static void free_cells(burl_head_cells *cells) {
  for (size_t s = 0; s < BURL_HEAD_SIGMAS; s++)
    free(cells->value[s]);
  free(cells->weight);
  free(cells->defective);
  *cells = (burl_head_cells){0};
}

static burl_status open_cells(burl_head_cells *cells, size_t count, size_t groups) {
  *cells = (burl_head_cells){.count = 0};
  for (size_t s = 0; s < BURL_HEAD_SIGMAS; s++)
    if (!(cells->value[s] = burl_alloc(count * groups, sizeof(float)))) return BURL_ERR_MEMORY;
  cells->weight = burl_alloc(count, sizeof *cells->weight);
  cells->defective = burl_alloc(count, sizeof *cells->defective);
  return cells->weight && cells->defective ? BURL_OK : BURL_ERR_MEMORY;
}

void burl_head_material_free(head_material *material) {
  free_cells(&material->good);
  for (size_t k = 0; k < HEAD_PUTS; k++)
    free_cells(&material->set[k]);
}

typedef struct hall {
  fit *f;
  size_t *item; /* (images) of the data set: those that can be used and are not set aside */
  size_t images, done;
  burl_model *half[2];    /* fitted on the first and on the second half of them */
  tile_worker *worker[2]; /* (threads) */
  head_material seat[HEAD_SEATS];
} hall;

/* What one seat works on. */
typedef struct seat {
  hall *hall;
  head_material *out;
  const burl_model *model;
  tile_worker *worker;
  burl_image image, copy, mask;
  size_t number;
  burl_heat_grid grid;  /* size of the grids of the part */
  float *smoothed;      /* (sigmas, groups, cells) of what was scored last */
  unsigned char *label; /* (cells) 0 neither, 1 good, 2 defective */
} seat;

static size_t groups_of(const seat *s) {
  return s->model->encoder->ops->groups;
}

/* Scores an image by the model of the other half, into s->smoothed. */
static burl_status see(seat *s, const burl_image *image) {
  burl_view view;
  burl_phase phase;
  burl_status status = burl_view_open_placed(&view, &phase, &s->model->lattice, image);
  if (status != BURL_OK) return status;
  burl_rect all = {0, 0, image->height, image->width};
  burl_tile_encode(s->worker, &view, all);
  burl_heat_grid grid = burl_tile_split(s->worker, s->model->bank, s->model->scale, &view, all);
  size_t cells = grid.rows * grid.cols, groups = groups_of(s);
  for (size_t k = 0; k < BURL_HEAD_SIGMAS; k++)
    for (size_t g = 0; g < groups; g++) {
      burl_heat_grid one = grid;
      one.data = s->smoothed + (k * groups + g) * cells;
      memcpy(one.data, s->worker->groups + g * cells, cells * sizeof *one.data);
      burl_heat_smooth(&one, s->worker->spare, burl_head_sigma(k));
    }
  return BURL_OK;
}

/* Cells of a label, every step-th, each for `step`. */
static void take(seat *s, burl_head_cells *cells, unsigned char label, size_t most) {
  size_t all = s->grid.rows * s->grid.cols, groups = groups_of(s), there = 0, nth = 0;
  for (size_t i = 0; i < all; i++)
    there += s->label[i] == label;
  size_t step = (there + most - 1) / most;
  for (size_t i = 0; i < all; i++) {
    if (s->label[i] != label || nth++ % step != 0) continue;
    for (size_t k = 0; k < BURL_HEAD_SIGMAS; k++)
      for (size_t g = 0; g < groups; g++)
        cells->value[k][cells->count * groups + g] = s->smoothed[(k * groups + g) * all + i];
    cells->weight[cells->count] = (float)step;
    cells->defective[cells->count++] = label == 2;
  }
}

static burl_status take_good(seat *s) {
  burl_status status = see(s, &s->image);
  memset(s->label, 1, s->grid.rows * s->grid.cols);
  if (status == BURL_OK) status = open_cells(&s->out->good, MOST_GOOD, groups_of(s));
  if (status == BURL_OK) take(s, &s->out->good, 1, MOST_GOOD);
  return status;
}

/* The cell at (i,j) stands for pixels from half a stride before it on. */
static int is_masked(const burl_image *mask, size_t i, size_t j) {
  enum { STRIDE = BURL_HEAT_STRIDE, HALF = STRIDE / 2 };
  const unsigned char *m = mask->data;
  for (size_t y = i ? STRIDE * i - HALF : 0; y < STRIDE * i + HALF && y < mask->height; y++)
    for (size_t x = j ? STRIDE * j - HALF : 0; x < STRIDE * j + HALF && x < mask->width; x++)
      if (m[y * mask->width + x]) return 1;
  return 0;
}

/* Defective cells, and what lies beside them. */
static void label_defect(seat *s) {
  size_t rows = s->grid.rows, cols = s->grid.cols, top = rows, left = cols, bottom = 0, right = 0;
  for (size_t i = 0; i < rows; i++)
    for (size_t j = 0; j < cols; j++) {
      int defective = is_masked(&s->mask, i, j);
      s->label[i * cols + j] = defective ? 2 : 0;
      if (!defective) continue;
      top = i < top ? i : top, bottom = i > bottom ? i : bottom;
      left = j < left ? j : left, right = j > right ? j : right;
    }
  for (size_t i = top > MARGIN ? top - MARGIN : 0; i < rows && i <= bottom + MARGIN; i++)
    for (size_t j = left > MARGIN ? left - MARGIN : 0; j < cols && j <= right + MARGIN; j++)
      if (!s->label[i * cols + j]) s->label[i * cols + j] = 1;
}

static burl_status take_defect(seat *s, size_t k) {
  size_t bytes = s->image.height * s->image.width * s->image.channels * (size_t)s->image.sample;
  memcpy(s->copy.data, s->image.data, bytes);
  burl_put_options options = {.kind = burl_head_puts[k].put,
                              .seed = s->hall->f->model->options.bank.seed,
                              .index = s->number,
                              .strength = 1.0};
  burl_status status = burl_synth_put(&s->copy, &s->mask, NULL, &options);
  if (status == BURL_OK) status = see(s, &s->copy);
  if (status == BURL_OK) label_defect(s);
  if (status == BURL_OK) status = open_cells(&s->out->set[k], 2 * MOST_OF_CLASS, groups_of(s));
  for (unsigned char label = 1; status == BURL_OK && label <= 2; label++)
    take(s, &s->out->set[k], label, MOST_OF_CLASS);
  burl_image_free(&s->mask);
  return status;
}

/* The image, or a part of it where it is large: another one for every round of seats. */
static burl_status open_image(seat *s, const char *path) {
  burl_image whole = {0};
  burl_status status = burl_image_load(&whole, path, NULL);
  if (status != BURL_OK) return status;
  size_t height = whole.height < PART ? whole.height : PART;
  size_t width = whole.width < PART ? whole.width : PART;
  if (height == whole.height && width == whole.width) {
    s->image = whole;
    return BURL_OK;
  }
  burl_random random = burl_random_start(s->hall->f->model->options.bank.seed, 0x70617274);
  random.next = 2 * s->number;
  size_t y = (size_t)burl_random_below(&random, whole.height - height + 1);
  size_t x = (size_t)burl_random_below(&random, whole.width - width + 1);
  status = burl_image_crop(&s->image, &whole, (burl_rect){y, x, height, width});
  burl_image_free(&whole);
  return status;
}

static burl_status open_seat(seat *s, size_t item) {
  burl_status status = open_image(s, burl_dataset_get_item(s->hall->f->data.dataset, item)->path);
  if (status == BURL_OK)
    status = burl_image_new(&s->copy, s->image.height, s->image.width, s->image.channels,
                            s->image.sample);
  if (status != BURL_OK) return status;
  s->grid.rows = (s->image.height + BURL_HEAT_STRIDE - 1) / BURL_HEAT_STRIDE;
  s->grid.cols = (s->image.width + BURL_HEAT_STRIDE - 1) / BURL_HEAT_STRIDE;
  size_t cells = s->grid.rows * s->grid.cols;
  s->smoothed = burl_alloc(BURL_HEAD_SIGMAS * groups_of(s) * cells, sizeof *s->smoothed);
  s->label = burl_alloc(cells, 1);
  return s->smoothed && s->label ? BURL_OK : BURL_ERR_MEMORY;
}

static burl_status sit(void *context, size_t number, int worker) {
  hall *h = context;
  fit *f = h->f;
  size_t few = h->images < HEAD_SEATS;
  size_t of = few ? number % h->images : number * h->images / HEAD_SEATS;
  size_t other = 2 * of < h->images; /* an image of the first half is seen by the second */
  seat s = {.hall = h, .out = &h->seat[number], .number = number};
  s.model = h->half[other], s.worker = &h->worker[other][worker];
  burl_status status = open_seat(&s, h->item[of]);
  if (status == BURL_OK) status = take_good(&s);
  for (size_t k = 0; k < HEAD_PUTS && status == BURL_OK; k++)
    status = take_defect(&s, k);
  burl_image_free(&s.image);
  burl_image_free(&s.copy);
  free(s.smoothed);
  free(s.label);
  pthread_mutex_lock(&f->lock);
  burl_observe_progress(f->data.observer, "putting defects on good images", ++h->done, HEAD_SEATS);
  pthread_mutex_unlock(&f->lock);
  return status;
}

/* One after the other; what is joined is freed. */
static burl_status join(burl_head_cells *all, hall *h, size_t set, size_t groups) {
  size_t count = 0;
  for (size_t i = 0; i < HEAD_SEATS; i++)
    count += burl_head_material_get(&h->seat[i], set)->count;
  burl_status status = open_cells(all, count, groups);
  for (size_t i = 0; i < HEAD_SEATS && status == BURL_OK; i++) {
    burl_head_cells *from = burl_head_material_get(&h->seat[i], set);
    for (size_t s = 0; s < BURL_HEAD_SIGMAS && from->count > 0; s++)
      memcpy(all->value[s] + all->count * groups, from->value[s],
             from->count * groups * sizeof(float));
    memcpy(all->weight + all->count, from->weight, from->count * sizeof *all->weight);
    memcpy(all->defective + all->count, from->defective, from->count);
    all->count += from->count;
    free_cells(from);
  }
  return status;
}

static burl_status open_workers(hall *h, size_t half) {
  size_t threads = (size_t)h->f->data.threads;
  burl_status status = BURL_OK;
  h->worker[half] = burl_alloc_zero(threads, sizeof *h->worker[half]);
  if (!h->worker[half]) return BURL_ERR_MEMORY;
  for (size_t i = 0; i < threads && status == BURL_OK; i++)
    status = burl_tile_worker_open(&h->worker[half][i], h->half[half]->encoder);
  return status;
}

/* Images that cannot be used have been told of, and are not among the items. */
static burl_status fit_half(hall *h, size_t half) {
  const training *data = &h->f->data;
  burl_fit_options options = *h->f->asked;
  burl_observer observer = {0};
  burl_dataset *part = NULL;
  size_t first = half * ((h->images + 1) / 2), end = half ? h->images : (h->images + 1) / 2;
  if (data->observer) observer = *data->observer;
  observer.problem = NULL;
  options.heads = options.gallery = options.embed_encoder = 0;
  options.bank.outliers = options.bank.clean = 0.0;
  burl_status status = burl_dataset_take_part(&part, data->dataset, h->item + first, end - first);
  if (status == BURL_OK)
    status = burl_model_fit(&h->half[half], NULL, part, &options, &observer, NULL);
  burl_dataset_free(part);
  if (status == BURL_ERR_DATA) return BURL_OK; /* h->half[half] stays NULL */
  return status == BURL_OK ? open_workers(h, half) : status;
}

static void close_hall(hall *h) {
  for (size_t half = 0; half < 2; half++) {
    for (int i = 0; h->worker[half] && i < h->f->data.threads; i++)
      burl_tile_worker_close(&h->worker[half][i]);
    free(h->worker[half]);
    burl_model_free(h->half[half]);
  }
  for (size_t i = 0; i < HEAD_SEATS; i++)
    burl_head_material_free(&h->seat[i]);
  free(h->item);
  free(h);
}

static burl_status gather(head_material *material, int *gathered, hall *h) {
  fit *f = h->f;
  h->item = burl_alloc(f->data.count, sizeof *h->item);
  if (!h->item) return BURL_ERR_MEMORY;
  for (size_t i = 0; i < f->data.count; i++)
    if (f->data.usable[i] && !burl_fit_is_aside(f, i)) h->item[h->images++] = f->data.item[i];
  burl_status status = fit_half(h, 0);
  if (status == BURL_OK && h->half[0]) status = fit_half(h, 1);
  if (status != BURL_OK || !h->half[1]) return status;
  status = burl_parallel(HEAD_SEATS, f->data.threads, sit, h);
  size_t groups = f->model->encoder->ops->groups;
  for (size_t k = 0; k <= HEAD_PUTS && status == BURL_OK; k++)
    status = join(burl_head_material_get(material, k), h, k, groups);
  *gathered = status == BURL_OK;
  return status;
}

burl_status burl_head_material_gather(head_material *material, int *gathered, fit *f) {
  hall *h = burl_alloc_zero(1, sizeof *h);
  *material = (head_material){0};
  *gathered = 0;
  if (!h) return burl_fail_memory(f->data.diag, NULL);
  h->f = f;
  burl_status status = gather(material, gathered, h);
  close_hall(h);
  if (status == BURL_OK) return BURL_OK;
  burl_head_material_free(material);
  if (status == BURL_ERR_MEMORY) return burl_fail_memory(f->data.diag, NULL);
  return burl_fail(f->data.diag, status, NULL, NULL, "heads cannot be matched: %s",
                   burl_status_get_text(status));
}
