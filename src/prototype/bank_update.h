/* prototype/bank_update.h: a bank that learns from new patches without the old ones. */
#ifndef BURL_PROTOTYPE_BANK_UPDATE_H
#define BURL_PROTOTYPE_BANK_UPDATE_H

#include "prototype/bank.h"

/* New patches, in random order; n may be 0. */
typedef struct burl_news {
  const float *patches;   /* (n,d) */
  const float *positions; /* (n,2), NULL where spatial is none */
  size_t n;
  double share;   /* of the new images among all that the bank will have learned from, 0..1 */
  double known;   /* patches up to this distance from the old bank are nothing new */
  uint64_t round; /* updates before this one: the random numbers differ */
} burl_news;

/* A new bank of as many prototypes as the old one has (fewer only where it has fewer than asked
 * for and the news fill it up). Methods burl, coreset and kmeans, with the options that the old
 * bank was fitted with. Errors: BURL_ERR_ARGUMENT (another method), BURL_ERR_SIZE,
 * BURL_ERR_MEMORY, BURL_ERR_NUMERIC. docs/math/prototypes.md, "Update". */
burl_status burl_bank_update(burl_bank **updated, const burl_bank *old, const burl_news *news,
                             const burl_bank_options *options) BURL_MUST_CHECK;

#endif
