/* Figures of defect classes, regions, and the tables that hold them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/evidence_case.h"
#include "unit/failing.h"

#include <burl/report.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const burl_resampling options = {.level = 0.95, .replicates = 100, .threads = 1};

/* Two classes, told apart by nothing but their heat; the figures of one class are those of a set
 * without the other where the images of the other have no good pixels. */
typedef struct both {
  burl_evidence *evidence;
  burl_pixel_evaluator *pixels;
  burl_pixel_metrics metrics;
} both;

static void put(both *b, const char *label, const float heat[4], const uint8_t mask[4]) {
  char name[16];
  snprintf(name, sizeof name, "%zu", burl_evidence_get_count(b->evidence));
  const burl_evidence_image image = {.name = name,
                                     .label = label,
                                     .score = heat[0],
                                     .defective = strcmp(label, "good") != 0,
                                     .with_truth = mask != NULL};
  assert_int_equal(burl_evidence_add(b->evidence, &image), BURL_OK);
  if (mask) assert_int_equal(burl_pixel_evaluator_add(b->pixels, heat, mask, 2, 2), BURL_OK);
}

static both make(int holes, int stains) {
  static const uint8_t none[4] = {0}, all[4] = {1, 1, 1, 1};
  both b = {.evidence = evidence()};
  assert_int_equal(burl_pixel_evaluator_new(&b.pixels), BURL_OK);
  put(&b, "good", (float[]){0.2f, 0.1f, 0.7f, 0.4f}, none);
  put(&b, "good", (float[]){0.6f, 0.3f, 0.2f, 1.2f}, none);
  if (stains) put(&b, "stain", (float[]){0.5f, 0.6f, 0.1f, 2}, all);
  if (holes) put(&b, "hole", (float[]){3, 0.8f, 0.3f, 0.35f}, all);
  if (holes) put(&b, "hole", (float[]){0.1f, 2, 1, 1}, NULL);
  assert_int_equal(burl_pixel_evaluator_compute(b.pixels, &b.metrics, NULL, 0), BURL_OK);
  assert_int_equal(burl_evidence_finish(b.evidence, b.pixels, &b.metrics), BURL_OK);
  return b;
}

static void drop(both *b) {
  burl_evidence_free(b->evidence);
  burl_pixel_evaluator_free(b->pixels);
}

static void assert_class(const burl_class_metrics *class, const both *alone, const char *label) {
  static const burl_measure measures[] = {BURL_MEASURE_IMAGE_AUROC, BURL_MEASURE_DETECTION,
                                          BURL_MEASURE_PIXEL_AUROC, BURL_MEASURE_AUPRO_030,
                                          BURL_MEASURE_AUPRO_005};
  assert_string_equal(class->label, label);
  for (size_t i = 0; i < sizeof measures / sizeof *measures; i++) {
    double expected = burl_evidence_get_value(alone->evidence, measures[i]);
    const burl_interval *interval = &class->intervals[measures[i]];
    assert_true(fabs(class->values[measures[i]] - expected) < 1e-15);
    assert_true(interval->low <= expected && expected <= interval->high);
  }
  assert_true(isnan(class->values[BURL_MEASURE_IMAGE_AP]));
  assert_true(isnan(class->intervals[BURL_MEASURE_IMAGE_AP].low));
}

static void classes_are_those_of_sets_of_their_own(void **state) {
  (void)state;
  both all = make(1, 1), holes = make(1, 0), stains = make(0, 1), none = make(0, 0);
  burl_class_metrics *classes = NULL;
  size_t count = 9;
  assert_int_equal(burl_evidence_classes(all.evidence, all.pixels, &classes, &count, &options),
                   BURL_OK);
  assert_int_equal(count, 2);
  assert_int_equal(classes[0].images, 2);
  assert_int_equal(classes[1].images, 1);
  assert_class(&classes[0], &holes, "hole");
  assert_class(&classes[1], &stains, "stain");
  free(classes);
  burl_status status = BURL_ERR_MEMORY;
  for (int after = 0; status != BURL_OK; after++) {
    fail_allocation_after(after);
    status = burl_evidence_classes(all.evidence, all.pixels, &classes, &count, &options);
    stop_failing();
    assert_true(status == BURL_OK || status == BURL_ERR_MEMORY);
  }
  free(classes);
  assert_int_equal(burl_evidence_classes(none.evidence, none.pixels, &classes, &count, &options),
                   BURL_OK);
  assert_int_equal(count, 0);
  free(classes);
  const burl_resampling wrong = {.level = 0.9};
  assert_int_equal(burl_evidence_classes(all.evidence, all.pixels, &classes, &count, &wrong),
                   BURL_ERR_ARGUMENT);
  drop(&all);
  drop(&holes);
  drop(&stains);
  drop(&none);
}

static void regions_are_measured(void **state) {
  (void)state;
  const uint8_t mask[15] = {0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0};
  const float heat[15] = {9, 1, 9, 9, 9, 0.5f, 9, 9, 9, -3, 9, 9, 9, 2, 9};
  burl_region *regions = NULL;
  size_t count = 0;
  assert_int_equal(burl_regions_measure(&regions, &count, heat, mask, 3, 5, 1), BURL_OK);
  assert_int_equal(count, 2);
  const burl_region first = regions[0], second = regions[1];
  assert_int_equal(first.pixels, 2);
  assert_int_equal(first.found, 1);
  assert_true(first.top == 0 && first.left == 0 && first.bottom == 2 && first.right == 2);
  assert_true(first.heat_max == 1 && first.heat_mean == 0.75);
  assert_true(second.top == 1 && second.left == 3 && second.bottom == 3 && second.right == 5);
  assert_true(second.heat_max == 2 && second.heat_mean == -0.5);
  free(regions);
  fail_allocation_after(0);
  burl_status status = burl_regions_measure(&regions, &count, heat, mask, 3, 5, 1);
  stop_failing();
  assert_int_equal(status, BURL_ERR_MEMORY);
}

static void assert_text(const char *path, const char *expected) {
  char text[512];
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  size_t size = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[size] = '\0';
  assert_string_equal(text, expected);
}

static void tables_are_exact(void **state) {
  (void)state;
  const char *base = getenv("TMPDIR");
  char path[256];
  snprintf(path, sizeof path, "%s/burl-class-XXXXXX", base ? base : "/tmp");
  int file = mkstemp(path);
  assert_true(file >= 0 && close(file) == 0);
  const burl_curve_point curve[2] = {{(double)INFINITY, 0, 0, 1, 0},
                                     {0.5, (double)NAN, 0.25, (double)0.1f, 1}};
  assert_int_equal(burl_report_save_curve(curve, 2, path, NULL), BURL_OK);
  assert_text(path, "threshold,fpr,tpr,precision,pro\ninf,0,0,1,0\n0.5,,0.25,0.1,1\n");
  const burl_report_region region = {.name = "a,\"b\".png",
                                     .number = 3,
                                     .region = {.pixels = 4,
                                                .found = 1,
                                                .top = 1,
                                                .left = 2,
                                                .bottom = 3,
                                                .right = 4,
                                                .heat_max = 1.5,
                                                .heat_mean = 0.5}};
  assert_int_equal(burl_report_save_regions(&region, 1, path, NULL), BURL_OK);
  assert_text(path,
              "image,label,region,pixels,top,left,bottom,right,heat_max,heat_mean,found\n"
              "\"a,\"\"b\"\".png\",,3,4,1,2,3,4,1.5,0.5,0.25\n");
  unlink(path);
  burl_diag diag = {0};
  assert_int_equal(burl_report_save_curve(curve, 2, "/dev/null/c", &diag), BURL_ERR_IO);
  assert_int_equal(burl_report_save_regions(&region, 1, "/dev/null/r", &diag), BURL_ERR_IO);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(classes_are_those_of_sets_of_their_own),
      cmocka_unit_test(regions_are_measured),
      cmocka_unit_test(tables_are_exact),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
