/* Exact assignment: what greedy suppression keeps become slots, and each slot is given a box, none
 * twice, at the least cost in all,
 *     C_jk = (1 - s_j / s_max) + (1 - IoU(box j, slot k)) + |centre j - centre k| / D_max,
 * s counted from the lowest score. The boxes left over are suppressed. This is what entropic
 * matching with a bin for the rest becomes without entropy. */
#include "detect/overlap.h"
#include "detect/suppress.h"

#include "base/memory.h"

#include <burl/transport_assignment.h>

#include <math.h>
#include <stdlib.h>

typedef struct matching {
  double *cost;   /* (slots, n) */
  size_t *column; /* (slots) */
  size_t slots;
} matching;

static double distance(const burl_box *a, const burl_box *b) {
  double x = ((double)a->x0 + (double)a->x1 - (double)b->x0 - (double)b->x1) / 2;
  double y = ((double)a->y0 + (double)a->y1 - (double)b->y0 - (double)b->y1) / 2;
  return hypot(x, y);
}

static void price(matching *m, const burl_suppress_task *task) {
  float low = task->scores[0], high = low;
  double farthest = 1e-10;
  for (size_t j = 0; j < task->n; j++) {
    low = fminf(low, task->scores[j]);
    high = fmaxf(high, task->scores[j]);
    for (size_t k = 0; k < m->slots; k++)
      farthest = fmax(farthest, distance(&task->boxes[j], &task->boxes[task->kept[k].index]));
  }
  low = fminf(low, 0);
  double range = (double)high - (double)low > 0 ? (double)high - (double)low : 1;
  for (size_t k = 0; k < m->slots; k++) {
    const burl_box *slot = &task->boxes[task->kept[k].index];
    for (size_t j = 0; j < task->n; j++) {
      double quality = ((double)task->scores[j] - (double)low) / range;
      double iou = (double)burl_overlap(&task->boxes[j], slot);
      m->cost[k * task->n + j] =
          (1 - quality) + (1 - iou) + distance(&task->boxes[j], slot) / farthest;
    }
  }
}

static int by_score(const void *a, const void *b) {
  const burl_kept_box *x = a, *y = b;
  if (x->score != y->score) return x->score > y->score ? -1 : 1;
  return x->index < y->index ? -1 : x->index > y->index;
}

static burl_status match(matching *m, const burl_suppress_task *task) {
  burl_assignment *solver = NULL;
  price(m, task);
  burl_status status = burl_assignment_new(&solver, m->slots, task->n);
  if (status == BURL_OK)
    status = burl_assignment_solve(solver, m->column, NULL, NULL, NULL, m->cost, task->n, m->slots,
                                   task->n);
  burl_assignment_free(solver);
  if (status != BURL_OK) return status;
  for (size_t k = 0; k < m->slots; k++)
    task->kept[k] = (burl_kept_box){.index = m->column[k], .score = task->scores[m->column[k]]};
  qsort(task->kept, m->slots, sizeof *task->kept, by_score);
  return BURL_OK;
}

burl_status burl_suppress_exact(const burl_suppress_task *task, size_t *count) {
  burl_suppress_task seeds = *task;
  matching m = {0};
  seeds.kept = burl_alloc(task->most, sizeof *seeds.kept);
  if (!seeds.kept) return BURL_ERR_MEMORY;
  burl_status status = burl_suppress_greedy(&seeds, &m.slots);
  if (status == BURL_OK && m.slots > BURL_SUPPRESS_CELLS / task->n) status = BURL_ERR_SIZE;
  if (status == BURL_OK) {
    m.cost = burl_alloc(m.slots * task->n, sizeof *m.cost);
    m.column = burl_alloc(m.slots, sizeof *m.column);
    status = m.cost && m.column ? match(&m, &seeds) : BURL_ERR_MEMORY;
  }
  for (size_t k = 0; status == BURL_OK && k < m.slots; k++)
    task->kept[k] = seeds.kept[k];
  if (status == BURL_OK) *count = m.slots;
  free(m.cost);
  free(m.column);
  free(seeds.kept);
  return status;
}
