/* burl/model_embed.h: patch embeddings themselves, for research.
 *
 * What a model compares to its prototypes: texture whitened as the model learned to, networks as
 * their layers come out, joined on one grid. Cell (i,j) of a grid has its
 * centre at pixel (i*stride, j*stride) for texture, half a stride further for networks
 * (burl/encode.h).
 */
#ifndef BURL_MODEL_EMBED_H
#define BURL_MODEL_EMBED_H

#include <burl/image.h>
#include <burl/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Owns the working memory of embedding; one thread at a time. */
typedef struct burl_embedder burl_embedder;

/* By the encoder of a model, which must outlive it, or with model NULL by networks alone, named as
 * in burl_fit_options: texture has to be learned. Errors: BURL_ERR_ARGUMENT (texture without a
 * model; a malformed list), those of weights, BURL_ERR_MEMORY. */
BURL_API burl_status burl_embedder_new(burl_embedder **embedder, const burl_model *model,
                                       const char *encoder, const char *layers,
                                       burl_diag *diag) BURL_MUST_CHECK;
BURL_API void burl_embedder_free(burl_embedder *embedder);

/* Groups of embeddings: "level0".., "fine", "resnet18".. The name is borrowed. */
BURL_API size_t burl_embedder_get_count(const burl_embedder *embedder);
BURL_API const char *burl_embedder_get_name(const burl_embedder *embedder, size_t group);

/* shape (rows, cols, dimension) of a group's embeddings of an image. */
BURL_API void burl_embedder_get_shape(const burl_embedder *embedder, size_t shape[3], size_t group,
                                      const burl_image *image);

/* out (rows, cols, dimension) of one group; tile by tile, as in scoring. Cells that a group too
 * large for the image leaves empty are 0. Errors: BURL_ERR_SIZE (a side below BURL_MIN_SIDE),
 * BURL_ERR_NUMERIC (a sample not finite). */
BURL_API burl_status burl_embedder_embed(burl_embedder *embedder, float *out, size_t group,
                                         const burl_image *image, burl_diag *diag) BURL_MUST_CHECK;

/* Writes embeddings as a NumPy file (float32), whole or not at all. Errors: BURL_ERR_ARGUMENT (no
 * value), BURL_ERR_IO. */
BURL_API burl_status burl_embedding_save_npy(const float *embedding, const size_t shape[3],
                                             const char *path, burl_diag *diag) BURL_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
