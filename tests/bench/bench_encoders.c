/* Pretrained networks against torch: milliseconds an image, random weights of the real shapes. Two
 * threads are two images side by side here, and two threads for one image there; both are told by
 * the image. */
#include "bench/timing.h"

#include "base/memory.h"
#include "base/parallel.h"
#include "base/random.h"
#include "encode/resnet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_THREADS = 2, MOST_BLOCKS = 6, STAGES = 3 };

typedef struct shape {
  const char *name;
  size_t convs, blocks[STAGES], width; /* width of the first stage's inner convolutions */
} shape;

typedef struct bench {
  burl_network *network;
  burl_network_workspace *workspace[MOST_THREADS];
  size_t side;
  int threads;
} bench;

static void *need(void *pointer) {
  if (pointer) return pointer;
  fprintf(stderr, "bench_encoders: not enough memory\n");
  exit(1);
}

/* Adds a convolution and its bias; the values are kept until the end of the program. */
static double add_conv(burl_safetensors_writer *writer, const char *conv, size_t out, size_t in,
                       size_t side, size_t cells) {
  size_t n = out * in * side * side;
  float *values = need(burl_alloc(n + out, sizeof *values));
  burl_random random = burl_random_start(1, n);
  char name[96];
  for (size_t i = 0; i < n + out; i++)
    values[i] = (float)burl_random_normal(&random) * 0.03f;
  snprintf(name, sizeof name, "%s.weight", conv);
  burl_safetensors_writer_add_tensor(writer, name, BURL_DTYPE_F32, (size_t[]){out, in, side, side},
                                     4, values);
  snprintf(name, sizeof name, "%s.bias", conv);
  burl_safetensors_writer_add_tensor(writer, name, BURL_DTYPE_F32, &out, 1, values + n);
  return 2.0 * (double)n * (double)(cells * cells);
}

/* All weights to the third stage; floating-point operations of an image of side x side. */
static double add_network(burl_safetensors_writer *writer, const shape *s, size_t side) {
  size_t channels = 64, cells = side / 4;
  double work = add_conv(writer, "conv1", 64, 3, 7, side / 2);
  char name[96];
  for (size_t stage = 0; stage < STAGES; stage++) {
    size_t inner = s->width << stage, out = s->convs == 3 ? (size_t)256 << stage : inner;
    for (size_t b = 0; b < s->blocks[stage]; b++) {
      size_t in = channels, before = cells;
      if (stage > 0 && b == 0) cells /= 2;
      for (size_t c = 0; c < s->convs; c++) {
        size_t k = s->convs == 3 && c != 1 ? 1 : 3, to = c + 1 < s->convs ? inner : out;
        snprintf(name, sizeof name, "layer%zu.%zu.conv%zu", stage + 1, b, c + 1);
        work += add_conv(writer, name, to, in, k, s->convs == 3 && c == 0 ? before : cells);
        in = to;
      }
      snprintf(name, sizeof name, "layer%zu.%zu.downsample.0", stage + 1, b);
      if (b == 0 && channels != out) work += add_conv(writer, name, out, channels, 1, cells);
      channels = out;
    }
  }
  return work;
}

static burl_status run_one(void *context, size_t index, int worker) {
  bench *t = context;
  burl_network_map maps[2];
  (void)worker;
  t->network->ops->forward(t->network, t->workspace[index], t->side, t->side, maps);
  return BURL_OK;
}

static void run(void *context) {
  bench *t = context;
  if (burl_parallel((size_t)t->threads, t->threads, run_one, t)) need(NULL);
}

static void compare(bench *t, const shape *s, double work, timing_peer *peer) {
  char name[96], request[96];
  for (t->threads = 1; t->threads <= MOST_THREADS; t->threads++) {
    snprintf(name, sizeof name, "%s to layer 3, %zux%zu, %.2f GFLOP, %d image%s", s->name, t->side,
             t->side, work * 1e-9, t->threads, t->threads > 1 ? "s" : "");
    snprintf(request, sizeof request, "%s %zu %d", s->name, t->side, t->threads);
    timing_figure figure = {.name = name, .peer = "torch", .threads = t->threads};
    timing_compare(&figure, run, t, peer, request);
    timing_print(&figure);
  }
}

static int bench_resnet(const shape *s, size_t side, timing_peer *peer) {
  static const int layers[] = {2, 3};
  char path[] = "/tmp/burl-bench-XXXXXX";
  burl_safetensors_writer *writer;
  burl_weights *weights = NULL;
  burl_diag diag = {0};
  bench t = {.side = side};
  int file = mkstemp(path);
  if (file < 0 || burl_safetensors_writer_new(&writer)) return 0;
  close(file);
  double work = add_network(writer, s, side);
  burl_status status = burl_safetensors_writer_save(writer, path, &diag);
  burl_safetensors_writer_free(writer);
  if (status == BURL_OK) status = burl_weights_load(&weights, path, &diag);
  unlink(path);
  if (status == BURL_OK)
    status = burl_resnet_new(&t.network, s->name, weights, layers, 2, 0, &diag);
  burl_weights_free(weights);
  if (status != BURL_OK) {
    fprintf(stderr, "bench_encoders: %s\n", diag.reason);
    return 0;
  }
  for (size_t i = 0; i < MOST_THREADS; i++) {
    t.workspace[i] = need(t.network->ops->workspace_new(t.network, side, side));
    float *input = t.network->ops->get_input(t.workspace[i], side, side);
    for (size_t k = 0; k < 3 * side * side; k++)
      input[k] = (float)(k % 251) / 125.0f - 1.0f;
  }
  compare(&t, s, work, peer);
  for (size_t i = 0; i < MOST_THREADS; i++)
    t.network->ops->workspace_free(t.workspace[i]);
  t.network->ops->free(t.network);
  return 1;
}

int main(void) {
  static const shape shapes[] = {{"resnet18", 2, {2, 2, 2}, 64},
                                 {"wide_resnet50_2", 3, {3, 4, 6}, 128}};
  timing_peer *peer = timing_peer_open();
  int good = 1;
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
    good &= bench_resnet(&shapes[i], 256, peer);
  timing_peer_close(peer);
  return good ? 0 : 1;
}
