/* A pretrained network as an encoder: frozen, so it learns nothing; a region goes through it as it
 * is seen, in colour (a grey image three times), less the mean and over the deviation of the images
 * of ImageNet, by which such networks were trained.
 *
 * Joint: one group, the layers' channels one after the other (encode/network_pool.h). Otherwise a
 * group for each layer as it comes out, which is what the published local and global prototypes
 * look at.
 *
 * A cell stands for a part of the image of a stride a side, and lies in its middle. The centre of
 * what a convolution sees lies (stride - 1)/2 pixels nearer to the corner, at i * stride; but
 * networks that are trained on images and their mirror images alike learn to look around the middle
 * (docs/math/networks.md). A transformer's patch of 14 pixels covers 16 of the image, since all
 * grids have strides of whole fours: the region is sampled so, bilinearly. */
#include "encode/network_encoder.h"

#include "base/diag.h"
#include "base/memory.h"
#include "encode/network.h"
#include "encode/network_pool.h"
#include "encode/resnet.h"
#include "encode/vit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PLANES = 3, LEAST_ALIGNMENT = 16, MOST_FIELD = 64, BORDER = 32 };

static const float channel_mean[PLANES] = {0.485f, 0.456f, 0.406f};
static const float channel_deviation[PLANES] = {0.229f, 0.224f, 0.225f};

typedef struct network_encoder {
  burl_encoder base;
  burl_encoder_ops ops;
  burl_network *network;
  burl_network_choice choice;
  size_t patch; /* of a transformer, in its own pixels; 0 for convolutions */
  struct {
    char name[48];
    size_t stride, dim, field;
    int present;
  } group[BURL_NETWORK_LAYERS];
  size_t stride[BURL_NETWORK_LAYERS], dim[BURL_NETWORK_LAYERS]; /* of the layers, in the image */
} network_encoder;

struct burl_encoder_workspace {
  const network_encoder *encoder;
  burl_network_workspace *network;
  burl_arena arena;
  float *plane;        /* (height, width) of the region, for transformers */
  float *pooled, *row; /* (cells of a layer, d), (cells of its row, d) */
  float *map[BURL_NETWORK_LAYERS];
  size_t *at[2]; /* where input pixels are sampled, and how far on */
  float *part[2];
};

static void network_free(burl_encoder *encoder) {
  network_encoder *self = (network_encoder *)encoder;
  if (self->network) self->network->ops->free(self->network);
  free(self);
}

static burl_group get_group(const burl_encoder *encoder, size_t group) {
  const network_encoder *self = (const network_encoder *)encoder;
  return (burl_group){.name = self->group[group].name,
                      .stride = self->group[group].stride,
                      .dim = self->group[group].dim,
                      .half_offset = self->group[group].stride - 1,
                      .field = self->group[group].field,
                      .present = self->group[group].present};
}

static void leave_out(burl_encoder *encoder, size_t group) {
  ((network_encoder *)encoder)->group[group].present = 0;
}

static size_t cells(size_t pixels, size_t stride) {
  return (pixels + stride - 1) / stride;
}

/* Pixels that the network sees of a side of `pixels`. */
static size_t input_side(const network_encoder *self, size_t pixels) {
  return self->patch ? cells(pixels, self->stride[0]) * self->patch : pixels;
}

static void *request(burl_arena *arena, size_t count, size_t size) {
  if (arena->block) return burl_arena_take(arena, count, size);
  burl_arena_reserve(arena, count, size);
  return NULL;
}

static void lay_out(burl_encoder_workspace *w, size_t height, size_t width) {
  const network_encoder *self = w->encoder;
  size_t largest = 0, longest = 0;
  for (size_t l = 0; l < self->choice.count; l++) {
    size_t row = cells(width, self->stride[l]) * self->dim[l];
    size_t all = cells(height, self->stride[l]) * row;
    if (row > longest) longest = row;
    if (all > largest) largest = all;
  }
  for (size_t g = 0; g < self->ops.groups; g++) {
    size_t stride = self->group[g].stride;
    w->map[g] =
        request(&w->arena, cells(height, stride) * cells(width, stride) * self->group[g].dim,
                sizeof(float));
  }
  if (self->choice.joint) {
    w->pooled = request(&w->arena, largest, sizeof(float));
    w->row = request(&w->arena, longest, sizeof(float));
  }
  if (!self->patch) return;
  const size_t side[2] = {input_side(self, height), input_side(self, width)};
  w->plane = request(&w->arena, height * width, sizeof(float));
  for (int axis = 0; axis < 2; axis++) {
    w->at[axis] = request(&w->arena, side[axis], sizeof(size_t));
    w->part[axis] = request(&w->arena, side[axis], sizeof(float));
  }
}

static void workspace_free(burl_encoder_workspace *w) {
  if (!w) return;
  w->encoder->network->ops->workspace_free(w->network);
  burl_arena_close(&w->arena);
  free(w);
}

static burl_encoder_workspace *workspace_new(const burl_encoder *encoder, size_t height,
                                             size_t width) {
  const network_encoder *self = (const network_encoder *)encoder;
  burl_encoder_workspace *w = burl_alloc_zero(1, sizeof *w);
  if (!w) return NULL;
  w->encoder = self;
  w->network = self->network->ops->workspace_new(self->network, input_side(self, height),
                                                 input_side(self, width));
  lay_out(w, height, width);
  if (!w->network || !burl_arena_open(&w->arena)) {
    workspace_free(w);
    return NULL;
  }
  lay_out(w, height, width);
  return w;
}

/* It counts images, no more: a first pass says which of them can be used. */
static size_t count_statistics(const burl_encoder *encoder, size_t pass) {
  (void)encoder;
  (void)pass;
  return 1;
}

static void learn(const burl_encoder *encoder, burl_encoder_workspace *workspace, size_t pass,
                  const burl_lesson *lesson, double *statistics) {
  (void)encoder;
  (void)workspace;
  (void)pass;
  (void)lesson;
  statistics[0] += 1.0;
}

static burl_status learned(burl_encoder *encoder, size_t pass, const double *statistics) {
  (void)encoder;
  (void)pass;
  return statistics[0] > 0.0 ? BURL_OK : BURL_ERR_DATA;
}

/* Where the input's pixels lie in a region of `pixels`: input pixel a at (a + 1/2) stride/patch -
 * 1/2, clamped. */
static void locate(size_t *at, float *part, size_t count, size_t pixels, size_t patch,
                   size_t stride) {
  for (size_t a = 0; a < count; a++) {
    double x = ((double)a + 0.5) * (double)stride / (double)patch - 0.5;
    x = fmin(fmax(x, 0.0), (double)(pixels - 1));
    at[a] = (size_t)x;
    if (at[a] + 1 >= pixels) at[a] = pixels - 2;
    part[a] = (float)(x - (double)at[a]);
  }
}

static void sample(float *out, const burl_encoder_workspace *w, burl_rect region, size_t rows,
                   size_t cols) {
  for (size_t a = 0; a < rows; a++) {
    const float *above = w->plane + w->at[0][a] * region.width, *below = above + region.width;
    float v = w->part[0][a];
    for (size_t b = 0; b < cols; b++) {
      size_t x = w->at[1][b];
      float u = w->part[1][b];
      float top = above[x] + u * (above[x + 1] - above[x]);
      float bottom = below[x] + u * (below[x + 1] - below[x]);
      out[a * cols + b] = top + v * (bottom - top);
    }
  }
}

static void normalise(float *plane, size_t n, size_t channel) {
  const float mean = channel_mean[channel], scale = 1.0f / channel_deviation[channel];
  for (size_t i = 0; i < n; i++)
    plane[i] = (plane[i] - mean) * scale;
}

static void load_region(burl_encoder_workspace *w, const burl_image *image, burl_rect region,
                        size_t rows, size_t cols) {
  const network_encoder *self = w->encoder;
  float *input = self->network->ops->get_input(w->network, rows, cols);
  if (self->patch) {
    locate(w->at[0], w->part[0], rows, region.height, self->patch, self->stride[0]);
    locate(w->at[1], w->part[1], cols, region.width, self->patch, self->stride[0]);
  }
  for (size_t c = 0; c < PLANES; c++) {
    float *plane = input + c * rows * cols, *from = self->patch ? w->plane : plane;
    burl_image_get_channel(image, image->channels == PLANES ? c : 0, from, region.width, region.y,
                           region.x, region.height, region.width);
    if (self->patch) sample(plane, w, region, rows, cols);
    normalise(plane, rows * cols, c);
  }
}

/* The layers' embeddings joined on the grid of the finest. */
static void join(burl_encoder_workspace *w, const burl_network_map *layers) {
  const network_encoder *self = w->encoder;
  size_t first = 0;
  for (size_t l = 0; l < self->choice.count; l++) {
    const burl_network_map *map = &layers[l];
    burl_network_pool(w->pooled, w->row, map);
    burl_network_widen(w->map[0] + first, self->group[0].dim, layers[0].rows, layers[0].cols,
                       w->pooled, map->rows, map->cols, map->dim,
                       self->stride[l] / self->stride[0]);
    first += map->dim;
  }
}

static void encode(const burl_encoder *encoder, burl_encoder_workspace *w, const burl_view *view,
                   burl_rect region, burl_feature_map *maps) {
  const network_encoder *self = (const network_encoder *)encoder;
  burl_network_map layers[BURL_NETWORK_LAYERS];
  size_t rows = input_side(self, region.height), cols = input_side(self, region.width);
  load_region(w, view->image, region, rows, cols);
  self->network->ops->forward(self->network, w->network, rows, cols, layers);
  if (self->choice.joint) join(w, layers);
  for (size_t g = 0; g < self->ops.groups; g++) {
    size_t stride = self->group[g].stride;
    if (!self->choice.joint)
      memcpy(w->map[g], layers[g].data,
             layers[g].rows * layers[g].cols * layers[g].dim * sizeof(float));
    maps[g] = (burl_feature_map){.rows = self->group[g].present ? layers[g].rows : 0,
                                 .cols = layers[g].cols,
                                 .dim = self->group[g].dim,
                                 .stride = stride,
                                 .half_offset = stride - 1,
                                 .row = region.y / stride,
                                 .col = region.x / stride,
                                 .all_rows = cells(view->image->height, stride),
                                 .all_cols = cells(view->image->width, stride),
                                 .data = w->map[g]};
  }
}

static burl_status save(const burl_encoder *encoder, burl_safetensors_writer *writer) {
  const network_encoder *self = (const network_encoder *)encoder;
  return self->choice.embedded ? self->network->ops->save(self->network, writer, self->choice.name)
                               : BURL_OK;
}

static const burl_encoder_ops plain_ops = {.passes = 1,
                                           .free = network_free,
                                           .get_group = get_group,
                                           .leave_out = leave_out,
                                           .workspace_new = workspace_new,
                                           .workspace_free = workspace_free,
                                           .count_statistics = count_statistics,
                                           .learn = learn,
                                           .learned = learned,
                                           .encode = encode,
                                           .save = save};

static int is_resnet(const char *name) {
  return strncmp(name, "resnet", 6) == 0 || strncmp(name, "wide_resnet", 11) == 0;
}

/* Strides, groups, alignment and halo from what the network says of its layers. */
static void describe(network_encoder *self) {
  const burl_network *network = self->network;
  size_t reach = 0, coarsest = LEAST_ALIGNMENT, joint = 0;
  for (size_t l = 0; l < self->choice.count; l++) {
    burl_network_layer layer = network->ops->get_layer(network, l);
    self->stride[l] = cells(layer.stride, 4) * 4;
    self->dim[l] = layer.dim;
    joint += layer.dim;
    if (self->stride[l] > coarsest) coarsest = self->stride[l];
    size_t sees = layer.reach < SIZE_MAX ? layer.reach : 0; /* all of the tile: no halo is enough */
    if (sees + 2 * self->stride[l] > reach) reach = sees + 2 * self->stride[l];
  }
  self->patch = is_resnet(self->choice.name) ? 0 : network->ops->get_layer(network, 0).stride;
  self->ops.groups = self->choice.joint ? 1 : self->choice.count;
  for (size_t g = 0; g < self->ops.groups; g++) {
    size_t field = 8 * self->stride[g];
    self->group[g].stride = self->stride[g];
    self->group[g].dim = self->choice.joint ? joint : self->dim[g];
    self->group[g].field = field < MOST_FIELD ? field : MOST_FIELD;
    self->group[g].present = 1;
    if (self->choice.joint)
      snprintf(self->group[g].name, sizeof self->group[g].name, "%s", self->choice.name);
    else
      snprintf(self->group[g].name, sizeof self->group[g].name, "%s.%d", self->choice.name,
               self->choice.layers[g]);
  }
  self->ops.alignment = coarsest;
  self->ops.halo = cells(reach + BORDER, coarsest) * coarsest;
}

burl_status burl_network_encoder_new(burl_encoder **encoder, const burl_network_choice *choice,
                                     const burl_weights *weights, burl_diag *diag) {
  network_encoder *made = burl_alloc_zero(1, sizeof *made);
  if (!made) return burl_fail_memory(diag, choice->path);
  made->ops = plain_ops;
  made->base.ops = &made->ops;
  made->choice = *choice;
  made->ops.name = made->choice.name;
  strcpy(made->choice.hash, burl_weights_get_hash(weights));
  burl_status status = (is_resnet(choice->name) ? burl_resnet_new : burl_vit_new)(
      &made->network, choice->name, weights, choice->layers, choice->count, choice->embedded, diag);
  if (status != BURL_OK) {
    free(made);
    return status;
  }
  describe(made);
  *encoder = &made->base;
  return BURL_OK;
}

const burl_network_choice *burl_network_encoder_get_choice(const burl_encoder *encoder) {
  return encoder->ops->encode == encode ? &((const network_encoder *)encoder)->choice : NULL;
}
