/* tests/reference/ref_network_pool.h: patch embeddings of a network's layers, cell by cell. */
#ifndef BURL_TESTS_REF_NETWORK_POOL_H
#define BURL_TESTS_REF_NETWORK_POOL_H

#include <stddef.h>

/* Mean of channel t of `map` (rows,cols,d) over the 3 x 3 cells around (i,j); 0 outside. */
double ref_pooled(const float *map, size_t rows, size_t cols, size_t d, size_t i, size_t j,
                  size_t t);

/* Channel t of `map` at row y, column x, which need not be whole; outside the nearest cell. */
double ref_looked_up(const float *map, size_t rows, size_t cols, size_t d, double y, double x,
                     size_t t);

#endif
