/* select/probe.h: what a few good images say of positions, before anything is fitted. */
#ifndef BURL_SELECT_PROBE_H
#define BURL_SELECT_PROBE_H

#include <burl/dataset.h>

typedef struct burl_probe {
  int repeats;         /* directions in which a print repeats, 0..2 */
  double strength;     /* of the repeat, 0..1 */
  double registration; /* mean correlation of two images at the same place, 0 if sizes differ */
  size_t images;       /* that could be looked at */
} burl_probe;

/* Looks at a few good training images spread over the data set. Errors: BURL_ERR_MEMORY,
 * BURL_ERR_IO... (an image that was readable a moment ago). */
burl_status burl_probe_look(burl_probe *probe, const burl_dataset *dataset, int threads,
                            const burl_observer *observer, burl_diag *diag) BURL_MUST_CHECK;

#endif
