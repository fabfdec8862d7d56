/* encode/network.h: the interface of frozen networks.
 *
 * A network is constant once it is made: any number of threads may use it, each with a workspace.
 */
#ifndef BURL_ENCODE_NETWORK_H
#define BURL_ENCODE_NETWORK_H

#include "base/safetensors.h"

typedef struct burl_network burl_network;
typedef struct burl_network_workspace burl_network_workspace;

/* The output of a layer: (rows, cols, dim), channels last, in the workspace. */
typedef struct burl_network_map {
  size_t rows, cols, dim;
  const float *data;
} burl_network_map;

typedef struct burl_network_layer {
  size_t stride; /* pixels of the input between cells */
  size_t dim;    /* channels */
  size_t reach;  /* pixels that a cell sees to either side; SIZE_MAX: all of the input */
} burl_network_layer;

typedef struct burl_network_ops {
  void (*free)(burl_network *self);
  /* Of the i-th layer asked for. */
  burl_network_layer (*get_layer)(const burl_network *self, size_t i);
  /* For inputs up to height x width; NULL where there is no memory. */
  burl_network_workspace *(*workspace_new)(const burl_network *self, size_t height, size_t width);
  void (*workspace_free)(burl_network_workspace *workspace);
  /* Where the next input (3,height,width) is to be put, planes of R, G and B, normalised. */
  float *(*get_input)(burl_network_workspace *workspace, size_t height, size_t width);
  /* maps of the layers asked for, valid until the next use of the workspace. Allocates nothing. */
  void (*forward)(const burl_network *self, burl_network_workspace *workspace, size_t height,
                  size_t width, burl_network_map *maps);
  /* Adds all that the network was made of as float16 tensors PREFIX.NAME, from which it can be made
   * again. They are borrowed from the network until the file is saved. */
  burl_status (*save)(const burl_network *self, burl_safetensors_writer *writer,
                      const char *prefix);
} burl_network_ops;

struct burl_network {
  const burl_network_ops *ops;
};

#endif
