/* Is what comes good cloth of this kind?
 *
 * Another cloth: an image that has the threshold or more over most of its area is unlike what the
 * model knows; when all are, it is not this cloth. Defects: an image is judged by the banks that
 * did not see it but did see the other new images. What recurs in them is a new look of good cloth
 * and cheap by then; what only one of them shows stays dear. */
#include "model/update_parts.h"

#include "base/diag.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_IMAGES = 8, NAMED = 3 };
#define MOST_AREA 0.5 /* above the threshold, of an image of the same cloth */
/* Good images are refused with this probability, whatever their number. */
#define MISTAKE 0.05
#define AWAY 2.5 /* robust standard deviations */

static burl_status see_first(void *context, const pass_tile *tile, double *statistics) {
  update_job *job = context;
  first_look *look = &job->look[tile->image];
  const burl_model *model = job->before;
  (void)statistics;
  burl_heat_grid grid = burl_tile_score(tile->worker, model->bank, model->scale, &model->heads,
                                        tile->view, tile->region);
  size_t y0 = tile->core.y / BURL_HEAT_STRIDE - grid.row;
  size_t x0 = tile->core.x / BURL_HEAT_STRIDE - grid.col;
  size_t rows = (tile->core.height + BURL_HEAT_STRIDE - 1) / BURL_HEAT_STRIDE;
  size_t cols = (tile->core.width + BURL_HEAT_STRIDE - 1) / BURL_HEAT_STRIDE;
  if (tile->tile == 0) look->largest = -(double)INFINITY;
  for (size_t i = y0; i < y0 + rows; i++)
    for (size_t j = x0; j < x0 + cols; j++) {
      double value = (double)grid.data[i * grid.cols + j];
      look->cells += 1.0;
      look->above += value >= model->threshold.value;
      if (value > look->largest) look->largest = value;
    }
  return BURL_OK;
}

burl_status burl_update_look(update_job *job) {
  training *data = &job->fit.data;
  job->look = burl_alloc_zero(data->count, sizeof *job->look);
  if (!job->look) return burl_fail_memory(data->diag, NULL);
  training_pass pass = {"looking at new images", 0, see_first, job, 1};
  burl_status status = burl_training_pass(data, &pass, NULL);
  if (status != BURL_OK || data->used > 0) return status;
  return burl_fail(data->diag, BURL_ERR_DATA, NULL, "Give good images of the same cloth.",
                   "%zu of %zu new images can be used", data->used, data->count);
}

static double heat_of(const update_job *job, double raw) {
  const burl_model *model = job->before;
  return (raw - model->typical) / (model->threshold.value - model->typical);
}

static const char *name_of(const update_job *job, size_t image) {
  const training *data = &job->fit.data;
  return burl_dataset_get_item(data->dataset, data->item[image])->name;
}

burl_status burl_update_check_cloth(const update_job *job) {
  const training *data = &job->fit.data;
  double least = 1.0;
  for (size_t i = 0; i < data->count; i++)
    if (data->usable[i]) least = fmin(least, job->look[i].above / job->look[i].cells);
  if (least <= MOST_AREA) return BURL_OK;
  return burl_fail(data->diag, BURL_ERR_DATA, NULL, "--force learns from them all the same.",
                   "these images look like another cloth: fit a model of their own (at least %.0f "
                   "%% of the area of each is at or above the threshold)",
                   100.0 * least);
}

static int ascending(const void *left, const void *right) {
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

/* Median plus AWAY robust standard deviations of log prices; changes the order of values. */
static double robust_limit(double *values, size_t n) {
  qsort(values, n, sizeof *values, ascending);
  double median = values[n / 2];
  for (size_t i = 0; i < n; i++)
    values[i] = fabs(values[i] - median);
  qsort(values, n, sizeof *values, ascending);
  return median + AWAY * 1.4826 * fmax(values[n / 2], 0.03); /* a code's step */
}

/* The price above which an image looks defective: what one of `n` good images of the old cloth
 * would reach with probability MISTAKE, and, where there are images enough to say, far above that
 * of the others. */
static burl_status find_limit(const update_job *job, double *prices, size_t n, double *limit) {
  const burl_model *model = job->before;
  double *maxima = burl_alloc(model->maxima_count, sizeof *maxima);
  burl_threshold rare;
  if (!maxima) return BURL_ERR_MEMORY;
  for (size_t i = 0; i < model->maxima_count; i++)
    maxima[i] = (double)model->maxima[i];
  burl_status status = burl_threshold_estimate(
      &rare, maxima, model->maxima_count, fmin(model->options.false_alarm, MISTAKE / (double)n),
      model->options.bank.seed);
  free(maxima);
  if (status != BURL_OK) return status;
  *limit = fmax(rare.value, model->threshold.value);
  if (n >= LEAST_IMAGES) *limit = fmax(*limit, exp(robust_limit(prices, n)) - 1.0);
  return BURL_OK;
}

static double price_of(const update_job *job, size_t image) {
  return burl_trim_price(burl_trim_map_dearest(&job->fit.trim[image]));
}

/* "a.png (heat 2.1), b.png (heat 1.9) and 3 more" */
static void list_images(char *text, size_t size, const update_job *job, double limit) {
  const training *data = &job->fit.data;
  size_t found = 0, used = 0;
  text[0] = '\0';
  for (size_t i = 0; i < data->count; i++) {
    if (!data->usable[i] || !(price_of(job, i) > limit) || ++found > NAMED) continue;
    snprintf(text + used, size - used, "%s%.80s (heat %.1f)", used ? ", " : "", name_of(job, i),
             heat_of(job, job->look[i].largest));
    used = strlen(text);
  }
  if (found > NAMED) snprintf(text + used, size - used, " and %zu more", found - NAMED);
}

burl_status burl_update_check_images(const update_job *job) {
  const training *data = &job->fit.data;
  char names[400];
  size_t n = 0, bad = 0;
  double limit, *prices = burl_alloc(data->count, sizeof *prices);
  for (size_t i = 0; prices && i < data->count; i++)
    if (data->usable[i]) prices[n++] = log1p(price_of(job, i));
  burl_status status = prices ? find_limit(job, prices, n, &limit) : BURL_ERR_MEMORY;
  free(prices);
  if (status != BURL_OK) return burl_fail_memory(data->diag, NULL);
  for (size_t i = 0; i < data->count; i++)
    bad += data->usable[i] && price_of(job, i) > limit;
  if (bad == 0) return BURL_OK;
  list_images(names, sizeof names, job, limit);
  return burl_fail(data->diag, BURL_ERR_DATA, NULL,
                   "Leave out what is defective; --force learns from all of them as good.",
                   "%zu of %zu new images look%s defective: %s", bad, n, bad == 1 ? "s" : "",
                   names);
}
