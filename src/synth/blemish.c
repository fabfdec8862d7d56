/* Defects of light: stains and oil take it away, a nep lies on top of the yarns.
 *
 * A stain is a soft ellipse whose edge is ruffled by noise, in places with the darker rim of a
 * dried drop. Oil follows one yarn. Both multiply what is there, so that the weave stays visible. A
 * nep is a low mound of tangled fibres with a shadow on one side.
 */
#include "synth/canvas.h"
#include "synth/fault.h"

#include <math.h>

typedef struct window {
  size_t x0, y0, x1, y1; /* of the canvas, exclusive ends */
} window;

static size_t inside(ptrdiff_t place, size_t side) {
  return place < 0 ? 0 : (size_t)place > side ? side : (size_t)place;
}

static window window_of(const burl_fault *fault, const burl_canvas *canvas) {
  return (window){inside(fault->box[0] - canvas->x, canvas->width),
                  inside(fault->box[1] - canvas->y, canvas->height),
                  inside(fault->box[2] - canvas->x, canvas->width),
                  inside(fault->box[3] - canvas->y, canvas->height)};
}

/* How much a drop of dirt colours: 0..1 at distance r from the middle (1 at the edge). */
static float drop(float r, int rim) {
  float body = burl_ease((1.15f - r) / 0.55f);
  if (!rim) return body;
  float ring = burl_ease(1 - fabsf(r - 0.82f) / 0.22f);
  return 0.65f * body + 0.35f * ring;
}

static void darken(burl_canvas *canvas, const burl_cloth *cloth, size_t pixel, float amount) {
  static const float tint[3] = {0.80f, 0.95f, 1.15f}; /* dirt and oil are brownish */
  for (int c = 0; c < cloth->channels; c++)
    canvas->value[c][pixel] *= 1 - amount * (cloth->channels == 3 ? tint[c] : 1);
}

static void stain_row(const burl_fault *fault, const burl_cloth *cloth, burl_canvas *canvas,
                      size_t y, const window *w) {
  float depth = 0.14f + 0.34f * fault->strength;
  float fine = 1.6f / fault->half[1], offset = (float)(fault->key & 127);
  float dy = (float)(canvas->y + (ptrdiff_t)y) - fault->pixel[1];
  for (size_t x = w->x0; x < w->x1; x++) {
    float dx = (float)(canvas->x + (ptrdiff_t)x) - fault->pixel[0];
    float a = (fault->turn[0] * dx + fault->turn[1] * dy) / fault->half[0];
    float b = (fault->turn[0] * dy - fault->turn[1] * dx) / fault->half[1];
    float r = sqrtf(a * a + b * b);
    if (r > 1.5f) continue;
    float ruffle = burl_grain_at(cloth->grain, fine * dx + offset, fine * dy + 40) +
                   0.5f * burl_grain_at(cloth->grain, 2.3f * fine * dx, 2.3f * fine * dy + offset);
    float uneven = 1 + 0.25f * burl_grain_at(cloth->grain, 0.11f * dx + 9, 0.11f * dy + offset);
    float amount = depth * uneven * drop(r + 0.22f * ruffle, fault->variant == 0);
    darken(canvas, cloth, y * canvas->width + x, amount);
  }
}

static void oil_row(const burl_fault *fault, const burl_cloth *cloth, burl_canvas *canvas, size_t y,
                    const window *w) {
  float depth = 0.16f + 0.36f * fault->strength;
  burl_family f = fault->family;
  double middle = (double)fault->yarn;
  if (cloth->weave == BURL_WEAVE_RIB)
    middle = burl_pattern_wale_centre(&cloth->pattern, fault->yarn);
  for (size_t x = w->x0; x < w->x1; x++) {
    double uv[2];
    burl_cloth_locate(uv, cloth, (double)(canvas->x + (ptrdiff_t)x),
                      (double)(canvas->y + (ptrdiff_t)y));
    float off = (float)(uv[f] - middle), along = (float)(uv[1 - f] - (double)fault->from);
    if (fabsf(off) > 3) continue;
    float sway = burl_grain_at(cloth->grain, 0.12f * along, (float)(fault->key & 127));
    float thin = burl_grain_at(cloth->grain, 0.3f * along, 64.5f);
    float width = fault->half[0] * (1 + 0.25f * thin);
    float body = burl_ease(1.5f - fabsf(off - 0.2f * sway) / width);
    float length = (float)(fault->to - fault->from);
    float ends = burl_ease(0.25f * (along + 2)) * burl_ease(0.25f * (length + 2 - along));
    darken(canvas, cloth, y * canvas->width + x, depth * body * ends * (1 + 0.2f * thin));
  }
}

static void nep_row(const burl_fault *fault, const burl_cloth *cloth, burl_canvas *canvas, size_t y,
                    const window *w) {
  float radius = fault->half[0], offset = (float)(fault->key & 127);
  float solid = 0.35f + 0.35f * fault->strength, bright = fault->variant ? 0.88f : 0.30f;
  float dy = (float)(canvas->y + (ptrdiff_t)y) - fault->pixel[1];
  for (size_t x = w->x0; x < w->x1; x++) {
    size_t pixel = y * canvas->width + x;
    float dx = (float)(canvas->x + (ptrdiff_t)x) - fault->pixel[0];
    float ruffle = burl_grain_at(cloth->grain, 0.45f * dx + offset, 0.45f * dy);
    float sx = dx - 0.45f * radius, sy = dy - 0.45f * radius;
    float shadow = burl_ease(1.4f - sqrtf(sx * sx + sy * sy) / radius);
    for (int c = 0; c < cloth->channels; c++)
      canvas->value[c][pixel] *= 1 - 0.32f * solid * shadow;
    float r = sqrtf(dx * dx + dy * dy) / radius + 0.25f * ruffle;
    float mound = solid * burl_ease(1.8f * (1 - r));
    float facing = 1 - 0.12f * (dx + dy) / radius;
    float tangle = burl_grain_at(cloth->grain, 0.9f * dx + 7, 0.9f * dy + offset);
    canvas->cover[pixel] += mound;
    canvas->lustre[pixel] += mound * bright * facing * (1 + 0.25f * tangle);
  }
}

void burl_fault_overlay(const burl_fault *fault, const burl_cloth *cloth, burl_canvas *canvas) {
  window w = window_of(fault, canvas);
  for (size_t y = w.y0; y < w.y1; y++) {
    if (fault->kind == BURL_DEFECT_STAIN)
      stain_row(fault, cloth, canvas, y, &w);
    else if (fault->kind == BURL_DEFECT_OIL_LINE)
      oil_row(fault, cloth, canvas, y, &w);
    else if (fault->kind == BURL_DEFECT_NEP)
      nep_row(fault, cloth, canvas, y, &w);
  }
  for (size_t i = 0; i < fault->fibres; i++)
    burl_fibre_draw(canvas, &fault->fibre[i]);
}
