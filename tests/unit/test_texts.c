/* Packed strings, the map over them, and the hash below it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "dataset/texts.h"
#include "base/xxh64.h"
#include "failing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Values of the algorithm's reference implementation; the longer inputs are n bytes i*7+3. */
static void hashes_are_those_of_xxh64(void **state) {
  (void)state;
  static const struct {
    size_t size;
    uint64_t seed, hash;
  } cases[] = {
      {0, 0x1u, 0xD5AFBA1336A3BE4Bu},
      {1, 0x0u, 0x1F25C8D0BC1F4BB6u},
      {3, 0x9u, 0x46939CA270D2E5EBu},
      {4, 0x0u, 0x9BB64B7D66EE9FDAu},
      {7, 0x0u, 0x9A7B149959CE60D8u},
      {8, 0x0u, 0xDAB99D95C6F90092u},
      {15, 0x5u, 0xDAAE98B0AD43FA22u},
      {31, 0x0u, 0xA2AA5F33CC4A6119u},
      {32, 0x0u, 0x23C3C17EF790FD97u},
      {33, 0x0u, 0x50A7CFC7BA588784u},
      {63, 0xFFFFFFFFFFFFFFFFu, 0x4DC01BDAFE25FCBCu},
      {64, 0x0u, 0x0EB64B3EF6EEB01Fu},
      {100, 0x0u, 0xA61F8D4C170FE531u},
      {255, 0x3039u, 0xDD08FBF19AD65642u},
  };
  assert_true(burl_xxh64("", 0, 0) == 0xEF46DB3751D8E999u);
  assert_true(burl_xxh64("abc", 3, 0) == 0x44BC2CF5AD770999u);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    unsigned char bytes[256];
    for (size_t k = 0; k < cases[i].size; k++)
      bytes[k] = (unsigned char)(k * 7 + 3);
    assert_true(burl_xxh64(bytes, cases[i].size, cases[i].seed) == cases[i].hash);
  }
}

static void strings_keep_their_bytes(void **state) {
  (void)state;
  burl_texts texts = {0};
  char *kept[2000], text[32];
  for (int i = 0; i < 2000; i++) {
    int length = snprintf(text, sizeof text, "string %d", i);
    kept[i] = burl_texts_copy(&texts, text, (size_t)length);
    assert_non_null(kept[i]);
  }
  char *large = burl_texts_take(&texts, 100000);
  assert_non_null(large);
  memset(large, 'x', 100000);
  for (int i = 0; i < 2000; i++) {
    snprintf(text, sizeof text, "string %d", i);
    assert_string_equal(kept[i], text);
  }
  assert_null(burl_texts_take(&texts, SIZE_MAX));
  burl_texts_free(&texts);
  assert_null(texts.blocks);
}

/* The map against a plain array, over keys that come again and again. */
static void the_map_remembers(void **state) {
  (void)state;
  size_t plain[500] = {0};
  burl_text_map map = {0};
  burl_random random = burl_random_start(1, 2);
  assert_int_equal(burl_text_map_find(&map, "0"), 0);
  for (size_t step = 1; step < 5000; step++) {
    size_t number = burl_random_below(&random, 500);
    char key[16];
    snprintf(key, sizeof key, "%zu", number);
    assert_int_equal(burl_text_map_find(&map, key), plain[number]);
    size_t *value = burl_text_map_at(&map, key);
    assert_non_null(value);
    assert_int_equal(*value, plain[number]);
    *value = plain[number] = step;
  }
  burl_text_map_free(&map);
  assert_int_equal(map.count, 0);
}

static void arrays_grow_by_doubling(void **state) {
  (void)state;
  size_t capacity = 0;
  int *array = NULL;
  for (size_t i = 0; i < 1000; i++) {
    int *grown = burl_grown(array, i, &capacity, sizeof *array);
    assert_non_null(grown);
    array = grown;
    array[i] = (int)i;
  }
  for (int i = 0; i < 1000; i++)
    assert_int_equal(array[i], i);
  size_t kept = capacity;
  assert_null(burl_grown(array, capacity, &capacity, SIZE_MAX / 4));
  fail_allocation_after(0);
  assert_null(burl_grown(array, capacity, &capacity, sizeof *array));
  stop_failing();
  assert_int_equal(capacity, kept);
  free(array);
}

static void case_of_letters_is_folded(void **state) {
  (void)state;
  assert_true(burl_text_equal_fold("GoOd", "good") && burl_text_equal_fold("", ""));
  assert_false(burl_text_equal_fold("goo", "good") || burl_text_equal_fold("good", "goo"));
  assert_false(burl_text_equal_fold("[", "{") || burl_text_equal_fold("\xC4", "\xE4"));
}

static void failing_allocations_leave_the_map_usable(void **state) {
  (void)state;
  burl_text_map map = {0};
  for (int i = 0; i < 300; i++) {
    char key[16];
    snprintf(key, sizeof key, "%d", i);
    for (long fail = 0;; fail++) {
      fail_allocation_after(fail);
      size_t *value = burl_text_map_at(&map, key);
      stop_failing();
      if (value) {
        *value = (size_t)i + 1;
        break;
      }
      assert_true(fail < 3);
    }
  }
  for (int i = 0; i < 300; i++) {
    char key[16];
    snprintf(key, sizeof key, "%d", i);
    assert_int_equal(burl_text_map_find(&map, key), i + 1);
  }
  burl_text_map_free(&map);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(hashes_are_those_of_xxh64),
      cmocka_unit_test(strings_keep_their_bytes),
      cmocka_unit_test(the_map_remembers),
      cmocka_unit_test(arrays_grow_by_doubling),
      cmocka_unit_test(case_of_letters_is_folded),
      cmocka_unit_test(failing_allocations_leave_the_map_usable),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
