/* What kind of defect a region is: the one that most of its pixels look like. */
#include <burl/detect.h>

burl_kind burl_proposal_get_kind(const burl_proposal *proposal, const unsigned char *kinds) {
  size_t count[BURL_KIND_COUNT] = {0}, most = BURL_KIND_NONE;
  for (size_t i = 0; i < proposal->span_count; i++)
    for (size_t p = proposal->spans[i].begin; p < proposal->spans[i].end; p++)
      if (kinds[p] < BURL_KIND_COUNT) count[kinds[p]]++;
  for (size_t k = 0; k < BURL_KIND_COUNT; k++)
    if (count[k] > count[most]) most = k;
  return (burl_kind)most;
}
