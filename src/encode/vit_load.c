/* From the tensors of a file to a vision transformer. Everything but the number of heads is taken
 * from their shapes. Two ways of naming are known: that of timm, which the authors of DeiT, DINO
 * and DINOv2 use too (registers aside), and that of the transformers library for DINOv2. */
#include "base/diag.h"
#include "base/half.h"
#include "encode/vit_parts.h"
#include "num/packed.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME 160
#define CHECK_FILE "Check that the file is a vision transformer as timm or its authors publish it."

#define VIT_ENTRY(name, timm, hf, shape) {timm, hf, shape},
const vit_tensor burl_vit_top[VIT_TOP_TENSORS] = {VIT_TOP_LIST(VIT_ENTRY)};
const vit_tensor burl_vit_block[VIT_BLOCK_TENSORS] = {VIT_BLOCK_LIST(VIT_ENTRY)};
#undef VIT_ENTRY

/* What is read, how its names are made, and where a tensor lies before it is stored; NULL while
 * shapes alone are compared. */
typedef struct reader {
  const burl_weights *weights;
  const char *prefix, *registers;
  int hf;
  float *plain;
  burl_diag *diag;
} reader;

static void top_name(char name[NAME], const reader *r, vit_top_tensor tensor) {
  const char *rest = r->hf ? burl_vit_top[tensor].hf : burl_vit_top[tensor].timm;
  if (tensor == VIT_REGISTERS && r->registers) rest = r->registers;
  snprintf(name, NAME, "%s%s", r->prefix, rest);
}

static int is_split(const reader *r, vit_block_tensor tensor) {
  return r->hf && (tensor == VIT_QKV || tensor == VIT_QKV_BIAS);
}

static void block_name(char name[NAME], const reader *r, size_t block, vit_block_tensor tensor,
                       const char *part) {
  const vit_tensor *t = &burl_vit_block[tensor];
  if (is_split(r, tensor))
    snprintf(name, NAME, "%sencoder.layer.%zu.attention.attention.%s.%s", r->prefix, block, part,
             t->hf);
  else
    snprintf(name, NAME, "%s%s.%zu.%s", r->prefix, r->hf ? "encoder.layer" : "blocks", block,
             r->hf ? t->hf : t->timm);
}

static int has_top(const reader *r, vit_top_tensor tensor) {
  char name[NAME];
  top_name(name, r, tensor);
  return burl_weights_has(r->weights, name);
}

static int has_in_block(const reader *r, size_t block, vit_block_tensor tensor) {
  char name[NAME];
  block_name(name, r, block, tensor, "query");
  return burl_weights_has(r->weights, name);
}

size_t burl_vit_shape(const burl_vit *vit, const char *letters, size_t shape[BURL_TENSOR_MAX_RANK],
                      size_t *count) {
  size_t rank = strlen(letters);
  *count = 1;
  for (size_t i = 0; i < rank; i++) {
    switch (letters[i]) {
    case 'w':
      shape[i] = vit->width;
      break;
    case 'q':
      shape[i] = 3 * vit->width;
      break;
    case 'h':
      shape[i] = vit->hidden;
      break;
    case 'p':
      shape[i] = vit->patch;
      break;
    case 'r':
      shape[i] = vit->registers;
      break;
    case 'n':
      shape[i] = vit->placed + vit->side * vit->side;
      break;
    default:
      shape[i] = (size_t)(letters[i] - '0');
      break;
    }
    *count *= shape[i]; /* sizes are bounded, or those of a tensor in the file */
  }
  return rank;
}

int burl_vit_is_packed(const burl_vit *vit, const char *letters, size_t *n, size_t *k) {
  size_t shape[BURL_TENSOR_MAX_RANK], count;
  size_t rank = burl_vit_shape(vit, letters, shape, &count);
  if (rank != 2 && rank != 4) return 0;
  *n = shape[0];
  *k = count / shape[0];
  return 1;
}

int burl_vit_has_top(const burl_vit *vit, vit_top_tensor tensor) {
  switch (tensor) {
  case VIT_CLASS:
    return vit->has_class;
  case VIT_DISTILLED:
    return vit->has_distilled;
  case VIT_REGISTERS:
    return vit->registers > 0;
  case VIT_NORM_GAIN:
  case VIT_NORM_BIAS:
    return vit->has_norm;
  default:
    return 1;
  }
}

int burl_vit_has_in_block(const burl_vit *vit, vit_block_tensor tensor) {
  if (tensor == VIT_SCALE1 || tensor == VIT_SCALE2) return vit->has_scale;
  return tensor != VIT_QKV_BIAS || vit->has_qkv_bias;
}

/* Whatever stands before all names is found by itself. */
static burl_status find_naming(reader *r) {
  static const char *const prefixes[] = {"",          "model.",  "module.",
                                         "backbone.", "dinov2.", "dinov2_with_registers."};
  for (r->hf = 0; r->hf < 2; r->hf++)
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
      r->prefix = prefixes[i];
      if (!has_top(r, VIT_PATCH)) continue;
      if (!r->hf && !has_top(r, VIT_REGISTERS)) r->registers = "register_tokens";
      return BURL_OK;
    }
  return burl_fail(r->diag, BURL_ERR_FORMAT, burl_weights_get_path(r->weights), CHECK_FILE,
                   "holds no vision transformer: neither the tensor %s nor %s is there",
                   burl_vit_top[VIT_PATCH].timm, burl_vit_top[VIT_PATCH].hf);
}

/* What other transformers have and this one would leave out in silence. */
static burl_status check_kind(const reader *r) {
  static const char *const foreign[][2] = {
      {"norm_pre.weight", "a norm before the blocks (CLIP)"},
      {"blocks.0.attn.q_norm.weight", "normalised queries"},
      {"blocks.0.mlp.w12.weight", "a gated mlp (DINOv2 giant)"},
      {"blocks.0.mlp.fc1_g.weight", "a gated mlp"},
      {"encoder.layer.0.mlp.weights_in.weight", "a gated mlp (DINOv2 giant)"},
      {"blocks.0.attn.rel_pos_h", "relative positions (SAM)"},
  };
  char name[NAME];
  for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
    snprintf(name, NAME, "%s%s", r->prefix, foreign[i][0]);
    if (burl_weights_has(r->weights, name))
      return burl_fail(r->diag, BURL_ERR_UNSUPPORTED, burl_weights_get_path(r->weights),
                       "Use a DeiT, DINO or DINOv2 model of size S, B or L.",
                       "the tensor %s belongs to %s, which is not supported", name, foreign[i][1]);
  }
  return BURL_OK;
}

static burl_status get_shape(const reader *r, const char *name, size_t rank,
                             size_t shape[BURL_TENSOR_MAX_RANK]) {
  size_t found;
  if (!burl_weights_get_shape(r->weights, name, &found, shape))
    return burl_fail(r->diag, BURL_ERR_FORMAT, burl_weights_get_path(r->weights), CHECK_FILE,
                     "the tensor %s is missing", name);
  if (found != rank)
    return burl_fail(r->diag, BURL_ERR_FORMAT, burl_weights_get_path(r->weights), CHECK_FILE,
                     "the tensor %s has %zu dimensions, not %zu", name, found, rank);
  return BURL_OK;
}

static burl_status measure_patch(burl_vit *vit, const reader *r) {
  char name[NAME];
  size_t s[BURL_TENSOR_MAX_RANK];
  top_name(name, r, VIT_PATCH);
  burl_status status = get_shape(r, name, 4, s);
  if (status != BURL_OK) return status;
  if (s[0] == 0 || s[0] % VIT_HEAD || s[0] > VIT_MAX_WIDTH || s[1] != 3 || s[2] != s[3] ||
      s[2] == 0 || s[2] > VIT_MAX_PATCH)
    return burl_fail(r->diag, BURL_ERR_UNSUPPORTED, burl_weights_get_path(r->weights), CHECK_FILE,
                     "the tensor %s is (%zu,%zu,%zu,%zu); supported is (width,3,patch,patch) with "
                     "a width of whole %ds up to %d and a patch up to %d",
                     name, s[0], s[1], s[2], s[3], VIT_HEAD, VIT_MAX_WIDTH, VIT_MAX_PATCH);
  vit->width = s[0];
  vit->heads = s[0] / VIT_HEAD;
  vit->patch = s[2];
  return BURL_OK;
}

static burl_status measure_prefix(burl_vit *vit, const reader *r) {
  char name[NAME];
  size_t s[BURL_TENSOR_MAX_RANK];
  vit->has_class = has_top(r, VIT_CLASS);
  vit->has_distilled = vit->has_class && has_top(r, VIT_DISTILLED);
  vit->has_norm = has_top(r, VIT_NORM_GAIN);
  if (has_top(r, VIT_REGISTERS)) {
    top_name(name, r, VIT_REGISTERS);
    burl_status status = get_shape(r, name, 3, s);
    if (status != BURL_OK) return status;
    vit->registers = s[1];
  }
  size_t named = (size_t)vit->has_class + (size_t)vit->has_distilled;
  vit->prefix = named + vit->registers;
  if (vit->registers > VIT_MAX_PREFIX)
    return burl_fail(r->diag, BURL_ERR_UNSUPPORTED, burl_weights_get_path(r->weights), CHECK_FILE,
                     "the tensor %s holds %zu registers, more than %d", name, vit->registers,
                     VIT_MAX_PREFIX);
  top_name(name, r, VIT_POSITIONS);
  burl_status status = get_shape(r, name, 3, s);
  if (status != BURL_OK) return status;
  /* The table places patches alone, the named tokens too, or all of them; its grid is square. */
  const size_t placed[] = {0, named, vit->prefix};
  for (size_t i = 0; i < sizeof placed / sizeof *placed; i++)
    for (size_t side = 1; s[1] <= VIT_MAX_POSITIONS && placed[i] + side * side <= s[1]; side++)
      if (placed[i] + side * side == s[1]) {
        vit->side = side;
        vit->placed = placed[i];
        return BURL_OK;
      }
  return burl_fail(r->diag, BURL_ERR_UNSUPPORTED, burl_weights_get_path(r->weights), CHECK_FILE,
                   "the tensor %s places %zu tokens, which are no square grid, with %zu tokens "
                   "before it or without",
                   name, s[1], vit->prefix);
}

static burl_status measure_blocks(burl_vit *vit, const reader *r) {
  size_t there = 0, s[BURL_TENSOR_MAX_RANK];
  char name[NAME];
  while (there < VIT_MAX_DEPTH && has_in_block(r, there, VIT_NORM1_GAIN))
    there++;
  if (vit->depth > there)
    return burl_fail(r->diag, BURL_ERR_DATA, burl_weights_get_path(r->weights),
                     "Ask for a block that is there.",
                     "block %zu is asked for, but the file holds %zu", vit->depth, there);
  block_name(name, r, 0, VIT_FC1, NULL);
  burl_status status = get_shape(r, name, 2, s);
  if (status != BURL_OK) return status;
  if (s[0] == 0 || s[0] > 16 * VIT_MAX_WIDTH)
    return burl_fail(r->diag, BURL_ERR_UNSUPPORTED, burl_weights_get_path(r->weights), CHECK_FILE,
                     "the tensor %s has %zu rows; supported are 1 to %d", name, s[0],
                     16 * VIT_MAX_WIDTH);
  vit->hidden = s[0];
  vit->has_qkv_bias = has_in_block(r, 0, VIT_QKV_BIAS);
  vit->has_scale = has_in_block(r, 0, VIT_SCALE1);
  return BURL_OK;
}

/* The same requests in the same order for reserving and for taking. */
static float *request(burl_arena *arena, size_t count) {
  if (arena->block) return burl_arena_take(arena, count, sizeof(float));
  burl_arena_reserve(arena, count, sizeof(float));
  return NULL;
}

static uint16_t *request_half(burl_arena *arena, size_t count) {
  if (arena->block) return burl_arena_take(arena, count, sizeof(uint16_t));
  burl_arena_reserve(arena, count, sizeof(uint16_t));
  return NULL;
}

static size_t count_of(const burl_vit *vit, const char *letters) {
  size_t shape[BURL_TENSOR_MAX_RANK], count;
  burl_vit_shape(vit, letters, shape, &count);
  return count;
}

/* Floats that a tensor takes here. */
static size_t stored(const burl_vit *vit, const char *letters) {
  size_t n, k;
  if (burl_vit_is_packed(vit, letters, &n, &k)) return burl_num_packed_size(n, k);
  return count_of(vit, letters);
}

static void lay_out_block(burl_vit *vit, size_t b, int half) {
  for (int t = 0; t < VIT_BLOCK_TENSORS; t++) {
    const char *letters = burl_vit_block[t].shape;
    float *values = request(&vit->arena, stored(vit, letters));
    uint16_t *halves = half ? request_half(&vit->arena, count_of(vit, letters)) : NULL;
    if (!vit->block) continue;
    vit->block[b][t] = values;
    vit->half_block[b][t] = halves;
  }
}

static void lay_out(burl_vit *vit, int half) {
  if (vit->arena.block) {
    vit->block = burl_arena_take(&vit->arena, vit->depth, sizeof *vit->block);
    vit->half_block = burl_arena_take(&vit->arena, vit->depth, sizeof *vit->half_block);
  } else {
    burl_arena_reserve(&vit->arena, vit->depth, sizeof *vit->block);
    burl_arena_reserve(&vit->arena, vit->depth, sizeof *vit->half_block);
  }
  vit->first = request(&vit->arena, vit->prefix * vit->width);
  for (int t = 0; t < VIT_TOP_TENSORS; t++) {
    const char *letters = burl_vit_top[t].shape;
    if (!burl_vit_has_top(vit, (vit_top_tensor)t)) continue;
    vit->top[t] = request(&vit->arena, stored(vit, letters));
    if (half) vit->half_top[t] = request_half(&vit->arena, count_of(vit, letters));
  }
  for (size_t b = 0; b < vit->depth; b++)
    lay_out_block(vit, b, half);
}

/* To r->plain + from, where there is one; otherwise the shape alone is compared. */
static burl_status fetch(const reader *r, size_t from, const char *name, const size_t *shape,
                         size_t rank) {
  size_t found[BURL_TENSOR_MAX_RANK];
  if (r->plain) return burl_weights_get(r->weights, r->plain + from, name, shape, rank, r->diag);
  burl_status status = get_shape(r, name, rank, found);
  for (size_t i = 0; i < rank && status == BURL_OK; i++)
    if (found[i] != shape[i])
      status = burl_fail(r->diag, BURL_ERR_FORMAT, burl_weights_get_path(r->weights), CHECK_FILE,
                         "the tensor %s has %zu entries in dimension %zu where %zu fit the rest",
                         name, found[i], i + 1, shape[i]);
  return status;
}

/* From r->plain to its place, by way of 16 bits where it is to be saved. */
static burl_status store(const burl_vit *vit, const reader *r, float *values, uint16_t *half,
                         const char *letters) {
  size_t n, k, count = count_of(vit, letters);
  if (!r->plain) return BURL_OK;
  for (size_t i = 0; half && i < count; i++) {
    half[i] = burl_half_from_float(r->plain[i]);
    r->plain[i] = burl_half_to_float(half[i]);
    if (!isfinite(r->plain[i]))
      return burl_fail(r->diag, BURL_ERR_NUMERIC, burl_weights_get_path(r->weights),
                       "Leave the weights in their file.",
                       "a weight is above 65504, which float16 does not hold");
  }
  if (burl_vit_is_packed(vit, letters, &n, &k))
    burl_num_pack_rows(values, r->plain, k, n, k, 1.0f);
  else
    memcpy(values, r->plain, count * sizeof *values);
  return BURL_OK;
}

static burl_status read_top(burl_vit *vit, const reader *r) {
  burl_status status = BURL_OK;
  for (int t = 0; t < VIT_TOP_TENSORS && status == BURL_OK; t++) {
    char name[NAME];
    size_t shape[BURL_TENSOR_MAX_RANK], count;
    if (!burl_vit_has_top(vit, (vit_top_tensor)t)) continue;
    top_name(name, r, (vit_top_tensor)t);
    size_t rank = burl_vit_shape(vit, burl_vit_top[t].shape, shape, &count);
    status = fetch(r, 0, name, shape, rank);
    if (status == BURL_OK)
      status = store(vit, r, vit->top[t], vit->half_top[t], burl_vit_top[t].shape);
  }
  return status;
}

/* One tensor of a block, or the three that make it up. */
static burl_status read_in_block(const burl_vit *vit, const reader *r, size_t b,
                                 vit_block_tensor t) {
  static const char *const parts[] = {"query", "key", "value"};
  char name[NAME];
  size_t shape[BURL_TENSOR_MAX_RANK], count;
  size_t rank = burl_vit_shape(vit, burl_vit_block[t].shape, shape, &count);
  if (!is_split(r, t)) {
    block_name(name, r, b, t, NULL);
    return fetch(r, 0, name, shape, rank);
  }
  shape[0] = vit->width;
  burl_status status = BURL_OK;
  for (size_t i = 0; i < 3 && status == BURL_OK; i++) {
    block_name(name, r, b, t, parts[i]);
    status = fetch(r, i * (count / 3), name, shape, rank);
  }
  return status;
}

/* Scales and the bias of queries, keys and values may be missing: 1 and 0. */
static burl_status read_block(const burl_vit *vit, const reader *r, size_t b) {
  burl_status status = BURL_OK;
  for (int t = 0; t < VIT_BLOCK_TENSORS && status == BURL_OK; t++) {
    const char *letters = burl_vit_block[t].shape;
    float *values = vit->block ? vit->block[b][t] : NULL;
    if (burl_vit_has_in_block(vit, (vit_block_tensor)t)) {
      status = read_in_block(vit, r, b, (vit_block_tensor)t);
      uint16_t *half = vit->block ? vit->half_block[b][t] : NULL;
      if (status == BURL_OK) status = store(vit, r, values, half, letters);
    } else if (values) {
      for (size_t i = 0; i < stored(vit, letters); i++)
        values[i] = t == VIT_QKV_BIAS ? 0.0f : 1.0f;
    }
  }
  return status;
}

static burl_status read_all(burl_vit *vit, const reader *r) {
  burl_status status = read_top(vit, r);
  for (size_t b = 0; b < vit->depth && status == BURL_OK; b++)
    status = read_block(vit, r, b);
  return status;
}

/* The largest tensor before it is stored. */
static float *get_plain(const burl_vit *vit) {
  size_t most = 0;
  for (int t = 0; t < VIT_TOP_TENSORS; t++)
    if (burl_vit_has_top(vit, (vit_top_tensor)t) && stored(vit, burl_vit_top[t].shape) > most)
      most = stored(vit, burl_vit_top[t].shape);
  for (int t = 0; t < VIT_BLOCK_TENSORS; t++)
    if (stored(vit, burl_vit_block[t].shape) > most) most = stored(vit, burl_vit_block[t].shape);
  return burl_alloc(most, sizeof(float));
}

/* The tokens before those of patches do not depend on the image. */
static void make_first(burl_vit *vit) {
  size_t d = vit->width, at = 0;
  if (vit->has_class) memcpy(vit->first + d * at++, vit->top[VIT_CLASS], d * sizeof *vit->first);
  if (vit->has_distilled)
    memcpy(vit->first + d * at++, vit->top[VIT_DISTILLED], d * sizeof *vit->first);
  if (vit->registers)
    memcpy(vit->first + d * at, vit->top[VIT_REGISTERS], vit->registers * d * sizeof *vit->first);
  for (size_t i = 0; i < vit->placed * d; i++)
    vit->first[i] += vit->top[VIT_POSITIONS][i];
}

/* Shapes first, so that no more memory is asked for than the file can fill. */
burl_status burl_vit_load(burl_vit *vit, const burl_weights *weights, int half, burl_diag *diag) {
  reader r = {.weights = weights, .prefix = "", .diag = diag};
  burl_status status = find_naming(&r);
  if (status == BURL_OK) status = check_kind(&r);
  if (status == BURL_OK) status = measure_patch(vit, &r);
  if (status == BURL_OK) status = measure_prefix(vit, &r);
  if (status == BURL_OK) status = measure_blocks(vit, &r);
  if (status == BURL_OK) status = read_all(vit, &r);
  if (status != BURL_OK) return status;
  lay_out(vit, half);
  if (!burl_arena_open(&vit->arena)) return burl_fail_memory(diag, burl_weights_get_path(weights));
  lay_out(vit, half);
  r.plain = get_plain(vit);
  if (!r.plain) return burl_fail_memory(diag, burl_weights_get_path(weights));
  status = read_all(vit, &r);
  free(r.plain);
  if (status == BURL_OK) make_first(vit);
  return status;
}
