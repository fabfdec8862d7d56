/* Sinkhorn on a cost that is not stored, beside the stored form: time and peak memory of the
 * problem that a batch of 64 images and 16 prototypes a cell make, (1 - alpha) cos / max + alpha
 * |rho - pi| / max. */
#include "bench/timing.h"

#include "base/memory.h"
#include "base/random.h"
#include <burl/transport_cost.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#define N 12544
#define M 3136
#define SIDE 14 /* cells of the grid */
#define SWEEPS 10

typedef struct bench {
  size_t d;
  float *X, *Y, *x_places, *y_places;
  double *a, *b, *f, *g;
  burl_cost *cost;
  double ms, mib, transport;
} bench;

static void require(int good, const char *what) {
  if (good) return;
  fprintf(stderr, "bench_lazy: %s\n", what);
  exit(1);
}

static double peak_mib(void) {
  struct rusage usage;
  return getrusage(RUSAGE_SELF, &usage) ? (double)NAN : (double)usage.ru_maxrss / 1024;
}

static void fill_places(float *places, size_t count) {
  for (size_t k = 0; k < count; k++) {
    places[2 * k] = (float)(k % SIDE) / (SIDE - 1);
    places[2 * k + 1] = (float)(k / SIDE % SIDE) / (SIDE - 1);
  }
}

static float *normal_points(size_t count, size_t d, uint64_t seed) {
  burl_random random = burl_random_start(seed, d);
  float *points = burl_alloc(count * d, sizeof *points);
  require(points != NULL, "not enough memory");
  for (size_t k = 0; k < count * d; k++)
    points[k] = (float)burl_random_normal(&random) + (k / d % 7 == k % d % 7 ? 1.0f : 0.0f);
  return points;
}

static double *uniform_masses(size_t count) {
  double *masses = burl_alloc(count, sizeof *masses);
  require(masses != NULL, "not enough memory");
  for (size_t k = 0; k < count; k++)
    masses[k] = 1.0 / (double)count;
  return masses;
}

static void open_bench(bench *t, size_t d) {
  *t = (bench){.d = d, .X = normal_points(N, d, 1), .Y = normal_points(M, d, 2)};
  t->a = uniform_masses(N), t->f = uniform_masses(N);
  t->b = uniform_masses(M), t->g = uniform_masses(M);
  t->x_places = burl_alloc(2 * N, sizeof *t->x_places);
  t->y_places = burl_alloc(2 * M, sizeof *t->y_places);
  require(t->x_places && t->y_places, "not enough memory");
  fill_places(t->x_places, N);
  fill_places(t->y_places, M);
  burl_cost_term terms[2] = {{.kind = BURL_COST_COSINE, .weight = 0.7, .over_max = 1},
                             {.kind = BURL_COST_PLACE,
                              .weight = 0.3,
                              .over_max = 1,
                              .x_places = t->x_places,
                              .y_places = t->y_places}};
  require(!burl_cost_new(&t->cost, terms, 2, t->X, N, t->Y, M, d), "no cost");
}

static void close_bench(bench *t) {
  burl_cost_free(t->cost);
  void *arrays[] = {t->X, t->Y, t->x_places, t->y_places, t->a, t->b, t->f, t->g};
  for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++)
    free(arrays[k]);
}

static const burl_sinkhorn_options options = {
    .eps = 0.01, .max_sweeps = SWEEPS, .check_every = 1, .order = BURL_COLUMN_THEN_ROW};

static void run_lazy(bench *t) {
  burl_sinkhorn_lazy *solver;
  burl_sinkhorn_info info;
  double start = timing_now();
  require(!burl_sinkhorn_lazy_new(&solver, N, M), "no solver");
  require(!burl_sinkhorn_solve_lazy(solver, t->f, t->g, t->cost, t->a, t->b, 0, &options, &info),
          "no solution");
  t->ms = 1e3 * (timing_now() - start);
  t->transport = info.transport;
  burl_sinkhorn_lazy_free(solver);
}

/* Storing the cost included. */
static double run_stored(bench *t) {
  burl_sinkhorn *solver = NULL;
  burl_sinkhorn_info info;
  double start = timing_now();
  float *C = burl_alloc((size_t)N * M, sizeof *C);
  require(C && !burl_sinkhorn_new(&solver, N, M), "not enough memory");
  require(!burl_cost_store(t->cost, C, M), "no cost");
  require(
      !burl_sinkhorn_solve_scaling(solver, t->f, t->g, C, M, N, M, t->a, t->b, 0, &options, &info),
      "no solution");
  double ms = 1e3 * (timing_now() - start);
  burl_sinkhorn_free(solver);
  free(C);
  require(fabs(info.transport - t->transport) <= 1e-5 * t->transport, "the forms differ");
  return ms;
}

static void print_memory(size_t d, double ours, double theirs) {
  printf(
      "{\"name\": \"sinkhorn_lazy %dx%d d=%zu, peak memory with the points\", \"ours_ms\": null, "
      "\"peer\": \"stored form\", \"peer_ms\": null, \"ratio\": null, \"threads\": 1, "
      "\"sgemm_gflops\": null, \"ours_mib\": %.4g, \"peer_mib\": %.4g}\n",
      N, M, d, ours, theirs);
}

int main(void) {
  static const size_t dimensions[2] = {64, 1024};
  bench t[2];
  for (int k = 0; k < 2; k++) { /* lazy ones first, one at a time: a peak never falls */
    open_bench(&t[k], dimensions[k]);
    run_lazy(&t[k]);
    double transport = t[k].transport, ms = t[k].ms;
    close_bench(&t[k]);
    t[k] = (bench){.d = dimensions[k], .ms = ms, .mib = peak_mib(), .transport = transport};
  }
  for (int k = 0; k < 2; k++) {
    char name[96];
    bench lazy = t[k];
    open_bench(&t[k], dimensions[k]);
    t[k].transport = lazy.transport;
    snprintf(name, sizeof name, "sinkhorn_lazy %dx%d d=%zu sweeps=%d", N, M, lazy.d, SWEEPS);
    timing_figure figure = {.name = name,
                            .peer = "stored form",
                            .threads = 1,
                            .ours_ms = lazy.ms,
                            .peer_ms = run_stored(&t[k]),
                            .sgemm_gflops = timing_sgemm_gflops()};
    timing_print(&figure);
    print_memory(lazy.d, lazy.mib, peak_mib());
    close_bench(&t[k]);
  }
  return 0;
}
