/* burl score: maps and pictures are written by the worker threads as images are scored, the list is
 * collected in the order of the images and written at the end. */
#include "cli_commands.h"
#include "cli_console.h"
#include "cli_explain.h"
#include "cli_paths.h"

#include <burl/model.h>
#include <burl/report.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct score_job {
  const burl_model *model;
  const char *folder;
  char *list; /* path of scores.csv */
  char **stems;
  int raw, pictures;
  cli_explain explain;
  double threshold, typical; /* raw values */
  burl_report_row *rows;
  size_t count, reached;
} score_job;

static const char *const suffixes[] = {".heat.npy", ".heat.png", ".overlay.png"};
enum { HEAT_NPY, HEAT_PNG, OVERLAY, OUTPUT_COUNT };

/* A score at the threshold stays there, whatever the rounding. */
static double raw_value(const score_job *job, double heat) {
  double raw = heat * (job->threshold - job->typical) + job->typical;
  return heat >= 1 && raw < job->threshold ? job->threshold : raw;
}

static burl_status save_npy(const score_job *job, const burl_scored *scored, const char *path,
                            burl_diag *diag) {
  size_t height = scored->image->height, width = scored->image->width;
  if (!job->raw) return burl_heat_save_npy(scored->heat, height, width, path, diag);
  float *raw = malloc(height * width * sizeof *raw); /* fits: the heat map is as large */
  if (!raw) return burl_cli_no_memory(diag);
  for (size_t i = 0; i < height * width; i++)
    raw[i] = (float)raw_value(job, (double)scored->heat[i]);
  burl_status status = burl_heat_save_npy(raw, height, width, path, diag);
  free(raw);
  return status;
}

static burl_status save_output(const score_job *job, const burl_scored *scored, int which,
                               burl_diag *diag) {
  const burl_image *image = scored->image;
  burl_status status = BURL_OK;
  char *path = burl_cli_join(job->folder, job->stems[scored->index], suffixes[which]);
  if (!path) return burl_cli_no_memory(diag);
  if (which == HEAT_NPY)
    status = save_npy(job, scored, path, diag);
  else if (which == HEAT_PNG)
    status = burl_heat_save_png(scored->heat, image->height, image->width, path, diag);
  else
    status = burl_report_save_overlay(image, scored->heat, path, diag);
  free(path);
  return status;
}

static burl_status write_outputs(void *context, const burl_scored *scored, burl_diag *diag) {
  const score_job *job = context;
  burl_status status = BURL_OK;
  for (int i = 0; status == BURL_OK && i < (job->pictures ? OUTPUT_COUNT : HEAT_PNG); i++)
    status = save_output(job, scored, i, diag);
  if (status == BURL_OK)
    status = burl_cli_explain_save(&job->explain, job->model, scored, job->folder,
                                   job->stems[scored->index], job->pictures, diag);
  return status;
}

static burl_status collect_row(void *context, const burl_scored *scored, burl_diag *diag) {
  (void)diag;
  score_job *job = context;
  double score = job->raw ? raw_value(job, scored->score) : scored->score;
  job->rows[job->count++] = (burl_report_row){
      .name = scored->item->name, .score = score, .kind = burl_kind_get_name(scored->kind)};
  job->reached += scored->score >= 1;
  return BURL_OK;
}

/* No output may fall on an image that is read, or on the model. */
static burl_status protect_inputs(const score_job *job, const burl_dataset *dataset,
                                  const char *model, burl_diag *diag) {
  cli_inputs inputs = {0};
  burl_status status = burl_cli_inputs_collect(&inputs, dataset, &model, 1, diag);
  if (status == BURL_OK) status = burl_cli_inputs_protect(&inputs, job->list, diag);
  for (size_t i = 0; status == BURL_OK && i < burl_dataset_get_count(dataset); i++)
    for (size_t k = 0; status == BURL_OK && k < OUTPUT_COUNT + 2 * job->explain.count; k++) {
      size_t e = k - OUTPUT_COUNT;
      char *path = k < OUTPUT_COUNT ? burl_cli_join(job->folder, job->stems[i], suffixes[k])
                                    : burl_cli_explain_path(&job->explain, e / 2, (int)(e % 2),
                                                            job->model, job->folder, job->stems[i]);
      status = burl_cli_inputs_protect_made(&inputs, path, diag);
    }
  burl_cli_inputs_free(&inputs);
  return status;
}

static burl_status prepare(score_job *job, const burl_model *model, const burl_dataset *dataset,
                           const cli_values *values, burl_diag *diag) {
  burl_model_info info;
  job->model = model;
  burl_model_get_info(model, &info);
  job->threshold = info.threshold;
  job->typical = info.typical;
  job->rows = calloc(burl_dataset_get_count(dataset) + 1, sizeof *job->rows);
  job->list = burl_cli_join(job->folder, "scores.csv", "");
  if (!job->rows || !job->list) return burl_cli_no_memory(diag);
  burl_status status =
      burl_cli_explain_new(&job->explain, model, values->option[CLI_EXPLAIN].text, diag);
  if (status == BURL_OK) status = burl_cli_stems_new(&job->stems, dataset, diag);
  if (status == BURL_OK) status = burl_cli_make_folder(job->folder, diag);
  if (status == BURL_OK) status = protect_inputs(job, dataset, values->operands[0], diag);
  return status;
}

static int score(score_job *job, const cli_values *values, cli_console *console,
                 const burl_model *model, const burl_dataset *dataset) {
  burl_observer observer = burl_cli_console_observe(console);
  burl_score_stats stats = {0};
  burl_diag diag = {0};
  int threads = (int)values->option[CLI_THREADS].whole;
  burl_status status = prepare(job, model, dataset, values, &diag);
  burl_score_sink sink = {.context = job,
                          .write = write_outputs,
                          .collect = collect_row,
                          .members = job->explain.members,
                          .member_count = job->explain.count};
  if (status == BURL_OK)
    status = burl_model_score_dataset(model, dataset, (burl_split)0, &sink, threads, &observer,
                                      &stats, &diag);
  if (status == BURL_OK)
    status = burl_report_save_scores(job->rows, job->count, job->raw ? job->threshold : 1,
                                     job->list, &diag);
  if (status != BURL_OK) return burl_cli_fail(console, &diag);
  if (!console->quiet)
    printf("%zu image%s scored, %zu at or above the threshold: %s\n", job->count,
           burl_cli_plural(job->count), job->reached, job->list);
  size_t lost = burl_dataset_get_lost(dataset);
  return burl_cli_count_left_out(console, stats.failed + lost,
                                 burl_dataset_get_count(dataset) + lost);
}

int burl_cli_run_score(const cli_values *values) {
  cli_console console;
  burl_cli_console_start(&console, values->option[CLI_QUIET].given);
  burl_observer observer = burl_cli_console_observe(&console);
  burl_diag diag = {0};
  burl_model *model = NULL;
  burl_dataset *dataset = NULL;
  score_job job = {.folder = values->option[CLI_OUTPUT].text,
                   .raw = values->option[CLI_RAW].given,
                   .pictures = !values->option[CLI_NO_PICTURES].given};
  burl_status status =
      burl_model_load_with(&model, values->operands[0], values->option[CLI_ENCODER].text, &diag);
  if (status == BURL_OK)
    status = burl_dataset_from_paths(&dataset, values->operands + 1, values->operand_count - 1,
                                     &observer, &diag);
  int result = status == BURL_OK ? score(&job, values, &console, model, dataset)
                                 : burl_cli_fail(&console, &diag);
  if (dataset) burl_cli_stems_free(job.stems, burl_dataset_get_count(dataset));
  burl_cli_explain_free(&job.explain);
  free(job.list);
  free(job.rows);
  burl_dataset_free(dataset);
  burl_model_free(model);
  return result;
}
