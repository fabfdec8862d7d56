/* num/log_sum.h: sums of exponentials of affine scores, the inner loops of entropic transport in
 * the log domain.
 *
 * Scores are t_ij = q_i + p_j - scale c_ij. Potentials p and q may be -inf (an absent row or
 * column); as long as one score of a row or column is finite, nothing here is NaN. Scores above
 * 1e299 are out of range. All sums have a fixed order, the same on every machine.
 */
#ifndef BURL_NUM_LOG_SUM_H
#define BURL_NUM_LOG_SUM_H

#include <stddef.h>

/* log sum_j exp(p_j - scale c_j). */
double burl_num_log_sum(const double *p, const double *c, double scale, size_t m);

/* Running log-sum-exp of columns: a pair stands for sum_j exp(max_j), and starts as
 * {BURL_NUM_LOWEST, 0}. Adds rows 0..rows-1 of c (rows, m; leading dimension ldc) with their
 * potentials q to all m pairs. One exponential an entry and one a pair and call: hand over some ten
 * rows at a time. */
#define BURL_NUM_LOWEST (-1e300)
void burl_num_log_sum_columns(double *max, double *sum, const double *q, const double *c,
                              size_t ldc, double scale, size_t rows, size_t m);

/* Row of a plan: P_j = exp((f + g_j - c_j) scale). */
void burl_num_plan_row_double(double *P, double f, const double *g, const double *c, double scale,
                              size_t m);

/* What one row of the plan P_j = exp(q + p_j - scale c_j) adds up to. */
typedef struct burl_num_plan_row {
  double mass;    /* sum_j P_j */
  double cost;    /* sum_j P_j c_j */
  double entropy; /* sum_j P_j log P_j */
} burl_num_plan_row;

/* The sums of one row, whose P_j are also added to columns (m). */
burl_num_plan_row burl_num_plan_sums(double *columns, double q, const double *p, const double *c,
                                     double scale, size_t m);

#endif
