/* encode/resnet_parts.h: what loading and running a residual network share. */
#ifndef BURL_ENCODE_RESNET_PARTS_H
#define BURL_ENCODE_RESNET_PARTS_H

#include "encode/resnet.h"
#include "num/conv.h"

enum { RESNET_STAGES = 4, RESNET_MOST_BLOCKS = 23, RESNET_BLOCK_CONVS = 3 };

/* A convolution with what it is saved as, NULL unless it is to be. */
typedef struct resnet_conv {
  burl_conv conv;
  char name[80];
  uint16_t *half, *half_bias;
} resnet_conv;

typedef struct resnet_block {
  size_t convs; /* 2: basic, 3: bottleneck */
  resnet_conv conv[RESNET_BLOCK_CONVS];
  resnet_conv shortcut; /* conv.prepared NULL where there is none */
} resnet_block;

typedef struct burl_resnet {
  burl_network base;
  resnet_conv stem;
  size_t stages; /* those that are needed */
  size_t blocks[RESNET_STAGES];
  resnet_block block[RESNET_STAGES][RESNET_MOST_BLOCKS];
  size_t count;
  int layers[RESNET_STAGES];
} burl_resnet;

/* Fills in convolutions from weights; on error what was made is freed by burl_resnet_free. */
burl_status burl_resnet_load(burl_resnet *self, const char *name, const burl_weights *weights,
                             int half, burl_diag *diag) BURL_MUST_CHECK;
void burl_resnet_free(burl_network *network);
burl_status burl_resnet_save(const burl_network *network, burl_safetensors_writer *writer,
                             const char *prefix);

#endif
