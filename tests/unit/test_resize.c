/* Shrinking, against area means by definition; exact sizes, against weights over all pixels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "failing.h"
#include "image/resize.h"

#include <math.h>
#include <string.h>

static burl_image random_image(size_t height, size_t width, size_t channels, burl_sample sample) {
  burl_image image = {0};
  burl_random random = burl_random_start(height, width * 16 + (size_t)sample);
  assert_int_equal(burl_image_new(&image, height, width, channels, sample), BURL_OK);
  for (size_t i = 0; i < height * width * channels; i++) {
    uint64_t bits = burl_random_bits(&random);
    if (sample == BURL_U8)
      ((uint8_t *)image.data)[i] = (uint8_t)bits;
    else if (sample == BURL_U16)
      ((uint16_t *)image.data)[i] = (uint16_t)bits;
    else
      ((float *)image.data)[i] = (float)(1.4 * burl_random_uniform(&random) - 0.2);
  }
  return image;
}

/* Channel c of a pixel as 0..1; grey is every channel, and the mean of the channels. */
static double get_value(const burl_image *image, size_t y, size_t x, size_t c, size_t channels) {
  double sum = 0;
  if (image->channels == 3 && channels == 1) {
    for (size_t k = 0; k < 3; k++)
      sum += get_value(image, y, x, k, 3) / 3;
    return sum;
  }
  size_t i = (y * image->width + x) * image->channels + (image->channels == 3 ? c : 0);
  if (image->sample == BURL_U8) return ((const uint8_t *)image->data)[i] / 255.0;
  if (image->sample == BURL_U16) return ((const uint16_t *)image->data)[i] / 65535.0;
  return (double)((const float *)image->data)[i];
}

static double overlap(double a0, double a1, double b0, double b1) {
  return fmax(0, fmin(a1, b1) - fmax(a0, b0));
}

/* The area mean of one cell, by going through all pixels. */
static double mean_by_definition(const burl_image *image, const burl_image *small, size_t i,
                                 size_t j, size_t c) {
  double ry = (double)image->height / (double)small->height;
  double rx = (double)image->width / (double)small->width;
  double sum = 0;
  for (size_t y = 0; y < image->height; y++) {
    double wy = overlap((double)y, (double)y + 1, (double)i * ry, (double)(i + 1) * ry);
    for (size_t x = 0; wy > 0 && x < image->width; x++)
      sum += wy * overlap((double)x, (double)x + 1, (double)j * rx, (double)(j + 1) * rx) *
             fmin(1, fmax(0, get_value(image, y, x, c, small->channels)));
  }
  return sum / (ry * rx);
}

static void check_small(const burl_image *image, const burl_image *small) {
  const uint8_t *data = small->data;
  for (size_t i = 0; i < small->height; i++)
    for (size_t j = 0; j < small->width; j++)
      for (size_t c = 0; c < small->channels; c++) {
        double expected = 255 * mean_by_definition(image, small, i, j, c);
        double got = data[(i * small->width + j) * small->channels + c];
        assert_true(fabs(got - expected) < 0.501);
      }
}

static void test_area_means(void **state) {
  (void)state;
  static const size_t cases[][3] = {{40, 60, 20}, {37, 53, 11}, {53, 37, 36}, {1, 50, 7},
                                    {50, 1, 7},   {9, 9, 1},    {8, 8, 8},    {5, 7, 100}};
  static const burl_sample samples[] = {BURL_U8, BURL_U16, BURL_F32};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
    for (int variant = 0; variant < 12; variant++) {
      burl_image image =
          random_image(cases[k][0], cases[k][1], variant & 1 ? 3 : 1, samples[variant / 4]);
      burl_image small = {0};
      size_t height, width, channels = variant & 2 ? 3 : 1;
      burl_image_fit(&height, &width, image.height, image.width, cases[k][2]);
      assert_int_equal(burl_image_shrink(&small, &image, channels, cases[k][2]), BURL_OK);
      assert_int_equal(small.height, height);
      assert_int_equal(small.width, width);
      assert_int_equal(small.channels, channels);
      assert_int_equal(small.sample, BURL_U8);
      check_small(&image, &small);
      burl_image_free(&small);
      burl_image_free(&image);
    }
}

static void check_fit(size_t height, size_t width, size_t side, size_t h, size_t w) {
  size_t small_height = 0, small_width = 0;
  burl_image_fit(&small_height, &small_width, height, width, side);
  assert_int_equal(small_height, h);
  assert_int_equal(small_width, w);
}

static void test_fit(void **state) {
  (void)state;
  check_fit(100, 200, 50, 25, 50);
  check_fit(200, 100, 50, 50, 25);
  check_fit(256, 256, 256, 256, 256);
  check_fit(10, 20, 256, 10, 20);
  check_fit(1, 1, 1, 1, 1);
  check_fit(3, 1000, 10, 1, 10);
  check_fit(256, 4096, 320, 20, 320);
  check_fit(BURL_IMAGE_MAX_SIDE, 2000, 300, 300, 1);
}

/* A plain image stays what it was, whatever the sizes. */
static void test_plain_stays_plain(void **state) {
  (void)state;
  for (int level = 0; level < 256; level += 5)
    for (size_t side = 1; side < 30; side += 7) {
      burl_image image = {0}, small = {0};
      assert_int_equal(burl_image_new(&image, 31, 29, 1, BURL_U8), BURL_OK);
      memset(image.data, level, 31 * 29);
      assert_int_equal(burl_image_shrink(&small, &image, 3, side), BURL_OK);
      for (size_t i = 0; i < small.height * small.width * 3; i++)
        assert_int_equal(((uint8_t *)small.data)[i], level);
      burl_image_free(&small);
      burl_image_free(&image);
    }
}

static void test_odd_floats(void **state) {
  (void)state;
  float samples[4] = {NAN, INFINITY, -INFINITY, 0.5f};
  burl_image image = {1, 4, 1, BURL_F32, samples}, small = {0};
  assert_int_equal(burl_image_shrink(&small, &image, 1, 4), BURL_OK);
  const uint8_t expected[4] = {0, 255, 0, 128};
  assert_memory_equal(small.data, expected, 4);
  burl_image_free(&small);
}

static void test_bad_arguments_and_failing_allocations(void **state) {
  (void)state;
  burl_image image = random_image(30, 20, 3, BURL_U8), small = {.height = 7};
  assert_int_equal(burl_image_shrink(&small, &image, 2, 10), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_image_shrink(&small, &image, 3, 0), BURL_ERR_ARGUMENT);
  for (long i = 0;; i++) {
    fail_allocation_after(i);
    burl_status status = burl_image_shrink(&small, &image, 3, 10);
    stop_failing();
    if (status == BURL_OK) {
      assert_int_equal(i, 3);
      break;
    }
    assert_int_equal(status, BURL_ERR_MEMORY);
    assert_int_equal(small.height, 7);
    assert_null(small.data);
  }
  burl_image_free(&small);
  burl_image_free(&image);
}

static burl_image resized(const burl_image *image, size_t height, size_t width, size_t channels) {
  burl_image to = {0};
  assert_int_equal(burl_image_new(&to, height, width, channels, BURL_F32), BURL_OK);
  fail_allocation_after(-1);
  burl_image_resize(&to, image);
  assert_int_equal(stop_failing(), 0);
  return to;
}

static double triangle(size_t p, size_t i, size_t n, size_t N) {
  double ratio = (double)N / (double)n;
  double away = fabs((double)p + 0.5 - ((double)i + 0.5) * ratio);
  return fmax(0, 1 - away / fmax(ratio, 1));
}

/* One sample, by going through all pixels. */
static double sample_by_definition(const burl_image *image, const burl_image *to, size_t i,
                                   size_t j, size_t c) {
  double sum = 0, total = 0;
  for (size_t y = 0; y < image->height; y++)
    for (size_t x = 0; x < image->width; x++) {
      double w =
          triangle(y, i, to->height, image->height) * triangle(x, j, to->width, image->width);
      sum += w * get_value(image, y, x, c, to->channels);
      total += w;
    }
  return sum / total;
}

static void test_exact_sizes(void **state) {
  (void)state;
  static const struct {
    size_t height, width, channels, to_height, to_width, to_channels;
    burl_sample sample;
  } cases[] = {{40, 30, 1, 17, 30, 1, BURL_U8},  {23, 611, 3, 9, 7, 3, BURL_U16},
               {9, 12, 3, 20, 150, 1, BURL_F32}, {1, 1, 3, 5, 4, 3, BURL_U8},
               {50, 8, 1, 8, 50, 1, BURL_F32},   {31, 33, 3, 1, 1, 3, BURL_U8}};
  for (size_t t = 0; t < sizeof cases / sizeof *cases; t++) {
    burl_image image =
        random_image(cases[t].height, cases[t].width, cases[t].channels, cases[t].sample);
    burl_image to = resized(&image, cases[t].to_height, cases[t].to_width, cases[t].to_channels);
    for (size_t i = 0; i < to.height; i++)
      for (size_t j = 0; j < to.width; j++)
        for (size_t c = 0; c < to.channels; c++) {
          double is = get_value(&to, i, j, c, to.channels);
          double expected = sample_by_definition(&image, &to, i, j, c);
          if (fabs(is - expected) > 1e-6) fail_msg("case %zu: %g, not %g", t, is, expected);
        }
    burl_image_free(&to);
    burl_image_free(&image);
  }
}

/* The same size is the same image, and what is plain stays plain. */
static void test_exact_sizes_keep(void **state) {
  (void)state;
  burl_image image = random_image(20, 30, 1, BURL_F32), plain = {0};
  burl_image to = resized(&image, 20, 30, 1);
  assert_memory_equal(to.data, image.data, 20 * 30 * sizeof(float));
  burl_image_free(&to);
  burl_image_free(&image);
  assert_int_equal(burl_image_new(&plain, 37, 21, 1, BURL_F32), BURL_OK);
  for (size_t i = 0; i < 37 * 21; i++)
    ((float *)plain.data)[i] = 0.7f;
  for (size_t side = 1; side < 90; side += 11) {
    to = resized(&plain, side, 90 - side, 1);
    for (size_t i = 0; i < side * (90 - side); i++)
      assert_true(((const float *)to.data)[i] == 0.7f);
    burl_image_free(&to);
  }
  burl_image_free(&plain);
}

/* A ramp stays a ramp wherever the border is out of reach. */
static void test_ramps_stay_ramps(void **state) {
  (void)state;
  enum { SIDE = 60 };
  burl_image ramp = {0};
  assert_int_equal(burl_image_new(&ramp, SIDE, SIDE, 1, BURL_F32), BURL_OK);
  for (size_t i = 0; i < SIDE * SIDE; i++)
    ((float *)ramp.data)[i] = (float)(2.0 * (double)(i / SIDE) - 3.0 * (double)(i % SIDE));
  static const size_t sides[] = {12, 20, 60, 90, 240};
  for (size_t s = 0; s < 5; s++) {
    size_t n = sides[s];
    double ratio = (double)SIDE / (double)n, margin = fmax(1.0, ratio);
    burl_image to = resized(&ramp, n, n, 1);
    for (size_t i = 0; i < n * n; i++) {
      double y = ((double)(i / n) + 0.5) * ratio, x = ((double)(i % n) + 0.5) * ratio;
      if (fmin(y, x) < margin || fmax(y, x) > SIDE - margin) continue;
      double expected = 2.0 * (y - 0.5) - 3.0 * (x - 0.5);
      assert_true(fabs((double)((const float *)to.data)[i] - expected) < 1e-4);
    }
    burl_image_free(&to);
  }
  burl_image_free(&ramp);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_area_means),
      cmocka_unit_test(test_fit),
      cmocka_unit_test(test_plain_stays_plain),
      cmocka_unit_test(test_odd_floats),
      cmocka_unit_test(test_bad_arguments_and_failing_allocations),
      cmocka_unit_test(test_exact_sizes),
      cmocka_unit_test(test_exact_sizes_keep),
      cmocka_unit_test(test_ramps_stay_ramps),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
