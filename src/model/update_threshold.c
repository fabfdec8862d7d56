/* The threshold of old and new together.
 *
 * Scales stay as they were fitted, so the largest held-out values of the old images, which the
 * model keeps, and those of the new ones, each from banks that did not see it, are of one unit: the
 * threshold is that of all of them, but never below that of the old ones alone. (Mixing the scales
 * was tried: with images of another kind of cloth the deviations grow by what lies between the two,
 * and what the old cloth's defects cost is measured by that.) */
#include "model/update_parts.h"

#include "base/diag.h"

#include <stdlib.h>

/* values (all): the `old` ones first. */
static burl_status estimate(update_job *job, double *values, size_t old, size_t all) {
  burl_model *next = job->fit.model;
  uint64_t seed = next->options.bank.seed;
  burl_threshold alone;
  burl_status status =
      burl_threshold_estimate(&alone, values, old, next->options.false_alarm, seed);
  if (status == BURL_OK)
    status =
        burl_threshold_estimate(&next->threshold, values, all, next->options.false_alarm, seed);
  if (status != BURL_OK) return status;
  if (alone.value > next->threshold.value) next->threshold = alone;
  return burl_model_keep_maxima(next, values, all);
}

burl_status burl_update_threshold(update_job *job) {
  burl_model *next = job->fit.model;
  const burl_model *before = job->before;
  double typical, share = burl_update_share(job, job->fit.folds);
  size_t n, old = before->maxima_count;
  burl_status status = burl_fit_measure_values(&job->fit, &typical, &n);
  if (status != BURL_OK) return status;
  double *values = burl_alloc(old + n, sizeof *values);
  if (!values) return burl_fail_memory(job->fit.data.diag, NULL);
  for (size_t i = 0; i < old; i++)
    values[i] = (double)before->maxima[i];
  for (size_t i = 0; i < n; i++)
    values[old + i] = job->fit.largest[i];
  next->typical = before->typical + share * (typical - before->typical);
  next->calibration_images = before->calibration_images + n;
  status = estimate(job, values, old, old + n);
  free(values);
  if (status != BURL_OK) return burl_fail_memory(job->fit.data.diag, NULL);
  if (next->threshold.value > next->typical) return BURL_OK;
  return burl_fail(job->fit.data.diag, BURL_ERR_DATA, NULL, "Fit a model of all images.",
                   "with the new images no threshold can be set");
}
