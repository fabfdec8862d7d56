/* prototype/bank.h: the inside of a bank, shared by learning and scoring. */
#ifndef BURL_PROTOTYPE_BANK_H
#define BURL_PROTOTYPE_BANK_H

#include "base/safetensors.h"
#include <burl/prototype.h>

/* What differs between kinds of banks. A kind embeds burl_bank as its first member. */
typedef struct burl_bank_ops {
  const char *kind; /* in model files: "points", "gaussian", "pradot" */
  void (*score)(const burl_bank *self, float *distance, uint32_t *nearest, const float *patches,
                const float *positions, size_t n);
  /* Kinds that look at all patches of an image at once, with working memory; else both are NULL. */
  size_t (*score_size)(const burl_bank *self, size_t n);
  void (*score_with)(const burl_bank *self, float *distance, uint32_t *nearest,
                     const float *patches, const float *positions, size_t n, void *scratch);
  /* The kind's own tensors, "<prefix>.<part>"; those of burl_bank are written for it. */
  burl_status (*save)(const burl_bank *self, const char *prefix, burl_safetensors_writer *writer);
  void (*free)(burl_bank *self); /* what the kind owns beyond burl_bank; may be NULL */
} burl_bank_ops;

struct burl_bank {
  const burl_bank_ops *ops;
  size_t count, dim; /* K, d */
  burl_spatial spatial;
  float *prototypes;    /* (K,d) */
  float *positions;     /* (K,2), NULL where spatial is none */
  float *mass, *radius; /* (K) */
};

#define BURL_BANK_MOST 65536 /* prototypes */

/* Bytes that burl_bank_score_with needs for n patches: 0 where it needs none, and where they are
 * beyond size_t. */
size_t burl_bank_score_size(const burl_bank *bank, size_t n);
/* burl_bank_score for every kind, of all n patches of one image. scratch: aligned to
 * BURL_ALIGNMENT. */
void burl_bank_score_with(const burl_bank *bank, float *distance, uint32_t *nearest,
                          const float *patches, const float *positions, size_t n, void *scratch);

/* A bank of `size` bytes with its arrays, all zero. Errors: BURL_ERR_SIZE, BURL_ERR_MEMORY. */
burl_status burl_bank_new(burl_bank **bank, size_t size, const burl_bank_ops *ops, size_t count,
                          size_t dim, burl_spatial spatial) BURL_MUST_CHECK;

/* Tensors "<prefix>.prototypes", ".positions", ".mass", ".radius" and those of the kind. */
burl_status burl_bank_save(const burl_bank *bank, const char *prefix,
                           burl_safetensors_writer *writer) BURL_MUST_CHECK;
/* The options are those the bank was fitted with: they say of what kind it is. */
burl_status burl_bank_load(burl_bank **bank, const char *prefix, const burl_bank_options *options,
                           size_t dim, const burl_safetensors *file,
                           burl_diag *diag) BURL_MUST_CHECK;
/* For the kinds: the four common tensors into a bank made for their size; a tensor of the kind's
 * own, "<prefix>.<part>" (k,width), with width 0 (k). */
burl_status burl_bank_load_count(size_t *count, const char *prefix, const burl_safetensors *file,
                                 burl_diag *diag) BURL_MUST_CHECK;
burl_status burl_bank_load_common(burl_bank *bank, const char *prefix, const burl_safetensors *file,
                                  burl_diag *diag) BURL_MUST_CHECK;
burl_status burl_bank_load_part(float *values, const char *prefix, const char *part, size_t k,
                                size_t width, const burl_safetensors *file,
                                burl_diag *diag) BURL_MUST_CHECK;

/* mass and radius of a bank that scores: share of the patches nearest to a prototype, and their
 * root mean square distance. Errors: BURL_ERR_MEMORY. */
burl_status burl_bank_measure(burl_bank *bank, const float *patches, const float *positions,
                              size_t n) BURL_MUST_CHECK;

/* Greedy coverage of joint points (n,d): chosen (k) indices. The first is the point nearest to the
 * mean; each next one is the point at the (1-trim) quantile of the distances to those chosen so
 * far, which for trim 0 is the farthest point; of equals the first. Distances are those of
 * num/nearest.h. Gives how many were chosen: fewer than k when all points are covered. Errors:
 * BURL_ERR_MEMORY. */
burl_status burl_coverage_start(size_t *chosen, size_t *count, const float *points, size_t n,
                                size_t d, size_t k, double trim) BURL_MUST_CHECK;
/* The same from the point `first`; from the one nearest to the mean where first is n. */
burl_status burl_coverage_from(size_t *chosen, size_t *count, const float *points, size_t n,
                               size_t d, size_t k, double trim, size_t first) BURL_MUST_CHECK;

/* Damped barycentre steps on joint prototypes (k,d). */
burl_status burl_barycentre_steps(float *prototypes, size_t k, const float *points, size_t n,
                                  size_t d, const burl_bank_options *options) BURL_MUST_CHECK;

#endif
