/* Status codes, diagnoses, sizes, allocation and the arena. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/diag.h"
#include "base/memory.h"
#include "failing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void test_version(void **state) {
  (void)state;
  int major, minor, patch;
  assert_string_equal(burl_version(), BURL_VERSION);
  assert_int_equal(sscanf(burl_version(), "%d.%d.%d", &major, &minor, &patch), 3);
}

/* Numbers are pinned: programs and scripts keep them. */
static void test_status(void **state) {
  (void)state;
  static const struct {
    int number;
    const char *name;
  } pinned[] = {{0, "BURL_OK"},           {10, "BURL_ERR_ARGUMENT"},
                {11, "BURL_ERR_SIZE"},    {20, "BURL_ERR_MEMORY"},
                {21, "BURL_ERR_IO"},      {22, "BURL_ERR_CANCELLED"},
                {30, "BURL_ERR_FORMAT"},  {31, "BURL_ERR_UNSUPPORTED"},
                {32, "BURL_ERR_VERSION"}, {33, "BURL_ERR_CHECKSUM"},
                {40, "BURL_ERR_DATA"},    {41, "BURL_ERR_NUMERIC"}};
  const size_t count = sizeof pinned / sizeof pinned[0];
  int known = 0;
  for (int number = -1; number < 300; number++) {
    const char *name = burl_status_get_name((burl_status)number);
    const char *text = burl_status_get_text((burl_status)number);
    size_t i = 0;
    while (i < count && pinned[i].number != number)
      i++;
    assert_string_equal(name, i < count ? pinned[i].name : "BURL_ERR_UNKNOWN");
    assert_true(strlen(text) > 1);
    assert_int_equal(strcmp(text, "unknown status") == 0, i == count);
    known += i < count;
  }
  assert_int_equal(known, count);
}

static const char *format(const burl_diag *diag) {
  static char text[2048];
  burl_diag_format(text, sizeof text, diag);
  return text;
}

static void test_fail(void **state) {
  (void)state;
  burl_diag diag;
  memset(&diag, 0xAA, sizeof diag);
  burl_status status =
      burl_fail(&diag, BURL_ERR_FORMAT, "a.png", "Save it again as PNG.", "width is %u", 0u);
  assert_int_equal(status, BURL_ERR_FORMAT);
  assert_int_equal(diag.status, BURL_ERR_FORMAT);
  assert_int_equal(diag.offset, -1);
  assert_int_equal(diag.line, 0);
  assert_string_equal(format(&diag), "a.png: width is 0. Save it again as PNG.");
  assert_int_equal(burl_fail_at(&diag, BURL_ERR_CHECKSUM, "b", 0, NULL, "differs"),
                   BURL_ERR_CHECKSUM);
  assert_string_equal(format(&diag), "b: differs (at byte 0).");
  diag.line = 7;
  assert_string_equal(format(&diag), "b: differs (line 7).");
  errno = ENOENT;
  assert_int_equal(burl_fail_errno(&diag, BURL_ERR_IO, "c", "cannot be opened"), BURL_ERR_IO);
  assert_string_equal(format(&diag), "c: cannot be opened: No such file or directory.");
  assert_int_equal(burl_fail_memory(&diag, NULL), BURL_ERR_MEMORY);
  assert_string_equal(format(&diag),
                      "not enough memory. Close other programs or use fewer threads.");
  assert_int_equal(burl_fail(NULL, BURL_ERR_DATA, "d", "e", "f"), BURL_ERR_DATA);
}

static void test_format_empty(void **state) {
  (void)state;
  burl_diag diag = {0};
  assert_string_equal(format(&diag), "ok (at byte 0).");
  diag.offset = -1;
  diag.status = BURL_ERR_MEMORY;
  assert_string_equal(format(&diag), "not enough memory.");
  diag.offset = INT64_MAX;
  assert_string_equal(format(&diag), "not enough memory (at byte 9223372036854775807).");
}

static void test_format_control(void **state) {
  (void)state;
  burl_diag diag;
  (void)!burl_fail(&diag, BURL_ERR_IO, "a\nb\x1B[31m\x7F\t\xC3\xA4", NULL, "has \r\x01 in it");
  assert_string_equal(format(&diag), "a?b?[31m??\xC3\xA4: has ?? in it.");
}

/* Whatever the room: terminated, nothing written behind it, a prefix cut at a character border. */
static void test_format_room(void **state) {
  (void)state;
  burl_diag diag;
  (void)!burl_fail(&diag, BURL_ERR_IO, "\xE2\x82\xAC\xE2\x82\xAC\xF0\x9F\xA7\xB5.png", NULL,
                   "x\xC3\xA4y");
  const char *whole = format(&diag);
  for (size_t size = 1; size < 40; size++) {
    char text[48];
    memset(text, 0x55, sizeof text);
    burl_diag_format(text, size, &diag);
    size_t n = strlen(text);
    assert_true(n < size);
    for (size_t i = size; i < sizeof text; i++)
      assert_int_equal(text[i], 0x55);
    if (n == strlen(whole)) continue;
    assert_true(n + 4 > size - 4 || size <= 4); /* uses the room it has */
    if (size > 4) {
      assert_string_equal(text + n - 3, "...");
      n -= 3;
    }
    assert_memory_equal(text, whole, n);
    assert_int_not_equal((unsigned char)whole[n] & 0xC0, 0x80);
  }
}

static void test_long_texts(void **state) {
  (void)state;
  burl_diag diag;
  for (size_t shift = 0; shift < 3; shift++) {
    char text[3001] = "xx";
    for (size_t i = shift; i + 3 <= 3000; i += 3)
      memcpy(text + i, "\xE2\x82\xAC", 3); /* U+20AC */
    (void)!burl_fail(&diag, BURL_ERR_IO, text, text, "%s", text);
    const char *const fields[] = {diag.path, diag.reason, diag.hint};
    const size_t sizes[] = {sizeof diag.path, sizeof diag.reason, sizeof diag.hint};
    for (int i = 0; i < 3; i++) {
      size_t n = strlen(fields[i]);
      assert_true(n < sizes[i] && n + 3 >= sizes[i] - 1);
      assert_string_equal(fields[i] + n - 3, "...");
      assert_int_equal((n - 3 - shift) % 3, 0); /* whole characters */
      assert_memory_equal(fields[i], text, n - 3);
    }
    assert_int_equal(strlen(format(&diag)),
                     strlen(diag.path) + 2 + strlen(diag.reason) + 2 + strlen(diag.hint));
  }
  char exact[sizeof diag.hint];
  memset(exact, 'h', sizeof exact);
  exact[sizeof exact - 1] = '\0';
  (void)!burl_fail(&diag, BURL_ERR_IO, NULL, exact, "r");
  assert_string_equal(diag.hint, exact); /* just fits */
}

/* A diagnosis is often made from itself: the outer function adds to what the inner one said. */
static void test_fail_from_itself(void **state) {
  (void)state;
  burl_diag diag;
  (void)!burl_fail(&diag, BURL_ERR_IO, "path", "Hint.", "inner");
  (void)!burl_fail(&diag, diag.status, diag.path, diag.hint, "outer: %s", diag.reason);
  assert_string_equal(format(&diag), "path: outer: inner. Hint.");
}

static size_t seen_done, seen_problems;

static void see_progress(void *context, const char *stage, size_t done, size_t total) {
  assert_string_equal(context, "context");
  assert_string_equal(stage, "stage");
  assert_int_equal(total, 9);
  seen_done = done;
}

static void see_problem(void *context, const burl_diag *diag) {
  assert_string_equal(context, "context");
  seen_problems += diag->status == BURL_ERR_DATA;
}

static void test_observer(void **state) {
  (void)state;
  char context[] = "context";
  const burl_diag diag = {.status = BURL_ERR_DATA};
  const burl_observer silent = {0}, observer = {context, see_progress, see_problem};
  burl_observe_progress(NULL, "stage", 1, 9);
  burl_observe_progress(&silent, "stage", 1, 9);
  burl_observe_problem(NULL, &diag);
  burl_observe_problem(&silent, &diag);
  assert_int_equal(seen_done + seen_problems, 0);
  burl_observe_progress(&observer, "stage", 3, 9);
  burl_observe_problem(&observer, &diag);
  assert_int_equal(seen_done, 3);
  assert_int_equal(seen_problems, 1);
}

static void test_size_mul(void **state) {
  (void)state;
  size_t product = 5;
  assert_true(burl_size_mul(&product, 6, 7));
  assert_int_equal(product, 42);
  assert_true(burl_size_mul(&product, 0, SIZE_MAX));
  assert_int_equal(product, 0);
  assert_true(burl_size_mul(&product, SIZE_MAX, 0));
  assert_int_equal(product, 0);
  assert_true(burl_size_mul(&product, SIZE_MAX, 1));
  assert_true(product == SIZE_MAX);
  assert_true(burl_size_mul(&product, SIZE_MAX / 3, 3));
  assert_true(product == SIZE_MAX / 3 * 3);
  product = 5;
  assert_false(burl_size_mul(&product, SIZE_MAX / 2 + 1, 2));
  assert_false(burl_size_mul(&product, 2, SIZE_MAX / 2 + 1));
  assert_false(burl_size_mul(&product, SIZE_MAX, SIZE_MAX));
  assert_int_equal(product, 5);
}

static void test_alloc(void **state) {
  (void)state;
  for (size_t size = 0; size < 300; size += 7) {
    unsigned char *block = burl_alloc(size, 3), *zero = burl_alloc_zero(3, size);
    assert_non_null(block);
    assert_non_null(zero);
    assert_int_equal((uintptr_t)block % BURL_ALIGNMENT, 0);
    assert_int_equal((uintptr_t)zero % BURL_ALIGNMENT, 0);
    memset(block, 1, 3 * size);
    for (size_t i = 0; i < 3 * size; i++)
      assert_int_equal(zero[i], 0);
    free(block);
    free(zero);
  }
  assert_null(burl_alloc(SIZE_MAX, 2));
  assert_null(burl_alloc(SIZE_MAX, 1));
  assert_null(burl_alloc(PTRDIFF_MAX, 1));
  assert_null(burl_alloc_zero(SIZE_MAX / 2 + 1, 2));
  unsigned char *copy = burl_copy("abc", 3), *none = burl_copy(NULL, 0);
  char *text = burl_copy_text("text"), *empty = burl_copy_text("");
  assert_memory_equal(copy, "abc", 3);
  assert_non_null(none);
  assert_string_equal(text, "text");
  assert_string_equal(empty, "");
  free(copy);
  free(none);
  free(text);
  free(empty);
  fail_allocation_after(0);
  void *failed = burl_copy_text("text");
  stop_failing();
  assert_null(failed);
}

static void test_arena(void **state) {
  (void)state;
  static const size_t counts[] = {0, 1, 15, 16, 17, 1000, 0, 3};
  const size_t arrays = sizeof counts / sizeof counts[0];
  burl_arena arena = {0};
  for (size_t i = 0; i < arrays; i++)
    burl_arena_reserve(&arena, counts[i], sizeof(float));
  assert_true(burl_arena_open(&arena));
  float *taken[8];
  for (size_t i = 0; i < arrays; i++) {
    taken[i] = burl_arena_take(&arena, counts[i], sizeof(float));
    assert_non_null(taken[i]);
    assert_int_equal((uintptr_t)taken[i] % BURL_ALIGNMENT, 0);
    for (size_t j = 0; j < counts[i]; j++)
      taken[i][j] = (float)i;
  }
  for (size_t i = 0; i < arrays; i++)
    for (size_t j = 0; j < counts[i]; j++)
      assert_true(taken[i][j] == (float)i);
  assert_int_equal(arena.used, arena.size);
  burl_arena_close(&arena);
  burl_arena_close(&arena);
  assert_null(arena.block);
}

static void test_arena_refuses(void **state) {
  (void)state;
  burl_arena arena = {0};
  burl_arena_reserve(&arena, SIZE_MAX / 2, 3); /* the product does not fit */
  burl_arena_reserve(&arena, 1, 1);
  assert_false(burl_arena_open(&arena));
  burl_arena_close(&arena);
  for (int i = 0; i < 4; i++) /* the sum does not fit */
    burl_arena_reserve(&arena, PTRDIFF_MAX / 2, 1);
  burl_arena_reserve(&arena, PTRDIFF_MAX / 2, 1);
  assert_false(burl_arena_open(&arena));
  burl_arena_close(&arena);
  burl_arena_reserve(&arena, 1, 1);
  fail_allocation_after(0);
  int opened = burl_arena_open(&arena);
  stop_failing();
  assert_false(opened);
  burl_arena_close(&arena);
  assert_true(burl_arena_open(&arena)); /* nothing reserved is fine */
  burl_arena_close(&arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_version),        cmocka_unit_test(test_status),
      cmocka_unit_test(test_fail),           cmocka_unit_test(test_format_empty),
      cmocka_unit_test(test_format_control), cmocka_unit_test(test_format_room),
      cmocka_unit_test(test_long_texts),     cmocka_unit_test(test_fail_from_itself),
      cmocka_unit_test(test_observer),       cmocka_unit_test(test_size_mul),
      cmocka_unit_test(test_alloc),          cmocka_unit_test(test_arena),
      cmocka_unit_test(test_arena_refuses),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
