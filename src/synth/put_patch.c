/* Good cloth in the wrong place.
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
  double far = fmax(job->shape.radius * (0.2 + 0.4 * burl_random_uniform(&job->random)), 2.0);
  double y = (double)job->y + far * sin(angle), x = (double)job->x + far * cos(angle);
  y = fmin(fmax(floor(y + 0.5), 0.0), (double)(job->image->height - job->height));
  x = fmin(fmax(floor(x + 0.5), 0.0), (double)(job->image->width - job->width));
  read_patch(job->value, job, job->image, (size_t)y, (size_t)x);
}

/* Elsewhere, with rows for columns, so that yarns run across. */
void burl_put_scar(burl_put_job *job) {
  take_patch(job, job->image);
  for (size_t c = 0; job->height == job->width && c < job->image->channels; c++)
    for (size_t i = 0; i < job->height; i++)
      for (size_t j = 0; j < i; j++) {
        float *v = job->value + c * job->height * job->width;
        float kept = v[i * job->width + j];
        v[i * job->width + j] = v[j * job->width + i];
        v[j * job->width + i] = kept;
      }
}
