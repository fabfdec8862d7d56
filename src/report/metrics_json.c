/* metrics.json. Key order is the order of insertion, which jansson keeps when it writes. */
#include <burl/report.h>

#include "base/diag.h"
#include "base/file.h"
#include "base/memory.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Twelve digits: far below what any of these figures can tell, and 0.1 stays 0.1. */
#define DIGITS 12
#define VERSION 2 /* of the keys and their meaning: docs/formats.md */

static int put_real(json_t *object, const char *key, double value) {
  return json_object_set_new(object, key, isfinite(value) ? json_real(value) : json_null()) == 0;
}

static int put_count(json_t *object, const char *key, uint64_t value) {
  return json_object_set_new(object, key, json_integer((json_int_t)value)) == 0;
}

/* Also the mean latency of an image in the two stages that a line would wait for. */
static int put_seconds(json_t *object, const char *key, const burl_report_metrics *m) {
  const burl_report_seconds *s = &m->seconds;
  const double n = (double)m->images;
  json_t *inner = json_object();
  int good = inner && put_real(inner, "read", s->read) && put_real(inner, "score", s->score) &&
             put_real(inner, "write", s->write) && put_real(inner, "metrics", s->metrics) &&
             put_real(inner, "total", s->total) && put_real(inner, "read_image", s->read / n) &&
             put_real(inner, "score_image", s->score / n);
  if (good) return json_object_set_new(object, key, inner) == 0;
  json_decref(inner);
  return 0;
}

static int put_pair(json_t *object, const char *key, const burl_interval *interval) {
  int fine = isfinite(interval->low) && isfinite(interval->high);
  json_t *pair = fine ? json_pack("[f,f]", interval->low, interval->high) : json_null();
  return json_object_set_new(object, key, pair) == 0;
}

static int put_intervals(json_t *object, const char *key, const burl_report_metrics *m) {
  if (!(m->level > 0)) return json_object_set_new(object, key, json_null()) == 0;
  json_t *inner = json_object();
  int good = inner && put_real(inner, "level", m->level);
  for (int i = 0; good && i < BURL_MEASURE_COUNT; i++)
    good = put_pair(inner, burl_measure_get_key((burl_measure)i), &m->intervals[i]);
  if (good) return json_object_set_new(object, key, inner) == 0;
  json_decref(inner);
  return 0;
}

/* Names come from folders and need not be UTF-8, which JSON is: then letters beyond ASCII become
 * '?'. */
static int put_text(json_t *object, const char *key, const char *text) {
  json_t *string = json_string(text);
  char *copy = string ? NULL : burl_copy_text(text);
  for (char *c = copy; c && *c; c++)
    if ((unsigned char)*c >= 0x80) *c = '?';
  if (copy) string = json_string(copy);
  free(copy);
  return json_object_set_new(object, key, string) == 0;
}

static int put_class(json_t *array, const burl_class_metrics *class) {
  static const burl_measure measures[] = {BURL_MEASURE_IMAGE_AUROC, BURL_MEASURE_DETECTION,
                                          BURL_MEASURE_PIXEL_AUROC, BURL_MEASURE_AUPRO_030,
                                          BURL_MEASURE_AUPRO_005};
  json_t *object = json_object(), *intervals = json_object();
  int good = object && intervals && put_text(object, "label", class->label) &&
             put_count(object, "images", class->images);
  for (size_t i = 0; good && i < sizeof measures / sizeof *measures; i++) {
    const char *key = burl_measure_get_key(measures[i]);
    good = put_real(object, key, class->values[measures[i]]) &&
           put_pair(intervals, key, &class->intervals[measures[i]]);
  }
  good = good && json_object_set(object, "intervals", intervals) == 0 &&
         json_array_append(array, object) == 0;
  json_decref(intervals);
  json_decref(object);
  return good;
}

static int put_classes(json_t *object, const char *key, const burl_report_metrics *m) {
  json_t *array = json_array();
  int good = array != NULL;
  for (size_t i = 0; good && i < m->class_count; i++)
    good = put_class(array, &m->classes[i]);
  if (good) return json_object_set_new(object, key, array) == 0;
  json_decref(array);
  return 0;
}

static int put_all(json_t *object, const burl_report_metrics *m) {
  return put_count(object, "version", VERSION) && put_real(object, "image_auroc", m->image.auroc) &&
         put_real(object, "image_ap", m->image.ap) &&
         put_real(object, "image_f1_max", m->image.f1_max) &&
         put_real(object, "pixel_auroc", m->pixel.ranking.auroc) &&
         put_real(object, "pixel_ap", m->pixel.ranking.ap) &&
         put_real(object, "pixel_f1_max", m->pixel.ranking.f1_max) &&
         put_real(object, "aupro_0.30", m->pixel.aupro_030) &&
         put_real(object, "aupro_0.05", m->pixel.aupro_005) &&
         put_real(object, "aupro", m->pixel.aupro) &&
         put_real(object, "pro_limit", m->pixel.pro_limit) &&
         put_real(object, "aupimo", m->pixel.aupimo) &&
         put_real(object, "auspro_0.05", m->pixel.auspro_005) &&
         put_real(object, "auspro_0.30", m->pixel.auspro_030) &&
         put_real(object, "box_ap50", m->boxes.ap50) && put_real(object, "box_ap", m->boxes.ap) &&
         put_real(object, "box_recall_100", m->boxes.recall_100) &&
         put_real(object, "mask_dice", m->boxes.mask_dice) &&
         put_count(object, "images", m->images) &&
         put_count(object, "defect_images", m->defect_images) &&
         put_count(object, "skipped_images", m->skipped_images) &&
         put_count(object, "pixels", m->pixel.pixels) &&
         put_real(object, "threshold", m->threshold) &&
         put_real(object, "false_alarm_rate", m->false_alarm_rate) &&
         put_real(object, "detection_rate", m->detection_rate) &&
         put_intervals(object, "intervals", m) && put_classes(object, "classes", m) &&
         put_seconds(object, "seconds", m);
}

burl_status burl_report_save_metrics(const burl_report_metrics *metrics, const char *path,
                                     burl_diag *diag) {
  json_t *object = json_object();
  char *text = NULL;
  if (object && put_all(object, metrics))
    text = json_dumps(object, JSON_INDENT(2) | JSON_REAL_PRECISION(DIGITS));
  json_decref(object);
  if (!text) return burl_fail_memory(diag, path);
  burl_output out;
  burl_status status = burl_output_open(&out, path, diag);
  if (status == BURL_OK) {
    fwrite(text, 1, strlen(text), out.stream);
    fputc('\n', out.stream);
    status = burl_output_commit(&out, diag);
  }
  free(text);
  return status;
}
