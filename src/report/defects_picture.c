/* Numbered boxes on an image, painted row by row: the picture is never held as a whole. Masks are
 * tinted; a box lies round its mask, outside it, so that a speck stays visible; its number stands
 * above it, or below where there is no room. */
#include <burl/report_defects.h>

#include "base/diag.h"
#include "base/memory.h"
#include "image/png_write.h"
#include "report/digits.h"

#include <stdlib.h>

#define ROWS_A_UNIT 512 /* of the image, for each pixel of a line's thickness */

static const uint8_t ink[3] = {255, 176, 0}, paper[3] = {0, 0, 0};

typedef struct frame {
  long x0, y0, x1, y1;   /* the box, pixels excluded at x1 and y1 */
  long label_x, label_y; /* upper left corner of the number */
  unsigned digits[20];
  size_t digit_count, next_span;
} frame;

typedef struct picture {
  const burl_image *image;
  const burl_proposal *defects;
  frame *frames;
  size_t count;
  long width, unit;
  float *grey;
  uint8_t *rgb;
  burl_arena arena;
} picture;

static long label_width(const picture *p, const frame *f) {
  return p->unit * ((long)f->digit_count * (BURL_DIGIT_WIDTH + 1) + 1);
}

static void lay_frame(const picture *p, frame *f, const burl_proposal *d, size_t rank) {
  size_t count = 0;
  unsigned reversed[20];
  do {
    reversed[count++] = (unsigned)(rank % 10);
    rank /= 10;
  } while (rank > 0);
  *f = (frame){.x0 = (long)d->box.x0,
               .y0 = (long)d->box.y0,
               .x1 = (long)d->box.x1,
               .y1 = (long)d->box.y1,
               .digit_count = count};
  for (size_t i = 0; i < count; i++)
    f->digits[i] = reversed[count - 1 - i];
  long high = p->unit * (BURL_DIGIT_HEIGHT + 2), last = p->width - label_width(p, f);
  f->label_x = f->x0 - p->unit > last ? last : f->x0 - p->unit;
  f->label_x = f->label_x < 0 ? 0 : f->label_x;
  f->label_y = f->y0 - p->unit >= high ? f->y0 - p->unit - high : f->y1 + p->unit;
  if (f->label_y + high > (long)p->image->height) f->label_y = 0;
}

static void fill(picture *p, long from, long to, const uint8_t colour[3]) {
  from = from < 0 ? 0 : from;
  to = to > p->width ? p->width : to;
  for (long x = from; x < to; x++)
    for (int c = 0; c < 3; c++)
      p->rgb[3 * x + c] = colour[c];
}

static void tint_mask(picture *p, frame *f, const burl_proposal *d, size_t y) {
  size_t width = (size_t)p->width;
  for (; f->next_span < d->span_count; f->next_span++) {
    burl_span span = d->spans[f->next_span];
    if (span.begin / width != y) return;
    for (size_t k = span.begin - y * width; k < span.end - y * width; k++)
      for (int c = 0; c < 3; c++)
        p->rgb[3 * k + (size_t)c] = (uint8_t)((3 * p->rgb[3 * k + (size_t)c] + ink[c] + 2) / 4);
  }
}

static void draw_frame(picture *p, const frame *f, long y) {
  long u = p->unit;
  if (y < f->y0 - u || y >= f->y1 + u) return;
  if (y < f->y0 || y >= f->y1) {
    fill(p, f->x0 - u, f->x1 + u, ink);
  } else {
    fill(p, f->x0 - u, f->x0, ink);
    fill(p, f->x1, f->x1 + u, ink);
  }
}

static void draw_label(picture *p, const frame *f, long y) {
  long row = y - f->label_y, u = p->unit;
  if (row < 0 || row >= u * (BURL_DIGIT_HEIGHT + 2)) return;
  fill(p, f->label_x, f->label_x + label_width(p, f), paper);
  for (size_t i = 0; i < f->digit_count; i++)
    for (size_t c = 0; c < BURL_DIGIT_WIDTH; c++) {
      long x = f->label_x + u * ((long)(i * (BURL_DIGIT_WIDTH + 1) + c) + 1);
      if (row >= u && burl_digit_dot(f->digits[i], (size_t)(row / u - 1), c))
        fill(p, x, x + u, ink);
    }
}

static void paint_row(picture *p, size_t y) {
  size_t width = p->image->width;
  burl_image_get_grey(p->image, p->grey, width, y, 0, 1, width);
  for (size_t x = 0; x < width; x++) {
    float v = p->grey[x] > 0 ? p->grey[x] : 0;
    uint8_t grey = (uint8_t)((v < 1 ? v : 1) * 255 + 0.5F);
    p->rgb[3 * x] = p->rgb[3 * x + 1] = p->rgb[3 * x + 2] = grey;
  }
  for (size_t i = p->count; i-- > 0;)
    tint_mask(p, &p->frames[i], &p->defects[i], y);
  for (size_t i = p->count; i-- > 0;)
    draw_frame(p, &p->frames[i], (long)y);
  for (size_t i = p->count; i-- > 0;)
    draw_label(p, &p->frames[i], (long)y);
}

static int open_picture(picture *p, const size_t *ranks) {
  size_t width = p->image->width, unit = p->image->height / ROWS_A_UNIT;
  p->width = (long)width;
  p->unit = unit < 1 ? 1 : (long)unit;
  burl_arena_reserve(&p->arena, p->count + 1, sizeof *p->frames);
  burl_arena_reserve(&p->arena, width, sizeof *p->grey);
  burl_arena_reserve(&p->arena, width, 3);
  if (!burl_arena_open(&p->arena)) return 0;
  p->frames = burl_arena_take(&p->arena, p->count + 1, sizeof *p->frames);
  p->grey = burl_arena_take(&p->arena, width, sizeof *p->grey);
  p->rgb = burl_arena_take(&p->arena, width, 3);
  for (size_t i = 0; i < p->count; i++)
    lay_frame(p, &p->frames[i], &p->defects[i], ranks[i]);
  return 1;
}

burl_status burl_report_save_boxes(const burl_image *image, const burl_proposal *defects,
                                   const size_t *ranks, size_t count, const char *path,
                                   burl_diag *diag) {
  picture p = {.image = image, .defects = defects, .count = count};
  burl_png_writer *png = NULL;
  if (!open_picture(&p, ranks)) return burl_fail_memory(diag, path);
  burl_status status =
      burl_png_writer_open(&png, path, image->height, image->width, 3, BURL_U8, NULL, NULL, diag);
  if (status == BURL_OK) {
    for (size_t y = 0; y < image->height; y++) {
      paint_row(&p, y);
      if (burl_png_writer_put(png, p.rgb) != BURL_OK) break; /* told by commit */
    }
    status = burl_png_writer_commit(png, diag);
  }
  burl_arena_close(&p.arena);
  return status;
}
