/* Models in safetensors files: tensors of encoder, banks and calibration; settings as JSON text. */
#include "model/exemplar.h"
#include "model/heads_json.h"
#include "model/model_encoders.h"

#include "base/diag.h"
#include "model/whole.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT_KEY "burl.format"
#define VERSION_KEY "burl.version"
#define MODEL_KEY "burl.model"
#define FORMAT_NAME "burl-model"
#define MAXIMA "calibration.maxima"

static void name_of(char name[96], const burl_model *model, const char *what, size_t member) {
  burl_group group = model->encoder->ops->get_group(model->encoder, burl_member_group(member));
  snprintf(name, 96, "%s.%s%s", what, group.name, burl_member_is_local(member) ? ".local" : "");
}

/* What a member's bank was fitted with: that of a global one knows no positions. */
static burl_bank_options options_of(const burl_model *model, size_t member) {
  burl_bank_options options = model->options.bank;
  if (options.method == BURL_METHOD_PRADOT) options.spatial = BURL_SPATIAL_GRID;
  if (!burl_member_is_local(member)) options.spatial = BURL_SPATIAL_NONE;
  return options;
}

burl_status burl_model_save(const burl_model *model, const char *path, burl_diag *diag) {
  burl_safetensors_writer *writer;
  if (burl_safetensors_writer_new(&writer) != BURL_OK) return burl_fail_memory(diag, path);
  char version[16], name[96];
  snprintf(version, sizeof version, "%d", MODEL_FORMAT);
  burl_safetensors_writer_add_metadata(writer, FORMAT_KEY, FORMAT_NAME);
  burl_safetensors_writer_add_metadata(writer, VERSION_KEY, version);
  burl_safetensors_writer_add_metadata(writer, MODEL_KEY, model->json);
  burl_status status = model->encoder->ops->save(model->encoder, writer);
  if (status == BURL_OK && model->lattice.dimensions > 0)
    status = burl_lattice_save(&model->lattice, writer);
  if (status == BURL_OK && model->gallery) status = burl_gallery_save(model, writer);
  for (size_t m = 0; m < burl_member_count(model->encoder) && status == BURL_OK; m++) {
    if (!model->bank[m]) continue;
    name_of(name, model, "bank", m);
    status = burl_bank_save(model->bank[m], name, writer);
    name_of(name, model, "calibration", m);
    if (status == BURL_OK && burl_model_get_side(&model->options.bank) == 0)
      status = burl_safetensors_writer_add_tensor(
          writer, name, BURL_DTYPE_F32, (size_t[]){2, BURL_RINGS}, 2, model->scale[m].mean);
  }
  if (status == BURL_OK && model->maxima_count > 0)
    status = burl_safetensors_writer_add_tensor(writer, MAXIMA, BURL_DTYPE_F32,
                                                &model->maxima_count, 1, model->maxima);
  burl_safetensors_writer_add_checksum(writer);
  status = burl_safetensors_writer_save(writer, path, diag);
  burl_safetensors_writer_free(writer);
  return status;
}

/* Settings that make sense together; the others cannot do harm. */
static int settings_valid(const burl_model *model, const char *checksum) {
  return strlen(checksum) == 8 && strspn(checksum, "0123456789abcdef") == 8 &&
         model->options.bank.spatial != BURL_SPATIAL_AUTO &&
         (model->options.bank.method != BURL_METHOD_PRADOT ||
          model->options.bank.spatial == BURL_SPATIAL_NONE) &&
         isfinite(model->typical) && isfinite(model->threshold.value) &&
         model->threshold.value > model->typical;
}

/* Every setting that has a part in the method has to be there, and within its range. */
static burl_status take_options(burl_bank_options *options, json_t *object) {
  for (size_t i = 0; i < burl_settings_get_count(); i++) {
    const char *name = burl_settings_get_name(i);
    const json_t *value = json_object_get(object, name);
    char number[40];
    const char *text = number;
    if (!burl_settings_has_part(options, i)) continue;
    if (json_is_string(value))
      text = json_string_value(value);
    else if (json_is_integer(value))
      snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value))
      snprintf(number, sizeof number, "%.17g", json_real_value(value));
    else
      return BURL_ERR_FORMAT;
    if (burl_settings_set(options, name, text, NULL) != BURL_OK) return BURL_ERR_FORMAT;
  }
  return BURL_OK;
}

/* Names from a JSON array; what is counted is there to be freed. */
static burl_status take_aside(burl_model *model, const json_t *names) {
  size_t count = json_array_size(names);
  if (!json_is_array(names)) return BURL_ERR_FORMAT;
  model->aside_name = burl_alloc_zero(count, sizeof *model->aside_name);
  if (!model->aside_name) return BURL_ERR_MEMORY;
  for (; model->aside < count; model->aside++) {
    const char *name = json_string_value(json_array_get(names, model->aside));
    if (!name) return BURL_ERR_FORMAT;
    model->aside_name[model->aside] = burl_copy_text(name);
    if (!model->aside_name[model->aside]) return BURL_ERR_MEMORY;
  }
  return BURL_OK;
}

/* Settings from the parsed JSON text; what is not there as it should be gives BURL_ERR_FORMAT. */
static burl_status take_settings(burl_model *model, burl_encoder_list *encoders, json_t *root) {
  json_int_t images, calibration_images, updates;
  const char *version, *encoder, *checksum;
  json_t *networks, *options, *aside;
  model->options.bank = burl_bank_default_options();
  if (json_unpack(root, "{s:s, s:s, s:o, s:o, s:o, s:{s:F, s:F, s:F, s:F, s:I}, s:I, s:I, s:s}",
                  "burl_version", &version, "encoder", &encoder, "networks", &networks, "options",
                  &options, "set_aside", &aside, "calibration", "typical", &model->typical,
                  "threshold", &model->threshold.value, "threshold_low", &model->threshold.low,
                  "threshold_high", &model->threshold.high, "images", &calibration_images, "images",
                  &images, "updates", &updates, "data_checksum", &checksum) != 0 ||
      images < 0 || calibration_images < 0 || updates < 0 ||
      json_unpack(options, "{s:F}", "false_alarm", &model->options.false_alarm) != 0 ||
      take_options(&model->options.bank, options) != BURL_OK ||
      burl_encoders_take(encoders, encoder, networks) != BURL_OK)
    return BURL_ERR_FORMAT;
  model->images = (size_t)images;
  model->calibration_images = (size_t)calibration_images;
  model->updates = (size_t)updates;
  if (!settings_valid(model, checksum)) return BURL_ERR_FORMAT;
  model->data_checksum = (uint32_t)strtoul(checksum, NULL, 16);
  model->fitted_by = burl_copy_text(version);
  return model->fitted_by ? take_aside(model, aside) : BURL_ERR_MEMORY;
}

static burl_status read_settings(burl_model *model, burl_encoder_list *encoders, const char *text,
                                 burl_diag *diag) {
  json_error_t error;
  json_t *root = text ? json_loads(text, 0, &error) : NULL;
  burl_status status = BURL_ERR_FORMAT;
  if (root)
    status = take_settings(model, encoders, root);
  else if (text && json_error_code(&error) == json_error_out_of_memory)
    status = BURL_ERR_MEMORY;
  json_decref(root);
  if (status == BURL_OK && !(model->json = burl_copy_text(text))) status = BURL_ERR_MEMORY;
  if (status == BURL_ERR_MEMORY) return burl_fail_memory(diag, NULL);
  if (status != BURL_OK)
    return burl_fail(diag, status, NULL, "Fit the model again.",
                     "the model's settings are missing or malformed");
  return BURL_OK;
}

static burl_status read_member(burl_model *model, size_t m, const burl_safetensors *file,
                               burl_diag *diag) {
  char name[96];
  const float *values;
  burl_group group = model->encoder->ops->get_group(model->encoder, burl_member_group(m));
  burl_bank_options options = options_of(model, m);
  int whole = burl_model_get_side(&model->options.bank) > 0;
  if (whole ? !burl_whole_looks_at(model->encoder, burl_member_group(m))
            : !group.present || !burl_member_is_wanted(model->options.bank.spatial, m))
    return BURL_OK;
  name_of(name, model, "bank", m);
  burl_status status = burl_bank_load(&model->bank[m], name, &options, group.dim, file, diag);
  if (status != BURL_OK || whole) return status;
  name_of(name, model, "calibration", m);
  status = burl_safetensors_get_floats(file, &values, name, (size_t[]){2, BURL_RINGS}, 2, diag);
  if (status != BURL_OK) return status;
  memcpy(&model->scale[m], values, sizeof model->scale[m]);
  for (size_t r = 0; r < BURL_RINGS; r++)
    if (!(model->scale[m].deviation[r] > 0.0f))
      return burl_fail(diag, BURL_ERR_FORMAT, NULL, "Fit the model again.",
                       "tensor %s holds a deviation of %g, which must be above 0", name,
                       (double)model->scale[m].deviation[r]);
  return BURL_OK;
}

/* Only updates need them. */
static burl_status read_maxima(burl_model *model, const burl_safetensors *file, burl_diag *diag) {
  const burl_tensor *tensor = burl_safetensors_find(file, MAXIMA);
  const float *values;
  if (!tensor) return BURL_OK;
  size_t n = tensor->rank == 1 ? tensor->count : 0;
  if (n < 1 || n > MOST_MAXIMA)
    return burl_fail(diag, BURL_ERR_FORMAT, NULL, "Fit the model again.",
                     "tensor " MAXIMA " has a wrong shape");
  burl_status status = burl_safetensors_get_floats(file, &values, MAXIMA, &n, 1, diag);
  if (status != BURL_OK) return status;
  model->maxima = burl_copy(values, n * sizeof *values);
  model->maxima_count = n;
  return model->maxima ? BURL_OK : burl_fail_memory(diag, NULL);
}

/* Format and version first: a file of another kind deserves a better word than a checksum error. */
static burl_status check_format(const burl_safetensors *file, burl_diag *diag) {
  const char *format = burl_safetensors_get_metadata(file, FORMAT_KEY);
  const char *version = burl_safetensors_get_metadata(file, VERSION_KEY);
  if (!format || strcmp(format, FORMAT_NAME) != 0 || !version)
    return burl_fail(diag, BURL_ERR_FORMAT, NULL, "Name a file that `burl fit` wrote.",
                     "is a safetensors file but not a burl model");
  char *end;
  long number = strtol(version, &end, 10);
  if (*end || end == version || number < OLDEST_FORMAT || number > MODEL_FORMAT)
    return burl_fail(diag, BURL_ERR_VERSION, NULL,
                     "Fit the model again, or use the version of burl that wrote it.",
                     "has model format version %.20s; this burl reads versions %d to %d", version,
                     OLDEST_FORMAT, MODEL_FORMAT);
  return burl_safetensors_check_checksum(file, diag);
}

/* They count the encoder's groups, so they are read after it. */
static burl_status read_heads(burl_model *model, burl_diag *diag) {
  json_error_t error;
  json_t *root = json_loads(model->json, 0, &error);
  if (!root) return burl_fail_memory(diag, NULL); /* the text was read before */
  burl_status status = burl_heads_take(model, json_object_get(root, "heads"),
                                       json_object_get(root, "dropped_heads"));
  json_decref(root);
  if (status != BURL_OK)
    return burl_fail(diag, status, NULL, "Fit the model again.", "the model's heads are malformed");
  return BURL_OK;
}

static burl_status read_lattice(burl_model *model, const burl_safetensors *file, burl_diag *diag) {
  burl_status status = burl_lattice_load(&model->lattice, file, diag);
  if (status != BURL_OK || model->lattice.dimensions > 0) return status;
  return burl_fail(diag, BURL_ERR_FORMAT, NULL, "Fit the model again.",
                   "positions are periodic but no lattice is there");
}

static burl_status read_model(burl_model *model, const burl_safetensors *file, const char *path,
                              const char *encoder, burl_diag *diag) {
  burl_encoder_list encoders;
  burl_status status = check_format(file, diag);
  if (status != BURL_OK) return status;
  status = read_settings(model, &encoders, burl_safetensors_get_metadata(file, MODEL_KEY), diag);
  if (status == BURL_OK)
    status = burl_encoders_load(&model->encoder, &encoders, file, path, encoder, diag);
  if (status == BURL_OK) status = read_heads(model, diag);
  if (status == BURL_OK && model->options.bank.spatial == BURL_SPATIAL_PERIODIC)
    status = read_lattice(model, file, diag);
  for (size_t m = 0; status == BURL_OK && m < burl_member_count(model->encoder); m++)
    status = read_member(model, m, file, diag);
  return status == BURL_OK ? read_maxima(model, file, diag) : status;
}

burl_status burl_model_load(burl_model **model, const char *path, burl_diag *diag) {
  return burl_model_load_with(model, path, NULL, diag);
}

burl_status burl_model_load_with(burl_model **model, const char *path, const char *encoder,
                                 burl_diag *diag) {
  burl_safetensors *file;
  burl_status status = burl_safetensors_load(&file, path, diag);
  if (status != BURL_OK) return status;
  burl_model *made = burl_model_new();
  status = made ? read_model(made, file, path, encoder, diag) : burl_fail_memory(diag, path);
  if (status == BURL_OK) status = burl_gallery_load(made, file, diag);
  burl_safetensors_free(file);
  if (status != BURL_OK) {
    if (diag && !diag->path[0]) snprintf(diag->path, sizeof diag->path, "%s", path);
    burl_model_free(made);
    return status;
  }
  *model = made;
  return BURL_OK;
}
