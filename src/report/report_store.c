/* What a report holds. Scores are kept of every image; pictures only of as many as can be shown,
 * whatever the threshold will be: the lowest and the highest scores. The choice depends on the
 * scores and names alone, not on the order of adding (except between equal names). */
#include "report/report_store.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void free_shot(burl_shot *shot) {
  if (!shot) return;
  burl_thumb_free(&shot->thumb);
  burl_match_free(shot->match);
  free(shot->name);
  free(shot->label);
  free(shot->kind);
  free(shot);
}

static int open_list(burl_shortlist *list, size_t low, size_t high) {
  list->low = low;
  list->high = high;
  if (high >= SIZE_MAX / 2 || low >= SIZE_MAX / 2 - high) return 0;
  list->shots = burl_alloc(low + high + 1, sizeof *list->shots);
  return list->shots != NULL;
}

static void close_list(burl_shortlist *list) {
  for (size_t i = 0; i < list->count; i++)
    free_shot(list->shots[i]);
  free(list->shots);
}

burl_status burl_report_new(burl_report **self, const char *title, size_t gallery) {
  burl_report *made = burl_alloc_zero(1, sizeof *made);
  if (!made) return BURL_ERR_MEMORY;
  made->gallery = gallery;
  made->title = burl_copy_text(title);
  if (!made->title || !open_list(&made->defective, gallery, gallery) ||
      !open_list(&made->good, 0, gallery)) {
    burl_report_free(made);
    return BURL_ERR_MEMORY;
  }
  *self = made;
  return BURL_OK;
}

void burl_report_free(burl_report *self) {
  if (!self) return;
  for (size_t i = 0; i < self->count; i++)
    free(self->entries[i].label);
  free(self->entries);
  close_list(&self->defective);
  close_list(&self->good);
  free(self->title);
  free(self);
}

/* Whether an image with this score and name comes before the shot; equals come after it. */
static int comes_before(const burl_report_row *row, const burl_shot *shot) {
  if (row->score != shot->score) return row->score < shot->score;
  return strcmp(row->name, shot->name) < 0;
}

static size_t place_of(const burl_shortlist *list, const burl_report_row *row) {
  size_t place = list->count;
  while (place > 0 && comes_before(row, list->shots[place - 1]))
    place--;
  return place;
}

/* Puts a shot in its place; where the list is full the one between lowest and highest goes. */
static void insert(burl_shortlist *list, burl_shot *shot, size_t place) {
  memmove(list->shots + place + 1, list->shots + place,
          (list->count - place) * sizeof *list->shots);
  list->shots[place] = shot;
  if (++list->count <= list->low + list->high) return;
  free_shot(list->shots[list->low]);
  list->count--;
  memmove(list->shots + list->low, list->shots + list->low + 1,
          (list->count - list->low) * sizeof *list->shots);
}

static void find_hottest(burl_shot *shot, const float *heat, size_t height, size_t width) {
  size_t hottest = 0;
  for (size_t i = 1; i < height * width; i++)
    if (heat[i] > heat[hottest]) hottest = i;
  shot->hot_y = hottest / width;
  shot->hot_x = hottest % width;
}

static burl_status make_shot(burl_shot **shot, const burl_report_row *row, const burl_image *image,
                             const float *heat, const uint8_t *mask) {
  burl_shot *made = burl_alloc_zero(1, sizeof *made);
  if (!made) return BURL_ERR_MEMORY;
  made->defective = row->defective != 0;
  made->score = row->score;
  made->name = burl_copy_text(row->name);
  if (row->label) made->label = burl_copy_text(row->label);
  if (row->kind) made->kind = burl_copy_text(row->kind);
  find_hottest(made, heat, image->height, image->width);
  burl_status status = BURL_ERR_MEMORY;
  if (made->name && (made->label || !row->label) && (made->kind || !row->kind))
    status = burl_thumb_make(&made->thumb, image, heat, mask);
  if (status == BURL_OK)
    *shot = made;
  else
    free_shot(made);
  return status;
}

burl_status burl_report_add(burl_report *self, const burl_report_row *row, const burl_image *image,
                            const float *heat, const uint8_t *mask) {
  if (!isfinite(row->score)) return BURL_ERR_NUMERIC;
  if (!burl_grow(&self->entries, &self->room, self->count, sizeof *self->entries))
    return BURL_ERR_MEMORY;
  burl_shortlist *list = row->defective ? &self->defective : &self->good;
  size_t place = place_of(list, row);
  burl_shot *shot = NULL;
  int full = list->count == list->low + list->high;
  if (!full || place != list->low) {
    burl_status status = make_shot(&shot, row, image, heat, mask);
    if (status != BURL_OK) return status;
  }
  burl_report_entry entry = {NULL, row->defective != 0, row->score};
  if (row->label) entry.label = burl_copy_text(row->label);
  if (row->label && !entry.label) {
    free_shot(shot);
    return BURL_ERR_MEMORY;
  }
  if (shot) shot->added = self->count;
  self->entries[self->count++] = entry;
  if (shot) insert(list, shot, place);
  return BURL_OK;
}

burl_outcome burl_outcome_of(int defective, double score, double threshold) {
  if (defective) return score >= threshold ? BURL_FIND : BURL_MISS;
  return score >= threshold ? BURL_FALSE_ALARM : BURL_PASS;
}

/* How many of each outcome are shown: a third of the gallery is open to misses, false alarms and
 * finds each; what one leaves free goes to the others in their order, to passes last. */
static void share_out(size_t counts[BURL_OUTCOMES], const size_t have[BURL_OUTCOMES],
                      size_t gallery) {
  size_t left = gallery;
  for (size_t i = 0; i < BURL_OUTCOMES; i++) {
    size_t share = i == BURL_PASS ? 0 : (gallery + 2 - i) / 3;
    counts[i] = have[i] < share ? have[i] : share;
    left -= counts[i];
  }
  for (size_t i = 0; i < BURL_OUTCOMES; i++) {
    size_t more = have[i] - counts[i];
    more = more < left ? more : left;
    counts[i] += more;
    left -= more;
  }
}

/* In an ascending list the images below the threshold come first: the number of them. */
static size_t count_below(const burl_shortlist *list, double threshold) {
  size_t below = 0;
  while (below < list->count && list->shots[below]->score < threshold)
    below++;
  return below;
}

/* How many of each outcome are shown. */
static void count_chosen(const burl_report *self, size_t counts[BURL_OUTCOMES], double threshold) {
  const burl_shortlist *bad = &self->defective, *good = &self->good;
  size_t missed = count_below(bad, threshold), passed = count_below(good, threshold);
  size_t have[BURL_OUTCOMES] = {missed, good->count - passed, bad->count - missed, passed};
  share_out(counts, have, self->gallery);
}

/* Shot i of an outcome in the order of the page: misses lowest score first, others highest. */
static const burl_shot *nth_shot(const burl_report *self, burl_outcome outcome, size_t i,
                                 double threshold) {
  const burl_shortlist *bad = &self->defective, *good = &self->good;
  if (outcome == BURL_MISS) return bad->shots[i];
  if (outcome == BURL_FIND) return bad->shots[bad->count - 1 - i];
  if (outcome == BURL_FALSE_ALARM) return good->shots[good->count - 1 - i];
  return good->shots[count_below(good, threshold) - 1 - i];
}

void burl_report_choose(const burl_report *self, const burl_shot **chosen,
                        size_t counts[BURL_OUTCOMES], double threshold) {
  size_t n = 0;
  count_chosen(self, counts, threshold);
  for (int outcome = 0; outcome < BURL_OUTCOMES; outcome++)
    for (size_t i = 0; i < counts[outcome]; i++)
      chosen[n++] = nth_shot(self, (burl_outcome)outcome, i, threshold);
}

void burl_report_set_prototypes(burl_report *self, const burl_report_prototypes *gallery) {
  self->prototypes = gallery;
}

size_t burl_report_get_shown(const burl_report *self, burl_report_shown *shown, double threshold) {
  size_t counts[BURL_OUTCOMES], n = 0;
  count_chosen(self, counts, threshold);
  for (int outcome = 0; outcome < BURL_PASS; outcome++)
    for (size_t i = 0; i < counts[outcome]; i++) {
      const burl_shot *shot = nth_shot(self, (burl_outcome)outcome, i, threshold);
      shown[n++] = (burl_report_shown){shot->added, shot->hot_y, shot->hot_x};
    }
  return n;
}

static burl_shot *find_shot(const burl_shortlist *list, size_t added) {
  for (size_t i = 0; i < list->count; i++)
    if (list->shots[i]->added == added) return list->shots[i];
  return NULL;
}

burl_status burl_report_explain(burl_report *self, size_t added, const burl_image *image,
                                const burl_report_match *match) {
  burl_shot *shot = find_shot(&self->defective, added);
  if (!shot) shot = find_shot(&self->good, added);
  if (!shot) return BURL_OK;
  burl_match *made = NULL;
  burl_status status = burl_match_new(&made, image, match);
  if (status != BURL_OK) return status;
  burl_match_free(shot->match);
  shot->match = made;
  return BURL_OK;
}
