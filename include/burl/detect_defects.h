/* burl/detect_defects.h: the defects of a heat map: proposals, of which suppression leaves one for
 * each thing.
 *
 * Regions of a component tree lie inside each other or apart; of regions inside each other one is
 * kept, the one that suppression ranks first. Source: docs/math/detect.md, "Defects".
 */
#ifndef BURL_DETECT_DEFECTS_H
#define BURL_DETECT_DEFECTS_H

#include <burl/detect_suppress.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct burl_detect_options {
  burl_proposal_options proposals;
  burl_suppress_options suppress; /* ranks by score times quality */
  double least;                   /* defects below this score are not wanted; -infinity: all are */
} burl_detect_options;

/* The defaults of both, and all scores. */
BURL_API burl_detect_options burl_detect_default_options(void);

/* The defects of a map, as proposals that stand apart, by falling score (soft suppression: what is
 * left of it); equal scores in the order of suppression. Independent of the map once made. Errors:
 * those of burl_proposals_new and burl_suppress. */
typedef struct burl_defects burl_defects;
BURL_API burl_status burl_defects_new(burl_defects **self, const float *heat, size_t height,
                                      size_t width,
                                      const burl_detect_options *options) BURL_MUST_CHECK;
BURL_API void burl_defects_free(burl_defects *self);
BURL_API size_t burl_defects_get_count(const burl_defects *self);
/* (count), borrowed. */
BURL_API const burl_proposal *burl_defects_get(const burl_defects *self);

#ifdef __cplusplus
}
#endif
#endif
