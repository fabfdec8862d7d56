/* tests/bench/timing.h: what all benchmarks share.
 *
 * A benchmark is a program that measures pieces of work, beside a peer where there is one, and
 * prints one JSON object a line for scripts/bench.sh to collect:
 *
 *   timing_peer *peer = timing_peer_open();        // NULL: none named or it does not answer
 *   timing_figure figure = {.name = "thing 784x64", .peer = "scipy thing", .threads = 1};
 *   timing_compare(&figure, work, &context, peer, "thing 784 64");
 *   timing_print(&figure);
 *   timing_peer_close(peer);
 *
 * The peer is a program that scripts/bench.sh names in BURL_BENCH_PEER when
 * tests/bench/peer_NAME.py is there and its modules are installed. It stays open for the whole run,
 * reads one request a line and answers each with one line "MILLISECONDS VALUE", having timed the
 * work alone (not reading its input) once; VALUE is any number by which the two can be checked to
 * have computed the same thing. Samples of ours and the peer's alternate, so that a slow minute of
 * the machine hits both.
 */
#ifndef BURL_TESTS_TIMING_H
#define BURL_TESTS_TIMING_H

#include <stddef.h>

#define TIMING_ROUNDS 7 /* samples of each side, of which the median counts */

typedef struct timing_peer timing_peer;

typedef struct timing_figure {
  const char *name; /* what was measured, with its sizes */
  const char *peer; /* what it is compared with, NULL if nothing */
  int threads;      /* of both sides */
  int peer_rounds;  /* times the peer is asked, 0: once to warm up and TIMING_ROUNDS times */
  /* filled by timing_compare */
  double ours_ms;
  double peer_ms;      /* NaN: no peer, printed as null */
  double peer_value;   /* VALUE of the peer's last answer, NaN: none */
  double sgemm_gflops; /* of one-threaded float matrix products, measured beside the figure */
} timing_figure;

/* Seconds of a clock that never goes back. */
double timing_now(void);

/* The median; sorts values. count >= 1. */
double timing_median(double *values, size_t count);

/* Billions of floating-point operations a second of a 512^3 float matrix product, median of 5. */
double timing_sgemm_gflops(void);

/* Median milliseconds of one call of work(context). Samples repeat short work up to 2 ms. */
double timing_measure(void (*work)(void *context), void *context);

/* Starts the peer, NULL without one. Close also takes NULL. */
timing_peer *timing_peer_open(void);
void timing_peer_close(timing_peer *peer);
/* Sends a request line, gives milliseconds, or NaN where the peer failed, and its value (may be
 * NULL). */
double timing_peer_ask(timing_peer *peer, const char *request, double *value);

/* Measures work(context) and the peer's answers to `request` in turn. Where peer is NULL, ours
 * alone. */
void timing_compare(timing_figure *figure, void (*work)(void *context), void *context,
                    timing_peer *peer, const char *request);

/* One line of JSON: name, ours_ms, peer, peer_ms, ratio (peer_ms / ours_ms), threads, sgemm_gflops.
 */
void timing_print(const timing_figure *figure);

#endif
