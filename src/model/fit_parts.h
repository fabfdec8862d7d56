/* model/fit_parts.h: the stages of a fit. */
#ifndef BURL_MODEL_FIT_PARTS_H
#define BURL_MODEL_FIT_PARTS_H

#include "model/passes.h"
#include "model/sample.h"

#include <pthread.h>

enum { TRIM_BLOCK = 16 }; /* pixels a side of what is trimmed or kept */

/* What the dearest patch of each block of an image costs, as a code. */
typedef struct trim_map {
  size_t rows, cols;
  unsigned char *code; /* (rows, cols), NULL for an image that cannot be used */
  int aside;           /* all of the image is trimmed */
} trim_map;

typedef struct fit {
  burl_model *model;
  const burl_fit_options *asked; /* with the texts that a model does not keep */
  training data;
  int threads;
  size_t folds;
  size_t *fold;                                  /* (images) */
  burl_bank *held_out[MAX_FOLDS][MODEL_MEMBERS]; /* learned without that fold */
  patch_sample sample[BURL_MAX_GROUPS];          /* entries: embedding (d), position (2) */
  pthread_mutex_t lock;                          /* of the samples, and of learned */
  size_t learned, tasks;                         /* banks learned so far, and in all */
  double *largest;                               /* (images) largest held-out value of each */
  size_t learning_pass;
  int pricing;                         /* the banks of this round only find outliers */
  burl_encoder *later[BURL_MAX_PARTS]; /* encoders that join the model's after outliers are found */
  size_t later_count;
  trim_map *trim; /* (images), NULL before prices are known */
  int trim_limit; /* codes above are trimmed */
} fit;

/* All of them report what is wrong to data.diag. */
burl_status burl_fit_draw_samples(fit *f) BURL_MUST_CHECK;
burl_status burl_fit_learn_banks(fit *f) BURL_MUST_CHECK;
burl_status burl_fit_scale(fit *f) BURL_MUST_CHECK;
/* Encoders that are fused get an equal say. */
burl_status burl_fit_balance(fit *f) BURL_MUST_CHECK;
/* model->heads, where there are images enough to match them on. */
burl_status burl_fit_match_heads(fit *f) BURL_MUST_CHECK;
/* Prices by the held-out banks there are; from then on what is dear teaches nothing. */
burl_status burl_fit_find_trim(fit *f) BURL_MUST_CHECK;
void burl_fit_free_trim(fit *f);
int burl_fit_is_aside(const fit *f, size_t image);
/* The names of the images that are set aside go into the model. */
burl_status burl_fit_name_aside(fit *f) BURL_MUST_CHECK;
int burl_fit_is_trimmed(const fit *f, size_t image, size_t y, size_t x);
burl_status burl_fit_calibrate(fit *f) BURL_MUST_CHECK;
/* Banks and calibration of a model of whole images, once the encoder has learned. */
burl_status burl_fit_whole(fit *f) BURL_MUST_CHECK;
/* model->gallery from the sample and the banks; one more look at images that hold an exemplar. */
burl_status burl_fit_find_exemplars(fit *f) BURL_MUST_CHECK;

/* Parts of these that updates need as well: folds as even runs; the mean value and, in the first *n
 * of f->largest, the largest held-out value of each image. */
burl_status burl_fit_deal_folds(fit *f) BURL_MUST_CHECK;
burl_status burl_fit_measure_values(fit *f, double *typical, size_t *n) BURL_MUST_CHECK;
/* The dearest code of an image, and the price that a code stands for. */
int burl_trim_map_dearest(const trim_map *map);
double burl_trim_price(int code);

#endif
