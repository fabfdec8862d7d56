/* Proposals: stable nodes of the component tree with their masks, bounded in number. */
#include <burl/detect.h>

#include "base/memory.h"
#include "detect/rectangle.h"
#include "detect/stable_nodes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct burl_proposals {
  burl_proposal *items;
  size_t count;
  burl_span *spans;
};

typedef struct maker {
  const burl_max_tree *tree;
  size_t width;
  uint32_t *sorted, *scratch; /* (largest area) */
  burl_corner *corners;
  burl_arena arena;
} maker;

burl_proposal_options burl_proposal_default_options(void) {
  return (burl_proposal_options){.floor = 0.5, .contrast = 1.1, .spacing = 1.3, .most = 1000};
}

static burl_status check(const burl_proposal_options *o) {
  int good = o->floor > 0 && o->floor < 1e30 && o->contrast >= 1 && o->contrast < 1e6 &&
             o->spacing >= 1 && o->spacing < 1e6 && o->most >= 1 && o->most <= BURL_PROPOSALS_MOST;
  return good ? BURL_OK : BURL_ERR_ARGUMENT;
}

typedef struct candidate {
  burl_stable_node from;
  double rank;
  uint32_t place; /* pixel number of the upper left corner of its box */
  uint32_t area;
} candidate;

static int by_rank(const void *a, const void *b) {
  const candidate *x = a, *y = b;
  if (x->rank != y->rank) return x->rank > y->rank ? -1 : 1;
  if (x->place != y->place) return x->place < y->place ? -1 : 1;
  if (x->area != y->area) return x->area > y->area ? -1 : 1;
  return x->from.node < y->from.node ? -1 : x->from.node > y->from.node;
}

static candidate *rank(const burl_stable_node *found, size_t count, const burl_max_tree *tree,
                       size_t width) {
  candidate *list = burl_alloc(count, sizeof *list);
  for (size_t i = 0; list && i < count; i++) {
    const burl_tree_node *node = &tree->nodes[found[i].node];
    list[i] = (candidate){.from = found[i],
                          .rank = (double)node->peak * (double)found[i].quality,
                          .place = node->y0 * (uint32_t)width + node->x0,
                          .area = node->area};
  }
  if (list) qsort(list, count, sizeof *list, by_rank);
  return list;
}

/* Counting sort by byte, of the bytes in which numbers up to `most` differ. */
static uint32_t *sort(uint32_t *values, uint32_t *scratch, size_t n, uint32_t most) {
  for (unsigned shift = 0; shift < 32 && most >> shift > 0; shift += 8) {
    size_t counts[257] = {0};
    for (size_t i = 0; i < n; i++)
      counts[(values[i] >> shift & 255) + 1]++;
    for (size_t digit = 1; digit < 256; digit++)
      counts[digit] += counts[digit - 1];
    for (size_t i = 0; i < n; i++)
      scratch[counts[values[i] >> shift & 255]++] = values[i];
    uint32_t *swap = values;
    values = scratch;
    scratch = swap;
  }
  return values;
}

/* The pixels of a node in scan order, and how many spans they make. Spans are written where `spans`
 * is not NULL. */
static size_t make_spans(maker *m, burl_span *spans, const burl_tree_node *node) {
  const uint32_t *members = m->tree->members + node->first, *pixel = m->tree->pixel;
  uint32_t least = UINT32_MAX, most = 0;
  for (size_t i = 0; i < node->area; i++) {
    if (members[i] < least) least = members[i];
    if (members[i] > most) most = members[i];
  }
  for (size_t i = 0; i < node->area; i++)
    m->sorted[i] = members[i] - least;
  const uint32_t *sorted = sort(m->sorted, m->scratch, node->area, most - least);
  size_t count = 0;
  uint32_t end = 0;
  for (size_t i = 0; i < node->area; i++) {
    uint32_t at = pixel[least + sorted[i]];
    if (i == 0 || at != end || at % m->width == 0) {
      spans[count++].begin = at;
    }
    end = spans[count - 1].end = at + 1;
  }
  return count;
}

static void fill(maker *m, burl_proposal *p, burl_span *spans, const candidate *from) {
  const burl_tree_node *node = &m->tree->nodes[from->from.node];
  *p = (burl_proposal){.box = {(float)node->x0, (float)node->y0, (float)node->x1, (float)node->y1},
                       .score = (double)node->peak,
                       .mean = node->sum / node->area,
                       .level = (double)burl_tree_heat(node->level),
                       .stability = (double)from->from.stability,
                       .quality = (double)from->from.quality,
                       .area = node->area,
                       .spans = spans};
  p->span_count = make_spans(m, spans, node);
  burl_rectangle(&p->oriented, p->spans, p->span_count, m->width, m->corners);
}

static int open_maker(maker *m, const candidate *list, size_t count) {
  size_t area = 0, rows = 0;
  for (size_t i = 0; i < count; i++) {
    const burl_tree_node *node = &m->tree->nodes[list[i].from.node];
    if (node->area > area) area = node->area;
    if (node->y1 - node->y0 > rows) rows = node->y1 - node->y0;
  }
  burl_arena_reserve(&m->arena, area, sizeof *m->sorted);
  burl_arena_reserve(&m->arena, area, sizeof *m->scratch);
  burl_arena_reserve(&m->arena, burl_rectangle_corners(rows), sizeof *m->corners);
  if (!burl_arena_open(&m->arena)) return 0;
  m->sorted = burl_arena_take(&m->arena, area, sizeof *m->sorted);
  m->scratch = burl_arena_take(&m->arena, area, sizeof *m->scratch);
  m->corners = burl_arena_take(&m->arena, burl_rectangle_corners(rows), sizeof *m->corners);
  return 1;
}

/* All masks lie in one block, which grows as they are written: no mask has more spans than pixels.
 */
static burl_status fill_all(burl_proposals *self, maker *m, const candidate *list) {
  size_t used = 0, room = 0;
  for (size_t i = 0; i < self->count; i++) {
    size_t area = m->tree->nodes[list[i].from.node].area;
    if (room - used < area) {
      size_t wanted = 2 * room > used + area ? 2 * room : used + area;
      burl_span *more = burl_alloc(wanted, sizeof *more);
      if (!more) return BURL_ERR_MEMORY;
      if (used > 0) memcpy(more, self->spans, used * sizeof *more);
      free(self->spans);
      self->spans = more;
      room = wanted;
    }
    fill(m, &self->items[i], self->spans + used, &list[i]);
    used += self->items[i].span_count;
  }
  for (size_t i = 0, at = 0; i < self->count; at += self->items[i++].span_count)
    self->items[i].spans = self->spans + at;
  return BURL_OK;
}

static burl_status make(burl_proposals *self, const burl_max_tree *tree, size_t width,
                        const burl_proposal_options *options) {
  burl_stable_node *found;
  size_t count;
  burl_status status = burl_stable_nodes(&found, &count, tree, options->contrast, options->spacing);
  if (status != BURL_OK || count == 0) {
    free(found);
    return status;
  }
  candidate *list = rank(found, count, tree, width);
  free(found);
  self->count = count < options->most ? count : options->most;
  self->items = burl_alloc(self->count, sizeof *self->items);
  maker m = {.tree = tree, .width = width};
  status = list && self->items && open_maker(&m, list, self->count) ? fill_all(self, &m, list)
                                                                    : BURL_ERR_MEMORY;
  burl_arena_close(&m.arena);
  free(list);
  return status;
}

burl_status burl_proposals_new(burl_proposals **self, const float *heat, size_t height,
                               size_t width, const burl_proposal_options *options) {
  size_t pixels;
  burl_status status = check(options);
  if (status != BURL_OK) return status;
  if (!burl_size_mul(&pixels, height, width) || pixels >= (size_t)1 << 31) return BURL_ERR_SIZE;
  burl_proposals *made = burl_alloc_zero(1, sizeof *made);
  if (!made) return BURL_ERR_MEMORY;
  burl_max_tree tree = {0};
  status = burl_max_tree_open(&tree, heat, height, width, (float)options->floor);
  if (status == BURL_OK) status = make(made, &tree, width, options);
  burl_max_tree_close(&tree);
  if (status != BURL_OK) {
    burl_proposals_free(made);
    return status;
  }
  *self = made;
  return BURL_OK;
}

void burl_proposals_free(burl_proposals *self) {
  if (!self) return;
  free(self->items);
  free(self->spans);
  free(self);
}

size_t burl_proposals_get_count(const burl_proposals *self) {
  return self->count;
}

const burl_proposal *burl_proposals_get(const burl_proposals *self) {
  return self->items;
}
