/* From a region's pixels to its feature maps.
 *
 * Levels 0..4: filter energies and mean of the pyramid's levels (encode/filter_bank.h), at strides
 * 4, 4, 4, 8 and 16 pixels. Fine group: signed differences of neighbouring pyramid levels (their
 * blurs have standard deviations 1, 2.2, 4.6 and 9.2 pixels), brought to stride 2, averaged to
 * stride 4: specks of a few pixels keep their sign and size there, which rectified and pooled
 * energies smear away. */
#include "encode/pyramid.h"
#include "encode/texture_parts.h"
#include "num/simd.h"

#include <stdlib.h>
#include <string.h>

const size_t burl_texture_stride[TEXTURE_GROUPS] = {4, 4, 4, 8, 16, 4};
const burl_pooling burl_texture_pooling[TEXTURE_LEVELS] = {
    {2, 2, 5}, {1, 2, 5}, {1, 1, 3}, {1, 1, 3}, {1, 1, 3}};

#define CONTRAST 0.1 /* standard deviation of the normalised image */

size_t burl_texture_dim(size_t group) {
  return group == TEXTURE_FINE ? TEXTURE_BANDS : BURL_TEXTURE_DIM;
}

/* A box of filters on a level whose pixels are blurs of 4 (2^l - 1) + 1 pixels. Of the fine group
 * the widest blur counts, to two standard deviations either way. */
size_t burl_texture_field(size_t group) {
  const size_t widest_blur = 37;
  if (group == TEXTURE_FINE) return widest_blur;
  const burl_pooling *p = &burl_texture_pooling[group];
  size_t reach = (p->box - 1) * p->step + BURL_FILTER_SIDE - 1;
  return (reach << group) + 4 * (((size_t)1 << group) - 1) + 1;
}

static size_t cells(size_t pixels, size_t stride) {
  return (pixels + stride - 1) / stride;
}

/* The same requests in the same order for reserving and for taking. */
static void *request(burl_arena *arena, size_t count) {
  if (arena->block) return burl_arena_take(arena, count, sizeof(float));
  burl_arena_reserve(arena, count, sizeof(float));
  return NULL;
}

static void lay_out(burl_encoder_workspace *w, size_t height, size_t width) {
  for (size_t l = 0, h = height, n = width; l < TEXTURE_LEVELS;
       l++, h = (h + 1) / 2, n = (n + 1) / 2)
    w->level[l] = request(&w->arena, h * n + TEXTURE_PAD);
  w->row = request(&w->arena, width + TEXTURE_PAD);
  w->scratch = request(&w->arena, burl_filter_bank_scratch(width));
  w->planes = request(&w->arena, BURL_TEXTURE_DIM * cells(width, 4));
  w->white = request(&w->arena, BURL_TEXTURE_DIM * cells(width, 4));
  for (int i = 0; i < 2; i++)
    w->half[i] = request(&w->arena, cells(height, 2) * cells(width, 2));
  for (int i = 0; i <= TEXTURE_BANDS; i++)
    w->quarter[i] = request(&w->arena, cells(height, 4) * cells(width, 4));
  for (size_t g = 0; g < TEXTURE_GROUPS; g++) {
    size_t stride = burl_texture_stride[g];
    w->map[g] =
        request(&w->arena, cells(height, stride) * cells(width, stride) * burl_texture_dim(g));
  }
}

burl_encoder_workspace *burl_texture_workspace_new(const burl_encoder *self, size_t height,
                                                   size_t width) {
  (void)self;
  burl_encoder_workspace *w = burl_alloc_zero(1, sizeof *w);
  if (!w) return NULL;
  lay_out(w, height, width);
  if (!burl_arena_open(&w->arena)) {
    burl_texture_workspace_free(w);
    return NULL;
  }
  memset(w->arena.block, 0, w->arena.size);
  lay_out(w, height, width);
  return w;
}

void burl_texture_workspace_free(burl_encoder_workspace *workspace) {
  if (!workspace) return;
  burl_arena_close(&workspace->arena);
  free(workspace);
}

void burl_texture_load_region(burl_encoder_workspace *w, const burl_view *view, burl_rect region) {
  float *pixels = w->level[0];
  size_t count = region.height * region.width;
  burl_image_get_grey(view->image, pixels, region.width, region.y, region.x, region.height,
                      region.width);
  float scale = view->deviation > 0.0 ? (float)(CONTRAST / view->deviation) : 0.0f;
  float mean = (float)view->mean;
  for (size_t i = 0; i < count; i++)
    pixels[i] = (pixels[i] - mean) * scale;
  w->height[0] = region.height;
  w->width[0] = region.width;
  for (size_t l = 1; l < TEXTURE_LEVELS; l++) {
    w->height[l] = (w->height[l - 1] + 1) / 2;
    w->width[l] = (w->width[l - 1] + 1) / 2;
    burl_pyramid_down(w->level[l], w->row, w->level[l - 1], w->height[l - 1], w->width[l - 1]);
  }
}

/* white (d, n) = whitened planes (d, n), leading dimension ld for both. */
BURL_CLONES
static void whiten(float *restrict white, const float *restrict planes, size_t ld, size_t n,
                   const texture_group *group, size_t d) {
  for (size_t k = 0; k < d; k++) {
    float *out = white + k * ld;
    for (size_t i = 0; i < n; i++)
      out[i] = 0.0f;
    for (size_t j = 0; j < d; j++) {
      const float *in = planes + j * ld;
      float mean = group->mean[j], weight = group->whiten[j * d + k];
      for (size_t i = 0; i < n; i++)
        out[i] += (in[i] - mean) * weight;
    }
  }
}

/* Cells of one row from planes (d, n) to embeddings (n, d). */
static void interleave(float *restrict out, const float *restrict planes, size_t ld, size_t n,
                       size_t d) {
  for (size_t i = 0; i < n; i++)
    for (size_t k = 0; k < d; k++)
      out[i * d + k] = planes[k * ld + i];
}

static void extract_level(const burl_texture *self, burl_encoder_workspace *w, size_t l, int raw,
                          burl_feature_map *map) {
  size_t first, last, d = BURL_TEXTURE_DIM, n = map->cols;
  const burl_pooling *pooling = &burl_texture_pooling[l];
  if ((!raw && !self->group[l].present) ||
      burl_pooling_cells(pooling, w->height[l], &first, &last) == 0 ||
      burl_pooling_cells(pooling, w->width[l], &first, &last) == 0) {
    map->rows = map->cols = 0;
    return;
  }
  burl_filter_bank bank;
  burl_filter_bank_begin(&bank, w->level[l], w->height[l], w->width[l], self->taps[l], pooling,
                         w->scratch);
  for (size_t i = 0; i < map->rows; i++) {
    burl_filter_bank_pool(&bank, w->planes, n, i);
    if (!raw) whiten(w->white, w->planes, n, n, &self->group[l], d);
    interleave(map->data + i * n * d, raw ? w->planes : w->white, n, n, d);
  }
}

static size_t mirror(size_t i, size_t n) {
  return i < n ? i : n >= 2 ? 2 * n - 2 - i : 0;
}

/* out ((h+1)/2,(w+1)/2) = in (h,w) under [1 2 1]/4 both ways at every other sample. */
static void average_down(float *restrict out, const float *restrict in, size_t h, size_t w) {
  size_t oh = (h + 1) / 2, ow = (w + 1) / 2;
  for (size_t y = 0; y < oh; y++) {
    const float *b = in + 2 * y * w, *c = in + mirror(2 * y + 1, h) * w;
    const float *a = y > 0 ? b - w : c;
    for (size_t x = 0; x < ow; x++) {
      size_t m = 2 * x, r = mirror(m + 1, w), l = x > 0 ? m - 1 : r;
      float left = a[l] + 2.0f * b[l] + c[l], right = a[r] + 2.0f * b[r] + c[r];
      out[y * ow + x] = 0.0625f * (left + 2.0f * (a[m] + 2.0f * b[m] + c[m]) + right);
    }
  }
}

/* Brings level l to stride 2 by repeated bilinear widening and averages it to stride 4. */
static void bring_to_quarter(burl_encoder_workspace *w, size_t l, float *out) {
  const float *from = w->level[l];
  for (size_t k = l; k > 1; k--) {
    float *to = w->half[k % 2];
    burl_pyramid_up(to, from, w->height[k - 1], w->width[k - 1]);
    from = to;
  }
  average_down(out, from, w->height[1], w->width[1]);
}

static void extract_fine(const burl_texture *self, burl_encoder_workspace *w, int raw,
                         burl_feature_map *map) {
  if (!raw && !self->group[TEXTURE_FINE].present) {
    map->rows = map->cols = 0;
    return;
  }
  for (size_t i = 0; i <= TEXTURE_BANDS; i++)
    bring_to_quarter(w, i + 1, w->quarter[i]);
  size_t n = map->cols;
  for (size_t i = 0; i < map->rows; i++) {
    for (size_t k = 0; k < TEXTURE_BANDS; k++)
      for (size_t c = 0; c < n; c++)
        w->planes[k * n + c] = w->quarter[k][i * n + c] - w->quarter[k + 1][i * n + c];
    if (!raw) whiten(w->white, w->planes, n, n, &self->group[TEXTURE_FINE], TEXTURE_BANDS);
    interleave(map->data + i * n * TEXTURE_BANDS, raw ? w->planes : w->white, n, n, TEXTURE_BANDS);
  }
}

void burl_texture_extract(const burl_texture *self, burl_encoder_workspace *w,
                          const burl_view *view, burl_rect region, int raw,
                          burl_feature_map *maps) {
  for (size_t g = 0; g < TEXTURE_GROUPS; g++) {
    size_t stride = burl_texture_stride[g];
    maps[g] = (burl_feature_map){.rows = cells(region.height, stride),
                                 .cols = cells(region.width, stride),
                                 .dim = burl_texture_dim(g),
                                 .stride = stride,
                                 .row = region.y / stride,
                                 .col = region.x / stride,
                                 .all_rows = cells(view->image->height, stride),
                                 .all_cols = cells(view->image->width, stride),
                                 .data = w->map[g]};
    if (g == TEXTURE_FINE)
      extract_fine(self, w, raw, &maps[g]);
    else
      extract_level(self, w, g, raw, &maps[g]);
  }
}
