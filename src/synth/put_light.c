/* Light and shade: defects that leave the weave and change its brightness, and holes, which leave
 * nothing of it. Amounts are multiples of the image's own deviation. */
#include "synth/put.h"

#include <math.h>

double burl_put_sign(burl_random *random) {
  return burl_random_below(random, 2) ? 1.0 : -1.0;
}

void burl_put_tint(burl_put_job *job, double amount) {
  size_t n = job->image->channels * job->height * job->width;
  for (size_t i = 0; i < n; i++)
    job->value[i] += (float)amount;
}

static void tint_by(burl_put_job *job, double low, double high) {
  double amount = burl_put_spread(&job->random, low, high);
  burl_put_tint(job, burl_put_sign(&job->random) * amount * job->strength * job->deviation);
}

void burl_put_stain(burl_put_job *job) {
  tint_by(job, 0.4, 1.6);
}

void burl_put_speck(burl_put_job *job) {
  tint_by(job, 1.2, 5.0);
}

void burl_put_step(burl_put_job *job) {
  tint_by(job, 0.3, 1.2);
}

/* What lies behind the cloth: the box's own mean, far darker or brighter, with a little noise. */
void burl_put_hole(burl_put_job *job) {
  size_t area = job->height * job->width;
  double amount = burl_put_spread(&job->random, 1.2, 3.5) * burl_put_sign(&job->random);
  for (size_t c = 0; c < job->image->channels; c++) {
    float *value = job->value + c * area;
    double mean = 0.0;
    for (size_t i = 0; i < area; i++)
      mean += (double)value[i];
    mean = mean / (double)area + amount * job->strength * job->deviation;
    for (size_t i = 0; i < area; i++)
      value[i] = (float)(mean + 0.15 * job->deviation * burl_random_normal(&job->random));
  }
}
