/* Evidence from hostile files: whatever is taken can be resampled and compared. */
#include "evaluate/evidence_file.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  burl_evidence *e = NULL;
  burl_diag diag = {0};
  burl_status status = burl_evidence_parse(&e, data, size, "fuzz", &diag);
  if (status != diag.status || (status == BURL_OK) != (e != NULL)) abort();
  if (status != BURL_OK) {
    if (!diag.reason[0]) abort();
    return 0;
  }
  const burl_resampling options = {.level = 0.9, .replicates = 100, .threads = 1};
  burl_interval intervals[BURL_MEASURE_COUNT];
  burl_difference differences[BURL_MEASURE_COUNT];
  burl_comparison all;
  if (burl_evidence_get_count(e) <= 64) {
    if (burl_evidence_intervals(e, intervals, &options) != BURL_OK) abort();
    if (burl_evidence_compare(e, e, differences, &all, &options, &diag) != BURL_OK) abort();
  }
  burl_evidence_free(e);
  return 0;
}
