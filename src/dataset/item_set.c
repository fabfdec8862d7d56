/* Items as they are found, then sorted. Two maps answer at once what sorting would answer too late:
 * whether a file was there before (its first finder wins, so the order of adding is the caller's
 * promise of determinism), and which number a repeated name gets. */
#include "dataset/item_set.h"

#include "base/diag.h"
#include "base/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int same_text(const char *a, const char *b) {
  return a && b ? strcmp(a, b) == 0 : a == b;
}

static const char *get_label(const burl_item *item) {
  return burl_text_equal_fold(item->label, "good") ? "good" : item->label;
}

static const char *get_mask(const burl_item *item) {
  return burl_text_equal_fold(item->label, "good") ? NULL : item->mask;
}

/* `item` is the same file as `first`. */
static burl_status take_repeated(burl_item_set *set, const burl_item *first, const burl_item *item,
                                 int64_t line, burl_diag *diag) {
  const char *label = get_label(item);
  burl_diag problem;
  if (first->defective != (strcmp(label, "good") != 0)) {
    burl_fail(diag, BURL_ERR_DATA, line ? set->path : item->path, "Remove the wrong one.",
              "'%s' is labelled '%s', but the same file is labelled '%s' as '%s'", item->name,
              label, first->label, first->name);
    if (diag) diag->line = line;
    return BURL_ERR_DATA;
  }
  if (!same_text(first->label, label) || !same_text(first->mask, get_mask(item))) {
    burl_fail(&problem, BURL_ERR_DATA, line ? set->path : item->path, NULL,
              "'%s' is the same file as '%s' with another label or mask; the first one counts",
              item->name, first->name);
    problem.line = line;
    burl_observe_problem(set->observer, &problem);
  }
  if (set->repeated++ == 0) set->repeated_name = first->name;
  return BURL_OK;
}

/* Where the extension of the last part of a name begins: its dot, or its end. */
static size_t find_extension(const char *name) {
  const char *slash = strrchr(name, '/');
  const char *start = slash ? slash + 1 : name;
  const char *dot = strrchr(start, '.');
  return (size_t)((dot && dot != start ? dot : start + strlen(start)) - name);
}

/* A copy of name, numbered where its split has it already. The map's keys are names behind a letter
 * for the split; its values are 0 for a free name, otherwise the number to try next. */
static const char *take_name(burl_item_set *set, burl_split split, const char *name) {
  size_t length = strlen(name), room = length + 24;
  char *key = burl_texts_take(&set->texts, room + 1);
  if (!key) return NULL;
  key[0] = split == BURL_SPLIT_TRAIN ? 'r' : 'e';
  memcpy(key + 1, name, length + 1);
  size_t *next = burl_text_map_at(&set->names, key);
  if (!next) return NULL;
  size_t number = *next, stem = find_extension(name);
  if (number == 0) {
    *next = 2;
    return key + 1;
  }
  for (;; number++) {
    snprintf(key + 1 + stem, room - stem, "-%zu%s", number, name + stem);
    next = burl_text_map_at(&set->names, key);
    if (!next) return NULL;
    if (*next == 0) break;
  }
  *next = 2;
  const char *kept = burl_texts_copy(&set->texts, key + 1, strlen(key + 1));
  memcpy(key + 1, name, length + 1);
  next = burl_text_map_at(&set->names, key);
  if (!kept || !next) return NULL;
  *next = number + 1;
  return kept;
}

static burl_status push_item(burl_item_set *set, const burl_item *item) {
  burl_item *grown = burl_grown(set->items, set->count, &set->capacity, sizeof *grown);
  if (!grown) return BURL_ERR_MEMORY;
  set->items = grown;
  const char *label = get_label(item), *mask = get_mask(item);
  burl_item *copy = &grown[set->count];
  *copy = (burl_item){.split = item->split, .defective = strcmp(label, "good") != 0};
  copy->path = burl_texts_copy(&set->texts, item->path, strlen(item->path));
  copy->label = burl_texts_copy(&set->texts, label, strlen(label));
  copy->mask = mask ? burl_texts_copy(&set->texts, mask, strlen(mask)) : NULL;
  copy->source =
      item->source ? burl_texts_copy(&set->texts, item->source, strlen(item->source)) : NULL;
  copy->name = take_name(set, item->split, item->name);
  if (!copy->path || !copy->label || !copy->name || (mask && !copy->mask) ||
      (item->source && !copy->source))
    return BURL_ERR_MEMORY;
  set->count++;
  return BURL_OK;
}

burl_status burl_item_set_add(burl_item_set *set, const burl_item *item, const burl_file_id *id,
                              int64_t line, burl_diag *diag) {
  char key[128];
  snprintf(key, sizeof key, "%d:%" PRIx64 ":%" PRIx64 ":%" PRId64 ":%" PRId64 ":%" PRId64,
           (int)item->split, id->device, id->inode, id->size, id->seconds, id->nanoseconds);
  size_t *place = burl_text_map_at(&set->files, key);
  if (!place) return burl_fail_memory(diag, item->path);
  if (*place) return take_repeated(set, &set->items[*place - 1], item, line, diag);
  *place = set->count + 1;
  if (push_item(set, item) != BURL_OK) return burl_fail_memory(diag, item->path);
  return BURL_OK;
}

/* Names are unique within a split, so the order is total. */
static int by_split_and_name(const void *a, const void *b) {
  const burl_item *first = a, *second = b;
  if (first->split != second->split) return first->split < second->split ? -1 : 1;
  return strcmp(first->name, second->name);
}

burl_status burl_item_set_finish(burl_dataset **dataset, burl_item_set *set, burl_layout layout,
                                 burl_diag *diag) {
  burl_dataset *made = burl_alloc(1, sizeof *made);
  if (!made) return burl_fail_memory(diag, set->path);
  if (set->repeated > 0) {
    burl_diag problem;
    burl_fail(&problem, BURL_ERR_DATA, set->path, NULL,
              "%zu times a file is named again that was named before; each counts once (first: "
              "'%s')",
              set->repeated, set->repeated_name);
    burl_observe_problem(set->observer, &problem);
  }
  if (set->count) qsort(set->items, set->count, sizeof *set->items, by_split_and_name);
  *made = (burl_dataset){.layout = layout,
                         .lost = set->lost,
                         .items = set->items,
                         .count = set->count,
                         .texts = set->texts};
  set->items = NULL;
  set->texts = (burl_texts){0};
  burl_item_set_free(set);
  *dataset = made;
  return BURL_OK;
}

void burl_item_set_free(burl_item_set *set) {
  free(set->items);
  burl_texts_free(&set->texts);
  burl_text_map_free(&set->files);
  burl_text_map_free(&set->names);
  set->items = NULL;
  set->count = set->capacity = 0;
}
