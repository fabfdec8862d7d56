/* Loose fibres: fine arcs, splatted point by point into a cover and a lustre layer.
 *
 * The cloth's own fibres are scattered cell by cell: the number in a cell and their shapes are
 * hashed by the cell, so that canvases that share a cell draw the same ones. Sums are in the order
 * of the cells whatever the canvas.
 */
#include "synth/canvas.h"

#include "base/random.h"
#include <math.h>

enum { CELL = 48, REACH = 40 }; /* pixels; no fibre is longer than REACH */

static void splat(burl_canvas *canvas, float x, float y, float amount, float lustre) {
  float left = floorf(x), top = floorf(y), s = x - left, t = y - top;
  ptrdiff_t column = (ptrdiff_t)left - canvas->x, row = (ptrdiff_t)top - canvas->y;
  for (int k = 0; k < 4; k++) {
    ptrdiff_t cx = column + (k & 1), cy = row + (k >> 1);
    if (cx < 0 || cy < 0 || cx >= (ptrdiff_t)canvas->width || cy >= (ptrdiff_t)canvas->height)
      continue;
    float share = (k & 1 ? s : 1 - s) * (k >> 1 ? t : 1 - t) * amount;
    size_t pixel = (size_t)cy * canvas->width + (size_t)cx;
    canvas->cover[pixel] += share;
    canvas->lustre[pixel] += share * lustre;
  }
}

void burl_fibre_draw(burl_canvas *canvas, const burl_fibre *fibre) {
  float x = fibre->x, y = fibre->y, step = 0.5f;
  float right = (float)(canvas->x + (ptrdiff_t)canvas->width) + fibre->length + 1;
  float bottom = (float)(canvas->y + (ptrdiff_t)canvas->height) + fibre->length + 1;
  if (x < (float)canvas->x - fibre->length - 1 || x > right) return;
  if (y < (float)canvas->y - fibre->length - 1 || y > bottom) return;
  float dx = cosf(fibre->angle) * step, dy = sinf(fibre->angle) * step;
  float c = cosf(fibre->bend * step), s = sinf(fibre->bend * step);
  int steps = (int)(fibre->length / step);
  for (int i = 0; i <= steps; i++) {
    float fade = burl_ease(4 * (float)(steps - i + 1) / (float)(steps + 1));
    splat(canvas, x, y, step * fibre->opacity * fade, fibre->lustre);
    x += dx;
    y += dy;
    float turned = c * dx - s * dy;
    dy = s * dx + c * dy;
    dx = turned;
  }
}

static double between(burl_random *random, double low, double high) {
  return low + (high - low) * burl_random_uniform(random);
}

static void scatter_cell(burl_canvas *canvas, const burl_cloth *cloth, int64_t cx, int64_t cy) {
  uint64_t cell =
      (uint64_t)BURL_STREAM_FIBRE << 56 ^ (uint64_t)(cy + 4096) << 24 ^ (uint64_t)(cx + 4096);
  burl_random random = burl_random_start(cloth->key, cell);
  double expected = cloth->fibres * CELL * CELL / 1000.0;
  int count = (int)(expected + burl_random_uniform(&random));
  for (int i = 0; i < count; i++) {
    burl_fibre fibre = {
        .x = (float)((double)(cx * CELL) + between(&random, 0, CELL)),
        .y = (float)((double)(cy * CELL) + between(&random, 0, CELL)),
        .angle = (float)between(&random, 0, 6.283185307179586),
        .bend = (float)between(&random, -0.14, 0.14),
        .length = (float)between(&random, 4, 22),
        .opacity = (float)between(&random, 0.15, 0.6),
        .lustre = (float)between(&random, 0.75, 1.0),
    };
    burl_fibre_draw(canvas, &fibre);
  }
}

static int64_t cell_of(ptrdiff_t pixel) {
  int64_t shifted = (int64_t)pixel + 1024 * CELL;
  return shifted / CELL - 1024;
}

void burl_fibres_scatter(burl_canvas *canvas, const burl_cloth *cloth) {
  int64_t x1 = cell_of(canvas->x + (ptrdiff_t)canvas->width + REACH);
  int64_t y1 = cell_of(canvas->y + (ptrdiff_t)canvas->height + REACH);
  for (int64_t cy = cell_of(canvas->y - REACH); cy <= y1; cy++)
    for (int64_t cx = cell_of(canvas->x - REACH); cx <= x1; cx++)
      scatter_cell(canvas, cloth, cx, cy);
}

void burl_fibres_lay(burl_canvas *canvas, const burl_cloth *cloth) {
  const float most = 0.9f;
  for (size_t i = 0; i < canvas->width * canvas->height; i++) {
    float cover = canvas->cover[i], lustre = canvas->lustre[i];
    if (cover <= 0) continue;
    if (cover > most) {
      lustre *= most / cover;
      cover = most;
    }
    for (int c = 0; c < cloth->channels; c++) {
      float *v = &canvas->value[c][i];
      *v = *v * (1 - cover) + lustre * cloth->fibre[c];
    }
  }
}
