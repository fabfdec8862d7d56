/* model/model_parts.h: the inside of a model, shared by fitting, scoring and files. */
#ifndef BURL_MODEL_MODEL_PARTS_H
#define BURL_MODEL_MODEL_PARTS_H

#include "base/memory.h"
#include "encode/encoder.h"
#include "encode/lattice.h"
#include "encode/texture.h"
#include "heat/heads.h"
#include "heat/threshold.h"
#include "prototype/bank.h"
#include <burl/model.h>

enum {
  MODEL_FORMAT = 4, /* 3 is read as well: models without heads */
  OLDEST_FORMAT = 3,
  TILE_CORE = 1024, /* pixels; a multiple of every encoder's alignment */
  MAX_FOLDS = 5,    /* of the cross-fit behind the calibration */
  MOST_MAXIMA = 4096
};

/* A member of a model: the bank of one group that judges patches wherever they are (global), or the
 * one that judges them for their position (local). Members are numbered group by group. */
enum { MODEL_PLACES = 2, MODEL_MEMBERS = MODEL_PLACES * BURL_MAX_GROUPS };
static inline size_t burl_member_group(size_t member) {
  return member / MODEL_PLACES;
}
static inline int burl_member_is_local(size_t member) {
  return member % MODEL_PLACES != 0;
}
/* Where positions count local banks judge alone: a bank that forgives what is elsewhere in its
 * place would only dilute what they see (docs/math/prototypes.md, "Positions"). */
static inline int burl_member_is_wanted(burl_spatial spatial, size_t member) {
  return burl_member_is_local(member) == (spatial != BURL_SPATIAL_NONE);
}
static inline size_t burl_member_count(const burl_encoder *encoder) {
  return MODEL_PLACES * encoder->ops->groups;
}

struct burl_gallery;

struct burl_model {
  burl_encoder *encoder;
  burl_bank *bank[MODEL_MEMBERS]; /* NULL for members that are not there */
  burl_ring_scale scale[MODEL_MEMBERS];
  burl_heads heads;
  struct burl_gallery *gallery; /* NULL without */
  burl_lattice lattice;         /* of no dimension unless spatial is periodic */
  burl_fit_options options;     /* threads 0 */
  burl_threshold threshold;
  double typical;
  size_t images, calibration_images, updates;
  size_t maxima_count;
  float *maxima; /* (maxima_count) largest held-out value of each image, rising */
  uint32_t data_checksum;
  size_t aside;      /* images that the fit set aside */
  char **aside_name; /* (aside) */
  char *fitted_by;   /* version of the library */
  char *json;
};

/* Working memory for one tile at a time. */
typedef struct tile_worker {
  const burl_encoder *encoder;
  burl_encoder_workspace *workspace;
  burl_arena arena;
  float *distance;                        /* cells of the finest grid */
  float *positions;                       /* (cells, 2) */
  uint32_t *nearest;                      /* (cells) */
  float *grid, *spare;                    /* (cells), (3, cells) */
  float *groups;                          /* (groups, cells): each group's standardised distances */
  unsigned char *kinds;                   /* (cells): of the tile scored last by heads */
  burl_feature_map maps[BURL_MAX_GROUPS]; /* of the region encoded last */
} tile_worker;

struct burl_scorer {
  const burl_model *model;
  int threads;
  tile_worker *worker;             /* (threads), NULL for models of whole images */
  struct burl_whole_worker *whole; /* (threads), NULL for the others */
};

/* Errors: BURL_ERR_MEMORY. A zero worker may be closed. */
burl_status burl_tile_worker_open(tile_worker *worker, const burl_encoder *encoder) BURL_MUST_CHECK;
void burl_tile_worker_close(tile_worker *worker);

burl_tiling burl_model_tiling(const burl_encoder *encoder, size_t height, size_t width);

/* Opens a view and, where the lattice has dimensions, gives it its phase, which the caller keeps.
 * Errors: BURL_ERR_NUMERIC (a sample is not finite), BURL_ERR_MEMORY. */
burl_status burl_view_open_placed(burl_view *view, burl_phase *phase, const burl_lattice *lattice,
                                  const burl_image *image) BURL_MUST_CHECK;

/* Position of pixel (y,x) in 0..1 both ways: its place on the image, or its phase within the
 * cloth's repeat. */
void burl_view_place(float position[2], const burl_view *view, burl_spatial spatial, size_t y,
                     size_t x);

/* Square roots of the distances of one map's patches to a bank, into worker->distance. The root
 * evens out the long upper tail of distances, so that the sum over groups is not ruled by the one
 * group that saw something odd; docs/benchmarks.md says how that was chosen. */
void burl_tile_distances(tile_worker *worker, const burl_bank *bank, const burl_view *view,
                         const burl_feature_map *map);

/* worker->nearest and, without a root, worker->distance of one map's patches. */
void burl_tile_nearest(tile_worker *worker, const burl_bank *bank, const burl_view *view,
                       const burl_feature_map *map);

/* A region's feature maps, into worker->maps. */
void burl_tile_encode(tile_worker *worker, const burl_view *view, burl_rect region);

/* The smoothed sum of the standardised distances of members first..end-1 over a region that is
 * encoded, in worker->grid. */
burl_heat_grid burl_tile_add_up(tile_worker *worker, burl_bank *const *bank,
                                const burl_ring_scale *scale, const burl_view *view,
                                burl_rect region, size_t first, size_t end);

/* The same of each group on its own and not smoothed, in worker->groups; the grid returned has
 * their size, and worker->grid to be filled. */
burl_heat_grid burl_tile_split(tile_worker *worker, burl_bank *const *bank,
                               const burl_ring_scale *scale, const burl_view *view,
                               burl_rect region);

/* Encodes a region and makes its map: the sum of all members, or what the heads make of them. */
burl_heat_grid burl_tile_score(tile_worker *worker, burl_bank *const *bank,
                               const burl_ring_scale *scale, const burl_heads *heads,
                               const burl_view *view, burl_rect region);

/* Opens the view of an image that is to be scored. Errors: as burl_scorer_score. */
burl_status burl_scorer_look(const burl_scorer *scorer, burl_view *view, burl_phase *phase,
                             const burl_image *image, burl_diag *diag) BURL_MUST_CHECK;

/* burl_scorer_score_kinds (kinds may be NULL) by workers first..first+threads-1 alone: others may
 * score other images meanwhile. */
burl_status burl_scorer_score_by(burl_scorer *scorer, int first, int threads, float *heat,
                                 unsigned char *kinds, double *score, const burl_image *image,
                                 burl_diag *diag) BURL_MUST_CHECK;

/* burl_scorer_explain by workers first..first+threads-1 alone. */
burl_status burl_scorer_explain_by(burl_scorer *scorer, int first, int threads,
                                   struct burl_explanation *explanations, size_t count,
                                   const burl_image *image, burl_diag *diag) BURL_MUST_CHECK;

/* An empty model, NULL where there is no memory. */
burl_model *burl_model_new(void);

/* model->maxima from values (n) sorted rising: evenly spread ranks of more than MOST_MAXIMA.
 * Errors: BURL_ERR_MEMORY. */
burl_status burl_model_keep_maxima(burl_model *model, const double *values,
                                   size_t n) BURL_MUST_CHECK;

/* Fills model->json from the other members. Errors: BURL_ERR_MEMORY. */
burl_status burl_model_describe(burl_model *model) BURL_MUST_CHECK;

/* What burl_model_set_choice noted in another model's text goes into this one's. Errors:
 * BURL_ERR_MEMORY. */
burl_status burl_model_keep_choice(burl_model *model, const burl_model *from) BURL_MUST_CHECK;

#endif
