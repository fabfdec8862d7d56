/* From an image to the patch tokens of some blocks: Dosovitskiy et al. 2021, with what DeiT, CaiT
 * (scales of branches), DINO, DINOv2 and Darcet et al. 2024 (registers) added. docs/math/vit.md. */
#include "encode/vit_parts.h"
#include "num/attention.h"
#include "num/gemm.h"
#include "num/tokens.h"

#include <stdlib.h>
#include <string.h>

#define LAYER_NORM_EPS 1e-6f

static size_t larger(size_t a, size_t b) {
  return a > b ? a : b;
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
  size_t widest = larger(larger(3 * vit->width, vit->hidden), 3 * vit->patch * vit->patch);
  w->input = request(&w->arena, 3 * height, width, sizeof(float));
  w->positions = request(&w->arena, cells, vit->width, sizeof(float));
  w->taps = request(&w->arena, 2, vit->side, sizeof(double));
  w->x = request(&w->arena, tokens, vit->width, sizeof(float));
  w->y = request(&w->arena, tokens, vit->width, sizeof(float));
  w->z = request(&w->arena, tokens, vit->width, sizeof(float));
  w->wide = request(&w->arena, tokens, widest, sizeof(float));
  size_t scratch = burl_num_attention_scratch(tokens);
  w->scratch = request(&w->arena, scratch ? scratch : SIZE_MAX, 1, sizeof(float));
  for (size_t i = 0; i < vit->count; i++)
    w->map[i] = request(&w->arena, cells, vit->width, sizeof(float));
}

vit_workspace *burl_vit_workspace_new(const burl_vit *vit, size_t height, size_t width) {
  size_t pixels;
  if (!burl_size_mul(&pixels, height, width) || pixels > SIZE_MAX / 64) return NULL;
  vit_workspace *w = burl_alloc_zero(1, sizeof *w);
  if (!w) return NULL;
  lay_out(w, vit, height, width);
  if (!burl_arena_open(&w->arena)) {
    burl_vit_workspace_free(w);
    return NULL;
  }
  lay_out(w, vit, height, width);
  w->pixels = pixels;
  return w;
}

void burl_vit_workspace_free(vit_workspace *workspace) {
  if (!workspace) return;
  burl_arena_close(&workspace->arena);
  free(workspace);
}

/* patches (cells, 3*patch*patch): the pixels of each, by channel and row, as the weights have them.
 */
static void gather(float *patches, const float *input, size_t rows, size_t cols, size_t patch) {
  size_t width = cols * patch, height = rows * patch;
  for (size_t i = 0; i < rows; i++)
    for (size_t j = 0; j < cols; j++)
      for (size_t c = 0; c < 3; c++)
        for (size_t y = 0; y < patch; y++, patches += patch)
          memcpy(patches, input + (c * height + i * patch + y) * width + j * patch,
                 patch * sizeof *patches);
}

/* y (n, out) = beta y + x (n, in) M^T. */
static burl_status multiply(float *y, const float *x, const float *matrix, size_t n, size_t out,
                            size_t in, float beta) {
  return burl_num_sgemm(y, out, x, in, BURL_NUM_PLAIN, matrix, in, BURL_NUM_TRANSPOSED, n, out, in,
                        1.0f, beta);
}

/* Tokens of an image: those of the prefix, then patches with their positions. */
static burl_status embed(const burl_vit *vit, vit_workspace *w, size_t rows, size_t cols) {
  size_t d = vit->width, cells = rows * cols;
  if (w->rows != rows || w->cols != cols) {
    const float *table = vit->top[VIT_POSITIONS] + vit->placed * d;
    burl_vit_place(w->positions, w->taps, table, vit->side, rows, cols, d);
    w->rows = rows;
    w->cols = cols;
  }
  float *x = w->x + vit->prefix * d;
  memcpy(w->x, vit->first, vit->prefix * d * sizeof *x);
  memcpy(x, w->positions, cells * d * sizeof *x);
  for (size_t i = 0; i < cells; i++)
    for (size_t j = 0; j < d; j++)
      x[i * d + j] += vit->top[VIT_PATCH_BIAS][j];
  gather(w->wide, w->input, rows, cols, vit->patch);
  return multiply(x, w->wide, vit->top[VIT_PATCH], cells, d, 3 * vit->patch * vit->patch, 1.0f);
}

/* x += scale1 (proj attention(norm1 x)), then x += scale2 (fc2 gelu(fc1 norm2 x)). */
static burl_status run_block(const burl_vit *vit, vit_workspace *w, size_t b, size_t n) {
  float *const *t = vit->block[b];
  size_t d = vit->width, hidden = vit->hidden;
  burl_num_layer_norm(w->y, w->x, t[VIT_NORM1_GAIN], t[VIT_NORM1_BIAS], LAYER_NORM_EPS, n, d);
  burl_num_repeat_row(w->wide, t[VIT_QKV_BIAS], n, 3 * d);
  burl_status status = multiply(w->wide, w->y, t[VIT_QKV], n, 3 * d, d, 1.0f);
  if (status == BURL_OK)
    status = burl_num_attention(w->y, w->scratch, w->wide, n, vit->heads, VIT_HEAD);
  if (status == BURL_OK) status = multiply(w->z, w->y, t[VIT_PROJ], n, d, d, 0.0f);
  if (status != BURL_OK) return status;
  burl_num_add_branch(w->x, w->z, t[VIT_SCALE1], t[VIT_PROJ_BIAS], n, d);
  burl_num_layer_norm(w->y, w->x, t[VIT_NORM2_GAIN], t[VIT_NORM2_BIAS], LAYER_NORM_EPS, n, d);
  status = multiply(w->wide, w->y, t[VIT_FC1], n, hidden, d, 0.0f);
  if (status != BURL_OK) return status;
  burl_num_bias_gelu(w->wide, t[VIT_FC1_BIAS], n, hidden);
  status = multiply(w->z, w->wide, t[VIT_FC2], n, d, hidden, 0.0f);
  if (status == BURL_OK) burl_num_add_branch(w->x, w->z, t[VIT_SCALE2], t[VIT_FC2_BIAS], n, d);
  return status;
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

burl_status burl_vit_run(const burl_vit *vit, vit_workspace *w, size_t rows, size_t cols) {
  size_t cells = rows * cols;
  burl_status status = embed(vit, w, rows, cols);
  for (size_t b = 0; b < vit->depth && status == BURL_OK; b++) {
    status = run_block(vit, w, b, cells + vit->prefix);
    for (size_t i = 0; i < vit->count && status == BURL_OK; i++)
      if ((size_t)vit->layer[i] == b + 1) give_out(vit, w, w->map[i], cells);
  }
  return status;
}
