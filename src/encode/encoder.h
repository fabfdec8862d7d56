/* encode/encoder.h: the interface that every encoder implements.
 *
 * An encoder turns a region of an image into feature maps, one for each of its groups. It may be
 * learned first, in streaming passes: each pass adds up statistics (a flat array of doubles) over
 * regions, sums over images and processes are plain additions, and `learned` turns the total into
 * parameters.
 */
#ifndef BURL_ENCODE_ENCODER_H
#define BURL_ENCODE_ENCODER_H

#include "base/safetensors.h"
#include "image/tiles.h"
#include <burl/encode.h>

#define BURL_MAX_GROUPS 12
#define BURL_MAX_PARTS 3 /* encoders that are fused */

struct burl_phase;

/* An image with what a region must know of the whole. */
typedef struct burl_view {
  const burl_image *image;
  double mean, deviation;         /* of the grey; deviation is 0 for a constant image */
  const struct burl_phase *phase; /* where it lies in the lattice of a print, NULL if unknown */
} burl_view;

/* Without a phase. Errors: BURL_ERR_NUMERIC (a float sample is not finite). The image is borrowed.
 */
burl_status burl_view_open(burl_view *view, const burl_image *image) BURL_MUST_CHECK;

typedef struct burl_group {
  const char *name;
  size_t stride, dim;
  size_t half_offset; /* as in burl_feature_map */
  size_t field;       /* pixels a side that a patch sees, about */
  int present;        /* 0: the training images were too small for this group */
} burl_group;

typedef struct burl_encoder burl_encoder;
typedef struct burl_encoder_workspace burl_encoder_workspace;

/* One image's region on its way through a learning pass; only cells with their centre in `core`
 * count. `key` tells regions apart for random sampling. */
typedef struct burl_lesson {
  const burl_view *view;
  burl_rect core, region;
  uint64_t seed, key;
  /* Whether pixel (y,x) of the image is to teach nothing; NULL: all of them teach. */
  int (*is_left_out)(const void *context, size_t y, size_t x);
  const void *context;
} burl_lesson;

typedef struct burl_encoder_ops {
  const char *name;
  size_t groups, passes;
  size_t alignment,
      halo; /* regions start at multiples of alignment; exact beyond halo from a cut edge */
  void (*free)(burl_encoder *self);
  burl_group (*get_group)(const burl_encoder *self, size_t group);
  /* From now on the group is not present: neither encoded nor saved. */
  void (*leave_out)(burl_encoder *self, size_t group);

  /* Working memory for regions up to height x width; NULL where there is none. */
  burl_encoder_workspace *(*workspace_new)(const burl_encoder *self, size_t height, size_t width);
  void (*workspace_free)(burl_encoder_workspace *workspace);

  size_t (*count_statistics)(const burl_encoder *self, size_t pass);
  void (*learn)(const burl_encoder *self, burl_encoder_workspace *workspace, size_t pass,
                const burl_lesson *lesson, double *statistics);
  /* Errors: BURL_ERR_DATA (nothing was learned), BURL_ERR_NUMERIC, BURL_ERR_MEMORY. */
  burl_status (*learned)(burl_encoder *self, size_t pass, const double *statistics);

  /* maps (groups): data is borrowed from the workspace and valid until its next use. A group whose
   * filters do not fit into the region has rows == 0. */
  void (*encode)(const burl_encoder *self, burl_encoder_workspace *workspace, const burl_view *view,
                 burl_rect region, burl_feature_map *maps);

  burl_status (*save)(const burl_encoder *self, burl_safetensors_writer *writer);
} burl_encoder_ops;

struct burl_encoder {
  const burl_encoder_ops *ops;
};

/* The pixel in the middle of row or column `cell` of the whole image's grid, `pixels` long. */
static inline size_t burl_feature_map_pixel(const burl_feature_map *map, size_t cell,
                                            size_t pixels) {
  size_t at = cell * map->stride + map->half_offset / 2;
  return at < pixels ? at : pixels - 1;
}

/* The cells of a map that begin in `core`, as [row0,row1) x [col0,col1) of the map. */
typedef struct burl_cells {
  size_t row0, row1, col0, col1;
} burl_cells;
burl_cells burl_feature_map_cells_in(const burl_feature_map *map, burl_rect core);

#endif
