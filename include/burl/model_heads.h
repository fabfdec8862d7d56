/* burl/model_heads.h: what a model's heads are, and the kinds of defects that they name.
 *
 * A fit on 16 good images or more weighs the groups anew for each kind of defect, on held-out good
 * images with synthetic defects (burl/synth_put.h); docs/math/heads.md.
 */
#ifndef BURL_MODEL_HEADS_H
#define BURL_MODEL_HEADS_H

#include <burl/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A head: the groups weighed for one kind of defect; the last one weighs them alike and has no
 * kind. docs/math/heads.md. */
typedef struct burl_model_head {
  burl_kind kind;
  double sigma;        /* of its smoothing, pixels */
  double ap, equal_ap; /* average precision on held-out good images with synthetic defects of this
                          kind, its own and that of equal weights; 0 for the last head */
} burl_model_head;

/* i < heads + dropped_heads of burl_model_info, those dropped last. weights (groups): those of the
 * head, scaled to a sum of 1; may be NULL. */
BURL_API void burl_model_get_head(const burl_model *model, size_t i, burl_model_head *info,
                                  double *weights);
/* burl_scorer_score (burl/model.h) with the kind of defect (a burl_kind, burl/heat.h) that each
 * pixel looks like most, (height, width): worth something where the heat is 1 or more.
 * BURL_KIND_NONE throughout for a model without heads. */
BURL_API burl_status burl_scorer_score_kinds(burl_scorer *scorer, float *heat, unsigned char *kinds,
                                             double *score, const burl_image *image,
                                             burl_diag *diag) BURL_MUST_CHECK;
#ifdef __cplusplus
}
#endif
#endif
