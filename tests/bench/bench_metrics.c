/* Pixel metrics beside scikit-learn (AUROC and AP of all pixels) and an exact AUPRO in numpy.
 *
 * Ours is always the whole way: a new evaluator, all images added with their regions labelled, and
 * every metric computed, also where the peer computes two of them. Peers get flat arrays ready
 * made. */
#include "base/memory.h"
#include "bench/timing.h"

#include <burl/evaluate.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

typedef struct problem {
  float *heat;
  uint8_t *mask;
  size_t count, side; /* images, all square */
  burl_pixel_metrics metrics;
} problem;

static void require(int fine, const char *what) {
  if (fine) return;
  fprintf(stderr, "bench metrics: %s\n", what);
  exit(1);
}

static void set_box(uint8_t *mask, size_t side, size_t top, size_t left, size_t tall, size_t wide) {
  for (size_t y = top; y < top + tall; y++)
    memset(mask + y * side + left, 1, wide);
}

/* The same numbers as make() of peer_metrics.py. */
static void make(problem *p, size_t count, size_t side) {
  size_t image = side * side, n = count * image;
  *p = (problem){.heat = burl_alloc(n, sizeof(float)),
                 .mask = burl_alloc_zero(n, 1),
                 .count = count,
                 .side = side};
  require(p->heat && p->mask, "not enough memory");
  for (size_t i = 0; i < count; i++) {
    size_t top = 37 * i % (side - 40), left = 53 * i % (side - 40);
    if (i % 4 == 0) continue;
    set_box(p->mask + i * image, side, top, left, 20, 30);
    set_box(p->mask + i * image, side, top + 24, left + 10, 8, i % 9);
  }
  for (size_t i = 0; i < n; i++) {
    uint32_t bits = (uint32_t)i * 0x9E3779B1u;
    bits ^= bits >> 15;
    bits *= 0x85EBCA77u;
    bits ^= bits >> 13;
    p->heat[i] = (float)(bits >> 8) * 0x1p-24f + (p->mask[i] ? 0.5f : 0.0f);
  }
}

static void release(problem *p) {
  free(p->heat);
  free(p->mask);
}

/* `repeat` stands for that many images with the content of the first one; 1: every image once. */
static void evaluate(problem *p, size_t repeat) {
  burl_pixel_evaluator *self;
  size_t image = p->side * p->side;
  require(burl_pixel_evaluator_new(&self) == BURL_OK, "not enough memory");
  for (size_t i = 0; i < p->count * repeat; i++) {
    size_t at = i % p->count * image;
    burl_status status =
        burl_pixel_evaluator_add(self, p->heat + at, p->mask + at, p->side, p->side);
    require(status == BURL_OK, burl_status_get_text(status));
  }
  burl_status status = burl_pixel_evaluator_compute(self, &p->metrics, NULL, 0);
  require(status == BURL_OK, burl_status_get_text(status));
  burl_pixel_evaluator_free(self);
}

static void work(void *context) {
  evaluate(context, 1);
}

static double peak_mib(void) {
  struct rusage usage;
  return getrusage(RUSAGE_SELF, &usage) ? (double)NAN : (double)usage.ru_maxrss / 1024;
}

/* Peak of an evaluator that 50 images of a million pixels go through, one image held at a time. */
static double evaluator_peak_mib(void) {
  problem p;
  make(&p, 2, 1000);
  double before = peak_mib();
  evaluate(&p, 25);
  release(&p);
  return peak_mib() - before;
}

static void check_value(const timing_figure *figure, double ours) {
  if (isnan(figure->peer_value)) return;
  require(fabs(figure->peer_value - ours) < 1e-9, "the peer computes something else");
}

static double ranking_value(const problem *p) {
  return p->metrics.ranking.auroc + p->metrics.ranking.ap;
}

static void bench_maps(timing_peer *peer) {
  problem p;
  make(&p, 100, 256);
  timing_figure ranking = {.name = "pixel AUROC and AP, 6.6 M pixels",
                           .peer = "sklearn roc_auc_score, average_precision_score",
                           .threads = 1};
  timing_compare(&ranking, work, &p, peer, "ranking 100 256");
  check_value(&ranking, ranking_value(&p));
  timing_print(&ranking);
  timing_figure aupro = {.name = "AUPRO, 100 maps 256x256", .peer = "numpy, exact", .threads = 1};
  timing_compare(&aupro, work, &p, peer, "aupro 100 256");
  check_value(&aupro, p.metrics.aupro_030);
  timing_print(&aupro);
  release(&p);
}

/* The peer takes most of a minute, so it is asked once. */
static void bench_large(timing_peer *peer) {
  problem p;
  make(&p, 50, 1000);
  timing_figure figure = {.name = "pixel AUROC and AP, 50 M pixels",
                          .peer = "sklearn roc_auc_score, average_precision_score",
                          .threads = 1};
  timing_compare(&figure, work, &p, NULL, NULL);
  if (peer) figure.peer_ms = timing_peer_ask(peer, "ranking 50 1000", &figure.peer_value);
  check_value(&figure, ranking_value(&p));
  timing_print(&figure);
  release(&p);
}

static void print_memory(double ours, timing_peer *peer) {
  double theirs = (double)NAN;
  if (peer) timing_peer_ask(peer, "memory", &theirs);
  printf(
      "{\"name\": \"pixel metrics, 50 M pixels, peak memory\", \"ours_ms\": null, "
      "\"peer\": \"sklearn, with its input\", \"peer_ms\": null, \"ratio\": null, \"threads\": 1, "
      "\"sgemm_gflops\": %.4g, \"ours_mib\": %.4g, \"peer_mib\": ",
      timing_sgemm_gflops(), ours);
  if (isfinite(theirs))
    printf("%.4g}\n", theirs);
  else
    puts("null}");
}

int main(void) {
  double ours_mib = evaluator_peak_mib(); /* first: a peak never falls */
  timing_peer *peer = timing_peer_open();
  bench_maps(peer);
  bench_large(peer);
  print_memory(ours_mib, peer);
  timing_peer_close(peer);
  return 0;
}
