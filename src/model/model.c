/* What a model is, and what it says of itself. */
#include "model/exemplar.h"
#include "model/heads_json.h"
#include "model/model_encoders.h"

#include <burl/model_heads.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

burl_model *burl_model_new(void) {
  return burl_alloc_zero(1, sizeof(burl_model));
}

void burl_model_free(burl_model *model) {
  if (!model) return;
  for (size_t m = 0; m < MODEL_MEMBERS; m++)
    burl_bank_free(model->bank[m]);
  burl_gallery_free(model->gallery);
  if (model->encoder) model->encoder->ops->free(model->encoder);
  for (size_t i = 0; i < model->aside; i++)
    free(model->aside_name[i]);
  free(model->aside_name);
  free(model->maxima);
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
                            .aside = model->aside,
                            .updates = model->updates,
                            .groups = model->encoder->ops->groups,
                            .networks = burl_encoders_count_networks(model->encoder),
                            .heads = model->heads.count,
                            .dropped_heads = model->heads.dropped};
}

void burl_model_get_network(const burl_model *model, size_t i, burl_model_network *info) {
  const burl_network_choice *choice = burl_encoders_get_network(model->encoder, i);
  *info = (burl_model_network){.name = choice->name,
                               .hash = choice->hash,
                               .file = choice->path,
                               .embedded = choice->embedded,
                               .layers = choice->layers,
                               .layer_count = choice->count};
}

void burl_model_get_head(const burl_model *model, size_t i, burl_model_head *info,
                         double *weights) {
  const burl_head *head = &model->heads.head[i];
  double sum = 0.0;
  *info = (burl_model_head){
      .kind = head->kind, .sigma = head->sigma, .ap = head->ap, .equal_ap = head->equal_ap};
  for (size_t g = 0; g < model->encoder->ops->groups; g++)
    sum += (double)head->weight[g];
  for (size_t g = 0; weights && g < model->encoder->ops->groups; g++)
    weights[g] = sum > 0.0 ? (double)head->weight[g] / sum : 0.0;
}

void burl_model_get_group(const burl_model *model, size_t group, burl_model_group *info) {
  burl_group g = model->encoder->ops->get_group(model->encoder, group);
  const burl_bank *global = model->bank[MODEL_PLACES * group];
  const burl_bank *local = model->bank[MODEL_PLACES * group + 1];
  *info = (burl_model_group){.name = g.name,
                             .stride = g.stride,
                             .dimension = g.dim,
                             .prototypes = global ? burl_bank_get_count(global) : 0,
                             .local = local ? burl_bank_get_count(local) : 0};
}

const char *burl_model_get_aside(const burl_model *model, size_t i) {
  return model->aside_name[i];
}

const char *burl_model_get_json(const burl_model *model) {
  return model->json;
}

static json_t *describe_groups(const burl_model *model) {
  json_t *groups = json_array();
  for (size_t g = 0; groups && g < model->encoder->ops->groups; g++) {
    burl_model_group group;
    burl_model_get_group(model, g, &group);
    json_t *entry =
        json_pack("{s:s, s:I, s:I, s:I, s:I}", "name", group.name, "stride",
                  (json_int_t)group.stride, "dimension", (json_int_t)group.dimension, "prototypes",
                  (json_int_t)group.prototypes, "local", (json_int_t)group.local);
    if (!entry || json_array_append_new(groups, entry) != 0) {
      json_decref(groups);
      return NULL;
    }
  }
  return groups;
}

/* Numbers become numbers, but whole ones beyond what JSON readers hold (seeds) stay text. */
static json_t *describe_option(const char *text) {
  enum { SAFE_DIGITS = 15 };
  if (strspn(text, "0123456789") == strlen(text))
    return strlen(text) > SAFE_DIGITS ? json_string(text)
                                      : json_integer((json_int_t)strtoull(text, NULL, 10));
  return strspn(text, "+-.0123456789e") == strlen(text) ? json_real(strtod(text, NULL))
                                                        : json_string(text);
}

static json_t *describe_options(const burl_fit_options *options) {
  json_t *object = json_pack("{s:f}", "false_alarm", options->false_alarm);
  for (size_t i = 0; object && i < burl_settings_get_count(); i++) {
    char text[32];
    if (!burl_settings_has_part(&options->bank, i)) continue;
    burl_settings_get(text, sizeof text, &options->bank, i);
    json_t *value = describe_option(text);
    if (json_object_set_new(object, burl_settings_get_name(i), value) == 0) continue;
    json_decref(object);
    return NULL;
  }
  return object;
}

static json_t *describe_aside(const burl_model *model) {
  json_t *names = json_array();
  for (size_t i = 0; names && i < model->aside; i++)
    if (json_array_append_new(names, json_string(model->aside_name[i])) != 0) {
      json_decref(names);
      return NULL;
    }
  return names;
}

burl_status burl_model_keep_maxima(burl_model *model, const double *values, size_t n) {
  size_t kept = n < MOST_MAXIMA ? n : MOST_MAXIMA;
  float *maxima = burl_alloc(kept, sizeof *maxima);
  if (!maxima) return BURL_ERR_MEMORY;
  for (size_t i = 0; i < kept; i++)
    maxima[i] = (float)values[kept < n ? i * (n - 1) / (kept - 1) : i];
  free(model->maxima);
  model->maxima = maxima;
  model->maxima_count = kept;
  return BURL_OK;
}

burl_status burl_model_describe(burl_model *model) {
  char checksum[16];
  snprintf(checksum, sizeof checksum, "%08x", (unsigned)model->data_checksum);
  if (!model->fitted_by && !(model->fitted_by = burl_copy_text(burl_version())))
    return BURL_ERR_MEMORY;
  json_t *calibration =
      json_pack("{s:f, s:f, s:f, s:f, s:I}", "typical", model->typical, "threshold",
                model->threshold.value, "threshold_low", model->threshold.low, "threshold_high",
                model->threshold.high, "images", (json_int_t)model->calibration_images);
  json_t *root = json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:s}",
                           "burl_version", model->fitted_by, "encoder", model->encoder->ops->name,
                           "networks", burl_encoders_describe(model->encoder), "options",
                           describe_options(&model->options), "calibration", calibration, "groups",
                           describe_groups(model), "heads", burl_heads_describe(model),
                           "dropped_heads", burl_heads_describe_dropped(model), "set_aside",
                           describe_aside(model), "images", (json_int_t)model->images, "updates",
                           (json_int_t)model->updates, "data_checksum", checksum);
  if (!root) return BURL_ERR_MEMORY;
  free(model->json);
  char *text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
  json_decref(root);
  model->json = text;
  return text ? BURL_OK : BURL_ERR_MEMORY;
}
