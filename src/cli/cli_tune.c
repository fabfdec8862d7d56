/* burl tune: what a fit would match its heads to, on the good images alone; a table, a picture and
 * the model. */
#include "cli_commands.h"
#include "cli_console.h"
#include "cli_paths.h"

#include <burl/model_heads.h>
#include <burl/report_heads.h>
#include <stdio.h>
#include <stdlib.h>

enum { MODEL, TABLE, PICTURE, OUTPUT_COUNT };
static const char *const outputs[OUTPUT_COUNT] = {"tune.burl", "tune.csv", "tune.svg"};

/* The heads of a model as rows; the one of equal weights has none. */
typedef struct rows {
  burl_report_head *head; /* (count) */
  size_t count, groups;
  double *weights;    /* (count, groups) */
  const char **group; /* (groups) */
} rows;

static void free_rows(rows *self) {
  free(self->head);
  free(self->weights);
  free(self->group);
}

static burl_status make_rows(rows *self, const burl_model *model, burl_diag *diag) {
  burl_model_info info;
  burl_model_get_info(model, &info);
  size_t all = info.heads + info.dropped_heads;
  *self = (rows){.groups = info.groups};
  self->head = calloc(all + 1, sizeof *self->head);
  self->weights = calloc((all + 1) * info.groups, sizeof *self->weights);
  self->group = calloc(info.groups + 1, sizeof *self->group);
  if (!self->head || !self->weights || !self->group) return burl_cli_no_memory(diag);
  for (size_t g = 0; g < info.groups; g++) {
    burl_model_group group;
    burl_model_get_group(model, g, &group);
    self->group[g] = group.name;
  }
  for (size_t i = 0; i < all; i++) {
    burl_model_head head;
    double *weights = self->weights + self->count * info.groups;
    burl_model_get_head(model, i, &head, weights);
    if (head.kind == BURL_KIND_NONE) continue;
    self->head[self->count++] = (burl_report_head){.kind = burl_kind_get_name(head.kind),
                                                   .kept = i < info.heads,
                                                   .sigma = head.sigma,
                                                   .equal_ap = head.equal_ap,
                                                   .ap = head.ap,
                                                   .weights = weights};
  }
  return BURL_OK;
}

static void print_rows(const rows *self) {
  printf("kind         smoothing  equal weights  matched          weights %%\n");
  for (size_t i = 0; i < self->count; i++) {
    const burl_report_head *head = &self->head[i];
    printf("%-11s  %6.0f px  %13.3f  %7.3f  %-7s ", head->kind, head->sigma, head->equal_ap,
           head->ap, head->kept ? "kept" : "dropped");
    for (size_t g = 0; g < self->groups; g++)
      if (head->weights[g] > 0.0) printf(" %s %.0f", self->group[g], 100.0 * head->weights[g]);
    printf("\n");
  }
}

static burl_status write_output(const burl_model *model, const rows *self, int which,
                                const char *path, burl_diag *diag) {
  if (which == MODEL) return burl_model_save(model, path, diag);
  if (which == TABLE)
    return burl_report_save_heads_csv(self->head, self->count, self->group, self->groups, path,
                                      diag);
  return burl_report_save_heads_svg(self->head, self->count, self->group, self->groups, path, diag);
}

/* No output may fall on what is read. */
static burl_status protect(char *paths[OUTPUT_COUNT], const burl_dataset *dataset, const char *data,
                           const char *encoder, burl_diag *diag) {
  cli_inputs inputs = {0};
  burl_status status = burl_cli_inputs_collect(&inputs, dataset, &data, 1, diag);
  for (int i = 0; i < OUTPUT_COUNT && status == BURL_OK; i++) {
    status = burl_cli_inputs_protect(&inputs, paths[i], diag);
    if (status == BURL_OK) status = burl_cli_protect_weights(encoder, paths[i], diag);
  }
  burl_cli_inputs_free(&inputs);
  return status;
}

static burl_status tune(const cli_values *values, cli_console *console, const burl_dataset *dataset,
                        char *paths[OUTPUT_COUNT], burl_diag *diag) {
  const cli_value *given = values->option;
  burl_observer observer = burl_cli_console_observe(console);
  burl_fit_options options = burl_fit_default_options();
  burl_model *model = NULL;
  rows found = {0};
  options.encoder = given[CLI_ENCODER].text;
  options.layers = given[CLI_LAYERS].text;
  options.bank.seed = given[CLI_SEED].whole;
  options.threads = (int)given[CLI_THREADS].whole;
  burl_status status = burl_model_fit(&model, NULL, dataset, &options, &observer, diag);
  if (status == BURL_OK) status = make_rows(&found, model, diag);
  if (status == BURL_OK && found.count == 0)
    status = burl_cli_diagnose(diag, BURL_ERR_DATA, values->operands[0],
                               "Give more good images; `burl fit` learns from fewer.",
                               "holds too few good images to match heads: 16 are needed that can "
                               "be used and look like the others");
  if (status == BURL_OK) status = burl_cli_make_folder(given[CLI_OUTPUT].text, diag);
  for (int i = 0; i < OUTPUT_COUNT && status == BURL_OK; i++)
    status = write_output(model, &found, i, paths[i], diag);
  if (status == BURL_OK && !console->quiet) {
    print_rows(&found);
    printf("written      %s, tune.csv, tune.svg\n", paths[MODEL]);
  }
  free_rows(&found);
  burl_model_free(model);
  return status;
}

void burl_cli_preset_tune(cli_values *values) {
  values->option[CLI_SEED].whole = burl_fit_default_options().bank.seed;
  values->option[CLI_SEED].preset = 1;
}

int burl_cli_run_tune(const cli_values *values) {
  const cli_value *given = values->option;
  const char *data = values->operands[0];
  char *paths[OUTPUT_COUNT] = {0};
  cli_console console;
  burl_cli_console_start(&console, given[CLI_QUIET].given);
  burl_observer observer = burl_cli_console_observe(&console);
  burl_dataset *dataset = NULL;
  burl_diag diag = {0};
  burl_status status = burl_dataset_load(&dataset, data, &observer, &diag);
  if (status == BURL_OK) status = burl_cli_check_training(dataset, data, &diag);
  for (int i = 0; i < OUTPUT_COUNT && status == BURL_OK; i++)
    if (!(paths[i] = burl_cli_join(given[CLI_OUTPUT].text, outputs[i], "")))
      status = burl_cli_no_memory(&diag);
  if (status == BURL_OK) status = protect(paths, dataset, data, given[CLI_ENCODER].text, &diag);
  if (status == BURL_OK) status = tune(values, &console, dataset, paths, &diag);
  for (int i = 0; i < OUTPUT_COUNT; i++)
    free(paths[i]);
  burl_dataset_free(dataset);
  return status == BURL_OK ? CLI_DONE : burl_cli_fail(&console, &diag);
}
