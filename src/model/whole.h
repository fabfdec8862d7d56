/* model/whole.h: models that look at whole images at one size, as published methods do.
 *
 * An image is brought to side x side pixels, encoded as one region and scored by every member;
 * its raw map is the mean of the members' maps, each widened to the image bilinearly. No rings, no
 * roots, no smoothing.
 */
#ifndef BURL_MODEL_WHOLE_H
#define BURL_MODEL_WHOLE_H

#include "model/model_parts.h"

/* Working memory for one image at a time. */
typedef struct burl_whole_worker {
  const burl_model *model;
  burl_encoder_workspace *workspace;
  burl_arena arena;
  float *pixels;             /* (side, side, 3) */
  float *places;             /* (cells of the finest grid, 2) */
  float *map[MODEL_MEMBERS]; /* of members that are there */
  void *scratch;             /* of the bank that needs most */
} burl_whole_worker;

/* Pixels a side that images are brought to; 0 for models that look at tiles. */
size_t burl_model_get_side(const burl_bank_options *options);
/* Groups whose maps such a model looks at: those of stride 8 and 16. */
int burl_whole_looks_at(const burl_encoder *encoder, size_t group);

/* Errors: BURL_ERR_MEMORY, BURL_ERR_SIZE. A zero worker may be closed. */
burl_status burl_whole_worker_open(burl_whole_worker *worker,
                                   const burl_model *model) BURL_MUST_CHECK;
void burl_whole_worker_close(burl_whole_worker *worker);

/* heat (height,width) = scale * (raw - offset), *score its maximum. Allocates nothing. Errors:
 * BURL_ERR_NUMERIC (a sample is not finite). */
burl_status burl_whole_score(burl_whole_worker *worker, float *heat, double *score,
                             const burl_image *image, double offset, double scale) BURL_MUST_CHECK;

/* heat (height,width) += weight * map (rows,cols), bilinear, `corners` as in burl_pradot_settings.
 */
void burl_map_widen(float *heat, size_t height, size_t width, const float *map, size_t rows,
                    size_t cols, int corners, float weight);

#endif
