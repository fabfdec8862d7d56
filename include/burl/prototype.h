/* burl/prototype.h: banks: what good patch embeddings look like, learned from them alone.
 *
 * Five methods learn a bank: `burl` (a start by greedy coverage, then damped barycentre steps of
 * entropic transport of the cost d^p, docs/math/prototypes.md), `pradot` (local and global
 * prototypes as published, of whole images and by burl_model_fit alone, docs/math/pradot.md), and
 * `coreset`, `gaussian` and `kmeans` (as PatchCore, PaDiM and Lloyd have them,
 * docs/math/baselines.md).
 */
#ifndef BURL_PROTOTYPE_H
#define BURL_PROTOTYPE_H

#include <burl/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BURL_METHOD_LIST(X)                                                                        \
  X(BURL_METHOD_BURL, "burl")                                                                      \
  X(BURL_METHOD_PRADOT, "pradot")                                                                  \
  X(BURL_METHOD_CORESET, "coreset")                                                                \
  X(BURL_METHOD_GAUSSIAN, "gaussian")                                                              \
  X(BURL_METHOD_KMEANS, "kmeans")
/* What a patch's position is: nothing, its place on the image, its phase within the cloth's repeat,
 * or what serves best on held-out good images (burl_select_spatial decides). */
#define BURL_SPATIAL_LIST(X)                                                                       \
  X(BURL_SPATIAL_NONE, "none")                                                                     \
  X(BURL_SPATIAL_GRID, "grid")                                                                     \
  X(BURL_SPATIAL_PERIODIC, "periodic")                                                             \
  X(BURL_SPATIAL_AUTO, "auto")
/* Where the barycentre steps of `burl` begin. */
#define BURL_START_LIST(X)                                                                         \
  X(BURL_START_COVERAGE, "coverage")                                                               \
  X(BURL_START_RANDOM, "random")
/* How much mass a prototype receives in the plans of `burl`: the share of the patches nearest to
 * it, the same as every other, or what the cost alone makes of it (semi-relaxed transport). */
#define BURL_MARGINALS_LIST(X)                                                                     \
  X(BURL_MARGINALS_NEAREST, "nearest")                                                             \
  X(BURL_MARGINALS_EQUAL, "equal")                                                                 \
  X(BURL_MARGINALS_RELAXED, "relaxed")
/* What feature costs are divided by in fits by pradot: the largest of the batch (published) or of
 * the epoch before (in the first one, of the batch). */
#define BURL_PRADOT_DIVISOR_LIST(X)                                                                \
  X(BURL_PRADOT_BATCH_MAX, "batch")                                                                \
  X(BURL_PRADOT_EPOCH_MAX, "epoch")
/* What its costs are divided by in scoring: the largest of the image (published) or of all training
 * images. */
#define BURL_PRADOT_SCALE_LIST(X)                                                                  \
  X(BURL_PRADOT_IMAGE_MAX, "image")                                                                \
  X(BURL_PRADOT_TRAINING_MAX, "training")
/* Where its prototypes begin: random numbers in [0,1) (published) or features of random training
 * images in the prototype's own cell. */
#define BURL_PRADOT_START_LIST(X)                                                                  \
  X(BURL_PRADOT_UNIFORM, "uniform")                                                                \
  X(BURL_PRADOT_FEATURES, "features")

#define BURL_PROTOTYPE_ENUM(name, text) name,
typedef enum burl_method { BURL_METHOD_LIST(BURL_PROTOTYPE_ENUM) BURL_METHOD_COUNT } burl_method;
typedef enum burl_spatial {
  BURL_SPATIAL_LIST(BURL_PROTOTYPE_ENUM) BURL_SPATIAL_COUNT
} burl_spatial;
typedef enum burl_start { BURL_START_LIST(BURL_PROTOTYPE_ENUM) BURL_START_COUNT } burl_start;
typedef enum burl_marginals {
  BURL_MARGINALS_LIST(BURL_PROTOTYPE_ENUM) BURL_MARGINALS_COUNT
} burl_marginals;
typedef enum burl_pradot_divisor {
  BURL_PRADOT_DIVISOR_LIST(BURL_PROTOTYPE_ENUM) BURL_PRADOT_DIVISOR_COUNT
} burl_pradot_divisor;
typedef enum burl_pradot_scale {
  BURL_PRADOT_SCALE_LIST(BURL_PROTOTYPE_ENUM) BURL_PRADOT_SCALE_COUNT
} burl_pradot_scale;
typedef enum burl_pradot_start {
  BURL_PRADOT_START_LIST(BURL_PROTOTYPE_ENUM) BURL_PRADOT_START_COUNT
} burl_pradot_start;
#undef BURL_PROTOTYPE_ENUM

typedef struct burl_bank burl_bank;

/* Of pradot alone; its seed and threads are those of the fit. Defaults are published but for
 * drop_last. docs/math/pradot.md */
typedef struct burl_pradot_settings {
  double per_cell; /* P, 0.001..1024: prototypes for each cell of the feature map, whole from 1 on;
                      below 1 one for each of a grid of floor(P rows) x floor(P cols) */
  double alpha;    /* share of the place in the cost of local prototypes, 0..1; global ones: 0 */
  double eps;      /* strength of the entropy where the largest cost is 1, 0.0001..1e6 */
  size_t sweeps;   /* of Sinkhorn, at most */
  double ema;      /* what stays of a prototype in an update, 0..1 */
  size_t batch;    /* images */
  size_t epochs;   /* 1..100000 */
  double validation; /* share of the images held out to choose the epoch and set the threshold,
                        0.01..0.9; one image at least */
  burl_pradot_divisor divisor;
  burl_pradot_scale scale;
  burl_pradot_start start;
  int times_count;     /* not 0, published: maps are multiplied by their number of prototypes, so
                          that finer maps weigh more in the mean over maps */
  int drop_last;       /* not 0, published: fewer images than a batch make no update at all; 0: the
                          batch is then all of them */
  int learn_positions; /* not 0: places of prototypes move as well; 0, published: they stay */
  int warm_start;      /* not 0: sweeps go on from the batch before; 0, published: from nothing */
  int corners;         /* not 0, published: maps are widened to the image with their corner cells in
                          its corners; 0: each cell is the middle of an equal part of the image */
  size_t side; /* images are brought to side x side pixels, 32..1024, whatever their shape */
} burl_pradot_settings;

/* One struct for all methods; each reads its own part. burl_settings_* below know every member by
 * name, with its range. */
typedef struct burl_bank_options {
  burl_method method;
  size_t prototypes;     /* K, 1..65536; fewer are kept when there are fewer distinct patches;
                          * burl_model_fit takes 2 K where positions count */
  burl_spatial spatial;  /* of the bank: not auto */
  double spatial_weight; /* w in the mixed squared cost (1-w) |x-p|^2 / d + w |rho-pi|^2 * 6 (grid;
                          * 1/2 of chords, periodic), 0..0.99 */
  uint64_t seed;         /* of random starts: kmeans, coreset's first patch, start random */

  /* of burl_model_fit, whatever the method but pradot */
  double outliers; /* share of the training images' area that teaches nothing, as the least like the
                      other images, 0..0.5 */
  double clean;    /* images whose worst place lies this many robust standard deviations above the
                      others' are set aside, 0..100; 0: none is */

  /* burl */
  burl_start start;
  double start_trim; /* share of the farthest patches that the start never chooses, 0..0.5 */
  double power;      /* p of the transport cost d^p, 1..16 */
  double trim;       /* share of the mass left out of each plan, 0..0.5 */
  burl_marginals marginals;
  double entropy; /* eps as a multiple of the median cost d^p to the nearest prototype, > 0 */
  size_t sweeps;  /* Sinkhorn sweeps a plan, at most */
  size_t steps;   /* damped barycentre steps (batches) */
  size_t batch;   /* patches a batch */
  double damping; /* 0 < step <= 1 */

  /* kmeans */
  size_t iterations; /* of Lloyd's algorithm, at most */

  /* gaussian */
  double shrinkage; /* added to the covariance, as a share of its mean eigenvalue, > 0 */

  /* scoring of burl, coreset and kmeans */
  double radius; /* distances are divided by the nearest prototype's radius to this power (relative
                    to the mean radius), 0..1; 0: not at all */

  burl_pradot_settings pradot;
} burl_bank_options;

BURL_API burl_bank_options burl_bank_default_options(void);

/* "burl", "periodic"...; "?" outside the lists. */
BURL_API const char *burl_method_get_name(burl_method method);
BURL_API const char *burl_spatial_get_name(burl_spatial spatial);

/* Settings by name, for command lines, files and tables: "method", "prototypes", "spatial_weight",
 * "entropy"..., "pradot.per_cell"..., in the order of the struct. */
BURL_API size_t burl_settings_get_count(void);
BURL_API const char *burl_settings_get_name(size_t i);
BURL_API const char *burl_settings_get_help(size_t i); /* with its range or its values */
/* 0 for settings of pradot where the method is another one: models do not keep them. */
BURL_API int burl_settings_has_part(const burl_bank_options *options, size_t i);
/* The value as text that burl_settings_set takes; size 32 holds any. */
BURL_API void burl_settings_get(char *text, size_t size, const burl_bank_options *options,
                                size_t i);
/* Errors: BURL_ERR_ARGUMENT (no such name, not a value of it, out of range). */
BURL_API burl_status burl_settings_set(burl_bank_options *options, const char *name,
                                       const char *value, burl_diag *diag) BURL_MUST_CHECK;
/* All members within their ranges. */
BURL_API burl_status burl_settings_check(const burl_bank_options *options,
                                         burl_diag *diag) BURL_MUST_CHECK;

/* Learns a bank from n patch embeddings (n,d), their positions (n,2) in 0..1 (place on the image or
 * phase within the repeat; NULL where spatial is none). The order of the patches counts: batches
 * are taken as they come, so it should be random. Methods burl, coreset, gaussian, kmeans. Errors:
 * BURL_ERR_ARGUMENT, BURL_ERR_DATA (n is 0), BURL_ERR_NUMERIC, BURL_ERR_MEMORY. */
BURL_API burl_status burl_bank_fit(burl_bank **bank, const float *patches, const float *positions,
                                   size_t n, size_t d,
                                   const burl_bank_options *options) BURL_MUST_CHECK;
BURL_API void burl_bank_free(burl_bank *bank);

BURL_API size_t burl_bank_get_count(const burl_bank *bank);     /* K */
BURL_API size_t burl_bank_get_dimension(const burl_bank *bank); /* d */
BURL_API burl_spatial burl_bank_get_spatial(const burl_bank *bank);
/* Borrowed: prototypes (K,d) (gaussian: the means), positions (K,2) or NULL, mass (K) adding up to
 * 1, radius (K): the root mean square distance of the patches nearest to each. */
BURL_API const float *burl_bank_get_prototypes(const burl_bank *bank);
BURL_API const float *burl_bank_get_positions(const burl_bank *bank);
BURL_API const float *burl_bank_get_mass(const burl_bank *bank);
BURL_API const float *burl_bank_get_radius(const burl_bank *bank);

/* How far each patch is from what the bank knows: distance (n) is the root of the mixed squared
 * cost to the nearest prototype (gaussian: Mahalanobis distance / sqrt(d) at the patch's place;
 * NaN for banks of pradot, which look at all of an image at once and are scored through models);
 * nearest (n): which prototype, may be NULL. Allocates nothing. */
BURL_API void burl_bank_score(const burl_bank *bank, float *distance, uint32_t *nearest,
                              const float *patches, const float *positions, size_t n);

#ifdef __cplusplus
}
#endif
#endif
