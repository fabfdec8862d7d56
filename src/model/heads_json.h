/* model/heads_json.h: heads as a part of a model's JSON text (docs/formats.md, "heads"). */
#ifndef BURL_MODEL_HEADS_JSON_H
#define BURL_MODEL_HEADS_JSON_H

#include "model/model_parts.h"

#include <jansson.h>

/* New arrays of the heads in use and of those that were dropped, NULL where there is no memory. */
json_t *burl_heads_describe(const burl_model *model);
json_t *burl_heads_describe_dropped(const burl_model *model);

/* model->heads from these arrays, none for NULL. The encoder is loaded. Errors: BURL_ERR_FORMAT. */
burl_status burl_heads_take(burl_model *model, const json_t *heads,
                            const json_t *dropped) BURL_MUST_CHECK;

#endif
