/* Synthetic cloth: drawing, optics, light, sensor, and the mask of what a defect changed.
 *
 * The image is made tile by tile. Yarns, fibres and blemishes are drawn on a canvas one pixel
 * larger than the tile, blurred by the optics, lit, given the sensor's noise and rounded. A tile
 * that the defect can touch is drawn twice, without and with it; since every random number belongs
 * to a place and not to the order of drawing, the two differ only where the defect acts, and pixels
 * that differ by more than a threshold are the mask. Its pinholes are closed at the end, in place.
 */
#include <burl/synth.h>

#include "base/memory.h"
#include "base/random.h"
#include "synth/canvas.h"
#include <stdlib.h>

enum { TILE = 128, MARGIN = 1, CLOSING = 2 };

#define SIDE_LOW 32
#define SIDE_HIGH 16384
/* 5/255 before rounding: outside the mask rounded values differ by at most 6. */
#define VISIBLE (5.0f / 255)

#define CANVAS ((size_t)BURL_CANVAS_SIDE * BURL_CANVAS_SIDE)

/* Everything but the image and the mask: of fixed size, one allocation. */
typedef struct studio {
  burl_cloth cloth;
  burl_fault fault;
  burl_bench bench;
  float grain[BURL_GRAIN_SIDE * BURL_GRAIN_SIDE];
  float value[3][CANVAS], cover[CANVAS], lustre[CANVAS];
  float lamp[TILE * TILE], clean[3][TILE * TILE], flawed[3][TILE * TILE];
} studio;

/* A tile of the image, cut at its borders. */
typedef struct tile {
  size_t x, y, width, height;
} tile;

#define BURL_SYNTH_CASE(name, text)                                                                \
  case name:                                                                                       \
    return text;
const char *burl_weave_get_name(burl_weave weave) {
  switch (weave) {
    BURL_WEAVE_LIST(BURL_SYNTH_CASE)
  default:
    return NULL;
  }
}

const char *burl_defect_get_name(burl_defect defect) {
  switch (defect) {
    BURL_DEFECT_LIST(BURL_SYNTH_CASE)
  default:
    return NULL;
  }
}

const char *burl_print_get_name(burl_print print) {
  switch (print) {
    BURL_PRINT_LIST(BURL_SYNTH_CASE)
  default:
    return NULL;
  }
}
#undef BURL_SYNTH_CASE

int burl_defect_needs_print(burl_defect defect) {
  return defect == BURL_DEFECT_MISSING_FIGURE || defect == BURL_DEFECT_DOUBLED_FIGURE ||
         defect == BURL_DEFECT_SHIFTED_FIGURE || defect == BURL_DEFECT_SWAPPED_FIGURE;
}

burl_synth_options burl_synth_default_options(void) {
  return (burl_synth_options){.weave = BURL_WEAVE_PLAIN,
                              .defect = BURL_DEFECT_NONE,
                              .height = 256,
                              .width = 256,
                              .seed = 1};
}

static int print_holds(const burl_synth_options *options) {
  if (!burl_print_get_name(options->print)) return 0;
  if (options->print == BURL_PRINT_NONE) return options->repeat == 0;
  return options->repeat == 0 ||
         (options->repeat >= BURL_REPEAT_LEAST && options->repeat <= BURL_REPEAT_MOST);
}

burl_status burl_synth_get_repeat(double repeat[2], const burl_synth_options *options) {
  if (!repeat || !options || !print_holds(options)) return BURL_ERR_ARGUMENT;
  burl_layout layout;
  burl_print_plan(&layout, options, 0);
  for (int axis = 0; axis < 2; axis++)
    repeat[axis] = layout.cells[axis] ? layout.repeat[axis] : 0;
  return BURL_OK;
}

/* With two repeats in the image, one whole cell of the layout is well inside it. */
static int arrangement_fits(const burl_synth_options *options) {
  double repeat[2];
  if (options->print == BURL_PRINT_NONE) return 0;
  if (burl_synth_get_repeat(repeat, options) != BURL_OK) return 0;
  return 2 * repeat[0] <= (double)options->width && 2 * repeat[1] <= (double)options->height;
}

static int options_hold(const burl_synth_options *options) {
  return burl_weave_get_name(options->weave) && burl_defect_get_name(options->defect) &&
         options->height >= SIDE_LOW && options->height <= SIDE_HIGH &&
         options->width >= SIDE_LOW && options->width <= SIDE_HIGH &&
         (options->colour == 0 || options->colour == 1) && print_holds(options) &&
         (!burl_defect_needs_print(options->defect) || arrangement_fits(options));
}

/* How much light falls on each pixel of a tile: a slope, a fall-off to the corners, slow clouds. */
static void light_tile(studio *s, const tile *t) {
  const burl_cloth *cloth = &s->cloth;
  float across = 2 / (float)cloth->width, down = 2 / (float)cloth->height;
  for (size_t y = 0; y < t->height; y++) {
    float py = (float)(t->y + y), fy = py * down - 1;
    for (size_t x = 0; x < t->width; x++) {
      float px = (float)(t->x + x), fx = px * across - 1;
      float cloud = burl_grain_at(s->grain, px * 0.0083f + 3, py * 0.0083f + 71) +
                    0.5f * burl_grain_at(s->grain, px * 0.027f + 50, py * 0.027f + 17);
      s->lamp[y * TILE + x] = 1 + cloth->light[0] * fx + cloth->light[1] * fy -
                              cloth->light[2] * (fx * fx + fy * fy - 0.6f) +
                              cloth->light[3] * cloud;
    }
  }
}

/* The optics blur three by three pixels; then the light, and what the sensor can hold. */
static void expose(const studio *s, const tile *t, float (*out)[TILE * TILE]) {
  float side = s->cloth.blur, middle = 1 - 2 * side;
  size_t stride = t->width + 2 * MARGIN;
  for (int c = 0; c < s->cloth.channels; c++) {
    for (size_t y = 0; y < t->height; y++) {
      const float *row = s->value[c] + y * stride;
      float blurred[TILE + 2 * MARGIN];
      for (size_t x = 0; x < stride; x++)
        blurred[x] = middle * row[stride + x] + side * (row[x] + row[2 * stride + x]);
      for (size_t x = 0; x < t->width; x++) {
        float v = middle * blurred[x + 1] + side * (blurred[x] + blurred[x + 2]);
        v *= s->lamp[y * TILE + x];
        out[c][y * TILE + x] = v > 1 ? 1 : v;
      }
    }
  }
}

static void draw_tile(studio *s, const tile *t, const burl_fault *fault,
                      float (*out)[TILE * TILE]) {
  burl_canvas canvas = {
      .x = (ptrdiff_t)t->x - MARGIN,
      .y = (ptrdiff_t)t->y - MARGIN,
      .width = t->width + 2 * MARGIN,
      .height = t->height + 2 * MARGIN,
      .value = {s->value[0], s->value[1], s->value[2]},
      .cover = s->cover,
      .lustre = s->lustre,
  };
  for (size_t i = 0; i < canvas.width * canvas.height; i++)
    s->cover[i] = s->lustre[i] = 0;
  if (s->cloth.weave == BURL_WEAVE_RIB)
    burl_knit_draw(&canvas, &s->cloth, fault, &s->bench);
  else
    burl_woven_draw(&canvas, &s->cloth, fault, &s->bench);
  burl_print_lay(&canvas, &s->cloth, fault);
  burl_fibres_scatter(&canvas, &s->cloth);
  if (fault) burl_fault_overlay(fault, &s->cloth, &canvas);
  burl_fibres_lay(&canvas, &s->cloth);
  expose(s, t, out);
}

/* Nearly normal, unit variance: four bytes summed. */
static float bell(uint32_t bits) {
  int sum =
      (int)(bits & 255) + (int)(bits >> 8 & 255) + (int)(bits >> 16 & 255) + (int)(bits >> 24);
  return (float)(sum - 510) * 0.00676582f; /* 1 / sqrt(4 (256^2 - 1) / 12) */
}

static void sense(const studio *s, const tile *t, float (*seen)[TILE * TILE],
                  unsigned char *pixels) {
  const burl_cloth *cloth = &s->cloth;
  const uint32_t key[2] = {(uint32_t)cloth->key, (uint32_t)(cloth->key >> 32)};
  size_t channels = (size_t)cloth->channels;
  float noise = 255 * cloth->noise;
  for (size_t c = 0; c < channels; c++)
    for (size_t y = 0; y < t->height; y++) {
      unsigned char *row = pixels + ((t->y + y) * cloth->width + t->x) * channels + c;
      uint32_t bits[4] = {0};
      for (size_t x = 0; x < t->width; x++) { /* tiles start at multiples of four */
        if (x % 4 == 0)
          burl_philox(bits,
                      (const uint32_t[4]){(uint32_t)(t->x + x), (uint32_t)(t->y + y), (uint32_t)c,
                                          BURL_STREAM_SENSOR},
                      key);
        float v = 255 * seen[c][y * TILE + x] + noise * bell(bits[x % 4]) + 0.5f;
        row[x * channels] = v < 0 ? 0 : v > 255 ? 255 : (unsigned char)v;
      }
    }
}

static void mark(const studio *s, const tile *t, unsigned char *mask) {
  for (size_t y = 0; y < t->height; y++)
    for (size_t x = 0; x < t->width; x++) {
      float most = 0;
      for (int c = 0; c < s->cloth.channels; c++) {
        float d = s->clean[c][y * TILE + x] - s->flawed[c][y * TILE + x];
        d = d < 0 ? -d : d;
        most = d > most ? d : most;
      }
      if (most > VISIBLE) mask[(t->y + y) * s->cloth.width + t->x + x] = 255;
    }
}

static int touches(const burl_fault *fault, const tile *t) {
  return fault->box[0] < (ptrdiff_t)(t->x + t->width) && fault->box[2] > (ptrdiff_t)t->x &&
         fault->box[1] < (ptrdiff_t)(t->y + t->height) && fault->box[3] > (ptrdiff_t)t->y;
}

static void make_tile(studio *s, const tile *t, burl_image *image, burl_image *mask) {
  float(*seen)[TILE * TILE] = s->clean;
  light_tile(s, t);
  draw_tile(s, t, NULL, s->clean);
  if (s->fault.kind != BURL_DEFECT_NONE && touches(&s->fault, t)) {
    draw_tile(s, t, &s->fault, s->flawed);
    mark(s, t, mask->data);
    seen = s->flawed;
  }
  sense(s, t, seen, image->data);
}

static int has_near(const unsigned char *mask, const burl_cloth *cloth, size_t x, size_t y,
                    unsigned char value) {
  size_t x0 = x < CLOSING ? 0 : x - CLOSING, y0 = y < CLOSING ? 0 : y - CLOSING;
  for (size_t v = y0; v <= y + CLOSING && v < cloth->height; v++)
    for (size_t u = x0; u <= x + CLOSING && u < cloth->width; u++)
      if (mask[v * cloth->width + u] == value) return 1;
  return 0;
}

/* Closes pinholes: grown pixels are marked 1, those that erosion takes back 2. Each pass looks
 * only for a value that it does not write, so that no second mask is needed. */
static void close_mask(unsigned char *mask, const burl_cloth *cloth, const burl_fault *fault) {
  size_t bounds[4];
  for (int k = 0; k < 4; k++) {
    ptrdiff_t side = (ptrdiff_t)(k & 1 ? cloth->height : cloth->width);
    ptrdiff_t place = fault->box[k] + (k < 2 ? -CLOSING : CLOSING);
    bounds[k] = (size_t)(place < 0 ? 0 : place > side ? side : place);
  }
  for (int pass = 0; pass < 3; pass++)
    for (size_t y = bounds[1]; y < bounds[3]; y++)
      for (size_t x = bounds[0]; x < bounds[2]; x++) {
        unsigned char *pixel = &mask[y * cloth->width + x];
        if (pass == 0 && *pixel == 0 && has_near(mask, cloth, x, y, 255)) *pixel = 1;
        if (pass == 1 && *pixel == 1 && has_near(mask, cloth, x, y, 0)) *pixel = 2;
        if (pass == 2 && *pixel != 255) *pixel = *pixel == 1 ? 255 : 0;
      }
}

static void draw(studio *s, burl_image *image, burl_image *mask,
                 const burl_synth_options *options) {
  burl_cloth_plan(&s->cloth, options);
  burl_grain_fill(s->grain, s->cloth.key);
  s->cloth.grain = s->grain;
  s->fault.kind = BURL_DEFECT_NONE;
  if (options->defect != BURL_DEFECT_NONE) burl_fault_plan(&s->fault, &s->cloth, options->defect);
  for (size_t y = 0; y < options->height; y += TILE)
    for (size_t x = 0; x < options->width; x += TILE) {
      size_t right = options->width - x, below = options->height - y;
      tile t = {x, y, right < TILE ? right : TILE, below < TILE ? below : TILE};
      make_tile(s, &t, image, mask);
    }
  if (options->defect != BURL_DEFECT_NONE) close_mask(mask->data, &s->cloth, &s->fault);
}

burl_status burl_synth_draw(burl_image *image, burl_image *mask,
                            const burl_synth_options *options) {
  if (!image || !mask || image == mask || !options || !options_hold(options))
    return BURL_ERR_ARGUMENT;
  burl_image drawn = {0}, marked = {0};
  studio *s = burl_alloc(1, sizeof *s);
  burl_status status = s ? BURL_OK : BURL_ERR_MEMORY;
  if (status == BURL_OK)
    status =
        burl_image_new(&drawn, options->height, options->width, options->colour ? 3 : 1, BURL_U8);
  if (status == BURL_OK)
    status = burl_image_new(&marked, options->height, options->width, 1, BURL_U8);
  if (status == BURL_OK) {
    draw(s, &drawn, &marked, options);
    *image = drawn;
    *mask = marked;
  } else {
    burl_image_free(&drawn);
    burl_image_free(&marked);
  }
  free(s);
  return status;
}
