/* model/model_parts.h: the inside of a model, shared by fitting, scoring and files. */
#ifndef BURL_MODEL_MODEL_PARTS_H
#define BURL_MODEL_MODEL_PARTS_H

#include "base/memory.h"
#include "encode/encoder.h"
#include "encode/texture.h"
#include "heat/heat_map.h"
#include "heat/threshold.h"
#include "prototype/bank.h"
#include <burl/model.h>

enum {
  MODEL_FORMAT = 1,
  TILE_CORE = 1024, /* pixels; a multiple of every encoder's alignment */
  MAX_FOLDS = 5     /* of the cross-fit behind the calibration */
};

struct burl_model {
  burl_encoder *encoder;
  burl_bank *bank[BURL_MAX_GROUPS]; /* NULL for groups that are not present */
  burl_ring_scale scale[BURL_MAX_GROUPS];
  burl_fit_options options; /* threads 0 */
  burl_threshold threshold;
  double typical;
  size_t images, calibration_images;
  uint32_t data_checksum;
  char *fitted_by; /* version of the library */
  char *json;
};

/* Working memory for one tile at a time. */
typedef struct tile_worker {
  const burl_encoder *encoder;
  burl_encoder_workspace *workspace;
  burl_arena arena;
  float *distance;  /* cells of the finest grid */
  float *positions; /* (cells, 2) */
  float *grid, *scratch;
} tile_worker;

/* Errors: BURL_ERR_MEMORY. A zero worker may be closed. */
burl_status burl_tile_worker_open(tile_worker *worker, const burl_encoder *encoder) BURL_MUST_CHECK;
void burl_tile_worker_close(tile_worker *worker);

burl_tiling burl_model_tiling(const burl_encoder *encoder, size_t height, size_t width);

/* Square roots of the distances of one map's patches to a bank, into worker->distance. The root
 * evens out the long upper tail of distances, so that the sum over groups is not ruled by the one
 * group that saw something odd; docs/benchmarks.md says how that was chosen. */
void burl_tile_distances(tile_worker *worker, const burl_bank *bank, const burl_view *view,
                         const burl_feature_map *map);

/* The smoothed sum of the groups' standardised distances over a region, in worker->grid. */
burl_heat_grid burl_tile_score(tile_worker *worker, burl_bank *const *bank,
                               const burl_ring_scale *scale, const burl_view *view,
                               burl_rect region);

/* burl_scorer_score by workers first..first+threads-1 alone: others may score other images meanwhile. */
burl_status burl_scorer_score_by(burl_scorer *scorer, int first, int threads, float *heat,
                                 double *score, const burl_image *image,
                                 burl_diag *diag) BURL_MUST_CHECK;

/* An empty model, NULL where there is no memory. */
burl_model *burl_model_new(void);

/* Fills model->json from the other members. Errors: BURL_ERR_MEMORY. */
burl_status burl_model_describe(burl_model *model) BURL_MUST_CHECK;

#endif
