/* Defects of the yarns: where they lie and what they do to interlacing, position and thickness.
 *
 * A defect changes the nodes of the drawing, never its pixels: a missing yarn has no body, its
 * neighbours move into the gap, its partners float across. What is seen follows from the drawing.
 * All reach is bounded (NEAR yarns, RAMP crossings), so that a box in pixels contains it.
 *
 * In rib knit the ends are the wales and the picks the courses: a broken end is a dropped stitch
 * that ran (a ladder), a broken pick a course missing over a length, a thick yarn a thick course,
 * a misweave stitches that show the wrong side, an oil line a needle line along a wale.
 */
#include "synth/fault.h"

#include "base/random.h"
#include "synth/canvas.h"
#include <math.h>
#include <stdlib.h>

enum { NEAR = 2, RAMP = 3 };

static double between(burl_random *random, double low, double high) {
  return low + (high - low) * burl_random_uniform(random);
}

/* Log-uniform: short runs are as common as long ones. */
static double spread(burl_random *random, double low, double high) {
  return high <= low ? low : low * pow(high / low, burl_random_uniform(random));
}

static double across_of(const burl_cloth *cloth, burl_family family, double number) {
  if (cloth->weave != BURL_WEAVE_RIB || family == BURL_PICKS) return number;
  double whole = floor(number);
  return burl_pattern_wale_centre(&cloth->pattern, (int64_t)whole) + (number - whole);
}

static void place_centre(burl_fault *fault, const burl_cloth *cloth, burl_random *random) {
  double uv[2], x = between(random, 0.14, 0.86) * (double)cloth->width;
  double y = between(random, 0.14, 0.86) * (double)cloth->height;
  burl_cloth_locate(uv, cloth, x, y);
  fault->pixel[0] = (float)x;
  fault->pixel[1] = (float)y;
  if (cloth->weave == BURL_WEAVE_RIB) uv[0] = (double)burl_pattern_wale_at(&cloth->pattern, uv[0]);
  fault->centre[0] = floor(uv[0] + 0.5);
  fault->centre[1] = floor(uv[1] + 0.5);
}

/* A run along a yarn through the centre, of `length` crossings. */
static void place_run(burl_fault *fault, burl_family family, double length) {
  fault->family = family;
  fault->yarn = (int64_t)fault->centre[family];
  fault->from = (int64_t)(fault->centre[1 - family] - 0.5 * length);
  fault->to = fault->from + (int64_t)(length + 0.5);
}

void burl_fault_enclose(burl_fault *fault, const burl_cloth *cloth, const double low[2],
                        const double high[2], double margin) {
  double x0 = HUGE_VAL, y0 = HUGE_VAL, x1 = -HUGE_VAL, y1 = -HUGE_VAL;
  for (int corner = 0; corner < 4; corner++) {
    double xy[2];
    burl_cloth_project(xy, cloth, corner & 1 ? high[0] : low[0], corner & 2 ? high[1] : low[1]);
    x0 = fmin(x0, xy[0]);
    x1 = fmax(x1, xy[0]);
    y0 = fmin(y0, xy[1]);
    y1 = fmax(y1, xy[1]);
  }
  double bow =
      2 * fmax(cloth->wave_size[0] * cloth->spacing[0], cloth->wave_size[1] * cloth->spacing[1]);
  fault->box[0] = (ptrdiff_t)floor(x0 - margin - bow);
  fault->box[1] = (ptrdiff_t)floor(y0 - margin - bow);
  fault->box[2] = (ptrdiff_t)ceil(x1 + margin + bow) + 1;
  fault->box[3] = (ptrdiff_t)ceil(y1 + margin + bow) + 1;
}

/* The box around yarns low..high. */
static void box_yarns(burl_fault *fault, const burl_cloth *cloth, const double low[2],
                      const double high[2], double margin) {
  const double least[2] = {across_of(cloth, BURL_ENDS, low[0]), low[1]};
  const double most[2] = {across_of(cloth, BURL_ENDS, high[0]), high[1]};
  burl_fault_enclose(fault, cloth, least, most, margin);
}

static void box_pixels(burl_fault *fault, float reach) {
  fault->box[0] = (ptrdiff_t)floorf(fault->pixel[0] - reach) - 3;
  fault->box[1] = (ptrdiff_t)floorf(fault->pixel[1] - reach) - 3;
  fault->box[2] = (ptrdiff_t)ceilf(fault->pixel[0] + reach) + 4;
  fault->box[3] = (ptrdiff_t)ceilf(fault->pixel[1] + reach) + 4;
}

static void box_run(burl_fault *fault, const burl_cloth *cloth) {
  double low[2], high[2];
  low[fault->family] = (double)(fault->yarn - NEAR - 2);
  high[fault->family] = (double)(fault->yarn + NEAR + 2);
  low[1 - fault->family] = (double)(fault->from - RAMP - 2);
  high[1 - fault->family] = (double)(fault->to + RAMP + 2);
  box_yarns(fault, cloth, low, high, 16);
}

static void box_patch(burl_fault *fault, const burl_cloth *cloth) {
  double low[2], high[2];
  for (int f = 0; f < 2; f++) {
    low[f] = fault->centre[f] - 1.4 * (double)fault->half[f] - NEAR - 2;
    high[f] = fault->centre[f] + 1.4 * (double)fault->half[f] + NEAR + 2;
  }
  box_yarns(fault, cloth, low, high, 16);
}

/* Frayed fibres at (u, v), pointing along `angle`. */
static void fray(burl_fault *fault, const burl_cloth *cloth, burl_random *random, double u,
                 double v, double angle, int count) {
  double xy[2];
  burl_cloth_project(xy, cloth, across_of(cloth, BURL_ENDS, u), v);
  angle += atan2(cloth->sine, cloth->cosine);
  for (int i = 0; i < count && fault->fibres < BURL_FAULT_FIBRES; i++)
    fault->fibre[fault->fibres++] = (burl_fibre){
        .x = (float)(xy[0] + between(random, -1.5, 1.5)),
        .y = (float)(xy[1] + between(random, -1.5, 1.5)),
        .angle = (float)(angle + between(random, -0.5, 0.5)),
        .bend = (float)between(random, -0.12, 0.12),
        .length = (float)between(random, 3, 10),
        .opacity = (float)between(random, 0.3, 0.6),
        .lustre = (float)between(random, 0.6, 0.9),
    };
}

static void plan_broken(burl_fault *fault, const burl_cloth *cloth, burl_random *random) {
  burl_family family = fault->kind == BURL_DEFECT_BROKEN_PICK ? BURL_PICKS : BURL_ENDS;
  int ladder = cloth->weave == BURL_WEAVE_RIB && family == BURL_ENDS;
  place_run(fault, family, spread(random, 5, 70));
  double turn = 1.5707963267948966;
  double low = (double)fault->from - 0.6, high = (double)fault->to + 0.6, at = (double)fault->yarn;
  if (family == BURL_PICKS) {
    fray(fault, cloth, random, low, at, 0, 6);
    fray(fault, cloth, random, high, at, 2 * turn, 6);
  } else if (!ladder) {
    fray(fault, cloth, random, at, low, turn, 6);
    fray(fault, cloth, random, at, high, -turn, 6);
  }
  box_run(fault, cloth);
}

static void plan_thick(burl_fault *fault, const burl_cloth *cloth, burl_random *random) {
  burl_family family = (burl_family)burl_random_below(random, 2);
  if (cloth->weave == BURL_WEAVE_SATIN) family = BURL_ENDS; /* picks are hidden */
  if (cloth->weave == BURL_WEAVE_RIB) family = BURL_PICKS;
  place_run(fault, family, spread(random, 4, 50));
  box_run(fault, cloth);
}

static double limit_yarns(const burl_cloth *cloth, int family, double wanted, double share) {
  double side = (double)(cloth->width < cloth->height ? cloth->width : cloth->height);
  return fmin(wanted, share * side / cloth->spacing[family]);
}

static void plan_hole(burl_fault *fault, const burl_cloth *cloth, burl_random *random) {
  double size = (0.5 + 0.5 * (double)fault->strength) * spread(random, 1.6, 6.5);
  if (cloth->weave == BURL_WEAVE_RIB) size *= 0.6;
  for (int f = 0; f < 2; f++) {
    double half = limit_yarns(cloth, f, size * between(random, 0.75, 1.3), 0.25);
    fault->half[f] = (float)fmax(half, 0.9);
  }
  double turn = 1.5707963267948966;
  for (int side_of = -1; side_of <= 1; side_of += 2)
    for (int n = -(int)fault->half[0]; n <= (int)fault->half[0]; n++)
      fray(fault, cloth, random, fault->centre[0] + n,
           fault->centre[1] + side_of * (double)fault->half[1], -turn * side_of, 3);
  for (int side_of = -1; side_of <= 1; side_of += 2)
    for (int n = -(int)fault->half[1]; n <= (int)fault->half[1]; n++)
      fray(fault, cloth, random, fault->centre[0] + side_of * (double)fault->half[0],
           fault->centre[1] + n, side_of > 0 ? 2 * turn : 0, 3);
  box_patch(fault, cloth);
}

static void plan_misweave(burl_fault *fault, const burl_cloth *cloth, burl_random *random) {
  fault->variant = (int)burl_random_below(random, 2);
  if (fault->variant) { /* along one or two picks */
    place_run(fault, BURL_PICKS, spread(random, 8, 80));
    fault->half[0] = 0.5f * (float)(fault->to - fault->from);
    fault->half[1] = fault->strength > 0.6f && cloth->weave != BURL_WEAVE_PLAIN ? 1 : 0;
  } else {
    double size = 1.5 + 3.5 * (double)fault->strength;
    for (int f = 0; f < 2; f++)
      fault->half[f] = (float)fmax(limit_yarns(cloth, f, size * between(random, 0.7, 1.3), 0.3), 1);
  }
  box_patch(fault, cloth);
}

static void plan_nep(burl_fault *fault, burl_random *random) {
  float radius = (float)between(random, 2, 6);
  fault->half[0] = fault->half[1] = radius;
  fault->variant = (int)burl_random_below(random, 3); /* 0: a dark nep */
  int knots = 8 + (int)(3 * radius);
  float lustre = fault->variant ? 0.95f : 0.35f;
  for (int i = 0; i < knots; i++) {
    double away = (double)radius * sqrt(burl_random_uniform(random)),
           angle = between(random, 0, 6.2831853);
    fault->fibre[fault->fibres++] = (burl_fibre){
        .x = fault->pixel[0] + (float)(away * cos(angle)),
        .y = fault->pixel[1] + (float)(away * sin(angle)),
        .angle = (float)(angle + between(random, 1.2, 3.0)),
        .bend = (float)between(random, 0.1, 0.5),
        .length = (float)between(random, 1.0, 2.4) * radius + 3,
        .opacity = 0.25f + 0.35f * fault->strength,
        .lustre = lustre + (float)between(random, -0.15, 0.15),
    };
  }
  box_pixels(fault, 3.5f * radius + 6);
}

static void plan_stain(burl_fault *fault, const burl_cloth *cloth, burl_random *random) {
  double side = (double)(cloth->width < cloth->height ? cloth->width : cloth->height);
  double size = fmin(spread(random, 10, 46), 0.3 * side), aspect = between(random, 1, 1.7);
  double angle = between(random, 0, 3.141592653589793);
  fault->half[0] = (float)(size * sqrt(aspect));
  fault->half[1] = (float)(size / sqrt(aspect));
  fault->turn[0] = (float)cos(angle);
  fault->turn[1] = (float)sin(angle);
  fault->variant = (int)burl_random_below(random, 3); /* 0: dried, with a darker rim */
  box_pixels(fault, 1.6f * fault->half[0]);
}

static void plan_oil(burl_fault *fault, const burl_cloth *cloth, burl_random *random) {
  burl_family family = (burl_family)burl_random_below(random, 2);
  if (cloth->weave == BURL_WEAVE_RIB) family = BURL_ENDS;
  place_run(fault, family, spread(random, 12, 140));
  fault->half[0] = (float)between(random, 0.45, 1.0);
  box_run(fault, cloth);
}

void burl_fault_plan(burl_fault *fault, const burl_cloth *cloth, burl_defect kind) {
  uint64_t kinds = (uint64_t)kind << 8 | (uint64_t)cloth->weave << 16;
  burl_random random = burl_random_start(cloth->key, BURL_STREAM_DEFECT | kinds);
  *fault = (burl_fault){.kind = kind, .key = cloth->key};
  if (burl_defect_needs_print(kind)) {
    burl_arrange_plan(fault, cloth);
    return;
  }
  fault->reach = cloth->weave == BURL_WEAVE_RIB ? 1 : NEAR;
  fault->strength = (float)burl_random_uniform(&random);
  place_centre(fault, cloth, &random);
  switch (kind) {
  case BURL_DEFECT_BROKEN_PICK:
  case BURL_DEFECT_BROKEN_END:
    plan_broken(fault, cloth, &random);
    break;
  case BURL_DEFECT_THICK_YARN:
    plan_thick(fault, cloth, &random);
    break;
  case BURL_DEFECT_NEP:
    plan_nep(fault, &random);
    break;
  case BURL_DEFECT_HOLE:
    plan_hole(fault, cloth, &random);
    break;
  case BURL_DEFECT_STAIN:
    plan_stain(fault, cloth, &random);
    break;
  case BURL_DEFECT_OIL_LINE:
    plan_oil(fault, cloth, &random);
    break;
  default:
    plan_misweave(fault, cloth, &random);
  }
}

int burl_fault_is_miswoven(const burl_fault *fault, int64_t end, int64_t pick) {
  return fault && fault->kind == BURL_DEFECT_MISWEAVE &&
         fabs((double)end - fault->centre[0]) <= (double)fault->half[0] &&
         fabs((double)pick - fault->centre[1]) <= (double)fault->half[1];
}

int burl_fault_end_on_top(const burl_fault *fault, const burl_cloth *cloth, int64_t end,
                          int64_t pick) {
  const burl_pattern *pattern = &cloth->pattern;
  if (burl_fault_is_miswoven(fault, end, pick)) {
    if (fault->variant && pattern->ends > 4) return (int)((end + pick) & 1); /* woven plain */
    if (fault->variant) return burl_pattern_end_on_top(pattern, end + 1, pick);
    return pattern->ends == 2 && (fault->key & 1); /* picks float; in plain weave maybe ends */
  }
  return burl_pattern_end_on_top(pattern, end, pick);
}

int burl_fault_has_yarn(const burl_fault *fault, burl_family family, int64_t yarn,
                        int64_t position) {
  switch (fault->kind) {
  case BURL_DEFECT_BROKEN_PICK:
  case BURL_DEFECT_BROKEN_END:
    return family != fault->family || yarn != fault->yarn || position < fault->from ||
           position > fault->to;
  case BURL_DEFECT_HOLE: {
    float ragged[4];
    burl_grain_hash(ragged, fault->key, BURL_STREAM_EDGE, 2 * yarn + (int)family, 0);
    double a = ((double)yarn - fault->centre[family]) / (double)fault->half[family];
    double b = ((double)position - fault->centre[1 - family]) / (double)fault->half[1 - family];
    double size = b < 0 ? 1.05 + 0.3 * (double)ragged[0] : 1.05 + 0.3 * (double)ragged[1];
    return a * a + b * b > size * size;
  }
  default:
    return 1;
  }
}

/* 1 along the run, falling to 0 over RAMP crossings beyond its ends. */
static float along_run(const burl_fault *fault, int64_t position) {
  return burl_ease((float)(position - fault->from + RAMP) / RAMP) *
         burl_ease((float)(fault->to + RAMP - position) / RAMP);
}

static void bend_broken(const burl_fault *fault, int64_t away, float run, burl_node *node) {
  static const float share[NEAR + 1] = {0, 1, 0.3f};
  float close = (0.40f - 0.30f * fault->strength) * share[llabs(away)] * run;
  node->shift -= away > 0 ? close : -close;
  if (llabs(away) == 1) node->radius *= 1 + 0.06f * run;
}

static void bend_thick(const burl_fault *fault, int64_t away, int64_t position, burl_node *node) {
  static const float share[NEAR + 1] = {0, 0.85f, 0.25f};
  float lump[4];
  burl_grain_along(lump, fault->key, BURL_STREAM_EDGE, fault->yarn, position, 2);
  float gain =
      (0.35f + 0.65f * fault->strength) * along_run(fault, position) * (1 + 0.2f * lump[0]);
  if (away == 0) {
    node->radius *= 1 + gain;
    node->rise += 0.16f * gain;
  } else {
    float push = 0.42f * gain * share[llabs(away)];
    node->shift += away > 0 ? push : -push;
  }
}

/* Yarns beside a hole curl away from it. */
static void bend_hole(const burl_fault *fault, burl_family family, int64_t yarn, int64_t position,
                      burl_node *node) {
  float a = (float)((double)yarn - fault->centre[family]);
  float b = fabsf((float)((double)position - fault->centre[1 - family]));
  float far = fabsf(a) - fault->half[family], beside = b / fault->half[1 - family];
  float curl = 0.24f * burl_ease(1 - far / NEAR) * burl_ease(1.6f - beside);
  node->shift += a > 0 ? curl : a < 0 ? -curl : 0;
}

void burl_fault_bend(const burl_fault *fault, burl_family family, int64_t yarn, int64_t position,
                     burl_node *node) {
  int64_t away = yarn - fault->yarn;
  int near = family == fault->family && llabs(away) <= fault->reach;
  if (fault->kind == BURL_DEFECT_HOLE)
    bend_hole(fault, family, yarn, position, node);
  else if (fault->kind == BURL_DEFECT_THICK_YARN && near)
    bend_thick(fault, away, position, node);
  else if (near && away != 0 &&
           (fault->kind == BURL_DEFECT_BROKEN_PICK || fault->kind == BURL_DEFECT_BROKEN_END))
    bend_broken(fault, away, along_run(fault, position), node);
  if (!burl_fault_has_yarn(fault, family, yarn, position)) node->radius = 0;
}
