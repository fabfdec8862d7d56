/* Coherence: what is one thing has a smooth mask, so ragged masks lose some of their weight. The
 * total variation is the sum of |differences| to the right and down, by pixel. */
#include <burl/detect_refine.h>

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

static double variation(const float *mask, size_t height, size_t width) {
  double sum = 0;
  for (size_t y = 0; y < height; y++)
    for (size_t x = 0; x < width; x++) {
      const float *at = mask + y * width + x;
      if (x + 1 < width) sum += fabs((double)at[1] - (double)at[0]);
      if (y + 1 < height) sum += fabs((double)at[width] - (double)at[0]);
    }
  return sum;
}

/* rough (n): variations, brought to 0..1. */
static burl_status compare_masks(double *rough, const float *masks, size_t n, size_t height,
                                 size_t width) {
  double least = HUGE_VAL, most = 0;
  for (size_t i = 0; i < n; i++) {
    rough[i] = variation(masks + i * height * width, height, width);
    if (!isfinite(rough[i])) return BURL_ERR_NUMERIC;
    least = fmin(least, rough[i]);
    most = fmax(most, rough[i]);
  }
  for (size_t i = 0; i < n; i++)
    rough[i] = most > least ? (rough[i] - least) / (most - least) : 0;
  return BURL_OK;
}

burl_status burl_coherent_weights(double *out, const double *p, const float *masks, size_t n,
                                  size_t height, size_t width, double share) {
  if (!(share >= 0 && share <= 1)) return BURL_ERR_ARGUMENT;
  if (n == 0) return BURL_OK;
  double *rough = burl_alloc(n, sizeof *rough), sum = 0;
  burl_status status = rough ? compare_masks(rough, masks, n, height, width) : BURL_ERR_MEMORY;
  for (size_t i = 0; status == BURL_OK && i < n; i++)
    sum += rough[i] = (1 - share) * p[i] + share * (1 - rough[i]);
  if (status == BURL_OK && !(sum > 0 && isfinite(sum))) status = BURL_ERR_NUMERIC;
  for (size_t i = 0; status == BURL_OK && i < n; i++)
    out[i] = rough[i] / sum;
  free(rough);
  return status;
}
