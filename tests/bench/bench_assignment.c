/* Exact assignment against scipy, on costs without structure and on distances between points. */
#include "bench/timing.h"

#include "base/memory.h"
#include "base/random.h"
#include <burl/transport_assignment.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DIMENSION 16

typedef struct bench {
  size_t n, m;
  burl_assignment *solver;
  double *C, total;
  size_t *column;
} bench;

static void *need(void *pointer) {
  if (pointer) return pointer;
  fprintf(stderr, "bench_assignment: not enough memory\n");
  exit(1);
}

static void solve(void *context) {
  bench *t = context;
  if (burl_assignment_solve(t->solver, t->column, &t->total, NULL, NULL, t->C, t->m, t->n, t->m))
    t->total = (double)NAN;
}

static void make_uniform(bench *t) {
  burl_random random = burl_random_start(1, t->n * t->m);
  for (size_t i = 0; i < t->n * t->m; i++)
    t->C[i] = burl_random_uniform(&random);
}

/* Squared distances between random points. */
static void make_distances(bench *t) {
  burl_random random = burl_random_start(2, t->n * t->m);
  double *x = need(burl_alloc((t->n + t->m) * DIMENSION, sizeof *x));
  for (size_t i = 0; i < (t->n + t->m) * DIMENSION; i++)
    x[i] = burl_random_normal(&random);
  const double *y = x + t->n * DIMENSION;
  for (size_t i = 0; i < t->n; i++)
    for (size_t j = 0; j < t->m; j++) {
      double sum = 0.0;
      for (size_t d = 0; d < DIMENSION; d++) {
        double off = x[i * DIMENSION + d] - y[j * DIMENSION + d];
        sum += off * off;
      }
      t->C[i * t->m + j] = sum;
    }
  free(x);
}

static int write_cost(const bench *t, const char *path) {
  FILE *file = fopen(path, "wb");
  if (!file) return 0;
  size_t count = t->n * t->m;
  int whole = fwrite(t->C, sizeof(double), count, file) == count;
  return fclose(file) == 0 && whole;
}

/* One figure; 0 where the cost could not be written or the peer found another total. */
static int compare(bench *t, const char *kind, const char *path, timing_peer *peer) {
  char name[96], request[512];
  snprintf(name, sizeof name, "assignment %s %zux%zu", kind, t->n, t->m);
  snprintf(request, sizeof request, "%s %zu %zu", path, t->n, t->m);
  if (!write_cost(t, path)) return 0;
  timing_figure figure = {.name = name, .peer = "scipy linear_sum_assignment", .threads = 1};
  timing_compare(&figure, solve, t, peer, request);
  timing_print(&figure);
  if (isfinite(t->total) && (!peer || fabs(figure.peer_value - t->total) <= 1e-9 * t->total))
    return 1;
  fprintf(stderr, "%s: the total is %.17g, the peer's %.17g\n", name, t->total, figure.peer_value);
  return 0;
}

static int bench_size(size_t n, size_t m, const char *path, timing_peer *peer) {
  bench t = {.n = n, .m = m};
  if (burl_assignment_new(&t.solver, n, m)) need(NULL);
  t.C = need(burl_alloc(n * m, sizeof *t.C));
  t.column = need(burl_alloc(n, sizeof *t.column));
  make_uniform(&t);
  int good = compare(&t, "uniform", path, peer);
  make_distances(&t);
  good &= compare(&t, "distances", path, peer);
  burl_assignment_free(t.solver);
  free(t.C);
  free(t.column);
  return good;
}

int main(void) {
  static const size_t sizes[][2] = {{200, 200}, {1000, 1000}, {784, 196}};
  const char *folder = getenv("TMPDIR");
  char path[256];
  snprintf(path, sizeof path, "%s/burl_bench_XXXXXX", folder && *folder ? folder : "/tmp");
  int file = mkstemp(path), good = file >= 0;
  if (!good) return 1;
  close(file);
  timing_peer *peer = timing_peer_open();
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
    good &= bench_size(sizes[s][0], sizes[s][1], path, peer);
  timing_peer_close(peer);
  unlink(path);
  return !good;
}
