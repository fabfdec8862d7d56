/* Light on a yarn's body.
 *
 * The body is a flattened cylinder: across its width the normal turns from one side to the other,
 * along its axis it tilts with the rise and fall between crossings. To the Lambert term come a soft
 * sheen on the crown, occlusion by depth (light reaches the bottom of a gap badly), the grooves
 * between twisted strands and the random streaks of single fibres, both along the helix.
 */
#include "synth/canvas.h"
#include <math.h>

/* A cheap sine: parabolas over half turns; x >= 0 counts turns. */
static float swing(float x) {
  x -= (float)(int)x;
  float half = x < 0.5f ? 2 * x : 2 * x - 1, arc = 4 * half * (1 - half);
  return x < 0.5f ? arc : -arc;
}

float burl_yarn_shade(const burl_look *look, const float *grain, const burl_point *point) {
  float tilt = 1 / sqrtf(1 + point->slope * point->slope);
  float lambert = (point->cap * look->above + point->across * look->across -
                   point->slope * point->cap * look->along) *
                  tilt;
  if (lambert < 0) lambert = 0;
  float crown = point->cap * point->cap * tilt;
  float open = 0.55f + 0.62f * point->height;
  open = open < 0.22f ? 0.22f : open > 1.06f ? 1.06f : open;
  float angle = point->across * (1 + 0.3f * point->across * point->across);
  float helix = look->twist * point->along + look->lean * angle;
  float groove = look->groove * swing(helix + point->phase);
  float fuzz = burl_grain_at(grain, 3.1f * (helix + 2.2f * angle) + 61 * point->phase,
                             0.8f * point->along + 37 * point->phase);
  float light = look->ambient + look->diffuse * lambert + look->sheen * crown * crown * open;
  return point->tone * light * open * (1 + groove + look->fuzz * fuzz);
}
