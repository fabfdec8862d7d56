/* Reading JPEG: what libjpeg decodes comes through, what is damaged or of another kind is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "failing.h"

#include <burl/image.h>
#include <jpeglib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct recipe {
  size_t height, width;
  J_COLOR_SPACE space;
  int components, progressive, arithmetic, restart, no_subsampling;
} recipe;

/* A smooth picture, so that the loss is small. */
static unsigned char get_pixel(size_t y, size_t x, int component) {
  double v = 128 + 100 * sin(0.07 * (double)x + component) * cos(0.05 * (double)y);
  return (unsigned char)v;
}

static unsigned char *draw(unsigned long *size, const recipe *r) {
  struct jpeg_compress_struct jpeg;
  struct jpeg_error_mgr errors;
  unsigned char *bytes = NULL, *row = malloc(r->width * (size_t)r->components);
  assert_non_null(row);
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  jpeg_mem_dest(&jpeg, &bytes, size);
  jpeg.image_width = (JDIMENSION)r->width;
  jpeg.image_height = (JDIMENSION)r->height;
  jpeg.input_components = r->components;
  jpeg.in_color_space = r->space;
  jpeg_set_defaults(&jpeg);
  jpeg_set_quality(&jpeg, 95, TRUE);
  if (r->progressive) jpeg_simple_progression(&jpeg);
  if (r->no_subsampling) jpeg.comp_info[0].h_samp_factor = jpeg.comp_info[0].v_samp_factor = 1;
  jpeg.arith_code = (boolean)r->arithmetic;
  jpeg.restart_interval = (unsigned)r->restart;
  jpeg_start_compress(&jpeg, TRUE);
  for (size_t y = 0; y < r->height; y++) {
    for (size_t i = 0; i < r->width * (size_t)r->components; i++)
      row[i] = get_pixel(y, i / (size_t)r->components, (int)(i % (size_t)r->components));
    JSAMPROW line = row;
    jpeg_write_scanlines(&jpeg, &line, 1);
  }
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  free(row);
  return bytes;
}

/* Decodes an exact-size copy; the image must stay untouched where it fails. */
static burl_status decode_copy(burl_image *image, const unsigned char *data, size_t size,
                               burl_diag *diag) {
  unsigned char mark;
  burl_image got = {.height = 11, .width = 12, .channels = 1, .sample = BURL_U8, .data = &mark};
  unsigned char *copy = malloc(size ? size : 1);
  assert_non_null(copy);
  if (size) memcpy(copy, data, size);
  *diag = (burl_diag){0};
  burl_status status = burl_image_decode(&got, copy, size, "copy", diag);
  free(copy);
  assert_int_equal(diag->status, status);
  if (status == BURL_OK) {
    *image = got;
    return status;
  }
  assert_ptr_equal(got.data, &mark);
  assert_int_equal(got.height, 11);
  assert_true(diag->reason[0]);
  return status;
}

static void check_picture(const burl_image *image, const recipe *r) {
  assert_int_equal(image->height, r->height);
  assert_int_equal(image->width, r->width);
  assert_int_equal(image->channels, r->components);
  assert_int_equal(image->sample, BURL_U8);
  const unsigned char *data = image->data;
  double worst = 0;
  for (size_t y = 0; y < r->height; y++)
    for (size_t x = 0; x < r->width; x++)
      for (size_t c = 0; c < image->channels; c++)
        worst = fmax(worst, fabs((double)data[(y * r->width + x) * image->channels + c] -
                                 (double)get_pixel(y, x, (int)c)));
  assert_true(worst < 12);
}

static void test_kinds_that_are_read(void **state) {
  (void)state;
  static const size_t sizes[][2] = {{1, 1}, {7, 33}, {64, 48}, {130, 61}};
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
    for (int variant = 0; variant < 16; variant++) {
      recipe r = {.height = sizes[s][0], .width = sizes[s][1], .space = JCS_GRAYSCALE};
      r.components = variant & 1 ? 3 : 1;
      if (variant & 1) r.space = JCS_RGB;
      r.progressive = variant & 2;
      r.restart = variant & 4;
      r.no_subsampling = variant & 8;
      unsigned long size = 0;
      unsigned char *bytes = draw(&size, &r);
      burl_image image = {0};
      burl_diag diag;
      assert_int_equal(decode_copy(&image, bytes, size, &diag), BURL_OK);
      check_picture(&image, &r);
      burl_image_free(&image);
      free(bytes);
    }
}

static void check_refused(const recipe *r, burl_status expected, const char *reason) {
  unsigned long size = 0;
  unsigned char *bytes = draw(&size, r);
  burl_image image = {0};
  burl_diag diag;
  assert_int_equal(decode_copy(&image, bytes, size, &diag), expected);
  assert_non_null(strstr(diag.reason, reason));
  free(bytes);
}

static void test_kinds_that_are_refused(void **state) {
  (void)state;
  const recipe cmyk = {.height = 9, .width = 9, .space = JCS_CMYK, .components = 4};
  const recipe two = {.height = 9, .width = 9, .space = JCS_UNKNOWN, .components = 2};
  const recipe arithmetic = {
      .height = 9, .width = 9, .space = JCS_RGB, .components = 3, .arithmetic = 1};
  check_refused(&cmyk, BURL_ERR_UNSUPPORTED, "CMYK");
  check_refused(&two, BURL_ERR_UNSUPPORTED, "colours");
  check_refused(&arithmetic, BURL_ERR_UNSUPPORTED, "arithmetic");
}

static void test_every_truncation_is_refused(void **state) {
  (void)state;
  for (int variant = 0; variant < 4; variant++) {
    recipe r = {.height = 40, .width = 23, .space = JCS_RGB, .components = 3};
    r.progressive = variant & 1;
    r.restart = variant & 2;
    unsigned long size = 0;
    unsigned char *bytes = draw(&size, &r);
    burl_image image = {0};
    burl_diag diag;
    for (size_t n = 0; n < size; n++)
      assert_int_equal(decode_copy(&image, bytes, n, &diag), BURL_ERR_FORMAT);
    free(bytes);
  }
}

/* The end marker alone does not make a cut file whole. */
static void test_early_end_marker_is_refused(void **state) {
  (void)state;
  const recipe r = {.height = 64, .width = 64, .space = JCS_GRAYSCALE, .components = 1};
  unsigned long size = 0;
  unsigned char *bytes = draw(&size, &r);
  burl_image image = {0};
  burl_diag diag;
  for (size_t cut = 3; cut < 300; cut += 7) {
    bytes[size - cut - 2] = 0xFF;
    bytes[size - cut - 1] = 0xD9;
    assert_int_equal(decode_copy(&image, bytes, size - cut, &diag), BURL_ERR_FORMAT);
  }
  free(bytes);
}

/* Without checksums a changed byte may pass, but then gives an image of some size; never a crash.
 */
static void test_changed_bytes_do_no_harm(void **state) {
  (void)state;
  size_t refused = 0;
  for (int progressive = 0; progressive < 2; progressive++) {
    const recipe r = {24, 17, JCS_RGB, 3, progressive, 0, 0, 0};
    unsigned long size = 0;
    unsigned char *bytes = draw(&size, &r);
    for (size_t i = 0; i < size; i++) {
      const unsigned char kept = bytes[i];
      for (int change = 0; change < 3; change++) {
        burl_image image = {0};
        burl_diag diag;
        bytes[i] = change == 0 ? 0 : change == 1 ? 0xFF : (unsigned char)(kept ^ 0x11);
        burl_status status = decode_copy(&image, bytes, size, &diag);
        if (status == BURL_OK) assert_true(image.height > 0 && image.width > 0);
        refused += status != BURL_OK;
        burl_image_free(&image);
      }
      bytes[i] = kept;
    }
    free(bytes);
  }
  assert_true(refused > 100);
}

/* Position of the size in the frame header. */
static size_t find_frame(const unsigned char *bytes, size_t size) {
  for (size_t i = 2; i + 9 < size; i += 2 + (size_t)(bytes[i + 2] << 8 | bytes[i + 3]))
    if (bytes[i + 1] >= 0xC0 && bytes[i + 1] <= 0xC2) return i + 5;
  fail_msg("no frame header");
  return 0;
}

static void test_declared_size_is_bounded(void **state) {
  (void)state;
  for (int progressive = 0; progressive < 2; progressive++) {
    const recipe r = {24, 17, JCS_RGB, 3, progressive, 0, 0, 0};
    unsigned long size = 0;
    unsigned char *bytes = draw(&size, &r);
    burl_image image = {0};
    burl_diag diag;
    size_t at = find_frame(bytes, size);
    bytes[at] = bytes[at + 2] = 0x80;
    assert_int_equal(decode_copy(&image, bytes, size, &diag), BURL_ERR_FORMAT);
    assert_non_null(strstr(diag.reason, "cannot fit"));
    bytes[at] = bytes[at + 1] = 0;
    assert_int_equal(decode_copy(&image, bytes, size, &diag), BURL_ERR_FORMAT);
    memset(bytes + at, 0xFF, 4);
    assert_int_not_equal(decode_copy(&image, bytes, size, &diag), BURL_OK);
    free(bytes);
  }
}

/* One scan for each coefficient of each component: 190, valid and absurd. */
static void test_many_scans_are_refused(void **state) {
  (void)state;
  struct jpeg_compress_struct jpeg;
  struct jpeg_error_mgr errors;
  jpeg_scan_info scans[190] = {{.comps_in_scan = 3, .component_index = {0, 1, 2}}};
  for (int i = 1; i < 190; i++)
    scans[i] = (jpeg_scan_info){1, {(i - 1) / 63}, 1 + (i - 1) % 63, 1 + (i - 1) % 63, 0, 0};
  for (int count = 64; count <= 190; count += 126) {
    unsigned char *bytes = NULL, row[3 * 32] = {9};
    unsigned long size = 0;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &bytes, &size);
    jpeg.image_width = jpeg.image_height = 32;
    jpeg.input_components = 3;
    jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg.scan_info = scans;
    jpeg.num_scans = count;
    jpeg_start_compress(&jpeg, TRUE);
    JSAMPROW line = row;
    for (int y = 0; y < 32; y++)
      jpeg_write_scanlines(&jpeg, &line, 1);
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    burl_image image = {0};
    burl_diag diag;
    assert_int_equal(decode_copy(&image, bytes, size, &diag),
                     count == 64 ? BURL_OK : BURL_ERR_UNSUPPORTED);
    if (count > 64) assert_non_null(strstr(diag.reason, "scans"));
    burl_image_free(&image);
    free(bytes);
  }
}

/* The densest files that libjpeg makes are not taken for damaged ones. */
static void test_plain_image_loads(void **state) {
  (void)state;
  const size_t side = 2048;
  for (int progressive = 0; progressive < 2; progressive++) {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char *bytes = NULL, *row = calloc(side, 3);
    unsigned long size = 0;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &bytes, &size);
    jpeg.image_width = jpeg.image_height = (JDIMENSION)side;
    jpeg.input_components = 3;
    jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg.optimize_coding = TRUE;
    jpeg.comp_info[0].h_samp_factor = jpeg.comp_info[0].v_samp_factor = 2;
    if (progressive) jpeg_simple_progression(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    JSAMPROW line = row;
    for (size_t y = 0; y < side; y++)
      jpeg_write_scanlines(&jpeg, &line, 1);
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    burl_image image = {0};
    burl_diag diag;
    assert_int_equal(decode_copy(&image, bytes, size, &diag), BURL_OK);
    assert_int_equal(((const unsigned char *)image.data)[side * side * 3 - 1], 0);
    burl_image_free(&image);
    free(row);
    free(bytes);
  }
}

static void test_failing_allocations(void **state) {
  (void)state;
  const recipe r = {.height = 24, .width = 17, .space = JCS_RGB, .components = 3};
  unsigned long size = 0;
  unsigned char *bytes = draw(&size, &r);
  for (long i = 0;; i++) {
    burl_image image = {0};
    burl_diag diag = {0};
    fail_allocation_after(i);
    burl_status status = burl_image_decode(&image, bytes, size, "memory", &diag);
    stop_failing();
    if (status == BURL_OK) {
      burl_image_free(&image);
      assert_true(i >= 2);
      break;
    }
    assert_int_equal(status, BURL_ERR_MEMORY);
    assert_int_equal(diag.status, BURL_ERR_MEMORY);
  }
  free(bytes);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_kinds_that_are_read),
      cmocka_unit_test(test_kinds_that_are_refused),
      cmocka_unit_test(test_every_truncation_is_refused),
      cmocka_unit_test(test_early_end_marker_is_refused),
      cmocka_unit_test(test_changed_bytes_do_no_harm),
      cmocka_unit_test(test_declared_size_is_bounded),
      cmocka_unit_test(test_many_scans_are_refused),
      cmocka_unit_test(test_plain_image_loads),
      cmocka_unit_test(test_failing_allocations),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
