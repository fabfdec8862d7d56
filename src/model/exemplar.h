/* model/exemplar.h: the training patch nearest to each prototype, with a picture of it. */
#ifndef BURL_MODEL_EXEMPLAR_H
#define BURL_MODEL_EXEMPLAR_H

#include "model/model_parts.h"
#include <burl/model_explain.h>

/* Those of one member. */
typedef struct member_exemplars {
  size_t count;    /* K, 0 for a member that is not there */
  size_t thumb;    /* pixels a side of the pictures */
  uint32_t *place; /* (K,4): image (of the gallery), y, x, side */
  float *distance; /* (K) */
  uint8_t *pixels; /* (K, thumb, thumb) */
} member_exemplars;

enum { PLACE_IMAGE, PLACE_Y, PLACE_X, PLACE_SIDE, PLACE_PARTS };

struct burl_gallery {
  char *names;       /* of the images that exemplars lie in, each ends with a NUL */
  size_t names_size; /* bytes */
  const char **name; /* (images) where each begins */
  size_t images;
  member_exemplars member[MODEL_MEMBERS];
};

void burl_gallery_free(struct burl_gallery *self);
/* Makes room for K exemplars; what there was is to be freed before. Errors: BURL_ERR_MEMORY. */
burl_status burl_exemplars_open(member_exemplars *self, size_t count, size_t thumb) BURL_MUST_CHECK;
/* Finds `name` from names. Errors: BURL_ERR_MEMORY, BURL_ERR_FORMAT (no NUL at the end). */
burl_status burl_gallery_index(struct burl_gallery *self) BURL_MUST_CHECK;

/* Tensors "gallery.names", and "gallery.<member>.place", ".distance", ".thumbs". */
burl_status burl_gallery_save(const burl_model *model,
                              burl_safetensors_writer *writer) BURL_MUST_CHECK;
/* Into model->gallery, which stays NULL where the file has none. After the banks. */
burl_status burl_gallery_load(burl_model *model, const burl_safetensors *file,
                              burl_diag *diag) BURL_MUST_CHECK;

#endif
