/* heat/threshold.h: a threshold from the scores of held-out good images alone. */
#ifndef BURL_HEAT_THRESHOLD_H
#define BURL_HEAT_THRESHOLD_H

#include <burl/base.h>

typedef struct burl_threshold {
  double value;     /* the score that a share `false_alarm` of good images is expected to reach */
  double low, high; /* 90 % interval, by bootstrap over the images */
} burl_threshold;

/* scores (n), n >= 1, finite; they are sorted in place. false_alarm in (0,1).
 *
 * Above the m-th largest score u the tail is taken to be exponential, m = min(n-1, 2 sqrt(n)) rounded up:
 *     value = u + mean excess over u * log(m / (n false_alarm)),
 * (Hill-type estimate for the Gumbel domain; with many images it meets the empirical quantile.) Where
 * n false_alarm > m the empirical quantile is taken. Errors: BURL_ERR_MEMORY. */
burl_status burl_threshold_estimate(burl_threshold *threshold, double *scores, size_t n,
                                    double false_alarm, uint64_t seed) BURL_MUST_CHECK;

#endif
