/* encode/texture_parts.h: what the files of the texture encoder share. */
#ifndef BURL_ENCODE_TEXTURE_PARTS_H
#define BURL_ENCODE_TEXTURE_PARTS_H

#include "base/memory.h"
#include "encode/encoder.h"
#include "encode/filter_bank.h"

enum {
  TEXTURE_LEVELS = 5,
  TEXTURE_FINE = TEXTURE_LEVELS, /* index of the fine group */
  TEXTURE_GROUPS,
  TEXTURE_BANDS = 3, /* dimension of the fine group */
  TEXTURE_PAD = 32   /* floats past a plane that vector loads may touch */
};

typedef struct texture_group {
  int present;
  float mean[BURL_TEXTURE_DIM];
  float
      whiten[BURL_TEXTURE_DIM * BURL_TEXTURE_DIM]; /* (d,d): out_k = sum_j (in_j - mean_j) w[j,k] */
} texture_group;

typedef struct burl_texture {
  burl_encoder base;
  float filters[TEXTURE_LEVELS][BURL_FILTER_COUNT * BURL_FILTER_TAPS]; /* (12,5,5), as saved */
  float taps[TEXTURE_LEVELS][BURL_FILTER_TAPS * BURL_FILTER_COUNT];    /* (25,12), as used */
  texture_group group[TEXTURE_GROUPS];
} burl_texture;

struct burl_encoder_workspace {
  burl_arena arena;
  float *level[TEXTURE_LEVELS]; /* pyramid of the normalised region */
  size_t height[TEXTURE_LEVELS], width[TEXTURE_LEVELS];
  float *row;                        /* a row for the pyramid */
  float *scratch;                    /* of the filter bank */
  float *planes, *white;             /* (13, cells of a row), before and after whitening */
  float *half[2];                    /* two planes at stride 2, for the fine group */
  float *quarter[TEXTURE_BANDS + 1]; /* planes at stride 4 */
  float *map[TEXTURE_GROUPS];        /* (rows, cols, dim) */
};

extern const size_t burl_texture_stride[TEXTURE_GROUPS];
extern const burl_pooling burl_texture_pooling[TEXTURE_LEVELS];
size_t burl_texture_dim(size_t group);
/* Pixels a side that a patch sees. */
size_t burl_texture_field(size_t group);

burl_encoder_workspace *burl_texture_workspace_new(const burl_encoder *self, size_t height,
                                                   size_t width);
void burl_texture_workspace_free(burl_encoder_workspace *workspace);

/* Fills the pyramid with the region: grey, x <- 0.1 (x - mean)/deviation of the image. */
void burl_texture_load_region(burl_encoder_workspace *workspace, const burl_view *view,
                              burl_rect region);
/* Feature maps of the loaded pyramid; whitened unless `raw`. */
void burl_texture_extract(const burl_texture *self, burl_encoder_workspace *workspace,
                          const burl_view *view, burl_rect region, int raw, burl_feature_map *maps);

size_t burl_texture_count_statistics(const burl_encoder *self, size_t pass);
void burl_texture_learn(const burl_encoder *self, burl_encoder_workspace *workspace, size_t pass,
                        const burl_lesson *lesson, double *statistics);
burl_status burl_texture_learned(burl_encoder *self, size_t pass, const double *statistics);
/* taps from filters. */
void burl_texture_arrange(burl_texture *self);

#endif
