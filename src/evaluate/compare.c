/* The paired comparison of two runs: both are measured under the same random weights of the images
 * that they share, so what makes an image hard for both cancels. docs/math/intervals.md. */
#include "base/diag.h"
#include "base/memory.h"
#include "base/random.h"
#include "evaluate/quantile.h"
#include "evaluate/replicates.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NORMAL_FROM ((size_t)200) /* degrees of freedom from which on Student's t is the normal */

typedef struct named {
  const char *name;
  size_t index;
} named;

static int compare_names(const void *a, const void *b) {
  const named *x = a, *y = b;
  int order = strcmp(x->name, y->name);
  return order ? order : (x->index > y->index) - (x->index < y->index);
}

static void sort_names(named *sorted, const burl_evidence *e) {
  for (size_t i = 0; i < e->count; i++)
    sorted[i] = (named){.name = e->images[i].name, .index = i};
  qsort(sorted, e->count, sizeof *sorted, compare_names);
}

/* Images of the same name, as pairs of indices into a and b. */
static size_t match(size_t *in_a, size_t *in_b, const named *x, size_t nx, const named *y,
                    size_t ny) {
  size_t found = 0;
  for (size_t i = 0, j = 0; i < nx && j < ny;) {
    int order = strcmp(x[i].name, y[j].name);
    if (order == 0) {
      in_a[found] = x[i].index;
      in_b[found++] = y[j].index;
    }
    i += order <= 0;
    j += order >= 0;
  }
  return found;
}

typedef struct pairing {
  const burl_evidence *a, *b;
  size_t *in_a, *in_b, *row_a, *row_b; /* rows: of all images; SIZE_MAX without a truth */
  size_t count;
  int same_truth; /* the masks were the same, as far as numbers of pixels tell */
} pairing;

static void number_rows(size_t *row, const burl_evidence *e) {
  size_t rows = 0;
  for (size_t i = 0; i < e->count; i++)
    row[i] = e->images[i].with_truth ? rows++ : SIZE_MAX;
}

static int same_truth(const pairing *p, size_t i) {
  size_t a = p->row_a[p->in_a[i]], b = p->row_b[p->in_b[i]];
  if (a == SIZE_MAX || b == SIZE_MAX) return a == b;
  return memcmp(&p->a->totals[a], &p->b->totals[b], sizeof *p->a->totals) == 0;
}

static burl_status check_pairs(pairing *p, burl_diag *diag) {
  if (p->count == 0)
    return burl_fail(diag, BURL_ERR_DATA, NULL, "Compare two evaluations of the same data.",
                     "the two runs have no image in common");
  p->same_truth = 1;
  for (size_t i = 0; i < p->count; i++) {
    const burl_evidence_image *x = &p->a->images[p->in_a[i]], *y = &p->b->images[p->in_b[i]];
    if (x->defective != y->defective)
      return burl_fail(diag, BURL_ERR_DATA, NULL, "Compare two evaluations of the same data.",
                       "the image '%s' is good in one run and defective in the other", x->name);
    p->same_truth &= same_truth(p, i);
  }
  return BURL_OK;
}

static burl_status pair_up(pairing *p, burl_arena *arena, burl_diag *diag) {
  size_t na = p->a->count, nb = p->b->count, most = na > nb ? na : nb;
  for (int i = 0; i < 2; i++) {
    burl_arena_reserve(arena, most, sizeof(named));
    burl_arena_reserve(arena, most, sizeof(size_t));
    burl_arena_reserve(arena, most, sizeof(size_t));
  }
  if (!burl_arena_open(arena)) return burl_fail_memory(diag, NULL);
  named *x = burl_arena_take(arena, most, sizeof *x);
  p->in_a = burl_arena_take(arena, most, sizeof *p->in_a);
  p->row_a = burl_arena_take(arena, most, sizeof *p->row_a);
  named *y = burl_arena_take(arena, most, sizeof *y);
  p->in_b = burl_arena_take(arena, most, sizeof *p->in_b);
  p->row_b = burl_arena_take(arena, most, sizeof *p->row_b);
  sort_names(x, p->a);
  sort_names(y, p->b);
  number_rows(p->row_a, p->a);
  number_rows(p->row_b, p->b);
  p->count = match(p->in_a, p->in_b, x, na, y, nb);
  return check_pairs(p, diag);
}

/* What turns the normal tails of replicates into those of Student's t, as images are few. */
static double widen(uint64_t seed, uint64_t replicate, size_t degrees) {
  double square = (double)degrees;
  if (degrees < NORMAL_FROM) {
    burl_random random = burl_random_start(seed, UINT64_MAX - replicate);
    square = 0;
    for (size_t i = 0; i < degrees; i++)
      square += pow(burl_random_normal(&random), 2);
  }
  return sqrt((double)(degrees + 1) / square);
}

/* Clusters of the smaller stratum, of those that there are, less one. */
static size_t count_degrees(const burl_drawing *drawing) {
  size_t count[2] = {0, 0};
  for (size_t c = 0; c < drawing->clusters; c++)
    count[drawing->stratum[c]]++;
  size_t least = count[1] == 0 || (count[0] > 0 && count[0] < count[1]) ? count[0] : count[1];
  return least - 1;
}

typedef struct judging {
  const burl_replicates *a, *b;
  size_t degrees;
  /* What the histograms take from each figure of all images of a run. */
  double lost_a[BURL_MEASURE_COUNT], lost_b[BURL_MEASURE_COUNT];
  int whole; /* both runs have exactly these images */
  const burl_resampling *options;
} judging;

/* Differences of the replicates, into those of b. */
static double *subtract(const judging *j, burl_variant of_b, burl_variant of_a, int measure) {
  double *b = burl_replicates_of(j->b, of_b, measure);
  const double *a = burl_replicates_of(j->a, of_a, measure);
  for (size_t i = 0; i < j->a->count; i++)
    b[i] -= a[i];
  return b;
}

/* The share of values on the side of `difference`; what is 0 counts as half. */
static double agree(const double *values, size_t count, double difference) {
  double same = 0;
  for (size_t i = 0; i < count; i++)
    same += values[i] == 0 ? 0.5 : (values[i] > 0) == (difference > 0);
  return difference == 0 ? 0.5 : fmax(0.5, same / (double)count);
}

static void set_ends(burl_difference *d, const judging *j, double *low, double *high) {
  double tail = 0.5 * (1 - j->options->level);
  double from = burl_quantile(low, j->a->count, tail);
  double to = burl_quantile(high, j->a->count, 1 - tail);
  d->interval.low = fmax(-1, fmin(from, d->difference));
  d->interval.high = fmin(1, fmax(to, d->difference));
}

/* A rate: two images on which the runs disagree, and both times in the same sense, prove little. So
 * half an image counts on which they disagree in the other sense. */
static void judge_rate(burl_difference *d, const judging *j, int measure) {
  int falls = measure == BURL_MEASURE_FALSE_ALARM;
  burl_variant little = falls ? BURL_RIGHT : BURL_WRONG, much = falls ? BURL_WRONG : BURL_RIGHT;
  double *low = subtract(j, little, much, measure), *high = subtract(j, much, little, measure);
  d->sure = agree(d->difference > 0 ? low : high, j->a->count, d->difference);
  set_ends(d, j, low, high);
}

/* Where a figure of some of the images had to come from histograms, what these lost on all images
 * counts against the difference. */
static void judge_curve(burl_difference *d, const judging *j, int measure) {
  double *values = subtract(j, BURL_PLAIN, BURL_PLAIN, measure);
  double point = j->b->point[measure] - j->a->point[measure];
  double doubt = j->whole ? 0 : fabs(j->lost_a[measure]) + fabs(j->lost_b[measure]);
  double against = d->difference > 0 ? doubt : -doubt;
  for (size_t i = 0; i < j->a->count; i++)
    values[i] =
        d->difference - against + (values[i] - point) * widen(j->options->seed, i, j->degrees);
  d->sure = agree(values, j->a->count, d->difference);
  for (size_t i = 0; i < j->a->count; i++)
    values[i] += against;
  set_ends(d, j, values, values);
  d->interval.low -= doubt;
  d->interval.high += doubt;
}

static burl_difference judge(const judging *j, int measure, double exact_a, double exact_b) {
  burl_difference d = {.a = j->whole ? exact_a : j->a->point[measure] + j->lost_a[measure],
                       .b = j->whole ? exact_b : j->b->point[measure] + j->lost_b[measure],
                       .interval = {(double)NAN, (double)NAN},
                       .sure = (double)NAN};
  d.difference = d.b - d.a;
  if (!isfinite(d.difference) || j->degrees == 0) return d;
  if (measure == BURL_MEASURE_FALSE_ALARM || measure == BURL_MEASURE_DETECTION)
    judge_rate(&d, j, measure);
  else
    judge_curve(&d, j, measure);
  return d;
}

/* Figures of the images alone are exact in the histograms as well. */
static burl_status measure_lost(double *lost, const burl_evidence *e) {
  burl_clusters clusters = {0};
  burl_replicates all = {0};
  burl_status status = burl_clusters_make(&clusters, e, NULL, e->count);
  if (!status) status = burl_replicates_make(&all, e, &clusters.drawing, 1, 0, 1);
  for (int i = 0; !status && i < BURL_MEASURE_COUNT; i++)
    lost[i] = i < BURL_MEASURE_PIXEL_AUROC ? 0 : e->values[i] - all.point[i];
  burl_replicates_free(&all);
  burl_clusters_free(&clusters);
  return status;
}

static void judge_all(burl_difference *differences, const judging *j, const pairing *p) {
  const double nan = (double)NAN;
  const burl_difference none = {nan, nan, nan, {nan, nan}, nan};
  for (int i = 0; i < BURL_MEASURE_COUNT; i++) {
    int pixels = i >= BURL_MEASURE_PIXEL_AUROC;
    differences[i] =
        pixels && !p->same_truth ? none : judge(j, i, p->a->values[i], p->b->values[i]);
  }
}

static burl_status measure_both(const pairing *p, burl_difference *differences,
                                const burl_resampling *options) {
  burl_clusters clusters = {0};
  burl_replicates a = {0}, b = {0};
  judging j = {.a = &a, .b = &b, .options = options};
  size_t count = burl_replicates_wanted(options, p->count);
  burl_status status = burl_clusters_make(&clusters, p->a, p->in_a, p->count);
  burl_drawing drawing = clusters.drawing;
  if (!status)
    status = burl_replicates_make(&a, p->a, &drawing, count, options->seed, options->threads);
  drawing.image = p->in_b;
  if (!status)
    status = burl_replicates_make(&b, p->b, &drawing, count, options->seed, options->threads);
  if (!status) status = measure_lost(j.lost_a, p->a);
  if (!status) status = measure_lost(j.lost_b, p->b);
  if (!status) {
    j.degrees = count_degrees(&drawing);
    j.whole = p->count == p->a->count && p->count == p->b->count;
    judge_all(differences, &j, p);
  }
  burl_replicates_free(&a);
  burl_replicates_free(&b);
  burl_clusters_free(&clusters);
  return status;
}

burl_status burl_evidence_compare(const burl_evidence *a, const burl_evidence *b,
                                  burl_difference differences[BURL_MEASURE_COUNT],
                                  burl_comparison *comparison, const burl_resampling *options,
                                  burl_diag *diag) {
  if (!(options->level > 0 && options->level < 1) || options->threads < 1 ||
      burl_replicates_wanted(options, a->count) < 100)
    return burl_fail(diag, BURL_ERR_ARGUMENT, NULL, NULL,
                     "level, threads or replicates are outside their range");
  pairing p = {.a = a, .b = b};
  burl_arena arena = {0};
  burl_status status = pair_up(&p, &arena, diag);
  if (status == BURL_OK) {
    status = measure_both(&p, differences, options);
    if (status != BURL_OK) burl_fail_memory(diag, NULL);
  }
  if (status == BURL_OK) {
    *comparison = (burl_comparison){.images = p.count, .same_truth = p.same_truth};
    for (size_t i = 0; i < p.count; i++)
      comparison->defective += (unsigned)a->images[p.in_a[i]].defective;
  }
  burl_arena_close(&arena);
  return status;
}
