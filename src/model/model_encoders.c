/* A model names its networks: name, layers, file and hash of the weights. The weights are looked
 * for where the caller says, in the model itself, by the name they had, and beside the model. */
#include "model/model_encoders.h"

#include "base/diag.h"
#include "encode/fused.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void free_parts(burl_encoder *const *parts, size_t count) {
  for (size_t p = 0; p < count; p++)
    parts[p]->ops->free(parts[p]);
}

burl_status burl_encoders_open(burl_encoder *parts[BURL_MAX_PARTS], size_t *count,
                               const burl_fit_options *options, burl_diag *diag) {
  burl_encoder_list list;
  burl_status status = burl_encoder_list_read(&list, options->encoder, options->layers, diag);
  size_t made = 0;
  for (; status == BURL_OK && made < list.count; made++) {
    burl_network_choice *choice = &list.entry[made].network;
    choice->joint = options->bank.method != BURL_METHOD_PRADOT;
    choice->embedded = options->embed_encoder != 0;
    if (!list.entry[made].is_texture)
      status = burl_encoder_list_open(&parts[made], choice, diag);
    else if ((status = burl_texture_new(&parts[made])) != BURL_OK)
      burl_fail_memory(diag, NULL);
    if (status != BURL_OK) break;
  }
  if (status != BURL_OK)
    free_parts(parts, made);
  else
    *count = made;
  return status;
}

static json_t *describe(const burl_network_choice *choice) {
  json_t *layers = json_array();
  for (size_t i = 0; layers && i < choice->count; i++)
    json_array_append_new(layers, json_integer(choice->layers[i]));
  return json_pack("{s:s, s:o, s:b, s:b, s:s, s:s}", "name", choice->name, "layers", layers,
                   "joint", choice->joint, "embedded", choice->embedded, "hash", choice->hash,
                   "file", choice->path);
}

const burl_network_choice *burl_encoders_get_network(const burl_encoder *encoder, size_t i) {
  for (size_t p = 0; p < burl_fused_count(encoder); p++) {
    const burl_network_choice *choice =
        burl_network_encoder_get_choice(burl_fused_get_const(encoder, p));
    if (choice && i-- == 0) return choice;
  }
  return NULL;
}

size_t burl_encoders_count_networks(const burl_encoder *encoder) {
  size_t n = 0;
  while (burl_encoders_get_network(encoder, n))
    n++;
  return n;
}

json_t *burl_encoders_describe(const burl_encoder *encoder) {
  json_t *networks = json_array();
  for (size_t n = 0; networks && n < burl_encoders_count_networks(encoder); n++) {
    if (json_array_append_new(networks, describe(burl_encoders_get_network(encoder, n))) == 0)
      continue;
    json_decref(networks);
    return NULL;
  }
  return networks;
}

static burl_status take_layers(burl_network_choice *choice, const json_t *layers) {
  choice->count = json_array_size(layers);
  if (choice->count < 1 || choice->count > BURL_NETWORK_LAYERS) return BURL_ERR_FORMAT;
  for (size_t i = 0; i < choice->count; i++) {
    json_int_t layer = json_integer_value(json_array_get(layers, i));
    if (layer <= (i > 0 ? choice->layers[i - 1] : 0) || layer > 1000) return BURL_ERR_FORMAT;
    choice->layers[i] = (int)layer;
  }
  return BURL_OK;
}

static burl_status take_network(burl_network_choice *choice, json_t *network) {
  const char *name, *hash, *path;
  json_t *layers;
  if (json_unpack(network, "{s:s, s:o, s:b, s:b, s:s, s:s}", "name", &name, "layers", &layers,
                  "joint", &choice->joint, "embedded", &choice->embedded, "hash", &hash, "file",
                  &path) != 0 ||
      strlen(name) >= sizeof choice->name || strlen(hash) >= sizeof choice->hash ||
      strlen(path) >= sizeof choice->path)
    return BURL_ERR_FORMAT;
  strcpy(choice->name, name);
  strcpy(choice->hash, hash);
  strcpy(choice->path, path);
  return take_layers(choice, layers);
}

burl_status burl_encoders_take(burl_encoder_list *list, const char *encoder,
                               const json_t *networks) {
  size_t others = json_array_size(networks);
  int texture = strcmp(encoder, "texture") == 0 || strncmp(encoder, "texture,", 8) == 0;
  *list = (burl_encoder_list){.count = others + (size_t)texture};
  if (list->count < 1 || list->count > BURL_MAX_PARTS) return BURL_ERR_FORMAT;
  list->entry[0].is_texture = texture;
  for (size_t i = 0; i < others; i++) {
    burl_status status =
        take_network(&list->entry[i + (size_t)texture].network, json_array_get(networks, i));
    if (status != BURL_OK) return status;
  }
  return BURL_OK;
}

/* The file beside the model with the name that the weights had. */
static void name_beside(char out[2048], const char *model, const char *weights) {
  const char *slash = strrchr(model, '/'), *last = strrchr(weights, '/');
  int folder = slash ? (int)(slash - model + 1) : 0;
  snprintf(out, 2048, "%.*s%s", folder < 1000 ? folder : 0, model, last ? last + 1 : weights);
}

/* What the caller gave for a network, NULL where nothing. */
static const char *find_given(const burl_encoder_list *given, const char *name) {
  for (size_t i = 0; i < given->count; i++)
    if (!given->entry[i].is_texture && strcmp(given->entry[i].network.name, name) == 0)
      return given->entry[i].network.path;
  return NULL;
}

static burl_status check_hash(const burl_network_choice *choice, const burl_weights *weights,
                              burl_diag *diag) {
  const char *hash = burl_weights_get_hash(weights);
  if (strcmp(hash, choice->hash) == 0) return BURL_OK;
  return burl_fail(diag, BURL_ERR_DATA, burl_weights_get_path(weights),
                   "Give the file that the model was fitted with, or fit the model again.",
                   "holds other weights of %s (%s) than the model was fitted with (%s)",
                   choice->name, hash, choice->hash);
}

static burl_status load_network(burl_encoder **encoder, const burl_network_choice *choice,
                                const burl_safetensors *file, const char *path, const char *given,
                                burl_diag *diag) {
  burl_weights *weights;
  burl_status status;
  char name[2048];
  if (choice->embedded) {
    snprintf(name, sizeof name, "encoder.%s.", choice->name);
    status = burl_weights_view(&weights, file, name, choice->hash, path, diag);
  } else {
    name_beside(name, path, choice->path);
    const char *from = given ? given : access(choice->path, R_OK) == 0 ? choice->path : name;
    status = burl_weights_load(&weights, from, diag);
    if (status == BURL_ERR_IO && diag)
      snprintf(diag->hint, sizeof diag->hint,
               "The model needs the weights it was fitted with: name them by --encoder %s:FILE.",
               choice->name);
    if (status == BURL_OK && (status = check_hash(choice, weights, diag)) != BURL_OK)
      burl_weights_free(weights);
  }
  if (status != BURL_OK) return status;
  status = burl_network_encoder_new(encoder, choice, weights, diag);
  burl_weights_free(weights);
  return status;
}

burl_status burl_encoders_load(burl_encoder **encoder, const burl_encoder_list *list,
                               const burl_safetensors *file, const char *path, const char *given,
                               burl_diag *diag) {
  burl_encoder *parts[BURL_MAX_PARTS];
  burl_encoder_list others = {0};
  burl_status status = given ? burl_encoder_list_read(&others, given, NULL, diag) : BURL_OK;
  size_t made = 0;
  for (; made < list->count && status == BURL_OK; made++) {
    const burl_network_choice *choice = &list->entry[made].network;
    if (list->entry[made].is_texture)
      status = burl_texture_load(&parts[made], file, diag);
    else
      status =
          load_network(&parts[made], choice, file, path, find_given(&others, choice->name), diag);
    if (status != BURL_OK) break;
  }
  if (status == BURL_OK && (status = burl_fused_new(encoder, parts, made)) != BURL_OK)
    burl_fail(diag, status, NULL, "Fit the model again.", "the encoders cannot be fused: %s",
              burl_status_get_text(status));
  if (status != BURL_OK) free_parts(parts, made);
  return status;
}
