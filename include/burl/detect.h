/* burl/detect.h: from a heat map to defects: proposals.
 *
 * Cutting a heat map at a level leaves regions (8-connected); cutting it at all levels leaves the
 * nodes of a tree, the component tree, since regions only grow and join as the level falls. A
 * proposal is a node that stands out from what surrounds it and changes little with the level.
 * There is no smallest size: a speck of ten pixels and a streak across the cloth are both regions.
 * Source: docs/math/detect.md.
 *
 * Coordinates are those of the image's pixels: pixel (y,x) covers x..x+1 by y..y+1, so a box round
 * one pixel has sides of 1.
 */
#ifndef BURL_DETECT_H
#define BURL_DETECT_H

#include <burl/base.h>
#include <burl/heat.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct burl_box {
  float x0, y0, x1, y1; /* x0 <= x1, y0 <= y1 */
} burl_box;

/* The area that two boxes share, by the area that they cover together: 0..1. Boxes without area
 * share nothing. */
BURL_API float burl_box_iou(const burl_box *a, const burl_box *b);

/* A rectangle at an angle. The long side runs along (cos angle, sin angle), x to the right and y
 * down. */
typedef struct burl_oriented_box {
  float x, y;          /* its centre */
  float length, width; /* length >= width */
  float angle;         /* degrees, above -90 up to 90 */
} burl_oriented_box;

/* Pixels begin..end-1 of one row, as pixel numbers y * width + x. */
typedef struct burl_span {
  uint32_t begin, end;
} burl_span;

typedef struct burl_proposal {
  burl_box box;               /* round the mask: whole numbers */
  burl_oriented_box oriented; /* the rectangle of least area round the mask */
  double score;               /* the largest heat inside */
  double mean;                /* of the heat inside */
  double level;               /* where the map was cut: what is inside is at least that hot */
  double stability;           /* 0..1: how little its area changes when the level falls */
  double quality;             /* 0..1: how good an outline it is; see docs/math/detect.md */
  size_t area;                /* pixels of the mask */
  const burl_span *spans;     /* (span_count), the mask row by row; borrowed */
  size_t span_count;
} burl_proposal;

#define BURL_PROPOSALS_MOST 100000

typedef struct burl_proposal_options {
  double floor;    /* heat below this belongs to no proposal: above 0 */
  double contrast; /* a region's peak over where it joins a hotter one, at least: from 1 */
  double spacing;  /* of regions inside each other each has so many times the area of the next */
  size_t most;     /* proposals: 1..BURL_PROPOSALS_MOST */
} burl_proposal_options;

/* floor 0.5 (half the threshold of a calibrated map), contrast 1.1, spacing 1.3, most 1,000. */
BURL_API burl_proposal_options burl_proposal_default_options(void);

/* The proposals of a heat map (height, width), best first: by score * quality, then by place. A map
 * without heat, one that is not a number anywhere or has no pixel has no proposal. What is not a
 * number belongs to no region; infinite heat counts as the largest number there is. Time is linear
 * in the pixels, memory in those at or above the floor, up to 2^23: where more are, the floor is
 * raised until they are few enough. The same bytes for the same map.
 * Errors: BURL_ERR_ARGUMENT (an option), BURL_ERR_SIZE (2^31 pixels or more), BURL_ERR_MEMORY. */
typedef struct burl_proposals burl_proposals;
BURL_API burl_status burl_proposals_new(burl_proposals **self, const float *heat, size_t height,
                                        size_t width,
                                        const burl_proposal_options *options) BURL_MUST_CHECK;
BURL_API void burl_proposals_free(burl_proposals *self);
BURL_API size_t burl_proposals_get_count(const burl_proposals *self);
/* (count), borrowed, in their order. */
BURL_API const burl_proposal *burl_proposals_get(const burl_proposals *self);

/* Patch embeddings of an image of `width` pixels a row: cell (i,j) of (rows, cols, dimension) has
 * its centre at pixel (offset + i*stride, offset + j*stride); see burl/model_embed.h. */
typedef struct burl_embedding {
  const float *values;
  size_t rows, cols, dimension, stride;
  double offset;
  size_t width;
} burl_embedding;

/* feature (dimension): the mean over the pixels of the mask of the embedding of the cell nearest to
 * each. The grid must have a cell and the stride be above 0, which is asserted. */
BURL_API void burl_proposal_get_feature(float *feature, const burl_proposal *proposal,
                                        const burl_embedding *embedding);

/* The kind of defect that most pixels of the mask look like; kinds (height, width) as
 * burl_scorer_score_kinds writes them. Of as many pixels the kind that is listed first. */
BURL_API burl_kind burl_proposal_get_kind(const burl_proposal *proposal,
                                          const unsigned char *kinds);

#ifdef __cplusplus
}
#endif
#endif
