/* The contact sheet of a member: a row of thumbnails at a time, enlarged without smoothing so that
 * pixels stay what they are. */
#include "base/diag.h"
#include "base/memory.h"
#include "image/png_write.h"
#include "report/gallery_order.h"

#include <stdlib.h>
#include <string.h>

enum {
  COLUMNS = 16,
  PICTURE = 64, /* pixels a side that a thumbnail is shown in */
  GAP = 6,
  BAR = 4, /* rows of the bar of mass */
  CELL = PICTURE + BAR + GAP + 2,
  STEP = PICTURE + GAP
};

static const uint8_t PAPER = 255, INK = 0, FAINT = 208;

typedef struct sheet {
  const burl_report_member *member;
  size_t *order; /* (count), the heaviest first */
  uint8_t *row;  /* (width) */
  size_t columns, width;
  double most; /* mass of the heaviest */
} sheet;

static void paint_picture(uint8_t *at, const burl_report_prototype *p, size_t y) {
  const uint8_t *from = p->pixels + y * p->thumb / PICTURE * p->thumb;
  for (size_t x = 0; x < PICTURE; x++)
    at[x] = from[x * p->thumb / PICTURE];
}

static void paint_bar(const sheet *s, uint8_t *at, const burl_report_prototype *p) {
  size_t length = s->most > 0.0 ? (size_t)(p->mass / s->most * PICTURE + 0.5) : 0;
  memset(at, FAINT, PICTURE);
  memset(at, INK, length < PICTURE ? length : PICTURE);
}

/* Row `y` of a line of cells that begins with the prototype of rank `first`. */
static void paint_row(const sheet *s, size_t first, size_t y) {
  memset(s->row, PAPER, s->width);
  for (size_t i = 0; i < s->columns && first + i < s->member->count; i++) {
    const burl_report_prototype *p = &s->member->prototypes[s->order[first + i]];
    uint8_t *at = s->row + GAP + i * STEP;
    if (y < PICTURE)
      paint_picture(at, p, y);
    else if (y >= PICTURE + 2 && y < PICTURE + 2 + BAR)
      paint_bar(s, at, p);
  }
}

static burl_status put_rows(const sheet *s, size_t lines, burl_png_writer *png) {
  burl_status status = BURL_OK;
  memset(s->row, PAPER, s->width);
  for (size_t y = 0; y < GAP; y++)
    status = burl_png_writer_put(png, s->row);
  for (size_t line = 0; line < lines; line++)
    for (size_t y = 0; y < CELL && status == BURL_OK; y++) {
      paint_row(s, line * s->columns, y);
      status = burl_png_writer_put(png, s->row);
    }
  return status;
}

burl_status burl_report_save_sheet(const burl_report_member *member, const char *path,
                                   burl_diag *diag) {
  if (member->count == 0)
    return burl_fail(diag, BURL_ERR_ARGUMENT, path, NULL, "a sheet needs a prototype");
  sheet s = {.member = member, .columns = member->count < COLUMNS ? member->count : COLUMNS};
  size_t lines = (member->count + s.columns - 1) / s.columns;
  s.width = GAP + s.columns * STEP;
  s.order = burl_report_order(member);
  s.row = burl_alloc(s.width, 1);
  burl_png_writer *png = NULL;
  burl_status status = BURL_ERR_MEMORY;
  if (s.order && s.row) {
    s.most = member->prototypes[s.order[0]].mass;
    status =
        burl_png_writer_open(&png, path, GAP + lines * CELL, s.width, 1, BURL_U8, NULL, NULL, diag);
    if (status == BURL_OK && put_rows(&s, lines, png) != BURL_ERR_MEMORY)
      status = burl_png_writer_commit(png, diag);
    else if (status == BURL_OK) {
      burl_png_writer_abandon(png);
      status = burl_fail_memory(diag, path);
    }
  } else {
    burl_fail_memory(diag, path);
  }
  free(s.order);
  free(s.row);
  return status;
}
