/* What the kinds of defects do to the box they are given.
 *
 * A patch from elsewhere is looked for in a few places, and the one that differs most from what it
 * covers is taken: on a print, chance would often bring the same piece of the repeat again. It is
 * compared in means of blocks, so that the yarns' own phase, which is no fault of a print, does not
 * rule. */
#include "synth/put.h"

#include <math.h>
#include <string.h>

enum { TRIES = 6, BLOCK = 4 };

static void read_patch(float *value, const burl_put_job *job, const burl_image *from, size_t y,
                       size_t x) {
  for (size_t c = 0; c < from->channels; c++)
    burl_image_get_channel(from, c, value + c * job->height * job->width, job->width, y, x,
                           job->height, job->width);
}

/* Mean difference of block means between the patch at (y,x) and what the box shows. */
static double difference(burl_put_job *job, const burl_image *from, size_t y, size_t x) {
  double sum = 0.0, weights = 0.0;
  float own[BLOCK * BLOCK], new[BLOCK * BLOCK];
  for (size_t i = 0; i + BLOCK <= job->height; i += BLOCK)
    for (size_t j = 0; j + BLOCK <= job->width; j += BLOCK) {
      double mean = 0.0, weight = (double)job->weight[(i + 2) * job->width + j + 2];
      burl_image_get_grey(job->image, own, BLOCK, job->y + i, job->x + j, BLOCK, BLOCK);
      burl_image_get_grey(from, new, BLOCK, y + i, x + j, BLOCK, BLOCK);
      for (size_t k = 0; k < BLOCK * BLOCK; k++)
        mean += (double)new[k] - (double)own[k];
      sum += weight * fabs(mean);
      weights += weight;
    }
  return weights > 0.0 ? sum / weights : 0.0;
}

static void take_patch(burl_put_job *job, const burl_image *from) {
  double most = -1.0;
  size_t y = 0, x = 0;
  for (int k = 0; k < TRIES; k++) {
    size_t v = (size_t)burl_random_below(&job->random, from->height - job->height + 1);
    size_t u = (size_t)burl_random_below(&job->random, from->width - job->width + 1);
    double found = difference(job, from, v, u);
    if (found > most) most = found, y = v, x = u;
  }
  read_patch(job->value, job, from, y, x);
}

void burl_put_moved(burl_put_job *job) {
  take_patch(job, job->image);
}

void burl_put_exchanged(burl_put_job *job) {
  take_patch(job, job->other);
}

/* The same cloth, some pixels aside: a fifth to three fifths of the blob's radius. */
void burl_put_shifted(burl_put_job *job) {
  double angle = 6.283185307179586 * burl_random_uniform(&job->random);
  double far = fmax(job->radius * (0.2 + 0.4 * burl_random_uniform(&job->random)), 2.0);
  double y = (double)job->y + far * sin(angle), x = (double)job->x + far * cos(angle);
  y = fmin(fmax(floor(y + 0.5), 0.0), (double)(job->image->height - job->height));
  x = fmin(fmax(floor(x + 0.5), 0.0), (double)(job->image->width - job->width));
  read_patch(job->value, job, job->image, (size_t)y, (size_t)x);
}

/* Adds to all channels alike. */
static void tint(burl_put_job *job, double amount) {
  size_t n = job->image->channels * job->height * job->width;
  for (size_t i = 0; i < n; i++)
    job->value[i] += (float)amount;
}

static double either_sign(burl_random *random) {
  return burl_random_below(random, 2) ? 1.0 : -1.0;
}

void burl_put_stain(burl_put_job *job) {
  double size = 0.5 + 0.7 * burl_random_uniform(&job->random);
  tint(job, either_sign(&job->random) * size * job->strength * job->deviation);
}

void burl_put_speck(burl_put_job *job) {
  double size = 2.0 + 1.5 * burl_random_uniform(&job->random);
  tint(job, either_sign(&job->random) * size * job->strength * job->deviation);
}
