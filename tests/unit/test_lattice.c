#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "failing.h"
#include "print_case.h"

#include <burl/synth.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Integers that turn true phases into learned ones; 0 where there are none. */
static int relate(int turn[2][2], const burl_lattice *lattice, const print *p) {
  double w[2][2];
  memcpy(w, p->wave, sizeof w);
  double det = w[0][0] * w[1][1] - w[0][1] * w[1][0];
  int dimensions = p->stripes ? 1 : 2;
  memset(turn, 0, sizeof(int[2][2]));
  if (lattice->dimensions != dimensions) return 0;
  for (int k = 0; k < dimensions; k++)
    for (int l = 0; l < dimensions; l++) {
      double n = w[0][0] * w[0][0] + w[0][1] * w[0][1];
      double step[2] = {w[0][0] / n, w[0][1] / n}; /* of u, or of v, in pixels */
      if (!p->stripes) {
        step[0] = (l == 0 ? w[1][1] : -w[0][1]) / det;
        step[1] = (l == 0 ? -w[1][0] : w[0][0]) / det;
      }
      double value = lattice->wave[k][0] * step[0] + lattice->wave[k][1] * step[1];
      turn[k][l] = (int)lround(value);
      if (fabs(value - turn[k][l]) > 0.2) return 0;
    }
  return abs(p->stripes ? turn[0][0] : turn[0][0] * turn[1][1] - turn[0][1] * turn[1][0]) == 1;
}

/* Phase that is measured less that which is true, in learned phases. */
static void deviation(double out[2], const sample_image *s, const int turn[2][2],
                      const burl_phase *phase, double y, double x) {
  float uv[2];
  burl_phase_get(uv, phase, y, x);
  double t[2];
  for (int k = 0; k < 2; k++)
    t[k] = s->offset[k] + s->wave[k][0] * y + s->wave[k][1] * x;
  for (int k = 0; k < 2; k++)
    out[k] = (double)uv[k] - turn[k][0] * t[0] - turn[k][1] * t[1];
}

/* Root mean square, in pixels, of what the phases of all pixels of all images differ by. */
static double alignment_error(const burl_lattice *lattice, const print *p, const sample_image *s,
                              size_t count) {
  int turn[2][2];
  burl_phase phase;
  double first[2] = {0.0}, sum[2] = {0.0}, squares = 0.0, n = 0.0;
  assert_true(relate(turn, lattice, p));
  for (size_t i = 0; i < count; i++) {
    assert_int_equal(burl_lattice_align(&phase, lattice, &s[i].view), BURL_OK);
    for (size_t y = 0; y < s[i].image.height; y += 13)
      for (size_t x = 0; x < s[i].image.width; x += 13) {
        double d[2], e[2];
        deviation(d, &s[i], (const int(*)[2])turn, &phase, (double)y, (double)x);
        if (n == 0.0) memcpy(first, d, sizeof first);
        for (int k = 0; k < 2; k++)
          d[k] -= first[k] + round(d[k] - first[k]);
        for (int k = 0; k < 2; k++) {
          e[k] = d[0] * lattice->basis[0][k] + d[1] * lattice->basis[1][k];
          sum[k] += e[k];
          squares += e[k] * e[k];
        }
        n += 1.0;
      }
  }
  return sqrt(fmax(squares / n - (sum[0] * sum[0] + sum[1] * sum[1]) / (n * n), 0.0));
}

static void check_print(double angle, double repeat, int stripes, size_t height, size_t width,
                        double bend, double most) {
  sample_image s[IMAGES];
  burl_lattice *lattice = malloc(sizeof *lattice);
  print p = print_of(angle, repeat, stripes);
  draw_all(s, IMAGES, &p, height, width, (uint64_t)(angle + repeat), bend);
  learn(lattice, s, IMAGES);
  double error = alignment_error(lattice, &p, s, IMAGES);
  assert_true(error < most);
  free_all(s, IMAGES);
  free(lattice);
}

static void test_lattices_are_found_and_images_placed(void **state) {
  (void)state;
  const double angle[] = {0.0, 7.0, 30.0};
  for (int k = 0; k < 3; k++) {
    check_print(angle[k], 40.0, 0, 200, 230, 0.005, 2.0);
    check_print(angle[k], 96.0, 0, 260, 300, 0.01, 2.0);
    check_print(angle[k], 180.0, 0, 420, 400, 0.01, 2.0);
  }
}

static void test_stripes_have_one_dimension(void **state) {
  (void)state;
  check_print(0.0, 96.0, 1, 260, 300, 0.005, 2.0);
  check_print(30.0, 80.0, 1, 260, 300, 0.005, 2.0);
  check_print(97.0, 180.0, 1, 420, 400, 0.005, 2.0);
}

static void test_few_repeats_suffice(void **state) {
  (void)state;
  check_print(7.0, 180.0, 0, 288, 280, 0.005, 2.0);
}

/* A learned lattice of a print, and one more image of it. */
static void set_up(burl_lattice *lattice, sample_image *fresh, const print *p, size_t height,
                   size_t width, double bend) {
  sample_image s[IMAGES];
  draw_all(s, IMAGES, p, 260, 300, 5, 0.005);
  learn(lattice, s, IMAGES);
  assert_int_equal(lattice->dimensions, 2);
  free_all(s, IMAGES);
  draw(fresh, p, height, width, 4321, bend);
}

/* How far the phases of two images of one print are from agreeing at their worst, in pixels. */
static double worst_difference(const burl_lattice *lattice, const print *p, const sample_image *a,
                               const sample_image *b) {
  int turn[2][2];
  burl_phase phase;
  double first[2], worst = 0.0;
  assert_true(relate(turn, lattice, p));
  assert_int_equal(burl_lattice_align(&phase, lattice, &a->view), BURL_OK);
  deviation(first, a, (const int(*)[2])turn, &phase, 100.0, 100.0);
  assert_int_equal(burl_lattice_align(&phase, lattice, &b->view), BURL_OK);
  for (size_t y = 0; y < b->image.height; y += 37)
    for (size_t x = 0; x < b->image.width; x += 37) {
      double d[2];
      deviation(d, b, (const int(*)[2])turn, &phase, (double)y, (double)x);
      for (int k = 0; k < 2; k++)
        d[k] -= first[k] + round(d[k] - first[k]);
      double ey = d[0] * lattice->basis[0][0] + d[1] * lattice->basis[1][0];
      double ex = d[0] * lattice->basis[0][1] + d[1] * lattice->basis[1][1];
      worst = fmax(worst, hypot(ey, ex));
    }
  return worst;
}

static void test_defects_do_not_move_the_phase(void **state) {
  (void)state;
  sample_image plain, spoilt;
  burl_lattice *lattice = malloc(sizeof *lattice);
  print p = print_of(7.0, 80.0, 0);
  set_up(lattice, &plain, &p, 256, 256, 0.0);
  draw(&spoilt, &p, 256, 256, 99, 0.0);
  unsigned char *samples = spoilt.image.data;
  for (size_t y = 90; y < 170; y++) /* a repeat without print, half of it black */
    memset(samples + y * 256 + 80, y < 130 ? 128 : 0, 90);
  assert_true(worst_difference(lattice, &p, &plain, &spoilt) < 2.0);
  burl_image_free(&plain.image);
  burl_image_free(&spoilt.image);
  free(lattice);
}

static void test_turned_and_stretched_images(void **state) {
  (void)state;
  sample_image plain, bent;
  burl_lattice *lattice = malloc(sizeof *lattice);
  print p = print_of(3.0, 70.0, 0);
  set_up(lattice, &plain, &p, 256, 256, 0.0);
  draw(&bent, &p, 500, 400, 98, 0.03);
  assert_true(worst_difference(lattice, &p, &plain, &bent) < 2.5);
  burl_image_free(&plain.image);
  burl_image_free(&bent.image);
  free(lattice);
}

static void test_large_images_are_followed(void **state) {
  (void)state;
  sample_image plain, large;
  burl_lattice *lattice = malloc(sizeof *lattice);
  print p = print_of(5.0, 90.0, 0);
  set_up(lattice, &plain, &p, 256, 256, 0.0);
  draw(&large, &p, 1100, 3300, 97, 0.01);
  burl_phase phase;
  assert_int_equal(burl_lattice_align(&phase, lattice, &large.view), BURL_OK);
  assert_true(phase.rows == 1 && phase.cols >= 3);
  assert_true(worst_difference(lattice, &p, &plain, &large) < 2.5);
  burl_image_free(&plain.image);
  burl_image_free(&large.image);
  free(lattice);
}

/* Yarns and noise only, or noise of blotches. */
static void draw_plain(sample_image *s, int blotches, uint64_t seed) {
  print p = print_of(0.0, 64.0, 0);
  p.contrast = 0.0;
  draw(s, &p, 256, 256, seed, 0.0);
  if (!blotches) return;
  burl_random random = burl_random_start(seed, 2);
  double centre[60][3];
  for (int i = 0; i < 60; i++)
    for (int k = 0; k < 3; k++)
      centre[i][k] = burl_random_uniform(&random);
  unsigned char *at = s->image.data;
  for (size_t i = 0; i < 256 * 256; i++) {
    double value = at[i], y = (double)(i / 256) / 256.0, x = (double)(i % 256) / 256.0;
    for (int k = 0; k < 60; k++)
      value += 160.0 * (centre[k][2] - 0.5) * gauss(y, x, centre[k][0], centre[k][1], 0.04);
    at[i] = (unsigned char)fmin(fmax(value, 0.0), 255.0);
  }
  assert_int_equal(burl_view_open(&s->view, &s->image), BURL_OK);
}

static void test_what_does_not_repeat_has_no_lattice(void **state) {
  (void)state;
  burl_lattice *lattice = malloc(sizeof *lattice);
  for (int blotches = 0; blotches < 2; blotches++) {
    sample_image s[IMAGES];
    for (size_t i = 0; i < IMAGES; i++)
      draw_plain(&s[i], blotches, i);
    learn(lattice, s, IMAGES);
    assert_int_equal(lattice->dimensions, 0);
    burl_phase phase;
    float uv[2];
    assert_int_equal(burl_lattice_align(&phase, lattice, &s[0].view), BURL_OK);
    burl_phase_get(uv, &phase, 17.0, 91.0);
    assert_true(uv[0] == 0.0f && uv[1] == 0.0f && phase.score == 0.0);
    free_all(s, IMAGES);
  }
  free(lattice);
}

static void test_images_without_anything_to_see(void **state) {
  (void)state;
  sample_image plain;
  burl_lattice *lattice = malloc(sizeof *lattice);
  print p = print_of(5.0, 90.0, 0);
  set_up(lattice, &plain, &p, 256, 256, 0.0);
  const size_t size[][2] = {{1, 1}, {3, 400}, {15, 15}, {200, 200}};
  for (size_t k = 0; k < 4; k++) {
    burl_image image;
    burl_view view;
    burl_phase phase;
    assert_int_equal(burl_image_new(&image, size[k][0], size[k][1], 1, BURL_U16), BURL_OK);
    if (k < 3) ((uint16_t *)image.data)[0] = 9999;
    assert_int_equal(burl_view_open(&view, &image), BURL_OK);
    assert_int_equal(burl_lattice_align(&phase, lattice, &view), BURL_OK);
    assert_true(phase.score == 0.0);
    assert_memory_equal(phase.wave, lattice->wave, sizeof phase.wave);
    for (size_t pass = 0; pass < BURL_LATTICE_PASSES; pass++) {
      size_t n = burl_lattice_count_statistics(lattice, pass);
      double *sums = calloc(n, sizeof *sums);
      assert_int_equal(burl_lattice_learn(lattice, pass, &view, sums), BURL_OK);
      for (size_t i = 0; i < n; i++)
        assert_true(sums[i] == 0.0);
      if (pass == 0) assert_int_equal(burl_lattice_learned(&(burl_lattice){0}, 0, sums), BURL_OK);
      free(sums);
    }
    burl_image_free(&image);
  }
  burl_image_free(&plain.image);
  free(lattice);
}

static void test_rows_are_single_phases(void **state) {
  (void)state;
  burl_phase phase = {.origin = {0.3, -7.25},
                      .wave = {{0.01, 0.002}, {-0.003, 0.0125}},
                      .rows = 2,
                      .cols = 3,
                      .first = {100.0, 120.0},
                      .step = {700.0, 650.0}};
  for (size_t i = 0; i < 6; i++)
    phase.node[i][0] = 0.1 * (double)i, phase.node[i][1] = 0.02 * (double)(i * i);
  float row[2 * 50], uv[2];
  burl_phase_get_row(row, &phase, 33.5, 7.0, 40.25, 50);
  for (size_t i = 0; i < 50; i++) {
    burl_phase_get(uv, &phase, 33.5, 7.0 + 40.25 * (double)i);
    assert_memory_equal(uv, row + 2 * i, sizeof uv);
    assert_true(uv[0] >= 0.0f && uv[0] < 1.0f && uv[1] >= 0.0f && uv[1] < 1.0f);
  }
  burl_phase_get(uv, &phase, 100.0 + 700.0, 120.0 + 650.0); /* node 4 */
  double u = 0.3 + 0.01 * 800.0 + 0.002 * 770.0 + 0.4;
  assert_true(fabs((double)uv[0] - (u - floor(u))) < 1e-6);
  phase = (burl_phase){.origin = {-1e-12, 1.0 - 1e-12}, .rows = 1, .cols = 1};
  burl_phase_get(uv, &phase, 0.0, 0.0);
  assert_true(uv[0] < 1.0f && uv[1] < 1.0f);
}

/* Statistics of images add up to the statistics of all, to the bit in any grouping that adds in the
 * same order. */
static void test_statistics_add_up(void **state) {
  (void)state;
  sample_image s[2];
  burl_lattice *lattice = malloc(sizeof *lattice);
  print p = print_of(7.0, 80.0, 0);
  set_up(lattice, &s[0], &p, 256, 256, 0.0);
  draw(&s[1], &p, 200, 340, 11, 0.0);
  for (size_t pass = 0; pass < BURL_LATTICE_PASSES; pass++) {
    size_t n = burl_lattice_count_statistics(lattice, pass);
    double *one = calloc(3 * n, sizeof *one), *two = one + n, *both = two + n;
    assert_int_equal(burl_lattice_learn(lattice, pass, &s[0].view, one), BURL_OK);
    assert_int_equal(burl_lattice_learn(lattice, pass, &s[1].view, two), BURL_OK);
    assert_int_equal(burl_lattice_learn(lattice, pass, &s[0].view, both), BURL_OK);
    assert_int_equal(burl_lattice_learn(lattice, pass, &s[1].view, both), BURL_OK);
    for (size_t i = 0; i < n; i++)
      assert_true(both[i] == one[i] + two[i]);
    free(one);
  }
  free_all(s, 2);
  free(lattice);
}

static void test_failing_allocations(void **state) {
  (void)state;
  sample_image s;
  burl_lattice *lattice = malloc(2 * sizeof *lattice);
  print p = print_of(7.0, 80.0, 0);
  set_up(lattice, &s, &p, 128, 128, 0.0);
  for (size_t pass = 0; pass <= BURL_LATTICE_PASSES; pass++) {
    size_t n = burl_lattice_count_statistics(lattice, pass);
    double *sums = calloc(n, sizeof *sums);
    burl_status status = BURL_ERR_MEMORY;
    for (long i = 0; status != BURL_OK; i++) {
      burl_phase phase = {.rows = 77};
      fail_allocation_after(i);
      status = pass < BURL_LATTICE_PASSES ? burl_lattice_learn(lattice, pass, &s.view, sums)
                                          : burl_lattice_align(&phase, lattice, &s.view);
      stop_failing();
      if (status == BURL_OK) break;
      assert_int_equal(status, BURL_ERR_MEMORY);
      assert_int_equal(phase.rows, 77);
      for (size_t k = 0; k < n; k++)
        assert_true(sums[k] == 0.0);
      assert_true(i < 20);
    }
    status = BURL_ERR_MEMORY;
    lattice[1] = lattice[0];
    for (long i = 0; status != BURL_OK && pass < BURL_LATTICE_PASSES; i++) {
      fail_allocation_after(i);
      status = burl_lattice_learned(&lattice[1], pass, sums);
      stop_failing();
      if (status == BURL_OK) break;
      assert_int_equal(status, BURL_ERR_MEMORY);
      assert_memory_equal(&lattice[0], &lattice[1], sizeof *lattice);
    }
    free(sums);
  }
  burl_image_free(&s.image);
  free(lattice);
}

static void test_sums_that_are_not_finite_are_refused(void **state) {
  (void)state;
  burl_lattice *lattice = calloc(2, sizeof *lattice);
  lattice->dimensions = 1;
  for (size_t pass = 0; pass < BURL_LATTICE_PASSES; pass++) {
    lattice[1] = lattice[0];
    size_t n = burl_lattice_count_statistics(lattice, pass);
    double *sums = calloc(n, sizeof *sums);
    sums[n - 1] = (double)NAN;
    assert_int_equal(burl_lattice_learned(lattice, pass, sums), BURL_ERR_NUMERIC);
    assert_memory_equal(&lattice[0], &lattice[1], sizeof *lattice);
    free(sums);
  }
  free(lattice);
}

/* Synthetic cloth, all images of one. */
static void draw_cloth(sample_image *s, size_t count, burl_weave weave, burl_print kind,
                       size_t side) {
  burl_synth_options options = burl_synth_default_options();
  options.weave = weave;
  options.print = kind;
  options.repeat = kind == BURL_PRINT_NONE ? 0 : 96;
  options.height = options.width = side;
  options.seed = 2;
  for (size_t i = 0; i < count; i++) {
    burl_image mask;
    options.index = i;
    assert_int_equal(burl_synth_draw(&s[i].image, &mask, &options), BURL_OK);
    burl_image_free(&mask);
    assert_int_equal(burl_view_open(&s[i].view, &s[i].image), BURL_OK);
  }
}

static void test_weaves_are_no_prints(void **state) {
  (void)state;
  burl_lattice *lattice = malloc(sizeof *lattice);
  for (burl_weave weave = 0; weave < BURL_WEAVE_COUNT; weave++) {
    sample_image s[4];
    draw_cloth(s, 4, weave, BURL_PRINT_NONE, 256);
    learn(lattice, s, 4);
    assert_int_equal(lattice->dimensions, 0);
    free_all(s, 4);
  }
  free(lattice);
}

/* Share of the grey's variance that lies between the phases of images laid on each other; all by
 * the phase of the first image where `as_first`. */
static double sharpness(const burl_lattice *lattice, const sample_image *s, size_t count,
                        int as_first) {
  enum { BINS = 32 };
  double *sum = calloc(2 * BINS * BINS, sizeof *sum), *hits = sum + BINS * BINS;
  double total = 0.0, squares = 0.0, n = 0.0, between = 0.0;
  burl_phase phase;
  for (size_t i = 0; i < count; i++) {
    if (i == 0 || !as_first)
      assert_int_equal(burl_lattice_align(&phase, lattice, &s[i].view), BURL_OK);
    const unsigned char *samples = s[i].image.data;
    for (size_t y = 0; y < s[i].image.height; y++)
      for (size_t x = 0; x < s[i].image.width; x++) {
        float uv[2];
        burl_phase_get(uv, &phase, (double)y, (double)x);
        size_t bin = (size_t)(uv[1] * BINS) * BINS + (size_t)(uv[0] * BINS);
        double value = samples[y * s[i].image.width + x];
        sum[bin] += value, hits[bin] += 1.0;
        total += value, squares += value * value, n += 1.0;
      }
  }
  for (size_t i = 0; i < BINS * BINS; i++)
    if (hits[i] > 0.0) between += sum[i] * sum[i] / hits[i];
  free(sum);
  return (between - total * total / n) / (squares - total * total / n);
}

static void test_prints_of_synthetic_cloth(void **state) {
  (void)state;
  const burl_print kind[] = {BURL_PRINT_DOTS, BURL_PRINT_STRIPES, BURL_PRINT_CHECKS,
                             BURL_PRINT_FIGURES};
  burl_lattice *lattice = malloc(sizeof *lattice);
  for (int k = 0; k < 4; k++) {
    sample_image s[5];
    draw_cloth(s, 5, BURL_WEAVE_PLAIN, kind[k], 300);
    learn(lattice, s, 5);
    assert_int_equal(lattice->dimensions, kind[k] == BURL_PRINT_STRIPES ? 1 : 2);
    double repeat = hypot(lattice->basis[0][0], lattice->basis[0][1]), n = repeat / 96.0;
    assert_true(fabs(n - 1.0) < 0.03 || fabs(n - sqrt(0.5)) < 0.03);
    double aligned = sharpness(lattice, s, 5, 0), apart = sharpness(lattice, s, 5, 1);
    assert_true(aligned > 0.15 && aligned > 3.0 * apart);
    free_all(s, 5);
  }
  free(lattice);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_lattices_are_found_and_images_placed),
      cmocka_unit_test(test_stripes_have_one_dimension),
      cmocka_unit_test(test_few_repeats_suffice),
      cmocka_unit_test(test_defects_do_not_move_the_phase),
      cmocka_unit_test(test_turned_and_stretched_images),
      cmocka_unit_test(test_large_images_are_followed),
      cmocka_unit_test(test_what_does_not_repeat_has_no_lattice),
      cmocka_unit_test(test_weaves_are_no_prints),
      cmocka_unit_test(test_prints_of_synthetic_cloth),
      cmocka_unit_test(test_images_without_anything_to_see),
      cmocka_unit_test(test_rows_are_single_phases),
      cmocka_unit_test(test_statistics_add_up),
      cmocka_unit_test(test_failing_allocations),
      cmocka_unit_test(test_sums_that_are_not_finite_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
