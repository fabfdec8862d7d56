/* evaluate/pimo.h: recall within images against the false positive rate within good images. */
#ifndef BURL_EVALUATE_PIMO_H
#define BURL_EVALUATE_PIMO_H

#include "evaluate/pixel_evaluator.h"

#define BURL_PIMO_LOW 1e-5
#define BURL_PIMO_HIGH 1e-4

/* AUPIMO of all images, NaN where there is no image of good pixels alone, or none with defects.
 * Error: BURL_ERR_MEMORY. */
burl_status burl_pimo(double *aupimo, const burl_pixel_evaluator *self) BURL_MUST_CHECK;

/* What a pixel adds to the recall of its image, integrated over log rate and divided by the width,
 * where `rate` is the false positive rate at the pixel's score: 0..1. */
double burl_pimo_share(double rate);

#endif
