/* Overlay files: one row of grey and one of colour are held at a time. */
#include <burl/report.h>

#include "base/diag.h"
#include "base/memory.h"
#include "image/png_write.h"
#include "report/overlay_bar.h"
#include "report/overlay_paint.h"

#include <stdlib.h>

typedef struct overlay {
  const burl_image *image;
  const float *heat;
  burl_palette palette;
  burl_overlay_bar bar;
  burl_arena arena;
  float *plane;  /* a row of grey, 0..1 */
  uint8_t *grey; /* the same, 0..255 */
  uint8_t *rgb;  /* a row of the picture */
} overlay;

static int open_rows(overlay *self) {
  size_t width = self->image->width;
  burl_arena_reserve(&self->arena, width, sizeof *self->plane);
  burl_arena_reserve(&self->arena, width, 1);
  burl_arena_reserve(&self->arena, width + self->bar.width, 3);
  if (!burl_arena_open(&self->arena)) return 0;
  self->plane = burl_arena_take(&self->arena, width, sizeof *self->plane);
  self->grey = burl_arena_take(&self->arena, width, 1);
  self->rgb = burl_arena_take(&self->arena, width + self->bar.width, 3);
  return 1;
}

/* Grey 0..1 to bytes, rounded, clamped. */
static void to_bytes(uint8_t *bytes, const float *grey, size_t n) {
  for (size_t i = 0; i < n; i++) {
    float v = grey[i] > 0 ? grey[i] : 0;
    v = v < 1 ? v : 1;
    bytes[i] = (uint8_t)(v * 255 + 0.5F);
  }
}

static burl_status put_rows(overlay *self, burl_png_writer *png, const char *path,
                            burl_diag *diag) {
  size_t width = self->image->width, height = self->image->height;
  for (size_t y = 0; y < height; y++) {
    const float *heat = self->heat + y * width;
    burl_image_get_grey(self->image, self->plane, width, y, 0, 1, width);
    to_bytes(self->grey, self->plane, width);
    if (!burl_overlay_paint_row(&self->palette, self->rgb, self->grey, heat,
                                y > 0 ? heat - width : NULL, y + 1 < height ? heat + width : NULL,
                                width))
      return burl_fail(diag, BURL_ERR_NUMERIC, path, NULL,
                       "row %zu of the heat map holds a value that is not a number", y);
    burl_overlay_bar_paint_row(&self->bar, self->rgb + 3 * width, y);
    if (burl_png_writer_put(png, self->rgb) != BURL_OK) break; /* told by commit */
  }
  return BURL_OK;
}

static burl_status write_overlay(overlay *self, const char *path, burl_diag *diag) {
  burl_png_writer *png = NULL;
  burl_status status =
      burl_png_writer_open(&png, path, self->image->height, self->image->width + self->bar.width, 3,
                           BURL_U8, NULL, NULL, diag);
  if (status != BURL_OK) return status;
  status = put_rows(self, png, path, diag);
  if (status == BURL_OK) return burl_png_writer_commit(png, diag);
  burl_png_writer_abandon(png);
  return status;
}

burl_status burl_report_save_overlay(const burl_image *image, const float *heat, const char *path,
                                     burl_diag *diag) {
  overlay *self = burl_alloc_zero(1, sizeof *self);
  if (!self) return burl_fail_memory(diag, path);
  self->image = image;
  self->heat = heat;
  burl_palette_fill(&self->palette);
  burl_overlay_bar_lay(&self->bar, &self->palette, image->height);
  burl_status status =
      open_rows(self) ? write_overlay(self, path, diag) : burl_fail_memory(diag, path);
  burl_arena_close(&self->arena);
  free(self);
  return status;
}
