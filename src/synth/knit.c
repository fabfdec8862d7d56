/* Rib knit: wales of V-shaped stitches, with sunken wales that show their reverse in between.
 *
 * Wale w and course c hold one stitch. From the face a stitch is two legs that rise from its foot
 * (v = c) and part like a V over a course and a half; the foot lies in front of the arms of the
 * stitch below. From the back it is the arc of its head, with the arc of the next course's foot
 * under it. A ladder's stitch is a bare rung. As in woven cloth the highest surface is seen. Wales
 * are not equally wide, so that distances are taken from the centre of each.
 */
#include "synth/canvas.h"
#include <assert.h>
#include <math.h>

enum { NOTHING, FACE, BACK, RUNG };

typedef struct knit {
  const burl_cloth *cloth;
  const burl_bench *bench;
  int64_t wale, course; /* numbers of the first node */
  size_t wales, courses;
} knit;

typedef struct seen {
  burl_family look; /* legs run like ends, arcs like picks */
  size_t stitch;
  burl_point point;
} seen;

static size_t at(size_t wale, size_t course) {
  return wale * BURL_YARNS_MAX + course;
}

static unsigned char kind_at(const burl_cloth *cloth, const burl_fault *fault, int64_t wale,
                             int64_t course) {
  int face = burl_pattern_is_face(&cloth->pattern, wale);
  if (burl_fault_is_miswoven(fault, wale, course)) face = !face;
  if (fault && !burl_fault_has_yarn(fault, BURL_PICKS, course, wale)) return NOTHING;
  if (fault && fault->kind != BURL_DEFECT_HOLE &&
      !burl_fault_has_yarn(fault, BURL_ENDS, wale, course))
    return RUNG;
  return face ? FACE : BACK;
}

static void fill_stitch(burl_bench *bench, size_t index, const burl_cloth *cloth,
                        const burl_fault *fault, int64_t wale, int64_t course) {
  float own[4], slow[4], fast[4], stitch[4];
  burl_grain_hash(own, cloth->key, BURL_STREAM_PICK, course, INT64_MIN);
  burl_grain_along(slow, cloth->key, BURL_STREAM_PICK, 2 * course, wale, 11);
  burl_grain_along(fast, cloth->key, BURL_STREAM_PICK, 2 * course + 1, wale, 3);
  burl_grain_hash(stitch, cloth->key, BURL_STREAM_STITCH, wale, course);
  float thick = 0.4f * own[1] + 0.4f * slow[1] + 0.6f * fast[1];
  float bright = 0.35f * own[2] + 0.4f * slow[2] + 0.6f * fast[2] + 0.4f * stitch[2];
  burl_node wide = {
      .shift = cloth->wander[0] * (0.5f * stitch[0] + 0.4f * slow[0]),
      .radius = 1 + cloth->uneven * thick,
      .rise = 0.05f * stitch[1],
      .tone = 1 + cloth->mottle * bright,
  };
  burl_node high = {
      .shift = cloth->wander[1] * (0.5f * own[0] + 0.7f * stitch[3] + 0.5f * slow[3]),
      .radius = wide.radius,
  };
  if (fault) {
    burl_fault_bend(fault, BURL_ENDS, wale, course, &wide);
    burl_fault_bend(fault, BURL_PICKS, course, wale, &high);
    if (high.radius > wide.radius) wide.radius = high.radius;
    wide.rise += high.rise;
  }
  bench->node[0][index] = wide;
  bench->node[1][index] = high;
  bench->kind[index] = kind_at(cloth, fault, wale, course);
}

static void fill_stitches(knit *k, burl_bench *bench, const burl_canvas *canvas,
                          const burl_fault *fault) {
  double low[2], high[2];
  burl_cloth_bound(low, high, k->cloth, canvas->x, canvas->y, canvas->width, canvas->height);
  k->wale = burl_pattern_wale_at(&k->cloth->pattern, low[0]) - 2;
  k->wales = (size_t)(burl_pattern_wale_at(&k->cloth->pattern, high[0]) + 3 - k->wale);
  k->course = (int64_t)floor(low[1]) - 2;
  k->courses = (size_t)((int64_t)floor(high[1]) + 5 - k->course);
  assert(k->wales <= BURL_YARNS_MAX && k->courses <= BURL_YARNS_MAX);
  for (size_t w = 0; w < k->wales; w++) {
    float own[4];
    burl_grain_hash(own, k->cloth->key, BURL_STREAM_END, k->wale + (int64_t)w, INT64_MIN);
    bench->phase[0][w] = own[3];
    for (size_t c = 0; c < k->courses; c++)
      fill_stitch(bench, at(w, c), k->cloth, fault, k->wale + (int64_t)w, k->course + (int64_t)c);
  }
}

/* Offers a body's point: d across its width, z the height of its axis. */
static void offer(seen *best, const knit *k, size_t stitch, burl_family look, float d, float z,
                  float slope, float along) {
  if (!(fabsf(d) < 1)) return;
  const burl_node *node = &k->bench->node[0][stitch];
  float cap = sqrtf(1 - d * d);
  float height = z + node->rise + 0.42f * cap;
  if (height <= best->point.height) return;
  best->look = look;
  best->stitch = stitch;
  best->point = (burl_point){.across = d,
                             .cap = cap,
                             .height = height,
                             .slope = slope,
                             .along = along,
                             .tone = node->tone};
}

/* x from the wale's centre in wale widths, t courses above the foot. */
static void offer_leg(seen *best, const knit *k, size_t stitch, float x, float t) {
  const burl_node *node = &k->bench->node[0][stitch];
  if (t < -0.22f || t > 1.5f) return;
  x -= node->shift;
  float open = burl_ease(t / 1.2f), part = 0.09f + 0.25f * open;
  float taper = burl_ease((t + 0.22f) * 4) * burl_ease((1.5f - t) * 3);
  float radius = 0.215f * node->radius * (0.45f + 0.55f * taper);
  float lean = 1.0f - 0.10f * 4 * open * (1 - open); /* a leaning leg is wider across */
  float d = (fabsf(x) - part) * lean / radius;
  float down = burl_ease((t - 0.25f) / 1.2f);
  float z = 0.22f - 0.42f * down - 0.25f * (1 - burl_ease((t + 0.22f) * 3));
  if (x < 0) d = -d;
  float slope = 0.55f * (down - 0.35f);
  offer(best, k, stitch, BURL_ENDS, d, z, slope, 0.75f * t + (x < 0 ? 0.37f : 0));
}

/* Head and foot arcs of a stitch seen from the back; s courses above the foot. */
static void offer_arcs(seen *best, const knit *k, size_t stitch, float x, float s) {
  const burl_node *node = &k->bench->node[0][stitch];
  x -= node->shift;
  if (fabsf(x) > 0.75f) return;
  float bow = 4 * x * x, thick = 0.29f * node->radius;
  float head = (0.80f - 0.27f * bow - s) / thick, foot = (0.12f + 0.24f * bow - s) / thick;
  float fall = 0.22f * bow;
  offer(best, k, stitch, BURL_PICKS, head, -0.04f - fall, -0.4f * x, 0.6f * x);
  offer(best, k, stitch, BURL_PICKS, foot, -0.16f - 0.5f * fall, -0.2f * x, 0.6f * x + 0.5f);
}

static void offer_rung(seen *best, const knit *k, size_t stitch, float x, float s) {
  const burl_node *node = &k->bench->node[0][stitch];
  if (fabsf(x) > 0.8f) return;
  float d = (0.5f + 0.10f * (1 - 2 * x * x) - s) / 0.15f;
  offer(best, k, stitch, BURL_PICKS, d + 2 * node->shift, -0.20f, 0, 0.8f * x);
}

static void probe_wale(seen *best, const knit *k, size_t wale, float x, float v) {
  size_t course = (size_t)v;
  for (size_t c = course; c <= course + 2; c++) {
    size_t stitch = at(wale, c);
    float t = (float)c + k->bench->node[1][stitch].shift - v;
    switch (k->bench->kind[stitch]) {
    case FACE:
      offer_leg(best, k, stitch, x, t);
      break;
    case BACK:
      offer_arcs(best, k, stitch, x, t);
      break;
    case RUNG:
      offer_rung(best, k, stitch, x, t);
      break;
    default:
      break;
    }
  }
}

/* The rib's own roundness: wales next to a sunken one turn away from the light's height. */
static float rib_light(const burl_cloth *cloth, int64_t wale, float x) {
  const burl_pattern *pattern = &cloth->pattern;
  int face = burl_pattern_is_face(pattern, wale);
  int other = burl_pattern_is_face(pattern, x < 0 ? wale - 1 : wale + 1);
  float edge = fabsf(x) < 0.5f ? 2 * fabsf(x) : 1;
  if (face) return other ? 1.02f : 1.02f - 0.16f * edge * edge;
  return other ? 0.80f + 0.10f * edge * edge : 0.80f;
}

static void draw_pixel(burl_canvas *canvas, size_t pixel, const knit *k, double u, double v) {
  const burl_cloth *cloth = k->cloth;
  seen best = {.point = {.height = -INFINITY}};
  int64_t wale = burl_pattern_wale_at(&cloth->pattern, u);
  float x = 0, local = (float)(v - (double)k->course);
  for (int side = 0; side < 2; side++) { /* the wale itself, then the neighbour next to it */
    int64_t w = side == 0 ? wale : x < 0 ? wale - 1 : wale + 1;
    double off = u - burl_pattern_wale_centre(&cloth->pattern, w);
    float place = (float)(off / burl_pattern_wale_width(&cloth->pattern, w));
    if (side == 0) x = place;
    probe_wale(&best, k, (size_t)(w - k->wale), place, local);
  }
  float light = 0;
  if (best.point.height > -INFINITY) {
    best.point.phase = k->bench->phase[0][best.stitch / BURL_YARNS_MAX];
    best.point.along += (float)(k->course + (int64_t)(best.stitch % BURL_YARNS_MAX));
    light = burl_yarn_shade(&cloth->look[best.look], cloth->grain, &best.point);
    light *= rib_light(cloth, wale, x);
  }
  for (int c = 0; c < cloth->channels; c++) {
    float value = cloth->tone[0][c] * light;
    canvas->value[c][pixel] = value > cloth->ground[c] ? value : cloth->ground[c];
  }
}

void burl_knit_draw(burl_canvas *canvas, const burl_cloth *cloth, const burl_fault *fault,
                    burl_bench *bench) {
  knit k = {.cloth = cloth, .bench = bench};
  fill_stitches(&k, bench, canvas, fault);
  double bow[BURL_CANVAS_SIDE], u[BURL_CANVAS_SIDE], v[BURL_CANVAS_SIDE];
  burl_cloth_bow(bow, cloth, canvas->x, canvas->width);
  for (size_t y = 0; y < canvas->height; y++) {
    burl_cloth_locate_row(u, v, cloth, bow, canvas->x, canvas->y + (ptrdiff_t)y, canvas->width);
    for (size_t x = 0; x < canvas->width; x++)
      draw_pixel(canvas, y * canvas->width + x, &k, u[x], v[x]);
  }
}
