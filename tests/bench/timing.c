/* Clock, medians, the peer process and the JSON lines of all benchmarks. */
#include "bench/timing.h"

#include "base/memory.h"
#include "num/gemm.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct timing_peer {
  FILE *requests, *answers;
  pid_t process;
};

double timing_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int compare_doubles(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

double timing_median(double *values, size_t count) {
  qsort(values, count, sizeof *values, compare_doubles);
  return 0.5 * (values[(count - 1) / 2] + values[count / 2]);
}

double timing_sgemm_gflops(void) {
  enum { N = 512, RUNS = 5 };
  float *A = burl_alloc_zero(3 * N * N, sizeof *A), *B = A + N * N, *C = B + N * N;
  if (!A) return (double)NAN;
  for (size_t i = 0; i < N * N; i++) {
    A[i] = (float)(i % 97) / 97.0f;
    B[i] = (float)(i % 89) / 89.0f;
  }
  double seconds[RUNS];
  for (int run = -1; run < RUNS; run++) {
    double start = timing_now();
    if (burl_num_sgemm(C, N, A, N, BURL_NUM_PLAIN, B, N, BURL_NUM_PLAIN, N, N, N, 1.0f, 0.0f))
      start = (double)NAN;
    if (run >= 0) seconds[run] = timing_now() - start;
  }
  free(A);
  return 2e-9 * N * N * N / timing_median(seconds, RUNS);
}

/* Milliseconds of one call, averaged over `repeats`. */
static double sample(void (*work)(void *context), void *context, size_t repeats) {
  double start = timing_now();
  for (size_t i = 0; i < repeats; i++)
    work(context);
  return 1e3 * (timing_now() - start) / (double)repeats;
}

/* How often work must run to fill a sample; also warms caches up. */
static size_t count_repeats(void (*work)(void *context), void *context) {
  double milliseconds = sample(work, context, 1);
  milliseconds = fmax(1e-6, fmin(milliseconds, sample(work, context, 1)));
  return milliseconds > 2.0 ? 1 : (size_t)(2.0 / milliseconds) + 1;
}

double timing_measure(void (*work)(void *context), void *context) {
  timing_figure figure = {0};
  timing_compare(&figure, work, context, NULL, NULL);
  return figure.ours_ms;
}

/* In the child: becomes the peer, or ends. */
static void run_peer(const char *command, int input, int output) {
  if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0) _exit(127);
  execl("/bin/sh", "sh", "-c", command, (char *)NULL);
  _exit(127);
}

timing_peer *timing_peer_open(void) {
  const char *command = getenv("BURL_BENCH_PEER");
  int to[2], from[2];
  if (!command || !*command || pipe(to)) return NULL;
  if (pipe(from)) {
    close(to[0]);
    close(to[1]);
    return NULL;
  }
  signal(SIGPIPE, SIG_IGN); /* a peer that ends early must not end us */
  fflush(NULL);
  pid_t process = fork();
  if (process == 0) {
    close(to[1]);
    close(from[0]);
    run_peer(command, to[0], from[1]);
  }
  close(to[0]);
  close(from[1]);
  timing_peer *peer = process > 0 ? malloc(sizeof *peer) : NULL;
  if (peer) *peer = (timing_peer){fdopen(to[1], "w"), fdopen(from[0], "r"), process};
  if (peer && peer->requests && peer->answers) return peer;
  fprintf(stderr, "timing: cannot start the peer \"%s\"\n", command);
  exit(1);
}

void timing_peer_close(timing_peer *peer) {
  if (!peer) return;
  fclose(peer->requests);
  fclose(peer->answers);
  waitpid(peer->process, NULL, 0);
  free(peer);
}

double timing_peer_ask(timing_peer *peer, const char *request, double *value) {
  char line[256];
  double milliseconds, answer = (double)NAN;
  if (fprintf(peer->requests, "%s\n", request) < 0 || fflush(peer->requests) ||
      !fgets(line, sizeof line, peer->answers) ||
      sscanf(line, "%lf %lf", &milliseconds, &answer) < 1) {
    fprintf(stderr, "timing: the peer failed at \"%s\"\n", request);
    return (double)NAN;
  }
  if (value) *value = answer;
  return milliseconds;
}

void timing_compare(timing_figure *figure, void (*work)(void *context), void *context,
                    timing_peer *peer, const char *request) {
  double ours[TIMING_ROUNDS], theirs[TIMING_ROUNDS];
  figure->peer_ms = figure->peer_value = (double)NAN;
  size_t repeats = count_repeats(work, context);
  size_t asked = figure->peer_rounds > 0 ? (size_t)figure->peer_rounds : TIMING_ROUNDS;
  asked = asked < TIMING_ROUNDS ? asked : TIMING_ROUNDS;
  if (peer && figure->peer_rounds == 0 && isnan(timing_peer_ask(peer, request, NULL))) peer = NULL;
  for (size_t round = 0; round < TIMING_ROUNDS; round++) {
    ours[round] = sample(work, context, repeats);
    if (!peer || round >= asked) continue;
    theirs[round] = timing_peer_ask(peer, request, &figure->peer_value);
    if (isnan(theirs[round])) peer = NULL;
  }
  figure->ours_ms = timing_median(ours, TIMING_ROUNDS);
  if (peer) figure->peer_ms = timing_median(theirs, asked);
  figure->sgemm_gflops = timing_sgemm_gflops();
}

/* A member; null for what is not finite. */
static void print_number(const char *key, double value) {
  if (isfinite(value))
    printf(", \"%s\": %.4g", key, value);
  else
    printf(", \"%s\": null", key);
}

static void print_text(const char *key, const char *text) {
  printf("\"%s\": ", key);
  if (!text) {
    printf("null");
    return;
  }
  putchar('"');
  for (const char *c = text; *c; c++) {
    if (*c == '"' || *c == '\\') putchar('\\');
    putchar((unsigned char)*c < 0x20 ? ' ' : *c);
  }
  putchar('"');
}

void timing_print(const timing_figure *figure) {
  putchar('{');
  print_text("name", figure->name);
  print_number("ours_ms", figure->ours_ms);
  printf(", ");
  print_text("peer", figure->peer);
  print_number("peer_ms", figure->peer_ms);
  print_number("ratio", figure->peer_ms / figure->ours_ms);
  printf(", \"threads\": %d", figure->threads);
  print_number("sgemm_gflops", figure->sgemm_gflops);
  puts("}");
  fflush(stdout);
}
