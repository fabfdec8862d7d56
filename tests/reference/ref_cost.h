/* ref_cost.h: transport costs entry by entry in double, by their formulas. */
#ifndef BURL_TESTS_REF_COST_H
#define BURL_TESTS_REF_COST_H

#include <burl/transport_cost.h>

/* T of one term at (i,j); lattices by trying all images within 24 cells of the given basis,
 * NaN where that is not enough. */
double ref_cost_term(const burl_cost_term *term, const float *X, const float *Y, size_t d, size_t i,
                     size_t j);

/* C (n,m), packed, from T of all terms and their weights, constants and maxima. */
void ref_cost(double *C, const burl_cost_term *terms, size_t count, const float *X, size_t n,
              const float *Y, size_t m, size_t d);

#endif
