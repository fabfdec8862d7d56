/* A colour map computed as a helix in OKLab (B. Ottosson, 2020), a space in which equal distances
 * are seen as equal differences: L(u) = L0 + (L1 - L0) u      lightness, rising h(u) = h0 + (h1 -
 * h0) u      hue, half a turn from violet-blue through red to yellow C(u) = C chroma, the same
 * everywhere With L and h linear in u and C constant every step has the same length, sqrt(dL^2 + (C
 * dh)^2), so the map is even by construction. The rising lightness carries the order alone, for
 * readers who cannot tell red from green and for grey prints; the ends are blue and yellow, which
 * they can tell. C is the largest round value for which the whole helix lies inside sRGB. */
#include "report/colormap.h"

#include <math.h>

static const double lightness_first = 0.30, lightness_last = 0.94;
static const double hue_first = 285.0, hue_last = 468.0; /* degrees; 468 is 108, yellow */
static const double chroma = 0.15;
static const double radians_a_degree = 0.017453292519943295;

/* Linear light to an sRGB byte (IEC 61966-2-1). */
static uint8_t encode(double light) {
  double x = light < 0 ? 0 : light > 1 ? 1 : light;
  double v = x <= 0.0031308 ? 12.92 * x : 1.055 * pow(x, 1 / 2.4) - 0.055;
  return (uint8_t)(v * 255 + 0.5);
}

static void oklab_to_rgb(uint8_t rgb[3], double lightness, double a, double b) {
  double l = lightness + 0.3963377774 * a + 0.2158037573 * b;
  double m = lightness - 0.1055613458 * a - 0.0638541728 * b;
  double s = lightness - 0.0894841775 * a - 1.2914855480 * b;
  l = l * l * l;
  m = m * m * m;
  s = s * s * s;
  rgb[0] = encode(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s);
  rgb[1] = encode(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s);
  rgb[2] = encode(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s);
}

void burl_colormap_fill(burl_colormap *map) {
  for (int i = 0; i < BURL_COLORMAP_SIZE; i++) {
    double u = i / (BURL_COLORMAP_SIZE - 1.0);
    double hue = (hue_first + (hue_last - hue_first) * u) * radians_a_degree;
    oklab_to_rgb(map->rgb[i], lightness_first + (lightness_last - lightness_first) * u,
                 chroma * cos(hue), chroma * sin(hue));
  }
}
