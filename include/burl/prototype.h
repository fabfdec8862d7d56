/* burl/prototype.h: banks: what good patch embeddings look like, learned from them alone.
 *
 * Five methods learn a bank; all are scored through the same function.
 *   burl      Start: greedy coverage (farthest point, the farthest share passed over). Then damped
 * barycentre steps: a batch of patches is transported onto the prototypes by entropic optimal
 * transport of the cost d^p, the dearest `trim` share of the mass is left out, and every prototype
 * moves towards the mean of what it receives, weighted by d^(p-2), which is a step to the
 * barycentre of d^p. docs/math/prototypes.md pradot    Local and global prototypes as published;
 * fitted on whole images by burl_model_fit alone. docs/math/pradot.md coreset   Greedy k-centre
 * selection of patches, as PatchCore does. docs/math/baselines.md gaussian  A Gaussian for all
 * patches or for each place, as PaDiM does. docs/math/baselines.md kmeans    Lloyd's algorithm from
 * a k-means++ start. docs/math/baselines.md
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

#define BURL_PROTOTYPE_ENUM(name, text) name,
typedef enum burl_method { BURL_METHOD_LIST(BURL_PROTOTYPE_ENUM) BURL_METHOD_COUNT } burl_method;
typedef enum burl_spatial {
  BURL_SPATIAL_LIST(BURL_PROTOTYPE_ENUM) BURL_SPATIAL_COUNT
} burl_spatial;
typedef enum burl_start { BURL_START_LIST(BURL_PROTOTYPE_ENUM) BURL_START_COUNT } burl_start;
typedef enum burl_marginals {
  BURL_MARGINALS_LIST(BURL_PROTOTYPE_ENUM) BURL_MARGINALS_COUNT
} burl_marginals;
#undef BURL_PROTOTYPE_ENUM

typedef struct burl_bank burl_bank;

/* One struct for all methods; each reads its own part. burl_settings_* below know every member by
 * name, with its range. */
typedef struct burl_bank_options {
  burl_method method;
  size_t prototypes;     /* K, 1..65536; fewer are kept when there are fewer distinct patches */
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
} burl_bank_options;

BURL_API burl_bank_options burl_bank_default_options(void);

/* "burl", "periodic"...; "?" outside the lists. */
BURL_API const char *burl_method_get_name(burl_method method);
BURL_API const char *burl_spatial_get_name(burl_spatial spatial);

/* Settings by name, for command lines, files and tables: "method", "prototypes", "spatial_weight",
 * "entropy"... in the order of the struct. */
BURL_API size_t burl_settings_get_count(void);
BURL_API const char *burl_settings_get_name(size_t i);
BURL_API const char *burl_settings_get_help(size_t i); /* with its range or its values */
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
 * pradot: the published map, for which the n patches must be all of one image); nearest (n): which
 * prototype, may be NULL. Allocates nothing. */
BURL_API void burl_bank_score(const burl_bank *bank, float *distance, uint32_t *nearest,
                              const float *patches, const float *positions, size_t n);

#ifdef __cplusplus
}
#endif
#endif
