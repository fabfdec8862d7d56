/* Average precision of boxes, matched as COCO's own program does, ties included: of true boxes that
 * share equally much the last one is taken, and images go in the order in which they were added. */
#include <burl/evaluate_boxes.h>

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LIMITS 10 /* IoU 0.5, 0.55 .. 0.95 */
#define RECALLS 101

typedef struct found_box {
  burl_box box;
  float score;
  size_t place; /* in the image, then over all images */
} found_box;

typedef struct image_boxes {
  size_t found, found_count, truth, truth_count; /* where they begin, and how many */
} image_boxes;

struct burl_box_evaluator {
  image_boxes *images;
  found_box *found; /* of each image by falling score */
  burl_box *truth;
  size_t image_count, found_count, truth_count;
  size_t image_room, found_room, truth_room;
  double both, marked, true_pixels; /* of masks */
};

burl_status burl_box_evaluator_new(burl_box_evaluator **self) {
  burl_box_evaluator *made = burl_alloc_zero(1, sizeof *made);
  if (!made) return BURL_ERR_MEMORY;
  *self = made;
  return BURL_OK;
}

void burl_box_evaluator_free(burl_box_evaluator *self) {
  if (!self) return;
  free(self->images);
  free(self->found);
  free(self->truth);
  free(self);
}

static int is_finite(const burl_box *b) {
  return isfinite(b->x0) && isfinite(b->y0) && isfinite(b->x1) && isfinite(b->y1);
}

static burl_status check(const burl_box *found, const float *scores, size_t count,
                         const burl_box *truth, size_t truth_count) {
  int good = 1;
  for (size_t i = 0; i < count; i++)
    good &= is_finite(&found[i]) && isfinite(scores[i]);
  for (size_t i = 0; i < truth_count; i++)
    good &= is_finite(&truth[i]);
  return good ? BURL_OK : BURL_ERR_NUMERIC;
}

/* Room for `more` further items behind `count`. */
static burl_status make_room(void **items, size_t *room, size_t count, size_t more, size_t size) {
  if (*room - count >= more) return BURL_OK;
  if (more > SIZE_MAX / 4 - count) return BURL_ERR_SIZE;
  size_t wanted = 2 * (count + more);
  void *grown = burl_alloc(wanted, size);
  if (!grown) return BURL_ERR_MEMORY;
  if (count > 0) memcpy(grown, *items, count * size);
  free(*items);
  *items = grown;
  *room = wanted;
  return BURL_OK;
}

static int by_score(const void *a, const void *b) {
  const found_box *x = a, *y = b;
  if (x->score != y->score) return x->score > y->score ? -1 : 1;
  return x->place < y->place ? -1 : x->place > y->place;
}

static burl_status reserve(burl_box_evaluator *self, size_t found, size_t truth) {
  void *images = self->images, *boxes = self->found, *true_boxes = self->truth;
  burl_status status =
      make_room(&images, &self->image_room, self->image_count, 1, sizeof *self->images);
  self->images = images;
  if (status == BURL_OK)
    status = make_room(&boxes, &self->found_room, self->found_count, found, sizeof *self->found);
  self->found = boxes;
  if (status == BURL_OK)
    status =
        make_room(&true_boxes, &self->truth_room, self->truth_count, truth, sizeof *self->truth);
  self->truth = true_boxes;
  return status;
}

burl_status burl_box_evaluator_add(burl_box_evaluator *self, const burl_box *found,
                                   const float *scores, size_t count, const burl_box *truth,
                                   size_t truth_count) {
  burl_status status = check(found, scores, count, truth, truth_count);
  if (status == BURL_OK) status = reserve(self, count, truth_count);
  if (status != BURL_OK) return status;
  found_box *own = count > 0 ? self->found + self->found_count : NULL;
  for (size_t i = 0; i < count; i++)
    own[i] = (found_box){.box = found[i], .score = scores[i], .place = i};
  if (count > 0) qsort(own, count, sizeof *own, by_score);
  size_t kept = count < BURL_BOXES_AN_IMAGE ? count : BURL_BOXES_AN_IMAGE;
  if (truth_count > 0) memcpy(self->truth + self->truth_count, truth, truth_count * sizeof *truth);
  self->images[self->image_count++] = (image_boxes){.found = self->found_count,
                                                    .found_count = kept,
                                                    .truth = self->truth_count,
                                                    .truth_count = truth_count};
  for (size_t i = 0; i < kept; i++)
    own[i].place = self->found_count + i;
  self->found_count += kept;
  self->truth_count += truth_count;
  return BURL_OK;
}

void burl_box_evaluator_add_masks(burl_box_evaluator *self, const burl_proposal *found,
                                  size_t count, const uint8_t *truth, size_t height, size_t width) {
  uint64_t marked = 0, both = 0, true_pixels = 0;
  for (size_t i = 0; i < height * width; i++)
    true_pixels += truth[i] != 0;
  for (size_t i = 0; i < count; i++)
    for (size_t k = 0; k < found[i].span_count; k++) {
      burl_span span = found[i].spans[k];
      marked += span.end - span.begin;
      for (size_t at = span.begin; at < span.end; at++)
        both += truth[at] != 0;
    }
  self->marked += (double)marked;
  self->both += (double)both;
  self->true_pixels += (double)true_pixels;
}

static double iou_of(const burl_box *a, const burl_box *b) {
  double w = fmin((double)a->x1, (double)b->x1) - fmax((double)a->x0, (double)b->x0);
  double h = fmin((double)a->y1, (double)b->y1) - fmax((double)a->y0, (double)b->y0);
  if (!(w > 0 && h > 0)) return 0;
  double area_a = ((double)a->x1 - (double)a->x0) * ((double)a->y1 - (double)a->y0);
  double area_b = ((double)b->x1 - (double)b->x0) * ((double)b->y1 - (double)b->y0);
  return w * h / (area_a + area_b - w * h);
}

/* Matches the first n boxes of an image; hit[place] of each box found. */
static void match(const burl_box_evaluator *self, const image_boxes *image, size_t n, double limit,
                  uint8_t *hit, uint8_t *taken) {
  memset(taken, 0, image->truth_count);
  for (size_t i = 0; i < n; i++) {
    double best = fmin(limit, 1 - 1e-10);
    size_t to = SIZE_MAX;
    for (size_t k = 0; k < image->truth_count; k++) {
      if (taken[k]) continue;
      double iou = iou_of(&self->found[image->found + i].box, &self->truth[image->truth + k]);
      if (iou < best) continue;
      best = iou;
      to = k;
    }
    hit[image->found + i] = to != SIZE_MAX;
    if (to != SIZE_MAX) taken[to] = 1;
  }
}

/* The mean over recalls 0, 0.01 .. 1 of the best precision at that recall or beyond. */
static double average(const uint8_t *hits, size_t n, size_t truth, double *precision) {
  size_t true_found = 0;
  for (size_t i = 0; i < n; i++) {
    true_found += hits[i];
    precision[i] = (double)true_found / (double)(i + 1);
  }
  for (size_t i = n; i-- > 1;)
    precision[i - 1] = fmax(precision[i - 1], precision[i]);
  double sum = 0;
  size_t at = 0, reached = n > 0 ? hits[0] : 0;
  for (size_t r = 0; r < RECALLS; r++) {
    double recall = r + 1 < RECALLS ? (double)r * 0.01 : 1; /* as COCO rounds them */
    while (at < n && (double)reached / (double)truth < recall) {
      at++;
      if (at < n) reached += hits[at];
    }
    if (at < n) sum += precision[at];
  }
  return sum / RECALLS;
}

typedef struct scratch {
  found_box *order;
  uint8_t *hit, *sorted, *taken;
  double *precision;
  burl_arena arena;
} scratch;

static int open_scratch(scratch *s, const burl_box_evaluator *self) {
  size_t n = self->found_count;
  burl_arena_reserve(&s->arena, n + 1, sizeof *s->order);
  burl_arena_reserve(&s->arena, n + 1, 1);
  burl_arena_reserve(&s->arena, n + 1, 1);
  burl_arena_reserve(&s->arena, self->truth_count + 1, 1);
  burl_arena_reserve(&s->arena, n + 1, sizeof *s->precision);
  if (!burl_arena_open(&s->arena)) return 0;
  s->order = burl_arena_take(&s->arena, n + 1, sizeof *s->order);
  s->hit = burl_arena_take(&s->arena, n + 1, 1);
  s->sorted = burl_arena_take(&s->arena, n + 1, 1);
  s->taken = burl_arena_take(&s->arena, self->truth_count + 1, 1);
  s->precision = burl_arena_take(&s->arena, n + 1, sizeof *s->precision);
  return 1;
}

static void measure(scratch *s, const burl_box_evaluator *self, double iou, size_t most, double *ap,
                    double *recall) {
  size_t count = 0, hits = 0;
  for (size_t i = 0; i < self->image_count; i++) {
    const image_boxes *image = &self->images[i];
    size_t n = image->found_count < most ? image->found_count : most;
    match(self, image, n, iou, s->hit, s->taken);
    if (n > 0) memcpy(s->order + count, self->found + image->found, n * sizeof *s->order);
    count += n;
  }
  qsort(s->order, count, sizeof *s->order, by_score);
  for (size_t i = 0; i < count; i++)
    hits += s->sorted[i] = s->hit[s->order[i].place];
  double truth = (double)self->truth_count;
  if (recall) *recall = truth > 0 ? (double)hits / truth : (double)NAN;
  if (ap)
    *ap = truth > 0 ? average(s->sorted, count, self->truth_count, s->precision) : (double)NAN;
}

burl_status burl_box_evaluator_measure(const burl_box_evaluator *self, double iou, size_t most,
                                       double *ap, double *recall) {
  scratch s = {0};
  if (!(iou > 0 && iou <= 1) || most == 0) return BURL_ERR_ARGUMENT;
  if (!open_scratch(&s, self)) return BURL_ERR_MEMORY;
  measure(&s, self, iou, most, ap, recall);
  burl_arena_close(&s.arena);
  return BURL_OK;
}

burl_status burl_box_evaluator_compute(const burl_box_evaluator *self, burl_box_metrics *metrics) {
  scratch s = {0};
  if (!open_scratch(&s, self)) return BURL_ERR_MEMORY;
  burl_box_metrics m = {.images = self->image_count, .boxes = self->truth_count};
  for (int i = 0; i < LIMITS; i++) {
    double ap, recall;
    double limit = i + 1 < LIMITS ? 0.5 + i * ((0.95 - 0.5) / (LIMITS - 1)) : 0.95;
    measure(&s, self, limit, BURL_BOXES_AN_IMAGE, &ap, &recall);
    if (i == 0) m.ap50 = ap;
    m.ap += ap / LIMITS;
    m.recall_100 += recall / LIMITS;
  }
  double all = self->marked + self->true_pixels;
  m.mask_dice = self->true_pixels > 0 ? 2 * self->both / all : (double)NAN;
  *metrics = m;
  burl_arena_close(&s.arena);
  return BURL_OK;
}
