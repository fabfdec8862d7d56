/* synth/pattern.h: weaves: which yarn lies on top at a crossing, and the repeat of a rib. */
#ifndef BURL_SYNTH_PATTERN_H
#define BURL_SYNTH_PATTERN_H

#include <burl/synth.h>

/* A crossing of end i and pick j has the end on top unless (i*step + j) mod ends is below `under`.
 * Plain is 2 ends, step 1; twill 2/1 is 3 ends, step +-1; satin 5 ends, step 2; under is 1 in all.
 * A rib repeats `face` wales seen from the right side and `back` wales seen from the reverse. */
typedef struct burl_pattern {
  int ends, step, under;
  int face, back;
} burl_pattern;

/* `choice` picks among the kinds of a weave: twill 2/1 or 3/1 to either side, satin of 5 or 8... */
burl_pattern burl_pattern_choose(burl_weave weave, uint64_t choice);

int burl_pattern_end_on_top(const burl_pattern *pattern, int64_t end, int64_t pick);

/* Whether a wale of a rib shows its face; wales are numbered through face and back ones. */
int burl_pattern_is_face(const burl_pattern *pattern, int64_t wale);

/* Back wales sink between the face ones and show less of their width. In face wales: */
#define BURL_BACK_WIDTH 0.62
double burl_pattern_wale_width(const burl_pattern *pattern, int64_t wale);
double burl_pattern_wale_centre(const burl_pattern *pattern, int64_t wale);
int64_t burl_pattern_wale_at(const burl_pattern *pattern, double u);

#endif
