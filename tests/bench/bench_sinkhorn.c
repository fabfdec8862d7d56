/* Sinkhorn to a tolerance, kernel, plan and report included, against POT and torch; a sweep against
 * reading the kernel once; threads and batches against one thread. Costs are one less cosine
 * between clustered unit vectors, or, with BURL_BENCH_PROBLEMS=FOLDER, what is in its files
 * cost_<n>x<m>.npy (float32). eps is in units of the largest cost. */
#include "bench/timing.h"

#include "base/memory.h"
#include "base/random.h"
#include "num/gemm.h"
#include "num/simd.h"
#include <burl/transport.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TOLERANCE 1e-6
#define MOST_SWEEPS 20000
#define DIMENSION 384
#define CLUSTERS 20
#define BATCH 32
#define SMALL 100000 /* entries of a problem to be solved in batches */

typedef struct bench {
  size_t n, m;
  burl_sinkhorn *solvers[2];
  double largest, *a, *b, *f, *g;
  float *C, *P;
  burl_sinkhorn_options options;
  burl_sinkhorn_info info;
  float sum; /* of what was only read */
  int failed;
} bench;

static void *need(void *pointer) {
  if (pointer) return pointer;
  fprintf(stderr, "bench_sinkhorn: not enough memory\n");
  exit(1);
}

static void solve(void *context) {
  bench *t = context;
  t->failed |= burl_sinkhorn_solve_scaling(t->solvers[0], t->f, t->g, t->C, t->m, t->n, t->m, t->a,
                                           t->b, 0, &t->options, &t->info) != BURL_OK;
}

static void solve_and_plan(void *context) {
  bench *t = context;
  solve(t);
  burl_sinkhorn_plan_scaling(t->P, t->m, t->C, t->m, t->n, t->m, t->f, t->g, t->options.eps);
}

static void draw(float *x, size_t count, const float *centres, burl_random *random) {
  const float spread = 0.5f;
  for (size_t i = 0; i < count; i++) {
    const float *centre = centres + burl_random_below(random, CLUSTERS) * DIMENSION;
    double squares = 0.0;
    for (size_t d = 0; d < DIMENSION; d++) {
      x[i * DIMENSION + d] = centre[d] + spread * (float)burl_random_normal(random);
      squares += (double)(x[i * DIMENSION + d] * x[i * DIMENSION + d]);
    }
    for (size_t d = 0; d < DIMENSION; d++)
      x[i * DIMENSION + d] /= (float)sqrt(squares);
  }
}

static void make_cost(bench *t) {
  burl_random random = burl_random_start(1, t->n * t->m);
  float *x = need(burl_alloc((t->n + t->m + CLUSTERS) * DIMENSION, sizeof *x));
  float *y = x + t->n * DIMENSION, *centres = y + t->m * DIMENSION;
  for (size_t i = 0; i < CLUSTERS * DIMENSION; i++)
    centres[i] = (float)burl_random_normal(&random);
  draw(x, t->n, centres, &random);
  draw(y, t->m, centres, &random);
  t->failed |= burl_num_sgemm(t->C, t->m, x, DIMENSION, BURL_NUM_PLAIN, y, DIMENSION,
                              BURL_NUM_TRANSPOSED, t->n, t->m, DIMENSION, -1.0f, 0.0f) != BURL_OK;
  for (size_t i = 0; i < t->n * t->m; i++)
    t->C[i] += 1.0f;
  free(x);
}

/* An .npy file of version 1, of which only the kind and the shape are looked at. */
static int read_cost(bench *t, const char *folder) {
  char path[512], shape[64], header[513] = {0};
  unsigned char start[10];
  snprintf(path, sizeof path, "%s/cost_%zux%zu.npy", folder, t->n, t->m);
  snprintf(shape, sizeof shape, "(%zu, %zu)", t->n, t->m);
  FILE *file = fopen(path, "rb");
  if (!file) return 0;
  int whole = fread(start, 1, sizeof start, file) == sizeof start && start[6] == 1;
  size_t length = whole ? (size_t)start[8] + 256u * start[9] : 0, count = t->n * t->m;
  whole = whole && length < sizeof header && fread(header, 1, length, file) == length &&
          strstr(header, "'<f4'") && strstr(header, shape) && strstr(header, "False") &&
          fread(t->C, sizeof *t->C, count, file) == count;
  fclose(file);
  if (whole) return 1;
  fprintf(stderr, "bench_sinkhorn: %s is not float32 %s\n", path, shape);
  exit(1);
}

static bench open_bench(size_t n, size_t m) {
  const char *folder = getenv("BURL_BENCH_PROBLEMS");
  bench t = {.n = n, .m = m};
  for (size_t k = 0; k < 2; k++)
    if ((k == 0 || n * m < SMALL) && burl_sinkhorn_new(&t.solvers[k], n, m)) need(NULL);
  t.C = need(burl_alloc(n * m, sizeof *t.C));
  t.P = need(burl_alloc(n * m, sizeof *t.P));
  t.a = need(burl_alloc(n, sizeof *t.a));
  t.b = need(burl_alloc(m, sizeof *t.b));
  t.f = need(burl_alloc(n, BATCH * sizeof *t.f));
  t.g = need(burl_alloc(m, BATCH * sizeof *t.g));
  for (size_t i = 0; i < n; i++)
    t.a[i] = 1.0 / (double)n;
  for (size_t j = 0; j < m; j++)
    t.b[j] = 1.0 / (double)m;
  if (!folder || !read_cost(&t, folder)) make_cost(&t);
  for (size_t i = 0; i < n * m; i++)
    t.largest = fmax(t.largest, (double)t.C[i]);
  t.options = burl_sinkhorn_default_options();
  t.options.tolerance = TOLERANCE;
  t.options.max_sweeps = MOST_SWEEPS;
  t.options.order = BURL_COLUMN_THEN_ROW;
  return t;
}

static void close_bench(bench *t) {
  for (size_t k = 0; k < 2; k++)
    burl_sinkhorn_free(t->solvers[k]);
  void *arrays[] = {t->C, t->P, t->a, t->b, t->f, t->g};
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
    free(arrays[i]);
}

/* One figure; 0 where the peer found another <P,C>. A peer that takes seconds is asked once, and
 * one that takes minutes stops early, which lowers the ratio. */
static int compare(bench *t, const char *method, const char *title, const char *path,
                   timing_peer *peer) {
  int slow = method[0] == 'l', huge = t->n * t->m > 1000000;
  size_t sweeps = slow && huge ? 300 : MOST_SWEEPS;
  char name[96], request[512], who[96];
  snprintf(name, sizeof name, "sinkhorn %zux%zu eps=%g to %g", t->n, t->m,
           t->options.eps / t->largest, TOLERANCE);
  snprintf(who, sizeof who, "%s%s%s", title, slow || huge ? ", asked once" : "",
           slow && huge ? ", its first 300 sweeps" : "");
  snprintf(request, sizeof request, "%s %s %zu %zu %.17g %zu %g", method, path, t->n, t->m,
           t->options.eps, sweeps, TOLERANCE);
  timing_figure figure = {
      .name = name, .peer = who, .threads = 1, .peer_rounds = slow || huge ? 1 : 0};
  timing_compare(&figure, solve_and_plan, t, peer, request);
  timing_print(&figure);
  double off = fabs(figure.peer_value - t->info.transport) / t->info.transport;
  if (t->failed || !t->info.converged) return 0;
  if (!peer || isnan(figure.peer_ms) || sweeps < MOST_SWEEPS || off <= 1e-4) return 1;
  fprintf(stderr, "%s: <P,C> is %.9g, the peer's %.9g\n", name, t->info.transport,
          figure.peer_value);
  return 0;
}

/* Two pieces of work in turn; the second stands as the peer. */
static void compare_works(const char *name, const char *peer, int threads, double (*ours)(bench *t),
                          double (*theirs)(bench *t), bench *t) {
  double us[TIMING_ROUNDS], them[TIMING_ROUNDS];
  for (size_t round = 0; round < TIMING_ROUNDS; round++) {
    us[round] = ours(t);
    them[round] = theirs(t);
  }
  timing_figure figure = {.name = name, .peer = peer, .threads = threads};
  figure.ours_ms = timing_median(us, TIMING_ROUNDS);
  figure.peer_ms = timing_median(them, TIMING_ROUNDS);
  figure.sgemm_gflops = timing_sgemm_gflops();
  timing_print(&figure);
}

static double milliseconds(void (*work)(void *context), bench *t) {
  double start = timing_now();
  work(t);
  return 1e3 * (timing_now() - start);
}

static void plain_sweeps(bench *t, size_t sweeps) {
  burl_sinkhorn_options options = t->options;
  options.tolerance = 0.0;
  options.max_sweeps = sweeps;
  t->failed |= burl_sinkhorn_solve_scaling(t->solvers[0], t->f, t->g, t->C, t->m, t->n, t->m, t->a,
                                           t->b, 0, &options, NULL) != BURL_OK;
}

static size_t many(const bench *t) {
  return 20 + 200000000 / (t->n * t->m);
}

/* A sweep without what comes before and after sweeps. */
static double one_sweep(bench *t) {
  double start = timing_now();
  plain_sweeps(t, 20);
  double middle = timing_now();
  plain_sweeps(t, 20 + many(t));
  return 1e3 * ((timing_now() - middle) - (middle - start)) / (double)many(t);
}

BURL_CLONES
static float add_up_floats(const float *x, size_t count) {
  float lane[128] = {0}, sum = 0.0f;
  for (size_t i = 0; i + 128 <= count; i += 128)
    for (size_t l = 0; l < 128; l++)
      lane[l] += x[i + l];
  for (size_t l = 0; l < 128; l++)
    sum += lane[l];
  return sum;
}

/* The plan is as large as the kernel. */
static double one_reading(bench *t) {
  double start = timing_now();
  for (size_t i = 0; i < many(t); i++)
    t->sum += add_up_floats(t->P, t->n * t->m);
  return 1e3 * (timing_now() - start) / (double)many(t);
}

static double on_one_thread(bench *t) {
  t->options.threads = 1;
  return milliseconds(solve, t);
}

static double on_two_threads(bench *t) {
  t->options.threads = 2;
  return milliseconds(solve, t);
}

static double solve_batch(bench *t, int threads) {
  burl_sinkhorn_job jobs[BATCH];
  for (size_t k = 0; k < BATCH; k++)
    jobs[k] = (burl_sinkhorn_job){.f = t->f + k * t->n,
                                  .g = t->g + k * t->m,
                                  .C_float = t->C,
                                  .ldc = t->m,
                                  .n = t->n,
                                  .m = t->m,
                                  .a = t->a,
                                  .b = t->b};
  double start = timing_now();
  t->failed |= burl_sinkhorn_solve_batch(t->solvers, threads, jobs, BATCH, &t->options) != BURL_OK;
  return 1e3 * (timing_now() - start);
}

static double batch_on_one(bench *t) {
  return solve_batch(t, 1);
}

static double batch_on_two(bench *t) {
  return solve_batch(t, 2);
}

static int write_cost(const bench *t, const char *path) {
  FILE *file = fopen(path, "wb");
  if (!file) return 0;
  size_t count = t->n * t->m;
  int whole = fwrite(t->C, sizeof *t->C, count, file) == count;
  return fclose(file) == 0 && whole;
}

static int bench_size(size_t n, size_t m, const char *path, timing_peer *peer) {
  static const double eps[] = {0.05, 0.01};
  bench t = open_bench(n, m);
  int good = write_cost(&t, path);
  char name[96];
  for (size_t e = 0; good && e < sizeof eps / sizeof *eps; e++) {
    t.options.eps = eps[e] * t.largest;
    good = compare(&t, "knopp", "POT sinkhorn_knopp float32", path, peer);
    good &= compare(&t, "torch", "torch, two products a sweep, float32", path, peer);
    good &= compare(&t, "log", "POT sinkhorn_log", path, peer);
  }
  snprintf(name, sizeof name, "sinkhorn sweep %zux%zu eps=%g", n, m, eps[0]);
  t.options.eps = eps[0] * t.largest;
  compare_works(name, "reading the kernel once", 1, one_sweep, one_reading, &t);
  t.options.eps = eps[1] * t.largest;
  if (n * m < SMALL)
    compare_works("sinkhorn batch of 32, 784x64 eps=0.01 to 1e-06", "one thread", 2, batch_on_two,
                  batch_on_one, &t);
  if (n * m > 1000000)
    compare_works("sinkhorn 4096x1024 eps=0.01 to 1e-06, solve alone", "one thread", 2,
                  on_two_threads, on_one_thread, &t);
  good &= !t.failed;
  close_bench(&t);
  return good;
}

static void hundred_sweeps(void *context) {
  plain_sweeps(context, 100);
}

static int bench_large(void) {
  bench t = open_bench(12544, 3136);
  t.options.eps = 0.05 * t.largest;
  t.options.threads = 2;
  timing_figure figure = {.name = "sinkhorn 12544x3136 eps=0.05, 100 plain sweeps", .threads = 2};
  timing_compare(&figure, hundred_sweeps, &t, NULL, NULL);
  timing_print(&figure);
  int good = !t.failed;
  close_bench(&t);
  return good;
}

int main(void) {
  static const size_t sizes[][2] = {{784, 64}, {784, 196}, {784, 784}, {4096, 1024}};
  const char *folder = getenv("TMPDIR");
  char path[256];
  snprintf(path, sizeof path, "%s/burl_bench_XXXXXX", folder && *folder ? folder : "/tmp");
  int file = mkstemp(path), good = file >= 0;
  if (good) close(file);
  timing_peer *peer = timing_peer_open();
  for (size_t s = 0; good && s < sizeof sizes / sizeof *sizes; s++)
    good = bench_size(sizes[s][0], sizes[s][1], path, peer);
  timing_peer_close(peer);
  if (file >= 0) unlink(path);
  return !(good && bench_large());
}
