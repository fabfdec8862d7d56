/* Evidence files, and the comparison of two runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/safetensors.h"
#include "evaluate/evidence_file.h"
#include "evaluate/evidence_parts.h"
#include "unit/evidence_case.h"
#include "unit/failing.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const burl_resampling options = {.level = 0.95, .seed = 3, .threads = 2};
static char path[256];

static int make_path(void **state) {
  (void)state;
  const char *base = getenv("TMPDIR");
  snprintf(path, sizeof path, "%s/burl-evidence-XXXXXX", base ? base : "/tmp");
  int file = mkstemp(path);
  return file < 0 || close(file) != 0;
}

static int drop_path(void **state) {
  (void)state;
  return unlink(path);
}

static void test_round_trip(void **state) {
  (void)state;
  burl_evidence *e = draw(1, 5, 4, 0.7), *read = NULL;
  const burl_evidence_image odd = {
      .name = "\xC3\xA4 \"<b>\".png", .label = "a,b", .group = "roll 1", .score = -2};
  assert_int_equal(burl_evidence_add(e, &odd), BURL_OK);
  burl_interval a[BURL_MEASURE_COUNT], b[BURL_MEASURE_COUNT];
  assert_int_equal(burl_evidence_save(e, path, NULL), BURL_OK);
  assert_int_equal(burl_evidence_load(&read, path, NULL), BURL_OK);
  assert_int_equal(burl_evidence_get_count(read), 10);
  for (size_t i = 0; i < 10; i++) {
    burl_evidence_image x = burl_evidence_get_image(e, i), y = burl_evidence_get_image(read, i);
    assert_string_equal(x.name, y.name);
    assert_string_equal(x.label, y.label);
    assert_string_equal(x.group, y.group);
    assert_true(x.score == y.score && x.defective == y.defective && x.with_truth == y.with_truth);
  }
  assert_memory_equal(e->values, read->values, sizeof e->values);
  assert_int_equal(burl_evidence_intervals(e, a, &options), BURL_OK);
  assert_int_equal(burl_evidence_intervals(read, b, &options), BURL_OK);
  assert_memory_equal(a, b, sizeof a);
  burl_evidence_free(e);
  burl_evidence_free(read);
}

static void test_without_pixels(void **state) {
  (void)state;
  burl_evidence *e = evidence(), *read = NULL;
  add(e, NULL, 2, 1, 0);
  assert_int_equal(burl_evidence_finish(e, NULL, NULL), BURL_OK);
  assert_int_equal(burl_evidence_save(e, path, NULL), BURL_OK);
  assert_int_equal(burl_evidence_load(&read, path, NULL), BURL_OK);
  assert_true(burl_evidence_get_value(read, BURL_MEASURE_DETECTION) == 1);
  assert_true(isnan(burl_evidence_get_value(read, BURL_MEASURE_PIXEL_AP)));
  burl_evidence_free(e);
  burl_evidence_free(read);
}

static void test_bad_files(void **state) {
  (void)state;
  burl_evidence *e = draw(2, 3, 2, 0.7), *read = NULL;
  burl_diag diag = {0};
  unsigned char *bytes = NULL;
  size_t size = 0;
  assert_int_equal(burl_evidence_save(e, path, NULL), BURL_OK);
  assert_int_equal(burl_file_read(&bytes, &size, path, 1 << 24, NULL), BURL_OK);
  bytes[size - 3] ^= 1;
  assert_int_equal(burl_file_write(path, bytes, size, NULL), BURL_OK);
  assert_int_equal(burl_evidence_load(&read, path, &diag), BURL_ERR_CHECKSUM);
  assert_int_equal(burl_evidence_load(&read, "/nowhere/e", &diag), BURL_ERR_IO);
  assert_null(read);
  burl_safetensors_writer *writer = NULL;
  assert_int_equal(burl_safetensors_writer_new(&writer), BURL_OK);
  burl_safetensors_writer_add_checksum(writer);
  assert_int_equal(burl_safetensors_writer_save(writer, path, NULL), BURL_OK);
  burl_safetensors_writer_free(writer);
  assert_int_equal(burl_evidence_load(&read, path, &diag), BURL_ERR_VERSION);
  assert_true(diag.reason[0] && diag.hint[0]);
  assert_int_equal(burl_evidence_save(e, "/dev/null/e", &diag), BURL_ERR_IO);
  burl_evidence_free(e);
  free(bytes);
}

/* A run against itself, against a better one, and against one without some images. */
static void test_compare(void **state) {
  (void)state;
  burl_evidence *a = draw(3, 30, 25, 0.4), *b = draw(3, 30, 25, 0.9), *few = draw(3, 30, 20, 0.4);
  burl_difference d[BURL_MEASURE_COUNT];
  burl_comparison all;
  assert_int_equal(burl_evidence_compare(a, a, d, &all, &options, NULL), BURL_OK);
  assert_int_equal(all.images, 55);
  assert_int_equal(all.defective, 25);
  assert_true(all.same_truth);
  for (int i = 0; i < BURL_MEASURE_AUSPRO; i++) {
    assert_true(d[i].difference == 0 && d[i].sure == 0.5);
    assert_true(d[i].interval.low <= 0 && d[i].interval.high >= 0);
  }
  assert_int_equal(burl_evidence_compare(a, b, d, &all, &options, NULL), BURL_OK);
  for (int i = 0; i < BURL_MEASURE_AUSPRO; i++) {
    if (i == BURL_MEASURE_FALSE_ALARM || i == BURL_MEASURE_DETECTION) continue;
    assert_true(d[i].b > d[i].a && d[i].sure > 0.97);
    assert_true(d[i].interval.low < d[i].difference && d[i].difference < d[i].interval.high);
  }
  assert_true(isnan(d[BURL_MEASURE_AUSPRO].difference));
  assert_int_equal(burl_evidence_compare(few, a, d, &all, &options, NULL), BURL_OK);
  assert_int_equal(all.images, 50);
  assert_true(fabs(d[BURL_MEASURE_PIXEL_AP].difference) < 0.01);
  burl_evidence_free(a);
  burl_evidence_free(b);
  burl_evidence_free(few);
}

static void test_refusals(void **state) {
  (void)state;
  burl_evidence *a = evidence(), *b = evidence(), *other = evidence();
  burl_difference d[BURL_MEASURE_COUNT];
  burl_comparison all;
  burl_diag diag = {0};
  add(a, NULL, 2, 1, 0);
  add(b, NULL, 2, 0, 0);
  const burl_evidence_image image = {.name = "another.png", .label = "good", .score = 1};
  assert_int_equal(burl_evidence_add(other, &image), BURL_OK);
  assert_int_equal(burl_evidence_finish(a, NULL, NULL), BURL_OK);
  assert_int_equal(burl_evidence_finish(b, NULL, NULL), BURL_OK);
  assert_int_equal(burl_evidence_finish(other, NULL, NULL), BURL_OK);
  assert_int_equal(burl_evidence_compare(a, b, d, &all, &options, &diag), BURL_ERR_DATA);
  assert_non_null(strstr(diag.reason, "0.png"));
  assert_int_equal(burl_evidence_compare(a, other, d, &all, &options, &diag), BURL_ERR_DATA);
  const burl_resampling wrong = {.level = 2, .threads = 1};
  assert_int_equal(burl_evidence_compare(a, a, d, &all, &wrong, &diag), BURL_ERR_ARGUMENT);
  /* a single image: a difference, but nothing about how sure it is */
  assert_int_equal(burl_evidence_compare(a, a, d, &all, &options, &diag), BURL_OK);
  assert_true(d[BURL_MEASURE_DETECTION].difference == 0 && isnan(d[BURL_MEASURE_DETECTION].sure));
  burl_evidence_free(a);
  burl_evidence_free(b);
  burl_evidence_free(other);
}

static void test_failing_memory(void **state) {
  (void)state;
  burl_evidence *e = draw(8, 3, 3, 1), *read = NULL;
  burl_difference d[BURL_MEASURE_COUNT];
  burl_comparison all;
  burl_diag diag;
  const burl_resampling brief = {.level = 0.9, .threads = 1, .replicates = 100};
  burl_status status = BURL_ERR_MEMORY;
  for (int after = 0; status != BURL_OK; after++) {
    fail_allocation_after(after);
    status = burl_evidence_save(e, path, &diag);
    if (!status) status = burl_evidence_load(&read, path, &diag);
    if (!status) status = burl_evidence_compare(e, read, d, &all, &brief, &diag);
    stop_failing();
    assert_true(status == BURL_OK || status == BURL_ERR_MEMORY);
    burl_evidence_free(read);
    read = NULL;
  }
  burl_evidence_free(e);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_round_trip), cmocka_unit_test(test_without_pixels),
      cmocka_unit_test(test_bad_files),  cmocka_unit_test(test_compare),
      cmocka_unit_test(test_refusals),   cmocka_unit_test(test_failing_memory),
  };
  return cmocka_run_group_tests(tests, make_path, drop_path);
}
