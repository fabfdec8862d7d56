/* Fitting and scoring with the texture encoder, from pixels in memory to heat maps, on cloth drawn
 * for the purpose. There is no peer: the figures stand beside the machine's own matrix product. The
 * names carry the number of pixels, so that Mpixel/s = pixels / ours_ms / 1000. */
#include "base/memory.h"
#include "bench/timing.h"

#include <burl/burl.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { IMAGES = 40, SIDE = 256 };

typedef struct bench {
  char folder[64];
  burl_dataset *dataset;
  burl_model *model;
  burl_scorer *scorer;
  burl_image image;
  float *heat;
  int threads;
} bench;

static void require(burl_status status, const char *what) {
  if (status == BURL_OK) return;
  fprintf(stderr, "bench model: %s: %s\n", what, burl_status_get_text(status));
  exit(1);
}

static void draw(burl_image *image, size_t height, size_t width, uint64_t index) {
  burl_synth_options options = burl_synth_default_options();
  burl_image mask;
  options.height = height;
  options.width = width;
  options.index = index;
  require(burl_synth_draw(image, &mask, &options), "cannot draw");
  burl_image_free(&mask);
}

static void path_of(char path[96], const bench *b, size_t i) {
  snprintf(path, 96, "%s/%03zu.png", b->folder, i);
}

static void open_cloth(bench *b) {
  snprintf(b->folder, sizeof b->folder, "/tmp/burl-bench-XXXXXX");
  if (!mkdtemp(b->folder)) require(BURL_ERR_IO, "no temporary folder");
  for (size_t i = 0; i < IMAGES; i++) {
    char path[96];
    burl_image image;
    draw(&image, SIDE, SIDE, i);
    path_of(path, b, i);
    require(burl_image_save_png(&image, path, NULL), path);
    burl_image_free(&image);
  }
  require(burl_dataset_load(&b->dataset, b->folder, NULL, NULL), b->folder);
}

static void close_cloth(bench *b) {
  for (size_t i = 0; i < IMAGES; i++) {
    char path[96];
    path_of(path, b, i);
    unlink(path);
  }
  rmdir(b->folder);
  burl_dataset_free(b->dataset);
  burl_model_free(b->model);
}

static void fit(void *context) {
  bench *b = context;
  burl_fit_options options = burl_fit_default_options();
  options.threads = b->threads;
  burl_model_free(b->model);
  b->model = NULL;
  require(burl_model_fit(&b->model, NULL, b->dataset, &options, NULL, NULL), "fit");
}

static void score(void *context) {
  bench *b = context;
  double value;
  require(burl_scorer_score(b->scorer, b->heat, &value, &b->image, NULL), "score");
}

static void bench_fit(bench *b, int threads) {
  char name[96];
  snprintf(name, sizeof name, "fit %d images %dx%d", IMAGES, SIDE, SIDE);
  timing_figure figure = {.name = name, .threads = threads};
  b->threads = threads;
  timing_compare(&figure, fit, b, NULL, NULL);
  timing_print(&figure);
}

static void bench_score(bench *b, size_t height, size_t width, int threads) {
  char name[96];
  snprintf(name, sizeof name, "score %zux%zu", height, width);
  timing_figure figure = {.name = name, .threads = threads};
  draw(&b->image, height, width, 1000);
  b->heat = burl_alloc(height * width, sizeof *b->heat);
  if (!b->heat) require(BURL_ERR_MEMORY, name);
  require(burl_scorer_new(&b->scorer, b->model, threads), name);
  timing_compare(&figure, score, b, NULL, NULL);
  timing_print(&figure);
  burl_scorer_free(b->scorer);
  burl_image_free(&b->image);
  free(b->heat);
}

int main(void) {
  bench b = {.threads = 1};
  burl_blas_set_threads(1);
  open_cloth(&b);
  bench_fit(&b, 1);
  bench_fit(&b, 2);
  bench_score(&b, 256, 256, 1);
  bench_score(&b, 1024, 1024, 1);
  bench_score(&b, 4096, 4096, 1);
  bench_score(&b, 4096, 4096, 2);
  close_cloth(&b);
  return 0;
}
