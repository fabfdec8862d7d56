/* model/update_parts.h: the stages of an update. */
#ifndef BURL_MODEL_UPDATE_PARTS_H
#define BURL_MODEL_UPDATE_PARTS_H

#include "model/fit_parts.h"

/* How the model before the update sees a new image. */
typedef struct first_look {
  double largest;      /* raw value */
  double cells, above; /* cells of the common grid, and those at the threshold or above */
} first_look;

/* A fit of the new images whose model is the updated one; until the update has succeeded that has
 * members of its own only where they differ from those of `before`. */
typedef struct update_job {
  fit fit;
  burl_model *before;
  first_look *look; /* (images) */
} update_job;

/* Looks at every image with the model as it is; the first pass. */
burl_status burl_update_look(update_job *job) BURL_MUST_CHECK;
/* BURL_ERR_DATA where all images look like another cloth. */
burl_status burl_update_check_cloth(const update_job *job) BURL_MUST_CHECK;
/* BURL_ERR_DATA where some look defective: after their prices are known. */
burl_status burl_update_check_images(const update_job *job) BURL_MUST_CHECK;

/* The bank of all new images and one without each fold, of every member that is there. */
burl_status burl_update_banks(update_job *job) BURL_MUST_CHECK;
void burl_update_free_banks(update_job *job);

/* The share of the new images among all, without those of `fold` (folds: with all of them). */
double burl_update_share(const update_job *job, size_t fold);
/* Typical value and threshold of old and new together. */
burl_status burl_update_threshold(update_job *job) BURL_MUST_CHECK;

#endif
