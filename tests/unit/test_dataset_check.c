/* The check of a data set, and the rule for masks, on images made for the purpose. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "data_tree.h"
#include "failing.h"

/* Saves an image of which every sample is drawn under the seed; seed 0 gives zeros. */
static void put_image(const tree *t, const char *name, size_t height, size_t width, size_t channels,
                      burl_sample sample, uint64_t seed) {
  burl_image image;
  tree_folders(t, name);
  assert_int_equal(burl_image_new(&image, height, width, channels, sample), BURL_OK);
  burl_random random = burl_random_start(seed, 0);
  unsigned char *bytes = image.data;
  for (size_t i = 0; seed && i < height * width * channels * sample; i++)
    bytes[i] = (unsigned char)burl_random_below(&random, 256);
  assert_int_equal(burl_image_save_png(&image, tree_path(t, name), NULL), BURL_OK);
  burl_image_free(&image);
}

/* Saves a mask (1, width) with the given first channel; further channels are 255. */
static void put_mask(const tree *t, const char *name, const uint16_t *values, size_t width,
                     size_t channels, burl_sample sample) {
  burl_image image;
  tree_folders(t, name);
  assert_int_equal(burl_image_new(&image, 1, width, channels, sample), BURL_OK);
  for (size_t i = 0; i < width * channels; i++) {
    uint16_t value = i % channels ? 0xFFFF : values[i / channels];
    if (sample == BURL_U8)
      ((uint8_t *)image.data)[i] = (uint8_t)value;
    else
      ((uint16_t *)image.data)[i] = value;
  }
  assert_int_equal(burl_image_save_png(&image, tree_path(t, name), NULL), BURL_OK);
  burl_image_free(&image);
}

static void expect_mask(const char *path, int threshold, const char *expected) {
  uint8_t mask[16];
  char text[17] = "";
  size_t width = strlen(expected);
  memset(mask, 7, sizeof mask);
  burl_item item = {.mask = path};
  assert_int_equal(burl_item_load_mask(&item, mask, 1, width, threshold, NULL), BURL_OK);
  for (size_t i = 0; i < width; i++)
    text[i] = (char)('0' + mask[i]);
  assert_string_equal(text, expected);
  assert_int_equal(mask[width], 7);
}

static void masks_follow_the_rule(void **state) {
  (void)state;
  tree t;
  tree_make(&t);
  const uint16_t eight[] = {0, 1, 127, 128, 129, 254, 255};
  const uint16_t sixteen[] = {0, 128, 129, 32767, 32768, 65406, 65407, 65535};
  put_mask(&t, "grey.png", eight, 7, 1, BURL_U8);
  put_mask(&t, "red.png", eight, 7, 3, BURL_U8);
  put_mask(&t, "deep.png", sixteen, 8, 1, BURL_U16);
  put_mask(&t, "deep_red.png", sixteen, 8, 3, BURL_U16);
  expect_mask(tree_path(&t, "grey.png"), 128, "0001111");
  expect_mask(tree_path(&t, "grey.png"), 1, "0111111");
  expect_mask(tree_path(&t, "grey.png"), 255, "0000001");
  expect_mask(tree_path(&t, "red.png"), 128, "0001111");
  expect_mask(tree_path(&t, "deep.png"), 128, "00001111");
  expect_mask(tree_path(&t, "deep.png"), 1, "00111111");
  expect_mask(tree_path(&t, "deep.png"), 255, "00000011");
  expect_mask(tree_path(&t, "deep_red.png"), 128, "00001111");
  expect_mask(NULL, 128, "0000000");
  tree_remove(&t);
}

static void bad_masks_are_refused(void **state) {
  (void)state;
  tree t;
  tree_make(&t);
  const uint16_t values[] = {0, 255, 255};
  put_mask(&t, "m.png", values, 3, 1, BURL_U8);
  tree_put(&t, "bad.png", "no image");
  uint8_t mask[4] = {7, 7, 7, 7};
  burl_diag diag = {0};
  burl_item item = {.mask = tree_path(&t, "m.png")};
  assert_int_equal(burl_item_load_mask(&item, mask, 1, 4, 128, &diag), BURL_ERR_SIZE);
  assert_non_null(strstr(diag.reason, "the mask is 3x1 pixels, its image 4x1"));
  assert_int_equal(burl_item_load_mask(&item, mask, 3, 1, 128, &diag), BURL_ERR_SIZE);
  assert_int_equal(burl_item_load_mask(&item, mask, 1, 3, 0, &diag), BURL_ERR_ARGUMENT);
  assert_int_equal(burl_item_load_mask(&item, mask, 1, 3, 256, &diag), BURL_ERR_ARGUMENT);
  fail_allocation_after(0);
  burl_status status = burl_item_load_mask(&item, mask, 1, 3, 128, &diag);
  stop_failing();
  assert_int_equal(status, BURL_ERR_MEMORY);
  item.mask = tree_path(&t, "bad.png");
  status = burl_item_load_mask(&item, mask, 1, 3, 128, &diag);
  assert_true(status == BURL_ERR_FORMAT || status == BURL_ERR_UNSUPPORTED);
  item.mask = tree_path(&t, "none.png");
  assert_int_equal(burl_item_load_mask(&item, mask, 1, 3, 128, &diag), BURL_ERR_IO);
  for (int i = 0; i < 4; i++)
    assert_int_equal(mask[i], 7);
  tree_remove(&t);
}

/* One of every oddity that the check counts. */
static void make_odd_set(const tree *t) {
  put_image(t, "train/good/a.png", 40, 50, 1, BURL_U8, 1);
  put_image(t, "train/good/b.png", 40, 50, 1, BURL_U8, 2);
  put_image(t, "train/good/b_again.png", 40, 50, 1, BURL_U8, 2);
  put_image(t, "train/good/colour.png", 33, 50, 3, BURL_U8, 3);
  put_image(t, "train/good/deep.png", 40, 64, 1, BURL_U16, 4);
  tree_put(t, "train/good/bad1.png", "no image");
  tree_put(t, "train/good/bad2.png", "");
  put_image(t, "train/good/black.png", 40, 50, 1, BURL_U8, 0);
  put_image(t, "train/good/black3.png", 40, 50, 3, BURL_U8, 0);
  put_image(t, "train/good/black_turned.png", 50, 40, 1, BURL_U8, 0);
  put_image(t, "test/good/leak.png", 40, 50, 1, BURL_U8, 1);
  put_image(t, "test/good/small.png", 31, 32, 1, BURL_U8, 5);
  put_image(t, "test/hole/fine.png", 40, 50, 1, BURL_U8, 6);
  put_image(t, "ground_truth/hole/fine_mask.png", 40, 50, 1, BURL_U8, 7);
  put_image(t, "test/hole/leak.png", 40, 50, 1, BURL_U8, 2);
  put_image(t, "test/hole/no_mask.png", 40, 50, 1, BURL_U8, 8);
  put_image(t, "test/hole/bad_mask.png", 40, 50, 1, BURL_U8, 9);
  tree_put(t, "ground_truth/hole/bad_mask_mask.png", "no image");
  put_image(t, "test/hole/turned.png", 40, 50, 1, BURL_U8, 10);
  put_image(t, "ground_truth/hole/turned_mask.png", 50, 40, 1, BURL_U8, 11);
  put_image(t, "test/hole/empty.png", 40, 50, 1, BURL_U8, 12);
  put_image(t, "ground_truth/hole/empty_mask.png", 40, 50, 1, BURL_U8, 0);
}

static void oddities_are_counted(void **state) {
  (void)state;
  tree t;
  tree_make(&t);
  make_odd_set(&t);
  burl_dataset *dataset = tree_load(&t, "");
  burl_observer observer = tree_observer(&t);
  burl_dataset_summary s;
  assert_int_equal(burl_dataset_check(&s, dataset, 1, &observer, NULL), BURL_OK);
  const burl_dataset_summary expected = {.train_good = 10,
                                         .test_good = 2,
                                         .test_defective = 6,
                                         .masks = 4,
                                         .unreadable = 3,
                                         .grey = 14,
                                         .colour = 2,
                                         .sixteen_bit = 1,
                                         .min_height = 31,
                                         .max_height = 50,
                                         .min_width = 32,
                                         .max_width = 64,
                                         .too_small = 1,
                                         .without_mask = 2,
                                         .mask_mismatch = 1,
                                         .empty_masks = 1,
                                         .constant = 3,
                                         .duplicates = 3,
                                         .leaked = 2};
  assert_memory_equal(&s, &expected, sizeof s);
  assert_told(&t, "/test/good/small.png: is 32x31 pixels");
  assert_told(&t, "/train/good/b_again.png: has the same pixels as 'train/good/b.png'");
  assert_told(&t,
              "/test/good/leak.png: has the same pixels as the training image "
              "'train/good/a.png'");
  assert_told(&t,
              "/test/hole/leak.png: has the same pixels as the training image "
              "'train/good/b.png'");
  assert_told(&t,
              "/ground_truth/hole/empty_mask.png: no pixel of the mask is at least 128 (the "
              "largest is 0)");
  assert_told(&t, "/ground_truth/hole/turned_mask.png: the mask is 40x50 pixels, its image 50x40");
  assert_told(&t, "/train/good/bad2.png: ");
  assert_int_equal(t.problems, 3 + 1 + 2 + 1 + 1 + 3 + 3);
  burl_dataset_free(dataset);
  tree_remove(&t);
}

static void threads_change_nothing(void **state) {
  (void)state;
  tree t;
  tree_make(&t);
  make_odd_set(&t);
  burl_dataset *dataset = tree_load(&t, "");
  burl_dataset_summary first, again;
  burl_observer observer = tree_observer(&t);
  assert_int_equal(burl_dataset_check(&first, dataset, 1, &observer, NULL), BURL_OK);
  static char told[sizeof t.told];
  strcpy(told, t.told);
  static const int threads[] = {2, 3, 7, 1000};
  for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
    observer = tree_observer(&t);
    assert_int_equal(burl_dataset_check(&again, dataset, threads[i], &observer, NULL), BURL_OK);
    assert_memory_equal(&again, &first, sizeof first);
    assert_string_equal(t.told, told);
    assert_true(t.steps >= 1);
  }
  burl_dataset_free(dataset);
  tree_remove(&t);
}

static void a_fine_set_tells_nothing(void **state) {
  (void)state;
  tree t;
  tree_make(&t);
  put_image(&t, "train/good/a.png", 32, 32, 3, BURL_U16, 1);
  put_image(&t, "train/good/b.png", 32, 32, 3, BURL_U16, 2);
  burl_dataset *dataset = tree_load(&t, "");
  burl_observer observer = tree_observer(&t);
  burl_dataset_summary s;
  assert_int_equal(burl_dataset_check(&s, dataset, 2, &observer, NULL), BURL_OK);
  assert_int_equal(t.problems, 0);
  assert_int_equal(s.train_good + s.colour + s.sixteen_bit, 6);
  assert_int_equal(s.duplicates + s.unreadable + s.test_good + s.grey, 0);
  burl_dataset_free(dataset);
  tree_remove(&t);
}

static void bad_arguments_and_memory_are_told(void **state) {
  (void)state;
  tree t;
  tree_make(&t);
  make_odd_set(&t);
  burl_dataset *dataset = tree_load(&t, "");
  burl_dataset_summary s, untouched;
  memset(&s, 9, sizeof s);
  untouched = s;
  burl_diag diag = {0};
  assert_int_equal(burl_dataset_check(&s, dataset, 0, NULL, &diag), BURL_ERR_ARGUMENT);
  for (long i = 0;; i++) {
    fail_allocation_after(i);
    burl_status status = burl_dataset_check(&s, dataset, 1, NULL, &diag);
    stop_failing();
    if (status == BURL_OK) {
      assert_true(i > 20);
      break;
    }
    assert_int_equal(status, BURL_ERR_MEMORY);
    assert_int_equal(diag.status, BURL_ERR_MEMORY);
    assert_memory_equal(&s, &untouched, sizeof s);
  }
  burl_dataset_free(dataset);
  tree_remove(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(masks_follow_the_rule),
      cmocka_unit_test(bad_masks_are_refused),
      cmocka_unit_test(oddities_are_counted),
      cmocka_unit_test(threads_change_nothing),
      cmocka_unit_test(a_fine_set_tells_nothing),
      cmocka_unit_test(bad_arguments_and_memory_are_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
