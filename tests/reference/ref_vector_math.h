/* Log-sum-exp by its definition. */
#ifndef BURL_TESTS_REF_VECTOR_MATH_H
#define BURL_TESTS_REF_VECTOR_MATH_H

#include <stddef.h>

/* log sum_k exp(p_k - scale c_k), in long double, c_k at distance step; -inf entries of p are
 * absent. */
double ref_log_sum(const double *p, const double *c, double scale, size_t count, size_t step);

#endif
