/* Naive twins of shape/components and evaluate: one count of everything for every threshold. */
#include "reference/ref_metrics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void fill(uint32_t *labels, const uint8_t *mask, size_t height, size_t width, size_t *stack,
                 size_t seed, uint32_t label) {
  size_t top = 0;
  stack[top++] = seed;
  labels[seed] = label;
  while (top > 0) {
    size_t pixel = stack[--top], y = pixel / width, x = pixel % width;
    for (size_t v = y ? y - 1 : 0; v <= y + 1 && v < height; v++)
      for (size_t u = x ? x - 1 : 0; u <= x + 1 && u < width; u++) {
        size_t next = v * width + u;
        if (!mask[next] || labels[next]) continue;
        labels[next] = label;
        stack[top++] = next;
      }
  }
}

uint32_t ref_components(uint32_t *labels, const uint8_t *mask, size_t height, size_t width) {
  uint32_t count = 0;
  size_t n = height * width;
  size_t *stack = calloc(n + 1, sizeof *stack);
  if (!stack) return UINT32_MAX;
  for (size_t i = 0; i < n; i++)
    labels[i] = 0;
  for (size_t i = 0; i < n; i++)
    if (mask[i] && !labels[i]) fill(labels, mask, height, width, stack, i, ++count);
  free(stack);
  return count;
}

/* The distinct scores, falling; returns their number. */
static size_t list_thresholds(float *thresholds, const float *scores, size_t n) {
  size_t count = 0;
  double below = (double)INFINITY;
  for (int first = 1;; first = 0) {
    double next = -(double)INFINITY;
    int found = 0;
    for (size_t i = 0; i < n; i++)
      if ((first || (double)scores[i] < below) && (double)scores[i] >= next) {
        next = (double)scores[i];
        found = 1;
      }
    if (!found) return count;
    thresholds[count++] = (float)next;
    below = next;
  }
}

static double rank_statistic(const float *scores, const uint8_t *labels, size_t n) {
  double wins = 0, pairs = 0;
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < n; j++) {
      if (!labels[i] || labels[j]) continue;
      wins += scores[i] > scores[j] ? 1.0 : scores[i] == scores[j] ? 0.5 : 0.0;
      pairs += 1;
    }
  return wins / pairs; /* 0/0 is NaN, as it should be */
}

typedef struct counts {
  double tp, fp, p, n;
} counts;

static counts count_at(const float *scores, const uint8_t *labels, size_t n, float threshold) {
  counts c = {0};
  for (size_t i = 0; i < n; i++) {
    int called = scores[i] >= threshold;
    c.p += labels[i] != 0;
    c.n += labels[i] == 0;
    c.tp += labels[i] && called;
    c.fp += !labels[i] && called;
  }
  return c;
}

static void rank_by(burl_ranking *ranking, const float *scores, const uint8_t *labels, size_t n,
                    const float *thresholds, size_t count) {
  burl_ranking r = {.auroc = rank_statistic(scores, labels, n), .f1_max = -1};
  double recall = 0;
  for (size_t k = 0; k < count; k++) {
    counts c = count_at(scores, labels, n, thresholds[k]);
    r.ap += (c.tp / c.p - recall) * (c.tp / (c.tp + c.fp));
    recall = c.tp / c.p;
    double f1 = 2 * c.tp / (2 * c.tp + c.fp + (c.p - c.tp));
    if (c.p > 0 && f1 > r.f1_max) {
      r.f1_max = f1;
      r.f1_threshold = (double)thresholds[k];
    }
  }
  if (r.f1_max < 0) r.f1_max = r.f1_threshold = r.ap = (double)NAN;
  *ranking = r;
}

void ref_ranking(burl_ranking *ranking, const float *scores, const uint8_t *labels, size_t n) {
  float *thresholds = calloc(n + 1, sizeof *thresholds);
  if (!thresholds) return;
  rank_by(ranking, scores, labels, n, thresholds, list_thresholds(thresholds, scores, n));
  free(thresholds);
}

/* All pixels in one row; regions are numbered from 1 over all images. */
typedef struct pixels {
  float *scores, *thresholds;
  uint8_t *labels;
  uint32_t *regions;
  double *hits, *sizes; /* by region */
  double *fp, *pro;     /* by threshold, after the origin */
  size_t n, region_count, threshold_count;
} pixels;

static void free_pixels(pixels *all) {
  free(all->scores);
  free(all->thresholds);
  free(all->labels);
  free(all->regions);
  free(all->hits);
  free(all->sizes);
  free(all->fp);
  free(all->pro);
}

static int allocate_pixels(pixels *all, const ref_image *images, size_t count) {
  size_t n = 2;
  for (size_t i = 0; i < count; i++)
    n += images[i].height * images[i].width;
  all->scores = calloc(n, sizeof *all->scores);
  all->thresholds = calloc(n, sizeof *all->thresholds);
  all->labels = calloc(n, sizeof *all->labels);
  all->regions = calloc(n, sizeof *all->regions);
  all->hits = calloc(n, sizeof *all->hits);
  all->sizes = calloc(n, sizeof *all->sizes);
  all->fp = calloc(n, sizeof *all->fp);
  all->pro = calloc(n, sizeof *all->pro);
  return all->scores && all->thresholds && all->labels && all->regions && all->hits && all->sizes &&
         all->fp && all->pro;
}

static void join_images(pixels *all, const ref_image *images, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const ref_image *image = &images[i];
    size_t n = image->height * image->width;
    memcpy(all->scores + all->n, image->heat, n * sizeof *image->heat);
    memcpy(all->labels + all->n, image->mask, n);
    uint32_t *regions = all->regions + all->n;
    uint32_t found = ref_components(regions, image->mask, image->height, image->width);
    for (size_t k = 0; k < n; k++)
      if (regions[k]) regions[k] += (uint32_t)all->region_count;
    all->region_count += found;
    all->n += n;
  }
  for (size_t i = 0; i < all->n; i++)
    all->sizes[all->regions[i]] += 1;
}

static double mean_overlap(pixels *all, float threshold) {
  double sum = 0;
  for (size_t r = 1; r <= all->region_count; r++)
    all->hits[r] = 0;
  for (size_t i = 0; i < all->n; i++)
    if (all->regions[i] && all->scores[i] >= threshold) all->hits[all->regions[i]] += 1;
  for (size_t r = 1; r <= all->region_count; r++)
    sum += all->hits[r] / all->sizes[r];
  return sum / (double)all->region_count;
}

/* The curve as a polygon from (0,0), cut at the limit, area divided by the limit; n defect-free
 * pixels. */
static double area_below(const pixels *all, double limit, double n) {
  double area = 0;
  for (size_t k = 1; k <= all->threshold_count; k++) {
    double x0 = all->fp[k - 1] / n, x1 = all->fp[k] / n, y0 = all->pro[k - 1], y1 = all->pro[k];
    if (x1 == x0 || x0 >= limit) continue;
    if (x1 > limit) {
      y1 = y0 + (y1 - y0) * (limit - x0) / (x1 - x0);
      x1 = limit;
    }
    area += (x1 - x0) * (y0 + y1) / 2;
  }
  return area / limit;
}

/* Point k of the polygon; the origin (k = 0) comes before the first threshold. */
static void write_point(burl_curve_point *point, const pixels *all, size_t k) {
  float threshold = k ? all->thresholds[k - 1] : INFINITY;
  counts c = count_at(all->scores, all->labels, all->n, threshold);
  if (k == 0) c.tp = c.fp = 0;
  double one = c.p * c.n > 0 ? 1.0 : (double)NAN;
  *point = (burl_curve_point){.threshold = (double)threshold,
                              .fpr = c.fp / c.n,
                              .tpr = one * c.tp / c.p,
                              .precision = one * (k ? c.tp / (c.tp + c.fp) : 1.0),
                              .pro = one * all->pro[k]};
}

/* The lowest threshold with at most target false positives, as a point of the polygon. */
static size_t find_point(const pixels *all, double target, double n) {
  size_t best = n > 0 ? 0 : all->threshold_count;
  for (size_t k = 1; k <= all->threshold_count; k++)
    if (all->fp[k] <= target) best = k;
  return best;
}

int ref_pixel_metrics(burl_pixel_metrics *metrics, burl_curve_point *curve, size_t points,
                      const ref_image *images, size_t count) {
  pixels all = {0};
  int fine = allocate_pixels(&all, images, count);
  if (fine) {
    join_images(&all, images, count);
    all.threshold_count = list_thresholds(all.thresholds, all.scores, all.n);
    counts c = {0};
    for (size_t k = 1; k <= all.threshold_count; k++) {
      c = count_at(all.scores, all.labels, all.n, all.thresholds[k - 1]);
      all.fp[k] = c.fp;
      all.pro[k] = mean_overlap(&all, all.thresholds[k - 1]);
    }
    rank_by(&metrics->ranking, all.scores, all.labels, all.n, all.thresholds, all.threshold_count);
    int both = c.p > 0 && c.n > 0;
    metrics->aupro_030 = both ? area_below(&all, 0.3, c.n) : (double)NAN;
    metrics->aupro_005 = both ? area_below(&all, 0.05, c.n) : (double)NAN;
    metrics->pixels = all.n;
    metrics->defect_pixels = (uint64_t)c.p;
    metrics->regions = all.region_count;
    for (size_t i = 0; i < points; i++) {
      double root = (double)i / (double)(points - 1);
      write_point(&curve[i], &all, find_point(&all, root * root * c.n, c.n));
    }
  }
  free_pixels(&all);
  return fine;
}
