#include "reference/ref_sinkhorn_nms.h"

#include <math.h>

#define MOST REF_NMS_MOST

static long double centre(const double *box, size_t axis) {
  return ((long double)box[axis] + (long double)box[axis + 2]) / 2;
}

static long double far(const ref_nms *r, size_t j, size_t k) {
  const double *a = r->input.boxes + 4 * j, *b = r->input.boxes + 4 * r->seeds[k];
  return hypotl(centre(a, 0) - centre(b, 0), centre(a, 1) - centre(b, 1));
}

static long double product(const ref_nms *r, size_t i, size_t j) {
  long double sum = 0;
  for (size_t t = 0; t < r->d; t++)
    sum +=
        (long double)r->input.features[i * r->d + t] * (long double)r->input.features[j * r->d + t];
  return sum;
}

static long double cost(const ref_nms *r, size_t j, size_t k, long double farthest) {
  const burl_sinkhorn_nms_options *o = &r->options;
  if (k == r->input.slots) return 0;
  long double sum = (long double)o->alpha * (1 - (long double)r->input.scores[j]) +
                    (long double)o->gamma * far(r, j, k) / farthest;
  if (r->d == 0) return sum;
  size_t s = r->seeds[k];
  long double lengths = sqrtl(product(r, j, j) * product(r, s, s));
  return sum + (long double)o->beta * (1 - (lengths > 0 ? product(r, j, s) / lengths : 0));
}

/* Scaling form: enough for costs of some units and long double. */
static void match(const ref_nms *r, long double P[MOST][MOST + 1], long double farthest) {
  size_t n = r->input.n, slots = r->input.slots;
  int bin = r->options.form == BURL_SINKHORN_NMS_BIN;
  size_t columns = slots + (size_t)bin;
  long double u[MOST], v[MOST + 1];
  for (size_t k = 0; k < columns; k++) {
    v[k] = k == slots && n == slots ? 0 : 1;
    for (size_t j = 0; j < n; j++)
      P[j][k] = expl(-cost(r, j, k, farthest) / (long double)r->options.tau);
  }
  for (size_t sweep = 0; sweep < r->options.sweeps; sweep++) {
    for (size_t j = 0; j < n; j++) {
      long double sum = 0;
      for (size_t k = 0; k < columns; k++)
        sum += P[j][k] * v[k];
      u[j] = (bin ? 1 : (long double)slots / (long double)n) / sum;
    }
    for (size_t k = 0; k < columns; k++) {
      long double sum = 0;
      for (size_t j = 0; j < n; j++)
        sum += P[j][k] * u[j];
      v[k] = (k < slots ? 1 : (long double)(n - slots)) / sum;
    }
  }
  for (size_t j = 0; j < n; j++)
    for (size_t k = 0; k < columns; k++)
      P[j][k] *= u[j] * v[k];
}

/* Adds weight * sum_j P_jk x_j to the loss. */
static long double output(double *out, const double *x, size_t width, size_t t, const ref_nms *r,
                          long double P[MOST][MOST + 1], size_t k, int open, const double *weight) {
  long double sum = 0;
  for (size_t j = 0; open && j < r->input.n; j++)
    sum += P[j][k] * (long double)x[j * width + t];
  if (out) out[k * width + t] = (double)sum;
  return weight ? (long double)weight[k * width + t] * sum : 0;
}

long double ref_nms_value(const ref_nms *nms, double *scores, double *boxes, double *features,
                          double *plan, double *farthest) {
  size_t n = nms->input.n, slots = nms->input.slots;
  long double P[MOST][MOST + 1], widest = (long double)nms->farthest, loss = 0;
  for (size_t j = 0; nms->farthest <= 0 && j < n; j++)
    for (size_t k = 0; k < slots; k++)
      widest = fmaxl(widest, fmaxl(far(nms, j, k), 1e-10L));
  if (farthest) *farthest = (double)widest;
  match(nms, P, widest);
  for (size_t k = 0; k < slots; k++) {
    long double score = 0;
    for (size_t j = 0; j < n; j++)
      score += P[j][k] * (long double)nms->input.scores[j];
    int open = score > (long double)nms->options.gate;
    loss += output(scores, nms->input.scores, 1, 0, nms, P, k, open, nms->loss.dscores);
    for (size_t t = 0; t < 4; t++)
      loss += output(boxes, nms->input.boxes, 4, t, nms, P, k, open, nms->loss.dboxes);
    for (size_t t = 0; t < nms->d; t++)
      loss +=
          output(features, nms->input.features, nms->d, t, nms, P, k, open, nms->loss.dfeatures);
    for (size_t j = 0; j < n; j++) {
      if (plan) plan[j * slots + k] = (double)P[j][k];
      if (nms->loss.dplan) loss += (long double)nms->loss.dplan[j * slots + k] * P[j][k];
    }
  }
  return loss;
}
