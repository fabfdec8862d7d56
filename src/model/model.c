/* What a model is, and what it says of itself. */
#include "model/model_parts.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

burl_model *burl_model_new(void) {
  return burl_alloc_zero(1, sizeof(burl_model));
}

void burl_model_free(burl_model *model) {
  if (!model) return;
  for (size_t g = 0; g < BURL_MAX_GROUPS; g++)
    burl_bank_free(model->bank[g]);
  if (model->encoder) model->encoder->ops->free(model->encoder);
  free(model->fitted_by);
  free(model->json);
  free(model);
}

void burl_model_get_info(const burl_model *model, burl_model_info *info) {
  *info = (burl_model_info){.format_version = MODEL_FORMAT,
                            .burl_version = model->fitted_by,
                            .encoder = model->encoder->ops->name,
                            .options = model->options,
                            .images = model->images,
                            .calibration_images = model->calibration_images,
                            .threshold = model->threshold.value,
                            .threshold_low = model->threshold.low,
                            .threshold_high = model->threshold.high,
                            .typical = model->typical,
                            .data_checksum = model->data_checksum,
                            .groups = model->encoder->ops->groups};
}

void burl_model_get_group(const burl_model *model, size_t group, burl_model_group *info) {
  burl_group g = model->encoder->ops->get_group(model->encoder, group);
  const burl_bank *bank = model->bank[group];
  *info = (burl_model_group){.name = g.name,
                             .stride = g.stride,
                             .dimension = g.dim,
                             .prototypes = bank ? burl_bank_get_count(bank) : 0};
}

const char *burl_model_get_json(const burl_model *model) {
  return model->json;
}

static json_t *describe_groups(const burl_model *model) {
  json_t *groups = json_array();
  for (size_t g = 0; groups && g < model->encoder->ops->groups; g++) {
    burl_model_group group;
    burl_model_get_group(model, g, &group);
    json_t *entry = json_pack("{s:s, s:I, s:I, s:I}", "name", group.name, "stride",
                              (json_int_t)group.stride, "dimension", (json_int_t)group.dimension,
                              "prototypes", (json_int_t)group.prototypes);
    if (!entry || json_array_append_new(groups, entry) != 0) {
      json_decref(groups);
      return NULL;
    }
  }
  return groups;
}

burl_status burl_model_describe(burl_model *model) {
  const burl_fit_options *o = &model->options;
  char checksum[16];
  snprintf(checksum, sizeof checksum, "%08x", (unsigned)model->data_checksum);
  if (!model->fitted_by && !(model->fitted_by = burl_copy_text(burl_version())))
    return BURL_ERR_MEMORY;
  json_t *options =
      json_pack("{s:I, s:f, s:f, s:f, s:f, s:I}", "prototypes", (json_int_t)o->prototypes, "power",
                o->power, "trim", o->trim, "spatial_weight", o->spatial_weight, "false_alarm",
                o->false_alarm, "seed", (json_int_t)o->seed);
  json_t *calibration =
      json_pack("{s:f, s:f, s:f, s:f, s:I}", "typical", model->typical, "threshold",
                model->threshold.value, "threshold_low", model->threshold.low, "threshold_high",
                model->threshold.high, "images", (json_int_t)model->calibration_images);
  json_t *root = json_pack("{s:s, s:s, s:o, s:o, s:o, s:I, s:s}", "burl_version", model->fitted_by,
                           "encoder", model->encoder->ops->name, "options", options, "calibration",
                           calibration, "groups", describe_groups(model), "images",
                           (json_int_t)model->images, "data_checksum", checksum);
  if (!root) return BURL_ERR_MEMORY;
  free(model->json);
  char *text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
  json_decref(root);
  model->json = text;
  return text ? BURL_OK : BURL_ERR_MEMORY;
}
