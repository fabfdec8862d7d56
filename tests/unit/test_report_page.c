/* report.html: well-formed whatever the names, bounded, self-contained, and telling the truth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/random.h"
#include "failing.h"
#include "reference/ref_html.h"
#include "report/report_store.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SIDE = 24, PIXELS = SIDE * SIDE };

#define UNDEFINED ((double)NAN)
#define ENDLESS ((double)INFINITY)

static char folder[256], path[300];

static int make_folder(void **state) {
  (void)state;
  const char *base = getenv("TMPDIR");
  snprintf(folder, sizeof folder, "%s/burl-page-XXXXXX", base ? base : "/tmp");
  if (!mkdtemp(folder)) return 1;
  snprintf(path, sizeof path, "%s/report.html", folder);
  return 0;
}

static int drop_folder(void **state) {
  (void)state;
  unlink(path);
  return rmdir(folder);
}

static char *read_page(void) {
  unsigned char *bytes = NULL;
  size_t size = 0;
  assert_int_equal(burl_file_read(&bytes, &size, path, (size_t)1 << 26, NULL), BURL_OK);
  char *text = malloc(size + 1);
  assert_non_null(text);
  memcpy(text, bytes, size);
  text[size] = '\0';
  free(bytes);
  assert_int_equal(strlen(text), size);
  return text;
}

static size_t count(const char *text, const char *word) {
  size_t n = 0;
  for (const char *at = text; (at = strstr(at, word)); at += strlen(word))
    n++;
  return n;
}

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

static burl_status add_kind(burl_report *report, const char *name, const char *label, int defective,
                            double score, const char *kind) {
  static sample s; /* kept for the next call */
  fill_sample(&s, score);
  burl_report_row row = {name, label, defective, score, kind};
  burl_status status = burl_report_add(report, &row, &s.image, s.heat, defective ? s.mask : NULL);
  burl_image_free(&s.image);
  return status;
}

static burl_status add(burl_report *report, const char *name, const char *label, int defective,
                       double score) {
  return add_kind(report, name, label, defective, score, NULL);
}

static const burl_report_metrics undefined = {
    .image = {UNDEFINED, UNDEFINED, UNDEFINED, UNDEFINED},
    .pixel = {.ranking = {UNDEFINED, UNDEFINED, UNDEFINED, UNDEFINED},
              .aupro_030 = UNDEFINED,
              .aupro_005 = UNDEFINED},
    .threshold = 1,
    .false_alarm_rate = UNDEFINED};

static burl_report_metrics metrics_of(size_t good, size_t defective) {
  burl_report_metrics m = {.image = {0.9, 0.8, 0.7, 1},
                           .pixel = {.ranking = {0.95, 0.5, 0.6, 1},
                                     .aupro_030 = 0.85,
                                     .aupro_005 = 0.65,
                                     .pixels = 1000,
                                     .defect_pixels = 10,
                                     .regions = 2},
                           .images = good + defective,
                           .defect_images = defective,
                           .threshold = 1,
                           .false_alarm_rate = 0.1};
  return m;
}

static burl_report *new_report(const char *title, size_t gallery) {
  burl_report *report = NULL;
  assert_int_equal(burl_report_new(&report, title, gallery), BURL_OK);
  return report;
}

static void check_page(const char *page) {
  const char *odd = ref_html_find_fault(page);
  if (odd) fail_msg("not well-formed at: %.60s", odd);
  /* one script, known by its sum, at the very end */
  assert_int_equal(count(page, "<script"), 1);
  assert_int_equal(count(page,
                         "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
                         "script-src 'sha256-"),
                   1);
  assert_non_null(strstr(page, "</script>\n</body>\n</html>\n"));
  assert_null(strstr(page, "http://"));
  assert_null(strstr(page, "https://"));
  assert_null(strstr(page, ">nan"));
  assert_null(strstr(page, "\"nan"));
  assert_null(strstr(page, "inf\""));
}

static char *save_page(const burl_report *report, const burl_report_metrics *metrics,
                       const burl_curve_point *curve, size_t points, const char *facts) {
  burl_diag diag = {0};
  assert_int_equal(burl_report_save_html(report, metrics, curve, points, facts, path, &diag),
                   BURL_OK);
  char *page = read_page();
  check_page(page);
  return page;
}

static void empty_report_says_so(void **state) {
  (void)state;
  burl_report *report = new_report("Nothing", 12);
  char *page = save_page(report, &undefined, NULL, 0, NULL);
  assert_non_null(strstr(page, "No image was scored."));
  assert_non_null(strstr(page, "The metrics of images are not defined: no image was scored."));
  assert_non_null(strstr(page, "The metrics of pixels are not defined: no masks are known."));
  assert_int_equal(count(page, "<td class=\"n\">–</td>"), 8);
  assert_null(strstr(page, "<img"));
  free(page);
  burl_report_free(report);
}

static void reasons_are_given(void **state) {
  (void)state;
  burl_report *report = new_report("Only good cloth", 4);
  burl_report_metrics m = undefined;
  assert_int_equal(add(report, "a.png", NULL, 0, 0.3), BURL_OK);
  m.images = 1;
  m.pixel.pixels = PIXELS;
  burl_curve_point curve[2] = {{ENDLESS, 0, UNDEFINED, 1, UNDEFINED},
                               {0, 1, UNDEFINED, 0, UNDEFINED}};
  char *page = save_page(report, &m, curve, 2, "");
  assert_non_null(strstr(page, "no image shows a defect."));
  assert_non_null(strstr(page, "no mask marks a defect."));
  assert_null(strstr(page, "<polyline"));
  free(page);
  m.defect_images = 1;
  page = save_page(report, &m, NULL, 0, NULL);
  assert_non_null(strstr(page, "no image is free of defects."));
  free(page);
  burl_report_free(report);
}

static void counts_are_true(void **state) {
  (void)state;
  burl_report *report = new_report("Counts", 20);
  burl_report_metrics m = metrics_of(5, 4);
  static const double good[] = {0.1, 0.2, 0.3, 1.0, 1.5}, bad[] = {0.5, 1.0, 2.0, 60.0};
  for (int i = 0; i < 5; i++)
    assert_int_equal(add(report, "g", "good", 0, good[i]), BURL_OK);
  for (int i = 0; i < 4; i++)
    assert_int_equal(add(report, "d", i ? "hole" : "slub", 1, bad[i]), BURL_OK);
  char *page = save_page(report, &m, NULL, 0, NULL);
  assert_non_null(strstr(page, "<strong>3 of 4</strong> defective images are found."));
  assert_non_null(strstr(page, "<strong>2 of 5</strong> good images raise a false alarm."));
  assert_non_null(strstr(page, ">3 found</td>"));
  assert_non_null(strstr(page, ">1 missed</td>"));
  assert_non_null(strstr(page, ">2 false alarms</td>"));
  assert_non_null(strstr(page, ">3 passed</td>"));
  assert_non_null(strstr(page, "data-scale=\"0 0.01\" data-images=\"5 4\" data-alarms=\"5 5 "));
  assert_non_null(strstr(page, "missed <strong id=\"live-missed\">1</strong>"));
  assert_non_null(strstr(page,
                         "<bdi>hole</bdi></th><td class=\"bad\">defect</td><td "
                         "class=\"n\">3</td><td class=\"n\">3 (100.0 %)</td>"
                         "<td class=\"n\">21.000</td>"));
  assert_non_null(strstr(page,
                         "<bdi>good</bdi></th><td class=\"good\">good</td><td "
                         "class=\"n\">5</td><td class=\"n\">2 (40.0 %)</td>"
                         "<td class=\"n\">0.620</td>"));
  assert_int_equal(count(page, "<figure class=\"shot\""), 9);
  assert_int_equal(count(page, "alt=\"mask of the defect\""), 4);
  const char *missed = strstr(page, "Missed defects"), *alarms = strstr(page, "False alarms");
  const char *found = strstr(page, "Found defects");
  assert_true(missed && missed < alarms && alarms < found);
  free(page);
  burl_report_free(report);
}

/* The number after `attribute` behind `mark`. */
static double number_after(const char *page, const char *mark, const char *attribute) {
  const char *at = strstr(page, mark);
  assert_non_null(at);
  at = strstr(at, attribute);
  assert_non_null(at);
  return strtod(at + strlen(attribute), NULL);
}

/* A score at the threshold is drawn at the right of the line, one just below it at the left. */
static void histogram_splits_at_the_threshold(void **state) {
  (void)state;
  for (int k = 0; k < 4; k++) {
    static const double thresholds[] = {1, 0.7, 0, -3.25};
    double threshold = thresholds[k];
    for (int below = 0; below < 2; below++) {
      burl_report *report = new_report("Histogram", 0);
      burl_report_metrics m = metrics_of(1, 0);
      m.threshold = threshold;
      double score = below ? nextafter(threshold, -ENDLESS) : threshold;
      assert_int_equal(add(report, "a", NULL, 0, score), BURL_OK);
      char *page = save_page(report, &m, NULL, 0, NULL);
      assert_int_equal(count(page, "class=\"bar-good\""), 1);
      assert_int_equal(count(page, "class=\"bar-bad\""), 0);
      double bar = number_after(page, "class=\"bar-good\"", " x=\"");
      double line = number_after(page, "class=\"marker\"", " x1=\"");
      assert_true(below ? bar < line : bar > line);
      free(page);
      burl_report_free(report);
    }
  }
}

/* Thresholds that make no sense still give a page. */
static void histogram_holds_any_threshold(void **state) {
  (void)state;
  static const double thresholds[] = {1e308, -1e308, 1e-320, -1e-320, 1e-12, 0, 1e15};
  static const double scores[] = {-1.7e308, 0, 5e-324, 1, 1.7e308};
  for (size_t k = 0; k < sizeof thresholds / sizeof *thresholds; k++) {
    burl_report *report = new_report("Odd", 0);
    burl_report_metrics m = metrics_of(3, 2);
    m.threshold = thresholds[k];
    for (int i = 0; i < 5; i++)
      assert_int_equal(add(report, "a", NULL, i % 2, scores[i]), BURL_OK);
    char *page = save_page(report, &m, NULL, 0, NULL);
    assert_true(count(page, "class=\"bar-good\"") > 0);
    free(page);
    burl_report_free(report);
  }
}

/* Scores far outside stay inside the picture. */
static void histogram_holds_any_score(void **state) {
  (void)state;
  static const double scores[] = {-1e300, -50, 0, 1, 3.99, 4, 1e9, 1e300, 1e-300};
  burl_report *report = new_report("Far", 0);
  burl_report_metrics m = metrics_of(9, 0);
  for (size_t i = 0; i < 9; i++)
    assert_int_equal(add(report, "a", NULL, 0, scores[i]), BURL_OK);
  char *page = save_page(report, &m, NULL, 0, NULL);
  size_t bars = 0;
  for (const char *at = page; (at = strstr(at, "class=\"bar-good\"")); at++, bars++)
    assert_true(number_after(at, "bar-good", " x=\"") >= 50 &&
                number_after(at, "bar-good", " x=\"") + number_after(at, "bar-good", "width=\"") <
                    640);
  assert_int_equal(bars, 4);
  assert_non_null(strstr(page, "The outermost bars also count what lies beyond them."));
  free(page);
  burl_report_free(report);
}

/* A perfect ranking goes up the left side and along the top. */
static void roc_is_drawn_from_scores(void **state) {
  (void)state;
  burl_report *report = new_report("ROC", 0);
  burl_report_metrics m = metrics_of(2, 2);
  assert_int_equal(add(report, "a", NULL, 0, 0.1), BURL_OK);
  assert_int_equal(add(report, "b", NULL, 1, 2.1), BURL_OK);
  assert_int_equal(add(report, "c", NULL, 0, 0.2), BURL_OK);
  assert_int_equal(add(report, "d", NULL, 1, 2.2), BURL_OK);
  burl_curve_point curve[3] = {{ENDLESS, 0, 0, 1, 0}, {1, 0.25, 0.9, 0.5, 0.5}, {0, 1, 1, 0.1, 1}};
  char *page = save_page(report, &m, curve, 3, NULL);
  /* the plot is 50..346 wide and 22..280 high */
  assert_non_null(strstr(page,
                         "<polyline class=\"line-image\" points=\"50.0,280.0 50.0,151.0 "
                         "50.0,22.0 198.0,22.0 346.0,22.0 \"/>"));
  /* overlap is cut at 0.30: 0.5 + 0.5 * 0.05 / 0.75 */
  assert_non_null(strstr(page,
                         "<polyline class=\"line-pixel\" points=\"50.0,280.0 296.7,151.0 "
                         "346.0,142.4 \"/>"));
  assert_int_equal(count(page, "<polyline"), 5);
  free(page);
  burl_report_free(report);
}

static void lines_stay_bounded(void **state) {
  (void)state;
  enum { N = 20000 };
  burl_report *report = new_report("Many", 0);
  burl_report_metrics m = metrics_of(N / 2, N / 2);
  burl_random random = burl_random_start(1, 2);
  for (int i = 0; i < N; i++)
    assert_int_equal(add(report, "a", NULL, i % 2, burl_random_uniform(&random) + i % 2), BURL_OK);
  char *page = save_page(report, &m, NULL, 0, NULL);
  assert_true(strlen(page) < 60000);
  free(page);
  burl_report_free(report);
}

static void names_cannot_break_the_page(void **state) {
  (void)state;
  static const char nasty[] =
      "<img src=x onerror='a()'>&\"</td><script>\x01\x7F\xC2\x85\xFF\xC0\x80"
      "\xED\xA0\x80\xF5 Größe 織物 \xF0\x9F\xA7\xB5 \xE2\x82";
  burl_report *report = new_report(nasty, 4);
  burl_report_metrics m = metrics_of(1, 1);
  char facts[400];
  snprintf(facts, sizeof facts, "%s\t%s\nno tab\n\n\tno name\r\nlast", nasty, nasty);
  assert_int_equal(add(report, nasty, nasty, 0, 0.5), BURL_OK);
  assert_int_equal(add(report, "織物/孔.png", "Größe", 1, 2.5), BURL_OK);
  char *page = save_page(report, &m, NULL, 0, facts);
  assert_non_null(strstr(page, "<bdi>織物/孔.png</bdi>"));
  assert_non_null(
      strstr(page, "<bdi>&lt;img src=x onerror=&#39;a()&#39;&gt;&amp;&quot;&lt;/td&gt;"));
  assert_non_null(strstr(page, "<th scope=\"row\">no tab</th><td></td>"));
  assert_non_null(strstr(page, "<th scope=\"row\"></th><td>no name</td>"));
  assert_non_null(strstr(page, "<th scope=\"row\">last</th><td></td>"));
  free(page);
  burl_report_free(report);
}

static void long_names_are_fine(void **state) {
  (void)state;
  char *name = malloc(3001);
  assert_non_null(name);
  memset(name, '&', 3000);
  name[3000] = '\0';
  burl_report *report = new_report(name, 4);
  burl_report_metrics m = metrics_of(0, 1);
  assert_int_equal(add(report, name, name, 1, 0.5), BURL_OK);
  char *page = save_page(report, &m, NULL, 0, name);
  assert_true(count(page, "&amp;") >= 5 * 3000);
  free(page);
  free(name);
  burl_report_free(report);
}

static int value_of(char c) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const char *at = strchr(letters, c);
  return at ? (int)(at - letters) : 0;
}

/* The first picture after `at`, decoded. */
static burl_image decode_picture(const char *at) {
  static const char mark[] = "base64,";
  at = strstr(at, mark);
  assert_non_null(at);
  at += sizeof mark - 1;
  size_t letters = strcspn(at, "\""), size = letters / 4 * 3;
  while (letters && at[letters - 1] == '=') {
    letters--;
    size--;
  }
  unsigned char *bytes = calloc(size + 4, 1);
  assert_non_null(bytes);
  for (size_t i = 0; i < letters; i++) {
    unsigned bits = (unsigned)value_of(at[i]) << (10 - i * 6 % 8); /* of two bytes */
    bytes[i * 6 / 8] = (unsigned char)(bytes[i * 6 / 8] | bits >> 8);
    bytes[i * 6 / 8 + 1] = (unsigned char)(bytes[i * 6 / 8 + 1] | (bits & 0xFF));
  }
  burl_image image = {0};
  burl_diag diag = {0};
  assert_int_equal(burl_image_decode(&image, bytes, size, "picture", &diag), BURL_OK);
  free(bytes);
  return image;
}

/* The picture of the image and of its mask are what was added. */
static void pictures_are_true(void **state) {
  (void)state;
  sample s = {0};
  fill_sample(&s, 3);
  burl_report *report = new_report("Pictures", 1);
  burl_report_metrics m = metrics_of(0, 1);
  assert_int_equal(add(report, "a", NULL, 1, 3), BURL_OK);
  char *page = save_page(report, &m, NULL, 0, NULL);
  burl_image image = decode_picture(strstr(page, "alt=\"image\""));
  assert_int_equal(image.channels, 1);
  assert_memory_equal(image.data, s.image.data, PIXELS);
  burl_image_free(&image);
  image = decode_picture(strstr(page, "alt=\"mask of the defect\""));
  for (int i = 0; i < PIXELS; i++)
    assert_int_equal(((uint8_t *)image.data)[i], s.mask[i] ? 255 : 0);
  burl_image_free(&image);
  image = decode_picture(strstr(page, "alt=\"heat over the image\""));
  assert_int_equal(image.channels, 3);
  const uint8_t *rgb = image.data, *grey = s.image.data;
  for (int i = 0; i < PIXELS; i++) {
    if (s.mask[i]) /* a stripe of one pixel is all contour */
      assert_true(rgb[3 * i] == 0 || rgb[3 * i] == 255);
    else
      assert_true(rgb[3 * i] == grey[i] && rgb[3 * i + 2] == grey[i]);
  }
  burl_image_free(&image);
  burl_image_free(&s.image);
  free(page);
  burl_report_free(report);
}

static char *page_in_order(size_t step) {
  burl_report *report = new_report("Order", 7);
  burl_report_metrics m = metrics_of(20, 17);
  for (size_t i = 0; i < 37; i++) {
    size_t k = i * step % 37;
    char name[16];
    snprintf(name, sizeof name, "%02zu", k);
    assert_int_equal(add(report, name, k % 3 ? "a" : "b", k % 2, 0.1 * (double)(k * 7 % 23)),
                     BURL_OK);
  }
  char *page = save_page(report, &m, NULL, 0, NULL);
  burl_report_free(report);
  return page;
}

static void order_of_adding_does_not_matter(void **state) {
  (void)state;
  char *one = page_in_order(1), *other = page_in_order(11);
  assert_string_equal(one, other);
  free(one);
  free(other);
}

static void gallery_is_bounded(void **state) {
  (void)state;
  for (size_t gallery = 0; gallery < 5; gallery++) {
    burl_report *report = new_report("Bound", gallery);
    burl_report_metrics m = metrics_of(20, 20);
    for (int i = 0; i < 40; i++)
      assert_int_equal(add(report, "a", NULL, i % 2, 0.1 * i), BURL_OK);
    char *page = save_page(report, &m, NULL, 0, NULL);
    assert_int_equal(count(page, "<figure class=\"shot\""), gallery);
    free(page);
    burl_report_free(report);
  }
}

/* Of what reaches the threshold alone; none where none is known. */
static void kinds_are_told(void **state) {
  (void)state;
  burl_report *report = new_report("Kinds", 8);
  assert_int_equal(add_kind(report, "a", "pick", 1, 2, "weave fault"), BURL_OK);
  assert_int_equal(add_kind(report, "b", "hole", 1, 0.5, "hole"), BURL_OK);
  assert_int_equal(add_kind(report, "c", "nep", 1, 3, ""), BURL_OK);
  assert_int_equal(add(report, "d", "nep", 1, 4), BURL_OK);
  burl_report_metrics m = metrics_of(0, 4);
  char *page = save_page(report, &m, NULL, 0, NULL);
  assert_int_equal(count(page, ", looks like a "), 1);
  assert_int_equal(count(page, ">found</span>, looks like a weave fault</figcaption>"), 1);
  free(page);
  burl_report_free(report);
}

static void bad_input_is_refused(void **state) {
  (void)state;
  burl_report *report = NULL;
  assert_int_equal(burl_report_new(&report, "Huge", SIZE_MAX / 2), BURL_ERR_MEMORY);
  assert_int_equal(burl_report_new(&report, "Huge", SIZE_MAX), BURL_ERR_MEMORY);
  assert_null(report);
  report = new_report("Bad", 3);
  assert_int_equal(add(report, "a", NULL, 0, UNDEFINED), BURL_ERR_NUMERIC);
  assert_int_equal(add(report, "a", NULL, 1, ENDLESS), BURL_ERR_NUMERIC);
  sample s = {0};
  fill_sample(&s, 1);
  s.heat[100] = NAN;
  burl_report_row row = {"a", "good", 0, 1, NULL};
  assert_int_equal(burl_report_add(report, &row, &s.image, s.heat, NULL), BURL_ERR_NUMERIC);
  burl_image_free(&s.image);
  assert_int_equal(report->count, 0);
  burl_report_metrics m = undefined;
  burl_diag diag = {0};
  assert_int_equal(burl_report_save_html(report, &m, NULL, 0, NULL, "/dev/null/r.html", &diag),
                   BURL_ERR_IO);
  assert_string_equal(diag.path, "/dev/null/r.html");
  m.threshold = UNDEFINED;
  unlink(path);
  assert_int_equal(burl_report_save_html(report, &m, NULL, 0, NULL, path, &diag), BURL_ERR_NUMERIC);
  assert_int_equal(access(path, F_OK), -1);
  burl_report_free(report);
  burl_report_free(NULL);
}

static void saving_survives_failing_allocations(void **state) {
  (void)state;
  burl_report *report = new_report("Failing", 3);
  burl_report_metrics m = metrics_of(1, 2);
  assert_int_equal(add(report, "a", "good", 0, 0.5), BURL_OK);
  assert_int_equal(add(report, "b", "hole", 1, 0.7), BURL_OK);
  assert_int_equal(add(report, "c", "hole", 1, 2), BURL_OK);
  char *whole = save_page(report, &m, NULL, 0, NULL);
  for (long i = 0;; i++) {
    unlink(path);
    fail_allocation_after(i);
    burl_status status = burl_report_save_html(report, &m, NULL, 0, NULL, path, NULL);
    stop_failing();
    if (status == BURL_OK) break;
    assert_true(status == BURL_ERR_MEMORY || status == BURL_ERR_IO);
    assert_int_equal(access(path, F_OK), -1);
  }
  char *again = read_page();
  assert_string_equal(again, whole);
  free(again);
  free(whole);
  burl_report_free(report);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(empty_report_says_so),
      cmocka_unit_test(reasons_are_given),
      cmocka_unit_test(counts_are_true),
      cmocka_unit_test(histogram_splits_at_the_threshold),
      cmocka_unit_test(histogram_holds_any_threshold),
      cmocka_unit_test(histogram_holds_any_score),
      cmocka_unit_test(roc_is_drawn_from_scores),
      cmocka_unit_test(lines_stay_bounded),
      cmocka_unit_test(names_cannot_break_the_page),
      cmocka_unit_test(long_names_are_fine),
      cmocka_unit_test(pictures_are_true),
      cmocka_unit_test(order_of_adding_does_not_matter),
      cmocka_unit_test(gallery_is_bounded),
      cmocka_unit_test(kinds_are_told),
      cmocka_unit_test(bad_input_is_refused),
      cmocka_unit_test(saving_survives_failing_allocations),
  };
  return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
