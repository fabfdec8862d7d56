/* prototype/pradot_bank.h: prototypes of prototype/pradot.h as a bank. */
#ifndef BURL_PROTOTYPE_PRADOT_BANK_H
#define BURL_PROTOTYPE_PRADOT_BANK_H

#include "prototype/bank.h"
#include "prototype/pradot.h"

/* The options of one fit: the settings, and alpha (0 for global prototypes). */
burl_pradot_options burl_pradot_bank_options(const burl_bank_options *options, double alpha,
                                             int threads);

/* Learns a bank from features (images, rows, cols, d); mass and radius are of all images. Errors:
 * those of burl_pradot_fit; BURL_ERR_SIZE also for more prototypes than a bank holds. */
burl_status burl_pradot_bank_fit(burl_bank **bank, const float *features, size_t images,
                                 size_t rows, size_t cols, size_t d,
                                 const burl_pradot_options *options, const burl_observer *observer,
                                 burl_diag *diag) BURL_MUST_CHECK;

/* As burl_bank_load; spatial none in the options stands for global prototypes. */
burl_status burl_pradot_bank_load(burl_bank **bank, const char *prefix,
                                  const burl_bank_options *options, size_t dim,
                                  const burl_safetensors *file, burl_diag *diag) BURL_MUST_CHECK;

#endif
