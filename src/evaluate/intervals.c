/* Intervals of the measures of one run. */
#include "base/memory.h"
#include "evaluate/quantile.h"
#include "evaluate/replicates.h"

#include <math.h>

/* F1 at the best of all thresholds is too good, in the set as in its replicates, by about what the
 * replicates lose when their thresholds are taken to the set. */
static double optimism_of(const burl_replicates *r, int measure) {
  if (measure != BURL_MEASURE_IMAGE_F1 && measure != BURL_MEASURE_PIXEL_F1) return 0;
  double sum = 0;
  for (size_t i = 0; i < r->count; i++)
    sum += r->optimism[2 * i + (measure == BURL_MEASURE_PIXEL_F1)];
  return sum / (double)r->count;
}

/* The measure's replicates are moved by what the bins take away or add. */
burl_interval burl_replicates_interval(const burl_replicates *r, int measure, double exact,
                                       double level) {
  if (!isfinite(exact) || !isfinite(r->point[measure]))
    return (burl_interval){(double)NAN, (double)NAN};
  double shift = exact - r->point[measure] - optimism_of(r, measure), tail = 0.5 * (1 - level);
  int falls = measure == BURL_MEASURE_FALSE_ALARM; /* the lower the better */
  double *wrong = burl_replicates_of(r, BURL_WRONG, measure);
  double *right = burl_replicates_of(r, BURL_RIGHT, measure);
  double low = burl_quantile(falls ? right : wrong, r->count, tail) + shift;
  double high = burl_quantile(falls ? wrong : right, r->count, 1 - tail) + shift;
  return (burl_interval){fmax(0, fmin(low, exact)), fmin(1, fmax(high, exact))};
}

burl_status burl_evidence_intervals(const burl_evidence *self,
                                    burl_interval intervals[BURL_MEASURE_COUNT],
                                    const burl_resampling *options) {
  size_t count = burl_replicates_wanted(options, self->count);
  if (!(options->level > 0 && options->level < 1) || options->threads < 1 || count < 100)
    return BURL_ERR_ARGUMENT;
  burl_clusters clusters = {0};
  burl_replicates replicates = {0};
  burl_status status = burl_clusters_make(&clusters, self, NULL, self->count);
  if (status == BURL_OK)
    status = burl_replicates_make(&replicates, self, &clusters.drawing, count, options->seed,
                                  options->threads);
  for (int i = 0; status == BURL_OK && i < BURL_MEASURE_COUNT; i++)
    intervals[i] = burl_replicates_interval(&replicates, i, self->values[i], options->level);
  burl_replicates_free(&replicates);
  burl_clusters_free(&clusters);
  return status;
}
