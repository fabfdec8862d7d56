/* An exponential tail fitted to the largest scores: with a few dozen images the 1 % quantile lies
 * beyond the largest of them, and an estimate that cannot go there would be wrong every time. The
 * bootstrap says how little a few images tell. */
#include "heat/threshold.h"

#include "base/memory.h"
#include "base/random.h"

#include <math.h>
#include <stdlib.h>

#define RESAMPLES 400

static int ascending(const void *left, const void *right) {
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

/* sorted (n) ascending */
static double estimate(const double *sorted, size_t n, double false_alarm) {
  if (n == 1) return sorted[0];
  size_t m = (size_t)ceil(2.0 * sqrt((double)n));
  if (m > n - 1) m = n - 1;
  double expected = (double)n * false_alarm;
  if (expected >= (double)m) {
    size_t above = (size_t)expected < n ? (size_t)expected : n - 1;
    return sorted[n - 1 - above];
  }
  double base = sorted[n - 1 - m], excess = 0.0;
  for (size_t i = n - m; i < n; i++)
    excess += (sorted[i] - base) / (double)m;
  return base + excess * log((double)m / expected);
}

burl_status burl_threshold_estimate(burl_threshold *threshold, double *scores, size_t n,
                                    double false_alarm, uint64_t seed) {
  double *sample = burl_alloc(n, sizeof *sample), again[RESAMPLES];
  if (!sample) return BURL_ERR_MEMORY;
  qsort(scores, n, sizeof *scores, ascending);
  burl_random random = burl_random_start(seed, 0x7468726573);
  for (size_t r = 0; r < RESAMPLES; r++) {
    for (size_t i = 0; i < n; i++)
      sample[i] = scores[burl_random_below(&random, n)];
    qsort(sample, n, sizeof *sample, ascending);
    again[r] = estimate(sample, n, false_alarm);
  }
  qsort(again, RESAMPLES, sizeof *again, ascending);
  free(sample);
  *threshold = (burl_threshold){.value = estimate(scores, n, false_alarm),
                                .low = again[RESAMPLES / 20],
                                .high = again[RESAMPLES - 1 - RESAMPLES / 20]};
  return BURL_OK;
}
