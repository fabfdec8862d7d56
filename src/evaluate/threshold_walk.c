/* The walk down the thresholds.
 *
 * Notation: N good and P defective items, fp and tp of them at or above the threshold, R regions,
 * pro = (1/R) sum of 1/|region| over the defect pixels at or above the threshold.
 *
 * The walk stops at every distinct score of a defective item only. Between two of them tp and pro
 * stand still, so that the areas gain rectangles, whose ends are found in the good scores by
 * doubling steps and halving: with few defects the walk costs next to nothing beside the sort. At a
 * stop, good items with the same score enter together with the defective ones: one slanted step of
 * each curve, which the trapezoid rule takes in full (docs/math/metrics.md).
 *
 * The area under the ROC curve is counted in half items, exactly, in 64 bits: N+P < 2^32, so
 * 2NP < 2^63. Other sums
 * are kept in two doubles: the order in which images were added shows at most in the last digit.
 */
#include "evaluate/threshold_walk.h"

#include <math.h>

#define PRO_LIMITS 3

/* An unevaluated sum high + low. */
typedef struct twofold {
  double high, low;
} twofold;

static void add(twofold *sum, double x) {
  double high = sum->high + x; /* Knuth's two-sum: high + error is the exact sum */
  double part = high - sum->high;
  double error = (sum->high - (high - part)) + (x - part) + sum->low;
  sum->high = high + error;
  sum->low = error - (sum->high - high);
}

typedef struct walk {
  const burl_sorted_scores *scores;
  size_t fp, tp;
  double pro;      /* rounded from weight */
  float threshold; /* of the point (fp, tp); +inf before the first */
  twofold weight;  /* sum of 1/|region| */
  uint64_t area;   /* twice the area under tp(fp) */
  twofold ap;      /* P times the average precision so far */
  double limits[PRO_LIMITS];
  twofold area_pro[PRO_LIMITS]; /* N times the area under pro(fpr) up to each limit */
  double f1;
  float f1_threshold;
  burl_curve_point *curve;
  size_t points, next; /* curve points still to come start at `next` */
} walk;

static double not_defined(void) {
  return (double)NAN;
}

/* First i in begin..n-1 with keys[i] <= bound, or n; keys fall. Fast where i is close to begin. */
static size_t skip_above(const uint32_t *keys, size_t begin, size_t n, uint32_t bound) {
  size_t low = begin, step = 1;
  while (step < n - low && keys[low + step - 1] > bound) {
    low += step;
    step *= 2;
  }
  size_t high = step < n - low ? low + step - 1 : n;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (keys[middle] > bound)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static void write_point(burl_curve_point *point, const walk *w, size_t fp, float threshold) {
  const burl_sorted_scores *s = w->scores;
  int both = s->good_count > 0 && s->defect_count > 0;
  size_t called = w->tp + fp;
  point->threshold = (double)threshold;
  point->fpr = s->good_count ? (double)fp / (double)s->good_count : not_defined();
  point->tpr = both ? (double)w->tp / (double)s->defect_count : not_defined();
  point->precision = !both ? not_defined() : called ? (double)w->tp / (double)called : 1.0;
  point->pro = both ? w->pro : not_defined();
}

/* The number of false positives that curve point `index` may have at most. */
static double target_fp(const walk *w, size_t index) {
  double root = (double)index / (double)(w->points - 1);
  return root * root * (double)w->scores->good_count;
}

/* Writes the curve points that lie before `end` false positives, while tp stands still and the good
 * items w->fp..end-1 come in, one group of ties after the other. */
static void write_flat_points(walk *w, size_t end) {
  const uint32_t *good = w->scores->good;
  for (; w->next < w->points; w->next++) {
    double target = target_fp(w, w->next);
    if (target >= (double)end) return;
    size_t fp = target > (double)w->fp ? (size_t)target : w->fp;
    /* item fp is above the target: its whole group stays out */
    fp = skip_above(good, w->fp, fp, good[fp]);
    float threshold = fp > w->fp ? burl_radix_score(good[fp - 1]) : w->threshold;
    write_point(&w->curve[w->next], w, fp, threshold);
  }
}

/* Adds the step from (w->fp, w->pro) to (fp, pro) to N times the area below a limit. */
static void add_pro_area(const walk *w, twofold *area, double limit, size_t fp, double pro) {
  double bound = limit * (double)w->scores->good_count;
  double x0 = (double)w->fp, x1 = (double)fp;
  if (x0 >= bound || fp == w->fp) return;
  double end = pro;
  if (x1 > bound) {
    end = w->pro + (pro - w->pro) * ((bound - x0) / (x1 - x0));
    x1 = bound;
  }
  add(area, 0.5 * (w->pro + end) * (x1 - x0));
}

static void step_to(walk *w, size_t fp, size_t tp, double pro, float threshold) {
  for (int i = 0; i < PRO_LIMITS; i++)
    add_pro_area(w, &w->area_pro[i], w->limits[i], fp, pro);
  w->area += (uint64_t)(fp - w->fp) * (w->tp + tp);
  w->fp = fp;
  w->tp = tp;
  w->pro = pro;
  w->threshold = threshold;
}

/* Takes in the good items up to number `end`; none of them ties with a defective one. */
static void walk_good(walk *w, size_t end) {
  if (end == w->fp) return;
  write_flat_points(w, end);
  step_to(w, end, w->tp, w->pro, burl_radix_score(w->scores->good[end - 1]));
}

/* Takes in one group of ties with at least one defective item: the first that is not yet in. */
static void walk_tie(walk *w) {
  const burl_sorted_scores *s = w->scores;
  uint32_t key = s->defect[w->tp].key;
  size_t tp = w->tp;
  for (; tp < s->defect_count && s->defect[tp].key == key; tp++)
    add(&w->weight, 1.0 / (double)s->defect[tp].payload);
  /* key 0 would be a NaN, so key - 1 does not wrap */
  size_t fp = skip_above(s->good, w->fp, s->good_count, key - 1);
  for (; w->next < w->points && target_fp(w, w->next) < (double)fp; w->next++)
    write_point(&w->curve[w->next], w, w->fp, w->threshold);

  double precision = (double)tp / (double)(tp + fp);
  add(&w->ap, (double)(tp - w->tp) * precision);
  double f1 = 2.0 * (double)tp / (double)(s->defect_count + tp + fp);
  if (f1 > w->f1) {
    w->f1 = f1;
    w->f1_threshold = burl_radix_score(key);
  }
  /* rounding must not carry a mean of shares above 1 */
  double pro = fmin(1.0, w->weight.high / (double)s->regions);
  step_to(w, fp, tp, pro, burl_radix_score(key));
}

static double pro_area(const walk *w, int which) {
  double width = w->limits[which] * (double)w->scores->good_count;
  return fmin(1.0, w->area_pro[which].high / width);
}

static void write_metrics(burl_pixel_metrics *metrics, const walk *w) {
  double good = (double)w->scores->good_count, defect = (double)w->scores->defect_count;
  int any = defect > 0, both = any && good > 0;
  metrics->ranking = (burl_ranking){
      .auroc = both ? 0.5 * (double)w->area / (good * defect) : not_defined(),
      .ap = any ? w->ap.high / defect : not_defined(),
      .f1_max = any ? w->f1 : not_defined(),
      .f1_threshold = any ? (double)w->f1_threshold : not_defined(),
  };
  metrics->aupro_030 = both ? pro_area(w, 0) : not_defined();
  metrics->aupro_005 = both ? pro_area(w, 1) : not_defined();
  metrics->aupro = both && w->limits[2] > 0 ? pro_area(w, 2) : not_defined();
}

void burl_threshold_walk(burl_pixel_metrics *metrics, burl_curve_point *curve, size_t points,
                         const burl_sorted_scores *scores) {
  walk w = {.scores = scores,
            .threshold = INFINITY,
            .limits = {0.3, 0.05, scores->pro_limit},
            .curve = curve,
            .points = points};
  while (w.tp < scores->defect_count) {
    walk_good(&w, skip_above(scores->good, w.fp, scores->good_count, scores->defect[w.tp].key));
    walk_tie(&w);
  }
  walk_good(&w, scores->good_count);
  for (; w.next < points; w.next++)
    write_point(&w.curve[w.next], &w, w.fp, w.threshold);
  write_metrics(metrics, &w);
}
