/* encode/encoder_list.h: encoders by the names that users give: "texture,resnet18:FILE". */
#ifndef BURL_ENCODE_ENCODER_LIST_H
#define BURL_ENCODE_ENCODER_LIST_H

#include "encode/network_encoder.h"

typedef struct burl_encoder_list {
  size_t count;
  struct {
    int is_texture;
    burl_network_choice network; /* of the others */
  } entry[BURL_MAX_PARTS];
} burl_encoder_list;

/* Reads a list, texture first wherever it stands; NULL is "texture". `layers` as in
 * burl_network_choose, for all networks. Nothing is opened. Errors: BURL_ERR_ARGUMENT (malformed,
 * an unknown name, one twice, too many, a network without a file). */
burl_status burl_encoder_list_read(burl_encoder_list *list, const char *text, const char *layers,
                                   burl_diag *diag) BURL_MUST_CHECK;

/* Loads the weights of a network of the list and makes its encoder. Errors: as burl_weights_load
 * and burl_network_encoder_new. */
burl_status burl_encoder_list_open(burl_encoder **encoder, const burl_network_choice *choice,
                                   burl_diag *diag) BURL_MUST_CHECK;

#endif
