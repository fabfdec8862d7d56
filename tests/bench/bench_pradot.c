/* Local and global prototypes on the two layers of a ResNet-50 that the published method uses, 16
 * prototypes a cell, batches of 64: time of a batch and of the held-out images, what a fit of 50
 * epochs of 4 batches comes to by that (not run to its end), and peak memory, in one epoch.
 *
 * Features are what is left above 0 of a pattern by cell, a pattern by image and noise. The small
 * layer by default; BURL_BENCH_LAYER=large is the other one, which takes minutes. */
#include "bench/timing.h"

#include "base/memory.h"
#include "base/random.h"
#include "prototype/pradot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define IMAGES 320 /* a fifth is held out: 4 batches and one */
#define EPOCHS 50
#define BATCHES 4
#define NOISE 1048576

typedef struct clock_log {
  double at[BATCHES];
  size_t count;
} clock_log;

static void *need(void *pointer) {
  if (pointer) return pointer;
  fprintf(stderr, "bench_pradot: not enough memory\n");
  exit(1);
}

static double peak_mib(void) {
  struct rusage usage;
  return getrusage(RUSAGE_SELF, &usage) ? (double)NAN : (double)usage.ru_maxrss / 1024;
}

static void note_time(void *context, const char *stage, size_t done, size_t total) {
  clock_log *times = context;
  (void)stage;
  (void)done;
  (void)total;
  if (times->count < BATCHES) times->at[times->count++] = timing_now();
}

static float *make_features(size_t side, size_t d) {
  size_t patches = side * side;
  float *noise = need(burl_alloc(NOISE, sizeof *noise));
  float *x = need(burl_alloc(IMAGES * patches * d, sizeof *x));
  burl_random random = burl_random_start(1, d);
  for (size_t i = 0; i < NOISE; i++)
    noise[i] = (float)burl_random_normal(&random);
  for (size_t image = 0; image < IMAGES; image++)
    for (size_t cell = 0; cell < patches; cell++) {
      const float *of_cell = noise + cell % 97 * d, *of_image = noise + (100 + image % 13) * d;
      const float *own = noise + burl_random_below(&random, NOISE - d);
      float *to = x + (image * patches + cell) * d;
      for (size_t t = 0; t < d; t++) {
        float value = of_cell[t] + 0.4f * of_image[t] + 0.7f * own[t] - 0.3f;
        to[t] = value > 0.0f ? value : 0.0f;
      }
    }
  free(noise);
  return x;
}

static void print_figure(const char *what, size_t side, size_t d, double alpha, double ms,
                         double sgemm) {
  char name[128];
  snprintf(name, sizeof name, "pradot %zux%zux%zu alpha=%g, %s", side, side, d, alpha, what);
  timing_figure figure = {.name = name, .ours_ms = ms, .peer_ms = (double)NAN, .threads = 2};
  figure.sgemm_gflops = sgemm;
  timing_print(&figure);
}

static int bench_layer(size_t side, size_t d, double alpha, const float *features) {
  burl_pradot_options options = burl_pradot_default_options();
  options.alpha = alpha;
  options.epochs = 1;
  options.threads = 2;
  options.warm_start = getenv("BURL_BENCH_WARM") != NULL;
  if (options.warm_start) options.sweeps = (size_t)atoi(getenv("BURL_BENCH_WARM"));
  clock_log times = {0};
  burl_observer observer = {.context = &times, .progress = note_time};
  burl_pradot *pradot = NULL;
  burl_diag diag;
  double start = timing_now();
  if (burl_pradot_fit(&pradot, features, IMAGES, side, side, d, &options, &observer, &diag)) {
    fprintf(stderr, "bench_pradot: %s\n", diag.reason);
    return 0;
  }
  double end = timing_now(), sgemm = timing_sgemm_gflops();
  double batch = (times.at[BATCHES - 1] - times.at[0]) / (BATCHES - 1);
  double whole = EPOCHS * (BATCHES * batch + end - times.at[BATCHES - 1]);
  print_figure("a batch of 64", side, d, alpha, 1e3 * batch, sgemm);
  print_figure("50 epochs of 4 batches and validation, extrapolated from one", side, d, alpha,
               1e3 * whole, sgemm);
  fprintf(stderr,
          "  first batch %.2f s, end %.2f s, loss %.4f, 50 epochs %.1f min, peak %.0f MiB\n",
          times.at[0] - start, end - times.at[BATCHES - 1],
          burl_pradot_get_parts(pradot)->losses[0], whole / 60, peak_mib());
  burl_pradot_free(pradot);
  return 1;
}

int main(void) {
  burl_blas_set_threads(1);
  const char *layer = getenv("BURL_BENCH_LAYER");
  int large = layer && strcmp(layer, "large") == 0;
  size_t side = large ? 28 : 14, d = large ? 512 : 1024;
  float *features = make_features(side, d);
  int good = bench_layer(side, d, 0.3, features);
  if (!large) good &= bench_layer(side, d, 0.0, features);
  printf(
      "{\"name\": \"pradot %zux%zux%zu, peak memory with the features of %d images\", "
      "\"ours_ms\": null, \"peer\": null, \"peer_ms\": null, \"ratio\": null, \"threads\": 2, "
      "\"sgemm_gflops\": null, \"ours_mib\": %.4g}\n",
      side, side, d, IMAGES, peak_mib());
  free(features);
  return !good;
}
