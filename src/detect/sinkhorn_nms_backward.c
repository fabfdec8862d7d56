/* Suppression by entropic matching, backward. Notation of docs/math/detect.md, "Matching".
 *
 * With G_jk = dL/dP_jk from the sums of slots and from the plan itself, the tape of the sweeps
 * gives dL/dC and dL/dtau. From there
 *     ds_j -= alpha sum_k dC_jk
 *     dZ_j -= beta / |Z_j|  sum_k dC_jk (m_k - cos_jk z_j)         z, m: unit features
 *     dmu_k -= beta / |mu_k| sum_j dC_jk (z_j - cos_jk m_k)        goes to the seed of slot k
 *     dc_j += gamma / D_max sum_k dC_jk (c_j - nu_k) / |c_j - nu_k|,  dnu_k its negative
 * All that can fail comes before anything is added. */
#include "detect/sinkhorn_nms.h"

#include "num/gemm.h"

#include <math.h>
#include <string.h>

static burl_status check(const burl_sinkhorn_nms *s, const burl_sinkhorn_nms_loss *loss,
                         const burl_sinkhorn_nms_input *in) {
  if (!s->ready || in->n != s->n || in->slots != s->wanted) return BURL_ERR_ARGUMENT;
  const double *given[] = {loss->dscores, loss->dboxes, loss->dfeatures, loss->dplan};
  size_t counts[] = {s->wanted, 4 * s->wanted, s->d * s->wanted, s->n * s->wanted};
  for (size_t i = 0; i < 4; i++)
    if (given[i] && !burl_sinkhorn_nms_ordinary(given[i], counts[i])) return BURL_ERR_NUMERIC;
  return BURL_OK;
}

/* The loss of slots above the gate; the others pass nothing on. */
static void apply_gate(burl_sinkhorn_nms *s, const burl_sinkhorn_nms_loss *loss) {
  for (size_t k = 0; k < s->slots; k++) {
    s->score[k] = s->open[k] && loss->dscores ? loss->dscores[k] : 0;
    for (size_t c = 0; c < 4; c++)
      s->box[4 * k + c] = s->open[k] && loss->dboxes ? loss->dboxes[4 * k + c] : 0;
    for (size_t t = 0; t < s->d; t++)
      s->slot[k * s->d + t] = s->open[k] && loss->dfeatures ? loss->dfeatures[k * s->d + t] : 0;
  }
}

static burl_status derive_plan(burl_sinkhorn_nms *s, const burl_sinkhorn_nms_loss *loss,
                               const burl_sinkhorn_nms_input *in) {
  for (size_t j = 0; j < s->n; j++) {
    double *to = s->dplan + j * s->columns;
    const double *box = in->boxes + 4 * j;
    for (size_t k = 0; k < s->slots; k++) {
      const double *dbox = s->box + 4 * k;
      to[k] = s->score[k] * in->scores[j] + dbox[0] * box[0] + dbox[1] * box[1] + dbox[2] * box[2] +
              dbox[3] * box[3];
      if (loss->dplan) to[k] += loss->dplan[j * s->wanted + k];
    }
    if (s->columns > s->slots) to[s->slots] = 0;
  }
  if (s->d == 0 || !loss->dfeatures) return BURL_OK;
  return burl_num_dgemm(s->dplan, s->columns, in->features, s->d, BURL_NUM_PLAIN, s->slot, s->d,
                        BURL_NUM_TRANSPOSED, s->n, s->slots, s->d, 1, 1);
}

static burl_status derive_cost(burl_sinkhorn_nms *s, double *dtau) {
  size_t cells = s->n * s->columns;
  memset(s->dcost, 0, cells * sizeof *s->dcost);
  burl_sinkhorn_gradient gradient = {.dC = s->dcost, .lddc = s->columns, .deps = dtau};
  burl_sinkhorn_loss loss = {.dP = s->dplan, .lddp = s->columns};
  burl_status status = burl_sinkhorn_tape_backward(s->tape, &gradient, &loss, s->cost, s->columns);
  if (status != BURL_OK) return status;
  return burl_sinkhorn_nms_ordinary(s->dcost, cells) && burl_sinkhorn_nms_ordinary(dtau, 1)
             ? BURL_OK
             : BURL_ERR_NUMERIC;
}

/* What each proposal gives to the sums of slots, and the score's part of the cost. */
static void add_scores_and_boxes(const burl_sinkhorn_nms *s, const burl_sinkhorn_nms_gradient *to) {
  for (size_t j = 0; j < s->n; j++)
    for (size_t k = 0; k < s->slots; k++) {
      double p = s->plan[j * s->columns + k], dcost = s->dcost[j * s->columns + k];
      if (to->dscores) to->dscores[j] += p * s->score[k] - s->options.alpha * dcost;
      for (size_t c = 0; to->dboxes && c < 4; c++)
        to->dboxes[4 * j + c] += p * s->box[4 * k + c];
    }
}

static void add_distances(const burl_sinkhorn_nms *s, double *dboxes, const double *boxes) {
  for (size_t j = 0; dboxes && j < s->n; j++)
    for (size_t k = 0; k < s->slots; k++) {
      double x, y, distance = burl_sinkhorn_nms_distance(s, boxes, j, k, &x, &y);
      if (distance <= 0) continue;
      /* half to each corner, as c is their mean */
      double pull = s->options.gamma * s->dcost[j * s->columns + k] / s->farthest / 2;
      double *own = dboxes + 4 * j, *seed = dboxes + 4 * s->seeds[k];
      for (size_t c = 0; c < 4; c++) {
        double part = pull * ((c % 2 ? y : x) / distance);
        own[c] += part;
        seed[c] -= part;
      }
    }
}

static void add_weights(const burl_sinkhorn_nms *s, const burl_sinkhorn_nms_gradient *to,
                        const burl_sinkhorn_nms_input *in) {
  double dalpha = 0, dbeta = 0, dgamma = 0, x, y;
  for (size_t j = 0; j < s->n; j++)
    for (size_t k = 0; k < s->slots; k++) {
      double dcost = s->dcost[j * s->columns + k];
      dalpha += dcost * (1 - in->scores[j]);
      if (s->d) dbeta += dcost * (1 - s->cosine[j * s->slots + k]);
      dgamma += dcost * (burl_sinkhorn_nms_distance(s, in->boxes, j, k, &x, &y) / s->farthest);
    }
  if (to->dalpha) *to->dalpha += dalpha;
  if (to->dbeta) *to->dbeta += dbeta;
  if (to->dgamma) *to->dgamma += dgamma;
}

/* The cosine's way to its own feature and to the seed's; dplan becomes scratch. */
static burl_status add_cosines(burl_sinkhorn_nms *s, double *dfeatures) {
  size_t d = s->d, slots = s->slots;
  burl_sinkhorn_nms_gather(s);
  for (size_t j = 0; j < s->n; j++) {
    double weight = s->options.beta * s->inverse[j], along = 0;
    for (size_t k = 0; k < slots; k++) {
      double dcost = s->dcost[j * s->columns + k];
      s->dplan[j * slots + k] = -weight * dcost;
      along += weight * dcost * s->cosine[j * slots + k];
    }
    for (size_t t = 0; t < d; t++)
      dfeatures[j * d + t] += along * s->unit[j * d + t];
  }
  for (size_t k = 0; k < slots; k++) {
    size_t seed = s->seeds[k];
    double along = 0, weight = s->options.beta * s->inverse[seed];
    for (size_t j = 0; j < s->n; j++)
      along += weight * s->dcost[j * s->columns + k] * s->cosine[j * slots + k];
    for (size_t t = 0; t < d; t++)
      dfeatures[seed * d + t] += along * s->unit[seed * d + t];
  }
  burl_status status = burl_num_dgemm(dfeatures, d, s->dplan, slots, BURL_NUM_PLAIN, s->slot, d,
                                      BURL_NUM_PLAIN, s->n, d, slots, 1, 1);
  if (status == BURL_OK)
    status = burl_num_dgemm(s->slot, d, s->dcost, s->columns, BURL_NUM_TRANSPOSED, s->unit, d,
                            BURL_NUM_PLAIN, slots, d, s->n, -s->options.beta, 0);
  for (size_t k = 0; status == BURL_OK && k < slots; k++)
    for (size_t t = 0; t < d; t++)
      dfeatures[s->seeds[k] * d + t] += s->inverse[s->seeds[k]] * s->slot[k * d + t];
  return status;
}

/* Products of sizes that _new admitted do not fail. */
static burl_status add_features(burl_sinkhorn_nms *s, double *dfeatures) {
  if (s->d == 0 || !dfeatures) return BURL_OK;
  burl_status status = burl_num_dgemm(dfeatures, s->d, s->plan, s->columns, BURL_NUM_PLAIN, s->slot,
                                      s->d, BURL_NUM_PLAIN, s->n, s->d, s->slots, 1, 1);
  return status == BURL_OK ? add_cosines(s, dfeatures) : status;
}

burl_status burl_sinkhorn_nms_backward(burl_sinkhorn_nms *self,
                                       const burl_sinkhorn_nms_gradient *gradient,
                                       const burl_sinkhorn_nms_loss *loss,
                                       const burl_sinkhorn_nms_input *input) {
  double dtau = 0;
  burl_status status = check(self, loss, input);
  if (status != BURL_OK || self->n == 0) return status;
  apply_gate(self, loss);
  status = derive_plan(self, loss, input);
  if (status == BURL_OK) status = derive_cost(self, &dtau);
  if (status == BURL_OK) status = add_features(self, gradient->dfeatures);
  if (status != BURL_OK) return status;
  add_scores_and_boxes(self, gradient);
  add_distances(self, gradient->dboxes, input->boxes);
  add_weights(self, gradient, input);
  if (gradient->dtau) *gradient->dtau += dtau;
  return BURL_OK;
}
