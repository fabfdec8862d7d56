/* Defects of the arrangement of a print: which motifs are left out and which are put elsewhere.
 *
 * Figures lie in cells, bands in slots over a length; a defect hides some of them and adds others,
 * and the print is inked as ever. The place is chosen in the image: with two repeats in it, the
 * middle of the figure or band concerned lies within the image.
 */
#include "synth/fault.h"

#include "base/random.h"
#include <math.h>

static double between(burl_random *random, double low, double high) {
  return low + (high - low) * burl_random_uniform(random);
}

/* Pixels of the image to print coordinates; the drift of a pixel or two is left to margins. */
static void place_of(double place[2], const burl_cloth *cloth, double x, double y) {
  double uv[2];
  burl_cloth_locate(uv, cloth, x, y);
  for (int axis = 0; axis < 2; axis++)
    place[axis] =
        (uv[axis] - cloth->origin[axis]) * cloth->spacing[axis] + cloth->print.phase[axis];
}

static void enclose(burl_fault *fault, const burl_cloth *cloth, const double low[2],
                    const double high[2]) {
  double least[2], most[2];
  for (int axis = 0; axis < 2; axis++) {
    least[axis] = (low[axis] - cloth->print.phase[axis]) / cloth->spacing[axis];
    most[axis] = (high[axis] - cloth->print.phase[axis]) / cloth->spacing[axis];
    least[axis] += cloth->origin[axis];
    most[axis] += cloth->origin[axis];
  }
  burl_fault_enclose(fault, cloth, least, most, 12);
}

static void hide(burl_misprint *wrong, int axis, const int64_t cell[2]) {
  wrong->hide[wrong->hidden].axis = axis;
  wrong->hide[wrong->hidden].cell[0] = cell[0];
  wrong->hide[wrong->hidden++].cell[1] = cell[1];
}

static void put(burl_misprint *wrong, int axis, ptrdiff_t motif, double p, double q) {
  wrong->add[wrong->extra].axis = axis;
  wrong->add[wrong->extra].motif = (int)motif;
  wrong->add[wrong->extra].place[0] = p;
  wrong->add[wrong->extra++].place[1] = q;
}

/* Where between its neighbours a copy of a figure, or a moved one, comes to lie. */
static void stray(double by[2], const burl_fault *fault, const burl_layout *print,
                  burl_random *random) {
  double cell = fmin(print->cell[0], print->cell[1]), angle = between(random, 0, 6.283185307179586);
  if (fault->kind == BURL_DEFECT_DOUBLED_FIGURE && burl_random_below(random, 2)) {
    double across = print->dropped ? 0.375 : 0.5; /* the widest gap between figures */
    by[0] = (burl_random_below(random, 2) ? across : -across) * print->cell[0];
    by[1] = (burl_random_below(random, 2) ? 0.5 : -0.5) * print->cell[1];
    return;
  }
  double away = fmax(between(random, 0.2, 0.5) * cell, 5);
  by[0] = away * cos(angle);
  by[1] = away * sin(angle);
}

static void plan_figure(burl_fault *fault, const burl_cloth *cloth, burl_random *random) {
  const burl_layout *print = &cloth->print;
  double place[2], middle[2], by[2], low[2], high[2];
  int64_t cell[2];
  burl_misprint *wrong = &fault->misprint;
  double x = between(random, 0.16, 0.84), y = between(random, 0.16, 0.84);
  place_of(place, cloth, x * (double)cloth->width, y * (double)cloth->height);
  burl_print_cell_at(cell, middle, print, place);
  if (!burl_print_motif(print, 0, cell)) { /* above and below an empty cell there are figures */
    place[1] += middle[1] > print->phase[1] ? -print->cell[1] : print->cell[1];
    burl_print_cell_at(cell, middle, print, place);
  }
  ptrdiff_t motif = burl_print_motif(print, 0, cell) - print->motif;
  stray(by, fault, print, random);
  if (fault->kind != BURL_DEFECT_DOUBLED_FIGURE) hide(wrong, 0, cell);
  if (fault->kind == BURL_DEFECT_SWAPPED_FIGURE) {
    uint64_t step = 1 + burl_random_below(random, (uint64_t)print->motifs - 1);
    put(wrong, 0, (motif + (ptrdiff_t)step) % print->motifs, middle[0], middle[1]);
  } else if (fault->kind != BURL_DEFECT_MISSING_FIGURE)
    put(wrong, 0, motif, middle[0] + by[0], middle[1] + by[1]);
  for (int axis = 0; axis < 2; axis++) {
    double reach = fmax(print->cell[0], print->cell[1]); /* no motif is as large */
    low[axis] = middle[axis] - reach + fmin(by[axis], 0);
    high[axis] = middle[axis] + reach + fmax(by[axis], 0);
  }
  enclose(fault, cloth, low, high);
}

static double middle_of(const burl_layout *print, int axis, int64_t slot) {
  return ((double)slot + 0.5) * print->cell[axis];
}

/* The slot of an axis nearest to a place, of the finest band if `finest`, that lies well within the
 * image: else one repeat nearer to its middle, where the print's coordinates equal its phase. */
static int64_t find_slot(const burl_cloth *cloth, int axis, double place, int finest) {
  const burl_layout *print = &cloth->print;
  double middle;
  int64_t slot = burl_print_slot_at(&middle, print, axis, place), cell[2] = {slot, slot};
  for (int i = 0; finest && i < print->cells[axis]; i++) {
    const int64_t next[2] = {slot + i, slot + i};
    const burl_motif *a = burl_print_motif(print, axis, cell);
    const burl_motif *b = burl_print_motif(print, axis, next);
    if (b->radius < a->radius) cell[axis] = slot + i;
  }
  double side = (double)(axis ? cloth->height : cloth->width);
  double off = middle_of(print, axis, cell[axis]) - print->phase[axis];
  if (fabs(off) > 0.4 * side) cell[axis] -= off > 0 ? print->cells[axis] : -print->cells[axis];
  return cell[axis];
}

/* Leaves the band from `slot` out and puts it at a distance, towards its neighbour on one side. */
static void move_band(burl_fault *fault, const burl_layout *print, int axis, int64_t slot,
                      burl_random *random) {
  int doubled = fault->kind == BURL_DEFECT_DOUBLED_FIGURE;
  int64_t side = burl_random_below(random, 2) ? 1 : -1;
  const int64_t cell[2] = {slot, slot}, next[2] = {slot + side, slot + side};
  const burl_motif *band = burl_print_motif(print, axis, cell);
  double own = (double)band->radius;
  double room = print->cell[axis] - own - (double)burl_print_motif(print, axis, next)->radius;
  double away = doubled ? own + 0.5 * room : fmax(between(random, 0.4, 0.9) * room, 3);
  double there = middle_of(print, axis, slot) + (double)side * away;
  put(&fault->misprint, axis, band - print->motif, there, there);
  if (!doubled) hide(&fault->misprint, axis, cell);
}

/* A band and its neighbour change places. */
static void swap_bands(burl_misprint *wrong, const burl_layout *print, int axis, int64_t slot) {
  for (int64_t i = 0; i < 2; i++) {
    const int64_t cell[2] = {slot + i, slot + i}, other[2] = {slot + 1 - i, slot + 1 - i};
    double middle = middle_of(print, axis, slot + i);
    hide(wrong, axis, cell);
    put(wrong, axis, burl_print_motif(print, axis, other) - print->motif, middle, middle);
  }
}

static void plan_band(burl_fault *fault, const burl_cloth *cloth, burl_random *random) {
  const burl_layout *print = &cloth->print;
  burl_misprint *wrong = &fault->misprint;
  int axis = print->cells[0] ? 0 : 1;
  if (print->kind == BURL_PRINT_CHECKS) axis = (int)burl_random_below(random, 2);
  double place[2], x = between(random, 0.2, 0.8), y = between(random, 0.2, 0.8);
  place_of(place, cloth, x * (double)cloth->width, y * (double)cloth->height);
  int64_t slot = find_slot(cloth, axis, place[axis], fault->kind == BURL_DEFECT_DOUBLED_FIGURE);
  double side = (double)(axis ? cloth->width : cloth->height);
  double length = fmin(print->repeat[axis] * 0.5 * pow(5, burl_random_uniform(random)), 0.8 * side);
  wrong->from = place[1 - axis] - 0.5 * length;
  wrong->to = place[1 - axis] + 0.5 * length;
  const int64_t cell[2] = {slot, slot};
  if (fault->kind == BURL_DEFECT_MISSING_FIGURE)
    hide(wrong, axis, cell);
  else if (fault->kind == BURL_DEFECT_SWAPPED_FIGURE)
    swap_bands(wrong, print, axis, slot);
  else
    move_band(fault, print, axis, slot, random);
  double low[2], high[2];
  low[axis] = (double)(slot - 1) * print->cell[axis];
  high[axis] = (double)(slot + 3) * print->cell[axis];
  low[1 - axis] = wrong->from;
  high[1 - axis] = wrong->to;
  enclose(fault, cloth, low, high);
}

void burl_arrange_plan(burl_fault *fault, const burl_cloth *cloth) {
  burl_random random =
      burl_random_start(cloth->key, BURL_STREAM_DEFECT | (uint64_t)fault->kind << 8);
  if (burl_print_has_bands(&cloth->print))
    plan_band(fault, cloth, &random);
  else
    plan_figure(fault, cloth, &random);
}
