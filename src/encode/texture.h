/* encode/texture.h: the texture encoder: learned from good images, no pretrained weights. */
#ifndef BURL_ENCODE_TEXTURE_H
#define BURL_ENCODE_TEXTURE_H

#include "encode/encoder.h"

/* An encoder that has yet to go through its passes, and one from a model file. */
burl_status burl_texture_new(burl_encoder **encoder) BURL_MUST_CHECK;
burl_status burl_texture_load(burl_encoder **encoder, const burl_safetensors *file,
                              burl_diag *diag) BURL_MUST_CHECK;

#endif
