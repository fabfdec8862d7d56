/* encode/network.h: the interface of frozen networks, which turn an image into maps of features.
 *
 * A network is constant after it was made: any number of threads may use it, each with a workspace
 * of its own. One forward runs on one thread. */
#ifndef BURL_ENCODE_NETWORK_H
#define BURL_ENCODE_NETWORK_H

#include "base/safetensors.h"

#define BURL_NETWORK_MAX_LAYERS 8

typedef struct burl_network burl_network;
typedef struct burl_network_workspace burl_network_workspace;

typedef struct burl_network_layer {
  size_t stride, dim; /* pixels between cells; channels */
  size_t reach;       /* pixels that a cell sees to either side; SIZE_MAX: the whole image */
} burl_network_layer;

typedef struct burl_network_map {
  size_t rows, cols, dim;
  const float *data; /* (rows, cols, dim), in the workspace, valid until its next use */
} burl_network_map;

/* A tensor of a network as a model file holds it. */
typedef struct burl_network_tensor {
  char name[128];
  size_t rank, shape[BURL_TENSOR_MAX_RANK], count;
} burl_network_tensor;

typedef struct burl_network_ops {
  const char *family;
  void (*free)(burl_network *self);
  size_t (*count_layers)(const burl_network *self);
  burl_network_layer (*get_layer)(const burl_network *self, size_t layer);

  /* Working memory for images up to height x width; NULL where there is none. */
  burl_network_workspace *(*workspace_new)(const burl_network *self, size_t height, size_t width);
  void (*workspace_free)(burl_network_workspace *workspace);
  /* Where the image goes before a forward: (3, height, width), planes of red, green and blue,
   * normalised by the caller. */
  float *(*get_input)(burl_network_workspace *workspace, size_t height, size_t width);
  /* maps (layers). */
  void (*forward)(const burl_network *self, burl_network_workspace *workspace, size_t height,
                  size_t width, burl_network_map *maps);

  /* What the network must be made from again: tensors 0..count-1 by their published names, and
   * their values (tensor.count). */
  size_t (*count_tensors)(const burl_network *self);
  burl_network_tensor (*get_tensor)(const burl_network *self, size_t index);
  void (*copy_tensor)(const burl_network *self, size_t index, float *values);
} burl_network_ops;

struct burl_network {
  const burl_network_ops *ops;
};

#endif
