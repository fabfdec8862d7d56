/* Detection: greedy suppression beside torchvision's, which must keep the same boxes; proposals and
 * suppression of heat maps beside the scoring that made them; and of large maps alone. */
#include "base/memory.h"
#include "base/random.h"
#include "bench/timing.h"

#include <burl/burl.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { IMAGES = 24, SIDE = 256 };

static void require(int good, const char *what) {
  if (good) return;
  fprintf(stderr, "bench detect: %s\n", what);
  exit(1);
}

typedef struct crowd {
  size_t n, count;
  burl_box *boxes;
  float *scores;
  burl_kept_box *kept;
} crowd;

static float draw(burl_random *random, double from, double to) {
  return (float)(from + (to - from) * burl_random_uniform(random));
}

/* Corners anywhere in a square, sides of 10 to 100. */
static void fill(crowd *c, double side) {
  burl_random random = burl_random_start(5, (uint64_t)side);
  for (size_t i = 0; i < c->n; i++) {
    float x = draw(&random, 0, side), y = draw(&random, 0, side);
    c->boxes[i] = (burl_box){x, y, x + draw(&random, 10, 100), y + draw(&random, 10, 100)};
    c->scores[i] = draw(&random, 0, 1);
  }
}

static int write_crowd(const crowd *c, const char *path) {
  FILE *file = fopen(path, "wb");
  int good = file != NULL;
  for (size_t i = 0; good && i < c->n; i++)
    good = fwrite(&c->boxes[i], sizeof *c->boxes, 1, file) == 1 &&
           fwrite(&c->scores[i], sizeof *c->scores, 1, file) == 1;
  return file && fclose(file) == 0 && good;
}

static void suppress(void *context) {
  crowd *c = context;
  burl_suppress_options options = burl_suppress_default_options();
  options.most = c->n;
  require(burl_suppress(c->kept, &c->count, c->boxes, c->scores, c->n, &options) == BURL_OK,
          "suppression failed");
}

static double checksum(const crowd *c) {
  uLong sum = crc32(0, NULL, 0);
  for (size_t i = 0; i < c->count; i++) {
    unsigned char bytes[8];
    for (int b = 0; b < 8; b++)
      bytes[b] = (unsigned char)(c->kept[i].index >> 8 * b);
    sum = crc32(sum, bytes, 8);
  }
  return (double)sum;
}

static int bench_greedy(size_t n, double side, const char *path, timing_peer *peer) {
  crowd c = {.n = n,
             .boxes = burl_alloc(n, sizeof *c.boxes),
             .scores = burl_alloc(n, sizeof *c.scores),
             .kept = burl_alloc(n, sizeof *c.kept)};
  char name[96], request[300];
  require(c.boxes && c.scores && c.kept, "not enough memory");
  fill(&c, side);
  require(write_crowd(&c, path), "the boxes cannot be written");
  snprintf(name, sizeof name, "greedy NMS %zu boxes in %.0fx%.0f", n, side, side);
  snprintf(request, sizeof request, "%s 0.5", path);
  timing_figure figure = {.name = name, .peer = "torchvision nms", .threads = 1};
  timing_compare(&figure, suppress, &c, peer, request);
  timing_print(&figure);
  int same = !peer || figure.peer_value == checksum(&c);
  if (!same) fprintf(stderr, "bench detect: %s: the peer kept other boxes\n", name);
  free(c.boxes);
  free(c.scores);
  free(c.kept);
  return same;
}

typedef struct bench {
  burl_model *model;
  burl_scorer *scorer;
  burl_image images[IMAGES];
  float *heat[IMAGES];
  size_t height, width;
} bench;

static void draw_image(burl_image *image, size_t height, size_t width, size_t index, int faulty) {
  burl_synth_options options = burl_synth_default_options();
  burl_image mask;
  options.height = height;
  options.width = width;
  options.index = index;
  int kind = (int)(1 + index % 10);
  while (burl_defect_needs_print((burl_defect)kind))
    kind--;
  if (faulty) options.defect = (burl_defect)kind;
  require(burl_synth_draw(image, &mask, &options) == BURL_OK, "cannot draw");
  burl_image_free(&mask);
}

static void fit(bench *b) {
  char folder[64] = "/tmp/burl-bench-XXXXXX", path[96];
  burl_dataset *dataset = NULL;
  burl_fit_options options = burl_fit_default_options();
  require(mkdtemp(folder) != NULL, "no temporary folder");
  for (size_t i = 0; i < IMAGES; i++) {
    burl_image image;
    draw_image(&image, SIDE, SIDE, 100 + i, 0);
    snprintf(path, sizeof path, "%s/%03zu.png", folder, i);
    require(burl_image_save_png(&image, path, NULL) == BURL_OK, path);
    burl_image_free(&image);
  }
  require(burl_dataset_load(&dataset, folder, NULL, NULL) == BURL_OK, folder);
  require(burl_model_fit(&b->model, NULL, dataset, &options, NULL, NULL) == BURL_OK, "fit");
  require(burl_scorer_new(&b->scorer, b->model, 1) == BURL_OK, "scorer");
  burl_dataset_free(dataset);
  for (size_t i = 0; i < IMAGES; i++) {
    snprintf(path, sizeof path, "%s/%03zu.png", folder, i);
    unlink(path);
  }
  rmdir(folder);
}

static void score(void *context) {
  bench *b = context;
  for (size_t i = 0; i < IMAGES; i++) {
    double value;
    require(burl_scorer_score(b->scorer, b->heat[i], &value, &b->images[i], NULL) == BURL_OK,
            "score");
  }
}

/* As the tool does: proposals, then the best hundred that are not one. */
static void detect_one(const float *heat, size_t height, size_t width) {
  burl_proposals *found = NULL;
  burl_proposal_options options = burl_proposal_default_options();
  burl_suppress_options rule = burl_suppress_default_options();
  burl_box boxes[1000];
  float scores[1000];
  burl_kept_box kept[100];
  size_t count;
  require(burl_proposals_new(&found, heat, height, width, &options) == BURL_OK, "proposals");
  size_t n = burl_proposals_get_count(found);
  for (size_t i = 0; i < n; i++) {
    const burl_proposal *p = burl_proposals_get(found) + i;
    boxes[i] = p->box;
    scores[i] = (float)(p->score * p->quality);
  }
  require(burl_suppress(kept, &count, boxes, scores, n, &rule) == BURL_OK, "suppression");
  burl_proposals_free(found);
}

static void detect(void *context) {
  bench *b = context;
  for (size_t i = 0; i < IMAGES; i++)
    detect_one(b->heat[i], b->height, b->width);
}

static void bench_share(bench *b) {
  char name[96];
  b->height = b->width = SIDE;
  for (size_t i = 0; i < IMAGES; i++) {
    draw_image(&b->images[i], SIDE, SIDE, i, i % 2);
    b->heat[i] = burl_alloc((size_t)SIDE * SIDE, sizeof(float));
    require(b->heat[i] != NULL, "not enough memory");
  }
  snprintf(name, sizeof name, "scoring %d images %dx%d, half with defects", IMAGES, SIDE, SIDE);
  timing_figure scoring = {.name = name, .threads = 1};
  timing_compare(&scoring, score, b, NULL, NULL);
  timing_print(&scoring);
  snprintf(name, sizeof name, "detecting in their maps");
  timing_figure detecting = {.name = name, .threads = 1};
  timing_compare(&detecting, detect, b, NULL, NULL);
  timing_print(&detecting);
  for (size_t i = 0; i < IMAGES; i++) {
    burl_image_free(&b->images[i]);
    free(b->heat[i]);
  }
}

typedef struct large {
  float *heat;
  size_t height, width;
} large;

static void detect_large(void *context) {
  const large *l = context;
  detect_one(l->heat, l->height, l->width);
}

static void bench_map(large *l, const char *what) {
  char name[96];
  snprintf(name, sizeof name, "detecting in a map of %zux%zu, %s", l->height, l->width, what);
  timing_figure figure = {.name = name, .threads = 1};
  timing_compare(&figure, detect_large, l, NULL, NULL);
  timing_print(&figure);
}

/* A scan as large as they come: its own map, and noise that is at the threshold everywhere. */
static void bench_large(bench *b) {
  large l = {.height = 4096, .width = 4096};
  burl_image image;
  double value;
  l.heat = burl_alloc(l.height * l.width, sizeof *l.heat);
  require(l.heat != NULL, "not enough memory");
  draw_image(&image, l.height, l.width, 1, 1);
  require(burl_scorer_score(b->scorer, l.heat, &value, &image, NULL) == BURL_OK, "score");
  burl_image_free(&image);
  bench_map(&l, "of cloth with a defect");
  burl_random random = burl_random_start(9, 1);
  l.height = l.width = 1024;
  for (size_t i = 0; i < l.height * l.width; i++)
    l.heat[i] = draw(&random, 0.6, 3);
  bench_map(&l, "noise above the floor");
  free(l.heat);
}

int main(void) {
  char path[64] = "/tmp/burl-bench-XXXXXX";
  burl_blas_set_threads(1);
  int file = mkstemp(path), good = file >= 0;
  require(good, "no temporary file");
  close(file);
  timing_peer *peer = timing_peer_open();
  for (size_t n = 1000; n <= 10000; n *= 10) {
    good &= bench_greedy(n, 1000, path, peer);
    good &= bench_greedy(n, 300, path, peer);
  }
  timing_peer_close(peer);
  unlink(path);
  bench b = {0};
  fit(&b);
  bench_share(&b);
  bench_large(&b);
  burl_scorer_free(b.scorer);
  burl_model_free(b.model);
  return !good;
}
