/* burl fit: options to burl_model_fit, and a summary of what came of it. */
#include "cli_commands.h"
#include "cli_console.h"
#include "cli_paths.h"

#include <burl/model_heads.h>
#include <burl/select.h>
#include <stdio.h>
#include <string.h>

static void preset_whole(cli_values *values, cli_id id, uint64_t whole) {
  values->option[id].whole = whole;
  values->option[id].preset = 1;
}

static void preset_real(cli_values *values, cli_id id, double real) {
  values->option[id].real = real;
  values->option[id].preset = 1;
}

static void preset_choice(cli_values *values, cli_id id, size_t choice) {
  values->option[id].choice = choice;
  values->option[id].preset = 1;
}

void burl_cli_preset_fit(cli_values *values) {
  burl_fit_options options = burl_fit_default_options();
  preset_choice(values, CLI_METHOD, options.bank.method);
  preset_whole(values, CLI_PROTOTYPES, options.bank.prototypes);
  preset_real(values, CLI_POWER, options.bank.power);
  preset_real(values, CLI_TRIM, options.bank.trim);
  preset_real(values, CLI_CLEAN, options.bank.clean);
  preset_choice(values, CLI_SPATIAL, BURL_SPATIAL_AUTO);
  preset_real(values, CLI_SPATIAL_WEIGHT, options.bank.spatial_weight);
  preset_real(values, CLI_FALSE_ALARM, options.false_alarm);
  preset_whole(values, CLI_SEED, options.bank.seed);
}

/* "name=value,name=value". What has an option of its own is set by that option. */
static burl_status read_settings(burl_bank_options *options, const char *text, burl_diag *diag) {
  char pair[128];
  while (text && *text) {
    size_t n = strcspn(text, ",");
    char *equals = n < sizeof pair ? memcpy(pair, text, n) : NULL;
    if (equals) pair[n] = '\0', equals = strchr(pair, '=');
    if (!equals)
      return burl_cli_diagnose(diag, BURL_ERR_ARGUMENT, NULL, NULL,
                               "--set takes NAME=VALUE,..., not \"%.100s\"", text);
    *equals = '\0';
    burl_status status = burl_settings_set(options, pair, equals + 1, diag);
    if (status != BURL_OK) return status;
    text += n + (text[n] == ',');
  }
  return BURL_OK;
}

static burl_status options_from(burl_fit_options *options, const cli_values *values,
                                burl_diag *diag) {
  const cli_value *given = values->option;
  *options = burl_fit_default_options();
  options->bank.method = (burl_method)given[CLI_METHOD].choice;
  options->bank.prototypes = (size_t)given[CLI_PROTOTYPES].whole;
  options->bank.power = given[CLI_POWER].real;
  options->bank.trim = given[CLI_TRIM].real;
  options->bank.clean = given[CLI_CLEAN].real;
  options->bank.spatial = (burl_spatial)given[CLI_SPATIAL].choice;
  options->bank.spatial_weight = given[CLI_SPATIAL_WEIGHT].real;
  options->bank.seed = given[CLI_SEED].whole;
  options->false_alarm = given[CLI_FALSE_ALARM].real;
  options->gallery = !given[CLI_NO_GALLERY].given;
  options->heads = !given[CLI_NO_AUTO].given;
  options->threads = (int)given[CLI_THREADS].whole;
  options->encoder = given[CLI_ENCODER].text;
  options->layers = given[CLI_LAYERS].text;
  options->embed_encoder = given[CLI_EMBED_ENCODER].given;
  burl_status status = read_settings(&options->bank, given[CLI_SET].text, diag);
  if (options->bank.method == BURL_METHOD_PRADOT && options->bank.spatial == BURL_SPATIAL_AUTO)
    options->bank.spatial = BURL_SPATIAL_NONE; /* it has positions of its own: nothing to choose */
  return status;
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

/* The kinds that got a head of their own. */
static void print_heads(const burl_model *model, size_t count) {
  for (size_t i = 0; i + 1 < count; i++) {
    burl_model_head head;
    burl_model_get_head(model, i, &head, NULL);
    printf("%s%s", i > 0 ? ", " : "heads       ", burl_kind_get_name(head.kind));
  }
  if (count > 0) printf("\n");
}

static void print_summary(const burl_model *model, const char *choice, const char *path,
                          double seconds) {
  burl_model_info info;
  size_t prototypes = 0, groups = 0;
  burl_model_get_info(model, &info);
  for (size_t i = 0; i < info.groups; i++) {
    burl_model_group group;
    burl_model_get_group(model, i, &group);
    prototypes += group.prototypes + group.local;
    groups += group.prototypes > 0;
    groups += group.local > 0;
  }
  printf("images      %zu good image%s\n", info.images, burl_cli_plural(info.images));
  if (info.aside)
    printf("set aside   %zu image%s that look%s unlike the others\n", info.aside,
           burl_cli_plural(info.aside), info.aside == 1 ? "s" : "");
  for (size_t i = 0; i < info.aside; i++)
    printf("            %s\n", burl_model_get_aside(model, i));
  if (choice[0]) printf("positions   %s\n", choice);
  printf("prototypes  %zu in %zu bank%s\n", prototypes, groups, burl_cli_plural(groups));
  print_heads(model, info.heads);
  printf("threshold   %.4g (90 %% interval %.4g to %.4g), from %zu held-out score%s\n",
         info.threshold, info.threshold_low, info.threshold_high, info.calibration_images,
         burl_cli_plural(info.calibration_images));
  printf("false alarm %g of good images may reach the threshold\n", info.options.false_alarm);
  printf("time        %.1f s\n", seconds);
  printf("model       %s\n", path);
}

/* Where the options leave it open, what positions are is chosen first. */
static burl_status learn(burl_model **model, size_t *skipped, burl_select_report *report,
                         const burl_dataset *dataset, const burl_fit_options *options,
                         const burl_observer *observer, burl_diag *diag) {
  burl_fit_options settled = *options;
  burl_status status = BURL_OK;
  if (options->bank.spatial == BURL_SPATIAL_AUTO)
    status = burl_select_spatial(&settled.bank.spatial, report, dataset, options, observer, diag);
  if (status == BURL_OK) status = burl_model_fit(model, skipped, dataset, &settled, observer, diag);
  if (status == BURL_OK && report->text[0])
    status = burl_model_set_choice(*model, report->text, diag);
  return status;
}

static int fit(const cli_values *values, cli_console *console, const burl_dataset *dataset,
               const burl_fit_options *options) {
  const char *path = values->option[CLI_OUTPUT].text;
  burl_observer observer = burl_cli_console_observe(console);
  burl_select_report report = {0};
  burl_model *model = NULL;
  burl_diag diag = {0};
  size_t skipped = 0;
  double start = burl_cli_clock();
  burl_status status = learn(&model, &skipped, &report, dataset, options, &observer, &diag);
  if (status == BURL_OK) status = burl_model_save(model, path, &diag);
  if (status == BURL_OK && !console->quiet)
    print_summary(model, report.text, path, burl_cli_clock() - start);
  burl_model_free(model);
  if (status != BURL_OK) return burl_cli_fail(console, &diag);
  size_t lost = burl_dataset_get_lost(dataset);
  return burl_cli_count_left_out(console, skipped + lost, burl_cli_count_training(dataset) + lost);
}

int burl_cli_run_fit(const cli_values *values) {
  if (values->option[CLI_SPATIAL_WEIGHT].given &&
      values->option[CLI_SPATIAL].choice == BURL_SPATIAL_NONE)
    return burl_cli_misuse("fit", "--spatial-weight goes with --spatial");
  cli_console console;
  burl_cli_console_start(&console, values->option[CLI_QUIET].given);
  burl_observer observer = burl_cli_console_observe(&console);
  burl_diag diag = {0};
  burl_fit_options options;
  if (options_from(&options, values, &diag) != BURL_OK)
    return burl_cli_misuse("fit", "%s", diag.reason);
  burl_dataset *dataset = NULL;
  const char *data = values->operands[0];
  burl_status status = burl_dataset_load(&dataset, data, &observer, &diag);
  if (status == BURL_OK) status = burl_cli_check_training(dataset, data, &diag);
  if (status == BURL_OK)
    status = check_output(values->option[CLI_OUTPUT].text, dataset, data, &diag);
  if (status == BURL_OK)
    status = burl_cli_protect_weights(options.encoder, values->option[CLI_OUTPUT].text, &diag);
  int result =
      status == BURL_OK ? fit(values, &console, dataset, &options) : burl_cli_fail(&console, &diag);
  burl_dataset_free(dataset);
  return result;
}
