/* burl update: new good images into a model, which is replaced whole or not at all. */
#include "cli_commands.h"
#include "cli_console.h"
#include "cli_paths.h"

#include <burl/model.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

typedef struct update_command {
  const char *model, *output;
  const char *const *images;
  size_t count;
  burl_update_options options;
} update_command;

static int is_folder(const char *path) {
  struct stat st;
  return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int is_list(const char *path) {
  const char *dot = strrchr(path, '.');
  return dot && strcmp(dot, ".csv") == 0;
}

/* Among several names a data set would count with all its images, the defective ones too. */
static burl_status refuse_data_sets(const update_command *self, burl_diag *diag) {
  for (size_t i = 0; i < self->count; i++) {
    const char *path = self->images[i];
    burl_dataset *dataset = NULL;
    burl_layout layout = is_list(path) ? BURL_LAYOUT_LIST : BURL_LAYOUT_FOLDER;
    if (is_folder(path) && burl_dataset_load(&dataset, path, NULL, NULL) == BURL_OK)
      layout = burl_dataset_get_layout(dataset);
    burl_dataset_free(dataset);
    if (layout != BURL_LAYOUT_FOLDER)
      return burl_cli_diagnose(diag, BURL_ERR_ARGUMENT, path,
                               "Name it alone, or the folder of its good images.",
                               "is a data set with images of other kinds, among other names");
  }
  return BURL_OK;
}

static size_t count_new(const burl_dataset *dataset, burl_split split) {
  size_t count = 0;
  for (size_t i = 0; i < burl_dataset_get_count(dataset); i++) {
    const burl_item *item = burl_dataset_get_item(dataset, i);
    count += item->split == split && !item->defective;
  }
  return count;
}

/* The good training images of one data set, or all images of files and folders. */
static burl_status find_images(burl_dataset **dataset, update_command *self,
                               const burl_observer *observer, burl_diag *diag) {
  const char *first = self->images[0];
  burl_status status = BURL_OK;
  self->options.split = BURL_SPLIT_TRAIN;
  if (self->count == 1 && (is_folder(first) || is_list(first))) {
    status = burl_dataset_load(dataset, first, observer, diag);
    if (status == BURL_OK && count_new(*dataset, BURL_SPLIT_TRAIN) == 0)
      status = burl_cli_diagnose(diag, BURL_ERR_DATA, first,
                                 "Put them in train/good, or name the images themselves.",
                                 "has no good training images to learn from");
    return status;
  }
  self->options.split = BURL_SPLIT_TEST;
  status = refuse_data_sets(self, diag);
  if (status == BURL_OK)
    status = burl_dataset_from_paths(dataset, self->images, self->count, observer, diag);
  return status;
}

/* The output may be the model itself, but nothing else that is read. */
static burl_status check_output(const update_command *self, const burl_dataset *dataset,
                                burl_diag *diag) {
  const char *list = is_list(self->images[0]) ? self->images[0] : NULL;
  cli_inputs inputs = {0};
  burl_status status = burl_cli_check_file(self->output, diag);
  if (status == BURL_OK) status = burl_cli_inputs_collect(&inputs, dataset, &list, 1, diag);
  if (status == BURL_OK) status = burl_cli_inputs_protect(&inputs, self->output, diag);
  burl_cli_inputs_free(&inputs);
  return status;
}

static void print_summary(const burl_model *model, const burl_model_info *before,
                          const update_command *self, double seconds) {
  burl_model_info info;
  burl_model_get_info(model, &info);
  size_t fresh = info.images - before->images;
  printf("images      %zu good image%s, %zu of them new\n", info.images,
         burl_cli_plural(info.images), fresh);
  printf("updates     %zu\n", info.updates);
  printf("threshold   %.4g (90 %% interval %.4g to %.4g), before %.4g\n", info.threshold,
         info.threshold_low, info.threshold_high, before->threshold);
  printf("time        %.1f s\n", seconds);
  printf("model       %s\n", self->output);
}

static int update(const update_command *self, cli_console *console, burl_model *model,
                  const burl_dataset *dataset) {
  burl_observer observer = burl_cli_console_observe(console);
  burl_model_info before;
  burl_diag diag = {0};
  size_t skipped = 0;
  double start = burl_cli_clock();
  burl_model_get_info(model, &before);
  burl_status status =
      burl_model_update(model, &skipped, dataset, &self->options, &observer, &diag);
  if (status == BURL_OK) status = burl_model_save(model, self->output, &diag);
  if (status != BURL_OK) return burl_cli_fail(console, &diag);
  if (!console->quiet) print_summary(model, &before, self, burl_cli_clock() - start);
  size_t lost = burl_dataset_get_lost(dataset);
  return burl_cli_count_left_out(console, skipped + lost,
                                 count_new(dataset, self->options.split) + lost);
}

int burl_cli_run_update(const cli_values *values) {
  update_command self = {.model = values->operands[0],
                         .output = values->operands[0],
                         .images = values->operands + 1,
                         .count = values->operand_count - 1,
                         .options = burl_update_default_options()};
  cli_console console;
  burl_cli_console_start(&console, values->option[CLI_QUIET].given);
  burl_observer observer = burl_cli_console_observe(&console);
  burl_diag diag = {0};
  burl_model *model = NULL;
  burl_dataset *dataset = NULL;
  if (values->option[CLI_OUTPUT].given) self.output = values->option[CLI_OUTPUT].text;
  self.options.force = values->option[CLI_FORCE].given;
  self.options.threads = (int)values->option[CLI_THREADS].whole;
  burl_status status =
      burl_model_load_with(&model, self.model, values->option[CLI_ENCODER].text, &diag);
  if (status == BURL_OK) status = find_images(&dataset, &self, &observer, &diag);
  if (status == BURL_OK) status = check_output(&self, dataset, &diag);
  if (status == BURL_OK)
    status = burl_cli_protect_weights(values->option[CLI_ENCODER].text, self.output, &diag);
  int result =
      status == BURL_OK ? update(&self, &console, model, dataset) : burl_cli_fail(&console, &diag);
  burl_dataset_free(dataset);
  burl_model_free(model);
  return result;
}
