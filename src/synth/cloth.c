/* The plan of a cloth: constants by weave, varied by the seed; light, noise and place by the index.
 *
 * Figures are those of line-camera images of apparel cloth: 6 to 12 pixels a yarn, a body nearly as
 * wide as its spacing, a rise at crossings of about half the body's height.
 */
#include "synth/cloth.h"

#include "base/random.h"
#include <math.h>
#include <string.h>

typedef struct weave_plan {
  double spacing_low, spacing_high; /* of ends, pixels */
  double ratio_low, ratio_high;     /* of the picks' spacing to the ends' */
  float radius[2], crimp, depth, sheen, wander, gain;
} weave_plan;

static const weave_plan plans[BURL_WEAVE_COUNT] = {
    [BURL_WEAVE_PLAIN] = {7.5, 11, 0.92, 1.12, {0.49f, 0.47f}, 0.40f, 0.42f, 0.10f, 0.055f, 1.06f},
    [BURL_WEAVE_TWILL] = {6.5, 9, 1.0, 1.2, {0.51f, 0.47f}, 0.36f, 0.42f, 0.14f, 0.05f, 0.97f},
    [BURL_WEAVE_SATIN] = {6, 7.5, 1.1, 1.35, {0.54f, 0.46f}, 0.34f, 0.38f, 0.26f, 0.04f, 0.84f},
    [BURL_WEAVE_RIB] = {12, 16, 0.70, 0.82, {0.5f, 0.5f}, 0.30f, 0.40f, 0.08f, 0.05f, 1.12f},
};

static double between(burl_random *random, double low, double high) {
  return low + (high - low) * burl_random_uniform(random);
}

static void plan_yarns(burl_cloth *cloth, burl_random *random) {
  const weave_plan *plan = &plans[cloth->weave];
  cloth->pattern = burl_pattern_choose(cloth->weave, burl_random_bits(random));
  cloth->spacing[0] = between(random, plan->spacing_low, plan->spacing_high);
  cloth->spacing[1] = cloth->spacing[0] * between(random, plan->ratio_low, plan->ratio_high);
  for (int f = 0; f < 2; f++) {
    cloth->radius[f] = plan->radius[f] + (float)between(random, -0.02, 0.02);
    cloth->wander[f] = plan->wander * (float)between(random, 0.7, 1.3);
  }
  cloth->crimp = plan->crimp;
  cloth->depth = plan->depth;
  cloth->uneven = (float)between(random, 0.05, 0.10);
  cloth->mottle = (float)between(random, 0.04, 0.09);
}

static void plan_looks(burl_cloth *cloth, burl_random *random) {
  double azimuth = between(random, 0, 6.283185307179586);
  float tilt = (float)between(random, 0.12, 0.3);
  float lu = tilt * (float)cos(azimuth), lv = tilt * (float)sin(azimuth);
  float lean = burl_random_bits(random) & 1 ? 1.0f : -1.0f; /* S or Z twist */
  for (int f = 0; f < 2; f++) {
    cloth->look[f] = (burl_look){
        .ambient = 0.30f,
        .diffuse = 0.66f,
        .sheen = plans[cloth->weave].sheen,
        .across = f == BURL_ENDS ? lu : lv,
        .along = f == BURL_ENDS ? lv : lu,
        .above = sqrtf(1 - tilt * tilt),
        .twist = (float)between(random, 1.1, 1.7),
        .lean = lean * (float)between(random, 0.5, 0.8),
        .groove = (float)between(random, 0.05, 0.10),
        .fuzz = (float)between(random, 0.10, 0.20),
    };
  }
}

/* A tone a channel: grey, or a dyed hue with a little saturation. */
static void plan_tone(float tone[3], int channels, double level, double hue, double saturation) {
  for (int c = 0; c < 3; c++) {
    double dye = channels == 3 ? saturation * cos(hue - 2.0943951023931953 * c) : 0;
    tone[c] = (float)(level * (1 + dye));
  }
}

static void plan_colours(burl_cloth *cloth, burl_random *random) {
  double level = between(random, 0.56, 0.70), hue = between(random, 0, 6.283185307179586);
  double saturation = between(random, 0.12, 0.30);
  level *= (double)plans[cloth->weave].gain;
  if (cloth->channels == 3) level *= 0.95;
  plan_tone(cloth->tone[BURL_ENDS], cloth->channels, level, hue, saturation);
  level *= between(random, 0.86, 0.98);
  hue += between(random, -0.5, 0.5);
  if (cloth->weave == BURL_WEAVE_RIB) /* one yarn makes the whole knit */
    memcpy(cloth->tone[BURL_PICKS], cloth->tone[BURL_ENDS], sizeof cloth->tone[BURL_PICKS]);
  else
    plan_tone(cloth->tone[BURL_PICKS], cloth->channels, level, hue, saturation);
  for (int c = 0; c < 3; c++) {
    cloth->ground[c] = 0.16f * cloth->tone[BURL_ENDS][c] + 0.02f;
    cloth->fibre[c] = 0.75f * cloth->tone[BURL_ENDS][c] + 0.25f;
  }
}

static void plan_place(burl_cloth *cloth, burl_random *random, double angle) {
  angle += between(random, -0.5, 0.5);
  cloth->cosine = cos(angle * 0.017453292519943295);
  cloth->sine = sin(angle * 0.017453292519943295);
  cloth->centre[0] = 0.5 * (double)(cloth->width - 1);
  cloth->centre[1] = 0.5 * (double)(cloth->height - 1);
  for (int f = 0; f < 2; f++) {
    cloth->origin[f] = between(random, 4096, 4160); /* all yarn numbers positive */
    cloth->wave_size[f] = between(random, 0.6, 2.8) / cloth->spacing[f];
    cloth->wave_rate[f] = 6.283185307179586 / between(random, 180, 420);
    cloth->wave_phase[f] = between(random, 0, 6.283185307179586);
  }
}

static void plan_camera(burl_cloth *cloth, burl_random *random) {
  double azimuth = between(random, 0, 6.283185307179586), slope = between(random, 0.01, 0.05);
  cloth->light[0] = (float)(slope * cos(azimuth));
  cloth->light[1] = (float)(slope * sin(azimuth));
  cloth->light[2] = (float)between(random, 0.0, 0.04);
  cloth->light[3] = (float)between(random, 0.02, 0.05);
  cloth->noise = (float)between(random, 0.008, 0.014);
  cloth->blur = (float)between(random, 0.14, 0.20);
}

void burl_cloth_plan(burl_cloth *cloth, const burl_synth_options *options) {
  burl_random of_cloth = burl_random_start(options->seed, BURL_STREAM_CLOTH);
  *cloth = (burl_cloth){
      .weave = options->weave,
      .channels = options->colour ? 3 : 1,
      .key = burl_random_at(options->seed, BURL_STREAM_IMAGE, options->index),
      .height = options->height,
      .width = options->width,
  };
  plan_yarns(cloth, &of_cloth);
  plan_looks(cloth, &of_cloth);
  plan_colours(cloth, &of_cloth);
  cloth->fibres = between(&of_cloth, 0.5, 2.0);
  double angle = between(&of_cloth, -1.4, 1.4);
  burl_random of_image = burl_random_start(cloth->key, BURL_STREAM_IMAGE);
  plan_place(cloth, &of_image, angle);
  plan_camera(cloth, &of_image);
  burl_print_plan(&cloth->print, options, cloth->key);
}

/* The part of yarn coordinates that changes slowly: u from row to row, v from column to column. */
static double wave_at(const burl_cloth *cloth, burl_family family, double pixel) {
  return cloth->origin[family] + cloth->wave_size[family] * sin(cloth->wave_rate[family] * pixel +
                                                                cloth->wave_phase[family]);
}

void burl_cloth_locate(double uv[2], const burl_cloth *cloth, double x, double y) {
  double dx = x - cloth->centre[0], dy = y - cloth->centre[1];
  uv[0] =
      (cloth->cosine * dx + cloth->sine * dy) / cloth->spacing[0] + wave_at(cloth, BURL_ENDS, y);
  uv[1] =
      (cloth->cosine * dy - cloth->sine * dx) / cloth->spacing[1] + wave_at(cloth, BURL_PICKS, x);
}

void burl_cloth_bow(double *bow, const burl_cloth *cloth, ptrdiff_t x, size_t count) {
  for (size_t i = 0; i < count; i++)
    bow[i] = wave_at(cloth, BURL_PICKS, (double)(x + (ptrdiff_t)i));
}

void burl_cloth_locate_row(double *restrict u, double *restrict v, const burl_cloth *cloth,
                           const double *restrict bow, ptrdiff_t x, ptrdiff_t y, size_t count) {
  double dy = (double)y - cloth->centre[1], shift = wave_at(cloth, BURL_ENDS, (double)y);
  for (size_t i = 0; i < count; i++) {
    double dx = (double)(x + (ptrdiff_t)i) - cloth->centre[0];
    u[i] = (cloth->cosine * dx + cloth->sine * dy) / cloth->spacing[0] + shift;
    v[i] = (cloth->cosine * dy - cloth->sine * dx) / cloth->spacing[1] + bow[i];
  }
}

/* The wave is slow, so that a few rounds of substitution settle far below a pixel. */
void burl_cloth_project(double xy[2], const burl_cloth *cloth, double u, double v) {
  double x = cloth->centre[0], y = cloth->centre[1];
  for (int round = 0; round < 6; round++) {
    double a = (u - wave_at(cloth, BURL_ENDS, y)) * cloth->spacing[0];
    double b = (v - wave_at(cloth, BURL_PICKS, x)) * cloth->spacing[1];
    x = cloth->centre[0] + cloth->cosine * a - cloth->sine * b;
    y = cloth->centre[1] + cloth->cosine * b + cloth->sine * a;
  }
  xy[0] = x;
  xy[1] = y;
}

void burl_cloth_bound(double low[2], double high[2], const burl_cloth *cloth, ptrdiff_t x,
                      ptrdiff_t y, size_t width, size_t height) {
  for (int corner = 0; corner < 4; corner++) {
    double uv[2];
    burl_cloth_locate(uv, cloth, (double)(x + (corner & 1 ? (ptrdiff_t)width : 0)),
                      (double)(y + (corner & 2 ? (ptrdiff_t)height : 0)));
    for (int f = 0; f < 2; f++) {
      double bow = 2 * cloth->wave_size[f]; /* what lies between the corners may bow further */
      if (corner == 0 || uv[f] - bow < low[f]) low[f] = uv[f] - bow;
      if (corner == 0 || uv[f] + bow > high[f]) high[f] = uv[f] + bow;
    }
  }
}
