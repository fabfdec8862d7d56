/* num/scaling.h: the inner loops of Sinkhorn's scaling iteration on a float kernel matrix.
 *
 * A kernel matrix K has `rows` rows of m entries at distance ldk, of which the entries from m up to
 * the next multiple of BURL_NUM_SCALING_PAD exist and are 0, as they are in y and s.
 */
#ifndef BURL_NUM_SCALING_H
#define BURL_NUM_SCALING_H

#include <stddef.h>

#define BURL_NUM_SCALING_PAD 16

/* m rounded up to whole vectors. */
size_t burl_num_scaling_padded(size_t m);

/* Row of a kernel: with max = max_j (p_j - scale c_j), which is returned,
 *     k_j = exp(p_weighted_j - scale c_j - max),
 * and 0 below 1e-30, p_weighted being p less the logarithm of what y will stand near. Scores are
 * formed in double, since their differences are small against them. Also writes the padding of k.
 */
double burl_num_scaling_build(float *k, const float *c, const double *p, const double *p_weighted,
                              double scale, size_t m);

/* r_i = sum_j K_ij y_j, then s_j += sum_i (a_i / r_i) K_ij, rows with a_i = 0 adding nothing: both
 * products of a sweep in one reading of K. At most some hundred rows a call, since s is float. */
void burl_num_scaling_rows(float *r, float *s, const float *K, size_t ldk, size_t rows, size_t m,
                           const float *y, const float *a);

/* s_j = sum_b parts_bj for `count` parts at distance ld, in order, in double. */
void burl_num_scaling_sum_parts(double *s, const float *parts, size_t ld, size_t count, size_t m);

/* Whether any now_i is not within a factor of before_i, up or down (NaN is not). */
int burl_num_scaling_has_left(const float *now, const float *before, double factor, size_t n);

/* Row of a plan: P_j = exp((f + g_j - c_j) scale), the score formed in double. */
void burl_num_plan_row_float(float *P, double f, const double *g, const float *c, double scale,
                             size_t m);

/* r_i = sum_j K_ij y_j alone. */
void burl_num_scaling_row_sums(float *r, const float *K, size_t ldk, size_t rows, size_t m,
                               const float *y);

#endif
