/* Matching heads to kinds of defects (heat/heads.h), on held-out good images alone.
 *
 * Within the first encoder each head weighs groups as its kind of synthetic defect asks for
 * (heat/head_search.h). Further encoders keep their equal say: what a network is better at, faults
 * that nobody has thought of, synthetic defects do not show. Every encoder's part of a head has the
 * same deviation on good cloth, as without heads (fit_balance.c). A head that finds its own kind
 * hardly better than equal weights do is dropped. */
#include "model/head_material.h"

#include "base/diag.h"
#include "base/parallel.h"
#include "encode/fused.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_IMAGES = 16, KINDS = BURL_KIND_COUNT - 1 };
#define LAMBDA 0.02
#define LEAST_LEAD 0.01 /* of average precision, beyond equal weights */
#define QUANTILE 0.9

typedef struct match {
  fit *f;
  head_material material;
  burl_head head[KINDS], equal;
  unsigned char present[BURL_MAX_GROUPS]; /* groups that have a bank */
  unsigned char first[BURL_MAX_GROUPS];   /* of the first encoder */
} match;

/* sum (count) of the good cells over groups of encoder `part`, all encoders for part = parts. */
static void add_up(float *sum, const match *m, const burl_head *head, size_t part) {
  const burl_head_cells *good = &m->material.good;
  const burl_encoder *encoder = m->f->model->encoder;
  size_t groups = encoder->ops->groups, parts = burl_fused_count(encoder);
  const float *v = good->value[burl_head_sigma_index(head)];
  for (size_t i = 0; i < good->count; i++, v += groups) {
    sum[i] = 0.0f;
    for (size_t g = 0; g < groups; g++)
      if (part == parts || burl_fused_part_of(encoder, g) == part) sum[i] += head->weight[g] * v[g];
  }
}

static double deviation_of(const float *values, const float *weight, size_t n) {
  double count = 0.0, sum = 0.0, squares = 0.0;
  for (size_t i = 0; i < n; i++) {
    double v = (double)values[i], w = (double)weight[i];
    count += w, sum += w * v, squares += w * v * v;
  }
  return sqrt(fmax(squares / count - sum / count * (sum / count), 0.0));
}

typedef struct weighed {
  float value, weight;
} weighed;

static int ascending(const void *left, const void *right) {
  float a = ((const weighed *)left)->value, b = ((const weighed *)right)->value;
  return (a > b) - (a < b);
}

/* What all but a share of 1 - QUANTILE of the cells stay below. Errors: BURL_ERR_MEMORY. */
static burl_status find_typical(double *typical, const float *values, const float *weight,
                                size_t n) {
  weighed *cells = burl_alloc(n, sizeof *cells);
  double all = 0.0;
  if (!cells) return BURL_ERR_MEMORY;
  for (size_t i = 0; i < n; i++) {
    cells[i] = (weighed){values[i], weight[i]};
    all += (double)weight[i];
  }
  qsort(cells, n, sizeof *cells, ascending);
  double below = QUANTILE * all * (double)(n - 1) / (double)n;
  size_t i = 0;
  for (; i + 1 < n && (double)cells[i].weight <= below; i++)
    below -= (double)cells[i].weight;
  *typical = (double)cells[i].value;
  free(cells);
  return BURL_OK;
}

/* Brings each encoder's part to the same deviation; then the head's own scale. 0: the head is the
 * same everywhere on good cloth. Errors: BURL_ERR_MEMORY. */
static burl_status calibrate(int *varies, const match *m, burl_head *head) {
  const burl_encoder *encoder = m->f->model->encoder;
  const burl_head_cells *good = &m->material.good;
  size_t parts = burl_fused_count(encoder), n = good->count;
  float *sum = burl_alloc(n, sizeof *sum);
  if (!sum) return BURL_ERR_MEMORY;
  for (size_t p = 0; p < parts; p++) {
    add_up(sum, m, head, p);
    double deviation = deviation_of(sum, good->weight, n);
    for (size_t g = 0; g < encoder->ops->groups && deviation > 0.0; g++)
      if (burl_fused_part_of(encoder, g) == p)
        head->weight[g] = (float)((double)head->weight[g] / deviation);
  }
  add_up(sum, m, head, parts);
  head->deviation = deviation_of(sum, good->weight, n);
  *varies = head->deviation > 0.0;
  burl_status status = find_typical(&head->typical, sum, good->weight, n);
  free(sum);
  return status;
}

static burl_head_task task_of(match *m, const unsigned char *present, burl_kind kind,
                              const burl_head_cells *sets[HEAD_PUTS]) {
  burl_head_task task = {.groups = m->f->model->encoder->ops->groups,
                         .present = present,
                         .good = &m->material.good,
                         .set = sets,
                         .lambda = LAMBDA};
  for (size_t k = 0; k < HEAD_PUTS; k++)
    if (burl_head_puts[k].kind == kind) sets[task.sets++] = &m->material.set[k];
  return task;
}

/* One kind: search in the first encoder, others as they are, scales, and what it is worth. */
static burl_status match_kind(void *context, size_t index, int worker) {
  match *m = context;
  burl_head *head = &m->head[index];
  const burl_head_cells *sets[HEAD_PUTS];
  burl_kind kind = (burl_kind)(index + 1);
  burl_head_task task = task_of(m, m->first, kind, sets);
  int varies = 0;
  (void)worker;
  burl_status status = burl_head_search(head, &task);
  if (status == BURL_ERR_DATA) return BURL_OK; /* nothing to see of this kind */
  for (size_t g = 0; g < task.groups; g++)
    if (m->present[g] && !m->first[g]) head->weight[g] = 1.0f;
  if (status == BURL_OK) status = calibrate(&varies, m, head);
  if (status == BURL_OK) status = burl_head_ap(&head->equal_ap, &task, &m->equal);
  if (status == BURL_OK) status = burl_head_ap(&head->ap, &task, head);
  if (status == BURL_OK && varies) head->kind = kind;
  return status;
}

static void find_groups(match *m) {
  const burl_model *model = m->f->model;
  for (size_t g = 0; g < model->encoder->ops->groups; g++) {
    m->present[g] = model->bank[MODEL_PLACES * g] || model->bank[MODEL_PLACES * g + 1];
    m->first[g] = m->present[g] && burl_fused_part_of(model->encoder, g) == 0;
  }
}

/* Kept heads, the one of equal weights if there are any, dropped heads. */
static void choose(const match *m) {
  burl_heads *heads = &m->f->model->heads;
  for (int kept = 1; kept >= 0; kept--) {
    for (size_t k = 0; k < KINDS; k++) {
      const burl_head *head = &m->head[k];
      int helps = head->ap >= head->equal_ap + LEAST_LEAD;
      if (head->kind == BURL_KIND_NONE || helps != kept) continue;
      heads->head[heads->count + heads->dropped] = *head;
      heads->count += (size_t)kept, heads->dropped += (size_t)!kept;
    }
    if (kept && heads->count > 0) heads->head[heads->count++] = m->equal;
  }
}

static burl_status match_all(match *m) {
  int varies = 0;
  burl_head_set_equal(&m->equal, m->present, m->f->model->encoder->ops->groups);
  burl_status status = calibrate(&varies, m, &m->equal);
  if (status != BURL_OK || !varies) return status;
  status = burl_parallel(KINDS, m->f->threads, match_kind, m);
  if (status == BURL_OK) choose(m);
  return status;
}

/* Places on an image are those of whole images; heads look at parts of large ones. */
static int is_wanted(const fit *f) {
  size_t images = 0;
  for (size_t i = 0; i < f->data.count; i++)
    images += f->data.usable[i] && !burl_fit_is_aside(f, i);
  return f->model->options.heads && images >= LEAST_IMAGES &&
         f->model->options.bank.spatial != BURL_SPATIAL_GRID;
}

burl_status burl_fit_match_heads(fit *f) {
  if (!is_wanted(f)) return BURL_OK;
  match *m = burl_alloc_zero(1, sizeof *m);
  if (!m) return burl_fail_memory(f->data.diag, NULL);
  m->f = f;
  find_groups(m);
  int gathered = 0;
  burl_status status = burl_head_material_gather(&m->material, &gathered, f);
  if (gathered) {
    status = match_all(m);
    if (status != BURL_OK)
      burl_fail(f->data.diag, status, NULL, NULL, "heads cannot be matched: %s",
                burl_status_get_text(status));
  }
  burl_head_material_free(&m->material);
  free(m);
  return status;
}
