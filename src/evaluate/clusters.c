/* Which images are drawn together: those of one group, else each by itself. */
#include "evaluate/replicates.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

typedef struct named {
  const char *group;
  size_t index; /* in the drawing */
} named;

static int compare(const void *a, const void *b) {
  const named *x = a, *y = b;
  int order = strcmp(x->group, y->group);
  return order ? order : (x->index > y->index) - (x->index < y->index);
}

static size_t number_clusters(size_t *cluster, const named *sorted, size_t count) {
  size_t clusters = 0;
  for (size_t i = 0; i < count; i++) {
    int alone = sorted[i].group[0] == '\0';
    int goes_on = !alone && i > 0 && strcmp(sorted[i].group, sorted[i - 1].group) == 0;
    if (!goes_on) clusters++;
    cluster[sorted[i].index] = clusters - 1;
  }
  return clusters;
}

burl_status burl_clusters_make(burl_clusters *self, const burl_evidence *evidence,
                               const size_t *chosen, size_t count) {
  burl_arena arena = {0};
  burl_arena_reserve(&arena, count, sizeof(size_t));
  burl_arena_reserve(&arena, count, sizeof(size_t));
  burl_arena_reserve(&arena, count, 1);
  named *sorted = burl_alloc(count, sizeof *sorted);
  if (!sorted || !burl_arena_open(&arena)) {
    free(sorted);
    return BURL_ERR_MEMORY;
  }
  size_t *image = burl_arena_take(&arena, count, sizeof *image);
  size_t *cluster = burl_arena_take(&arena, count, sizeof *cluster);
  uint8_t *stratum = burl_arena_take(&arena, count, 1);
  for (size_t i = 0; i < count; i++) {
    image[i] = chosen ? chosen[i] : i;
    sorted[i] = (named){.group = evidence->images[image[i]].group, .index = i};
  }
  qsort(sorted, count, sizeof *sorted, compare);
  size_t clusters = number_clusters(cluster, sorted, count);
  free(sorted);
  memset(stratum, 0, count);
  for (size_t i = 0; i < count; i++)
    stratum[cluster[i]] |= (uint8_t)evidence->images[image[i]].defective;
  self->block = arena.block;
  self->drawing = (burl_drawing){
      .count = count, .image = image, .cluster = cluster, .stratum = stratum, .clusters = clusters};
  return BURL_OK;
}

void burl_clusters_free(burl_clusters *self) {
  free(self->block);
  *self = (burl_clusters){0};
}
