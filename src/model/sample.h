/* model/sample.h: a bounded random sample of patch embeddings from a stream of any length.
 *
 * Every patch has a random 64-bit key of its own (a hash of seed, group, image and cell); the
 * sample is the `capacity` patches with the smallest keys. It depends neither on the order nor on
 * the number of threads in which patches arrive, and samples of parts can be merged. (Bottom-k
 * sampling: Cohen and Kaplan, Summarizing Data using Bottom-k Sketches, PODC 2007.)
 */
#ifndef BURL_MODEL_SAMPLE_H
#define BURL_MODEL_SAMPLE_H

#include <burl/base.h>

typedef struct sample_entry {
  uint64_t key;
  uint32_t image, slot; /* slot: where its embedding lies in `values` */
  uint32_t y, x;        /* pixel in the middle of the patch, for whoever fills it in */
} sample_entry;

typedef struct patch_sample {
  size_t capacity, width; /* floats an entry: embedding and position */
  size_t count;           /* entries held, up to twice the capacity */
  uint64_t limit;         /* keys above are not taken any more */
  sample_entry *entries;
  float *values; /* (2 capacity, width) */
} patch_sample;

burl_status burl_sample_open(patch_sample *sample, size_t capacity, size_t width) BURL_MUST_CHECK;
void burl_sample_close(patch_sample *sample);

/* Offers a patch; values (width). Gives its entry until the next offer, NULL where it was not
 * taken. Not safe for several threads at once. */
sample_entry *burl_sample_offer(patch_sample *sample, uint64_t key, uint32_t image,
                                const float *values);

/* Cuts down to `capacity` and sorts by key: from then on entries 0..count-1 are in random order. */
void burl_sample_finish(patch_sample *sample);

#endif
