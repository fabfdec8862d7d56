/* Defects of a map. Two regions of one component tree are either apart or one holds the other, so a
 * single pixel of the smaller tells which. */
#include <burl/detect_defects.h>

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct burl_defects {
  burl_proposal *items;
  size_t count;
  burl_span *spans;
};

burl_detect_options burl_detect_default_options(void) {
  return (burl_detect_options){.proposals = burl_proposal_default_options(),
                               .suppress = burl_suppress_default_options(),
                               .least = -HUGE_VAL};
}

/* Whether a mask holds a pixel: the last span that begins at or before it. */
static int holds(const burl_proposal *p, uint32_t pixel) {
  size_t low = 0, high = p->span_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (p->spans[middle].begin <= pixel)
      low = middle + 1;
    else
      high = middle;
  }
  return low > 0 && pixel < p->spans[low - 1].end;
}

static int are_nested(const burl_proposal *a, const burl_proposal *b) {
  const burl_proposal *small = a->area < b->area ? a : b, *large = small == a ? b : a;
  return holds(large, small->spans[0].begin);
}

/* Moves to the front of kept those that stand apart from all before them. */
static size_t keep_apart(burl_kept_box *kept, size_t count, const burl_proposal *found,
                         double least) {
  size_t apart = 0;
  for (size_t i = 0; i < count; i++) {
    const burl_proposal *p = &found[kept[i].index];
    int alone = p->score >= least;
    for (size_t k = 0; alone && k < apart; k++)
      alone = !are_nested(p, &found[kept[k].index]);
    if (alone) kept[apart++] = kept[i];
  }
  return apart;
}

typedef struct ranked {
  burl_proposal proposal;
  size_t place;
} ranked;

static int by_score(const void *a, const void *b) {
  const ranked *x = a, *y = b;
  if (x->proposal.score != y->proposal.score) return x->proposal.score > y->proposal.score ? -1 : 1;
  return x->place < y->place ? -1 : 1;
}

/* Soft suppression leaves a part of the rank; the score keeps the same part. */
static burl_status copy(burl_defects *self, const burl_kept_box *kept, const burl_proposal *found,
                        const float *ranks, double least) {
  size_t spans = 0, used = 0, n = 0;
  ranked *list = burl_alloc(self->count, sizeof *list);
  for (size_t i = 0; list && i < self->count; i++) {
    size_t index = kept[i].index;
    double part = ranks[index] > 0 ? (double)kept[i].score / (double)ranks[index] : 1;
    burl_proposal p = found[index];
    p.score *= part;
    if (p.score < least) continue;
    list[n] = (ranked){.proposal = p, .place = n};
    spans += p.span_count;
    n++;
  }
  self->count = n;
  self->items = burl_alloc(n, sizeof *self->items);
  self->spans = burl_alloc(spans, sizeof *self->spans);
  if (!list || !self->items || !self->spans) {
    free(list);
    return BURL_ERR_MEMORY;
  }
  qsort(list, n, sizeof *list, by_score);
  for (size_t i = 0; i < n; i++) {
    self->items[i] = list[i].proposal;
    self->items[i].spans = memcpy(self->spans + used, list[i].proposal.spans,
                                  list[i].proposal.span_count * sizeof *self->spans);
    used += list[i].proposal.span_count;
  }
  free(list);
  return BURL_OK;
}

static burl_status suppress(burl_defects *self, const burl_proposals *proposals,
                            const burl_detect_options *options) {
  size_t n = burl_proposals_get_count(proposals);
  const burl_proposal *found = burl_proposals_get(proposals);
  burl_box *boxes = burl_alloc(n, sizeof *boxes);
  float *ranks = burl_alloc(n, sizeof *ranks);
  burl_kept_box *kept = burl_alloc(n, sizeof *kept);
  burl_status status = boxes && ranks && kept ? BURL_OK : BURL_ERR_MEMORY;
  for (size_t i = 0; status == BURL_OK && i < n; i++) {
    boxes[i] = found[i].box;
    ranks[i] = (float)(found[i].score * found[i].quality);
  }
  if (status == BURL_OK)
    status = burl_suppress(kept, &self->count, boxes, ranks, n, &options->suppress);
  if (status == BURL_OK) {
    self->count = keep_apart(kept, self->count, found, options->least);
    status = copy(self, kept, found, ranks, options->least);
  }
  free(boxes);
  free(ranks);
  free(kept);
  return status;
}

burl_status burl_defects_new(burl_defects **self, const float *heat, size_t height, size_t width,
                             const burl_detect_options *options) {
  burl_proposals *proposals = NULL;
  burl_status status = burl_proposals_new(&proposals, heat, height, width, &options->proposals);
  if (status != BURL_OK) return status;
  burl_defects *made = burl_alloc_zero(1, sizeof *made);
  status = made ? suppress(made, proposals, options) : BURL_ERR_MEMORY;
  burl_proposals_free(proposals);
  if (status != BURL_OK) {
    burl_defects_free(made);
    return status;
  }
  *self = made;
  return BURL_OK;
}

void burl_defects_free(burl_defects *self) {
  if (!self) return;
  free(self->items);
  free(self->spans);
  free(self);
}

size_t burl_defects_get_count(const burl_defects *self) {
  return self->count;
}

const burl_proposal *burl_defects_get(const burl_defects *self) {
  return self->items;
}
