/* Putting a defect on an image: where, how large, of what shape; then the kind's own function; then
 * the blend and the mask.
 *
 * The mask holds what has changed by more than a 255th of the range, and the body of the shape,
 * where its weight is a half or more, whether what was put there happens to equal what it covers or
 * not. */
#include "synth/put.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

enum { LEAST_SIDE = 32 };
#define SEEN (1.0 / 255.0 + 1e-9)

typedef struct put_kind {
  const char *name;
  burl_put_plan plan;
  void (*fill)(burl_put_job *job);
} put_kind;

#define BLOB BURL_PUT_BLOB
#define BAND BURL_PUT_BAND
static const put_kind kinds[] = {
    /* form, pixels from..to, most share of the side, soft, flatness or length from..to */
    [BURL_PUT_MOVED] = {"moved", {BLOB, {8, 40}, 0.09, 0.08, {0.6, 1}}, burl_put_moved},
    [BURL_PUT_EXCHANGED] = {"exchanged", {BLOB, {8, 40}, 0.09, 0.08, {0.6, 1}}, burl_put_exchanged},
    [BURL_PUT_SHIFTED] = {"shifted", {BLOB, {10, 48}, 0.1, 0.15, {0.6, 1}}, burl_put_shifted},
    [BURL_PUT_STAIN] = {"stain", {BLOB, {5, 75}, 0.22, 0.5, {0.4, 1}}, burl_put_stain},
    [BURL_PUT_SPECK] = {"speck", {BLOB, {1.2, 5}, 0.05, 0.3, {0.6, 1}}, burl_put_speck},
    [BURL_PUT_STREAK] = {"streak", {BAND, {1, 4}, 0.05, 0.3, {0.12, 1.2}}, burl_put_streak},
    [BURL_PUT_HOLE] = {"hole", {BLOB, {3, 15}, 0.06, 0.2, {0.3, 1}}, burl_put_hole},
    [BURL_PUT_SCAR] = {"scar", {BLOB, {8, 26}, 0.1, 0.15, {0.15, 1}}, burl_put_scar},
    [BURL_PUT_WARP] = {"warp", {BAND, {3, 12}, 0.06, 0.3, {0.15, 1}}, burl_put_warp},
    [BURL_PUT_BLUR] = {"blur", {BLOB, {8, 30}, 0.12, 0.3, {0.6, 1}}, burl_put_blur},
    [BURL_PUT_STEP] = {"step", {BAND, {8, 45}, 0.18, 0.08, {0.2, 1.2}}, burl_put_step},
};
#undef BLOB
#undef BAND
_Static_assert(sizeof kinds / sizeof *kinds == BURL_PUT_COUNT, "a row for every kind");

const char *burl_put_get_name(burl_put kind) {
  return (unsigned)kind < BURL_PUT_COUNT ? kinds[kind].name : NULL;
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
      double weight = (double)job->weight[at], most = 0.0;
      for (size_t c = 0; c < image->channels && weight > 0.0; c++) {
        size_t sample = pixel * image->channels + c;
        double was = sample_at(image, sample), to = (double)job->value[c * area + at];
        set_sample(image, sample, job->done ? to : was + weight * (to - was));
        most = fmax(most, fabs(sample_at(image, sample) - was));
      }
      if (weight >= 0.5 || most > SEEN) ((uint8_t *)mask->data)[pixel] = 255;
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

/* The box around a shape; no larger than what a patch can be taken from. */
static void frame(burl_put_job *job) {
  double reach[2];
  burl_put_shape_reach(reach, &job->shape);
  double top = fmax(job->shape.y - reach[0], 0.0), left = fmax(job->shape.x - reach[1], 0.0);
  job->height = least((size_t)(job->shape.y + reach[0] - top) + 1, job->image->height);
  job->width = least((size_t)(job->shape.x + reach[1] - left) + 1, job->image->width);
  if (job->other) {
    job->height = least(job->height, job->other->height);
    job->width = least(job->width, job->other->width);
  }
  job->y = least((size_t)top, job->image->height - job->height);
  job->x = least((size_t)left, job->image->width - job->width);
}

static void read_box(burl_put_job *job) {
  size_t area = job->height * job->width;
  for (size_t i = 0; i < area; i++)
    job->weight[i] = (float)burl_put_shape_weight(&job->shape, (double)(job->y + i / job->width),
                                                  (double)(job->x + i % job->width));
  for (size_t c = 0; c < job->image->channels; c++)
    burl_image_get_channel(job->image, c, job->value + c * area, job->width, job->y, job->x,
                           job->height, job->width);
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
  job.shape = burl_put_shape_draw(&kind->plan, image->height, image->width, &job.random);
  frame(&job);
  size_t area = job.height * job.width;
  burl_image made = {0};
  job.weight = burl_alloc(area * (image->channels + 2), sizeof *job.weight);
  status =
      job.weight ? burl_image_new(&made, image->height, image->width, 1, BURL_U8) : BURL_ERR_MEMORY;
  if (status == BURL_OK) {
    job.spare = job.weight + area, job.value = job.spare + area;
    read_box(&job);
    kind->fill(&job);
    blend(image, &made, &job);
    *mask = made;
  }
  free(job.weight);
  return status;
}
