/* The gallery: image, heat over it, heat alone and mask side by side, as PNG inside the page. */
#include "base/diag.h"
#include "base/memory.h"
#include "image/png_write.h"
#include "report/html_chart.h"
#include "report/html_live.h"
#include "report/html_text.h"
#include "report/overlay_paint.h"

#include <burl/heat.h>

#include <stdlib.h>
#include <string.h>

typedef struct gallery {
  const burl_page *page;
  burl_palette palette;
  uint8_t row[3 * BURL_THUMB_SIDE], middle[BURL_THUMB_SIDE]; /* middle: grey, under heat alone */
  burl_diag *diag;
} gallery;

typedef enum picture { IMAGE, OVERLAY, HEAT, MASK } picture;

static const char *const picture_names[] = {"image", "heat over the image", "heat",
                                            "mask of the defect"};

static const char *const outcome_titles[BURL_OUTCOMES] = {
    "Missed defects", "False alarms", "Found defects", "Good images that passed"};

static const char *const call_names[BURL_OUTCOMES] = {"missed", "false alarm", "found", "passed"};

static const char *const outcome_notes[BURL_OUTCOMES] = {
    "lowest score first", "highest score first", "highest score first", "highest score first"};

/* Row y of a picture: grey, colour or mask. */
static const uint8_t *paint_row(gallery *self, const burl_thumb *thumb, picture kind, size_t y) {
  size_t w = thumb->grey.width;
  const uint8_t *grey = (const uint8_t *)thumb->grey.data + y * w;
  if (kind == IMAGE) return grey;
  if (kind == MASK) return thumb->mask + y * w;
  const float *heat = thumb->heat + y * w;
  burl_overlay_paint_row(&self->palette, self->row, kind == HEAT ? self->middle : grey, heat,
                         y > 0 ? heat - w : NULL, y + 1 < thumb->grey.height ? heat + w : NULL, w);
  return self->row;
}

static burl_status encode(gallery *self, const burl_thumb *thumb, picture kind,
                          unsigned char **bytes, size_t *size) {
  burl_png_writer *png = NULL;
  burl_status status =
      burl_png_writer_open_bytes(&png, thumb->grey.height, thumb->grey.width,
                                 kind == HEAT || kind == OVERLAY ? 3 : 1, BURL_U8, self->diag);
  if (status != BURL_OK) return status;
  for (size_t y = 0; y < thumb->grey.height; y++)
    if (burl_png_writer_put(png, paint_row(self, thumb, kind, y)) != BURL_OK) break;
  return burl_png_writer_commit_bytes(png, bytes, size, self->diag);
}

static burl_status put_picture(gallery *self, const burl_shot *shot, picture kind) {
  FILE *out = self->page->out;
  if (kind == MASK && !shot->thumb.mask) {
    fprintf(out, "<div class=\"none\">%s</div>\n", shot->defective ? "no mask known" : "no defect");
    return BURL_OK;
  }
  unsigned char *bytes = NULL;
  size_t size = 0;
  burl_status status = encode(self, &shot->thumb, kind, &bytes, &size);
  if (status != BURL_OK) return status;
  fprintf(
      out,
      "<img loading=\"lazy\" width=\"%zu\" height=\"%zu\" alt=\"%s\" src=\"data:image/png;base64,",
      shot->thumb.grey.width, shot->thumb.grey.height, picture_names[kind]);
  burl_html_base64(out, bytes, size);
  fputs("\">\n", out);
  free(bytes);
  return BURL_OK;
}

static burl_status put_shot(gallery *self, const burl_shot *shot) {
  FILE *out = self->page->out;
  double threshold = self->page->metrics->threshold;
  fprintf(out, "<figure class=\"shot\" data-step=\"%d\" data-truth=\"%s\">\n<figcaption><strong>",
          burl_live_step(shot->score, threshold), shot->defective ? "defect" : "good");
  burl_html_name(out, shot->name);
  fputs("</strong><br>score ", out);
  burl_html_number(out, shot->score, 3);
  fprintf(out, ", %s", shot->defective ? "defect" : "good");
  if (shot->label) {
    fputs(", class ", out);
    burl_html_name(out, shot->label);
  }
  fprintf(out, ": <span class=\"call\">%s</span>",
          call_names[burl_outcome_of(shot->defective, shot->score, threshold)]);
  if (shot->kind && *shot->kind && shot->score >= threshold) {
    fputs(", looks like a ", out);
    burl_html_escape(out, shot->kind);
  }
  fputs("</figcaption>\n<div class=\"views\">\n", out);
  burl_status status = BURL_OK;
  for (int i = IMAGE; status == BURL_OK && i <= MASK; i++)
    status = put_picture(self, shot, (picture)i);
  fputs("</div>\n", out);
  if (status == BURL_OK && shot->match) status = burl_html_match(out, shot->match, self->diag);
  fputs("</figure>\n", out);
  return status;
}

/* The colours over middle grey, as a strip. */
static void put_colours(FILE *out, const burl_palette *palette, const burl_chart *chart) {
  enum { STEPS = 96 };
  double wide = (chart->right - chart->left) / STEPS;
  for (int i = 0; i < STEPS; i++) {
    uint8_t rgb[3];
    burl_palette_blend(palette, rgb, 128, (float)((i + 0.5) * BURL_HEAT_SCALE / STEPS));
    fputs("<rect", out);
    burl_chart_put(out, "x", chart->left + i * wide);
    burl_chart_put(out, "y", chart->top);
    burl_chart_put(out, "width", wide + 0.3); /* no seams between neighbours */
    burl_chart_put(out, "height", chart->bottom - chart->top);
    fprintf(out, " fill=\"#%02x%02x%02x\"/>\n", rgb[0], rgb[1], rgb[2]);
  }
}

static void put_scale(FILE *out, const burl_palette *palette) {
  burl_chart chart;
  burl_chart_range range = {0, BURL_HEAT_SCALE, 0, 1};
  fputs("<div class=\"scale\">\n", out);
  burl_chart_open(&chart, out, 360, 78, range, "Colours of heat from 0 to 4");
  put_colours(out, palette, &chart);
  for (int i = 0; i <= (int)BURL_HEAT_SCALE; i++)
    burl_chart_x_tick(&chart, i, i, 0);
  burl_chart_marker(&chart, 1, "threshold");
  burl_chart_x_label(&chart, "heat");
  burl_chart_close(&chart);
  fputs("</div>\n", out);
}

static burl_status put_group(gallery *self, const burl_shot *const *shots, size_t count,
                             burl_outcome outcome) {
  FILE *out = self->page->out;
  size_t total = self->page->totals[outcome];
  if (count == 0) return BURL_OK;
  fprintf(out, "<h3>%s</h3>\n<p class=\"soft\">", outcome_titles[outcome]);
  if (count < total)
    fprintf(out, "%zu of %zu, ", count, total);
  else
    fprintf(out, "All %zu, ", total);
  fprintf(out, "%s.</p>\n<div class=\"gallery\">\n", outcome_notes[outcome]);
  burl_status status = BURL_OK;
  for (size_t i = 0; status == BURL_OK && i < count; i++)
    status = put_shot(self, shots[i]);
  fputs("</div>\n", out);
  return status;
}

static void put_tools(FILE *out) {
  fputs(
      "<div class=\"tools\" hidden=\"\">\n<p><label for=\"view\">Lay them over each "
      "other:</label>\n"
      "<input type=\"range\" id=\"view\" min=\"0\" max=\"30\" value=\"10\">\n"
      "<output id=\"view-name\" for=\"view\">side by side</output>\n"
      "<button type=\"button\" id=\"view-reset\">side by side</button></p>\n"
      "<p><label for=\"filter\">Name, class or call contains</label>\n"
      "<input type=\"search\" id=\"filter\">\n"
      "<output id=\"filter-count\" for=\"filter\"></output></p>\n</div>\n",
      out);
}

static burl_status put_groups(gallery *self, const burl_shot **chosen) {
  FILE *out = self->page->out;
  size_t counts[BURL_OUTCOMES], at = 0;
  burl_report_choose(self->page->report, chosen, counts, self->page->metrics->threshold);
  fputs(
      "<section>\n<h2>Pictures</h2>\n<p>Each image is shown as it is, with the heat laid over it, "
      "with the heat alone, and with the mask of its defect. Cloth that looks typical stays grey; "
      "the line runs "
      "where the heat crosses the threshold.</p>\n",
      out);
  put_tools(out);
  put_scale(out, &self->palette);
  burl_status status = BURL_OK;
  for (int i = 0; status == BURL_OK && i < BURL_OUTCOMES; i++) {
    status = put_group(self, chosen + at, counts[i], (burl_outcome)i);
    at += counts[i];
  }
  fputs("</section>\n", out);
  return status;
}

burl_status burl_page_gallery(const burl_page *page, burl_diag *diag) {
  if (page->report->gallery == 0 || page->report->count == 0) return BURL_OK;
  gallery *self = burl_alloc_zero(1, sizeof *self);
  const burl_shot **chosen = burl_alloc(page->report->gallery, sizeof *chosen);
  burl_status status = BURL_ERR_MEMORY;
  if (self && chosen) {
    self->page = page;
    self->diag = diag;
    burl_palette_fill(&self->palette);
    memset(self->middle, 128, sizeof self->middle);
    status = put_groups(self, chosen);
  }
  free(chosen);
  free(self);
  return status;
}
