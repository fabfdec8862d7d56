/* burl eval: the test images go by once. Masks are read by the worker threads (an image whose mask
 * cannot be used is left out like one that cannot be read); metrics and report take the images up
 * in their order. */
#include "cli_commands.h"
#include "cli_console.h"
#include "cli_eval_boxes.h"
#include "cli_eval_regions.h"
#include "cli_eval_table.h"
#include "cli_explain.h"
#include "cli_paths.h"

#include <burl/evaluate_saturation.h>
#include <burl/model.h>
#include <burl/report.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define GALLERY 24 /* pictures in the report */
#define CURVE_POINTS 200
#define LEVEL 0.95           /* of the intervals */
#define CLASS_REPLICATES 500 /* for the intervals of one class */

enum { METRICS, IMAGES, CURVE, REGIONS, EVIDENCE, REPORT, OUTPUT_COUNT };
static const char *const output_names[] = {"metrics.json", "images.csv",           "pixels.roc.csv",
                                           "regions.csv",  "evidence.safetensors", "report.html"};

typedef struct eval_job {
  char *outputs[OUTPUT_COUNT];
  int mask_threshold;
  uint8_t **masks; /* of each item, between its two callbacks */
  burl_pixel_evaluator *pixels;
  burl_saturations *saturations; /* NULL without a defects_config.json */
  burl_evidence *evidence;
  burl_report *report;
  burl_report_row *rows;
  float *scores;
  uint8_t *labels;
  size_t *items; /* of the data set, as they were added to the report */
  cli_regions regions;
  cli_boxes boxes;
  cli_gallery gallery;
  size_t count, defects, false_alarms;
  size_t with_truth,
      without_mask; /* images whose truth is known, and defective ones without a mask */
  burl_report_metrics metrics;
  burl_class_metrics *classes;
  burl_curve_point curve[CURVE_POINTS];
} eval_job;

void burl_cli_preset_eval(cli_values *values) {
  values->option[CLI_MASK_THRESHOLD].whole = 128;
  values->option[CLI_MASK_THRESHOLD].preset = 1;
  values->option[CLI_PRO_LIMIT].real = 0.3;
  values->option[CLI_PRO_LIMIT].preset = 1;
  values->option[CLI_FORMAT].preset = 1; /* text */
}

/* Masks of data with a defects_config.json say by their values which defect a pixel is of. */
static burl_status load_values(const eval_job *job, const burl_scored *scored, uint8_t *values,
                               const uint8_t *mask, burl_diag *diag) {
  size_t n = scored->image->height * scored->image->width;
  burl_status status = burl_item_load_mask_values(scored->item, values, scored->image->height,
                                                  scored->image->width, diag);
  if (status != BURL_OK) return status;
  for (size_t i = 0; i < n; i++) {
    if (!mask[i]) values[i] = 0;
    if (values[i] && burl_saturations_get(job->saturations, values[i], 1) == 0)
      return burl_cli_diagnose(
          diag, BURL_ERR_DATA, scored->item->mask, "Correct the mask or defects_config.json.",
          "has the value %d, which defects_config.json does not name", (int)values[i]);
  }
  return BURL_OK;
}

static burl_status check_values(const eval_job *job, const burl_scored *scored, const uint8_t *mask,
                                burl_diag *diag) {
  if (!job->saturations || !scored->item->defective) return BURL_OK;
  uint8_t *values = malloc(scored->image->height * scored->image->width);
  if (!values) return burl_cli_no_memory(diag);
  burl_status status = load_values(job, scored, values, mask, diag);
  free(values);
  return status;
}

/* A worker thread's part: the mask. Good images are known to be free of defects. */
static burl_status read_mask(void *context, const burl_scored *scored, burl_diag *diag) {
  const eval_job *job = context;
  const burl_image *image = scored->image;
  if (scored->item->defective && !scored->item->mask) return BURL_OK;
  uint8_t *mask = malloc(image->height * image->width); /* fits: the heat map is larger */
  if (!mask) return burl_cli_no_memory(diag);
  burl_status status = burl_item_load_mask(scored->item, mask, image->height, image->width,
                                           job->mask_threshold, diag);
  if (status == BURL_OK) status = check_values(job, scored, mask, diag);
  if (status != BURL_OK) {
    free(mask);
    return status;
  }
  job->masks[scored->index] = mask;
  return BURL_OK;
}

static burl_status add_evidence(eval_job *job, const burl_scored *scored, int with_truth) {
  burl_evidence_image image = {.name = scored->item->name,
                               .label = scored->item->label,
                               .group = scored->item->source,
                               .score = (float)scored->score,
                               .defective = scored->item->defective,
                               .with_truth = with_truth};
  return burl_evidence_add(job->evidence, &image);
}

static burl_status add_saturated(eval_job *job, const burl_scored *scored, const uint8_t *mask,
                                 burl_diag *diag) {
  const burl_image *image = scored->image;
  int value;
  uint8_t *values = malloc(image->height * image->width);
  if (!values) return burl_cli_no_memory(diag);
  burl_status status = load_values(job, scored, values, mask, diag);
  if (status == BURL_OK)
    status =
        burl_cli_explain_status(diag,
                                burl_saturations_add(job->saturations, job->pixels, scored->heat,
                                                     values, image->height, image->width, &value),
                                scored->item->path);
  free(values);
  return status;
}

static burl_status add_pixels(eval_job *job, const burl_scored *scored, const uint8_t *mask,
                              burl_diag *diag) {
  const burl_image *image = scored->image;
  if (job->saturations && scored->item->defective) return add_saturated(job, scored, mask, diag);
  return burl_cli_explain_status(
      diag, burl_pixel_evaluator_add(job->pixels, scored->heat, mask, image->height, image->width),
      scored->item->path);
}

static burl_status add_image(eval_job *job, const burl_scored *scored, const uint8_t *mask,
                             burl_diag *diag) {
  const burl_image *image = scored->image;
  const burl_item *item = scored->item;
  burl_report_row row = {.name = item->name,
                         .label = item->label,
                         .defective = item->defective,
                         .score = scored->score,
                         .kind = burl_kind_get_name(scored->kind)};
  burl_status status = BURL_OK;
  double start = burl_cli_clock();
  if (mask) status = add_pixels(job, scored, mask, diag);
  if (status != BURL_OK) return status;
  if (status == BURL_OK && mask && item->defective)
    status = burl_cli_regions_add(&job->regions, item, scored->heat, mask, image->height,
                                  image->width, 1);
  if (status == BURL_OK)
    status = burl_cli_boxes_add(&job->boxes, item, scored->heat, mask, image->height, image->width);
  double middle = burl_cli_clock();
  if (status == BURL_OK) status = burl_report_add(job->report, &row, image, scored->heat, mask);
  job->metrics.seconds.metrics += middle - start;
  job->metrics.seconds.write += burl_cli_clock() - middle;
  if (status == BURL_OK) status = add_evidence(job, scored, mask != NULL);
  if (status != BURL_OK) return burl_cli_explain_status(diag, status, item->path);
  job->rows[job->count] = row;
  job->items[job->count] = scored->index;
  job->scores[job->count] = (float)scored->score;
  job->labels[job->count] = item->defective != 0;
  job->count++;
  job->defects += item->defective != 0;
  job->false_alarms += !item->defective && scored->score >= 1;
  job->with_truth += mask != NULL;
  job->without_mask += mask == NULL;
  return BURL_OK;
}

static burl_status collect_image(void *context, const burl_scored *scored, burl_diag *diag) {
  eval_job *job = context;
  uint8_t *mask = job->masks[scored->index];
  job->masks[scored->index] = NULL;
  burl_status status = add_image(job, scored, mask, diag);
  free(mask);
  return status;
}

static size_t count_test_images(const burl_dataset *dataset) {
  size_t count = 0;
  for (size_t i = 0; i < burl_dataset_get_count(dataset); i++)
    count += burl_dataset_get_item(dataset, i)->split == BURL_SPLIT_TEST;
  return count;
}

static burl_status check_outputs(eval_job *job, const cli_values *values,
                                 const burl_dataset *dataset, burl_diag *diag) {
  const char *folder = values->option[CLI_OUTPUT].text;
  const char *files[] = {values->operands[0], values->operands[1], values->option[CLI_BOXES].text};
  cli_inputs inputs = {0};
  burl_status status = burl_cli_make_folder(folder, diag);
  if (status == BURL_OK)
    status = burl_cli_inputs_collect(&inputs, dataset, files, files[2] ? 3 : 2, diag);
  for (int i = 0; status == BURL_OK && i < OUTPUT_COUNT; i++) {
    job->outputs[i] = burl_cli_join(folder, output_names[i], "");
    status = job->outputs[i] ? burl_cli_inputs_protect(&inputs, job->outputs[i], diag)
                             : burl_cli_no_memory(diag);
    if (status == BURL_OK) status = burl_cli_check_file(job->outputs[i], diag);
  }
  burl_cli_inputs_free(&inputs);
  return status;
}

static burl_status prepare(eval_job *job, const cli_values *values, const burl_dataset *dataset,
                           burl_diag *diag) {
  size_t count = burl_dataset_get_count(dataset);
  if (count_test_images(dataset) == 0)
    return burl_cli_diagnose(diag, BURL_ERR_DATA, values->operands[1],
                             "Put them in test/good and test/CLASS, or name them in a CSV list.",
                             "has no test images to evaluate on");
  job->masks = calloc(count, sizeof *job->masks);
  job->rows = calloc(count, sizeof *job->rows);
  job->scores = calloc(count, sizeof *job->scores);
  job->labels = calloc(count, sizeof *job->labels);
  job->items = calloc(count, sizeof *job->items);
  if (!job->masks || !job->rows || !job->scores || !job->labels || !job->items)
    return burl_cli_no_memory(diag);
  burl_status status = burl_pixel_evaluator_new(&job->pixels);
  if (status == BURL_OK)
    status = burl_pixel_evaluator_set_limit(job->pixels, values->option[CLI_PRO_LIMIT].real);
  if (status == BURL_OK) status = burl_evidence_new(&job->evidence, 1);
  if (status == BURL_OK) status = burl_report_new(&job->report, values->operands[1], GALLERY);
  if (status != BURL_OK) return burl_cli_explain_status(diag, status, NULL);
  status = burl_cli_boxes_open(&job->boxes, values->option[CLI_BOXES].text, diag);
  if (status != BURL_OK) return status;
  return check_outputs(job, values, dataset, diag);
}

static burl_status measure_pixels(eval_job *job) {
  const double nan = (double)NAN;
  burl_report_metrics *metrics = &job->metrics;
  metrics->pixel = (burl_pixel_metrics){.ranking = {nan, nan, nan, nan},
                                        .aupro_030 = nan,
                                        .aupro_005 = nan,
                                        .pro_limit = nan,
                                        .aupro = nan,
                                        .aupimo = nan,
                                        .auspro_030 = nan,
                                        .auspro_005 = nan,
                                        .auspro = nan};
  if (job->with_truth == 0) return burl_evidence_finish(job->evidence, NULL, NULL);
  burl_status status =
      burl_pixel_evaluator_compute(job->pixels, &metrics->pixel, job->curve, CURVE_POINTS);
  if (status != BURL_OK) return status;
  return burl_evidence_finish(job->evidence, job->pixels, &metrics->pixel);
}

static burl_status compute_metrics(eval_job *job, int threads, burl_diag *diag) {
  burl_report_metrics *metrics = &job->metrics;
  double start = burl_cli_clock();
  metrics->images = job->count;
  metrics->defect_images = job->defects;
  metrics->threshold = 1;
  burl_status status = burl_evaluate_ranking(&metrics->image, job->scores, job->labels, job->count);
  if (status == BURL_OK) status = measure_pixels(job);
  if (status == BURL_OK) status = burl_box_evaluator_compute(job->boxes.evaluator, &metrics->boxes);
  burl_resampling options = {.level = LEVEL, .threads = threads};
  if (status == BURL_OK)
    status = burl_evidence_intervals(job->evidence, metrics->intervals, &options);
  options.replicates = CLASS_REPLICATES;
  if (status == BURL_OK)
    status = burl_evidence_classes(job->evidence, job->pixels, &job->classes, &metrics->class_count,
                                   &options);
  metrics->classes = job->classes;
  metrics->level = LEVEL;
  metrics->false_alarm_rate = burl_evidence_get_value(job->evidence, BURL_MEASURE_FALSE_ALARM);
  metrics->detection_rate = burl_evidence_get_value(job->evidence, BURL_MEASURE_DETECTION);
  metrics->seconds.metrics += burl_cli_clock() - start;
  return burl_cli_explain_status(diag, status, NULL);
}

/* A name for one line of text: control characters become '?'. */
static void copy_name(char *out, size_t size, const char *name) {
  snprintf(out, size, "%s", name);
  for (char *c = out; *c; c++)
    if ((unsigned char)*c < 0x20 || *c == 0x7F) *c = '?';
}

/* "name<TAB>value" lines for the report. */
static void describe(char *facts, size_t size, const burl_model *model, const cli_values *values) {
  burl_model_info info;
  char model_name[1024], data_name[1024];
  burl_model_get_info(model, &info);
  copy_name(model_name, sizeof model_name, values->operands[0]);
  copy_name(data_name, sizeof data_name, values->operands[1]);
  const char *method = burl_method_get_name(info.options.bank.method);
  const char *spatial = burl_spatial_get_name(info.options.bank.spatial);
  snprintf(facts, size,
           "model\t%s\ndata\t%s\nburl\t%s\nencoder\t%s\nfitted on\t%zu good images\n"
           "method\t%s\nprototypes\t%zu in each bank\nspatial\t%s\n"
           "false alarm rate asked for\t%g\nthreshold\t%.6g (90 %% interval %.6g to %.6g), from "
           "%zu held-out scores\nseed\t%" PRIu64 "\nmask threshold\t%" PRIu64 "\n",
           model_name, data_name, burl_version(), info.encoder, info.images, method,
           info.options.bank.prototypes, spatial, info.options.false_alarm, info.threshold,
           info.threshold_low, info.threshold_high, info.calibration_images, info.options.bank.seed,
           values->option[CLI_MASK_THRESHOLD].whole);
}

/* metrics.json comes last, so that its seconds hold everything. */
static burl_status save_outputs(eval_job *job, const char *facts, double start, burl_diag *diag) {
  burl_report_seconds *seconds = &job->metrics.seconds;
  double before = burl_cli_clock(), written = seconds->write;
  burl_status status = burl_report_save_images(job->rows, job->count, job->metrics.threshold,
                                               job->outputs[IMAGES], diag);
  if (status == BURL_OK)
    status = burl_report_save_curve(job->curve, job->with_truth ? CURVE_POINTS : 0,
                                    job->outputs[CURVE], diag);
  if (status == BURL_OK)
    status = burl_report_save_regions(job->regions.rows, job->regions.count, job->outputs[REGIONS],
                                      diag);
  if (status == BURL_OK) status = burl_evidence_save(job->evidence, job->outputs[EVIDENCE], diag);
  seconds->total = burl_cli_clock() - start;
  seconds->write = written + burl_cli_clock() - before;
  if (status == BURL_OK)
    status = burl_report_save_html(job->report, &job->metrics, job->with_truth ? job->curve : NULL,
                                   job->with_truth ? CURVE_POINTS : 0, facts, job->outputs[REPORT],
                                   diag);
  seconds->total = burl_cli_clock() - start;
  seconds->write = written + burl_cli_clock() - before;
  if (status == BURL_OK)
    status = burl_report_save_metrics(&job->metrics, job->outputs[METRICS], diag);
  return status;
}

static void print_table(const eval_job *job, int markdown) {
  size_t good = job->count - job->defects;
  if (!markdown) printf("%-18s%zu good, %zu with defects\n", "images", good, job->defects);
  burl_cli_print_measures(&job->metrics, job->evidence, markdown);
  if (markdown) return;
  printf("%-18s%zu of %zu good images at or above the threshold\n", "false alarms",
         job->false_alarms, good);
  printf("%-18s%s\n", "report", job->outputs[REPORT]);
}

static void take_stats(eval_job *job, const burl_score_stats *stats) {
  job->metrics.skipped_images = stats->failed;
  job->metrics.seconds.read = stats->read_seconds + stats->write_seconds; /* images and masks */
  job->metrics.seconds.score = stats->score_seconds;
}

/* What the model knows, and what the hottest patches of the pictures were compared with. */
static burl_status explain_pictures(eval_job *job, const cli_values *values,
                                    const burl_model *model, const burl_dataset *dataset,
                                    burl_diag *diag) {
  double start = burl_cli_clock();
  burl_status status = burl_cli_gallery_new(&job->gallery, model, diag);
  if (status != BURL_OK) return status;
  burl_report_set_prototypes(job->report, &job->gallery.prototypes);
  status =
      burl_cli_explain_shown(job->report, GALLERY, job->metrics.threshold, model, &job->gallery,
                             dataset, job->items, (int)values->option[CLI_THREADS].whole, diag);
  job->metrics.seconds.write += burl_cli_clock() - start;
  return status;
}

/* Why some figures are missing. */
static void print_notes(const eval_job *job, cli_console *console) {
  if (job->without_mask > 0)
    burl_cli_note(console,
                  "%zu image%s with defects but without a mask: left out of the pixel "
                  "metrics",
                  job->without_mask, burl_cli_plural(job->without_mask));
  if (job->defects == 0)
    burl_cli_note(console,
                  "no test image has a defect: the false alarm rate alone can be measured");
  if (job->defects == job->count)
    burl_cli_note(console, "no test image is good: what compares with good images is not defined");
}

/* The rules of MVTec LOCO lie beside train and test. */
static burl_status load_saturations(eval_job *job, const cli_values *values, burl_diag *diag) {
  char *path = burl_cli_join(values->operands[1], "defects_config.json", "");
  if (!path) return burl_cli_no_memory(diag);
  burl_status status = BURL_OK;
  if (burl_cli_exists(path)) status = burl_saturations_load(&job->saturations, path, diag);
  free(path);
  return status;
}

static int evaluate(eval_job *job, const cli_values *values, cli_console *console,
                    const burl_model *model, const burl_dataset *dataset) {
  double start = burl_cli_clock();
  char facts[4096];
  burl_observer observer = burl_cli_console_observe(console);
  burl_score_sink sink = {.context = job, .write = read_mask, .collect = collect_image};
  burl_score_stats stats = {0};
  burl_diag diag = {0};
  burl_status status = load_saturations(job, values, &diag);
  if (status == BURL_OK) status = prepare(job, values, dataset, &diag);
  if (status == BURL_OK)
    status =
        burl_model_score_dataset(model, dataset, BURL_SPLIT_TEST, &sink,
                                 (int)values->option[CLI_THREADS].whole, &observer, &stats, &diag);
  take_stats(job, &stats);
  if (status == BURL_OK && job->count == 0)
    status = burl_cli_diagnose(&diag, BURL_ERR_DATA, values->operands[1], NULL,
                               "has no test image that could be used");
  if (status == BURL_OK)
    status = compute_metrics(job, (int)values->option[CLI_THREADS].whole, &diag);
  if (status == BURL_OK) status = explain_pictures(job, values, model, dataset, &diag);
  describe(facts, sizeof facts, model, values);
  if (status == BURL_OK) status = save_outputs(job, facts, start, &diag);
  if (status != BURL_OK) return burl_cli_fail(console, &diag);
  print_notes(job, console);
  print_table(job, values->option[CLI_FORMAT].choice == 1);
  size_t lost = burl_dataset_get_lost(dataset);
  return burl_cli_count_left_out(console, stats.failed + lost, count_test_images(dataset) + lost);
}

static void free_job(eval_job *job, size_t items) {
  for (size_t i = 0; job->masks && i < items; i++)
    free(job->masks[i]);
  for (int i = 0; i < OUTPUT_COUNT; i++)
    free(job->outputs[i]);
  free(job->classes);
  free(job->masks);
  free(job->rows);
  free(job->scores);
  free(job->labels);
  free(job->items);
  burl_pixel_evaluator_free(job->pixels);
  burl_evidence_free(job->evidence);
  burl_saturations_free(job->saturations);
  burl_report_free(job->report);
  burl_cli_regions_free(&job->regions);
  burl_cli_boxes_close(&job->boxes);
  burl_cli_gallery_free(&job->gallery);
}

int burl_cli_run_eval(const cli_values *values) {
  cli_console console;
  burl_cli_console_start(&console, values->option[CLI_QUIET].given);
  burl_observer observer = burl_cli_console_observe(&console);
  burl_diag diag = {0};
  burl_model *model = NULL;
  burl_dataset *dataset = NULL;
  eval_job job = {.mask_threshold = (int)values->option[CLI_MASK_THRESHOLD].whole};
  burl_status status =
      burl_model_load_with(&model, values->operands[0], values->option[CLI_ENCODER].text, &diag);
  if (status == BURL_OK)
    status = burl_dataset_load(&dataset, values->operands[1], &observer, &diag);
  int result = status == BURL_OK ? evaluate(&job, values, &console, model, dataset)
                                 : burl_cli_fail(&console, &diag);
  free_job(&job, dataset ? burl_dataset_get_count(dataset) : 0);
  burl_dataset_free(dataset);
  burl_model_free(model);
  return result;
}
