/* Synthetic cloth: determinism, exact masks, sane images, refused options. */
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

enum { OF_PRINT = BURL_DEFECT_MISSING_FIGURE }; /* defects before it need no print */

static burl_synth_options options_of(int weave, int defect, size_t height, size_t width,
                                     uint64_t seed, uint64_t index) {
  burl_synth_options options = burl_synth_default_options();
  options.weave = (burl_weave)weave;
  options.defect = (burl_defect)defect;
  options.height = height;
  options.width = width;
  options.seed = seed;
  options.index = index;
  return options;
}

static void draw(burl_image *image, burl_image *mask, const burl_synth_options *options) {
  *image = *mask = (burl_image){0};
  assert_int_equal(burl_synth_draw(image, mask, options), BURL_OK);
  assert_int_equal(image->height, options->height);
  assert_int_equal(image->width, options->width);
  assert_int_equal(image->channels, options->colour ? 3 : 1);
  assert_int_equal(image->sample, BURL_U8);
  assert_int_equal(mask->height, options->height);
  assert_int_equal(mask->width, options->width);
  assert_int_equal(mask->channels, 1);
  assert_int_equal(mask->sample, BURL_U8);
}

static size_t bytes_of(const burl_image *image) {
  return image->height * image->width * image->channels;
}

static size_t area_of(const burl_image *mask) {
  const unsigned char *pixel = mask->data;
  size_t area = 0;
  for (size_t i = 0; i < bytes_of(mask); i++) {
    assert_true(pixel[i] == 0 || pixel[i] == 255);
    area += pixel[i] == 255;
  }
  return area;
}

static void free_both(burl_image *image, burl_image *mask) {
  burl_image_free(image);
  burl_image_free(mask);
}

static void test_names(void **state) {
  (void)state;
  assert_string_equal(burl_weave_get_name(BURL_WEAVE_PLAIN), "plain");
  assert_string_equal(burl_weave_get_name(BURL_WEAVE_RIB), "rib");
  assert_string_equal(burl_defect_get_name(BURL_DEFECT_NONE), "good");
  assert_string_equal(burl_defect_get_name(BURL_DEFECT_MISWEAVE), "misweave");
  assert_string_equal(burl_defect_get_name(BURL_DEFECT_SWAPPED_FIGURE), "swapped_figure");
  assert_string_equal(burl_print_get_name(BURL_PRINT_NONE), "none");
  assert_string_equal(burl_print_get_name(BURL_PRINT_FIGURES), "figures");
  assert_null(burl_print_get_name(BURL_PRINT_COUNT));
  for (int defect = 0; defect < BURL_DEFECT_COUNT; defect++)
    assert_int_equal(burl_defect_needs_print((burl_defect)defect), defect >= OF_PRINT);
  assert_null(burl_weave_get_name(BURL_WEAVE_COUNT));
  assert_null(burl_defect_get_name(BURL_DEFECT_COUNT));
}

static void test_same_options_same_bytes(void **state) {
  (void)state;
  for (int weave = 0; weave < BURL_WEAVE_COUNT; weave++) {
    burl_synth_options options = options_of(weave, 1 + weave, 150, 141, 5, 7);
    options.colour = weave & 1;
    burl_image a, b, ma, mb;
    draw(&a, &ma, &options);
    draw(&b, &mb, &options);
    assert_memory_equal(a.data, b.data, bytes_of(&a));
    assert_memory_equal(ma.data, mb.data, bytes_of(&ma));
    free_both(&a, &ma);
    free_both(&b, &mb);
  }
}

/* Share of samples of a and b that differ. */
static double share_apart(const burl_image *a, const burl_image *b) {
  const unsigned char *p = a->data, *q = b->data;
  size_t apart = 0;
  for (size_t i = 0; i < bytes_of(a); i++)
    apart += p[i] != q[i];
  return (double)apart / (double)bytes_of(a);
}

static void test_seed_and_index_matter(void **state) {
  (void)state;
  burl_synth_options options = options_of(BURL_WEAVE_TWILL, BURL_DEFECT_NONE, 64, 64, 5, 7);
  burl_image first, other, mask_first, mask_other;
  draw(&first, &mask_first, &options);
  for (int k = 0; k < 3; k++) {
    burl_synth_options changed = options;
    if (k == 0) changed.index++;
    if (k == 1) changed.seed++;
    if (k == 2) changed.weave = BURL_WEAVE_SATIN;
    draw(&other, &mask_other, &changed);
    assert_true(share_apart(&first, &other) > 0.5);
    free_both(&other, &mask_other);
  }
  free_both(&first, &mask_first);
}

/* All images of a seed are of one cloth. */
static void test_cloth_belongs_to_the_seed(void **state) {
  (void)state;
  burl_cloth a, b;
  burl_synth_options options = options_of(BURL_WEAVE_PLAIN, BURL_DEFECT_NONE, 64, 64, 11, 0);
  burl_cloth_plan(&a, &options);
  options.index = 1;
  burl_cloth_plan(&b, &options);
  assert_true(a.spacing[0] == b.spacing[0] && a.spacing[1] == b.spacing[1]);
  assert_memory_equal(a.tone, b.tone, sizeof a.tone);
  assert_memory_equal(&a.pattern, &b.pattern, sizeof a.pattern);
  assert_true(a.origin[0] != b.origin[0]);
  for (uint64_t seed = 0; seed < 50; seed++) {
    options.seed = seed;
    burl_cloth_plan(&a, &options);
    assert_true(fabs(asin(a.sine)) <= 2 * 3.14159265 / 180);
    assert_true(a.spacing[0] >= 6 && a.spacing[0] <= 12);
  }
}

static void test_good_cloth_has_an_empty_mask(void **state) {
  (void)state;
  for (int weave = 0; weave < BURL_WEAVE_COUNT; weave++) {
    burl_synth_options options = options_of(weave, BURL_DEFECT_NONE, 96, 130, 2, 3);
    burl_image image, mask;
    draw(&image, &mask, &options);
    assert_int_equal(area_of(&mask), 0);
    free_both(&image, &mask);
  }
}

/* Outside the mask nothing changed visibly; inside most pixels did. */
static void check_mask(const burl_synth_options *options, double least_share) {
  burl_synth_options good = *options;
  good.defect = BURL_DEFECT_NONE;
  burl_image clean, flawed, none, mask;
  draw(&clean, &none, &good);
  draw(&flawed, &mask, options);
  const unsigned char *a = clean.data, *b = flawed.data, *m = mask.data;
  size_t area = area_of(&mask), real = 0, pixels = bytes_of(&mask);
  assert_true(area > 0);
  for (size_t i = 0; i < pixels; i++) {
    int most = 0;
    for (size_t c = 0; c < flawed.channels; c++) {
      int d = abs(a[i * flawed.channels + c] - b[i * flawed.channels + c]);
      most = d > most ? d : most;
    }
    if (m[i] == 0) assert_true(most <= 6);
    real += m[i] && most >= 4;
  }
  assert_true((double)real >= least_share * (double)area);
  free_both(&clean, &none);
  free_both(&flawed, &mask);
}

static void test_masks_are_exact(void **state) {
  (void)state;
  for (int weave = 0; weave < BURL_WEAVE_COUNT; weave++)
    for (int defect = 1; defect < OF_PRINT; defect++)
      for (uint64_t index = 0; index < 4; index++) {
        burl_synth_options options =
            options_of(weave, defect, 120, 150, 40 + index, index * 1000003);
        options.colour = index & 1;
        check_mask(&options, 0.7);
      }
}

static void test_masks_in_small_and_odd_images(void **state) {
  (void)state;
  const size_t sizes[][2] = {{32, 32}, {33, 35}, {129, 32}, {32, 257}};
  for (int weave = 0; weave < BURL_WEAVE_COUNT; weave++)
    for (int defect = 1; defect < OF_PRINT; defect++)
      for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        burl_synth_options options =
            options_of(weave, defect, sizes[k][0], sizes[k][1], 9, (uint64_t)(defect * 10) + k);
        check_mask(&options, 0.6);
      }
}

/* Defects must differ in size: the strongest mask of a kind is much larger than the weakest. */
static void test_defects_vary(void **state) {
  (void)state;
  for (int defect = 1; defect < OF_PRINT; defect++) {
    size_t low = SIZE_MAX, high = 0;
    for (uint64_t index = 0; index < 20; index++) {
      burl_synth_options options = options_of(BURL_WEAVE_PLAIN, defect, 160, 160, 3, index);
      burl_image image, mask;
      draw(&image, &mask, &options);
      size_t area = area_of(&mask);
      low = area < low ? area : low;
      high = area > high ? area : high;
      free_both(&image, &mask);
    }
    assert_true(high >= low + low / 2);
    assert_true(high < 160 * 160 * 3 / 5);
  }
}

static void test_images_are_sane(void **state) {
  (void)state;
  for (int weave = 0; weave < BURL_WEAVE_COUNT; weave++)
    for (uint64_t seed = 0; seed < 16; seed++) {
      burl_synth_options options = options_of(weave, BURL_DEFECT_NONE, 96, 96, seed, seed);
      options.colour = seed & 1;
      burl_image image, mask;
      draw(&image, &mask, &options);
      const unsigned char *pixel = image.data;
      double sum = 0, squares = 0, clipped = 0, count = (double)bytes_of(&image);
      for (size_t i = 0; i < bytes_of(&image); i++) {
        double v = pixel[i] / 255.0;
        sum += v;
        squares += v * v;
        clipped += pixel[i] == 0 || pixel[i] == 255;
      }
      double mean = sum / count, deviation = sqrt(squares / count - mean * mean);
      assert_true(mean > 0.25 && mean < 0.75);
      assert_true(deviation > 0.05 && deviation < 0.25);
      assert_true(clipped / count < 0.01);
      free_both(&image, &mask);
    }
}

/* The weave must be there: columns one repeat apart are alike, columns between them are not. */
static double likeness(const burl_image *image, size_t lag) {
  const unsigned char *p = image->data;
  double mean = 0, same = 0, power = 0;
  size_t n = bytes_of(image);
  for (size_t i = 0; i < n; i++)
    mean += p[i];
  mean /= (double)n;
  for (size_t y = 0; y < image->height; y++)
    for (size_t x = 0; x + lag < image->width; x++) {
      double a = p[y * image->width + x] - mean, b = p[y * image->width + x + lag] - mean;
      same += a * b;
      power += 0.5 * (a * a + b * b);
    }
  return same / power;
}

static void test_plain_weave_repeats_every_second_end(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 6; seed++) {
    burl_synth_options options = options_of(BURL_WEAVE_PLAIN, BURL_DEFECT_NONE, 128, 128, seed, 1);
    burl_cloth cloth;
    burl_cloth_plan(&cloth, &options);
    burl_image image, mask;
    draw(&image, &mask, &options);
    double repeat = likeness(&image, (size_t)(2 * cloth.spacing[0] + 0.5));
    assert_true(repeat > 0.4);
    assert_true(repeat > likeness(&image, (size_t)(1.5 * cloth.spacing[0] + 0.5)) + 0.2);
    free_both(&image, &mask);
  }
}

static void test_patterns(void **state) {
  (void)state;
  for (uint64_t choice = 0; choice < 4; choice++)
    for (int weave = 0; weave < BURL_WEAVE_RIB; weave++) {
      burl_pattern p = burl_pattern_choose((burl_weave)weave, choice);
      for (int64_t line = -9; line < 9; line++) { /* every end and pick dives once a repeat */
        int along_end = 0, along_pick = 0;
        for (int64_t k = 0; k < p.ends; k++) {
          along_end += !burl_pattern_end_on_top(&p, line, k - 4);
          along_pick += !burl_pattern_end_on_top(&p, k - 4, line);
        }
        assert_int_equal(along_end, 1);
        assert_int_equal(along_pick, 1);
      }
      int touching =
          !burl_pattern_end_on_top(&p, p.step > 0 ? -1 : 1, p.step > 0 ? p.step : -p.step);
      assert_true(touching); /* the next dive is one end and `step` picks away */
    }
  for (uint64_t choice = 0; choice < 4; choice++) {
    burl_pattern p = burl_pattern_choose(BURL_WEAVE_RIB, choice);
    for (int64_t wale = -20; wale < 20; wale++) {
      double centre = burl_pattern_wale_centre(&p, wale);
      double half = 0.5 * burl_pattern_wale_width(&p, wale);
      assert_int_equal(burl_pattern_wale_at(&p, centre), wale);
      assert_int_equal(burl_pattern_wale_at(&p, centre - 0.99 * half), wale);
      assert_int_equal(burl_pattern_wale_at(&p, centre + 0.99 * half), wale);
    }
  }
}

static void test_project_inverts_locate(void **state) {
  (void)state;
  burl_synth_options options = options_of(BURL_WEAVE_SATIN, BURL_DEFECT_NONE, 700, 900, 21, 4);
  burl_cloth cloth;
  burl_cloth_plan(&cloth, &options);
  for (int k = 0; k < 100; k++) {
    double x = 9.1 * k, y = 700 - 7.3 * k, uv[2], xy[2];
    burl_cloth_locate(uv, &cloth, x, y);
    burl_cloth_project(xy, &cloth, uv[0], uv[1]);
    assert_true(fabs(xy[0] - x) < 1e-4 && fabs(xy[1] - y) < 1e-4);
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

static void draw_canvas(burl_canvas *canvas, const burl_cloth *cloth, const burl_fault *fault,
                        burl_bench *bench) {
  if (cloth->weave == BURL_WEAVE_RIB)
    burl_knit_draw(canvas, cloth, fault, bench);
  else
    burl_woven_draw(canvas, cloth, fault, bench);
  burl_fibres_scatter(canvas, cloth);
  if (fault) burl_fault_overlay(fault, cloth, canvas);
  burl_fibres_lay(canvas, cloth);
}

/* Only tiles that meet the defect's box are drawn twice: nothing may change outside it. */
static void test_box_holds_all_changes(void **state) {
  (void)state;
  easel *e = malloc(sizeof *e);
  assert_non_null(e);
  for (int weave = 0; weave < BURL_WEAVE_COUNT; weave++)
    for (int defect = 1; defect < OF_PRINT; defect++)
      for (uint64_t index = 0; index < 5; index++) {
        burl_synth_options options = options_of(weave, defect, PIECE, PIECE, index, 90 + index);
        burl_cloth cloth;
        burl_fault fault;
        burl_cloth_plan(&cloth, &options);
        burl_grain_fill(e->grain, cloth.key);
        cloth.grain = e->grain;
        burl_fault_plan(&fault, &cloth, (burl_defect)defect);
        burl_canvas good = canvas_at(e, 0, 0, 0), bad = canvas_at(e, 1, 0, 0);
        draw_canvas(&good, &cloth, NULL, &e->bench);
        draw_canvas(&bad, &cloth, &fault, &e->bench);
        for (ptrdiff_t y = 0; y < PIECE; y++)
          for (ptrdiff_t x = 0; x < PIECE; x++) {
            int inside = x > fault.box[0] && x + 1 < fault.box[2] && y > fault.box[1] &&
                         y + 1 < fault.box[3]; /* one pixel to spare for the blur */
            if (!inside) assert_true(good.value[0][y * PIECE + x] == bad.value[0][y * PIECE + x]);
          }
      }
  free(e);
}

/* A canvas elsewhere draws the same cloth: no seams between tiles. */
static void test_canvases_agree(void **state) {
  (void)state;
  easel *e = malloc(sizeof *e);
  assert_non_null(e);
  const ptrdiff_t shift = 37;
  for (int weave = 0; weave < BURL_WEAVE_COUNT; weave++) {
    burl_synth_options options = options_of(weave, BURL_DEFECT_NONE, 600, 600, 8, 8);
    burl_cloth cloth;
    burl_cloth_plan(&cloth, &options);
    burl_grain_fill(e->grain, cloth.key);
    cloth.grain = e->grain;
    burl_canvas a = canvas_at(e, 0, 300, 200), b = canvas_at(e, 1, 300 + shift, 200 + shift);
    draw_canvas(&a, &cloth, NULL, &e->bench);
    draw_canvas(&b, &cloth, NULL, &e->bench);
    size_t apart = 0;
    for (ptrdiff_t y = shift; y < PIECE; y++)
      for (ptrdiff_t x = shift; x < PIECE; x++) {
        float d = a.value[0][y * PIECE + x] - b.value[0][(y - shift) * PIECE + x - shift];
        apart += fabsf(d) > 1e-3f;
      }
    assert_true(apart <= 20); /* of 9801: where two surfaces are equally high */
  }
  free(e);
}

static void test_longest_sides(void **state) {
  (void)state;
  for (int k = 0; k < 2; k++) {
    burl_synth_options options =
        options_of(k ? BURL_WEAVE_SATIN : BURL_WEAVE_RIB, BURL_DEFECT_BROKEN_PICK, 32, 16384, 1, 2);
    if (k) options.height = 16384, options.width = 32;
    burl_image image, mask;
    draw(&image, &mask, &options);
    assert_true(area_of(&mask) > 0);
    free_both(&image, &mask);
  }
}

static void test_bad_options_are_refused(void **state) {
  (void)state;
  burl_synth_options good = burl_synth_default_options(), bad[10];
  for (int k = 0; k < 10; k++)
    bad[k] = good;
  bad[0].height = 31;
  bad[1].width = 31;
  bad[2].height = 16385;
  bad[3].width = SIZE_MAX;
  bad[4].weave = BURL_WEAVE_COUNT;
  bad[5].defect = BURL_DEFECT_COUNT;
  bad[6].colour = 2;
  bad[7].colour = -1;
  bad[8].height = 0;
  bad[9].weave = (burl_weave)255;
  burl_image image = {.height = 7}, mask = {.height = 8};
  for (int k = 0; k < 10; k++)
    assert_int_equal(burl_synth_draw(&image, &mask, &bad[k]), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_synth_draw(NULL, &mask, &good), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_synth_draw(&image, NULL, &good), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_synth_draw(&image, &image, &good), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_synth_draw(&image, &mask, NULL), BURL_ERR_ARGUMENT);
  assert_true(image.height == 7 && mask.height == 8 && !image.data && !mask.data);
}

static void test_failing_allocations(void **state) {
  (void)state;
  burl_synth_options options = options_of(BURL_WEAVE_PLAIN, BURL_DEFECT_NEP, 40, 40, 1, 1);
  for (long i = 0;; i++) {
    burl_image image = {.height = 7}, mask = {.height = 8};
    fail_allocation_after(i);
    burl_status status = burl_synth_draw(&image, &mask, &options);
    long made = stop_failing();
    if (status == BURL_OK) {
      assert_true(made == 3 && i == 3); /* image, mask, and all working memory in one block */
      free_both(&image, &mask);
      break;
    }
    assert_int_equal(status, BURL_ERR_MEMORY);
    assert_true(image.height == 7 && mask.height == 8 && !image.data && !mask.data);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_names),
      cmocka_unit_test(test_same_options_same_bytes),
      cmocka_unit_test(test_seed_and_index_matter),
      cmocka_unit_test(test_cloth_belongs_to_the_seed),
      cmocka_unit_test(test_good_cloth_has_an_empty_mask),
      cmocka_unit_test(test_masks_are_exact),
      cmocka_unit_test(test_masks_in_small_and_odd_images),
      cmocka_unit_test(test_defects_vary),
      cmocka_unit_test(test_images_are_sane),
      cmocka_unit_test(test_plain_weave_repeats_every_second_end),
      cmocka_unit_test(test_patterns),
      cmocka_unit_test(test_project_inverts_locate),
      cmocka_unit_test(test_box_holds_all_changes),
      cmocka_unit_test(test_canvases_agree),
      cmocka_unit_test(test_longest_sides),
      cmocka_unit_test(test_bad_options_are_refused),
      cmocka_unit_test(test_failing_allocations),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
