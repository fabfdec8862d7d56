/* Writing safetensors: the bytes are fixed by the content, and what cannot be read is not written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/safetensors.h"
#include "failing.h"

#include <jansson.h>
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

/* Written by hand, byte for byte; the checksum comes from another program. */
static void test_exact_bytes(void **state) {
  (void)state;
  static const char header[] =
      "{\"__metadata__\":{\"burl.checksum\":\"97ab2198\",\"burl.format\":\"1\"},"
      "\"a\":{\"data_offsets\":[0,24],\"dtype\":\"F32\",\"shape\":[2,3]},"
      "\"b.flags\":{\"data_offsets\":[24,27],\"dtype\":\"BOOL\",\"shape\":[3]}}   ";
  const float a[6] = {1, 2, 3, 4, 5, 6};
  const uint8_t flags[3] = {1, 0, 1};
  for (int order = 0; order < 2; order++) {
    burl_safetensors_writer *writer;
    assert_int_equal(burl_safetensors_writer_new(&writer), BURL_OK);
    if (order == 0) burl_safetensors_writer_add_checksum(writer);
    for (int i = 0; i < 2; i++)
      if (i == order)
        burl_safetensors_writer_add_tensor(writer, "b.flags", BURL_DTYPE_BOOL, (size_t[]){3}, 1,
                                           flags);
      else
        burl_safetensors_writer_add_tensor(writer, "a", BURL_DTYPE_F32, (size_t[]){2, 3}, 2, a);
    burl_safetensors_writer_add_metadata(writer, "burl.format", "1");
    if (order == 1) burl_safetensors_writer_add_checksum(writer);
    unsigned char *bytes;
    size_t size;
    assert_int_equal(burl_safetensors_writer_save(writer, place("exact"), NULL), BURL_OK);
    assert_int_equal(burl_safetensors_writer_save(writer, place("exact"), NULL), BURL_OK);
    burl_safetensors_writer_free(writer);
    assert_int_equal(burl_file_read(&bytes, &size, place("exact"), 1000, NULL), BURL_OK);
    assert_int_equal(unlink(place("exact")), 0);
    assert_int_equal(size, 8 + 184 + 27);
    assert_int_equal(sizeof header - 1, 184);
    assert_memory_equal(bytes, "\xB8\0\0\0\0\0\0\0", 8);
    assert_memory_equal(bytes + 8, header, 184);
    assert_memory_equal(bytes + 8 + 184, a, 24);
    assert_memory_equal(bytes + 8 + 184 + 24, flags, 3);
    free(bytes);
  }
}

/* One tensor of each type, of odd sizes, and shapes of all ranks: written aligned, read aligned. */
static void test_types_and_ranks(void **state) {
  (void)state;
  static const unsigned char data[64 * 8] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  const size_t shape[BURL_TENSOR_MAX_RANK] = {3, 1, 2, 1, 1, 2, 1, 1};
  burl_safetensors_writer *writer;
  burl_safetensors *file;
  burl_diag diag = {0};
  assert_int_equal(burl_safetensors_writer_new(&writer), BURL_OK);
  size_t types = 0;
  for (; burl_dtype_get_size((burl_dtype)types) > 0; types++) {
    char name[16];
    snprintf(name, sizeof name, "t%02zu", 20 - types);
    burl_safetensors_writer_add_tensor(writer, name, (burl_dtype)types, shape, types % 9, data);
  }
  assert_int_equal(types, 13);
  burl_safetensors_writer_add_tensor(writer, "none", BURL_DTYPE_F32, (size_t[]){4, 0}, 2, NULL);
  burl_safetensors_writer_add_tensor(writer, "", BURL_DTYPE_U8, (size_t[]){0}, 1, NULL);
  assert_int_equal(burl_safetensors_writer_save(writer, place("types"), &diag), BURL_OK);
  burl_safetensors_writer_free(writer);
  assert_int_equal(burl_safetensors_load(&file, place("types"), &diag), BURL_OK);
  assert_int_equal(unlink(place("types")), 0);
  assert_int_equal(burl_safetensors_get_count(file), 15);
  for (size_t i = 0; i < 15; i++) {
    const burl_tensor *tensor = burl_safetensors_get_tensor(file, i);
    const size_t bytes = burl_dtype_get_size(tensor->dtype);
    size_t count = 1;
    for (size_t axis = 0; axis < tensor->rank; axis++)
      count *= tensor->shape[axis];
    assert_int_equal(tensor->count, count);
    assert_int_equal(tensor->size, count * bytes);
    assert_non_null(tensor->data);
    assert_int_equal((uintptr_t)tensor->data % bytes, 0);
    assert_memory_equal(tensor->data, data, tensor->size);
    assert_ptr_equal(burl_safetensors_find(file, tensor->name), tensor);
    if (i > 0)
      assert_true(strcmp(burl_safetensors_get_tensor(file, i - 1)->name, tensor->name) < 0);
  }
  assert_string_equal(burl_dtype_get_name(BURL_DTYPE_BF16), "BF16");
  assert_string_equal(burl_dtype_get_name((burl_dtype)13), "?");
  burl_safetensors_free(file);
}

static const char *const bad_texts[] = {"\x80",
                                        "\xC3",
                                        "\xC0\xAF",
                                        "\xE0\x9F\xBF",
                                        "\xED\xA0\x80",
                                        "\xF0\x8F\xBF\xBF",
                                        "\xF4\x90\x80\x80",
                                        "\xF5\x80\x80\x80",
                                        "\xE2\x82",
                                        "a\xFFz"};

/* One bad call on a fresh writer: it and everything after it must fail with this status. */
static void expect_refused(int kind, const char *text, burl_status expected) {
  burl_safetensors_writer *writer;
  burl_diag diag = {0};
  burl_status status;
  assert_int_equal(burl_safetensors_writer_new(&writer), BURL_OK);
  assert_int_equal(burl_safetensors_writer_add_metadata(writer, "k", "v"), BURL_OK);
  assert_int_equal(burl_safetensors_writer_add_tensor(writer, "t", BURL_DTYPE_U8, NULL, 0, "x"),
                   BURL_OK);
  const size_t shape[9] = {(size_t)1 << 62, 8, 1, 1, 1, 1, 1, 1, 1};
  if (kind == 0)
    status = burl_safetensors_writer_add_metadata(writer, text, "");
  else if (kind == 1)
    status = burl_safetensors_writer_add_metadata(writer, "key", text);
  else if (kind == 2)
    status = burl_safetensors_writer_add_tensor(writer, text, BURL_DTYPE_U8, NULL, 0, "");
  else if (kind == 3)
    status = burl_safetensors_writer_add_tensor(writer, text, BURL_DTYPE_U8, shape, 9, "");
  else if (kind == 4)
    status = burl_safetensors_writer_add_tensor(writer, text, (burl_dtype)13, NULL, 0, "");
  else
    status = burl_safetensors_writer_add_tensor(writer, text, BURL_DTYPE_U8, shape, 2, "");
  assert_int_equal(status, expected);
  assert_int_equal(burl_safetensors_writer_add_metadata(writer, "l", "v"), expected);
  assert_int_equal(burl_safetensors_writer_add_tensor(writer, "u", BURL_DTYPE_U8, NULL, 0, "x"),
                   expected);
  assert_int_equal(burl_safetensors_writer_save(writer, place("refused"), &diag), expected);
  assert_string_equal(diag.path, place("refused"));
  assert_int_equal(access(place("refused"), F_OK), -1);
  burl_safetensors_writer_free(writer);
}

static void test_writer_refuses(void **state) {
  (void)state;
  expect_refused(0, "k", BURL_ERR_ARGUMENT);
  expect_refused(0, BURL_CHECKSUM_KEY, BURL_ERR_ARGUMENT);
  expect_refused(2, "t", BURL_ERR_ARGUMENT);
  expect_refused(2, "__metadata__", BURL_ERR_ARGUMENT);
  expect_refused(3, "u", BURL_ERR_ARGUMENT);
  expect_refused(4, "u", BURL_ERR_ARGUMENT);
  expect_refused(5, "u", BURL_ERR_SIZE);
  for (size_t i = 0; i < sizeof bad_texts / sizeof bad_texts[0]; i++)
    for (int kind = 0; kind < 3; kind++)
      expect_refused(kind, bad_texts[i], BURL_ERR_ARGUMENT);
}

/* Also texts that look like deep nesting, inside and outside of quotation marks. */
static void test_texts_are_taken(void **state) {
  (void)state;
  static const char *const texts[] = {"\x7F\x01\n\"\\/",
                                      "\xC2\x80\xDF\xBF",
                                      "\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80",
                                      "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF",
                                      "[[[[[[",
                                      "\"{{{{{{",
                                      "\\\"[[[[[[",
                                      ""};
  burl_safetensors_writer *writer;
  burl_safetensors *file;
  assert_int_equal(burl_safetensors_writer_new(&writer), BURL_OK);
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    burl_safetensors_writer_add_metadata(writer, texts[i], texts[i]);
    burl_safetensors_writer_add_tensor(writer, texts[i], BURL_DTYPE_U8, NULL, 0, "x");
  }
  assert_int_equal(burl_safetensors_writer_save(writer, place("utf8"), NULL), BURL_OK);
  burl_safetensors_writer_free(writer);
  assert_int_equal(burl_safetensors_load(&file, place("utf8"), NULL), BURL_OK);
  assert_int_equal(unlink(place("utf8")), 0);
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    assert_string_equal(burl_safetensors_get_metadata(file, texts[i]), texts[i]);
    assert_non_null(burl_safetensors_find(file, texts[i]));
  }
  burl_safetensors_free(file);
}

/* The data of a file that would be too large is never looked at. */
static void test_too_large(void **state) {
  (void)state;
  for (int parts = 1; parts <= 2; parts++) {
    burl_safetensors_writer *writer;
    burl_diag diag = {0};
    const size_t shape[1] = {((size_t)1 << 32) / (size_t)parts};
    assert_int_equal(burl_safetensors_writer_new(&writer), BURL_OK);
    burl_safetensors_writer_add_tensor(writer, "a", BURL_DTYPE_U8, shape, 1, "");
    if (parts == 2) burl_safetensors_writer_add_tensor(writer, "b", BURL_DTYPE_U8, shape, 1, "");
    burl_safetensors_writer_add_checksum(writer);
    assert_int_equal(burl_safetensors_writer_save(writer, place("large"), &diag), BURL_ERR_SIZE);
    assert_int_equal(access(place("large"), F_OK), -1);
    burl_safetensors_writer_free(writer);
  }
}

static burl_status build_and_save(void) {
  burl_safetensors_writer *writer;
  burl_status status = burl_safetensors_writer_new(&writer);
  if (status != BURL_OK) return status;
  for (int i = 0; i < 20; i++) {
    char name[16];
    snprintf(name, sizeof name, "t%d", i);
    burl_safetensors_writer_add_metadata(writer, name, "text");
    burl_safetensors_writer_add_tensor(writer, name, BURL_DTYPE_F32, (size_t[]){1}, 1, "abcd");
  }
  burl_safetensors_writer_add_checksum(writer);
  status = burl_safetensors_writer_save(writer, place("saved"), NULL);
  burl_safetensors_writer_free(writer);
  return status;
}

/* The JSON library is given the allocators that can be made to fail. Every file that does appear
 * must be whole: a failing allocation may not drop an entry. */
static void test_failing_allocations(void **state) {
  (void)state;
  json_set_alloc_funcs(malloc, free);
  long failures = 0;
  for (;; failures++) {
    fail_allocation_after(failures);
    burl_status status = build_and_save();
    long made = stop_failing();
    if (status == BURL_OK) {
      assert_int_equal(made, failures); /* none of them failed */
      break;
    }
    assert_int_equal(status, BURL_ERR_MEMORY);
    assert_int_equal(access(place("saved"), F_OK), -1);
  }
  assert_true(failures > 100);
  burl_safetensors *file;
  assert_int_equal(burl_safetensors_load(&file, place("saved"), NULL), BURL_OK);
  assert_int_equal(burl_safetensors_check_checksum(file, NULL), BURL_OK);
  assert_int_equal(burl_safetensors_get_count(file), 20);
  burl_safetensors_free(file);
  assert_int_equal(unlink(place("saved")), 0);
}

static void test_save_errors(void **state) {
  (void)state;
  burl_safetensors_writer *writer;
  burl_diag diag = {0};
  assert_int_equal(burl_safetensors_writer_new(&writer), BURL_OK);
  assert_int_equal(burl_safetensors_writer_save(writer, folder, &diag), BURL_ERR_IO);
  assert_string_equal(diag.path, folder);
  assert_int_equal(burl_safetensors_writer_save(writer, place("empty"), NULL), BURL_OK);
  burl_safetensors_writer_free(writer);
  burl_safetensors *file;
  assert_int_equal(burl_safetensors_load(&file, place("empty"), NULL), BURL_OK);
  assert_int_equal(burl_safetensors_get_count(file), 0);
  burl_safetensors_free(file);
  assert_int_equal(unlink(place("empty")), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_exact_bytes),    cmocka_unit_test(test_types_and_ranks),
      cmocka_unit_test(test_writer_refuses), cmocka_unit_test(test_texts_are_taken),
      cmocka_unit_test(test_too_large),      cmocka_unit_test(test_failing_allocations),
      cmocka_unit_test(test_save_errors),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
