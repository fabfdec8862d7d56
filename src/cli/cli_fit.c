/* burl fit: options to burl_model_fit, and a summary of what came of it. */
#include "cli_commands.h"
#include "cli_console.h"
#include "cli_paths.h"

#include <burl/model.h>
#include <stdio.h>

enum { SPATIAL_NONE, SPATIAL_GRID }; /* in the order of the option table */
#define GRID_WEIGHT 0.3              /* --spatial grid without --spatial-weight */

static void preset_whole(cli_values *values, cli_id id, uint64_t whole) {
  values->option[id].whole = whole;
  values->option[id].preset = 1;
}

static void preset_real(cli_values *values, cli_id id, double real) {
  values->option[id].real = real;
  values->option[id].preset = 1;
}

void burl_cli_preset_fit(cli_values *values) {
  burl_fit_options options = burl_fit_default_options();
  preset_whole(values, CLI_PROTOTYPES, options.prototypes);
  preset_real(values, CLI_POWER, options.power);
  preset_real(values, CLI_TRIM, options.trim);
  preset_real(values, CLI_SPATIAL_WEIGHT, GRID_WEIGHT);
  preset_real(values, CLI_FALSE_ALARM, options.false_alarm);
  preset_whole(values, CLI_SEED, options.seed);
  values->option[CLI_SPATIAL].choice = options.spatial_weight > 0 ? SPATIAL_GRID : SPATIAL_NONE;
  values->option[CLI_SPATIAL].preset = 1;
}

static burl_fit_options options_from(const cli_values *values) {
  burl_fit_options options = burl_fit_default_options();
  const cli_value *given = values->option;
  options.prototypes = (size_t)given[CLI_PROTOTYPES].whole;
  options.power = given[CLI_POWER].real;
  options.trim = given[CLI_TRIM].real;
  options.spatial_weight =
      given[CLI_SPATIAL].choice == SPATIAL_GRID ? given[CLI_SPATIAL_WEIGHT].real : 0;
  options.false_alarm = given[CLI_FALSE_ALARM].real;
  options.seed = given[CLI_SEED].whole;
  options.threads = (int)given[CLI_THREADS].whole;
  return options;
}

/* The model must be a new file or replace one that this command does not read. */
static burl_status check_output(const char *path, const burl_dataset *dataset, const char *data,
                                burl_diag *diag) {
  cli_inputs inputs = {0};
  burl_status status = burl_cli_check_file(path, diag);
  if (status == BURL_OK) status = burl_cli_inputs_collect(&inputs, dataset, &data, 1, diag);
  if (status == BURL_OK) status = burl_cli_inputs_protect(&inputs, path, diag);
  burl_cli_inputs_free(&inputs);
  return status;
}

static size_t count_training_images(const burl_dataset *dataset) {
  size_t count = 0;
  for (size_t i = 0; i < burl_dataset_get_count(dataset); i++) {
    const burl_item *item = burl_dataset_get_item(dataset, i);
    count += item->split == BURL_SPLIT_TRAIN && !item->defective;
  }
  return count;
}

static void print_summary(const burl_model *model, const char *path, double seconds) {
  burl_model_info info;
  size_t prototypes = 0, groups = 0;
  burl_model_get_info(model, &info);
  for (size_t i = 0; i < info.groups; i++) {
    burl_model_group group;
    burl_model_get_group(model, i, &group);
    prototypes += group.prototypes;
    groups += group.prototypes > 0;
  }
  printf("images      %zu good image%s\n", info.images, burl_cli_plural(info.images));
  printf("prototypes  %zu in %zu bank%s\n", prototypes, groups, burl_cli_plural(groups));
  printf("threshold   %.4g (90 %% interval %.4g to %.4g), from %zu held-out score%s\n",
         info.threshold, info.threshold_low, info.threshold_high, info.calibration_images,
         burl_cli_plural(info.calibration_images));
  printf("false alarm %g of good images may reach the threshold\n", info.options.false_alarm);
  printf("time        %.1f s\n", seconds);
  printf("model       %s\n", path);
}

static int fit(const cli_values *values, cli_console *console, const burl_dataset *dataset) {
  const char *path = values->option[CLI_OUTPUT].text;
  burl_observer observer = burl_cli_console_observe(console);
  burl_fit_options options = options_from(values);
  burl_model *model = NULL;
  burl_diag diag = {0};
  size_t skipped = 0;
  double start = burl_cli_clock();
  burl_status status = burl_model_fit(&model, &skipped, dataset, &options, &observer, &diag);
  if (status == BURL_OK) status = burl_model_save(model, path, &diag);
  if (status == BURL_OK && !console->quiet) print_summary(model, path, burl_cli_clock() - start);
  burl_model_free(model);
  if (status != BURL_OK) return burl_cli_fail(console, &diag);
  size_t lost = burl_dataset_get_lost(dataset);
  return burl_cli_count_left_out(console, skipped + lost, count_training_images(dataset) + lost);
}

int burl_cli_run_fit(const cli_values *values) {
  if (values->option[CLI_SPATIAL_WEIGHT].given &&
      values->option[CLI_SPATIAL].choice != SPATIAL_GRID)
    return burl_cli_misuse("fit", "--spatial-weight goes with --spatial grid");
  cli_console console;
  burl_cli_console_start(&console, values->option[CLI_QUIET].given);
  burl_observer observer = burl_cli_console_observe(&console);
  burl_diag diag = {0};
  burl_dataset *dataset = NULL;
  const char *data = values->operands[0];
  burl_status status = burl_dataset_load(&dataset, data, &observer, &diag);
  if (status == BURL_OK && count_training_images(dataset) == 0)
    status = burl_cli_diagnose(&diag, BURL_ERR_DATA, data,
                               "Put them in train/good, or name them in a CSV list.",
                               "has no good training images to learn from");
  if (status == BURL_OK)
    status = check_output(values->option[CLI_OUTPUT].text, dataset, data, &diag);
  int result = status == BURL_OK ? fit(values, &console, dataset) : burl_cli_fail(&console, &diag);
  burl_dataset_free(dataset);
  return result;
}
