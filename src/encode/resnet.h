/* encode/resnet.h: residual networks: resnet18, resnet34, resnet50, resnet101, wide_resnet50_2. */
#ifndef BURL_ENCODE_RESNET_H
#define BURL_ENCODE_RESNET_H

#include "encode/network.h"
#include "encode/weights.h"

/* layers (count): rising, of 1..4. Weights under the names of torchvision and timm, batch norms
 * folded or not; only what these layers need is asked for, and widths are those of the tensors.
 * half: weights are rounded to float16 once they are folded, and kept so that they can be saved.
 * Errors, which name the tensor: BURL_ERR_FORMAT, BURL_ERR_NUMERIC; BURL_ERR_ARGUMENT (no such
 * name, layers), BURL_ERR_SIZE (more channels than a network has), BURL_ERR_MEMORY. */
burl_status burl_resnet_new(burl_network **network, const char *name, const burl_weights *weights,
                            const int *layers, size_t count, int half,
                            burl_diag *diag) BURL_MUST_CHECK;

#endif
