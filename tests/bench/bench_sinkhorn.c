/* Sinkhorn, log and scaling form, plan and report included, against POT with as many sweeps. */
#include "bench/timing.h"

#include "base/memory.h"
#include "base/random.h"
#include <burl/transport.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SWEEPS 40
#define DIMENSION 16

typedef struct bench {
  size_t n, m;
  burl_sinkhorn *solver;
  double *C, *a, *b, *f, *g, *P;
  float *C_float, *P_float;
  burl_sinkhorn_options options;
  burl_sinkhorn_info info;
} bench;

static void *need(void *pointer) {
  if (pointer) return pointer;
  fprintf(stderr, "bench_sinkhorn: not enough memory\n");
  exit(1);
}

static void solve_log(void *context) {
  bench *t = context;
  if (burl_sinkhorn_solve_log(t->solver, t->f, t->g, t->C, t->m, t->n, t->m, t->a, t->b, 0,
                              &t->options, &t->info))
    t->info.transport = (double)NAN;
  burl_sinkhorn_plan_log(t->P, t->m, t->C, t->m, t->n, t->m, t->f, t->g, t->options.eps);
}

static void solve_scaling(void *context) {
  bench *t = context;
  if (burl_sinkhorn_solve_scaling(t->solver, t->f, t->g, t->C_float, t->m, t->n, t->m, t->a, t->b,
                                  0, &t->options, &t->info))
    t->info.transport = (double)NAN;
  burl_sinkhorn_plan_scaling(t->P_float, t->m, t->C_float, t->m, t->n, t->m, t->f, t->g,
                             t->options.eps);
}

/* Squared distances between random points, n near m clusters, the largest being 1. */
static void make_cost(bench *t) {
  burl_random random = burl_random_start(1, t->n * t->m);
  float *x = need(burl_alloc((t->n + t->m) * DIMENSION, sizeof *x)), largest = 0.0f;
  for (size_t i = 0; i < (t->n + t->m) * DIMENSION; i++)
    x[i] = (float)burl_random_normal(&random);
  const float *y = x + t->n * DIMENSION;
  for (size_t i = 0; i < t->n; i++)
    for (size_t j = 0; j < t->m; j++) {
      float sum = 0.0f;
      for (size_t d = 0; d < DIMENSION; d++)
        sum += (x[i * DIMENSION + d] - y[j * DIMENSION + d]) *
               (x[i * DIMENSION + d] - y[j * DIMENSION + d]);
      t->C_float[i * t->m + j] = sum;
      largest = sum > largest ? sum : largest;
    }
  for (size_t i = 0; i < t->n * t->m; i++)
    t->C[i] = (double)(t->C_float[i] /= largest);
  free(x);
}

static bench open_bench(size_t n, size_t m) {
  bench t = {.n = n, .m = m};
  if (burl_sinkhorn_new(&t.solver, n, m)) need(NULL);
  t.C = need(burl_alloc(n * m, sizeof *t.C));
  t.P = need(burl_alloc(n * m, sizeof *t.P));
  t.C_float = need(burl_alloc(n * m, sizeof *t.C_float));
  t.P_float = need(burl_alloc(n * m, sizeof *t.P_float));
  t.a = need(burl_alloc(n, sizeof *t.a));
  t.f = need(burl_alloc(n, sizeof *t.f));
  t.b = need(burl_alloc(m, sizeof *t.b));
  t.g = need(burl_alloc(m, sizeof *t.g));
  for (size_t i = 0; i < n; i++)
    t.a[i] = 1.0 / (double)n;
  for (size_t j = 0; j < m; j++)
    t.b[j] = 1.0 / (double)m;
  make_cost(&t);
  return t;
}

static void close_bench(bench *t) {
  burl_sinkhorn_free(t->solver);
  void *arrays[] = {t->C, t->P, t->C_float, t->P_float, t->a, t->b, t->f, t->g};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
    free(arrays[i]);
}

/* One figure; 0 where the peer found another <P,C>. */
static int compare(bench *t, const char *form, const char *path, timing_peer *peer) {
  int scaling = form[0] == 's';
  char name[96], request[512];
  snprintf(name, sizeof name, "sinkhorn_%s %zux%zu eps=%g sweeps=%d", form, t->n, t->m,
           t->options.eps, SWEEPS);
  snprintf(request, sizeof request, "%s %s %zu %zu %.17g %d", form, path, t->n, t->m,
           t->options.eps, SWEEPS);
  timing_figure figure = {.name = name,
                          .peer = scaling ? "POT sinkhorn_knopp float32" : "POT sinkhorn_log",
                          .threads = 1};
  timing_compare(&figure, scaling ? solve_scaling : solve_log, t, peer, request);
  timing_print(&figure);
  double off = fabs(figure.peer_value - t->info.transport) / t->info.transport;
  if (!peer || isnan(figure.peer_ms) || off <= (scaling ? 1e-4 : 1e-9)) return 1;
  fprintf(stderr, "%s: <P,C> is %.9g, the peer's %.9g\n", name, t->info.transport,
          figure.peer_value);
  return scaling; /* exp(-C/eps) in float may fail the peer at small eps */
}

static int write_cost(const bench *t, const char *path) {
  FILE *file = fopen(path, "wb");
  if (!file) return 0;
  size_t count = t->n * t->m;
  int whole = fwrite(t->C_float, sizeof(float), count, file) == count;
  return fclose(file) == 0 && whole;
}

int main(void) {
  static const size_t sizes[][2] = {{784, 64}, {784, 196}, {784, 784}, {6000, 256}};
  static const double eps[] = {0.05, 0.01};
  const char *folder = getenv("TMPDIR");
  char path[256];
  snprintf(path, sizeof path, "%s/burl_bench_XXXXXX", folder && *folder ? folder : "/tmp");
  int file = mkstemp(path), good = file >= 0;
  if (good) close(file);
  timing_peer *peer = timing_peer_open();
  for (size_t s = 0; good && s < sizeof sizes / sizeof *sizes; s++) {
    bench t = open_bench(sizes[s][0], sizes[s][1]);
    good = write_cost(&t, path);
    for (size_t e = 0; good && e < sizeof eps / sizeof *eps; e++) {
      t.options = (burl_sinkhorn_options){eps[e], SWEEPS, 0.0, 1, BURL_COLUMN_THEN_ROW, 0, 1};
      good = compare(&t, "log", path, peer);
      good &= compare(&t, "scaling", path, peer);
    }
    close_bench(&t);
  }
  timing_peer_close(peer);
  if (file >= 0) unlink(path);
  return !good;
}
