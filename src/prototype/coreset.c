/* Greedy k-centre selection: a random patch, then each time the patch farthest from all chosen
 * ones. It is the coverage of coverage.c with nothing trimmed and another first point; what differs
 * from our own start is that nothing moves afterwards and that no outlier is passed over. */
#include "prototype/baselines.h"

#include "base/memory.h"
#include "base/random.h"

#include <stdlib.h>
#include <string.h>

enum { STREAM_CORESET = 1 };

burl_status burl_coreset(float *prototypes, size_t *k, const float *points, size_t n, size_t d,
                         uint64_t seed) {
  burl_random random = burl_random_start(seed, STREAM_CORESET);
  size_t first = (size_t)burl_random_below(&random, n), most = *k < n ? *k : n, count;
  size_t *chosen = burl_alloc(most, sizeof *chosen);
  if (!chosen) return BURL_ERR_MEMORY;
  burl_status status = burl_coverage_from(chosen, &count, points, n, d, most, 0.0, first);
  for (size_t j = 0; status == BURL_OK && j < count; j++)
    memcpy(prototypes + j * d, points + chosen[j] * d, d * sizeof *points);
  if (status == BURL_OK) *k = count;
  free(chosen);
  return status;
}
