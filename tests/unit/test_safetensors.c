/* Reading safetensors: what is written comes back, and nothing malformed or changed is taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/safetensors.h"
#include "failing.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[256];

static const char *place(const char *name) {
  static char path[512];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static int set_up(void **state) {
  (void)state;
  const char *base = getenv("TMPDIR");
  snprintf(folder, sizeof folder, "%s/burl-safetensors-XXXXXX", base ? base : "/tmp");
  return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state) {
  (void)state;
  return rmdir(folder); /* fails where a test left something behind */
}

/* A file of this header and `data` bytes 1, 2, 3..; its size goes to *size. */
static unsigned char *make_bytes(size_t *size, const char *header, size_t data) {
  const size_t length = strlen(header);
  *size = 8 + length + data;
  unsigned char *bytes = malloc(*size);
  assert_non_null(bytes);
  for (size_t i = 0; i < 8; i++)
    bytes[i] = (unsigned char)((uint64_t)length >> (8 * i));
  memcpy(bytes + 8, header, length);
  for (size_t i = 0; i < data; i++)
    bytes[8 + length + i] = (unsigned char)(i + 1);
  return bytes;
}

/* The file that the checksum tests change: what a model is made of, in small. */
static void save_model(const char *path) {
  static const float bank[6] = {1.0f, -2.5f, 3.0f, 0.0f, 1e-40f, 3e38f};
  static const double scale = 0.5;
  static const uint8_t flags[3] = {1, 0, 1};
  burl_safetensors_writer *writer;
  assert_int_equal(burl_safetensors_writer_new(&writer), BURL_OK);
  burl_safetensors_writer_add_metadata(writer, "burl.format", "1");
  burl_safetensors_writer_add_metadata(writer, "burl.model",
                                       "{\"k\":2,\"name\":\"Gewebe \xC3\xA4\"}");
  burl_safetensors_writer_add_tensor(writer, "flags", BURL_DTYPE_BOOL, (size_t[]){3}, 1, flags);
  burl_safetensors_writer_add_tensor(writer, "bank", BURL_DTYPE_F32, (size_t[]){2, 3}, 2, bank);
  burl_safetensors_writer_add_tensor(writer, "scale", BURL_DTYPE_F64, NULL, 0, &scale);
  burl_safetensors_writer_add_checksum(writer);
  assert_int_equal(burl_safetensors_writer_save(writer, path, NULL), BURL_OK);
  burl_safetensors_writer_free(writer);
}

static unsigned char *read_model(size_t *size) {
  unsigned char *bytes;
  save_model(place("model"));
  assert_int_equal(burl_file_read(&bytes, size, place("model"), 1 << 20, NULL), BURL_OK);
  assert_int_equal(unlink(place("model")), 0);
  return bytes;
}

/* Load and check; the bytes are copied to a block of their exact size, so that overruns show. */
static burl_status load_and_check(const unsigned char *bytes, size_t size, burl_diag *diag) {
  burl_safetensors *file = NULL;
  unsigned char *copy = malloc(size ? size : 1);
  assert_non_null(copy);
  memcpy(copy, bytes, size);
  burl_status status = burl_safetensors_parse(&file, copy, size, "model", diag);
  if (status == BURL_OK) status = burl_safetensors_check_checksum(file, diag);
  burl_safetensors_free(file);
  free(copy);
  return status;
}

static void test_round_trip(void **state) {
  (void)state;
  burl_safetensors *file;
  burl_diag diag = {0};
  const float *bank;
  save_model(place("model"));
  assert_int_equal(burl_safetensors_load(&file, place("model"), &diag), BURL_OK);
  assert_int_equal(burl_safetensors_check_checksum(file, &diag), BURL_OK);
  assert_int_equal(burl_safetensors_get_count(file), 3);
  assert_string_equal(burl_safetensors_get_tensor(file, 0)->name, "bank");
  assert_string_equal(burl_safetensors_get_tensor(file, 1)->name, "flags");
  assert_string_equal(burl_safetensors_get_tensor(file, 2)->name, "scale");
  assert_null(burl_safetensors_get_tensor(file, 3));
  assert_null(burl_safetensors_find(file, "ban"));
  assert_null(burl_safetensors_find(file, "__metadata__"));
  assert_string_equal(burl_safetensors_get_metadata(file, "burl.format"), "1");
  assert_string_equal(burl_safetensors_get_metadata(file, "burl.model"),
                      "{\"k\":2,\"name\":\"Gewebe \xC3\xA4\"}");
  assert_null(burl_safetensors_get_metadata(file, "bank"));
  assert_int_equal(burl_safetensors_get_floats(file, &bank, "bank", (size_t[]){2, 3}, 2, &diag),
                   BURL_OK);
  assert_true(bank[0] == 1.0f && bank[1] == -2.5f && bank[4] == 1e-40f && bank[5] == 3e38f);
  const burl_tensor *scale = burl_safetensors_find(file, "scale");
  assert_int_equal(scale->rank, 0);
  assert_int_equal(scale->count, 1);
  assert_int_equal(scale->size, 8);
  assert_true(*(const double *)scale->data == 0.5);
  const burl_tensor *flags = burl_safetensors_find(file, "flags");
  assert_int_equal(flags->dtype, BURL_DTYPE_BOOL);
  assert_int_equal(flags->shape[0], 3);
  assert_int_equal(flags->shape[1], 0);
  assert_memory_equal(flags->data, "\1\0\1", 3);
  burl_safetensors_free(file);
  assert_int_equal(unlink(place("model")), 0);
}

#define F32_HEADER "{\"x\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}"

/* Aligned data is used where it lies, other data is copied, and the values are the same. */
static void test_alignment(void **state) {
  (void)state;
  int used = 0, copied = 0;
  for (size_t spaces = 0; spaces < 8; spaces++) {
    char header[128];
    size_t size;
    snprintf(header, sizeof header, F32_HEADER "%.*s", (int)spaces, "        ");
    unsigned char *bytes = make_bytes(&size, header, 8);
    burl_safetensors *file;
    assert_int_equal(burl_safetensors_parse(&file, bytes, size, "x", NULL), BURL_OK);
    const burl_tensor *x = burl_safetensors_find(file, "x");
    const unsigned char *data = x->data;
    assert_int_equal((uintptr_t)data % 4, 0);
    assert_memory_equal(data, "\1\2\3\4\5\6\7\10", 8);
    int inside = data == bytes + size - 8;
    used += inside;
    copied += !inside;
    burl_safetensors_free(file);
    free(bytes);
  }
  assert_int_equal(used, 2);
  assert_int_equal(copied, 6);
}

/* A type of one byte before one of four: allowed by the format, and each must come out aligned. */
static void test_mixed_alignment(void **state) {
  (void)state;
  const char *header =
      "{\"b\":{\"dtype\":\"I16\",\"shape\":[2],\"data_offsets\":[7,11]},"
      "\"e\":{\"dtype\":\"F64\",\"shape\":[0],\"data_offsets\":[7,7]},"
      "\"a\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]},"
      "\"c\":{\"dtype\":\"U32\",\"shape\":[],\"data_offsets\":[3,7]}}";
  size_t size;
  unsigned char *bytes = make_bytes(&size, header, 11);
  burl_safetensors *file;
  assert_int_equal(burl_safetensors_parse(&file, bytes, size, "x", NULL), BURL_OK);
  assert_int_equal(burl_safetensors_get_count(file), 4);
  assert_memory_equal(burl_safetensors_find(file, "a")->data, "\1\2\3", 3);
  assert_int_equal(*(const uint32_t *)burl_safetensors_find(file, "c")->data, 0x07060504);
  assert_int_equal(((const int16_t *)burl_safetensors_find(file, "b")->data)[1], 0x0B0A);
  assert_int_equal((uintptr_t)burl_safetensors_find(file, "e")->data % 8, 0);
  burl_safetensors_free(file);
  free(bytes);
}

#define T(dtype, shape, offsets)                                                                   \
  "{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static const struct {
  const char *header;
  size_t data;
  burl_status status;
  const char *reason;
} bad_headers[] = {
    {"", 0, BURL_ERR_FORMAT, "does not begin"},
    {" {}", 0, BURL_ERR_FORMAT, "does not begin"},
    {"[]", 0, BURL_ERR_FORMAT, "does not begin"},
    {"{", 0, BURL_ERR_FORMAT, "not JSON"},
    {"{}x", 0, BURL_ERR_FORMAT, "not JSON"},
    {"{\"\xFF\":1}", 0, BURL_ERR_FORMAT, "not JSON"},
    {"{\"a\\u0000b\":" T("U8", "[]", "[0,1]") "}", 1, BURL_ERR_FORMAT, "not JSON"},
    {"{}", 1, BURL_ERR_FORMAT, "end 1 bytes before"},
    {"{\"x\":1}", 0, BURL_ERR_FORMAT, "not described"},
    {"{\"x\":{}}", 0, BURL_ERR_FORMAT, "not described"},
    {"{\"x\":{\"dtype\":\"U8\",\"shape\":[],\"offsets\":[0,1]}}", 1, BURL_ERR_FORMAT, "no pair"},
    {"{\"x\":{\"dtype\":\"U8\",\"shapes\":[],\"data_offsets\":[0,1]}}", 1, BURL_ERR_FORMAT,
     "no shape"},
    {"{\"x\":{\"dtype\":8,\"shape\":[],\"data_offsets\":[0,1]}}", 1, BURL_ERR_FORMAT, "no dtype"},
    {"{\"x\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1],\"y\":1}}", 1, BURL_ERR_FORMAT,
     "not described"},
    {"{\"x\":" T("F8_E4M3", "[]", "[0,1]") "}", 1, BURL_ERR_UNSUPPORTED, "F8_E4M3"},
    {"{\"x\":" T("f32", "[]", "[0,4]") "}", 4, BURL_ERR_UNSUPPORTED, "f32"},
    {"{\"x\":" T("U8", "[1,1,1,1,1,1,1,1,1]", "[0,1]") "}", 1, BURL_ERR_UNSUPPORTED,
     "9 dimensions"},
    {"{\"x\":" T("U8", "[-1]", "[0,1]") "}", 1, BURL_ERR_FORMAT, "entry 0"},
    {"{\"x\":" T("U8", "[1,1.0]", "[0,1]") "}", 1, BURL_ERR_FORMAT, "entry 1"},
    {"{\"x\":" T("U8", "[\"1\"]", "[0,1]") "}", 1, BURL_ERR_FORMAT, "entry 0"},
    {"{\"x\":" T("U8", "1", "[0,1]") "}", 1, BURL_ERR_FORMAT, "no shape"},
    {"{\"x\":" T("U8", "[4294967296,4294967296]", "[0,0]") "}", 0, BURL_ERR_FORMAT, "product"},
    {"{\"x\":" T("F64", "[2305843009213693952]", "[0,0]") "}", 0, BURL_ERR_FORMAT, "product"},
    {"{\"x\":" T("U8", "[99999999999999999999]", "[0,1]") "}", 1, BURL_ERR_FORMAT, "not JSON"},
    {"{\"x\":" T("U8", "[1]", "[0]") "}", 1, BURL_ERR_FORMAT, "no pair"},
    {"{\"x\":" T("U8", "[1]", "[0,1,1]") "}", 1, BURL_ERR_FORMAT, "no pair"},
    {"{\"x\":" T("U8", "[1]", "{}") "}", 1, BURL_ERR_FORMAT, "no pair"},
    {"{\"x\":" T("U8", "[1]", "[0,1.0]") "}", 1, BURL_ERR_FORMAT, "no pair"},
    {"{\"x\":" T("U8", "[1]", "[-1,0]") "}", 1, BURL_ERR_FORMAT, "not within"},
    {"{\"x\":" T("U8", "[1]", "[1,0]") "}", 1, BURL_ERR_FORMAT, "not within"},
    {"{\"x\":" T("U8", "[2]", "[0,2]") "}", 1, BURL_ERR_FORMAT, "not within the 1 bytes"},
    {"{\"x\":" T("F32", "[2]", "[0,7]") "}", 7, BURL_ERR_FORMAT, "has 7 bytes, but its shape"},
    {"{\"x\":" T("U8", "[1]", "[1,2]") "}", 2, BURL_ERR_FORMAT, "begins at byte 1"},
    {"{\"x\":" T("U8", "[1]", "[0,1]") "}", 2, BURL_ERR_FORMAT, "end 1 bytes before"},
    {"{\"x\":" T("U8", "[2]", "[0,2]") ",\"y\":" T("U8", "[2]", "[1,3]") "}", 3, BURL_ERR_FORMAT,
     "begins at byte 1"},
    {"{\"x\":" T("U8", "[1]", "[0,1]") ",\"y\":" T("U8", "[1]", "[2,3]") "}", 3, BURL_ERR_FORMAT,
     "begins at byte 2"},
    {"{\"x\":" T("U8", "[2]", "[0,2]") ",\"y\":" T("U8", "[0]", "[1,1]") "}", 2, BURL_ERR_FORMAT,
     "begins at byte 1"},
    {"{\"x\":" T("U8", "[1]", "[0,1]") ",\"x\":" T("U8", "[1]", "[1,2]") "}", 2, BURL_ERR_FORMAT,
     "duplicate"},
    {"{\"__metadata__\":1}", 0, BURL_ERR_FORMAT, "not an object"},
    {"{\"__metadata__\":{\"k\":1}}", 0, BURL_ERR_FORMAT, "\"k\" is not a text"},
    {"{\"__metadata__\":{\"k\":\"\",\"\\u006b\":\"\"}}", 0, BURL_ERR_FORMAT, "duplicate"},
    {"{\"__metadata__\":{\"k\":[[1]]}}", 0, BURL_ERR_FORMAT, "nested deeper"},
    {"{\"x\":[[[[[[[[", 0, BURL_ERR_FORMAT, "nested deeper"},
};

static void test_bad_headers(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof bad_headers / sizeof bad_headers[0]; i++) {
    burl_diag diag = {0};
    size_t size;
    unsigned char *bytes = make_bytes(&size, bad_headers[i].header, bad_headers[i].data);
    burl_safetensors *file = NULL;
    burl_status status = burl_safetensors_parse(&file, bytes, size, "bad.safetensors", &diag);
    if (status != bad_headers[i].status || !strstr(diag.reason, bad_headers[i].reason))
      fail_msg("%s: status %d, \"%s\"", bad_headers[i].header, (int)status, diag.reason);
    assert_null(file);
    assert_int_equal(diag.status, status);
    assert_string_equal(diag.path, "bad.safetensors");
    free(bytes);
  }
}

static void expect_parse(const void *bytes, size_t size, burl_status expected, const char *reason) {
  burl_diag diag = {0};
  burl_safetensors *file = NULL;
  assert_int_equal(burl_safetensors_parse(&file, bytes, size, "x", &diag), expected);
  assert_null(file);
  assert_non_null(strstr(diag.reason, reason));
}

static void test_bad_length(void **state) {
  (void)state;
  expect_parse("", 0, BURL_ERR_FORMAT, "0 bytes");
  expect_parse("\2\0\0\0\0\0\0", 7, BURL_ERR_FORMAT, "7 bytes");
  expect_parse("\3\0\0\0\0\0\0\0{}", 10, BURL_ERR_FORMAT, "header, 3, is beyond");
  expect_parse("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF{}", 10, BURL_ERR_FORMAT, "18446744073709551615");
  burl_safetensors *file;
  assert_int_equal(burl_safetensors_parse(&file, "\2\0\0\0\0\0\0\0{}", 10, "x", NULL), BURL_OK);
  assert_int_equal(burl_safetensors_get_count(file), 0);
  assert_null(burl_safetensors_find(file, "x"));
  assert_null(burl_safetensors_get_metadata(file, "x"));
  burl_safetensors_free(file);
}

static void test_limits(void **state) {
  (void)state;
  const size_t length = 100000001;
  unsigned char *bytes = calloc(8 + length, 1);
  assert_non_null(bytes);
  memcpy(bytes, "\1\xE1\xF5\5\0\0\0\0{", 9);
  expect_parse(bytes, 8 + length, BURL_ERR_UNSUPPORTED, "100000001 bytes");
  memcpy(bytes, "D\x42\x0F\0\0\0\0\0{\"\":", 12); /* 1000004: room for 1000001 commas and no more */
  memset(bytes + 11, ',', 1000001);
  expect_parse(bytes, 8 + 1000004, BURL_ERR_UNSUPPORTED, "1000001 values");
  bytes[20] = ' '; /* one fewer is left to the parser */
  expect_parse(bytes, 8 + 1000004, BURL_ERR_FORMAT, "not JSON");
  free(bytes);
}

static void test_load_errors(void **state) {
  (void)state;
  burl_diag diag = {0};
  burl_safetensors *file = NULL;
  assert_int_equal(burl_safetensors_load(&file, place("missing"), &diag), BURL_ERR_IO);
  assert_int_equal(burl_safetensors_load(&file, folder, &diag), BURL_ERR_IO);
  FILE *stream = fopen(place("large"), "wb");
  assert_non_null(stream);
  assert_int_equal(ftruncate(fileno(stream), (off_t)1 << 32), 0); /* takes no room on the disk */
  fclose(stream);
  assert_int_equal(burl_safetensors_load(&file, place("large"), &diag), BURL_ERR_SIZE);
  assert_int_equal(unlink(place("large")), 0);
  assert_null(file);
  burl_safetensors_free(NULL);
  burl_safetensors_writer_free(NULL);
}

/* Every byte changed in twenty ways, every cut and every extension must be noticed. */
static void test_every_change_is_noticed(void **state) {
  (void)state;
  static const unsigned char flips[] = {1, 2, 4, 8, 16, 32, 64, 128, 255, 127, 85, 3};
  static const char values[] = {0, ' ', '0', '"', ',', '}', '\\', 'f'};
  size_t size;
  unsigned char *bytes = read_model(&size);
  assert_int_equal(load_and_check(bytes, size, NULL), BURL_OK);
  for (size_t i = 0; i < size; i++) {
    const unsigned char kept = bytes[i];
    for (size_t k = 0; k < sizeof flips + sizeof values; k++) {
      bytes[i] = k < sizeof flips ? kept ^ flips[k] : (unsigned char)values[k - sizeof flips];
      if (bytes[i] == kept) continue;
      if (load_and_check(bytes, size, NULL) == BURL_OK)
        fail_msg("byte %zu: %02x instead of %02x went unnoticed", i, bytes[i], kept);
    }
    bytes[i] = kept;
  }
  for (size_t cut = 0; cut < size; cut++)
    if (load_and_check(bytes, cut, NULL) == BURL_OK) fail_msg("cut to %zu bytes", cut);
  unsigned char *longer = calloc(size + 16, 1);
  assert_non_null(longer);
  memcpy(longer, bytes, size);
  for (size_t more = 1; more <= 16; more++)
    assert_int_equal(load_and_check(longer, size + more, NULL), BURL_ERR_FORMAT);
  assert_int_equal(load_and_check(bytes, size, NULL), BURL_OK);
  free(longer);
  free(bytes);
}

/* CRC-32 bit by bit. */
static uint32_t plain_crc(const unsigned char *bytes, size_t size) {
  uint32_t crc = 0xFFFFFFFFu;
  for (size_t i = 0; i < size; i++) {
    crc ^= bytes[i];
    for (int bit = 0; bit < 8; bit++)
      crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
  }
  return ~crc;
}

static void test_checksum_value(void **state) {
  (void)state;
  size_t size, at = 0;
  unsigned char *bytes = read_model(&size);
  char digits[9], reason[64];
  while (memcmp(bytes + at, "burl.checksum\":\"", 16) != 0)
    at++;
  at += 16;
  memcpy(digits, bytes + at, 8);
  digits[8] = '\0';
  memset(bytes + at, '0', 8);
  char expected[9];
  snprintf(expected, sizeof expected, "%08x", plain_crc(bytes, size));
  assert_string_equal(digits, expected);
  burl_diag diag = {0};
  assert_int_equal(load_and_check(bytes, size, &diag), BURL_ERR_CHECKSUM);
  snprintf(reason, sizeof reason, "checksum is 00000000, but its content gives %s", expected);
  assert_non_null(strstr(diag.reason, reason));
  assert_int_equal(diag.offset, (int64_t)at);
  free(bytes);
}

static void test_checksum_forms(void **state) {
  (void)state;
  static const char *const headers[] = {
      "{}",
      "{\"__metadata__\":{\"other\":\"00000000\"}}",
      "{\"__metadata__\":{\"burl.checksum\": \"00000000\"}}",
      "{\"__metadata__\":{ \"burl.checksum\":\"00000000\"}}",
      "{\"__metadata__\":{\"burl.checksu\\u006d\":\"00000000\"}}",
      "{\"__metadata__\":{\"burl.checksum\":\"0000000\"}}",
      "{\"__metadata__\":{\"burl.checksum\":\"000000000\"}}",
      "{\"__metadata__\":{\"burl.checksum\":\"\"}}",
  };
  for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
    size_t size;
    unsigned char *bytes = make_bytes(&size, headers[i], 0);
    burl_diag diag = {0};
    assert_int_equal(load_and_check(bytes, size, &diag), BURL_ERR_FORMAT);
    assert_non_null(strstr(diag.reason, "checksum"));
    free(bytes);
  }
}

/* Texts that look like the checksum must not be taken for it, wherever they stand. */
static void test_checksum_imitated(void **state) {
  (void)state;
  static const char *const imitations[] = {"{\"burl.checksum\":\"12345678\"}",
                                           ",\"burl.checksum\":\"12345678\"", "\"burl.checksum",
                                           "\\,\"burl.checksum\":\"12345678\""};
  for (size_t i = 0; i < sizeof imitations / sizeof imitations[0]; i++) {
    burl_safetensors_writer *writer;
    burl_safetensors *file;
    assert_int_equal(burl_safetensors_writer_new(&writer), BURL_OK);
    burl_safetensors_writer_add_metadata(writer, "a", imitations[i]);
    burl_safetensors_writer_add_metadata(writer, imitations[i], imitations[i]);
    burl_safetensors_writer_add_metadata(writer, "z", imitations[i]);
    burl_safetensors_writer_add_tensor(writer, imitations[i], BURL_DTYPE_U8, NULL, 0, "x");
    burl_safetensors_writer_add_checksum(writer);
    assert_int_equal(burl_safetensors_writer_save(writer, place("imitated"), NULL), BURL_OK);
    burl_safetensors_writer_free(writer);
    assert_int_equal(burl_safetensors_load(&file, place("imitated"), NULL), BURL_OK);
    assert_int_equal(burl_safetensors_check_checksum(file, NULL), BURL_OK);
    assert_string_equal(burl_safetensors_get_metadata(file, imitations[i]), imitations[i]);
    burl_safetensors_free(file);
    assert_int_equal(unlink(place("imitated")), 0);
  }
}

static void expect_floats(const burl_safetensors *file, const char *name, const size_t *shape,
                          size_t rank, burl_status expected, const char *reason) {
  burl_diag diag = {0};
  const float untouched = 0, *values = &untouched;
  assert_int_equal(burl_safetensors_get_floats(file, &values, name, shape, rank, &diag), expected);
  if (expected == BURL_OK) return;
  assert_ptr_equal(values, &untouched);
  if (!strstr(diag.reason, reason)) fail_msg("\"%s\" is not in \"%s\"", reason, diag.reason);
  assert_string_equal(diag.path, place("floats"));
}

static void test_get_floats(void **state) {
  (void)state;
  const float x[6] = {0}, nan_last[3] = {0, 1, NAN}, inf_first[2] = {-INFINITY, 1};
  burl_safetensors_writer *writer;
  burl_safetensors *file;
  assert_int_equal(burl_safetensors_writer_new(&writer), BURL_OK);
  burl_safetensors_writer_add_tensor(writer, "x", BURL_DTYPE_F32, (size_t[]){2, 3}, 2, x);
  burl_safetensors_writer_add_tensor(writer, "one", BURL_DTYPE_F32, NULL, 0, x);
  burl_safetensors_writer_add_tensor(writer, "nan", BURL_DTYPE_F32, (size_t[]){3}, 1, nan_last);
  burl_safetensors_writer_add_tensor(writer, "inf", BURL_DTYPE_F32, (size_t[]){2}, 1, inf_first);
  burl_safetensors_writer_add_tensor(writer, "int", BURL_DTYPE_I32, (size_t[]){2}, 1, x);
  assert_int_equal(burl_safetensors_writer_save(writer, place("floats"), NULL), BURL_OK);
  burl_safetensors_writer_free(writer);
  assert_int_equal(burl_safetensors_load(&file, place("floats"), NULL), BURL_OK);
  assert_int_equal(unlink(place("floats")), 0);
  const size_t shape[9] = {2, 3, 1, 1, 1, 1, 1, 1, 1}, three[1] = {3};
  expect_floats(file, "x", shape, 2, BURL_OK, "");
  expect_floats(file, "one", NULL, 0, BURL_OK, "");
  expect_floats(file, "y", shape, 2, BURL_ERR_FORMAT, "tensor \"y\" is missing");
  expect_floats(file, "x", shape, 1, BURL_ERR_FORMAT, "\"x\" has shape [2, 3], expected [2]");
  expect_floats(file, "x", NULL, 0, BURL_ERR_FORMAT, "expected []");
  expect_floats(file, "x", shape, 9, BURL_ERR_FORMAT, "expected [2, 3, 1, 1, 1, 1, 1, 1, ..]");
  expect_floats(file, "one", shape, 1, BURL_ERR_FORMAT, "has shape [], expected [2]");
  expect_floats(file, "int", shape, 1, BURL_ERR_FORMAT, "has dtype I32, expected F32");
  expect_floats(file, "nan", three, 1, BURL_ERR_NUMERIC, "not finite, at element 2");
  expect_floats(file, "inf", shape, 1, BURL_ERR_NUMERIC, "not finite, at element 0");
  burl_safetensors_free(file);
}

/* Every allocation fails once, those of the JSON library too (it is given the wrapped allocators).
 * The names are short: libjansson does not report that the buffer of a long text could not grow,
 * which is why the reader makes sure of the memory beforehand. */
static void test_failing_allocations(void **state) {
  (void)state;
  const char *header =
      "{\"__metadata__\":{\"burl.checksum\":\"00000000\",\"k\":\"v\"},"
      "\"y\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[1,9]},"
      "\"x\":{\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[0,1]}}";
  size_t size;
  unsigned char *bytes = make_bytes(&size, header, 9);
  assert_int_equal(burl_file_write(place("short"), bytes, size, NULL), BURL_OK);
  free(bytes);
  json_set_alloc_funcs(malloc, free);
  long failures = 0;
  for (;; failures++) {
    burl_safetensors *file = NULL;
    burl_diag diag = {0};
    fail_allocation_after(failures);
    burl_status status = burl_safetensors_load(&file, place("short"), &diag);
    long made = stop_failing();
    if (status == BURL_OK) {
      assert_int_equal(made, failures); /* none of them failed */
      burl_safetensors_free(file);
      break;
    }
    assert_int_equal(status, BURL_ERR_MEMORY);
    assert_int_equal(diag.status, BURL_ERR_MEMORY);
    assert_null(file);
  }
  assert_true(failures > 30);
  assert_int_equal(unlink(place("short")), 0);
}

/* No memory for the JSON tree is noticed before the JSON library sees the text. */
static void test_memory_is_made_sure_of(void **state) {
  (void)state;
  size_t size;
  unsigned char *bytes = read_model(&size);
  burl_safetensors *file = NULL;
  json_set_alloc_funcs(malloc, free);
  fail_allocation_after(2); /* after the file and its name */
  assert_int_equal(burl_safetensors_parse(&file, bytes, size, "x", NULL), BURL_ERR_MEMORY);
  assert_int_equal(stop_failing(), 3);
  assert_null(file);
  free(bytes);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_round_trip),          cmocka_unit_test(test_alignment),
      cmocka_unit_test(test_mixed_alignment),     cmocka_unit_test(test_bad_headers),
      cmocka_unit_test(test_bad_length),          cmocka_unit_test(test_limits),
      cmocka_unit_test(test_load_errors),         cmocka_unit_test(test_every_change_is_noticed),
      cmocka_unit_test(test_checksum_value),      cmocka_unit_test(test_checksum_forms),
      cmocka_unit_test(test_checksum_imitated),   cmocka_unit_test(test_get_floats),
      cmocka_unit_test(test_failing_allocations), cmocka_unit_test(test_memory_is_made_sure_of),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
