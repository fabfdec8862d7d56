/* Rows of a cost: whole blocks are computed in place, of others a part is copied. */
#include "transport/cost_parts.h"

#include <string.h>

/* Where the rows wanted from `at` on end within the block of `at`. */
static size_t end_in_block(size_t at, size_t end) {
  size_t next = (at / BURL_COST_BLOCK + 1) * BURL_COST_BLOCK;
  return next < end ? next : end;
}

static int rows_are_valid(const burl_cost *cost, size_t ld, size_t first, size_t count) {
  size_t n = burl_cost_get_n(cost);
  return ld >= burl_cost_get_m(cost) && first <= n && count <= n - first;
}

burl_status burl_cost_rows(burl_cost *cost, float *block, size_t ld, size_t first, size_t count) {
  if (!rows_are_valid(cost, ld, first, count)) return BURL_ERR_ARGUMENT;
  size_t n = burl_cost_get_n(cost), m = burl_cost_get_m(cost), end = first + count;
  for (size_t at = first, stop; at < end; at = stop) {
    size_t start = at / BURL_COST_BLOCK * BURL_COST_BLOCK;
    float *to = block + (at - first) * ld;
    stop = end_in_block(at, end);
    if (at == start && stop == end_in_block(at, n)) {
      burl_cost_whole_block(cost, to, ld, start);
      continue;
    }
    const float *part = burl_cost_scratch_block(cost, start) + (at - start) * m;
    for (size_t i = 0; i < stop - at; i++)
      memcpy(to + i * ld, part + i * m, m * sizeof *to);
  }
  return BURL_OK;
}

burl_status burl_cost_rows_double(burl_cost *cost, double *block, size_t ld, size_t first,
                                  size_t count) {
  if (!rows_are_valid(cost, ld, first, count)) return BURL_ERR_ARGUMENT;
  size_t m = burl_cost_get_m(cost), end = first + count;
  for (size_t at = first, stop; at < end; at = stop) {
    size_t start = at / BURL_COST_BLOCK * BURL_COST_BLOCK;
    stop = end_in_block(at, end);
    const float *part = burl_cost_scratch_block(cost, start) + (at - start) * m;
    for (size_t i = 0; i < stop - at; i++)
      for (size_t j = 0; j < m; j++)
        block[(at - first + i) * ld + j] = (double)part[i * m + j];
  }
  return BURL_OK;
}

burl_status burl_cost_store(burl_cost *cost, float *C, size_t ldc) {
  return burl_cost_rows(cost, C, ldc, 0, burl_cost_get_n(cost));
}
