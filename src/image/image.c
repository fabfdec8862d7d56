/* The image type: samples as the file has them, read as float 0..1 region by region. */
#include <burl/image.h>

#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>

burl_status burl_image_new(burl_image *image, size_t height, size_t width, size_t channels,
                           burl_sample sample) {
  if (height == 0 || width == 0 || (channels != 1 && channels != 3)) return BURL_ERR_ARGUMENT;
  if (sample != BURL_U8 && sample != BURL_U16 && sample != BURL_F32) return BURL_ERR_ARGUMENT;
  if (height > BURL_IMAGE_MAX_SIDE || width > BURL_IMAGE_MAX_SIDE) return BURL_ERR_SIZE;
  if (height > BURL_IMAGE_MAX_PIXELS / width) return BURL_ERR_SIZE;
  void *data = burl_alloc_zero(height * width, channels * (size_t)sample);
  if (!data) return BURL_ERR_MEMORY;
  *image = (burl_image){height, width, channels, sample, data};
  return BURL_OK;
}

void burl_image_free(burl_image *image) {
  if (!image) return;
  free(image->data);
  *image = (burl_image){0};
}

/* One row of n pixels; in points to the wanted sample of the first pixel, step samples a pixel. */
static void channel_u8(float *restrict out, const uint8_t *restrict in, size_t step, size_t n) {
  for (size_t i = 0; i < n; i++)
    out[i] = (float)in[i * step] / 255.0f;
}

static void channel_u16(float *restrict out, const uint16_t *restrict in, size_t step, size_t n) {
  for (size_t i = 0; i < n; i++)
    out[i] = (float)in[i * step] / 65535.0f;
}

static void channel_f32(float *restrict out, const float *restrict in, size_t step, size_t n) {
  for (size_t i = 0; i < n; i++)
    out[i] = in[i * step];
}

/* Means of three channels. The sums are exact in float (below 2^24) and one division rounds, so
 * that grey stored as RGB reads the same as grey. */
static void mean_u8(float *restrict out, const uint8_t *restrict in, size_t n) {
  for (size_t i = 0; i < n; i++)
    out[i] = (float)(in[3 * i] + in[3 * i + 1] + in[3 * i + 2]) / 765.0f;
}

static void mean_u16(float *restrict out, const uint16_t *restrict in, size_t n) {
  for (size_t i = 0; i < n; i++)
    out[i] = (float)(in[3 * i] + in[3 * i + 1] + in[3 * i + 2]) / 196605.0f;
}

static void mean_f32(float *restrict out, const float *restrict in, size_t n) {
  for (size_t i = 0; i < n; i++)
    out[i] = (in[3 * i] + in[3 * i + 1] + in[3 * i + 2]) / 3.0f;
}

/* Index of the first sample of pixel (y,x). */
static size_t find_sample(const burl_image *image, size_t y, size_t x) {
  return (y * image->width + x) * image->channels;
}

void burl_image_get_channel(const burl_image *image, size_t channel, float *plane, size_t ld,
                            size_t y, size_t x, size_t height, size_t width) {
  assert(channel < image->channels && ld >= width);
  assert(height <= image->height && y <= image->height - height);
  assert(width <= image->width && x <= image->width - width);
  size_t step = image->channels;
  for (size_t i = 0; i < height; i++, plane += ld) {
    size_t first = find_sample(image, y + i, x) + channel;
    if (image->sample == BURL_U8)
      channel_u8(plane, (const uint8_t *)image->data + first, step, width);
    else if (image->sample == BURL_U16)
      channel_u16(plane, (const uint16_t *)image->data + first, step, width);
    else
      channel_f32(plane, (const float *)image->data + first, step, width);
  }
}

void burl_image_get_grey(const burl_image *image, float *grey, size_t ld, size_t y, size_t x,
                         size_t height, size_t width) {
  if (image->channels == 1) {
    burl_image_get_channel(image, 0, grey, ld, y, x, height, width);
    return;
  }
  assert(image->channels == 3 && ld >= width);
  assert(height <= image->height && y <= image->height - height);
  assert(width <= image->width && x <= image->width - width);
  for (size_t i = 0; i < height; i++, grey += ld) {
    size_t first = find_sample(image, y + i, x);
    if (image->sample == BURL_U8)
      mean_u8(grey, (const uint8_t *)image->data + first, width);
    else if (image->sample == BURL_U16)
      mean_u16(grey, (const uint16_t *)image->data + first, width);
    else
      mean_f32(grey, (const float *)image->data + first, width);
  }
}
