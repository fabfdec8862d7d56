/* From an image to the patch tokens of some blocks: Dosovitskiy et al. 2021, with what DeiT, CaiT
 * (scales of branches), DINO, DINOv2 and Darcet et al. 2024 (registers) added. docs/math/vit.md. */
#include "encode/vit_parts.h"
#include "num/attention.h"
#include "num/packed.h"
#include "num/tokens.h"

#include <stdlib.h>
#include <string.h>

#define LAYER_NORM_EPS 1e-6f

static size_t larger(size_t a, size_t b) {
  return a > b ? a : b;
}

static size_t smaller(size_t a, size_t b) {
  return a < b ? a : b;
}

/* The same requests in the same order for reserving and for taking. */
static void *request(burl_arena *arena, size_t rows, size_t cols, size_t size) {
  size_t count;
  if (!burl_size_mul(&count, rows, cols)) count = SIZE_MAX;
  if (arena->block) return burl_arena_take(arena, count, size);
  burl_arena_reserve(arena, count, size);
  return NULL;
}

static void lay_out(vit_workspace *w, const burl_vit *vit, size_t height, size_t width) {
  size_t cells = (height / vit->patch) * (width / vit->patch), tokens = cells + vit->prefix;
  size_t rows = smaller(tokens, VIT_ROWS), d = vit->width;
  size_t row = larger(vit->hidden, 3 * vit->patch * vit->patch);
  w->input = request(&w->arena, 3 * height, width, sizeof(float));
  w->positions = request(&w->arena, cells, d, sizeof(float));
  w->taps = request(&w->arena, 2, vit->side, sizeof(double));
  w->x = request(&w->arena, tokens, d, sizeof(float));
  w->y = request(&w->arena, tokens, d, sizeof(float));
  w->z = request(&w->arena, rows, d, sizeof(float));
  w->wide = request(&w->arena, larger(rows * row, tokens * 3 * d), 1, sizeof(float));
  size_t scratch = burl_num_attention_scratch(tokens, VIT_HEAD);
  w->scratch = request(&w->arena, scratch ? scratch : SIZE_MAX, 1, sizeof(float));
  for (size_t i = 0; i < vit->count; i++)
    w->map[i] = request(&w->arena, cells, d, sizeof(float));
}

/* Pixels are bounded so that no product above overflows: a token is less than 2^16 wide. */
vit_workspace *burl_vit_workspace_new(const burl_vit *vit, size_t height, size_t width) {
  size_t pixels;
  if (!burl_size_mul(&pixels, height, width) || pixels > SIZE_MAX >> 24) return NULL;
  vit_workspace *w = burl_alloc_zero(1, sizeof *w);
  if (!w) return NULL;
  lay_out(w, vit, height, width);
  if (!burl_arena_open(&w->arena)) {
    burl_vit_workspace_free(w);
    return NULL;
  }
  lay_out(w, vit, height, width);
  return w;
}

void burl_vit_workspace_free(vit_workspace *workspace) {
  if (!workspace) return;
  burl_arena_close(&workspace->arena);
  free(workspace);
}

/* patches (count, 3*patch*patch): pixels of the patches from `first` on, by channel and row, as the
 * weights have them. */
static void gather(float *patches, const float *input, size_t rows, size_t cols, size_t patch,
                   size_t first, size_t count) {
  size_t width = cols * patch, height = rows * patch;
  for (size_t i = first; i < first + count; i++)
    for (size_t c = 0; c < 3; c++)
      for (size_t y = 0; y < patch; y++, patches += patch)
        memcpy(patches, input + (c * height + i / cols * patch + y) * width + i % cols * patch,
               patch * sizeof *patches);
}

/* Tokens of an image: those of the prefix, then patches with their positions. */
static void embed(const burl_vit *vit, vit_workspace *w, size_t rows, size_t cols) {
  size_t d = vit->width, cells = rows * cols, pixels = 3 * vit->patch * vit->patch;
  if (w->rows != rows || w->cols != cols) {
    const float *table = vit->top[VIT_POSITIONS] + vit->placed * d;
    burl_vit_place(w->positions, w->taps, table, vit->side, rows, cols, d);
    w->rows = rows;
    w->cols = cols;
  }
  memcpy(w->x, vit->first, vit->prefix * d * sizeof *w->x);
  for (size_t i = 0; i < cells; i += VIT_ROWS) {
    size_t count = smaller(cells - i, VIT_ROWS);
    float *x = w->x + (vit->prefix + i) * d;
    burl_num_add_rows(x, w->positions + i * d, vit->top[VIT_PATCH_BIAS], count, d);
    gather(w->wide, w->input, rows, cols, vit->patch, i, count);
    burl_num_packed_product(x, d, w->wide, pixels, vit->top[VIT_PATCH], count, d, pixels, 1);
  }
}

/* Blocks of rows stay in the cache from one product to the next. */
static void project(const burl_vit *vit, vit_workspace *w, float *const *t, size_t n) {
  size_t d = vit->width;
  for (size_t i = 0; i < n; i += VIT_ROWS) {
    size_t count = smaller(n - i, VIT_ROWS);
    float *y = w->y + i * d, *qkv = w->wide + i * 3 * d;
    burl_num_layer_norm(y, w->x + i * d, t[VIT_NORM1_GAIN], t[VIT_NORM1_BIAS], LAYER_NORM_EPS,
                        count, d);
    burl_num_repeat_row(qkv, t[VIT_QKV_BIAS], count, 3 * d);
    burl_num_packed_product(qkv, 3 * d, y, d, t[VIT_QKV], count, 3 * d, d, 1);
  }
}

/* x += scale1 (proj attention(norm1 x)), then x += scale2 (fc2 gelu(fc1 norm2 x)). */
static void run_block(const burl_vit *vit, vit_workspace *w, float *const *t, size_t n) {
  size_t d = vit->width, hidden = vit->hidden;
  project(vit, w, t, n);
  burl_num_attention(w->y, w->scratch, w->wide, n, vit->heads, VIT_HEAD);
  for (size_t i = 0; i < n; i += VIT_ROWS) {
    size_t count = smaller(n - i, VIT_ROWS);
    float *x = w->x + i * d, *y = w->y + i * d;
    burl_num_packed_product(w->z, d, y, d, t[VIT_PROJ], count, d, d, 0);
    burl_num_add_branch(x, w->z, t[VIT_SCALE1], t[VIT_PROJ_BIAS], count, d);
    burl_num_layer_norm(y, x, t[VIT_NORM2_GAIN], t[VIT_NORM2_BIAS], LAYER_NORM_EPS, count, d);
    burl_num_packed_product(w->wide, hidden, y, d, t[VIT_FC1], count, hidden, d, 0);
    burl_num_bias_gelu(w->wide, t[VIT_FC1_BIAS], count, hidden);
    burl_num_packed_product(w->z, d, w->wide, hidden, t[VIT_FC2], count, d, hidden, 0);
    burl_num_add_branch(x, w->z, t[VIT_SCALE2], t[VIT_FC2_BIAS], count, d);
  }
}

static void give_out(const burl_vit *vit, const vit_workspace *w, float *map, size_t cells) {
  size_t d = vit->width;
  const float *x = w->x + vit->prefix * d;
  if (vit->has_norm)
    burl_num_layer_norm(map, x, vit->top[VIT_NORM_GAIN], vit->top[VIT_NORM_BIAS], LAYER_NORM_EPS,
                        cells, d);
  else
    memcpy(map, x, cells * d * sizeof *map);
}

void burl_vit_run(const burl_vit *vit, vit_workspace *w, size_t rows, size_t cols) {
  size_t cells = rows * cols;
  embed(vit, w, rows, cols);
  for (size_t b = 0; b < vit->depth; b++) {
    run_block(vit, w, vit->block[b], cells + vit->prefix);
    for (size_t i = 0; i < vit->count; i++)
      if ((size_t)vit->layer[i] == b + 1) give_out(vit, w, w->map[i], cells);
  }
}
