/* synth/put.h: one defect on its way onto an image. A kind of defect is a row of the table in
 * put.c: its shape and a function that fills `value`, from what the box holds. */
#ifndef BURL_SYNTH_PUT_JOB_H
#define BURL_SYNTH_PUT_JOB_H

#include "synth/put_shape.h"
#include <burl/synth_put.h>

typedef struct burl_put_job {
  const burl_image *image, *other; /* other may be NULL */
  double strength, deviation;      /* of the grey, 0..1 */
  burl_random random;
  burl_put_shape shape;
  size_t y, x, height, width; /* the box, inside the image; at most the sides of `other` */
  float *weight;              /* (height, width) 0..1: how much of `value` is seen */
  float *value;               /* (channels, height, width): starts as the image's own, 0..1 */
  float *spare;               /* (height, width) for the kinds to work in */
  int done;                   /* value has been faded into the image already, by weight */
} burl_put_job;

/* The functions of the kinds. Of put_patch.c: */
void burl_put_moved(burl_put_job *job);
void burl_put_exchanged(burl_put_job *job);
void burl_put_shifted(burl_put_job *job);
void burl_put_scar(burl_put_job *job);
/* of put_light.c: */
void burl_put_stain(burl_put_job *job);
void burl_put_speck(burl_put_job *job);
void burl_put_hole(burl_put_job *job);
void burl_put_step(burl_put_job *job);
/* of put_yarn.c: */
void burl_put_streak(burl_put_job *job);
void burl_put_warp(burl_put_job *job);
void burl_put_blur(burl_put_job *job);

/* What several of them need: */
double burl_put_sign(burl_random *random);
/* Adds to all channels alike, 0..1. */
void burl_put_tint(burl_put_job *job, double amount);
/* value: blurred by a Gaussian of sigma pixels, mirrored at the box's border. */
void burl_put_smear(burl_put_job *job, double sigma);

#endif
