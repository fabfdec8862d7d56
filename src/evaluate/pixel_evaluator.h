/* evaluate/pixel_evaluator.h: what a pixel evaluator keeps, for those that read it again. */
#ifndef BURL_EVALUATE_PIXEL_EVALUATOR_H
#define BURL_EVALUATE_PIXEL_EVALUATOR_H

#include <burl/evaluate.h>

#include "evaluate/pixel_words.h"

/* How much of the lists belongs to an image; images come in the order of adding. */
typedef struct burl_pixel_image {
  uint32_t good, defect, regions;
  uint32_t saturated, channels; /* pixels and regions of the saturated overlap */
} burl_pixel_image;

struct burl_pixel_evaluator {
  burl_word_list good;      /* keys */
  burl_word_list defect;    /* burl_radix_pair: key, pixels of the region */
  burl_word_list saturated; /* burl_radix_pair: key, saturation of the region */
  uint64_t good_count, defect_count, saturated_count;
  size_t regions, channels;
  double pro_limit;
  int unsaturated; /* an image with defects came without saturations */
  burl_pixel_image *images;
  size_t count, room;
  uint32_t *sorted; /* (sorted_count) good keys, falling, as long as no more came; may be NULL */
  size_t sorted_count;
};

/* Makes `sorted` of all good keys. Error: BURL_ERR_MEMORY. */
burl_status burl_pixel_evaluator_sort(burl_pixel_evaluator *self) BURL_MUST_CHECK;

#endif
