/* Partial mass by out-of-fold price: what the banks that did not see an image find dearest in it is
 * left out of everything that is learned.
 *
 * A first fit gives banks without each fold. Every image is scored by those that did not see it,
 * and the largest value of every block of 16 x 16 pixels is kept as a code of one byte (all that
 * grows with the images). The dearest `outliers` share of the blocks of all images teaches nothing
 * in the next round: no filter, no whitening, no patch of a bank, no scale. A defect among the good
 * images is dear, since no other image holds its like; to a bank that has seen it, it would cost
 * nothing.
 *
 * With `clean` c > 0 whole images go as well: those whose dearest block lies more than c robust
 * standard deviations (1.4826 times the median absolute deviation) above the median of all images',
 * on a logarithmic scale. At most MOST_ASIDE of the images go. (Out-of-fold filtering of
 * contaminated sets: docs/math/prototypes.md, "Outliers".) */
#include "model/fit_parts.h"

#include "base/diag.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CODES = 256 };
#define MOST_ASIDE 0.3 /* share of the images */
#define LEAST_IMAGES 8 /* that tell what is usual */

static size_t blocks(size_t pixels) {
  return (pixels + TRIM_BLOCK - 1) / TRIM_BLOCK;
}

/* Prices to codes: 24 for each doubling of 1 + price. */
static unsigned char code_of(float price) {
  double code = price > 0.0f ? 1.0 + 24.0 * log2(1.0 + (double)price) : 0.0;
  return code < CODES - 1 ? (unsigned char)code : CODES - 1;
}

int burl_fit_is_aside(const fit *f, size_t image) {
  return f->trim && f->trim[image].aside;
}

burl_status burl_fit_name_aside(fit *f) {
  burl_model *model = f->model;
  model->aside_name = burl_alloc_zero(f->data.count, sizeof *model->aside_name);
  burl_status status = model->aside_name ? BURL_OK : BURL_ERR_MEMORY;
  for (size_t i = 0; i < f->data.count && status == BURL_OK; i++) {
    if (!burl_fit_is_aside(f, i)) continue;
    char *name = burl_copy_text(burl_dataset_get_item(f->data.dataset, f->data.item[i])->name);
    if (name)
      model->aside_name[model->aside++] = name;
    else
      status = BURL_ERR_MEMORY;
  }
  return status == BURL_OK ? BURL_OK : burl_fail_memory(f->data.diag, NULL);
}

int burl_fit_is_trimmed(const fit *f, size_t image, size_t y, size_t x) {
  if (!f->trim) return 0;
  const trim_map *map = &f->trim[image];
  return map->aside ||
         (map->code && map->code[y / TRIM_BLOCK * map->cols + x / TRIM_BLOCK] > f->trim_limit);
}

static burl_status open_map(trim_map *map, const burl_image *image) {
  map->rows = blocks(image->height);
  map->cols = blocks(image->width);
  map->code = burl_alloc_zero(map->rows, map->cols);
  return map->code ? BURL_OK : BURL_ERR_MEMORY;
}

static burl_status see_prices(void *context, const pass_tile *tile, double *statistics) {
  fit *f = context;
  trim_map *map = &f->trim[tile->image];
  (void)statistics;
  if (!map->code && open_map(map, tile->view->image) != BURL_OK) return BURL_ERR_MEMORY;
  burl_heat_grid grid =
      burl_tile_score(tile->worker, f->held_out[f->fold[tile->image]], f->model->scale,
                      &f->model->heads, tile->view, tile->region);
  for (size_t i = 0; i < grid.rows; i++)
    for (size_t j = 0; j < grid.cols; j++) {
      size_t y = (grid.row + i) * BURL_HEAT_STRIDE, x = (grid.col + j) * BURL_HEAT_STRIDE;
      if (!burl_rect_holds(tile->core, y, x)) continue;
      unsigned char *code = &map->code[y / TRIM_BLOCK * map->cols + x / TRIM_BLOCK];
      unsigned char now = code_of(grid.data[i * grid.cols + j]);
      if (now > *code) *code = now;
    }
  return BURL_OK;
}

/* The code above which at most `share` of all blocks lie. */
static int find_limit(const fit *f, double share) {
  size_t count[CODES] = {0}, all = 0, above = 0;
  for (size_t i = 0; i < f->data.count; i++)
    for (size_t b = 0; b < f->trim[i].rows * f->trim[i].cols; b++)
      count[f->trim[i].code[b]]++, all++;
  int limit = CODES - 1;
  while (limit > 0 && (double)(above + count[limit]) <= share * (double)all)
    above += count[limit--];
  return limit;
}

double burl_trim_price(int code) {
  return code > 0 ? exp2((double)(code - 1) / 24.0) - 1.0 : 0.0;
}

int burl_trim_map_dearest(const trim_map *map) {
  int most = 0;
  for (size_t b = 0; b < map->rows * map->cols; b++)
    if (map->code[b] > most) most = map->code[b];
  return most;
}

/* The value of rank `rank` of counted codes. */
static int rank_of(const size_t count[CODES], size_t rank) {
  int code = 0;
  for (size_t below = count[0]; below <= rank; below += count[code])
    code++;
  return code;
}

/* Images whose dearest block stands out, the dearest first, until there are too many. */
static void set_aside(fit *f, double c) {
  size_t count[CODES] = {0}, away[CODES] = {0}, n = 0, gone = 0;
  for (size_t i = 0; i < f->data.count; i++)
    if (f->trim[i].code) count[burl_trim_map_dearest(&f->trim[i])]++, n++;
  if (n < LEAST_IMAGES) return;
  int median = rank_of(count, n / 2);
  for (int code = 0; code < CODES; code++)
    away[abs(code - median)] += count[code];
  double limit = median + c * 1.4826 * fmax(1.0, (double)rank_of(away, n / 2));
  for (int code = CODES - 1; (double)code > limit; code--) {
    gone += count[code];
    if ((double)gone > MOST_ASIDE * (double)n) return;
    for (size_t i = 0; i < f->data.count; i++)
      if (f->trim[i].code && burl_trim_map_dearest(&f->trim[i]) == code) f->trim[i].aside = 1;
  }
}

void burl_fit_free_trim(fit *f) {
  for (size_t i = 0; f->trim && i < f->data.count; i++)
    free(f->trim[i].code);
  free(f->trim);
  f->trim = NULL;
}

burl_status burl_fit_find_trim(fit *f) {
  burl_fit_free_trim(f);
  f->trim = burl_alloc_zero(f->data.count, sizeof *f->trim);
  if (!f->trim) return burl_fail_memory(f->data.diag, NULL);
  f->trim_limit = CODES;
  training_pass pass = {"looking for outliers", 0, see_prices, f, 0};
  burl_status status = burl_training_pass(&f->data, &pass, NULL);
  if (status != BURL_OK) return status;
  f->trim_limit = find_limit(f, f->model->options.bank.outliers);
  if (f->model->options.bank.clean > 0.0) set_aside(f, f->model->options.bank.clean);
  return BURL_OK;
}
