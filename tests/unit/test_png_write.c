/* Writing PNG: what is written reads back exactly, and a failure leaves nothing behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "failing.h"
#include "image/png_write.h"

#include <dirent.h>
#include <png.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[512];

static int make_folder(void **state) {
  (void)state;
  const char *base = getenv("TMPDIR");
  snprintf(folder, sizeof folder, "%s/burl-png-XXXXXX", base ? base : "/tmp");
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

static burl_image random_image(size_t height, size_t width, size_t channels, burl_sample sample) {
  burl_image image = {0};
  assert_int_equal(burl_image_new(&image, height, width, channels, sample), BURL_OK);
  burl_random random = burl_random_start(height, width);
  uint8_t *bytes = image.data;
  for (size_t i = 0; i < height * width * channels * (size_t)sample; i++)
    bytes[i] = (uint8_t)burl_random_below(&random, 256);
  return image;
}

static void check_equal(const burl_image *a, const burl_image *b) {
  assert_int_equal(a->height, b->height);
  assert_int_equal(a->width, b->width);
  assert_int_equal(a->channels, b->channels);
  assert_int_equal(a->sample, b->sample);
  assert_memory_equal(a->data, b->data, a->height * a->width * a->channels * (size_t)a->sample);
}

static void test_round_trip(void **state) {
  (void)state;
  static const size_t sizes[][2] = {{1, 1}, {1, 300}, {300, 1}, {37, 53}, {200, 150}};
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
    for (size_t channels = 1; channels <= 3; channels += 2)
      for (int sample = 1; sample <= 2; sample++) {
        burl_image image = random_image(sizes[s][0], sizes[s][1], channels, (burl_sample)sample);
        burl_image from_file = {0}, from_bytes = {0};
        burl_diag diag = {0};
        unsigned char *bytes;
        size_t size;
        assert_int_equal(burl_image_save_png(&image, in_folder("a.png"), &diag), BURL_OK);
        assert_int_equal(burl_image_load(&from_file, in_folder("a.png"), &diag), BURL_OK);
        check_equal(&image, &from_file);
        assert_int_equal(burl_image_encode_png(&bytes, &size, &image, &diag), BURL_OK);
        assert_int_equal(burl_image_decode(&from_bytes, bytes, size, "bytes", &diag), BURL_OK);
        check_equal(&image, &from_bytes);
        assert_int_equal(unlink(in_folder("a.png")), 0);
        burl_image_free(&image);
        burl_image_free(&from_file);
        burl_image_free(&from_bytes);
        free(bytes);
      }
}

static void test_same_rows_same_bytes(void **state) {
  (void)state;
  burl_image image = random_image(64, 64, 3, BURL_U8);
  unsigned char *a, *b;
  size_t a_size, b_size;
  assert_int_equal(burl_image_encode_png(&a, &a_size, &image, NULL), BURL_OK);
  assert_int_equal(burl_image_encode_png(&b, &b_size, &image, NULL), BURL_OK);
  assert_int_equal(a_size, b_size);
  assert_memory_equal(a, b, a_size);
  assert_int_equal(burl_image_save_png(&image, in_folder("a.png"), NULL), BURL_OK);
  struct stat st;
  assert_int_equal(stat(in_folder("a.png"), &st), 0);
  assert_int_equal(st.st_size, a_size);
  unlink(in_folder("a.png"));
  burl_image_free(&image);
  free(a);
  free(b);
}

/* The text chunk of a file, as libpng finds it. */
static void check_text(const char *path, const char *key, const char *expected) {
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
  png_infop info = png_create_info_struct(png);
  png_textp text = NULL;
  int count = 0;
  png_init_io(png, file);
  png_read_info(png, info);
  png_get_text(png, info, &text, &count);
  assert_int_equal(count, 1);
  assert_string_equal(text[0].key, key);
  assert_string_equal(text[0].text, expected);
  png_destroy_read_struct(&png, &info, NULL);
  fclose(file);
}

static void test_text(void **state) {
  (void)state;
  static const char *const texts[] = {"", "plain", "\xc3\xa4\xe2\x82\xac"};
  const uint8_t row[4] = {1, 2, 3, 4};
  for (int i = 0; i < 3; i++) {
    burl_png_writer *png = NULL;
    assert_int_equal(
        burl_png_writer_open(&png, in_folder("t.png"), 1, 4, 1, BURL_U8, "Scale", texts[i], NULL),
        BURL_OK);
    assert_int_equal(burl_png_writer_put(png, row), BURL_OK);
    assert_int_equal(burl_png_writer_commit(png, NULL), BURL_OK);
    check_text(in_folder("t.png"), "Scale", texts[i]);
    unlink(in_folder("t.png"));
  }
  burl_png_writer *png = NULL;
  burl_diag diag = {0};
  const char *path = in_folder("t.png");
  assert_int_equal(burl_png_writer_open(&png, path, 1, 4, 1, BURL_U8, "", "x", &diag),
                   BURL_ERR_ARGUMENT);
  assert_int_equal(burl_png_writer_open(&png, path, 1, 4, 1, BURL_U8, "key", NULL, &diag),
                   BURL_ERR_ARGUMENT);
  assert_null(png);
  assert_int_equal(count_files(), 0);
}

static void test_number_of_rows(void **state) {
  (void)state;
  const uint8_t row[4] = {1, 2, 3, 4};
  burl_png_writer *png = NULL;
  burl_diag diag = {0};
  const char *path = in_folder("r.png");
  assert_int_equal(burl_png_writer_open(&png, path, 2, 4, 1, BURL_U8, NULL, NULL, &diag), BURL_OK);
  assert_int_equal(burl_png_writer_put(png, row), BURL_OK);
  assert_int_equal(burl_png_writer_commit(png, &diag), BURL_ERR_ARGUMENT);
  assert_int_equal(diag.status, BURL_ERR_ARGUMENT);
  assert_int_equal(count_files(), 0);

  assert_int_equal(burl_png_writer_open(&png, path, 1, 4, 1, BURL_U8, NULL, NULL, &diag), BURL_OK);
  assert_int_equal(burl_png_writer_put(png, row), BURL_OK);
  assert_int_equal(burl_png_writer_put(png, row), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_png_writer_commit(png, &diag), BURL_ERR_ARGUMENT);
  assert_int_equal(count_files(), 0);

  unsigned char *bytes = NULL;
  size_t size = 0;
  assert_int_equal(burl_png_writer_open_bytes(&png, 2, 4, 1, BURL_U8, &diag), BURL_OK);
  assert_int_equal(burl_png_writer_commit_bytes(png, &bytes, &size, &diag), BURL_ERR_ARGUMENT);
  assert_null(bytes);
}

static void test_abandon_leaves_nothing(void **state) {
  (void)state;
  const uint8_t row[4] = {1, 2, 3, 4};
  burl_png_writer *png = NULL;
  const char *path = in_folder("r.png");
  burl_png_writer_abandon(NULL);
  assert_int_equal(burl_png_writer_open(&png, path, 2, 4, 1, BURL_U8, NULL, NULL, NULL), BURL_OK);
  assert_int_equal(burl_png_writer_put(png, row), BURL_OK);
  assert_int_equal(count_files(), 1); /* the temporary one */
  burl_png_writer_abandon(png);
  assert_int_equal(count_files(), 0);
  assert_int_equal(burl_png_writer_open_bytes(&png, 2, 4, 1, BURL_U8, NULL), BURL_OK);
  burl_png_writer_abandon(png);
}

static void test_shapes_that_cannot_be(void **state) {
  (void)state;
  static const struct {
    size_t height, width, channels;
    burl_sample sample;
    burl_status status;
  } cases[] = {
      {0, 1, 1, BURL_U8, BURL_ERR_ARGUMENT},
      {1, 0, 1, BURL_U8, BURL_ERR_ARGUMENT},
      {1, 1, 2, BURL_U8, BURL_ERR_ARGUMENT},
      {1, 1, 1, BURL_F32, BURL_ERR_ARGUMENT},
      {BURL_IMAGE_MAX_SIDE + 1, 1, 1, BURL_U8, BURL_ERR_SIZE},
      {1, BURL_IMAGE_MAX_SIDE + 1, 1, BURL_U8, BURL_ERR_SIZE},
      {(size_t)1 << 16, ((size_t)1 << 15) + 1, 1, BURL_U8, BURL_ERR_SIZE},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    burl_image image = {cases[i].height, cases[i].width, cases[i].channels, cases[i].sample, NULL};
    burl_diag diag = {0};
    unsigned char *bytes = NULL;
    size_t size;
    assert_int_equal(burl_image_save_png(&image, in_folder("s.png"), &diag), cases[i].status);
    assert_string_equal(diag.path, in_folder("s.png"));
    assert_int_equal(burl_image_encode_png(&bytes, &size, &image, &diag), cases[i].status);
    assert_null(bytes);
    assert_int_equal(count_files(), 0);
  }
}

/* The widest row there may be. */
static void test_widest_row(void **state) {
  (void)state;
  burl_image image = random_image(1, BURL_IMAGE_MAX_SIDE, 1, BURL_U8), back = {0};
  unsigned char *bytes;
  size_t size;
  assert_int_equal(burl_image_encode_png(&bytes, &size, &image, NULL), BURL_OK);
  assert_int_equal(burl_image_decode(&back, bytes, size, "wide", NULL), BURL_OK);
  check_equal(&image, &back);
  burl_image_free(&image);
  burl_image_free(&back);
  free(bytes);
}

static void test_places_that_cannot_be_written(void **state) {
  (void)state;
  burl_image image = random_image(3, 3, 1, BURL_U8);
  burl_diag diag = {0};
  FILE *file = fopen(in_folder("file"), "wb");
  assert_non_null(file);
  fclose(file);
  assert_int_equal(burl_image_save_png(&image, in_folder("file/a.png"), &diag), BURL_ERR_IO);
  assert_string_equal(diag.path, in_folder("file/a.png"));
  assert_true(diag.reason[0]);
  assert_int_equal(burl_image_save_png(&image, folder, &diag), BURL_ERR_IO);
  assert_int_equal(burl_image_save_png(&image, "", &diag), BURL_ERR_IO);
  assert_int_equal(count_files(), 1);
  unlink(in_folder("file"));
  burl_image_free(&image);
}

/* A file may grow to 20,000 bytes here, as on a full disk; the picture needs more. */
static void test_full_disk(void **state) {
  (void)state;
  struct rlimit before, small;
  burl_image image = random_image(300, 300, 3, BURL_U8);
  burl_diag diag = {0};
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
  small = before;
  small.rlim_cur = 20000;
  void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
  burl_status status = burl_image_save_png(&image, in_folder("full.png"), &diag);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
  signal(SIGXFSZ, handler);
  assert_int_equal(status, BURL_ERR_IO);
  assert_int_equal(diag.status, BURL_ERR_IO);
  assert_non_null(strstr(diag.reason, "cannot be written"));
  assert_int_equal(count_files(), 0);
  burl_image_free(&image);
}

static burl_status write_somewhere(const burl_image *image, int to_file, burl_diag *diag) {
  unsigned char *bytes = NULL;
  size_t size;
  if (to_file) return burl_image_save_png(image, in_folder("m.png"), diag);
  burl_status status = burl_image_encode_png(&bytes, &size, image, diag);
  if (status == BURL_OK) free(bytes);
  return status;
}

static void test_failing_allocations(void **state) {
  (void)state;
  burl_image image = random_image(40, 400, 3, BURL_U16);
  for (int to_file = 0; to_file < 2; to_file++)
    for (long i = 0;; i++) {
      burl_diag diag = {0};
      fail_allocation_after(i);
      burl_status status = write_somewhere(&image, to_file, &diag);
      stop_failing();
      assert_int_equal(count_files(), to_file && status == BURL_OK ? 1 : 0);
      if (status == BURL_OK) {
        assert_true(i > 5);
        break;
      }
      assert_int_equal(status, BURL_ERR_MEMORY);
      assert_int_equal(diag.status, BURL_ERR_MEMORY);
    }
  unlink(in_folder("m.png"));
  burl_image_free(&image);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_round_trip),
      cmocka_unit_test(test_same_rows_same_bytes),
      cmocka_unit_test(test_text),
      cmocka_unit_test(test_number_of_rows),
      cmocka_unit_test(test_abandon_leaves_nothing),
      cmocka_unit_test(test_shapes_that_cannot_be),
      cmocka_unit_test(test_widest_row),
      cmocka_unit_test(test_places_that_cannot_be_written),
      cmocka_unit_test(test_full_disk),
      cmocka_unit_test(test_failing_allocations),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
