/* Weights of the largest expected quality among those of entropy h or more.
 *
 * The objective is linear and the set convex, so the maximum lies where the entropy is just h, and
 * Lagrange's condition q_i = lambda (log p_i + c) makes it a softmax of q / lambda. The inverse
 * beta = 1/lambda is found by bisection of its logarithm, since H falls with beta:
 *     dH/dbeta = - beta Var_p(q).
 * Qualities are taken relative to the best and in units of their range, z_i = (max - q_i) / range,
 * so that no exponential overflows and the search begins where the answer is near.
 *
 * Gradient. With J = diag(p) - p p', dp = beta J dq + J q dbeta, and beta moves such that H stays:
 * dH = - beta q' dp, so dbeta = - beta (q' J dq) / (q' J q), and for another h
 * dbeta/dh = - 1 / (beta q' J q). Hence
 *     dq = beta (J g - J q (q' J g) / (q' J q)),      dh = - (g' J q) / (beta q' J q),
 * g being dp. J takes no notice of a constant added to q. */
#include <burl/detect_refine.h>

#include <math.h>

#define WIDEST 1e100   /* qualities beyond it have no range that is a number */
#define DOUBLINGS 1000 /* of beta in either direction, before its limit is taken */

typedef struct field {
  const double *q;
  size_t n;
  double best, range;
} field;

static double fall(const field *f, size_t i) {
  return (f->best - f->q[i]) / f->range;
}

/* H of softmax(- beta z): log Z + beta <p,z>. */
static double entropy_at(const field *f, double beta) {
  double sum = 0, moment = 0;
  for (size_t i = 0; i < f->n; i++) {
    double z = fall(f, i), e = exp(-beta * z);
    sum += e;
    if (e > 0) moment += e * (beta * z);
  }
  return log(sum) + moment / sum;
}

/* beta where H = h, 0 or infinity where h is as good as that of a limit. */
static double find_beta(const field *f, double h) {
  double low = 1, high = 1;
  for (int i = 0; entropy_at(f, low) < h; i++, low /= 2)
    if (i == DOUBLINGS) return 0;
  for (int i = 0; entropy_at(f, high) > h; i++, high *= 2)
    if (i == DOUBLINGS) return HUGE_VAL;
  while (high > low * (1 + 1e-15)) {
    double middle = sqrt(low) * sqrt(high);
    if (middle <= low || middle >= high) break;
    if (entropy_at(f, middle) > h)
      low = middle;
    else
      high = middle;
  }
  return low;
}

static void share_evenly(double *p, const field *f, int best_only, size_t count) {
  for (size_t i = 0; i < f->n; i++)
    p[i] = !best_only || f->q[i] >= f->best ? 1 / (double)count : 0;
}

static void soften(double *p, const field *f, double beta) {
  double sum = 0;
  for (size_t i = 0; i < f->n; i++)
    sum += p[i] = exp(-beta * fall(f, i));
  for (size_t i = 0; i < f->n; i++)
    p[i] /= sum;
}

static burl_status look(field *f, size_t *ties, const double *q, size_t n) {
  double worst = HUGE_VAL, best = -HUGE_VAL;
  for (size_t i = 0; i < n; i++) {
    if (!(fabs(q[i]) <= WIDEST)) return BURL_ERR_NUMERIC;
    worst = fmin(worst, q[i]);
    best = fmax(best, q[i]);
  }
  *ties = 0;
  for (size_t i = 0; i < n; i++)
    *ties += q[i] >= best;
  *f = (field){.q = q, .n = n, .best = best, .range = best - worst};
  return BURL_OK;
}

burl_status burl_entropy_weights(double *p, const double *q, size_t n, double h,
                                 burl_entropy_info *info) {
  if (!(h >= 0)) return BURL_ERR_ARGUMENT;
  field f;
  size_t ties;
  burl_status status = look(&f, &ties, q, n);
  if (status != BURL_OK) return status;
  burl_entropy_info found = {0};
  if (n > 0) {
    double beta = 0;
    if (h < log((double)n)) beta = h <= log((double)ties) ? HUGE_VAL : find_beta(&f, h);
    int best_only = isinf(beta) != 0;
    size_t count = best_only ? ties : n;
    if (best_only || beta <= 0)
      share_evenly(p, &f, best_only, count);
    else
      soften(p, &f, beta);
    found.entropy = best_only || beta <= 0 ? log((double)count) : entropy_at(&f, beta);
    found.inverse = best_only || beta <= 0 ? beta : beta / f.range;
  }
  if (info) *info = found;
  return BURL_OK;
}

void burl_entropy_weights_backward(double *dq, double *dh, const double *dp, const double *p,
                                   const double *q, size_t n, const burl_entropy_info *info) {
  double beta = info->inverse, mean_q = 0, mean_g = 0, variance = 0, covariance = 0;
  if (beta <= 0 || isinf(beta)) return;
  for (size_t i = 0; i < n; i++) {
    mean_q += p[i] * q[i];
    mean_g += p[i] * dp[i];
  }
  for (size_t i = 0; i < n; i++) {
    variance += p[i] * (q[i] - mean_q) * (q[i] - mean_q);
    covariance += p[i] * (q[i] - mean_q) * (dp[i] - mean_g);
  }
  if (variance <= 0) return;
  double slope = covariance / variance;
  for (size_t i = 0; dq && i < n; i++)
    dq[i] += beta * p[i] * (dp[i] - mean_g - slope * (q[i] - mean_q));
  if (dh) *dh -= slope / beta;
}
