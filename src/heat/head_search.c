/* Average precision by a histogram of values, and the search by coordinates. */
#include "heat/head_search.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BINS = 2048, ROUNDS = 3, STEPS = 5 };
#define LEAST_GAIN 1e-3  /* of the objective, for a step to be taken */
#define LEAST_ROUND 2e-3 /* of a round, for another one */
#define REBIRTH 0.25     /* of the largest weight: a weight that was 0 is tried at shares of it */

double burl_head_sigma(size_t i) {
  static const double sigmas[BURL_HEAD_SIGMAS] = {2.0, 4.0, 8.0};
  return sigmas[i];
}

size_t burl_head_sigma_index(const burl_head *head) {
  size_t i = 0;
  while (i + 1 < BURL_HEAD_SIGMAS && burl_head_sigma(i) < head->sigma)
    i++;
  return i;
}

void burl_head_set_equal(burl_head *head, const unsigned char *present, size_t groups) {
  size_t n = 0;
  for (size_t g = 0; g < groups; g++)
    n += present[g] != 0;
  memset(head->weight, 0, sizeof head->weight);
  for (size_t g = 0; g < groups; g++)
    if (present[g]) head->weight[g] = 1.0f / (float)n;
  head->sigma = BURL_HEAT_SIGMA;
}

/* values (count) <- weighted sums; the extremes seen so far are widened. */
static void weigh(float *values, const burl_head_cells *cells, size_t groups, const burl_head *head,
                  float extremes[2]) {
  const float *v = cells->value[burl_head_sigma_index(head)];
  for (size_t i = 0; i < cells->count; i++, v += groups) {
    float sum = 0.0f;
    for (size_t g = 0; g < groups; g++)
      sum += head->weight[g] * v[g];
    values[i] = sum;
    extremes[0] = sum < extremes[0] ? sum : extremes[0];
    extremes[1] = sum > extremes[1] ? sum : extremes[1];
  }
}

/* Weights of good (0) and defective (1) cells by value. */
static void count(double bins[2][BINS], const float *values, const burl_head_cells *cells,
                  const float extremes[2]) {
  float scale = extremes[1] > extremes[0] ? (BINS - 1) / (extremes[1] - extremes[0]) : 0.0f;
  for (size_t i = 0; i < cells->count; i++) {
    size_t bin = (size_t)((values[i] - extremes[0]) * scale);
    int defective = cells->defective && cells->defective[i];
    bins[defective][bin < BINS ? bin : BINS - 1] += (double)cells->weight[i];
  }
}

/* Cells of a bin are tied: AP = sum of precision(bin) * share of the defective cells in it. */
static double precision_of(double bins[2][BINS]) {
  double defective = 0.0, seen = 0.0, hits = 0.0, ap = 0.0;
  for (size_t b = 0; b < BINS; b++)
    defective += bins[1][b];
  if (!(defective > 0.0)) return (double)NAN;
  for (size_t b = BINS; b-- > 0;) {
    hits += bins[1][b];
    seen += bins[0][b] + bins[1][b];
    if (bins[1][b] > 0.0) ap += bins[1][b] * hits / seen;
  }
  return ap / defective;
}

/* The working memory of a search. */
typedef struct search {
  const burl_head_task *task;
  double bins[2][BINS];
  float *good, *values; /* weighted sums: of good images, of the set at hand */
} search;

static double ap_of(search *s, size_t set, const burl_head *head) {
  const burl_head_task *task = s->task;
  float extremes[2] = {INFINITY, -INFINITY};
  weigh(s->good, task->good, task->groups, head, extremes);
  weigh(s->values, task->set[set], task->groups, head, extremes);
  memset(s->bins, 0, sizeof s->bins);
  count(s->bins, s->good, task->good, extremes);
  count(s->bins, s->values, task->set[set], extremes);
  return precision_of(s->bins);
}

static double mean_ap(search *s, const burl_head *head) {
  double sum = 0.0, n = 0.0;
  for (size_t k = 0; k < s->task->sets; k++) {
    double ap = ap_of(s, k, head);
    if (!isnan(ap)) sum += ap, n += 1.0;
  }
  return n > 0.0 ? sum / n : (double)NAN;
}

static double divergence(const burl_head *head, size_t groups, double present) {
  double sum = 0.0;
  for (size_t g = 0; g < groups; g++)
    if (head->weight[g] > 0.0f)
      sum += (double)head->weight[g] * log((double)head->weight[g] * present);
  return sum;
}

static double worth(search *s, const burl_head *head, double present) {
  return mean_ap(s, head) - s->task->lambda * divergence(head, s->task->groups, present);
}

/* head with weight g times `factor`, all brought to a sum of 1; 0 if nothing would be left. */
static int change(burl_head *changed, const burl_head *head, size_t groups, size_t g,
                  double factor) {
  double most = 0.0, sum = 0.0;
  for (size_t k = 0; k < groups; k++)
    most = fmax(most, (double)head->weight[k]);
  *changed = *head;
  double weight = (double)head->weight[g];
  changed->weight[g] = (float)(factor * (weight > 0.0 ? weight : REBIRTH * most));
  for (size_t k = 0; k < groups; k++)
    sum += (double)changed->weight[k];
  for (size_t k = 0; k < groups && sum > 0.0; k++)
    changed->weight[k] = (float)((double)changed->weight[k] / sum);
  return sum > 0.0;
}

/* One round over all coordinates; returns the best worth. */
static double go_round(search *s, burl_head *head, double best, double present) {
  static const double factors[STEPS] = {0.0, 0.25, 0.5, 2.0, 4.0};
  size_t groups = s->task->groups;
  for (size_t i = 0; i < groups * STEPS + BURL_HEAD_SIGMAS; i++) {
    burl_head tried = *head;
    if (i < groups * STEPS) {
      size_t g = i / STEPS;
      if (!s->task->present[g] || !change(&tried, head, groups, g, factors[i % STEPS])) continue;
    } else {
      tried.sigma = burl_head_sigma(i - groups * STEPS);
    }
    double now = worth(s, &tried, present);
    if (now > best + LEAST_GAIN) best = now, *head = tried;
  }
  return best;
}

static burl_status open_search(search *s, const burl_head_task *task) {
  size_t most = 1;
  for (size_t k = 0; k < task->sets; k++)
    most = task->set[k]->count > most ? task->set[k]->count : most;
  s->task = task;
  s->good = burl_alloc(task->good->count + most, sizeof *s->good);
  s->values = s->good ? s->good + task->good->count : NULL;
  return s->good ? BURL_OK : BURL_ERR_MEMORY;
}

burl_status burl_head_ap(double *ap, const burl_head_task *task, const burl_head *head) {
  search *s = burl_alloc_zero(1, sizeof *s);
  burl_status status = s ? open_search(s, task) : BURL_ERR_MEMORY;
  if (status == BURL_OK) *ap = mean_ap(s, head);
  if (s) free(s->good);
  free(s);
  return status;
}

static burl_status run(search *s, burl_head *head) {
  size_t groups = s->task->groups;
  double present = 0.0;
  for (size_t g = 0; g < groups; g++)
    present += s->task->present[g] != 0;
  burl_head_set_equal(head, s->task->present, groups);
  head->equal_ap = mean_ap(s, head);
  if (isnan(head->equal_ap)) return BURL_ERR_DATA;
  double best = head->equal_ap, before = -(double)INFINITY;
  for (int round = 0; round < ROUNDS && best > before + LEAST_ROUND; round++) {
    before = best;
    best = go_round(s, head, best, present);
  }
  head->ap = mean_ap(s, head);
  return BURL_OK;
}

burl_status burl_head_search(burl_head *head, const burl_head_task *task) {
  search *s = burl_alloc_zero(1, sizeof *s);
  burl_status status = s ? open_search(s, task) : BURL_ERR_MEMORY;
  if (status == BURL_OK) status = run(s, head);
  if (s) free(s->good);
  free(s);
  return status;
}
