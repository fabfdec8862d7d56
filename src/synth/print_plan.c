/* The layout of a print: shapes, sizes, inks and their order by the seed; phase and drift by the
 * image.
 *
 * What stands half a repeat away must differ from what stands here, or the repeat would look half
 * as long: there a large motif meets a small one, a gap, or nothing.
 */
#include "synth/print.h"

#include "base/random.h"
#include "synth/cloth.h"
#include <math.h>
#include <string.h>

enum { NONE = BURL_MOTIFS }; /* an empty cell */

static double between(burl_random *random, double low, double high) {
  return low + (high - low) * burl_random_uniform(random);
}

static void plan_repeat(burl_layout *layout, const burl_synth_options *options,
                        burl_random *random) {
  static const double least[BURL_PRINT_COUNT] = {
      /* finer ones drown in coarse weaves */
      [BURL_PRINT_DOTS] = 48,
      [BURL_PRINT_STRIPES] = BURL_REPEAT_LEAST,
      [BURL_PRINT_CHECKS] = 60,
      [BURL_PRINT_FIGURES] = 72,
  };
  double low = least[options->print];
  double first = floor(low * pow(BURL_REPEAT_MOST / low, burl_random_uniform(random)) + 0.5);
  double second = floor(first * between(random, 0.75, 1.35) + 0.5);
  int square = burl_random_below(random, 2) == 0;
  layout->repeat[0] = first;
  layout->repeat[1] = square ? first : fmin(fmax(second, low), BURL_REPEAT_MOST);
  if (options->repeat) layout->repeat[0] = layout->repeat[1] = (double)options->repeat;
}

static void plan_ink(float ink[3], int channels, double level, double hue, double saturation) {
  for (int c = 0; c < 3; c++) {
    double dye = channels == 3 ? saturation * cos(hue - 2.0943951023931953 * c) : 0;
    ink[c] = (float)(fmin(level * (1 + dye), 1.3) - 1);
  }
}

/* The first ink is dark; the second is paler or, for stripes, at times lighter than the cloth. */
static void plan_inks(burl_layout *layout, int channels, burl_random *random) {
  double hue = between(random, 0, 6.283185307179586), turn = between(random, 1.5, 4.8);
  double dark = between(random, 0.36, 0.50), pale = between(random, 0.50, 0.62);
  double light = between(random, 1.22, 1.30), saturation = between(random, 0.25, 0.55);
  int lighter = layout->kind == BURL_PRINT_STRIPES && burl_random_below(random, 3) == 0;
  plan_ink(layout->ink[0], channels, dark, hue, saturation);
  plan_ink(layout->ink[1], channels, lighter ? light : pale, hue + turn, 0.6 * saturation);
  layout->body = (float)between(random, 0.86, 0.96);
  if (layout->kind == BURL_PRINT_CHECKS) layout->body *= 0.8f; /* two layers lie on each other */
}

static void cut_cells(burl_layout *layout, int across, int down) {
  layout->cells[0] = across;
  layout->cells[1] = down;
  for (int axis = 0; axis < 2; axis++)
    layout->cell[axis] = layout->repeat[axis] / (layout->cells[axis] ? layout->cells[axis] : 1);
}

static void fill_slots(burl_layout *layout, const unsigned char *rows, int side) {
  for (int column = 0; column < side; column++)
    for (int row = 0; row < side; row++)
      layout->slot[column][row] = rows[row * side + column];
}

static double least_cell(const burl_layout *layout) {
  return fmin(layout->cell[0], layout->cell[1]);
}

static void plan_dots(burl_layout *layout, burl_random *random) {
  static const unsigned char order[4] = {0, 1, 1, 0};
  cut_cells(layout, 2, 2);
  fill_slots(layout, order, 2);
  layout->dropped = (int)burl_random_below(random, 2);
  layout->motifs = 2;
  double large = between(random, 0.29, 0.38) * least_cell(layout);
  double small = fmax(between(random, 0.40, 0.52) * large, 3);
  int second = (int)burl_random_below(random, 2);
  layout->motif[0] = (burl_motif){.radius = (float)large, .turn = {1, 0}};
  layout->motif[1] = (burl_motif){.radius = (float)small, .turn = {1, 0}, .ink = second};
}

static void shuffle(int *order, int count, burl_random *random) {
  for (int i = count - 1; i > 0; i--) {
    int other = (int)burl_random_below(random, (uint64_t)i + 1), held = order[i];
    order[i] = order[other];
    order[other] = held;
  }
}

/* Two by two with large figures on the diagonal and small ones, or none, beside it; a larger repeat
 * may have three by three, or four by four. Returns which motifs are small, a bit each. */
static unsigned arrange_figures(burl_layout *layout, burl_random *random) {
  static const unsigned char two[4] = {0, NONE, NONE, 1}, three[4] = {0, 1, 1, 2};
  static const unsigned char four[4] = {0, 1, 2, 3}, threes[9] = {0, 1, 2, 1, 2, 0, 2, 0, 1};
  static const unsigned char fours[16] = {0, 1, 2, 3, 2, 3, 0, 1, 1, 0, 3, 2, 3, 2, 1, 0};
  double room = fmin(layout->repeat[0], layout->repeat[1]);
  int motifs = 2 + (int)burl_random_below(random, 3);
  int dense = burl_random_below(random, 2) == 0 && room >= (motifs == 3 ? 150 : 176);
  int side = dense && motifs > 2 ? motifs : 2;
  layout->motifs = motifs;
  cut_cells(layout, side, side);
  if (side > 2)
    fill_slots(layout, side == 3 ? threes : fours, side);
  else
    fill_slots(layout, motifs == 2 ? two : motifs == 3 ? three : four, 2);
  int dropped = burl_random_below(random, 2) == 0;
  layout->dropped = dropped && side != 3; /* the repeat must hold whole pairs of columns */
  return motifs == 4 ? 6 : motifs == 3 && side == 2 ? 2 : 0;
}

static void plan_figures(burl_layout *layout, burl_random *random) {
  int shapes[BURL_SHAPE_COUNT - 1];
  unsigned small = arrange_figures(layout, random);
  for (int i = 0; i < BURL_SHAPE_COUNT - 1; i++)
    shapes[i] = BURL_SHAPE_DISC + 1 + i;
  shuffle(shapes, BURL_SHAPE_COUNT - 1, random);
  double size = between(random, 0.39, 0.44) * least_cell(layout), less = between(random, 0.48, 0.6);
  for (int i = 0; i < layout->motifs; i++) {
    double turn = between(random, 0, 6.283185307179586), own = between(random, 0.92, 1.05);
    int is_small = (int)(small >> i & 1);
    layout->motif[i] = (burl_motif){
        .shape = (burl_shape)shapes[i],
        .radius = (float)(size * own * (is_small ? less : 1)),
        .turn = {(float)cos(turn), (float)sin(turn)},
        .ink = small ? is_small : i == 1,
    };
  }
}

/* Three bands of different widths, one in each slot. */
static void plan_bands(burl_layout *layout, burl_random *random) {
  enum { BANDS = 3 };
  static const double share[BANDS] = {0.33, 0.145, 0.21};
  int checks = layout->kind == BURL_PRINT_CHECKS, order[BANDS] = {0, 1, 2};
  int run = (int)burl_random_below(random, 2);
  cut_cells(layout, checks || run == 0 ? BANDS : 0, checks || run == 1 ? BANDS : 0);
  double slot = checks ? least_cell(layout) : layout->cell[run];
  layout->motifs = BANDS;
  shuffle(order, BANDS, random);
  for (int i = 0; i < BANDS; i++) {
    double half = share[order[i]] * between(random, 0.85, 1.15) * slot * (checks ? 0.8 : 1);
    layout->motif[i] = (burl_motif){.radius = (float)fmax(half, 2.2), .ink = order[i] == 1};
    layout->slot[i][0] = (unsigned char)i;
  }
}

static void plan_image(burl_layout *layout, uint64_t key) {
  burl_random random = burl_random_start(key, BURL_STREAM_PRINT);
  for (int axis = 0; axis < 2; axis++) {
    layout->phase[axis] = between(&random, 0, layout->repeat[axis]);
    layout->drift[axis] = between(&random, 0.4, 1.4);
    layout->drift_rate[axis] = 6.283185307179586 / between(&random, 350, 900);
    layout->drift_phase[axis] = between(&random, 0, 6.283185307179586);
  }
}

void burl_print_plan(burl_layout *layout, const burl_synth_options *options, uint64_t key) {
  memset(layout, 0, sizeof *layout);
  layout->kind = options->print;
  if (layout->kind == BURL_PRINT_NONE) return;
  burl_random random =
      burl_random_start(options->seed, BURL_STREAM_PRINT | (uint64_t)options->print << 8);
  plan_repeat(layout, options, &random);
  plan_inks(layout, options->colour ? 3 : 1, &random);
  if (layout->kind == BURL_PRINT_DOTS)
    plan_dots(layout, &random);
  else if (layout->kind == BURL_PRINT_FIGURES)
    plan_figures(layout, &random);
  else
    plan_bands(layout, &random);
  plan_image(layout, key);
}

int burl_print_has_bands(const burl_layout *layout) {
  return layout->kind == BURL_PRINT_STRIPES || layout->kind == BURL_PRINT_CHECKS;
}

/* Cells are far fewer than 2^31, and short divisions are cheaper. */
static size_t residue(int64_t number, int modulus) {
  int rest = (int)number % modulus;
  return (size_t)(rest < 0 ? rest + modulus : rest);
}

const burl_motif *burl_print_motif(const burl_layout *layout, int axis, const int64_t cell[2]) {
  int bands = burl_print_has_bands(layout);
  size_t column = residue(cell[bands ? axis : 0], layout->cells[bands ? axis : 0]);
  size_t motif = layout->slot[column][bands ? 0 : residue(cell[1], layout->cells[1])];
  return motif == NONE ? NULL : &layout->motif[motif];
}

/* floor() without a call: places are far within the range of int64_t. */
static int64_t whole(double number) {
  int64_t cut = (int64_t)number;
  return cut - (number < (double)cut);
}

int64_t burl_print_slot_at(double *middle, const burl_layout *layout, int axis, double place) {
  int64_t slot = whole(place / layout->cell[axis]);
  *middle = ((double)slot + 0.5) * layout->cell[axis];
  return slot;
}

void burl_print_cell_at(int64_t cell[2], double middle[2], const burl_layout *layout,
                        const double place[2]) {
  cell[0] = burl_print_slot_at(&middle[0], layout, 0, place[0]);
  double drop = layout->dropped && (cell[0] & 1) ? 0.5 * layout->cell[1] : 0;
  cell[1] = burl_print_slot_at(&middle[1], layout, 1, place[1] - drop);
  middle[1] += drop;
}
