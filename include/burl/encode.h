/* burl/encode.h: patch embeddings: feature maps on a regular grid over an image.
 *
 * An encoder gives one or more groups of patch embeddings (for the texture encoder: five levels of
 * a pyramid and a fine group). Cell (i,j) of a group's grid has its centre at pixel (i*stride +
 * half_offset/2, j*stride + half_offset/2).
 */
#ifndef BURL_ENCODE_H
#define BURL_ENCODE_H

#include <burl/image.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The embeddings of one group over a region of an image. */
typedef struct burl_feature_map {
  size_t rows, cols, dim;    /* h, w, d */
  size_t stride;             /* pixels between neighbouring cells, both ways */
  size_t half_offset;        /* half pixels from pixel (0,0) to the centre of cell (0,0): 0 of
                                texture, stride - 1 of networks, whose cells are parts of the image */
  size_t row, col;           /* grid position of cell (0,0) in the whole image's grid */
  size_t all_rows, all_cols; /* size of the whole image's grid */
  float *data;               /* (rows, cols, dim), borrowed from the encoder's workspace */
} burl_feature_map;

#ifdef __cplusplus
}
#endif
#endif
