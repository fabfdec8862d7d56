/* The colour bar. From left to right, in dots of `unit` pixels: a gap, the bar (heat blended over
 * middle grey, as it looks in the picture), ticks, digits of 5 x 7 dots, and a triangle that points
 * at the threshold, heat 1. Heat 0 is at the bottom. */
#include "report/overlay_bar.h"

#include <burl/heat.h>

#include <string.h>

enum {
  BAR_LEFT = 4,
  BAR_RIGHT = 16,
  TICK_RIGHT = 19,
  DIGIT_LEFT = 21,
  DIGIT_WIDTH = 5,
  DIGIT_HEIGHT = 7,
  MARK_LEFT = 28,
  MARK_WIDTH = 5,
  STRIP_WIDTH = 36,
  MARGIN = 5, /* above and below the bar: room for half a digit and a dot */
  ROWS_A_UNIT = 384,
  UNIT_MOST = 32,
  BAR_GREY = 128
};

/* Dots of the digits 0 to 4, a row a byte, the leftmost dot in bit 4. */
static const uint8_t digit_dots[BURL_BAR_LABELS][DIGIT_HEIGHT] = {
    {0x0E, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0E}, {0x04, 0x0C, 0x04, 0x04, 0x04, 0x04, 0x0E},
    {0x0E, 0x11, 0x01, 0x06, 0x08, 0x10, 0x1F}, {0x1E, 0x01, 0x01, 0x0E, 0x01, 0x01, 0x1E},
    {0x02, 0x06, 0x0A, 0x12, 0x1F, 0x02, 0x02},
};

/* First row of a label's digit; negative where it would stand out at the top. */
static long digit_top(const burl_overlay_bar *bar, int label) {
  return (long)bar->tick[label] - (long)(DIGIT_HEIGHT * bar->unit / 2);
}

/* Shows the digits that have room, the most telling first: the threshold, then the ends. */
static void choose_digits(burl_overlay_bar *bar) {
  static const int order[BURL_BAR_LABELS] = {1, 4, 0, 2, 3};
  long high = (long)(DIGIT_HEIGHT * bar->unit);
  memset(bar->shown, 0, sizeof bar->shown);
  for (int i = 0; i < BURL_BAR_LABELS; i++) {
    long first = digit_top(bar, order[i]);
    int room = first >= 0 && first + high <= (long)bar->height;
    for (int k = 0; k < BURL_BAR_LABELS; k++) {
      long apart = first - digit_top(bar, k);
      if (bar->shown[k] && (apart < 0 ? -apart : apart) <= high) room = 0;
    }
    bar->shown[order[i]] = (uint8_t)room;
  }
}

void burl_overlay_bar_lay(burl_overlay_bar *bar, const burl_palette *palette, size_t height) {
  size_t unit = height / ROWS_A_UNIT;
  unit = unit < 1 ? 1 : unit > UNIT_MOST ? UNIT_MOST : unit;
  size_t margin = height >= 4 * MARGIN * unit ? MARGIN * unit : 0;
  *bar = (burl_overlay_bar){.palette = palette,
                            .height = height,
                            .width = STRIP_WIDTH * unit,
                            .unit = unit,
                            .top = margin,
                            .length = height - 2 * margin};
  for (size_t k = 0; k < BURL_BAR_LABELS; k++)
    bar->tick[k] = margin + (bar->length - 1) * (BURL_BAR_LABELS - 1 - k) / (BURL_BAR_LABELS - 1);
  choose_digits(bar);
}

static void fill(uint8_t *rgb, size_t from, size_t to, const uint8_t colour[3]) {
  for (size_t x = from; x < to; x++)
    memcpy(rgb + 3 * x, colour, 3);
}

static void paint_bar(const burl_overlay_bar *bar, uint8_t *rgb, size_t y, int at_threshold) {
  size_t left = bar->length > 1 ? bar->length - 1 : 1;
  double heat = BURL_HEAT_SCALE * (double)(bar->top + bar->length - 1 - y) / (double)left;
  uint8_t colour[3];
  burl_palette_blend(bar->palette, colour, BAR_GREY, (float)heat);
  if (at_threshold) burl_palette_contrast(colour);
  fill(rgb, BAR_LEFT * bar->unit, BAR_RIGHT * bar->unit, colour);
}

static void paint_digit(const burl_overlay_bar *bar, uint8_t *rgb, size_t y, int label) {
  static const uint8_t ink[3] = {0, 0, 0};
  long row = (long)y - digit_top(bar, label);
  if (!bar->shown[label] || row < 0 || row >= (long)(DIGIT_HEIGHT * bar->unit)) return;
  unsigned dots = digit_dots[label][(size_t)row / bar->unit];
  for (size_t dot = 0; dot < DIGIT_WIDTH; dot++)
    if (dots >> (DIGIT_WIDTH - 1 - dot) & 1)
      fill(rgb, (DIGIT_LEFT + dot) * bar->unit, (DIGIT_LEFT + dot + 1) * bar->unit, ink);
}

/* A triangle with its point at the left, on the row of heat 1. */
static void paint_mark(const burl_overlay_bar *bar, uint8_t *rgb, size_t y) {
  static const uint8_t ink[3] = {0, 0, 0};
  size_t away = y > bar->tick[1] ? y - bar->tick[1] : bar->tick[1] - y;
  if (away * 2 >= MARK_WIDTH * bar->unit) return;
  fill(rgb, MARK_LEFT * bar->unit + 2 * away, (MARK_LEFT + MARK_WIDTH) * bar->unit, ink);
}

void burl_overlay_bar_paint_row(const burl_overlay_bar *bar, uint8_t *rgb, size_t y) {
  static const uint8_t ink[3] = {0, 0, 0};
  memset(rgb, 255, 3 * bar->width);
  size_t thick = (bar->unit - 1) / 2;
  if (y >= bar->top && y < bar->top + bar->length)
    paint_bar(bar, rgb, y, y + thick >= bar->tick[1] && y <= bar->tick[1] + thick);
  for (int k = 0; k < BURL_BAR_LABELS; k++) {
    if (y + thick >= bar->tick[k] && y <= bar->tick[k] + thick)
      fill(rgb, BAR_RIGHT * bar->unit, TICK_RIGHT * bar->unit, ink);
    paint_digit(bar, rgb, y, k);
  }
  paint_mark(bar, rgb, y);
}
