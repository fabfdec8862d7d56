/* Centres in the two layouts of num/nearest.h, filled up one by one. */
#include "prototype/centres.h"

#include "num/nearest.h"
#include "num/panels.h"

#include <string.h>

static float *request(burl_arena *arena, size_t count) {
  if (arena->block) return burl_arena_take(arena, count, sizeof(float));
  burl_arena_reserve(arena, count, sizeof(float));
  return NULL;
}

static int few(const burl_centres *centres) {
  return centres->d <= BURL_POINT_FEW_DIMENSIONS;
}

size_t burl_centres_unit(const burl_centres *centres) {
  return few(centres) ? BURL_POINT_BLOCK : BURL_PANEL;
}

void burl_centres_place(burl_centres *centres, burl_arena *arena, size_t k, size_t d) {
  *centres = (burl_centres){.d = d};
  if (few(centres)) {
    centres->packed = request(arena, burl_point_blocks_size(k, d));
    return;
  }
  size_t lanes = (k + BURL_PANEL - 1) / BURL_PANEL * BURL_PANEL;
  centres->packed = request(arena, lanes * d);
  centres->squares = request(arena, lanes);
  centres->rows = request(arena, k * d);
  centres->mean = request(arena, d);
}

void burl_centres_add(burl_centres *centres, const float *point) {
  size_t d = centres->d, j = centres->count++;
  if (few(centres)) {
    /* the lanes that are still free hold the first point of the block: as good as empty */
    float *block = centres->packed + j / BURL_POINT_BLOCK * BURL_POINT_BLOCK * d;
    size_t lane = j % BURL_POINT_BLOCK, end = lane == 0 ? BURL_POINT_BLOCK : lane + 1;
    for (size_t t = 0; t < d; t++)
      for (size_t l = lane; l < end; l++)
        block[t * BURL_POINT_BLOCK + l] = point[t];
    return;
  }
  if (j % BURL_PANEL == 0) burl_panel_clear(centres->packed, centres->squares, j / BURL_PANEL, d);
  memcpy(centres->rows + j * d, point, d * sizeof *point);
  float length = burl_panel_put(centres->packed, centres->squares, j, point, centres->mean, d);
  if (!(length <= centres->radius)) centres->radius = length;
}

void burl_centres_lower(const burl_centres *centres, float *least, const float *points,
                        const uint32_t *which, size_t n, size_t unit) {
  size_t d = centres->d, first = unit * BURL_POINT_BLOCK;
  if (few(centres)) {
    burl_point_blocks_lower(least, points, which, n, centres->packed + first * d,
                            centres->count - first, d);
    return;
  }
  burl_panels panels = {.count = centres->count,
                        .d = d,
                        .radius = centres->radius,
                        .centre = centres->mean,
                        .squares = centres->squares,
                        .panels = centres->packed,
                        .rows = centres->rows};
  burl_panels_lower(least, NULL, points, which, n, &panels, unit);
}
