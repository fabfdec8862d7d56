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
 * Above the score u that m scores exceed, m = min(n-1, 2 sqrt(n) rounded up), the tail is taken to
 * be exponential: value = u + mean excess over u * log(m / (n false_alarm)) (Weissman's estimate
 * for the Gumbel domain). Where n false_alarm >= m the empirical quantile is taken; of one score
 * the score itself. Errors: BURL_ERR_MEMORY. docs/math/heat.md. */
burl_status burl_threshold_estimate(burl_threshold *threshold, double *scores, size_t n,
                                    double false_alarm, uint64_t seed) BURL_MUST_CHECK;

#endif
