/* Lists of encoders as users write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "encode/encoder_list.h"
#include <string.h>

static burl_encoder_list read(const char *text, const char *layers) {
  burl_encoder_list list;
  burl_diag diag = {0};
  if (burl_encoder_list_read(&list, text, layers, &diag) != BURL_OK) fail_msg("%s", diag.reason);
  return list;
}

static void reads_names_and_files(void **state) {
  (void)state;
  burl_encoder_list list = read(NULL, NULL);
  assert_int_equal(list.count, 1);
  assert_true(list.entry[0].is_texture);
  list = read("resnet18:/a b/r.safetensors", "1,3");
  assert_int_equal(list.count, 1);
  assert_false(list.entry[0].is_texture);
  assert_string_equal(list.entry[0].network.name, "resnet18");
  assert_string_equal(list.entry[0].network.path, "/a b/r.safetensors");
  assert_int_equal(list.entry[0].network.count, 2);
  assert_int_equal(list.entry[0].network.layers[0], 1);
  assert_int_equal(list.entry[0].network.layers[1], 3);
}

static void texture_comes_first(void **state) {
  (void)state;
  burl_encoder_list list = read("resnet50:x:y,texture,resnet34:z", NULL);
  assert_int_equal(list.count, 3);
  assert_true(list.entry[0].is_texture);
  assert_string_equal(list.entry[1].network.name, "resnet50");
  assert_string_equal(list.entry[1].network.path, "x:y");
  assert_string_equal(list.entry[2].network.name, "resnet34");
  assert_int_equal(list.entry[1].network.layers[1], 3);
}

static void refuse(const char *text, const char *layers, const char *word) {
  burl_encoder_list list = {.count = 77};
  burl_diag diag = {0};
  assert_int_equal(burl_encoder_list_read(&list, text, layers, &diag), BURL_ERR_ARGUMENT);
  assert_int_equal(list.count, 77);
  if (!strstr(diag.reason, word)) fail_msg("%s: \"%s\" lacks \"%s\"", text, diag.reason, word);
  assert_true(diag.hint[0] != '\0');
}

static void refuses_what_makes_no_sense(void **state) {
  char longest[2000];
  (void)state;
  refuse("", NULL, "no such name");
  refuse("texture,", NULL, "no such name");
  refuse("texture,texture", NULL, "twice");
  refuse("resnet18:a,resnet18:b", NULL, "twice");
  refuse("resnet18", NULL, "without the file");
  refuse("resnet18:", NULL, "without the file");
  refuse("texture:a", NULL, "no encoder");
  refuse("resnet19:a", NULL, "resnet19");
  refuse("texture,resnet18:a,resnet34:b,resnet50:c", NULL, "longer than three");
  memset(longest, 'a', sizeof longest);
  memcpy(longest, "resnet18:", 9);
  longest[sizeof longest - 1] = '\0';
  refuse(longest, NULL, "too long");
  static const char *const layers[] = {"", "2,", "3,2", "2,2", "0", "5", "-1", "2;3", "1,2,3,4,5",
                                       "2 3", "99999999999999999999"};
  for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
    refuse("resnet18:a", layers[i], "layers");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(reads_names_and_files),
                                     cmocka_unit_test(texture_comes_first),
                                     cmocka_unit_test(refuses_what_makes_no_sense)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
