/* Heat maps as NumPy files and 16-bit pictures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/random.h"
#include "failing.h"

#include <burl/heat.h>
#include <burl/image.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[512];

static int make_folder(void **state) {
  (void)state;
  const char *base = getenv("TMPDIR");
  snprintf(folder, sizeof folder, "%s/burl-heat-XXXXXX", base ? base : "/tmp");
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

static size_t count_files(void) {
  size_t count = 0;
  DIR *stream = opendir(folder);
  assert_non_null(stream);
  for (struct dirent *entry; (entry = readdir(stream));)
    count += entry->d_name[0] != '.';
  closedir(stream);
  return count;
}

static float *random_heat(size_t n) {
  float *heat = malloc(n * sizeof *heat);
  assert_non_null(heat);
  burl_random random = burl_random_start(5, n);
  for (size_t i = 0; i < n; i++)
    heat[i] = (float)(6 * burl_random_uniform(&random) - 1);
  return heat;
}

/* A file's header by the definition of the format, version 1.0; returns where the data start. */
static size_t check_npy_header(const unsigned char *bytes, size_t size, size_t height,
                               size_t width) {
  char expected[128];
  int n =
      snprintf(expected, sizeof expected,
               "{'descr': '<f4', 'fortran_order': False, 'shape': (%zu, %zu), }", height, width);
  assert_true(size > 64);
  assert_memory_equal(bytes, "\x93NUMPY\x01\x00", 8);
  size_t start = 10 + (size_t)bytes[8] + 256 * (size_t)bytes[9];
  assert_true(start < size);
  assert_int_equal(start % 64, 0);
  assert_memory_equal(bytes + 10, expected, (size_t)n);
  for (size_t i = 10 + (size_t)n; i < start - 1; i++)
    assert_int_equal(bytes[i], ' ');
  assert_int_equal(bytes[start - 1], '\n');
  return start;
}

static void test_npy(void **state) {
  (void)state;
  static const size_t sizes[][2] = {{1, 1}, {1, 5000}, {5000, 1}, {123, 77}, {64, 64}};
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
    size_t height = sizes[s][0], width = sizes[s][1], size;
    float *heat = random_heat(height * width);
    heat[0] = NAN; /* kept as it is */
    unsigned char *bytes;
    const char *path = in_folder("h.npy");
    assert_int_equal(burl_heat_save_npy(heat, height, width, path, NULL), BURL_OK);
    assert_int_equal(burl_file_read(&bytes, &size, path, 1 << 20, NULL), BURL_OK);
    size_t start = check_npy_header(bytes, size, height, width);
    assert_int_equal(size - start, 4 * height * width);
    for (size_t i = 0; i < height * width; i++) {
      const unsigned char *b = bytes + start + 4 * i;
      uint32_t bits, expected;
      bits = b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
      memcpy(&expected, &heat[i], 4);
      assert_int_equal(bits, expected);
    }
    unlink(path);
    free(bytes);
    free(heat);
  }
}

static void test_png(void **state) {
  (void)state;
  const size_t height = 37, width = 61;
  float *heat = random_heat(height * width);
  heat[0] = 0.0f;
  heat[1] = 1.0f;
  heat[2] = (float)BURL_HEAT_SCALE;
  heat[3] = INFINITY;
  heat[4] = -INFINITY;
  const char *path = in_folder("h.png");
  assert_int_equal(burl_heat_save_png(heat, height, width, path, NULL), BURL_OK);
  burl_image image = {0};
  assert_int_equal(burl_image_load(&image, path, NULL), BURL_OK);
  assert_int_equal(image.height, height);
  assert_int_equal(image.width, width);
  assert_int_equal(image.channels, 1);
  assert_int_equal(image.sample, BURL_U16);
  const uint16_t *levels = image.data;
  for (size_t i = 0; i < height * width; i++) {
    double share = fmin(1, fmax(0, (double)heat[i] / BURL_HEAT_SCALE));
    assert_int_equal(levels[i], (long)round(65535 * share));
  }
  assert_int_equal(levels[0], 0);
  assert_int_equal(levels[1], 16384);
  assert_int_equal(levels[2], 65535);
  assert_int_equal(levels[3], 65535);
  assert_int_equal(levels[4], 0);
  unlink(path);
  burl_image_free(&image);
  free(heat);
}

static void test_what_cannot_be_written(void **state) {
  (void)state;
  float heat[6] = {0, 1, 2, 3, NAN, 5};
  burl_diag diag = {0};
  const char *path = in_folder("h.png");
  assert_int_equal(burl_heat_save_png(heat, 2, 3, path, &diag), BURL_ERR_NUMERIC);
  assert_non_null(strstr(diag.reason, "row 1"));
  assert_int_equal(burl_heat_save_png(heat, 0, 3, path, &diag), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_heat_save_npy(heat, 0, 3, path, &diag), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_heat_save_npy(heat, 2, 0, path, &diag), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_heat_save_npy(heat, 2, SIZE_MAX, path, &diag), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_heat_save_png(heat, 2, SIZE_MAX, path, &diag), BURL_ERR_SIZE);
  assert_int_equal(burl_heat_save_npy(heat, 1, 3, folder, &diag), BURL_ERR_IO);
  assert_int_equal(burl_heat_save_png(heat, 1, 3, folder, &diag), BURL_ERR_IO);
  assert_string_equal(diag.path, folder);
  assert_int_equal(count_files(), 0);
}

static void test_failing_allocations(void **state) {
  (void)state;
  float heat[6] = {0, 1, 2, 3, 4, 5};
  for (int png = 0; png < 2; png++)
    for (long i = 0;; i++) {
      burl_diag diag = {0};
      const char *path = in_folder("h");
      fail_allocation_after(i);
      burl_status status = png ? burl_heat_save_png(heat, 2, 3, path, &diag)
                               : burl_heat_save_npy(heat, 2, 3, path, &diag);
      stop_failing();
      assert_int_equal(count_files(), status == BURL_OK ? 1 : 0);
      if (status == BURL_OK) {
        assert_true(i >= 2);
        unlink(path);
        break;
      }
      assert_int_equal(status, BURL_ERR_MEMORY);
      assert_int_equal(diag.status, BURL_ERR_MEMORY);
    }
}

/* A large map takes as many allocations as a small one: it is not cut up and copied. */
static void test_as_many_allocations_for_a_large_map(void **state) {
  (void)state;
  float *heat = random_heat(6);
  const char *path = in_folder("h.npy");
  fail_allocation_after(-1);
  assert_int_equal(burl_heat_save_npy(heat, 2, 3, path, NULL), BURL_OK);
  long small = stop_failing();
  free(heat);
  heat = random_heat((size_t)1 << 20);
  fail_allocation_after(-1);
  assert_int_equal(burl_heat_save_npy(heat, 1024, 1024, path, NULL), BURL_OK);
  assert_int_equal(stop_failing(), small);
  unlink(path);
  free(heat);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_npy),
      cmocka_unit_test(test_png),
      cmocka_unit_test(test_what_cannot_be_written),
      cmocka_unit_test(test_failing_allocations),
      cmocka_unit_test(test_as_many_allocations_for_a_large_map),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
