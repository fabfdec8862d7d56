/* Local and global prototypes on the two layers of a ResNet-50 that the published method uses, 16
 * prototypes a cell, batches of 64, two threads: the time of a batch from the published start,
 * where all entries of the plan matter, and from features, where few do, as they come to in the
 * course of a fit; what 50 epochs of 4 batches and one of held-out images come to if all were like
 * these (they are not run to the end); and peak memory.
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
#define MEASURED 2 /* epochs */
#define NOISE 1048576

typedef struct clock_log {
  double at[MEASURED * BATCHES];
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
  if (times->count < MEASURED * BATCHES) times->at[times->count++] = timing_now();
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

static int bench_fit(const char *what, size_t side, size_t d, const burl_pradot_options *options,
                     const float *features) {
  char name[96];
  clock_log times = {0};
  burl_observer observer = {.context = &times, .progress = note_time};
  burl_pradot *pradot = NULL;
  burl_diag diag;
  if (burl_pradot_fit(&pradot, features, IMAGES, side, side, d, options, &observer, &diag)) {
    fprintf(stderr, "bench_pradot: %s\n", diag.reason);
    return 0;
  }
  burl_pradot_free(pradot);
  double sgemm = timing_sgemm_gflops(), gaps[MEASURED * BATCHES];
  size_t count = 0;
  for (size_t i = 1; i < times.count; i++)
    if (i % BATCHES) gaps[count++] = times.at[i] - times.at[i - 1];
  double batch = timing_median(gaps, count);
  double held = times.at[BATCHES] - times.at[BATCHES - 1] - batch;
  snprintf(name, sizeof name, "%s, a batch of 64", what);
  print_figure(name, side, d, options->alpha, 1e3 * batch, sgemm);
  snprintf(name, sizeof name, "%s, 50 epochs, extrapolated", what);
  print_figure(name, side, d, options->alpha, 1e3 * EPOCHS * (BATCHES * batch + held), sgemm);
  return 1;
}

static int bench_layer(size_t side, size_t d, const float *features) {
  int good = 1;
  burl_pradot_options options = burl_pradot_default_options();
  options.epochs = MEASURED;
  options.threads = 2;
  for (int local = 0; good && local < 2; local++) {
    options.alpha = local ? 0.3 : 0.0;
    options.start = BURL_PRADOT_UNIFORM;
    options.store = BURL_PRADOT_STORE_AUTO;
    if (d == 1024) good &= bench_fit("in float", side, d, &options, features);
    options.store = BURL_PRADOT_STORE_HALF;
    good &= bench_fit("in 16 bits", side, d, &options, features);
    options.start = BURL_PRADOT_FEATURES;
    good &= bench_fit("in 16 bits from features", side, d, &options, features);
  }
  return good;
}

int main(void) {
  burl_blas_set_threads(1);
  const char *layer = getenv("BURL_BENCH_LAYER");
  int large = layer && strcmp(layer, "large") == 0;
  size_t side = large ? 28 : 14, d = large ? 512 : 1024;
  float *features = make_features(side, d);
  int good = bench_layer(side, d, features);
  printf(
      "{\"name\": \"pradot %zux%zux%zu, peak memory with the features of %d images\", "
      "\"ours_ms\": null, \"peer\": null, \"peer_ms\": null, \"ratio\": null, \"threads\": 2, "
      "\"sgemm_gflops\": null, \"ours_mib\": %.4g}\n",
      side, side, d, IMAGES, peak_mib());
  free(features);
  return !good;
}
