/* synth/put.h: one defect on its way onto an image. A kind of defect is a row of the table in
 * put.c: its extent and a function that fills `value`, from what the box holds. */
#ifndef BURL_SYNTH_PUT_JOB_H
#define BURL_SYNTH_PUT_JOB_H

#include "base/random.h"
#include <burl/synth_put.h>

typedef struct burl_put_job {
  const burl_image *image, *other; /* other may be NULL */
  double strength, deviation;      /* of the grey, 0..1 */
  burl_random random;
  size_t y, x, height, width; /* the box, inside the image; at most the sides of `other` */
  double radius;              /* of the blob, pixels */
  float *weight;              /* (height, width) 0..1: how much of `value` is seen */
  float *value;               /* (channels, height, width): starts as the image's own, 0..1 */

} burl_put_job;

/* The functions of the kinds. */
void burl_put_moved(burl_put_job *job);
void burl_put_exchanged(burl_put_job *job);
void burl_put_shifted(burl_put_job *job);
void burl_put_stain(burl_put_job *job);
void burl_put_speck(burl_put_job *job);

#endif
