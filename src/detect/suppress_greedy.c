/* Greedy suppression with pruning.
 *
 * Two boxes that share more than t of what they cover together share more than t of the larger
 * side in either direction: the part shared is as high as the lower box at most, so for its area to
 * exceed t times either area its width must exceed t times either width. So widths differ by a
 * factor of 1/t at most, and centres by less than (w + v)/2 - t max(w,v), which is at most
 * w (1-t) max(1, 1/(2t)) whatever v. Kept boxes lie in a grid by their centres; a box is compared
 * with those of the cells within that reach alone.
 */
#include "detect/overlap.h"
#include "detect/suppress.h"

#include "base/memory.h"
#include "base/radix.h"

#include <math.h>

#define NONE UINT32_MAX
#define SLACK 1.001 /* of the reach: shares are rounded to floats */

typedef struct kept_node {
  burl_box box;
  uint32_t next; /* in its cell */
} kept_node;

typedef struct grid {
  double x0, y0, cell_x, cell_y, reach; /* reach: in sides of a box */
  size_t cols, rows;
  uint32_t *head; /* (rows, cols) */
  kept_node *nodes;
  burl_radix_pair *pairs, *scratch; /* (n) */
  burl_arena arena;
} grid;

static double centre_x(const burl_box *b) {
  return ((double)b->x0 + (double)b->x1) / 2;
}

static double centre_y(const burl_box *b) {
  return ((double)b->y0 + (double)b->y1) / 2;
}

/* Cells of about a third of the reach of a mean box; no more cells than boxes, some. */
static void lay_axis(double *cell, size_t *cells, double range, double side, double most) {
  double wanted = side > 0 ? range / side : 1;
  wanted = wanted < 1 ? 1 : wanted > most ? most : wanted;
  *cells = (size_t)wanted;
  *cell = range > 0 ? range / (double)*cells : 1;
}

static void lay(grid *g, const burl_suppress_task *task) {
  double x0 = HUGE_VAL, y0 = HUGE_VAL, x1 = -HUGE_VAL, y1 = -HUGE_VAL, w = 0, h = 0;
  for (size_t i = 0; i < task->n; i++) {
    const burl_box *b = &task->boxes[i];
    double x = centre_x(b), y = centre_y(b);
    x0 = x < x0 ? x : x0;
    x1 = x > x1 ? x : x1;
    y0 = y < y0 ? y : y0;
    y1 = y > y1 ? y : y1;
    w += (double)b->x1 - (double)b->x0;
    h += (double)b->y1 - (double)b->y0;
  }
  double t = task->options->iou, n = (double)task->n, most = 1 + sqrt(n);
  g->reach = t > 0 ? SLACK * (1 - t + 1e-6) * fmax(1, 0.5 / t) : HUGE_VAL;
  double part = fmin(g->reach, 1) / 2;
  g->x0 = x0;
  g->y0 = y0;
  lay_axis(&g->cell_x, &g->cols, x1 - x0, part * w / n, most);
  lay_axis(&g->cell_y, &g->rows, y1 - y0, part * h / n, most);
}

static int open_grid(grid *g, const burl_suppress_task *task) {
  lay(g, task);
  burl_arena_reserve(&g->arena, g->cols * g->rows, sizeof *g->head);
  burl_arena_reserve(&g->arena, task->most, sizeof *g->nodes);
  burl_arena_reserve(&g->arena, task->n, sizeof *g->pairs);
  burl_arena_reserve(&g->arena, task->n, sizeof *g->scratch);
  if (!burl_arena_open(&g->arena)) return 0;
  g->head = burl_arena_take(&g->arena, g->cols * g->rows, sizeof *g->head);
  g->nodes = burl_arena_take(&g->arena, task->most, sizeof *g->nodes);
  g->pairs = burl_arena_take(&g->arena, task->n, sizeof *g->pairs);
  g->scratch = burl_arena_take(&g->arena, task->n, sizeof *g->scratch);
  for (size_t i = 0; i < g->cols * g->rows; i++)
    g->head[i] = NONE;
  return 1;
}

static size_t cell_at(double offset, double cell, size_t cells) {
  double at = offset / cell;
  if (!(at > 0)) return 0;
  return at < (double)cells ? (size_t)at : cells - 1;
}

/* Whether a kept box of the cell shares more than t with b. */
static int meets(const grid *g, uint32_t at, const burl_box *b, double t) {
  for (; at != NONE; at = g->nodes[at].next)
    if ((double)burl_overlap(b, &g->nodes[at].box) > t) return 1;
  return 0;
}

static int is_suppressed(const grid *g, const burl_box *b, double t) {
  double x = centre_x(b) - g->x0, y = centre_y(b) - g->y0;
  double w = (double)b->x1 - (double)b->x0, h = (double)b->y1 - (double)b->y0;
  if (!(w > 0 && h > 0)) return 0;
  size_t left = cell_at(x - g->reach * w, g->cell_x, g->cols);
  size_t right = cell_at(x + g->reach * w, g->cell_x, g->cols);
  size_t top = cell_at(y - g->reach * h, g->cell_y, g->rows);
  size_t bottom = cell_at(y + g->reach * h, g->cell_y, g->rows);
  for (size_t row = top; row <= bottom; row++)
    for (size_t col = left; col <= right; col++)
      if (meets(g, g->head[row * g->cols + col], b, t)) return 1;
  return 0;
}

static void add(grid *g, const burl_box *b, uint32_t number) {
  size_t col = cell_at(centre_x(b) - g->x0, g->cell_x, g->cols);
  size_t row = cell_at(centre_y(b) - g->y0, g->cell_y, g->rows);
  uint32_t *head = &g->head[row * g->cols + col];
  g->nodes[number] = (kept_node){.box = *b, .next = *head};
  *head = number;
}

burl_status burl_suppress_greedy(const burl_suppress_task *task, size_t *count) {
  grid g = {0};
  if (!open_grid(&g, task)) return BURL_ERR_MEMORY;
  for (size_t i = 0; i < task->n; i++)
    g.pairs[i] = (burl_radix_pair){burl_radix_key(task->scores[i]), (uint32_t)i};
  const burl_radix_pair *sorted = burl_radix_sort_pairs(g.pairs, g.scratch, task->n);
  uint32_t kept = 0;
  for (size_t i = 0; i < task->n && kept < task->most; i++) {
    uint32_t index = sorted[i].payload;
    const burl_box *b = &task->boxes[index];
    if (is_suppressed(&g, b, task->options->iou)) continue;
    add(&g, b, kept);
    task->kept[kept++] = (burl_kept_box){.index = index, .score = task->scores[index]};
  }
  *count = kept;
  burl_arena_close(&g.arena);
  return BURL_OK;
}
