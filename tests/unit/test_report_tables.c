/* scores.csv, images.csv, metrics.json and numbers as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/random.h"
#include "failing.h"
#include "report/number_text.h"

#include <burl/report.h>
#include <jansson.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define UNDEFINED ((double)NAN)
#define ENDLESS ((double)INFINITY)

static char folder[256], path[300];

static int make_folder(void **state) {
  (void)state;
  const char *base = getenv("TMPDIR");
  snprintf(folder, sizeof folder, "%s/burl-tables-XXXXXX", base ? base : "/tmp");
  if (!mkdtemp(folder)) return 1;
  snprintf(path, sizeof path, "%s/t", folder);
  return 0;
}

static int drop_folder(void **state) {
  (void)state;
  unlink(path);
  return rmdir(folder);
}

static void assert_file(const char *expected) {
  unsigned char *bytes = NULL;
  size_t size = 0;
  assert_int_equal(burl_file_read(&bytes, &size, path, 1 << 20, NULL), BURL_OK);
  assert_int_equal(size, strlen(expected));
  assert_memory_equal(bytes, expected, size);
  free(bytes);
}

static const burl_report_row rows[] = {
    {"good/000.png", "good", 0, 0.25, "speck"},
    {"a,b \"c\".png", "hole, large", 1, 1.0, "weave fault"},
    {"two\nlines", NULL, 1, 0.99999994039535522, NULL},
    {"Köper 3.png", "", 1, -12.5, NULL},
    {" spaces ", "good", 0, 123456789.0, ""},
};

static void scores_are_exact(void **state) {
  (void)state;
  assert_int_equal(burl_report_save_scores(rows, 5, 1, path, NULL), BURL_OK);
  assert_file(
      "image,score,threshold,verdict,kind\n"
      "good/000.png,0.25,1,good,\n"
      "\"a,b \"\"c\"\".png\",1,1,defect,weave fault\n"
      "\"two\nlines\",0.99999994,1,good,\n"
      "Köper 3.png,-12.5,1,good,\n"
      " spaces ,123456789,1,defect,\n");
}

static void images_are_exact(void **state) {
  (void)state;
  assert_int_equal(burl_report_save_images(rows, 5, 0.25, path, NULL), BURL_OK);
  assert_file(
      "image,label,defective,score,threshold,verdict,kind\n"
      "good/000.png,good,0,0.25,0.25,defect,speck\n"
      "\"a,b \"\"c\"\".png\",\"hole, large\",1,1,0.25,defect,weave fault\n"
      "\"two\nlines\",,1,0.99999994,0.25,defect,\n"
      "Köper 3.png,,1,-12.5,0.25,good,\n"
      " spaces ,good,0,123456789,0.25,defect,\n");
}

static void no_rows_give_a_header(void **state) {
  (void)state;
  assert_int_equal(burl_report_save_scores(NULL, 0, 1, path, NULL), BURL_OK);
  assert_file("image,score,threshold,verdict,kind\n");
}

static void bad_numbers_are_refused(void **state) {
  (void)state;
  burl_report_row bad[2] = {{"fine.png", "good", 0, 0.5, NULL},
                            {"odd.png", "good", 0, UNDEFINED, NULL}};
  burl_diag diag = {0};
  unlink(path);
  assert_int_equal(burl_report_save_scores(bad, 2, 1, path, &diag), BURL_ERR_NUMERIC);
  assert_non_null(strstr(diag.reason, "odd.png"));
  bad[1].score = ENDLESS;
  assert_int_equal(burl_report_save_images(bad, 2, 1, path, NULL), BURL_ERR_NUMERIC);
  assert_int_equal(burl_report_save_images(bad, 1, UNDEFINED, path, &diag), BURL_ERR_NUMERIC);
  assert_non_null(strstr(diag.reason, "threshold"));
  assert_int_equal(access(path, F_OK), -1);
}

static void old_file_stays_where_writing_fails(void **state) {
  (void)state;
  assert_int_equal(burl_file_write(path, "old", 3, NULL), BURL_OK);
  burl_report_row bad = {"odd.png", "good", 0, UNDEFINED, NULL};
  assert_int_equal(burl_report_save_scores(&bad, 1, 1, path, NULL), BURL_ERR_NUMERIC);
  assert_file("old");
  assert_int_equal(burl_report_save_scores(rows, 5, 1, "/dev/null/x.csv", NULL), BURL_ERR_IO);
}

/* Every float comes back as the same float, every double as the same double. */
static void numbers_come_back(void **state) {
  (void)state;
  burl_random random = burl_random_start(5, 5);
  char text[BURL_NUMBER_TEXT];
  for (int i = 0; i < 20000; i++) {
    double value =
        ldexp(burl_random_uniform(&random) - 0.5, (int)burl_random_below(&random, 80) - 40);
    burl_number_text(text, value);
    assert_true(strtod(text, NULL) == value);
    burl_number_text(text, (double)(float)value);
    assert_true(strtof(text, NULL) == (float)value);
    assert_true(strlen(text) < 18);
  }
}

static void numbers_are_short(void **state) {
  (void)state;
  static const struct {
    double value;
    const char *text;
  } cases[] = {{(double)0.1F, "0.1"}, {0.1, "0.1"},      {-0.0, "0"},
               {1e-12, "1e-12"},      {1e300, "1e+300"}, {1.0 / 3, "0.3333333333333333"}};
  char text[BURL_NUMBER_TEXT];
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    burl_number_text(text, cases[i].value);
    assert_string_equal(text, cases[i].text);
  }
  burl_number_fixed(text, -0.0004, 2);
  assert_string_equal(text, "0.00");
  burl_number_fixed(text, 2.345678, 3);
  assert_string_equal(text, "2.346");
  burl_number_fixed(text, -1.5e300, 9);
  assert_string_equal(text, "-1.5e+300");
  burl_number_short(text, 1234.567, 4);
  assert_string_equal(text, "1235");
}

/* Runs where a locale with a decimal comma is installed. */
static void locale_does_not_matter(void **state) {
  (void)state;
  static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "de_DE", "fr_FR.UTF-8"};
  size_t i = 0;
  while (i < 4 && !setlocale(LC_NUMERIC, names[i]))
    i++;
  if (i == 4) skip();
  char text[BURL_NUMBER_TEXT];
  burl_number_text(text, 0.1);
  setlocale(LC_NUMERIC, "C");
  assert_string_equal(text, "0.1");
}

static const burl_class_metrics hole = {
    .label = "h\xFFle",
    .images = 30,
    .values = {[BURL_MEASURE_IMAGE_AUROC] = 0.5, [BURL_MEASURE_AUPRO_005] = UNDEFINED},
    .intervals = {[BURL_MEASURE_DETECTION] = {0.25, 0.5}}};

static const burl_report_metrics metrics = {
    .image = {0.9875, 0.95, 0.9, 1.1},
    .pixel = {.ranking = {0.97, 0.5, 0.55, 0.9},
              .aupro_030 = 0.9,
              .aupro_005 = 0.7,
              .pro_limit = 0.1,
              .aupro = 0.8,
              .aupimo = 0.6,
              .auspro_030 = UNDEFINED,
              .auspro_005 = UNDEFINED,
              .pixels = 5000000000U,
              .defect_pixels = 1000,
              .regions = 7},
    .boxes = {.ap50 = 0.5, .ap = 0.25, .recall_100 = 0.75, .mask_dice = UNDEFINED},
    .images = 90,
    .defect_images = 30,
    .skipped_images = 1,
    .threshold = 1,
    .false_alarm_rate = 0.05,
    .detection_rate = 0.75,
    .intervals = {[BURL_MEASURE_IMAGE_AUROC] = {0.875, 1},
                  [BURL_MEASURE_PIXEL_AP] = {0.25, 0.75},
                  [BURL_MEASURE_AUSPRO] = {UNDEFINED, UNDEFINED}},
    .level = 0.95,
    .classes = &hole,
    .class_count = 1,
    .seconds = {1.5, 2.5, 0.25, 0.125, 3},
};

static const char expected_metrics[] =
    "{\n"
    "  \"version\": 2,\n"
    "  \"image_auroc\": 0.9875,\n"
    "  \"image_ap\": 0.95,\n"
    "  \"image_f1_max\": 0.9,\n"
    "  \"pixel_auroc\": 0.97,\n"
    "  \"pixel_ap\": 0.5,\n"
    "  \"pixel_f1_max\": 0.55,\n"
    "  \"aupro_0.30\": 0.9,\n"
    "  \"aupro_0.05\": 0.7,\n"
    "  \"aupro\": 0.8,\n"
    "  \"pro_limit\": 0.1,\n"
    "  \"aupimo\": 0.6,\n"
    "  \"auspro_0.05\": null,\n"
    "  \"auspro_0.30\": null,\n"
    "  \"box_ap50\": 0.5,\n"
    "  \"box_ap\": 0.25,\n"
    "  \"box_recall_100\": 0.75,\n"
    "  \"mask_dice\": null,\n"
    "  \"images\": 90,\n"
    "  \"defect_images\": 30,\n"
    "  \"skipped_images\": 1,\n"
    "  \"pixels\": 5000000000,\n"
    "  \"threshold\": 1.0,\n"
    "  \"false_alarm_rate\": 0.05,\n"
    "  \"detection_rate\": 0.75,\n"
    "  \"intervals\": {\n"
    "    \"level\": 0.95,\n"
    "    \"image_auroc\": [\n"
    "      0.875,\n"
    "      1.0\n"
    "    ],\n"
    "    \"image_ap\": [\n"
    "      0.0,\n"
    "      0.0\n"
    "    ],\n"
    "    \"image_f1_max\": [\n"
    "      0.0,\n"
    "      0.0\n"
    "    ],\n"
    "    \"false_alarm_rate\": [\n"
    "      0.0,\n"
    "      0.0\n"
    "    ],\n"
    "    \"detection_rate\": [\n"
    "      0.0,\n"
    "      0.0\n"
    "    ],\n"
    "    \"pixel_auroc\": [\n"
    "      0.0,\n"
    "      0.0\n"
    "    ],\n"
    "    \"pixel_ap\": [\n"
    "      0.25,\n"
    "      0.75\n"
    "    ],\n"
    "    \"pixel_f1_max\": [\n"
    "      0.0,\n"
    "      0.0\n"
    "    ],\n"
    "    \"aupro_0.30\": [\n"
    "      0.0,\n"
    "      0.0\n"
    "    ],\n"
    "    \"aupro_0.05\": [\n"
    "      0.0,\n"
    "      0.0\n"
    "    ],\n"
    "    \"aupimo\": [\n"
    "      0.0,\n"
    "      0.0\n"
    "    ],\n"
    "    \"auspro_0.05\": null\n"
    "  },\n"
    "  \"classes\": [\n"
    "    {\n"
    "      \"label\": \"h?le\",\n"
    "      \"images\": 30,\n"
    "      \"image_auroc\": 0.5,\n"
    "      \"detection_rate\": 0.0,\n"
    "      \"pixel_auroc\": 0.0,\n"
    "      \"aupro_0.30\": 0.0,\n"
    "      \"aupro_0.05\": null,\n"
    "      \"intervals\": {\n"
    "        \"image_auroc\": [\n"
    "          0.0,\n"
    "          0.0\n"
    "        ],\n"
    "        \"detection_rate\": [\n"
    "          0.25,\n"
    "          0.5\n"
    "        ],\n"
    "        \"pixel_auroc\": [\n"
    "          0.0,\n"
    "          0.0\n"
    "        ],\n"
    "        \"aupro_0.30\": [\n"
    "          0.0,\n"
    "          0.0\n"
    "        ],\n"
    "        \"aupro_0.05\": [\n"
    "          0.0,\n"
    "          0.0\n"
    "        ]\n"
    "      }\n"
    "    }\n"
    "  ],\n"
    "  \"seconds\": {\n"
    "    \"read\": 1.5,\n"
    "    \"score\": 2.5,\n"
    "    \"write\": 0.25,\n"
    "    \"metrics\": 0.125,\n"
    "    \"total\": 3.0,\n"
    "    \"read_image\": 0.0166666666667,\n"
    "    \"score_image\": 0.0277777777778\n"
    "  }\n"
    "}\n";

static void metrics_are_exact(void **state) {
  (void)state;
  assert_int_equal(burl_report_save_metrics(&metrics, path, NULL), BURL_OK);
  assert_file(expected_metrics);
}

static void undefined_metrics_are_null(void **state) {
  (void)state;
  static const char *const keys[] = {
      "image_auroc",  "image_ap",   "image_f1_max", "pixel_auroc",      "pixel_ap",
      "pixel_f1_max", "aupro_0.30", "aupro_0.05",   "false_alarm_rate", "intervals"};
  burl_report_metrics none = {.image = {UNDEFINED, UNDEFINED, UNDEFINED, UNDEFINED},
                              .pixel = {.ranking = {UNDEFINED, UNDEFINED, UNDEFINED, UNDEFINED},
                                        .aupro_030 = UNDEFINED,
                                        .aupro_005 = ENDLESS},
                              .threshold = 0.1,
                              .false_alarm_rate = UNDEFINED};
  assert_int_equal(burl_report_save_metrics(&none, path, NULL), BURL_OK);
  json_t *read = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
  assert_non_null(read);
  assert_int_equal(json_object_size(read), 28);
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    assert_true(json_is_null(json_object_get(read, keys[i])));
  assert_true(json_real_value(json_object_get(read, "threshold")) == 0.1);
  assert_int_equal(json_integer_value(json_object_get(read, "pixels")), 0);
  assert_int_equal(json_object_size(json_object_get(read, "seconds")), 7);
  json_decref(read);
}

static void metrics_need_a_place(void **state) {
  (void)state;
  burl_diag diag = {0};
  assert_int_equal(burl_report_save_metrics(&metrics, "/dev/null/m.json", &diag), BURL_ERR_IO);
  assert_string_equal(diag.path, "/dev/null/m.json");
}

static burl_status save_both(void) {
  burl_status status = burl_report_save_images(rows, 5, 1, path, NULL);
  return status == BURL_OK ? burl_report_save_metrics(&metrics, path, NULL) : status;
}

static void tables_survive_failing_allocations(void **state) {
  (void)state;
  for (long i = 0;; i++) {
    unlink(path);
    fail_allocation_after(i);
    burl_status status = save_both();
    stop_failing();
    if (status == BURL_OK) break;
    assert_true(status == BURL_ERR_MEMORY || status == BURL_ERR_IO);
  }
  assert_int_equal(access(path, F_OK), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(scores_are_exact),
      cmocka_unit_test(images_are_exact),
      cmocka_unit_test(no_rows_give_a_header),
      cmocka_unit_test(bad_numbers_are_refused),
      cmocka_unit_test(old_file_stays_where_writing_fails),
      cmocka_unit_test(numbers_come_back),
      cmocka_unit_test(numbers_are_short),
      cmocka_unit_test(locale_does_not_matter),
      cmocka_unit_test(metrics_are_exact),
      cmocka_unit_test(undefined_metrics_are_null),
      cmocka_unit_test(metrics_need_a_place),
      cmocka_unit_test(tables_survive_failing_allocations),
  };
  return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
