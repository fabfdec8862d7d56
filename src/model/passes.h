/* model/passes.h: streaming passes over the training images.
 *
 * A pass shows every usable image tile by tile to a function that adds up statistics (a flat array
 * of doubles). Images are spread over threads in chunks of a fixed size and their sums are added in
 * the order of the images, so that the total does not depend on the number of threads.
 */
#ifndef BURL_MODEL_PASSES_H
#define BURL_MODEL_PASSES_H

#include "model/model_parts.h"

/* The training images of a fit. */
typedef struct training {
  const burl_dataset *dataset;
  size_t count;        /* good training items */
  size_t *item;        /* (count) their indices in the data set */
  char *usable;        /* (count) cleared by the first pass for images that cannot be used */
  uint32_t *checksum;  /* (count) CRC-32 of name and pixels, set by the first pass */
  size_t used;         /* images still usable */
  size_t side;         /* not 0: images are brought to side x side pixels first */
  int threads;         /* at once, bounded by the size of the images */
  tile_worker *worker; /* (threads) */
  const burl_lattice *lattice; /* by which views get their phase, once it is learned */
  const burl_observer *observer;
  burl_diag *diag;
} training;

/* One tile on its way through a pass. `image` counts training images from 0. */
typedef struct pass_tile {
  const burl_view *view;
  burl_rect core, region;
  size_t image, tile; /* tile of the image, from 0 */
  tile_worker *worker;
} pass_tile;

typedef struct training_pass {
  const char *stage; /* for progress */
  size_t statistics; /* doubles an image adds up */
  burl_status (*see)(void *context, const pass_tile *tile, double *statistics);
  void *context;
  int first; /* check the images and leave out what cannot be used */
} training_pass;

burl_status burl_training_open(training *self, const burl_dataset *dataset, int threads,
                               const burl_encoder *encoder, const burl_lattice *lattice,
                               const burl_observer *observer, burl_diag *diag) BURL_MUST_CHECK;
/* The same with the good images of another split. */
burl_status burl_training_open_split(training *self, const burl_dataset *dataset, burl_split split,
                                     int threads, const burl_encoder *encoder,
                                     const burl_lattice *lattice, const burl_observer *observer,
                                     burl_diag *diag) BURL_MUST_CHECK;
/* Passes from now on see images by this encoder. Errors: BURL_ERR_MEMORY, told to diag. */
burl_status burl_training_set_encoder(training *self, const burl_encoder *encoder) BURL_MUST_CHECK;
void burl_training_close(training *self);

/* total (statistics) receives the sum over all usable images. */
burl_status burl_training_pass(training *self, const training_pass *pass,
                               double *total) BURL_MUST_CHECK;

#endif
