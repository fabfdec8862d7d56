/* burl embed: the patch embeddings of an image, as a NumPy file a group. */
#include "cli_commands.h"
#include "cli_console.h"
#include "cli_paths.h"

#include <burl/model_embed.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct embed_command {
  const char *model, *image, *output, *group; /* model NULL: networks alone; group NULL: all */
  cli_inputs inputs;
} embed_command;

/* X.npy where one group is written, else X.GROUP.npy; to be freed. */
static char *name_of(const embed_command *self, const char *group, int alone) {
  size_t n = strlen(self->output), size = n + strlen(group) + 8;
  char *name = malloc(size);
  size_t stem = n > 4 && strcmp(self->output + n - 4, ".npy") == 0 ? n - 4 : n;
  if (!name) return NULL;
  if (alone)
    snprintf(name, size, "%s", self->output);
  else
    snprintf(name, size, "%.*s.%s.npy", (int)stem, self->output, group);
  return name;
}

static burl_status write_group(const embed_command *self, burl_embedder *embedder, size_t group,
                               int alone, const burl_image *image, int quiet, burl_diag *diag) {
  size_t shape[3];
  burl_embedder_get_shape(embedder, shape, group, image);
  const char *name = burl_embedder_get_name(embedder, group);
  char *path = name_of(self, name, alone);
  float *values = calloc(shape[0] * shape[1], shape[2] * sizeof *values);
  burl_status status = path && values ? burl_cli_inputs_protect(&self->inputs, path, diag)
                                      : burl_cli_no_memory(diag);
  if (status == BURL_OK) status = burl_embedder_embed(embedder, values, group, image, diag);
  if (status == BURL_OK) status = burl_embedding_save_npy(values, shape, path, diag);
  if (status == BURL_OK && !quiet)
    printf("%-10s %zu x %zu patches of %zu floats: %s\n", name, shape[0], shape[1], shape[2], path);
  free(values);
  free(path);
  return status;
}

static burl_status write_all(const embed_command *self, burl_embedder *embedder,
                             const burl_image *image, int quiet, burl_diag *diag) {
  size_t count = burl_embedder_get_count(embedder), found = 0;
  burl_status status = BURL_OK;
  for (size_t g = 0; g < count && status == BURL_OK; g++) {
    if (self->group && strcmp(self->group, burl_embedder_get_name(embedder, g)) != 0) continue;
    found++;
    status = write_group(self, embedder, g, count == 1 || self->group, image, quiet, diag);
  }
  if (status == BURL_OK && found == 0)
    status = burl_cli_diagnose(diag, BURL_ERR_ARGUMENT, NULL,
                               "burl info lists the groups of a model; a network is one group.",
                               "there is no group \"%.60s\"", self->group);
  return status;
}

static burl_status embed(embed_command *self, const cli_values *values, burl_diag *diag) {
  burl_model *model = NULL;
  burl_embedder *embedder = NULL;
  burl_image image = {0};
  const char *encoder = values->option[CLI_ENCODER].text;
  const char *const files[] = {self->image, self->model};
  burl_status status =
      burl_cli_inputs_collect(&self->inputs, NULL, files, self->model ? 2 : 1, diag);
  if (status == BURL_OK) status = burl_cli_protect_weights(encoder, self->output, diag);
  if (status == BURL_OK) status = burl_cli_check_file(self->output, diag);
  if (status == BURL_OK) status = burl_image_load(&image, self->image, diag);
  if (status == BURL_OK && self->model)
    status = burl_model_load_with(&model, self->model, encoder, diag);
  if (status == BURL_OK)
    status = burl_embedder_new(&embedder, model, encoder, values->option[CLI_LAYERS].text, diag);
  if (status == BURL_OK)
    status = write_all(self, embedder, &image, values->option[CLI_QUIET].given, diag);
  burl_embedder_free(embedder);
  burl_model_free(model);
  burl_image_free(&image);
  burl_cli_inputs_free(&self->inputs);
  return status;
}

int burl_cli_run_embed(const cli_values *values) {
  int has_model = values->operand_count == 2;
  if (!has_model && !values->option[CLI_ENCODER].given)
    return burl_cli_misuse("embed", "name a model and an image, or --encoder and an image");
  if (has_model && values->option[CLI_LAYERS].given)
    return burl_cli_misuse("embed", "--layers are those of the model");
  embed_command self = {.model = has_model ? values->operands[0] : NULL,
                        .image = values->operands[has_model],
                        .output = values->option[CLI_OUTPUT].text,
                        .group = values->option[CLI_GROUP].text};
  cli_console console;
  burl_diag diag = {0};
  burl_cli_console_start(&console, values->option[CLI_QUIET].given);
  return embed(&self, values, &diag) == BURL_OK ? CLI_DONE : burl_cli_fail(&console, &diag);
}
