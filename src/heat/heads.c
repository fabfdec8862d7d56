/* The maps of heads and their maximum. */
#include "heat/heads.h"

#include <math.h>
#include <string.h>

#define NAME(name, text) [name] = (text),
const char *burl_kind_get_name(burl_kind kind) {
  static const char *const names[] = {BURL_KIND_LIST(NAME)};
  return (unsigned)kind < BURL_KIND_COUNT ? names[kind] : NULL;
}

void burl_head_add_up(burl_heat_grid *grid, float *scratch, const burl_head *head,
                      const float *groups, size_t count) {
  size_t cells = grid->rows * grid->cols;
  memset(grid->data, 0, cells * sizeof *grid->data);
  for (size_t g = 0; g < count; g++) {
    const float *values = groups + g * cells;
    float weight = head->weight[g];
    for (size_t i = 0; weight > 0.0f && i < cells; i++)
      grid->data[i] += weight * values[i];
  }
  burl_heat_smooth(grid, scratch, head->sigma);
}

/* best <- the larger of itself and u, and whose it is. */
static void take_larger(float *best, unsigned char *kinds, const float *sum, const burl_head *head,
                        size_t cells) {
  float typical = (float)head->typical, scale = (float)(1.0 / head->deviation);
  for (size_t i = 0; i < cells; i++) {
    float u = (sum[i] - typical) * scale;
    if (!(u > best[i])) continue;
    best[i] = u;
    if (kinds) kinds[i] = (unsigned char)head->kind;
  }
}

void burl_heads_fuse(burl_heat_grid *grid, unsigned char *kinds, float *spare,
                     const burl_heads *heads, const float *groups, size_t count) {
  size_t cells = grid->rows * grid->cols, named = heads->count - 1;
  float *sum = spare + cells, *best = spare + 2 * cells;
  burl_heat_grid one = *grid;
  one.data = sum;
  if (kinds) memset(kinds, BURL_KIND_NONE, cells);
  for (size_t i = 0; i < cells; i++)
    best[i] = -INFINITY;
  for (size_t h = 0; h < named; h++) {
    burl_head_add_up(&one, spare, &heads->head[h], groups, count);
    take_larger(best, kinds, sum, &heads->head[h], cells);
  }
  const burl_head *equal = &heads->head[named];
  float typical = (float)equal->typical, scale = (float)(1.0 / equal->deviation);
  float share = (float)BURL_HEADS_EQUAL_SHARE;
  burl_head_add_up(&one, spare, equal, groups, count);
  for (size_t i = 0; i < cells; i++)
    grid->data[i] = (1.0f - share) * best[i] + share * (sum[i] - typical) * scale;
}

static size_t nearest_cell(size_t pixel, size_t first, size_t count) {
  size_t cell = (pixel + BURL_HEAT_STRIDE / 2) / BURL_HEAT_STRIDE - first;
  return cell < count ? cell : count - 1;
}

void burl_kinds_expand(unsigned char *kinds, size_t ld, const unsigned char *cells,
                       const burl_heat_grid *grid, burl_rect core) {
  for (size_t y = 0; y < core.height; y++) {
    const unsigned char *row = cells + nearest_cell(core.y + y, grid->row, grid->rows) * grid->cols;
    for (size_t x = 0; x < core.width; x++)
      kinds[y * ld + x] = row[nearest_cell(core.x + x, grid->col, grid->cols)];
  }
}
