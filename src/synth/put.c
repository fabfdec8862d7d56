/* Putting a defect on an image: where, how large, of what shape; then the kind's own function; then
 * the blend and the mask.
 *
 * The blob is an ellipse whose radius is ruffled by three harmonics. With r the distance from its
 * middle in units of the ruffled radius, the weight is 1 up to 1 - soft, 0 from 1 + soft on and
 * falls smoothly between, so that r = 1, the mask's edge, is where it is a half. */
#include "synth/put.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

enum { LEAST_SIDE = 32, HARMONICS = 3 };

typedef struct put_kind {
  const char *name;
  double least, most; /* radius as a share of the image's shorter side */
  double cap;         /* most pixels of it */
  double soft;        /* share of the radius over which the edge falls, to either side */
  void (*fill)(burl_put_job *job);
} put_kind;

static const put_kind kinds[] = {
    [BURL_PUT_MOVED] = {"moved", 0.04, 0.09, 40, 0.08, burl_put_moved},
    [BURL_PUT_EXCHANGED] = {"exchanged", 0.04, 0.09, 40, 0.08, burl_put_exchanged},
    [BURL_PUT_SHIFTED] = {"shifted", 0.05, 0.10, 48, 0.15, burl_put_shifted},
    [BURL_PUT_STAIN] = {"stain", 0.04, 0.10, 48, 0.35, burl_put_stain},
    [BURL_PUT_SPECK] = {"speck", 0.006, 0.012, 5, 0.3, burl_put_speck},
};
_Static_assert(sizeof kinds / sizeof *kinds == BURL_PUT_COUNT, "a row for every kind");

const char *burl_put_get_name(burl_put kind) {
  return (unsigned)kind < BURL_PUT_COUNT ? kinds[kind].name : NULL;
}

/* The blob, in pixels. */
typedef struct blob {
  double y, x, radius, flat, turn[2], soft;
  double size[HARMONICS], phase[HARMONICS];
} blob;

static double uniform(burl_random *random, double low, double high) {
  return low + (high - low) * burl_random_uniform(random);
}

static double blob_reach(const blob *b) {
  return ceil(b->radius * (1.0 + 0.3) * (1.0 + b->soft)) + 1.0; /* ruffles add up to 0.3 */
}

static blob blob_draw(const put_kind *kind, const burl_image *image, burl_random *random) {
  double side = (double)(image->height < image->width ? image->height : image->width);
  double turn = uniform(random, 0.0, 6.283185307179586);
  blob b = {.soft = kind->soft, .turn = {cos(turn), sin(turn)}};
  b.radius = fmax(fmin(side * uniform(random, kind->least, kind->most), kind->cap), 1.5);
  b.flat = uniform(random, 0.6, 1.0);
  for (int i = 0; i < HARMONICS; i++) {
    b.size[i] = uniform(random, 0.0, 0.1);
    b.phase[i] = uniform(random, 0.0, 6.283185307179586);
  }
  double reach = blob_reach(&b);
  b.y = uniform(random, reach, (double)image->height - 1.0 - reach);
  b.x = uniform(random, reach, (double)image->width - 1.0 - reach);
  return b;
}

static double blob_weight(const blob *b, double y, double x) {
  double dy = y - b->y, dx = x - b->x;
  double along = b->turn[0] * dx + b->turn[1] * dy;
  double across = (b->turn[0] * dy - b->turn[1] * dx) / b->flat;
  double angle = atan2(across, along), edge = b->radius;
  for (int i = 0; i < HARMONICS; i++)
    edge += b->radius * b->size[i] * cos((i + 2) * angle + b->phase[i]);
  double t = (1.0 + b->soft - sqrt(along * along + across * across) / edge) / (2.0 * b->soft);
  return t <= 0.0 ? 0.0 : t >= 1.0 ? 1.0 : t * t * (3.0 - 2.0 * t);
}

static double deviation_of(const burl_image *image) {
  enum { BLOCK = 1024 };
  float row[BLOCK];
  double sum = 0.0, squares = 0.0, n = (double)image->height * (double)image->width;
  for (size_t y = 0; y < image->height; y++)
    for (size_t x = 0; x < image->width; x += BLOCK) {
      size_t count = image->width - x < BLOCK ? image->width - x : BLOCK;
      burl_image_get_grey(image, row, count, y, x, 1, count);
      for (size_t i = 0; i < count; i++) {
        double v = (double)row[i] - 0.5;
        sum += v;
        squares += v * v;
      }
    }
  return sqrt(fmax(squares / n - sum / n * (sum / n), 0.0));
}

static double sample_at(const burl_image *image, size_t i) {
  return image->sample == BURL_U8 ? ((const uint8_t *)image->data)[i] / 255.0
                                  : ((const uint16_t *)image->data)[i] / 65535.0;
}

static void set_sample(burl_image *image, size_t i, double value) {
  double v = fmin(fmax(value, 0.0), 1.0);
  if (image->sample == BURL_U8)
    ((uint8_t *)image->data)[i] = (uint8_t)(v * 255.0 + 0.5);
  else
    ((uint16_t *)image->data)[i] = (uint16_t)(v * 65535.0 + 0.5);
}

static void blend(burl_image *image, burl_image *mask, const burl_put_job *job) {
  size_t area = job->height * job->width;
  for (size_t i = 0; i < job->height; i++)
    for (size_t j = 0; j < job->width; j++) {
      size_t at = i * job->width + j, pixel = (job->y + i) * image->width + job->x + j;
      double weight = (double)job->weight[at];
      if (weight >= 0.5) ((uint8_t *)mask->data)[pixel] = 255;
      for (size_t c = 0; c < image->channels && weight > 0.0; c++) {
        double was = sample_at(image, pixel * image->channels + c);
        double now = was + weight * ((double)job->value[c * area + at] - was);
        set_sample(image, pixel * image->channels + c, now);
      }
    }
}

static burl_status check(const burl_image *image, const burl_image *other,
                         const burl_put_options *o) {
  if (!burl_put_get_name(o->kind) || !(o->strength >= 0.1 && o->strength <= 10.0))
    return BURL_ERR_ARGUMENT;
  if (image->sample != BURL_U8 && image->sample != BURL_U16) return BURL_ERR_ARGUMENT;
  if (image->height < LEAST_SIDE || image->width < LEAST_SIDE) return BURL_ERR_SIZE;
  if (o->kind != BURL_PUT_EXCHANGED) return BURL_OK;
  if (!other || other->channels != image->channels || other->sample != image->sample)
    return BURL_ERR_ARGUMENT;
  return other->height < LEAST_SIDE || other->width < LEAST_SIDE ? BURL_ERR_SIZE : BURL_OK;
}

static size_t least(size_t a, size_t b) {
  return a < b ? a : b;
}

/* The box around a blob; no larger than what a patch can be taken from. */
static void frame(burl_put_job *job, const blob *b) {
  double reach = blob_reach(b);
  size_t side = 2 * (size_t)reach + 1;
  job->height = least(side, job->image->height), job->width = least(side, job->image->width);
  if (job->other) {
    job->height = least(job->height, job->other->height);
    job->width = least(job->width, job->other->width);
  }
  job->y = least((size_t)fmax(b->y - reach, 0.0), job->image->height - job->height);
  job->x = least((size_t)fmax(b->x - reach, 0.0), job->image->width - job->width);
}

burl_status burl_synth_put(burl_image *image, burl_image *mask, const burl_image *other,
                           const burl_put_options *options) {
  burl_status status = check(image, other, options);
  if (status != BURL_OK) return status;
  const put_kind *kind = &kinds[options->kind];
  burl_put_job job = {.image = image,
                      .other = options->kind == BURL_PUT_EXCHANGED ? other : NULL,
                      .strength = options->strength,
                      .deviation = deviation_of(image)};
  uint64_t stream = burl_random_at(options->index, (uint64_t)options->kind, 0);
  job.random = burl_random_start(options->seed, stream);
  blob b = blob_draw(kind, image, &job.random);
  frame(&job, &b);
  job.radius = b.radius;
  size_t area = job.height * job.width;
  burl_image made = {0};
  job.weight = burl_alloc(area * (image->channels + 1), sizeof *job.weight);
  status =
      job.weight ? burl_image_new(&made, image->height, image->width, 1, BURL_U8) : BURL_ERR_MEMORY;
  if (status == BURL_OK) {
    job.value = job.weight + area;
    for (size_t i = 0; i < area; i++)
      job.weight[i] =
          (float)blob_weight(&b, (double)(job.y + i / job.width), (double)(job.x + i % job.width));
    for (size_t c = 0; c < image->channels; c++)
      burl_image_get_channel(image, c, job.value + c * area, job.width, job.y, job.x, job.height,
                             job.width);
    kind->fill(&job);
    blend(image, &made, &job);
    *mask = made;
  }
  free(job.weight);
  return status;
}
