/* encode/network_pool.h: the layers of a network as one patch embedding. */
#ifndef BURL_ENCODE_NETWORK_POOL_H
#define BURL_ENCODE_NETWORK_POOL_H

#include "encode/network.h"

/* out (rows,cols,d) = mean of in over 3 x 3 cells, 9 also at the border, where cells outside are 0;
 * scratch (cols,d). */
void burl_network_pool(float *out, float *scratch, const burl_network_map *in);

/* out (rows,cols, ld floats a cell) at channel 0.. = map, `ratio` times as coarse, bilinear; past
 * its last cell the last value. Cell i lies at
 * (i + 1/2)/ratio - 1/2 of the map. */
void burl_network_widen(float *out, size_t ld, size_t rows, size_t cols, const float *map,
                        size_t map_rows, size_t map_cols, size_t d, size_t ratio);

#endif
