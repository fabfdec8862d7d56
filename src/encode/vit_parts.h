/* encode/vit_parts.h: what the files of the vision transformer share. */
#ifndef BURL_ENCODE_VIT_PARTS_H
#define BURL_ENCODE_VIT_PARTS_H

#include "base/memory.h"
#include "encode/network.h"
#include "encode/vit.h"

#define VIT_HEAD 64  /* width of a head, the same in all published models */
#define VIT_ROWS 192 /* tokens that pass the products of a block together */
#define VIT_MAX_DEPTH 64
#define VIT_MAX_WIDTH 4096
#define VIT_MAX_PATCH 64
#define VIT_MAX_POSITIONS (1 << 20)
#define VIT_MAX_PREFIX 64 /* class, distillation and register tokens */

/* Tensors of a block: here, after timm, after transformers (of queries, keys and values what
 * follows their names); shape: w width, q 3 width, h width of the mlp. */
#define VIT_BLOCK_LIST(X)                                                                          \
  X(VIT_NORM1_GAIN, "norm1.weight", "norm1.weight", "w")                                           \
  X(VIT_NORM1_BIAS, "norm1.bias", "norm1.bias", "w")                                               \
  X(VIT_QKV, "attn.qkv.weight", "weight", "qw")                                                    \
  X(VIT_QKV_BIAS, "attn.qkv.bias", "bias", "q")                                                    \
  X(VIT_PROJ, "attn.proj.weight", "attention.output.dense.weight", "ww")                           \
  X(VIT_PROJ_BIAS, "attn.proj.bias", "attention.output.dense.bias", "w")                           \
  X(VIT_SCALE1, "ls1.gamma", "layer_scale1.lambda1", "w")                                          \
  X(VIT_NORM2_GAIN, "norm2.weight", "norm2.weight", "w")                                           \
  X(VIT_NORM2_BIAS, "norm2.bias", "norm2.bias", "w")                                               \
  X(VIT_FC1, "mlp.fc1.weight", "mlp.fc1.weight", "hw")                                             \
  X(VIT_FC1_BIAS, "mlp.fc1.bias", "mlp.fc1.bias", "h")                                             \
  X(VIT_FC2, "mlp.fc2.weight", "mlp.fc2.weight", "wh")                                             \
  X(VIT_FC2_BIAS, "mlp.fc2.bias", "mlp.fc2.bias", "w")                                             \
  X(VIT_SCALE2, "ls2.gamma", "layer_scale2.lambda1", "w")

typedef enum vit_block_tensor {
#define VIT_BLOCK_ENUM(name, timm, hf, shape) name,
  VIT_BLOCK_LIST(VIT_BLOCK_ENUM)
#undef VIT_BLOCK_ENUM
      VIT_BLOCK_TENSORS
} vit_block_tensor;

/* The tensors outside of blocks; n tokens of the position table, r registers, p side of a patch. */
#define VIT_TOP_LIST(X)                                                                            \
  X(VIT_PATCH, "patch_embed.proj.weight", "embeddings.patch_embeddings.projection.weight", "w3pp") \
  X(VIT_PATCH_BIAS, "patch_embed.proj.bias", "embeddings.patch_embeddings.projection.bias", "w")   \
  X(VIT_POSITIONS, "pos_embed", "embeddings.position_embeddings", "1nw")                           \
  X(VIT_CLASS, "cls_token", "embeddings.cls_token", "11w")                                         \
  X(VIT_DISTILLED, "dist_token", "embeddings.distillation_token", "11w")                           \
  X(VIT_REGISTERS, "reg_token", "embeddings.register_tokens", "1rw")                               \
  X(VIT_NORM_GAIN, "norm.weight", "layernorm.weight", "w")                                         \
  X(VIT_NORM_BIAS, "norm.bias", "layernorm.bias", "w")

typedef enum vit_top_tensor {
#define VIT_TOP_ENUM(name, timm, hf, shape) name,
  VIT_TOP_LIST(VIT_TOP_ENUM)
#undef VIT_TOP_ENUM
      VIT_TOP_TENSORS
} vit_top_tensor;

/* Names and shape of a tensor as the lists above have them. */
typedef struct vit_tensor {
  const char *timm, *hf, *shape;
} vit_tensor;
extern const vit_tensor burl_vit_top[VIT_TOP_TENSORS], burl_vit_block[VIT_BLOCK_TENSORS];

/* A network that was loaded. Constant afterwards. Matrices (shapes of two letters, and patches) are
 * packed as num/packed.h has them. */
typedef struct burl_vit {
  burl_network base;
  size_t width, hidden, patch, depth, heads;
  size_t side;      /* cells of the position table both ways */
  size_t placed;    /* rows of the table before its cells: prefix tokens that have a position */
  size_t registers; /* register tokens */
  size_t prefix;    /* tokens before those of patches */
  size_t count;     /* layers given out */
  int layer[BURL_VIT_LAYERS]; /* 1-based */
  int has_norm, has_qkv_bias, has_scale, has_class, has_distilled;
  float *top[VIT_TOP_TENSORS]; /* NULL: not there */
  float *(*block)[VIT_BLOCK_TENSORS];
  uint16_t *half_top[VIT_TOP_TENSORS]; /* what is saved, as it was read; NULL unless it is to be */
  uint16_t *(*half_block)[VIT_BLOCK_TENSORS];
  float *first; /* (prefix, width): prefix tokens with their positions */
  burl_arena arena;
} burl_vit;

/* What one forward needs. The position table stays for the next image of the same grid. */
typedef struct vit_workspace {
  burl_arena arena;
  size_t rows, cols; /* of positions; 0 at first */
  float *input;      /* (3,H,W) */
  float *positions;  /* (cells, width) */
  double *taps;      /* (2, side) */
  float *x, *y;      /* (tokens, width) */
  float *z;          /* (VIT_ROWS, width) */
  float *wide;       /* queries, keys and values; a block of rows of the mlp or of patches */
  float *scratch;
  float *map[BURL_VIT_LAYERS]; /* (cells, width) */
} vit_workspace;

/* NULL where there is no memory. */
vit_workspace *burl_vit_workspace_new(const burl_vit *vit, size_t height, size_t width);
void burl_vit_workspace_free(vit_workspace *workspace);

/* From input (3, rows*patch, cols*patch) to the maps. */
void burl_vit_run(const burl_vit *vit, vit_workspace *workspace, size_t rows, size_t cols);

/* The shape of a tensor, and the elements it has; returns its rank. */
size_t burl_vit_shape(const burl_vit *vit, const char *letters, size_t shape[BURL_TENSOR_MAX_RANK],
                      size_t *count);
/* Whether a tensor of this shape is packed, as (*n) outputs of (*k) inputs. */
int burl_vit_is_packed(const burl_vit *vit, const char *letters, size_t *n, size_t *k);
/* Whether the network has the tensor; of a block: all blocks have the same. */
int burl_vit_has_top(const burl_vit *vit, vit_top_tensor tensor);
int burl_vit_has_in_block(const burl_vit *vit, vit_block_tensor tensor);

/* Sizes, then tensors, of a file; depth, count and layer are set. Errors: as burl_vit_new. */
burl_status burl_vit_load(burl_vit *vit, const burl_weights *weights, int half,
                          burl_diag *diag) BURL_MUST_CHECK;

/* out (rows*cols, d): the table (side*side, d) brought to another grid; scratch (2*side). */
void burl_vit_place(float *out, double *scratch, const float *table, size_t side, size_t rows,
                    size_t cols, size_t d);

#endif
