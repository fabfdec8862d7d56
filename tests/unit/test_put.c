/* Defects put on images: exact masks, bytes that stay, the same again, refused input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "failing.h"
#include <burl/synth_put.h>

#include <stdlib.h>
#include <string.h>

/* Weave-like: a sine across, noise on it. */
static burl_image cloth(size_t height, size_t width, size_t channels, burl_sample sample,
                        uint64_t seed) {
  burl_image image = {0};
  assert_int_equal(burl_image_new(&image, height, width, channels, sample), BURL_OK);
  for (size_t i = 0; i < height * width * channels; i++) {
    size_t y = i / channels / width, x = i / channels % width;
    double v = 0.35 + 0.05 * (double)(x * 7 % 50 / 10) + 0.03 * (double)(y * 3 % 40 / 10) +
               0.1 * (double)(burl_random_at(seed, 3, i) >> 11) * 0x1p-53;
    if (sample == BURL_U8)
      ((uint8_t *)image.data)[i] = (uint8_t)(v * 255);
    else if (sample == BURL_U16)
      ((uint16_t *)image.data)[i] = (uint16_t)(v * 65535);
    else
      ((float *)image.data)[i] = (float)v;
  }
  return image;
}

static size_t bytes_of(const burl_image *image) {
  return image->height * image->width * image->channels * (size_t)image->sample;
}

static burl_image twin_of(const burl_image *image) {
  burl_image twin = {0};
  assert_int_equal(
      burl_image_new(&twin, image->height, image->width, image->channels, image->sample), BURL_OK);
  memcpy(twin.data, image->data, bytes_of(image));
  return twin;
}

/* Pixels that differ by more than a 255th, and of these how many lie in the mask; the mask's own.
 */
typedef struct tally {
  size_t changed, inside, masked;
} tally;

static int differs(const burl_image *was, const burl_image *is, size_t sample) {
  if (was->sample == BURL_U8)
    return abs(((uint8_t *)was->data)[sample] - ((uint8_t *)is->data)[sample]) > 1;
  return abs(((uint16_t *)was->data)[sample] - ((uint16_t *)is->data)[sample]) > 257;
}

static tally compare(const burl_image *was, const burl_image *is, const burl_image *mask) {
  tally t = {0};
  for (size_t i = 0; i < was->height * was->width; i++) {
    size_t changed = 0;
    for (size_t c = 0; c < was->channels; c++)
      changed += (size_t)differs(was, is, i * was->channels + c);
    unsigned char m = ((const unsigned char *)mask->data)[i];
    assert_true(m == 0 || m == 255);
    t.changed += changed > 0;
    t.inside += changed > 0 && m;
    t.masked += m > 0;
  }
  return t;
}

static void check_kind(burl_put kind, const burl_image *image, const burl_image *other) {
  size_t pixels = image->height * image->width;
  for (uint64_t index = 0; index < 8; index++) {
    burl_image made = twin_of(image), again = twin_of(image), mask = {0}, mask_again = {0};
    burl_put_options o = {.kind = kind, .seed = 3, .index = index, .strength = 1.0};
    assert_int_equal(burl_synth_put(&made, &mask, other, &o), BURL_OK);
    assert_int_equal(burl_synth_put(&again, &mask_again, other, &o), BURL_OK);
    assert_memory_equal(made.data, again.data, bytes_of(&made));
    assert_memory_equal(mask.data, mask_again.data, pixels);
    tally t = compare(image, &made, &mask);
    assert_in_range(t.masked, 3, pixels / 2);
    assert_int_equal(t.inside, t.changed); /* nothing is seen to change beside the mask */
    assert_true(t.inside > t.masked / 2);  /* what is masked has changed, mostly */
    burl_image_free(&made);
    burl_image_free(&again);
    burl_image_free(&mask);
    burl_image_free(&mask_again);
  }
}

static void every_kind_changes_what_it_masks(void **state) {
  (void)state;
  const burl_sample depths[] = {BURL_U8, BURL_U16};
  for (size_t k = 0; k < 4; k++) {
    size_t channels = k % 2 ? 3 : 1, side = k < 2 ? 200 : 97;
    burl_image image = cloth(side, 160, channels, depths[k / 2], 1);
    burl_image other = cloth(120, 130, channels, depths[k / 2], 2);
    for (int kind = 0; kind < BURL_PUT_COUNT; kind++)
      check_kind((burl_put)kind, &image, &other);
    burl_image_free(&image);
    burl_image_free(&other);
  }
}

/* A stain or speck of a constant image: none, its deviation is 0; of cloth, twice the strength is
 * twice the change. */
static void amplitudes_follow_the_cloth(void **state) {
  (void)state;
  double change[2] = {0};
  burl_image image = cloth(128, 128, 1, BURL_U16, 4);
  for (int twice = 0; twice < 2; twice++) {
    burl_image made = twin_of(&image), mask = {0};
    burl_put_options o = {.kind = BURL_PUT_STAIN, .strength = 0.5 * (1 + twice)};
    assert_int_equal(burl_synth_put(&made, &mask, NULL, &o), BURL_OK);
    for (size_t i = 0; i < 128 * 128; i++)
      change[twice] += abs(((uint16_t *)made.data)[i] - ((uint16_t *)image.data)[i]);
    burl_image_free(&made);
    burl_image_free(&mask);
  }
  assert_true(change[0] > 1000.0);
  assert_true(change[1] > 1.95 * change[0] && change[1] < 2.05 * change[0]);
  burl_image flat = {0}, mask = {0};
  assert_int_equal(burl_image_new(&flat, 32, 32, 1, BURL_U8), BURL_OK);
  memset(flat.data, 90, 32 * 32);
  burl_image before = twin_of(&flat);
  burl_put_options o = {.kind = BURL_PUT_SPECK, .strength = 1.0};
  assert_int_equal(burl_synth_put(&flat, &mask, NULL, &o), BURL_OK);
  assert_memory_equal(flat.data, before.data, 32 * 32);
  burl_image_free(&before);
  burl_image_free(&image);
  burl_image_free(&flat);
  burl_image_free(&mask);
}

/* Places, sizes and shapes differ by seed and by index. */
static void seeds_and_indices_count(void **state) {
  (void)state;
  burl_image image = cloth(128, 128, 1, BURL_U8, 4), masks[4] = {{0}};
  for (size_t i = 0; i < 4; i++) {
    burl_image made = twin_of(&image);
    burl_put_options o = {.kind = BURL_PUT_MOVED, .seed = i / 2, .index = i % 2, .strength = 1.0};
    assert_int_equal(burl_synth_put(&made, &masks[i], NULL, &o), BURL_OK);
    for (size_t j = 0; j < i; j++)
      assert_memory_not_equal(masks[i].data, masks[j].data, 128 * 128);
    burl_image_free(&made);
  }
  for (size_t i = 0; i < 4; i++)
    burl_image_free(&masks[i]);
  burl_image_free(&image);
}

static void bad_input_is_refused(void **state) {
  (void)state;
  burl_image image = cloth(64, 64, 1, BURL_U8, 1), colour = cloth(64, 64, 3, BURL_U8, 1);
  burl_image deep = cloth(64, 64, 1, BURL_U16, 1), real = cloth(64, 64, 1, BURL_F32, 1);
  burl_image low = cloth(31, 64, 1, BURL_U8, 1), narrow = cloth(64, 31, 1, BURL_U8, 1);
  burl_image before = twin_of(&image), mask = {0};
  const burl_put_options fine = {.kind = BURL_PUT_EXCHANGED, .strength = 1.0};
  burl_put_options unknown = fine, weak = fine, strong = fine;
  unknown.kind = BURL_PUT_COUNT, weak.strength = 0.09, strong.strength = 10.1;
  const struct {
    burl_image *image;
    const burl_image *other;
    const burl_put_options *options;
    burl_status status;
  } cases[] = {
      {&image, &image, &unknown, BURL_ERR_ARGUMENT}, {&image, &image, &weak, BURL_ERR_ARGUMENT},
      {&image, &image, &strong, BURL_ERR_ARGUMENT},  {&real, &real, &fine, BURL_ERR_ARGUMENT},
      {&image, NULL, &fine, BURL_ERR_ARGUMENT},      {&image, &colour, &fine, BURL_ERR_ARGUMENT},
      {&image, &deep, &fine, BURL_ERR_ARGUMENT},     {&low, &image, &fine, BURL_ERR_SIZE},
      {&narrow, &image, &fine, BURL_ERR_SIZE},       {&image, &low, &fine, BURL_ERR_SIZE},
      {&image, &narrow, &fine, BURL_ERR_SIZE}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    assert_int_equal(burl_synth_put(cases[i].image, &mask, cases[i].other, cases[i].options),
                     cases[i].status);
  assert_null(mask.data);
  assert_memory_equal(image.data, before.data, bytes_of(&image));
  burl_image *all[] = {&image, &colour, &deep, &real, &low, &narrow, &before};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    burl_image_free(all[i]);
}

static void failing_allocations(void **state) {
  (void)state;
  burl_image image = cloth(64, 64, 1, BURL_U8, 1), before = twin_of(&image), mask = {0};
  const burl_put_options o = {.kind = BURL_PUT_MOVED, .strength = 1.0};
  for (long i = 0;; i++) {
    fail_allocation_after(i);
    burl_status status = burl_synth_put(&image, &mask, NULL, &o);
    stop_failing();
    if (status == BURL_OK) break;
    assert_int_equal(status, BURL_ERR_MEMORY);
    assert_null(mask.data);
    assert_memory_equal(image.data, before.data, bytes_of(&image));
    assert_true(i < 10);
  }
  burl_image_free(&image);
  burl_image_free(&before);
  burl_image_free(&mask);
}

static void names(void **state) {
  (void)state;
  for (int i = 0; i < BURL_PUT_COUNT; i++)
    for (int j = 0; j < i; j++)
      assert_string_not_equal(burl_put_get_name((burl_put)i), burl_put_get_name((burl_put)j));
  assert_string_equal(burl_put_get_name(BURL_PUT_MOVED), "moved");
  assert_null(burl_put_get_name(BURL_PUT_COUNT));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_kind_changes_what_it_masks),
      cmocka_unit_test(amplitudes_follow_the_cloth),
      cmocka_unit_test(seeds_and_indices_count),
      cmocka_unit_test(bad_input_is_refused),
      cmocka_unit_test(failing_allocations),
      cmocka_unit_test(names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
