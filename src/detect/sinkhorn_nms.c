/* Suppression by entropic matching, forward. Notation of docs/math/detect.md, "Matching".
 *
 * The plan of M proposals and K slots comes from a fixed number of Sinkhorn sweeps on the cost
 *     C_jk = alpha (1 - s_j) + beta (1 - cos(Z_j, mu_k)) + gamma |c_j - nu_k| / D_max.
 * Balanced, all rows have the mass K/M: the score's part of the cost, the same all along a row, is
 * cancelled by the first row step. With a bin of cost 0 that part decides who goes there. */
#include "detect/sinkhorn_nms.h"

#include "num/gemm.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST 1e100
#define SHORTEST 1e-50
#define NEAREST 1e-10 /* D_max is no less */

burl_sinkhorn_nms_options burl_sinkhorn_nms_default_options(void) {
  return (burl_sinkhorn_nms_options){.form = BURL_SINKHORN_NMS_BIN,
                                     .alpha = 1,
                                     .beta = 1,
                                     .gamma = 1,
                                     .tau = 0.1,
                                     .sweeps = 10,
                                     .gate = 0.05};
}

int burl_sinkhorn_nms_ordinary(const double *x, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (!(fabs(x[i]) <= LARGEST)) return 0;
  return 1;
}

static void *take(burl_arena *arena, int pass, size_t count, size_t size) {
  if (count == 0) return NULL;
  if (pass) return burl_arena_take(arena, count, size);
  burl_arena_reserve(arena, count, size);
  return NULL;
}

/* Pass 0 reserves, pass 1 takes, in the same order. */
static void lay_out(burl_sinkhorn_nms *s, int pass) {
  size_t n = s->most_n, k = s->most_slots, d = s->d, pairs = 0, cells = 0, features = 0, means = 0;
  if (!burl_size_mul(&pairs, n, k) || !burl_size_mul(&cells, n, k + 1) ||
      !burl_size_mul(&features, n, d) || !burl_size_mul(&means, k, d))
    cells = SIZE_MAX; /* does not fit, as the arena will find */
  burl_arena *arena = &s->arena;
  s->seeds = take(arena, pass, k, sizeof *s->seeds);
  s->open = take(arena, pass, k, sizeof *s->open);
  s->cost = take(arena, pass, cells, sizeof *s->cost);
  s->plan = take(arena, pass, cells, sizeof *s->plan);
  s->cosine = take(arena, pass, d ? pairs : 0, sizeof *s->cosine);
  s->unit = take(arena, pass, features, sizeof *s->unit);
  s->inverse = take(arena, pass, n, sizeof *s->inverse);
  s->slot = take(arena, pass, means, sizeof *s->slot);
  s->row = take(arena, pass, n, sizeof *s->row);
  s->f = take(arena, pass, n, sizeof *s->f);
  s->column = take(arena, pass, k + 1, sizeof *s->column);
  s->g = take(arena, pass, k + 1, sizeof *s->g);
  s->score = take(arena, pass, k, sizeof *s->score);
  s->box = take(arena, pass, 4 * k, sizeof *s->box);
  s->dplan = take(arena, pass, cells, sizeof *s->dplan);
  s->dcost = take(arena, pass, cells, sizeof *s->dcost);
}

burl_status burl_sinkhorn_nms_new(burl_sinkhorn_nms **self, size_t n, size_t slots, size_t d,
                                  size_t sweeps) {
  if (n == 0 || slots == 0 || sweeps == 0) return BURL_ERR_ARGUMENT;
  if (n > INT32_MAX || slots >= INT32_MAX || d > INT32_MAX) return BURL_ERR_SIZE;
  burl_sinkhorn_nms *made = burl_alloc_zero(1, sizeof *made);
  if (!made) return BURL_ERR_MEMORY;
  made->most_n = n;
  made->most_slots = slots < n ? slots : n; /* no more can have a seed */
  made->d = d;
  made->most_sweeps = sweeps;
  lay_out(made, 0);
  burl_status status = made->arena.size == SIZE_MAX    ? BURL_ERR_SIZE
                       : burl_arena_open(&made->arena) ? BURL_OK
                                                       : BURL_ERR_MEMORY;
  if (status == BURL_OK) {
    lay_out(made, 1);
    status = burl_sinkhorn_tape_new(&made->tape, n, made->most_slots + 1, sweeps);
  }
  if (status == BURL_OK)
    *self = made;
  else
    burl_sinkhorn_nms_free(made);
  return status;
}

void burl_sinkhorn_nms_free(burl_sinkhorn_nms *self) {
  if (!self) return;
  burl_sinkhorn_tape_free(self->tape);
  burl_arena_close(&self->arena);
  free(self);
}

static burl_status check(const burl_sinkhorn_nms *s, const burl_sinkhorn_nms_input *in,
                         const burl_sinkhorn_nms_options *o) {
  double numbers[] = {o->alpha, o->beta, o->gamma, o->tau, o->gate};
  if (!burl_sinkhorn_nms_ordinary(numbers, 5) || o->tau <= 0 || o->sweeps == 0 ||
      (o->form != BURL_SINKHORN_NMS_BIN && o->form != BURL_SINKHORN_NMS_BALANCED) || in->slots == 0)
    return BURL_ERR_ARGUMENT;
  if (in->n > s->most_n || o->sweeps > s->most_sweeps ||
      (in->slots > s->most_slots && in->n > s->most_slots))
    return BURL_ERR_SIZE;
  if (!burl_sinkhorn_nms_ordinary(in->scores, in->n) ||
      !burl_sinkhorn_nms_ordinary(in->boxes, 4 * in->n) ||
      (s->d && !burl_sinkhorn_nms_ordinary(in->features, s->d * in->n)))
    return BURL_ERR_NUMERIC;
  return BURL_OK;
}

/* The best so far in order; mostly a proposal is no better than the last of them. */
static void seed(burl_sinkhorn_nms *s, const double *scores) {
  size_t count = 0;
  for (size_t j = 0; j < s->n; j++) {
    if (count == s->slots && !(scores[j] > scores[s->seeds[count - 1]])) continue;
    size_t at = count < s->slots ? count++ : count - 1;
    for (; at > 0 && scores[j] > scores[s->seeds[at - 1]]; at--)
      s->seeds[at] = s->seeds[at - 1];
    s->seeds[at] = j;
  }
}

double burl_sinkhorn_nms_distance(const burl_sinkhorn_nms *self, const double *boxes, size_t j,
                                  size_t k, double *x, double *y) {
  const double *a = boxes + 4 * j, *b = boxes + 4 * self->seeds[k];
  *x = (a[0] + a[2]) / 2 - (b[0] + b[2]) / 2;
  *y = (a[1] + a[3]) / 2 - (b[1] + b[3]) / 2;
  return sqrt(*x * *x + *y * *y);
}

void burl_sinkhorn_nms_gather(burl_sinkhorn_nms *self) {
  for (size_t k = 0; self->d && k < self->slots; k++)
    memcpy(self->slot + k * self->d, self->unit + self->seeds[k] * self->d,
           self->d * sizeof *self->slot);
}

static burl_status compare_features(burl_sinkhorn_nms *s, const double *features) {
  if (s->d == 0) return BURL_OK;
  for (size_t j = 0; j < s->n; j++) {
    const double *from = features + j * s->d;
    double *to = s->unit + j * s->d, sum = 0;
    for (size_t t = 0; t < s->d; t++)
      sum += from[t] * from[t];
    double length = sqrt(sum);
    s->inverse[j] = length >= SHORTEST ? 1 / length : 0;
    for (size_t t = 0; t < s->d; t++)
      to[t] = from[t] * s->inverse[j];
  }
  burl_sinkhorn_nms_gather(s);
  return burl_num_dgemm(s->cosine, s->slots, s->unit, s->d, BURL_NUM_PLAIN, s->slot, s->d,
                        BURL_NUM_TRANSPOSED, s->n, s->slots, s->d, 1, 0);
}

static void price(burl_sinkhorn_nms *s, const burl_sinkhorn_nms_input *in) {
  const burl_sinkhorn_nms_options *o = &s->options;
  double x, y;
  s->farthest = NEAREST;
  for (size_t j = 0; j < s->n; j++)
    for (size_t k = 0; k < s->slots; k++) {
      double distance = burl_sinkhorn_nms_distance(s, in->boxes, j, k, &x, &y);
      s->cost[j * s->columns + k] = distance;
      if (distance > s->farthest) s->farthest = distance;
    }
  for (size_t j = 0; j < s->n; j++) {
    double *cost = s->cost + j * s->columns;
    for (size_t k = 0; k < s->slots; k++) {
      cost[k] = o->alpha * (1 - in->scores[j]) + o->gamma * (cost[k] / s->farthest);
      if (s->d) cost[k] += o->beta * (1 - s->cosine[j * s->slots + k]);
    }
    if (s->columns > s->slots) cost[s->slots] = 0;
  }
}

static burl_status match(burl_sinkhorn_nms *s) {
  int bin = s->columns > s->slots;
  double share = bin ? 1 : (double)s->slots / (double)s->n;
  for (size_t j = 0; j < s->n; j++)
    s->row[j] = share;
  for (size_t k = 0; k < s->slots; k++)
    s->column[k] = 1;
  if (bin) s->column[s->slots] = (double)(s->n - s->slots);
  burl_sinkhorn_options options = burl_sinkhorn_default_options();
  options.eps = s->options.tau;
  options.max_sweeps = s->options.sweeps;
  options.tolerance = 0;
  options.order = BURL_ROW_THEN_COLUMN;
  burl_status status = burl_sinkhorn_tape_solve(s->tape, s->f, s->g, s->cost, s->columns, s->n,
                                                s->columns, s->row, s->column, 0, &options, NULL);
  if (status == BURL_OK)
    burl_sinkhorn_plan_log(s->plan, s->columns, s->cost, s->columns, s->n, s->columns, s->f, s->g,
                           s->options.tau);
  return status;
}

static void add_up(burl_sinkhorn_nms *s, const burl_sinkhorn_nms_input *in,
                   burl_sinkhorn_nms_info *info) {
  memset(s->score, 0, s->slots * sizeof *s->score);
  memset(s->box, 0, 4 * s->slots * sizeof *s->box);
  for (size_t j = 0; j < s->n; j++)
    for (size_t k = 0; k < s->slots; k++) {
      double p = s->plan[j * s->columns + k];
      s->score[k] += p * in->scores[j];
      for (size_t c = 0; c < 4; c++)
        s->box[4 * k + c] += p * in->boxes[4 * j + c];
    }
  for (size_t k = 0; k < s->slots; k++)
    info->kept += s->open[k] = s->score[k] > s->options.gate;
}

/* -sum q log q of each row q of the plan divided by its sum; the potentials know log P. A row far
 * from convergence can be all zeros; its entropy counts as 0. */
static void measure(const burl_sinkhorn_nms *s, double *entropy, burl_sinkhorn_nms_info *info) {
  for (size_t j = 0; j < s->n; j++) {
    const double *p = s->plan + j * s->columns, *cost = s->cost + j * s->columns;
    double sum = 0, logs = 0;
    for (size_t k = 0; k < s->columns; k++) {
      sum += p[k];
      if (p[k] > 0) logs += p[k] * (s->f[j] + s->g[k] - cost[k]);
    }
    double own = sum > 0 ? fmax(log(sum) - logs / s->options.tau / sum, 0) : 0;
    if (entropy) entropy[j] = own;
    info->entropy += own / (double)s->n;
    info->row_error = fmax(info->row_error, fabs(sum - s->row[j]));
  }
}

static void clear(double *x, size_t count) {
  if (x && count) memset(x, 0, count * sizeof *x);
}

static void write_slots(const burl_sinkhorn_nms *s, const burl_sinkhorn_nms_output *out) {
  size_t wanted = s->wanted;
  clear(out->scores, wanted);
  clear(out->boxes, 4 * wanted);
  clear(out->plan, s->n * wanted);
  for (size_t k = 0; out->seeds && k < wanted; k++)
    out->seeds[k] = k < s->slots ? s->seeds[k] : SIZE_MAX;
  for (size_t k = 0; k < s->slots; k++) {
    if (out->scores && s->open[k]) out->scores[k] = s->score[k];
    if (out->boxes && s->open[k])
      memcpy(out->boxes + 4 * k, s->box + 4 * k, 4 * sizeof *out->boxes);
  }
  for (size_t j = 0; out->plan && j < s->n; j++)
    memcpy(out->plan + j * wanted, s->plan + j * s->columns, s->slots * sizeof *out->plan);
}

static burl_status write_features(const burl_sinkhorn_nms *s, double *features,
                                  const double *from) {
  if (!features || s->d == 0) return BURL_OK;
  if (s->slots) {
    burl_status status = burl_num_dgemm(features, s->d, s->plan, s->columns, BURL_NUM_TRANSPOSED,
                                        from, s->d, BURL_NUM_PLAIN, s->slots, s->d, s->n, 1, 0);
    if (status != BURL_OK) return status;
  }
  for (size_t k = 0; k < s->wanted; k++)
    if (k >= s->slots || !s->open[k]) clear(features + k * s->d, s->d);
  return BURL_OK;
}

burl_status burl_sinkhorn_nms_forward(burl_sinkhorn_nms *self,
                                      const burl_sinkhorn_nms_output *output,
                                      const burl_sinkhorn_nms_input *input,
                                      const burl_sinkhorn_nms_options *options,
                                      burl_sinkhorn_nms_info *info) {
  burl_sinkhorn_nms_info found = {0};
  self->ready = 0;
  burl_status status = check(self, input, options);
  if (status != BURL_OK) return status;
  self->options = *options;
  self->n = input->n;
  self->wanted = input->slots;
  self->slots = input->n < input->slots ? input->n : input->slots;
  self->columns = self->slots + (options->form == BURL_SINKHORN_NMS_BIN);
  found.seeded = self->slots;
  if (self->n) {
    seed(self, input->scores);
    status = compare_features(self, input->features);
    if (status != BURL_OK) return status;
    price(self, input);
    status = match(self);
    if (status != BURL_OK) return status;
    add_up(self, input, &found);
  }
  status = write_features(self, output->features, input->features);
  if (status != BURL_OK) return status;
  write_slots(self, output);
  if (info || output->entropy) measure(self, output->entropy, &found);
  if (info) *info = found;
  self->ready = 1;
  return BURL_OK;
}
