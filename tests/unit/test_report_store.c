/* What a report keeps, and which images it shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "failing.h"
#include "report/report_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 24, PIXELS = SIDE * SIDE };

typedef struct sample {
  burl_image image;
  float heat[PIXELS];
  uint8_t mask[PIXELS];
} sample;

static void fill_sample(sample *s, double score) {
  if (!s->image.data) assert_int_equal(burl_image_new(&s->image, SIDE, SIDE, 1, BURL_U8), BURL_OK);
  for (int i = 0; i < PIXELS; i++) {
    ((uint8_t *)s->image.data)[i] = (uint8_t)(i * 7 % 256);
    s->heat[i] = i % SIDE == 5 ? (float)score : 0;
    s->mask[i] = i % SIDE == 5;
  }
}

static burl_status add(burl_report *report, const char *name, const char *label, int defective,
                       double score) {
  static sample s; /* kept for the next call */
  fill_sample(&s, score);
  burl_report_row row = {name, label, defective, score, NULL};
  burl_status status = burl_report_add(report, &row, &s.image, s.heat, defective ? s.mask : NULL);
  burl_image_free(&s.image);
  return status;
}

static burl_report *new_report(const char *title, size_t gallery) {
  burl_report *report = NULL;
  assert_int_equal(burl_report_new(&report, title, gallery), BURL_OK);
  return report;
}

typedef struct scored {
  char name[16];
  int defective;
  double score;
} scored;

static int by_score(const void *a, const void *b) {
  const scored *x = a, *y = b;
  if (x->score != y->score) return x->score < y->score ? -1 : 1;
  return strcmp(x->name, y->name);
}

/* What the group of an outcome should be: all images of it, misses ascending, others descending. */
static size_t list_outcome(const scored **group, const scored *sorted, size_t n,
                           burl_outcome outcome, double threshold) {
  size_t found = 0;
  for (size_t i = 0; i < n; i++) {
    const scored *s = outcome == BURL_MISS ? sorted + i : sorted + n - 1 - i;
    if (burl_outcome_of(s->defective, s->score, threshold) == outcome) group[found++] = s;
  }
  return found;
}

static void check_choice(const burl_report *report, const scored *sorted, size_t n, size_t gallery,
                         double threshold) {
  const burl_shot *chosen[32] = {0};
  const scored *group[64];
  size_t counts[BURL_OUTCOMES], at = 0;
  burl_report_choose(report, chosen, counts, threshold);
  for (int k = 0; k < BURL_OUTCOMES; k++) {
    size_t found = list_outcome(group, sorted, n, (burl_outcome)k, threshold);
    assert_true(counts[k] <= found);
    if (k != BURL_PASS) assert_true(counts[k] == found || counts[k] >= gallery / 3);
    for (size_t i = 0; i < counts[k]; i++)
      assert_string_equal(chosen[at + i]->name, group[i]->name);
    at += counts[k];
  }
  assert_int_equal(at, n < gallery ? n : gallery);
}

/* Against all images sorted, for many sizes, thresholds and orders of adding. */
static void choice_is_the_most_telling(void **state) {
  (void)state;
  burl_random random = burl_random_start(9, 9);
  for (int round = 0; round < 150; round++) {
    scored images[64];
    size_t n = burl_random_below(&random, 64), gallery = burl_random_below(&random, 32);
    burl_report *report = new_report("Choice", gallery);
    for (size_t i = 0; i < n; i++) {
      snprintf(images[i].name, sizeof images[i].name, "%03zu", (i * 29) % 64);
      images[i].defective = burl_random_below(&random, 3) == 0;
      images[i].score = (double)burl_random_below(&random, 20) / 8;
      assert_int_equal(add(report, images[i].name, NULL, images[i].defective, images[i].score),
                       BURL_OK);
    }
    assert_true(report->defective.count <= 2 * gallery && report->good.count <= gallery);
    qsort(images, n, sizeof *images, by_score);
    for (int k = 0; k < 5; k++)
      check_choice(report, images, n, gallery, k * 0.65);
    burl_report_free(report);
  }
}

static void adding_survives_failing_allocations(void **state) {
  (void)state;
  sample s = {0};
  fill_sample(&s, 2);
  burl_report *report = new_report("Failing", 2);
  burl_report_row row = {"b", "hole", 1, 2, NULL};
  for (int images = 0; images < 3; images++) {
    for (long i = 0;; i++) {
      size_t before = report->count, shots = report->defective.count;
      fail_allocation_after(i);
      burl_status status = burl_report_add(report, &row, &s.image, s.heat, s.mask);
      stop_failing();
      if (status == BURL_OK) break;
      assert_int_equal(status, BURL_ERR_MEMORY);
      assert_int_equal(report->count, before);
      assert_int_equal(report->defective.count, shots);
    }
  }
  assert_int_equal(report->count, 3);
  burl_image_free(&s.image);
  burl_report_free(report);
}

static void making_survives_failing_allocations(void **state) {
  (void)state;
  for (long i = 0;; i++) {
    burl_report *report = NULL;
    fail_allocation_after(i);
    burl_status status = burl_report_new(&report, "Failing", 2);
    stop_failing();
    if (status == BURL_OK) {
      burl_report_free(report);
      break;
    }
    assert_int_equal(status, BURL_ERR_MEMORY);
    assert_null(report);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(choice_is_the_most_telling),
      cmocka_unit_test(adding_survives_failing_allocations),
      cmocka_unit_test(making_survives_failing_allocations),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
