/* Weights under the names of torchvision and timm. A batch norm after a convolution is folded into
 * it in double: w' = w g / sqrt(v + eps), b' = (b - m) g / sqrt(v + eps) + beta (Ioffe and Szegedy,
 * Batch Normalization, ICML 2015). Files whose batch norms are folded already have biases. */
#include "encode/resnet_parts.h"

#include "base/diag.h"
#include "base/half.h"
#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EPS 1e-5
enum { MOST_CHANNELS = 8192 };

typedef struct known {
  const char *name;
  size_t convs; /* of a block */
  size_t blocks[RESNET_STAGES];
} known;

static const known networks[] = {{"resnet18", 2, {2, 2, 2, 2}},
                                 {"resnet34", 2, {3, 4, 6, 3}},
                                 {"resnet50", 3, {3, 4, 6, 3}},
                                 {"resnet101", 3, {3, 4, 23, 3}},
                                 {"wide_resnet50_2", 3, {3, 4, 6, 3}}};

typedef struct loader {
  const burl_weights *weights;
  int half;
  burl_diag *diag;
} loader;

static void free_conv(resnet_conv *conv) {
  free(conv->conv.prepared);
  free(conv->conv.bias);
  free(conv->half);
  free(conv->half_bias);
}

void burl_resnet_free(burl_network *network) {
  burl_resnet *self = (burl_resnet *)network;
  if (!self) return;
  free_conv(&self->stem);
  for (size_t s = 0; s < RESNET_STAGES; s++)
    for (size_t b = 0; b < RESNET_MOST_BLOCKS; b++) {
      for (size_t c = 0; c < RESNET_BLOCK_CONVS; c++)
        free_conv(&self->block[s][b].conv[c]);
      free_conv(&self->block[s][b].shortcut);
    }
  free(self);
}

/* Scale and shift of every channel by a batch norm, or 1 and the bias where there is none. */
static burl_status read_norm(double *scale, double *shift, const loader *from, const char *conv,
                             const char *norm, size_t d) {
  static const char *const parts[] = {"weight", "bias", "running_mean", "running_var"};
  float *value = burl_alloc(4 * d, sizeof *value);
  char name[112];
  if (!value) return burl_fail_memory(from->diag, NULL);
  burl_status status = BURL_OK;
  snprintf(name, sizeof name, "%s.bias", conv);
  int folded = burl_weights_has(from->weights, name);
  if (folded) status = burl_weights_get(from->weights, value, name, &d, 1, from->diag);
  for (size_t p = 0; p < 4 && !folded && status == BURL_OK; p++) {
    snprintf(name, sizeof name, "%s.%s", norm, parts[p]);
    status = burl_weights_get(from->weights, value + p * d, name, &d, 1, from->diag);
  }
  for (size_t c = 0; c < d && status == BURL_OK; c++) {
    scale[c] = folded ? 1.0 : (double)value[c] / sqrt(fmax((double)value[3 * d + c], 0.0) + EPS);
    shift[c] =
        folded ? (double)value[c] : (double)value[d + c] - (double)value[2 * d + c] * scale[c];
  }
  free(value);
  return status;
}

/* Not all of what float holds is held by float16. */
static burl_status round_to_half(uint16_t *half, float *values, size_t n, const resnet_conv *conv,
                                 const loader *from) {
  int fits = 1;
  for (size_t i = 0; i < n; i++) {
    half[i] = burl_half_from_float(values[i]);
    values[i] = burl_half_to_float(half[i]);
    fits &= isfinite(values[i]) != 0;
  }
  if (fits) return BURL_OK;
  return burl_fail(from->diag, BURL_ERR_NUMERIC, burl_weights_get_path(from->weights),
                   "Leave the weights in their file.",
                   "convolution %s holds values above 65504, which float16 does not", conv->name);
}

/* weight (side,side,in,out) from tensor (out,in,side,side). */
static void arrange(float *weight, const burl_conv *conv, const float *tensor) {
  size_t taps = conv->side * conv->side;
  for (size_t c = 0; c < conv->out; c++)
    for (size_t t = 0; t < conv->in; t++)
      for (size_t k = 0; k < taps; k++)
        weight[(k * conv->in + t) * conv->out + c] = tensor[(c * conv->in + t) * taps + k];
}

/* tensor, arranged: as many floats each as the convolution has weights. */
static burl_status fill_conv(resnet_conv *made, float *tensor, float *arranged, double *scale,
                             double *shift, const loader *from, const char *norm) {
  burl_conv *conv = &made->conv;
  char name[112];
  const size_t shape[] = {conv->out, conv->in, conv->side, conv->side};
  size_t taps = conv->in * conv->side * conv->side;
  snprintf(name, sizeof name, "%s.weight", made->name);
  burl_status status = burl_weights_get(from->weights, tensor, name, shape, 4, from->diag);
  if (status == BURL_OK) status = read_norm(scale, shift, from, made->name, norm, conv->out);
  if (status != BURL_OK) return status;
  for (size_t c = 0; c < conv->out; c++) {
    conv->bias[c] = (float)shift[c];
    for (size_t t = 0; t < taps; t++)
      tensor[c * taps + t] = (float)(scale[c] * (double)tensor[c * taps + t]);
  }
  if (from->half) status = round_to_half(made->half, tensor, conv->out * taps, made, from);
  if (from->half && status == BURL_OK)
    status = round_to_half(made->half_bias, conv->bias, conv->out, made, from);
  if (status != BURL_OK) return status;
  arrange(arranged, conv, tensor);
  burl_conv_prepare(conv, arranged, tensor);
  return BURL_OK;
}

/* A convolution of `in` channels; how many come out its tensor says. */
static burl_status load_conv(resnet_conv *made, const loader *from, const char *conv,
                             const char *norm, size_t in, size_t side, size_t stride) {
  size_t rank = 0, shape[BURL_TENSOR_MAX_RANK] = {0};
  char name[112];
  snprintf(made->name, sizeof made->name, "%s", conv);
  snprintf(name, sizeof name, "%s.weight", conv);
  burl_weights_get_shape(from->weights, name, &rank, shape);
  size_t out = rank == 4 ? shape[0] : 1;
  if (out < 1 || out > MOST_CHANNELS)
    return burl_fail(from->diag, BURL_ERR_SIZE, burl_weights_get_path(from->weights), NULL,
                     "tensor %s has %zu channels, not 1 to %d", name, out, MOST_CHANNELS);
  size_t n = out * in * side * side;
  made->conv = (burl_conv){.in = in, .out = out, .side = side, .stride = stride};
  made->conv.prepared = burl_alloc(burl_conv_prepared_size(&made->conv), sizeof(float));
  made->conv.bias = burl_alloc(out, sizeof(float));
  made->half = from->half ? burl_alloc(n, sizeof *made->half) : NULL;
  made->half_bias = from->half ? burl_alloc(out, sizeof *made->half_bias) : NULL;
  float *tensor = burl_alloc(2 * n, sizeof *tensor);
  double *norms = burl_alloc(2 * out, sizeof *norms);
  burl_status status = BURL_OK;
  if (!made->conv.prepared || !made->conv.bias || !tensor || !norms ||
      (from->half && (!made->half || !made->half_bias)))
    status = burl_fail_memory(from->diag, NULL);
  if (status == BURL_OK)
    status = fill_conv(made, tensor, tensor + n, norms, norms + out, from, norm);
  free(tensor);
  free(norms);
  return status;
}

static burl_status load_block(resnet_block *block, const loader *from, size_t stage, size_t index,
                              size_t *channels) {
  size_t stride = stage > 0 && index == 0 ? 2 : 1, in = *channels, width = in;
  size_t strided = block->convs == 3 ? 1 : 0; /* in a bottleneck the middle one */
  char conv[80], norm[96];
  for (size_t c = 0; c < block->convs; c++) {
    size_t side = block->convs == 3 && c != 1 ? 1 : 3;
    snprintf(conv, sizeof conv, "layer%zu.%zu.conv%zu", stage + 1, index, c + 1);
    snprintf(norm, sizeof norm, "layer%zu.%zu.bn%zu", stage + 1, index, c + 1);
    burl_status status =
        load_conv(&block->conv[c], from, conv, norm, width, side, c == strided ? stride : 1);
    if (status != BURL_OK) return status;
    width = block->conv[c].conv.out;
  }
  snprintf(conv, sizeof conv, "layer%zu.%zu.downsample.0", stage + 1, index);
  snprintf(norm, sizeof norm, "%s.weight", conv);
  *channels = width;
  if (stride == 1 && width == in && !burl_weights_has(from->weights, norm)) return BURL_OK;
  snprintf(norm, sizeof norm, "layer%zu.%zu.downsample.1", stage + 1, index);
  burl_status status = load_conv(&block->shortcut, from, conv, norm, in, 1, stride);
  if (status == BURL_OK && block->shortcut.conv.out != width)
    status = burl_fail(from->diag, BURL_ERR_FORMAT, burl_weights_get_path(from->weights), NULL,
                       "tensor %s.weight gives %zu channels where %zu are to be added", conv,
                       block->shortcut.conv.out, width);
  return status;
}

burl_status burl_resnet_load(burl_resnet *self, const char *name, const burl_weights *weights,
                             int half, burl_diag *diag) {
  const loader from = {weights, half, diag};
  const known *network = NULL;
  for (size_t i = 0; i < sizeof networks / sizeof *networks; i++)
    if (strcmp(name, networks[i].name) == 0) network = &networks[i];
  if (!network)
    return burl_fail(diag, BURL_ERR_ARGUMENT, NULL, NULL, "there is no residual network \"%.60s\"",
                     name);
  burl_status status = load_conv(&self->stem, &from, "conv1", "bn1", 3, 7, 2);
  size_t channels = self->stem.conv.out;
  for (size_t s = 0; s < self->stages; s++) {
    self->blocks[s] = network->blocks[s];
    for (size_t b = 0; b < self->blocks[s] && status == BURL_OK; b++) {
      self->block[s][b].convs = network->convs;
      status = load_block(&self->block[s][b], &from, s, b, &channels);
    }
  }
  return status;
}

static burl_status save_conv(const resnet_conv *conv, burl_safetensors_writer *writer,
                             const char *prefix) {
  char name[160];
  const burl_conv *c = &conv->conv;
  if (!c->prepared) return BURL_OK;
  snprintf(name, sizeof name, "encoder.%s.%s.weight", prefix, conv->name);
  burl_safetensors_writer_add_tensor(writer, name, BURL_DTYPE_F16,
                                     (size_t[]){c->out, c->in, c->side, c->side}, 4, conv->half);
  snprintf(name, sizeof name, "encoder.%s.%s.bias", prefix, conv->name);
  return burl_safetensors_writer_add_tensor(writer, name, BURL_DTYPE_F16, &c->out, 1,
                                            conv->half_bias);
}

burl_status burl_resnet_save(const burl_network *network, burl_safetensors_writer *writer,
                             const char *prefix) {
  const burl_resnet *self = (const burl_resnet *)network;
  burl_status status = save_conv(&self->stem, writer, prefix);
  for (size_t s = 0; s < self->stages; s++)
    for (size_t b = 0; b < self->blocks[s] && status == BURL_OK; b++) {
      for (size_t c = 0; c < self->block[s][b].convs; c++)
        status = save_conv(&self->block[s][b].conv[c], writer, prefix);
      if (status == BURL_OK) status = save_conv(&self->block[s][b].shortcut, writer, prefix);
    }
  return status;
}
