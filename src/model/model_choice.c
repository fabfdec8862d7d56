/* How a setting was chosen is known outside, after the fit: it goes into the model's own text. */
#include "model/model_parts.h"

#include "base/diag.h"

#include <jansson.h>
#include <stdlib.h>

burl_status burl_model_set_choice(burl_model *model, const char *text, burl_diag *diag) {
  json_t *root = json_loads(model->json, 0, NULL);
  char *json = NULL;
  if (root && json_object_set_new(root, "spatial_choice", json_string(text)) == 0)
    json = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
  json_decref(root);
  if (!json) return burl_fail_memory(diag, NULL);
  free(model->json);
  model->json = json;
  return BURL_OK;
}

burl_status burl_model_keep_choice(burl_model *model, const burl_model *from) {
  json_t *root = json_loads(from->json, 0, NULL);
  if (!root) return BURL_ERR_MEMORY;
  const char *text = json_string_value(json_object_get(root, "spatial_choice"));
  burl_status status = text ? burl_model_set_choice(model, text, NULL) : BURL_OK;
  json_decref(root);
  return status;
}
