/* The image type and loading by content. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/random.h"
#include "failing.h"

#include <burl/image.h>
#include <jpeglib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[512];

static int make_folder(void **state) {
  (void)state;
  const char *base = getenv("TMPDIR");
  snprintf(folder, sizeof folder, "%s/burl-image-XXXXXX", base ? base : "/tmp");
  return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
  (void)state;
  return rmdir(folder); /* fails where anything was left behind */
}

static const char *in_folder(const char *name) {
  static char path[1024];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static void test_new_is_zero(void **state) {
  (void)state;
  burl_image image = {0};
  assert_int_equal(burl_image_new(&image, 3, 5, 3, BURL_F32), BURL_OK);
  assert_int_equal(image.height, 3);
  assert_int_equal(image.width, 5);
  assert_int_equal(image.channels, 3);
  assert_int_equal(image.sample, BURL_F32);
  for (size_t i = 0; i < 45; i++)
    assert_true(((const float *)image.data)[i] == 0.0f);
  burl_image_free(&image);
  assert_null(image.data);
  assert_int_equal(image.height, 0);
  burl_image_free(&image);
  burl_image_free(NULL);
}

static void test_new_refuses(void **state) {
  (void)state;
  const size_t side = BURL_IMAGE_MAX_SIDE;
  burl_image image = {.height = 7};
  assert_int_equal(burl_image_new(&image, 0, 5, 1, BURL_U8), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_image_new(&image, 5, 0, 1, BURL_U8), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_image_new(&image, 5, 5, 2, BURL_U8), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_image_new(&image, 5, 5, 4, BURL_U8), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_image_new(&image, 5, 5, 1, (burl_sample)3), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_image_new(&image, side + 1, 1, 1, BURL_U8), BURL_ERR_SIZE);
  assert_int_equal(burl_image_new(&image, 1, side + 1, 1, BURL_U8), BURL_ERR_SIZE);
  assert_int_equal(burl_image_new(&image, 1, SIZE_MAX, 1, BURL_U8), BURL_ERR_SIZE);
  assert_int_equal(burl_image_new(&image, side, side, 3, BURL_F32), BURL_ERR_SIZE);
  fail_allocation_after(0);
  burl_status status = burl_image_new(&image, 5, 5, 1, BURL_U8);
  stop_failing();
  assert_int_equal(status, BURL_ERR_MEMORY);
  assert_int_equal(image.height, 7);
  assert_null(image.data);
}

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
      ((float *)image.data)[i] = (float)burl_random_uniform(&random);
  }
  return image;
}

/* A sample as 0..1 by the definition in burl/image.h. */
static double get_value(const burl_image *image, size_t y, size_t x, size_t c) {
  size_t i = (y * image->width + x) * image->channels + c;
  if (image->sample == BURL_U8) return ((const uint8_t *)image->data)[i] / 255.0;
  if (image->sample == BURL_U16) return ((const uint16_t *)image->data)[i] / 65535.0;
  return (double)((const float *)image->data)[i];
}

/* Region (y,x,height,width) of the image, by one of the two getters, into a plane with a margin. */
static void check_region(const burl_image *image, int channel, const size_t r[4]) {
  enum { LD = 40, ROWS = 40 };
  float plane[LD * ROWS];
  for (size_t i = 0; i < LD * ROWS; i++)
    plane[i] = -5.0f;
  if (channel < 0)
    burl_image_get_grey(image, plane, LD, r[0], r[1], r[2], r[3]);
  else
    burl_image_get_channel(image, (size_t)channel, plane, LD, r[0], r[1], r[2], r[3]);
  for (size_t y = 0; y < ROWS; y++)
    for (size_t x = 0; x < LD; x++) {
      double expected = -5.0;
      if (y < r[2] && x < r[3]) {
        expected = 0;
        for (size_t c = 0; c < image->channels; c++)
          expected +=
              channel < 0 || (size_t)channel == c ? get_value(image, r[0] + y, r[1] + x, c) : 0;
        if (channel < 0) expected /= (double)image->channels;
      }
      assert_true(fabs((double)plane[y * LD + x] - expected) < 2e-7);
    }
}

static void test_regions(void **state) {
  (void)state;
  static const size_t regions[][4] = {
      {0, 0, 20, 37}, {3, 5, 7, 11}, {19, 36, 1, 1}, {0, 0, 1, 37}, {4, 4, 0, 0}};
  static const burl_sample samples[] = {BURL_U8, BURL_U16, BURL_F32};
  for (size_t s = 0; s < 3; s++)
    for (size_t channels = 1; channels <= 3; channels += 2) {
      burl_image image = random_image(20, 37, channels, samples[s]);
      for (size_t r = 0; r < 5; r++)
        for (int c = -1; c < (int)channels; c++)
          check_region(&image, c, regions[r]);
      burl_image_free(&image);
    }
}

/* Exact ends, and grey stored as RGB reads the same as grey. */
static void test_grey_levels(void **state) {
  (void)state;
  burl_image grey = {0}, colour = {0};
  float a[65536], b[65536];
  assert_int_equal(burl_image_new(&grey, 256, 256, 1, BURL_U16), BURL_OK);
  assert_int_equal(burl_image_new(&colour, 256, 256, 3, BURL_U16), BURL_OK);
  for (size_t i = 0; i < 65536; i++) {
    uint16_t *rgb = (uint16_t *)colour.data + 3 * i;
    ((uint16_t *)grey.data)[i] = rgb[0] = rgb[1] = rgb[2] = (uint16_t)i;
  }
  burl_image_get_grey(&grey, a, 256, 0, 0, 256, 256);
  burl_image_get_grey(&colour, b, 256, 0, 0, 256, 256);
  assert_memory_equal(a, b, sizeof a);
  assert_true(a[0] == 0.0f && a[65535] == 1.0f);
  for (size_t i = 1; i < 65536; i++)
    assert_true(a[i] > a[i - 1]);
  burl_image_free(&grey);
  burl_image_free(&colour);
}

static void test_getters_allocate_nothing(void **state) {
  (void)state;
  burl_image image = random_image(8, 8, 3, BURL_U8);
  float plane[64];
  fail_allocation_after(-1);
  burl_image_get_grey(&image, plane, 8, 0, 0, 8, 8);
  burl_image_get_channel(&image, 2, plane, 8, 0, 0, 8, 8);
  assert_int_equal(stop_failing(), 0);
  burl_image_free(&image);
}

static void write_file(const char *path, const void *bytes, size_t size) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, size, file), size);
  assert_int_equal(fclose(file), 0);
}

static void write_jpeg(const char *path) {
  struct jpeg_compress_struct jpeg;
  struct jpeg_error_mgr errors;
  unsigned char row[30] = {200, 100, 50};
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  jpeg_stdio_dest(&jpeg, file);
  jpeg.image_width = 10;
  jpeg.image_height = 6;
  jpeg.input_components = 3;
  jpeg.in_color_space = JCS_RGB;
  jpeg_set_defaults(&jpeg);
  jpeg_start_compress(&jpeg, TRUE);
  JSAMPROW line = row;
  for (int y = 0; y < 6; y++)
    jpeg_write_scanlines(&jpeg, &line, 1);
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  fclose(file);
}

/* Loads and probes; both must agree. */
static void check_loads(const char *path, size_t height, size_t width, size_t channels,
                        burl_sample sample) {
  burl_image image = {0};
  burl_image_info info = {0};
  burl_diag diag = {0};
  assert_int_equal(burl_image_load(&image, path, &diag), BURL_OK);
  assert_int_equal(burl_image_probe(&info, path, &diag), BURL_OK);
  assert_int_equal(diag.status, BURL_OK);
  assert_int_equal(image.height, height);
  assert_int_equal(image.width, width);
  assert_int_equal(image.channels, channels);
  assert_int_equal(image.sample, sample);
  assert_int_equal(info.height, height);
  assert_int_equal(info.width, width);
  assert_int_equal(info.channels, channels);
  assert_int_equal(info.sample, sample);
  burl_image_free(&image);
}

static void test_content_counts_not_the_name(void **state) {
  (void)state;
  burl_image image = random_image(5, 9, 1, BURL_U16);
  assert_int_equal(burl_image_save_png(&image, in_folder("png.jpg"), NULL), BURL_OK);
  write_jpeg(in_folder("jpeg.png"));
  check_loads(in_folder("png.jpg"), 5, 9, 1, BURL_U16);
  check_loads(in_folder("jpeg.png"), 6, 10, 3, BURL_U8);
  unlink(in_folder("png.jpg"));
  unlink(in_folder("jpeg.png"));
  burl_image_free(&image);
}

/* Load and probe both refuse, with one diagnosis, and leave their outputs alone. */
static void check_refused(const char *path, burl_status expected, const char *reason) {
  unsigned char mark;
  burl_image image = {.height = 11, .data = &mark};
  burl_image_info info = {.height = 11};
  for (int probe = 0; probe < 2; probe++) {
    burl_diag diag = {0};
    burl_status status =
        probe ? burl_image_probe(&info, path, &diag) : burl_image_load(&image, path, &diag);
    if (status != expected || !strstr(diag.reason, reason))
      fail_msg("%s: status %d, \"%s\"", path, status, diag.reason);
    assert_int_equal(diag.status, expected);
    assert_string_equal(diag.path, path);
    status = probe ? burl_image_probe(&info, path, NULL) : burl_image_load(&image, path, NULL);
    assert_int_equal(status, expected);
  }
  assert_int_equal(image.height, 11);
  assert_ptr_equal(image.data, &mark);
  assert_int_equal(info.height, 11);
}

static void test_what_is_no_image(void **state) {
  (void)state;
  static const struct {
    const char *bytes;
    size_t size;
    burl_status status;
    const char *reason;
  } cases[] = {
      {"", 0, BURL_ERR_FORMAT, "empty"},
      {"x", 1, BURL_ERR_FORMAT, "neither a PNG nor a JPEG"},
      {"<html>not found</html>", 22, BURL_ERR_FORMAT, "neither a PNG nor a JPEG"},
      {"II*\0\x08\0\0\0", 8, BURL_ERR_UNSUPPORTED, "TIFF"},
      {"MM\0*\0\0\0\x08", 8, BURL_ERR_UNSUPPORTED, "TIFF"},
      {"BM123456789012", 14, BURL_ERR_UNSUPPORTED, "BMP"},
      {"GIF89a..", 8, BURL_ERR_UNSUPPORTED, "GIF"},
      {"RIFF....WEBPVP8 ", 16, BURL_ERR_UNSUPPORTED, "WebP"},
      {"\x93NUMPY\1\0", 8, BURL_ERR_UNSUPPORTED, "NumPy"},
      {"\x89PNG", 4, BURL_ERR_FORMAT, "truncated PNG"},
      {"\x89PNG\r\n\x1a\n", 8, BURL_ERR_FORMAT, "truncated PNG"},
      {"\x89PNG\n\x1a\n..........", 17, BURL_ERR_FORMAT, "neither a PNG nor a JPEG"},
      {"\xff\xd8", 2, BURL_ERR_FORMAT, "truncated JPEG"},
      {"\xff\xd8\xff\xe0", 4, BURL_ERR_FORMAT, "truncated JPEG"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    write_file(in_folder("case.png"), cases[i].bytes, cases[i].size);
    check_refused(in_folder("case.png"), cases[i].status, cases[i].reason);
  }
  unlink(in_folder("case.png"));
}

static void test_what_is_no_file(void **state) {
  (void)state;
  check_refused(in_folder("missing.png"), BURL_ERR_IO, "cannot be opened");
  check_refused(folder, BURL_ERR_IO, "folder");
  assert_int_equal(mkfifo(in_folder("pipe.png"), 0600), 0);
  check_refused(in_folder("pipe.png"), BURL_ERR_IO, "not a regular file");
  unlink(in_folder("pipe.png"));
}

/* Truncated files, not only truncated memory. */
static void test_truncated_files(void **state) {
  (void)state;
  burl_image image = random_image(50, 90, 3, BURL_U16);
  const char *path = in_folder("cut.png");
  assert_int_equal(burl_image_save_png(&image, path, NULL), BURL_OK);
  struct stat st;
  assert_int_equal(stat(path, &st), 0);
  for (off_t n = st.st_size - 1; n > 8; n -= n > 200 ? 1999 : 7) {
    assert_int_equal(truncate(path, n), 0);
    burl_image got = {0};
    burl_diag diag = {0};
    assert_int_equal(burl_image_load(&got, path, &diag), BURL_ERR_FORMAT);
    assert_non_null(strstr(diag.reason, "truncated PNG"));
    assert_int_equal(diag.offset, n);
  }
  unlink(path);
  burl_image_free(&image);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_new_is_zero),
      cmocka_unit_test(test_new_refuses),
      cmocka_unit_test(test_regions),
      cmocka_unit_test(test_grey_levels),
      cmocka_unit_test(test_getters_allocate_nothing),
      cmocka_unit_test(test_content_counts_not_the_name),
      cmocka_unit_test(test_what_is_no_image),
      cmocka_unit_test(test_what_is_no_file),
      cmocka_unit_test(test_truncated_files),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
