/* encode/network_encoder.h: a pretrained network as an encoder. */
#ifndef BURL_ENCODE_NETWORK_ENCODER_H
#define BURL_ENCODE_NETWORK_ENCODER_H

#include "encode/encoder.h"
#include "encode/weights.h"

#define BURL_NETWORK_LAYERS 4 /* that one encoder looks at, at most */

/* What is told of a network in a model, and what it takes to make it again. */
typedef struct burl_network_choice {
  char name[24];                   /* "resnet18".. */
  int layers[BURL_NETWORK_LAYERS]; /* rising */
  size_t count;
  int joint;    /* one group of all layers, pooled; 0: each layer a group as it comes */
  int embedded; /* the weights are in the model, as float16 */
  char hash[17];
  char path[1024]; /* of the weights, as they were named */
} burl_network_choice;

/* Reads "2,3" into a choice; its default layers where text is NULL. Errors: BURL_ERR_ARGUMENT (no
 * such network, not rising numbers). */
burl_status burl_network_choose(burl_network_choice *choice, const char *name, const char *layers,
                                burl_diag *diag) BURL_MUST_CHECK;

/* Makes the encoder of a choice from weights, which are not needed afterwards; choice->embedded
 * rounds them to float16 first. Errors: as burl_resnet_new and burl_vit_new. */
burl_status burl_network_encoder_new(burl_encoder **encoder, const burl_network_choice *choice,
                                     const burl_weights *weights, burl_diag *diag) BURL_MUST_CHECK;

/* The choice behind an encoder, NULL for another kind of encoder. */
const burl_network_choice *burl_network_encoder_get_choice(const burl_encoder *encoder);

#endif
