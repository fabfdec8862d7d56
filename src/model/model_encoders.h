/* model/model_encoders.h: the encoders of a model: opened for a fit, told of in its text, made
 * again when it is loaded. */
#ifndef BURL_MODEL_MODEL_ENCODERS_H
#define BURL_MODEL_MODEL_ENCODERS_H

#include "encode/encoder_list.h"
#include "model/model_parts.h"

#include <jansson.h>

/* The encoders that options name, texture first. On error none is left. Errors: as
 * burl_encoder_list_read and _open. */
burl_status burl_encoders_open(burl_encoder *parts[BURL_MAX_PARTS], size_t *count,
                               const burl_fit_options *options, burl_diag *diag) BURL_MUST_CHECK;

/* The networks among the parts of an encoder. */
size_t burl_encoders_count_networks(const burl_encoder *encoder);
const burl_network_choice *burl_encoders_get_network(const burl_encoder *encoder, size_t i);

/* "networks" of a model's text; NULL where there is no memory. */
json_t *burl_encoders_describe(const burl_encoder *encoder);

/* Reads a model's text back. Errors: BURL_ERR_FORMAT, BURL_ERR_MEMORY. */
burl_status burl_encoders_take(burl_encoder_list *list, const char *encoder,
                               const json_t *networks) BURL_MUST_CHECK;

/* Makes the encoder of a model that is being loaded from `path`; `given` as in
 * burl_model_load_with. Errors: those of weights and networks, BURL_ERR_DATA (other weights). */
burl_status burl_encoders_load(burl_encoder **encoder, const burl_encoder_list *list,
                               const burl_safetensors *file, const char *path, const char *given,
                               burl_diag *diag) BURL_MUST_CHECK;

#endif
