/* Reading PNG: every kind gives the samples it was made of, every damage is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "failing.h"

#include <burl/image.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

typedef struct bytes {
  unsigned char *data;
  size_t size, room;
} bytes;

static void append(bytes *b, const void *data, size_t size) {
  if (b->size + size > b->room) {
    b->room = 2 * (b->size + size);
    b->data = realloc(b->data, b->room);
    assert_non_null(b->data);
  }
  if (size) memcpy(b->data + b->size, data, size);
  b->size += size;
}

static void release(bytes *b) {
  free(b->data);
  *b = (bytes){0};
}

static void append_from_png(png_structp png, png_bytep data, size_t size) {
  append(png_get_io_ptr(png), data, size);
}

static void flush_nothing(png_structp png) {
  (void)png;
}

/* What to draw: samples (height, width, channels of the file) of `depth` bits. */
typedef struct drawing {
  size_t height, width;
  int type, depth, interlace;
  const uint16_t *samples;
  const png_color *palette;
  int colours;
} drawing;

static size_t count_channels(int type) {
  static const size_t channels[7] = {1, 0, 3, 1, 2, 0, 4};
  return channels[type];
}

/* Packs one row of samples, most significant bits first. */
static void pack_row(unsigned char *row, const uint16_t *samples, size_t n, int depth) {
  memset(row, 0, (n * (size_t)depth + 7) / 8);
  for (size_t i = 0; i < n; i++) {
    size_t bit = i * (size_t)depth;
    if (depth == 16) {
      row[2 * i] = (unsigned char)(samples[i] >> 8);
      row[2 * i + 1] = (unsigned char)samples[i];
    } else {
      row[bit / 8] |= (unsigned char)(samples[i] << (8 - (size_t)depth - bit % 8));
    }
  }
}

/* The drawing as a PNG, by libpng itself. */
static bytes draw(const drawing *d) {
  bytes out = {0};
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
  assert_non_null(png);
  png_infop info = png_create_info_struct(png);
  size_t n = d->width * count_channels(d->type), stride = n * 2;
  unsigned char *packed = malloc(d->height * stride);
  unsigned char **rows = malloc(d->height * sizeof *rows);
  assert_true(info && packed && rows);
  for (size_t y = 0; y < d->height; y++) {
    rows[y] = packed + y * stride;
    pack_row(rows[y], d->samples + y * n, n, d->depth);
  }
  png_set_write_fn(png, &out, append_from_png, flush_nothing);
  png_set_IHDR(png, info, (png_uint_32)d->width, (png_uint_32)d->height, d->depth, d->type,
               d->interlace, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (d->palette) {
    const unsigned char alpha[2] = {0, 128};
    png_set_PLTE(png, info, d->palette, d->colours);
    png_set_tRNS(png, info, alpha, d->colours < 2 ? d->colours : 2, NULL);
  }
  png_set_gAMA(png, info, 1.0 / 1.7); /* must not change a sample */
  png_write_info(png, info);
  png_write_image(png, rows);
  png_write_end(png, info);
  png_destroy_write_struct(&png, &info);
  free(rows);
  free(packed);
  return out;
}

static uint16_t *random_samples(size_t n, uint64_t seed, unsigned limit) {
  uint16_t *samples = malloc(n * sizeof *samples);
  assert_non_null(samples);
  burl_random random = burl_random_start(seed, 7);
  for (size_t i = 0; i < n; i++)
    samples[i] = (uint16_t)burl_random_below(&random, limit);
  return samples;
}

static unsigned get_sample(const burl_image *image, size_t i) {
  return image->sample == BURL_U16 ? ((const uint16_t *)image->data)[i]
                                   : ((const uint8_t *)image->data)[i];
}

/* Sample `c` of pixel `i` by the definition in burl/image.h. */
static unsigned expected_sample(const drawing *d, size_t i, size_t c) {
  unsigned v = d->samples[i * count_channels(d->type) + (d->palette ? 0 : c)];
  if (d->palette) {
    const png_color *colour = &d->palette[v];
    return c == 0 ? colour->red : c == 1 ? colour->green : colour->blue;
  }
  return d->depth < 8 ? v * 255 / ((1u << d->depth) - 1) : v;
}

static void check_drawing(const drawing *d, size_t channels) {
  burl_image image = {0};
  burl_diag diag = {0};
  bytes file = draw(d);
  assert_int_equal(burl_image_decode(&image, file.data, file.size, "drawn", &diag), BURL_OK);
  assert_int_equal(diag.status, BURL_OK);
  assert_int_equal(image.height, d->height);
  assert_int_equal(image.width, d->width);
  assert_int_equal(image.channels, channels);
  assert_int_equal(image.sample, d->depth == 16 ? BURL_U16 : BURL_U8);
  for (size_t i = 0; i < d->height * d->width; i++)
    for (size_t c = 0; c < channels; c++)
      assert_int_equal(get_sample(&image, i * channels + c), expected_sample(d, i, c));
  burl_image_free(&image);
  release(&file);
}

static const size_t sizes[][2] = {{1, 1}, {1, 9}, {9, 1}, {5, 7}, {8, 8}, {17, 33}};
enum { SIZES = sizeof sizes / sizeof *sizes };

static void test_every_direct_kind(void **state) {
  (void)state;
  static const int kinds[][2] = {{0, 1},  {0, 2}, {0, 4},  {0, 8}, {0, 16}, {2, 8},
                                 {2, 16}, {4, 8}, {4, 16}, {6, 8}, {6, 16}};
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
    for (size_t s = 0; s < SIZES; s++)
      for (int interlace = 0; interlace < 2; interlace++) {
        drawing d = {.height = sizes[s][0], .width = sizes[s][1], .interlace = interlace};
        d.type = kinds[k][0];
        d.depth = kinds[k][1];
        uint16_t *samples =
            random_samples(d.height * d.width * count_channels(d.type), k + s, 1u << d.depth);
        d.samples = samples;
        check_drawing(&d, d.type & PNG_COLOR_MASK_COLOR ? 3 : 1);
        free(samples);
      }
}

static void test_palettes(void **state) {
  (void)state;
  png_color colours[256], greys[256];
  for (int i = 0; i < 256; i++) {
    png_byte v = (png_byte)(i * 37);
    colours[i] = (png_color){v, (png_byte)(i * 11 + 1), (png_byte)(255 - i)};
    greys[i] = (png_color){v, v, v};
  }
  for (int depth = 1; depth <= 8; depth *= 2)
    for (size_t s = 0; s < SIZES; s++)
      for (int interlace = 0; interlace < 2; interlace++) {
        int count = depth == 8 ? 200 : 1 << depth;
        drawing d = {sizes[s][0], sizes[s][1], 3, depth, interlace, NULL, colours, count};
        uint16_t *samples = random_samples(d.height * d.width, s, (unsigned)count);
        d.samples = samples;
        check_drawing(&d, 3);
        d.palette = greys;
        check_drawing(&d, 1);
        free(samples);
      }
}

/* A small file with most features: interlaced 16-bit RGBA. */
static bytes draw_sample(void) {
  uint16_t *samples = random_samples(6 * 5 * 4, 3, 1u << 16);
  drawing d = {.height = 6, .width = 5, .type = 6, .depth = 16, .interlace = 1, .samples = samples};
  bytes file = draw(&d);
  free(samples);
  return file;
}

/* Decodes an exact-size copy; the image must stay untouched where it fails. */
static burl_status decode_copy(const unsigned char *data, size_t size, burl_diag *diag) {
  unsigned char mark;
  burl_image image = {.height = 11, .width = 12, .channels = 1, .sample = BURL_U8, .data = &mark};
  unsigned char *copy = malloc(size ? size : 1);
  assert_non_null(copy);
  if (size) memcpy(copy, data, size);
  *diag = (burl_diag){0};
  burl_status status = burl_image_decode(&image, copy, size, "copy", diag);
  free(copy);
  assert_int_equal(diag->status, status);
  if (status == BURL_OK) {
    burl_image_free(&image);
    return status;
  }
  assert_ptr_equal(image.data, &mark);
  assert_int_equal(image.height, 11);
  assert_string_equal(diag->path, "copy");
  assert_true(diag->reason[0]);
  return status;
}

static void test_every_truncation_is_refused(void **state) {
  (void)state;
  burl_diag diag;
  bytes file = draw_sample();
  for (size_t n = 0; n < file.size; n++)
    assert_int_equal(decode_copy(file.data, n, &diag), BURL_ERR_FORMAT);
  assert_int_equal(decode_copy(file.data, file.size, &diag), BURL_OK);
  release(&file);
}

static void test_every_changed_byte_is_refused(void **state) {
  (void)state;
  burl_diag diag;
  bytes file = draw_sample();
  for (size_t i = 0; i < file.size; i++)
    for (int bit = 0; bit < 8; bit++) {
      file.data[i] ^= (unsigned char)(1 << bit);
      assert_int_not_equal(decode_copy(file.data, file.size, &diag), BURL_OK);
      file.data[i] ^= (unsigned char)(1 << bit);
    }
  release(&file);
}

/* Hand-made files: right checksums around wrong contents. */
static void append_number(bytes *b, size_t v) {
  const unsigned char big[4] = {(unsigned char)(v >> 24), (unsigned char)(v >> 16),
                                (unsigned char)(v >> 8), (unsigned char)v};
  append(b, big, 4);
}

static void append_chunk(bytes *b, const char *type, const void *data, size_t size) {
  append_number(b, size);
  size_t start = b->size;
  append(b, type, 4);
  append(b, data, size);
  append_number(b, crc32(0, b->data + start, (uInt)(b->size - start)));
}

static bytes start_png(size_t width, size_t height, int depth, int type) {
  bytes b = {0}, header = {0};
  const unsigned char rest[5] = {(unsigned char)depth, (unsigned char)type, 0, 0, 0};
  append(&b, "\x89PNG\r\n\x1a\n", 8);
  append_number(&header, width);
  append_number(&header, height);
  append(&header, rest, 5);
  append_chunk(&b, "IHDR", header.data, header.size);
  release(&header);
  return b;
}

/* Compresses rows (with their filter bytes), adds `change` to the byte `from_end` before the end.
 */
static void append_rows(bytes *b, const void *rows, size_t size, size_t from_end, int change) {
  unsigned char packed[4096];
  uLongf n = sizeof packed;
  assert_int_equal(compress2(packed, &n, rows, (uLong)size, 9), Z_OK);
  packed[n - 1 - from_end] = (unsigned char)(packed[n - 1 - from_end] + change);
  append_chunk(b, "IDAT", packed, n);
  append_chunk(b, "IEND", NULL, 0);
}

static void check_refused(bytes *file, burl_status expected, const char *reason) {
  burl_diag diag;
  burl_status status = decode_copy(file->data, file->size, &diag);
  if (status != expected) fail_msg("status %d instead of %d (%s)", status, expected, reason);
  if (!strstr(diag.reason, reason)) fail_msg("\"%s\" lacks \"%s\"", diag.reason, reason);
  release(file);
}

static void test_wrong_contents_with_right_checksums(void **state) {
  (void)state;
  static const unsigned char rows[64] = {0, 1, 2, 3, 0, 3, 1, 0, 0, 2, 2, 2};
  burl_diag diag;
  bytes file = start_png(3, 3, 8, 0);
  append_rows(&file, rows, 12, 0, 0);
  assert_int_equal(decode_copy(file.data, file.size, &diag), BURL_OK);
  release(&file);
  file = start_png(3, 3, 8, 0); /* the sum at the end of the deflate stream */
  append_rows(&file, rows, 12, 0, 1);
  check_refused(&file, BURL_ERR_FORMAT, "IDAT");
  file = start_png(3, 3, 8, 0); /* a row is missing */
  append_rows(&file, rows, 8, 0, 0);
  check_refused(&file, BURL_ERR_FORMAT, "damaged PNG");
  file = start_png(3, 3, 8, 0); /* a row too many */
  append_rows(&file, rows, 16, 0, 0);
  check_refused(&file, BURL_ERR_FORMAT, "IDAT");
  file = start_png(3, 3, 8, 3); /* no palette */
  append_rows(&file, rows, 12, 0, 0);
  check_refused(&file, BURL_ERR_FORMAT, "PLTE");
  file = start_png(3, 3, 8, 3); /* index 3 of 3 colours */
  append_chunk(&file, "PLTE", "abcdefghi", 9);
  append_rows(&file, rows, 12, 0, 0);
  check_refused(&file, BURL_ERR_FORMAT, "palette");
  file = start_png(3, 3, 8, 3); /* the same of greys */
  append_chunk(&file, "PLTE", "aaabbbccc", 9);
  append_rows(&file, rows, 12, 0, 0);
  check_refused(&file, BURL_ERR_FORMAT, "palette");
  file = start_png(3, 3, 3, 0); /* depth 3 */
  append_rows(&file, rows, 12, 0, 0);
  check_refused(&file, BURL_ERR_FORMAT, "damaged PNG");
}

static void test_declared_sizes_are_bounded(void **state) {
  (void)state;
  static const unsigned char rows[64] = {0};
  static const struct {
    size_t width, height;
    burl_status status;
    const char *reason;
  } cases[] = {
      {0, 3, BURL_ERR_FORMAT, "damaged PNG"},
      {BURL_IMAGE_MAX_SIDE + 1, 1, BURL_ERR_SIZE, "limit"},
      {1, BURL_IMAGE_MAX_SIDE + 1, BURL_ERR_SIZE, "limit"},
      {0x7FFFFFFF, 0x7FFFFFFF, BURL_ERR_SIZE, "limit"},
      {0xFFFFFFFF, 1, BURL_ERR_FORMAT, "damaged PNG"},
      {(size_t)1 << 16, ((size_t)1 << 15) + 1, BURL_ERR_SIZE, "limit"},
      {(size_t)1 << 16, (size_t)1 << 15, BURL_ERR_FORMAT, "cannot fit"},
      {2000, 2000, BURL_ERR_FORMAT, "cannot fit"},
      {BURL_IMAGE_MAX_SIDE, 1, BURL_ERR_FORMAT, "cannot fit"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    bytes file = start_png(cases[i].width, cases[i].height, 16, 6);
    append_rows(&file, rows, sizeof rows, 0, 0);
    check_refused(&file, cases[i].status, cases[i].reason);
  }
}

/* The densest file there can be is not taken for a damaged one. */
static void test_black_image_loads(void **state) {
  (void)state;
  const size_t side = 4096;
  uint16_t *samples = calloc(side * side, sizeof *samples);
  assert_non_null(samples);
  drawing d = {.height = side, .width = side, .depth = 1, .samples = samples};
  bytes file = draw(&d);
  burl_image image = {0};
  assert_int_equal(burl_image_decode(&image, file.data, file.size, "black", NULL), BURL_OK);
  assert_int_equal(get_sample(&image, side * side - 1), 0);
  burl_image_free(&image);
  release(&file);
  free(samples);
}

static void test_failing_allocations(void **state) {
  (void)state;
  bytes file = draw_sample();
  for (long i = 0;; i++) {
    burl_image image = {0};
    burl_diag diag = {0};
    fail_allocation_after(i);
    burl_status status = burl_image_decode(&image, file.data, file.size, "memory", &diag);
    stop_failing();
    if (status == BURL_OK) {
      burl_image_free(&image);
      assert_true(i > 3);
      break;
    }
    assert_int_equal(status, BURL_ERR_MEMORY);
    assert_int_equal(diag.status, BURL_ERR_MEMORY);
    assert_null(image.data);
  }
  release(&file);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_direct_kind),
      cmocka_unit_test(test_palettes),
      cmocka_unit_test(test_every_truncation_is_refused),
      cmocka_unit_test(test_every_changed_byte_is_refused),
      cmocka_unit_test(test_wrong_contents_with_right_checksums),
      cmocka_unit_test(test_declared_sizes_are_bounded),
      cmocka_unit_test(test_black_image_loads),
      cmocka_unit_test(test_failing_allocations),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
