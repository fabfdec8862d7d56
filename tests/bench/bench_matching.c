/* Suppression by entropic matching, forward and backward, beside the matrix products in it. */
#include "base/memory.h"
#include "base/random.h"
#include "bench/timing.h"
#include "num/gemm.h"

#include <burl/burl.h>

#include <stdio.h>
#include <stdlib.h>

enum { N = 1000, SLOTS = 100, D = 64, SWEEPS = 20, PRODUCTS = 6 };

typedef struct bench {
  burl_sinkhorn_nms *nms;
  burl_sinkhorn_nms_options options;
  double *scores, *boxes, *features;                /* of proposals */
  double *slot_scores, *slot_boxes, *slot_features; /* of slots, and the loss of them */
  double *dscores, *dboxes, *dfeatures, *cells, weights[4];
  int failed;
} bench;

static double *draw(burl_random *random, size_t count) {
  double *x = burl_alloc(count, sizeof *x);
  for (size_t i = 0; x && i < count; i++)
    x[i] = burl_random_uniform(random);
  return x;
}

static int open_bench(bench *b) {
  burl_random random = burl_random_start(9, 0);
  double **arrays[] = {&b->scores,     &b->boxes,         &b->features, &b->slot_scores,
                       &b->slot_boxes, &b->slot_features, &b->dscores,  &b->dboxes,
                       &b->dfeatures,  &b->cells};
  size_t counts[] = {N, 4 * N, N * D, SLOTS, 4 * SLOTS, SLOTS * D, N, 4 * N, N * D, N * SLOTS};
  int good = burl_sinkhorn_nms_new(&b->nms, N, SLOTS, D, SWEEPS) == BURL_OK;
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
    good &= (*arrays[i] = draw(&random, counts[i])) != NULL;
  b->options = burl_sinkhorn_nms_default_options();
  b->options.sweeps = SWEEPS;
  return good;
}

static void close_bench(bench *b) {
  double *arrays[] = {b->scores,        b->boxes,   b->features, b->slot_scores, b->slot_boxes,
                      b->slot_features, b->dscores, b->dboxes,   b->dfeatures,   b->cells};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
    free(arrays[i]);
  burl_sinkhorn_nms_free(b->nms);
}

/* The outputs themselves stand as the derivatives of a loss of half their squares. */
static void both_ways(bench *b, int backward) {
  burl_sinkhorn_nms_input in = {N, SLOTS, b->scores, b->boxes, b->features};
  burl_sinkhorn_nms_output out = {
      .scores = b->slot_scores, .boxes = b->slot_boxes, .features = b->slot_features};
  burl_sinkhorn_nms_loss loss = {
      .dscores = b->slot_scores, .dboxes = b->slot_boxes, .dfeatures = b->slot_features};
  burl_sinkhorn_nms_gradient to = {b->dscores,     b->dboxes,      b->dfeatures,  &b->weights[0],
                                   &b->weights[1], &b->weights[2], &b->weights[3]};
  b->failed |= burl_sinkhorn_nms_forward(b->nms, &out, &in, &b->options, NULL) != BURL_OK;
  if (backward) b->failed |= burl_sinkhorn_nms_backward(b->nms, &to, &loss, &in) != BURL_OK;
}

static void forward(void *context) {
  both_ways(context, 0);
}

static void forward_and_backward(void *context) {
  both_ways(context, 1);
}

/* As many products of (N,D) and (D,SLOTS) as both ways have. */
static void products(void *context) {
  bench *b = context;
  for (int i = 0; i < PRODUCTS; i++)
    b->failed |= burl_num_dgemm(b->cells, SLOTS, b->features, D, BURL_NUM_PLAIN, b->slot_features,
                                D, BURL_NUM_TRANSPOSED, N, SLOTS, D, 1, 0) != BURL_OK;
}

static void measure(bench *b, const char *name, void (*work)(void *context)) {
  double ours[TIMING_ROUNDS], theirs[TIMING_ROUNDS];
  for (size_t round = 0; round < TIMING_ROUNDS; round++) {
    ours[round] = timing_measure(work, b);
    theirs[round] = timing_measure(products, b);
  }
  timing_figure figure = {.name = name, .peer = "six of its double matrix products", .threads = 1};
  figure.ours_ms = timing_median(ours, TIMING_ROUNDS);
  figure.peer_ms = timing_median(theirs, TIMING_ROUNDS);
  figure.sgemm_gflops = timing_sgemm_gflops();
  timing_print(&figure);
}

int main(void) {
  bench b = {0};
  burl_blas_set_threads(1);
  int good = open_bench(&b);
  if (good) {
    measure(&b, "matching 1000 proposals, 100 slots, d=64, 20 sweeps, forward", forward);
    measure(&b, "matching 1000 proposals, 100 slots, d=64, 20 sweeps, forward and backward",
            forward_and_backward);
  }
  good &= !b.failed;
  close_bench(&b);
  return !good;
}
