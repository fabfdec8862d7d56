/* Learning a bank: patches to joint points, a start, the method's steps, then mass and radius of
 * each prototype. */
#include "prototype/points.h"

#include "base/memory.h"
#include "base/random.h"
#include "prototype/baselines.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int all_finite(const float *v, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (!isfinite(v[i])) return 0;
  return 1;
}

/* `k` different random points, all of them where there are no more. */
static void choose_random(size_t *chosen, size_t k, size_t n, uint64_t seed) {
  for (size_t j = 0; j < k; j++) {
    size_t last = n - k + j;
    size_t pick = (size_t)(burl_random_at(seed, 0, j) % (last + 1)), i = 0;
    while (i < j && chosen[i] != pick)
      i++;
    chosen[j] = i < j ? last : pick; /* Floyd's sampling */
  }
}

static burl_status start(float *prototypes, size_t *k, const float *joint, size_t n, size_t dim,
                         const burl_bank_options *options) {
  size_t *chosen = burl_alloc(*k, sizeof *chosen);
  if (!chosen) return BURL_ERR_MEMORY;
  burl_status status = BURL_OK;
  if (options->start == BURL_START_COVERAGE)
    status = burl_coverage_start(chosen, k, joint, n, dim, *k, options->start_trim);
  else
    choose_random(chosen, *k, n, options->seed);
  for (size_t j = 0; j < *k && status == BURL_OK; j++)
    memcpy(prototypes + j * dim, joint + chosen[j] * dim, dim * sizeof *joint);
  free(chosen);
  return status;
}

/* Prototypes (*k, dim) as the method has them; *k at least 1 and at most what was asked for. */
static burl_status learn(float *prototypes, size_t *k, const float *joint, size_t n, size_t dim,
                         const burl_bank_options *options) {
  if (options->method == BURL_METHOD_CORESET)
    return burl_coreset(prototypes, k, joint, n, dim, options->seed);
  if (options->method == BURL_METHOD_KMEANS)
    return burl_kmeans(prototypes, k, joint, n, dim, options->iterations, options->seed);
  burl_status status = start(prototypes, k, joint, n, dim, options);
  if (status == BURL_OK) status = burl_barycentre_steps(prototypes, *k, joint, n, dim, options);
  return status;
}

static burl_status fit_points(burl_bank **bank, const float *patches, const float *positions,
                              size_t n, size_t d, const burl_bank_options *options) {
  burl_joint how = burl_joint_of(d, options->spatial, options->spatial_weight);
  if (how.dim > BURL_JOINT_MAX_DIM) return BURL_ERR_ARGUMENT;
  size_t k = options->prototypes < n ? options->prototypes : n;
  float *joint = burl_alloc(n * how.dim, sizeof *joint);
  float *prototypes = burl_alloc(k * how.dim, sizeof *prototypes);
  burl_status status = joint && prototypes ? BURL_OK : BURL_ERR_MEMORY;
  if (status == BURL_OK) {
    burl_joint_points(&how, joint, patches, positions, n);
    status = learn(prototypes, &k, joint, n, how.dim, options);
  }
  free(joint);
  burl_bank *made = NULL;
  if (status == BURL_OK) status = burl_points_new(&made, prototypes, k, &how, options->radius);
  if (status == BURL_OK) status = burl_bank_measure(made, patches, positions, n);
  free(prototypes);
  if (status != BURL_OK) {
    burl_bank_free(made);
    return status;
  }
  burl_points_finish(made);
  *bank = made;
  return BURL_OK;
}

burl_status burl_bank_fit(burl_bank **bank, const float *patches, const float *positions, size_t n,
                          size_t d, const burl_bank_options *options) {
  int placed = options->spatial != BURL_SPATIAL_NONE;
  if (burl_settings_check(options, NULL) != BURL_OK || d == 0 || (placed && !positions) ||
      options->spatial == BURL_SPATIAL_AUTO || options->method == BURL_METHOD_PRADOT)
    return BURL_ERR_ARGUMENT;
  if (n == 0) return BURL_ERR_DATA;
  if (!all_finite(patches, n * d) || (placed && !all_finite(positions, n * 2)))
    return BURL_ERR_NUMERIC;
  if (options->method == BURL_METHOD_GAUSSIAN)
    return burl_gaussian_fit(bank, patches, positions, n, d, options);
  return fit_points(bank, patches, positions, n, d, options);
}
