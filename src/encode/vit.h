/* encode/vit.h: published vision transformers (DeiT, DINO, DINOv2) as frozen networks. */
#ifndef BURL_ENCODE_VIT_H
#define BURL_ENCODE_VIT_H

#include "encode/network.h"
#include "encode/weights.h"

#define BURL_VIT_LAYERS 8

/* `name`: vit_tiny, vit_small, vit_base or vit_large, which fixes the width of a token, or vit for
 * any; all else is taken from the tensors. layers (count, 1 to BURL_VIT_LAYERS): ascending
 * numbers of blocks, from 1, behind which patch tokens come out, normalised by the last norm where
 * the file has one. Deeper blocks are not read and may be missing. Images given to the network have
 * sides that are multiples of its stride. Weights are rounded to float16 first where `half` says
 * so, and only then the network can be saved. Errors: BURL_ERR_ARGUMENT (no such name, layers out
 * of order), BURL_ERR_DATA (a block that the file does not have), BURL_ERR_FORMAT (a tensor missing
 * or of another shape), BURL_ERR_UNSUPPORTED (another kind of transformer), BURL_ERR_NUMERIC,
 * BURL_ERR_MEMORY. weights is not needed afterwards. */
burl_status burl_vit_new(burl_network **network, const char *name, const burl_weights *weights,
                         const int *layers, size_t count, int half,
                         burl_diag *diag) BURL_MUST_CHECK;

#endif
