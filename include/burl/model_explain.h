/* burl/model_explain.h: what a model knows, and which prototype explains a patch.
 *
 * A model judges patches by members: the bank of a group of patch embeddings that judges them
 * wherever they are, or, where positions count, the one that judges them for their position. Of
 * every prototype a model may hold an exemplar: the patch of the training images that is nearest to
 * it, with a small picture of the cloth around it.
 */
#ifndef BURL_MODEL_EXPLAIN_H
#define BURL_MODEL_EXPLAIN_H

#include <burl/model.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct burl_model_member {
  char name[48];       /* "level0", for positions "level0.local" */
  int local;           /* it judges patches for their position */
  size_t stride;       /* pixels between neighbouring patches */
  size_t field;        /* pixels a side that a patch sees, about */
  size_t prototypes;   /* K, 0 for a member that is not there */
  const float *mass;   /* (K) share of the good patches nearest to each, borrowed */
  const float *radius; /* (K) root mean square distance of these, borrowed */
} burl_model_member;

/* Members 0..count-1, also those that are not there, so that numbers are the same in all models of
 * an encoder. */
BURL_API size_t burl_model_get_member_count(const burl_model *model);
BURL_API void burl_model_get_member(const burl_model *model, size_t member,
                                    burl_model_member *info);

/* The training patch nearest to a prototype. Texts and pixels are borrowed from the model. */
typedef struct burl_exemplar {
  const char *image;     /* its name in the data set that was fitted on */
  size_t y, x;           /* pixel in the middle of the patch */
  size_t side;           /* pixels a side of the square of the image that the picture shows */
  double distance;       /* of the patch to the prototype: root of the mixed squared cost */
  size_t thumb;          /* pixels a side of the picture, at most BURL_EXEMPLAR_SIDE */
  const uint8_t *pixels; /* (thumb, thumb) grey */
} burl_exemplar;

#define BURL_EXEMPLAR_SIDE 32

/* 0 for models that were fitted without. */
BURL_API int burl_model_has_gallery(const burl_model *model);
/* Of prototype k < K of a member of a model with a gallery. */
BURL_API void burl_model_get_exemplar(const burl_model *model, size_t member, size_t k,
                                      burl_exemplar *exemplar);

/* Which prototype of a member each patch of an image is nearest to, and how far from it, on the
 * member's grid: cell (i,j) has its centre at pixel (i*stride, j*stride). */
typedef struct burl_explanation {
  size_t member;
  size_t rows, cols;
  uint32_t *nearest; /* (rows, cols) owned; BURL_NO_PROTOTYPE where the image is too small */
  float *distance;   /* (rows, cols) owned, as burl_bank_score gives it; NaN likewise */
} burl_explanation;

#define BURL_NO_PROTOTYPE UINT32_MAX

/* Grids for an image of height x width. Errors: BURL_ERR_ARGUMENT (no such member, or it is not
 * there), BURL_ERR_SIZE, BURL_ERR_MEMORY; unchanged then. */
BURL_API burl_status burl_explanation_new(burl_explanation *self, const burl_model *model,
                                          size_t member, size_t height,
                                          size_t width) BURL_MUST_CHECK;
BURL_API void burl_explanation_free(burl_explanation *self);

/* Fills `count` explanations, made for the size of the image. Tiles go the way that scoring goes.
 * Errors: as burl_scorer_score, and BURL_ERR_ARGUMENT (made for another size). */
BURL_API burl_status burl_scorer_explain(burl_scorer *scorer, burl_explanation *explanations,
                                         size_t count, const burl_image *image,
                                         burl_diag *diag) BURL_MUST_CHECK;

/* Why a pixel is hot: of the patches of all members with their middle at most a stride away, the
 * one that stands out most from good cloth. */
typedef struct burl_reason {
  size_t member;
  size_t prototype; /* the nearest to it */
  size_t y, x;      /* pixel in the middle of the patch */
  double distance;  /* to the prototype */
  double excess;    /* standard deviations above the mean of good cloth, of the distance's root */
} burl_reason;

/* Errors: as burl_scorer_score, and BURL_ERR_ARGUMENT (the pixel lies outside). */
BURL_API burl_status burl_scorer_find_reason(burl_scorer *scorer, burl_reason *reason,
                                             const burl_image *image, size_t y, size_t x,
                                             burl_diag *diag) BURL_MUST_CHECK;

/* Writes a NumPy file (version 1.0, little-endian uint32, C order, shape (rows, cols)), whole or
 * not at all. Errors: BURL_ERR_IO, BURL_ERR_MEMORY. */
BURL_API burl_status burl_explanation_save_npy(const burl_explanation *self, const char *path,
                                               burl_diag *diag) BURL_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
