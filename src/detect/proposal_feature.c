/* What a region looks like: the mean patch embedding over its pixels. */
#include <burl/detect.h>

#include "base/memory.h"

#include <assert.h>
#include <math.h>

/* The cell nearest to a pixel. */
static size_t nearest_cell(const burl_embedding *e, size_t pixel, size_t cells) {
  double at = floor(((double)pixel - e->offset) / (double)e->stride + 0.5);
  double last = (double)(cells - 1);
  return (size_t)(at < 0 ? 0 : at > last ? last : at);
}

/* Adds a span, cell by cell: neighbouring pixels mostly have the same one. */
static void add_span(float *sum, const burl_embedding *e, burl_span span) {
  size_t row = nearest_cell(e, span.begin / e->width, e->rows);
  size_t first = span.begin % e->width, end = first + (span.end - span.begin);
  for (size_t x = first, next; x < end; x = next) {
    size_t col = nearest_cell(e, x, e->cols);
    for (next = x + 1; next < end && nearest_cell(e, next, e->cols) == col;)
      next++;
    const float *cell = e->values + (row * e->cols + col) * e->dimension;
    for (size_t d = 0; d < e->dimension; d++)
      sum[d] += (float)(next - x) * cell[d];
  }
}

void burl_proposal_get_feature(float *feature, const burl_proposal *proposal,
                               const burl_embedding *embedding) {
  assert(embedding->rows > 0 && embedding->cols > 0 && embedding->stride > 0);
  for (size_t d = 0; d < embedding->dimension; d++)
    feature[d] = 0;
  for (size_t i = 0; i < proposal->span_count; i++)
    add_span(feature, embedding, proposal->spans[i]);
  for (size_t d = 0; d < embedding->dimension; d++)
    feature[d] /= (float)proposal->area;
}
