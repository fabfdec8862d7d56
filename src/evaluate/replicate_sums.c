/* Weights and sums of eight replicates.
 *
 * Weights are those of the Bayesian bootstrap (Rubin 1981): independent exponential numbers,
 * brought to the same sum in each stratum. Half a cluster has the weight of a gamma variable of
 * shape 1/2. docs/math/intervals.md.
 */
#include "evaluate/replicate_parts.h"

#include "base/random.h"
#include "evaluate/weighted.h"
#include "num/simd.h"

#include <math.h>
#include <string.h>

#define LANES BURL_SUM_LANES

static double uniform_at(uint64_t seed, uint64_t stream, uint64_t index) {
  return ((double)(burl_random_at(seed, stream, index) >> 11) + 0.5) * 0x1p-53;
}

/* Half the square of a normal number. */
static double half_at(uint64_t seed, uint64_t stream, uint64_t index) {
  double cosine = cos(6.283185307179586 * uniform_at(seed, stream, index + 1));
  return -log(uniform_at(seed, stream, index)) * cosine * cosine;
}

static void draw_lane(burl_sums *sums, const burl_resampler *r, size_t stream, int lane) {
  const burl_drawing *d = r->drawing;
  double sum[2] = {0, 0};
  for (size_t c = 0; c < d->clusters; c++) {
    double w = -log(uniform_at(r->seed, stream, c));
    sums->weight[c * LANES + (size_t)lane] = w;
    sum[d->stratum[c]] += w;
  }
  double factor[2] = {0, 0};
  for (int s = 0; s < 2; s++) {
    double half = half_at(r->seed, stream, (uint64_t)d->clusters + 2 * (uint64_t)s);
    if (r->strata[s] == 0) continue;
    factor[s] = (double)r->strata[s] / sum[s];
    sums->half[s][lane] = half * (double)r->strata[s] / (sum[s] + half);
    sums->scale[s][lane] = sum[s] / (sum[s] + half);
  }
  for (size_t c = 0; c < d->clusters; c++)
    sums->weight[c * LANES + (size_t)lane] *= factor[d->stratum[c]];
  if (r->strata[0] == 0) { /* good images lie in clusters with defective ones alone */
    sums->half[0][lane] = sums->half[1][lane];
    sums->scale[0][lane] = sums->scale[1][lane];
  }
}

void burl_sums_draw(burl_sums *sums, const burl_resampler *r, size_t first, int equal) {
  memset(sums->half, 0, sizeof sums->half);
  for (int i = 0; i < 2 * LANES; i++)
    sums->scale[i / LANES][i % LANES] = 1;
  if (equal) {
    for (size_t i = 0; i < r->drawing->clusters * LANES; i++)
      sums->weight[i] = 1;
    return;
  }
  for (int lane = 0; lane < LANES; lane++)
    draw_lane(sums, r, first + (size_t)lane, lane);
}

static void add_scaled(double *restrict sum, const double *restrict weight, double value) {
  for (int lane = 0; lane < LANES; lane++)
    sum[lane] += value * weight[lane];
}

BURL_CLONES static void add_row(double *restrict bins, const burl_rows *rows, size_t row,
                                const double *restrict weight, double factor) {
  double w[LANES];
  for (int lane = 0; lane < LANES; lane++)
    w[lane] = factor * weight[lane];
  for (size_t i = rows->start[row]; i < rows->start[row + 1]; i++) {
    double *restrict sum = bins + (size_t)rows->bin[i] * LANES, value = (double)rows->value[i];
    for (int lane = 0; lane < LANES; lane++)
      sum[lane] += value * w[lane];
  }
}

static void add_rows(burl_sums *sums, const burl_evidence *e, size_t row, const double *weight) {
  const burl_row_totals *t = &e->totals[row];
  for (int k = 0; k < BURL_ROW_KINDS; k++)
    add_row(sums->bin[k], &e->rows[k], row, weight, 1);
  if (t->defect == 0)
    add_row(sums->bin[BURL_SUM_PIMO_GOOD], &e->rows[BURL_ROWS_GOOD], row, weight,
            1.0 / (double)t->good);
  else
    add_row(sums->bin[BURL_SUM_PIMO_DEFECT], &e->rows[BURL_ROWS_DEFECT], row, weight,
            1.0 / (double)t->defect);
  add_scaled(sums->total[BURL_TOTAL_REGIONS], weight, (double)t->regions);
  add_scaled(sums->total[BURL_TOTAL_CHANNELS], weight, (double)t->channels);
}

void burl_sums_add(burl_sums *sums, const burl_resampler *r) {
  const burl_evidence *e = r->evidence;
  memset(sums->total, 0, sizeof sums->total);
  memset(sums->image_good, 0, r->ranks * LANES * sizeof(double));
  memset(sums->image_defect, 0, r->ranks * LANES * sizeof(double));
  for (int k = 0; k < BURL_SUM_KINDS; k++)
    memset(sums->bin[k], 0, e->bins * LANES * sizeof(double));
  for (size_t i = 0; i < r->drawing->count; i++) {
    const burl_evidence_image *image = &e->images[r->drawing->image[i]];
    const double *weight = sums->weight + r->drawing->cluster[i] * LANES;
    int called = (double)image->score >= e->threshold, bad = image->defective;
    add_scaled((bad ? sums->image_defect : sums->image_good) + r->rank[i] * LANES, weight, 1);
    add_scaled(sums->total[bad ? BURL_TOTAL_DEFECTIVE : BURL_TOTAL_GOOD], weight, 1);
    if (called)
      add_scaled(sums->total[bad ? BURL_TOTAL_FINDS : BURL_TOTAL_FALSE_ALARMS], weight, 1);
    if (r->row[i] != SIZE_MAX) add_rows(sums, e, r->row[i], weight);
  }
}

/* The half clusters of a variant; bad ones of the wrong variant lie below all, of the right one
 * above all others. */
static burl_weighted tally(const burl_sums *sums, const double *good, const double *defect,
                           size_t bins, int lane, burl_variant variant) {
  int plain = variant == BURL_PLAIN;
  return (burl_weighted){.good = good + lane,
                         .defect = defect + lane,
                         .bins = bins,
                         .stride = LANES,
                         .good_scale = plain ? 1 : sums->scale[0][lane],
                         .defect_scale = plain ? 1 : sums->scale[1][lane]};
}

static void place_good(burl_weighted *w, double weight, burl_variant variant) {
  if (variant == BURL_WRONG) w->good_top = weight;
  if (variant == BURL_RIGHT) w->good_bottom = weight;
}

static void place_defect(burl_weighted *w, double weight, burl_variant variant) {
  if (variant == BURL_WRONG) w->defect_bottom = weight;
  if (variant == BURL_RIGHT) w->defect_top = weight;
}

static void measure_images(double *values, const burl_sums *sums, const burl_resampler *r, int lane,
                           burl_variant variant) {
  double half[2], all[2], called[2];
  int plain = variant == BURL_PLAIN;
  for (int s = 0; s < 2; s++) {
    double images = r->clusters_of[s] > 0 ? r->images_of[s] / r->clusters_of[s] : 0;
    double scale = plain ? 1 : sums->scale[s][lane];
    half[s] = plain ? 0 : images * sums->half[s][lane];
    all[s] = scale * sums->total[s ? BURL_TOTAL_DEFECTIVE : BURL_TOTAL_GOOD][lane] + half[s];
    called[s] = scale * sums->total[s ? BURL_TOTAL_FINDS : BURL_TOTAL_FALSE_ALARMS][lane];
  }
  burl_weighted w = tally(sums, sums->image_good, sums->image_defect, r->ranks, lane, variant);
  place_good(&w, half[0], variant);
  place_defect(&w, half[1], variant);
  burl_weighted_ranking ranking = burl_weigh_ranking(&w);
  values[BURL_MEASURE_IMAGE_AUROC] = ranking.auroc;
  values[BURL_MEASURE_IMAGE_AP] = ranking.ap;
  values[BURL_MEASURE_IMAGE_F1] = ranking.f1_max;
  called[0] += variant == BURL_WRONG ? half[0] : 0;
  called[1] += variant == BURL_RIGHT ? half[1] : 0;
  values[BURL_MEASURE_FALSE_ALARM] = called[0] / all[0]; /* NaN without any */
  values[BURL_MEASURE_DETECTION] = called[1] / all[1];
}

static double overlap(burl_weighted w, double mean, double half, double total, double limit,
                      burl_variant variant) {
  place_defect(&w, mean * half, variant);
  return burl_weigh_overlap(&w, w.defect_scale * total + mean * half, limit);
}

static void measure_pixels(double *values, const burl_sums *sums, const burl_resampler *r, int lane,
                           burl_variant variant) {
  size_t bins = r->evidence->bins;
  double half = variant == BURL_PLAIN ? 0 : sums->half[1][lane];
  double regions = sums->total[BURL_TOTAL_REGIONS][lane];
  double channels = sums->total[BURL_TOTAL_CHANNELS][lane];
  const double *good = sums->bin[BURL_SUM_GOOD];
  burl_weighted w = tally(sums, good, sums->bin[BURL_SUM_DEFECT], bins, lane, variant);
  w.good_scale = 1; /* good pixels of good and of defective images: none is added */
  burl_weighted share = w, saturated = w;
  share.defect = sums->bin[BURL_SUM_SHARE] + lane;
  saturated.defect = sums->bin[BURL_SUM_SATURATED] + lane;
  place_defect(&w, r->mean_pixels * half, variant);
  burl_weighted_ranking ranking = burl_weigh_ranking(&w);
  values[BURL_MEASURE_PIXEL_AUROC] = ranking.auroc;
  values[BURL_MEASURE_PIXEL_AP] = ranking.ap;
  values[BURL_MEASURE_PIXEL_F1] = ranking.f1_max;
  values[BURL_MEASURE_AUPRO_030] = overlap(share, r->mean_regions, half, regions, 0.3, variant);
  values[BURL_MEASURE_AUPRO_005] = overlap(share, r->mean_regions, half, regions, 0.05, variant);
  values[BURL_MEASURE_AUSPRO] = overlap(saturated, r->mean_channels, half, channels, 0.05, variant);
  burl_weighted pimo = tally(sums, sums->bin[BURL_SUM_PIMO_GOOD], sums->bin[BURL_SUM_PIMO_DEFECT],
                             bins, lane, variant);
  place_defect(&pimo, half, variant);
  values[BURL_MEASURE_AUPIMO] = burl_weigh_pimo(&pimo);
}

void burl_sums_measure(double *values, const burl_sums *sums, const burl_resampler *r, int lane,
                       burl_variant variant) {
  for (int i = 0; i < BURL_MEASURE_COUNT; i++)
    values[i] = (double)NAN;
  measure_images(values, sums, r, lane, variant);
  if (r->evidence->bins > 0) measure_pixels(values, sums, r, lane, variant);
}

static burl_weighted tally_of(const burl_sums *sums, const burl_resampler *r, int lane,
                              int pixels) {
  if (pixels)
    return tally(sums, sums->bin[BURL_SUM_GOOD], sums->bin[BURL_SUM_DEFECT], r->evidence->bins,
                 lane, BURL_PLAIN);
  return tally(sums, sums->image_good, sums->image_defect, r->ranks, lane, BURL_PLAIN);
}

void burl_sums_f1(double *images, double *pixels, const burl_sums *sums, const burl_resampler *r,
                  int lane) {
  burl_weighted w[2] = {tally_of(sums, r, lane, 0), tally_of(sums, r, lane, 1)};
  burl_weigh_f1(images, &w[0]);
  burl_weigh_f1(pixels, &w[1]);
}

void burl_sums_optimism(double optimism[2], const burl_sums *sums, const burl_resampler *r,
                        int lane, const double *images, const double *pixels) {
  for (int i = 0; i < 2; i++) {
    burl_weighted w = tally_of(sums, r, lane, i);
    burl_weighted_ranking ranking = burl_weigh_ranking(&w);
    optimism[i] = ranking.f1_max - (i ? pixels : images)[ranking.f1_at];
  }
}
