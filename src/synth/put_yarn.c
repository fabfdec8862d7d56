/* Yarns that are missing, doubled, bent or blurred. */
#include "synth/put.h"

#include <math.h>
#include <stddef.h>

enum { REACH = 12 };

static size_t mirrored(ptrdiff_t i, size_t n) {
  ptrdiff_t last = (ptrdiff_t)n - 1;
  while (last > 0 && (i < 0 || i > last))
    i = i < 0 ? -i : 2 * last - i;
  return last > 0 ? (size_t)i : 0;
}

/* out: n values of `line`, `step` apart, blurred; mirrored at both ends. */
static void smear_line(float *out, const float *line, size_t n, size_t step, const double *weight,
                       int reach) {
  for (size_t i = 0; i < n; i++) {
    double sum = weight[0] * (double)line[i * step];
    for (int k = 1; k <= reach; k++)
      sum += weight[k] * ((double)line[mirrored((ptrdiff_t)i - k, n) * step] +
                          (double)line[mirrored((ptrdiff_t)i + k, n) * step]);
    out[i * step] = (float)sum;
  }
}

void burl_put_smear(burl_put_job *job, double sigma) {
  double weight[REACH + 1], total = 0.0;
  int reach = (int)fmin(ceil(3.0 * sigma), REACH);
  for (int k = 0; k <= reach; k++) {
    weight[k] = exp(-0.5 * k * k / (sigma * sigma));
    total += k ? 2.0 * weight[k] : weight[k];
  }
  for (int k = 0; k <= reach; k++)
    weight[k] /= total;
  for (size_t c = 0; c < job->image->channels; c++) {
    float *value = job->value + c * job->height * job->width;
    for (size_t i = 0; i < job->height; i++)
      smear_line(job->spare + i * job->width, value + i * job->width, job->width, 1, weight, reach);
    for (size_t j = 0; j < job->width; j++)
      smear_line(value + j, job->spare + j, job->height, job->width, weight, reach);
  }
}

/* Value at (y,x) of the image, between pixels bilinearly; beyond the border the nearest. */
static float between(const burl_image *image, size_t channel, double y, double x) {
  float v[4];
  y = fmin(fmax(y, 0.0), (double)image->height - 1.0);
  x = fmin(fmax(x, 0.0), (double)image->width - 1.0);
  size_t i = (size_t)fmin(floor(y), (double)image->height - 2.0);
  size_t j = (size_t)fmin(floor(x), (double)image->width - 2.0);
  float b = (float)(y - (double)i), a = (float)(x - (double)j);
  burl_image_get_channel(image, channel, v, 2, i, j, 2, 2);
  float top = v[0] + a * (v[1] - v[0]), bottom = v[2] + a * (v[3] - v[2]);
  return top + b * (bottom - top);
}

/* value(y,x) = image(y + w dy, x + w dx): nothing moves where the weight is 0. */
static void bend(burl_put_job *job, double dy, double dx) {
  for (size_t c = 0; c < job->image->channels; c++)
    for (size_t i = 0; i < job->height * job->width; i++) {
      double w = (double)job->weight[i];
      double y = (double)(job->y + i / job->width), x = (double)(job->x + i % job->width);
      if (w > 0.0)
        job->value[c * job->height * job->width + i] =
            between(job->image, c, y + w * dy, x + w * dx);
    }
  job->done = 1;
}

void burl_put_warp(burl_put_job *job) {
  double far = burl_put_spread(&job->random, 1.5, 6.0);
  double angle = burl_put_uniform(&job->random, 0.0, 6.283185307179586);
  bend(job, far * sin(angle), far * cos(angle));
}

void burl_put_blur(burl_put_job *job) {
  burl_put_smear(job, burl_put_spread(&job->random, 0.8, 3.0));
}

/* What lies some pixels beside the band. */
static void double_yarn(burl_put_job *job) {
  double aside = burl_put_sign(&job->random) * floor(burl_put_uniform(&job->random, 2.0, 8.0));
  double dy = aside * job->shape.turn[0], dx = aside * job->shape.turn[1];
  for (size_t c = 0; c < job->image->channels; c++)
    for (size_t i = 0; i < job->height * job->width; i++)
      job->value[c * job->height * job->width + i] =
          between(job->image, c, (double)(job->y + i / job->width) + dy,
                  (double)(job->x + i % job->width) + dx);
}

/* A yarn of another shade; one that is missing (its neighbours, smeared); one that is doubled. */
void burl_put_streak(burl_put_job *job) {
  uint64_t way = burl_random_below(&job->random, 3);
  double amount = burl_put_spread(&job->random, 0.5, 2.0) * burl_put_sign(&job->random);
  if (way == 1) burl_put_smear(job, 3.0);
  if (way == 2) double_yarn(job);
  burl_put_tint(job, (way == 0 ? 1.0 : 0.5) * amount * job->strength * job->deviation);
}
