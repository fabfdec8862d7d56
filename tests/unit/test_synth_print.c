/* Printed cloth: its repeat, its inks, and defects of arrangement that are nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "failing.h"
#include "synth/canvas.h"
#include <burl/synth.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST = BURL_DEFECT_MISSING_FIGURE, LAST = BURL_DEFECT_SWAPPED_FIGURE };

static burl_synth_options options_of(int print, size_t repeat, int defect, size_t side,
                                     uint64_t seed, uint64_t index) {
  burl_synth_options options = burl_synth_default_options();
  options.print = (burl_print)print;
  options.repeat = repeat;
  options.defect = (burl_defect)defect;
  options.height = options.width = side;
  options.weave = (burl_weave)(seed % BURL_WEAVE_COUNT);
  options.seed = seed;
  options.index = index;
  return options;
}

static void draw(burl_image *image, burl_image *mask, const burl_synth_options *options) {
  *image = *mask = (burl_image){0};
  assert_int_equal(burl_synth_draw(image, mask, options), BURL_OK);
}

static void free_both(burl_image *image, burl_image *mask) {
  burl_image_free(image);
  burl_image_free(mask);
}

static size_t bytes_of(const burl_image *image) {
  return image->height * image->width * image->channels;
}

static size_t area_of(const burl_image *mask) {
  const unsigned char *pixel = mask->data;
  size_t area = 0;
  for (size_t i = 0; i < bytes_of(mask); i++)
    area += pixel[i] == 255;
  return area;
}

/* The greatest difference of the samples of a pixel. */
static int apart(const burl_image *a, const burl_image *b, size_t pixel) {
  const unsigned char *p = a->data, *q = b->data;
  int most = 0;
  for (size_t c = 0; c < a->channels; c++) {
    int d = abs(p[pixel * a->channels + c] - q[pixel * a->channels + c]);
    most = d > most ? d : most;
  }
  return most;
}

static void test_same_options_same_bytes(void **state) {
  (void)state;
  for (int print = 1; print < BURL_PRINT_COUNT; print++) {
    burl_synth_options options = options_of(print, 48, FIRST + print % 4, 150, 4, 9);
    options.colour = print & 1;
    burl_image a, b, ma, mb;
    draw(&a, &ma, &options);
    draw(&b, &mb, &options);
    assert_memory_equal(a.data, b.data, bytes_of(&a));
    assert_memory_equal(ma.data, mb.data, bytes_of(&ma));
    free_both(&a, &ma);
    free_both(&b, &mb);
  }
}

/* All images of a seed carry one print, each with a phase of its own; weaves and sizes share it. */
static void test_print_belongs_to_the_seed(void **state) {
  (void)state;
  for (int print = 1; print < BURL_PRINT_COUNT; print++) {
    burl_synth_options options = options_of(print, 0, BURL_DEFECT_NONE, 64, 3, 0);
    burl_layout a, b;
    burl_print_plan(&a, &options, 1);
    options.height = options.width = 700;
    options.weave = BURL_WEAVE_RIB;
    options.index = 5;
    burl_print_plan(&b, &options, 2);
    assert_true(a.phase[0] != b.phase[0] && a.phase[1] != b.phase[1]);
    memcpy(b.phase, a.phase, sizeof a.phase);
    memcpy(b.drift, a.drift, sizeof a.drift);
    memcpy(b.drift_rate, a.drift_rate, sizeof a.drift_rate);
    memcpy(b.drift_phase, a.drift_phase, sizeof a.drift_phase);
    assert_memory_equal(&a, &b, sizeof a);
    options.seed++;
    burl_print_plan(&b, &options, 2);
    assert_true(memcmp(a.ink, b.ink, sizeof a.ink) != 0);
  }
}

static void check_layout(const burl_layout *layout) {
  int met[BURL_MOTIFS] = {0};
  assert_in_range(layout->motifs, 2, BURL_MOTIFS);
  for (int axis = 0; axis < 2; axis++) {
    assert_in_range(layout->cells[axis], 0, BURL_CELLS);
    if (!layout->cells[axis]) continue;
    assert_true(layout->repeat[axis] >= BURL_REPEAT_LEAST);
    assert_true(layout->repeat[axis] <= BURL_REPEAT_MOST);
    for (int64_t i = -9; i < 9; i++)
      for (int64_t j = -9; j < 9; j++) {
        const int64_t cell[2] = {i, j};
        const int64_t next[2] = {i + layout->cells[0], j}, below[2] = {i, j + layout->cells[1]};
        const burl_motif *motif = burl_print_motif(layout, axis, cell);
        assert_ptr_equal(motif, burl_print_motif(layout, axis, next));
        assert_ptr_equal(motif, burl_print_motif(layout, axis, below));
        if (!motif) continue;
        assert_true(2 * (double)motif->radius < layout->cell[axis]); /* each in its own cell */
        met[motif - layout->motif]++;
      }
  }
  for (int i = 0; i < layout->motifs; i++)
    assert_true(met[i] > 0);
  if (layout->dropped) assert_int_equal(layout->cells[0] % 2, 0);
}

static void test_layouts(void **state) {
  (void)state;
  int drops = 0, motifs[BURL_MOTIFS + 1] = {0};
  for (int print = 1; print < BURL_PRINT_COUNT; print++)
    for (uint64_t seed = 0; seed < 60; seed++) {
      size_t repeat = seed % 3 ? 0 : 40 + (size_t)seed * 160 / 57;
      burl_synth_options options = options_of(print, repeat, BURL_DEFECT_NONE, 64, seed, 0);
      burl_layout layout;
      double told[2];
      burl_print_plan(&layout, &options, seed);
      check_layout(&layout);
      assert_int_equal(burl_synth_get_repeat(told, &options), BURL_OK);
      for (int axis = 0; axis < 2; axis++) {
        if (repeat && layout.cells[axis]) assert_true(told[axis] == (double)repeat);
        assert_true((told[axis] > 0) == (layout.cells[axis] > 0));
      }
      assert_true((told[0] == 0 || told[1] == 0) == (print == BURL_PRINT_STRIPES));
      drops += layout.dropped;
      if (print == BURL_PRINT_FIGURES) motifs[layout.motifs]++;
    }
  assert_in_range(drops, 20, 100);
  for (int count = 2; count <= BURL_MOTIFS; count++)
    assert_true(motifs[count] > 3);
}

/* The cell of a place is the one whose middle is nearest along both axes. */
static void test_cells_hold_their_places(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 8; seed++) {
    burl_synth_options options = options_of(BURL_PRINT_FIGURES, 0, BURL_DEFECT_NONE, 64, seed, 0);
    burl_layout layout;
    burl_print_plan(&layout, &options, seed);
    for (int k = 0; k < 200; k++) {
      const double place[2] = {37.7 * k - 3000, 2100 - 23.3 * k};
      int64_t cell[2], again[2];
      double middle[2], same[2];
      burl_print_cell_at(cell, middle, &layout, place);
      for (int axis = 0; axis < 2; axis++)
        assert_true(fabs(place[axis] - middle[axis]) <= 0.5 * layout.cell[axis] + 1e-9);
      burl_print_cell_at(again, same, &layout, middle);
      assert_true(cell[0] == again[0] && cell[1] == again[1]);
    }
  }
}

/* A shape lies within its circle, has an inside, and its distance never grows faster than places
 * move apart. */
static void test_shapes(void **state) {
  (void)state;
  enum { SIDE = 81 };
  for (int shape = 0; shape < BURL_SHAPE_COUNT; shape++) {
    int inside = 0;
    float left = 0;
    for (int k = 0; k < SIDE * SIDE; k++) {
      float x = 0.04f * (float)(k % SIDE) - 1.6f, y = 0.04f * (float)(k / SIDE) - 1.6f;
      float d = burl_figure_distance((burl_shape)shape, x, y);
      if (d < 0) assert_true(x * x + y * y < 1);
      if (k % SIDE) assert_true(fabsf(d - left) <= 0.04f + 1e-5f);
      inside += d < 0;
      left = d;
    }
    double share = inside * 0.04 * 0.04;
    assert_true(share > 0.5 && share < 3.15);
  }
}

static double correlate(const burl_image *image, double mean, ptrdiff_t down, ptrdiff_t across) {
  const unsigned char *p = image->data;
  ptrdiff_t h = (ptrdiff_t)image->height, w = (ptrdiff_t)image->width;
  double same = 0, power = 0;
  for (ptrdiff_t y = down < 0 ? -down : 0; y < h && y + down < h; y++)
    for (ptrdiff_t x = across < 0 ? -across : 0; x < w && x + across < w; x++) {
      double a = p[y * w + x] - mean, b = p[(y + down) * w + x + across] - mean;
      same += a * b;
      power += 0.5 * (a * a + b * b);
    }
  return same / power;
}

/* Every pixel the mean of a square about it: the weave goes, the print stays. */
static void smooth(burl_image *image, ptrdiff_t half) {
  unsigned char *p = image->data, *row = malloc(image->width * image->height);
  assert_non_null(row);
  ptrdiff_t h = (ptrdiff_t)image->height, w = (ptrdiff_t)image->width;
  for (int pass = 0; pass < 2; pass++) {
    for (ptrdiff_t y = 0; y < h; y++)
      for (ptrdiff_t x = 0; x < w; x++) {
        int sum = 0, count = 0;
        for (ptrdiff_t k = -half; k <= half; k++) {
          ptrdiff_t v = pass ? y + k : y, u = pass ? x : x + k;
          if (u < 0 || v < 0 || u >= w || v >= h) continue;
          sum += p[v * w + u];
          count++;
        }
        row[y * w + x] = (unsigned char)(sum / count);
      }
    memcpy(p, row, image->width * image->height);
  }
  free(row);
}

/* The best likeness about a lag along an axis of the cloth, with room for its bow. */
static double likeness(const burl_image *image, const burl_cloth *cloth, int axis, double lag) {
  const unsigned char *p = image->data;
  double mean = 0, best = -1;
  for (size_t i = 0; i < bytes_of(image); i++)
    mean += p[i];
  mean /= (double)bytes_of(image);
  for (double along = lag - 2; along <= lag + 2; along += 2) {
    double x = along * (axis ? -cloth->sine : cloth->cosine);
    double y = along * (axis ? cloth->cosine : cloth->sine);
    double c = correlate(image, mean, (ptrdiff_t)lround(y), (ptrdiff_t)lround(x));
    best = c > best ? c : best;
  }
  return best;
}

static void test_prints_repeat(void **state) {
  (void)state;
  for (int print = 1; print < BURL_PRINT_COUNT; print++)
    for (uint64_t seed = 0; seed < 8; seed++) {
      burl_synth_options options = options_of(print, 0, BURL_DEFECT_NONE, 256, seed, seed);
      if (seed & 1) options.repeat = 60 + 6 * (size_t)seed;
      options.weave = BURL_WEAVE_PLAIN; /* the others repeat over many yarns themselves */
      double repeat[2];
      assert_int_equal(burl_synth_get_repeat(repeat, &options), BURL_OK);
      burl_image image, mask;
      draw(&image, &mask, &options);
      smooth(&image, 3);
      burl_cloth cloth;
      burl_cloth_plan(&cloth, &options);
      for (int axis = 0; axis < 2; axis++) {
        if (repeat[axis] == 0 || repeat[axis] > 130) continue;
        double whole = likeness(&image, &cloth, axis, repeat[axis]);
        double half = likeness(&image, &cloth, axis, 0.5 * repeat[axis]);
        assert_true(whole > 0.45);
        assert_true(whole > half + 0.2);
      }
      free_both(&image, &mask);
    }
}

/* Ink and bare cloth are both there, nothing is clipped, and the yarns show through the ink. */
static void test_printed_images_are_sane(void **state) {
  (void)state;
  for (int print = 1; print < BURL_PRINT_COUNT; print++)
    for (uint64_t seed = 0; seed < 8; seed++) {
      burl_synth_options options = options_of(print, 80, BURL_DEFECT_NONE, 160, seed, seed);
      options.colour = seed & 1;
      burl_synth_options plain = options;
      plain.print = BURL_PRINT_NONE;
      plain.repeat = 0;
      burl_image inked, bare, mask, none;
      draw(&inked, &mask, &options);
      draw(&bare, &none, &plain);
      assert_int_equal(area_of(&mask), 0);
      size_t pixels = bytes_of(&mask), ink = 0, clipped = 0;
      for (size_t i = 0; i < pixels; i++)
        ink += apart(&inked, &bare, i) > 20;
      const unsigned char *p = inked.data;
      for (size_t i = 0; i < bytes_of(&inked); i++)
        clipped += p[i] == 0 || p[i] == 255;
      assert_in_range(ink, pixels / 25, pixels * 9 / 10);
      assert_true(clipped * 100 < bytes_of(&inked));
      free_both(&inked, &mask);
      free_both(&bare, &none);
    }
}

static void check_mask(const burl_synth_options *options) {
  burl_synth_options good = *options;
  good.defect = BURL_DEFECT_NONE;
  burl_image clean, flawed, none, mask;
  draw(&clean, &none, &good);
  draw(&flawed, &mask, options);
  const unsigned char *m = mask.data;
  size_t area = area_of(&mask), real = 0, pixels = bytes_of(&mask);
  assert_true(area >= 12);
  assert_true(area < pixels / 3);
  for (size_t i = 0; i < pixels; i++) {
    int most = apart(&clean, &flawed, i);
    if (m[i] == 0) assert_true(most <= 6);
    real += m[i] && most >= 4;
  }
  assert_true((double)real >= 0.7 * (double)area);
  free_both(&clean, &none);
  free_both(&flawed, &mask);
}

static void test_masks_are_exact(void **state) {
  (void)state;
  for (int print = 1; print < BURL_PRINT_COUNT; print++)
    for (int defect = FIRST; defect <= LAST; defect++)
      for (uint64_t index = 0; index < 6; index++) {
        size_t repeat = 40 + 12 * (size_t)index;
        burl_synth_options options =
            options_of(print, repeat, defect, 2 * repeat, 70 + index, index * 1000003);
        options.colour = index & 1;
        options.width += 13 * (size_t)(index % 3);
        check_mask(&options);
      }
}

/* Where a figure is missing there is the bare cloth, pixel by pixel. */
static void test_missing_figures_leave_bare_cloth(void **state) {
  (void)state;
  for (int print = 1; print < BURL_PRINT_COUNT; print++) {
    if (print == BURL_PRINT_CHECKS) continue; /* the other axis inks the place too */
    for (uint64_t index = 0; index < 6; index++) {
      burl_synth_options options = options_of(print, 100, FIRST, 220, 20 + index, index);
      burl_synth_options plain = options;
      plain.print = BURL_PRINT_NONE;
      plain.repeat = 0;
      plain.defect = BURL_DEFECT_NONE;
      burl_image flawed, bare, mask, none;
      draw(&flawed, &mask, &options);
      draw(&bare, &none, &plain);
      const unsigned char *m = mask.data;
      size_t area = area_of(&mask), alike = 0;
      for (size_t i = 0; i < bytes_of(&mask); i++)
        alike += m[i] && apart(&flawed, &bare, i) <= 6;
      assert_true(area > 0 && (double)alike > 0.9 * (double)area);
      free_both(&flawed, &mask);
      free_both(&bare, &none);
    }
  }
}

/* A shifted figure is missing in one place and too much in another: the print's ink lies in the
 * mask both before and after. A doubled one only adds ink, a missing one only takes it away. */
static void test_what_the_mask_holds(void **state) {
  (void)state;
  for (int defect = FIRST; defect < LAST; defect++)
    for (uint64_t index = 0; index < 8; index++) {
      burl_synth_options options =
          options_of(index & 1 ? BURL_PRINT_DOTS : BURL_PRINT_FIGURES, 110, defect, 256, 5, index);
      burl_synth_options good = options;
      good.defect = BURL_DEFECT_NONE;
      burl_image clean, flawed, mask, none;
      draw(&flawed, &mask, &options);
      draw(&clean, &none, &good);
      const unsigned char *a = clean.data, *b = flawed.data;
      size_t area = area_of(&mask), lost = 0, gained = 0;
      for (size_t i = 0; i < bytes_of(&mask); i++) { /* both inks of these prints are dark */
        lost += b[i] > a[i] + 5;
        gained += a[i] > b[i] + 5;
      }
      if (defect == BURL_DEFECT_MISSING_FIGURE) assert_true(lost > area / 2 && gained == 0);
      if (defect == BURL_DEFECT_DOUBLED_FIGURE) assert_true(gained > area / 2 && lost == 0);
      if (defect == BURL_DEFECT_SHIFTED_FIGURE) assert_true(gained > area / 6 && lost > area / 6);
      free_both(&clean, &none);
      free_both(&flawed, &mask);
    }
}

enum { PIECE = BURL_CANVAS_SIDE };

typedef struct easel {
  float grain[BURL_GRAIN_SIDE * BURL_GRAIN_SIDE];
  burl_bench bench;
  float plane[2][5][PIECE * PIECE];
} easel;

static burl_canvas canvas_at(easel *e, int which, ptrdiff_t x, ptrdiff_t y) {
  memset(e->plane[which], 0, sizeof e->plane[which]);
  float(*p)[PIECE * PIECE] = e->plane[which];
  return (burl_canvas){.x = x,
                       .y = y,
                       .width = PIECE,
                       .height = PIECE,
                       .value = {p[0], p[1], p[2]},
                       .cover = p[3],
                       .lustre = p[4]};
}

static void ink(burl_canvas *canvas, const burl_cloth *cloth, const burl_fault *fault) {
  for (size_t i = 0; i < (size_t)PIECE * PIECE; i++)
    canvas->value[0][i] = 0.6f;
  burl_print_lay(canvas, cloth, fault);
}

/* Only tiles that meet the defect's box are drawn twice: nothing may change outside it. */
static void test_box_holds_all_changes(void **state) {
  (void)state;
  easel *e = malloc(sizeof *e);
  assert_non_null(e);
  for (int print = 1; print < BURL_PRINT_COUNT; print++)
    for (int defect = FIRST; defect <= LAST; defect++)
      for (uint64_t index = 0; index < 20; index++) {
        size_t repeat = 40 + 7 * (size_t)index;
        burl_synth_options options = options_of(print, repeat, defect, 400, index, 90 + index);
        burl_cloth cloth;
        burl_fault fault;
        burl_cloth_plan(&cloth, &options);
        burl_grain_fill(e->grain, cloth.key);
        cloth.grain = e->grain;
        burl_fault_plan(&fault, &cloth, (burl_defect)defect);
        ptrdiff_t x0 = fault.box[0] - 20 - (ptrdiff_t)(index % 3) * 40, y0 = fault.box[1] - 20;
        burl_canvas good = canvas_at(e, 0, x0, y0), bad = canvas_at(e, 1, x0, y0);
        ink(&good, &cloth, NULL);
        ink(&bad, &cloth, &fault);
        for (ptrdiff_t y = 0; y < PIECE; y++)
          for (ptrdiff_t x = 0; x < PIECE; x++) {
            int inside = x0 + x > fault.box[0] && x0 + x + 1 < fault.box[2] &&
                         y0 + y > fault.box[1] && y0 + y + 1 < fault.box[3];
            if (!inside) assert_true(good.value[0][y * PIECE + x] == bad.value[0][y * PIECE + x]);
          }
      }
  free(e);
}

/* A canvas elsewhere inks the same: no seams between tiles. */
static void test_canvases_agree(void **state) {
  (void)state;
  easel *e = malloc(sizeof *e);
  assert_non_null(e);
  const ptrdiff_t shift = 37;
  for (int print = 1; print < BURL_PRINT_COUNT; print++) {
    burl_synth_options options = options_of(print, 0, BURL_DEFECT_NONE, 600, 8, 8);
    burl_cloth cloth;
    burl_cloth_plan(&cloth, &options);
    burl_grain_fill(e->grain, cloth.key);
    cloth.grain = e->grain;
    burl_canvas a = canvas_at(e, 0, 300, 200), b = canvas_at(e, 1, 300 + shift, 200 + shift);
    ink(&a, &cloth, NULL);
    ink(&b, &cloth, NULL);
    for (ptrdiff_t y = shift; y < PIECE; y++)
      for (ptrdiff_t x = shift; x < PIECE; x++) {
        float d = a.value[0][y * PIECE + x] - b.value[0][(y - shift) * PIECE + x - shift];
        assert_true(fabsf(d) < 1e-4f);
      }
  }
  free(e);
}

/* Faults of yarns and light can be had on printed cloth too. */
static void test_other_defects_on_a_print(void **state) {
  (void)state;
  for (int defect = 1; defect < FIRST; defect++) {
    burl_synth_options options = options_of(BURL_PRINT_CHECKS, 64, defect, 150, 6, 11);
    check_mask(&options);
  }
}

static void test_bad_options_are_refused(void **state) {
  (void)state;
  burl_synth_options good = options_of(BURL_PRINT_DOTS, 64, FIRST, 128, 1, 1), bad[9];
  for (int k = 0; k < 9; k++)
    bad[k] = good;
  bad[0].print = BURL_PRINT_COUNT;
  bad[1].print = (burl_print)77;
  bad[2].repeat = 39;
  bad[3].repeat = 201;
  bad[4].repeat = SIZE_MAX;
  bad[5].print = BURL_PRINT_NONE; /* a repeat without a print */
  bad[6].print = BURL_PRINT_NONE; /* a defect of arrangement without one */
  bad[6].repeat = 0;
  bad[7].height = 127; /* less than two repeats */
  bad[8].width = 127;
  burl_image image = {.height = 7}, mask = {.height = 8};
  double repeat[2] = {5, 6};
  for (int k = 0; k < 9; k++) {
    assert_int_equal(burl_synth_draw(&image, &mask, &bad[k]), BURL_ERR_ARGUMENT);
    if (k < 6) assert_int_equal(burl_synth_get_repeat(repeat, &bad[k]), BURL_ERR_ARGUMENT);
  }
  assert_int_equal(burl_synth_get_repeat(NULL, &good), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_synth_get_repeat(repeat, NULL), BURL_ERR_ARGUMENT);
  assert_true(repeat[0] == 5 && repeat[1] == 6);
  assert_true(image.height == 7 && mask.height == 8 && !image.data && !mask.data);
  assert_int_equal(burl_synth_get_repeat(repeat, &bad[6]), BURL_OK);
  assert_true(repeat[0] == 0 && repeat[1] == 0);
  draw(&image, &mask, &good);
  assert_true(area_of(&mask) > 0);
  free_both(&image, &mask);
  good.defect = BURL_DEFECT_NONE; /* good prints may be of any size */
  good.height = good.width = 32;
  draw(&image, &mask, &good);
  free_both(&image, &mask);
}

static void test_failing_allocations(void **state) {
  (void)state;
  burl_synth_options options = options_of(BURL_PRINT_FIGURES, 40, LAST, 80, 1, 1);
  for (long i = 0;; i++) {
    burl_image image = {.height = 7}, mask = {.height = 8};
    fail_allocation_after(i);
    burl_status status = burl_synth_draw(&image, &mask, &options);
    long made = stop_failing();
    if (status == BURL_OK) {
      assert_true(made == 3 && i == 3);
      free_both(&image, &mask);
      break;
    }
    assert_int_equal(status, BURL_ERR_MEMORY);
    assert_true(image.height == 7 && mask.height == 8 && !image.data && !mask.data);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_same_options_same_bytes),
      cmocka_unit_test(test_print_belongs_to_the_seed),
      cmocka_unit_test(test_layouts),
      cmocka_unit_test(test_cells_hold_their_places),
      cmocka_unit_test(test_shapes),
      cmocka_unit_test(test_prints_repeat),
      cmocka_unit_test(test_printed_images_are_sane),
      cmocka_unit_test(test_masks_are_exact),
      cmocka_unit_test(test_missing_figures_leave_bare_cloth),
      cmocka_unit_test(test_what_the_mask_holds),
      cmocka_unit_test(test_box_holds_all_changes),
      cmocka_unit_test(test_canvases_agree),
      cmocka_unit_test(test_other_defects_on_a_print),
      cmocka_unit_test(test_bad_options_are_refused),
      cmocka_unit_test(test_failing_allocations),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
