/* Prototypes: the nearest of many beside the matrix product of the same size and faiss, and the
 * start by coverage beside a greedy coreset in torch. */
#include "bench/timing.h"

#include "base/memory.h"
#include "base/random.h"
#include "num/gemm.h"
#include "num/nearest.h"
#include "prototype/bank.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATCHES 784 /* of one call: a grid of 28 x 28 */
#define CLUSTERS 200

static void *need(void *pointer) {
  if (pointer) return pointer;
  fprintf(stderr, "bench_prototypes: not enough memory\n");
  exit(1);
}

static int write_floats(const char *path, const float *values, size_t count) {
  FILE *file = fopen(path, "wb");
  if (!file) return 0;
  int whole = fwrite(values, sizeof *values, count, file) == count;
  return fclose(file) == 0 && whole;
}

/* Normal points around CLUSTERS normal centres that are `apart` times as wide; 0: one cloud; less:
 * the directions of one cloud. */
static float *make_points(size_t n, size_t d, float apart, uint64_t seed) {
  burl_random random = burl_random_start(seed, n * d);
  float *points = need(burl_alloc((n + CLUSTERS) * d, sizeof *points)), *centres = points + n * d;
  for (size_t i = 0; i < (n + CLUSTERS) * d; i++)
    points[i] = (float)burl_random_normal(&random);
  for (size_t i = 0; i < n; i++) {
    const float *centre = centres + burl_random_below(&random, CLUSTERS) * d;
    double squares = 0.0;
    for (size_t t = 0; t < d; t++) {
      if (apart > 0.0f) points[i * d + t] += apart * centre[t];
      squares += (double)points[i * d + t] * (double)points[i * d + t];
    }
    for (size_t t = 0; t < d && apart < 0.0f; t++)
      points[i * d + t] /= (float)sqrt(squares);
  }
  return points;
}

typedef struct search {
  size_t k, d;
  float *x, *points, *packed, *squared, *product;
  uint32_t *nearest;
  int failed;
} search;

static void find_nearest(void *context) {
  search *s = context;
  burl_points_nearest(s->squared, s->nearest, s->x, PATCHES, s->packed, s->k, s->d);
}

static void multiply(void *context) {
  search *s = context;
  s->failed |= burl_num_sgemm(s->product, s->k, s->x, s->d, BURL_NUM_PLAIN, s->points, s->d,
                              BURL_NUM_TRANSPOSED, PATCHES, s->k, s->d, 1.0f, 0.0f) != BURL_OK;
}

/* The search beside the product, in turn. */
static void against_product(search *s, const char *name) {
  timing_figure figure = {.name = name, .peer = "sgemm of the same size", .threads = 1};
  double theirs[3], ours[3];
  for (size_t round = 0; round < 3; round++) {
    theirs[round] = timing_measure(multiply, s);
    ours[round] = timing_measure(find_nearest, s);
  }
  figure.ours_ms = timing_median(ours, 3);
  figure.peer_ms = timing_median(theirs, 3);
  figure.sgemm_gflops = 2e-6 * PATCHES * (double)s->k * (double)s->d / figure.peer_ms;
  timing_print(&figure);
}

/* The same beside faiss; 0 where it found other distances. */
static int against_faiss(search *s, const char *name, const char *path, timing_peer *peer) {
  char request[512];
  timing_figure figure = {.name = name, .peer = "faiss IndexFlatL2", .threads = 1};
  snprintf(request, sizeof request, "nearest %s %d %zu %zu", path, PATCHES, s->k, s->d);
  figure.peer_rounds = s->k > 10000 ? 3 : 0;
  timing_compare(&figure, find_nearest, s, peer, request);
  timing_print(&figure);
  double sum = 0.0;
  for (size_t i = 0; i < PATCHES; i++)
    sum += (double)s->squared[i];
  if (isnan(figure.peer_value) || fabs(sum - figure.peer_value) <= 1e-4 * sum) return 1;
  fprintf(stderr, "%s: the distances add up to %.9g, the peer's to %.9g\n", name, sum,
          figure.peer_value);
  return 0;
}

static int bench_nearest(size_t k, size_t d, const char *path, timing_peer *peer) {
  search s = {.k = k, .d = d};
  char name[96];
  snprintf(name, sizeof name, "nearest %d of %zu, d %zu", PATCHES, k, d);
  s.x = make_points(PATCHES + k, d, 1.0f, k + d);
  s.points = s.x + PATCHES * d;
  s.packed = need(burl_alloc(burl_points_packed_size(k, d), sizeof *s.packed));
  s.squared = need(burl_alloc(PATCHES, sizeof *s.squared));
  s.nearest = need(burl_alloc(PATCHES, sizeof *s.nearest));
  s.product = need(burl_alloc(PATCHES * k, sizeof *s.product));
  burl_points_pack(s.packed, s.points, k, d);
  int good = write_floats(path, s.x, (PATCHES + k) * d);
  against_product(&s, name);
  good &= against_faiss(&s, name, path, peer);
  free(s.x);
  free(s.packed);
  free(s.squared);
  free(s.nearest);
  free(s.product);
  return good && !s.failed;
}

typedef struct start {
  const char *name;
  size_t n, d, k;
  double trim;
  float apart;
  /* made */
  float *points;
  size_t *chosen, count;
  int failed;
} start;

static void choose_cover(void *context) {
  start *s = context;
  s->failed |=
      burl_coverage_start(s->chosen, &s->count, s->points, s->n, s->d, s->k, s->trim) != BURL_OK;
}

/* The largest distance of a point to those chosen. */
static double radius_of(const start *s) {
  float *centres = need(burl_alloc(s->count * s->d, sizeof *centres)), most = 0.0f;
  float *packed = need(burl_alloc(burl_points_packed_size(s->count, s->d), sizeof *packed));
  float *squared = need(burl_alloc(s->n, sizeof *squared));
  for (size_t j = 0; j < s->count; j++)
    memcpy(centres + j * s->d, s->points + s->chosen[j] * s->d, s->d * sizeof *centres);
  burl_points_pack(packed, centres, s->count, s->d);
  burl_points_nearest(squared, NULL, s->points, s->n, packed, s->count, s->d);
  for (size_t i = 0; i < s->n; i++)
    most = squared[i] > most ? squared[i] : most;
  free(centres);
  free(packed);
  free(squared);
  return sqrt((double)most);
}

/* The peer begins at the same point; it has no trim. 0 where it covers more or less closely, by
 * more than rounding, which decides near ties. */
static int bench_coverage(start s, const char *path, timing_peer *peer) {
  char name[128], request[512];
  s.points = make_points(s.n, s.d, s.apart, s.n);
  s.chosen = need(burl_alloc(s.k, sizeof *s.chosen));
  int good = write_floats(path, s.points, s.n * s.d);
  choose_cover(&s);
  snprintf(name, sizeof name, "coverage %zu of %zu x %zu, %s", s.k, s.n, s.d, s.name);
  snprintf(request, sizeof request, "coreset %s %zu %zu %zu %zu", path, s.n, s.d, s.k, s.chosen[0]);
  timing_figure figure = {
      .name = name, .peer = "greedy coreset, torch", .threads = 1, .peer_rounds = 1};
  if (s.trim > 0.0) figure.peer = NULL;
  timing_compare(&figure, choose_cover, &s, s.trim > 0.0 ? NULL : peer, request);
  timing_print(&figure);
  double radius = radius_of(&s);
  good &= !s.failed && s.count == s.k;
  if (!isnan(figure.peer_value) && fabs(radius - figure.peer_value) > 1e-2 * radius) {
    fprintf(stderr, "%s: covers to %.6g, the peer to %.6g\n", name, radius, figure.peer_value);
    good = 0;
  }
  free(s.points);
  free(s.chosen);
  return good;
}

int main(void) {
  static const size_t counts[] = {1000, 16000}, dims[] = {64, 384, 1536};
  static const start starts[] = {
      {.name = "clusters", .n = 50000, .d = 128, .k = 5000, .apart = 2.0f},
      {.name = "one cloud", .n = 50000, .d = 128, .k = 5000},
      {.name = "directions", .n = 50000, .d = 128, .k = 5000, .apart = -1.0f},
      {.name = "clusters", .n = 48000, .d = 13, .k = 256, .apart = 2.0f},
      {.name = "clusters, trim 0.002", .n = 48000, .d = 13, .k = 256, .apart = 2.0f, .trim = .002},
  };
  const char *folder = getenv("TMPDIR");
  char path[256];
  snprintf(path, sizeof path, "%s/burl_bench_XXXXXX", folder && *folder ? folder : "/tmp");
  int file = mkstemp(path), good = file >= 0;
  if (!good) return 1;
  close(file);
  timing_peer *peer = timing_peer_open();
  for (size_t i = 0; i < sizeof dims / sizeof *dims; i++)
    for (size_t j = 0; j < sizeof counts / sizeof *counts; j++)
      good &= bench_nearest(counts[j], dims[i], path, peer);
  for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
    good &= bench_coverage(starts[i], path, peer);
  timing_peer_close(peer);
  unlink(path);
  return !good;
}
