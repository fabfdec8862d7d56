/* Blobs and bands: places drawn at random, weights by the distance from their middle. */
#include "synth/put_shape.h"

#include <math.h>

#define TURN 6.283185307179586
#define RUFFLE 0.1 /* of the radius, each harmonic at most */
#define LEAST_PIXELS 1.0

double burl_put_uniform(burl_random *random, double low, double high) {
  return low + (high - low) * burl_random_uniform(random);
}

double burl_put_spread(burl_random *random, double low, double high) {
  return low * pow(high / low, burl_random_uniform(random));
}

static double blob_reach(const burl_put_shape *s) {
  return ceil(s->radius * (1.0 + BURL_PUT_HARMONICS * RUFFLE) * (1.0 + s->soft)) + 1.0;
}

static void draw_blob(burl_put_shape *s, const burl_put_plan *plan, size_t height, size_t width,
                      burl_random *random) {
  double angle = burl_put_uniform(random, 0.0, TURN);
  s->turn[0] = cos(angle), s->turn[1] = sin(angle);
  s->second = burl_put_spread(random, plan->second.least, plan->second.most);
  for (int i = 0; i < BURL_PUT_HARMONICS; i++) {
    s->size[i] = burl_put_uniform(random, 0.0, RUFFLE);
    s->phase[i] = burl_put_uniform(random, 0.0, TURN);
  }
  double reach = blob_reach(s);
  s->y = burl_put_uniform(random, reach, fmax((double)height - 1.0 - reach, reach));
  s->x = burl_put_uniform(random, reach, fmax((double)width - 1.0 - reach, reach));
}

/* A band may begin or end outside the image, a tenth of its length at most. */
static void draw_band(burl_put_shape *s, const burl_put_plan *plan, size_t height, size_t width,
                      burl_random *random) {
  int down = (int)burl_random_below(random, 2);
  double side = (double)(down ? height : width), across = (double)(down ? width : height);
  double length = side * burl_put_spread(random, plan->second.least, plan->second.most);
  s->turn[down] = 1.0;
  s->second = 0.5 * length;
  s->size[0] = burl_put_uniform(random, 0.0, 1.0);           /* pixels that it sways */
  s->size[1] = TURN / burl_put_uniform(random, 90.0, 360.0); /* radians a pixel */
  s->phase[0] = burl_put_uniform(random, 0.0, TURN);
  double spare = side - length;
  double along = 0.5 * length + burl_put_uniform(random, fmin(-0.1 * length, spare),
                                                 fmax(spare + 0.1 * length, 0.0));
  double edge = fmin(s->radius + 1.0, 0.5 * across);
  double level = burl_put_uniform(random, edge, across - edge);
  s->y = down ? along : level, s->x = down ? level : along;
}

burl_put_shape burl_put_shape_draw(const burl_put_plan *plan, size_t height, size_t width,
                                   burl_random *random) {
  double shorter = (double)(height < width ? height : width);
  burl_put_shape s = {.form = plan->form, .soft = plan->soft};
  double most = fmax(fmin(plan->pixels.most, plan->share * shorter), LEAST_PIXELS);
  s.radius = burl_put_spread(random, fmin(plan->pixels.least, most), most);
  if (plan->form == BURL_PUT_BLOB)
    draw_blob(&s, plan, height, width, random);
  else
    draw_band(&s, plan, height, width, random);
  return s;
}

void burl_put_shape_reach(double reach[2], const burl_put_shape *s) {
  if (s->form == BURL_PUT_BLOB) {
    reach[0] = reach[1] = blob_reach(s);
    return;
  }
  double along = ceil(s->second) + 2.0, across = ceil(s->radius * (1.0 + s->soft)) + 2.0;
  reach[0] = s->turn[1] > 0.0 ? along : across;
  reach[1] = s->turn[1] > 0.0 ? across : along;
}

/* 1 below low, 0 above high, smooth between. */
static double fall(double r, double low, double high) {
  double t = (high - r) / (high - low);
  return t <= 0.0 ? 0.0 : t >= 1.0 ? 1.0 : t * t * (3.0 - 2.0 * t);
}

double burl_put_shape_weight(const burl_put_shape *s, double y, double x) {
  double dy = y - s->y, dx = x - s->x;
  double along = s->turn[0] * dx + s->turn[1] * dy, across = s->turn[0] * dy - s->turn[1] * dx;
  if (s->form == BURL_PUT_BAND) {
    across -= s->size[0] * sin(s->size[1] * along + s->phase[0]);
    return fall(fabs(across) / s->radius, 1.0 - s->soft, 1.0 + s->soft) *
           fall(fabs(along), s->second - 1.0, s->second + 1.0);
  }
  across /= s->second;
  double angle = atan2(across, along), edge = s->radius;
  for (int i = 0; i < BURL_PUT_HARMONICS; i++)
    edge += s->radius * s->size[i] * cos((i + 2) * angle + s->phase[i]);
  return fall(sqrt(along * along + across * across) / edge, 1.0 - s->soft, 1.0 + s->soft);
}
