/* Rules of saturation from hostile text: what is taken gives 1..pixels for every value. */
#include <burl/evaluate_saturation.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  burl_saturations *rules = NULL;
  burl_diag diag = {0};
  burl_status status = burl_saturations_parse(&rules, data, size, "fuzz", &diag);
  if (status != diag.status || (status == BURL_OK) != (rules != NULL)) abort();
  if (status != BURL_OK && !diag.reason[0]) abort();
  for (int value = -1; status == BURL_OK && value < 300; value++)
    if (burl_saturations_get(rules, value, 7) > 7) abort();
  burl_saturations_free(rules);
  return 0;
}
