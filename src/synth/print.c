/* Ink on cloth: drawn over the bodies of the yarns, under the loose fibres.
 *
 * Ink multiplies light, so that the relief of the yarns stays to be seen; it takes badly in the
 * gaps between them. Edges are those of the motifs, moved by up to a pixel along the yarns, which
 * carry ink further than the gaps let it cross, and a little ink bleeds beyond them. Motifs of one
 * ink that overlap are one stain, those of two inks, and the two axes of checks, lie over each
 * other.
 */
#include "synth/canvas.h"

#include <math.h>

/* No ink beyond this distance from an outline, no bare cloth within it. */
#define BLEED 5.0f

/* A place on the cloth while it is inked. */
typedef struct dab {
  double place[2];    /* p, q */
  float uv[2];        /* in yarns */
  int felt;           /* whether `rough` is known */
  float rough;        /* how the yarns take ink here, about -1..1 */
  float amount[2][2]; /* by axis of the bands (figures: 0) and ink */
} dab;

/* burl_ease without branches: edges are everywhere, and no branch could be foretold. */
static float ease(float x) {
  x = x < 0 ? 0 : x;
  x = x > 1 ? 1 : x;
  return x * x * (3 - 2 * x);
}

static float feel(const burl_cloth *cloth, dab *d) {
  if (!d->felt) d->rough = burl_grain_at(cloth->grain, d->uv[0], d->uv[1]);
  d->felt = 1;
  return d->rough;
}

/* How much ink there is at a signed distance from a motif's outline. */
static float soak(const burl_cloth *cloth, dab *d, float distance) {
  if (distance >= BLEED) return 0;
  if (distance <= -BLEED) return cloth->print.body;
  float at = distance + 0.15f * (float)cloth->spacing[0] * feel(cloth, d);
  return cloth->print.body * (0.86f * ease(0.5f - 0.53f * at) + 0.14f * ease(0.5f - 0.14f * at));
}

static void add(dab *d, int axis, const burl_motif *motif, float amount) {
  if (amount > d->amount[axis][motif->ink]) d->amount[axis][motif->ink] = amount;
}

static void ink_figure(dab *d, const burl_cloth *cloth, const burl_motif *motif,
                       const double middle[2]) {
  float dx = (float)(d->place[0] - middle[0]), dy = (float)(d->place[1] - middle[1]);
  float reach = motif->radius + BLEED;
  if (dx * dx + dy * dy >= reach * reach) return;
  float scale = 1 / motif->radius;
  float x = (motif->turn[0] * dx + motif->turn[1] * dy) * scale;
  float y = (motif->turn[0] * dy - motif->turn[1] * dx) * scale;
  add(d, 0, motif, soak(cloth, d, motif->radius * burl_figure_distance(motif->shape, x, y)));
}

static void ink_figures(dab *d, const burl_cloth *cloth, const burl_misprint *wrong) {
  int64_t cell[2];
  double middle[2];
  burl_print_cell_at(cell, middle, &cloth->print, d->place);
  const burl_motif *motif = burl_print_motif(&cloth->print, 0, cell);
  int there = motif != NULL;
  for (size_t i = 0; wrong && i < wrong->hidden; i++)
    if (wrong->hide[i].cell[0] == cell[0] && wrong->hide[i].cell[1] == cell[1]) there = 0;
  if (there) ink_figure(d, cloth, motif, middle);
  for (size_t i = 0; wrong && i < wrong->extra; i++)
    ink_figure(d, cloth, &cloth->print.motif[wrong->add[i].motif], wrong->add[i].place);
}

/* The slot last met on an axis: places move along a row by about a pixel. */
typedef struct slot {
  int64_t number;
  double middle;
  const burl_motif *motif;
} slot;

static void follow(slot *s, const burl_layout *print, int axis, double place) {
  if (s->motif && fabs(place - s->middle) <= 0.5 * print->cell[axis]) return;
  s->number = burl_print_slot_at(&s->middle, print, axis, place);
  s->motif = burl_print_motif(print, axis, (const int64_t[2]){s->number, s->number});
}

/* `outside` is the signed distance to the stretch in which the band is there. */
static void ink_band(dab *d, const burl_cloth *cloth, int axis, const burl_motif *motif,
                     double middle, float outside) {
  float distance = fabsf((float)(d->place[axis] - middle)) - motif->radius;
  add(d, axis, motif, soak(cloth, d, distance > outside ? distance : outside));
}

static void ink_bands(dab *d, const burl_cloth *cloth, int axis, slot *here,
                      const burl_misprint *wrong) {
  float inside = 0, there = -BLEED;
  follow(here, &cloth->print, axis, d->place[axis]);
  if (wrong) {
    double along = d->place[1 - axis];
    inside = (float)fmin(along - wrong->from, wrong->to - along);
  }
  for (size_t i = 0; wrong && i < wrong->hidden; i++)
    if (wrong->hide[i].axis == axis && wrong->hide[i].cell[axis] == here->number) there = inside;
  ink_band(d, cloth, axis, here->motif, here->middle, there);
  for (size_t i = 0; wrong && i < wrong->extra; i++)
    if (wrong->add[i].axis == axis)
      ink_band(d, cloth, axis, &cloth->print.motif[wrong->add[i].motif], wrong->add[i].place[axis],
               -inside);
}

static void stain(burl_canvas *canvas, size_t pixel, const burl_cloth *cloth, dab *d) {
  float light = canvas->value[0][pixel] / cloth->tone[BURL_ENDS][0];
  float grip = 0.62f + 0.42f * light;
  if (grip > 1) grip = 1;
  grip *= 1 + 0.06f * feel(cloth, d);
  float left[3] = {1, 1, 1};
  for (int axis = 0; axis < 2; axis++)
    for (int ink = 0; ink < 2; ink++)
      if (d->amount[axis][ink] > 0)
        for (int c = 0; c < cloth->channels; c++)
          left[c] *= 1 + grip * d->amount[axis][ink] * cloth->print.ink[ink][c];
  for (int c = 0; c < cloth->channels; c++)
    canvas->value[c][pixel] *= left[c];
}

static void ink_row(burl_canvas *canvas, size_t y, const burl_cloth *cloth, const double *u,
                    const double *v, const double *drift, const burl_misprint *wrong) {
  const burl_layout *print = &cloth->print;
  int bands = burl_print_has_bands(print);
  slot here[2] = {{0}};
  double row = (double)(canvas->y + (ptrdiff_t)y);
  double sway = print->drift[0] * sin(print->drift_rate[0] * row + print->drift_phase[0]);
  for (size_t x = 0; x < canvas->width; x++) {
    dab d = {
        .place = {(u[x] - cloth->origin[0]) * cloth->spacing[0] + print->phase[0] + sway,
                  (v[x] - cloth->origin[1]) * cloth->spacing[1] + print->phase[1] + drift[x]},
        .uv = {(float)u[x], (float)v[x]},
    };
    if (bands) {
      for (int axis = 0; axis < 2; axis++)
        if (print->cells[axis]) ink_bands(&d, cloth, axis, &here[axis], wrong);
    } else
      ink_figures(&d, cloth, wrong);
    if (d.amount[0][0] + d.amount[0][1] + d.amount[1][0] + d.amount[1][1] > 0)
      stain(canvas, y * canvas->width + x, cloth, &d);
  }
}

void burl_print_lay(burl_canvas *canvas, const burl_cloth *cloth, const burl_fault *fault) {
  const burl_layout *print = &cloth->print;
  if (print->kind == BURL_PRINT_NONE) return;
  int misplaced = fault && burl_defect_needs_print(fault->kind);
  const burl_misprint *wrong = misplaced ? &fault->misprint : NULL;
  double bow[BURL_CANVAS_SIDE], u[BURL_CANVAS_SIDE], v[BURL_CANVAS_SIDE], drift[BURL_CANVAS_SIDE];
  burl_cloth_bow(bow, cloth, canvas->x, canvas->width);
  for (size_t x = 0; x < canvas->width; x++) {
    double column = (double)(canvas->x + (ptrdiff_t)x);
    drift[x] = print->drift[1] * sin(print->drift_rate[1] * column + print->drift_phase[1]);
  }
  for (size_t y = 0; y < canvas->height; y++) {
    burl_cloth_locate_row(u, v, cloth, bow, canvas->x, canvas->y + (ptrdiff_t)y, canvas->width);
    ink_row(canvas, y, cloth, u, v, drift, wrong);
  }
}
