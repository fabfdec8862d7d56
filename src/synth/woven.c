/* Woven cloth: two families of bodies, the upper one seen at every pixel.
 *
 * Every yarn has a node at each crossing with a yarn of the other family: lateral shift, half
 * width, height and tone. Between nodes they are interpolated, the height smoothly, so that a yarn
 * rises over one crossing and dives under the next. At a pixel up to three ends and three picks are
 * near; the body whose surface lies highest is seen. Covering, gaps, floats and the way a defect
 * opens the cloth all follow from that one rule. Nodes are hashed by yarn and crossing:
 * neighbouring canvases agree.
 */
#include "synth/canvas.h"
#include <assert.h>
#include <math.h>
#include <string.h>

typedef struct grid {
  int64_t first[2]; /* yarn number of the first end and pick */
  size_t count[2];
} grid;

/* Nodes of a family lie yarn by yarn: [yarn * BURL_YARNS_MAX + crossing]. */
static size_t at(size_t yarn, size_t crossing) {
  return yarn * BURL_YARNS_MAX + crossing;
}

static grid grid_of_canvas(const burl_canvas *canvas, const burl_cloth *cloth) {
  double low[2], high[2];
  burl_cloth_bound(low, high, cloth, canvas->x, canvas->y, canvas->width, canvas->height);
  grid g;
  for (int f = 0; f < 2; f++) {
    g.first[f] = (int64_t)floor(low[f]) - 2;
    g.count[f] = (size_t)((int64_t)floor(high[f]) + 4 - g.first[f]);
    assert(g.count[f] <= BURL_YARNS_MAX);
  }
  return g;
}

/* +1 where a yarn of the family lies on top of its partner, -1 under it, 0 without a partner. */
static float side(const burl_cloth *cloth, const burl_fault *fault, burl_family family,
                  int64_t yarn, int64_t crossing) {
  if (fault && !burl_fault_has_yarn(fault, 1 - family, crossing, yarn)) return 0;
  int64_t end = family == BURL_ENDS ? yarn : crossing;
  int64_t pick = family == BURL_ENDS ? crossing : yarn;
  int top = burl_fault_end_on_top(fault, cloth, end, pick);
  return (family == BURL_ENDS) == top ? 1.0f : -1.0f;
}

/* Floats arch: a crossing between two of its own kind rises above one at the float's end. */
static float rise_at(const burl_cloth *cloth, const burl_fault *fault, burl_family family,
                     int64_t yarn, int64_t crossing) {
  float own = side(cloth, fault, family, yarn, crossing);
  float around = side(cloth, fault, family, yarn, crossing - 1) +
                 side(cloth, fault, family, yarn, crossing + 1);
  return own == 0 ? 0.5f * around : 0.8f * own + 0.1f * around;
}

static burl_node node_at(const burl_cloth *cloth, const burl_fault *fault, burl_family family,
                         int64_t yarn, int64_t crossing, const float own[4]) {
  unsigned stream = family == BURL_ENDS ? BURL_STREAM_END : BURL_STREAM_PICK;
  float slow[4], fast[4];
  burl_grain_along(slow, cloth->key, stream, 2 * yarn, crossing, 13);
  burl_grain_along(fast, cloth->key, stream, 2 * yarn + 1, crossing, 3);
  float rise = rise_at(cloth, fault, family, yarn, crossing);
  float thick = 0.45f * own[1] + 0.45f * slow[1] + 0.6f * fast[1];
  float bright = 0.5f * own[2] + 0.45f * slow[2] + 0.6f * fast[2];
  burl_node node = {
      .shift = cloth->wander[family] * (0.7f * own[0] + 0.5f * slow[0] + 0.6f * fast[0]),
      .radius = cloth->radius[family] * (1 + cloth->uneven * thick + 0.06f * rise),
      .rise = cloth->crimp * rise,
      .tone = 1 + cloth->mottle * bright,
  };
  if (fault) burl_fault_bend(fault, family, yarn, crossing, &node);
  return node;
}

static void fill_nodes(burl_bench *bench, const grid *g, const burl_cloth *cloth,
                       const burl_fault *fault) {
  for (int f = 0; f < 2; f++) {
    for (size_t n = 0; n < g->count[f]; n++) {
      int64_t yarn = g->first[f] + (int64_t)n;
      float own[4];
      burl_grain_hash(own, cloth->key, f == BURL_ENDS ? BURL_STREAM_END : BURL_STREAM_PICK, yarn,
                      INT64_MIN);
      bench->phase[f][n] = own[3];
      for (size_t m = 0; m < g->count[1 - f]; m++)
        bench->node[f][at(n, m)] =
            node_at(cloth, fault, (burl_family)f, yarn, g->first[1 - f] + (int64_t)m, own);
    }
  }
}

typedef struct hit {
  int family; /* -1: nothing but ground */
  size_t yarn;
  burl_point point;
} hit;

/* Half width between two nodes. A torn end stays full until it rounds off. */
static float radius_between(const burl_node *a, const burl_node *b, float t) {
  if (a->radius > 0 && b->radius > 0) return a->radius + t * (b->radius - a->radius);
  float left = a->radius > 0 ? 1 - t : t;
  return (a->radius + b->radius) * sqrtf(left) * (0.75f + 0.25f * left);
}

/* Tries the three yarns of a family next to `across`; `along` is the place on them. */
static void probe(hit *best, const burl_bench *bench, const burl_cloth *cloth, int family,
                  float across, float along) {
  size_t middle = (size_t)(across + 0.5f), crossing = (size_t)along;
  float t = along - (float)crossing, s = t * t * (3 - 2 * t);
  for (size_t yarn = middle - 1; yarn <= middle + 1; yarn++) {
    const burl_node *a = &bench->node[family][at(yarn, crossing)], *b = a + 1;
    float radius = radius_between(a, b, t);
    float off = across - (float)yarn - (a->shift + t * (b->shift - a->shift));
    if (!(fabsf(off) < radius)) continue;
    float d = off / radius, cap = sqrtf(1 - d * d);
    float climb = b->rise - a->rise;
    float height = a->rise + s * climb + 2 * cloth->depth * radius * cap;
    if (height <= best->point.height) continue;
    best->family = family;
    best->yarn = yarn;
    best->point.across = d;
    best->point.cap = cap;
    best->point.height = height;
    best->point.slope = 6 * t * (1 - t) * climb;
    best->point.tone = a->tone + t * (b->tone - a->tone);
  }
}

static void draw_pixel(burl_canvas *canvas, size_t pixel, const burl_bench *bench,
                       const burl_cloth *cloth, const grid *g, const float uv[2]) {
  hit best = {.family = -1, .point = {.height = -INFINITY}};
  probe(&best, bench, cloth, BURL_ENDS, uv[0], uv[1]);
  probe(&best, bench, cloth, BURL_PICKS, uv[1], uv[0]);
  if (best.family < 0) {
    for (int c = 0; c < cloth->channels; c++)
      canvas->value[c][pixel] = cloth->ground[c];
    return;
  }
  int f = best.family;
  best.point.along = uv[1 - f] + (float)g->first[1 - f];
  best.point.phase = bench->phase[f][best.yarn];
  float light = burl_yarn_shade(&cloth->look[f], cloth->grain, &best.point);
  for (int c = 0; c < cloth->channels; c++) {
    float v = cloth->tone[f][c] * light;
    canvas->value[c][pixel] = v > cloth->ground[c] ? v : cloth->ground[c];
  }
}

void burl_woven_draw(burl_canvas *canvas, const burl_cloth *cloth, const burl_fault *fault,
                     burl_bench *bench) {
  grid g = grid_of_canvas(canvas, cloth);
  fill_nodes(bench, &g, cloth, fault);
  double bow[BURL_CANVAS_SIDE], u[BURL_CANVAS_SIDE], v[BURL_CANVAS_SIDE];
  burl_cloth_bow(bow, cloth, canvas->x, canvas->width);
  for (size_t y = 0; y < canvas->height; y++) {
    burl_cloth_locate_row(u, v, cloth, bow, canvas->x, canvas->y + (ptrdiff_t)y, canvas->width);
    for (size_t x = 0; x < canvas->width; x++) {
      const float uv[2] = {(float)(u[x] - (double)g.first[0]), (float)(v[x] - (double)g.first[1])};
      draw_pixel(canvas, y * canvas->width + x, bench, cloth, &g, uv);
    }
  }
}
