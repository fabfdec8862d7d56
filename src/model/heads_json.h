/* model/heads_json.h: heads as a part of a model's JSON text (docs/formats.md, "heads"). */
#ifndef BURL_MODEL_HEADS_JSON_H
#define BURL_MODEL_HEADS_JSON_H

#include "model/model_parts.h"

#include <jansson.h>

/* A new array, NULL where there is no memory. */
json_t *burl_heads_describe(const burl_model *model);

/* model->heads from the array, none for NULL. The encoder is loaded. Errors: BURL_ERR_FORMAT. */
burl_status burl_heads_take(burl_model *model, const json_t *heads) BURL_MUST_CHECK;

#endif
