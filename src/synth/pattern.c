/* Interlacings as one residue: every regular twill and satin is "lift by one more step each pick".
 *
 * With n ends and a step prime to n, the ends that dive under pick j are those with
 * i*step + j = 0 (mod n). Steps of +-1 put the dives on a diagonal (twill), other steps
 * scatter them (satin), and n = 2 is plain weave.
 */
#include "synth/pattern.h"

#include <math.h>

burl_pattern burl_pattern_choose(burl_weave weave, uint64_t choice) {
  int turn = choice & 1 ? 1 : -1;
  int variant = (int)(choice >> 1 & 1);
  switch (weave) {
  case BURL_WEAVE_TWILL:
    return (burl_pattern){.ends = 3 + variant, .step = turn, .under = 1};
  case BURL_WEAVE_SATIN:
    return variant ? (burl_pattern){.ends = 8, .step = 3 * turn, .under = 1}
                   : (burl_pattern){.ends = 5, .step = 2 * turn, .under = 1};
  case BURL_WEAVE_RIB:
    return (burl_pattern){.ends = 1, .step = 1, .face = 1 + variant, .back = 1 + variant};
  default:
    return (burl_pattern){.ends = 2, .step = 1, .under = 1};
  }
}

static int64_t residue(int64_t number, int64_t modulus) {
  int64_t rest = number % modulus;
  return rest < 0 ? rest + modulus : rest;
}

int burl_pattern_end_on_top(const burl_pattern *pattern, int64_t end, int64_t pick) {
  return residue(end * pattern->step + pick, pattern->ends) >= pattern->under;
}

int burl_pattern_is_face(const burl_pattern *pattern, int64_t wale) {
  return residue(wale, pattern->face + pattern->back) < pattern->face;
}

double burl_pattern_wale_width(const burl_pattern *pattern, int64_t wale) {
  return burl_pattern_is_face(pattern, wale) ? 1.0 : BURL_BACK_WIDTH;
}

double burl_pattern_wale_centre(const burl_pattern *pattern, int64_t wale) {
  int64_t wales = pattern->face + pattern->back, rest = residue(wale, wales);
  double repeat = pattern->face + BURL_BACK_WIDTH * pattern->back;
  double left = (double)((wale - rest) / wales) * repeat;
  if (rest < pattern->face) return left + (double)rest + 0.5;
  return left + pattern->face + BURL_BACK_WIDTH * ((double)(rest - pattern->face) + 0.5);
}

int64_t burl_pattern_wale_at(const burl_pattern *pattern, double u) {
  int64_t wales = pattern->face + pattern->back;
  double repeat = pattern->face + BURL_BACK_WIDTH * pattern->back;
  double count = floor(u / repeat), rest = u - count * repeat;
  double over = rest - pattern->face;
  double local = over < 0 ? floor(rest) : pattern->face + floor(over / BURL_BACK_WIDTH);
  if (local > (double)(wales - 1)) local = (double)(wales - 1); /* rounding at the repeat's end */
  return (int64_t)count * wales + (int64_t)local;
}
