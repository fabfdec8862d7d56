/* evaluate/evidence_parts.h: what an evidence keeps. */
#ifndef BURL_EVALUATE_EVIDENCE_PARTS_H
#define BURL_EVALUATE_EVIDENCE_PARTS_H

#include <burl/evaluate_evidence.h>

#define BURL_MOST_BINS 256
#define BURL_MOST_IMAGES ((size_t)1 << 24)

/* Sparse rows, one for each image with a truth: entries start[i]..start[i+1]-1 are of row i, their
 * bins rise. */
typedef struct burl_rows {
  uint32_t *start; /* (rows+1) */
  uint16_t *bin;
  float *value;
  size_t count, room;
} burl_rows;

/* What is counted in bins of scores, bin 0 being the hottest: good pixels, defect pixels, the
 * shares of regions that these are, the shares of saturated regions. */
typedef enum burl_row_kind {
  BURL_ROWS_GOOD,
  BURL_ROWS_DEFECT,
  BURL_ROWS_SHARE,
  BURL_ROWS_SATURATED,
  BURL_ROW_KINDS
} burl_row_kind;

/* An image's pixels and regions. */
typedef struct burl_row_totals {
  uint32_t good, defect, regions, channels;
} burl_row_totals;

struct burl_evidence {
  burl_evidence_image *images; /* texts owned; group "" where there is none */
  size_t count, room;
  double threshold;
  double values[BURL_MEASURE_COUNT];
  size_t row_count, bins; /* bins is 0 where no image has a truth */
  burl_row_totals *totals;
  burl_rows rows[BURL_ROW_KINDS];
};

/* Chooses the bins and fills the rows. Error: BURL_ERR_MEMORY. */
burl_status burl_evidence_take_rows(burl_evidence *self,
                                    const burl_pixel_evaluator *evaluator) BURL_MUST_CHECK;
void burl_rows_free(burl_rows *rows);

#endif
