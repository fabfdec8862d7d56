/* The cheapest assignment by trying all. */
#ifndef BURL_TESTS_REF_ASSIGNMENT_H
#define BURL_TESTS_REF_ASSIGNMENT_H

#include <stddef.h>

/* Least cost of giving each of min(n,m) lines of C (n,m; packed) a line of the other side, sides up
 * to 8; +infinity where each way has an infinite entry. */
double ref_cheapest_assignment(const double *C, size_t n, size_t m);

#endif
