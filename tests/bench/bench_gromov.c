/* Entropic Gromov-Wasserstein between two sets of patches, against POT to the same tolerances. */
#include "bench/timing.h"

#include "base/memory.h"
#include "base/random.h"
#include <burl/transport_gromov.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DIMENSION 16

typedef struct bench {
  size_t n;
  burl_gromov *solver;
  double *D, *P, *masses; /* D1, then D2 */
  burl_gromov_options options;
  burl_gromov_info info;
} bench;

static void *need(void *pointer) {
  if (pointer) return pointer;
  fprintf(stderr, "bench_gromov: not enough memory\n");
  exit(1);
}

static void solve(void *context) {
  bench *t = context;
  burl_gromov_problem problem = {.D1 = t->D,
                                 .D2 = t->D + t->n * t->n,
                                 .ldd1 = t->n,
                                 .ldd2 = t->n,
                                 .n = t->n,
                                 .m = t->n,
                                 .a = t->masses,
                                 .b = t->masses};
  if (burl_gromov_solve(t->solver, t->P, t->n, &problem, 0, &t->options, &t->info))
    t->info.energy = (double)NAN;
}

/* Distances between random points, the largest about 1; the second set is the first, stirred and
 * moved a little. */
static void make_distances(bench *t) {
  size_t n = t->n;
  burl_random random = burl_random_start(1, n);
  double *x = need(burl_alloc(2 * n * DIMENSION, sizeof *x));
  for (size_t k = 0; k < n * DIMENSION; k++)
    x[k] = burl_random_normal(&random) / 9.0 * (1.0 + (double)(k / DIMENSION) / (double)n);
  for (size_t k = 0; k < n * DIMENSION; k++) {
    size_t i = (k / DIMENSION * 5 + 3) % n;
    x[(n + i) * DIMENSION + k % DIMENSION] = x[k] + 0.01 * burl_random_normal(&random);
  }
  for (size_t s = 0; s < 2; s++)
    for (size_t i = 0; i < n; i++)
      for (size_t k = 0; k < n; k++) {
        double sum = 0.0;
        for (size_t d = 0; d < DIMENSION; d++) {
          double off = x[(s * n + i) * DIMENSION + d] - x[(s * n + k) * DIMENSION + d];
          sum += off * off;
        }
        t->D[(s * n + i) * n + k] = sqrt(sum);
      }
  free(x);
}

static bench open_bench(size_t n) {
  bench t = {.n = n, .options = burl_gromov_default_options()};
  if (burl_gromov_new(&t.solver, n, n)) need(NULL);
  t.D = need(burl_alloc(2 * n * n, sizeof *t.D));
  t.P = need(burl_alloc(n * n, sizeof *t.P));
  t.masses = need(burl_alloc(n, sizeof *t.masses));
  for (size_t i = 0; i < n; i++)
    t.masses[i] = 1.0 / (double)n;
  t.options.alpha = 1.0;
  make_distances(&t);
  return t;
}

static void close_bench(bench *t) {
  burl_gromov_free(t->solver);
  free(t->D);
  free(t->P);
  free(t->masses);
}

static int write_distances(const bench *t, const char *path) {
  FILE *file = fopen(path, "wb");
  if (!file) return 0;
  size_t count = 2 * t->n * t->n;
  int whole = fwrite(t->D, sizeof *t->D, count, file) == count;
  return fclose(file) == 0 && whole;
}

/* One figure; 0 where ours did not converge. The problem is not convex, so that another energy of
 * the peer is told and no failure. */
static int compare(bench *t, const char *path, timing_peer *peer) {
  char name[96], request[512];
  snprintf(name, sizeof name, "gromov %zux%zu eps=%g", t->n, t->n, t->options.eps);
  snprintf(request, sizeof request, "%s %zu %.17g", path, t->n, t->options.eps);
  timing_figure figure = {.name = name, .peer = "POT entropic_gromov_wasserstein", .threads = 1};
  timing_compare(&figure, solve, t, peer, request);
  timing_print(&figure);
  fprintf(stderr, "%s: %zu steps, %zu sweeps, energy %.9g, the peer's %.9g\n", name, t->info.steps,
          t->info.sweeps, t->info.energy, figure.peer_value);
  return t->info.converged;
}

int main(void) {
  static const size_t sizes[] = {64, 196};
  static const double eps[] = {0.05, 0.01, 0.002};
  const char *folder = getenv("TMPDIR");
  char path[256];
  snprintf(path, sizeof path, "%s/burl_bench_XXXXXX", folder && *folder ? folder : "/tmp");
  int file = mkstemp(path), good = file >= 0;
  if (good) close(file);
  timing_peer *peer = timing_peer_open();
  for (size_t s = 0; good && s < sizeof sizes / sizeof *sizes; s++) {
    bench t = open_bench(sizes[s]);
    good = write_distances(&t, path);
    for (size_t e = 0; good && e < sizeof eps / sizeof *eps; e++) {
      t.options.eps = eps[e];
      good = compare(&t, path, peer);
    }
    close_bench(&t);
  }
  timing_peer_close(peer);
  if (file >= 0) unlink(path);
  return !good;
}
