/* ViT-S/14 on images of 392 x 392 pixels, 785 tokens, with random weights: one image on one thread,
 * and two side by side on two, against the same transformer in torch. */
#include "bench/timing.h"

#include "base/memory.h"
#include "base/parallel.h"
#include "base/random.h"
#include "encode/vit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WIDTH = 384, DEPTH = 12, PATCH = 14, SIDE = 37, PIXELS = 392, MOST_THREADS = 2 };

typedef struct bench {
  burl_network *network;
  burl_network_workspace *workspace[MOST_THREADS];
  burl_network_map map[MOST_THREADS];
  int threads;
} bench;

static void *need(void *pointer) {
  if (pointer) return pointer;
  fprintf(stderr, "bench_vit: not enough memory\n");
  exit(1);
}

static float *draw(size_t count, double about, double spread) {
  static uint64_t stream;
  burl_random random = burl_random_start(1, stream++);
  float *values = need(burl_alloc(count, sizeof *values));
  for (size_t i = 0; i < count; i++)
    values[i] = (float)(about + spread * burl_random_normal(&random));
  return values;
}

/* Everything that was drawn is kept until the file is written. */
typedef struct drawing {
  burl_safetensors_writer *writer;
  float *kept[16 * DEPTH];
  size_t count;
} drawing;

static void add(drawing *d, const char *name, size_t rank, const size_t *shape, double about,
                double spread) {
  size_t count = 1;
  for (size_t i = 0; i < rank; i++)
    count *= shape[i];
  float *values = d->kept[d->count++] = draw(count, about, spread);
  burl_safetensors_writer_add_tensor(d->writer, name, BURL_DTYPE_F32, shape, rank, values);
}

static void add_linear(drawing *d, const char *start, const char *name, size_t out, size_t in) {
  char text[96];
  snprintf(text, sizeof text, "%s%s.weight", start, name);
  add(d, text, 2, (size_t[]){out, in}, 0.0, 1.0 / sqrt((double)in));
  snprintf(text, sizeof text, "%s%s.bias", start, name);
  add(d, text, 1, &out, 0.0, 0.1);
}

static void add_vector(drawing *d, const char *start, const char *name, double about) {
  char text[96];
  snprintf(text, sizeof text, "%s%s", start, name);
  add(d, text, 1, (size_t[]){WIDTH}, about, 0.1);
}

static burl_status write_weights(const char *path) {
  drawing d = {0};
  if (burl_safetensors_writer_new(&d.writer)) need(NULL);
  add(&d, "patch_embed.proj.weight", 4, (size_t[]){WIDTH, 3, PATCH, PATCH}, 0.0, 0.04);
  add_vector(&d, "patch_embed.proj.bias", "", 0.0);
  add(&d, "cls_token", 3, (size_t[]){1, 1, WIDTH}, 0.0, 1.0);
  add(&d, "pos_embed", 3, (size_t[]){1, SIDE * SIDE + 1, WIDTH}, 0.0, 1.0);
  add(&d, "image", 3, (size_t[]){3, PIXELS, PIXELS}, 0.0, 1.0);
  add_vector(&d, "norm.weight", "", 1.0);
  add_vector(&d, "norm.bias", "", 0.0);
  for (int b = 0; b < DEPTH; b++) {
    char start[32];
    snprintf(start, sizeof start, "blocks.%d.", b);
    add_vector(&d, start, "norm1.weight", 1.0);
    add_vector(&d, start, "norm1.bias", 0.0);
    add_vector(&d, start, "norm2.weight", 1.0);
    add_vector(&d, start, "norm2.bias", 0.0);
    add_vector(&d, start, "ls1.gamma", 0.3);
    add_vector(&d, start, "ls2.gamma", 0.3);
    add_linear(&d, start, "attn.qkv", 3 * WIDTH, WIDTH);
    add_linear(&d, start, "attn.proj", WIDTH, WIDTH);
    add_linear(&d, start, "mlp.fc1", 4 * WIDTH, WIDTH);
    add_linear(&d, start, "mlp.fc2", WIDTH, 4 * WIDTH);
  }
  burl_status status = burl_safetensors_writer_save(d.writer, path, NULL);
  burl_safetensors_writer_free(d.writer);
  for (size_t i = 0; i < d.count; i++)
    free(d.kept[i]);
  return status;
}

static int open_bench(bench *t, const char *path) {
  static const int last[] = {DEPTH};
  burl_weights *weights;
  burl_diag diag = {0};
  if (write_weights(path)) return 0;
  if (burl_weights_load(&weights, path, &diag) ||
      burl_vit_new(&t->network, "vit_small", weights, last, 1, 0, &diag)) {
    fprintf(stderr, "bench_vit: %s\n", diag.reason);
    return 0;
  }
  float *image = need(burl_alloc((size_t)3 * PIXELS * PIXELS, sizeof *image));
  const size_t shape[] = {3, PIXELS, PIXELS};
  int good = burl_weights_get(weights, image, "image", shape, 3, &diag) == BURL_OK;
  for (int i = 0; i < MOST_THREADS; i++) {
    t->workspace[i] = need(t->network->ops->workspace_new(t->network, PIXELS, PIXELS));
    memcpy(t->network->ops->get_input(t->workspace[i], PIXELS, PIXELS), image,
           (size_t)3 * PIXELS * PIXELS * sizeof *image);
  }
  free(image);
  burl_weights_free(weights);
  return good;
}

static burl_status run_one(void *context, size_t index, int worker) {
  bench *t = context;
  (void)worker;
  t->network->ops->forward(t->network, t->workspace[index], PIXELS, PIXELS, &t->map[index]);
  return BURL_OK;
}

static void run(void *context) {
  bench *t = context;
  if (burl_parallel((size_t)t->threads, t->threads, run_one, t)) t->map[0].rows = 0;
}

/* The mean magnitude of what came out, which the peer tells too. */
static double magnitude(const burl_network_map *map) {
  size_t count = map->rows * map->cols * map->dim;
  double sum = 0.0;
  for (size_t i = 0; i < count; i++)
    sum += fabs((double)map->data[i]);
  return sum / (double)count;
}

/* Billions of operations of an image: products with weights, and attention. */
static double operations(void) {
  double n = PIXELS / PATCH * (PIXELS / PATCH) + 1.0, d = WIDTH;
  return 2e-9 * (DEPTH * (12.0 * n * d * d + 2.0 * n * n * d) + n * d * 3 * PATCH * PATCH);
}

int main(void) {
  const char *folder = getenv("TMPDIR");
  char path[256], request[300], name[96];
  snprintf(path, sizeof path, "%s/burl_bench_XXXXXX", folder && *folder ? folder : "/tmp");
  int file = mkstemp(path);
  if (file < 0) return 1;
  close(file);
  bench t = {0};
  burl_blas_set_threads(1);
  int good = open_bench(&t, path);
  timing_peer *peer = timing_peer_open();
  for (t.threads = 1; good && t.threads <= MOST_THREADS; t.threads++) {
    snprintf(name, sizeof name, "ViT-S/14 %dx%d, %d at once", PIXELS, PIXELS, t.threads);
    snprintf(request, sizeof request, "%s %d", path, t.threads);
    timing_figure figure = {.name = name, .peer = "torch", .threads = t.threads};
    timing_compare(&figure, run, &t, peer, request);
    timing_print(&figure);
    fprintf(stderr, "%s: %.1f GFLOP/s a thread, magnitude %.7f, the peer's %.7f\n", name,
            1e3 * operations() / figure.ours_ms, magnitude(&t.map[0]), figure.peer_value);
  }
  timing_peer_close(peer);
  for (int i = 0; i < MOST_THREADS; i++)
    if (t.workspace[i]) t.network->ops->workspace_free(t.workspace[i]);
  if (t.network) t.network->ops->free(t.network);
  unlink(path);
  return !good;
}
