/* The colour map, overlays and the small pictures of the page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "failing.h"
#include "report/colormap.h"
#include "report/overlay_bar.h"
#include "report/overlay_paint.h"
#include "report/thumb.h"

#include <burl/report.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[256], path[300];

static int make_folder(void **state) {
  (void)state;
  const char *base = getenv("TMPDIR");
  snprintf(folder, sizeof folder, "%s/burl-overlay-XXXXXX", base ? base : "/tmp");
  if (!mkdtemp(folder)) return 1;
  snprintf(path, sizeof path, "%s/o.png", folder);
  return 0;
}

static int drop_folder(void **state) {
  (void)state;
  unlink(path);
  return rmdir(folder); /* fails where a temporary file was left behind */
}

/* sRGB bytes to OKLab, the inverse of what the map is made with. */
static void to_oklab(double lab[3], const uint8_t rgb[3]) {
  double v[3];
  for (int c = 0; c < 3; c++) {
    double s = rgb[c] / 255.0;
    v[c] = s <= 0.04045 ? s / 12.92 : pow((s + 0.055) / 1.055, 2.4);
  }
  double l = cbrt(0.4122214708 * v[0] + 0.5363325363 * v[1] + 0.0514459929 * v[2]);
  double m = cbrt(0.2119034982 * v[0] + 0.6806995451 * v[1] + 0.1073969566 * v[2]);
  double s = cbrt(0.0883024619 * v[0] + 0.2817188376 * v[1] + 0.6299787005 * v[2]);
  lab[0] = 0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s;
  lab[1] = 1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s;
  lab[2] = 0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s;
}

static double distance(const uint8_t a[3], const uint8_t b[3]) {
  double x[3], y[3];
  to_oklab(x, a);
  to_oklab(y, b);
  return sqrt(pow(x[0] - y[0], 2) + pow(x[1] - y[1], 2) + pow(x[2] - y[2], 2));
}

/* Lightness rises; steps over 24 entries, where rounding to bytes hardly counts, are alike; no
 * colour had to be cut to fit into sRGB. */
static void colormap_is_even(void **state) {
  (void)state;
  burl_colormap map;
  burl_colormap_fill(&map);
  double lab[3], last = 0, low = 1, high = 0;
  for (int i = 0; i < BURL_COLORMAP_SIZE; i++) {
    to_oklab(lab, map.rgb[i]);
    assert_true(lab[0] > last);
    last = lab[0];
    assert_float_equal(hypot(lab[1], lab[2]), 0.15, 0.005);
    if (i < 24) continue;
    double step = distance(map.rgb[i], map.rgb[i - 24]);
    low = fmin(low, step);
    high = fmax(high, step);
  }
  assert_true(high / low < 1.1);
}

static void colormap_runs_from_violet_to_yellow(void **state) {
  (void)state;
  burl_colormap map;
  burl_colormap_fill(&map);
  const uint8_t *first = map.rgb[0], *last = map.rgb[BURL_COLORMAP_SIZE - 1];
  assert_true(first[2] > first[0] && first[0] > first[1] && first[2] < 140);
  assert_true(last[0] > 200 && last[1] > 200 && last[2] < 140);
}

static void palette_is_clear_for_typical_cloth(void **state) {
  (void)state;
  burl_palette palette;
  burl_palette_fill(&palette);
  for (int grey = 0; grey < 256; grey++) {
    for (double heat = -3; heat <= 0.5; heat += 0.05) {
      uint8_t rgb[3];
      burl_palette_blend(&palette, rgb, (uint8_t)grey, (float)heat);
      for (int c = 0; c < 3; c++)
        assert_int_equal(rgb[c], grey);
    }
  }
}

/* From heat 2 on 85 % are colour; above the scale nothing changes. */
static void palette_covers_defects(void **state) {
  (void)state;
  burl_palette palette;
  burl_colormap map;
  burl_palette_fill(&palette);
  burl_colormap_fill(&map);
  for (int i = 128; i < 256; i++) {
    uint8_t rgb[3];
    burl_palette_blend(&palette, rgb, 200, (float)(i * BURL_HEAT_SCALE / 255));
    for (int c = 0; c < 3; c++)
      assert_in_range(rgb[c] + 2 - (int)(0.15 * 200 + 0.85 * map.rgb[i][c] + 0.5), 0, 4);
  }
  uint8_t full[3], more[3];
  burl_palette_blend(&palette, full, 10, 4.0F);
  burl_palette_blend(&palette, more, 10, INFINITY);
  assert_memory_equal(full, more, 3);
}

static burl_image random_image(size_t height, size_t width, size_t channels, burl_sample sample) {
  burl_image image = {0};
  assert_int_equal(burl_image_new(&image, height, width, channels, sample), BURL_OK);
  burl_random random = burl_random_start(3, height * 1000 + width);
  size_t n = height * width * channels;
  for (size_t i = 0; i < n; i++) {
    uint64_t bits = burl_random_bits(&random);
    if (sample == BURL_U8) ((uint8_t *)image.data)[i] = (uint8_t)bits;
    if (sample == BURL_U16) ((uint16_t *)image.data)[i] = (uint16_t)bits;
    if (sample == BURL_F32) ((float *)image.data)[i] = (float)(bits % 1500) / 1000 - 0.2F;
  }
  return image;
}

/* The grey of a pixel, by itself. */
static double grey_of(const burl_image *image, size_t pixel) {
  double sum = 0;
  for (size_t c = 0; c < image->channels; c++) {
    size_t i = pixel * image->channels + c;
    if (image->sample == BURL_U8) sum += ((uint8_t *)image->data)[i] / 255.0;
    if (image->sample == BURL_U16) sum += ((uint16_t *)image->data)[i] / 65535.0;
    if (image->sample == BURL_F32) sum += (double)((float *)image->data)[i];
  }
  return 255 * fmin(1, fmax(0, sum / (double)image->channels));
}

static burl_image save_and_load(const burl_image *image, const float *heat) {
  burl_image picture = {0};
  burl_diag diag = {0};
  assert_int_equal(burl_report_save_overlay(image, heat, path, &diag), BURL_OK);
  assert_int_equal(burl_image_load(&picture, path, &diag), BURL_OK);
  assert_int_equal(picture.height, image->height);
  assert_true(picture.width > image->width + 16);
  assert_int_equal(picture.channels, 3);
  assert_int_equal(picture.sample, BURL_U8);
  return picture;
}

static const uint8_t *pixel_of(const burl_image *picture, size_t y, size_t x) {
  return (const uint8_t *)picture->data + 3 * (y * picture->width + x);
}

static void cold_heat_leaves_the_image(void **state) {
  (void)state;
  static const size_t channels[] = {1, 3};
  static const burl_sample samples[] = {BURL_U8, BURL_U16, BURL_F32};
  float *heat = calloc(31 * 47, sizeof *heat);
  assert_non_null(heat);
  for (int k = 0; k < 6; k++) {
    burl_image image = random_image(31, 47, channels[k / 3], samples[k % 3]);
    burl_image picture = save_and_load(&image, heat);
    for (size_t i = 0; i < 31 * 47; i++) {
      const uint8_t *rgb = pixel_of(&picture, i / 47, i % 47);
      assert_true(rgb[0] == rgb[1] && rgb[1] == rgb[2]);
      assert_true(fabs(rgb[0] - grey_of(&image, i)) <= 0.5001);
    }
    burl_image_free(&picture);
    burl_image_free(&image);
  }
  free(heat);
}

/* Two defects, one of them cut by the border, and noise around the threshold. */
static float *random_heat(size_t height, size_t width) {
  float *heat = calloc(height * width, sizeof *heat);
  assert_non_null(heat);
  burl_random random = burl_random_start(11, 1);
  for (size_t i = 0; i < height * width; i++) {
    double y = (double)(i / width), x = (double)(i % width);
    double near = fmin(hypot(y - 12, x - 20), hypot(y - 30, x - 2));
    heat[i] = (float)(3 * exp(-near * near / 50) + 0.1 * burl_random_uniform(&random));
  }
  return heat;
}

static int on_contour(const float *heat, size_t height, size_t width, size_t y, size_t x) {
  if (heat[y * width + x] < 1) return 0;
  return (y > 0 && heat[(y - 1) * width + x] < 1) || (x > 0 && heat[y * width + x - 1] < 1) ||
         (y + 1 < height && heat[(y + 1) * width + x] < 1) ||
         (x + 1 < width && heat[y * width + x + 1] < 1);
}

static void contour_runs_where_the_threshold_is(void **state) {
  (void)state;
  enum { H = 40, W = 50 };
  burl_image image = random_image(H, W, 1, BURL_U8);
  float *heat = random_heat(H, W);
  burl_palette palette;
  burl_palette_fill(&palette);
  burl_image picture = save_and_load(&image, heat);
  size_t contour = 0;
  for (size_t i = 0; i < (size_t)H * W; i++) {
    uint8_t plain[3];
    const uint8_t *rgb = pixel_of(&picture, i / W, i % W);
    burl_palette_blend(&palette, plain, ((uint8_t *)image.data)[i], heat[i]);
    if (!on_contour(heat, H, W, i / W, i % W)) {
      assert_memory_equal(rgb, plain, 3);
      continue;
    }
    contour++;
    double luma = (0.2126 * plain[0] + 0.7152 * plain[1] + 0.0722 * plain[2]);
    assert_true(rgb[0] == rgb[1] && rgb[1] == rgb[2] && (rgb[0] == 0 || rgb[0] == 255));
    assert_true(fabs(luma - rgb[0]) > 120);
  }
  assert_in_range(contour, 30, 200);
  burl_image_free(&picture);
  burl_image_free(&image);
  free(heat);
}

/* The strip is the same for any heat; hot is at the top, the threshold a quarter up. */
static void bar_tells_the_scale(void **state) {
  (void)state;
  burl_palette palette;
  burl_overlay_bar bar;
  burl_palette_fill(&palette);
  burl_overlay_bar_lay(&bar, &palette, 200);
  for (int k = 0; k < BURL_BAR_LABELS; k++)
    assert_true(bar.shown[k]);
  assert_int_equal(bar.tick[0], bar.top + bar.length - 1);
  assert_int_equal(bar.tick[4], bar.top);
  uint8_t *row = malloc(3 * bar.width), top[3], bottom[3];
  assert_non_null(row);
  size_t inside = 3 * 10 * bar.unit;
  burl_palette_blend(&palette, top, 128, 4.0F);
  burl_palette_blend(&palette, bottom, 128, 0.0F);
  burl_overlay_bar_paint_row(&bar, row, bar.tick[4]);
  assert_memory_equal(row + inside, top, 3);
  burl_overlay_bar_paint_row(&bar, row, bar.tick[0]);
  assert_memory_equal(row + inside, bottom, 3);
  burl_overlay_bar_paint_row(&bar, row, bar.tick[1]);
  assert_true(row[inside] == 255 && row[inside + 1] == 255 && row[inside + 2] == 255);
  burl_overlay_bar_paint_row(&bar, row, 0);
  for (size_t i = 0; i < 3 * 20 * bar.unit; i++) /* above the bar there is only paper */
    assert_int_equal(row[i], 255);
  free(row);
}

/* Any height: nothing is written outside the strip, and digits never overlap. */
static void bar_fits_any_height(void **state) {
  (void)state;
  burl_palette palette;
  burl_palette_fill(&palette);
  for (size_t height = 1; height < 3000; height += height < 60 ? 1 : 333) {
    burl_overlay_bar bar;
    burl_overlay_bar_lay(&bar, &palette, height);
    uint8_t *row = malloc(3 * bar.width); /* exactly the strip: overruns are seen by sanitizers */
    assert_non_null(row);
    for (size_t y = 0; y < height; y++)
      burl_overlay_bar_paint_row(&bar, row, y);
    if (height >= 44) assert_true(bar.shown[0] && bar.shown[1] && bar.shown[4]);
    for (int k = 1; k < BURL_BAR_LABELS; k++)
      if (bar.shown[k] && bar.shown[k - 1])
        assert_true(bar.tick[k - 1] - bar.tick[k] > 7 * bar.unit);
    free(row);
  }
}

static void any_size_is_drawn(void **state) {
  (void)state;
  static const size_t sizes[][2] = {{1, 1}, {1, 300}, {300, 1}, {2, 3}, {17, 5}};
  for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
    burl_image image = random_image(sizes[k][0], sizes[k][1], 3, BURL_U8);
    float *heat = calloc(sizes[k][0] * sizes[k][1], sizeof *heat);
    assert_non_null(heat);
    for (size_t i = 0; i < sizes[k][0] * sizes[k][1]; i++)
      heat[i] = 5; /* hot everywhere: no contour, for it crosses nothing */
    burl_image picture = save_and_load(&image, heat);
    const uint8_t *rgb = pixel_of(&picture, 0, 0);
    assert_true(rgb[0] != rgb[2]);
    burl_image_free(&picture);
    burl_image_free(&image);
    free(heat);
  }
}

static void nan_is_refused(void **state) {
  (void)state;
  burl_image image = random_image(5, 6, 1, BURL_U8);
  float heat[30] = {0};
  burl_diag diag = {0};
  heat[17] = NAN;
  unlink(path);
  assert_int_equal(burl_report_save_overlay(&image, heat, path, &diag), BURL_ERR_NUMERIC);
  assert_non_null(strstr(diag.reason, "row 2"));
  assert_int_equal(access(path, F_OK), -1);
  burl_image_free(&image);
}

static void unwritable_path_is_told(void **state) {
  (void)state;
  burl_image image = random_image(5, 6, 1, BURL_U8);
  float heat[30] = {0};
  burl_diag diag = {0};
  assert_int_equal(burl_report_save_overlay(&image, heat, "/dev/null/o.png", &diag), BURL_ERR_IO);
  assert_string_equal(diag.path, "/dev/null/o.png");
  burl_image_free(&image);
}

static void overlay_survives_failing_allocations(void **state) {
  (void)state;
  burl_image image = random_image(20, 30, 1, BURL_U8);
  float *heat = calloc(600, sizeof *heat);
  assert_non_null(heat);
  unlink(path);
  for (long i = 0;; i++) {
    fail_allocation_after(i);
    burl_status status = burl_report_save_overlay(&image, heat, path, NULL);
    long made = stop_failing();
    if (status == BURL_OK) break;
    /* stdio may lack its buffer and go without, or fail as a system error */
    assert_true(status == BURL_ERR_MEMORY || status == BURL_ERR_IO);
    assert_int_equal(access(path, F_OK), -1);
    assert_true(made <= i + 8);
  }
  assert_int_equal(access(path, F_OK), 0);
  burl_image_free(&image);
  free(heat);
}

/* A defect of one pixel is still seen, and the most of the heat stays the most. */
static void thumb_keeps_what_is_small(void **state) {
  (void)state;
  enum { H = 700, W = 1500 };
  burl_image image = random_image(H, W, 3, BURL_U8);
  float *heat = calloc((size_t)H * W, sizeof *heat);
  uint8_t *mask = calloc((size_t)H * W, 1);
  assert_non_null(heat);
  assert_non_null(mask);
  heat[400 * W + 1000] = 2.5F;
  mask[400 * W + 1000] = 1;
  burl_thumb thumb = {0};
  assert_int_equal(burl_thumb_make(&thumb, &image, heat, mask), BURL_OK);
  size_t n = thumb.grey.height * thumb.grey.width, hot = 0;
  assert_int_equal(thumb.grey.width, BURL_THUMB_SIDE);
  assert_in_range(thumb.grey.height, 104, 105);
  for (size_t i = 0; i < n; i++) {
    assert_int_equal(thumb.mask[i], thumb.heat[i] > 0 ? 255 : 0);
    if (thumb.heat[i] > 0) hot++;
    if (thumb.heat[i] > 0) assert_true(thumb.heat[i] == 2.5F);
  }
  assert_int_equal(hot, 1);
  burl_thumb_free(&thumb);
  heat[7] = NAN;
  assert_int_equal(burl_thumb_make(&thumb, &image, heat, NULL), BURL_ERR_NUMERIC);
  assert_null(thumb.heat);
  burl_image_free(&image);
  free(heat);
  free(mask);
}

static void small_images_are_kept_as_they_are(void **state) {
  (void)state;
  burl_image image = random_image(40, 50, 1, BURL_U8);
  float *heat = random_heat(40, 50);
  burl_thumb thumb = {0};
  assert_int_equal(burl_thumb_make(&thumb, &image, heat, NULL), BURL_OK);
  assert_memory_equal(thumb.grey.data, image.data, 40 * 50);
  assert_memory_equal(thumb.heat, heat, 40 * 50 * sizeof *heat);
  assert_null(thumb.mask);
  burl_thumb_free(&thumb);
  burl_image_free(&image);
  free(heat);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(colormap_is_even),
      cmocka_unit_test(colormap_runs_from_violet_to_yellow),
      cmocka_unit_test(palette_is_clear_for_typical_cloth),
      cmocka_unit_test(palette_covers_defects),
      cmocka_unit_test(cold_heat_leaves_the_image),
      cmocka_unit_test(contour_runs_where_the_threshold_is),
      cmocka_unit_test(bar_tells_the_scale),
      cmocka_unit_test(bar_fits_any_height),
      cmocka_unit_test(any_size_is_drawn),
      cmocka_unit_test(nan_is_refused),
      cmocka_unit_test(unwritable_path_is_told),
      cmocka_unit_test(overlay_survives_failing_allocations),
      cmocka_unit_test(thumb_keeps_what_is_small),
      cmocka_unit_test(small_images_are_kept_as_they_are),
  };
  return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
