/* One task an image: load it and the next one (for exchanges), put a defect on a copy, score the
 * copy by every model, measure within a window around the defect. Nothing is written to disk, and
 * an image's maps are gone when it is done. */
#include "select/contest.h"

#include "base/diag.h"
#include "base/parallel.h"
#include "model/model_parts.h"
#include <burl/evaluate.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW = 1024 }; /* pixels a side that are measured: the evaluator keeps every one */
#define AT_ONCE ((size_t)256 << 20)

typedef struct hall {
  burl_contest *contest;
  burl_scorer *scorer[CONTEST_MODELS];
  const burl_observer *observer;
  pthread_mutex_t lock;
  size_t done;
} hall;

/* What one task works on. */
typedef struct seat {
  burl_image image, other, copy, mask;
  float *heat;
} seat;

static void seat_close(seat *s) {
  burl_image_free(&s->image);
  burl_image_free(&s->other);
  burl_image_free(&s->copy);
  burl_image_free(&s->mask);
  free(s->heat);
}

static burl_status load_image(burl_image *image, const burl_contest *contest, size_t index) {
  const burl_item *item = burl_dataset_get_item(contest->held_out, index % contest->images);
  return burl_image_load(image, item->path, NULL);
}

/* BURL_ERR_DATA: the image is of no use. */
static burl_status seat_open(seat *s, const burl_contest *contest, size_t index) {
  burl_status status = load_image(&s->image, contest, index);
  if (status == BURL_OK && (s->image.height < BURL_MIN_SIDE || s->image.width < BURL_MIN_SIDE))
    status = BURL_ERR_DATA;
  if (status != BURL_OK) return status == BURL_ERR_MEMORY ? status : BURL_ERR_DATA;
  status = load_image(&s->other, contest, index + 1);
  if (status == BURL_ERR_MEMORY) return status;
  int fits = status == BURL_OK && s->other.channels == s->image.channels &&
             s->other.sample == s->image.sample && s->other.height >= BURL_MIN_SIDE &&
             s->other.width >= BURL_MIN_SIDE;
  if (!fits) burl_image_free(&s->other);
  status =
      burl_image_new(&s->copy, s->image.height, s->image.width, s->image.channels, s->image.sample);
  s->heat = burl_alloc(s->image.height * s->image.width, sizeof *s->heat);
  return status == BURL_OK && s->heat ? BURL_OK : BURL_ERR_MEMORY;
}

/* The first and last row (column) of the mask that is not empty, widened to the window. */
static void window_of(size_t *from, size_t *to, const burl_image *mask, int columns) {
  size_t side = columns ? mask->width : mask->height, first = side, last = 0;
  const uint8_t *m = mask->data;
  for (size_t i = 0; i < mask->height * mask->width; i++) {
    if (!m[i]) continue;
    size_t at = columns ? i % mask->width : i / mask->width;
    if (at < first) first = at;
    if (at > last) last = at;
  }
  size_t middle = first + (last > first ? last - first : 0) / 2;
  *from = middle > WINDOW / 2 ? middle - WINDOW / 2 : 0;
  if (*from + WINDOW > side) *from = side > WINDOW ? side - WINDOW : 0;
  *to = *from + WINDOW < side ? *from + WINDOW : side;
}

/* Rows move up to where the window has them: never over what is still to be read. */
static burl_status measure(double *ap, double *aupro, float *heat, const burl_image *mask,
                           uint8_t *cut, const size_t y[2], const size_t x[2]) {
  burl_pixel_evaluator *evaluator;
  burl_pixel_metrics metrics;
  size_t height = y[1] - y[0], width = x[1] - x[0];
  for (size_t i = 0; i < height; i++) {
    size_t from = (y[0] + i) * mask->width + x[0];
    memmove(heat + i * width, heat + from, width * sizeof *heat);
    memcpy(cut + i * width, (const uint8_t *)mask->data + from, width);
  }
  burl_status status = burl_pixel_evaluator_new(&evaluator);
  if (status != BURL_OK) return status;
  status = burl_pixel_evaluator_add(evaluator, heat, cut, height, width);
  if (status == BURL_OK) status = burl_pixel_evaluator_compute(evaluator, &metrics, NULL, 0);
  burl_pixel_evaluator_free(evaluator);
  if (status != BURL_OK) return status;
  *ap = metrics.ranking.ap;
  *aupro = metrics.aupro_030;
  return BURL_OK;
}

static burl_status judge(hall *h, seat *s, size_t at, int worker) {
  burl_contest *contest = h->contest;
  size_t y[2], x[2];
  window_of(&y[0], &y[1], &s->mask, 0);
  window_of(&x[0], &x[1], &s->mask, 1);
  uint8_t *cut = burl_alloc(y[1] - y[0], x[1] - x[0]);
  burl_status status = cut ? BURL_OK : BURL_ERR_MEMORY;
  for (size_t m = 0; m < contest->models && status == BURL_OK; m++) {
    double score;
    status = burl_scorer_score_by(h->scorer[m], worker, 1, s->heat, NULL, &score, &s->copy, NULL);
    if (status == BURL_OK)
      status = measure(&contest->ap[at + m], &contest->aupro[at + m], s->heat, &s->mask, cut, y, x);
  }
  free(cut);
  return status;
}

static burl_status put_and_judge(hall *h, seat *s, size_t index, size_t round, burl_put kind,
                                 int worker) {
  const burl_contest *contest = h->contest;
  size_t bytes = s->image.height * s->image.width * s->image.channels * (size_t)s->image.sample;
  memcpy(s->copy.data, s->image.data, bytes);
  burl_put_options options = {.kind = kind,
                              .seed = contest->seed,
                              .index = index * contest->rounds + round,
                              .strength = 1.0};
  const burl_image *other = s->other.data ? &s->other : &s->image;
  burl_status status = burl_synth_put(&s->copy, &s->mask, other, &options);
  if (status != BURL_OK) return status;
  status = judge(h, s, burl_contest_at(contest, index, round, (size_t)kind, 0), worker);
  burl_image_free(&s->mask);
  return status;
}

static burl_status sit(void *context, size_t index, int worker) {
  hall *h = context;
  const burl_contest *contest = h->contest;
  seat s = {0};
  burl_status status = seat_open(&s, contest, index);
  size_t defects = contest->rounds * CONTEST_PUTS;
  for (size_t k = 0; k < defects && status == BURL_OK; k++)
    status = put_and_judge(h, &s, index, k / CONTEST_PUTS, (burl_put)(k % CONTEST_PUTS), worker);
  seat_close(&s);
  pthread_mutex_lock(&h->lock);
  burl_observe_progress(h->observer, "comparing positions", ++h->done, contest->images);
  pthread_mutex_unlock(&h->lock);
  return status == BURL_ERR_DATA ? BURL_OK : status;
}

/* As many threads as hold AT_ONCE bytes of the largest image, its copy, neighbour, mask and map. */
static int bound_threads(const burl_contest *contest) {
  size_t largest = 1;
  for (size_t i = 0; i < contest->images; i++) {
    burl_image_info info;
    const burl_item *item = burl_dataset_get_item(contest->held_out, i);
    if (burl_image_probe(&info, item->path, NULL) != BURL_OK) continue;
    size_t bytes = info.height * info.width * (3 * info.channels * (size_t)info.sample + 5);
    if (bytes > largest) largest = bytes;
  }
  size_t fit = AT_ONCE / largest;
  return fit < 1 ? 1 : fit < (size_t)contest->threads ? (int)fit : contest->threads;
}

burl_status burl_contest_run(burl_contest *contest, const burl_observer *observer,
                             burl_diag *diag) {
  hall h = {.contest = contest, .observer = observer};
  contest->images = burl_dataset_get_count(contest->held_out);
  size_t figures = contest->images * contest->rounds * CONTEST_PUTS * contest->models;
  contest->ap = burl_alloc(figures, sizeof *contest->ap);
  contest->aupro = burl_alloc(figures, sizeof *contest->aupro);
  if (!contest->ap || !contest->aupro || pthread_mutex_init(&h.lock, NULL) != 0)
    return burl_fail_memory(diag, NULL);
  for (size_t i = 0; i < figures; i++)
    contest->ap[i] = contest->aupro[i] = (double)NAN;
  int threads = bound_threads(contest);
  burl_status status = BURL_OK;
  for (size_t m = 0; m < contest->models && status == BURL_OK; m++)
    status = burl_scorer_new(&h.scorer[m], contest->model[m], threads);
  if (status == BURL_OK) status = burl_parallel(contest->images, threads, sit, &h);
  for (size_t m = 0; m < contest->models; m++)
    burl_scorer_free(h.scorer[m]);
  pthread_mutex_destroy(&h.lock);
  if (status == BURL_ERR_MEMORY) return burl_fail_memory(diag, NULL);
  if (status != BURL_OK)
    return burl_fail(diag, status, NULL, NULL, "positions cannot be compared: %s",
                     burl_status_get_text(status));
  return BURL_OK;
}

void burl_contest_close(burl_contest *contest) {
  for (size_t m = 0; m < contest->models; m++)
    burl_model_free(contest->model[m]);
  free(contest->ap);
  free(contest->aupro);
  *contest = (burl_contest){0};
}
